"""From a paper's grid of questions to one file of answers: tastes, shards, judges, and what is kept."""

import json
import os

import pandas as pd
import pytest

from whosevalues import ROOT, UserError, elicitation, items, manifest, models, responses
from whosevalues.models.scripted import ScriptedModel

COUNTRIES = ["EG", "IR"]


@pytest.fixture
def stores(tmp_path, monkeypatch):
    """Stores of this test's own."""
    monkeypatch.setattr(elicitation, "STORE", tmp_path / "responses")
    monkeypatch.setattr(manifest, "ANSWERS", tmp_path / "answers")
    return tmp_path


# The grid of the whole benchmark is made from the released workbook.
PAPERS = [
    pytest.param(
        name,
        marks=pytest.mark.skipif(
            name == "mena-benchmark" and not os.environ.get("WHOSEVALUES_DATA"),
            reason="WHOSEVALUES_DATA names no folder with the released files",
        ),
    )
    for name in elicitation.EXPERIMENTS
]


def asked_again(monkeypatch):
    """Remember what any scripted model is asked from now on."""
    asked, own = [], ScriptedModel.option_scores

    def noted(self, questions):
        return own(self, (asked.append((self.name, prompt)) or (prompt, options) for prompt, options in questions))

    monkeypatch.setattr(ScriptedModel, "option_scores", noted)
    return asked


@pytest.mark.parametrize("paper", PAPERS)
def test_a_taste_is_spread_over_the_whole_grid(paper):
    """Twenty questions of one country in one language would be no taste of the paper."""
    grid, taste = elicitation.requests(paper), elicitation.requests(paper, limit=20)
    assert len(taste) == min(20, len(grid)) and set(taste["kind"]) <= set(responses.KINDS)
    places = [grid.index[[a == b for a, b in zip(grid["prompt"], [prompt] * len(grid), strict=True)]] for prompt in
              (taste["prompt"].iloc[0], taste["prompt"].iloc[-1])]  # fmt: skip
    assert 0 in places[0] and len(grid) - 1 in places[1]
    for column in {"language", "framing", "protocol"} & set(grid):
        assert taste[column].nunique() > 1 or grid[column].nunique() == 1
    assert len(elicitation.requests(paper, limit=10**6)) == len(grid)


@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize("parts", [1, 3, 8])
def test_shards_are_the_grid_and_nothing_twice(paper, parts):
    """A cluster that asks a question in no shard leaves a hole, one that asks it in two pays twice."""
    grid = elicitation.requests(paper)
    shards = [elicitation.requests(paper, shard=f"{i}/{parts}") for i in range(1, parts + 1)]
    assert max(map(len, shards)) - min(map(len, shards)) <= 1
    pd.testing.assert_frame_equal(pd.concat(shards, ignore_index=True), grid)


@pytest.mark.parametrize(
    "wrong, named",
    [
        ({"limit": 0}, "--limit 0 leaves no question"),
        ({"shard": "0/4"}, "'0/4' is no shard: write i/n"),
        ({"shard": "5/4"}, "'5/4' is no shard"),
        ({"shard": "half"}, "'half' is no shard"),
        ({"shard": "1/0"}, "'1/0' is no shard"),
        ({"nations": ["EG"]}, "unknown parameter 'nations': mena takes .*countries"),
        ({"countries": ["UK"]}, "UK"),
    ],
)
def test_a_wrong_request_is_named(wrong, named):
    """Whoever mistypes must read what there is to choose from."""
    with pytest.raises(UserError, match=named):
        elicitation.requests("mena", **wrong)


def test_an_unknown_paper_is_named():
    """Whoever mistypes a paper must read which there are."""
    with pytest.raises(UserError, match="unknown paper 'men': choose multicultural, mena, navab"):
        elicitation.requests("men")


def test_a_taste_is_the_beginning_of_the_full_run(stores, monkeypatch):
    """What --limit has asked must not be asked, nor paid for, again."""
    taste = elicitation.elicit("mena", "uniform", limit=20, countries=COUNTRIES)
    left = elicitation.missing("mena", "uniform", elicitation.requests("mena", countries=COUNTRIES))
    asked = asked_again(monkeypatch)
    whole = elicitation.elicit("mena", "uniform", countries=COUNTRIES)
    assert len(taste) == 20 and len(asked) == len(left) == whole["key"].nunique() - taste["key"].nunique()
    assert set(whole["model"]) == {"uniform"} and whole["error"].isna().all()


def test_shards_fill_one_store_and_the_whole_run_asks_nothing(stores, monkeypatch):
    """The jobs of a cluster answer into one place: the run that gathers them must find everything there."""
    for i in (1, 2, 3):
        about = elicitation.run("mena", "uniform", shard=f"{i}/3", countries=COUNTRIES)
        assert about["shard"] == f"{i}/3" and about["errors"] == 0 and about["new"] <= about["asked"]
    assert len(list((stores / "responses" / "mena" / "uniform").glob("*.jsonl"))) == 3
    assert not (stores / "answers").exists()
    asked = asked_again(monkeypatch)
    about = elicitation.run("mena", "uniform", countries=COUNTRIES)
    assert not asked and about["new"] == 0 and about["asked"] == len(elicitation.requests("mena", countries=COUNTRIES))


@pytest.fixture
def kept(stores):
    """The file of a short run."""
    elicitation.run("mena", "uniform", limit=12, countries=COUNTRIES)
    return stores / "answers" / "mena" / "uniform.part.parquet"


def test_a_taste_does_not_pass_for_the_whole(stores):
    """After a taste the full table must still be there, and the graph must not take the taste for a finished run."""
    elicitation.run("navab", "uniform")
    whole = len(pd.read_parquet(manifest.newest("navab", "uniform")))
    elicitation.run("navab", "uniform", limit=4)
    assert len(pd.read_parquet(manifest.newest("navab", "uniform"))) == whole == len(elicitation.requests("navab"))
    elicitation.run("mena", "uniform", limit=4)
    assert manifest.newest("mena", "uniform").name == "uniform.part.parquet"
    assert not (stores / "answers" / "mena" / "uniform.json").exists()


def test_what_was_paid_is_kept_when_the_money_ends(stores, monkeypatch):
    """Whoever stops at a bound must find what was answered so far in the tables, too."""
    monkeypatch.setattr(models, "price", lambda name: {"input": 1e6, "output": 1e6})
    monkeypatch.setattr(ScriptedModel, "at_most", lambda self, prompt, asked: (1, 0))
    with pytest.raises(UserError, match="stopped at a cost of"):
        elicitation.run("navab", "uniform", purse=responses.Purse(5))
    assert len(pd.read_parquet(manifest.newest("navab", "uniform"))) == 5


def test_answers_are_one_line_of_pandas(kept):
    """Whoever analyses the answers elsewhere must need no code of ours."""
    table = pd.read_parquet(kept)
    asked = elicitation.requests("mena", limit=12, countries=COUNTRIES)
    assert table["prompt"].tolist() == asked["prompt"].tolist()
    assert [tuple(options) for options in table["options"]] == asked["options"].tolist()
    assert [len(p) for p in table["probability"]] == [len(options) for options in asked["options"]]
    assert table["probability"].map(sum).to_numpy() == pytest.approx(1.0)
    assert json.loads(table["top"].iloc[0])[0][0] in table["options"].iloc[0]
    assert {"country", "language", "framing", "model", "measurement", "error", "key"} <= set(table)


def test_answers_are_one_line_of_sql(kept):
    """The same in DuckDB, lists and all."""
    duckdb = pytest.importorskip("duckdb", reason="DuckDB is not installed")
    (row,) = duckdb.sql(f"select count(*), avg(probability[1]), min(len(options)) from '{kept}'").fetchall()
    table = pd.read_parquet(kept)
    assert row == (len(table), pytest.approx(table["probability"].str[0].mean()), table["options"].map(len).min())


def test_answers_of_several_models_are_one_table(kept, monkeypatch):
    """A column that one model leaves empty must not swallow another's bounds where both are read together."""
    duckdb = pytest.importorskip("duckdb", reason="DuckDB is not installed")
    answers = elicitation.elicit("mena", "uniform", limit=12, countries=COUNTRIES).assign(model="sampled")
    bounds = [(0.1,) * len(options) for options in answers["options"]]
    monkeypatch.setattr(models, "describe", lambda name: {"name": name})
    monkeypatch.setattr(manifest, "_drift", lambda *_: None)
    manifest.keep("mena", answers.assign(low=bounds, n=20, prompt_tokens=5, raw=None), 1.0, 12, {}, part=True)
    for first, second in (("sampled", "uniform"), ("uniform", "sampled")):
        files = [str(kept.with_name(f"{name}.part.parquet")) for name in (first, second)]
        asked = (
            "select model, max(low[1]), max(n), sum(prompt_tokens), max(raw[1]) is null from read_parquet(?) group by 1"
        )
        rows = dict((model, rest) for model, *rest in duckdb.execute(asked, [files]).fetchall())
        assert rows == {"uniform": [None, None, None, False], "sampled": [0.1, 20, 60, True]}


@pytest.mark.parametrize("paper", ["multicultural", "navab"])
def test_every_kind_of_answer_can_be_kept(paper, stores, monkeypatch):
    """Texts, scores and decodings of the other papers go into the same kind of file."""
    table = dict.fromkeys(elicitation.requests(paper, limit=6)["prompt"], "1. pro\n2. con")
    talking = ScriptedModel("uniform", table if paper == "multicultural" else None)
    monkeypatch.setattr(models, "load", lambda name: talking)
    answers = elicitation.elicit(paper, "uniform", limit=6)
    file = manifest.keep(paper, answers, 1.0, 6, {})
    again = pd.read_parquet(file)
    assert len(again) == 6 and again["key"].tolist() == answers["key"].tolist()
    if paper == "multicultural":
        assert set(again["text"]) == {"1. pro\n2. con"}
        assert json.loads(again["decoding"].iloc[0])["temperature"] == answers["decoding"].iloc[0].temperature


def test_what_a_question_has_not_is_empty(stores):
    """Scores of whole texts have no list of first tokens: 'NaN' in its place is no missing value."""
    answers = elicitation.elicit("navab", "uniform", limit=8)
    table = pd.read_parquet(manifest.keep("navab", answers, 1.0, 8, {}))
    assert set(table["kind"]) == {"completion_scores", "option_scores"}
    assert (table["top"].isna() == (table["kind"] == "completion_scores")).all()
    assert (table["logprob"].isna() == (table["kind"] == "option_scores")).all()


def test_a_manifest_says_what_the_answers_were_made_with(kept):
    """A number that cannot be traced to weights, template, code and machine cannot be compared with any other."""
    about = json.loads(kept.with_suffix(".json").read_text())
    assert (about["paper"], about["asked"], about["new"], about["errors"]) == ("mena", 12, 12, 0)
    assert about["parameters"] == {"countries": COUNTRIES, "limit": 12}
    assert about["measurement"] == {"logprob": 12}
    assert about["model"]["backend"] == "scripted" and len(about["model"]["table"]) == 32
    assert about["versions"]["transformers"] and about["versions"]["python"] and about["commit"] and about["date"]
    assert about["machine"]["processors"] > 0 and about["machine"]["system"] and about["machine"]["processor"]
    assert about["rate"]["questions"] == 12 and about["drift"] is None
    assert str(ROOT) not in kept.with_suffix(".json").read_text()


def test_the_embedded_models_manifest_names_its_template():
    """Another chat template is another measurement: its hash must stand beside the weights'."""
    about = models.describe("smollm2-135m")
    assert len(about["template"]) == 32 and about["weights"] and about["dtype"] == "float32"


def test_a_run_without_new_questions_keeps_what_was_measured(kept, monkeypatch):
    """The rate of the run that asked is what cost estimates rest on: looking again must not turn it into zero."""
    before = json.loads(kept.with_suffix(".json").read_text())
    asked = asked_again(monkeypatch)
    about = elicitation.run("mena", "uniform", limit=12, countries=COUNTRIES)
    assert not asked and about["new"] == 0 and about["rate"] == before["rate"]


def said(monkeypatch, judge_says):
    """Two models: one that lists two answers to everything, and a judge with an opinion."""
    table = dict.fromkeys(elicitation.requests("multicultural")["prompt"], "1. It is fine.\n2. It is wrong.")
    both = {"speaker": ScriptedModel("speaker", table), "referee": ScriptedModel("referee", judge_says)}
    monkeypatch.setattr(models, "load", both.__getitem__)
    monkeypatch.setattr(models, "price", lambda name: None)


def test_open_answers_are_judged_by_the_model_itself_unless_another_is_named(stores, monkeypatch):
    """Self-judged scores are the weaker ones: they must be marked, and never mixed with a judge's."""
    said(monkeypatch, {})
    answers = elicitation.elicit("multicultural", "speaker", limit=4)
    own = elicitation.judged("multicultural", answers)
    other = elicitation.judged("multicultural", answers, "referee")
    assert len(own) == len(other) == 2 * 4
    assert own["self_judged"].all() and set(own["judge"]) == {"speaker"} and set(own["model"]) == {"speaker"}
    assert not other["self_judged"].any() and set(other["judge"]) == {"referee"} and set(other["model"]) == {"speaker"}
    assert set(own["key"]).isdisjoint(other["key"])
    kept = responses.read(stores / "responses" / "multicultural" / "referee")
    assert {row["kind"] for row in kept.values()} == {"option_scores"}


def test_what_is_judged_already_is_not_judged_again(stores, monkeypatch):
    """A judge costs money, too."""
    said(monkeypatch, {})
    answers = elicitation.elicit("multicultural", "speaker", limit=4)
    first = elicitation.judged("multicultural", answers, "referee")
    asked = asked_again(monkeypatch)
    again = elicitation.judged("multicultural", answers, "referee")
    assert not asked
    pd.testing.assert_frame_equal(first, again)


def test_a_paper_without_open_answers_has_no_judge(stores):
    """Options are read, not judged: a judge must not be paid for nothing."""
    answers = elicitation.elicit("mena", "uniform", limit=2, countries=COUNTRIES)
    with pytest.raises(UserError, match="the answers of mena need no judge"):
        elicitation.judged("mena", answers, "uniform")


def test_one_purse_holds_for_model_and_judge(stores, monkeypatch):
    """--max-cost bounds the whole run: the judge must not spend what the model has left nothing of."""
    said(monkeypatch, {})
    monkeypatch.setattr(models, "price", lambda name: {"input": 1e6, "output": 0})
    needed = sum(len(prompt.encode()) for prompt in elicitation.requests("multicultural", limit=2)["prompt"])
    purse = responses.Purse(needed + 1)
    answers = elicitation.elicit("multicultural", "speaker", limit=2, purse=purse)
    monkeypatch.setattr(purse, "spent", float(needed))
    with pytest.raises(UserError, match="stopped at a cost of .* --max-cost"):
        elicitation.judged("multicultural", answers, "referee", purse=purse)
    assert not responses.read(stores / "responses" / "multicultural" / "referee")
    assert set(items.LANGUAGES) >= set(answers["language"])
