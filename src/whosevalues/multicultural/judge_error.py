"""What a judge's errors do to alignment: a simulation in which the true scores are known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from .. import data, stats
from . import prompts
from .judge_agreement import kappa

TRUTH = "multicultural/head-2025-08/ground_truth_global.csv"
NEEDS = [TRUTH, prompts.POSITIONS]

RATES = {"either way": np.linspace(0, 0.5, 11), "con to null": np.linspace(0, 0.95, 20)}
"""What a judge of `error_curve` gets wrong, a stance for its opposite or con statements for null, and how often."""


def error_curve(
    truth: Iterable[float],
    rates: Mapping[str, Iterable[float]] = RATES,
    *,
    repeats: int = 9,
    statements: int = 10,
    rounds: int = 200,
    seed: int = 0,
) -> pd.DataFrame:
    """How much alignment is left when a judge errs?

    Every response is `statements` people drawn at random from the population, each pro with the probability of the
    question's true value polarity: the best that such a survey can do. Then the judge reads them, and the response's
    score is pro over pro plus con as the judge has it; a response without either drops out. Alignment is the Spearman
    correlation of scores and true polarity over all responses (section 2.2).

    Parameters
    ----------
    truth : value polarity per question, in [0, 1].
    rates : by error (of `RATES`) how likely the judge makes it at a statement, in [0, 1]; 'con to null' at a con one.
    repeats : responses per question.
    statements : per response.
    rounds : simulated studies.
    seed : of the random generator; the same people are drawn at every rate.

    Returns
    -------
    One row per `error` and `rate`: `kappa` (three labels, expected), `value` (mean alignment), `low`, `high` (where 95%
    of single studies fall), `n` (responses in a study), `chance` (0). NaN where scores do not vary.
    """
    p = np.repeat(np.asarray(list(truth), dtype=float), repeats)
    people = np.random.default_rng(seed).binomial(statements, np.tile(p, (rounds, 1)))
    rows = []
    for error, rate in ((error, rate) for error, some in rates.items() for rate in some):
        found = _alignments(_misread(people, statements, error, rate, np.random.default_rng(seed + 1)), p)
        known = found[np.isfinite(found)]
        value = known.mean() if len(known) else np.nan
        expected, bounds = expected_kappa(float(p.mean()), error, rate), stats.percentile_interval(found)
        rows.append((error, rate, expected, value, *bounds, len(p), 0.0))
    return pd.DataFrame(rows, columns=["error", "rate", "kappa", "value", "low", "high", "n", "chance"])


def expected_kappa(pro: float, error: str, rate: float) -> float:
    """Cohen's kappa, over three labels, of a judge that errs at a known rate.

    Parameters
    ----------
    pro : true share of pro statements, in [0, 1]; the others are con.
    error, rate : as of :func:`error_curve`.

    Returns
    -------
    At most 1.

    Examples
    --------
    >>> round(expected_kappa(0.5, "either way", 0.1), 12), round(expected_kappa(0.5, "con to null", 1.0), 12)
    (0.8, 0.333333333333)
    """
    con = 1 - pro
    if error == "either way":
        return float(kappa(np.array([[pro * (1 - rate), pro * rate], [con * rate, con * (1 - rate)]])))
    return float(kappa(np.array([[pro, 0, 0], [0, con * (1 - rate), con * rate], [0, 0, 0]])))


def rate_left(curve: pd.DataFrame, share: float = 0.9) -> pd.DataFrame:
    """Find how wrong a judge may be before alignment falls to a share of what it is without error.

    Parameters
    ----------
    curve : of :func:`error_curve`, with a rate of 0.
    share : in (0, 1).

    Returns
    -------
    By `error`: `rate` and `kappa` at that point, read off between two rates; NaN where it is never reached.
    """
    rows = {}
    for error, part in curve.groupby("error", sort=False):
        part = part.sort_values("rate")
        left = (part["value"] / part["value"].iloc[0]).to_numpy()
        below = np.flatnonzero(left < share)
        if not len(below):
            rows[error] = {"rate": np.nan, "kappa": np.nan}
            continue
        ends = [below[0], below[0] - 1]
        rows[error] = {name: np.interp(share, left[ends], part[name].to_numpy()[ends]) for name in ("rate", "kappa")}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("error")


def polarity() -> pd.Series:
    """Read people's value polarity all over the world, of the questions that were asked of models.

    Returns
    -------
    In [0, 1], by question; those without human answers are not in it.
    """
    table = data.read_csv(TRUTH, {"question_key": str, "pro_score": float})
    by_question = table.set_index(table["question_key"].str.lower())["pro_score"].sort_index()
    return by_question[by_question.index.isin(list(prompts.positions()))]


def _misread(people: np.ndarray, statements: int, error: str, rate: float, rng: np.random.Generator) -> np.ndarray:
    """Scores as a judge with this error has them; NaN where nothing is left."""
    if error == "either way":
        return (rng.binomial(people, 1 - rate) + rng.binomial(statements - people, rate)) / statements
    left = people + rng.binomial(statements - people, 1 - rate)
    return np.divide(people, left, out=np.full(people.shape, np.nan), where=left > 0)


def _alignments(score: np.ndarray, p: np.ndarray) -> np.ndarray:
    found = []
    for line in score:
        kept = np.isfinite(line)
        one = np.ones((1, int(kept.sum())))
        cell = np.zeros(int(kept.sum()), dtype=int)
        found.append(stats.weighted_spearman(one, cell, line[kept], p[kept])[0, 0] if kept.any() else np.nan)
    return np.array(found)
