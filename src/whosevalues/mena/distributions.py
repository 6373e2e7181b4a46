"""What people answered: which of the benchmark is filled, how much countries agree, and how much people within one."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

import numpy as np
import pandas as pd

from ..items import NATIVE, teaching_questions
from ..stats import cluster_interval
from . import grid, released
from .names import COUNTRIES

NAMED_MODELS = 7
"""Models that the paper names; the authors released scores of three."""

POPULATION = {
    "DZ": 45.5, "EG": 112.6, "IQ": 44.1, "JO": 11.3, "KW": 4.6, "LB": 5.7, "LY": 7.2, "MR": 4.9, "MA": 37.3,
    "PS": 5.3, "QA": 2.9, "SA": 32.2, "SD": 49.4, "TN": 12.1, "IR": 89.2, "TR": 84.3,
}  # fmt: skip
"""Inhabitants in millions, from three lists on the web, read on 2026-11-21 in stored copies: the Arab countries on
1 July 2022, by the United Nations (wikimili.com, List_of_Arab_League_countries_by_population); Iran in 2023, by the
United Nations (theglobaleconomy.com/rankings/Population_size/MENA); Turkey in 2020, a projection without a source
(handwiki.org, Earth:List_of_Middle_Eastern_countries_by_population)."""


def coverage(questions: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    """Count the filled and the usable cells.

    Parameters
    ----------
    questions, cells : of :func:`~whosevalues.mena.workbook.read`.

    Returns
    -------
    One row per `source`, `category` and `country` that has filled cells, `category` 'all' and `country` 'all' included:
    `value` (share of the group's cells, questions times countries of the source, that have data), `low`, `high`
    (missing: a count), `n` (cells that there could be), `filled`, `usable`, `chance`, `printed` (missing).
    """
    placed = cells.merge(questions[["question", "source", "category"]], on="question")
    placed["usable"] = placed["shares"].map(bool)
    both = pd.concat([placed, placed.assign(category="all")])
    both = pd.concat([both, both.assign(country="all")])
    table = both.groupby(["source", "category", "country"])["usable"].agg(filled="size", usable="sum").reset_index()
    asked = pd.concat([questions, questions.assign(category="all")]).groupby(["source", "category"]).size()
    places = placed.groupby("source")["country"].nunique()
    each = table["country"].map(lambda country: country == "all") * (table["source"].map(places) - 1) + 1
    table["n"] = [asked[key] for key in table[["source", "category"]].itertuples(index=False, name=None)] * each
    table["value"] = table["usable"] / table["n"]
    table = table.assign(low=np.nan, high=np.nan, chance=np.nan, printed=np.nan)
    columns = ["source", "category", "country", "value", "low", "high", "n", "filled", "usable", "chance", "printed"]
    return table[columns]


def sizes(questions: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    """State how large the benchmark is, beside what the authors print.

    Parameters
    ----------
    questions, cells : of :func:`~whosevalues.mena.workbook.read`.

    Returns
    -------
    One row per `measure`: `value`, `low`, `high`, `n`, `chance` (missing: a count of all there is), `printed` (where
    the authors give a figure). Framings, languages and modes are those of the released consistency scores, each of
    English beside the native language; answers are those of `NAMED_MODELS` models to the prompts of `grid.sizes`.
    """
    usable = cells[cells["shares"].map(bool)]
    sources = cells.merge(questions[["question", "source"]], on="question").groupby("source")["country"].nunique()
    held = released.read("CLCS").dropna(subset="value")
    framings, modes = held["framing"].nunique(), held["mode"].nunique()
    spoken = held["language"].fillna(held["country"].map(NATIVE)).nunique() + 1
    asked = grid.sizes(questions, cells).query("framing == 'all' and languages == 'both'").set_index("cells")
    counted = {
        "questions": (len(questions), 864),
        "questions with data": (usable["question"].nunique(), np.nan),
        "countries": (cells["country"].nunique(), 16),
        "WVS questions": ((questions["source"] == "WVS").sum(), np.nan),
        "AOI questions": ((questions["source"] == "AOI").sum(), np.nan),
        "surveys": (questions["source"].nunique(), 2),
        "countries in WVS": (sources["WVS"], np.nan),
        "countries in AOI": (sources["AOI"], np.nan),
        "countries in both": (sources.sum() - cells["country"].nunique(), np.nan),
        "dimensions": (questions["category"].nunique(), 4),
        "languages of the prompts": (spoken, 4),
        "conditions": (framings * 2, 6),
        "conditions and modes": (framings * 2 * modes, 12),
        "cells, filled": (len(cells), np.nan),
        "cells, usable": (len(usable), np.nan),
        "cells, every question in every country": (asked["n"]["every question everywhere"], np.nan),
        "inhabitants, millions": (sum(POPULATION[country] for country in cells["country"].unique()), 500),
    }
    for name, cell in {
        "every question in every country": "every question everywhere",
        "where the cell is filled": "filled",
        "where people answered": "with figures",
    }.items():
        counted[f"answers of {NAMED_MODELS} models, {name}"] = (asked["value"][cell] * modes * NAMED_MODELS, 820_000)
    rows = [(name, value, np.nan, np.nan, np.nan, np.nan, printed) for name, (value, printed) in counted.items()]
    return pd.DataFrame(rows, columns=["measure", "value", "low", "high", "n", "chance", "printed"])


def shared(questions: pd.DataFrame, people: pd.DataFrame) -> pd.DataFrame:
    """Keep the questions that were answered in all countries of their survey, and the options from Min to MAX.

    Parameters
    ----------
    questions : of :func:`~whosevalues.mena.workbook.read`.
    people : of :func:`~whosevalues.mena.workbook.people`.

    Returns
    -------
    The rows of `people` with `source`, `category`, `scale`, `position` of the option in [0, 1], probabilities adding up
    to 1 again.
    """
    known = questions[["question", "source", "category", "scale", "low", "high"]]
    table = people.merge(known, on="question")
    number = table["option"].astype(int)
    table["position"] = (number - table["low"]) / (table["high"] - table["low"])
    table = table[table["position"].between(0, 1)]
    places = table.groupby("source")["country"].nunique()
    answered = table.groupby("question")["country"].transform("nunique")
    table = table[answered == table["source"].map(places)].copy()
    table["probability"] /= table.groupby(["question", "country"])["probability"].transform("sum")
    return table.drop(columns=["low", "high"])


def spread(people: pd.DataFrame, rounds: int = 1000) -> pd.DataFrame:
    """Split the variance of ordinal answers into that between countries and that between people of one country.

    Parameters
    ----------
    people : of :func:`shared`.
    rounds : of the bootstrap.

    Returns
    -------
    One row per `source` and `category` ('all' included): `value`, the mean over questions of the share between
    countries (eta squared, every country counting alike), `low`, `high` (95%, questions resampled), `n` (questions),
    `chance`, `printed` (missing).
    """
    rows = people[people["scale"] == "ordinal"]
    rows = rows.assign(first=rows["position"] * rows["probability"], second=rows["position"] ** 2 * rows["probability"])
    cell = rows.groupby(["question", "country"])[["first", "second"]].sum()
    within = (cell["second"] - cell["first"] ** 2).groupby("question").mean()
    between = cell["first"].groupby("question").var(ddof=0)
    about = rows.groupby("question")[["source", "category"]].first().assign(value=between / (between + within))
    both = pd.concat([about.assign(category="all"), about]).reset_index()
    return _summed(both, ["source", "category"], rounds)


def countries(people: pd.DataFrame, rounds: int = 500) -> pd.DataFrame:
    """Describe how every country answers, on the same questions within a survey.

    Parameters
    ----------
    people : of :func:`shared`.
    rounds : of the bootstrap.

    Returns
    -------
    One row per `source`, `country` and `measure`: 'distance' to the other countries (mean over them of the Wasserstein
    distance on a scale from 0 to 1, nominal questions by total variation), 'entropy' (of the country's answers, 1 for
    an even spread over the options) and 'largest share' (of the most frequent option): `value`, `low`, `high` (95%,
    questions resampled), `n` (questions), `chance`, `printed` (missing).
    """
    parts = []
    for source, rows in people.groupby("source"):
        far = distances(rows)
        both = pd.concat([far, far.rename(columns={"country": "other", "other": "country"})])
        mean = both.groupby(["country", "question"])["value"].mean().reset_index()
        parts.append(mean.assign(source=source, measure="distance"))
    surprise = people["probability"] * np.log(people["probability"].where(people["probability"] > 0, 1))
    cells = people.assign(surprise=-surprise).groupby(["source", "country", "question"])
    entropy = cells["surprise"].sum() / np.log(cells.size())
    parts += [entropy.rename("value").reset_index().assign(measure="entropy")]
    parts += [cells["probability"].max().rename("value").reset_index().assign(measure="largest share")]
    return _summed(pd.concat(parts), ["source", "country", "measure"], rounds)


def distances(people: pd.DataFrame) -> pd.DataFrame:
    """Measure how far every two countries' answers to a question lie apart.

    Parameters
    ----------
    people : of :func:`shared`.

    Returns
    -------
    One row per question and pair: `question`, `country`, `other`, `value` in [0, 1]: Wasserstein distance of ordinal
    answers as a share of the range, the total variation of nominal ones.
    """
    names = [country for country in COUNTRIES if country in set(people["country"])]
    wide = people.pivot(index=["question", "scale", "position"], columns="country", values="probability")[names]
    question, scale, position = (wide.index.get_level_values(name) for name in ("question", "scale", "position"))
    running = wide.groupby("question").cumsum().to_numpy()
    # Up to the next option, as a share of the range; the last option has none.
    step = pd.Series(position).groupby(np.asarray(question)).diff(-1).abs().fillna(0).to_numpy()
    ordinal = np.asarray(scale) == "ordinal"
    parts = []
    for a, b in combinations(range(len(names)), 2):
        moved = np.abs(running[:, a] - running[:, b]) * step
        changed = np.abs(wide.iloc[:, a] - wide.iloc[:, b]).to_numpy() / 2
        value = pd.Series(np.where(ordinal, moved, changed)).groupby(np.asarray(question)).sum()
        parts.append(
            value.rename_axis("question").rename("value").reset_index().assign(country=names[a], other=names[b])
        )
    return pd.concat(parts, ignore_index=True)[["question", "country", "other", "value"]]


def _summed(table: pd.DataFrame, by: list[str], rounds: int) -> pd.DataFrame:
    rows = []
    for key, part in table.groupby(by, sort=True):
        low, high = cluster_interval(part, "value", "question", rounds=rounds)
        rows.append((*key, part["value"].mean(), low, high, len(part), np.nan, np.nan))
    return pd.DataFrame(rows, columns=[*by, "value", "low", "high", "n", "chance", "printed"])


def examples(questions: pd.DataFrame, people: pd.DataFrame, chosen: Iterable[str]) -> pd.DataFrame:
    """Show the answers to some questions under the teaching bank's own words.

    Parameters
    ----------
    questions, people : of :func:`~whosevalues.mena.workbook.read` and :func:`~whosevalues.mena.workbook.people`.
    chosen : names in the teaching bank of questions that the workbook has.

    Returns
    -------
    One row per `question` (its name), `country` and `option`: `label` (in English), `value` in [0, 1], `low`, `high`,
    `n`, `chance`, `printed` (missing).
    """
    bank = {question.id: question for question in teaching_questions()}
    numbers = questions.dropna(subset="item").set_index("item")["question"]
    parts = []
    for name in chosen:
        question = bank[name]
        words = dict(zip(question.options, question.labels["en"], strict=True))
        part = people[people["question"] == numbers[question.sources["mena"]]]
        parts.append(part.assign(question=name, label=part["option"].map(words)))
    table = pd.concat(parts).rename(columns={"probability": "value"})
    table = table.assign(low=np.nan, high=np.nan, n=np.nan, chance=np.nan, printed=np.nan)
    return table[["question", "country", "option", "label", "value", "low", "high", "n", "chance", "printed"]]
