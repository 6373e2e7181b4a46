"""Which topics lose statements to conflict reduction, round by round."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from .. import stats
from . import conflicts


def topics(statements: pd.DataFrame, vectors: np.ndarray, number: int = 8, words: int = 3, seed: int = 0) -> pd.Series:
    """Group statements cheaply: k-means on their embeddings, named by the words that a group has above the others.

    Words are weighted by tf * log(1 + average words per group / f), as c-TF-IDF does (Grootendorst, 2022).

    Parameters
    ----------
    statements, vectors : as for `conflicts.reduce`.
    number : of groups.
    words : in a name.
    seed : of k-means.

    Returns
    -------
    A name per statement.
    """
    from sklearn.cluster import KMeans
    from sklearn.feature_extraction.text import CountVectorizer

    group = KMeans(min(number, len(vectors)), n_init=1, random_state=seed).fit_predict(vectors)
    texts = statements["statement"].groupby(group).agg(" ".join)
    counter = CountVectorizer(stop_words="english", token_pattern=r"[A-Za-z][a-z]{3,}")
    counts = counter.fit_transform(texts).toarray().astype(float)
    weight = counts * np.log1p(counts.sum() / len(counts) / counts.sum(axis=0))
    best = np.argsort(-weight, axis=1, kind="stable")[:, :words]
    names = [", ".join(counter.get_feature_names_out()[row]) for row in best]
    at = {
        key: f"{name} ({key})" if names.count(name) > 1 else name for key, name in zip(texts.index, names, strict=True)
    }
    return pd.Series(group, index=statements.index).map(at)


def lost_table(
    statements: pd.DataFrame, vectors: np.ndarray, topic: pd.Series, sign: Callable, rounds: int = conflicts.ROUNDS
) -> pd.DataFrame:
    """Run no to five rounds and count what each topic and nation loses.

    Parameters
    ----------
    statements, vectors : as for `conflicts.reduce`.
    topic : a name per statement.
    sign : as for `conflicts.graph`.
    rounds : most rounds.

    Returns
    -------
    One row per `by` ('topic' or 'nation'), `group` and `round`: `value`, the share of its statements that is dropped
    when the rounds stop there; `low`, `high` (95%, articles drawn); `n`, its statements; `edges`, those dropped up to
    that round with an end in the group; `chance`, the share of all statements that is dropped; `printed` (NaN).
    """
    frame = statements.assign(topic=topic.to_numpy()).reset_index(drop=True)
    hits, gone = [], []
    for _, rows in frame.groupby("nation", sort=False):
        edges = conflicts.graph(rows, vectors[rows.index], sign=sign)
        edges, _ = conflicts.run(len(rows), edges, rounds)
        done = [conflicts.final(rows, edges, number)["dropped"].notna() for number in range(rounds + 1)]
        hits.append(pd.DataFrame(done, index=range(rounds + 1)).T)
        ends = edges.loc[edges["dropped"].notna(), ["first", "second", "dropped"]]
        gone += [(rows.index[[a, b]], at) for a, b, at in ends.astype(int).itertuples(index=False)]
    hit = pd.concat(hits).sort_index().astype(float)
    table = [row for by in ("topic", "nation") for row in _groups(frame, by, hit, gone)]
    return pd.DataFrame(table)


def _groups(frame: pd.DataFrame, by: str, hit: pd.DataFrame, gone: list):
    for name, rows in frame.groupby(by, sort=False):
        for number in hit:
            figure = stats.estimate(rows.assign(hit=hit.loc[rows.index, number]), "hit", cluster="article")
            edges = sum(at <= number and bool(ends.isin(rows.index).any()) for ends, at in gone)
            named = {"by": by, "group": name, "round": number}
            yield named | figure | {"n": len(rows), "edges": edges, "chance": hit[number].mean(), "printed": np.nan}
