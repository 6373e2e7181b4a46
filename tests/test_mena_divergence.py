"""Divergences, what their last digits tell, and EV-NVAS: simulated with scipy, and against the released files."""

import os

import numpy as np
import pandas as pd
import pytest
from scipy import stats as scipy_stats

from whosevalues.items import Question
from whosevalues.mena import divergence, expected, residue

with_data = pytest.mark.skipif(
    not os.environ.get("WHOSEVALUES_DATA"), reason="WHOSEVALUES_DATA names no folder with the released files"
)
FILE = {"model": "m", "framing": "persona"}
PEOPLE = pd.DataFrame(
    [("q1", "EG", "1", 0.5), ("q1", "EG", "2", 0.5), ("q1", "TR", "1", 0.9), ("q1", "TR", "2", 0.1)],
    columns=["question", "country", "option", "probability"],
)


def unmet(people, model):
    """The divergence as the authors' file has it where the keys differ: a union of keys, epsilon, renormalised."""
    union = np.concatenate([people, np.zeros(len(model))]), np.concatenate([np.zeros(len(people)), model])
    return scipy_stats.entropy(union[0] + 1e-8, union[1] + 1e-8)


def cell(people, model):
    facts = divergence._facts({f"{k}.0": 100 * p for k, p in enumerate(people, start=1)})
    return FILE | facts | {"value": unmet(np.array(people), np.array(model)), "options": len(model)}


def test_divergence_is_scipys():
    """A reader who checks a cell with scipy must get the page's number."""
    rng = np.random.default_rng(0)
    for _ in range(20):
        p, q = rng.dirichlet(np.ones(5), size=2)
        assert divergence.kld(p, q, epsilon=0) == pytest.approx(scipy_stats.entropy(p, q))


def test_cells_without_a_common_key_are_the_artefact():
    """The page must call a cell an artefact only where the model's probabilities cannot have moved it."""
    table = pd.DataFrame([cell([0.2, 0.8], [0.4, 0.6]), cell([0.2, 0.8], [1.0, 0.0])])
    table = table.assign(source="AOI", question=["q1", "q2"], country="EG")
    table = pd.concat([table, table[:1].assign(value=0.4, written="1")], ignore_index=True)
    counted = divergence.artefacts(table).set_index("written")
    assert counted.loc["1.0", "value"] == 1 and counted.loc["1", "value"] == 0
    assert counted.loc["all", "value"] == pytest.approx(2 / 3)
    assert table["artefact"].iloc[0] == pytest.approx(8 * np.log(10) - scipy_stats.entropy([0.2, 0.8]))


def test_references_are_those_of_a_hand_computed_table():
    """Uniform and the other countries are the yardstick of every divergence: Egypt and Turkey by hand."""
    found = divergence.references(PEOPLE).set_index("country")
    assert found.loc["EG", "uniform"] == pytest.approx(0, abs=1e-6)
    assert found.loc["EG", "others"] == pytest.approx(0.5 * np.log(0.5 / 0.9) + 0.5 * np.log(0.5 / 0.1), abs=1e-5)
    assert found.loc["TR", "one for all"] == pytest.approx(0.9 * np.log(0.9 / 0.7) + 0.1 * np.log(0.1 / 0.3), abs=1e-5)


def test_no_single_distribution_beats_the_mean_over_countries():
    """The page says that no one answer for all countries does better than 'one for all' on average."""
    rng = np.random.default_rng(1)
    shares = rng.dirichlet(np.ones(4), size=6)
    rows = [("q", str(c), str(o), p) for c, line in enumerate(shares) for o, p in enumerate(line)]
    best = divergence.references(pd.DataFrame(rows, columns=PEOPLE.columns))["one for all"].mean()
    for q in [*rng.dirichlet(np.ones(4), size=200), shares.mean(axis=0) + [0.01, -0.01, 0, 0]]:
        assert best <= np.mean([scipy_stats.entropy(p, q) for p in shares]) + 1e-6


@pytest.mark.parametrize("options", [2, 3, 4, 7, 10])
def test_last_digits_give_the_sum_of_logarithms_and_bound_the_largest(options):
    """Leakage in the released files stands on this: simulated as the files were made, the sum and the bounds hold."""
    rng = np.random.default_rng(options)
    models = rng.dirichlet(np.full(options, 0.4), size=60)
    people = rng.dirichlet(np.ones(options), size=60)
    known = residue.totals(pd.DataFrame([cell(p, q) for p, q in zip(people, models, strict=True)]))
    assert np.allclose(known["total"], np.log(models + 1e-8).sum(axis=1), atol=1e-4)
    largest = models.max(axis=1)
    assert (known["largest_low"] <= largest + 1e-4).all() and (largest <= known["largest_high"] + 1e-4).all()
    if options == 2:
        assert np.allclose(known["largest_low"], largest, atol=2e-3)
        assert np.allclose(known["largest_low"], known["largest_high"], atol=1e-9)


def test_bounds_are_reached():
    """Bounds wider than need be would leave leakage undecided: the extreme distributions meet them."""
    one, rest = 0.7, 0.1
    total = np.array([np.log(one) + 3 * np.log(rest)])
    assert residue.bounds(total, 4)[1] == pytest.approx(one, abs=1e-4)
    flat = np.array([3 * np.log(0.3) + np.log(0.1)])
    assert residue.bounds(flat, 4)[0] == pytest.approx(0.3, abs=1e-4)


def test_two_options_have_two_solutions_and_one_is_the_models():
    """Where keys met, the model's probability is one of the two that the page names."""
    shares = pd.DataFrame([("q", "EG", "1", 0.3), ("q", "EG", "2", 0.7)], columns=PEOPLE.columns)
    value = scipy_stats.entropy(np.array([0.3, 0.7]) + 1e-8, np.array([0.85, 0.15]) + 1e-8)
    table = pd.DataFrame(
        [FILE | {"question": "q", "country": "EG", "value": value, "written": "1", "low": 1, "high": 2}]
    )
    found = residue.two_options(table, shares).iloc[0]
    assert found["above"] == pytest.approx(0.85, abs=1e-6)
    assert scipy_stats.entropy([0.3, 0.7], [found["below"], 1 - found["below"]]) == pytest.approx(value, abs=1e-5)


def test_expected_value_scores_of_a_hand_computed_question():
    """EV-NVAS of the uniform distribution is that of the middle of the scale, whatever anybody prefers."""
    found = expected.scores([0.25] * 4, [1, 2, 3, 4], 2.0)
    assert found["EV-NVAS"] == pytest.approx(1 - 0.5 / 3)
    assert found["draw"] == found["best"] == pytest.approx(1 - (1 + 0 + 1 + 2) / 12)


def test_no_distribution_scores_below_its_own_draws():
    """The page says that EV-NVAS is never below the NVAS of answers drawn from the same distribution."""
    rng = np.random.default_rng(2)
    for _ in range(200):
        options = np.arange(1, rng.integers(3, 11))
        found = expected.scores(rng.dirichlet(np.ones(len(options))), options, rng.uniform(1, options[-1]))
        assert found["EV-NVAS"] >= found["draw"] - 1e-12


def test_flattening_noise_raises_its_score():
    """The reader is told that flat distributions are rewarded: noise mixed with uniform rises, its draws do not."""
    question = Question("q", "ordinal", ("1", "2", "3", "4"), {}, {}, {})
    rows = [{"question": "q", "options": question.options, "probability": (1.0, 0, 0, 0), "human": 2.4, "framing": "p"}]
    table = expected.flattened(pd.DataFrame(rows), [question], ["framing"])
    noise = table[table["answerer"] == "noise"].pivot(index="flat", columns="measure", values="value")
    assert noise["EV-NVAS"].is_monotonic_increasing and np.ptp(noise["draw"]) < 1e-12
    assert noise.loc[1.0, "EV-NVAS"] == pytest.approx(1 - 0.1 / 3)
    assert (table["chance"] == noise.loc[0.0, "draw"]).all()


@with_data
def test_released_divergences_are_artefacts_as_stated_and_repair_to_the_printed_averages():
    """73.6% of the cells of every file, their six averages, and the one column whose keys met."""
    cells, people = divergence.read()
    counted = divergence.artefacts(cells)
    assert counted.loc[counted["source"] == "all", "value"].round(3).tolist() == [0.736] * 6
    one = cells[(cells["source"] == "AOI") & (cells["written"] == "1")]
    assert one["question"].unique().tolist() == ["292"]
    table = divergence.repaired(cells, people)
    files = table[table["measure"] == "files"]
    assert np.allclose(files["value"], files["printed"])
    own = table[table["measure"] == "keys met"]
    assert (own["value"] > 4 * own["chance"]).all()


@with_data
def test_recovered_figures_pass_where_they_could_fail():
    """Were the formula another one, sums would exceed a uniform distribution's, and answers would disagree."""
    from whosevalues.mena import inversion, released, workbook

    cells, people = divergence.read()
    answers = inversion.candidates(released.read("NVAS"), *workbook.read())
    checks = residue.checks(cells, people, answers)
    assert (checks.loc[checks["check"] == "possible", "value"] == 1).all()
    assert (checks.loc[checks["check"] == "grid", "value"] > 0.97).all()
    tens = checks[checks["check"] == "tens unprobed"].set_index("model")["value"]
    assert (tens[["mistral-7b", "aya-8b"]] == 1).all() and (tens["llama-3.1-8b"] < 0.1).all()
    assert (checks.loc[checks["check"] == "answer", "value"] > 0.9).all()
    # Were the last digits noise, a hundredth of a billionth of a nat would make no difference.
    moved = residue.checks(cells.assign(value=cells["value"] + 1e-11), people, answers)
    assert (moved.loc[moved["check"] == "grid", "value"] < 0.5).all()
