"""Scoring in shared frames and option tries, on every kind of decoder, beside a plain loop without a cache."""

import itertools
import math
import random
import subprocess
import sys

import psutil
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import FAMILIES, SHORT, build, letters, pieces, plain

from whosevalues import UserError
from whosevalues.models import frames, hf, room, scoring
from whosevalues.models.base import collect

torch.set_num_threads(1)

FRAME = "You are a citizen of Egypt, and a social scientist describes you in a survey about values. "
QUESTIONS = [
    (FRAME + "How much do you trust the press?", ("1", "2", "10", "100")),
    (FRAME + "How much do you trust the courts?", ("very much", "very little", "not at all", "not")),
    (FRAME + "How much do you trust the army?", tuple(map(str, range(1, 11)))),
    (FRAME * 2 + "Which of these?", ("agree strongly", "agree", "disagree strongly", "disagree", "نعم")),
    ("Yes or no?", ("yes", "no", "yes and no")),
    (FRAME + "How much do you trust the army?", ("2", "1")),
]


@pytest.fixture(scope="module", params=FAMILIES)
def model(request, tmp_path_factory):
    """One small model of each kind."""
    return build(tmp_path_factory.mktemp(request.param), request.param)


@pytest.fixture(scope="module")
def llama(tmp_path_factory):
    """One that shares frames."""
    return build(tmp_path_factory.mktemp("llama"))


def expected(model, prompt: str, options):
    """Per option the sum over its first spelling, its probability, and the missing mass, by the plain loop."""
    ids = model._prompt_tokens(prompt)
    spelt = model.spellings(model.render(prompt), options)
    every = {tokens: plain(model, ids, tokens) for spellings in spelt for tokens in spellings}
    # A sampled text that begins with several sequences says the longest: what a longer one takes is not the shorter's.
    own = {}
    for tokens in sorted(every, key=len, reverse=True):
        longer = sum(p for other, p in own.items() if other[: len(tokens)] == tokens)
        own[tokens] = math.exp(every[tokens]) - longer
    shares = [sum(own[tokens] for tokens in spellings) for spellings in spelt]
    return [every[spellings[0]] for spellings in spelt], [s / sum(shares) for s in shares], 1 - sum(shares)


def test_options_score_as_in_a_plain_loop(model):
    """Shared frames, tries and masks must not move a number, whatever the architecture: the tables rest on them."""
    answers = collect(model.option_scores(QUESTIONS))
    assert scoring.supports_tree(model.model, 100) == (model.name not in SHORT)
    for (prompt, options), answer in zip(QUESTIONS, answers, strict=True):
        raw, probability, missing = expected(model, prompt, options)
        assert answer["raw"] == pytest.approx(raw, abs=1e-4)
        assert answer["probability"] == pytest.approx(probability, abs=1e-4)
        assert answer["missing_mass"] == pytest.approx(missing, abs=1e-4)
        assert answer["prompt_tokens"] == len(model._prompt_tokens(prompt))


def test_completions_score_as_in_a_plain_loop(model):
    """Two statements after one context are read from one cache: their difference is what is published."""
    contexts = [FRAME + "What do you think?", FRAME + "What would other people think?"]
    texts = ["the courts and the press", "the courts", "not the army", "yes", "the courts"]
    questions = [(context, text) for text in texts for context in contexts]
    for (context, text), answer in zip(questions, collect(model.completion_scores(questions)), strict=True):
        ids, tokens = model._prompt_tokens(context), model._continuation(model.render(context), text)
        assert answer["tokens"] == len(tokens) and answer["prompt_tokens"] == len(ids)
        assert answer["logprob"] == pytest.approx(plain(model, ids, tokens), abs=1e-4)


def test_order_batches_and_memory_move_nothing(model, monkeypatch):
    """The same question must get the same number alone, in company, and on a machine with less memory."""
    together = collect(model.option_scores(QUESTIONS))
    order = random.Random(3).sample(range(len(QUESTIONS)), len(QUESTIONS))
    passes = []
    handle = model.model.register_forward_hook(lambda *_: passes.append(1))
    shuffled = collect(model.option_scores([QUESTIONS[i] for i in order]))
    before = len(passes)
    monkeypatch.setattr(hf, "WINDOW", 4)
    monkeypatch.setitem(hf.MOST, "cpu", 130)
    monkeypatch.setattr(model, "memory", 0.02 if model.model.config.vocab_size > 10_000 else 0.002)
    cramped = collect(model.option_scores([QUESTIONS[i] for i in order]))
    handle.remove()
    assert len(passes) - before > before, "the limits did not bind"
    for there, (a, b) in zip(order, zip(shuffled, cramped, strict=True), strict=True):
        for other in (a, b):
            for key in ("raw", "probability", "missing_mass"):
                assert other[key] == pytest.approx(together[there][key], abs=1e-4)


def test_missing_mass_is_what_no_option_says(tmp_path):
    """A model that answers outside the options must show it: this one says a digit about every second time."""
    model, prompt, digits = build(tmp_path), QUESTIONS[0][0], [str(n) for n in range(10)]
    with torch.no_grad():
        for digit in digits:
            model.model.get_output_embeddings().weight[model._continuation(model.render(prompt), digit)[0]] *= 2.5
    (answer,) = collect(model.option_scores([(prompt, digits)]))
    _, probability, missing = expected(model, prompt, digits)
    assert 0.02 < missing < 0.98
    assert answer["missing_mass"] == pytest.approx(missing, abs=1e-4)
    assert answer["probability"] == pytest.approx(probability, abs=1e-4)


@pytest.mark.parametrize("tokenizer", [pieces, letters])
def test_an_option_is_cut_into_tokens_as_the_whole_text_is(tokenizer, tmp_path):
    """Tokens that the model never sees after a prompt have no probability to speak of, and would look like refusal."""
    model = build(tmp_path, tokenizer=tokenizer())
    for prompt, options in QUESTIONS:
        ids = model._prompt_tokens(prompt)
        for option, spellings in zip(options, model.spellings(model.render(prompt), options), strict=True):
            whole = model._encode(model.render(prompt) + option)
            alone = tuple(model.tokenizer.encode(option, add_special_tokens=False))
            assert spellings[0] == (whole[len(ids) :] if whole[: len(ids)] == ids else alone)


def test_a_question_that_does_not_fit_says_what_to_change(llama, monkeypatch):
    """Whoever sets the budget too low must read which model and which key, not a crash of the machine."""
    monkeypatch.setattr(llama, "memory", 1e-5)
    with pytest.raises(UserError, match="model 'llama': a prompt of .* tokens .* raise `memory:`"):
        collect(llama.option_scores(QUESTIONS))


def test_rounded_weights_say_how_far_they_drift(tmp_path, llama):
    """Numbers in bfloat16 stand beside float32 in one table: the manifest must say how far apart they are."""
    rounded = build(tmp_path, dtype="bfloat16")
    exact = [a["probability"] for a in collect(llama.option_scores(QUESTIONS))]
    near = [a["probability"] for a in collect(rounded.option_scores(QUESTIONS))]
    far = max(abs(x - y) for a, b in zip(exact, near, strict=True) for x, y in zip(a, b, strict=True))
    turned = [max(range(len(a)), key=a.__getitem__) != max(range(len(b)), key=b.__getitem__) for a, b in
              zip(exact, near, strict=True)]  # fmt: skip
    drift = rounded.drift(QUESTIONS)
    assert drift == {"n": len(QUESTIONS), "probability": pytest.approx(far), "first_choice": sum(turned) / len(turned)}
    assert 0 < drift["probability"] < 0.5
    assert llama.drift(QUESTIONS) is None
    assert rounded.fingerprint != llama.fingerprint


def test_drift_is_not_measured_where_float32_does_not_fit(tmp_path, monkeypatch):
    """A copy twice as large must not bring the machine down at the end of a long run: that it is missing is said."""
    rounded = build(tmp_path, dtype="bfloat16")
    needed = 4 * sum(weight.numel() for weight in rounded.model.parameters()) * 1.2
    monkeypatch.setattr(room, "free", lambda: needed - 1)
    assert "the float32 weights do not fit here (they take" in rounded.drift(QUESTIONS)["reason"]
    monkeypatch.setattr(room, "free", lambda: needed + 1)
    assert rounded.drift(QUESTIONS)["n"] == len(QUESTIONS)


def test_free_memory_is_at_most_what_the_machine_has():
    """A wrong unit would let everything fit, or nothing."""
    assert 2**20 < room.free() <= psutil.virtual_memory().total


def test_memory_does_not_grow_with_what_was_asked(llama, monkeypatch):
    """A judge reads a hundred thousand statements, each with an end of its own: they must not pile up."""
    monkeypatch.setattr(hf, "WINDOW", 8)
    monkeypatch.setattr(hf, "KEPT", 50)
    asked = [(f"Yes or no, {i} times {i} of the press?", ("1", "2")) for i in range(40)]
    sizes = [len(llama._cut) for _ in llama.option_scores(asked)]
    # Eight spellings of each of eight questions, beside what was kept.
    assert max(sizes) <= 50 + 8 * 8


prompts = st.lists(st.lists(st.integers(0, 1), min_size=1, max_size=9).map(tuple), min_size=1, max_size=30)


def tokens_to_compute(groups, given) -> int:
    """What a choice of frames costs."""
    cost = 0
    for depth, members in groups:
        cost += depth + frames.OVERHEAD if depth else 0
        cost += sum(len(given[i]) - depth for i in members)
    return cost


@settings(deadline=None, max_examples=300, derandomize=True)
@given(prompts, st.integers(0, 4))
def test_frames_hold_every_prompt_once_and_never_cost_more(given, overhead):
    """A prompt in no frame would never be answered, one in the wrong frame would be answered for another text."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(frames, "OVERHEAD", overhead)
        groups = frames.frames(given)
        assert sorted(i for _, members in groups for i in members) == list(range(len(given)))
        for depth, members in groups:
            assert len({given[i][:depth] for i in members}) == 1
            assert all(len(given[i]) > depth for i in members)
        assert tokens_to_compute(groups, given) <= sum(map(len, given))


def partitions(rest):
    """All ways to put things into groups."""
    if not rest:
        yield []
        return
    first, others = rest[0], rest[1:]
    for size in range(len(others) + 1):
        for mates in itertools.combinations(others, size):
            for more in partitions([i for i in others if i not in mates]):
                yield [[first, *mates], *more]


@settings(deadline=None, max_examples=150, derandomize=True)
@given(prompts.filter(lambda given: len(given) <= 6), st.integers(0, 4))
def test_no_other_choice_of_frames_is_cheaper(given, overhead):
    """Tokens computed twice are the user's time: of all ways to group a few prompts, none may need fewer."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(frames, "OVERHEAD", overhead)
        best = math.inf
        for groups in partitions(list(range(len(given)))):
            cost = 0
            for members in groups:
                texts = [given[i] for i in members]
                most = min(map(len, texts)) - 1
                depth = max(d for d in range(most + 1) if len({text[:d] for text in texts}) == 1)
                alone = sum(map(len, texts))
                cost += min(alone, depth + overhead + alone - depth * len(texts))
            best = min(best, cost)
        assert tokens_to_compute(frames.frames(given), given) == best


def test_prompts_that_grow_one_by_one_are_grouped(llama):
    """A dialogue asked turn by turn nests as many frames as it has turns: that must not end in a crash."""
    given = [(1,) * n + (2,) for n in range(1, 513)]
    groups = frames.frames(given)
    assert sorted(i for _, members in groups for i in members) == list(range(512))


PEAK = """
import re, sys
from pathlib import Path
import torch
from whosevalues.models import hf
from whosevalues.models.base import collect

torch.set_num_threads(1)
hf.MOST["cpu"] = 10**9
model = hf.HFModel("tiny", sys.argv[1], "none", memory=float(sys.argv[2]))
words = "How much do you trust the press, the courts, the army and the government of your country? ".split()
asked = [(f"{i} " + " ".join(words * 12), ("very much", "very little", "not at all")) for i in range(60)]
collect(model.option_scores(asked[:1]))
# The peak so far is forgotten, the weights with it.
Path("/proc/self/clear_refs").write_text("5")
def stands(name):
    return int(re.search(name + r":\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) / 2**20
before = stands("VmRSS")
collect(model.option_scores(asked))
print(stands("VmHWM") - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
def test_a_run_keeps_to_its_memory(tmp_path):
    """A laptop must not start to swap: a run takes what `memory` says, and no more."""
    build(tmp_path, sizes={"hidden_size": 128, "intermediate_size": 512})
    grown = {}
    for memory in ("0.05", "0.2"):
        done = subprocess.run([sys.executable, "-c", PEAK, str(tmp_path), memory], capture_output=True, text=True)
        assert not done.returncode, done.stderr
        grown[memory] = float(done.stdout.split()[-1])
    # Beside the batch stand its texts and the allocator's own: a few megabytes.
    assert grown["0.05"] <= 0.05 + 0.03 and grown["0.2"] <= 0.2 + 0.03
    assert grown["0.2"] > 2 * grown["0.05"], "the budget did not bind"
