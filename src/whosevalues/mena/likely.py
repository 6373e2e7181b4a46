"""How alike native answers probably are, where the released scores leave two sides open; and how far that can err."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ..stats import bootstrap_counts, percentile_interval
from . import native
from .profiles import ARAB, certain, common, framed, width

PRIOR = 0.5
"""How many countries the answers to all other questions of the same scale count for."""


def likely_identical(sets: pd.DataFrame, questions: pd.DataFrame, steps: int = 60) -> np.ndarray:
    """Expected share of pairs of countries with the same answer, by maximum likelihood.

    Every question has shares of its options, unknown; a country's answer is drawn from them, and only a set that holds
    it is seen. Expectation maximisation (Dempster, Laird and Rubin, 1977) finds the shares and with them how probable
    each answer of a set is.

    Parameters
    ----------
    sets : bits, a column per country compared, index with `question`.
    questions : indexed by `question`.
    steps : of the iteration.

    Returns
    -------
    One value in [0, 1] per row, NaN with fewer than two countries.
    """
    options = (width(questions).reindex(sets.index.get_level_values("question")) + 1).to_numpy()
    out, values = np.full(len(sets), np.nan), sets.to_numpy()
    known = values > 0
    for size in np.unique(options):
        rows = np.flatnonzero((options == size) & (known.sum(axis=1) >= 2))
        if len(rows):
            inside = (values[rows, :, None] >> np.arange(size) & 1).astype(float)
            out[rows] = _expected(inside, steps)
    return out


def _expected(inside: np.ndarray, steps: int) -> np.ndarray:
    n = inside.any(axis=2).sum(axis=1)
    weight = inside / np.maximum(inside.sum(axis=2, keepdims=True), 1)
    overall = weight.sum(axis=(0, 1)) / n.sum()
    open_ = np.flatnonzero((inside.sum(axis=2) > 1).any(axis=1))
    for _ in range(steps):
        share = (weight[open_].sum(axis=1) + PRIOR * overall) / (n[open_] + PRIOR)[:, None]
        part = inside[open_] * share[:, None]
        weight[open_] = part / np.maximum(part.sum(axis=2, keepdims=True), 1e-300)
    total = weight.sum(axis=1)
    return ((total**2).sum(axis=1) - (weight**2).sum(axis=(1, 2))) / (n * (n - 1))


def as_if_native(first: pd.DataFrame, second: pd.DataFrame, questions: pd.DataFrame) -> tuple[pd.DataFrame, ...]:
    """Hide the side of known answers, as the released scores hide that of native ones.

    Parameters
    ----------
    first, second : known answers in options from Min, NaN where there is none; same index (`question`) and columns.
    questions : indexed by `question`.

    Returns
    -------
    hidden : sets of answers at the distance of the second from the first, as bits.
    true : the second answers on the same cells, as bits.
    """
    both = first.notna() & second.notna()
    one, two = (side.where(both, 0).to_numpy().astype(np.int64) for side in (first, second))
    full = (np.int64(1) << (width(questions).reindex(first.index).to_numpy()[:, None] + 1)) - 1
    hidden = native.shifted(np.int64(1) << one, np.abs(one - two), full)
    bits = (np.where(both, part, 0) for part in (hidden, np.int64(1) << two))
    return tuple(pd.DataFrame(part, first.index, first.columns) for part in bits)


def likely_table(
    sets: pd.DataFrame, questions: pd.DataFrame, countries: Sequence[str] = ARAB, rounds: int = 500, seed: int = 0
) -> pd.DataFrame:
    """Estimated share of identical answers, native minus English, with a check where the truth is known.

    Parameters
    ----------
    sets : of `profiles.answer_sets`.
    questions : indexed by `question`.
    countries : those compared.
    rounds, seed : of the bootstrap over questions.

    Returns
    -------
    One row per model, mode, framing and `what`. 'check': the English answers, of which only the distance from those
    of another model (`behind`) to the same prompts is let known; `value` is estimate minus truth. 'native - en':
    `value` is the difference of the estimates on common cells. `low`, `high` (95%, of the sampling of questions; of
    'native - en' moved apart by the largest errors of all checks), `first`, `second` (what was subtracted from what),
    `open` (share of the first's cells of which several answers are possible), `n` (questions), `chance` (0),
    `printed` (none), `side` (1, -1 or 0: where `low` and `high` lie) and, in words, `verdict`: 'more' or 'less' alike,
    else 'undecided'.
    """
    answers, rows = certain(sets[list(countries)]), []
    tongues = common(sets[list(countries)], "language", "native", "en")
    cells = framed(sets).index.droplevel("question").unique()
    for model, framing, mode, language in cells:
        named = {"model": model, "mode": mode, "framing": framing}
        if language == "en":
            of = answers.loc[(model, framing, mode, "en")]
            for other in cells.unique("model").drop(model):
                if (other, framing, mode, "en") in cells:
                    theirs = answers.loc[(other, framing, mode, "en")]
                    shared = theirs.index.intersection(of.index)
                    sides = as_if_native(theirs.loc[shared], of.loc[shared], questions)
                    told = {"what": "check", "behind": other}
                    rows.append(named | told | _difference(*sides, questions, rounds, seed))
        else:
            sides = [side.loc[(model, framing, mode)] for side in tongues]
            told = {"what": "native - en", "behind": None}
            rows.append(named | told | _difference(*sides, questions, rounds, seed))
    return _judged(pd.DataFrame(rows))


def _judged(out: pd.DataFrame) -> pd.DataFrame:
    check = out["what"] == "check"
    error = out.loc[check, "value"]
    # An estimate that is `error` too high leaves that much less.
    out.loc[~check, "low"] -= max(error.max(), 0)
    out.loc[~check, "high"] -= min(error.min(), 0)
    told = np.select([out["low"] > 0, out["high"] < 0], ["more", "less"], "undecided").astype(object)
    side = ((out["low"] > 0).astype(int) - (out["high"] < 0)).mask(check)
    return out.assign(chance=0.0, printed=np.nan, side=side, verdict=np.where(check, None, told))


def _difference(first, second, questions, rounds, seed) -> dict[str, float]:
    one, two = (likely_identical(side, questions) for side in (first, second))
    known = np.isfinite(one) & np.isfinite(two)
    gap = (one - two)[known]
    low, high = percentile_interval(bootstrap_counts(len(gap), rounds, seed) @ gap / len(gap))
    bits = first.to_numpy()
    means = {"first": one[known].mean(), "second": two[known].mean(), "n": len(gap)}
    means["open"] = ((bits & (bits - 1))[bits > 0] > 0).mean()
    return {"value": gap.mean(), "low": low, "high": high} | means
