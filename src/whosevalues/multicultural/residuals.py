"""What is left of a regression: whether its residuals are as random as the model takes them to be (appendix D)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from .. import figures
from .names import STATES
from .repeated import repeat

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from statsmodels.regression.mixed_linear_model import MixedLMResults

QUANTILES = 41
"""Points of a quantile-quantile plot."""


def checks(fitted: np.ndarray, residual: np.ndarray, cell: np.ndarray) -> dict[str, float]:
    """Put numbers to a plot of residuals.

    Parameters
    ----------
    fitted, residual : of every observation.
    cell : number of the cell of the design that each observation comes from, 0, 1, ...

    Returns
    -------
    'skewness' and 'excess kurtosis' (0 for a normal distribution); 'normality, p' (D'Agostino and Pearson); 'share
    explained by cell', of the residuals' sum of squares (eta squared, in [0, 1]); 'spread across cells', the largest
    standard deviation of a cell over the smallest; 'equal spread across cells, p' (Levene's test about the median);
    'equal spread along the fit, p' (Breusch and Pagan).

    Examples
    --------
    >>> found = checks(np.arange(8.0), np.array([1.0, 2, 1, 2, -1, -2, -1, -2]), np.repeat([0, 1], 4))
    >>> f"{found['share explained by cell']:.2f}"
    '0.90'
    """
    from scipy import stats
    from statsmodels.stats.diagnostic import het_breuschpagan

    groups = [part.to_numpy() for _, part in pd.Series(residual).groupby(np.asarray(cell))]
    centred = residual - np.mean(residual)
    between = sum(len(group) * (group.mean() - np.mean(residual)) ** 2 for group in groups)
    spread = [group.std(ddof=1) for group in groups]
    return {
        "skewness": float(stats.skew(residual)),
        "excess kurtosis": float(stats.kurtosis(residual)),
        "normality, p": float(stats.normaltest(residual).pvalue) if len(residual) >= 8 else np.nan,
        "share explained by cell": float(between / (centred**2).sum()),
        "spread across cells": float(max(spread) / min(spread)),
        "equal spread across cells, p": float(stats.levene(*groups, center="median").pvalue),
        "equal spread along the fit, p": float(
            het_breuschpagan(residual, np.column_stack([np.ones_like(fitted), fitted]))[1]
        ),
    }


def run_checks(fitted: np.ndarray, residual: np.ndarray, cells: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Check the residuals of one run, and beside them what residuals would give that are nothing but noise.

    Parameters
    ----------
    fitted, residual : of every observation.
    cells : columns that name each observation's cell.
    seed : of the noise: independent normal numbers, alike in all cells.

    Returns
    -------
    One row per figure of :func:`checks`: `metric`, `value`, `chance`.
    """
    number = cells.groupby(list(cells)).ngroup().to_numpy()
    noise = np.random.default_rng(seed).normal(size=len(residual))
    found, alone = checks(fitted, residual, number), checks(fitted, noise, number)
    return pd.DataFrame({"metric": found.keys(), "value": found.values(), "chance": alone.values()})


def picture(fitted: np.ndarray, residual: np.ndarray, cells: pd.DataFrame) -> pd.DataFrame:
    """Sum up what a plot of residuals shows, small enough to be kept.

    Parameters
    ----------
    fitted, residual : of every observation.
    cells : columns that name each observation's cell.

    Returns
    -------
    One row per cell: its names, `metric` 'cell', `at` (mean fitted value), `value` (mean residual), `low` and `high`
    (from 2.5 to 97.5% of its residuals), `n`. Then rows of `metric` 'quantile': `at` is the quantile of the normal
    distribution, `value` that of the residuals over their standard deviation.
    """
    from scipy import stats

    table = cells.assign(at=np.asarray(fitted), value=np.asarray(residual))
    groups = table.groupby(list(cells))
    rows = groups.agg(at=("at", "mean"), n=("value", "size")).reset_index().assign(metric="cell")
    rows["value"] = groups["value"].mean().to_numpy()
    rows["low"], rows["high"] = (groups["value"].quantile(q).to_numpy() for q in (0.025, 0.975))
    shares = (np.arange(QUANTILES) + 0.5) / QUANTILES
    quantiles = np.quantile(residual / np.std(residual), shares)
    line = pd.DataFrame({"metric": "quantile", "at": stats.norm.ppf(shares), "value": quantiles, "n": len(residual)})
    return pd.concat([rows, line], ignore_index=True)


def r_squared(fit: MixedLMResults) -> dict[str, float]:
    """Share of the variance that a mixed model explains (Nakagawa and Schielzeth, 2013).

    Parameters
    ----------
    fit : of a linear mixed model with one random intercept.

    Returns
    -------
    'marginal', by the fixed effects alone: Var(X b) over the sum of Var(X b), the variance of the random intercepts
    and that of the residuals; 'conditional', by the fixed effects and the intercepts. Both in [0, 1]. Where the formula
    has no mean of the intercepts, their variance is one about 0: it takes in the mean of what is explained.
    """
    fixed = float(np.var(fit.model.exog @ fit.fe_params.to_numpy()))
    intercept, rest = float(fit.cov_re.iloc[0, 0]), float(fit.scale)
    total = fixed + intercept + rest
    return {"marginal": fixed / total, "conditional": (fixed + intercept) / total}


def table(
    of: Callable[[str], Callable[[int], pd.DataFrame]], cells: list[str], seeds: list[int], workers: int | None = None
) -> pd.DataFrame:
    """Check the residuals of a regression in both states, over some seeds.

    Parameters
    ----------
    of : takes a state and gives the function that runs a seed: `cells`, `fitted` and `residual` of every observation.
    cells : columns that name the cells of the design.
    seeds, workers : as for :func:`~whosevalues.multicultural.repeated.repeat`.

    Returns
    -------
    One row per (state, metric): `value` (median over seeds), `low` and `high` (the least and the most), `n` (seeds),
    `chance` (median of what noise gets). Then the rows of :func:`picture` for the first seed.
    """
    parts = []
    for state in STATES:
        run = of(state)
        draws = pd.concat(repeat(partial(_checked, run, cells), seeds, workers=workers, what=f"residuals, {state}"))
        over = draws.groupby("metric", sort=False)
        found = over["value"].agg(value="median", low="min", high="max", n="size").join(over["chance"].median())
        first = run(seeds[0])
        drawn = picture(first["fitted"], first["residual"], first[cells])
        parts.append(pd.concat([found.reset_index(), drawn], ignore_index=True).assign(state=state))
    columns = ["state", "metric", *cells, "at", "value", "low", "high", "n", "chance"]
    return pd.concat(parts, ignore_index=True)[columns].assign(printed=np.nan)


def _checked(run: Callable[[int], pd.DataFrame], cells: list[str], seed: int) -> pd.DataFrame:
    left = run(seed)
    return run_checks(left["fitted"].to_numpy(), left["residual"].to_numpy(), left[cells], seed)


def draw(found: pd.DataFrame) -> Figure:
    """Draw the residuals of both states: by cell against the fit, and quantile against quantile.

    Parameters
    ----------
    found : as from :func:`table`.

    Returns
    -------
    The figure. Above a point per cell, its mean residual and 95% of its residuals; below the quantiles of all residuals
    against those of the normal distribution, with the line on which they would lie.
    """
    import matplotlib.pyplot as plt

    figures.theme()
    figure, axes = plt.subplots(2, len(STATES), figsize=(8, 7), sharey="row", layout="constrained")
    for column, state in zip(axes.T, STATES, strict=True):
        part = found[found["state"] == state]
        cells, quantiles = (part[part["metric"] == metric] for metric in ("cell", "quantile"))
        span = [cells["value"] - cells["low"], cells["high"] - cells["value"]]
        column[0].errorbar(cells["at"], cells["value"], yerr=span, fmt="o", ms=4, lw=1)
        column[0].axhline(0, color="0.4", lw=1)
        column[0].set(title=state, xlabel="fitted alignment")
        column[1].plot(quantiles["at"], quantiles["value"], "o", ms=4)
        column[1].axline((0, 0), slope=1, color="0.4", lw=1)
        column[1].set(xlabel="normal quantile")
    axes[0][0].set_ylabel("residual, by cell")
    axes[1][0].set_ylabel("residual, in standard deviations")
    return figure
