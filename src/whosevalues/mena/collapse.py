"""Does a model tell countries apart? Agreement and spread, with exact bounds where answers are known up to a sign."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache
from itertools import combinations_with_replacement
from math import comb, prod

import numpy as np
import pandas as pd

from ..stats import bootstrap_counts, percentile_interval
from .profiles import ARAB, CELL, framed, width

MEASURES = {
    "identical": "share of pairs of countries with the same answer",
    "spread": "standard deviation between countries over that of people: root of the ratio of summed variances",
    "spread, rounded": "the same over that of people whose answers are rounded to whole options",
    "variance ratio": "spread as the paper's code has it: mean over questions of the ratio",
}
"""What is measured, in words."""

MOST = 50_000
"""A question that leaves more ways to have answered it than this is left out: two of the released ones."""

LATER = 0.665
"""Share of identical answers across the fourteen Arab countries that the later study of 26 models reports."""


def worlds(sets: tuple[int, ...], options: int) -> np.ndarray:
    """All ways in which countries can have answered one question, as counts of the options.

    Which country gave which answer does not matter to their agreement or spread: countries with the same set of
    possible answers are interchangeable, so that only the number of them per answer is listed.

    Parameters
    ----------
    sets : possible answers of every country as bits, none empty.
    options : number of options.

    Returns
    -------
    Shape (worlds, options); no row twice within a kind of set.

    Examples
    --------
    >>> worlds((0b01, 0b11, 0b11), 2).tolist()
    [[3, 0], [2, 1], [1, 2]]
    """
    kinds = Counter(sets)
    if prod(comb(count + bits.bit_count() - 1, count) for bits, count in kinds.items()) > MOST:
        return np.empty((0, options), dtype=int)
    out = np.zeros((1, options), dtype=int)
    for bits, count in sorted(kinds.items()):
        possible = [place for place in range(options) if bits >> place & 1]
        ways = combinations_with_replacement(possible, count)
        part = np.array([np.bincount(way, minlength=options) for way in ways])
        out = (out[:, None] + part).reshape(-1, options)
    return out


def identical(counts: np.ndarray) -> np.ndarray:
    """Share of pairs of countries that answer alike.

    Parameters
    ----------
    counts : countries per option, shape (..., options), two countries or more.

    Returns
    -------
    In [0, 1], shape (...).
    """
    n = counts.sum(axis=-1)
    return (counts * (counts - 1)).sum(axis=-1) / (n * (n - 1))


def agreement(counts: np.ndarray) -> np.ndarray:
    """Mean ``1 - |a - b| / R`` over the pairs of countries.

    Parameters
    ----------
    counts : as in :func:`identical`.

    Returns
    -------
    In [0, 1], shape (...).

    Examples
    --------
    >>> agreement(np.array([2, 0, 1])).round(4)
    np.float64(0.3333)
    """
    n = counts.sum(axis=-1)
    # A pair at distance d is parted by d of the steps between neighbouring options.
    below = counts.cumsum(axis=-1)[..., :-1]
    apart = (below * (n[..., None] - below)).sum(axis=-1)
    return 1 - apart / (n * (n - 1) / 2) / (counts.shape[-1] - 1)


def variance(counts: np.ndarray) -> np.ndarray:
    """Variance between countries (n - 1 in the denominator), answers scaled to [0, 1].

    Parameters
    ----------
    counts : as in :func:`identical`.

    Returns
    -------
    Shape (...).
    """
    n, at = counts.sum(axis=-1), np.linspace(0, 1, counts.shape[-1])
    mean = counts @ at / n
    return np.maximum(counts @ at**2 - n * mean**2, 0) / (n - 1)


@cache
def _bounds(sets: tuple[int, ...], options: int) -> tuple[float, ...]:
    counts = worlds(sets, options)
    if not len(counts):
        return (np.nan,) * 4
    found = [measure(counts) for measure in (identical, variance)]
    return tuple(end(values) for values in found for end in (np.min, np.max))


def by_question(
    sets: pd.DataFrame, people: pd.DataFrame, questions: pd.DataFrame, countries: Sequence[str] = ARAB
) -> pd.DataFrame:
    """Agreement and spread of some countries' answers, question by question, beside the people's on the same cells.

    Parameters
    ----------
    sets, people : of `profiles.answer_sets`.
    questions : indexed by `question`.
    countries : those compared, as far as they have an answer.

    Returns
    -------
    One row per row of `sets` with two of these countries or more: its index, `n` (countries), per measure `_least` and
    `_most` over all answers that remain possible (of `identical` and `variance`), and of the people `people_variance`
    and, answers rounded to whole options, `rounded_identical` and `rounded_variance`.
    """
    part, countries = sets[list(countries)], list(countries)
    known = part.to_numpy() > 0
    part = part[known.sum(axis=1) >= 2]
    number = part.index.get_level_values("question")
    options = (width(questions).reindex(number) + 1).to_numpy()
    keys = [tuple(sorted(bits for bits in row if bits)) for row in part.to_numpy().tolist()]
    found = [_bounds(key, int(size)) for key, size in zip(keys, options, strict=True)]
    columns = [f"{m}_{end}" for m in ("identical", "variance") for end in ("least", "most")]
    out = pd.DataFrame(found, part.index, columns)
    out["n"] = [len(key) for key in keys]
    human = people.reindex(number)[countries].where(part.to_numpy() > 0).to_numpy()
    whole = np.clip(np.floor(human + 0.5), 0, (options - 1)[:, None])
    reach = (options - 1)[:, None]
    out["people_variance"], out["rounded_variance"] = _variance(human / reach), _variance(whole / reach)
    out["rounded_identical"] = _pairs(whole, lambda a, b: np.where(np.isnan(a - b), np.nan, a == b))
    return out


def _pairs(values: np.ndarray, compare) -> np.ndarray:
    first, second = np.triu_indices(values.shape[1], 1)
    with np.errstate(invalid="ignore"):
        found = compare(values[:, first], values[:, second])
    many = np.isfinite(found).sum(axis=1)
    return np.where(many > 0, np.nansum(found, axis=1) / np.maximum(many, 1), np.nan)


def _variance(values: np.ndarray) -> np.ndarray:
    return _pairs(values, lambda a, b: (a - b) ** 2 / 2)


def chances(sets: pd.DataFrame, questions: pd.DataFrame, countries: Sequence[str] = ARAB) -> pd.DataFrame:
    """What identical answers and spread would be if countries answered independently of each other and of the question.

    Answers are drawn from all that were given to questions of the same survey and scale; where several are possible
    each counts alike.

    Parameters
    ----------
    sets : of `profiles.answer_sets`.
    questions : indexed by `question`.
    countries : as in :func:`by_question`.

    Returns
    -------
    `identical` and `variance` for every row of `sets`.
    """
    facts = questions[["source", "low", "high"]].reindex(sets.index.get_level_values("question"))
    keys = [*(sets.index.get_level_values(name) for name in CELL), *(facts[c].to_numpy() for c in facts)]
    out = pd.DataFrame(np.nan, sets.index, ["identical", "variance"])
    for key, rows in out.groupby(keys, sort=False).indices.items():
        at = np.linspace(0, 1, key[-1] - key[-2] + 1)
        bits = sets[list(countries)].to_numpy()[rows].ravel()
        inside = bits[bits > 0][:, None] >> np.arange(len(at)) & 1
        if len(inside):
            share = (inside / inside.sum(axis=1, keepdims=True)).mean(axis=0)
            out.iloc[rows] = share @ share, share @ at**2 - (share @ at) ** 2
    return out


def measured(counts: np.ndarray, table: pd.DataFrame, measure: str, end: str) -> np.ndarray:
    """One measure in every round of a bootstrap.

    Parameters
    ----------
    counts : how often each question was drawn, shape (rounds, questions).
    table : of :func:`by_question`.
    measure : one of `MEASURES`.
    end : whose columns: 'least', 'most', 'rounded' or 'chance'.

    Returns
    -------
    Shape (rounds,).
    """
    columns = {"least": "{}_least", "most": "{}_most"}
    name = columns.get(end, end + "_{}").format
    if measure == "identical":
        return _ratio(counts, table[name(measure)].to_numpy(float), np.ones(len(table)))
    whose = "rounded" if measure == "spread, rounded" else "people"
    model, human = (table[column].to_numpy(float) for column in (name("variance"), f"{whose}_variance"))
    if measure != "variance ratio":
        return np.sqrt(_ratio(counts, model, human))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(human > 1e-12, np.sqrt(model / human), np.nan)
    return _ratio(counts, ratio, np.ones(len(table)))


def _ratio(counts: np.ndarray, above: np.ndarray, below: np.ndarray) -> np.ndarray:
    known = np.isfinite(above) & np.isfinite(below)
    with np.errstate(divide="ignore", invalid="ignore"):
        return counts[:, known] @ above[known] / (counts[:, known] @ below[known])


def collapse_table(
    sets: pd.DataFrame,
    people: pd.DataFrame,
    questions: pd.DataFrame,
    countries: Sequence[str] = ARAB,
    rounds: int = 500,
    seed: int = 0,
) -> pd.DataFrame:
    """How alike some countries' answers are.

    Parameters
    ----------
    sets, people : of `profiles.answer_sets`.
    questions : indexed by `question`.
    countries : those compared.
    rounds, seed : of the bootstrap over questions.

    Returns
    -------
    One row per model, framing, mode, language and measure (see `MEASURES`): `value` (the middle of `least` and `most`,
    its bounds over all answers that remain possible), `low`, `high` (95% bootstrap of the lower bound's lower end and
    the upper bound's upper end), `n` (questions), `coverage` (of the cells with a human figure), `chance` (countries
    answering independently, see :func:`chances`), `rounded` (people on the same cells, rounded to whole options),
    `printed` (none).
    """
    sets = framed(sets)
    found = by_question(sets, people, questions, countries)
    chance = chances(sets, questions, countries).reindex(found.index)
    found = found.assign(**{f"chance_{name}": chance[name] for name in chance})
    possible = people[list(countries)].notna().to_numpy().sum()
    rows = []
    for cell, table in found.groupby(CELL, sort=False):
        counts = np.vstack([np.ones(len(table), int), bootstrap_counts(len(table), rounds, seed)])
        named = dict(zip(CELL, cell, strict=True))
        for measure in MEASURES:
            least, most = (measured(counts, table, measure, end) for end in ("least", "most"))
            beside = {e: measured(counts[:1], table, measure, e)[0] for e in ("chance", "rounded")}
            ends = {"low": percentile_interval(least[1:])[0], "high": percentile_interval(most[1:])[1]}
            facts = {"least": least[0], "most": most[0], "n": len(table), "coverage": table["n"].sum() / possible}
            rows.append(named | {"measure": measure, "value": (least[0] + most[0]) / 2} | ends | facts | beside)
    return pd.DataFrame(rows).assign(printed=np.nan)
