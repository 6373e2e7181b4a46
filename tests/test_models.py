"""The three questions of the model contract, on the embedded model and on a table."""

import copy
import itertools
import math

import pytest
import tiny
import torch
from tiny import build

from whosevalues import UserError, models
from whosevalues.models import records
from whosevalues.models.base import Decoding, Model, collect, digest, exclusive, renormalise
from whosevalues.models.hf import HFModel
from whosevalues.models.scripted import ScriptedModel

QUESTION = "How much do you trust the press?\n1. A lot\n2. Some\n3. Little\n4. Not at all\nAnswer with the number only."


@pytest.fixture(scope="module")
def embedded() -> HFModel:
    """The embedded model, which every installation has."""
    torch.set_num_threads(1)
    return models.load("smollm2-135m")


def log_probability(model: HFModel, prompt: str, tokens: tuple[int, ...]) -> float:
    """One plain forward pass over prompt and tokens, without cache: an independent way to the same number."""
    ids = model.tokenizer(model.render(prompt), add_special_tokens=False)["input_ids"]
    with torch.inference_mode():
        logits = model.model(torch.tensor([[*ids, *tokens]])).logits[0].double().log_softmax(-1)
    return sum(float(logits[len(ids) - 1 + i, token]) for i, token in enumerate(tokens))


def test_the_prompt_is_what_the_model_was_trained_on(embedded):
    """Without the generation prompt the model continues the question; a doubled first token shifts every score."""
    text = embedded.render("Hello")
    assert text.endswith("<|im_start|>assistant\n")
    tokens = embedded._prompt_tokens("Hello")
    first = embedded.tokenizer.convert_tokens_to_ids("<|im_start|>")
    assert tokens[0] == first and tokens[1] != first
    expected = embedded.tokenizer.apply_chat_template(
        [{"role": "user", "content": "Hello"}], add_generation_prompt=True, return_dict=True
    )
    assert list(tokens) == expected["input_ids"]


@pytest.mark.parametrize("options", [("1", "2", "3", "4"), tuple(map(str, range(1, 11))), ("yes", "not at all", "نعم")])
def test_raw_is_the_sum_over_the_options_tokens(embedded, options):
    """Options of one token, of several, beginning others and in any script must score as lm-evaluation-harness does."""
    (answer,) = collect(embedded.option_scores([(QUESTION, options)]))
    for option, raw in zip(options, answer["raw"], strict=True):
        tokens = tuple(embedded.tokenizer(option, add_special_tokens=False)["input_ids"])
        assert raw == pytest.approx(log_probability(embedded, QUESTION, tokens), abs=1e-4)
    assert sum(answer["probability"]) == pytest.approx(1)
    assert 0 <= answer["missing_mass"] <= 1


def test_probability_of_one_leaves_out_ten(embedded):
    """'1' begins '10': without the difference, everybody who answers 10 would count as answering 1 as well."""
    options = "1", "2", "10"
    (answer,) = collect(embedded.option_scores([(QUESTION, options)]))
    own = {}
    digits = ("0123456789", "٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹")
    for option in options:
        written = [option, " " + option] + [option.translate(str.maketrans(digits[0], d)) for d in digits[1:]]
        tokens = [tuple(embedded.tokenizer(text, add_special_tokens=False)["input_ids"]) for text in written]
        own[option] = [math.exp(log_probability(embedded, QUESTION, t)) for t in tokens]
    # Every spelling of 10 begins with the same spelling of 1.
    own["1"] = [one - ten for one, ten in zip(own["1"], own["10"], strict=True)]
    total = sum(itertools.chain.from_iterable(own.values()))
    expected = [sum(own[option]) / total for option in options]
    assert answer["probability"] == pytest.approx(expected, abs=1e-5)
    assert answer["missing_mass"] == pytest.approx(1 - total, abs=1e-5)


def test_nested_beginnings_are_subtracted_once():
    """1, 10 and 100 as one, two and three tokens: what 100 takes from 10 must not be taken from 1 again."""
    own = exclusive({(1,): 0.5, (1, 0): 0.3, (1, 0, 0): 0.1})
    assert own == pytest.approx({(1,): 0.2, (1, 0): 0.2, (1, 0, 0): 0.1})
    assert sum(own.values()) == pytest.approx(0.5)


def test_scores_do_not_depend_on_what_else_is_asked(embedded):
    """The same question must give the same number alone, in company, and in any order."""
    other = "Is the sky blue?\n1. Yes\n2. No\nAnswer with the number only."
    questions = [(QUESTION, ("1", "2", "3", "4")), (other, ("1", "2"))]
    together = collect(embedded.option_scores(questions))
    turned = collect(embedded.option_scores(questions[::-1]))
    for here, there, question in zip(together, turned[::-1], questions, strict=True):
        (alone,) = collect(embedded.option_scores([question]))
        for other_answer in (there, alone):
            assert other_answer["raw"] == pytest.approx(here["raw"], abs=1e-4)
            assert other_answer["probability"] == pytest.approx(here["probability"], abs=1e-4)


def test_completions_are_scored_token_by_token(embedded):
    """Preference between two statements is a difference of these sums: they must be exact, and say how long each is."""
    statement = "The press should be free."
    (answer,) = collect(embedded.completion_scores([(QUESTION, statement)]))
    tokens = tuple(embedded.tokenizer(statement, add_special_tokens=False)["input_ids"])
    assert answer["tokens"] == len(tokens)
    assert answer["logprob"] == pytest.approx(log_probability(embedded, QUESTION, tokens), abs=1e-3)


def test_generation_repeats_itself_and_says_why_it_ended(embedded):
    """Same seed, same text; a text cut off by the limit must not pass for a finished one."""
    greedy, short = Decoding(max_tokens=40), Decoding(max_tokens=3)
    paris = "What is the capital of France?"
    first, again, cut = collect(embedded.generate([(paris, greedy), (paris, greedy), (paris, short)]))
    assert first == again and "Paris" in first["text"]
    assert (first["finish_reason"], cut["finish_reason"]) == ("stop", "length")
    warm = [("Tell me a story.", Decoding(temperature=1.0, max_tokens=12, seed=seed)) for seed in (1, 1, 2)]
    a, b, c = (answer["text"] for answer in collect(embedded.generate(warm)))
    assert a == b != c


def test_a_stream_is_read_as_far_as_it_goes(embedded):
    """A run that is out of money ends its stream of questions: what was taken from it must be answered, no more."""

    def stream():
        yield QUESTION, ("1", "2")
        yield QUESTION, ("1", "2", "3")

    positions = [position for position, _ in embedded.option_scores(stream())]
    assert sorted(positions) == [0, 1]
    for answers in (embedded.option_scores([]), embedded.completion_scores([]), embedded.generate([])):
        assert list(answers) == []


def test_options_that_a_tokenizer_cannot_tell_apart_are_an_error(embedded):
    """Two options with the same tokens would share one probability twice."""
    same, fine = collect(embedded.option_scores([(QUESTION, ("1", "1")), (QUESTION, ("1", "2"))]))
    assert "are the same to this tokenizer" in same["error"] and "error" not in fine
    (empty,) = collect(embedded.completion_scores([(QUESTION, "")]))
    assert empty == {"error": "the completion is empty"}


def test_the_scripted_model_answers_from_its_table():
    """Logic is tested on a model whose every answer is known."""
    model = ScriptedModel("s", {"q": {"1": 0.6, "2": 0.2}, "ctx": {"yes": -1.5}, "say": "I would rather not."})
    (answer,) = collect(model.option_scores([("q", ("1", "2"))]))
    assert answer["probability"] == pytest.approx([0.75, 0.25])
    assert answer["missing_mass"] == pytest.approx(0.2)
    assert collect(model.completion_scores([("ctx", "yes")])) == [{"logprob": -1.5, "tokens": 1}]
    said, nothing = collect(model.generate([("say", Decoding()), ("nothing", Decoding())]))
    assert said["text"] == "I would rather not." and "refused" in nothing and "error" not in nothing


def test_a_backend_names_what_it_can_answer():
    """A question that a backend cannot answer must be refused by name, and never be asked in another form."""

    class Talking(Model):
        name = "talking"

        def generate(self, questions):
            for position, _ in enumerate(questions):
                yield position, {"text": "Well."}

    assert Talking().answers_to == ["generate", "structured"] and Model().answers_to == []
    assert ScriptedModel("s").answers_to == ["option_scores", "completion_scores", "generate", "structured"]
    with pytest.raises(UserError, match="model 'talking' cannot score options"):
        collect(Talking().option_scores([("q", ("1", "2"))]))
    with pytest.raises(UserError, match="model 'talking' cannot score texts"):
        collect(Talking().completion_scores([("q", "1")]))
    with pytest.raises(UserError, match="model 'talking' has no fingerprint"):
        Talking().fingerprint  # noqa: B018


def test_options_without_any_probability_are_no_opinion():
    """Nothing divided by nothing must not be published as an opinion."""
    told = renormalise(["1", "2"], [0.0, 0.0])
    assert told == {
        "refused": "none of the options 1, 2 has any probability", "probability": None, "missing_mass": 1.0
    }  # fmt: skip


def test_everything_that_changes_a_number_changes_the_fingerprint(tmp_path):
    """Answers of other weights, precision or template must never be taken for this model's."""
    model = build(tmp_path)
    named = [digest(model.fingerprint)]
    named.append(digest(HFModel("llama", tmp_path, "other weights").fingerprint))
    named.append(digest(HFModel("llama", tmp_path, model.weights, dtype="bfloat16").fingerprint))
    model.tokenizer.chat_template = "{{ messages[0]['content'] }}!"
    model.tokenizer.save_pretrained(tmp_path)
    named.append(digest(HFModel("llama", tmp_path, model.weights).fingerprint))
    assert len(set(named)) == 4 and "model" not in vars(model)


def test_a_folder_that_is_no_model_is_named(tmp_path):
    """A mistyped path must end in the line of models.yml that is wrong."""
    with pytest.raises(UserError, match="model 'mine': .* correct its line in models.yml"):
        collect(HFModel("mine", tmp_path, "none").option_scores([("q", ("1", "2"))]))


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("CUDA out of memory. Tried"), "can't allocate memory"])
def test_a_model_that_does_not_fit_is_named_with_the_way_out(tmp_path, monkeypatch, error):
    """A model too large for the machine is what most readers try first: they must learn what to change."""
    import transformers

    def fail(*_, **__):
        raise error if isinstance(error, Exception) else RuntimeError(f"DefaultCPUAllocator: {error}")

    monkeypatch.setattr(transformers.AutoModelForCausalLM, "from_pretrained", fail)
    with pytest.raises(UserError, match="model 'large' does not fit here .*: give .* `dtype: bfloat16`"):
        HFModel("large", tmp_path, "none").model  # noqa: B018


@pytest.mark.parametrize("dtype", models.DTYPES)
def test_every_precision_that_may_be_chosen_works(tmp_path, dtype):
    """What models.yml takes must run: half precision on a processor was long missing operations."""
    model = build(tmp_path, dtype=dtype)
    (scored,) = collect(model.option_scores([("Yes or no?", ("yes", "no"))]))
    (said,) = collect(model.generate([("Yes or no?", Decoding(max_tokens=4))]))
    assert sum(scored["probability"]) == pytest.approx(1) and "error" not in said
    assert model.model.dtype == getattr(torch, dtype)


DATED = "{{ '\n' }}{% if strftime_now is defined %}{% set today = strftime_now('%d %b %Y') %}{% endif %}"
DATED += "{% macro said(form) %}{{ strftime_now(form) }}{% endmacro %}{{ today }} {{ said('%Y-%m-%d') }}\n\n"
DATED += "{% for message in messages %}{{ message['content'] }}{% endfor %}"


def test_a_template_with_the_date_stays_at_the_day_of_the_first_load(tmp_path, monkeypatch):
    """Templates that say what day it is would make every answer another question's overnight."""
    monkeypatch.setattr(records, "FOLDER", tmp_path / "records")
    model = HFModel("dated", "nowhere", "some weights")
    model.tokenizer = copy.deepcopy(tiny.pieces())
    model.tokenizer.chat_template = DATED
    messages = [{"role": "user", "content": "Hello"}]
    as_given = model.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    before, fingerprint = model.render("Hello"), model.fingerprint
    assert before == as_given, "the first day must read as the library writes it"
    record = tmp_path / "records" / "dated.json"
    record.write_text(record.read_text().replace(fingerprint["date"], "2001-02-03"))
    later = HFModel("dated", "nowhere", "some weights")
    later.tokenizer = model.tokenizer
    assert later.render("Hello") == "\n03 Feb 2001 2001-02-03\n\nHello"
    assert later.fingerprint == fingerprint | {"date": "2001-02-03"}
    other = HFModel("dated", "nowhere", "other weights")
    other.tokenizer = model.tokenizer
    assert other.render("Hello") == as_given


def test_a_template_without_the_date_is_left_alone(tmp_path, monkeypatch):
    """Most templates know no date, and some write one of their own: no day may come into what they are."""
    monkeypatch.setattr(records, "FOLDER", tmp_path / "records")
    own = "{% if not date_string is defined %}{% set date_string = '26 Jul 2024' %}{% endif %}{{ date_string }}"
    for template in (None, "{{ messages[0]['content'] }}", own):
        model = HFModel("plain", "nowhere", "some weights")
        model.tokenizer = copy.deepcopy(tiny.pieces())
        model.tokenizer.chat_template = template
        assert "date" not in model.fingerprint
    assert model.render("Hello") == "26 Jul 2024" and not records.FOLDER.exists()


@pytest.fixture
def with_beginning():
    """A tokenizer that puts a beginning-of-text token before everything, as Llama's and Gemma's do."""
    from tokenizers import Tokenizer, decoders, pre_tokenizers, processors
    from tokenizers import models as kinds
    from transformers import PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: i for i, token in enumerate(["<s>", *letters])}
    plain = Tokenizer(kinds.BPE(vocab=vocabulary, merges=[]))
    plain.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    plain.decoder = decoders.ByteLevel()
    plain.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    return PreTrainedTokenizerFast(tokenizer_object=plain, bos_token="<s>")


@pytest.mark.parametrize("template", [None, "{{ bos_token }}{{ messages[0]['content'] }}!"], ids=["base", "chat"])
def test_a_text_begins_once(with_beginning, template):
    """Base and chat models alike must read one beginning-of-text token: none or two of them shift every score."""
    model = HFModel("tiny", "nowhere", "none")
    model.tokenizer = with_beginning
    with_beginning.chat_template = template
    tokens = model._prompt_tokens("Hi")
    assert tokens[0] == 0 and tokens.count(0) == 1
    said = with_beginning.decode(tokens, skip_special_tokens=True)
    assert said == ("Hi!" if template else "Hi\nAnswer:")
    (spelt,) = model.spellings(model.render("Hi"), ["10"])
    assert 0 not in [token for tokens in spelt for token in tokens]
