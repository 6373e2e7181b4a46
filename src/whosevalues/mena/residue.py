"""What divergences without a common key still tell of a model: the sum of its log probabilities, in the last digits.

Where the people's options are written '1.0' and the model's '1', both sets entered the divergence: people's options
with q = 0 and the model's with p = 0, epsilon e added to all of them and both sides renormalised. With n = k + m keys,
k of the model's and m of the people's,

    KLD (1 + n e) = sum over people's keys of (p + e) ln((p + e) / e) + e [k ln e - sum over the model's of ln(q + e)].

The first term is known: the divergences were computed from the percentages that the workbook prints, renormalised, for
with any other shares the sums would miss their range by thousands. KLD stands in the files in double precision, about
4e-15 apart near 18, so the last sum follows to about 1e-6. For two options it gives the larger probability; for more
it gives bounds. That the two-option figures are probabilities of a model and no rounding noise is plain from their
log-odds: they lie on the coarse grid of scores in half precision (`checks`).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from . import divergence, released
from .divergence import EPSILON
from .leakage import THRESHOLDS, across, even_chance, share, within

PRECISION = 1e-5
"""Of the recovered sum: what rounding to doubles leaves, several times over."""

GRID, FIT = 1 / 128, 1e-4
"""Log-odds that are a difference of two scores in half precision are multiples of GRID, up to rounding: within FIT."""

PROBED = 9
"""Options that were looked up where only single digits were."""


def totals(cells: pd.DataFrame) -> pd.DataFrame:
    """Recover the sum of the logarithms of a model's option probabilities.

    Parameters
    ----------
    cells : of `divergence.read`.

    Returns
    -------
    The rows whose keys never met, with `total` (sum of ln(q + e) over all the question's options, at most -k ln k, the
    value of a uniform q), `largest_low` and `largest_high`: between which the largest option probability lies.
    """
    part = cells[cells["written"] == "1.0"].copy()
    k = part["options"]
    whole = part["value"] * (1 + (k + part["listed"]) * EPSILON)
    part["total"] = k * np.log(EPSILON) - (whole - part["apart"]) / EPSILON
    part["largest_low"], part["largest_high"] = np.nan, np.nan
    for options, rows in part.groupby("options"):
        low, high = bounds(rows["total"].to_numpy(), int(options))
        part.loc[rows.index, "largest_low"], part.loc[rows.index, "largest_high"] = low, high
    return part


def bounds(total: np.ndarray, options: int) -> tuple[np.ndarray, np.ndarray]:
    """Between what does the largest of k probabilities lie if the sum of their logarithms is known?

    It is largest where all others are alike, and smallest where as many as possible equal it and the rest are 0: both
    sums fall as it grows, so each bound is where the sum is met.

    Parameters
    ----------
    total : sums of ln(q + e).
    options : k.

    Returns
    -------
    Lower and upper bounds, alike for two options.
    """
    return _meets(lambda top: _steepest(top, options), total, options), _meets(
        lambda top: _flattest(top, options), total, options
    )


def _flattest(top: np.ndarray, options: int) -> np.ndarray:
    rest = (1 - top) / (options - 1)
    return np.log(top + EPSILON) + (options - 1) * np.log(rest + EPSILON)


def _steepest(top: np.ndarray, options: int) -> np.ndarray:
    full = np.minimum(np.floor(1 / top + 1e-12), options)
    rest = np.clip(1 - full * top, 0, None)
    empty = np.clip(options - full - 1, 0, None)
    return full * np.log(top + EPSILON) + np.where(full < options, np.log(rest + EPSILON), 0) + empty * np.log(EPSILON)


def _meets(falling: Callable[[np.ndarray], np.ndarray], total: np.ndarray, options: int) -> np.ndarray:
    low, high = np.full(len(total), 1 / options), np.ones(len(total))
    for _ in range(60):
        middle = (low + high) / 2
        above = falling(middle) > total
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return (low + high) / 2


def two_options(cells: pd.DataFrame, people: pd.DataFrame) -> pd.DataFrame:
    """Solve the divergence for the model's probabilities where the keys met and there are two options.

    Parameters
    ----------
    cells, people : of `divergence.read`.

    Returns
    -------
    The cells of questions with options '1' and '2', with the model's probability of '1' if it is below the people's
    (`below`) or above (`above`): the divergence has both solutions; `largest_low` and `largest_high` as in `totals`.
    """
    share = people[people["option"] == "1"].rename(columns={"probability": "share"})
    part = cells[(cells["written"] == "1") & (cells["low"] == 1) & (cells["high"] == 2)]
    part = part.merge(share[["question", "country", "share"]], on=["question", "country"])
    p, value = part["share"].to_numpy(), part["value"].to_numpy()

    def at(q: np.ndarray) -> np.ndarray:
        pairs = ((p, q), (1 - p, 1 - q))
        parts = ((a + EPSILON) * np.log((a + EPSILON) / (b + EPSILON)) for a, b in pairs)
        return sum(parts) / (1 + 2 * EPSILON)

    for name, edge in (("below", 0.0), ("above", 1.0)):
        near, far = p.copy(), np.full(len(p), edge)
        for _ in range(60):
            middle = (near + far) / 2
            beyond = at(middle) > value
            near, far = np.where(beyond, near, middle), np.where(beyond, middle, far)
        part[name] = (near + far) / 2
    tops = np.stack([np.maximum(part[name], 1 - part[name]) for name in ("below", "above")])
    return part.assign(largest_low=tops.min(axis=0), largest_high=tops.max(axis=0))


def checks(cells: pd.DataFrame, people: pd.DataFrame, answers: pd.DataFrame) -> pd.DataFrame:
    """Test the recovered figures where they could fail.

    Parameters
    ----------
    cells, people : of `divergence.read`.
    answers : of `inversion.candidates`.

    Returns
    -------
    One row per `model`, `framing` and `check`: 'possible' (the sum lies between that of a distribution with all on one
    option and that of the uniform one), 'grid' (of two options, the log-odds, from 1/16 to 12, are multiples of `GRID`
    within `FIT`), 'tens unprobed' (of more than nine options, the sum is so small that those from the tenth on must
    have had nothing), 'answer' (of two options whose two solutions have the same larger one, that is the answer behind
    the released NVAS). `value` (share of the cells that pass), `low`, `high` (NaN: all are counted), `n`, `chance` (of
    'grid' for log-odds anywhere, of 'answer' 0.5), `printed` (NaN).
    """
    known, pairs = totals(cells), two_options(cells, people)
    k = known["options"]
    least, most = (k - 1) * np.log(EPSILON), -k * np.log(k)
    known["ok"] = known["total"].between(least - PRECISION, most + PRECISION)
    top = known.loc[k == 2, "largest_low"]
    odds = np.log(top / (1 - top)).loc[lambda x: x.between(1 / 16, 12)]
    grid = known.loc[odds.index].assign(ok=(odds / GRID - (odds / GRID).round()).abs() * GRID < FIT)
    longer = known[k > PROBED]
    unprobed = (longer["options"] - PROBED) * np.log(EPSILON) - PROBED * np.log(PROBED)
    longer = longer.assign(ok=longer["total"] <= unprobed + PRECISION)
    said = answers[(answers["mode"] == "zero-shot") & answers["answer"].notna()]
    pairs = pairs.merge(said[["model", "framing", "question", "country", "answer"]])
    pairs = pairs[(pairs["below"] > 0.5) == (pairs["above"] > 0.5)]
    pairs["ok"] = pairs["answer"] == np.where(pairs["below"] > 0.5, 1, 2)
    tests = {"possible": known, "grid": grid, "tens unprobed": longer, "answer": pairs}
    chances, rows = {"grid": 2 * FIT / GRID, "answer": 0.5}, []
    for check, part in tests.items():
        for (model, framing), file in part.groupby(["model", "framing"], sort=False):
            at = {"model": model, "framing": framing, "check": check, "value": file["ok"].mean(), "n": len(file)}
            rows.append(at | {"chance": chances.get(check, np.nan)})
    return pd.DataFrame(rows).assign(low=np.nan, high=np.nan, printed=np.nan)


def leakage(cells: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """How peaked was the model where the released files lack its answer, and where they have it?

    The nearest that the released files come to logit leakage: a cell without NVAS had no valid answer, and its
    divergence was computed from option probabilities all the same.

    Parameters
    ----------
    cells : of `divergence.read`.
    seed : of the bootstrap.

    Returns
    -------
    One row per `model`, `framing`, `cells`, `kind` and `threshold`: `value` (share whose largest probability reaches
    the threshold), `low`, `high` (95%, see `leakage.interval`), `n` (cells), `questions`,
    `chance` (all distributions equally likely), `printed` (NaN). `cells` is 'two options' (where the probability is
    known), or 'any number, at least' and 'any number, at most' (where it is bounded). `kind` is 'no answer' or
    'answer'; 'no answer minus answer' (all cells; of any number at least and at most what the bounds leave open); of
    two options also 'no answer minus chance' and 'the same within questions' (those that have both; `n` counts them).
    `enough` says whether there are questions enough for an interval.
    """
    both = _answered(totals(cells))
    pairs = both[both["options"] == 2]
    rows = []
    for name, table, column, other in (
        ("two options", pairs, "largest_low", "largest_low"),
        ("any number, at least", both, "largest_low", "largest_high"),
        ("any number, at most", both, "largest_high", "largest_low"),
    ):
        for threshold in THRESHOLDS:
            large, facing = (table[side] >= threshold - PRECISION for side in (column, other))
            chances = {k: even_chance(k, threshold) for k in table["options"].unique()}
            marked = table.assign(large=large.astype(float), chance=table["options"].map(chances))
            # The gap is smallest where the refused have their lower bound and the answered their upper one.
            marked["facing"] = marked["large"].mask(table["answered"], facing.astype(float))
            for (model, framing), file in marked.groupby(["model", "framing"], sort=False):
                at = {"model": model, "framing": framing, "cells": name, "threshold": threshold}
                rows += [at | row for row in _figures(file, name == "two options", seed)]
    columns = ["model", "framing", "cells", "kind", "threshold", "value", "low", "high", "n", "questions", "chance"]
    out = pd.DataFrame(rows)[columns].assign(printed=np.nan)
    return out.assign(enough=out["low"].notna())


def _answered(table: pd.DataFrame) -> pd.DataFrame:
    on = ["model", "framing", "question", "country"]
    scores = released.read("NVAS").query("mode == 'zero-shot'").dropna(subset="value")
    table = table.merge(scores[on].assign(answered=True), on=on, how="left")
    table["answered"] = table["answered"].notna()
    return table.assign(kind=np.where(table["answered"], "answer", "no answer"))


def _figures(file: pd.DataFrame, known: bool, seed: int) -> list[dict[str, object]]:
    rows = [{"kind": kind} | share(part, seed) for kind, part in file.groupby("kind")]
    rows.append({"kind": "no answer minus answer"} | across(file, "facing", "answered", seed) | {"chance": 0.0})
    if known:
        absent = file[~file["answered"]]
        above = absent.assign(large=absent["large"] - absent["chance"])
        rows.append({"kind": "no answer minus chance"} | share(above, seed) | {"chance": 0.0})
        rows.append({"kind": "the same within questions"} | within(file, seed))
    return rows


def absent(cells: pd.DataFrame, people: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Is the divergence another one where the answer is missing?

    Parameters
    ----------
    cells, people : of `divergence.read`.
    seed : of the bootstrap.

    Returns
    -------
    Of the cells whose keys met, one row per `model`, `framing` and `measure`: 'no answer', 'answer' (mean divergence,
    nats), 'no answer minus answer' (within questions that have both), 'the same, minus uniform' (each cell's
    divergence less that of the uniform distribution first), `value`, `low`, `high` (95% bootstrap of questions), `n`
    (cells; of the differences questions), `questions`, `chance` (uniform on the same cells), `printed` (NaN).
    """
    met = _answered(divergence.beside(cells[cells["written"] == "1"], people))
    met["excess"] = met["value"] - met["uniform"]
    rows = []
    for (model, framing), file in met.groupby(["model", "framing"], sort=False):
        at = {"model": model, "framing": framing}
        for kind, part in file.groupby("kind"):
            row = divergence.mean(part, "value", seed)
            rows.append(at | {"measure": kind} | row | {"chance": part["uniform"].mean()})
        for measure, column in (("no answer minus answer", "value"), ("the same, minus uniform", "excess")):
            rows.append(at | {"measure": measure} | within(file.assign(large=file[column]), seed))
    return pd.DataFrame(rows).assign(printed=np.nan)
