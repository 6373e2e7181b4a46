"""RQ1 under other benchmarks, what it explains, and what its residuals look like."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from .. import stats
from . import capability, residuals
from .names import STATES
from .repeated import repeat
from .rq1 import _inputs, _resampled, _terms, identified, jointly, printed_figures, rq1_fit, rq1_rows, standard_error

if TYPE_CHECKING:
    from statsmodels.regression.mixed_linear_model import MixedLMResults

INTERCEPT = "intercept of Eq. 1"
"""The mean of the random intercepts, mu_alpha; the authors' code leaves it at 0."""


def benchmark_draws(seeds: Iterable[int], *, rounds: int = 100, workers: int | None = None) -> pd.DataFrame:
    """Repeat RQ1 on the paper's responses with three sets of benchmarks; a seed's rounds are the same for all.

    Parameters
    ----------
    seeds, rounds, workers : as for :func:`~whosevalues.multicultural.rq1.rq1_draws`.

    Returns
    -------
    One row per (benchmarks, term, seed): `value` and `p_value`, coefficients only.
    """
    joined, _ = _inputs(STATES[0])
    sets = {name: identified(joined, capability.by_benchmarks(name)) for name in capability.SETS}
    parts = repeat(partial(_three, joined, sets, rounds), seeds, workers=workers, what="RQ1, benchmarks")
    return pd.concat(parts, ignore_index=True)


def _three(joined: pd.DataFrame, sets: dict[str, pd.DataFrame], rounds: int, seed: int) -> pd.DataFrame:
    rows = _resampled(joined, STATES[0], rounds, seed)
    parts = []
    for name, scored in sets.items():
        terms = _terms(rq1_fit(rows.merge(scored, on=["model", "language"]), STATES[0])).dropna(subset="p_value")
        parts.append(terms.assign(benchmarks=name, seed=seed))
    return pd.concat(parts, ignore_index=True)[["benchmarks", "term", "seed", "value", "p_value"]]


def benchmark_table(draws: pd.DataFrame) -> pd.DataFrame:
    """Set the coefficients by each set of benchmarks beside the paper's.

    Parameters
    ----------
    draws : as from :func:`benchmark_draws`.

    Returns
    -------
    One row per (benchmarks, term): `value` (mean over seeds), `low` and `high` (Monte-Carlo interval of a single run),
    `n` (seeds), `chance`, `printed`; `holds`, the share of seeds with the paper's call of significance; `std_err`, the
    regression's standard error, with an interval of the same kind, and `printed_std_err`, the one that makes the
    printed p-value of the printed coefficient. The term 'joint test' is the p-value of all printed coefficients
    together, NaN unless there are more seeds than these.
    """
    keys, printed = ["benchmarks", "term"], printed_figures("rq1")
    printed = printed[printed["state"] == STATES[0]][["term", "printed", "call", "p"]]
    as_drawn = printed.rename(columns={"printed": "value", "p": "p_value"})
    printed = printed.assign(printed_std_err=standard_error(as_drawn)).drop(columns="p")
    errors = stats.monte_carlo_interval(draws.assign(value=standard_error(draws)), keys).drop(columns=["sd", "n"])
    errors = errors.rename(columns={"value": "std_err", "low": "std_err_low", "high": "std_err_high"})
    made = np.where(draws["p_value"] < 0.05, np.where(draws["value"] > 0, "+", "-"), "0")
    held = draws.assign(made=made).merge(printed, on="term")
    held = held.assign(holds=held["made"] == held["call"]).groupby(keys)["holds"].mean().reset_index()
    table = stats.monte_carlo_interval(draws, keys).assign(chance=0.0)
    table = table.merge(printed, on="term", how="left").merge(held, how="left").merge(errors, how="left")
    of_sets = printed.merge(pd.DataFrame({"state": capability.SETS}), how="cross")
    joint = jointly(draws.rename(columns={"benchmarks": "state"}), "term", of_sets[["state", "term", "printed"]])
    table = pd.concat([table, joint.rename(columns={"state": "benchmarks"})], ignore_index=True)
    columns = ["value", "low", "high", "n", "chance", "printed", "holds"]
    return table[[*keys, *columns, "std_err", "std_err_low", "std_err_high", "printed_std_err"]]


def rq1_residuals(seeds: Iterable[int], *, rounds: int = 100, workers: int | None = None) -> pd.DataFrame:
    """Check the residuals of Eq. 1 (Fig. 9a).

    Parameters
    ----------
    seeds, rounds, workers : as for :func:`~whosevalues.multicultural.rq1.rq1_draws`.

    Returns
    -------
    One row per (state, metric): `value`, the median over seeds of a figure of
    :func:`~whosevalues.multicultural.residuals.checks`, `low` and `high`, the least and the most over seeds, `n`
    (seeds), `chance`, what noise gets in its place. Then what
    :func:`~whosevalues.multicultural.residuals.picture` says of the first seed, by model and language, `n` being
    observations.
    """
    seeds = stats.at_least_one(seeds)
    return residuals.table(partial(_residuals, rounds), ["model", "language"], seeds, workers)


def _residuals(rounds: int, state: str) -> partial:
    return partial(_left, *_inputs(state), state, rounds)


def _left(joined: pd.DataFrame, scored: pd.DataFrame, state: str, rounds: int, seed: int) -> pd.DataFrame:
    rows = rq1_rows(joined, scored, state, rounds=rounds, seed=seed)
    fit = rq1_fit(rows, state)
    return rows[["model", "language"]].assign(fitted=fit.fittedvalues, residual=fit.resid)


def rq1_r2(seeds: Iterable[int], *, rounds: int = 100, workers: int | None = None) -> pd.DataFrame:
    """How much of the variance Eq. 1 explains, by its fixed effects and with the random intercepts.

    Parameters
    ----------
    seeds, rounds, workers : as for :func:`~whosevalues.multicultural.rq1.rq1_draws`.

    Returns
    -------
    One row per (state, metric): 'marginal' and 'conditional' as :func:`~whosevalues.multicultural.residuals.r_squared`
    has them, of the authors' formula, then each with `INTERCEPT` after a comma, of the same observations when that mean
    is estimated. Without it the random intercepts' variance takes in the mean of the alignment, which moves the
    marginal share and its chance level. `value` (mean over seeds), `low` and `high` (Monte-Carlo interval of a single
    run, cut off at 0 and 1), `n` (seeds), `chance`: the mean when in every language the models' capability is
    shuffled; `printed`, NaN.
    """
    parts = []
    for state in STATES:
        run = partial(_explained, *_inputs(state), state, rounds)
        parts += [part.assign(state=state) for part in repeat(run, seeds, workers=workers, what=f"R2, {state}")]
    draws = pd.concat(parts, ignore_index=True)
    table = stats.monte_carlo_interval(draws, ["state", "metric"]).drop(columns="sd")
    table[["low", "high"]] = table[["low", "high"]].clip(0, 1)
    chance = draws.groupby(["state", "metric"])["chance"].mean().reset_index()
    return table.merge(chance).assign(printed=np.nan)


def _explained(joined: pd.DataFrame, scored: pd.DataFrame, state: str, rounds: int, seed: int) -> pd.DataFrame:
    rows = _resampled(joined, state, rounds, seed)
    scored = identified(joined, scored)
    rng = np.random.default_rng(seed)
    shuffled = scored.assign(multilingual=scored.groupby("language")["multilingual"].transform(rng.permutation))
    real = _both_r2(rq1_fit(rows.merge(scored, on=["model", "language"]), state))
    with warnings.catch_warnings():
        # Where the fixed effects explain nothing, the optimiser ends at a bound and says so.
        warnings.simplefilter("ignore")
        chance = _both_r2(rq1_fit(rows.merge(shuffled, on=["model", "language"]), state))
    return pd.DataFrame({"metric": real.keys(), "value": real.values(), "chance": chance.values(), "seed": seed})


def _both_r2(fit: MixedLMResults) -> dict[str, float]:
    with_mean = residuals.r_squared(_with_intercept(fit))
    return residuals.r_squared(fit) | {f"{metric}, {INTERCEPT}": share for metric, share in with_mean.items()}


def _with_intercept(fit: MixedLMResults) -> MixedLMResults:
    """The same observations and terms, with a mean of the intercepts."""
    from statsmodels.regression.mixed_linear_model import MixedLM

    terms = pd.DataFrame(fit.model.exog, columns=fit.model.exog_names).assign(Intercept=1.0)
    with warnings.catch_warnings():
        # As in rq1_fit: the variance of the intercepts is small, and statsmodels calls that a bound of the space.
        warnings.filterwarnings("ignore", message="The MLE may be on the boundary")
        return MixedLM(pd.Series(fit.model.endog), terms, groups=fit.model.groups).fit()
