"""Which answers a model can have given in a country's own language: the released scores say so up to a sign.

A consistency ``1 - |a - b| / R`` gives the distance of two answers, so each follows from the other but for the side
on which it lies. A set of possible answers is held as the bits of a whole number, the lowest option being bit 0; all
answers at distance d from a set are then the set shifted by d to the left and to the right.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
import pandas as pd

from ..items import NATIVE
from . import inversion, released, workbook
from .names import MODELS, MODES

CELL = ["model", "framing", "mode", "country", "question"]
ONCE = ["model", "mode", "question"]


class Given(NamedTuple):
    """What the released files give: the workbook's tables, the scores, and the English answers behind them."""

    questions: pd.DataFrame
    cells: pd.DataFrame
    nvas: pd.DataFrame
    clcs: pd.DataFrame
    spd: pd.DataFrame
    inverted: pd.DataFrame
    english: pd.DataFrame


@cache
def given() -> Given:
    """Read the released files once for all that is computed from them.

    Returns
    -------
    Tables of `workbook.read`, `released.read`, `inversion.candidates` and :func:`english_sets`, not to be changed.
    """
    questions, cells = workbook.read()
    nvas, clcs, spd = (released.read(kind) for kind in ("NVAS", "CLCS", "SPD"))
    inverted = inversion.candidates(nvas, questions, cells)
    return Given(questions, cells, nvas, clcs, spd, inverted, english_sets(inverted, spd, questions))


def native_answers() -> pd.DataFrame:
    """Find the native answers that the released CLCS, NVAS and SPD leave possible.

    The distance from the English answer (CLCS) is known exactly. The English answer comes from NVAS; where the country
    has no human figure it is any of the scale, unless the self-persona deviation narrows it. English answers of the
    neutral framing, which is asked once for all countries, are those that agree with the persona's in every country.

    Returns
    -------
    One row per released CLCS score: `model`, `framing`, `mode`, `country` (missing for the neutral framing), `language`
    (the native one), `question`, `low`, `high` (Min and MAX), `distance` (between the two answers, in options),
    `english` and `candidates` (tuples of the English and the native answers that remain possible, ascending; none where
    the scores contradict each other or an answer lies outside the scale), `answer` (the only native candidate, else
    NaN).
    """
    files = given()
    return possible(files.clcs, files.english, files.questions)


def possible(clcs: pd.DataFrame, english: pd.DataFrame, questions: pd.DataFrame) -> pd.DataFrame:
    """As :func:`native_answers`, from tables.

    Parameters
    ----------
    clcs : `released.read('CLCS')`.
    english : of :func:`english_sets`.
    questions : of `workbook.read`.

    Returns
    -------
    As :func:`native_answers`.
    """
    out = distances(clcs, questions)
    neutral = out["framing"] == "neutral"
    out["language"] = out["language"].astype(object).where(neutral, out["country"].map(NATIVE))
    # A country that is missing must meet a country that is missing.
    keyed = out.assign(country=out["country"].astype(object).where(~neutral, "every"))
    known = keyed.merge(english, on=CELL, how="left")["set"]
    english_set = np.where(known.isna(), out["full"], known.fillna(0)).astype(np.int64)
    native = shifted(english_set, out["distance"], out["full"])
    # The other way round: an English answer without a native one at that distance cannot have been given.
    out["english"] = options(english_set & shifted(native, out["distance"], out["full"]), out["low"])
    out["candidates"] = options(native, out["low"])
    out["answer"] = [found[0] if len(found) == 1 else np.nan for found in out["candidates"]]
    named = ["model", "framing", "mode", "country", "language", "question", "low", "high", "distance"]
    return out[[*named, "english", "candidates", "answer"]]


def english_sets(inverted: pd.DataFrame, spd: pd.DataFrame, questions: pd.DataFrame) -> pd.DataFrame:
    """Narrow the English answers: those that NVAS leaves, and of persona and neutral those that SPD leaves.

    Parameters
    ----------
    inverted : `inversion.candidates`.
    spd : `released.read('SPD')`.
    questions : of `workbook.read`.

    Returns
    -------
    One row per cell of which something is known: `model`, `framing`, `mode`, `country` ('every' for the neutral
    framing), `question`, `set` (bits; 0 where the scores contradict each other).
    """
    low = inverted["question"].map(questions.set_index("question")["low"])
    sets = inverted[CELL].assign(set=bits(inverted["candidates"], low))
    pairs = distances(spd[spd["country"].isin(list(NATIVE))], questions).drop(columns="framing")
    persona = sets[sets["framing"] == "persona"].drop(columns="framing")
    pairs = pairs.merge(persona, on=[*ONCE, "country"], how="left")
    own = np.where(pairs["set"].isna(), pairs["full"], pairs["set"].fillna(0)).astype(np.int64)
    reached = shifted(own, pairs["distance"], pairs["full"])
    groups = pairs.assign(set=reached).groupby(ONCE)["set"]
    neutral = groups.agg(np.bitwise_and.reduce).rename("neutral")
    pairs = pairs.drop(columns="set").merge(neutral.reset_index(), on=ONCE)
    narrowed = own & shifted(pairs["neutral"], pairs["distance"], pairs["full"])
    # Where no neutral answer agrees with all countries, SPD narrows nothing.
    pairs["set"] = np.where(pairs["neutral"] == 0, own, narrowed)
    persona = pd.concat([pairs[[*ONCE, "country", "set"]], persona]).drop_duplicates([*ONCE, "country"])
    neutral = neutral.rename("set").reset_index().assign(framing="neutral", country="every")
    parts = [sets[sets["framing"] == "observer"], persona.assign(framing="persona"), neutral]
    return pd.concat(parts, ignore_index=True)[[*CELL, "set"]]


def distances(scores: pd.DataFrame, questions: pd.DataFrame) -> pd.DataFrame:
    """Turn consistencies into the distances of two answers.

    Parameters
    ----------
    scores : of `released.read`, a consistency in [0, 1] as `value`.
    questions : of `workbook.read`.

    Returns
    -------
    The rows with a score, with `low`, `high`, `distance` (whole number of options; larger than MAX - Min where an
    answer lies outside the scale) and `full` (bits: all options of the scale).
    """
    out = scores[scores["value"].notna()].merge(questions[["question", "low", "high"]], on="question", how="left")
    out["distance"] = ((1 - out["value"]) * (out["high"] - out["low"])).round().astype(np.int64)
    out["full"] = np.left_shift(np.int64(1), (out["high"] - out["low"] + 1).to_numpy(np.int64)) - 1
    return out


def shifted(sets: np.ndarray, distance: np.ndarray, full: np.ndarray) -> np.ndarray:
    """All options at a distance from those of a set.

    Parameters
    ----------
    sets, full : bits of the set and of the whole scale.
    distance : in options.

    Returns
    -------
    Bits, same length.

    Examples
    --------
    >>> shifted(np.array([0b00100]), np.array([2]), np.array([0b11111])).tolist() == [0b10001]
    True
    """
    sets, distance, full = (np.asarray(part, dtype=np.int64) for part in (sets, distance, full))
    return ((sets << distance) | (sets >> distance)) & full


def bits(candidates: pd.Series, low: pd.Series) -> np.ndarray:
    """Tuples of options as bits, the lowest option of the scale being bit 0.

    Parameters
    ----------
    candidates : tuples of whole numbers.
    low : lowest option of each scale.

    Returns
    -------
    Whole numbers.
    """
    return np.array([sum(1 << (c - int(m)) for c in row) for row, m in zip(candidates, low, strict=True)], np.int64)


def options(sets: np.ndarray, low: pd.Series) -> list[tuple[int, ...]]:
    """Bits as tuples of options, ascending.

    Parameters
    ----------
    sets : bits.
    low : lowest option of each scale.

    Returns
    -------
    One tuple per row.
    """
    known: dict[tuple[int, int], tuple[int, ...]] = {}
    rows = list(zip(np.asarray(sets).tolist(), np.asarray(low).tolist(), strict=True))
    for found, first in set(rows):
        known[found, first] = tuple(first + bit for bit in range(found.bit_length()) if found >> bit & 1)
    return [known[row] for row in rows]


def in_order(table: pd.DataFrame) -> pd.DataFrame:
    """Sort rows as tables are read: by measure, framing, model and mode, as far as there are such columns.

    Parameters
    ----------
    table : any of `measure`, `framing`, `model`, `mode`.

    Returns
    -------
    The same rows, with a new index; other columns do not matter.
    """
    orders = {
        "measure": ["CLCS", "FCS", "SPD"],
        "framing": ["persona", "observer", "neutral"],
        "model": list(MODELS.values()),
        "mode": list(MODES.values()),
    }
    by = [column for column in orders if column in table]
    places = pd.DataFrame(
        {column: table[column].map(orders[column].index, na_action="ignore").to_numpy() for column in by}
    )
    return table.iloc[places.sort_values(by, kind="stable").index].reset_index(drop=True)
