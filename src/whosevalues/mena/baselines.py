"""What answerers get who know nothing of the country, or nothing at all, on the cells of the MENAValues benchmark."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..items import Question

MEASURES = {"NVAS": None, "1 - W1": "ordinal", "mode accuracy": "nominal"}
"""Ways to score an answer, and the one scale that it makes sense on."""

ANSWERERS = {
    "chance": "an option drawn evenly",
    "first": "always the smallest option",
    "last": "always the largest option",
    "midpoint": "always the middle option, or either of the two in the middle",
    "others": "the answer of the other countries",
    "question_best": "the one answer per question that is best over all countries, this one included",
    "one_human": "one person drawn from the country",
    "best": "the best whole answer for the country: the ceiling",
}
"""What stands in the columns of :func:`table`. The first five know nothing of the country; the sixth is the most that
anybody can get who tells no countries apart."""


@dataclass(frozen=True)
class Cells:
    """The cells of the benchmark with human figures, and arrays with a line for each.

    Attributes
    ----------
    index : `question`, `country`, `low`, `high`, `scale`, `human` (h: the people's mean or mode); of the released
        benchmark also `source`, `category`.
    offered : whether an option (its number is the column's) is one of the question's.
    people : the share of people who chose it, other options left out; lines add up to 1.
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
    The cells, in the order of the workbook's cells, with the printed h. The options are all from Min to MAX.
    """
    facts = ["question", "low", "high", "scale", "source", "category"]
    index = filled[filled["centre"].notna()].rename(columns={"centre": "human"})[["question", "country", "human"]]
    index = index.merge(questions[facts], on="question", how="left")
    options = np.arange(index["high"].max() + 1)
    offered = (options >= index[["low"]].to_numpy()) & (options <= index[["high"]].to_numpy())
    return Cells(index, offered, _shares(index, offered, people))


def bank_cells(humans: pd.DataFrame, questions: Iterable[Question]) -> Cells:
    """Lay out the human figures of a bank of questions, such as the teaching bank, as the benchmark's.

    Parameters
    ----------
    humans : `question`, `country`, `option`, `probability`; of a question's options alone is used.
    questions : the bank; options are whole numbers.

    Returns
    -------
    The cells; h is the mean of an ordinal scale, and of a nominal one the mode (the first of several).
    """
    options = {q.id: sorted(map(int, q.options)) for q in questions}
    facts = [(q.id, options[q.id][0], options[q.id][-1], q.scale) for q in questions]
    index = humans[["question", "country"]].drop_duplicates()
    index = index.merge(pd.DataFrame(facts, columns=["question", "low", "high", "scale"]), on="question")
    numbers = np.arange(index["high"].max() + 1)
    offered = np.array([np.isin(numbers, options[name]) for name in index["question"]])
    shares = _shares(index, offered, humans)
    human = np.where(index["scale"] == "ordinal", shares @ numbers, shares.argmax(axis=1))
    return Cells(index.assign(human=human), offered, shares)


def _shares(index: pd.DataFrame, offered: np.ndarray, people: pd.DataFrame) -> np.ndarray:
    at = people.merge(index[["question", "country"]].assign(cell=index.index), on=["question", "country"])
    column = at["option"].astype(int).to_numpy()
    kept = column < offered.shape[1]
    shares = np.zeros(offered.shape)
    shares[at["cell"][kept], column[kept]] = at["probability"][kept]
    shares = np.where(offered, shares, 0.0)
    return shares / shares.sum(axis=1, keepdims=True)


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
    count = of.offered.sum(axis=1, keepdims=True)
    place = np.where(of.offered, of.offered.cumsum(axis=1) - 1, -1)
    ends = {"first": (0, 0), "last": (count - 1, count - 1), "midpoint": ((count - 1) // 2, count // 2)}
    yield "chance", of.offered / count
    for name, (one, other) in ends.items():
        yield name, ((place == one) * 1.0 + (place == other)) / 2
    yield "others", others(of)
    yield "one_human", of.people


def others(of: Cells) -> np.ndarray:
    """Answer as the other countries do: with the option nearest to the mean of their means, or their most common one.

    Parameters
    ----------
    of : the cells.

    Returns
    -------
    An array like `of.offered`, with 1 at the answer: on an ordinal scale the option nearest to the mean of the other
    countries' h, the upper one of two; on a nominal one the mode of the mean of their distributions, the first of
    several. NaN where no other country was asked.
    """
    code = of.index.groupby("question", sort=False).ngroup().to_numpy()
    count = np.bincount(code)[code] - 1
    human, options = of.index["human"].to_numpy(), np.arange(of.offered.shape[1])
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = (np.bincount(code, human)[code] - human) / count
    shares = np.zeros((code.max() + 1, len(options)))
    np.add.at(shares, code, of.people)
    # Subtracting the own country leaves the last bits of a sum behind, which must not break a tie.
    distance = np.where(of.offered, np.abs(options - mean[:, None]).round(9), np.inf)
    upper = len(options) - 1 - distance[:, ::-1].argmin(axis=1)
    mode = np.where(of.offered, (shares[code] - of.people).round(9), -1.0).argmax(axis=1)
    answer = np.where(of.index["scale"] == "ordinal", upper, mode)
    return np.where((count > 0)[:, None], options == answer[:, None], np.nan)
