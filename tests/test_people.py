"""What people think: correlations, self-consistency of ten people and Table 1, by hand, by numpy and on the print."""

import os
from itertools import product

import numpy as np
import pandas as pd
import pytest

from whosevalues.multicultural import asked, live, names, people, released
from whosevalues.multicultural import people_consistency as ten

with_data = pytest.mark.skipif(
    not os.environ.get("WHOSEVALUES_DATA"), reason="WHOSEVALUES_DATA names no folder with the released files"
)


@pytest.fixture(scope="module")
def truth():
    return released.read(names.STATES[1])[1]


@pytest.fixture(scope="module")
def prompts():
    return asked.prompted()


def respondents(shares, rng, size=600, weights=None):
    """A survey of one country, as the joint file would be read: only two questions differ from 'no answer'."""
    from whosevalues.multicultural import microdata

    table = pd.DataFrame(np.nan, index=range(size), columns=list(microdata.codebook()["question"]))
    for question, share in shares.items():
        table[question] = np.where(rng.random(size) < share, 10, 1)
    weight = np.ones(size) if weights is None else weights
    return table.assign(country="DK", language="da", gwght=1.0, weight=weight)


def test_correlations_are_those_of_pandas_with_gaps():
    """Questions that one country lacks must drop out of its pairs only, as in the figure: else every pair is off."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.random((30, 4)))
    table.iloc[:5, 1], table.iloc[3:9, 2] = np.nan, np.nan
    counts = np.array([np.ones(30), rng.multinomial(30, np.ones(30) / 30)])
    own = people.correlation_matrices(counts, table.to_numpy())
    assert own[0] == pytest.approx(table.corr().to_numpy())
    resampled = table.loc[np.repeat(np.arange(30), counts[1].astype(int))]
    assert own[1] == pytest.approx(resampled.corr().to_numpy())


def test_pairs_are_counted_where_they_lie():
    """The caption's 'most' is a count: three countries with correlations of 1, .8 and .8 must give it by hand."""
    a, c = np.array([-1.0, 0, 1, 0]), np.array([-0.8, -0.6, 0.8, 0.6])
    levels = {"country": {"AU": a, "BR": a * 0.5 + 1, "CA": c}, "language": {"en": a}, "global": {"global": a}}
    rows = [
        {"level": level, "group": group, "group_language": None, "question": f"q{k}", "human": value}
        for level, groups in levels.items()
        for group, values in groups.items()
        for k, value in enumerate(values)
    ]
    prompts = pd.DataFrame({"en": 1}, index=[f"q{k}" for k in range(4)])
    table = people.pairs(pd.DataFrame(rows), prompts, rounds=5).set_index(["questions", "groups", "term"])
    value, n = table["value"]["all", "countries"], table["n"]["all", "countries"]
    assert (n == 3).all() and (table["n"]["all", "countries and world"] == 6).all()
    assert value[["positive", ".7 to .95", "above .95", "below .7", "share less half"]].tolist() == pytest.approx(
        [1, 2 / 3, 1 / 3, 0, 1 / 6]
    )
    assert value[["lowest", "middle", "highest"]].tolist() == pytest.approx([0.8, 0.8, 1])


def test_all_pairs_are_all_pairs():
    """The authors pair a draw with itself, too: leaving it out, or pairing across questions, is another figure."""
    draws = np.random.default_rng(1).random((6, 4)) + np.arange(4) / 3
    pairs = [(draws[i, q], draws[j, q]) for q in range(4) for i, j in product(range(6), repeat=2)]
    assert ten.all_pairs(draws) == pytest.approx(np.corrcoef(np.array(pairs).T)[0, 1])
    different = [(draws[i, q], draws[j, q]) for q in range(4) for i, j in product(range(6), repeat=2) if i != j]
    r = np.corrcoef(np.array(different).T)[0, 1]
    assert ten.all_pairs(draws) == pytest.approx((1 + 5 * r) / 6)
    draws[0, 0] = np.nan
    pairs = [
        (draws[i, q], draws[j, q])
        for q in range(4)
        for i, j in product(range(6), repeat=2)
        if not np.isnan(draws[i, q] + draws[j, q])
    ]
    assert ten.all_pairs(draws) == pytest.approx(np.corrcoef(np.array(pairs).T)[0, 1])


def test_ten_are_drawn_of_those_who_answered_and_weighed():
    """Ten answers make a survey: those without an answer must not use up places, and weights must count."""
    pro = np.full((40, 3), np.nan)
    pro[:10, 0] = [1] * 4 + [0] * 6
    pro[:4, 1] = [1, 0, 0, 0]
    pro[:, 2] = 0
    weight = np.r_[3.0, np.ones(39)]
    draws = ten.drawn(pro, weight, np.random.default_rng(0))
    assert draws.shape == (100, 3)
    assert draws[:, 0] == pytest.approx((3 + 3) / 12)  # exactly ten answered: every draw is all of them
    assert draws[:, 1] == pytest.approx(3 / 6)  # four answered: all of them
    assert draws[:, 2] == pytest.approx(0)
    draws = ten.drawn(np.r_[np.ones((15, 1)), np.zeros((45, 1))], np.ones(60), np.random.default_rng(0))
    assert set(np.round(draws[:, 0] * 10, 9) % 1) == {0} and draws.mean() == pytest.approx(0.25, abs=0.04)


def test_the_recipe_on_respondents_gives_what_the_closed_form_says():
    """From the microdata, equal weights must give the binomial figure, and unequal ones that of fewer people."""
    rng = np.random.default_rng(3)
    shares = {"f118": 0.9, "f117": 0.05, "f120": 0.6, "e235": 0.95, "f121": 0.3, "f063": 0.5}
    equal = ten.from_microdata(respondents(shares, rng, 3000), rounds=30)
    assert equal["country"].tolist() == ["DK"] and equal["n"].tolist() == [6]
    expected = (1 + 99 * live.human_consistency(shares.values())) / 100
    assert equal["value"].item() == pytest.approx(expected, abs=0.01)
    assert equal["low"].item() < equal["value"].item() < equal["high"].item()
    weights = rng.choice([0.5, 4.0], 3000)
    unequal = ten.from_microdata(respondents(shares, rng, 3000, weights), rounds=30)
    carried = ten.effective_people(rng.choice([0.5, 4.0], (20_000, 10)))
    expected = (1 + 99 * live.human_consistency(shares.values(), carried)) / 100
    assert carried < 7.5
    assert unequal["value"].item() == pytest.approx(expected, abs=0.015)


def test_effective_people_have_the_variance_of_so_many():
    """Kish's number must be the one that predicts how much weighted surveys vary, or the explanation is none."""
    rng = np.random.default_rng(5)
    draws, carried = ten.from_polarity(np.full(400, 0.3), rng, spread=1.0)
    assert draws.var() == pytest.approx(0.3 * 0.7 / carried, rel=0.03)
    draws, carried = ten.from_polarity(np.full(400, 0.3), rng)
    assert carried == pytest.approx(10) and draws.var() == pytest.approx(0.021, rel=0.03)


def test_the_spread_that_is_found_gives_the_number_asked_for():
    """The page says how unequal weights must be: ten people of that spread must be worth the number it started from."""
    rng = np.random.default_rng(6)
    spread = ten.spread_of_weights(7.0, rng)
    assert ten.from_polarity(np.full(400, 0.5), rng, spread)[1] == pytest.approx(7.0, abs=0.1)
    assert ten.spread_of_weights(10.2, rng) == 0


@with_data
def test_the_released_figures_are_the_printed_range(truth, prompts):
    """Sections 3.2 and 4.1 print .66 to .84: the released file must round to it, country by country beside ours."""
    table = ten.table(truth, list(prompts.index), rounds=10)
    ends = table.dropna(subset="printed")
    assert ends["value"].round(2).tolist() == pytest.approx([0.66, 0.84], abs=1e-9)
    wide = table.pivot(index="country", columns="term", values="value").drop(["lowest", "highest"])
    assert len(wide) == 13
    # Draws from polarity alone are the closed form, self-pairs add a hundredth of what is missing to 1.
    assert (wide["ten, different draws"] - wide["closed form"]).abs().max() < 0.01
    assert wide["ten, all pairs"].to_numpy() == pytest.approx((1 + 99 * wide["ten, different draws"]) / 100)
    # Countries in which everybody counts alike show what the recipe gives without weights: the same.
    alike = ["KE", "NG", "NZ", "SG"]
    assert (wide.loc[alike, "ten, all pairs"] - wide.loc[alike, "released"]).abs().max() < 0.01
    assert (wide["ten of unequal weight"] - wide["released"]).abs().max() < 0.01
    assert wide["survey of 1000"].min() > 0.99


@with_data
def test_models_are_less_consistent_than_ten_people(truth):
    """The page turns consistency into a number of people: it must be the closed form's, and below the paper's ten."""
    table = ten.models(rounds=20)
    assert len(table) == 6 * 4 * 2
    number = table[table["term"] == "people"].set_index(["model", "language"])["value"]
    r = table[table["term"] == "self-consistency"].set_index(["model", "language"])["value"]
    english = truth[(truth["level"] == "language") & (truth["group"] == "en")].set_index("question")["human"]
    responses = released.read(names.STATES[0])[0].query("model == 'gpt-4o' and language == 'en'")
    shares = english[english.index.isin(responses["question"])]
    assert live.human_consistency(shares, number["gpt-4o", "en"]) == pytest.approx(r["gpt-4o", "en"])
    assert number.max() < 10


@with_data
def test_groups_are_thirteen_countries_and_four_languages(truth):
    """Section 3 speaks of languages of one country and of several: a country under another language changes RQ2."""
    table = people.groups(truth).set_index(["level", "group", "term"])["value"]
    assert table.xs("countries", level="term").to_dict() == {
        ("language", "da"): 1, ("language", "en"): 9, ("language", "nl"): 1, ("language", "pt"): 2,
    }  # fmt: skip
    assert len(table["country"]) == 13 and table["global", "global", "questions"] == 83
    assert table["country", "US", "questions"] == 80


@with_data
def test_figure_2_from_the_released_scores(truth, prompts):
    """Thirteen countries make 78 pairs; the extremes and the count must be those of the released scores."""
    table = people.correlations(truth, rounds=50)
    countries = table[(table["level"] == "country") & (table["other_level"] == "country")]
    wide = truth[truth["level"] == "country"].pivot(index="question", columns="group", values="human")
    expected = [wide[row.group].corr(wide[row.other]) for row in countries.itertuples()]
    assert len(countries) == 78 and len(table) == 18 * 17 / 2
    assert countries["value"].to_numpy() == pytest.approx(expected)
    assert (countries["low"] <= countries["value"]).all() and (countries["value"] <= countries["high"]).all()
    counted = people.pairs(truth, prompts, rounds=20).set_index(["questions", "groups", "term"])["value"]
    inside = np.mean([0.7 <= r <= 0.95 for r in expected])
    assert counted["all", "countries", ".7 to .95"] == pytest.approx(inside)
    assert counted["all", "countries", "positive"] == 1


@with_data
def test_table_1_is_what_is_asked_and_has_truth(truth, prompts):
    """Table 1 lists 32 questions, by category as here; 37 are asked and five of them have no human figure."""
    table = asked.table1(truth, prompts)
    listed = table[table["term"] == "asked, with ground truth"].set_index("category")
    assert listed.loc[listed["printed"].notna(), "value"].tolist() == [2, 4, 14, 10, 2, 32]
    whole = table[table["category"] == "all"].set_index("term")["value"]
    assert whole[["asked", "ground truth", "asked, without ground truth"]].tolist() == [37, 83, 5]
    assert [whole[f"asked in {language}"] for language in ("da", "en", "nl", "pt")] == [34, 35, 35, 35]
    by_language = [set(prompts.index[prompts[language] > 0]) for language in prompts]
    assert whole["asked in all languages"] == len(set.intersection(*by_language)) == 32
    rows = asked.questions(truth, prompts)
    assert rows["name"].notna().all() and rows["question"].nunique() == 88
    table1 = set(rows.loc[rows["table1"] == "yes", "question"])
    assert table1 == set(prompts.index) & set(truth["question"])
    without = rows.drop_duplicates("question").set_index("question")["without"]
    assert set(without[prompts.index][lambda w: w == "all"].index) == {"e028", "e225", "e226", "e227", "e228"}
    assert without[["c001_01", "c002_01"]].tolist() == ["BR, NG, US"] * 2
    assert rows.loc[rows["term"].str.startswith("prompts"), "value"].sum() == 4 * 300


@with_data
def test_the_older_truth_has_income_equality_the_other_way_round(truth):
    """Who takes the older file by mistake must be told how far off it is, and that more than E035 differs."""
    table = people.older(truth).set_index("term")
    assert table.loc["e035 turned round", "value"] < 0.02 < 0.1 < table.loc["e035", "value"]
    assert table.loc["3-point", "value"] > 0.1 and table.loc["4-point", "value"] < 0.02
    assert table.loc["all", "n"] == table["n"].drop(["all", "e035 turned round"]).sum()


@with_data
def test_brazil_and_portugal_are_as_alike_as_countries_usually_are(truth):
    """Section 3 calls them distinct: the page's numbers must be the plain correlations and differences."""
    table = people.distinct(truth, rounds=50).set_index(["group", "other", "term"])["value"]
    wide = truth[truth["level"] == "country"].pivot(index="question", columns="group", values="human")
    r = wide.corr()
    middle = np.median(r.to_numpy()[np.triu_indices(13, 1)])
    for one, other in (("BR", "PT"), ("BR", "US"), ("PT", "US")):
        assert table[one, other, "correlation"] == pytest.approx(r.loc[one, other])
        assert table[one, other, "correlation less middle"] == pytest.approx(r.loc[one, other] - middle)
        assert table[one, other, "mean difference"] == pytest.approx((wide[one] - wide[other]).abs().mean())
