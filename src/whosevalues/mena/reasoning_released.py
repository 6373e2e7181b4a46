"""What explaining did to the released scores: the same cells with and without it (MENAValues, arXiv 2510.13154).

A cell is a question in a country. A contrast is reasoning minus zero-shot. Cells of one question resemble each other,
so every interval is a bootstrap (95%, percentiles) that draws whole questions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from ..stats import estimate
from . import inversion, released, workbook
from .names import MODELS

FRAMINGS = {"persona": ("persona",), "observer": ("observer",), "both": ("persona", "observer")}
"""Framings of the released NVAS files, alone and pooled."""

PRINTED = {
    "llama-3.1-8b": {"zero-shot": 0.7575, "reasoning": 0.6879, "contrast": -0.0696},
    "mistral-7b": {"zero-shot": 0.6915, "reasoning": 0.6563, "contrast": -0.0352},
    "aya-8b": {"zero-shot": 0.7012, "reasoning": 0.6992, "contrast": -0.0020},
}
"""NVAS on the authors' project page (Model Comparison), of all framings and both languages together."""

CELL = ["model", "framing", "question", "country"]
STRATUM = ["source", "scale", "category"]
Statistic = Callable[[np.ndarray], np.ndarray]


def pairs() -> pd.DataFrame:
    """Set the released NVAS of both modes side by side, with what is known of each cell.

    Returns
    -------
    One row per model, framing, question and country with a human figure: `zero` and `reasoning` (NVAS in [0, 1], NaN
    where the file has none), `low`, `high`, `human` (as in `inversion.candidates`), `chance` (expected NVAS of an
    answer drawn evenly from the options), `answer_zero`, `answer_reasoning` (where the score leaves only one), and of
    the question `source`, `scale`, `category`.

    Raises
    ------
    UserError, DataUnavailable : as of `workbook.read` and `released.read`.
    """
    questions, cells = workbook.read()
    return side_by_side(released.read("NVAS"), questions, cells)


def side_by_side(scores: pd.DataFrame, questions: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    """As :func:`pairs`, from tables.

    Parameters
    ----------
    scores : of `released.read('NVAS')`.
    questions, cells : of `workbook.read`.

    Returns
    -------
    As :func:`pairs`.
    """
    known = cells.dropna(subset="centre")[["question", "country", "centre"]].rename(columns={"centre": "human"})
    known = known.merge(questions[["question", "low", "high", *STRATUM]], on="question")
    known["chance"] = [_chance(*row) for row in zip(known["low"], known["high"], known["human"], strict=True)]
    found = inversion.candidates(scores, questions, cells)
    files = scores[["model", "framing"]].drop_duplicates()
    out = files.merge(known, how="cross")
    for mode, name in (("zero-shot", "zero"), ("reasoning", "reasoning")):
        own = found.loc[found["mode"] == mode, [*CELL, "value", "answer"]]
        out = out.merge(own.rename(columns={"value": name, "answer": f"answer_{name}"}), on=CELL, how="left")
    return out


def contrasts(table: pd.DataFrame, rounds: int = 1000, seed: int = 0) -> pd.DataFrame:
    """Reasoning minus zero-shot, in four ways of treating cells that were answered in one mode only.

    `paired`: mean difference over the cells answered in both. `reweighted`: the same, each of the strata (source x
    scale x category) counting as much as it has cells with human figures, answered or not. `all cells`: each mode's
    mean over its own cells. `file means`: the same with every country counting alike, as the last row of the released
    files has it.

    Parameters
    ----------
    table : as of :func:`pairs`.
    rounds, seed : of the bootstrap.

    Returns
    -------
    One row per `model`, `framing` ('both': persona and observer), `estimator` and `metric`: 'nvas' (difference of
    scores in [-1, 1], for all four), of the paired ones also 'corrected' (on the scale on which guessing gets 0 and the
    best score is 1) and 'relative' (reasoning over zero-shot minus 1); `value`, `low`, `high`, `n` (cells; for the
    unpaired the smaller file's), `questions`, `chance` (0: an answerer who guesses in both modes), `printed` (pooled
    framings only), `coverage_zero`, `coverage_reasoning`, `coverage` (cells answered zero-shot, with reasoning, in
    both, over cells with human figures).
    """
    rows = []
    for named, part in by_model(table):
        has = part[["zero", "reasoning"]].notna()
        both = has.all(axis=1)
        common = part[both]
        shares = {"coverage_zero": has["zero"].mean(), "coverage_reasoning": has["reasoning"].mean()}
        shares |= {"coverage": both.mean(), "chance": 0.0}
        printed = PRINTED[named["model"]]["contrast"] if named["framing"] == "both" else np.nan
        paired = {"n": len(common), "questions": common["question"].nunique()}
        loose = {"n": int(has.sum().min()), "questions": part.loc[has.any(axis=1), "question"].nunique()}
        sums = common.assign(gain=common["reasoning"] - common["zero"], room=1 - common["chance"])
        figures = {
            ("paired", "nvas"): (sums, "gain", None),
            ("paired", "corrected"): (sums, ["gain", "room"], None),
            ("paired", "relative"): (sums, ["gain", "zero"], None),
            ("reweighted", "nvas"): _reweighted(sums, part),
            ("all cells", "nvas"): (*_sides(part, None), gap),
            ("file means", "nvas"): (*_sides(part, "country"), gap),
        }
        for (estimator, metric), (rows_of, columns, statistic) in figures.items():
            row = named | {"estimator": estimator, "metric": metric}
            row |= estimate(rows_of, columns, statistic, rounds=rounds, seed=seed)
            row |= paired if estimator in ("paired", "reweighted") else loose
            rows.append(row | {"printed": printed if metric == "nvas" else np.nan} | shares)
    return tidy(rows)


def groups(table: pd.DataFrame, rounds: int = 1000, seed: int = 0) -> pd.DataFrame:
    """The paired contrast by source, scale and category.

    Parameters
    ----------
    table : as of :func:`pairs`.
    rounds, seed : of the bootstrap.

    Returns
    -------
    One row per `model`, `framing`, `group` ('source', 'scale', 'category') and `level`: `value` (in [-1, 1]), `low`,
    `high`, `n` (common cells), `chance` (0), `printed` (NaN), `questions`, `coverage`; `side`: where the interval
    lies, 'above 0', 'below 0' or 'includes 0'.
    """
    rows = []
    for named, part in by_model(table):
        for group in STRATUM:
            for level, cells in part.groupby(group):
                common = cells.dropna(subset=["zero", "reasoning"])
                sums = common.assign(gain=common["reasoning"] - common["zero"])
                row = named | {"group": group, "level": level}
                row |= estimate(sums, "gain", rounds=rounds, seed=seed)
                row |= {"n": len(common), "chance": 0.0, "questions": common["question"].nunique()}
                rows.append(row | {"coverage": len(common) / len(cells)})
    out = tidy(rows)
    out["side"] = np.select([out["low"] > 0, out["high"] < 0], ["above 0", "below 0"], "includes 0")
    return out


def by_model(table: pd.DataFrame) -> Iterator[tuple[dict[str, str], pd.DataFrame]]:
    """Take each model's rows by framing, and both framings together.

    Parameters
    ----------
    table : columns `model` and `framing`; others are kept.

    Yields
    ------
    `model` and `framing` ('persona', 'observer' or 'both'), and their rows, where there are any.
    """
    for model in MODELS.values():
        for framing, names in FRAMINGS.items():
            part = table[(table["model"] == model) & table["framing"].isin(names)]
            if len(part):
                yield {"model": model, "framing": framing}, part


def gap(sums: np.ndarray) -> np.ndarray:
    """Difference of two sides' means: columns are sum and count of the one, then of the other; averaged over fours."""
    four = sums.reshape(len(sums), -1, 4)
    gaps = np.stack([four[..., 0] / four[..., 1], four[..., 2] / four[..., 3]])
    known = np.isfinite(gaps)
    means = np.where(known, gaps, 0).sum(axis=2) / known.sum(axis=2)
    return means[0] - means[1]


def _sides(part: pd.DataFrame, by: str | None) -> tuple[pd.DataFrame, list[str]]:
    """Sums and counts of both modes, per level of a column, as :func:`gap` takes them."""
    columns: dict[str, pd.Series] = {}
    for level in [None] if by is None else sorted(part[by].unique()):
        here = part["question"].notna() if level is None else part[by] == level
        for name in ("reasoning", "zero"):
            columns[f"{level} {name}"] = part[name].where(here, np.nan).fillna(0.0)
            columns[f"{level} {name} n"] = (part[name].notna() & here) * 1.0
    return pd.DataFrame(columns).assign(question=part["question"]), list(columns)


def _reweighted(sums: pd.DataFrame, part: pd.DataFrame) -> tuple[pd.DataFrame, list[str], Statistic]:
    strata = part.groupby(STRATUM).size()
    named = pd.MultiIndex.from_frame(sums[STRATUM])
    # Strata without a common cell have no contrast; the others then count for the whole.
    kept = [key for key in strata.index if (named == key).any()]
    weights = strata[kept].to_numpy(float)
    columns: dict[str, np.ndarray] = {}
    for key in kept:
        columns |= {f"{key} gain": np.where(named == key, sums["gain"], 0.0), f"{key} n": (named == key) * 1.0}
    frame = pd.DataFrame(columns, index=sums.index).assign(question=sums["question"])

    def statistic(totals: np.ndarray) -> np.ndarray:
        two = totals.reshape(len(totals), -1, 2)
        means = two[..., 0] / two[..., 1]
        return np.nansum(means * weights, axis=1) / (weights * np.isfinite(means)).sum(axis=1)

    return frame, list(columns), statistic


def _chance(low: int, high: int, human: float) -> float:
    return float(np.mean(1 - np.abs(np.arange(low, high + 1) - human) / (high - low)))


def tidy(rows: list[dict[str, object]]) -> pd.DataFrame:
    """Naming columns first, then the figures in the order of every result table."""
    out = pd.DataFrame(rows)
    if "printed" not in out:
        out["printed"] = np.nan
    figures = ["value", "low", "high", "n", "chance", "printed"]
    names = list(out)[: list(out).index("value")]
    return out[[*names, *figures, *(c for c in out if c not in (*names, *figures))]]
