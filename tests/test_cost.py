"""What a run takes: counts, prices and times against figures worked out by hand."""

import json
import math

import pandas as pd
import pytest

from whosevalues import UserError, cost, elicitation, manifest, models
from whosevalues.models import records
from whosevalues.models.base import Decoding
from whosevalues.multicultural import survey

PRICE = {"input": 2.0, "output": 10.0, "date": "2026-01-31", "source": "https://host/page"}


def words(texts):
    """One token a word: counts that anybody can check."""
    return [len(text.split()) for text in texts]


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """An experiment of three questions, models of the test's own, and empty folders."""
    grid = pd.DataFrame(
        {"kind": "option_scores", "prompt": ["a b c", "d e", "f"], "options": [("1", "2")] * 3, "place": [1, 2, 3]}
    )
    monkeypatch.setattr(elicitation, "requests", lambda paper, limit=None, shard=None, **more: grid.head(limit or 3))
    monkeypatch.setattr(elicitation, "STORE", tmp_path / "responses")
    monkeypatch.setattr(manifest, "ANSWERS", tmp_path / "answers")
    monkeypatch.setattr(models, "FILE", tmp_path / "models.yml")
    monkeypatch.setattr(cost, "counter", lambda model: (words, 0, "words"))
    price = "{input: 2, output: 10, date: 2026-01-31, source: 'https://host/page'}"
    server = "backend: api, model: m, base_url: 'http://127.0.0.1:9/v1'"
    models.FILE.write_text(
        f"mine: {{backend: scripted}}\npaid: {{{server}, samples: 5, price: {price}}}\n"
        f"read: {{{server}, measurement: logprob, price: {price}}}\n"
    )
    models.load.cache_clear()
    yield tmp_path
    models.load.cache_clear()


def leave_manifest(folder, model, **about):
    """Leave what a run leaves."""
    file = folder / "answers" / "mena" / f"{model}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(about))


def test_tokens_are_counted_by_kind_of_question():
    """A statement is read after its question, an option is not, and a long answer costs what it may be long."""
    decoding = Decoding(max_tokens=600)
    requests = pd.DataFrame(
        [
            {"kind": "option_scores", "prompt": "one two three", "options": ("1", "10")},
            {"kind": "completion_scores", "prompt": "one two", "completion": "three four five"},
            {"kind": "generate", "prompt": "one", "decoding": decoding},
            {"kind": "structured", "prompt": "one", "schema": {}},
        ]
    )
    counted = cost.tokens(requests, words, template=10)
    assert counted["tokens_in"].tolist() == [13, 15, 11, 11]
    assert counted["tokens_out"].tolist()[:3] == [0, 0, 600]
    assert math.isnan(counted["tokens_out"].iloc[3])


def test_a_server_writes_its_answers_and_samples_are_paid_one_by_one():
    """Twenty samples cost twenty prompts; who forgets that is surprised by the bill."""
    requests = pd.DataFrame([{"kind": "option_scores", "prompt": "one two three", "options": ("1", "10")}])
    once = cost.tokens(requests, words, server=True)
    many = cost.tokens(requests, words, samples=20, server=True)
    assert once["tokens_in"].tolist() == [3] and once["tokens_out"].tolist() == [3]
    # An answer may be as long as the longest option, of two characters, and 8 tokens more.
    assert many["tokens_in"].tolist() == [60] and many["tokens_out"].tolist() == [20 * 10]


def test_the_paper_s_own_bill_comes_out():
    """Table 2 of the first paper, at half the list price as its batches cost: $10.17, $0.41 and $3.34."""
    turbo, small, omni = ({"input": i, "output": o} for i, o in ((10, 30), (0.5, 1.5), (2.5, 10)))
    assert cost.dollars(103_397, 643_203, turbo) / 2 == pytest.approx(10.17, abs=0.005)
    assert cost.dollars(103_397, 517_667, small) / 2 == pytest.approx(0.41, abs=0.005)
    assert cost.dollars(90_178, 644_569, omni) / 2 == pytest.approx(3.34, abs=0.005)
    assert math.isnan(cost.dollars(1, 1, None))


def test_earlier_answers_measure_what_only_a_run_can():
    """After a taste the reader must get the model's own token counts and pace, not a bound."""
    counted = pd.DataFrame({"tokens_in": [100.0] * 30, "tokens_out": [600.0] * 30})
    before = {"asked": 22, "errors": 2, "prompt_tokens": 2400, "completion_tokens": 6000}
    told = cost.estimate(counted, PRICE, before | {"rate": {"questions": 10, "seconds": 25.0}})
    assert (told["tokens_in"], told["tokens_out"]) == (3000, 18000)
    assert told["dollars"] == pytest.approx((3000 * 2 + 18000 * 10) / 1e6)
    # 120 in and 300 out per answer, 20 answers; 2.5 seconds a question.
    assert (told["expected_tokens_in"], told["expected_tokens_out"]) == (3600, 9000)
    assert told["expected_dollars"] == pytest.approx((3600 * 2 + 9000 * 10) / 1e6)
    assert (told["seconds"], told["measured_on"]) == (75, 20)


@pytest.mark.parametrize("before", [None, {}, {"asked": 5, "errors": 5, "prompt_tokens": 0, "rate": None}])
def test_what_no_run_measured_is_missing(before):
    """A time or a price that nobody knows must not be shown as nought."""
    told = cost.estimate(pd.DataFrame({"tokens_in": [1.0], "tokens_out": [math.nan]}), None, before)
    unknown = ("tokens_out", "dollars", "expected_tokens_in", "expected_dollars", "seconds")
    assert all(math.isnan(told[name]) for name in unknown)
    assert told["measured_on"] == 0 and told["price_date"] is None


def test_a_model_without_answers_is_not_loaded_to_be_counted(workplace):
    """Who has no key yet must still learn what the run would cost."""
    (row,) = cost.cost("mena", "paid").to_dict("records")
    assert (row["questions"], row["answered"], row["samples"]) == (3, 0, 5)
    # 6 words, 5 times; 3 answers of up to 9 tokens, 5 times.
    assert (row["tokens_in"], row["tokens_out"]) == (30, 135)
    assert row["dollars"] == pytest.approx((30 * 2 + 135 * 10) / 1e6)
    told = cost.in_words(pd.DataFrame([row]))
    assert "about 30 tokens in and about 135 out" in told and "5 samples per option question" in told
    assert "price: about $0.00, at the price of 2026-01-31 (https://host/page)" in told
    assert "time: unknown; `whosevalues run --model paid --paper mena --limit 20` measures it" in told


def test_what_a_server_was_found_to_give_is_not_paid_twenty_times(workplace):
    """Once a taste showed log-probabilities, or the line says so, no samples are counted."""
    assert cost.cost("mena", "read")["samples"].tolist() == [1]
    leave_manifest(
        workplace, "paid", measurement={"logprob": 3}, asked=3, errors=0, prompt_tokens=30, completion_tokens=3
    )
    (row,) = cost.cost("mena", "paid").to_dict("records")
    assert (row["samples"], row["measured_on"], row["expected_tokens_in"]) == (1, 3, 30)
    leave_manifest(workplace, "paid", measurement={"sampled": 3})
    assert cost.cost("mena", "paid")["samples"].tolist() == [5]


def test_what_is_answered_is_not_counted_again(workplace):
    """A continued run must be told by what is left of it."""
    elicitation.elicit("mena", "mine", limit=2)
    (row,) = cost.cost("mena", "mine").to_dict("records")
    assert (row["questions"], row["answered"], row["tokens_in"], row["tokens_out"]) == (3, 2, 1, 0)
    elicitation.elicit("mena", "mine")
    told = cost.in_words(cost.cost("mena", "mine"))
    assert told == "mena, mine: 3 questions, 3 answered already; nothing is left to ask"


def test_a_taste_measures_the_time_of_the_whole(workplace):
    """The message says that a taste measures the time; after one, the time must be there."""
    told = {"asked": 1, "errors": 0, "prompt_tokens": 2, "completion_tokens": 0}
    leave_manifest(workplace, "mine.part", rate={"questions": 1, "seconds": 60}, **told)
    assert "time: unknown" not in cost.in_words(cost.cost("mena", "mine"))


def test_a_damaged_manifest_is_named(workplace):
    """A half-written file must not end in a traceback."""
    leave_manifest(workplace, "mine")
    (workplace / "answers" / "mena" / "mine.json").write_text("{")
    with pytest.raises(UserError, match="mine.json of mena is no manifest: remove it"):
        cost.cost("mena", "mine")


def test_the_template_is_counted_with_the_prompt():
    """The embedded model reads its template with every prompt: the count must be what it reads."""
    model = models.load("smollm2-135m")
    count, template, whose = cost.counter("smollm2-135m")
    prompt = "How much do you trust the press?\n1. A lot\n2. Not at all"
    read = model.tokenizer(model.render(prompt), add_special_tokens=False)["input_ids"]
    assert count([prompt])[0] + template == len(read) and whose == "smollm2-135m"
    assert cost.counter("gpt-4o")[1:] == (0, "smollm2-135m")


@pytest.fixture
def open_answers(workplace, monkeypatch):
    """An experiment with two lists to be written, of at most 60 tokens each, and judges of the test's own."""
    grid = survey.experiment("en", questions=1, samples=2, max_tokens=60)
    monkeypatch.setattr(elicitation, "requests", lambda paper, limit=None, shard=None, **more: grid.head(limit or 2))
    return grid


def test_the_judge_is_priced_before_anything_is_written(open_answers):
    """The judge's bill may be the larger one: it must be counted, at most ten statements to an answer."""
    own, judge = cost.cost("multicultural", "mine", "paid").to_dict("records")
    assert (own["questions"], own["answered"], own["bound"], own["tokens_out"]) == (2, 0, True, 120)
    assert (judge["model"], judge["paper"]) == ("paid", "multicultural, the judge")
    assert (judge["questions"], judge["answered"], judge["unwritten"], judge["samples"]) == (20, 0, 2, 5)
    # Every statement is read with the judge's instruction, five times; all ten of an answer have 60 tokens at most.
    (first, *_) = survey.judging(open_answers.head(1).assign(text="1. x"))["prompt"]
    assert judge["tokens_in"] == 5 * (20 * len(first.split()) + 2 * 60)
    assert judge["dollars"] == pytest.approx((judge["tokens_in"] * 2 + judge["tokens_out"] * 10) / 1e6)
    told = cost.in_words(cost.cost("multicultural", "mine", "paid"))
    assert "the judge, paid: up to 20 questions" in told and "10 statements in each of 2 answers" in told
    assert "price: none, it runs on this machine" in told and "price: about $0.0" in told


def test_what_is_written_is_judged_as_often_as_it_has_statements(open_answers):
    """Once the answers are there, the judge's share is no bound any more, and what was judged is not paid again."""
    elicitation.elicit("multicultural", "mine", limit=1)
    # The scripted model writes ten statements, of which two differ; what is the same is judged once.
    _, judge = cost.cost("multicultural", "mine", "paid").to_dict("records")
    assert (judge["questions"], judge["answered"], judge["unwritten"]) == (2 + 10, 0, 1)
    answers = elicitation.elicit("multicultural", "mine")
    elicitation.judged("multicultural", answers)
    own, judge = cost.cost("multicultural", "mine").to_dict("records")
    assert own["answered"] == own["questions"] == 2
    assert judge["model"] == "mine" and judge["answered"] == judge["questions"] == 2
    assert cost.in_words(pd.DataFrame([judge])).endswith("answered already; nothing is left to ask")


def test_what_a_backend_cannot_answer_is_not_counted(workplace, monkeypatch):
    """An endpoint scores no statements: questions that are never asked must not be priced."""
    rows = [{"kind": "completion_scores", "prompt": "a", "completion": "b"}, {"kind": "generate", "prompt": "c"}]
    monkeypatch.setattr(elicitation, "requests", lambda *_, **__: pd.DataFrame(rows))
    assert cost.cost("navab", "paid")["questions"].tolist() == [1]
    assert cost.cost("navab", "mine")["questions"].tolist() == [2]
    assert "price: unknown, as nothing bounds" in cost.in_words(cost.cost("navab", "paid"))


def test_a_model_of_the_hub_is_not_looked_up_to_be_counted(workplace, monkeypatch):
    """Whoever asks what a run takes has not agreed to fetch anything."""
    models.FILE.write_text("hub: {backend: hf, path: org/name, revision: unresolved}")
    monkeypatch.setattr(records, "revision", None)
    assert cost.cost("mena", "hub")["questions"].tolist() == [3]
