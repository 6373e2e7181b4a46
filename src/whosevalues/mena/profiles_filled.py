"""What filling gaps with the mean does to a picture of countries."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .profiles import CELL, certain, framed, shuffled, width


def imputed_table(sets: pd.DataFrame, people: pd.DataFrame, questions: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Say what a picture of all sixteen countries shows if gaps are filled with the question's mean.

    A gap that is filled with the mean puts a country at the centre on that question, so that the fewer answers it has,
    the nearer it lies to the middle of the picture, whatever the answers: also if they were handed out anew.

    Parameters
    ----------
    sets, people : of `profiles.answer_sets`.
    questions : indexed by `question`.
    seed : of the random generator.

    Returns
    -------
    One row per model, framing and mode in English, and one for people, and `measure`: 'filled' (share of the cells),
    'radius' (correlation, over countries, of the distance from the middle of the first two components with the number
    of answers); `value`, `low`, `high` and `chance` (the middle 95% and the mean of 50 sets whose answers were handed
    out anew within each question: no interval of `value`), `n` (questions), `printed` (none).
    """
    rng, scale, rows = np.random.default_rng(seed), width(questions), []
    answers = certain(framed(sets).xs("en", level="language"))
    answers = answers.div(answers.index.get_level_values("question").map(scale), axis=0)
    tables = {("people", None, None): people.div(scale, axis=0)}
    tables |= {key: part.droplevel(CELL[:3]) for key, part in answers.groupby(CELL[:3], sort=False)}
    for cell, table in tables.items():
        profile = table[table.notna().sum(axis=1) >= 2].T.to_numpy()
        null = [_radius(shuffled(profile, rng)) for _ in range(50)]
        low, high = np.quantile(null, [0.025, 0.975])
        n, filled = profile.shape[1], np.isnan(profile).mean()
        rows.append((*cell, "filled", filled, np.nan, np.nan, n, np.nan))
        rows.append((*cell, "radius", _radius(profile), low, high, n, np.mean(null)))
    out = pd.DataFrame(rows, columns=[*CELL[:3], "measure", "value", "low", "high", "n", "chance"])
    return out.assign(printed=np.nan)


def _radius(profile: np.ndarray) -> float:
    """Correlation of a country's distance from the middle of the picture with the number of its answers."""
    known = np.isfinite(profile)
    filled = np.where(known, profile, np.nanmean(profile, axis=0))
    u, s, _ = np.linalg.svd(filled - filled.mean(axis=0), full_matrices=False)
    return float(np.corrcoef(np.hypot(*(u[:, :2] * s[:2]).T), known.sum(axis=1))[0, 1])
