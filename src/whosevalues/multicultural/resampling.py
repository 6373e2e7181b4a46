"""Alignment and consistency of a resample, whatever was drawn: responses, or whole questions."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .. import stats

LEVELS = ("response", "question")
"""A point of the alignment: a response, as in the authors' code, or a question, as in section 2 of the paper."""
KINDS = ("pearson", "spearman")
PAIRS = ("copies", "distinct")
"""Whether a response drawn twice is a pair with its own copy, as in the authors' code, or not."""


def question_times(question: pd.Series | np.ndarray, rounds: int, seed: int) -> np.ndarray:
    """Draw whole questions with replacement, the same ones for every model, language and country.

    Answers to one question resemble each other, and the questions are a sample of what could be asked.

    Parameters
    ----------
    question : of each row.
    rounds, seed : of the bootstrap.

    Returns
    -------
    How often each row's question was drawn, shape (rounds, rows).
    """
    number, names = pd.factorize(question, sort=True)
    return stats.bootstrap_counts(len(names), rounds, seed)[:, number]


def question_draws(question: pd.Series | np.ndarray, rounds: int, seed: int) -> np.ndarray:
    """The data as they are, then :func:`question_times`.

    Parameters
    ----------
    question, rounds, seed : as there.

    Returns
    -------
    Shape (1 + rounds, rows); the first line is all ones.
    """
    return np.vstack([np.ones(len(question)), question_times(question, rounds, seed)])


def alignment(
    table: pd.DataFrame, counts: np.ndarray, level: str = "response", times: np.ndarray | None = None
) -> pd.DataFrame:
    """Cultural alignment of resamples, per response or per question.

    Parameters
    ----------
    table : responses beside people: `model`, `language`, `group`, `question`, `score`, `human`.
    counts : how often each row was drawn, shape (rounds, rows).
    level : 'response', every drawn response is a point; 'question', every question is, its score being the mean of
        the responses drawn.
    times : how often each row's question was drawn, shape (rounds, rows); None for once.

    Returns
    -------
    One line per round, one column per (model, language, group): Spearman correlation of model and human scores.
    """
    keys = ["model", "language", "group"]
    cell, names = _numbered(table, keys)
    if level == "response":
        weights = counts if times is None else counts * times
        values = stats.weighted_spearman(weights, cell, table["score"].to_numpy(), table["human"].to_numpy())
    else:
        values = _by_question(table, counts, cell, times)
    return pd.DataFrame(values, columns=pd.MultiIndex.from_frame(names))


def _by_question(table: pd.DataFrame, counts: np.ndarray, cell: np.ndarray, times: np.ndarray | None) -> np.ndarray:
    item, _ = _numbered(table, ["model", "language", "group", "question"])
    first = np.unique(item, return_index=True)[1]
    score, human, home = table["score"].to_numpy(), table["human"].to_numpy()[first], cell[first]
    weights = np.ones((len(counts), len(first))) if times is None else times[:, first]
    values = []
    for line, weight in zip(counts, weights, strict=True):
        drawn = np.bincount(item, line)
        mean = np.bincount(item, line * score) / np.maximum(drawn, 1)
        values.append(stats.weighted_spearman((weight * (drawn > 0))[None], home, mean, human)[0])
    return np.array(values)


def consistency(
    table: pd.DataFrame, counts: np.ndarray, kind: str, pairs: str, times: np.ndarray | None = None
) -> pd.DataFrame:
    """Self-consistency of resamples: correlation over ordered pairs of answers to one question.

    Parameters
    ----------
    table : one row per response: `model`, `language`, `question`, `score`.
    counts : how often each response was drawn, shape (rounds, rows).
    kind : 'pearson' or 'spearman' (of the values' mid-ranks among the members of all pairs).
    pairs : 'copies', a response is paired with its own copies as with others; 'distinct', it is not.
    times : how often each row's question was drawn, shape (rounds, rows); None for once. A question drawn twice
        counts its pairs twice, and forms none with its copy.

    Returns
    -------
    One line per round, one column per (model, language); NaN where there is no pair, or nothing varies.
    """
    cell, names = _numbered(table, ["model", "language"])
    item, _ = _numbered(table, ["model", "language", "question"])
    how = {"ranks": kind == "spearman", "distinct": pairs == "distinct", "times": times}
    values = stats.pair_correlation(counts, cell, item, table["score"].to_numpy(), **how)
    return pd.DataFrame(values, columns=pd.MultiIndex.from_frame(names))


def _numbered(table: pd.DataFrame, keys: list[str]) -> tuple[np.ndarray, pd.DataFrame]:
    grouped = table.groupby(keys, sort=True)
    return grouped.ngroup().to_numpy(), grouped.size().reset_index()[keys]
