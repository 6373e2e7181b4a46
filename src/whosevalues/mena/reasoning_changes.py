"""Which cells were answered in both modes, and what reasoning did to the answers of those (MENAValues).

Contrasts, cells and intervals are those of `reasoning_released`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..stats import estimate
from .reasoning_released import PRINTED, by_model, gap, tidy

POWER = 2.802
"""Standard errors that an effect must be large for a two-sided test at 5% to find it in 80 of 100 samples."""


def selection(table: pd.DataFrame, rounds: int = 1000, seed: int = 0) -> pd.DataFrame:
    """Do cells that were answered in one mode only score otherwise than those answered in both?

    Parameters
    ----------
    table : as of :func:`pairs`.
    rounds, seed : of the bootstrap.

    Returns
    -------
    One row per `model`, `framing`, `mode` and `cells` ('in both', 'in this only', 'difference': the second minus the
    first): `value` (mean NVAS in that mode, in [0, 1]), `low`, `high`, `n`, `chance` (on the same cells), `printed`
    (NaN), `coverage` (n over the cells with human figures).
    """
    rows = []
    for named, part in by_model(table):
        both = part[["zero", "reasoning"]].notna().all(axis=1)
        for mode, name in (("zero-shot", "zero"), ("reasoning", "reasoning")):
            own = part[part[name].notna()]
            kinds = {"in both": own[both[own.index]], "in this only": own[~both[own.index]]}
            for kind, cells in kinds.items():
                row = named | {"mode": mode, "cells": kind} | estimate(cells, name, rounds=rounds, seed=seed)
                rows.append(
                    row | {"n": len(cells), "chance": cells["chance"].mean(), "coverage": len(cells) / len(part)}
                )
            of = both[own.index]
            sums = pd.DataFrame({"question": own["question"], "a": own[name].where(~of, 0), "m": (~of) * 1.0})
            sums = sums.assign(b=own[name].where(of, 0), n=of * 1.0)
            row = named | {"mode": mode, "cells": "difference"}
            row |= estimate(sums, ["a", "m", "b", "n"], gap, rounds=rounds, seed=seed)
            chance = kinds["in this only"]["chance"].mean() - kinds["in both"]["chance"].mean()
            rows.append(row | {"n": len(own), "chance": chance, "coverage": len(own) / len(part)})
    return tidy(rows)


def changes(table: pd.DataFrame, rounds: int = 1000, seed: int = 0) -> pd.DataFrame:
    """Whether reasoning changed the answers of common cells, and in which direction.

    Parameters
    ----------
    table : as of :func:`pairs`.
    rounds, seed : of the bootstrap.

    Returns
    -------
    One row per `model`, `framing` and `measure`, with `value`, `low`, `high`, `n` (cells), `chance`, `printed` (NaN),
    `p_value` (of a sign test, each question counting once with the sign of its cells' sum; only where `measure` is
    'improved of changed'). Measures:
    'changed', 'improved', 'worsened': shares of the common cells whose score is another, higher or lower (an answer
    on the mirror side of the people's mean scores alike and counts as unchanged);
    'improved of changed': share, chance 0.5;
    'zero-shot, changed', 'reasoning, changed': mean NVAS of the changed cells, chance that of an even draw on them;
    'middle': what the middle of the scale would score on the common cells;
    'towards the middle': how much nearer to the middle of the scale the answer is, over MAX - Min;
    'gain, nearer', 'gain, across', 'gain, farther': mean contrast of the cells whose answer moved towards the middle of
    the scale, to the other side of it, equally far, or away from it;
    'lowest, zero-shot', 'lowest, reasoning': shares of the cells whose answer is the lowest option;
    'highest, zero-shot', 'highest, reasoning': the same of the highest, on scales that end below 10;
    'gain, to the lowest': what the cells whose answer became the lowest option add to the mean contrast;
    'upwards': answer with reasoning minus zero-shot, over MAX - Min; all from
    'towards the middle' on where both answers are known.
    """
    rows = []
    for named, part in by_model(table):
        facts = _facts(part.dropna(subset=["zero", "reasoning"]))
        known, moved = facts.dropna(subset=["upwards"]), facts[facts["moved"] == 1]
        short = known[known["high"] < 10]
        side = np.sign(known["nearer"].round(9)).where(known["upwards"] != 0)
        measures = {
            "changed": (facts, "moved", np.nan),
            "improved": (facts, "up", np.nan),
            "worsened": (facts, "down", np.nan),
            "improved of changed": (moved, "up", 0.5),
            "zero-shot, changed": (moved, "zero", moved["chance"].mean()),
            "reasoning, changed": (moved, "reasoning", moved["chance"].mean()),
            "middle": (facts, "centre", facts["chance"].mean()),
            "towards the middle": (known, "nearer", 0.0),
            "gain, nearer": (known[side > 0], "gain", 0.0),
            "gain, across": (known[side == 0], "gain", 0.0),
            "gain, farther": (known[side < 0], "gain", 0.0),
            "lowest, zero-shot": (known, "low_zero", known["even"].mean()),
            "lowest, reasoning": (known, "low_reasoning", known["even"].mean()),
            "highest, zero-shot": (short, "high_zero", short["even"].mean()),
            "highest, reasoning": (short, "high_reasoning", short["even"].mean()),
            "gain, to the lowest": (known, "low_gain", 0.0),
            "upwards": (known, "upwards", 0.0),
        }
        for measure, (cells, column, chance) in measures.items():
            row = named | {"measure": measure} | estimate(cells, column, rounds=rounds, seed=seed)
            tested = measure == "improved of changed"
            p = sign_test(facts["up"] - facts["down"], facts["question"]) if tested else np.nan
            rows.append(row | {"n": len(cells), "chance": chance, "p_value": p})
    return tidy(rows)


def against_people(table: pd.DataFrame, people: pd.DataFrame, rounds: int = 1000, seed: int = 0) -> pd.DataFrame:
    """The paired contrast with other yardsticks than the distance from the people's mean.

    Parameters
    ----------
    table : as of `reasoning_released.pairs`.
    people : of `workbook.people`.
    rounds, seed : of the bootstrap.

    Returns
    -------
    One row per `model`, `framing` and `metric`, on the common cells whose answers are known in both modes: `value`
    (reasoning minus zero-shot, in [-1, 1]), `low`, `high`, `n`, `chance` (0), `printed` (NaN), `zero`, `reasoning` (the
    means) and `guess` (what an even draw gets). Metrics: 'nvas', on these cells; 'closeness', 1 - W1: how near on
    average the answer is to one person's, the distance being that of distributions; 'agreement': the share of people
    who gave this very answer; 'mode': whether it is the people's most common one.
    """
    known = table.dropna(subset=["answer_zero", "answer_reasoning"])
    known = known.merge(_figures(known, people), on=["question", "country"])
    # Per cell what each option would get; of it the two answers' and an even draw's.
    own = known[["question"]].assign(nvas_zero=known["zero"], nvas_reasoning=known["reasoning"])
    own["nvas_guess"] = known["chance"]
    for metric, column in (("closeness", "closeness"), ("agreement", "share"), ("mode", "mode")):
        for name in ("zero", "reasoning"):
            places = (known[f"answer_{name}"] - known["low"]).astype(int)
            own[f"{metric}_{name}"] = [row[k] for row, k in zip(known[column], places, strict=True)]
        own[f"{metric}_guess"] = [row.mean() for row in known[column]]
    own[["model", "framing"]] = known[["model", "framing"]]
    rows = []
    for named, part in by_model(own):
        for metric in ("nvas", "closeness", "agreement", "mode"):
            means = {name: part[f"{metric}_{name}"].mean() for name in ("zero", "reasoning", "guess")}
            gain = part[f"{metric}_reasoning"] - part[f"{metric}_zero"]
            figure = estimate(part.assign(gain=gain), "gain", rounds=rounds, seed=seed)
            rows.append(named | {"metric": metric} | figure | {"n": len(part), "chance": 0.0} | means)
    return tidy(rows)


def power(table: pd.DataFrame, sizes: dict[str, int]) -> pd.DataFrame:
    """How many questions a comparison needs, from how the released contrasts vary between questions.

    Parameters
    ----------
    table : as of `reasoning_released.pairs`.
    sizes : numbers of questions, by name, that somebody has.

    Returns
    -------
    One row per `model` and `effect` (a printed contrast, by the model it is printed for): `value` (questions, asked
    about one country, that a two-sided test at 5% needs to find that effect in 80 of 100 samples), `low`, `high`,
    `chance`, `printed` (NaN), `n` (common cells), `sd` (of the contrast over cells), and per name in `sizes` the
    smallest contrast found as reliably with so many questions.
    """
    rows = []
    for named, part in by_model(table):
        gain = (part["reasoning"] - part["zero"]).dropna()
        if named["framing"] != "both" or gain.empty:
            continue
        sd = gain.std()
        least = {name: POWER * sd / np.sqrt(size) for name, size in sizes.items()}
        for effect, printed in PRINTED.items():
            needed = np.ceil((POWER * sd / printed["contrast"]) ** 2)
            figures = {"value": needed, "low": np.nan, "high": np.nan, "n": len(gain), "chance": np.nan, "sd": sd}
            rows.append({"model": named["model"], "effect": effect} | figures | least)
    return tidy(rows)


def sign_test(signs: pd.Series, question: pd.Series) -> float:
    """Two-sided sign test in which every question counts once: with the sign of its cells' sum, zero left out.

    Parameters
    ----------
    signs : per cell 1, 0 or -1.
    question : of each cell.

    Returns
    -------
    p, NaN where no question leans to a side.
    """
    from scipy import stats

    lean = np.sign(signs.groupby(question).sum())
    up, down = int((lean > 0).sum()), int((lean < 0).sum())
    return float(stats.binomtest(up, up + down).pvalue) if up + down else np.nan


def _facts(common: pd.DataFrame) -> pd.DataFrame:
    """What is averaged: one column per question asked of a cell that was answered in both modes."""
    gain = common["reasoning"] - common["zero"]
    gain = gain.where(gain.abs() > 1e-6, 0.0)
    facts = common.assign(gain=gain, up=(gain > 0) * 1.0, down=(gain < 0) * 1.0, moved=(gain != 0) * 1.0)
    facts["nearer"], facts["upwards"], facts["centre"] = _moves(facts)
    for name in ("zero", "reasoning"):
        for end in ("low", "high"):
            facts[f"{end}_{name}"] = (facts[f"answer_{name}"] == facts[end]) * 1.0
    facts["low_gain"] = gain * ((facts["low_reasoning"] == 1) & (facts["low_zero"] == 0))
    facts["even"] = 1 / (facts["high"] - facts["low"] + 1)
    return facts


def _moves(facts: pd.DataFrame) -> tuple[pd.Series, pd.Series, pd.Series]:
    """How much nearer to the middle, how far upwards, and what the middle (of two options their mean) would score."""
    width, middle = facts["high"] - facts["low"], (facts["high"] + facts["low"]) / 2
    off = [(facts[f"answer_{name}"] - middle).abs() for name in ("zero", "reasoning")]
    near = [1 - (end(middle) - facts["human"]).abs() / width for end in (np.floor, np.ceil)]
    return (off[0] - off[1]) / width, (facts["answer_reasoning"] - facts["answer_zero"]) / width, sum(near) / 2


def _figures(known: pd.DataFrame, people: pd.DataFrame) -> pd.DataFrame:
    """Per question and country what each option, from the lowest on, would get: closeness, share and mode."""
    scales = known.drop_duplicates("question").set_index("question")[["low", "high"]].astype(int)
    rows = []
    for (question, country), part in people[people["question"].isin(scales.index)].groupby(["question", "country"]):
        low, high = scales.loc[question]
        said, shares = part["option"].astype(int).to_numpy(), part["probability"].to_numpy()
        options = np.arange(low, high + 1)
        near = 1 - np.abs(options[:, None] - said) / (high - low)
        share = (options[:, None] == said) @ shares
        mode = np.isclose(share, share.max()) * 1.0
        rows.append((question, country, near @ shares, share, mode))
    return pd.DataFrame(rows, columns=["question", "country", "closeness", "share", "mode"])
