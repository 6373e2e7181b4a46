"""The better estimators of the critique: small cases by hand, other libraries, simulations whose truth is known."""

import os
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats as scipy_stats
from statsmodels.regression.mixed_linear_model import MixedLM

from whosevalues import UserError
from whosevalues.multicultural import critique, names, released, rq1, scores, us_bias
from whosevalues.multicultural import critique_conclusions as conclusions
from whosevalues.multicultural import critique_jackknife as jackknife
from whosevalues.multicultural import critique_simulation as simulation
from whosevalues.multicultural import critique_tables as tables

SEED, HEAD = names.STATES
with_data = pytest.mark.skipif(
    not os.environ.get("WHOSEVALUES_DATA"), reason="WHOSEVALUES_DATA names no folder with the released files"
)


def answers(seed=0, size=240):
    """Two models, two languages, five questions of very different size; scores with ties."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "model": rng.choice(["a", "b"], size),
            "family": "gemma",
            "language": rng.choice(["da", "nl"], size),
            "question": rng.choice(list("vwxyz"), size, p=[0.5, 0.25, 0.15, 0.07, 0.03]),
            "score": rng.integers(0, 6, size) / 5,
        }
    )
    human = {"v": 0.3, "w": 0.9, "x": 0.3, "y": 0.5, "z": 0.1}
    return table.assign(human=table["question"].map(human), response=np.arange(100, 100 + size))


@pytest.mark.parametrize(("kind", "peer"), [("pearson", scipy_stats.pearsonr), ("spearman", scipy_stats.spearmanr)])
@pytest.mark.parametrize("scheme", critique.SCHEMES)
def test_consistency_of_a_resample_pairs_no_response_with_its_copy(scheme, kind, peer):
    """A response agrees with its copy: pairs of copies would make a noisy model look consistent."""
    sample = critique.resample(answers(), scheme, 3)
    ours = critique.distinct_pairs(sample)[kind]
    for cell, rows in sample.groupby(critique.CELL):
        pairs = [
            (x.score, y.score)
            for _, item in rows.groupby("item")
            for x, y in permutations(item.itertuples(), 2)
            if x.response != y.response
        ]
        assert ours[cell] == pytest.approx(peer(*zip(*pairs, strict=True)).statistic, abs=1e-10)


def test_without_copies_consistency_is_that_of_the_other_chapters():
    """Two chapters must not show different consistencies of the same responses."""
    table = answers(1)
    for state, kind in ((SEED, "pearson"), (HEAD, "spearman")):
        other = scores.distinct_consistency(table, state).set_index(critique.CELL)["consistency"]
        ours = critique.distinct_pairs(critique.whole(table))[kind] / scores.CONSISTENCY[state][1]
        assert np.allclose(ours, other.loc[ours.index])


def test_whole_questions_are_drawn_for_all_models_at_once():
    """Questions are what the study has few of: models must be compared on the same draw of them."""
    table = answers(2)
    sample = critique.resample(table, "questions", 5)
    copies = sample.groupby("question")["item"].nunique() / table.groupby("question").apply(
        lambda rows: rows.groupby(critique.CELL).ngroups
    )
    assert copies.dropna().sum() == 5 and (copies.dropna() % 1 == 0).all() and copies.max() > 1
    whole = table.groupby([*critique.CELL, "question"])["response"].agg(lambda r: sorted(r))
    for item, rows in sample.groupby("item"):
        assert sorted(rows["response"]) == whole[tuple(rows.iloc[0][[*critique.CELL, "question"]])], item


def test_responses_are_drawn_within_the_questions_that_were_drawn():
    """The second stage must draw from the same cell and question, as many as there are, with replacement."""
    table = answers(2)
    sample = critique.resample(table, critique.SCHEMES[2], 5)
    sizes = table.groupby([*critique.CELL, "question"]).size()
    for _, rows in sample.groupby("item"):
        assert len(rows[[*critique.CELL, "question"]].drop_duplicates()) == 1
        assert len(rows) == sizes[tuple(rows.iloc[0][[*critique.CELL, "question"]])]
    assert sample.groupby("item")["response"].apply(lambda r: r.duplicated().any()).any()


def test_a_flat_bootstrap_draws_as_many_responses_as_there_are():
    """The paper's bootstrap, for comparison: any response, whatever its question."""
    sample = critique.resample(answers(), "responses", 1)
    assert len(sample) == 240 and sample["response"].duplicated().any()
    assert (sample.groupby("item")[["model", "language", "question"]].nunique() == 1).all(axis=None)


def test_unknown_scheme_is_named_with_the_choices():
    """A misspelt scheme must not run another one."""
    with pytest.raises(UserError, match="unknown scheme 'rows': a bootstrap draws responses; questions;"):
        critique.resample(answers(), "rows", 0)


def test_alignment_by_response_and_by_question_are_scipys():
    """The paper's text and its code mean different correlations: either must be the one it is called."""
    table = answers(4)
    ours = critique.figures(critique.whole(table), HEAD).set_index(critique.CELL)
    for cell, rows in table.groupby(critique.CELL):
        means = rows.groupby("question")[["score", "human"]].mean()
        by_response = scipy_stats.spearmanr(rows["score"], rows["human"]).statistic
        assert ours.loc[cell, "alignment"] == pytest.approx(by_response)
        assert ours.loc[cell, "question"] == pytest.approx(scipy_stats.spearmanr(means).statistic)
        kept = ours.loc[cell]
        assert kept["consistency"] == pytest.approx(kept["reliability"] / 0.955)
        if kept["reliability"] > 0:
            assert kept["disattenuated"] == pytest.approx(by_response / kept["reliability"] ** 0.5)
        else:
            assert np.isnan(kept["disattenuated"])


@pytest.mark.parametrize("slope", [False, True], ids=["intercept", "slope"])
def test_mixed_model_is_statsmodels(slope):
    """Our REML is there for its speed and for variances of 0: elsewhere it must give what the library gives."""
    rng = np.random.default_rng(7)
    group = np.repeat(np.arange(8), 15)
    x = np.column_stack([np.ones(120), rng.normal(size=(120, 2))])
    z = rng.uniform(0.3, 1.5, 120) if slope else np.ones(120)
    y = x @ [1, -2, 0.5] + z * rng.normal(0, 1.2, 8)[group] + rng.normal(0, 0.7, 120)
    b, std_err = critique.random_intercept(y, x, group, z)
    theirs = MixedLM(y, x, group, exog_re=z).fit()
    assert np.allclose(b, theirs.fe_params, atol=1e-5)
    covariance = theirs.scale * np.eye(120)
    covariance += theirs.cov_re[0, 0] * np.outer(z, z) * np.equal.outer(group, group)
    assert np.allclose(std_err, np.sqrt(np.diag(np.linalg.inv(x.T @ np.linalg.solve(covariance, x)))), rtol=1e-3)


def test_groups_that_do_not_differ_give_ordinary_least_squares():
    """Six models may hardly differ: the variance 0 is an answer, not a failure to converge."""
    rng = np.random.default_rng(8)
    group = np.tile(np.arange(4), 10)
    within = [pd.Series(v).groupby(group).transform(lambda g: g - g.mean()) for v in rng.normal(size=(2, 40))]
    x = np.column_stack([np.ones(40), within[0]])
    y = x @ [0.2, 1.5] + within[1].to_numpy()
    b, std_err = critique.random_intercept(y, x, group, np.ones(40))
    theirs = sm.OLS(y, x).fit()
    assert np.allclose(b, theirs.params, atol=1e-6) and np.allclose(std_err, theirs.bse, rtol=1e-4)


def test_a_coefficient_that_no_row_speaks_of_is_missing():
    """A resample can leave a family without a usable cell in a language: no number may be made up for its slope."""
    x = np.column_stack([np.ones(6), np.arange(6.0), np.zeros(6)])
    b, std_err = critique.random_intercept(np.arange(6.0) ** 2, x, np.tile([0, 1], 3), np.ones(6))
    assert np.isnan(b).all() and np.isnan(std_err).all()


def study_rows(rounds=1, seed=0):
    rng = np.random.default_rng(seed)
    models = {"gemma": names.MODELS["gemma"], "openai": names.MODELS["openai"]}
    cells = [(f, m, code) for f, of in models.items() for m in of for code in ("da", "en", "nl", "pt")]
    rows = pd.DataFrame(cells * rounds, columns=["family", "model", "language"])
    own = rows.groupby(["model", "language"]).ngroup().to_numpy()
    rows["multilingual"] = rng.uniform(0.3, 0.9, 24)[own]
    rows["consistency"] = rng.uniform(0.1, 0.7, 24)[own] + rng.normal(0, 0.05, len(rows))
    rows["alignment"] = 0.5 * rows["consistency"] + rng.normal(0, 0.05, len(rows)) + rng.normal(0, 0.1, 24)[own]
    return rows


@pytest.mark.parametrize("state", names.STATES)
def test_equation_1_is_fitted_as_in_the_chapter_on_rq1(state):
    """With the paper's choices the critique must start from the paper's own coefficients, term by term."""
    rows = study_rows(rounds=20)
    theirs = rq1.rq1_fit(rows, state)
    wanted = pd.Series(theirs.fe_params.to_numpy(), tables._short(theirs.fe_params.index))
    ours = critique.fit(rows, state, intercept="0 +").set_index("term")["value"]
    assert set(ours.index) == set(wanted.index)
    assert np.allclose(ours, wanted[ours.index], atol=2e-3)


def test_an_intercept_is_one_term_more():
    """Eq. 1 has a mean of the intercepts: adding it must add this term and no other."""
    rows = study_rows()
    with_it, without = (list(critique.fit(rows, SEED, intercept=k)["term"]) for k in ("1 +", "0 +"))
    assert with_it == ["intercept", *without]


def test_noise_alone_gives_consistency_a_coefficient_unless_alignment_is_disattenuated():
    """The critique's core: equal values, alignment = 0.5 root(reliability). Only the disattenuated fit may see that."""
    rows = study_rows()
    rows["reliability"] = rows["consistency"] = rows["consistency"].clip(0.05, 0.9)
    rows["alignment"] = 0.5 * np.sqrt(rows["reliability"]) + np.random.default_rng(0).normal(0, 1e-6, 24)
    rows["disattenuated"] = rows["alignment"] / np.sqrt(rows["reliability"])
    naive = critique.fit(rows, SEED).set_index("term")["value"]
    better = critique.fit(rows, SEED, outcome="disattenuated").set_index("term")["value"]
    assert naive["consistency"] > 0.3
    assert better["intercept"] == pytest.approx(0.5, abs=1e-3)
    assert np.allclose(better.drop("intercept"), 0, atol=1e-3)


def test_values_are_drawn_with_the_correlation_asked_for():
    """Models of the simulation are equally aligned by construction, not on average."""
    human = np.random.default_rng(1).random(32)
    values = simulation.profile(human, 0.4, np.random.default_rng(2))
    people = scipy_stats.norm.ppf((scipy_stats.rankdata(human) - 0.5) / 32)
    assert scipy_stats.pearsonr(values, people).statistic == pytest.approx(0.4, abs=1e-9)
    assert values.mean() == pytest.approx(0, abs=1e-9) and values.std() == pytest.approx(1)


def test_disattenuation_recovers_equal_values_behind_unequal_noise():
    """A noisy and a steady model with the same values: alignment differs, disattenuated alignment must not."""
    questions = pd.DataFrame({"question": [f"q{k}" for k in range(60)], "human": np.linspace(0.05, 0.95, 60)})
    cells = pd.DataFrame({"model": ["steady", "noisy"], "language": "da", "reliability": [0.8, 0.2]})
    joined = questions.merge(cells[["model", "language"]], how="cross")
    joined = joined.loc[joined.index.repeat(80)].reset_index(drop=True)
    joined = joined.assign(group="da", response=np.arange(len(joined)), score=np.nan)
    made = simulation.same_values(joined, cells, 0.6, 3)
    found = critique.figures(critique.whole(made), HEAD).set_index("model")
    assert found.loc["steady", "reliability"] == pytest.approx(0.8, abs=0.06)
    assert found.loc["noisy", "reliability"] == pytest.approx(0.2, abs=0.06)
    assert found.loc["steady", "alignment"] > 1.7 * found.loc["noisy", "alignment"]
    assert found.loc["steady", "disattenuated"] == pytest.approx(found.loc["noisy", "disattenuated"], abs=0.04)
    assert simulation.common_alignment(found) == pytest.approx(found["disattenuated"].mean(), abs=0.03)


def test_percentiles_take_the_value_from_the_data_and_the_bounds_from_the_draws():
    """The middle of a biased bootstrap is not the estimate."""
    draws = pd.DataFrame({"scheme": ["none"] + ["questions"] * 101, "term": "t", "value": [7.0, *range(101)]})
    row = tables.percentiles(draws, ["term"]).iloc[0]
    assert (row["value"], row["low"], row["high"], row["scheme"]) == (7, 2.5, 97.5, "questions")


def test_the_jackknife_of_a_mean_is_the_textbook_s():
    """For a mean the jackknife's standard error is s / root(n), and the interval Student's: anything else is wrong."""
    x = np.random.default_rng(4).normal(3, 2, 12)
    means = [x.mean(), *(np.delete(x, k).mean() for k in range(12))]
    draws = pd.DataFrame({"scheme": ["none", *[jackknife.LEFT_OUT] * 12], "term": "mean", "value": means})
    row = jackknife.interval(draws, ["term"]).iloc[0]
    theirs = scipy_stats.t.interval(0.95, 11, x.mean(), scipy_stats.sem(x))
    assert (row["value"], row["low"], row["high"]) == pytest.approx((x.mean(), *theirs))
    row = jackknife.interval(draws, ["term"], any_of=4).iloc[0]
    assert (row["low"], row["high"]) == pytest.approx(
        scipy_stats.t.interval(1 - 0.05 / 4, 11, x.mean(), scipy_stats.sem(x))
    )


def test_the_jackknife_of_three_questions_by_hand():
    """Leave-one-out values 1, 2, 6 lie -2, -1, 3 from their mean: variance 2/3 x 14, t (2 degrees) 4.3027."""
    draws = pd.DataFrame({"scheme": ["none", *[jackknife.LEFT_OUT] * 3], "term": "t", "value": [10.0, 1, 2, 6]})
    row = jackknife.interval(draws, ["term"]).iloc[0]
    reach = 4.302653 * (28 / 3) ** 0.5
    assert (row["value"], row["low"], row["high"]) == pytest.approx((10, 10 - reach, 10 + reach))
    missing = jackknife.interval(draws.replace(6, np.nan), ["term"])
    assert missing[["low", "high"]].isna().all(axis=None) and missing["value"].item() == 10


def test_the_jackknife_holds_the_truth_as_often_as_it_says():
    """An interval of 95% for a correlation over 32 questions must hold the true one about 95 times in 100."""
    rng, held = np.random.default_rng(5), []
    for _ in range(300):
        x, noise = rng.normal(size=(2, 32))
        y = 0.4 * x + np.sqrt(1 - 0.4**2) * noise
        values = [np.corrcoef(x, y)[0, 1], *(np.corrcoef(np.delete(x, k), np.delete(y, k))[0, 1] for k in range(32))]
        draws = pd.DataFrame({"scheme": ["none", *[jackknife.LEFT_OUT] * 32], "term": "r", "value": values})
        row = jackknife.interval(draws, ["term"]).iloc[0]
        held.append(row["low"] < 0.4 < row["high"])
    assert 0.90 < np.mean(held) < 0.98


@pytest.mark.parametrize(
    ("rule", "intervals", "verdict"),
    [
        ("above", [(1, 2), (3, 4)], "stands"),
        ("above", [(1, 2), (-1, 4)], "open"),
        ("above", [(1, 2), (-2, -1)], "does not stand"),
        ("none above", [(-2, -1), (-4, -3)], "stands"),
        ("none above", [(-2, -1), (-4, 3)], "stands"),
        ("none above", [(-2, -1), (3, 4)], "does not stand"),
        ("differs", [(-2, -1)], "stands"),
        ("differs", [(-2, 1)], "open"),
        ("differs", [(-0.09, 0.05)], "does not stand"),
        ("bias", [(1, 2), (3, 4)], "stands"),
        ("bias", [(1, 2), (-1, 4)], "open"),
        ("bias", [(1, 2), (-0.01, 0.015)], "does not stand"),
        ("bias", [(-1, 2), (-2, -1)], "does not stand"),
        ("not one side", [(1, 2), (-1, 1)], "stands"),
        ("not one side", [(1, 2), (-2, -1)], "stands"),
        ("not one side", [(1, 2), (3, 4)], "does not stand"),
        ("not one side", [(-2, -1), (-3, -2)], "does not stand"),
        ("not all above", [(1, 2), (-2, -1)], "stands"),
        ("not all above", [(1, 2), (-2, 1)], "stands"),
        ("not all above", [(1, 2), (3, 4)], "does not stand"),
    ],
)
def test_conclusions_are_judged_by_their_intervals(rule, intervals, verdict):
    """A conclusion is called by its rule alone: an interval on both sides of 0 proves neither it nor its opposite."""
    table = pd.DataFrame(intervals, columns=["low", "high"])
    assert conclusions.judge(rule, table.assign(any_low=table["low"], any_high=table["high"])) == verdict


@pytest.mark.parametrize("rule", ["above", "none above", "bias"])
def test_one_figure_among_several_decides_only_by_its_wider_interval(rule):
    """Of several intervals of 95% one misses by chance sooner than one alone would: it must not decide."""
    wrong = (0.1, 2, -0.1, 2.1) if rule == "none above" else (-2, -0.1, -2.1, 0.1)
    table = pd.DataFrame([wrong, (-1, 1, -2, 2)], columns=conclusions.BOUNDS)
    assert conclusions.judge(rule, table) == ("stands" if rule == "none above" else "open")


@with_data
def test_more_rounds_make_everything_significant():
    """The first weakness: four times the rounds, and nothing else, about double every z of note."""
    table = tables.rounds_table([100, 400]).pivot(index=["state", "term"], columns="rounds", values="z")
    large = table[table[100].abs() > 5]
    assert len(large) > 10
    assert (large[400] / large[100]).between(1.7, 2.4).all()


@with_data
def test_copies_inflate_consistency_as_the_formula_says():
    """The second weakness: the inflation of every cell, and that it is worst in Gemma-2 2B's Danish."""
    table = tables.duplicates_table(40)
    assert np.allclose(table["value"], table["expected"], atol=0.05)
    assert (table["value"] > 0).all()
    for _, part in table.groupby("state"):
        worst = part.loc[part["value"].idxmax()]
        assert (worst["model"], worst["language"]) == ("gemma-2-2b-it", "da")


@with_data
def test_drawing_questions_widens_the_interval_of_alignment():
    """The fifth weakness: responses to a question are alike, so a flat bootstrap is too sure of the mean alignment."""
    table = tables.hierarchical_table(20)
    mean = table.query("metric == 'alignment' and term == 'all'").set_index(["state", "scheme"])["ratio"]
    assert (mean.xs("questions", level="scheme") > 2).all() and (mean.xs(critique.SCHEMES[2], level="scheme") > 2).all()
    assert np.allclose(mean.xs(tables.JOINED, level="scheme"), 1)


@with_data
def test_verdicts_lie_around_the_estimate():
    """The bootstrap's interval ended at its own estimate: the one that decides must have it in the middle."""
    table = tables.one_row_table().query("interval == 'jackknife'")
    assert np.allclose((table["low"] + table["high"]) / 2, table["value"])
    assert (table["high"] > table["low"]).all() and (table["n"] >= 24).all()


@with_data
def test_without_a_question_none_of_its_responses_is_left():
    """A question must take its responses with it, in all models and languages, or the interval is too narrow."""
    cells = jackknife.cells().query("state == @SEED")
    responses = critique.own(critique.study(SEED)[0])
    questions = sorted(responses["question"].unique())
    assert cells["round"].nunique() == len(questions) == 32
    rest = responses[responses["question"] != questions[3]]
    ours = cells[(cells["scheme"] == jackknife.LEFT_OUT) & (cells["round"] == 3)].set_index(critique.CELL)
    for cell, part in rest.groupby(critique.CELL):
        assert ours.loc[cell, "alignment"] == pytest.approx(scipy_stats.spearmanr(part["score"], part["human"])[0])


@with_data
def test_us_minus_local_loses_one_question_at_a_time():
    """The bias is judged by the same kind of interval: US minus local alignment without each question."""
    gaps = conclusions._gaps().query("state == @HEAD and model == 'gpt-4o' and language == 'nl'")
    table = us_bias.beside_countries(*released.read(HEAD)[:2])
    table = table[table["shared"] & (table["model"] == "gpt-4o") & (table["language"] == "nl")]
    found = gaps[gaps["scheme"] == jackknife.LEFT_OUT]["value"].to_numpy()
    wanted = []
    for question in [None, *table["question"].unique()]:
        rest = table[table["question"] != question]
        each = rest.groupby("group").apply(lambda part: scipy_stats.spearmanr(part["score"], part["human"])[0])
        wanted.append(each["US"] - each.drop("US").mean())
    assert gaps[gaps["scheme"] == "none"]["value"].item() == pytest.approx(wanted[0])
    assert {round(v, 8) for v in wanted[1:]} <= {round(v, 8) for v in found}


@with_data
def test_the_paper_s_figures_stand_beside_the_better_ones():
    """Every conclusion needs the paper's own figure, a better one with an interval, and one verdict per state."""
    table = conclusions.conclusions_table(8)
    assert set(table["conclusion"]) == set(conclusions.CONCLUSIONS)
    assert (table.groupby(["conclusion", "state"])["stands"].nunique() == 1).all()
    assert table[["value", "low", "high", "paper"]].notna().all(axis=None)
    # A single figure has one interval; among several, each is wider where it alone would decide.
    assert (table["any_low"] <= table["low"]).all() and (table["any_high"] >= table["high"]).all()
    printed = table.dropna(subset="printed")
    # One run of the bootstrap has noise: .14 is the largest standard deviation over seeds of any coefficient.
    assert (printed["paper"] - printed["printed"]).abs().max() < 3 * 0.14


@with_data
def test_a_share_of_simulations_is_never_nothing():
    """With n simulations no p-value below 1 / (n + 1) can be had, and the released data must count as one of them."""
    table = simulation.attenuation_table(8).query("data == 'released'").dropna(subset="p_value")
    paper = table["analysis"] == "the paper"
    assert (table.loc[~paper, "p_value"] * 9 % 1).round(6).isin([0, 1]).all() and table["p_value"].min() >= 1 / 9
    assert (table.loc[paper, "p_value"] * 3 % 1).round(6).isin([0, 1]).all()
