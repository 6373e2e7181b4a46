"""Texts in batches: the same as one by one, each with its own seed, stop strings and end."""

import dataclasses
import math
from collections import Counter

import pytest
import torch
from scipy import stats
from tiny import FAMILIES, build

from whosevalues import UserError
from whosevalues.models import generation
from whosevalues.models.base import Decoding, collect

torch.set_num_threads(1)

PROMPTS = [
    "Yes or no?",
    "How much do you trust the press, the courts, the army and the government of your country?",
    "How much do you trust the press?",
    "Yes or no?",
    "You are a citizen of Egypt.",
]
DECODINGS = [
    Decoding(max_tokens=12),
    Decoding(max_tokens=5),
    Decoding(temperature=1.0, top_p=0.9, max_tokens=20, seed=3),
    Decoding(temperature=0.7, max_tokens=16, seed=5),
    Decoding(temperature=1.5, top_p=0.5, max_tokens=9, seed=3),
]


@pytest.fixture(scope="module", params=FAMILIES)
def model(request, tmp_path_factory):
    """One small model of each kind."""
    return build(tmp_path_factory.mktemp(request.param), request.param)


@pytest.fixture(scope="module")
def llama(tmp_path_factory):
    """One small model."""
    return build(tmp_path_factory.mktemp("llama"))


def test_a_batch_says_what_each_would_say_alone(model):
    """Which questions are asked together is chance: greedy or drawn, a text must not depend on its neighbours."""
    questions = list(zip(PROMPTS, DECODINGS, strict=True))
    together = collect(model.generate(questions))
    assert together == [collect(model.generate([question]))[0] for question in questions]
    assert collect(model.generate(questions[::-1])) == together[::-1]


def test_greedy_is_what_transformers_generates(model):
    """The reference for greedy text is the library's own generate: another text would be another model's."""
    questions = [(prompt, Decoding(max_tokens=10)) for prompt in PROMPTS]
    for (prompt, _), answer in zip(questions, collect(model.generate(questions)), strict=True):
        ids = torch.tensor([model._prompt_tokens(prompt)])
        own = model.model.generate(ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=10)
        said = own[0, ids.shape[1] :]
        assert answer["text"] == model.tokenizer.decode(said, skip_special_tokens=True)
        assert answer["completion_tokens"] == len(said) and answer["prompt_tokens"] == ids.shape[1]


def test_memory_changes_no_text(llama, monkeypatch):
    """A machine with less memory writes in smaller batches, and the same texts."""
    questions = list(zip(PROMPTS, DECODINGS, strict=True))
    together = collect(llama.generate(questions))
    sizes, write = [], generation._write

    def counted(*given):
        sizes.append(len(given[-1]))
        return write(*given)

    monkeypatch.setattr(generation, "_write", counted)
    monkeypatch.setattr(llama, "memory", 1e-4)
    assert collect(llama.generate(questions)) == together
    assert len(sizes) > 1


def test_a_text_that_does_not_fit_says_what_to_change(llama, monkeypatch):
    """A budget that one text alone breaks must end in the key to raise, not in a machine that swaps."""
    monkeypatch.setattr(llama, "memory", 1e-5)
    with pytest.raises(UserError, match="model 'llama': a text of .* tokens takes .* raise `memory:`"):
        collect(llama.generate(list(zip(PROMPTS, DECODINGS, strict=True))))


def test_every_text_stops_at_its_own_string_and_length(llama, monkeypatch):
    """A list of ten answers ends before the eleventh, and only that text: its neighbours have strings of their own."""
    greedy = Decoding(max_tokens=30)
    monkeypatch.setattr(generation, "_ends", lambda *_: set())
    prompt = PROMPTS[1]
    (whole,) = collect(llama.generate([(prompt, greedy)]))
    text = whole["text"]
    assert (whole["finish_reason"], whole["completion_tokens"]) == ("length", 30)
    early, late = text[4:6], text[10:13]
    asked = [("stop", (early,)), ("stop", (late, "never said")), ("stop", (late, early)), ("length", ("never said",))]
    questions = [(prompt, dataclasses.replace(greedy, stop=stop)) for _, stop in asked]
    questions.append((prompt, dataclasses.replace(greedy, max_tokens=3)))
    answers = collect(llama.generate(questions))
    for (reason, stop), answer in zip(asked, answers, strict=False):
        places = [text.find(string) for string in stop if string in text]
        assert answer["finish_reason"] == reason
        assert answer["text"] == text[: min(places, default=len(text))]
    assert text.startswith(answers[-1]["text"]) and answers[-1]["completion_tokens"] == 3
    assert answers[-1]["finish_reason"] == "length"


def test_a_text_ends_with_the_models_own_end(llama, monkeypatch):
    """What comes after the end of a text is noise: it must be in no text, and the others go on."""
    greedy = Decoding(max_tokens=10)
    before = collect(llama.generate([(prompt, greedy) for prompt in PROMPTS]))
    ids = torch.tensor([llama._prompt_tokens(PROMPTS[0])])
    tokens = llama.model.generate(ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=10)
    said = tokens[0, ids.shape[1] :].tolist()
    place = next(i for i in range(3, 10) if said[i] not in said[:i])
    monkeypatch.setattr(llama.model.generation_config, "eos_token_id", [said[place], 1])
    after = collect(llama.generate([(prompt, greedy) for prompt in PROMPTS]))
    assert after[0]["finish_reason"] == "stop" and after[0]["completion_tokens"] == place + 1
    assert after[0]["text"] == llama.tokenizer.decode(said[:place], skip_special_tokens=True)
    (stopping,) = collect(llama.generate([(PROMPTS[0], dataclasses.replace(greedy, stop=("never said",)))]))
    assert stopping == after[0]
    for old, new in zip(before, after, strict=True):
        if "error" not in new:
            assert old["text"].startswith(new["text"])
            assert new["finish_reason"] == "stop" or new == old


def test_a_model_that_says_nothing_has_refused(llama, monkeypatch):
    """An empty text must never be judged as an opinion."""
    (answer,) = collect(llama.generate([(PROMPTS[0], Decoding(max_tokens=1))]))
    ids = torch.tensor([llama._prompt_tokens(PROMPTS[0])])
    first = int(llama.model(ids).logits[0, -1].argmax())
    monkeypatch.setattr(llama.model.generation_config, "eos_token_id", [first])
    (answer,) = collect(llama.generate([(PROMPTS[0], Decoding(max_tokens=5))]))
    assert (answer["text"], answer["refused"]) == ("", "the model said nothing")


def test_samples_differ_by_seed_alone(llama):
    """Five samples of one prompt with one text would be one sample, counted five times; the same seed must repeat."""
    seeds = [1, 2, 3, 1, 4]
    warm = [(PROMPTS[1], Decoding(temperature=1.0, max_tokens=12, seed=seed)) for seed in seeds]
    texts = [answer["text"] for answer in collect(llama.generate([*warm, (PROMPTS[1], Decoding(max_tokens=12))]))]
    assert texts[0] == texts[3] and len(set(texts)) == 5


@pytest.mark.parametrize("temperature, top_p", [(1.0, 1.0), (0.7, 0.95), (1.5, 0.6), (0.5, 0.3)])
def test_samples_follow_the_models_probabilities(llama, temperature, top_p):
    """Shares of sampled answers are published as the model's opinions: they must be drawn from its distribution."""
    drawn, n = Counter(), 4000
    ids = llama._prompt_tokens(PROMPTS[2])
    with torch.inference_mode():
        logits = llama.model(torch.tensor([ids])).logits[0, -1]
        for start in range(0, n, 500):
            rows = [
                generation.Row(0, Decoding(temperature, top_p), torch.Generator().manual_seed(seed))
                for seed in range(start, start + 500)
            ]
            drawn.update(generation._choose(logits.expand(500, -1), rows))
    shares = sorted(((float(p), i) for i, p in enumerate((logits.double() / temperature).softmax(-1))), reverse=True)
    nucleus, total = [], 0.0
    for share, token in shares:
        if total >= top_p:
            break
        nucleus.append((share, token))
        total += share
    assert set(drawn) <= {token for _, token in nucleus}
    # Rare tokens together make one class, so that no class expects fewer than ten.
    common = [(share / total, token) for share, token in nucleus if n * share / total >= 10]
    seen = [drawn[token] for _, token in common]
    due = [n * share for share, _ in common]
    if n - sum(due) > 1:
        seen, due = [*seen, n - sum(seen)], [*due, n - sum(due)]
    if len(due) > 1:
        assert stats.chisquare(seen, [d * n / math.fsum(due) for d in due]).pvalue > 0.001
