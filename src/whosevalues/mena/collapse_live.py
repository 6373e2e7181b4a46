"""How alike a model that was asked just now answers for the countries it was asked about."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

import pandas as pd

from ..items import Question
from ..stats import cluster_interval, wilson


def pairs(answered: pd.DataFrame, questions: Iterable[Question]) -> pd.DataFrame:
    """Compare the answers for two countries to the same question.

    Parameters
    ----------
    answered : of `answers.answers`; rows without a country, of ties and of abstentions are left out.
    questions : the bank, for the options.

    Returns
    -------
    One row per model, framing, language ('en' or 'native'), mode, question and pair of countries: `identical` (1 or 0),
    `agreement` (``1 - |a - b| / R``), and what both are on average if two answers are drawn evenly, `identical_chance`
    and `agreement_chance`.
    """
    bank = {question.id: [float(option) for option in question.options] for question in questions}
    known = answered.dropna(subset=["country", "answer"])
    known = known.assign(language=known["language"].where(known["language"] == "en", "native"))
    by, rows = ["model", "framing", "language", "mode", "question"], []
    for key, part in known.groupby(by, sort=False):
        options = bank[key[-1]]
        reach = options[-1] - options[0]
        even = [1 - abs(a - b) / reach for a in options for b in options]
        by_chance = {"identical_chance": 1 / len(options), "agreement_chance": sum(even) / len(even)}
        numbers = part.set_index("country")["answer"].astype(float)
        for first, second in combinations(numbers.index, 2):
            apart = abs(numbers[first] - numbers[second])
            found = {"pair": f"{first}-{second}", "identical": float(apart == 0), "agreement": 1 - apart / reach}
            rows.append(dict(zip(by, key, strict=True)) | found | by_chance)
    columns = [*by, "pair", "identical", "agreement", "identical_chance", "agreement_chance"]
    return pd.DataFrame(rows, columns=columns)


def live_table(compared: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Average agreement between countries.

    Parameters
    ----------
    compared : of :func:`pairs`.
    seed : of the bootstrap.

    Returns
    -------
    One row per model, framing, language, mode and `measure` ('identical', 'agreement'): `value` in [0, 1], `low`,
    `high` (95% bootstrap of questions; Wilson's over questions where all pairs are alike), `n` (pairs), `chance` (even
    draws), `printed` (none).
    """
    by, rows = ["model", "framing", "language", "mode"], []
    for cell, part in compared.groupby(by, sort=False):
        for measure in ("identical", "agreement"):
            value, number = part[measure].mean(), part["question"].nunique()
            low, high = cluster_interval(part, measure, "question", seed=seed)
            if value in (0.0, 1.0):
                low, high = wilson(value * number, number)
            ends = {
                "value": value,
                "low": low,
                "high": high,
                "n": len(part),
                "chance": part[measure + "_chance"].mean(),
            }
            rows.append(dict(zip(by, cell, strict=True)) | {"measure": measure} | ends)
    columns = [*by, "measure", "value", "low", "high", "n", "chance"]
    return pd.DataFrame(rows, columns=columns).assign(printed=float("nan"))
