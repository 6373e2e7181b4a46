"""The first research question in all reasonable ways: what capability and consistency say of alignment."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
import pandas as pd

from .. import stats
from . import capability, mixed, released, resampling
from .names import MODELS, STATES

LANGUAGES = ("da", "nl", "en", "pt")
ROUNDS = (25, 100, 400)
PAPER_ROUNDS = 100
BENCHMARKS = {"seed": STATES[0], "HEAD": STATES[1], "Table 3": "Table 3"}
"""The benchmark scores there are: of the two states' files, and as printed. OLMo is in HEAD's file alone."""
RELIABILITY = 0.955
SLOPES = tuple(f"{family}:{language}" for family in ("gemma", "openai") for language in LANGUAGES)
"""A family's slope of capability in a language."""


def measures(state: str, *, rounds: int, seed: int = 0, draw: str = "rows") -> pd.DataFrame:
    """Measure alignment and consistency in every way, on the same resamples.

    Parameters
    ----------
    state : as in :func:`~whosevalues.multicultural.released.files`.
    rounds, seed : of the bootstrap.
    draw : 'rows', joined rows as the authors do (see :func:`~whosevalues.multicultural.rq1.rq1_rows`); 'questions',
        whole questions, the same for every model; 'nothing', the data as they are, once.

    Returns
    -------
    Indexed by (round, model, language), sorted: a column per alignment level ('response', 'question') and one per
    kind and pairs of consistency, such as ('pearson', 'copies').
    """
    responses, truth, _ = released.read(state)
    joined = released.join(responses.reset_index(names="row"), truth, "language")
    counts, times = np.ones((1, len(joined))), None
    if draw == "rows":
        counts = stats.bootstrap_counts(len(joined), rounds, seed)
    kept = joined["model"].isin(sum(MODELS.values(), ())).to_numpy()
    joined, counts = joined[kept].reset_index(drop=True), counts[:, kept]
    own = (joined["group"] == joined["language"]).to_numpy()
    local = joined[own].reset_index(drop=True)
    # A response stands in the joined rows once per language of people, and was drawn as often as all of these.
    once = (
        np.add.reduceat(counts, np.flatnonzero(joined["row"].diff() != 0), axis=1) if draw == "rows" else counts[:, own]
    )
    counts = counts[:, own]
    if draw == "questions":
        times = resampling.question_times(local["question"], rounds, seed)
        counts = once = np.broadcast_to(counts, times.shape)
    columns = {}
    for level in resampling.LEVELS:
        values = resampling.alignment(local, counts, level, times)
        columns[level] = values.droplevel("group", axis=1).stack([0, 1])
    for kind, pairs in product(resampling.KINDS, resampling.PAIRS if draw == "rows" else ["distinct"]):
        columns[kind, pairs] = resampling.consistency(local, once, kind, pairs, times).stack([0, 1])
    return pd.DataFrame(columns).rename_axis(["round", "model", "language"])


def design(rows: pd.DataFrame, able: pd.DataFrame, state: str, intercept: bool) -> tuple[pd.DataFrame, list[str]]:
    """Set up Eq. 1 for all ways of measuring consistency: the regressors that they share.

    Parameters
    ----------
    rows : indexed by (round, model, language).
    able : as from :func:`~whosevalues.multicultural.capability.multilingual`.
    state : decides whether consistency has one coefficient or, as at HEAD, one per language.
    intercept : whether mu_alpha of Eq. 1 is estimated, or left out as in the authors' code.

    Returns
    -------
    Regressors, indexed as those `rows` whose models have scores: one per family and language, such as 'gemma:da',
    then 'intercept' if there is one; and the languages that consistency is to be split by, [''] for none.
    """
    scores = able.set_index(["model", "language"])["multilingual"]
    known = rows[rows.index.droplevel("round").isin(scores.index)]
    at = known.index.droplevel("round")
    family = at.get_level_values("model").map({model: name for name, of in MODELS.items() for model in of})
    term = family + ":" + at.get_level_values("language")
    table = pd.get_dummies(pd.Series(term, index=known.index), dtype=float)
    table = table.mul(scores.reindex(at).to_numpy(), axis=0)
    if intercept:
        table["intercept"] = 1.0
    return table, [""] if state == STATES[0] else sorted(LANGUAGES)


def _fits(rows: pd.DataFrame, able: pd.DataFrame, state: str, intercept: bool, batch: bool) -> Iterator[dict]:
    """Fit Eq. 1 for every level, kind and pairs; `batch` fits every round on its own."""
    shared, split = design(rows, able, state, intercept)
    rows = rows.loc[shared.index]
    model, language = (rows.index.get_level_values(name) for name in ("model", "language"))
    groups = pd.factorize(model)[0]
    ways = [column for column in rows.columns if isinstance(column, tuple)]
    marks = np.stack([(language == one) | (one == "") for one in split], axis=1).astype(float)
    stacked = []
    for way in ways:
        regressors = np.concatenate([rows[[way]].to_numpy() * marks, shared.to_numpy()], axis=1)
        stacked += [(regressors, rows[level].to_numpy()) for level in resampling.LEVELS]
    x, y = (np.stack(part) for part in zip(*stacked, strict=True))
    if batch:
        rounds = rows.index.get_level_values("round").nunique()
        size = len(rows) // rounds
        x, y, groups = x.reshape(-1, size, x.shape[-1]), y.reshape(-1, size), groups[:size]
    # What is reported of consistency is the mean of its coefficients, where there are several.
    contrast = np.zeros((len(SLOPES) + 1, x.shape[-1]))
    contrast[0, : len(split)] = 1 / len(split)
    for number, term in enumerate(SLOPES, 1):
        contrast[number, len(split) + shared.columns.get_loc(term)] = 1
    beta, error = mixed.random_intercept(x, y, groups, contrast)
    if batch:
        beta = beta.reshape(len(stacked), rounds, -1)
    for number, (way, level) in enumerate(product(ways, resampling.LEVELS)):
        yield {
            "kind": way[0],
            "pairs": way[1],
            "level": level,
            "beta": beta[number],
            "error": error[number],
            "n": len(rows),
        }


def capability_specifications(
    state: str, *, rounds: tuple[int, ...] = ROUNDS, resamples: int = 200, seed: int = 0
) -> pd.DataFrame:
    """Estimate RQ1 in all reasonable ways.

    Parameters
    ----------
    state : as in :func:`~whosevalues.multicultural.released.files`.
    rounds : how many rounds of the authors' bootstrap are taken for observations; a smaller number takes the first
        ones of the largest.
    resamples : of the bootstrap over questions, which gives the intervals of unit 'questions'.
    seed : of both.

    Returns
    -------
    One row per term and combination of choices, as :func:`curve` has them: `value`, `low`, `high`, `p_value`, `n`.
    """
    drawn = measures(state, rounds=max(rounds), seed=seed)
    plain = measures(state, rounds=1, draw="nothing")
    questions = measures(state, rounds=resamples, seed=seed, draw="questions")
    rows = []
    for (name, file), intercept in product(BENCHMARKS.items(), (False, True)):
        able = capability.by_benchmarks(file)
        about = {"state": state, "benchmarks": name, "intercept": "yes" if intercept else "no"}
        for number in rounds:
            first = drawn[drawn.index.get_level_values("round") < number]
            # What the number of rounds does, it does to either kind of pairs: the second is shown at the paper's.
            if number != PAPER_ROUNDS:
                first = first.drop(columns=[(kind, "distinct") for kind in resampling.KINDS])
            for fit in _fits(first, able, state, intercept, batch=False):
                rows += _regression(fit, about | {"unit": str(number)})
        spread = _fits(questions, able, state, intercept, batch=True)
        for fit, other in zip(_fits(plain, able, state, intercept, batch=False), spread, strict=True):
            cells = _regression(fit, about | {"unit": "cells"})
            bounds = np.nanquantile(other["beta"], [0.025, 0.975], axis=0).T
            changed = [{"low": low, "high": high, "p_value": np.nan, "unit": "questions"} for low, high in bounds]
            rows += cells + [row | change for row, change in zip(cells, changed, strict=True)]
    table = pd.DataFrame(rows)
    # Dividing consistency by a constant multiplies its own coefficient and changes no other.
    whole = table["term"] == "consistency"
    corrected = table[whole].assign(correction="0.955")
    corrected[["value", "low", "high"]] *= RELIABILITY
    return pd.concat([table.assign(correction=np.where(whole, "none", "")), corrected], ignore_index=True)


def _regression(fit: dict, about: dict) -> list[dict]:
    from scipy import stats as distributions

    value, error = fit["beta"], fit["error"]
    p_value = 2 * distributions.norm.sf(np.abs(value / error))
    same = {key: fit[key] for key in ("n", "kind", "pairs", "level")} | about
    figures = zip(["consistency", *SLOPES], value, value - 1.96 * error, value + 1.96 * error, p_value, strict=True)
    return [dict(zip(("term", "value", "low", "high", "p_value"), row, strict=True)) | same for row in figures]
