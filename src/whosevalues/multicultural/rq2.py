"""The second regression of "Multilingual != Multicultural": US-centric bias (RQ2)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

import pandas as pd

from .. import stats
from . import released, residuals, scores
from .names import RANDOM, STATES
from .repeated import repeat
from .rq1 import jointly, printed_figures

if TYPE_CHECKING:
    from statsmodels.regression.linear_model import RegressionResults

US_FORMULA = "alignment ~ us*model:language"
PRELIMINARY = ("Mistral-7B-Instruct-v0.2", "Starling-LM-7B-beta", "dolphin-2.8-mistral-7b-v02")
"""Models that take part in the resampling and in nothing after it."""
RULES = {"coefficient > 0": "value", "interval > 0": "low", "raw US > local": "raw"}
"""Three readings of 'US-biased', and the column of :func:`us_bias` that must be positive."""


def rq2_rows(joined: pd.DataFrame, *, rounds: int = 100, seed: int = 0) -> pd.DataFrame:
    """The observations of Eq. 2: bootstrap rounds of the alignment with native countries and with the US.

    Parameters
    ----------
    joined : responses and ground truth per country, as from :func:`~whosevalues.multicultural.released.join`.
    rounds, seed : of the bootstrap, which draws from all joined rows as in :func:`rq1_rows`.

    Returns
    -------
    One row per (round, model, language, group): `alignment` and `us`; the uniform-random baseline is among the
    models, the fifty-percent one and the `PRELIMINARY` models are not.
    """
    counts = stats.bootstrap_counts(len(joined), rounds, seed)
    kept = ~joined["model"].isin(["Baseline_fifty_percent", *PRELIMINARY])
    kept &= joined["group_language"].eq(joined["language"]) | joined["group"].eq("US")
    rows = scores.alignment(joined[kept], counts[:, kept])
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
    import statsmodels.api as sm
    import statsmodels.formula.api as smf

    others = sorted(set(rows["model"]) - {RANDOM})
    rows = rows.assign(model=pd.Categorical(rows["model"], [RANDOM, *others])).dropna(subset="alignment")
    model = smf.ols(US_FORMULA, rows)
    given = model.exog.any(axis=0)
    if not given.all():
        # A model that answered in some of the languages only has no coefficient in the others.
        table = pd.DataFrame(model.exog, rows.index, model.exog_names).loc[:, given]
        model = sm.OLS(rows["alignment"], table)
    return model.fit()


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


def rq2_draws(
    seeds: Iterable[int], *, rounds: int = 100, own: str = "", benchmarks: str = "", workers: int | None = None
) -> pd.DataFrame:
    """Repeat the whole of RQ2, bootstrap and regression, once per seed and state.

    Parameters
    ----------
    seeds : of the bootstrap.
    rounds : bootstrap rounds within a seed.
    own, benchmarks : a reader's own models, as for :func:`~whosevalues.multicultural.released.read`; they need no
        benchmark scores here.
    workers : as for :func:`~whosevalues.multicultural.repeated.repeat`.

    Returns
    -------
    One row per (state, model, language, seed), with the columns of :func:`us_bias`.

    Raises
    ------
    UserError : no seed at all.
    """
    seeds, parts = stats.at_least_one(seeds), []
    for state in STATES:
        run = partial(_run, _joined(state, own, benchmarks), state, rounds)
        parts += repeat(run, seeds, workers=workers, what=f"RQ2, {state}")
    return pd.concat(parts, ignore_index=True)[["state", "model", "language", "seed", "value", "std_err", "low", "raw"]]


def _joined(state: str, own: str = "", benchmarks: str = "") -> pd.DataFrame:
    responses, truth, _ = released.read(state, own, benchmarks)
    return released.join(responses, truth, "country")


def _run(joined: pd.DataFrame, state: str, rounds: int, seed: int) -> pd.DataFrame:
    rows = rq2_rows(joined, rounds=rounds, seed=seed)
    return us_bias(rq2_fit(rows), rows).assign(state=state, seed=seed)


def rq2_residuals(seeds: Iterable[int], *, rounds: int = 100, workers: int | None = None) -> pd.DataFrame:
    """Check the residuals of Eq. 2 (Fig. 9b), by model, language and country.

    Parameters
    ----------
    seeds, rounds, workers : as for :func:`rq2_draws`.

    Returns
    -------
    As from :func:`~whosevalues.multicultural.residuals.table`, its cells named by `model`, `language` and `group`.
    """
    seeds = stats.at_least_one(seeds)
    return residuals.table(partial(_residuals, rounds), ["model", "language", "group"], seeds, workers)


def _residuals(rounds: int, state: str) -> partial:
    return partial(_left, _joined(state), rounds)


def _left(joined: pd.DataFrame, rounds: int, seed: int) -> pd.DataFrame:
    rows = rq2_rows(joined, rounds=rounds, seed=seed)
    fit = rq2_fit(rows)
    cells = rows[["model", "language", "group"]]
    return cells.assign(fitted=fit.fittedvalues, residual=fit.resid).dropna(ignore_index=True)


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
    'coefficient'; 'raw', US minus local alignment; 'offset', the coefficient minus that, which the baseline puts there
    for all models of a language alike; 'step', the coefficient minus that of the model before in the
    family; the name of each rule in `RULES`, the share of seeds in which it calls the model US-biased, and for model
    'all' how many models it calls so, the least and the most over seeds being `low` and `high`, and `exact` the share
    of seeds that count exactly what is printed; 'joint test', the p-value of all printed coefficients together.
    """
    keys = ["state", "model", "language"]
    wide = draws.set_index([*keys, "seed"])
    steps = [scores.steps(part) for _, part in wide["value"].groupby("state")]
    values = {"coefficient": wide["value"], "raw": wide["raw"], "step": pd.concat(steps).dropna()}
    table = pd.concat([_summary(v, keys).assign(metric=name) for name, v in values.items()], ignore_index=True)
    # The design is balanced: a step, which cancels the baseline, has the standard error of a coefficient.
    error = table.merge(draws.groupby(keys)["std_err"].mean().reset_index())["std_err"]
    table["std_err"] = error.where(table["metric"] != "raw")
    table["ci_low"], table["ci_high"] = (table["value"] + z * table["std_err"] for z in (-1.96, 1.96))
    table["clears_zero"] = table[["ci_low", "ci_high"]].mul([1, -1]).max(axis=1)
    offset = (draws["value"] - draws["raw"]).groupby([draws[key] for key in ("state", "language", "seed")]).mean()
    offset = _summary(offset, ["state", "language"]).assign(metric="offset", model="all")
    table = pd.concat([table, offset], ignore_index=True)
    printed = _rq2_printed()
    calls = pd.concat([_calls(wide[column] > 0, rule, printed) for rule, column in RULES.items()])
    table = pd.concat([table.assign(chance=0.0), calls], ignore_index=True).merge(printed, how="left")
    named = draws.assign(metric="coefficient", figure=draws["model"] + " " + draws["language"])
    joint = jointly(named, "figure", printed).rename(columns={"figure": "metric"}).assign(model="all", language="all")
    table = pd.concat([table, joint], ignore_index=True)
    columns = ["value", "sd", "low", "high", "n", "chance", "printed", "exact"]
    columns += ["std_err", "ci_low", "ci_high", "clears_zero"]
    return table[["state", "metric", "model", "language", *columns]]


def _summary(values: pd.Series, keys: list[str]) -> pd.DataFrame:
    return stats.monte_carlo_interval(values.rename("value").reset_index(), keys)


def _calls(biased: pd.Series, rule: str, printed: pd.DataFrame) -> pd.DataFrame:
    level = 0.025 if rule == "interval > 0" else 0.5
    shares = biased.groupby(["state", "model", "language"], sort=False).agg(value="mean", n="count").reset_index()
    counts = biased.groupby(["state", "language", "seed"], sort=False).agg(count="sum", models="count").reset_index()
    counts = counts.merge(printed[(printed["metric"] == rule) & (printed["model"] == "all")], how="left")
    counts["exact"] = counts["count"].eq(counts["printed"]).where(counts["printed"].notna()).astype(float)
    over = counts.groupby(["state", "language"], sort=False)
    total = over["count"].agg(value="mean", sd="std", low="min", high="max", n="count")
    total = total.assign(exact=over["exact"].mean(), chance=level * over["models"].first()).reset_index()
    return pd.concat([shares.assign(chance=level), total.assign(model="all")]).assign(metric=rule)


def _rq2_printed() -> pd.DataFrame:
    printed = printed_figures("rq2").rename(columns={"term": "metric"})[
        ["state", "metric", "model", "language", "printed"]
    ]
    # The paper counts without naming its rule: its count stands beside every rule's.
    counts = [printed[printed["metric"] == "US-biased"].assign(metric=rule) for rule in RULES]
    return pd.concat([printed[printed["metric"] == "coefficient"], *counts])
