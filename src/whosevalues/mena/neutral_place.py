"""Does a model's neutral answer lie apart from the countries, and does it order countries as people are ordered?"""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..stats import bootstrap_counts, percentile_interval
from .profiles import BLOCKS, CELL, certain, framed, width


def neutral_table(
    sets: pd.DataFrame, people: pd.DataFrame, questions: pd.DataFrame, rounds: int = 500, seed: int = 0
) -> pd.DataFrame:
    """Is the English neutral answer farther from the countries than they are from each other?

    Parameters
    ----------
    sets, people : of `profiles.answer_sets`.
    questions : indexed by `question`.
    rounds, seed : of the bootstrap over questions.

    Returns
    -------
    Per model, mode and `among`, whose answers stand for the countries (the model's 'persona' in English, or 'people'),
    two rows. `measure` 'distance': mean distance ``|a - b| / R`` to a country minus that of two countries; `chance`
    is 0, a country like the others; `country` is the largest that a country gets when it is left out, and `outlying`
    which; `midpoint` is what always answering the middle gets, `own` the mean over the model's persona answers, each
    put in the neutral one's place, and `observer` over its observer answers: the countries in another wording.
    'beyond': distance minus `country`; `verdict` is 'outlier' where its interval lies above 0, 'no outlier' below, else
    'undecided'. `value` is the middle of the bounds `least` and `most`, `low` and `high` a 95% bootstrap, bounds
    included, `n` the questions, `printed` none.
    """
    neutral, rows = sets.xs(("neutral", "en"), level=("framing", "language")).max(axis=1), []
    scale, cells = width(questions), set(sets.index.droplevel("question"))
    for (model, mode), part in neutral[neutral > 0].groupby(level=["model", "mode"], sort=False):
        part = part.droplevel(["model", "mode"])
        size = scale.reindex(part.index).to_numpy()
        persona, observer = (
            certain(sets.loc[(model, framing, mode, "en")].reindex(part.index, fill_value=0))
            if (model, framing, mode, "en") in cells
            else pd.DataFrame(np.nan, part.index, sets.columns)
            for framing in ("persona", "observer")
        )
        for among, answers in (("persona", persona), ("people", people.reindex(part.index).where(persona.notna()))):
            found = _outlying(part, answers, {"own": persona, "observer": observer}, size, rounds, seed)
            rows += [{"model": model, "mode": mode, "among": among} | row for row in found]
    return pd.DataFrame(rows)


def _outlying(neutral, answers, others, size, rounds, seed) -> list[dict]:
    values = answers.div(size, axis=0)
    use = values.notna().sum(axis=1).to_numpy() >= 3
    values, size, bits = values[use].to_numpy(), size[use], neutral[use].to_numpy()
    others = {name: table[use].div(size, axis=0).to_numpy() for name, table in others.items()}
    between = np.nanmean(_distance(values), axis=1)
    reach = np.arange(int(size.max()) + 1)
    far = np.nanmean(np.abs(reach[None, :, None] / size[:, None, None] - values[:, None, :]), axis=2)
    possible = bits[:, None] >> reach & 1 > 0
    least = np.where(possible, far, np.inf).min(axis=1) - between
    most = np.where(possible, far, -np.inf).max(axis=1) - between
    counts = np.vstack([np.ones((1, len(size))), bootstrap_counts(len(size), rounds, seed)])
    alone = {country: _mean(counts, _left_out(values, k)[:, None])[:, 0] for k, country in enumerate(answers)}
    outlying = max(alone, key=lambda country: np.nan_to_num(alone[country][0], nan=-np.inf))
    beside = {
        "country": alone[outlying][0],
        "outlying": outlying,
        "midpoint": (np.nanmean(np.abs(values - 0.5), axis=1) - between).mean(),
    } | {name: _in_place(table, values, between) for name, table in others.items()}
    rows = []
    for measure, taken in (("distance", 0.0), ("beyond", alone[outlying])):
        first, last = counts @ least / len(size) - taken, counts @ most / len(size) - taken
        low, high = percentile_interval(first[1:])[0], percentile_interval(last[1:])[1]
        ends = {"value": (first[0] + last[0]) / 2, "low": low, "high": high, "least": first[0], "most": last[0]}
        verdict = "outlier" if low > 0 else "no outlier" if high < 0 else "undecided"
        own_facts = beside if measure == "distance" else {"verdict": verdict}
        rows.append({"measure": measure} | ends | {"n": len(size), "chance": 0.0, "printed": np.nan} | own_facts)
    return rows


def _in_place(answers: np.ndarray, values: np.ndarray, between: np.ndarray) -> float:
    """Distance that answers for each country have on average if they are put in the neutral one's place."""
    far = np.abs(answers[:, :, None] - values[:, None, :])
    known = np.isfinite(far).any(axis=(1, 2))
    return float((np.nanmean(far[known], axis=(1, 2)) - between[known]).mean()) if known.any() else float("nan")


def _left_out(values: np.ndarray, k: int) -> np.ndarray:
    """Distance of one country from the others minus that between them, per question; NaN where it has no answer."""
    others = np.delete(values, k, axis=1)
    out = np.full(len(values), np.nan)
    known = np.isfinite(values[:, k]) & (np.isfinite(others).sum(axis=1) >= 2)
    gap = np.abs(others[known] - values[known, k][:, None])
    out[known] = np.nanmean(gap, axis=1) - np.nanmean(_distance(others[known]), axis=1)
    return out


def _distance(values: np.ndarray) -> np.ndarray:
    first, second = np.triu_indices(values.shape[1], 1)
    return np.abs(values[:, first] - values[:, second])


def order_table(
    sets: pd.DataFrame, people: pd.DataFrame, questions: pd.DataFrame, rounds: int = 500, seed: int = 0
) -> pd.DataFrame:
    """Are the countries that a model holds to be alike those where people are alike?

    Parameters
    ----------
    sets, people : of `profiles.answer_sets`.
    questions : indexed by `question`.
    rounds, seed : of the bootstrap over questions and of the permutations of countries.

    Returns
    -------
    One row per model, framing, mode (in English) and survey: `value` (correlation of the two matrices of mean
    distances ``|a - b| / R``, on the same cells), `low`, `high` (95% bootstrap), `n` (questions), `chance` (0), `p`
    (Mantel, 1967: share of relabellings of the model's countries with at least the value, the true one included).
    """
    rng, scale, rows = np.random.default_rng(seed), width(questions), []
    english = certain(framed(sets).xs("en", level="language"))
    for cell, table in english.groupby(CELL[:3], sort=False):
        table = table.droplevel(CELL[:3])
        table = table.div(scale.reindex(table.index), axis=0)
        human = people.div(scale, axis=0).reindex(table.index)
        for source, block in BLOCKS.items():
            of = (table.index.map(questions["source"]) == source) & (table[list(block)].notna().sum(axis=1) >= 2)
            model, beside = table.loc[of, list(block)].to_numpy(), human.loc[of, list(block)].to_numpy()
            near, far = _distance(model), _distance(np.where(np.isnan(model), np.nan, beside))
            weights = np.vstack([np.ones((1, len(near))), bootstrap_counts(len(near), rounds, seed)])
            pairs = [_mean(weights, part) for part in (near, far)]
            r = _correlation(*pairs)
            low, high = percentile_interval(r[1:])
            null = _mantel(pairs[0][0], pairs[1][0], len(block), 999, rng)
            p = (1 + (null >= r[0] - 1e-12).sum()) / 1000
            rows.append((*cell, source, r[0], low, high, len(near), 0.0, np.nan, p))
    return pd.DataFrame(rows, columns=[*CELL[:3], "source", "value", "low", "high", "n", "chance", "printed", "p"])


def _mean(weights: np.ndarray, values: np.ndarray) -> np.ndarray:
    known = np.isfinite(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        return weights @ np.where(known, values, 0) / (weights @ known)


def _correlation(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    a, b = (part - part.mean(axis=1, keepdims=True) for part in (a, b))
    with np.errstate(invalid="ignore", divide="ignore"):
        return (a * b).sum(axis=1) / np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))


def _mantel(a: np.ndarray, b: np.ndarray, n: int, rounds: int, rng: np.random.Generator) -> np.ndarray:
    first, second = np.triu_indices(n, 1)
    matrix = np.zeros((n, n))
    matrix[first, second] = matrix[second, first] = a
    orders = [rng.permutation(n) for _ in range(rounds)]
    drawn = np.array([matrix[order[first], order[second]] for order in orders])
    return _correlation(drawn, np.broadcast_to(b, drawn.shape))
