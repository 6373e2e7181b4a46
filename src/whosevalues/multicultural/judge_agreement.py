"""How far do judges agree with a reference? Cohen's kappa and its like, with intervals that draw whole responses."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .. import stats
from .topics import STANCES

LABELS = tuple(STANCES.values())
"""The three labels, in the order of every table of counts."""

_COLUMNS = ["judge", "language", "metric", "value", "low", "high", "n", "chance"]


def kappa(counts: np.ndarray) -> np.ndarray:
    """Cohen's kappa: agreement beyond what the two raters' shares of each label give by chance (Cohen, 1960).

    Parameters
    ----------
    counts : shape (..., labels, labels): how often the first rater's label (row) met the second's (column).

    Returns
    -------
    Shape (...): 1 for full agreement, 0 for chance, NaN where there is nothing or where both use one label only.

    Examples
    --------
    >>> float(kappa(np.array([[20, 5], [10, 15]])).round(12))
    0.4
    """
    counts = np.asarray(counts, dtype=float)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = counts / counts.sum(axis=(-2, -1), keepdims=True)
        expected = (share.sum(axis=-1) * share.sum(axis=-2)).sum(axis=-1)
        observed = np.trace(share, axis1=-2, axis2=-1)
        # Rounding must not turn 0 / 0, two raters with one label, into a number.
        found = np.where(expected < 1 - 1e-12, (observed - expected) / (1 - expected), np.nan)
    return found.round(12) + 0.0


def agreement(judged: pd.DataFrame, rounds: int = 1000, seed: int = 0) -> pd.DataFrame:
    """Compare judges with the reference.

    Parameters
    ----------
    judged : `judge`, `language`, `line`, `stance`, `verdict`, `missing_mass`, as of :func:`~.judges.ask`.
    rounds, seed : of the bootstrap, which draws whole responses (lines): statements of one list resemble each other.

    Returns
    -------
    One row per `judge`, `language` ('all' after the single ones) and `metric`: `value`, `low` and `high` (95%), `n`
    (statements), `chance`. Unjudged statements count in 'unjudged' and 'missing mass' only. Metrics:

    - 'kappa', three labels; 'kappa, pro or con', where both judge and reference take a side; chance 0;
    - 'agreement' and 'agreement, pro or con': share of equal labels; chance is always saying the commonest;
    - 'bias': share of pro among pro and con of the judge, minus that of the reference; chance is a fair coin's;
    - 'unjudged' (share of statements) and 'missing mass' (mean), both without chance;
    - of all languages together 'pro judged con' and so on: share of a label's statements by verdict.
    """
    rows = []
    for judge, own in judged.groupby("judge", sort=False):
        for language, part in _languages(own):
            figures = _figures(part, rounds, seed) + (_confusion(part, rounds, seed) if language == "all" else [])
            rows += [(judge, language, *figure) for figure in figures]
    return pd.DataFrame(rows, columns=_COLUMNS)


def at_random(statements: pd.DataFrame, rounds: int = 1000, seed: int = 0) -> pd.DataFrame:
    """What do judges get that draw one of the three labels, each as often, without reading?

    Parameters
    ----------
    statements : `language` and `stance`, as of :func:`~.judges.reference`.
    rounds : how many such judges.
    seed : of the random generator.

    Returns
    -------
    As of :func:`agreement`, without its last two kinds of metric, for the judge 'random': `value` is the mean, `low`
    and `high` hold 95% of single judges, `n` of 'pro or con' the mean number of statements.
    """
    rng, rows = np.random.default_rng(seed), []
    for language, part in _languages(statements):
        label = pd.Index(LABELS).get_indexer(part["stance"])
        tables = np.zeros((rounds, 3, 3))
        drawn = rng.integers(3, size=(rounds, len(part)))
        np.add.at(tables, (np.arange(rounds)[:, None], label[None, :], drawn), 1)
        measured = _measures(tables.mean(axis=0), tables)
        for metric, _, values, n, chance in measured:
            figure = np.nanmean(values), *stats.percentile_interval(values), n, chance
            rows.append(("random", language, metric, *figure))
    return pd.DataFrame(rows, columns=_COLUMNS)


def _languages(table: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    return [*table.groupby("language"), ("all", table)]


def _counts(rows: pd.DataFrame) -> np.ndarray:
    """How often each label met each verdict, response by response: shape (responses, 3, 3)."""
    judged = rows[rows["verdict"].isin(LABELS)]
    counts = np.zeros((rows["line"].nunique(), 3, 3))
    line = pd.Index(rows["line"].unique()).get_indexer(judged["line"])
    np.add.at(counts, (line, *(pd.Index(LABELS).get_indexer(judged[c]) for c in ("stance", "verdict"))), 1)
    return counts


def _figures(rows: pd.DataFrame, rounds: int, seed: int) -> list[tuple]:
    counts = _counts(rows)
    draws = np.random.default_rng(seed).integers(len(counts), size=(rounds, len(counts)))
    failed = rows.assign(unjudged=(~rows["verdict"].isin(LABELS)).astype(float))
    measured = _measures(counts.sum(axis=0), counts[draws].sum(axis=1))
    return [
        *((name, value, *stats.percentile_interval(values), n, chance) for name, value, values, n, chance in measured),
        ("unjudged", *_mean(failed, "unjudged", rounds, seed), np.nan),
        ("missing mass", *_mean(rows, "missing_mass", rounds, seed), np.nan),
    ]


def _measures(whole: np.ndarray, tables: np.ndarray) -> list[tuple[str, float, np.ndarray, int, float]]:
    """Metric, value in the whole table, values in each of many, statements, chance."""
    sided, many = whole[:2, :2], tables[:, :2, :2]

    def commonest(table: np.ndarray) -> float:
        return float(table.sum(axis=1).max() / table.sum()) if table.sum() else np.nan

    coin = float(0.5 - _pro_share(whole.sum(axis=1)))
    return [
        ("kappa", float(kappa(whole)), kappa(tables), round(whole.sum()), 0.0),
        ("kappa, pro or con", float(kappa(sided)), kappa(many), round(sided.sum()), 0.0),
        ("agreement", float(_equal(whole)), _equal(tables), round(whole.sum()), commonest(whole)),
        ("agreement, pro or con", float(_equal(sided)), _equal(many), round(sided.sum()), commonest(sided)),
        ("bias", float(_bias(whole)), _bias(tables), round(whole.sum()), coin),
    ]


def _confusion(rows: pd.DataFrame, rounds: int, seed: int) -> list[tuple]:
    rows = rows[rows["verdict"].isin(LABELS)]
    out = []
    for label in LABELS:
        own = rows[rows["stance"] == label]
        for verdict in LABELS:
            hits = own.assign(hit=(own["verdict"] == verdict).astype(float))
            out.append((f"{label} judged {verdict}", *_mean(hits, "hit", rounds, seed), np.nan))
    return out


def _mean(rows: pd.DataFrame, column: str, rounds: int, seed: int) -> tuple:
    low, high = stats.cluster_interval(rows, column, "line", rounds=rounds, seed=seed)
    return rows[column].mean(), low, high, int(rows[column].notna().sum())


def _equal(tables: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        return np.trace(tables, axis1=-2, axis2=-1) / tables.sum(axis=(-2, -1))


def _pro_share(label_counts: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        return label_counts[..., 0] / label_counts[..., :2].sum(axis=-1)


def _bias(tables: np.ndarray) -> np.ndarray:
    return _pro_share(tables.sum(axis=-2)) - _pro_share(tables.sum(axis=-1))
