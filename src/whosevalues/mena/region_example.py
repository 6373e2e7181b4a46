"""Made-up files of the survey's columns, to show what `region` does with the one that nobody may pass on."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from .. import items
from .region import codes, places


def bank() -> pd.DataFrame:
    """List the teaching bank's questions that the survey has, in the bank's own wording.

    Returns
    -------
    A table as `region.questions` takes it.

    Examples
    --------
    >>> bank().set_index("item").loc["Q66", "text"]
    'How far do you trust the press? 1: A great deal, 2: A fair amount, 3: Not much, 4: Not at all'
    """
    rows = []
    for question in items.teaching_questions():
        if "wvs" in question.sources:
            ends = int(question.options[0]), int(question.options[-1])
            rows.append((question.sources["wvs"], *ends, question.scale, _worded(question)))
    return pd.DataFrame(rows, columns=["item", "low", "high", "scale", "text"])


def _worded(question: items.Question) -> str:
    labels, stem = question.labels["en"], question.text["en"]
    if all(labels):
        return f"{stem} " + ", ".join(f"{key}: {label}" for key, label in zip(question.options, labels, strict=True))
    return f"{stem} With '{question.options[0]}' being '{labels[0]}' and '{question.options[-1]}' being '{labels[-1]}'."


def made_up(asked: pd.DataFrame, countries: str | Iterable[str], n: int = 400, seed: int = 0) -> pd.DataFrame:
    """Invent respondents: no country's people, only the form of the file.

    Parameters
    ----------
    asked : of `region.questions`.
    countries : one or several, alpha-2 or alpha-3.
    n : respondents per country.
    seed : of the random generator.

    Returns
    -------
    One row per respondent with the file's columns: `B_COUNTRY_ALPHA`, `W_WEIGHT` (0.5 to 1.5) and one per item, in
    which about one answer in twenty is missing (-1, don't know; -2, no answer).
    """
    random = np.random.default_rng(seed)
    short = places().set_index("country")["alpha3"]
    parts = []
    for country in codes(countries):
        part = {"B_COUNTRY_ALPHA": short[country], "W_WEIGHT": random.uniform(0.5, 1.5, n).round(4)}
        for row in asked.itertuples():
            options = np.arange(row.low, row.high + 1)
            answers = random.choice(options, n, p=random.dirichlet(np.ones(len(options))))
            part[row.item] = np.where(random.random(n) < 0.05, random.choice([-1, -2], n), answers)
        parts.append(pd.DataFrame(part))
    return pd.concat(parts, ignore_index=True)


def drawn_up(people: pd.DataFrame, n: int = 2000) -> pd.DataFrame:
    """Write a distribution as a file of respondents: what comes out of `region` must be what went in.

    Parameters
    ----------
    people : `question` (the survey's number), `country` (alpha-2), `option`, `probability`.
    n : respondents per country; each counts alike.

    Returns
    -------
    As :func:`made_up`, the number of respondents per option rounded; -4 (not asked) where a country has no answers.
    """
    short = places().set_index("country")["alpha3"]
    parts = []
    for country, rows in people.groupby("country", sort=False):
        part = {"B_COUNTRY_ALPHA": short[country], "W_WEIGHT": np.ones(n)}
        for item, cell in rows.groupby("question", sort=False):
            ends = np.round(np.cumsum(cell["probability"].to_numpy()) * n).astype(int)
            part[item] = np.repeat(cell["option"].astype(int).to_numpy(), np.diff(ends, prepend=0))
        parts.append(pd.DataFrame(part))
    return pd.concat(parts, ignore_index=True).fillna(-4)
