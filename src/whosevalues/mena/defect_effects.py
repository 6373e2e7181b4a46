"""What the workbook's defects do to a human value or to a score, and what its distributions are made of."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from ..stats import cluster_interval
from .quality import RESIDUAL, described

RESPONDENTS = np.arange(50, 3001)
"""Numbers of respondents tried for a cell: from some hundred to 2,400 were asked per country."""
FEWEST_OPTIONS = 6
"""With fewer options too many numbers of respondents fit by chance."""


def effects(questions: pd.DataFrame, cells: pd.DataFrame, rounds: int = 500) -> pd.DataFrame:
    """Weigh the defects that could change a human value or a score.

    Parameters
    ----------
    questions, cells : of :func:`~whosevalues.mena.workbook.read`.
    rounds : of the bootstrap.

    Returns
    -------
    One row per `effect`: `value` (mean over the cells concerned), `low`, `high` (95%, questions resampled), `n`
    (cells), `least`, `most`, `chance`, `printed` (missing). NVAS as in the paper, ``1 - |a - h| / (MAX - Min)``.
    """
    asked, filled = described(questions, cells)
    full = filled[filled["shares"].map(bool)]
    full = full.assign(width=full["high"] - full["low"], top=full["probability"].map(max))
    ordinal, nominal = full[full["scale"] == "ordinal"], full[full["scale"] == "nominal"]
    tied = nominal[nominal["modes"].map(len) > 1]
    outer = np.maximum(ordinal["low"] - ordinal["centre"], ordinal["centre"] - ordinal["high"]) / ordinal["width"]
    outer = outer[outer > 0]
    zero = ordinal[[bool((o < low).any()) for o, low in zip(ordinal["options"], ordinal["low"], strict=True)]]
    inside = pd.Series([_mean_from(row.options, row.probability, row.low) for row in zero.itertuples()], zero.index)
    silent, apart = _silent(full), _apart(ordinal, asked)
    empty = full["high"] - full["question"].map(
        asked.set_index("question")["seen"].map(lambda seen: max(seen, default=0))
    )
    rows = {
        "|sum of the shares - 1|": full["percent"].map(lambda percent: abs(percent.sum() - 100) / 100),
        "|mean of the shares - printed mean| / range": (ordinal["centre"] - ordinal["mean"]).abs() / ordinal["width"],
        "modes that are the most frequent option, share": _share(nominal, lambda c, modes: c in modes),
        "two modes, one printed: NVAS between them": tied["modes"].map(lambda modes: modes[-1] - modes[0])
        / tied["width"],
        "option 0: NVAS that h moves without it": (zero["centre"] - inside).abs() / zero["width"],
        "mean outside Min to MAX: best NVAS of any answer": 1 - outer,
        "mean outside Min to MAX: worst NVAS of any answer": -outer,
        "answer outside the order: NVAS that h moves without it": apart,
        "MAX that nobody chose: empty end of the range, share": (empty / full["width"])[empty > 0],
        "option missing from the list: share of people who chose it": silent[silent > 0],
        "mean within half a point of the most frequent option, share": _share(
            ordinal, lambda c, modes: min(abs(mode - c) for mode in modes) <= 0.5
        ),
        "one option holds more than half, share of ordinal cells": (ordinal["top"] > 0.5) * 1.0,
        "one option holds more than half, share of nominal cells": (nominal["top"] > 0.5) * 1.0,
    }
    return pd.DataFrame([_row(effect, full, values, rounds) for effect, values in rows.items()])


def whole_counts(questions: pd.DataFrame, cells: pd.DataFrame, most: int = 20, seed: int = 0) -> pd.DataFrame:
    """Ask whether printed shares are numbers of people out of a whole number of people: weighted shares would not be.

    A cell fits where some number of respondents turns every share into a whole number of people, to the two printed
    digits. Many numbers are tried, so some fit anything: the same shares, shaken by up to .3 of a point, say how often.

    Parameters
    ----------
    questions, cells : of :func:`~whosevalues.mena.workbook.read`.
    most : cells tried per source and country, those with the most options.
    seed : of the shaking.

    Returns
    -------
    One row per `source` and `country`: `value` (share of cells that fit), `low`, `high` (missing), `n` (cells tried),
    `chance` (share that fits when shaken), `printed` (missing), `respondents` (median of the smallest number that fits;
    the true one is a multiple of it).
    """
    _, filled = described(questions, cells)
    filled = filled.assign(count=filled["options"].map(len)).sort_values("count", ascending=False, kind="stable")
    filled = filled[filled["count"] >= FEWEST_OPTIONS].groupby(["source", "country"]).head(most)
    random = np.random.default_rng(seed)
    smallest = [_smallest(percent) for percent in filled["percent"]]
    shaken = [_smallest(_shake(percent, random)) for percent in filled["percent"]]
    filled = filled.assign(smallest=smallest, fits=np.isfinite(smallest), shaken=np.isfinite(shaken))
    table = filled.groupby(["source", "country"]).agg(
        value=("fits", "mean"), n=("fits", "size"), chance=("shaken", "mean"), respondents=("smallest", "median")
    )
    table = table.assign(low=np.nan, high=np.nan, printed=np.nan).reset_index()
    return table[["source", "country", "value", "low", "high", "n", "chance", "printed", "respondents"]]


def _smallest(percent: np.ndarray) -> float:
    exact = percent[None] * RESPONDENTS[:, None] / 100
    # Half of the last printed digit, and what the computer's arithmetic adds.
    near = np.abs(np.round(exact) / RESPONDENTS[:, None] * 100 - percent[None]) <= 0.0051
    fits = near.all(axis=1)
    return float(RESPONDENTS[fits.argmax()]) if fits.any() else np.nan


def _shake(percent: np.ndarray, random: np.random.Generator) -> np.ndarray:
    moved = np.round(np.clip(percent + random.uniform(-0.3, 0.3, len(percent)), 0.01, None), 2)
    largest = moved.argmax()
    moved[largest] = round(moved[largest] + percent.sum() - moved.sum(), 2)
    return moved


def _mean_from(options: np.ndarray, probability: np.ndarray, low: int) -> float:
    kept = options >= low
    return float(options[kept] @ probability[kept] / probability[kept].sum())


def _silent(full: pd.DataFrame) -> pd.Series:
    """Share of people whose answer the text's numbered list leaves out; 0 where there is no list of more than ends."""
    shares = [
        float(p[[option not in worded for option in o]].sum()) if len(worded) > 2 or worded == {1, 2} else 0.0
        for o, p, worded in zip(full["options"], full["probability"], full["worded"], strict=True)
    ]
    return pd.Series(shares, full.index)


def _apart(ordinal: pd.DataFrame, asked: pd.DataFrame) -> pd.Series:
    """How far the mean moves, as a share of the range, without the answers that stand outside the order."""
    outside = {
        q: {int(n) for n in re.findall(RESIDUAL, text)}
        for q, text in zip(asked["question"], asked["text"], strict=True)
    }
    moved = {}
    for row in ordinal.itertuples():
        kept = [option not in outside[row.question] for option in row.options]
        if not all(kept) and any(kept):
            mean = row.options[kept] @ row.probability[kept] / row.probability[kept].sum()
            moved[row.Index] = abs(row.mean - mean) / row.width
    return pd.Series(moved, dtype=float)


def _share(rows: pd.DataFrame, holds) -> pd.Series:
    return pd.Series([float(holds(c, m)) for c, m in zip(rows["centre"], rows["modes"], strict=True)], rows.index)


def _row(effect: str, full: pd.DataFrame, values: pd.Series, rounds: int) -> dict[str, object]:
    frame = pd.DataFrame({"question": full.loc[values.index, "question"], "value": values})
    low, high = cluster_interval(frame, "value", "question", rounds=rounds)
    row = {"effect": effect, "value": values.mean(), "low": low, "high": high, "n": len(values)}
    return row | {"least": values.min(), "most": values.max(), "chance": np.nan, "printed": np.nan}
