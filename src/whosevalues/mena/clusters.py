"""Do a model's answers for countries cluster by the language of the country?"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import combinations

import numpy as np
import pandas as pd

from ..stats import bootstrap_counts, percentile_interval
from .collapse import agreement, worlds
from .profiles import BLOCKS, CELL, certain, common, width

APART = ("IR", "TR")
"""The countries whose own language is Persian or Turkish."""


def language_gap(arab: tuple[int, ...], apart: tuple[int, ...], options: int) -> tuple[float, float]:
    """How much farther the Arab countries are from Iran and Turkey than from each other, on one question.

    Parameters
    ----------
    arab : sets of possible answers as bits, ascending, two or more.
    apart : those of the countries with another language, one or two.
    options : number of options.

    Returns
    -------
    Smallest and largest mean ``|a - b| / R`` of a pair across languages minus that within Arabic, over all answers that
    remain possible.

    Examples
    --------
    >>> language_gap((1, 1, 1), (0b100,), 3)
    (1.0, 1.0)
    """
    return _gap(arab, apart, int(options))


@cache
def _gap(arab, apart, options):
    counts = worlds(arab, options)
    if not len(counts):
        return np.nan, np.nan
    at = np.linspace(0, 1, options)
    within = 1 - agreement(counts)
    far = counts @ np.abs(at[:, None] - at) / len(arab)
    ends = []
    for choose in (np.min, np.max):
        inside = [far[:, [v for v in range(options) if bits >> v & 1]] for bits in apart]
        ends.append(float(choose(np.mean([choose(part, axis=1) for part in inside], axis=0) - within)))
    return ends[0], ends[1]


def language_table(
    sets: pd.DataFrame, people: pd.DataFrame, questions: pd.DataFrame, rounds: int = 500, seed: int = 0
) -> pd.DataFrame:
    """How much the answers to the World Values Survey's questions differ between languages, beyond within Arabic.

    Parameters
    ----------
    sets, people : of `profiles.answer_sets`.
    questions : indexed by `question`.
    rounds, seed : of the bootstrap over questions.

    Returns
    -------
    Per model, framing, mode and language (English and native on the same cells), a row per `measure`. 'gap': mean
    distance across languages minus within Arabic, the middle of its bounds `least` and `most`, `low` and `high` (95%
    bootstrap, bounds included), `side` (1, -1 or 0: where these lie), `n` (questions), `people` (the same of people on
    these cells). 'silhouette': mean over the countries, by language, of the answers of which only one is possible;
    `chance` is the mean and `p` the share with at least the value over all ways of choosing which countries are the
    Persian and the Turkish one.
    """
    names = ("en", "native")
    table = pd.concat(dict(zip(names, common(sets, "language", *names), strict=True)), names=["language"])
    table = table.reorder_levels([*CELL, "question"])[list(BLOCKS["WVS"])]
    found, rows = gaps(table, questions), []
    for cell, gap in found.groupby(CELL, sort=False):
        gap = gap.droplevel(CELL)
        part = table.xs(cell, level=CELL).loc[gap.index]
        size = width(questions).reindex(part.index)
        human = _gap_of(people.reindex(part.index)[list(part)].where(part > 0).div(size, axis=0))
        counts = bootstrap_counts(len(gap), rounds, seed) / len(gap)
        named = dict(zip(CELL, cell, strict=True)) | {"n": len(gap)}
        rows.append(named | {"measure": "gap"} | _ends(counts, gap["least"], gap["most"]) | {"people": human})
        rows += [named | row for row in _labelled(certain(part).div(size, axis=0))]
    columns = [*CELL, "measure", "value", "low", "high", "least", "most", "n", "chance", "people", "p", "side"]
    return pd.DataFrame(rows)[columns].assign(printed=np.nan)


def gaps(sets: pd.DataFrame, questions: pd.DataFrame) -> pd.DataFrame:
    """:func:`language_gap` of every question of the World Values Survey.

    Parameters
    ----------
    sets : of `profiles.answer_sets`.
    questions : indexed by `question`.

    Returns
    -------
    One row per row of `sets` with two Arab countries and one other at least: its index, `least`, `most`.
    """
    source = questions["source"].reindex(sets.index.get_level_values("question"))
    table = sets.loc[source.to_numpy() == "WVS", list(BLOCKS["WVS"])]
    sides = (table.drop(columns=list(APART)), table[list(APART)])
    keys = zip(*(map(_key, side.to_numpy().tolist()) for side in sides), strict=True)
    options = width(questions).reindex(table.index.get_level_values("question")) + 1
    known = [
        (*_gap(*key, int(size)),) if len(key[0]) >= 2 and key[1] else (np.nan, np.nan)
        for key, size in zip(keys, options, strict=True)
    ]
    return pd.DataFrame(known, table.index, ["least", "most"]).dropna()


def gap_contrast(sets: pd.DataFrame, questions: pd.DataFrame, rounds: int = 500, seed: int = 0) -> pd.DataFrame:
    """What reasoning does to :func:`language_gap`, on the cells that both modes have.

    Parameters
    ----------
    sets : of `profiles.answer_sets`.
    questions : indexed by `question`.
    rounds, seed : of the bootstrap over questions.

    Returns
    -------
    One row per model, framing and language: `value` (gap in reasoning minus zero-shot, the middle of its bounds `least`
    and `most`), `low`, `high` (95% bootstrap, bounds included), `side` (1, -1 or 0: where these lie), `n` (questions),
    `chance` (0), `printed` (none).
    """
    after, before = (gaps(side, questions) for side in common(sets, "mode", "reasoning", "zero-shot"))
    change = pd.DataFrame({"least": after["least"] - before["most"], "most": after["most"] - before["least"]}).dropna()
    rows, by = [], ["model", "framing", "language"]
    for cell, gap in change.groupby(by, sort=False):
        counts = bootstrap_counts(len(gap), rounds, seed) / len(gap)
        named = dict(zip(by, cell, strict=True))
        rows.append(named | _ends(counts, gap["least"], gap["most"]) | {"n": len(gap), "printed": np.nan})
    return pd.DataFrame(rows)


def _key(bits: list[int]) -> tuple[int, ...]:
    return tuple(sorted(filter(None, bits)))


def _ends(counts: np.ndarray, least: pd.Series, most: pd.Series) -> dict[str, float]:
    low, high = percentile_interval(counts @ least.to_numpy())[0], percentile_interval(counts @ most.to_numpy())[1]
    middle = {"value": (least.mean() + most.mean()) / 2, "low": low, "high": high, "side": int(low > 0) - int(high < 0)}
    return middle | {"least": least.mean(), "most": most.mean(), "chance": 0.0}


def _gap_of(values: pd.DataFrame) -> float:
    near, far = [], []
    for first, second in combinations(values, 2):
        if {first, second} != set(APART):
            (far if {first, second} & set(APART) else near).append((values[first] - values[second]).abs())
    return float((pd.concat(far, axis=1).mean(axis=1) - pd.concat(near, axis=1).mean(axis=1)).mean())


def _labelled(known: pd.DataFrame) -> Iterator[dict]:
    """The silhouette of a matrix of distances, and what it is if the languages are handed out anew."""
    known = known[[c for c in known if known[c].notna().any()]]
    values, apart = known.to_numpy(), [known.columns.get_loc(c) for c in APART if c in known]
    if not apart:
        return
    with np.errstate(invalid="ignore"):
        near = np.nanmean(np.abs(values[:, :, None] - values[:, None, :]), axis=0)
    if not np.isfinite(near).all():
        return
    ways = combinations(range(known.shape[1]), len(apart))
    null = np.array([_silhouette(near, list(way)) for way in ways])
    value = _silhouette(near, apart)
    p = float((null >= value - 1e-12).mean())
    yield {"measure": "silhouette", "value": value, "chance": float(null.mean()), "p": p}


def _silhouette(matrix: np.ndarray, apart: list[int]) -> float:
    from sklearn.metrics import silhouette_score

    labels = np.zeros(len(matrix), int)
    labels[apart] = np.arange(1, len(apart) + 1)
    return float(silhouette_score(matrix, labels, metric="precomputed"))
