"""Scores that suit the scale, for answers to the teaching bank: 1 - W1 where it is ordinal, mode accuracy where not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd

from ..items import Question
from ..stats import cluster_interval
from . import baselines
from .answers import by_measurement
from .nvas import BASELINES, against


def scores_table(
    answered: pd.DataFrame,
    humans: pd.DataFrame,
    questions: Iterable[Question],
    by: Sequence[str] = ("model", "framing", "language"),
    seed: int = 0,
) -> pd.DataFrame:
    """Average 1 - W1 over ordinal and mode accuracy over nominal items, beside the trivial answerers.

    Parameters
    ----------
    answered : as of `answers.by_country`: `question`, `country`, `best` (tuple of options), `measurement` and `by`.
    humans : `question`, `country`, `option`, `probability`, of every country that the answerer `others` may use.
    questions : the bank.
    by : columns that name a figure.
    seed : of the bootstrap.

    Returns
    -------
    One row per cell of `by`, `measure` and `measurement`: `value` in [0, 1] (a tie counts as the average over its
    options), `low`, `high` (95%, questions drawn), `n` (answers), `coverage` (of the cells of that scale that were
    asked), `chance`, `midpoint`, `others`, `one_human`, on the answered cells.
    """
    of, out = baselines.bank_cells(humans, questions), []
    for measure in ("1 - W1", "mode accuracy"):
        for key, cell in against(answered, of, measure).groupby(list(by), sort=False):
            for kind, part in by_measurement(cell, ["value"]):
                got = part[part["value"].notna()]
                low, high = cluster_interval(part, "value", "question", seed=seed)
                figures = {"measure": measure, "measurement": kind, "value": got["value"].mean(), "low": low}
                figures |= {
                    "high": high,
                    "n": len(got),
                    "coverage": len(got) / len(part),
                    **got[list(BASELINES)].mean(),
                }
                out.append(dict(zip(by, key, strict=True)) | figures)
    return pd.DataFrame(out)
