"""The second research question in all reasonable ways: whether alignment is higher with the US."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd

from .. import stats
from . import released, resampling, us_bias
from .names import MODELS, RANDOM
from .specification_rq1 import LANGUAGES, ROUNDS


@cache
def _flat(state: str, rounds: int, seed: int) -> dict[tuple[str, str], pd.DataFrame]:
    """Alignment per country of rounds that draw joined rows, by level and questions."""
    responses, truth, _ = released.read(state)
    rows = us_bias.beside_countries(responses, truth)
    counts = stats.bootstrap_counts(len(released.join(responses, truth, "country")), rounds, seed)[:, rows["row"]]
    shared = rows["shared"].to_numpy()
    result = {}
    for level in resampling.LEVELS:
        result[level, "all"] = resampling.alignment(rows, counts, level)
        result[level, "shared"] = resampling.alignment(rows[shared].reset_index(drop=True), counts[:, shared], level)
    return result


def us_specifications(
    state: str, *, rounds: tuple[int, ...] = ROUNDS, resamples: int = 200, seed: int = 0
) -> pd.DataFrame:
    """Estimate US minus local alignment, the mean of the paper's six models, in all reasonable ways.

    Parameters
    ----------
    state, rounds, resamples, seed : as in :func:`capability_specifications`.

    Returns
    -------
    As :func:`capability_specifications`. Estimators: 'coefficient', the mean coefficient of Eq. 2, so less the gap of
    the random baseline, with the regression's interval; 'raw', without the baseline, 95% percentile interval over
    rounds; 'paired', of the data as they are, interval from whole questions resampled.
    """
    parts = []
    for (level, questions), alignment in _flat(state, max(rounds), seed).items():
        about = {"state": state, "level": level, "questions": questions}
        for number in rounds:
            for estimate in _coefficients(alignment.iloc[:number]):
                parts.append(estimate | about | {"unit": str(number)})
    paired = us_bias.us_difference(state, rounds=resamples, seed=seed).query("model == 'mean' and against == 'mean'")
    paired = paired.assign(term="us:" + paired["language"], estimator="paired", unit="questions")
    return pd.concat([pd.DataFrame(parts), paired], ignore_index=True)


def _coefficients(alignment: pd.DataFrame) -> list[dict]:
    """Eq. 2 in closed form: it is saturated, so a coefficient is a difference of differences of cell means."""
    from scipy import stats as distributions

    alignment = alignment.dropna(axis=1, how="all")
    keys = alignment.columns.to_frame(index=False).assign(us=lambda t: t["group"] == "US")
    cell = keys.groupby(["model", "language", "us"]).ngroup().to_numpy()
    values = alignment.to_numpy()
    variance = sum(values[:, cell == c].var() * (cell == c).sum() for c in set(cell)) * len(values)
    variance /= values.size - len(set(cell))
    gap = us_bias.gaps(alignment).xs("mean", axis=1, level=2)
    six = [*MODELS["gemma"], *MODELS["openai"]]
    found = []
    for language in LANGUAGES:
        of = gap.xs(language, axis=1, level=1)
        raw = of[six].mean(axis=1)
        local = ((keys["language"] == language) & (keys["model"] == RANDOM) & ~keys["us"]).sum()
        value = raw.mean() - of[RANDOM].mean()
        error = np.sqrt(variance / len(of) * (1 + 1 / local) * (1 + 1 / len(six)))
        about = {"term": f"us:{language}", "n": values.size}
        ends = {"low": value - 1.96 * error, "high": value + 1.96 * error}
        p_value = 2 * distributions.norm.sf(abs(value / error))
        found.append(about | {"estimator": "coefficient", "value": value, **ends, "p_value": p_value})
        low, high = raw.quantile([0.025, 0.975])
        found.append(about | {"estimator": "raw", "value": raw.mean(), "low": low, "high": high})
    return found
