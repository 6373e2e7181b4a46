"""NVAS of the released files: beside chance, trivial answerers and other scores, never without its coverage."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache, lru_cache

import numpy as np
import pandas as pd

from ..stats import bootstrap_counts, percentile_interval
from . import baselines, inversion, released, workbook
from .baselines import ANSWERERS, MEASURES, Cells

FILE = ["model", "framing", "mode"]
"""What names a released file."""

ROUNDS = 400


@cache
def benchmark() -> Cells:
    """Lay out the released benchmark's cells.

    Returns
    -------
    As `baselines.cells`; not to be changed.
    """
    questions, filled = workbook.read()
    return baselines.cells(questions, filled, workbook.people(questions, filled))


@cache
def recovered() -> pd.DataFrame:
    """Recover the answers behind the released NVAS.

    Returns
    -------
    As `inversion.candidates`; not to be changed.
    """
    return inversion.candidates(released.read("NVAS"), *workbook.read())


@cache
def consistency(kind: str) -> pd.DataFrame:
    """Read the released consistencies once.

    Parameters
    ----------
    kind : 'CLCS' or 'SPD'.

    Returns
    -------
    As `released.read`; not to be changed.
    """
    return released.read(kind)


@cache
def scored(measure: str = "NVAS") -> pd.DataFrame:
    """Score the answers behind the released files: :func:`score` on what the authors released.

    Parameters
    ----------
    measure : one of `baselines.MEASURES`.

    Returns
    -------
    As :func:`score`; not to be changed.
    """
    return score(recovered(), benchmark(), measure)


def score(scores: pd.DataFrame, of: Cells, measure: str = "NVAS") -> pd.DataFrame:
    """Score recovered answers, and every trivial answerer on the same cells.

    Parameters
    ----------
    scores : of `inversion.candidates`.
    of : of `baselines.cells`.
    measure : one of `baselines.MEASURES`.

    Returns
    -------
    One row per released score on which the measure makes sense: `model`, `framing`, `mode`, `question`, `country`,
    `scale`, `source`, `category`, `value` in [0, 1] (where two answers are possible the mean of their scores), `lowest`
    and `highest` (of the possible answers), and the columns of `baselines.table`.
    """
    facts = ["question", "country", "scale", "source", "category"]
    known = of.index[facts].assign(cell=of.index.index).join(baselines.table(of, measure))
    rows = scores[[*FILE, "question", "country", "candidates"]].merge(known, on=["question", "country"])
    marks, cell = baselines.marks(of, measure), rows.pop("cell").to_numpy()
    ends = [marks[cell, [found[k] for found in rows["candidates"]]] for k in (0, -1)]
    rows["value"], rows["lowest"], rows["highest"] = np.mean(ends, axis=0), np.min(ends, axis=0), np.max(ends, axis=0)
    return rows.drop(columns="candidates")[rows["value"].notna()]


def drawn(
    rows: pd.DataFrame, by: Sequence[str], over: str, under: str | None = None, *, rounds: int = ROUNDS, seed: int = 0
) -> tuple[pd.DataFrame, np.ndarray]:
    """Average a column, and again in every round of a bootstrap that draws questions.

    Parameters
    ----------
    rows : columns `by`, `question`, `over` and `under`; rows in which `over` is missing are left out.
    by : columns that name a figure.
    over : what is averaged.
    under : a column to divide by: the sum of `over` over that of `under`; without it the number of rows.
    rounds, seed : of the bootstrap, in which all figures share their draws, so that differences are paired.

    Returns
    -------
    keys : one row per figure: `by`, `value`, `n` (rows).
    draws : shape (figures, rounds).
    """
    rows = rows[rows[over].notna()]
    groups = rows.groupby(list(by), sort=False)
    figure, question = groups.ngroup().to_numpy(), rows.groupby("question").ngroup().to_numpy()
    shape = (groups.ngroups, question.max() + 1)
    place = figure * shape[1] + question

    def sums(column: str | None) -> np.ndarray:
        weights = None if column is None else rows[column].to_numpy(float)
        return np.bincount(place, weights, shape[0] * shape[1]).reshape(shape)

    top, bottom = sums(over), sums(under)
    times = _times(shape[1], rounds, seed)
    keys = groups.size().rename("n").reset_index()
    with np.errstate(invalid="ignore", divide="ignore"):
        keys["value"] = top.sum(axis=1) / bottom.sum(axis=1)
        return keys, (top @ times) / (bottom @ times)


@lru_cache(maxsize=16)
def _times(questions: int, rounds: int, seed: int) -> np.ndarray:
    return np.ascontiguousarray(bootstrap_counts(questions, rounds, seed).T, dtype=float)


def averaged(rows: pd.DataFrame, by: Sequence[str], over: str, under: str | None = None, **how: int) -> pd.DataFrame:
    """Average a column, with the interval of :func:`drawn`.

    Parameters
    ----------
    rows, by, over, under, how : as in :func:`drawn`.

    Returns
    -------
    One row per figure: `by`, `value`, `low`, `high` (95%, questions drawn), `n`.
    """
    keys, draws = drawn(rows, by, over, under, **how)
    low, high = percentile_interval(draws)
    return keys.assign(low=low, high=high)[[*by, "value", "low", "high", "n"]]


def nvas_table(rounds: int = ROUNDS, seed: int = 0) -> pd.DataFrame:
    """Score every released file three ways, with coverage, chance and the trivial answerers on the same cells.

    Parameters
    ----------
    rounds, seed : of the bootstrap.

    Returns
    -------
    One row per file, `measure` and `scale` ('all', 'ordinal', 'nominal'): `value`, `low`, `high` (95%, questions drawn)
    and `n` (cells), all cells alike; `coverage` (of the benchmark's cells of that scale); the columns of
    `baselines.ANSWERERS`; `corrected` with `corrected_low` and `corrected_high`: (value - chance) / (1 - chance), 0 at
    chance and 1 at a score of 1; `unsure` (share of cells with two possible answers of different score); `printed`
    (NaN: no file's own figure is printed).
    """
    parts = [
        _scores(rows, measure, scale, rounds, seed) for measure in MEASURES for scale, rows in _scales(scored(measure))
    ]
    return pd.concat(parts, ignore_index=True)


def _scales(rows: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    kinds = list(rows["scale"].unique())
    if len(kinds) > 1:
        yield "all", rows
    for scale in sorted(kinds, reverse=True):
        yield scale, rows[rows["scale"] == scale]


def _scores(rows: pd.DataFrame, measure: str, scale: str, rounds: int, seed: int) -> pd.DataFrame:
    out = averaged(rows, FILE, "value", rounds=rounds, seed=seed).assign(measure=measure, scale=scale)
    every = benchmark().index["scale"]
    out["coverage"] = out["n"] / (len(every) if scale == "all" else (every == scale).sum())
    means = rows.groupby(FILE, sort=False)[list(ANSWERERS)].mean().reset_index()
    fair = rows.assign(above=rows["value"] - rows["chance"], room=1 - rows["chance"])
    fair = averaged(fair, FILE, "above", "room", rounds=rounds, seed=seed).drop(columns="n")
    fair.columns = [*FILE, "corrected", "corrected_low", "corrected_high"]
    unsure = (rows["highest"] > rows["lowest"]).groupby([rows[k] for k in FILE], sort=False).mean().rename("unsure")
    out = out.merge(means, on=FILE).merge(fair, on=FILE).merge(unsure.reset_index(), on=FILE).assign(printed=np.nan)
    names = [*FILE, "measure", "scale"]
    return out[[*names, *out.columns.difference(names, sort=False)]]


def margins(rounds: int = ROUNDS, seed: int = 0) -> pd.DataFrame:
    """Hold every released file against the trivial answerers, cell by cell.

    Parameters
    ----------
    rounds, seed : of the bootstrap.

    Returns
    -------
    One row per file, `measure`, `scale` ('all' for NVAS, else the measure's own) and `baseline` (of
    `baselines.ANSWERERS`): `value` (mean of the score minus the baseline's, in [-1, 1]), `low`, `high` (95%, questions
    drawn), `n` (cells where the baseline has an answer), `baseline_value`, `skill` with `skill_low` and `skill_high` (1
    - loss over the baseline's loss, a loss being 1 - the score: 0 where both are alike, 1 at best; NaN where the
    baseline cannot lose), `verdict` ('above', 'below', 'undecided').
    """
    parts = []
    for measure, only in MEASURES.items():
        rows = scored(measure)
        for name in ANSWERERS:
            part = rows.assign(gap=rows["value"] - rows[name], loss=1 - rows[name])
            part = part[part["gap"].notna()]
            out = averaged(part, FILE, "gap", rounds=rounds, seed=seed)
            out["baseline_value"] = part.groupby(FILE, sort=False)[name].mean().to_numpy()
            # 1 - (1 - value) / (1 - baseline) is the gap over what the baseline loses.
            keys, draws = drawn(part, FILE, "gap", "loss", rounds=rounds, seed=seed)
            known = keys["value"].where(out["baseline_value"] < 1 - 1e-9)
            low, high = percentile_interval(np.where(known.isna().to_numpy()[:, None], np.nan, draws))
            out = out.assign(skill=known, skill_low=low, skill_high=high)
            parts.append(out.assign(measure=measure, scale=only or "all", baseline=name))
    out = pd.concat(parts, ignore_index=True)
    out["verdict"] = np.select([out["low"] > 0, out["high"] < 0], ["above", "below"], "undecided")
    names = [*FILE, "measure", "scale", "baseline"]
    return out[[*names, *out.columns.difference(names, sort=False)]]


def yardsticks(rounds: int = ROUNDS, seed: int = 0) -> pd.DataFrame:
    """Score the trivial answerers on the whole benchmark.

    Parameters
    ----------
    rounds, seed : of the bootstrap.

    Returns
    -------
    One row per `measure`, `scale` and `answerer`: `value`, `low`, `high` (95%, questions drawn), `n` (cells).
    """
    of = benchmark()
    parts = []
    for measure in MEASURES:
        wide = of.index[["question", "scale"]].join(baselines.table(of, measure))
        for scale, rows in _scales(wide[wide["chance"].notna()]):
            long = rows.melt("question", list(ANSWERERS), "answerer")
            out = averaged(long, ["answerer"], "value", rounds=rounds, seed=seed)
            parts.append(out.assign(measure=measure, scale=scale))
    return pd.concat(parts, ignore_index=True)[["measure", "scale", "answerer", "value", "low", "high", "n"]]
