"""What divergences without a common key still tell of a model: the sum of its log probabilities, in the last digits.

Where the people's options are written '1.0' and the model's '1', both sets entered the divergence: people's options
with q = 0 and the model's with p = 0, epsilon e added to all of them and both sides renormalised. With n = k + m keys,
k of the model's and m of the people's,

    KLD (1 + n e) = sum over people's keys of (p + e) ln((p + e) / e) + e [k ln e - sum over the model's of ln(q + e)].

The first term is known, and KLD is printed in double precision, so the last sum follows to about 1e-6. For two options
it gives the larger probability; for more it gives bounds.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from ..stats import bootstrap_counts, percentile_interval, wilson
from . import divergence, released
from .divergence import EPSILON
from .leakage import FEWEST, THRESHOLDS, even_chance, gap_interval, interval

PRECISION = 1e-5
"""Of the recovered sum: what rounding to doubles leaves, several times over."""

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
    One row per `model`, `framing` and `check`: 'possible' (the sum does not exceed that of a uniform distribution),
    'tens unprobed' (of more than nine options, the sum is so small that those from the tenth on must have had nothing),
    'answer' (of two options whose two solutions have the same larger one, that is the answer behind the released
    NVAS). `value` (share of the cells that pass), `low`, `high` (of 'answer' Wilson's; else NaN: all are counted), `n`,
    `chance` (of 'answer' 0.5), `printed` (NaN).
    """
    known, pairs = totals(cells), two_options(cells, people)
    known["ok"] = known["total"] <= -known["options"] * np.log(known["options"]) + PRECISION
    longer = known[known["options"] > PROBED]
    least = (longer["options"] - PROBED) * np.log(EPSILON) - PROBED * np.log(PROBED)
    longer = longer.assign(ok=longer["total"] <= least + PRECISION)
    said = answers[(answers["mode"] == "zero-shot") & answers["answer"].notna()]
    pairs = pairs.merge(said[["model", "framing", "question", "country", "answer"]])
    pairs = pairs[(pairs["below"] > 0.5) == (pairs["above"] > 0.5)]
    pairs["ok"] = pairs["answer"] == np.where(pairs["below"] > 0.5, 1, 2)
    rows = []
    for check, part in (("possible", known), ("tens unprobed", longer), ("answer", pairs)):
        for (model, framing), file in part.groupby(["model", "framing"], sort=False):
            sampled = check == "answer"
            low, high = wilson(file["ok"].sum(), len(file)) if sampled else (np.nan, np.nan)
            at = {"model": model, "framing": framing, "check": check, "value": file["ok"].mean()}
            rows.append(at | {"low": low, "high": high, "n": len(file), "chance": 0.5 if sampled else np.nan})
    return pd.DataFrame(rows).assign(printed=np.nan)


def leakage(cells: pd.DataFrame, people: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """How peaked was the model where the released files lack its answer, and where they have it?

    The nearest that the released files come to logit leakage: a cell without NVAS had no valid answer, and its
    divergence was computed from option probabilities all the same.

    Parameters
    ----------
    cells, people : of `divergence.read`.
    seed : of the bootstrap.

    Returns
    -------
    One row per `model`, `framing`, `cells`, `kind` and `threshold`: `value` (share whose largest probability reaches
    the threshold), `low`, `high` (95%, see `leakage.interval`), `n` (cells), `questions`,
    `chance` (all distributions equally likely), `printed` (NaN). `cells` is 'two options' (where the probability is
    known), or 'any number, at least' and 'any number, at most' (where it is bounded). `kind` is 'no answer' or
    'answer'; of two options also 'no answer minus chance', 'no answer minus answer' (all cells) and 'the same within
    questions' (those that have both; `n` counts them); of any number 'no answer minus answer', at least and at most
    what the bounds leave open. `enough` says whether there are questions enough for an interval.
    """
    on = ["model", "framing", "question", "country"]
    scores = released.read("NVAS").query("mode == 'zero-shot'").dropna(subset="value")
    both = totals(cells)
    both = both.merge(scores[on].assign(kind="answer"), on=on, how="left")
    both["kind"] = both["kind"].fillna("no answer")
    pairs = both[both["options"] == 2]
    sets = {
        "two options": (pairs, "largest_low"),
        "any number, at least": (both, "largest_low"),
        "any number, at most": (both, "largest_high"),
    }
    rows = []
    for name, (table, column) in sets.items():
        for threshold in THRESHOLDS:
            chances = {k: even_chance(k, threshold) for k in table["options"].unique()}
            large = (table[column] >= threshold - PRECISION).astype(float)
            marked = table.assign(large=large, chance=table["options"].map(chances))
            for (model, framing), file in marked.groupby(["model", "framing"], sort=False):
                at = {"model": model, "framing": framing, "cells": name, "threshold": threshold}
                rows += [at | {"kind": kind} | _share(part, seed) for kind, part in file.groupby("kind")]
                if name == "two options":
                    absent = file[file["kind"] == "no answer"]
                    above = absent.assign(large=absent["large"] - absent["chance"])
                    rows.append(at | {"kind": "no answer minus chance"} | _share(above, seed) | {"chance": 0.0})
                    rows.append(at | {"kind": "the same within questions"} | _difference(file, seed))
                # The gap is smallest where the refused have their lower bound and the answered their upper one.
                other = {"largest_low": "largest_high", "largest_high": "largest_low"}[column]
                facing = (
                    file
                    if name == "two options"
                    else file.assign(
                        large=np.where(file["kind"] == "answer", file[other] >= threshold - PRECISION, file["large"])
                    )
                )
                rows.append(at | {"kind": "no answer minus answer"} | _gap(facing, seed))
    columns = ["model", "framing", "cells", "kind", "threshold", "value", "low", "high", "n", "questions", "chance"]
    out = pd.DataFrame(rows)[columns].assign(printed=np.nan)
    return out.assign(enough=out["low"].notna())


def _share(part: pd.DataFrame, seed: int) -> dict[str, float]:
    low, high = interval(part, "large", seed)
    facts = {"value": part["large"].mean(), "low": low, "high": high, "n": len(part)}
    return facts | {"questions": part["question"].nunique(), "chance": part["chance"].mean()}


def _difference(file: pd.DataFrame, seed: int) -> dict[str, float]:
    shares = file.groupby(["question", "kind"])["large"].mean().unstack()
    gaps = (shares.get("no answer") - shares.get("answer")).dropna().rename("gap").reset_index()
    low, high = gap_interval(gaps, seed)
    value = gaps["gap"].mean() if len(gaps) else np.nan
    return {"value": value, "low": low, "high": high, "n": len(gaps), "questions": len(gaps), "chance": np.nan}


def _gap(file: pd.DataFrame, seed: int, rounds: int = 1000) -> dict[str, float]:
    """Share without an answer minus share with one, questions drawn together."""
    sums = file.groupby(["question", "kind"])["large"].agg(["sum", "count"]).unstack(fill_value=0.0)
    wanted = [(what, kind) for kind in ("no answer", "answer") for what in ("sum", "count")]
    sums = sums.reindex(columns=wanted, fill_value=0.0).to_numpy(float)
    drawn = bootstrap_counts(len(sums), rounds, seed) @ sums
    with np.errstate(invalid="ignore", divide="ignore"):
        gaps = drawn[:, 0] / drawn[:, 1] - drawn[:, 2] / drawn[:, 3]
    fewest = file.groupby("kind")["question"].nunique().min()
    low, high = percentile_interval(gaps) if fewest >= FEWEST else (np.nan, np.nan)
    total = sums.sum(axis=0)
    facts = {"value": total[0] / total[1] - total[2] / total[3], "low": float(low), "high": float(high)}
    return facts | {"n": len(file), "questions": len(sums), "chance": 0.0}


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
    on = ["model", "framing", "question", "country"]
    scores = released.read("NVAS").query("mode == 'zero-shot'").dropna(subset="value")
    met = divergence.beside(cells[cells["written"] == "1"], people)
    met = met.merge(scores[on].assign(kind="answer"), on=on, how="left")
    met["kind"] = met["kind"].fillna("no answer")
    met["excess"] = met["value"] - met["uniform"]
    rows = []
    for (model, framing), file in met.groupby(["model", "framing"], sort=False):
        at = {"model": model, "framing": framing}
        for kind, part in file.groupby("kind"):
            row = divergence._mean(part, "value", seed)
            rows.append(at | {"measure": kind} | row | {"chance": part["uniform"].mean()})
        for measure, column in (("no answer minus answer", "value"), ("the same, minus uniform", "excess")):
            means = file.groupby(["question", "kind"])[column].mean().unstack()
            gaps = (means.get("no answer") - means.get("answer")).dropna().rename("gap").reset_index()
            rows.append(at | {"measure": measure} | divergence._mean(gaps, "gap", seed) | {"chance": np.nan})
    return pd.DataFrame(rows).assign(printed=np.nan)
