"""Topics of a corpus, run after run: other seeds, other ways to place the texts, more and fewer dimensions."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from .. import UserError, embeddings
from . import articles, topic_quality, topics

SMALLEST = 20
"""Passages that make a topic here: the released code's 50 is meant for tens of thousands of articles."""
OTHERS = 2
"""Seeds of the ways that the embedding model is compared with, at most."""
DIMENSIONS = (2, 20)
"""Beside the paper's five; two seeds each."""
SHOWN = 1500
"""Points of the map: a sample, so that a page stays small."""


@lru_cache(maxsize=2)
def corpus(first_year: int = 1973, words: int = 120, folder: str = "") -> pd.DataFrame:
    """Cut the articles at hand into passages.

    Parameters
    ----------
    first_year : of the articles.
    words : as for `articles.passages`.
    folder : of articles of one's own, as for `articles.load`; without it the speeches.

    Returns
    -------
    As `articles.passages` gives them.

    Raises
    ------
    UserError : no usable article in the folder, or none since that year.
    """
    given = articles.load(Path(folder) if folder else None)
    recent = given[given["year"] >= first_year]
    if recent.empty:
        raise UserError(f"no article since {first_year}: the last is of {given['year'].max()}")
    return articles.passages(recent, words)


def described(passages: pd.DataFrame) -> pd.DataFrame:
    """Say how much there is of each nation.

    Parameters
    ----------
    passages : as `corpus` gives them.

    Returns
    -------
    One row per `nation` ('all' last) and `metric` ('articles', 'passages', 'words', 'first year', 'last year'):
    `value`; `low`, `high`, `n`, `chance` and `printed` (NaN).
    """
    rows = []
    for nation in (*passages["nation"].unique(), "all"):
        part = passages if nation == "all" else passages[passages["nation"] == nation]
        rows += [
            (nation, "articles", part["article"].nunique()),
            (nation, "passages", len(part)),
            (nation, "words", int(part["text"].str.split().str.len().sum())),
            (nation, "first year", part["year"].min()),
            (nation, "last year", part["year"].max()),
        ]
    table = pd.DataFrame(rows, columns=["nation", "metric", "value"])
    return table.assign(low=np.nan, high=np.nan, n=np.nan, chance=np.nan, printed=np.nan)


def several(passages: pd.DataFrame, seeds: int, smallest: int = SMALLEST, also: str = "") -> pd.DataFrame:
    """Find topics by each way to place texts.

    Parameters
    ----------
    passages : as `corpus` gives them.
    seeds : of the embedding models; of the other ways at most `OTHERS`.
    smallest : as for `topics.find`.
    also : embedding models of the hub, or folders, with a comma between them.

    Returns
    -------
    As `runs` gives them.
    """
    more = [name.strip() for name in also.split(",") if name.strip()]
    few = min(seeds, OTHERS)
    wanted = {embeddings.PACKAGED: seeds} | dict.fromkeys(more, seeds) | {topics.SVD: few, topics.RANDOM: few}
    return runs(passages, wanted, smallest)


def runs(
    passages: pd.DataFrame,
    seeds: Mapping[str, int],
    smallest: int = SMALLEST,
    components: Iterable[int] = (topics.COMPONENTS,),
) -> pd.DataFrame:
    """Find the topics of the same passages again and again.

    Parameters
    ----------
    passages : as `corpus` gives them.
    seeds : how many seeds (from 0) by model, as `topics.vectors` knows them.
    smallest, components : as for `topics.find`; one run for each number of dimensions.

    Returns
    -------
    One row per run: `model`, `seed`, `components`, `labels` (topic of each passage), `seconds` (of one processor, of
    UMAP and HDBSCAN, after UMAP was compiled).
    """
    points = {model: topics.vectors(passages["text"].tolist(), model) for model in seeds}
    topics.flatten(np.random.default_rng(0).normal(size=(60, 5)), 2)
    rows = []
    for model, count in seeds.items():
        for wide in components:
            for seed in range(count):
                started = time.process_time()
                placed = points[model] if model != topics.RANDOM else topics.vectors(passages["text"], model, seed)
                found = topics.find(passages, placed, smallest=smallest, components=wide, seed=seed)
                spent = time.process_time() - started
                rows.append((model, seed, wide, found["topic"].to_numpy(), spent))
    return pd.DataFrame(rows, columns=["model", "seed", "components", "labels", "seconds"])


def written(passages: pd.DataFrame, done: pd.DataFrame) -> pd.DataFrame:
    """Write topics down briefly, a line per article.

    Parameters
    ----------
    passages : as `corpus` gives them.
    done : as `runs` gives them.

    Returns
    -------
    One row per run and article: `model`, `seed`, `article`, `topics` (of its passages in their order, a space apart).
    """
    tables = []
    for run in done.itertuples():
        text = pd.Series(run.labels, index=passages.index).astype(str)
        line = text.groupby(passages["article"], sort=False).agg(" ".join)
        tables.append(line.rename("topics").reset_index().assign(model=run.model, seed=run.seed))
    return pd.concat(tables, ignore_index=True)[["model", "seed", "article", "topics"]]


def labels(passages: pd.DataFrame, kept: pd.DataFrame, model: str, seed: int = 0) -> np.ndarray:
    """Read topics that were written down.

    Parameters
    ----------
    passages : as `corpus` gives them: those of the run.
    kept : as `written` gives them.
    model, seed : which run.

    Returns
    -------
    Topic of each passage.

    Raises
    ------
    UserError : no such run, or it was one of other passages.
    """
    run = kept[(kept["model"] == model) & (kept["seed"] == seed)].set_index("article")["topics"]
    read = {name: [int(one) for one in str(line).split()] for name, line in run.items()}
    sizes = passages.groupby("article", sort=False).size()
    if not read:
        raise UserError(f"no topics of {model} with seed {seed} are kept: run the chapter with seeds=5")
    other = [name for name, size in sizes.items() if len(read.get(name, [])) != size]
    if other:
        raise UserError(
            f"the topics that are kept are of other passages ({other[0]} has {sizes[other[0]]} now, "
            f"{len(read.get(other[0], []))} then): run the chapter with seeds=5"
        )
    return np.array([topic for name in sizes.index for topic in read[name]])


def measured(passages: pd.DataFrame, found: Mapping[tuple[str, int], Sequence[int]], counts) -> pd.DataFrame:
    """Measure runs: `topic_quality.quality` of each.

    Parameters
    ----------
    passages : as `corpus` gives them.
    found : topic of each passage, by model and seed.
    counts : as `topics.counts` gives them.

    Returns
    -------
    One row per run and metric: `model`, `seed` and the columns of `topic_quality.quality`.
    """
    tables = [
        topic_quality.quality(topic, passages["article"], *counts, seed=seed).assign(model=model, seed=seed)
        for (model, seed), topic in found.items()
    ]
    table = pd.concat(tables, ignore_index=True)
    return table[["model", "seed", *(c for c in table if c not in ("model", "seed"))]]


def drawn(passages: pd.DataFrame, kept: pd.DataFrame, done: pd.DataFrame | None, counts) -> pd.DataFrame:
    """Measure all runs that were made here; without any, those of the first seed that were kept.

    Parameters
    ----------
    passages, counts : as for `measured`.
    kept : as `written` gives them.
    done : as `runs` gives them, or None.

    Returns
    -------
    As `measured` gives them.
    """
    if done is None:
        named = kept[["model", "seed"]].drop_duplicates().itertuples(index=False)
        return measured(passages, {(m, s): labels(passages, kept, m, s) for m, s in named}, counts)
    return measured(passages, {(run.model, run.seed): run.labels for run in done.itertuples()}, counts)


def stabilities(done: pd.DataFrame) -> pd.DataFrame:
    """Measure how far the seeds of each model agree.

    Parameters
    ----------
    done : as `runs` gives them.

    Returns
    -------
    The rows of `topic_quality.stability`, after `model`.
    """
    tables = [
        topic_quality.stability(dict(zip(part["seed"], part["labels"], strict=True))).assign(model=model)
        for model, part in done.groupby("model", sort=False)
        if len(part) > 1
    ]
    table = pd.concat(tables, ignore_index=True)
    return table[["model", *(c for c in table if c != "model")]]


def dimensions(passages: pd.DataFrame, done: pd.DataFrame, counts, smallest: int = SMALLEST) -> pd.DataFrame:
    """Run the packaged model's points in `DIMENSIONS`, too, and compare.

    Parameters
    ----------
    passages, counts : as for `measured`.
    done : as `runs` gives them.
    smallest : as for `topics.find`.

    Returns
    -------
    One row per `components` and `metric` ('seconds' too): `value`, the mean over seeds; `low` and `high`, the least
    and the greatest seed; `n`, the seeds; `chance` and `printed` (NaN).
    """
    five = done[done["model"] == embeddings.PACKAGED].head(2)
    both = pd.concat([five, runs(passages, {embeddings.PACKAGED: len(five)}, smallest, DIMENSIONS)])
    rows = []
    for run in both.sort_values("components", kind="stable").itertuples():
        named = topic_quality.quality(run.labels, passages["article"], *counts, seed=run.seed)
        rows += [(run.components, metric, value) for metric, value in zip(named["metric"], named["value"], strict=True)]
        rows.append((run.components, "seconds", run.seconds))
    table = pd.DataFrame(rows, columns=["components", "metric", "value"])
    by = table.groupby(["components", "metric"], sort=False)["value"]
    found = by.agg(value="mean", low="min", high="max", n="size").reset_index()
    return found.assign(chance=np.nan, printed=np.nan)
