"""What answerers get who know nothing of the country, or nothing at all, on the cells of the MENAValues benchmark."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

MEASURES = {"NVAS": None, "1 - W1": "ordinal", "mode accuracy": "nominal"}
"""Ways to score an answer, and the one scale that it makes sense on."""

ANSWERERS = {
    "chance": "an option drawn evenly",
    "first": "always the smallest option",
    "last": "always the largest option",
    "midpoint": "always the middle option, or either of the two in the middle",
    "others": "the answer of the other countries",
    "question_best": "the one answer per question that is best over all countries",
    "one_human": "one person drawn from the country",
    "best": "the best whole answer for the country: the ceiling",
}
"""What stands in the columns of :func:`table`: the first six know nothing of the country."""


@dataclass(frozen=True)
class Cells:
    """The cells of the benchmark with human figures, and arrays with a line for each.

    Attributes
    ----------
    index : `question`, `country`, `low`, `high`, `scale`, `source`, `category`, `human` (h: the printed mean or mode).
    offered : whether an option (its number is the column's) is within the question's range.
    people : the share of people who chose it, options outside the range left out; lines add up to 1.
    """

    index: pd.DataFrame
    offered: np.ndarray
    people: np.ndarray


def cells(questions: pd.DataFrame, filled: pd.DataFrame, people: pd.DataFrame) -> Cells:
    """Lay out the cells that have human figures.

    Parameters
    ----------
    questions, filled : of `workbook.read`.
    people : of `workbook.people`.

    Returns
    -------
    The cells, in the order of the workbook's cells.
    """
    facts = ["question", "low", "high", "scale", "source", "category"]
    index = filled[filled["centre"].notna()].rename(columns={"centre": "human"})[["question", "country", "human"]]
    index = index.merge(questions[facts], on="question", how="left")
    options = np.arange(index["high"].max() + 1)
    offered = (options >= index[["low"]].to_numpy()) & (options <= index[["high"]].to_numpy())
    at = people.merge(index[["question", "country"]].assign(cell=index.index), on=["question", "country"])
    column = at["option"].astype(int).to_numpy()
    kept = column < len(options)
    shares = np.zeros(offered.shape)
    shares[at["cell"][kept], column[kept]] = at["probability"][kept]
    shares = np.where(offered, shares, 0.0)
    return Cells(index, offered, shares / shares.sum(axis=1, keepdims=True))


def marks(of: Cells, measure: str) -> np.ndarray:
    """Score every option of every cell.

    ``NVAS = 1 - |a - h| / R`` (MENAValues, definition of N-VAS). ``1 - W1`` is ``1 - sum_o p_o |a - o| / R``, with the
    Wasserstein-1 distance between the answer, as if all gave it, and the people's answers: how near an answer is to a
    person drawn from the country. Mode accuracy is 1 for the people's most common answer, else 0.

    Parameters
    ----------
    of : the cells.
    measure : one of `MEASURES`.

    Returns
    -------
    Scores in [0, 1], a line per cell; NaN for options outside the range, and in cells of a scale that the measure
    makes no sense on.
    """
    options, human = np.arange(of.offered.shape[1]), of.index[["human"]].to_numpy()
    width = (of.index["high"] - of.index["low"]).to_numpy()[:, None]
    if measure == "NVAS":
        scores = 1 - np.abs(options - human) / width
    elif measure == "1 - W1":
        scores = 1 - of.people @ np.abs(np.subtract.outer(options, options)) / width
    else:
        scores = (options == human) * 1.0
    fits = MEASURES[measure] is None or (of.index["scale"] == MEASURES[measure])
    return np.where(of.offered & np.reshape(fits, (-1, 1)), scores, np.nan)


def table(of: Cells, measure: str) -> pd.DataFrame:
    """Score the answerers of `ANSWERERS` on every cell.

    Parameters
    ----------
    of : the cells.
    measure : one of `MEASURES`.

    Returns
    -------
    One row per cell, a column per answerer, in [0, 1]; where its answer is drawn, the expected score. NaN where the
    measure makes no sense, and of `others` where no other country was asked.
    """
    scores = marks(of, measure)
    known = np.nan_to_num(scores)
    picks = dict(_picks(of))
    out = {name: (picks[name] * known).sum(axis=1) for name in picks}
    code = of.index.groupby("question", sort=False).ngroup().to_numpy()
    sums = np.zeros((code.max() + 1, known.shape[1]))
    np.add.at(sums, code, np.where(of.offered, known, -np.inf))
    out["question_best"] = known[np.arange(len(known)), sums.argmax(axis=1)[code]]
    out["best"] = np.nanmax(np.where(of.offered, known, np.nan), axis=1)
    silent = ~np.isfinite(scores).any(axis=1)
    return pd.DataFrame(out)[list(ANSWERERS)].mask(np.broadcast_to(silent[:, None], (len(known), len(ANSWERERS))))


def _picks(of: Cells) -> Iterator[tuple[str, np.ndarray]]:
    """How likely each answerer picks each option, whatever the measure."""
    low, high = (of.index[end].to_numpy() for end in ("low", "high"))
    yield "chance", of.offered / of.offered.sum(axis=1, keepdims=True)
    for name, ends in (("first", (low, low)), ("last", (high, high)), ("midpoint", _middle(low, high))):
        yield name, sum(_sure(of, end) for end in ends) / 2
    yield "others", _sure(of, others(of))
    yield "one_human", of.people


def others(of: Cells) -> np.ndarray:
    """Answer as the other countries do: the rounded mean of their means, the mode of their mean distribution.

    Parameters
    ----------
    of : the cells.

    Returns
    -------
    A whole number per cell, halves rounded up; NaN where no other country was asked.
    """
    code = of.index.groupby("question", sort=False).ngroup().to_numpy()
    count = np.bincount(code)[code] - 1
    human = of.index["human"].to_numpy()
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = (np.bincount(code, human)[code] - human) / count
    shares = np.zeros((code.max() + 1, of.people.shape[1]))
    np.add.at(shares, code, of.people)
    mode = np.where(of.offered, shares[code] - of.people, -1.0).argmax(axis=1)
    answer = np.where(of.index["scale"] == "ordinal", np.floor(mean + 0.5), mode)
    return np.where(count > 0, answer, np.nan)


def _middle(low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return (low + high) // 2, -(-(low + high) // 2)


def _sure(of: Cells, answer: np.ndarray) -> np.ndarray:
    picked = np.arange(of.offered.shape[1]) == np.asarray(answer, dtype=float)[:, None]
    return np.where(np.isnan(answer)[:, None], np.nan, picked)
