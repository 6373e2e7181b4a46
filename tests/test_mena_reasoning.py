"""Reasoning against zero-shot, of released scores and of live answers, against tables computed by hand."""

import os
from math import sqrt

import numpy as np
import pandas as pd
import pytest

from whosevalues import UserError, items
from whosevalues.mena import reasoning, reasoning_changes, reasoning_native, reasoning_released, released

with_data = pytest.mark.skipif(
    not os.environ.get("WHOSEVALUES_DATA"), reason="WHOSEVALUES_DATA names no folder with the released files"
)

QUESTIONS = pd.DataFrame(
    [("1", "WVS", 1, 5, "ordinal", "A"), ("2", "WVS", 1, 5, "ordinal", "A"), ("3", "AOI", 1, 3, "nominal", "B")],
    columns=["question", "source", "low", "high", "scale", "category"],
)
# Means 2.25 and 4.25 leave one answer to every score but the mirrored ones; a mode of 1 leaves one to all.
CELLS = pd.DataFrame(
    [("1", "EG", 2.25), ("1", "IQ", 2.25), ("2", "EG", 4.25), ("3", "EG", 1.0), ("3", "IQ", 1.0), ("2", "IQ", np.nan)],
    columns=["question", "country", "centre"],
)
ANSWERS = {  # question, country: zero-shot, reasoning
    ("1", "EG"): (2, 1),
    ("1", "IQ"): (2, 2),
    ("2", "EG"): (None, 5),
    ("3", "EG"): (1, 3),
    ("3", "IQ"): (2, None),
}


def nvas(question, answer):
    human = {"1": 2.25, "2": 4.25, "3": 1.0}[question]
    return np.nan if answer is None else 1 - abs(answer - human) / (2 if question == "3" else 4)


SCORES = pd.DataFrame(
    [
        ("llama-3.1-8b", "persona", mode, country, question, nvas(question, answers[place]))
        for (question, country), answers in ANSWERS.items()
        for place, mode in enumerate(("zero-shot", "reasoning"))
    ],
    columns=["model", "framing", "mode", "country", "question", "value"],
)
PAIRS = reasoning_released.side_by_side(SCORES, QUESTIONS, CELLS)


def test_both_modes_stand_side_by_side():
    """A contrast of a cell with another one, or a lost cell, would be no paired contrast."""
    rows = PAIRS.set_index(["question", "country"])
    assert len(rows) == 5
    assert rows.loc[("1", "EG"), ["zero", "reasoning"]].tolist() == pytest.approx([0.9375, 0.6875])
    assert rows.loc[("1", "EG"), ["answer_zero", "answer_reasoning"]].tolist() == [2, 1]
    assert np.isnan(rows.loc[("2", "EG"), "zero"])
    # Five options around 2.25: distances 1.25, 0.25, 0.75, 1.75, 2.75 of 4; three around 1: 0, 1, 2 of 2.
    assert rows.loc[("1", "EG"), "chance"] == pytest.approx(1 - 6.75 / 20)
    assert rows.loc[("3", "EG"), "chance"] == pytest.approx(0.5)


def test_contrasts_by_hand():
    """The chapter's main table: each way of treating missing cells has its own answer here."""
    table = reasoning_released.contrasts(PAIRS, rounds=50)
    found = table[table["framing"] == "persona"].set_index(["estimator", "metric"])["value"]
    # Common: question 1 in EG (-0.25) and IQ (0), question 3 in EG (-1).
    assert found["paired", "nvas"] == pytest.approx(-1.25 / 3)
    assert found["paired", "corrected"] == pytest.approx(-1.25 / (2 * 0.3375 + 0.5))
    assert found["paired", "relative"] == pytest.approx(-1.25 / (2 * 0.9375 + 1))
    # Strata WVS (3 cells, mean -0.125) and AOI (2 cells, mean -1).
    assert found["reweighted", "nvas"] == pytest.approx((3 * -0.125 + 2 * -1) / 5)
    zero, with_reasons = [0.9375, 0.9375, 1, 0.5], [0.6875, 0.9375, 0.8125, 0]
    assert found["all cells", "nvas"] == pytest.approx(np.mean(with_reasons) - np.mean(zero))
    # Countries alike: EG zero-shot (0.9375, 1), with reasoning (0.6875, 0.8125, 0); IQ (0.9375, 0.5) and (0.9375).
    wanted = np.mean([np.mean([0.6875, 0.8125, 0]), 0.9375]) - np.mean([np.mean([0.9375, 1]), np.mean([0.9375, 0.5])])
    assert found["file means", "nvas"] == pytest.approx(wanted)


def test_coverage_and_counts_stand_beside_every_contrast():
    """A contrast without its coverage hides that most cells of a file may be missing."""
    row = reasoning_released.contrasts(PAIRS, rounds=50).iloc[0]
    assert (row["n"], row["questions"], row["chance"]) == (3, 2, 0)
    assert row[["coverage_zero", "coverage_reasoning", "coverage"]].tolist() == pytest.approx([0.8, 0.8, 0.6])


def test_selection_splits_the_difference_of_averages():
    """The exercise: unpaired minus paired contrast is what the cells answered in one mode only bring in."""
    select = reasoning_changes.selection(PAIRS, rounds=50)
    select = select[select["framing"] == "persona"].set_index(["mode", "cells"])["value"]
    assert select["zero-shot", "in this only"] == pytest.approx(0.5)
    assert select["reasoning", "difference"] == pytest.approx(0.8125 - (0.6875 + 0.9375) / 3)
    parts = {mode: select[mode, "difference"] / 4 for mode in ("zero-shot", "reasoning")}
    found = reasoning_released.contrasts(PAIRS, rounds=50).set_index(["framing", "estimator", "metric"])["value"]
    gap = found["persona", "all cells", "nvas"] - found["persona", "paired", "nvas"]
    assert parts["reasoning"] - parts["zero-shot"] == pytest.approx(gap)


def test_changes_by_hand():
    """Which way answers went: wrong signs here would turn 'away from the people' into its opposite."""
    found = reasoning_changes.changes(PAIRS, rounds=50)
    found = found[found["framing"] == "persona"].set_index("measure")["value"]
    assert found[["changed", "improved", "worsened"]].tolist() == pytest.approx([2 / 3, 0, 2 / 3])
    assert found["zero-shot, changed"] == pytest.approx((0.9375 + 1) / 2)
    # Away from the middle 3 by 1 of 4; from one end of 1 to 3 to the other; not at all.
    assert found["towards the middle"] == pytest.approx(-0.25 / 3)
    assert found["gain, farther"] == pytest.approx(-0.25) and found["gain, across"] == pytest.approx(-1)
    assert found["upwards"] == pytest.approx((-0.25 + 1) / 3)
    assert found["lowest, zero-shot"] == pytest.approx(1 / 3) and found["lowest, reasoning"] == pytest.approx(1 / 3)
    assert found["gain, to the lowest"] == pytest.approx(-0.25 / 3)
    assert found["highest, zero-shot"] == 0 and found["highest, reasoning"] == pytest.approx(1 / 3)
    # The middle of question 1 scores 1 - 0.75 / 4, that of question 3 scores 0.5.
    assert found["middle"] == pytest.approx((2 * 0.8125 + 0.5) / 3)


def test_the_sign_test_counts_a_question_once():
    """Sixteen countries that share a question are no sixteen witnesses."""
    signs = pd.Series([1] * 5 + [1, 1, -1, 0])
    question = pd.Series(list("abcde") + ["f"] * 3 + ["g"])
    assert reasoning_changes.sign_test(signs, question) == pytest.approx(2 / 2**6)
    assert np.isnan(reasoning_changes.sign_test(pd.Series([0]), pd.Series(["a"])))


def test_other_yardsticks_by_hand():
    """Nearness to people and agreement with them can differ in sign: the chapter's point rests on both."""
    shares = {"1": (0.5, 0.0, 0.25, 0.25, 0.0), "3": (0.4, 0.3, 0.3)}
    people = pd.DataFrame(
        [(q, c, str(k), p) for q in shares for c in ("EG", "IQ") for k, p in enumerate(shares[q], start=1)],
        columns=["question", "country", "option", "probability"],
    )
    found = reasoning_changes.against_people(PAIRS, people, rounds=50)
    found = found[found["framing"] == "persona"].set_index("metric")["value"]
    # Question 1 in EG goes from 2 to 1: mean distance (0.5 + 0.25 + 0.5) / 4 before, (0 + 0.5 + 0.75) / 4 after.
    # Question 3 in EG goes from 1 to 3: mean distance (0.3 + 0.6) / 2 before, (0.8 + 0.3) / 2 after.
    assert found["closeness"] == pytest.approx((0 - 0.1) / 3)
    assert found["agreement"] == pytest.approx((0.5 - 0.1) / 3)
    assert found["mode"] == pytest.approx((1 - 1) / 3)


def test_how_many_questions_an_effect_takes():
    """A reader who plans a run by this number must find the effect in four of five."""
    from scipy import stats

    gains = pd.DataFrame({"question": list("abcd"), "zero": 0.5, "reasoning": [0.4, 0.6, 0.3, 0.7]})
    table = PAIRS.iloc[[0] * 4].drop(columns=["question", "zero", "reasoning"]).reset_index(drop=True).join(gains)
    found = reasoning_changes.power(table, {"bank": 26}).set_index("effect")
    sd, reach = sqrt(0.1 / 3), stats.norm.ppf(0.975) + stats.norm.ppf(0.8)
    assert found.loc["mistral-7b", "value"] == np.ceil((reach * sd / 0.0352) ** 2)
    assert found.loc["mistral-7b", "bank"] == pytest.approx(reach * sd / sqrt(26), rel=1e-3)


NATIVE = pd.DataFrame(
    [
        ("llama-3.1-8b", "persona", mode, "EG", "ar", "1", 1, 5, english, answers)
        for mode, english, answers in (("zero-shot", (2,), (2,)), ("reasoning", (2,), (1, 3)))
    ],
    columns=["model", "framing", "mode", "country", "language", "question", "low", "high", "english", "candidates"],
)


def test_native_scores_are_bounds_where_the_side_is_open():
    """Taking one side for granted would settle what the released files leave open."""
    scored = reasoning_native.scores(NATIVE, CELLS).set_index("mode")
    # People's mean is 2.25: the answer 3 scores 0.8125, the answer 1 scores 0.6875, the answer 2 scores 0.9375.
    assert scored.loc["reasoning", ["smallest", "largest"]].tolist() == pytest.approx([0.6875, 0.8125])
    found = reasoning_native.contrasts(scored.reset_index(), rounds=50).set_index(["framing", "cells"])
    assert found.loc[("persona", "bounds"), ["low", "high"]].tolist() == pytest.approx([-0.25, -0.125])
    assert found.loc[("persona", "known"), "n"] == 0 and np.isnan(found.loc[("persona", "known"), "value"])


def test_a_neutral_answer_counts_for_every_speaker():
    """The neutral framing names no country; its one answer is held against all that share the language."""
    neutral = NATIVE.assign(framing="neutral", country=None)
    scored = reasoning_native.scores(neutral, CELLS)
    assert sorted(scored["country"]) == ["EG", "EG", "IQ", "IQ"]


def test_the_experiment_asks_everything_twice():
    """Both modes must ask the same questions, or the live contrast compares different ones."""
    grid = reasoning.experiment("IR")
    sides = [set(part["question"]) for _, part in grid.groupby("mode")]
    assert sides[0] == sides[1] and len(grid) == 2 * (26 + 24)
    assert set(grid["kind"]) == {"generate"} and grid["decoding"].map(lambda d: d.temperature).eq(0).all()
    fact, value = grid[grid["type"] == "fact"], grid[grid["type"] == "value"]
    assert fact["country"].isna().all() and not fact["prompt"].str.contains("Iranian").any()
    assert value["prompt"].str.contains("average Iranian person").all()
    assert grid["labels"].map(len).equals(grid["options"].map(len))


@pytest.mark.parametrize("wrong", [{"country": "UK"}, {"country": ("IR", "TR")}, {"max_tokens": 3}])
def test_an_impossible_experiment_says_so(wrong):
    """A run that cannot mean anything must stop before it costs anything."""
    with pytest.raises(UserError):
        reasoning.experiment(**wrong)


def parsed(rows):
    """(question, mode, answer, text) of the live experiment, as the parser leaves them."""
    grid = reasoning.experiment("IR").set_index(["question", "mode"])
    frame = pd.DataFrame(rows, columns=["question", "mode", "answer", "text"])
    named = frame.join(grid, on=["question", "mode"])
    kind = np.where(frame["answer"].isna(), "refusal", "answer")
    return named.assign(model="m", kind=kind, reason="declines", finish_reason="stop")


ANSWERED = parsed(
    [
        ("fact-hamlet", "zero-shot", "3", "3"),
        ("fact-hamlet", "reasoning", "1", "It is not 3. 1"),
        ("fact-wall", "zero-shot", "2", "2"),
        ("fact-wall", "reasoning", None, "I cannot say."),
        ("trust-press", "zero-shot", "1", "1"),
        ("trust-press", "reasoning", "4", "4"),
    ]
)


def test_facts_are_right_or_wrong_and_values_near_or_far():
    """A right answer counted wrong, or a refusal counted as one, would make up the difference between the types."""
    scored = reasoning.score(ANSWERED)
    assert scored["score"].tolist()[:3] == [1, 0, 1] and np.isnan(scored["score"].iloc[3])
    people = items.human_distributions().query("question == 'trust-press' and country == 'IR'")
    mean = (people["option"].astype(int) * people["probability"]).sum()
    assert scored["score"].tolist()[4:] == pytest.approx([1 - (mean - 1) / 3, 1 - (4 - mean) / 3])
    assert scored["chance"].tolist()[:4] == [0.25] * 4


def test_live_tables_by_hand():
    """Every live figure stands with its n, chance and coverage; over all questions a missing answer is a guess."""
    scored = reasoning.score(ANSWERED)
    level = reasoning.scores(scored).set_index(["type", "mode"])
    assert level.loc[("fact", "zero-shot"), ["value", "n", "coverage", "corrected"]].tolist() == [1, 2, 1, 1]
    # Wilson's lower bound of 2 out of 2 is 1 / (1 + z^2 / 2).
    assert level.loc[("fact", "zero-shot"), "low"] == pytest.approx(1 / (1 + 1.959964**2 / 2), rel=1e-5)
    assert level.loc[("fact", "reasoning"), ["value", "n", "coverage"]].tolist() == [0, 1, 0.5]
    gain = reasoning.contrasts(scored).set_index(["cells", "metric", "type"])
    assert gain.loc[("answered in both", "score", "fact"), ["value", "n"]].tolist() == [-1, 1]
    assert gain.loc[("all", "score", "fact"), "value"] == pytest.approx((-1 + 0.25 - 1) / 2)
    fact = gain.loc[("all", "corrected", "fact"), "value"]
    assert fact == pytest.approx(-1.75 / 1.5)
    both = gain.loc[("all", "corrected", "value"), "value"] - fact
    assert gain.loc[("all", "corrected", "value minus fact"), "value"] == pytest.approx(both)
    # Two questions make no interval.
    assert gain["low"].isna().all()


def test_a_model_that_never_answers_gets_a_page_all_the_same():
    """A dry run, or a model that refuses everything, must end in empty figures and not in an error."""
    silent = reasoning.score(ANSWERED.assign(answer=None, kind="refusal"))
    level = reasoning.scores(silent)
    assert level["value"].isna().all() and (level["n"] == 0).all() and (level["coverage"] == 0).all()
    gain = reasoning.contrasts(silent)
    assert gain.loc[gain["cells"] == "all", "value"].tolist() == pytest.approx([0] * 5)
    outcome = reasoning.kinds(silent.assign(kind="refusal")).set_index(["type", "mode", "outcome"])
    assert outcome.loc[("fact", "reasoning", "refusal: declines"), ["value", "count"]].tolist() == [1, 2]


def test_the_authors_rule_takes_the_first_option_it_finds():
    """The chapter shows what their rule does to an explanation; ours must not be credited with it."""
    found = reasoning.rules(ANSWERED).set_index(["type", "mode", "rule", "measure"])["value"]
    # 'It is not 3. 1' is 1 by both; 'I cannot say.' holds nothing.
    assert found["fact", "reasoning", "the authors'", "lowest"] == 1
    assert found["fact", "reasoning", "the authors'", "answered"] == 0.5
    assert found["value", "reasoning", "ours", "lowest"] == 0


def test_guessing_gets_a_quarter_of_the_controls_right():
    """If one place held more right answers, a model that likes it would look knowledgeable."""
    controls = items.factual_controls()
    table = pd.DataFrame([(c.right, c.difficulty, c.area, len(c.options)) for c in controls])
    assert len(controls) == 24 and set(table[3]) == {4}
    assert pd.crosstab(table[0], table[1]).to_numpy().tolist() == [[2, 2, 2]] * 4
    assert table[2].value_counts().tolist() == [6] * 4
    assert all(len(set(c.labels["en"])) == 4 and c.fact for c in controls)


@pytest.mark.parametrize(
    ("found", "broken", "names"),
    [
        ('right: "1"', "right: 1", "fact-waterloo.*right"),
        ("id: fact-wall", "id: fact-waterloo", "fact-waterloo.*twice"),
        ("\ncontrols:", "\nother:", "controls"),
    ],
)
def test_a_broken_file_of_controls_is_named(found, broken, names, monkeypatch, tmp_path):
    """Whoever edits the questions must be told which one is wrong, not shown a traceback."""
    text = (items.TEACHING / "controls.yml").read_text(encoding="utf-8")
    (tmp_path / "controls.yml").write_text(text.replace(found, broken, 1), encoding="utf-8")
    monkeypatch.setattr(items, "TEACHING", tmp_path)
    with pytest.raises(UserError, match=names):
        items.factual_controls()


@with_data
def test_file_means_are_those_of_the_released_files():
    """Our unpaired contrast must be the one that the files' own last row gives, or it is not what a reader sees."""
    last = released.averages("NVAS").groupby(["model", "framing", "mode"])["value"].mean().unstack()
    wanted = last["reasoning"] - last["zero-shot"]
    found = reasoning_released.contrasts(reasoning_released.pairs(), rounds=20)
    found = found[(found["estimator"] == "file means") & (found["framing"] != "both")]
    found = found.set_index(["model", "framing"])["value"]
    assert found.sort_index().to_numpy() == pytest.approx(wanted.sort_index().to_numpy(), abs=2e-3)
