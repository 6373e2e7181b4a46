"""The paper's two quantities on released responses: cultural alignment and self-consistency (sections 2.2 and 3.2)."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd

from . import resampling
from .names import MODELS

CONSISTENCY = {"seed-2025-06": ("pearson", 1.0), "head-2025-08": ("spearman", 0.955)}
"""Per state: the correlation that consistency is, and what it is divided by (one minus the annotator's noise)."""


def alignment(joined: pd.DataFrame, counts: np.ndarray) -> pd.DataFrame:
    """Cultural alignment: Spearman correlation of model and human value polarity scores (section 2.2).

    Taken at response level, as in the authors' code: every sampled response is a point.

    Parameters
    ----------
    joined : as from :func:`~whosevalues.multicultural.released.join`.
    counts : how often each row was drawn, shape (rounds, rows); all ones for the data as they are.

    Returns
    -------
    One row per (round, model, language, group): `alignment` in [-1, 1], NaN where a sample does not vary.
    """
    return _long(resampling.alignment(joined, counts), "alignment")


def consistency(joined: pd.DataFrame, counts: np.ndarray, state: str) -> pd.DataFrame:
    """Self-consistency: correlation of answers to the same question, over all ordered pairs of draws (section 3.2).

    Parameters
    ----------
    joined : as from :func:`~whosevalues.multicultural.released.join`. A response stands there once per group, and its
        copies count as different draws, as in the authors' code.
    counts : how often each row was drawn, shape (rounds, rows).
    state : decides the correlation and its correction, see `CONSISTENCY`.

    Returns
    -------
    One row per (round, model, language): `consistency`, NaN where no question was drawn twice.
    """
    kind, reliability = CONSISTENCY[state]
    return _long(resampling.consistency(joined, counts, kind, "copies") / reliability, "consistency")


def distinct_consistency(joined: pd.DataFrame, state: str) -> pd.DataFrame:
    """Self-consistency over pairs of different responses: without resampling, so that none is paired with its copy.

    A bootstrap draws some responses twice, and a response agrees with its copy: its mean over all pairs is too high.

    Parameters
    ----------
    joined : as from :func:`~whosevalues.multicultural.released.join`, each response once.
    state : as in :func:`consistency`.

    Returns
    -------
    One row per (model, language): `consistency`.
    """
    return consistency(joined, np.ones((1, len(joined)), dtype=int), state).drop(columns="round")


def _long(values: pd.DataFrame, metric: str) -> pd.DataFrame:
    """One row per round and cell of a table with a line per round and a column per cell."""
    rounds, cells = values.shape
    table = values.columns.to_frame(index=False).loc[np.tile(np.arange(cells), rounds)].reset_index(drop=True)
    table.insert(0, "round", np.repeat(np.arange(rounds), cells))
    return table.assign(**{metric: values.to_numpy().ravel()})


def steps(values: pd.Series) -> pd.Series:
    """How much each model gains on the one before it in its family.

    Parameters
    ----------
    values : indexed by `model` and others.

    Returns
    -------
    The differences, with the index of `values`; NaN for a family's first model and for baselines.
    """
    table = values.unstack("model")
    pairs = [pair for family in MODELS.values() for pair in pairwise(family) if {*pair} <= {*table}]
    gains = {later: table[later] - table[earlier] for earlier, later in pairs}
    long = pd.DataFrame(gains, index=table.index).rename_axis(columns="model").stack()
    return long.reorder_levels(values.index.names).reindex(values.index)
