"""The quantities of "Multilingual != Multicultural": small cases by hand, the released data against the print."""

import importlib
import os
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from conftest import REPOSITORY
from scipy import stats as scipy_stats

from whosevalues import UserError, results, stats
from whosevalues.multicultural import capability, names, overview, released, repeated, rq1, rq1_checks, rq2, scores

SEED, HEAD = names.STATES
with_data = pytest.mark.skipif(
    not os.environ.get("WHOSEVALUES_DATA"), reason="WHOSEVALUES_DATA names no folder with the released files"
)

RESPONSES = pd.DataFrame(
    [(m, "gemma", "da", q, s) for m in ("a", "b") for q, s in (("f1", 0.1), ("f1", 0.4), ("f2", 0.7), ("f9", 1.0))],
    columns=["model", "family", "language", "question", "score"],
)
TRUTH = pd.DataFrame(
    [
        (level, g, g, q, h)
        for level, g in (("language", "da"), ("language", "en"))
        for q, h in (("f1", 0.2), ("f2", 0.8))
    ]
    + [("global", "global", None, "f1", 0.5)],
    columns=["level", "group", "group_language", "question", "human"],
)


def drawn_rows(table, counts):
    return table.iloc[np.repeat(np.arange(len(table)), counts)]


def test_responses_meet_every_group_and_lose_questions_without_people():
    """Each response is compared once per group; a question that no survey asked must drop out, not become zero."""
    joined = released.join(RESPONSES, TRUTH, "language")
    assert len(joined) == 2 * 3 * 2 and set(joined["question"]) == {"f1", "f2"}
    assert joined.groupby("question")["human"].first().to_dict() == {"f1": 0.2, "f2": 0.8}
    assert len(released.join(RESPONSES, TRUTH, "global")) == 4


def noisy_study(rng):
    """Two models, two languages, two groups; scores with ties, uneven questions."""
    size = 400
    table = pd.DataFrame(
        {
            "model": rng.choice(["a", "b"], size),
            "language": rng.choice(["da", "nl"], size),
            "group": rng.choice(["da", "nl"], size),
            "question": rng.choice(["f1", "f2", "f3", "f4"], size, p=[0.5, 0.3, 0.15, 0.05]),
            "score": rng.integers(0, 11, size) / 10,
        }
    )
    return table.assign(human=table["question"].map({"f1": 0.3, "f2": 0.9, "f3": 0.3, "f4": 0.5}))


def test_alignment_is_scipys_on_the_rows_that_were_drawn():
    """The chapter's alignment must be the Spearman correlation of the resampled responses, cell by cell."""
    table = noisy_study(np.random.default_rng(5))
    counts = stats.bootstrap_counts(len(table), 3, seed=1)
    ours = scores.alignment(table, counts).set_index(["round", "model", "language", "group"])["alignment"]
    for number, line in enumerate(counts):
        for cell, rows in drawn_rows(table, line).groupby(["model", "language", "group"]):
            expected = scipy_stats.spearmanr(rows["score"], rows["human"]).statistic
            assert ours[number, *cell] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("state", "peer", "divisor"), [(SEED, scipy_stats.pearsonr, 1), (HEAD, scipy_stats.spearmanr, 0.955)]
)
def test_consistency_is_the_correlation_of_all_pairs(state, peer, divisor):
    """Each state has its own consistency: Pearson, later Spearman over 0.955, always over pairs of different draws."""
    table = noisy_study(np.random.default_rng(6))
    counts = stats.bootstrap_counts(len(table), 2, seed=2)
    ours = scores.consistency(table, counts, state).set_index(["round", "model", "language"])["consistency"]
    for number, line in enumerate(counts):
        for cell, rows in drawn_rows(table, line).groupby(["model", "language"]):
            pairs = [p for _, item in rows.groupby("question") for p in permutations(item["score"], 2)]
            assert ours[number, *cell] == pytest.approx(peer(*zip(*pairs, strict=False)).statistic / divisor, abs=1e-12)


@pytest.mark.parametrize(
    ("state", "peer", "divisor"), [(SEED, scipy_stats.pearsonr, 1), (HEAD, scipy_stats.spearmanr, 0.955)]
)
def test_distinct_pairs_pair_no_response_with_its_copy(state, peer, divisor):
    """A resample pairs a response with its copy, which agrees: the value beside it must be free of that, and lower."""
    table = noisy_study(np.random.default_rng(8))
    ours = scores.distinct_consistency(table, state).set_index(["model", "language"])["consistency"]
    for cell, rows in table.groupby(["model", "language"]):
        pairs = [p for _, item in rows.groupby("question") for p in permutations(item["score"], 2)]
        assert ours[cell] == pytest.approx(peer(*zip(*pairs, strict=False)).statistic / divisor, abs=1e-12)
    resampled = scores.consistency(table, stats.bootstrap_counts(len(table), 50, seed=1), state)
    assert (resampled.groupby(["model", "language"])["consistency"].mean() > ours).all()


def test_capability_leaves_enem_out_and_knows_every_spelling():
    """Only some models have ENEM; counting it, or losing a model to a spelling, would bend the slopes."""
    scores = pd.DataFrame(
        [
            ("GPT-4 Turbo", "DROP", "English", 80.0),
            ("gpt-4-turbo", "OAB", "Portuguese", 60.0),
            ("gpt-4-turbo", "ENEM", "Portuguese", 0.0),
        ],
        columns=["model", "benchmark", "language", "score"],
    )
    table = capability.multilingual(scores)
    assert table.values.tolist() == [["gpt-4-turbo-2024-04-09", "en", 0.8], ["gpt-4-turbo-2024-04-09", "pt", 0.6]]


def test_an_unknown_model_or_state_is_named():
    """A model that silently fell out of the join would change the regression: it must be named with the choices."""
    scores = pd.DataFrame({"model": ["Llama"], "benchmark": ["DROP"], "language": ["English"], "score": [1.0]})
    with pytest.raises(UserError, match="unknown model 'llama' .* gemma-2 2b"):
        capability.multilingual(scores)
    with pytest.raises(UserError, match="unknown state 'now': .* seed-2025-06 and head-2025-08"):
        released.files("now")


def test_a_step_leads_from_one_model_to_the_next_of_its_family():
    """Progress within a family must not be read across families or skip a model."""
    models = [*names.MODELS["gemma"], names.MODELS["openai"][0], "Baseline_uniform_random"]
    values = pd.Series(
        [0.1, 0.3, 0.2, 0.9, 0.0], pd.MultiIndex.from_product([models, ["da"]], names=["model", "language"])
    )
    assert scores.steps(values).round(9).tolist()[1:3] == [0.2, -0.1]
    assert scores.steps(values).isna().tolist() == [True, False, False, True, True]


def rq1_fake(p_values, values):
    terms = pd.DataFrame({"state": SEED, "term": "openai:en", "value": values, "p_value": p_values})
    other = terms.assign(term="consistency", value=[0.61, 0.63, 0.60, 0.64], p_value=1e-9)
    return pd.concat([terms.assign(seed=range(len(terms))), other.assign(seed=range(len(terms)))], ignore_index=True)


def test_a_significance_call_holds_only_with_the_papers_sign():
    """The paper calls English significant and positive: a significant negative seed must not count for it."""
    table = rq1.rq1_table(rq1_fake([0.01, 0.20, 0.01, 0.04], [0.1, 0.1, -0.3, 0.2])).set_index("term")
    assert table.loc["openai:en", "significant"] == 0.75 and table.loc["openai:en", "holds"] == 0.5
    assert table.loc["openai:en", ["printed", "chance", "n"]].tolist() == [0.11, 0, 4]
    assert table.loc["consistency minus largest slope", "value"] == pytest.approx(0.62 - 0.025)


COUNTRIES = {"da": ("DK", "US"), "pt": ("BR", "PT", "US")}


def us_rows():
    """Alignment of a baseline and a model in two languages, three rounds, small noise."""
    rng = np.random.default_rng(0)
    means = {("gpt-4o", "da"): (0.3, 0.5), ("gpt-4o", "pt"): (0.4, 0.35)}
    rows = [
        (r, m, lang, c, c == "US", means.get((m, lang), (0.0, 0.1))[c == "US"] + rng.normal(0, 0.01))
        for r in range(3)
        for m in (names.RANDOM, "gpt-3.5-turbo-0125", "gpt-4o")
        for lang, countries in COUNTRIES.items()
        for c in countries
    ]
    return pd.DataFrame(rows, columns=["round", "model", "language", "group", "us", "alignment"])


def test_the_us_coefficient_is_the_models_gap_less_the_baselines():
    """Eq. 2 takes one random baseline as reference: its own US gap moves every coefficient, and must be seen to."""
    rows = us_rows()
    table = rq2.us_bias(rq2.rq2_fit(rows), rows).set_index(["model", "language"])
    means = rows.groupby(["model", "language", "us"])["alignment"].mean().unstack()
    gap = means[True] - means[False]
    for model, language in table.index:
        baseline = gap[names.RANDOM, language]
        assert table.loc[(model, language), "raw"] == pytest.approx(gap[model, language])
        assert table.loc[(model, language), "value"] == pytest.approx(gap[model, language] - baseline)
    assert len(table) == 4


def test_a_step_has_the_standard_error_of_a_coefficient():
    """The table gives both the same interval; in the balanced design the regression's own contrast must agree."""
    rows = us_rows()
    fit = rq2.rq2_fit(rows)
    contrast = np.zeros(len(fit.params))
    names = [f"us[T.True]:model[T.{m}]:language[da]" for m in ("gpt-4o", "gpt-3.5-turbo-0125")]
    contrast[[fit.params.index.get_loc(name) for name in names]] = 1, -1
    assert fit.t_test(contrast).sd.item() == pytest.approx(fit.bse[names[0]])


def test_three_rules_make_three_counts():
    """'US-biased' means something else by each rule: the counts must follow the rule, seed by seed."""
    values = {("gpt-3.5-turbo-0125", 0): (0.1, 0.05, -0.1), ("gpt-4-turbo-2024-04-09", 0): (0.1, -0.05, 0.1)}
    values |= {("gpt-3.5-turbo-0125", 1): (-0.1, -0.3, 0.1), ("gpt-4-turbo-2024-04-09", 1): (0.1, 0.02, 0.1)}
    rows = [(SEED, m, "da", seed, value, 0.02, low, raw) for (m, seed), (value, low, raw) in values.items()]
    columns = ["state", "model", "language", "seed", "value", "std_err", "low", "raw"]
    table = rq2.rq2_table(pd.DataFrame(rows, columns=columns))
    counts = table[table["model"] == "all"].set_index("metric")
    assert counts.loc["coefficient > 0", ["value", "low", "high", "printed"]].tolist() == [1.5, 1, 2, 3]
    assert counts.loc["interval > 0", ["value", "chance"]].tolist() == [1, 0.05]
    assert counts.loc["raw US > local", ["value", "chance"]].tolist() == [1.5, 1]
    assert counts["exact"].dropna().tolist() == [0, 0, 0]
    step = table[table["metric"] == "step"]
    assert step[["model", "value", "std_err"]].values.tolist() == [["gpt-4-turbo-2024-04-09", pytest.approx(0.1), 0.02]]


def test_a_count_that_a_lucky_seed_gives_is_seen_to_be_rare():
    """The least and the most over seeds may include the printed three where one seed in four gives it."""
    models = ["gpt-3.5-turbo-0125", "gpt-4-turbo-2024-04-09", "gpt-4o"]
    biased = {0: 3, 1: 1, 2: 0, 3: 2}
    rows = [
        (SEED, m, "da", s, 0.1 if k < n else -0.1, 0.02, 0.0, 0.0)
        for s, n in biased.items()
        for k, m in enumerate(models)
    ]
    columns = ["state", "model", "language", "seed", "value", "std_err", "low", "raw"]
    table = rq2.rq2_table(pd.DataFrame(rows, columns=columns)).set_index(["metric", "model"])
    row = table.loc[("coefficient > 0", "all")]
    assert row[["low", "high", "printed", "exact"]].tolist() == [0, 3, 3, 0.25]
    assert np.isnan(table.loc[("coefficient > 0", "gpt-4o"), "exact"])


def test_the_same_seed_gives_the_same_rounds():
    """Stored draws are held against fresh ones: a seed must fix everything."""
    joined = noisy_study(np.random.default_rng(7)).assign(family="gemma")
    capability = pd.DataFrame({"model": ["a", "b"] * 2, "language": ["da", "da", "nl", "nl"], "multilingual": 0.5})
    first, again, other = (rq1.rq1_rows(joined, capability, SEED, rounds=4, seed=s) for s in (1, 1, 2))
    pd.testing.assert_frame_equal(first, again)
    assert not first["alignment"].equals(other["alignment"])
    assert len(first) == 4 * 2 * 2


def own_files(folder, **changes):
    """Two made-up models with siblings, one alone: responses, and scores of the first three."""
    cells = [("kin-1", "kin"), ("kin-2", "kin"), ("lone", "other"), ("unscored", "kin")]
    questions = ["F118", "f120", "f121", "e018"]
    rows = [(m, f, lang, q, s / 10) for m, f in cells for lang in ("da", "pt") for q in questions for s in range(11)]
    table = pd.DataFrame(rows, columns=["model", "family", "language", "question", "score"])
    scored = [(m, lang, b, 0.2 * k) for k, (m, _) in enumerate(cells[:3], 1) for lang in ("da", "pt") for b in "xy"]
    table.assign(**changes).to_csv(folder / "own.csv", index=False)
    pd.DataFrame(scored, columns=["model", "language", "benchmark", "score"]).to_csv(folder / "b.csv", index=False)
    return str(folder / "own.csv"), str(folder / "b.csv")


@with_data
def test_ones_own_model_takes_part(tmp_path):
    """A reader's model must stand beside the released ones, its questions found whatever their case."""
    own, scored = own_files(tmp_path)
    responses, truth, table = released.read(SEED, own, scored)
    before = released.read(SEED)
    mine = responses[responses["model"] == "kin-1"]
    assert len(responses) - len(before[0]) == 4 * 2 * 4 * 11 and set(mine["question"]) <= set(truth["question"])
    assert table.set_index(["model", "language"])["multilingual"]["kin-2", "da"] == pytest.approx(0.4)
    pd.testing.assert_frame_equal(truth, before[1])


@with_data
def test_a_model_that_eq_1_cannot_tell_is_left_out_with_the_reason(tmp_path):
    """A slope of one model is that model's intercept: it must stay out of RQ1, and nowhere else."""
    own, scored = own_files(tmp_path)
    responses, _, table = released.read(SEED, own, scored)
    why = rq1.left_out(responses, table).set_index(["model", "language"])["why"]
    assert why["lone", "da"].startswith("the only one of its family")
    assert why["unscored", "pt"] == "no benchmark scores" and "kin-1" not in why.index.get_level_values("model")
    draws = rq1.rq1_draws([0], rounds=5, own=own, benchmarks=scored)
    terms = set(draws.loc[draws["state"] == SEED, "term"])
    assert {"kin:da", "kin:pt", "gemma:da"} <= terms
    # Neither the lone model's family nor the languages in which nobody of the family was asked.
    assert not any(term.startswith("other") for term in terms) and not {"kin:en", "kin:nl"} & terms
    bias = rq2.rq2_draws([0], rounds=3, own=own)
    assert {"lone", "unscored", "kin-1"} <= set(bias["model"])


@with_data
def test_stored_seeds_are_not_mixed_with_ones_own_data(tmp_path):
    """Draws with and without a reader's model come from other data: added up they would be nobody's figure."""
    fresh = pd.DataFrame({"term": ["a"], "seed": [0], "value": [1.0]})
    stored = pd.DataFrame({"term": ["a", "a"], "seed": [0, 1], "value": [1.0, 2.0]})
    for table in (fresh, stored):
        table.attrs["provenance"] = {"data": {"x": "y"}, "parameters": {"seeds": 1}}
    assert len(repeated.with_stored(fresh, stored, ["term"])) == 2
    mine = released.about_own(*own_files(tmp_path))
    assert mine["own"].startswith("own.csv sha256 ") and released.about_own() == {}
    fresh.attrs["provenance"]["parameters"] |= mine
    assert len(repeated.with_stored(fresh, stored, ["term"])) == 1


@with_data
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"score": 1.2}, "own.csv needs .*'score'.*in_range"),
        ({"score": "high"}, "own.csv needs .*score"),
        ({"language": "sv"}, "own.csv needs .*'language'.*da.*en.*nl.*pt"),
        ({"family": None}, "own.csv needs .*'family'"),
        ({"model": "gpt-4o"}, "own.csv .*two families|own.csv has 'gpt-4o' in its column 'model'"),
    ],
)
def test_a_wrong_file_of_ones_own_is_named_with_its_column(tmp_path, changes, words):
    """A reader who gave percentages must be told file and column, not shown a traceback or another result."""
    with pytest.raises(UserError, match=words):
        released.read(HEAD, own_files(tmp_path, **changes)[0])


def test_a_missing_file_of_ones_own_is_named(tmp_path):
    """A misspelt path must be told as such before anything runs."""
    with pytest.raises(UserError, match="cannot read .*nowhere.csv: No such file"):
        released.about_own(str(tmp_path / "nowhere.csv"))


def test_the_standard_error_is_that_of_the_regression():
    """Figure 1's bars are recovered from stored p-values: they must be the regression's own."""
    import statsmodels.formula.api as smf

    rng = np.random.default_rng(3)
    group, x = np.repeat(np.arange(20), 10), rng.normal(size=200)
    table = pd.DataFrame({"x": x, "z": rng.normal(size=200), "y": 0.3 * x + rng.normal(size=20)[group]})
    fit = smf.mixedlm("y ~ 0 + x + z", table + rng.normal(size=(200, 3)) * 0.5, groups=group).fit()
    draws = pd.DataFrame({"value": fit.fe_params, "p_value": fit.pvalues[["x", "z"]]})
    assert rq1.standard_error(draws).tolist() == pytest.approx(fit.bse_fe.tolist(), rel=1e-6)


def test_the_benchmarks_are_compared_by_the_same_rule():
    """Each set must be judged against the same printed figures, by seeds of its own."""
    terms = {"consistency": 0.6, "openai:da": 0.01, "openai:nl": -0.19, "openai:en": 0.1, "openai:pt": 0.1}
    rng, rows = np.random.default_rng(0), []
    for name, shift in (("near", 0.0), ("far", 1.0)):
        for seed in range(30):
            rows += [(name, t, seed, v + shift + rng.normal(0, 0.03), 0.01) for t, v in terms.items()]
    draws = pd.DataFrame(rows, columns=["benchmarks", "term", "seed", "value", "p_value"])
    sets, capability.SETS = capability.SETS, ("near", "far")
    try:
        table = rq1_checks.benchmark_table(draws).set_index(["benchmarks", "term"])
    finally:
        capability.SETS = sets
    assert table.loc[("near", "joint test"), "value"] > 0.01 > table.loc[("far", "joint test"), "value"]
    assert table.loc[("near", "openai:en"), ["printed", "holds"]].tolist() == [0.11, 1]
    # Printed with p = .04: its standard error is .11 / 2.054.
    assert table.loc[("far", "openai:en"), "printed_std_err"] == pytest.approx(0.11 / 2.0537, rel=1e-3)


@with_data
def test_shuffled_capability_explains_less_at_head():
    """The chance level of the explained variance must come from models that swapped their capability."""
    table = rq1_checks.rq1_r2(range(2), rounds=20).set_index(["state", "metric"])
    assert ((table["value"] > 0) & (table["value"] < 1)).all() and table["chance"].between(0, 1).all()
    assert table.loc[(HEAD, "marginal"), "chance"] < table.loc[(HEAD, "marginal"), "value"]
    assert (table.loc[(SEED, "conditional"), "value"] > table.loc[(SEED, "marginal"), "value"]).all()


@with_data
def test_residuals_cover_every_observation():
    """The residual tables must be of the printed design: 9 models in 4 languages, 10 x 16 cells with countries."""
    first = rq1_checks.rq1_residuals([0], rounds=10)
    cells = first[(first["metric"] == "cell") & (first["state"] == HEAD)]
    assert len(cells) == 36 and cells["n"].sum() == 360
    second = rq2.rq2_residuals([0], rounds=10)
    cells = second[(second["metric"] == "cell") & (second["state"] == HEAD)]
    assert len(cells) == 160 and cells["n"].sum() == 1600
    share = second[(second["metric"] == "share explained by cell")].set_index("state")
    assert (share["value"] > 3 * share["chance"]).all()


@with_data
def test_valid_responses_are_the_printed_ones():
    """Section 3 prints 111-299 valid responses: the released file must give exactly these."""
    table = overview.valid_responses().set_index(["state", "model"])["value"]
    assert table[SEED, "fewest"].item() == 111 and table[SEED, "most"].item() == 299
    assert table[HEAD, "fewest"].item() == 38 and table[HEAD, "most"].item() == 292


@with_data
def test_head_regression_has_the_printed_shape():
    """The published table says 3600 observations in 9 groups: another number means another analysis."""
    responses, truth, capability = released.read(HEAD)
    rows = rq1.rq1_rows(released.join(responses, truth, "language"), capability, HEAD)
    fit = rq1.rq1_fit(rows, HEAD)
    assert (fit.nobs, rows["model"].nunique(), len(fit.fe_params)) == (3600, 9, 16)
    assert fit.converged


@with_data
def test_rq2_has_the_printed_shape():
    """The published RQ2 table says 16,000 observations and 79 + 1 parameters."""
    responses, truth, _ = released.read(HEAD)
    rows = rq2.rq2_rows(released.join(responses, truth, "country"))
    fit = rq2.rq2_fit(rows)
    assert (fit.nobs, len(fit.params)) == (16_000, 80)
    assert fit.rsquared == pytest.approx(0.685, abs=0.01)


@with_data
def test_printed_coefficients_can_be_a_run_of_this_analysis():
    """If our replay were another analysis, a printed coefficient would fall outside the noise of the bootstrap."""
    # Stored seeds count as well, as these repeat some of them.
    fresh, stored = rq1.rq1_draws(range(4)), results.stored("multicultural/rq1-draws")
    fresh.attrs = stored.attrs
    draws = stats.unite_draws(fresh, stored, ["state", "term"])
    assert draws["seed"].nunique() > fresh["seed"].nunique()
    table = rq1.rq1_table(draws)
    printed = table.dropna(subset="printed")
    assert len(printed) == 5 + 16 + 4
    assert ((printed["low"] <= printed["printed"]) & (printed["printed"] <= printed["high"])).all()
    assert (table.loc[table["term"] == "joint test", "value"] > 0.01).all()


@with_data
def test_raw_alignment_is_what_section_4_1_speaks_of():
    """The overview must be of the paper's models: highest alignment about 0.4, each value within its interval."""
    table = overview.alignment_table(rounds=20).set_index(["state", "metric"])
    assert table.loc[(SEED, "highest alignment"), "value"].item() == pytest.approx(0.4, abs=0.05)
    resampled = table.dropna(subset="low")
    assert ((resampled["low"] <= resampled["value"]) & (resampled["value"] <= resampled["high"])).all()
    assert table.loc[(SEED, "mean alignment"), "n"].item() == table.loc[(SEED, "alignment"), "n"].sum()
    assert set(table.loc[(SEED, "alignment"), "model"]) == {
        *names.MODELS["gemma"],
        *names.MODELS["openai"],
    }
    assert len(table.loc[(HEAD, "alignment")]) == 9 * 4 and len(table.loc[(HEAD, "step")]) == 6 * 4


@with_data
def test_local_countries_are_those_of_the_survey():
    """RQ2 compares the US with the countries in which a language is native: a missing one would move the verdict."""
    table = overview.native_countries().set_index("language")["countries"]
    assert table[["da", "nl", "pt"]].tolist() == ["DK", "NL", "BR, PT"]
    assert set(table["en"].split(", ")) == {"AU", "CA", "GB", "KE", "NG", "NIR", "NZ", "SG", "US"}


def test_the_benchmark_measures_the_same_analysis(monkeypatch):
    """A peer that computed something else would be no peer: its rounds must be ours."""
    monkeypatch.syspath_prepend(str(REPOSITORY / "benchmarks"))
    plain = importlib.import_module("rq1").plain_round
    table = noisy_study(np.random.default_rng(9)).reset_index(drop=True)
    counts = stats.bootstrap_counts(len(table), 1, seed=4)
    own = (table["group"] == table["language"]).to_numpy()
    ours = scores.alignment(table[own], counts[:, own]).merge(scores.consistency(table, counts, HEAD))
    peer = plain(drawn_rows(table, counts[0])).merge(ours, on=["model", "language"], suffixes=("", "_ours"))
    assert len(peer) == 4
    for name in ("alignment", "consistency"):
        assert peer[name].tolist() == pytest.approx(peer[f"{name}_ours"].tolist(), abs=1e-12)
