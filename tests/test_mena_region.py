"""The benchmark of any region: a made-up file of the true columns, with shares worked out by hand."""

import os

import pandas as pd
import pyreadstat
import pytest

from whosevalues import UserError, microdata_file, prompts
from whosevalues.mena import nvas, region, region_example, region_prompts, workbook

with_data = pytest.mark.skipif(
    not os.environ.get("WHOSEVALUES_DATA"), reason="WHOSEVALUES_DATA names no folder with the released files"
)

PEOPLE = [
    # B_COUNTRY_ALPHA, W_WEIGHT, Q1 (1 to 4), Q94 (0 to 2), Q152 (nominal, 1 to 4), Q260
    ("KEN", 1.0, 1, 0, 3, 1),
    ("KEN", 2.0, 2, 2, 3, 2),
    ("KEN", 0.5, 4, -1, 1, 1),
    ("KEN", 4.0, -2, -5, 2, 2),
    ("NGA", 1.5, 3, 1, -4, 1),
    ("NGA", 0.0, 1, 0, 4, 1),
    ("NGA", 0.5, 9, 2, -4, 2),
    ("USA", 1.0, 1, 1, 1, 1),
]
COLUMNS = [*region.NEEDED, "Q1", "Q94", "Q152", "Q260"]
ASKED = pd.DataFrame(
    [
        ("Q1", 1, 4, "ordinal", "How important is it? With '1' being 'Very' and '4' being 'Not at all'."),
        ("Q94", 0, 2, "ordinal", "Are you a member? 0: No, 1: Inactive, 2: Active"),
        ("Q152", 1, 4, "nominal", "Which one? 1: This, 2: That, 3: Another, 4: None"),
    ],
    columns=["item", "low", "high", "scale", "text"],
)


def survey():
    return pd.DataFrame(PEOPLE, columns=COLUMNS).assign(version="6-0-0", B_COUNTRY=404)


def written(folder, kind="csv", table=None):
    file, table = folder / f"wave7.{kind}", survey() if table is None else table
    labels = {"Q1": {1: "Very important", -2: "No answer"}}
    if kind == "csv":
        table.to_csv(file, index=False)
    elif kind == "sav":
        pyreadstat.write_sav(table, str(file), variable_value_labels=labels, missing_ranges={"Q1": [-2]})
    else:
        pyreadstat.write_dta(table, str(file), variable_value_labels=labels)
    return file


def built(file, weighted=True):
    asked = region.questions(ASKED)
    return region.benchmark(region.read(file, ["KE", "NGA"], asked["item"]), asked, weighted)


@pytest.mark.parametrize("kind", ["csv", "sav", "dta"])
def test_weighted_shares_are_those_worked_out_by_hand(tmp_path, kind):
    """A slip in a weight or a missing code would give a region other people than it has."""
    asked, cells = built(written(tmp_path, kind))
    assert list(cells.columns) == ["question", "country", "centre", "shares", "note"]
    found = cells.set_index(["question", "country"])
    weights = {"1": 1 / 3.5, "2": 2 / 3.5, "4": 0.5 / 3.5}
    assert found.loc[("Q1", "KE"), "shares"] == pytest.approx({k: 100 * v for k, v in weights.items()})
    assert found.loc[("Q1", "KE"), "centre"] == pytest.approx((1 * 1 + 2 * 2 + 4 * 0.5) / 3.5)
    # Nobody but one Nigerian with a weight gave an answer that the question has.
    assert found.loc[("Q1", "NG"), "shares"] == pytest.approx({"3": 100})
    assert found.loc[("Q94", "KE"), "shares"] == pytest.approx({"0": 100 / 3, "2": 200 / 3})
    # Weights 3 for the third aim, 4 for the second: the mode goes by weight.
    assert found.loc[("Q152", "KE"), "centre"] == 2
    assert (found.loc[("Q152", "NG"), "shares"], found.loc[("Q152", "NG"), "note"]) == ({}, "No data")
    people = workbook.people(asked, cells)
    assert list(people.columns) == ["question", "country", "option", "probability"]
    assert people.groupby(["question", "country"])["probability"].sum().tolist() == pytest.approx([1] * 5)
    member = people[(people["question"] == "Q94") & (people["country"] == "KE")]
    assert member["option"].tolist() == ["0", "1", "2"]


def test_without_weights_everybody_with_one_counts_alike(tmp_path):
    """The workbook's shares are unweighted: only so can the two be compared."""
    _, cells = built(written(tmp_path), weighted=False)
    found = cells.set_index(["question", "country"])["shares"]
    assert found["Q1", "KE"] == pytest.approx({"1": 100 / 3, "2": 100 / 3, "4": 100 / 3})
    assert found["Q152", "KE"] == pytest.approx({"1": 25, "2": 25, "3": 50})


def test_answers_outside_the_range_are_reported(tmp_path):
    """A wrong range, or another file, must show before anybody trusts the shares."""
    asked = region.questions(ASKED)
    table = region.check(region.read(written(tmp_path), ["KE", "NG"], asked["item"]), asked).set_index("question")
    assert table["outside"].to_dict() == {"Q1": 1, "Q94": 0, "Q152": 0}
    assert table.loc["Q1", ["n", "most"]].tolist() == [6, 9]


def test_what_is_missing_is_named(tmp_path):
    """A user must learn which column or country to look for, and where the file can be had."""
    file = written(tmp_path)
    with pytest.raises(UserError, match=r"lacks 2 of 5 columns \(Q7, Q8\): .*worldvaluessurvey.org"):
        region.read(file, "KE", ["Q1", "Q7", "Q8"])
    with pytest.raises(UserError, match="nobody with a weight in ZW: it has KE, NG, US"):
        region.read(file, ["KE", "ZW"], ["Q1"])
    with pytest.raises(UserError, match=r"unknown country 'Kenya': wave 7 has .* \(Kenya is KE\)"):
        region.read(file, "Kenya", ["Q1"])
    with pytest.raises(UserError, match="no country"):
        region.read(file, [], ["Q1"])
    with pytest.raises(UserError, match=r"lacks 1 of 3 columns \(W_WEIGHT\)"):
        region.read(written(tmp_path, table=survey().drop(columns="W_WEIGHT")), "KE", ["Q1"])
    with pytest.raises(UserError, match="there is no file"):
        region.read(tmp_path / "no.csv", "KE", ["Q1"])
    words = survey().astype({"Q1": object})
    words.loc[0, "Q1"] = "Very important"
    with pytest.raises(UserError, match="'Very important' in Q1 where a code belongs"):
        region.read(written(tmp_path, table=words), "KE", ["Q1"])


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"low": 4}, "low 4 and high 4"),
        ({"low": 1.5}, "whole numbers"),
        ({"high": 10**9}, "no more than 100 apart"),
        ({"scale": "y"}, "none of ordinal, nominal"),
        ({"text": None}, "its text is missing"),
    ],
)
def test_a_table_of_questions_that_makes_no_sense_is_refused(change, why):
    """The user writes this table: an error must name the question."""
    with pytest.raises(UserError, match=rf"question 'Q1' of the table: .*{why}"):
        region.questions(ASKED.assign(**change))
    with pytest.raises(UserError, match="lacks text"):
        region.questions(ASKED.drop(columns="text"))
    with pytest.raises(UserError, match="'Q1' stands twice"):
        region.questions(pd.concat([ASKED, ASKED]))


def test_the_persona_speaks_of_the_region(tmp_path):
    """A model must be asked about Kenya in the same words as about Egypt, and a missing nationality must be named."""
    asked, cells = built(written(tmp_path))
    grid = region_prompts.requests(asked, cells)
    # Two neutral prompts too few would be a question lost; nobody in Nigeria answered Q152.
    assert grid.groupby("framing").size().to_dict() == {"neutral": 3, "observer": 5, "persona": 5}
    texts = grid.set_index(["framing", "question", "country"])["prompt"]
    assert texts["persona", "Q94", "KE"].startswith("Imagine you are an average Kenyan person")
    assert texts["persona", "Q94", "KE"].endswith(grid.query("question == 'Q94'")["prompt"].iloc[0])
    assert "2. Active" in texts["observer", "Q94", "NG"]
    own = region_prompts.requests(asked, cells, ["persona"], nationalities={"KE": "Nairobi"})
    assert own["prompt"].str.contains("average Nairobi person").any()
    question = region_prompts.wording.as_question(asked.iloc[0].to_dict())
    with pytest.raises(UserError, match="no nationality for 'XX'"):
        region_prompts.prompt(question, "persona", "XX")
    with pytest.raises(UserError, match="unknown framing 'voter'"):
        region_prompts.prompt(question, "voter", "KE")


def test_the_regions_words_are_those_of_the_other_chapters():
    """Two spellings of one country's people would make two prompts of one."""
    table = region.places().set_index("country")["nationality"]
    ours = {country: word for country, word in prompts.NATIONALITIES["en"].items() if country in table}
    assert table[list(ours)].to_dict() == ours
    assert len(table) == 66 and table.index.is_unique and region.places()["alpha3"].is_unique


def test_an_answer_is_scored_against_the_regions_people(tmp_path):
    """From file to score: an answer at Kenya's mean gets all points, and the neutral one counts for both."""
    asked, cells = built(written(tmp_path))
    grid = region_prompts.requests(asked, cells, ["neutral", "persona"])
    sure = [tuple(1.0 if o == "2" else 0.0 for o in options) for options in grid["options"]]
    answered = grid.assign(model="m", probability=sure, missing_mass=0.0, measurement="logprob", error=None)
    scored = region_prompts.score(answered, asked, cells)
    found = scored.set_index(["framing", "question", "country"])["nvas"]
    assert [found[framing, "Q1", "KE"] for framing in ("persona", "neutral")] == pytest.approx([1, 1])
    assert found["neutral", "Q1", "NG"] == pytest.approx(1 - 1 / 3)
    assert found["persona", "Q94", "KE"] == pytest.approx(1 - (2 - 4 / 3) / 2)
    assert set(nvas.nvas_table(scored)["country"]) == {"KE", "NG"}


def test_the_banks_questions_need_no_other_file(tmp_path):
    """Without the workbook a reader still has questions to ask a region: the book's own wording."""
    asked = region.questions(region_example.bank())
    file = tmp_path / "made.csv"
    region_example.made_up(asked, ["KE", "PRI"], n=60).to_csv(file, index=False)
    people = region.read(file, ["KE", "PR"], asked["item"])
    assert region.check(people, asked)["outside"].sum() == 0
    _, cells = region.benchmark(people, asked)
    assert len(cells) == 2 * len(asked) and cells["shares"].map(bool).all()


def test_a_region_can_be_asked_about_without_its_people(tmp_path):
    """A long run on a cluster must not wait for the survey's file; with it, nothing unanswered is asked."""
    grid = region_prompts.experiment("KE,NGA", framings="persona")
    bank = region_example.bank()
    assert grid.groupby("country").size().to_dict() == {"KE": len(bank), "NG": len(bank)}
    ASKED.to_csv(tmp_path / "own.csv", index=False)
    file = written(tmp_path)
    own = region_prompts.experiment(["KE", "NG"], str(tmp_path / "own.csv"), "persona", microdata=str(file))
    assert own[["country", "question"]].to_numpy().tolist().count(["NG", "Q152"]) == 0 and len(own) == 5
    with pytest.raises(UserError, match="no questions in 'mine.csv'"):
        region_prompts.experiment("KE", "mine.csv")
    reasoned = region_prompts.experiment("KE", framings="neutral", modes="reasoning")
    assert set(reasoned["kind"]) == {"generate"} and reasoned["decoding"].notna().all()


def test_semicolons_case_and_namibia(tmp_path):
    """What spreadsheets make of the file must be read all the same, and NA is a country."""
    table = survey().rename(columns=str.lower)
    table.loc[7, "b_country_alpha"] = "NA"
    file = tmp_path / "semi.csv"
    table.to_csv(file, sep=";", index=False)
    found = microdata_file.read(file, ["B_COUNTRY_ALPHA", "Q1"], words=["B_COUNTRY_ALPHA"], expected="a survey")
    assert found["B_COUNTRY_ALPHA"].tolist()[-1] == "NA" and found["Q1"].tolist()[0] == 1
    with pytest.raises(UserError, match="empty"):
        (tmp_path / "none.csv").write_text("")
        microdata_file.read(tmp_path / "none.csv", ["Q1"], expected="a survey")


@with_data
def test_people_drawn_up_from_the_workbook_give_the_workbook_back(tmp_path):
    """The whole way on real figures: written as respondents, read, counted, they must be the workbook's again."""
    asked, cells = workbook.read()
    people = workbook.people(asked, cells).merge(asked[["question", "item"]], on="question")
    people = people[people["item"].str.startswith("Q", na=False) & (people["country"] == "EG")]
    file = tmp_path / "drawn.csv"
    region_example.drawn_up(people.assign(question=people["item"]), n=1000).to_csv(file, index=False)
    found = region.read(file, "EG")
    assert {*found.attrs["lacking"]} == {*region.questions()["item"]} - {*people["item"]}
    table = region.beside(region.benchmark(found, region.questions(), weighted=False)[1])
    assert table["country"].tolist() == ["EG"] and table["largest"].iloc[0] <= 0.0011
    assert table["cells"].iloc[0] == people["item"].nunique()
