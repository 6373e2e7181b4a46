"""Rates of a protocol, by nation, with intervals that know which items share an article."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from .. import stats


def by_nation(trials: dict[str, pd.DataFrame], chance: float = 0.5) -> pd.DataFrame:
    """Tabulate rates over all nations and for each.

    Parameters
    ----------
    trials : by metric one row per trial: `id`, `nation`, `value` in [0, 1], NaN where there is none; optional
        `measurement`, whose kinds never share a row, and `article`, whose items are one draw.
    chance : what guessing gets.

    Returns
    -------
    One row per `nation` (first 'all'), `metric` and `measurement`, with the columns of `rate`.
    """
    nations = next(iter(trials.values()))["nation"].unique() if trials else []
    rows = []
    for nation in ("all", *nations):
        for metric, table in trials.items():
            part = table if nation == "all" else table[table["nation"] == nation]
            rows += [{"nation": nation, "metric": metric, **kind, **rate(own, chance)} for kind, own in _by_kind(part)]
    return pd.DataFrame(rows)


def rate(trials: pd.DataFrame, chance: float = 0.5) -> dict[str, float]:
    """Average the items that have a value throughout, with Wilson's interval.

    Items of one article resemble each other: successes and trials are divided by the design effect before the
    interval is made (Kish, 1965, section 5.4), so that ten copies of an item say what one does.

    Parameters
    ----------
    trials : as for `by_nation`, of one metric.
    chance : what guessing gets.

    Returns
    -------
    `value`, `low`, `high` (95%), `n` (items), `unanswered`, `chance`.
    """
    # An item with one order unanswered would let the letter bias into the mean of both orders: it goes as a whole.
    lacking = trials.loc[trials["value"].isna(), "id"]
    answered = trials[~trials["id"].isin(lacking)].groupby("id", sort=False)
    scores = answered["value"].mean()
    n, asked = len(scores), trials["id"].nunique()
    shared = answered["article"].first().to_numpy() if "article" in trials else np.arange(n)
    effect = design_effect(scores.to_numpy(float), shared) if n else 1.0
    low, high = stats.wilson(scores.sum() / effect, n / effect) if n else (np.nan, np.nan)
    return {"value": scores.mean(), "low": low, "high": high, "n": n, "unanswered": asked - n, "chance": chance}


def design_effect(scores: np.ndarray, clusters: np.ndarray) -> float:
    """By how much the variance of a mean grows because whole clusters were drawn.

    Parameters
    ----------
    scores : one per item.
    clusters : what each item belongs to.

    Returns
    -------
    At least 1, which is no clustering; where all scores are alike items over clusters, the most there can be.

    Examples
    --------
    >>> design_effect(np.array([1.0, 1, 0, 0]), np.array(["a", "a", "b", "b"]))
    2.0
    """
    off = pd.Series(scores - scores.mean())
    apart = float((off**2).sum())
    if apart < 1e-12:
        return len(off) / len(pd.unique(pd.Series(clusters)))
    return max(1.0, float((off.groupby(pd.factorize(pd.Series(clusters))[0]).sum() ** 2).sum()) / apart)


def _by_kind(trials: pd.DataFrame) -> Iterator[tuple[dict[str, str | None], pd.DataFrame]]:
    """Each kind of measurement with all trials, those of another kind without value; a rule's choices have no kind."""
    if "measurement" not in trials:
        yield {}, trials
        return
    kinds = trials["measurement"].dropna().unique()
    for kind in kinds if len(kinds) else [None]:
        yield {"measurement": kind}, trials.assign(value=trials["value"].where(trials["measurement"] == kind))
