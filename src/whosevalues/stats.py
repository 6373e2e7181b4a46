"""Intervals and tests that the chapters share."""

from collections.abc import Callable, Iterable
from functools import lru_cache

import numpy as np
import pandas as pd

from . import UserError


def wilson(successes: float, n: int, level: float = 0.95) -> tuple[float, float]:
    """Confidence interval of a share (Wilson, 1927).

    Parameters
    ----------
    successes : how many of the `n` trials succeeded, 0 <= successes <= n.
    n : number of trials, > 0.
    level : coverage, in (0, 1).

    Returns
    -------
    Lower and upper bound, in [0, 1].

    Examples
    --------
    >>> low, high = wilson(20, 40)
    >>> print(f"{low:.3f} {high:.3f}")
    0.352 0.648
    """
    from statsmodels.stats.proportion import proportion_confint

    low, high = proportion_confint(successes, n, alpha=1 - level, method="wilson")
    return float(low), float(high)


def cluster_interval(
    table: pd.DataFrame,
    value: str,
    cluster: str,
    *,
    rounds: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> tuple[float, float]:
    """Percentile bootstrap interval of a mean whose rows come in clusters.

    Answers to one question resemble each other, so whole clusters are drawn, not rows
    (Cameron, Gelbach and Miller, 2008).

    Parameters
    ----------
    table : one row per measurement.
    value : numeric column to average; rows with NaN are left out.
    cluster : column that names the cluster, usually `question`.
    rounds : bootstrap rounds.
    level : coverage, in (0, 1).
    seed : of the random generator.

    Returns
    -------
    Lower and upper bound of the mean, in the unit of `value`; NaN with fewer than two clusters.
    """
    groups = table.dropna(subset=[value]).groupby(cluster)[value]
    sums, counts = groups.sum().to_numpy(), groups.size().to_numpy()
    if len(sums) < 2:
        return float("nan"), float("nan")
    draws = np.random.default_rng(seed).integers(len(sums), size=(rounds, len(sums)))
    means = sums[draws].sum(axis=1) / counts[draws].sum(axis=1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def at_least_one(seeds: Iterable[int]) -> list[int]:
    """List the seeds of a repeated analysis.

    Parameters
    ----------
    seeds : whole numbers.

    Returns
    -------
    The same, as a list.

    Raises
    ------
    UserError : there is none.
    """
    seeds = list(seeds)
    if not seeds:
        raise UserError("no seed to run: `seeds` must be 1 or more")
    return seeds


def bootstrap_counts(rows: int, rounds: int, seed: int) -> np.ndarray:
    """Flat bootstrap as counts: how often each row is drawn when `rows` of `rows` are drawn with replacement.

    Parameters
    ----------
    rows : rows of the table that is resampled.
    rounds : bootstrap rounds.
    seed : of the random generator.

    Returns
    -------
    Shape (rounds, rows), each line summing to `rows`.
    """
    rng = np.random.default_rng(seed)
    counts = np.empty((rounds, rows), dtype=np.int32)
    for line in counts:
        line[:] = np.bincount(rng.integers(rows, size=rows), minlength=rows)
    return counts


def percentile_interval(draws: np.ndarray) -> np.ndarray:
    """Bounds of the middle 95% of bootstrap rounds, or of other draws.

    Parameters
    ----------
    draws : shape (..., rounds); NaN where a round has no value.

    Returns
    -------
    Lower and upper bounds, shape (2, ...); NaN where more than one round in twenty has no value: there is no telling
    how far it would vary.

    Examples
    --------
    >>> percentile_interval(np.arange(201.0)).tolist()
    [5.0, 195.0]
    """
    draws = np.asarray(draws, dtype=float)
    known = np.isfinite(draws).sum(axis=-1) / max(draws.shape[-1], 1) >= 0.95
    bounds = np.full((2, *known.shape), np.nan)
    if known.any():
        bounds[:, known] = np.nanquantile(draws[known], [0.025, 0.975], axis=-1)
    return bounds


def estimate(
    table: pd.DataFrame,
    columns: str | list[str],
    statistic: Callable[[np.ndarray], np.ndarray] | None = None,
    *,
    cluster: str = "question",
    rounds: int = 1000,
    seed: int = 0,
) -> dict[str, float]:
    """Figure made of sums of columns, with the 95% percentile interval of a bootstrap that draws whole clusters.

    Parameters
    ----------
    table : one row per measurement.
    columns : numeric, without NaN: one to average, two of which the first's sum is divided by the second's, or those
        that `statistic` takes.
    statistic : takes sums, shape (samples, columns), and gives one figure per sample.
    cluster : column that names the cluster, usually `question`.
    rounds, seed : of the bootstrap.

    Returns
    -------
    `value`, `low`, `high`; the bounds NaN with fewer than two clusters or as in :func:`percentile_interval`, all NaN
    without rows.

    Examples
    --------
    >>> table = pd.DataFrame({"question": ["a", "a", "b"], "gain": [1.0, 1.0, 0.0], "room": 2.0})
    >>> estimate(table, "gain")["value"], estimate(table, ["gain", "room"])["value"]
    (0.6666666666666666, 0.3333333333333333)
    """
    if table.empty:
        return dict.fromkeys(("value", "low", "high"), np.nan)
    number, _ = pd.factorize(table[cluster], sort=True)
    named = [columns] if isinstance(columns, str) else columns
    sums = np.column_stack([np.bincount(number, table[name]) for name in named])
    if isinstance(columns, str):
        sums = np.column_stack([sums, np.bincount(number)])
    figure = statistic or (lambda total: total[:, 0] / total[:, 1])
    with np.errstate(invalid="ignore", divide="ignore"):
        value = figure(sums.sum(axis=0, keepdims=True))[0]
        draws = figure(_drawn(len(sums), rounds, seed) @ sums) if len(sums) > 1 else np.array([])
    low, high = percentile_interval(draws)
    return {"value": float(value), "low": float(low), "high": float(high)}


@lru_cache(maxsize=8)
def _drawn(rows: int, rounds: int, seed: int) -> np.ndarray:
    # Many figures rest on the same number of clusters.
    return bootstrap_counts(rows, rounds, seed).astype(float)


def weighted_spearman(counts: np.ndarray, cell: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Spearman correlation per cell of samples that are given as counts; equal values share their mid-rank.

    Parameters
    ----------
    counts : how often each row was drawn, shape (rounds, rows).
    cell : number of each row's cell, 0, 1, ...
    x, y : the two values of each row.

    Returns
    -------
    Shape (rounds, cells); NaN where a sample does not vary.

    Examples
    --------
    >>> weighted_spearman(np.array([[2, 1, 1]]), np.zeros(3, int), np.array([1, 2, 3]), np.array([1, 3, 2])).round(4)
    array([[0.7778]])
    """
    orders, cells = (_ordered(cell, x), _ordered(cell, y)), int(cell.max()) + 1

    def one(line: np.ndarray) -> np.ndarray:
        middle = ((np.bincount(cell, line, cells) + 1) / 2)[cell]
        a, b = (_midranks(line, order) - middle for order in orders)
        ab, aa, bb = (np.bincount(cell, line * product, cells) for product in (a * b, a * a, b * b))
        return ab / np.sqrt(aa * bb)

    with np.errstate(invalid="ignore", divide="ignore"):
        return np.array([one(line) for line in counts])


def pair_correlation(
    counts: np.ndarray,
    cell: np.ndarray,
    item: np.ndarray,
    x: np.ndarray,
    *,
    ranks: bool = False,
    distinct: bool = False,
    times: np.ndarray | None = None,
) -> np.ndarray:
    """Correlation over all ordered pairs of different draws from the same item, without forming a pair.

    With r the value, or its mid-rank among the members of all pairs, centred, and per item n draws whose r sum to s
    and whose r^2 sum to ss, the covariance over pairs is the sum of s^2 - ss and the variance that of (n - 1) ss.
    Where a row drawn c times is no pair with itself, c (n - c) of its pairs remain, and c r^2 stands in ss for r^2.

    Parameters
    ----------
    counts : how often each row was drawn, shape (rounds, rows).
    cell : number of each row's cell, 0, 1, ...
    item : number of each row's item; an item lies in one cell.
    x : value of each row.
    ranks : correlate mid-ranks (Spearman) instead of values (Pearson).
    distinct : leave out the pairs that a row forms with its own copies.
    times : how often each row's item was drawn, shape (rounds, rows), which is how often its pairs count; None for
        once. An item forms no pairs with its copy.

    Returns
    -------
    Shape (rounds, cells); NaN where no item was drawn twice, or nothing varies.

    Examples
    --------
    >>> pair_correlation(np.ones((1, 4)), np.zeros(4, int), np.array([0, 0, 1, 1]), np.array([1.0, 2, 3, 4]))
    array([[0.6]])
    """
    # Rows alike in item and value are interchangeable, unless copies matter: from here on they are one row.
    alike = np.arange(len(x)) if distinct else _ordered(item, x)[0]
    kept = np.unique(alike, return_index=True)[1]
    _, first, item = np.unique(np.asarray(item)[kept], return_index=True, return_inverse=True)
    cell, x = np.asarray(cell)[kept], np.asarray(x, dtype=float)[kept]
    order = _ordered(cell, x) if ranks else None
    weights = np.ones((len(counts), len(first))) if times is None else times[:, kept[first]]

    def one(line: np.ndarray, weight: np.ndarray) -> np.ndarray:
        c = np.bincount(alike, line, len(x))
        own = c if distinct else np.ones(len(x))
        pairs = weight[item] * c * (np.bincount(item, c)[item] - own)
        r = _midranks(pairs, order) if ranks else x
        r = r - (np.bincount(cell, pairs * r) / np.bincount(cell, pairs))[cell]
        s, ss = np.bincount(item, c * r), np.bincount(item, c * own * r * r)
        return np.bincount(cell[first], weight * (s * s - ss)) / np.bincount(cell, pairs * r * r)

    with np.errstate(invalid="ignore", divide="ignore"):
        return np.array([one(line, weight) for line, weight in zip(counts, weights, strict=True)])


def _ordered(cell: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Number the distinct values, cell after cell and ascending; and, per number, the first of its cell."""
    order = np.lexsort((values, cell))
    new_cell = np.diff(cell[order], prepend=-1) != 0
    new = new_cell | (np.diff(values[order], prepend=np.nan) != 0)
    number = np.empty(len(values), dtype=np.intp)
    number[order] = np.cumsum(new) - 1
    return number, np.flatnonzero(new_cell[new])[np.cumsum(new_cell[new]) - 1]


def _midranks(weights: np.ndarray, ordered: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Mid-rank of every row's value within its cell, a row of weight w standing for w equal rows."""
    number, first = ordered
    total = np.bincount(number, weights, len(first))
    below = np.cumsum(total) - total
    return (below - below[first] + (total + 1) / 2)[number]


def monte_carlo_interval(draws: pd.DataFrame, by: list[str], value: str = "value") -> pd.DataFrame:
    """Where a figure printed from one run of a randomised analysis must lie if it is the analysis we repeat.

    The printed figure is one draw more, so the band is three standard deviations of the difference between a draw
    and the mean of n others: mean -/+ 3 sd sqrt(1 + 1/n).

    Parameters
    ----------
    draws : one row per figure and seed.
    by : columns that name the figure.
    value : column of the figure.

    Returns
    -------
    One row per figure, in order of appearance: `by`, `value` (mean over seeds), `sd`, `low`, `high`, `n` (seeds); NaN
    bounds with fewer than two seeds.

    Examples
    --------
    >>> monte_carlo_interval(pd.DataFrame({"term": ["a"] * 3, "value": [1.0, 2, 3]}), ["term"])
      term  value   sd       low      high  n
    0    a    2.0  1.0 -1.464102  5.464102  3
    """
    table = draws.groupby(by, sort=False)[value].agg(value="mean", sd="std", n="count").reset_index()
    reach = 3 * table["sd"] * np.sqrt(1 + 1 / table["n"])
    table = table.assign(low=table["value"] - reach, high=table["value"] + reach)
    return table[[*by, "value", "sd", "low", "high", "n"]]


def joint_test(draws: np.ndarray, printed: np.ndarray) -> dict[str, float]:
    """Whether a printed vector can be one draw more of an analysis that was repeated with n seeds.

    With D^2 the Mahalanobis distance of the vector from the mean of the draws, F = n (n - p) D^2 / ((n + 1) p (n - 1))
    follows F(p, n - p) (Hotelling's T^2 for one new observation; Anderson, 2003, section 5.2).

    Parameters
    ----------
    draws : shape (n, p), a line per seed; n > p.
    printed : shape (p,).

    Returns
    -------
    `distance` (D^2), `F`, `p_value`, `n`, `p`; all but the last two NaN unless n > p.
    """
    from scipy import stats

    draws, printed = np.asarray(draws, dtype=float), np.asarray(printed, dtype=float)
    n, p = draws.shape
    if n <= p:
        return {"distance": np.nan, "F": np.nan, "p_value": np.nan, "n": n, "p": p}
    away = printed - draws.mean(axis=0)
    distance = float(away @ np.linalg.solve(np.atleast_2d(np.cov(draws, rowvar=False)), away))
    f = n * (n - p) * distance / ((n + 1) * p * (n - 1))
    return {"distance": distance, "F": f, "p_value": float(stats.f.sf(f, p, n - p)), "n": n, "p": p}


def unite_draws(fresh: pd.DataFrame, stored: pd.DataFrame | None, by: list[str]) -> pd.DataFrame:
    """Complete the seeds that were run now with those stored from a full run, if they agree.

    Parameters
    ----------
    fresh, stored : columns `by`, `seed`, `value` and others; ``attrs["provenance"]["data"]`` holds the data's hashes.
    by : columns that name a figure.

    Returns
    -------
    The fresh draws, and those of the stored ones whose seeds were not run now. Nothing is taken from a stored table
    that is missing, was made from other data, or has no further seeds.

    Raises
    ------
    UserError : a seed gives another value now than when it was stored; names the first.
    """
    if stored is None or stored.attrs["provenance"]["data"] != fresh.attrs["provenance"]["data"]:
        return fresh
    rest = stored[~stored["seed"].isin(fresh["seed"])]
    if rest.empty:
        return fresh
    both = fresh.merge(stored, on=[*by, "seed"], suffixes=("", "_stored"))
    # Another processor's optimiser stops elsewhere in the fifth digit; another analysis is off by far more.
    off = ~np.isclose(both["value"], both["value_stored"], rtol=1e-3, atol=1e-4, equal_nan=True)
    if off.any():
        row = both[off].iloc[0]
        raise UserError(
            f"seed {row['seed']} now gives {row['value']} for {' '.join(map(str, row[by]))}, stored is "
            f"{row['value_stored']}: the same seed must give the same figure; if the analysis changed on purpose, "
            "`make results` stores all seeds anew"
        )
    return pd.concat([fresh, rest[fresh.columns]], ignore_index=True)
