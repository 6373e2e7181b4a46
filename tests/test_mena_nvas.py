"""NVAS of the released files: baselines and scores by hand and by scipy, the released data against the print."""

import os
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import wasserstein_distance

from whosevalues import items
from whosevalues.mena import (
    baselines,
    inversion,
    inversion_checks,
    nvas_countries,
    nvas_coverage,
    nvas_live,
    nvas_page,
    nvas_released,
)

with_data = pytest.mark.skipif(
    not os.environ.get("WHOSEVALUES_DATA"), reason="WHOSEVALUES_DATA names no folder with the released files"
)

QUESTIONS = pd.DataFrame(
    [("1", 1, 4, "ordinal"), ("2", 1, 3, "nominal"), ("3", 1, 5, "ordinal")],
    columns=["question", "low", "high", "scale"],
).assign(source="WVS", category="any")
PEOPLE = {
    ("1", "EG"): (0.1, 0.2, 0.3, 0.4),  # mean 3
    ("1", "IR"): (0.5, 0.5, 0.0, 0.0),  # mean 1.5
    ("1", "TR"): (0.3, 0.2, 0.3, 0.2),  # mean 2.4
    ("2", "EG"): (0.2, 0.5, 0.3),  # mode 2
    ("2", "IR"): (0.6, 0.3, 0.1),  # mode 1
    ("3", "EG"): (0.0, 0.0, 0.25, 0.75, 0.0),  # mean 3.75, asked in one country only
}
CENTRES = {("1", "EG"): 3.0, ("1", "IR"): 1.5, ("1", "TR"): 2.4, ("2", "EG"): 2, ("2", "IR"): 1, ("3", "EG"): 3.75}
FILLED = pd.DataFrame(
    [(q, c, h, {}) for (q, c), h in CENTRES.items()], columns=["question", "country", "centre", "shares"]
)
SHARES = pd.DataFrame(
    [(q, c, str(o), p) for (q, c), shares in PEOPLE.items() for o, p in enumerate(shares, start=1)],
    columns=["question", "country", "option", "probability"],
)
CELLS = baselines.cells(QUESTIONS, FILLED, SHARES)
FILE = {"model": "m", "framing": "persona", "mode": "zero-shot"}


def released_scores(answers, **named):
    """What the authors' files hold of given answers: the score alone."""
    facts = QUESTIONS.set_index("question")
    rows = [
        FILE
        | named
        | {"question": q, "country": c, "value": 1 - abs(a - CENTRES[q, c]) / (facts.high[q] - facts.low[q])}
        for (q, c), a in answers.items()
    ]
    return pd.DataFrame(rows)


def recovered(answers, **named):
    return inversion.candidates(released_scores(answers, **named), QUESTIONS, FILLED)


def test_an_option_outside_the_range_is_nobody():
    """The workbook has options "0" below Min: they must not be answers that a baseline picks, nor shift the people."""
    odd = pd.concat([SHARES, pd.DataFrame([("2", "EG", "0", 1.0)], columns=SHARES.columns)])
    got = baselines.cells(QUESTIONS, FILLED, odd)
    np.testing.assert_allclose(got.people, CELLS.people)
    assert not got.offered[:, 0].any()


@pytest.mark.parametrize(
    ("answerer", "expected"),
    [
        (
            "chance",
            [
                8 / 12,
                7 / 12,
                1 - (1.4 + 0.4 + 0.6 + 1.6) / 12,
                2 / 3,
                1 / 2,
                1 - (2.75 + 1.75 + 0.75 + 0.25 + 1.25) / 20,
            ],
        ),
        ("first", [1 / 3, 1 - 0.5 / 3, 1 - 1.4 / 3, 1 / 2, 1, 1 - 2.75 / 4]),
        ("last", [2 / 3, 1 - 2.5 / 3, 1 - 1.6 / 3, 1 / 2, 0, 1 - 1.25 / 4]),
        ("midpoint", [2.5 / 3, 2 / 3, 1 - 0.5 / 3, 1, 1 / 2, 1 - 0.75 / 4]),
        # Others' means 1.95, 2.7 and 2.25 make 2, 3 and 2; others' modes are 1 and 2; the last has no others.
        ("others", [2 / 3, 1 / 2, 1 - 0.4 / 3, 1 / 2, 1 / 2, np.nan]),
        # 2 is the best constant of the first question (loses 1, .5 and .4), 1 and 2 tie in the second.
        ("question_best", [2 / 3, 1 - 0.5 / 3, 1 - 0.4 / 3, 1 / 2, 1, 1 - 0.25 / 4]),
        (
            "one_human",
            [1 - 0.8 / 3, 2.5 / 3, 1 - (0.3 * 1.4 + 0.2 * 0.4 + 0.3 * 0.6 + 0.2 * 1.6) / 3, 0.75, 0.75, 1 - 0.375 / 4],
        ),
        ("best", [1, 1 - 0.5 / 3, 1 - 0.4 / 3, 1, 1, 1 - 0.25 / 4]),
    ],
)
def test_trivial_answerers_by_hand(answerer, expected):
    """'Better than the midpoint' is the chapter's main finding: each answerer's score must be the one it says."""
    got = baselines.table(CELLS, "NVAS")[answerer]
    np.testing.assert_allclose(got, expected)


BANK = [
    items.Question("1", "ordinal", ("1", "2", "3", "4"), {}, {}, {}),
    items.Question("2", "nominal", ("1", "2", "3"), {}, {}, {}),
]


def test_a_bank_gets_the_answerers_of_the_benchmark():
    """One's own model and the released ones are held against the same names: they must be the same answerers."""
    of = baselines.bank_cells(SHARES, BANK)
    assert of.index["human"].tolist() == pytest.approx([h for (q, _), h in CENTRES.items() if q != "3"])
    pd.testing.assert_frame_equal(baselines.table(of, "NVAS"), baselines.table(CELLS, "NVAS")[:5])


def test_the_others_answer_is_the_other_countries_alone():
    """A baseline that has seen the country's own people would be no baseline; a half goes up, whatever the sum's bits.

    Options may have gaps, too: the nearest one is meant, not a number that nobody was offered.
    """
    bank = [items.Question("1", "ordinal", ("1", "2", "3", "4"), {}, {}, {})]
    gap = [items.Question("1", "ordinal", ("1", "2", "4"), {}, {}, {})]
    for own in np.linspace(0, 1, 7):
        shares = {"EG": (own, 0, 0, 1 - own), "IR": (0, 0.67, 0.33, 0), "TR": (0, 0.33, 0.67, 0)}
        people = pd.DataFrame(
            [("1", c, str(o), p) for c, line in shares.items() for o, p in enumerate(line, start=1)],
            columns=SHARES.columns,
        )
        assert baselines.others(baselines.bank_cells(people, bank))[0].tolist() == [0, 0, 0, 1, 0]
        # Without option 3 all that is left of both others is at 2.
        assert baselines.others(baselines.bank_cells(people, gap))[0].tolist() == [0, 0, 1, 0, 0]

    # Printed means whose sum, less the own one, falls short of 5 by the last bit.
    for own, one, other in ((1.03, 2.02, 2.98), (1.82, 2.33, 2.67), (3.7, 2.4, 2.6), (1.1, 2.2, 2.8)):
        centres = FILLED[FILLED["question"] == "1"].assign(centre=[own, one, other])
        of = baselines.cells(QUESTIONS, centres, SHARES[SHARES["question"] == "1"])
        assert baselines.others(of)[0].tolist() == [0, 0, 0, 1, 0]


def test_one_minus_w1_is_scipys_distance():
    """The score that is to replace NVAS must be the Wasserstein distance that it is called after."""
    marks = baselines.marks(CELLS, "1 - W1")
    for line, (q, _, shares) in enumerate((q, c, shares) for (q, c), shares in PEOPLE.items()):
        options = np.arange(1, len(shares) + 1)
        for answer in options:
            expected = 1 - wasserstein_distance([answer], options, None, shares) / (len(shares) - 1)
            assert np.isnan(marks[line, answer]) if q == "2" else marks[line, answer] == pytest.approx(expected)
        assert np.isnan(marks[line, 0])


def test_mode_accuracy_is_for_nominal_items_alone():
    """A most common answer on an ordinal scale is another question; mixing them would hide the chance level."""
    marks = baselines.marks(CELLS, "mode accuracy")
    assert np.isnan(marks[[0, 1, 2, 5]]).all()
    assert marks[3, 1:4].tolist() == [0, 1, 0] and marks[4, 1:4].tolist() == [1, 0, 0]
    assert baselines.table(CELLS, "mode accuracy")["chance"].dropna().tolist() == pytest.approx([1 / 3, 1 / 3])


def test_an_ambiguous_answer_counts_with_both():
    """Two answers can stand behind one score: neither may be picked, and both bounds must be told."""
    answers = {("1", "EG"): 4, ("1", "IR"): 4, ("2", "EG"): 3}
    rows = nvas_released.score(recovered(answers), CELLS, "1 - W1").set_index(["question", "country"])
    near, far = (1 - wasserstein_distance([a], [1, 2, 3, 4], None, PEOPLE["1", "EG"]) / 3 for a in (4, 2))
    both = rows.loc[("1", "EG")]
    assert (both["lowest"], both["highest"]) == pytest.approx((min(near, far), max(near, far)))
    assert both["value"] == pytest.approx((near + far) / 2)
    assert rows.loc[("1", "IR"), "lowest"] == rows.loc[("1", "IR"), "highest"]
    modes = nvas_released.score(recovered(answers), CELLS, "mode accuracy")
    assert modes["question"].tolist() == ["2"] and modes["value"].tolist() == [0]


def test_the_score_of_a_recovered_answer_is_the_released_one():
    """Every baseline stands beside the released score: a cell that is joined wrongly would compare two questions."""
    answers = {("1", "EG"): 2, ("1", "TR"): 4, ("2", "IR"): 3, ("3", "EG"): 1}
    rows = nvas_released.score(recovered(answers), CELLS)
    assert rows["value"].tolist() == pytest.approx(released_scores(answers)["value"].tolist())


def test_means_and_ratios_draw_whole_questions():
    """Cells of one question are no independent evidence: an interval over cells would be far too narrow."""
    rows = pd.DataFrame({"question": ["a"] * 20 + ["b"] * 80, "over": [0.0] * 20 + [1.0] * 80, "under": 2.0, "f": 1})
    got = nvas_released.averaged(rows, ["f"], "over", rounds=200).iloc[0]
    # Two questions, drawn twice: only the one, only the other, or both.
    assert (got["value"], got["low"], got["high"], got["n"]) == (0.8, 0, 1, 100)
    ratio = nvas_released.averaged(rows, ["f"], "over", "under", rounds=200).iloc[0]
    assert (ratio["value"], ratio["high"]) == (0.4, 0.5)
    shared = pd.concat([rows, rows.assign(f=2, over=rows["over"] + 0.25)])
    _, draws = nvas_released.drawn(shared, ["f"], "over", rounds=50)
    np.testing.assert_allclose(draws[1] - draws[0], 0.25)


def test_the_permutation_null_is_that_of_all_permutations():
    """'Above chance' within questions needs the right spread of chance: here every order is gone through."""
    rng = np.random.default_rng(1)
    rows = pd.DataFrame({"question": list("aaabbb"), "x": rng.random(6), "y": rng.random(6)}).assign(**FILE)
    got = nvas_countries.correlation(rows, "x", "y", rounds=20).iloc[0]
    x, y = (rows[c].to_numpy().reshape(2, 3) for c in "xy")
    x, y = x - x.mean(axis=1, keepdims=True), y - y.mean(axis=1, keepdims=True)
    scale = np.sqrt((x**2).sum() * (y**2).sum())
    every = [
        ((x[0, list(p)] * y[0]).sum() + (x[1, list(q)] * y[1]).sum()) / scale
        for p in permutations(range(3))
        for q in permutations(range(3))
    ]
    assert got["value"] == pytest.approx((x * y).sum() / scale)
    assert np.mean(every) == pytest.approx(0)
    assert got["chance_high"] == pytest.approx(1.96 * np.std(every)) and got["n"] == 6


def test_a_model_that_knows_its_country_is_nearer_to_it():
    """The advantage must be positive for one's own people and negative for a mix-up, whatever the question's level."""
    people = CELLS.index.assign(human=(CELLS.index["human"] - 1) / 3)[CELLS.index["question"] == "1"]
    right = pd.DataFrame({"question": "1", "country": ["EG", "IR"], "answer": [2 / 3, 0.5 / 3]})
    got = nvas_countries.advantage(right, people, "answer")
    # Egypt's 3 is 1.5 from Iran's 1.5 and .6 from Turkey's 2.4; Iran's 1.5 is 1.5 and .9 from the others.
    assert got.tolist() == pytest.approx([(1.5 + 0.6) / 2 / 3, (1.5 + 0.9) / 2 / 3])
    swapped = nvas_countries.advantage(right.assign(country=["IR", "EG"]), people, "answer")
    assert (swapped < 0).all()


def test_countries_are_compared_on_the_questions_they_share():
    """A country that was asked the easy questions must not lead for that: what is added must come out again."""
    easy, effects = {"a": 0.9, "b": 0.5, "c": 0.2}, {"EG": 0.05, "IR": -0.05, "TR": 0.0}
    asked = {"EG": "ab", "IR": "abc", "TR": "bc"}
    rows = pd.DataFrame(
        [(place, q, easy[q] + effect) for place, effect in effects.items() for q in asked[place]],
        columns=["country", "question", "value"],
    )
    raw = rows.groupby("country")["value"].mean()
    keys, draws = nvas_countries.adjusted(rows, "value", rounds=50)
    got = keys.set_index("country")["value"]
    assert (got - got["TR"]).to_dict() == pytest.approx({"EG": 0.05, "IR": -0.05, "TR": 0})
    assert got.mean() == pytest.approx(raw.mean()) and raw["EG"] - raw["TR"] > 0.3
    # With question a alone there is no Turkey to compare: such a draw says nothing, and nothing breaks.
    assert draws.shape == (3, 50) and np.isnan(draws).any() and not np.isnan(draws).all()
    known = draws[:, ~np.isnan(draws[0])]
    np.testing.assert_allclose(
        known[keys.index[keys["country"] == "EG"]] - known[keys.index[keys["country"] == "IR"]], 0.1
    )


def test_a_second_answer_must_have_room_on_the_scale():
    """The check of the recovered answers: at distance 3 of four options only the ends will do, half by chance."""
    answers = recovered({("1", "IR"): 4, ("1", "TR"): 2})
    distances = released_scores({("1", "IR"): 4, ("1", "TR"): 2}).assign(value=0.0)
    got = inversion_checks.fits(answers, distances).set_index("country")
    assert got["hit"].to_dict() == {"IR": 1, "TR": 0} and (got["chance"] == 0.5).all()
    assert inversion_checks.fits(answers, distances.assign(value=1.0)).empty


def test_one_neutral_answer_must_fit_every_country():
    """The strongest check of the recovered answers: a neutral 1 explains both distances, or nothing does."""
    answers = recovered({("1", "IR"): 4, ("1", "TR"): 2})
    # From 1: 4 is three options away, 2 one.
    spd = released_scores({("1", "IR"): 4, ("1", "TR"): 2}).assign(value=[0.0, 1 - 1 / 3])
    assert inversion_checks.agreeing(answers, spd, draws=50)["hit"].tolist() == [1]
    # 4 leaves 1 at distance three, and 2 leaves 2 at distance none.
    off = inversion_checks.agreeing(answers, spd.assign(value=[0.0, 1.0]), draws=50).iloc[0]
    assert off["hit"] == 0 and off["countries"] == 2
    # Of 16 pairs only 4 and 2 (from 1), and 1 and 3 (from 4), are at these distances from one number.
    chance = inversion_checks.agreeing(answers, spd, draws=2000)["chance"].iloc[0]
    assert chance == pytest.approx(2 / 16, abs=0.05)


def test_bounds_enclose_every_possible_answer():
    """The project page is held against bounds: one that leaves out a possible answer would refute too much."""
    rows = pd.DataFrame(
        {"candidates": [(1,), (2, 4), (1, 2, 3)], "human": [1.5, 3.0, 2.5], "low": 1, "high": [4, 4, 5]}
    )
    got = nvas_page._ends(rows)
    assert got["lowest"].tolist() == pytest.approx([1 - 0.5 / 3, 2 / 3, 1 - 1.5 / 4])
    assert got["highest"].tolist() == pytest.approx([1 - 0.5 / 3, 2 / 3, 1 - 0.5 / 4])
    assert got["value"].tolist() == pytest.approx([1 - 0.5 / 3, 2 / 3, 1 - 2.5 / 12])


@with_data
def test_the_persona_figures_of_the_readme_come_out():
    """Unless the printed persona figures come out to the last digit, nothing built on the files speaks of them."""
    from whosevalues.mena import nvas_published

    table = nvas_published.readme_table(rounds=2).query("average == 'countries'").set_index(["framing", "model"])
    assert (table.loc["persona", "value"] * 100).round(2).to_dict() == {
        "llama-3.1-8b": 74.75,
        "mistral-7b": 71.08,
        "aya-8b": 69.30,
    }
    assert table["matches"].groupby("framing").sum().to_dict() == {"persona": 3, "observer": 0}
    assert nvas_published.averages_table()["off"].max() < 1e-12
    nearest = nvas_published.search(closest=1).set_index("framing")
    assert nearest.loc["persona", ["cells", "average", "modes"]].tolist() == ["all", "countries", "mean of both"]
    assert nearest["value"].gt(5e-5).to_dict() == {"persona": False, "observer": True}


@with_data
def test_baselines_stand_on_the_cells_of_each_file():
    """A baseline on other cells than the model's would compare questions, not answerers."""
    rows = nvas_released.scored()
    assert rows["value"].to_numpy() == pytest.approx(
        nvas_released.recovered().merge(rows[[*FILE, "question", "country"]])["value"].to_numpy()
    )
    assert (rows["best"] >= rows["value"] - 1e-9).all() and (rows["best"] >= rows["midpoint"] - 1e-9).all()
    sizes = rows.groupby(list(FILE)).size()
    assert sizes["llama-3.1-8b", "persona", "zero-shot"] == 8862 and sizes.sum() == 75341
    above = nvas_released.margins(rounds=2).query("measure == 'NVAS' and baseline == 'midpoint'")
    assert (above["value"] > 0).sum() == 3
    # A file of nearly all cells is as hard as the benchmark, on any draw of questions.
    covered = (
        nvas_coverage.coverage(rounds=50)
        .set_index([*FILE, "cells"])
        .loc[("llama-3.1-8b", "persona", "reasoning", "own")]
    )
    assert covered["easier_high"] - covered["easier_low"] < 0.002


def test_live_answers_get_the_scores_that_suit_their_scale():
    """One's own model is put beside the released ones by these scores: they must be the same ones."""
    rows = [("1", "EG", ("2",)), ("1", "IR", ("1", "4")), ("1", "TR", ()), ("2", "EG", ("2",)), ("2", "IR", ("3",))]
    answered = pd.DataFrame(rows, columns=["question", "country", "best"]).assign(
        model="m", framing="persona", language="en", measurement=["logprob", "logprob", None, "logprob", "logprob"]
    )
    twice = pd.concat([answered, answered.assign(framing="observer", best=[()] * 5, measurement=None)])
    both = nvas_live.scores_table(twice, SHARES, BANK)
    assert both.query("framing == 'observer'")[["n", "coverage"]].to_numpy().tolist() == [[0, 0], [0, 0]]
    table = both.query("framing == 'persona'").set_index("measure")
    near, first, last = (
        1 - wasserstein_distance([a], [1, 2, 3, 4], None, PEOPLE["1", c]) / 3
        for a, c in ((2, "EG"), (1, "IR"), (4, "IR"))
    )
    assert table.loc["1 - W1", "value"] == pytest.approx((near + (first + last) / 2) / 2)
    assert (table.loc["1 - W1", "n"], table.loc["1 - W1", "coverage"]) == (2, pytest.approx(2 / 3))
    assert (table.loc["mode accuracy", "value"], table.loc["mode accuracy", "chance"]) == pytest.approx((0.5, 1 / 3))
