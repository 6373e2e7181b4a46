"""EV-NVAS, the score of a distribution's expected value, and what it rewards.

Where a model refuses, the later study scores the expected value of its option probabilities in place of an answer.
Since ``|x - h|`` is convex, ``1 - |E a - h| / R`` is never below the mean of ``1 - |a - h| / R`` (Jensen): a
distribution always scores at least as high as the answers drawn from it, and the more so the flatter it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from ..items import Question
from . import released, workbook
from .divergence import mean
from .leakage import across

MEASURES = {
    "EV-NVAS": "of the expected value",
    "draw": "NVAS, on average, of an answer drawn from the distribution",
    "best": "NVAS of the most probable option",
}

FLAT = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Shares of the uniform distribution that are mixed into another."""

LATER = {"refused T3": 0.718, "accepted T3": 0.690}
"""The later study's headline: EV-NVAS of refused and NVAS of accepted questions of the most sensitive tier."""


def scores(probability: Sequence[float], options: Sequence[float], human: float) -> dict[str, float]:
    """Score one distribution in three ways.

    Parameters
    ----------
    probability, options : of the answers; numbers.
    human : h of NVAS.

    Returns
    -------
    By the names of `MEASURES`, scores in [0, 1]; where several options are most probable, 'best' is their average.

    Examples
    --------
    >>> {name: round(float(value), 3) for name, value in scores([0.5, 0, 0, 0.5], [1, 2, 3, 4], 2.5).items()}
    {'EV-NVAS': 1.0, 'draw': 0.5, 'best': 0.5}
    """
    p, options = np.asarray(probability, float), np.asarray(options, float)
    width = options.max() - options.min()
    each = 1 - np.abs(options - human) / width
    top = np.isclose(p, p.max(), rtol=1e-9, atol=0)
    return {"EV-NVAS": 1 - abs(p @ options - human) / width, "draw": p @ each, "best": each[top].mean()}


def answerers() -> pd.DataFrame:
    """Score distributions that know nothing of a model, on all usable cells of the workbook.

    Returns
    -------
    One row per cell and `answerer`: 'uniform' (every option alike), 'people' (the country's own distribution), 'their
    mode' (all probability on the people's most frequent answer), 'others' (mean of the other countries' people; absent
    where there is no other). `question`, `country`, `source`, `scale`, `item`, and the columns of `MEASURES`.
    """
    questions, cells = workbook.read()
    cells = cells[cells["shares"].map(bool)]
    facts = questions.set_index("question")
    centres = cells.set_index(["question", "country"])["centre"]
    rows = []
    for question, part in workbook.people(questions, cells).groupby("question", sort=False):
        about = facts.loc[question]
        kept = {name: about[name] for name in ("source", "scale", "item")}
        shares = part.assign(option=part["option"].astype(int))
        shares = shares.pivot(index="country", columns="option", values="probability").fillna(0.0)
        # Options outside the question's own range are a defect of five questions; a model was never shown them.
        shares = shares[[o for o in shares if about["low"] <= o <= about["high"]]]
        options, total = shares.columns.to_numpy(float), shares.to_numpy().sum(axis=0)
        for country, own in zip(shares.index, shares.to_numpy(), strict=True):
            own = own / own.sum()
            others = total - shares.loc[country].to_numpy()
            kinds = {"uniform": np.full(len(own), 1 / len(own)), "people": own}
            kinds["their mode"] = (np.arange(len(own)) == own.argmax()).astype(float)
            if others.sum() > 1e-9:
                kinds["others"] = others / others.sum()
            named = {"question": question, "country": country} | kept
            human = centres[question, country]
            rows += [named | {"answerer": name} | scores(q, options, human) for name, q in kinds.items()]
    return pd.DataFrame(rows)


def answerer_table(scored: pd.DataFrame, sets: dict[str, Iterable[str]], seed: int = 0) -> pd.DataFrame:
    """Average what the answerers of `answerers` get.

    Parameters
    ----------
    scored : of `answerers`.
    sets : by name the questions to average over.
    seed : of the bootstrap.

    Returns
    -------
    One row per `cells` (name of the set), `answerer` and `measure` (of `MEASURES`): `value` in [0, 1], `low`, `high`
    (95% bootstrap of questions), `n` (cells), `questions`, `chance` (an option drawn evenly, on the same cells) and
    `printed` (NaN).
    """
    rows = []
    for name, wanted in sets.items():
        part = scored[scored["question"].isin(set(wanted))]
        chance = part.loc[part["answerer"] == "uniform", "draw"].mean()
        for answerer, own in part.groupby("answerer", sort=False):
            for measure in MEASURES:
                row = mean(own, measure, seed)
                rows.append({"cells": name, "answerer": answerer, "measure": measure} | row | {"chance": chance})
    return pd.DataFrame(rows).assign(printed=np.nan)


def beside_models(scored: pd.DataFrame, sets: dict[str, Iterable[str]], seed: int = 0) -> pd.DataFrame:
    """Hold the uniform distribution's EV-NVAS against the released NVAS of the models.

    Parameters
    ----------
    scored, sets, seed : as for `answerer_table`.

    Returns
    -------
    One row per `model`, `framing`, `mode`, `cells` (name of the set) and `measure`: 'NVAS' (released), 'EV-NVAS of
    uniform, answered' (on the same cells), 'EV-NVAS of uniform, no answer' (on the set's other cells), 'uniform minus
    model' (cell by cell) and 'no answer minus answered' (EV-NVAS of uniform on the cells without an answer minus the
    model's NVAS on those with one: the later study's comparison, made with a distribution that prefers nothing).
    `value`, `low`, `high` (95% bootstrap of questions), `n` (cells), `coverage` (cells of the set with an NVAS),
    `chance` (an option drawn evenly, on the cells of the row; of differences NaN), `printed` (NaN).
    """
    flat = scored[scored["answerer"] == "uniform"].drop(columns="answerer")
    table = released.read("NVAS").merge(flat, on=["question", "country"])
    table = table.sort_values(["model", "framing", "mode"], kind="stable")
    rows = []
    for name, wanted in sets.items():
        part = table[table["question"].isin(set(wanted))]
        for key, file in part.groupby(["model", "framing", "mode"], sort=False):
            known = file["value"].notna()
            answered, missing = file[known], file[~known]
            gap = answered.assign(gap=answered["EV-NVAS"] - answered["value"])
            at = dict(zip(("model", "framing", "mode"), key, strict=True)) | {"cells": name}
            sides = file.assign(side=np.where(known, file["value"], file["EV-NVAS"]), known=known)
            measures = {
                "NVAS": mean(answered, "value", seed) | {"chance": answered["draw"].mean()},
                "EV-NVAS of uniform, answered": mean(answered, "EV-NVAS", seed) | {"chance": answered["draw"].mean()},
                "EV-NVAS of uniform, no answer": mean(missing, "EV-NVAS", seed) | {"chance": missing["draw"].mean()},
                "uniform minus model": mean(gap, "gap", seed),
                "no answer minus answered": across(sides, "side", "known", seed),
            }
            rows += [at | {"measure": m, "coverage": known.mean()} | row for m, row in measures.items()]
    columns = ["model", "framing", "mode", "cells", "measure", "value", "low", "high", "n", "coverage", "chance"]
    return pd.DataFrame(rows)[columns].assign(printed=np.nan)


def flattened(table: pd.DataFrame, questions: Iterable[Question], by: Sequence[str], seed: int = 0) -> pd.DataFrame:
    """Mix the uniform distribution into a model's, and score what comes out.

    Parameters
    ----------
    table : one row per answer that was read: `question`, `options`, `probability` (tuple), `human` (h), and `by`.
    questions : the bank.
    by : columns that name a figure.
    seed : of the bootstrap.

    Returns
    -------
    One row per `by`, `answerer`, `flat` (share of the uniform distribution) and `measure` (of `MEASURES`): `value`,
    `low`, `high` (95% bootstrap of questions), `n`, `questions`, `chance` (an option drawn evenly), `printed` (NaN).
    Answerers are 'model' and 'noise' (all probability on one option, drawn evenly: the average over the options).
    """
    known = {question.id for question in questions}
    rows = []
    for row in table[table["question"].isin(known)].to_dict("records"):
        options = np.array(row["options"], float)
        p, even = np.asarray(row["probability"], float), np.full(len(options), 1 / len(options))
        named = {name: row[name] for name in [*by, "question"]}
        for flat in FLAT:
            mixed = scores((1 - flat) * p + flat * even, options, row["human"])
            rows.append(named | {"answerer": "model", "flat": flat} | mixed)
            each = [scores((1 - flat) * one + flat * even, options, row["human"]) for one in np.eye(len(options))]
            noise = {name: float(np.mean([s[name] for s in each])) for name in MEASURES}
            rows.append(named | {"answerer": "noise", "flat": flat} | noise)
    long, out = pd.DataFrame(rows), []
    names = [*by, "answerer", "flat"]
    chance = long[(long["answerer"] == "noise") & (long["flat"] == 0)].groupby(list(by))["draw"].mean()
    for key, part in long.groupby(names, sort=False):
        at = dict(zip(names, key, strict=True))
        level = chance.loc[key[: len(by)] if len(by) > 1 else key[0]]
        out += [at | {"measure": m} | mean(part, m, seed) | {"chance": level} for m in MEASURES]
    return pd.DataFrame(out).assign(printed=np.nan)
