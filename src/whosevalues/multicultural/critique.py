"""Better estimators for "Multilingual != Multicultural": one row per cell, whole questions drawn, no copy paired.

The paper's analysis takes rounds of a bootstrap for observations, pairs a response with its copies, leaves out the
mean of the intercepts and draws responses as if questions did not matter. Each function here changes one of these.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd

from .. import UserError, stats
from . import released, resampling, rq1, scores
from .names import MODELS

CELL = ["model", "language"]
SCHEMES = ("responses", "questions", "questions, then responses")
"""What a bootstrap round draws: single responses as in the paper, whole questions, or both in turn."""
OUTCOMES = ("alignment", "question", "disattenuated")
"""What Eq. 1 may explain, see :func:`figures`."""

_ANALYSED = sum(MODELS.values(), ())


@cache
def study(state: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The responses that the regression of RQ1 is about.

    Parameters
    ----------
    state : as in :func:`~whosevalues.multicultural.released.files`.

    Returns
    -------
    joined : one row per response of an analysed model and group of speakers, as from
        :func:`~whosevalues.multicultural.released.join`, with `response`, the number of the response.
    cells : one row per model and language: `model`, `language`, `family`, `multilingual`.
    """
    responses, truth, capability = released.read(state)
    responses = responses[responses["model"].isin(_ANALYSED)].reset_index(drop=True).reset_index(names="response")
    cells = responses[[*CELL, "family"]].drop_duplicates().merge(capability, on=CELL)
    return released.join(responses, truth, "language"), cells


def own(joined: pd.DataFrame) -> pd.DataFrame:
    """Keep what a response is beside the speakers of its own language: every response once.

    Parameters
    ----------
    joined : as from :func:`study`.

    Returns
    -------
    Its rows whose `group` is their `language`; names as categories, which are grouped faster.
    """
    rows = joined[joined["group"] == joined["language"]].reset_index(drop=True)
    return rows.astype(dict.fromkeys([*CELL, "question"], "category"))


def resample(responses: pd.DataFrame, scheme: str, seed: int) -> pd.DataFrame:
    """Draw one bootstrap sample.

    Whole questions are drawn for all models and languages at once, because all were asked the same ones; a question
    drawn twice counts as two questions (Davison and Hinkley, 1997, section 3.8).

    Parameters
    ----------
    responses : one row per `response`, with `model`, `language`, `question`.
    scheme : one of `SCHEMES`.
    seed : of the random generator.

    Returns
    -------
    The rows drawn, with `item`, one number per drawn copy of a question and cell.

    Raises
    ------
    UserError : another scheme.
    """
    if scheme not in SCHEMES:
        raise UserError(f"unknown scheme '{scheme}': a bootstrap draws {'; '.join(SCHEMES)}")
    rng = np.random.default_rng(seed)
    block = responses.groupby(["question", *CELL], sort=True).ngroup().to_numpy()
    if scheme == "responses":
        row = rng.integers(len(responses), size=len(responses))
        return responses.iloc[row].assign(item=block[row])
    question = responses["question"].factorize(sort=True)[0]
    order, size = np.argsort(block, kind="stable"), np.bincount(block)
    start, asked = np.cumsum(size) - size, question[order][np.cumsum(size) - size]
    drawn = rng.integers(question.max() + 1, size=question.max() + 1)
    blocks = np.concatenate([np.flatnonzero(asked == q) for q in drawn])
    item = np.repeat(np.arange(len(blocks)), size[blocks])
    at = np.arange(len(item)) - (np.cumsum(size[blocks]) - size[blocks])[item]
    if scheme == SCHEMES[2]:
        at = (rng.random(len(item)) * size[blocks][item]).astype(int)
    row = order[start[blocks][item] + at]
    return responses.iloc[row].assign(item=item)


def whole(responses: pd.DataFrame) -> pd.DataFrame:
    """The data as they are, in the form of :func:`resample`.

    Parameters
    ----------
    responses : one row per response.

    Returns
    -------
    Every row once, with `item`.
    """
    return responses.assign(item=responses.groupby(["question", *CELL], sort=True).ngroup())


def distinct_pairs(sample: pd.DataFrame) -> pd.DataFrame:
    """Correlation of two different responses to one question; a response is never paired with its own copy.

    Parameters
    ----------
    sample : `model`, `language`, `response`, `item`, `score`.

    Returns
    -------
    Indexed by `model` and `language`: `pearson` and `spearman` (of the mid-ranks among the members of all pairs), in
    [-1, 1]; NaN where no item has two different responses or nothing varies.
    """
    cell, index = _cells(sample)
    item, response, score = (sample[column].to_numpy() for column in ("item", "response", "score"))
    _, first, t = np.unique(item * (response.max() + 1) + response, return_index=True, return_counts=True)
    drawn = t[None], cell[first], item[first], score[first]
    both = {k: stats.pair_correlation(*drawn, ranks=k == "spearman", distinct=True)[0] for k in resampling.KINDS}
    return pd.DataFrame(both, index)


def _cells(sample: pd.DataFrame) -> tuple[np.ndarray, pd.MultiIndex]:
    groups = sample.groupby(CELL, sort=True)
    return groups.ngroup().to_numpy(), groups.size().index


def figures(sample: pd.DataFrame, state: str) -> pd.DataFrame:
    """Alignment by three definitions, and consistency, of every model and language.

    Parameters
    ----------
    sample : as from :func:`resample` or :func:`whole`, with `score` and `human`.
    state : decides how consistency is measured.

    Returns
    -------
    One row per (model, language): `alignment`, as the paper's code has it, over responses; `question`, over questions,
    each with the mean of its responses, as section 2 defines it; `consistency` over distinct pairs; `reliability`, the
    same of ranks and without correction, whose square root is by what noise lowers a rank correlation; `disattenuated`,
    `alignment` over that root (Spearman, 1904), NaN where `reliability` is not positive; `pearson`, consistency as
    people's is measured.
    """
    kind, divisor = scores.CONSISTENCY[state]
    cell, index = _cells(sample)
    score, human = sample["score"].to_numpy(), sample["human"].to_numpy()
    _, first, item = np.unique(sample["item"], return_index=True, return_inverse=True)
    mean = np.bincount(item, score) / np.bincount(item)
    both = distinct_pairs(sample)
    table = both.rename(columns={"spearman": "reliability"}).assign(consistency=both[kind] / divisor)
    table["alignment"] = _spearman(cell, score, human)
    table["question"] = _spearman(cell[first], mean, human[first])
    root = np.sqrt(table["reliability"].where(table["reliability"] > 0))
    return table.assign(disattenuated=table["alignment"] / root).reset_index()


def _spearman(cell: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return stats.weighted_spearman(np.ones((1, len(x)), dtype=int), cell, x, y)[0]


def random_intercept(y: np.ndarray, x: np.ndarray, group: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Linear mixed model y = x b + z a[group] + e by REML, also where the variance of a is 0.

    With q the variance of a over that of e, a group's inverse covariance is 1 - q/(1 + q z'z) z z'; the criterion is
    profiled over b and the variance of e and searched in q alone (Pinheiro and Bates, 2000, section 2.2).

    Parameters
    ----------
    y : outcome, shape (rows,).
    x : regressors, shape (rows, terms).
    group : which group a row belongs to.
    z : what a group's effect is multiplied by: ones for a random intercept.

    Returns
    -------
    The coefficients b and their standard errors, shape (terms,); NaN where the rows leave a coefficient open.
    """
    from scipy.optimize import minimize_scalar

    both = np.column_stack([x, y])
    rows, terms = x.shape
    if np.linalg.matrix_rank(x) < terms:
        return np.full(terms, np.nan), np.full(terms, np.nan)
    of = np.equal.outer(np.unique(group), group) * z
    crossed, sums, squares = both.T @ both, of @ both, (of**2).sum(axis=1)

    def weighed(q: float) -> np.ndarray:
        return crossed - (sums.T * (q / (1 + q * squares))) @ sums

    def criterion(share: float) -> float:
        q = share / (1 - share)
        # The last pivot of the factor is the residual sum of squares, the others the determinant of x'V^-1 x.
        pivots = np.diag(np.linalg.cholesky(weighed(q)))
        return np.log1p(q * squares).sum() + 2 * np.log(pivots[:-1]).sum() + 2 * (rows - terms) * np.log(pivots[-1])

    grid = np.linspace(0, 0.99, 12)
    best = int(np.argmin([criterion(share) for share in grid]))
    around = (grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)])
    refined = minimize_scalar(criterion, bounds=around, method="bounded").x
    share = min((refined, grid[best]), key=criterion)
    normal = weighed(share / (1 - share))
    inverse = np.linalg.inv(normal[:-1, :-1])
    b = inverse @ normal[:-1, -1]
    variance = (normal[-1, -1] - b @ normal[:-1, -1]) / (rows - terms)
    return b, np.sqrt(variance * np.diag(inverse))


def fit(rows: pd.DataFrame, state: str, *, intercept: str = "1 +", outcome: str = "alignment") -> pd.DataFrame:
    """Fit Eq. 1, with a random intercept per model.

    Parameters
    ----------
    rows : `model`, `family`, `language`, `multilingual`, `consistency` and the outcome.
    state : decides the formula, see `FORMULA` in rq1.
    intercept : '1 +' for the paper's mean of the intercepts, '0 +' for the code's, which is zero.
    outcome : the column to be explained. 'disattenuated' is fitted as alignment = root of the reliability x (Eq. 1):
        after a division its errors would be the larger the noisier a model is.

    Returns
    -------
    One row per term, named as in :func:`~whosevalues.multicultural.rq1.rq1_draws`: `term`, `value`, `std_err`, `n`
    (rows).
    """
    rows = rows.dropna(subset=[outcome, "consistency"])
    z = np.sqrt(rows["reliability"].to_numpy()) if outcome == "disattenuated" else np.ones(len(rows))
    y = rows["alignment" if outcome == "disattenuated" else outcome].to_numpy()
    x = _design(rows, state, intercept)
    b, std_err = random_intercept(y, np.column_stack([*x.values()]) * z[:, None], rows["model"].to_numpy(), z)
    return pd.DataFrame({"term": [*x], "value": b, "std_err": std_err, "n": len(rows)})


def _design(rows: pd.DataFrame, state: str, intercept: str) -> dict[str, np.ndarray]:
    """The regressors of Eq. 1, one per term."""
    language, family = rows["language"].to_numpy(), rows["family"].to_numpy()
    consistency, capability = rows["consistency"].to_numpy(), rows["multilingual"].to_numpy()
    at = {name: language == name for name in sorted(set(language))}
    columns = {"intercept": np.ones(len(rows))} if intercept == "1 +" else {}
    if "consistency:language" in rq1.FORMULA[state]:
        columns |= {f"consistency:{name}": consistency * here for name, here in at.items()}
    else:
        columns["consistency"] = consistency
    for of in sorted(set(family)):
        columns |= {f"{of}:{name}": capability * (here & (family == of)) for name, here in at.items()}
    return columns
