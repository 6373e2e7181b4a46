"""From the joint EVS/WVS file to value polarity: a made-up file of the true columns, with scores worked out by hand."""

import os

import numpy as np
import pandas as pd
import pyreadstat
import pytest

from whosevalues import UserError
from whosevalues.multicultural import microdata, names, released

with_data = pytest.mark.skipif(
    not os.environ.get("WHOSEVALUES_DATA"), reason="WHOSEVALUES_DATA names no folder with the released files"
)

ITEMS = ["F118", "C001", "C001_01", "D059", "E035", "F028", "E233B", "F063"]
PEOPLE = [
    # cntry_AN, lnge_iso, gwght, pwght, then the items: 10, 3, 5, 4, 10, 8, 10 and 10 points
    ("DK", "da", 1.0, 2.0, 10, 1, 2, 2, 5, 4, 10, -1),
    ("DK", "da", 3.0, 2.0, 5, 2, 3, 3, 6, 5, 0, -2),
    ("DK", "en", 0.5, 2.0, 6, 3, 1, 1, 1, 8, 6, -5),
    ("US", "en", 2.0, 10.0, 6, -4, -4, 4, 10, 1, 5, 10),
    ("US", "es", 1.0, 10.0, -1, 1, -1, -2, -1, -1, -1, 1),
    ("NIR", "en", 1.5, 1.0, 1, 1, 5, 2, 5, 4, 1, 6),
    ("BR", "pt", 1.0, 8.0, 7, 2, -4, 1, 4, 2, 8, 9),
    ("IN", "hi", 1.0, 20.0, 1, 1, 1, 1, 1, 1, 10, 10),
    ("IN", "en", 0.4, 20.0, 10, 3, 5, 4, 10, 8, 1, 1),
]
DENMARK = {
    # weights 2, 6, 1
    "f118": (2 + 1) / 9,  # 10 and 6 are above five
    "c001": 2 / 9,  # the first of three only
    "c001_01": (2 + 1) / 9,  # the middle of five is con
    "d059": (2 + 1) / 9,
    "e035": (2 + 1) / 9,  # turned round: five and less want incomes more equal
    "f028": 2 / 9,
    "e233b": (2 + 1) / 3,  # zero is no answer
}
ENGLISH = {
    # Denmark's third, the US's first, Northern Ireland's, India's second: weights 1, 20, 1.5, 8
    "f118": (1 + 20 + 8) / 30.5,
    "c001": 1.5 / 10.5,
    "c001_01": 1 / 10.5,
    "f063": (20 + 1.5) / 29.5,
}
WORLD = {"f063": (20 + 1.5 + 8 + 20) / (20 + 10 + 1.5 + 8 + 20 + 8), "c001": (2 + 10 + 1.5 + 20) / 56.5}


def joint_file(**changes):
    """All columns that the joint file has for us, in its spelling, and two that we do not want."""
    table = pd.DataFrame(PEOPLE, columns=[*microdata.NEEDED, *ITEMS])
    rest = [item for item in microdata.codebook()["item"] if item not in ITEMS]
    missing = pd.DataFrame(-4, index=table.index, columns=rest)
    return pd.concat([table, missing, table[["gwght"]].set_axis(["E028"], axis=1)], axis=1).assign(A001=1, **changes)


def written(table, folder, kind):
    file = folder / f"joint.{kind}"
    labels = {"F118": {1: "Never", 10: "Always"}, "C001": {1: "Agree", 2: "Disagree", 3: "Neither"}}
    labels = {name: labels[name] for name in labels if name in table}
    if kind == "csv":
        table.to_csv(file, index=False)
    elif kind == "sav":
        pyreadstat.write_sav(table, str(file), variable_value_labels=labels, missing_ranges={"F118": [-1]})
    else:
        pyreadstat.write_dta(table, str(file), variable_value_labels=labels)
    return file


def scores(truth, level, group):
    rows = truth[(truth["level"] == level) & (truth["group"] == group)]
    return rows.set_index("question")["human"].to_dict()


@pytest.mark.parametrize("kind", ["csv", "sav", "dta"])
def test_scores_are_those_worked_out_by_hand(tmp_path, kind):
    """A slip in a weight, a recode or a value label would give a user wrong human values in every chapter."""
    truth = microdata.truth(microdata.read(written(joint_file(), tmp_path, kind)))
    assert scores(truth, "country", "DK") == pytest.approx(DENMARK)
    english = scores(truth, "language", "en")
    assert {question: english[question] for question in ENGLISH} == pytest.approx(ENGLISH)
    world = scores(truth, "global", "global")
    assert {question: world[question] for question in WORLD} == pytest.approx(WORLD)
    assert scores(truth, "country", "BR")["e035"] == 1


def test_a_country_speaks_the_language_of_most_weight():
    """RQ2 takes a country for local by this language: India, interviewed mostly in Hindi, is not an English one."""
    table = joint_file()
    people = pd.DataFrame({"country": table["cntry_AN"], "language": table["lnge_iso"], "gwght": table["gwght"]})
    assert microdata.spoken(people).to_dict() == {"BR": "pt", "DK": "da", "IN": "hi", "NIR": "en", "US": "en"}


def test_only_the_papers_languages_unless_asked_for_more(tmp_path):
    """A country too many would enter every bootstrap; asked for, all languages of the file are there."""
    people = microdata.read(written(joint_file(), tmp_path, "csv"))
    truth = microdata.truth(people)
    assert set(truth.loc[truth["level"] == "country", "group"]) == {"BR", "DK", "NIR", "US"}
    assert set(truth.loc[truth["level"] == "language", "group"]) == {"da", "en", "pt"}
    assert truth.loc[truth["level"] == "global", "group_language"].isna().all()
    everything = microdata.truth(people, None)
    assert {"IN", "hi", "es"} <= set(everything["group"])


@pytest.mark.parametrize("kind", ["csv", "sav", "dta"])
def test_names_in_another_case_are_the_same_columns(tmp_path, kind):
    """Stata users often have lower-case names: the file must be read all the same, with only the columns needed."""
    table = joint_file().rename(columns=str.lower if kind != "sav" else str.upper)
    if kind == "sav":
        table = table.rename(columns={"F118": "f118"})
    file = tmp_path / f"joint.{kind}"
    writers = {"csv": lambda t, f: t.to_csv(f, index=False), "sav": pyreadstat.write_sav, "dta": pyreadstat.write_dta}
    writers[kind](table, str(file))
    people = microdata.read(file)
    assert scores(microdata.truth(people), "country", "DK") == pytest.approx(DENMARK)
    assert "e028" not in people and "a001" not in people and people.shape == (9, 4 + 83)


def test_semicolons_and_namibia(tmp_path):
    """The archives also give CSV with semicolons; and NA is a country, not a missing value."""
    table = joint_file()
    table.loc[0, "cntry_AN"] = "NA"
    table.to_csv(tmp_path / "joint.csv", index=False, sep=";", encoding="utf-8-sig")
    assert microdata.read(tmp_path / "joint.csv")["country"].iloc[0] == "NA"


@pytest.mark.parametrize("kind", ["csv", "sav", "dta"])
def test_a_partial_file_says_what_it_lacks(tmp_path, kind):
    """Who took the wrong file must read which columns are missing, which file it should be and where it is had."""
    file = written(joint_file().drop(columns=["pwght", "H011"]), tmp_path, kind)
    with pytest.raises(UserError, match=r"lacks 2 of 87 columns \(pwght, H011\).*worldvaluessurvey.org"):
        microdata.read(file)


def test_files_that_are_something_else_are_named(tmp_path):
    """No traceback of a reader library: a missing, foreign, broken or labelled file is named, with the way out."""
    with pytest.raises(UserError, match="there is no file .*nowhere.csv.*expected is the joint"):
        microdata.read(tmp_path / "nowhere.csv")
    (tmp_path / "joint.zip").write_bytes(b"PK")
    with pytest.raises(UserError, match="unpack"):
        microdata.read(tmp_path / "joint.zip")
    for kind in ("sav", "dta", "csv"):
        (tmp_path / f"broken.{kind}").write_bytes(b"\xff\xfe\x00broken\x9d" * 50)
        with pytest.raises(UserError, match=f"broken.{kind}"):
            microdata.read(tmp_path / f"broken.{kind}")
    joint_file(C001=["Agree"] * len(PEOPLE)).to_csv(tmp_path / "words.csv", index=False)
    with pytest.raises(UserError, match="'Agree' in C001 where a code belongs"):
        microdata.read(tmp_path / "words.csv")
    twice = pd.concat([joint_file(), joint_file()[["C001"]].set_axis(["c001"], axis=1)], axis=1)
    twice.to_csv(tmp_path / "twice.csv", index=False)
    with pytest.raises(UserError, match="differ in case only"):
        microdata.read(tmp_path / "twice.csv")


@pytest.mark.parametrize("kind", ["csv", "sav", "dta"])
def test_a_file_without_respondents_is_named(tmp_path, kind):
    """A header without rows, or with weights of 0 alone, must not end in scores that are missing everywhere."""
    with pytest.raises(UserError, match=f"^joint.{kind} has no respondent: expected is the joint"):
        microdata.read(written(joint_file()[:0], tmp_path, kind))
    for weight in (0.0, -1.0, np.nan):
        with pytest.raises(UserError, match=f"^joint.{kind} has no respondent with a positive weight"):
            microdata.read(written(joint_file(gwght=weight), tmp_path, kind))


@pytest.mark.parametrize("kind", ["csv", "sav", "dta"])
def test_an_empty_file_is_called_empty(tmp_path, kind):
    """A broken download of no bytes must not be answered with a list of 87 columns."""
    file = tmp_path / f"joint.{kind}"
    file.write_bytes(b"")
    with pytest.raises(UserError, match=f"^joint.{kind} is empty: expected is the joint"):
        microdata.read(file)
    if kind == "csv":
        for blank in (b"\xef\xbb\xbf", b"  \n\n", b"\n1,2\n"):
            file.write_bytes(blank)
            with pytest.raises(UserError, match="^joint.csv is empty, or its first line is: expected"):
                microdata.read(file)


def test_a_part_of_the_file_keeps_the_recodes(tmp_path):
    """In a part of the file nobody may give the highest answer: scores must not move, and the report must say so."""
    table = joint_file()
    table.loc[table["F028"] > 5, "F028"] = -1
    table.loc[0, "D059"] = 7
    people = microdata.read(written(table, tmp_path, "csv"))
    report = microdata.check(people).set_index("question")
    assert report.loc[["f028", "d059", "c001", "h011"], "verdict"].tolist() == [
        "lower", "higher", "as the codebook", "no answer",
    ]  # fmt: skip
    assert report.loc["f028", ["maximum", "observed", "n"]].tolist() == [8, 5, 6]
    # Two of the Danes are left: at most the fourth code of eight is in favour, whatever the highest one seen.
    assert scores(microdata.truth(people), "country", "DK")["f028"] == pytest.approx(2 / 8)


def test_respondents_without_a_weight_count_for_nothing(tmp_path):
    """One empty weight must not turn a whole country's scores into missing values."""
    table = joint_file()
    table.loc[1, "pwght"] = np.nan
    people = microdata.read(written(table, tmp_path, "dta"))
    assert scores(microdata.truth(people), "country", "DK")["f118"] == 1


def test_a_second_truth_is_compared_score_by_score():
    """The user with the file learns here whether our pipeline gives the released scores: a gap must show."""
    columns = ["level", "group", "group_language", "question", "human"]
    released_truth = pd.DataFrame(
        [("global", "global", None, "f118", 0.5), ("language", "da", "da", "f118", 0.2)]
        + [("country", "DK", "da", "f118", 0.2)],
        columns=columns,
    )
    own = pd.concat([released_truth, released_truth.tail(1).assign(question="f119")], ignore_index=True)
    own.loc[1, "human"] = 0.5
    table = microdata.beside(own, released_truth).set_index("level")
    assert table["value"].tolist() == pytest.approx([0, 0.3, 0])
    assert table["n"].tolist() == [1, 1, 1] and table["only_own"].tolist() == [0, 0, 1]
    assert table["only_released"].sum() == 0


@with_data
def test_the_items_are_those_of_the_released_truth():
    """The 83 questions of the released ground truth, no more and no fewer, or chapters would lose or invent some."""
    truth = released.read(names.STATES[1])[1]
    table = microdata.codebook()
    assert len(table) == 83 and set(table["question"]) == set(truth["question"])
    assert table["question"].is_unique and table["table1"].sum() == 32
    countries = set(truth.loc[truth["level"] == "country", "group"])
    assert countries == {"AU", "BR", "CA", "DK", "GB", "KE", "NG", "NIR", "NL", "NZ", "PT", "SG", "US"}
    assert set(truth.columns) == {"level", "group", "group_language", "question", "human"}


@with_data
def test_three_and_five_answers_to_one_question_agree_in_the_released_truth():
    """C001 is C001_01 in three answers: with our reading of both scales the released scores must coincide."""
    truth = released.read(names.STATES[1])[1]
    wide = truth[truth["level"] == "country"].pivot(index="group", columns="question", values="human")
    for question in ("c001", "c002"):
        both = wide[[question, f"{question}_01"]].dropna()
        assert len(both) == 10
        assert both[question].to_numpy() == pytest.approx(both[f"{question}_01"].to_numpy(), abs=1e-6)


@with_data
def test_scales_are_those_of_the_released_list_of_items():
    """A wrong maximum flips who is in favour: where another release lists WVS-7 items, the scales must be the same."""
    from whosevalues import data

    sheet = pd.read_excel(data.load("mena/MenaValues_Benchmark.xlsx"), header=None, index_col=0).T
    listed = sheet[sheet["Source"].astype(str).str.startswith("WVS")]
    maximum = dict(zip(listed["Sub Question"].str.split(":").str[0], listed["MAX"], strict=True))
    table = microdata.codebook().set_index("question")
    found = table[table["wvs7"].isin(maximum)]
    differ = found[found["maximum"] != found["wvs7"].map(maximum)]
    assert len(found) == 80 and set(differ.index) == {"f028", "e263", "e264"}
    assert (differ["basis"] == "released scores").all()
    assert set(table.index[table["basis"] == "questionnaire"]) == set(table.index) - set(found.index)
