"""Consistency of the released models: small cases by hand, the released files against the print."""

import os
from itertools import product

import numpy as np
import pandas as pd
import pytest

from whosevalues.mena import consistency_released as released_runs
from whosevalues.mena import native, native_checks, released, shifts_released, workbook

with_data = pytest.mark.skipif(
    not os.environ.get("WHOSEVALUES_DATA"), reason="WHOSEVALUES_DATA names no folder with the released files"
)

QUESTIONS = pd.DataFrame({"question": ["1", "2"], "low": [1, 0], "high": [5, 2]})
RUN = {"model": "llama-3.1-8b", "mode": "zero-shot"}


def scores(rows, framing=None):
    """Rows of (country, language, question, value)."""
    table = pd.DataFrame(rows, columns=["country", "language", "question", "value"])
    return table.assign(**RUN, framing=framing, folder="x")


def inverted(rows):
    """Rows of (framing, country, question, candidates), question 1 being on 1 to 5."""
    table = pd.DataFrame(rows, columns=["framing", "country", "question", "candidates"])
    return table.assign(**RUN, low=table["question"].map({"1": 1, "2": 0}))


@pytest.fixture(scope="module")
def pairs():
    return released_runs.pairs()


def test_answers_at_a_distance_lie_on_both_sides_but_on_the_scale():
    """A native answer would be placed off the scale, or on one side only."""
    found = native.shifted([0b00010, 0b00010, 0b00110, 0b11111], [1, 3, 0, 4], [0b11111] * 4)
    assert [bin(v) for v in found] == ["0b101", "0b10000", "0b110", "0b10001"]
    assert native.options([0b101, 0, 0b10], pd.Series([1, 1, 0])) == [(1, 3), (), (1,)]
    assert native.bits(pd.Series([(1, 3), (), (2,)]), pd.Series([1, 1, 0])).tolist() == [0b101, 0, 0b100]


def test_one_neutral_answer_must_agree_with_the_persona_of_every_country():
    """English answers without a human figure would stay unknown, or become wrong ones."""
    # A neutral 3 is one away from 2 and 4, two away from 1 and 5; TR has no candidates of its own, IR has two.
    answers = inverted([("persona", "EG", "1", (2,)), ("persona", "IR", "1", (1, 3)), ("observer", "EG", "1", (4,))])
    spd = scores([("EG", None, "1", 0.75), ("IR", None, "1", 0.5), ("TR", None, "1", 1.0), ("LLM", None, "1", 1.0)])
    sets = native.english_sets(answers, spd, QUESTIONS).set_index(["framing", "country"])["set"]
    # From EG neutral is 1 or 3; from IR 3 or (1 or 5); both leave 1 and 3; so IR is 1 or 3, and TR is 1 or 3.
    assert native.options(sets, pd.Series(1, sets.index)) == [(4,), (2,), (1, 3), (1, 3), (1, 3)]
    assert sets.index.tolist() == [
        ("observer", "EG"),
        ("persona", "EG"),
        ("persona", "IR"),
        ("persona", "TR"),
        ("neutral", "every"),
    ]


def test_scores_that_no_neutral_answer_explains_narrow_nothing():
    """A single slip in a file would wipe out the answers of all countries."""
    answers = inverted([("persona", "EG", "1", (2,)), ("persona", "IR", "1", (2,))])
    spd = scores([("EG", None, "1", 1.0), ("IR", None, "1", 0.25)])
    sets = native.english_sets(answers, spd, QUESTIONS).set_index(["framing", "country"])["set"]
    assert sets["persona", "EG"] == sets["persona", "IR"] == 0b10 and sets["neutral", "every"] == 0


def test_native_answers_by_hand():
    """The chapters that use native answers would take the wrong one, or one that is not known."""
    english = native.english_sets(
        inverted([("persona", "EG", "1", (2,)), ("persona", "IR", "1", (4,))]), scores([]), QUESTIONS
    )
    rows = [("EG", None, "1", 0.75), ("IR", None, "1", 0.25), ("TR", None, "1", 0.0), ("EG", None, "2", -0.5)]
    found = native.possible(scores(rows, "persona"), english, QUESTIONS)
    assert found["language"].tolist() == ["ar", "fa", "tr", "ar"]
    assert found["candidates"].tolist() == [(1, 3), (1,), (1, 5), ()]
    assert found["answer"].fillna(-1).tolist() == [-1, 1, -1, -1]
    assert found["english"].tolist() == [(2,), (4,), (1, 5), ()]


def test_even_draws_agree_as_often_as_enumeration_says():
    """The chance level of a consistency, or of a large shift, would be off."""
    for k in range(2, 12):
        apart = np.array([abs(a - b) for a, b in product(range(k), repeat=2)])
        assert released_runs.even(np.array([k]))[0] == pytest.approx(1 - apart.mean() / (k - 1))
        row = shifts_released.moved(pd.DataFrame({"low": [1], "high": [k], "value": [1.0]})).iloc[0]
        assert row["same_chance"] == pytest.approx((apart == 0).mean())
        assert row["large_chance"] == pytest.approx((apart > (k - 1) / 2).mean())
        assert row["shift_chance"] == pytest.approx(apart.mean() / (k - 1))


def test_moves_are_counted_as_the_same_or_more_than_half_a_scale():
    """Half a scale would count as a large shift, or a rounding error as a difference."""
    table = pd.DataFrame({"low": 1, "high": 5, "value": [1.0, 0.75, 0.5, 0.25, 1 - 1e-12]})
    found = shifts_released.moved(table)
    assert found["same"].tolist() == [1, 0, 0, 0, 1]
    assert found["large"].tolist() == [0, 0, 0, 1, 0]


def run_of(rows, measure="FCS"):
    """Rows of (question, country, first, second) on a scale of 1 to 5."""
    table = pd.DataFrame(rows, columns=["question", "country", "first", "second"]).assign(**RUN, measure=measure)
    table["value"] = 1 - (table["first"] - table["second"]).abs() / 4
    kept = {"framing": "persona", "language": "ar", "low": 1, "high": 5, "human": True}
    return table.assign(**kept, floor=table["value"], ceiling=table["value"])


def test_habit_is_what_answers_to_different_questions_agree():
    """A model that says 2 to everything would pass for a consistent one."""
    constant = run_of([(str(q), "EG", 2, 2) for q in range(5)])
    assert released_runs.habits(constant).tolist() == [1.0] * 5
    # First answers 1 and 5, second 1 and 5: pairs over all are at distance 0, 4, 4, 0.
    varied = run_of([("1", "EG", 1, 1), ("2", "EG", 5, 5)])
    assert released_runs.habits(varied).tolist() == [0.5, 0.5]
    row = released_runs.consistency_table(varied.assign(framing=None), rounds=50).iloc[0]
    assert (row["value"], row["habit"], row["corrected"]) == (1.0, 0.5, 1.0)
    # Native answers are known in part only, so CLCS takes both sides from English: here 1 and 1.
    cross = run_of([("1", "EG", 1, 5), ("2", "EG", 1, 5)], "CLCS")
    assert released_runs.habits(cross).tolist() == [1.0, 1.0]


def test_language_is_set_against_framing_on_the_same_cells():
    """Cells with one of the two comparisons would enter the difference."""
    language = run_of([("1", "EG", 1, 3), ("2", "EG", 1, 5), ("3", "EG", 1, 1)], "CLCS")
    framing = run_of([("1", "EG", 1, 2), ("2", "EG", 1, 2), ("9", "EG", 1, 5)], "FCS").assign(framing=None)
    found = shifts_released.contrast_table(pd.concat([language, framing], ignore_index=True), rounds=50)
    found = found[found["language"] == "all"].set_index("figure")
    assert found["n"].tolist() == [2, 2, 2]
    assert found.loc["shift", "value"] == pytest.approx((2 / 4 + 4 / 4) / 2 - 1 / 4)
    assert (found.loc["large", "value"], found.loc["same", "value"]) == (0.5, 0.0)


def test_gains_take_every_candidate():
    """Bounds on the native NVAS would leave an answer out that is possible."""
    table = pd.DataFrame(
        {"candidates": [(1, 3), (), (2,)], "low": 1, "high": 5, "human": [2.5, 2.0, np.nan], "nvas": [0.5, 0.5, 0.5]}
    )
    found = native_checks.gains(table)
    # |1 - 2.5| / 4 and |3 - 2.5| / 4.
    np.testing.assert_allclose(found.loc[0, ["floor", "ceiling", "middle"]].astype(float), [0.125, 0.375, 0.25])
    assert found.loc[[1, 2]].isna().all(axis=None)


def test_tables_read_in_the_order_of_the_chapter():
    """Models and modes would stand in another order in every table, or rows be lost."""
    table = pd.DataFrame(
        {"model": ["aya-8b", "llama-3.1-8b", "llama-3.1-8b"], "mode": ["zero-shot", "reasoning", "zero-shot"]},
        index=[0, 0, 0],
    )
    found = native.in_order(table)
    assert found.to_numpy().tolist() == [
        ["llama-3.1-8b", "zero-shot"],
        ["llama-3.1-8b", "reasoning"],
        ["aya-8b", "zero-shot"],
    ]


@with_data
def test_published_consistencies_come_out(pairs):
    """The chapter would say that a published figure reproduces, and it would not."""
    found = released_runs.averages_table(pairs, rounds=20).dropna(subset="printed")
    off = (found["value"] - found["printed"]).abs().set_axis(found["framing"] + found["model"] + found["mode"])
    assert len(off) == 9 and (off.drop("personallama-3.1-8bzero-shot") < 0.00005).all()
    assert 0.0001 < off["personallama-3.1-8bzero-shot"] < 0.0004


@with_data
def test_recovered_framing_consistency_holds_the_published_one(pairs):
    """The recovered answers would be other ones than the authors compared."""
    runs = released_runs.consistency_table(pairs, rounds=20)
    fcs = runs[runs["measure"] == "FCS"]
    assert len(fcs) == 6
    assert ((fcs["floor"] < fcs["printed"]) & (fcs["printed"] < fcs["ceiling"])).all()
    assert (fcs["floor"] <= fcs["value"]).all() and (fcs["chance"] < fcs["habit"]).all()
    _, cells = workbook.read()
    assert cells["centre"].notna().sum() == released_runs.PEOPLE


@with_data
def test_released_consistency_is_that_of_the_answers(pairs):
    """A released score and the answers it is made of would contradict each other."""
    known = pairs.dropna(subset=["first", "second"])
    again = 1 - (known["first"] - known["second"]).abs() / (known["high"] - known["low"])
    assert len(known) > 100_000 and np.allclose(again, known["value"])


@with_data
def test_folders_hold_what_they_are_not_called():
    """The framings would be swapped again, or the proof would prove nothing."""
    found = (
        native_checks.folder_table(rounds=20).set_index(["folder", "order", "figure", "framing"])["value"].sort_index()
    )
    for folder, framing in native_checks.FOLDERS.items():
        fit = found[folder, "as released", "possible"]
        assert fit.idxmax() == framing and fit[framing] > 0.997 and fit.drop(framing).max() < 0.96
        assert found[folder, "shuffled", "possible"].max() < 0.9
    assert found["Neutral", "as released", "answered", "observer"] == 1
    assert found["Persona", "as released", "answered", "persona"] == 1
    files = native_checks.files_table().set_index(["folder", "model", "mode"]).sort_index()
    assert files.loc["Observer", "columns"].eq(3).all() and files.loc["Neutral", "columns"].eq(16).all()
    assert files["below"].sum() == 1


@with_data
def test_native_answers_agree_with_a_plain_search():
    """The answers that the country profiles are made of would be wrong."""
    found = native.native_answers().sample(300, random_state=0)
    clcs = released.read("CLCS").set_index([*native.CELL, "language"])["value"]
    assert not clcs.index[clcs.notna()].duplicated().any()
    for row in found.to_dict("records"):
        scale = range(row["low"], row["high"] + 1)
        assert set(row["candidates"]) == {
            n for n in scale if any(abs(n - e) == row["distance"] for e in row["english"])
        }
        assert (row["answer"] == row["candidates"][0]) if len(row["candidates"]) == 1 else np.isnan(row["answer"])
