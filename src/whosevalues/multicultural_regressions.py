"""The regressions of "Multilingual != Multicultural": capability and alignment (RQ1), US-centric bias (RQ2)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from . import multicultural, stats
from .multicultural import STATES

if TYPE_CHECKING:
    from statsmodels.regression.linear_model import RegressionResults
    from statsmodels.regression.mixed_linear_model import MixedLMResults

FORMULA = {
    "seed-2025-06": "alignment ~ 0 + consistency + multilingual:family:language",
    "head-2025-08": "alignment ~ 0 + consistency:language + multilingual:family:language",
}
US_FORMULA = "alignment ~ us*model:language"
RULES = {"coefficient > 0": "value", "interval > 0": "low", "raw US > local": "raw"}
"""Three readings of 'US-biased', and the column of :func:`us_bias` that must be positive."""


def rq1_rows(
    joined: pd.DataFrame, capability: pd.DataFrame, state: str, *, rounds: int = 100, seed: int = 0
) -> pd.DataFrame:
    """The observations of Eq. 1: bootstrap rounds of the alignment with the prompt language's own speakers.

    Every round draws as many joined rows as there are, all models and baselines together; those without a
    capability score (the baselines, the Mistral family) go out afterwards.

    Parameters
    ----------
    joined : responses and ground truth per language, as from :func:`multicultural.join`.
    capability : as from :func:`multicultural.multilingual`.
    state : decides how consistency is measured.
    rounds, seed : of the bootstrap.

    Returns
    -------
    One row per (round, model, language): `alignment`, `consistency`, `multilingual`, `family`.
    """
    counts = stats.bootstrap_counts(len(joined), rounds, seed)
    own = (joined["group"] == joined["language"]).to_numpy()
    rows = multicultural.alignment(joined[own], counts[:, own]).merge(capability, on=["model", "language"])
    rows = rows.merge(multicultural.consistency(joined, counts, state), on=["round", "model", "language"])
    return rows.merge(joined[["model", "family"]].drop_duplicates(), on="model")


def rq1_fit(rows: pd.DataFrame, state: str) -> MixedLMResults:
    """Fit Eq. 1: a linear mixed model with a random intercept per model, by REML.

    Parameters
    ----------
    rows : as from :func:`rq1_rows`.
    state : decides the formula, see `FORMULA`.

    Returns
    -------
    The fitted model of statsmodels.
    """
    import statsmodels.formula.api as smf

    return smf.mixedlm(FORMULA[state], rows, groups="model").fit()


def rq1_draws(seeds: Iterable[int], *, rounds: int = 100) -> pd.DataFrame:
    """Repeat the whole of RQ1, bootstrap and regression, once per seed and state.

    Parameters
    ----------
    seeds : of the bootstrap.
    rounds : bootstrap rounds within a seed.

    Returns
    -------
    One row per (state, term, seed): `value` and `p_value`. Terms are those of Eq. 1, written 'consistency',
    'consistency:da' or 'gemma:da' (the slope of multilingual capability), and 'residual variance', 'intercept
    variance', 'log-likelihood' and 'observations', which have no p-value.
    """
    parts = []
    for state in STATES:
        responses, truth, capability = multicultural.read(state)
        joined = multicultural.join(responses, truth, "language")
        for seed in seeds:
            fit = rq1_fit(rq1_rows(joined, capability, state, rounds=rounds, seed=seed), state)
            parts.append(_terms(fit).assign(state=state, seed=seed))
    return pd.concat(parts, ignore_index=True)[["state", "term", "seed", "value", "p_value"]]


def _terms(fit: MixedLMResults) -> pd.DataFrame:
    names = fit.fe_params.index.str.replace("multilingual:", "").str.replace(r"\w+\[(\w+)\]", r"\1", regex=True)
    slopes = pd.DataFrame({"term": names, "value": fit.fe_params.to_numpy()})
    slopes["p_value"] = fit.pvalues[fit.fe_params.index].to_numpy()
    rest = {
        "residual variance": fit.scale,
        "intercept variance": fit.cov_re.iloc[0, 0],
        "log-likelihood": fit.llf,
        "observations": fit.nobs,
    }
    return pd.concat([slopes, pd.DataFrame({"term": rest.keys(), "value": rest.values()})], ignore_index=True)


def rq1_table(draws: pd.DataFrame) -> pd.DataFrame:
    """Set every coefficient of RQ1 beside the printed one.

    Parameters
    ----------
    draws : as from :func:`rq1_draws`.

    Returns
    -------
    One row per (state, term): `value` (mean over seeds), `sd`, `low` and `high` (Monte-Carlo interval of a single
    run, see :func:`stats.monte_carlo_interval`), `n` (seeds), `chance`, `printed`, `place`; `call`, what the paper
    says of significance ('+', '-' or '0' at the 5% level); the share of seeds with p < .05 (`significant`), with p <
    .05 and above 0 (`positive`), and with the paper's call (`holds`). 'consistency minus largest slope' compares,
    within a seed, the consistency coefficient with the largest slope of capability (at HEAD within the language);
    'joint test' is the p-value of all printed slopes together.
    """
    printed = _printed("rq1")
    table = stats.monte_carlo_interval(pd.concat([draws, _lead(draws)]), ["state", "term"])
    table = table.merge(printed, on=["state", "term"], how="left")
    slopes = draws.dropna(subset="p_value").merge(printed, on=["state", "term"])
    made = np.where(slopes["p_value"] < 0.05, np.where(slopes["value"] > 0, "+", "-"), "0")
    slopes = slopes.assign(significant=made != "0", positive=made == "+", holds=made == slopes["call"], chance=0.0)
    shares = ["significant", "positive", "holds"]
    shares = slopes.groupby(["state", "term"])[[*shares, "chance"]].mean().reset_index()
    joint = _joint(draws.dropna(subset="p_value"), "term", printed[["state", "term", "printed"]])
    table = pd.concat([table.merge(shares, how="left"), joint], ignore_index=True)
    columns = ["value", "sd", "low", "high", "n", "chance", "printed", "place", "call"]
    return table[["state", "term", *columns, "significant", "positive", "holds"]]


def _lead(draws: pd.DataFrame) -> pd.DataFrame:
    terms = draws.dropna(subset="p_value")
    of = np.where(terms["state"] == STATES[0], "", terms["term"].str.extract(":(.*)", expand=False))
    terms = terms.assign(of=of, cons=terms["term"].str.startswith("consistency"))
    best = terms.groupby(["state", "of", "seed", "cons"])["value"].max().unstack()
    table = (best[True] - best[False]).rename("value").reset_index()
    suffix = np.where(table["of"] == "", "", ":" + table["of"])
    return table.assign(term="consistency minus largest slope" + pd.Series(suffix)).drop(columns="of")


def _joint(draws: pd.DataFrame, figure: str, printed: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for state, part in draws.merge(printed.dropna(subset="printed")).groupby("state", sort=False):
        wide = part.pivot(index="seed", columns=figure, values="value")
        test = stats.joint_test(wide.to_numpy(), part.groupby(figure)["printed"].first()[wide.columns].to_numpy())
        rows.append({"state": state, figure: "joint test", "value": test["p_value"], "n": test["n"]})
    return pd.DataFrame(rows)


def _printed(question: str) -> pd.DataFrame:
    """The paper's figures and those of the regression tables that the authors published with their code."""
    table = pd.read_csv(Path(__file__).with_name("multicultural_printed.csv"))
    return table[table["question"] == question].drop(columns="question").dropna(axis=1, how="all")


def rq2_rows(joined: pd.DataFrame, *, rounds: int = 100, seed: int = 0) -> pd.DataFrame:
    """The observations of Eq. 2: bootstrap rounds of the alignment with native countries and with the US.

    Parameters
    ----------
    joined : responses and ground truth per country, as from :func:`multicultural.join`.
    rounds, seed : of the bootstrap, which draws from all joined rows as in :func:`rq1_rows`.

    Returns
    -------
    One row per (round, model, language, group): `alignment` and `us`; the uniform-random baseline is among the
    models, the fifty-percent one and the Mistral family are not.
    """
    counts = stats.bootstrap_counts(len(joined), rounds, seed)
    kept = joined["model"].ne("Baseline_fifty_percent") & joined["family"].ne("mistral")
    kept &= joined["group_language"].eq(joined["language"]) | joined["group"].eq("US")
    rows = multicultural.alignment(joined[kept], counts[:, kept])
    return rows.assign(us=rows["group"] == "US")


def rq2_fit(rows: pd.DataFrame) -> RegressionResults:
    """Fit Eq. 2 by ordinary least squares; the uniform-random baseline is the reference.

    Parameters
    ----------
    rows : as from :func:`rq2_rows`.

    Returns
    -------
    The fitted model of statsmodels.
    """
    import statsmodels.formula.api as smf

    others = sorted(set(rows["model"]) - {multicultural.RANDOM})
    models = pd.Categorical(rows["model"], [multicultural.RANDOM, *others])
    return smf.ols(US_FORMULA, rows.assign(model=models)).fit()


def us_bias(fit: RegressionResults, rows: pd.DataFrame) -> pd.DataFrame:
    """Read the US-centric bias of every model and language off a fit of Eq. 2.

    Parameters
    ----------
    fit, rows : as from :func:`rq2_fit` and :func:`rq2_rows`.

    Returns
    -------
    One row per (model, language): `value`, the coefficient of US x model x language; `std_err`; `low`, the lower end
    of its 95% interval; `raw`, the mean alignment with the US minus that with the other native countries.
    """
    table = pd.DataFrame({"value": fit.params, "std_err": fit.bse, "low": fit.conf_int()[0]})
    names = table.index.str.extract(r"^us\[T\.True\]:model\[T\.(?P<model>.+)\]:language\[(?P<language>\w+)\]$")
    table = pd.concat([names, table.reset_index(drop=True)], axis=1).dropna(subset="model")
    means = rows.groupby(["model", "language", "us"])["alignment"].mean().unstack()
    return table.merge((means[True] - means[False]).rename("raw").reset_index(), on=["model", "language"])


def rq2_draws(seeds: Iterable[int], *, rounds: int = 100) -> pd.DataFrame:
    """Repeat the whole of RQ2, bootstrap and regression, once per seed and state.

    Parameters
    ----------
    seeds : of the bootstrap.
    rounds : bootstrap rounds within a seed.

    Returns
    -------
    One row per (state, model, language, seed), with the columns of :func:`us_bias`.
    """
    parts = []
    for state in STATES:
        responses, truth, _ = multicultural.read(state)
        joined = multicultural.join(responses, truth, "country")
        for seed in seeds:
            rows = rq2_rows(joined, rounds=rounds, seed=seed)
            parts.append(us_bias(rq2_fit(rows), rows).assign(state=state, seed=seed))
    return pd.concat(parts, ignore_index=True)[["state", "model", "language", "seed", "value", "std_err", "low", "raw"]]


def rq2_table(draws: pd.DataFrame) -> pd.DataFrame:
    """Set the US-centric bias beside the printed one, by three readings of what bias is.

    Parameters
    ----------
    draws : as from :func:`rq2_draws`.

    Returns
    -------
    One row per (state, metric, model, language): `value` (mean over seeds), `sd`, `low` and `high` (Monte-Carlo
    interval of a single run), `n` (seeds), `chance`, `printed`, and for coefficients and steps the regression's
    `std_err`, 95% interval `ci_low` to `ci_high`, and by how much it `clears_zero`, negative if it does not. Metrics:
    'coefficient'; 'raw', US minus local alignment; 'step', the coefficient minus that of the model before in the
    family; the name of each rule in `RULES`, the share of seeds in which it calls the model US-biased, and for model
    'all' how many models it calls so, the least and the most over seeds being `low` and `high`; 'joint test', the
    p-value of all printed coefficients together.
    """
    keys = ["state", "model", "language"]
    wide = draws.set_index([*keys, "seed"])
    steps = [multicultural.steps(part) for _, part in wide["value"].groupby("state")]
    values = {"coefficient": wide["value"], "raw": wide["raw"], "step": pd.concat(steps).dropna()}
    table = pd.concat([_summary(v, keys).assign(metric=name) for name, v in values.items()], ignore_index=True)
    # The design is balanced: a step, which cancels the baseline, has the standard error of a coefficient.
    error = table.merge(draws.groupby(keys)["std_err"].mean().reset_index())["std_err"]
    table["std_err"] = error.where(table["metric"] != "raw")
    table["ci_low"], table["ci_high"] = (table["value"] + z * table["std_err"] for z in (-1.96, 1.96))
    table["clears_zero"] = table[["ci_low", "ci_high"]].mul([1, -1]).max(axis=1)
    calls = pd.concat([_calls(wide[column] > 0, rule) for rule, column in RULES.items()])
    printed = _rq2_printed()
    table = pd.concat([table.assign(chance=0.0), calls], ignore_index=True).merge(printed, how="left")
    named = draws.assign(metric="coefficient", figure=draws["model"] + " " + draws["language"])
    joint = _joint(named, "figure", printed).rename(columns={"figure": "metric"}).assign(model="all", language="all")
    table = pd.concat([table, joint], ignore_index=True)
    columns = ["value", "sd", "low", "high", "n", "chance", "printed", "std_err", "ci_low", "ci_high", "clears_zero"]
    return table[["state", "metric", "model", "language", *columns]]


def _summary(values: pd.Series, keys: list[str]) -> pd.DataFrame:
    return stats.monte_carlo_interval(values.rename("value").reset_index(), keys)


def _calls(biased: pd.Series, rule: str) -> pd.DataFrame:
    level = 0.025 if rule == "interval > 0" else 0.5
    shares = biased.groupby(["state", "model", "language"], sort=False).agg(value="mean", n="count").reset_index()
    counts = biased.groupby(["state", "language", "seed"], sort=False).agg(count="sum", models="count")
    over = counts.groupby(["state", "language"], sort=False)
    total = over["count"].agg(value="mean", sd="std", low="min", high="max", n="count").reset_index()
    total = total.assign(model="all", chance=level * over["models"].first().to_numpy())
    return pd.concat([shares.assign(chance=level), total]).assign(metric=rule)


def _rq2_printed() -> pd.DataFrame:
    printed = _printed("rq2").rename(columns={"term": "metric"})[["state", "metric", "model", "language", "printed"]]
    # The paper counts without naming its rule: its count stands beside every rule's.
    counts = [printed[printed["metric"] == "US-biased"].assign(metric=rule) for rule in RULES]
    return pd.concat([printed[printed["metric"] == "coefficient"], *counts])
