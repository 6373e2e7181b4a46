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


def question_times(table: pd.DataFrame, rounds: int, seed: int) -> np.ndarray:
    """Draw whole questions with replacement, the same ones for every model, language and country.

    Answers to one question resemble each other, and the questions are a sample of what could be asked.

    Parameters
    ----------
    table : column `question`.
    rounds, seed : of the bootstrap.

    Returns
    -------
    How often each row's question was drawn, shape (rounds, rows).
    """
    number, names = pd.factorize(table["question"], sort=True)
    return stats.bootstrap_counts(len(names), rounds, seed)[:, number]


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
    first = np.unique(item, return_index=True)[1]
    x, order = table["score"].to_numpy(dtype=float), stats._ordered(cell, table["score"].to_numpy())
    weights = np.ones((len(counts), len(first))) if times is None else times[:, first]

    def one(c: np.ndarray, m: np.ndarray) -> np.ndarray:
        # What a row forms no pair with: each draw itself, or all draws of the same response.
        own = c if pairs == "distinct" else np.ones(len(c))
        others = c * (np.bincount(item, c)[item] - own)
        weight = m[item] * others
        r = stats._midranks(weight, order) if kind == "spearman" else x
        r = r - (np.bincount(cell, weight * r) / np.bincount(cell, weight))[cell]
        s, alone = np.bincount(item, c * r), np.bincount(item, c * own * r * r)
        return np.bincount(cell[first], m * (s * s - alone)) / np.bincount(cell, weight * r * r)

    with np.errstate(invalid="ignore", divide="ignore"):
        values = np.array([one(c, m) for c, m in zip(counts, weights, strict=True)])
    return pd.DataFrame(values, columns=pd.MultiIndex.from_frame(names))


def _numbered(table: pd.DataFrame, keys: list[str]) -> tuple[np.ndarray, pd.DataFrame]:
    grouped = table.groupby(keys, sort=True)
    return grouped.ngroup().to_numpy(), grouped.size().reset_index()[keys]
