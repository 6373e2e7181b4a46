"""The benchmarks measure what they say they measure; how fast anything is, no test asks."""

import importlib

import pytest
from conftest import REPOSITORY

from whosevalues import models


@pytest.fixture
def scoring(monkeypatch):
    """The benchmark of option scoring, as a module."""
    monkeypatch.syspath_prepend(str(REPOSITORY / "benchmarks"))
    return importlib.import_module("scoring")


@pytest.fixture(scope="module")
def embedded():
    """The embedded model, which every installation has."""
    import torch

    torch.set_num_threads(1)
    return models.load("smollm2-135m")


def test_the_bound_counts_what_is_shared_once(scoring):
    """Too many tokens in the bound would make our share of it look better than it is."""
    # Read 1 2, 3 and 4 once, and 5 after the first prompt, which only the second option's last token needs.
    asked = [([1, 2, 3], [[9], [5, 8], [5, 7]]), ([1, 2, 4], [[9]])]
    tokens, reads = scoring.must_compute(asked)
    assert tokens == len([(1,), (1, 2), (1, 2, 3), (1, 2, 3, 5), (1, 2, 4)])
    assert reads == len([(1, 2, 3), (1, 2, 3, 5), (1, 2, 4)])
    assert scoring.distinct([(1, 2), (1, 2), (2,), ()]) == 3


def test_the_questions_are_those_that_are_described(scoring, embedded):
    """The page says how long the questions are and how much of them they share: that must stay true."""
    workload = scoring.workload
    asked = workload.requests(0, 200)
    assert len(set(asked)) == len(asked) == 1200
    encoded = [workload.tokens(embedded, prompt) for prompt, _ in asked]
    framings = [encoded[start : start + 200] for start in range(0, 1200, 200)]
    shared = [sum(len(set(column)) == 1 for column in zip(*rows, strict=False)) for rows in framings]
    assert 80 < sum(shared) / 6 < 95
    assert 70 < sum(map(len, encoded)) / 1200 - sum(shared) / 6 < 90
    for prompt, options in asked[:200]:
        spelt = embedded.spellings(embedded.render(prompt), options)
        assert all(len(spellings[0]) == 1 for spellings in spelt)
    for options in (scoring.ARABIC, scoring.WORDED):
        spelt = embedded.spellings(embedded.render(asked[0][0]), options)
        assert len(options) == 10 and {len(spellings[0]) for spellings in spelt} <= {2, 3, 4}


@pytest.mark.parametrize("kind", ["one-token options", "options in Arabic-Indic digits", "worded options"])
def test_all_methods_give_the_same_scores(scoring, embedded, kind):
    """A faster method that scores something else would be no faster method; nor may the peer be fed other tokens."""
    pytest.importorskip("lm_eval", reason="the peers are installed by `make bench`")
    options, _, _ = scoring.KINDS[kind]
    asked = [(prompt, options or own) for prompt, own in scoring.workload.requests(7, 8)[::5]]
    encoded = scoring.sequences(embedded, asked)
    raw = scoring.ours(embedded, asked)
    for batch in (16, 1):
        scores = scoring.by_harness(scoring.harness(embedded, batch), encoded)
        assert scoring.difference(raw, scores) < scoring.TOLERANCE
    if options is None:
        assert scoring.difference(raw, scoring.plain_loop(embedded, encoded)) < scoring.TOLERANCE


def test_generation_counts_the_tokens_of_both_alike(monkeypatch, embedded):
    """What is filled in behind an ended row is no speed."""
    monkeypatch.syspath_prepend(str(REPOSITORY / "benchmarks"))
    generation = importlib.import_module("generation")
    monkeypatch.setattr(generation, "NEW", 12)
    # The first is answered in two tokens or so, the other fills its twelve.
    asked = ["Say only the word yes.", "Count from one to one hundred."]
    assert generation.ours(embedded, asked, 0.0) == generation.theirs(embedded, asked, 0.0) < 2 * 12
