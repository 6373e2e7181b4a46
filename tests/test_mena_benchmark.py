"""The benchmark workbook: read without trust, its defects found and counted, its people described."""

import os

import numpy as np
import openpyxl
import pandas as pd
import pytest

from whosevalues import UserError
from whosevalues.mena import defect_effects, distributions, quality, workbook

with_data = pytest.mark.skipif(
    not os.environ.get("WHOSEVALUES_DATA"), reason="WHOSEVALUES_DATA names no folder with the released files"
)

HEAD = ["Source", "Sub Question", "Min", "MAX", "Scale", "Category", "Sub Category", "Full Question"]
WVS = [
    "WVS 7",
    "Q1: Family",
    1,
    4,
    "y",
    "SOCIAL",
    "Values",
    "How important? With '1' being 'Very' and '4' being 'Not'.",
]
AOI = ["The 2022 Arab Opinion Index", None, 1, 3, "n", "GOVERNANCE", "State", "Which one? 1: This, 2: That, 3: Other"]


def written(folder, columns, countries=("Egypt", "Iran"), head=HEAD):
    """A workbook of the released form: per question its head and a cell per country."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Questions"
    for place, name in enumerate([*head, *countries]):
        sheet.append([name, *(column[place] for column in columns)])
    file = folder / "small.xlsx"
    book.save(file)
    return file


def both(folder, *columns, **how):
    return workbook.read(written(folder, columns, **how))


def test_a_small_workbook_by_hand(tmp_path):
    """Everything rests on these two tables: a mean, a mode, and options whichever way they are written."""
    asked, cells = both(
        tmp_path,
        [*WVS, "(1.5, {'1': '50.00%', '2': '50.00%'})", None],
        [*AOI, "(3.0, {'3.0': '66.67%', '1.0': '33.33%'})", "(No data, {})"],
    )
    assert asked[["question", "source", "item", "low", "high", "scale"]].values.tolist() == [
        ["1", "WVS", "Q1", 1, 4, "ordinal"],
        ["2", "AOI", asked.loc[1, "item"], 1, 3, "nominal"],
    ]
    assert asked["item"].isna().tolist() == [False, True]
    assert cells[["question", "country", "note"]].values.tolist() == [
        ["1", "EG", ""],
        ["2", "EG", ""],
        ["2", "IR", "No data"],
    ]
    people = workbook.people(asked, cells)
    assert people["option"].tolist() == ["1", "2", "3", "4", "1", "2", "3"]
    assert people["probability"].tolist() == pytest.approx([0.5, 0.5, 0, 0, 1 / 3, 0, 2 / 3], abs=1e-4)
    assert people.groupby(["question", "country"])["probability"].sum().tolist() == pytest.approx([1, 1], abs=1e-12)


@pytest.mark.parametrize(
    ("label", "item"),
    [("Q33: Jobs", "Q33"), ("Q33_3: Jobs", "Q33_3"), ("Q82_EU: Confidence", "Q82_EU"), ("MENA_16B: Needy", "MENA_16B")],
)
def test_variants_of_a_question_keep_their_own_number(tmp_path, label, item):
    """Q33 and Q33_3 are two questions: under one number the survey's file would be held against the wrong one."""
    asked, _ = both(tmp_path, [WVS[0], label, *WVS[2:], "(1.0, {'1': '100%'})", None])
    assert asked["item"].tolist() == [item]


MALICIOUS = [
    "__import__('pathlib').Path('{trap}').write_text('ran')",
    "(1.0, __import__('pathlib').Path('{trap}').write_text('ran'))",
    "(1.0, {'1': open('{trap}', 'w').write('ran')})",
    "[" * 3000 + "]" * 3000,
    "[" * 2000,
    "-" * 4000 + "1",
    "(1.0, " * 700 + ")" * 700,
    "(9**9**9, {'1': '100%'})",
    "(" + "9" * 3900 + ", {'1': '100%'})",
    "(1e999, {'1': '100%'})",
    "(True, {'1': '100%'})",
    "('1', {'1': '100%'})",
    "(1.0, {})",
    "(1.0, {'1': '100'})",
    "(1.0, {'1': '1e2%'})",
    "(1.0, {'1': '101%'})",
    "(1.0, {'1': '-1%'})",
    "(1.0, {'1': '0%'})",
    "(1.0, {'one': '100%'})",
    "(1.0, {1: '100%'})",
    "(1.0, {'1.5': '100%'})",
    "(1.0, {'1': '50%', '1.0': '50%'})",
    "(1.0, [('1', '100%')])",
    "(1.0, {'1': '100%'}, 2)",
    "(No data, {'1': '100%'})",
    "1.0",
    "(1.0; {'1': '100%'})",
    "x" * 6000,
]


@pytest.mark.parametrize("text", MALICIOUS)
def test_a_malformed_cell_is_refused_and_named_and_nothing_runs(tmp_path, text):
    """It comes from strangers: its cells must never run, nor crash the reader, and the bad one must be named."""
    trap = tmp_path / "trap"
    bad = text.replace("{trap}", str(trap))
    good = [*WVS, "(1.0, {'1': '100%'})", "(1.0, {'1': '100%'})"]
    with pytest.raises(UserError, match=r"small\.xlsx, sheet 'Questions', row 10, column C: ") as told:
        both(tmp_path, good, [*AOI, "(1.0, {'1.0': '100%'})", bad])
    assert not trap.exists()
    assert len(str(told.value)) < 300


@pytest.mark.parametrize(
    ("place", "value", "where", "why"),
    [
        (0, "Gallup", "row 1, column B", "none of"),
        (2, "one", "row 3, column B", "no whole number"),
        (3, 1.5, "row 4, column B", "no whole number"),
        (3, 1, "row 4, column B", "not above Min"),
        (3, 10**9, "row 4, column B", "more than 100 options"),
        (4, "x", "row 5, column B", "none of"),
        (7, " ", "row 8, column B", "text is missing"),
    ],
)
def test_a_malformed_question_names_its_place(tmp_path, place, value, where, why):
    """Without the place nobody finds one bad cell among twenty thousand; a huge range must not fill the memory."""
    column = [*WVS, "(1.0, {'1': '100%'})", None]
    column[place] = value
    with pytest.raises(UserError, match=rf"sheet 'Questions', {where}: .*{why}"):
        both(tmp_path, column)


def test_a_wrong_row_is_named(tmp_path):
    """A row that moved, an unknown country or one that stands twice would give people the answers of others."""
    column = [*WVS, "(1.0, {'1': '100%'})", None]
    with pytest.raises(UserError, match="row 4, column A: 'MAX' was expected, 'Max' stands there"):
        both(tmp_path, column, head=[*HEAD[:3], "Max", *HEAD[4:]])
    with pytest.raises(UserError, match="row 10, column A: 'Atlantis' is none of"):
        both(tmp_path, column, countries=("Egypt", "Atlantis"))
    with pytest.raises(UserError, match="row 10, column A: Egypt stands twice"):
        both(tmp_path, column, countries=("Egypt", "Egypt"))
    empty = openpyxl.Workbook()
    empty.save(tmp_path / "empty.xlsx")
    with pytest.raises(UserError, match="row 1, column A: 'Source' was expected"):
        workbook.read(tmp_path / "empty.xlsx")
    (tmp_path / "no.xlsx").write_bytes(b"PK nothing")
    with pytest.raises(UserError, match="no.xlsx is no workbook that can be read"):
        workbook.read(tmp_path / "no.xlsx")


SICK = {
    "healthy": [*WVS, "(1.5, {'1': '50.00%', '2': '50.00%'})", "(1.0, {'1': '100.00%'})"],
    "no data": [*AOI[:7], "Which? 1: This, 2: That, 3: Other", "(No data, {})", None],
    "zero": [
        *AOI[:2], 1, 3, "y", *AOI[5:7], "How good? 0: No such thing, 1: Good, 2: So-so, 3: Bad",
        "(0.4, {'0.0': '60.00%', '1.0': '40.00%'})", "(No values <= 3, {})",
    ],
    "cut off": [*AOI[:7], "Which of them? 1: This, 2: That, ", "(3.0, {'3.0': '60.00%', '1.0': '40.00%'})", None],
    "second": [*AOI[:7], "Which is the second? 1: A, 2: B, 3: C", "(1.0, {'2.0': '50.00%', '1.0': '50.00%'})", None],
    "wrong mean": [*WVS[:4], "s", *WVS[5:7], "How? 1: Well, 4: Badly", "(2.0, {'1': '60.00%', '2': '30.00%'})", None],
}  # fmt: skip


def test_every_defect_is_found_where_it_was_put(tmp_path):
    """A detector that misses its defect would let a reader trust a cell that is wrong."""
    found = quality.defects(*both(tmp_path, *SICK.values()))
    names = dict(zip(map(str, range(1, 7)), SICK, strict=True))
    sick = {d: [names[q] for q in rows["question"]] for d, rows in found.groupby("defect")}
    assert sick["no country has data"] == ["no data"]
    assert sick["option 0 among the shares, Min is 1"] == ["zero"]
    assert sick["numbers in the text are not Min to MAX"] == ["zero", "cut off"]
    assert sick["no list '1:' or '1)' in the text"] == ["healthy"]
    assert sick["an option without wording that people chose"] == ["healthy", "cut off", "wrong mean"]
    assert sick["list of options breaks off"] == ["cut off"]
    assert sick["second or third answer, the first not given"] == ["second"]
    assert sick["scale 's' for 'y'"] == ["wrong mean"]
    assert sick["cell says 'No data'"] == ["no data"]
    assert sick["cell says 'No values <= MAX'"] == ["zero"]
    assert sick["options written '1.0'"] == ["zero", "cut off", "second"]
    assert sick["options not in the order of the scale"] == ["cut off", "second"]
    assert sick["an option outside Min to MAX"] == sick["the mean lies outside Min to MAX"] == ["zero"]
    assert sick["several modes, one printed"] == ["second"]
    assert sick["centre is not the mean or mode of the shares"] == ["wrong mean"]
    assert sick["shares do not add up to 100"] == ["wrong mean"]
    counted = quality.report(*both(tmp_path, *SICK.values())).set_index(["defect", "by", "group"])
    assert counted.loc[("options written '1.0'", "source", "AOI"), "value"] == 3
    assert counted.loc[("list of options breaks off", "all", "all"), ["value", "n"]].tolist() == [1, 6]


def test_effects_by_hand(tmp_path):
    """What a defect does to the score decides whether a reader must care."""
    table = defect_effects.effects(*both(tmp_path, *SICK.values())).set_index("effect")
    # Without option 0 the mean is 1, not 0.4; the range is 2.
    assert table.loc["option 0: NVAS that h moves without it", "value"] == pytest.approx(0.3)
    assert table.loc["mean outside Min to MAX: best NVAS of any answer", "value"] == pytest.approx(0.7)
    assert table.loc["mean outside Min to MAX: worst NVAS of any answer", "value"] == pytest.approx(-0.3)
    assert table.loc["two modes, one printed: NVAS between them", "value"] == pytest.approx(0.5)
    # 0.6 of one cell's people; of the last, whose list has the ends only, the mean is 0.667 too high, of 3.
    assert table.loc["|mean of the shares - printed mean| / range", "most"] == pytest.approx((2 - 4 / 3) / 3)
    assert table.loc["option missing from the list: share of people who chose it", "most"] == pytest.approx(0.6)


def test_an_answer_outside_the_order_is_weighed(tmp_path):
    """'Disagree with both' as the fifth of five points pulls a mean towards an end that means nothing."""
    text = "Which is closest? 1: This, 2: That, 5: Disagree with both statements"
    cell = "(2.4, {'1': '40.00%', '2': '30.00%', '5': '30.00%'})"
    column = [*AOI[:2], 1, 6, "y", *AOI[5:7], text, cell, None]
    table = defect_effects.effects(*both(tmp_path, column)).set_index("effect")
    # 2.5 with it, 1 / 0.7 without; one of five steps of the range is empty.
    moved = table.loc["answer outside the order: NVAS that h moves without it", "value"]
    assert moved == pytest.approx((2.5 - 1 / 0.7) / 5)
    assert table.loc["MAX that nobody chose: empty end of the range, share", "value"] == pytest.approx(0.2)


def shares(counts):
    return {str(k): round(100 * count / sum(counts), 2) for k, count in enumerate(counts, start=1)}


def test_shares_of_whole_people_are_told_from_weighted_ones():
    """If the authors had weighted, a user who rebuilds the benchmark without weights would get other people."""
    random = np.random.default_rng(1)
    asked = pd.DataFrame({"question": ["1", "2"], "source": ["WVS", "AOI"], "category": "c", "scale": "ordinal"})
    asked = asked.assign(low=1, high=12, text="t", marked="y", subcategory="s")
    whole = [("1", "EG", 4.0, shares(random.multinomial(907, [1 / 12] * 12)), "") for _ in range(3)]
    weighted = [("2", "EG", 4.0, shares(random.dirichlet(np.ones(12) * 9)), "") for _ in range(3)]
    cells = pd.DataFrame(whole + weighted, columns=["question", "country", "centre", "shares", "note"])
    table = defect_effects.whole_counts(asked, cells).set_index("source")
    assert table.loc["WVS", ["value", "n"]].tolist() == [1, 3] and table.loc["AOI", "value"] == 0
    assert table.loc["WVS", "respondents"] == 907


PEOPLE = pd.DataFrame(
    [(q, "WVS", "c", "ordinal", c, float(k) / 2, p) for q, c, ps in [
        ("1", "EG", (1, 0, 0)), ("1", "IR", (0, 0, 1)), ("2", "EG", (0.5, 0, 0.5)), ("2", "IR", (0.5, 0, 0.5)),
    ] for k, p in enumerate(ps)],
    columns=["question", "source", "category", "scale", "country", "position", "probability"],
)  # fmt: skip


def test_spread_distance_and_entropy_by_hand():
    """How much a country matters is the yardstick of every later chapter."""
    spread = distributions.spread(PEOPLE, rounds=10).set_index("category")
    # All of the variance of one question lies between the countries, none of the other's.
    assert spread.loc["all", ["value", "n"]].tolist() == [0.5, 2]
    table = distributions.countries(PEOPLE, rounds=10).set_index(["country", "measure"])["value"]
    assert table["EG", "distance"] == pytest.approx((1 + 0) / 2)
    assert table["IR", "entropy"] == pytest.approx((0 + np.log(2) / np.log(3)) / 2)
    assert table["EG", "largest share"] == pytest.approx((1 + 0.5) / 2)
    nominal = distributions.distances(PEOPLE.assign(scale="nominal"))
    assert nominal["value"].tolist() == [1, 0]


def test_only_questions_that_all_countries_answered_are_compared(tmp_path):
    """Otherwise countries would differ because they were asked different things."""
    asked, cells = both(tmp_path, SICK["healthy"], SICK["zero"])
    shared = distributions.shared(asked, workbook.people(asked, cells))
    assert set(shared["question"]) == {"1", "2"}  # Egypt alone answered the second survey
    zero = shared[shared["question"] == "2"]
    assert zero["option"].tolist() == ["1", "2", "3"] and zero["probability"].tolist() == [1, 0, 0]


@with_data
def test_the_released_workbook_has_the_known_defects():
    """The counts that the chapter prints, against those found independently when the data was first looked at."""
    asked, cells = workbook.read()
    assert len(asked) == 864 and len(cells) == 10397 and cells["shares"].map(bool).sum() == 9051
    found = quality.defects(asked, cells)["defect"].value_counts()
    expected = {
        "no country has data": 3,
        "option 0 among the shares, Min is 1": 5,
        "no list '1:' or '1)' in the text": 289,
        "scale 's' for 'y'": 1,
        "cell says 'No data'": 1333,
        "cell says 'No values <= MAX'": 13,
    }
    assert {defect: found[defect] for defect in expected} == expected
    report = quality.report(asked, cells).set_index(["defect", "by", "group"])["value"]
    assert report["numbers in the text are not Min to MAX", "source", "AOI"] == 15
    assert "centre is not the mean or mode of the shares" not in found


@with_data
def test_the_released_workbook_covers_what_it_says():
    """NVAS never stands without its coverage: these are the denominators."""
    asked, cells = workbook.read()
    table = distributions.coverage(asked, cells).set_index(["source", "category", "country"])
    assert table.loc[("WVS", "all", "all"), ["n", "filled", "usable"]].tolist() == [291 * 9, 2375, 2375]
    assert table.loc[("AOI", "all", "all"), ["n", "filled", "usable"]].tolist() == [573 * 14, 8022, 6676]
    assert table.loc[("AOI", "all", "DZ"), "usable"] == 453
    sizes = distributions.sizes(asked, cells).set_index("measure")["value"]
    assert sizes["answers of 7 models, every question in every country"] == 14 * (864 * 16 * 4 + 864 * 4)
    # Neutral prompts are asked once per question and language of those who answered: 861 in English, 1364 others.
    assert sizes["answers of 7 models, where people answered"] == 14 * (9051 * 4 + 861 + 1364)
    assert sizes[["languages of the prompts", "conditions", "conditions and modes"]].tolist() == [4, 6, 12]
    people = workbook.people(asked, cells)
    assert people.groupby(["question", "country"])["probability"].sum().sub(1).abs().max() < 1e-9
    assert people["option"].str.fullmatch(r"\d+").all()
