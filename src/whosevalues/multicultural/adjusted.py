"""Figure 4 as it is really made: alignment adjusted for self-consistency, against multilingual capability."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

import numpy as np
import pandas as pd

from .. import stats
from . import groups, released
from .names import STATES
from .rq1 import rq1_rows

FORMULA = {
    "seed-2025-06": "alignment ~ 0 + consistency + language:model",
    "head-2025-08": "alignment ~ 0 + consistency:language + language:model",
}
"""The regressions whose `language:model` coefficients are the points of figure 4."""

CELL = ["model", "language"]


def coefficients(rows: pd.DataFrame, state: str) -> pd.Series:
    """Least-squares coefficient of consistency in `FORMULA`.

    With a term for every model and language, only what happens between the rounds of one model and language is left to
    determine it: the covariance of alignment and consistency over their resamples, pooled.

    Parameters
    ----------
    rows : as from :func:`~whosevalues.multicultural.rq1.rq1_rows`.
    state : decides the formula.

    Returns
    -------
    One coefficient per language; in the seed state the same for all.
    """
    within = rows[["alignment", "consistency"]] - rows.groupby(CELL)[["alignment", "consistency"]].transform("mean")
    products = pd.DataFrame({"xy": within["alignment"] * within["consistency"], "xx": within["consistency"] ** 2})
    sums = products.groupby(rows["language"]).sum()
    if state == STATES[0]:
        sums[:] = sums.sum().to_numpy()
    return sums["xy"] / sums["xx"]


def adjusted_rows(
    joined: pd.DataFrame, capability: pd.DataFrame, state: str, *, rounds: int, seed: int
) -> pd.DataFrame:
    """One bootstrap of figure 4: every round's alignment less what its consistency is worth.

    Parameters
    ----------
    joined, capability, state, rounds, seed : as for :func:`~whosevalues.multicultural.rq1.rq1_rows`.

    Returns
    -------
    Its rows, with `coefficient` and `adjusted`, whose mean over rounds is the coefficient of the model and language.
    """
    rows = rq1_rows(joined, capability, state, rounds=rounds, seed=seed)
    rows["coefficient"] = rows["language"].map(coefficients(rows, state))
    return rows.assign(adjusted=rows["alignment"] - rows["coefficient"] * rows["consistency"])


def adjusted_table(seeds: Iterable[int], *, rounds: int = 100, own: str = "", benchmarks: str = "") -> pd.DataFrame:
    """Adjusted alignment of every model and language beside the raw one.

    Parameters
    ----------
    seeds : of the bootstrap.
    rounds : bootstrap rounds within a seed.
    own, benchmarks : as in :func:`~whosevalues.multicultural.released.read`; a model without benchmark scores has no
        place in figure 4.

    Returns
    -------
    One row per (state, metric, model, language): `multilingual` (capability in [0, 1], where the model has one),
    `value`, `low`, `high`, `n`, `chance`, `printed`. Metrics 'raw', 'adjusted' and 'consistency': mean over the rounds
    of all seeds, 95% percentile interval over them, `n` responses. For model 'all': 'coefficient' of consistency with
    its spread over seeds, 'pairs in another order' (`n` pairs of models of a language) with the fewest and the most
    over seeds, and 'highest raw' and 'highest adjusted' with the language in which it lies.
    """
    seeds, tables = stats.at_least_one(seeds), []
    for state in STATES:
        responses, truth, capability = released.read(state, own=own, benchmarks=benchmarks)
        joined = released.join(responses, truth, "language")
        draws = [adjusted_rows(joined, capability, state, rounds=rounds, seed=seed).assign(seed=seed) for seed in seeds]
        sizes = responses[responses["question"].isin(joined["question"])].groupby(CELL).size()
        tables.append(_state(pd.concat(draws), sizes).assign(state=state))
    table = pd.concat(tables, ignore_index=True)
    highest = (table["metric"] == "highest adjusted") & (table["state"] == STATES[0])
    table["printed"] = np.where(highest, 0.4, np.nan)
    columns = ["multilingual", "value", "low", "high", "n", "chance", "printed"]
    return table[["state", "metric", *CELL, *columns]]


def _state(draws: pd.DataFrame, sizes: pd.Series) -> pd.DataFrame:
    draws = draws.rename(columns={"alignment": "raw"})
    metrics = ["raw", "adjusted", "consistency"]
    long = draws.melt([*CELL, "multilingual"], metrics, var_name="metric").groupby(["metric", *CELL, "multilingual"])
    table = _percentiles(long["value"]).reset_index().join(sizes.rename("n"), on=CELL)
    table["chance"] = 0.0
    best = [
        table[table["metric"] == metric].nlargest(1, "value").assign(metric=f"highest {metric}")
        for metric in ("raw", "adjusted")
    ]
    over_seeds = draws.groupby(["seed", "language"])["coefficient"].first().groupby("language")
    slope = _percentiles(over_seeds).reset_index().assign(metric="coefficient", model="all", chance=0.0)
    slope["n"] = draws["seed"].nunique()
    means = draws.groupby(["seed", "language", "model"])[["raw", "adjusted"]].mean()
    swaps = means.groupby(["seed", "language"]).apply(_swapped).groupby("language")
    pairs = pd.DataFrame({"value": swaps.mean(), "low": swaps.min(), "high": swaps.max()}).reset_index()
    models = draws.groupby("language")["model"].nunique()
    pairs["n"] = pairs["language"].map(models * (models - 1) // 2)
    return pd.concat([table, *best, slope, pairs.assign(metric="pairs in another order", model="all")])


def _percentiles(groups) -> pd.DataFrame:
    bounds = groups.quantile([0.025, 0.975]).unstack().set_axis(["low", "high"], axis=1)
    return bounds.assign(value=groups.mean())


def _swapped(means: pd.DataFrame) -> int:
    raw, adjusted = means["raw"].to_numpy(), means["adjusted"].to_numpy()
    return sum((raw[a] < raw[b]) != (adjusted[a] < adjusted[b]) for a, b in combinations(range(len(raw)), 2))


def lines(slopes: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """The lines of figure 4: RQ1's slope of every family and language, through the middle of its adjusted points.

    The paper does not say at what height its lines lie.

    Parameters
    ----------
    slopes : as from :func:`~whosevalues.multicultural.rq1.rq1_table`.
    table : as from :func:`adjusted_table`.

    Returns
    -------
    One row per (state, family, language): `slope` (mean over seeds); `x` and `y`, the middle; `x_low`, `x_high`, the
    ends; `star`, the share of seeds with p < .05 and a slope above 0.
    """
    points = table[table["metric"] == "adjusted"].assign(family=lambda t: t["model"].map(groups.FAMILY))
    middle = points.groupby(["state", "family", "language"]).agg(
        x=("multilingual", "mean"), y=("value", "mean"), x_low=("multilingual", "min"), x_high=("multilingual", "max")
    )
    named = slopes["term"].str.extract(r"^(?P<family>gemma|olmo|openai):(?P<language>\w+)$")
    found = pd.concat([slopes[["state", "value", "positive"]], named], axis=1).dropna()
    found = found.rename(columns={"value": "slope", "positive": "star"})
    return middle.reset_index().merge(found, on=["state", "family", "language"])
