"""Self-consistency and cultural alignment of one model's responses, for any number of them, beside real people's.

The quantities of "Multilingual != Multicultural" (Rystrøm, Kirk and Hale, 2025), with better estimators: pairs of
different responses only, and intervals that draw whole questions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd

from .. import items, stats
from . import resampling

SPOKEN = {
    **dict.fromkeys(("AU", "CA", "GB", "KE", "NG", "NIR", "NZ", "SG", "US"), "en"),
    **{"DK": "da", "NL": "nl", "BR": "pt", "PT": "pt"},
}
"""Language of each country with human figures: that of most interviews there, as the released ground truth has it."""

CELL = ["model", "judge", "measurement", "language"]
"""What names a figure."""

Measure = Callable[[np.ndarray, pd.DataFrame], np.ndarray]
"""Takes how often each row's question was drawn, shape (rounds, rows), and the rows; gives a value per round."""


def self_consistency(scored: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Self-consistency: correlation (Pearson) over all pairs of different responses to one question (section 3.2).

    Parameters
    ----------
    scored : as `stances` gives them.
    seed : of the bootstrap.

    Returns
    -------
    One row per `CELL`: `value` in [-1, 1], NaN where no question has two scores or nothing varies; `low`, `high` (95%
    bootstrap of questions; NaN where too many rounds have no value), `n` (responses); `chance`, 0; `human`, the same
    for surveys of ten real people each: see `human_consistency`.
    """
    human = language_polarity(items.human_polarity())

    def row(rows: pd.DataFrame) -> dict[str, float]:
        people = human[human["language"].eq(rows["language"].iloc[0]) & human["question"].isin(rows["question"])]
        return _estimate(rows, _pairs, seed) | {"human": human_consistency(people["polarity"])}

    return _by_cell(scored, CELL, row)


def alignment(scored: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Cultural alignment with a language's own countries: Spearman correlation of responses and people (section 2.2).

    Parameters
    ----------
    scored : as `stances` gives them.
    seed : of the bootstrap.

    Returns
    -------
    One row per `CELL` and `country`, first with a missing country: the mean of the language's countries. `value`,
    `low`, `high`, `n`, `chance` as of `self_consistency`; `human`, the mean alignment if the share in favour among ten
    people drawn from these countries stood in the place of each response.
    """
    polarity = items.human_polarity()
    people = polarity.assign(language=polarity["country"].map(SPOKEN))
    people = pd.concat([language_polarity(polarity).assign(country=None), people], ignore_index=True)
    joined = scored.merge(people[["question", "language", "country", "polarity"]], on=["question", "language"])

    def row(rows: pd.DataFrame) -> dict[str, float]:
        rows = rows.dropna(subset="score")
        return _estimate(rows, _spearman, seed) | {"human": human_alignment(rows["polarity"], seed)}

    table = _by_cell(joined, [*CELL, "country"], row)
    return table.sort_values([*CELL, "country"], na_position="first", kind="stable", ignore_index=True)


def us_difference(scored: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Is the default American? Alignment with the US minus that with the language's own countries (RQ2).

    The paper asks this by a regression on many models (Eq. 2); here it is the plain difference for one model, both on
    the same responses to the questions that have both figures.

    Parameters
    ----------
    scored : as `stances` gives them.
    seed : of the bootstrap.

    Returns
    -------
    One row per `CELL` whose language is not English: `value` in [-2, 2], `low`, `high`, `n`, `chance` as of
    `self_consistency`; `human`, NaN.
    """
    polarity = items.human_polarity()
    us = polarity[polarity["country"] == "US"].set_index("question")["polarity"]
    joined = scored[scored["language"] != "en"].merge(language_polarity(polarity), on=["question", "language"])
    joined = joined.assign(us=joined["question"].map(us)).dropna(subset="us")

    def difference(times: np.ndarray, rows: pd.DataFrame) -> np.ndarray:
        return _spearman(times, rows.assign(polarity=rows["us"])) - _spearman(times, rows)

    return _by_cell(joined, CELL, lambda rows: _estimate(rows, difference, seed) | {"human": np.nan})


def language_polarity(polarity: pd.DataFrame) -> pd.DataFrame:
    """Average the human value polarity over a language's countries, each counting alike.

    The paper pools all people interviewed in a language by weight; the bank has figures per country only.

    Parameters
    ----------
    polarity : `question`, `country`, `polarity`, as `items.human_polarity` gives them.

    Returns
    -------
    `language`, `question`, `polarity` in [0, 1]: the questions that all of a language's countries have.
    """
    table = polarity.assign(language=polarity["country"].map(SPOKEN))
    means = table.groupby(["language", "question"], sort=False)["polarity"].agg(["mean", "size"]).reset_index()
    whole = means["size"] == means["language"].map(table.groupby("language")["country"].nunique())
    return means[whole].rename(columns={"mean": "polarity"})[["language", "question", "polarity"]]


def human_consistency(polarity: Iterable[float], people: int = 10) -> float:
    """Self-consistency of surveys in which so many random people each say pro or con.

    The variance between questions over that of single surveys, which adds the binomial p (1 - p) / people. Real
    surveys weight their respondents, so theirs is somewhat lower.

    Parameters
    ----------
    polarity : share in favour per question, in [0, 1].
    people : in one survey.

    Returns
    -------
    In [0, 1]; NaN with fewer than two questions.

    Examples
    --------
    >>> human_consistency([0.5, 0.5])
    0.0
    >>> human_consistency([0.0, 1.0])
    1.0
    """
    p = np.asarray(list(polarity), dtype=float)
    if len(p) < 2:
        return float("nan")
    return float(p.var() / (p.var() + (p * (1 - p)).mean() / people))


def human_alignment(polarity: Iterable[float], seed: int = 0, people: int = 10, rounds: int = 1000) -> float:
    """Mean Spearman correlation of a population's polarity with that of so many people drawn from it per row.

    Parameters
    ----------
    polarity : share in favour, a row per response, in [0, 1].
    seed : of the random generator.
    people : drawn per row.
    rounds : of the simulation.

    Returns
    -------
    In [-1, 1]; NaN with fewer than two rows, or where the polarity does not vary.
    """
    p = np.asarray(list(polarity), dtype=float)
    if len(np.unique(p)) < 2:
        return float("nan")
    drawn = np.random.default_rng(seed).binomial(people, np.tile(p, rounds)) / people
    cell = np.repeat(np.arange(rounds), len(p))
    return float(np.nanmean(stats.weighted_spearman(np.ones((1, len(cell))), cell, drawn, np.tile(p, rounds))))


def _by_cell(table: pd.DataFrame, by: list[str], row: Callable[[pd.DataFrame], dict[str, float]]) -> pd.DataFrame:
    cells = table.groupby(by, sort=False, dropna=False)
    return pd.DataFrame(
        [dict(zip(by, key, strict=True)) | row(rows) for key, rows in cells],
        columns=[*by, "value", "low", "high", "n", "chance", "human"],
    )


def _estimate(rows: pd.DataFrame, measure: Measure, seed: int, rounds: int = 1000) -> dict[str, float]:
    """A correlation with its interval: whole questions are drawn, a question drawn twice counting as two."""
    rows = rows[~rows["foreign"].eq(True)] if "foreign" in rows else rows
    rows = rows.dropna(subset="score")
    out = {"value": np.nan, "low": np.nan, "high": np.nan, "n": len(rows), "chance": 0.0}
    if rows.empty:
        return out
    question = pd.factorize(rows["question"])[0]
    values = measure(resampling.question_draws(question, rounds if question.any() else 0, seed), rows)
    low, high = stats.percentile_interval(values[1:])
    return out | {"value": values[0], "low": low, "high": high}


def _pairs(times: np.ndarray, rows: pd.DataFrame) -> np.ndarray:
    cell, question = np.zeros(len(rows), dtype=int), rows["question"].to_numpy()
    score = rows["score"].to_numpy()
    return stats.pair_correlation(np.ones_like(times), cell, question, score, distinct=True, times=times)[:, 0]


def _spearman(times: np.ndarray, rows: pd.DataFrame) -> np.ndarray:
    cell = np.zeros(len(rows), dtype=int)
    return stats.weighted_spearman(times, cell, rows["score"].to_numpy(), rows["polarity"].to_numpy())[:, 0]
