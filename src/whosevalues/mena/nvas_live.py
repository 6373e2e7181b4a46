"""Scores that suit the scale, for answers to the teaching bank: 1 - W1 where it is ordinal, mode accuracy where not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from ..items import Question
from ..stats import cluster_interval
from . import baselines
from .answers import by_measurement
from .baselines import Cells

SHOWN = ("chance", "midpoint", "others", "one_human")


def bank_cells(humans: pd.DataFrame, questions: Iterable[Question]) -> Cells:
    """Lay out the teaching bank's human figures as the benchmark's.

    Parameters
    ----------
    humans : `question`, `country`, `option`, `probability`.
    questions : the bank; options are whole numbers.

    Returns
    -------
    As `baselines.cells`; the people's figure is the mean of an ordinal scale and the first mode of a nominal one.
    """
    facts = [(q.id, min(map(int, q.options)), max(map(int, q.options)), q.scale) for q in questions]
    asked = pd.DataFrame(facts, columns=["question", "low", "high", "scale"]).assign(source=None, category=None)
    people = humans.merge(asked, on="question")
    option = people["option"].astype(int)
    people = people[(option >= people["low"]) & (option <= people["high"])]
    people = people.assign(number=option).sort_values("number", kind="stable")
    cell = people.groupby(["question", "country"], sort=False)
    people["probability"] /= cell["probability"].transform("sum")
    people["part"] = people["number"] * people["probability"]
    cell = people.groupby(["question", "country"], sort=False)
    centre = cell["part"].sum().where(cell["scale"].first() == "ordinal")
    mode = people.loc[cell["probability"].idxmax()].set_index(["question", "country"])["number"]
    filled = centre.fillna(mode).rename("centre").reset_index()
    return baselines.cells(asked, filled, people[["question", "country", "option", "probability"]])


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
    of, out = bank_cells(humans, questions), []
    for measure in ("1 - W1", "mode accuracy"):
        marks, trivial = baselines.marks(of, measure), baselines.table(of, measure)[list(SHOWN)]
        known = of.index[["question", "country"]].assign(cell=of.index.index).join(trivial)
        rows = answered.merge(known[trivial["chance"].notna()], on=["question", "country"])
        lines = zip(rows["cell"], rows["best"], strict=True)
        rows["value"] = [marks[at, [int(o) for o in best]].mean() if len(best) else np.nan for at, best in lines]
        for key, cell in rows.groupby(list(by), sort=False):
            for kind, part in by_measurement(cell, ["value"]):
                got = part[part["value"].notna()]
                low, high = cluster_interval(part, "value", "question", seed=seed)
                figures = {"measure": measure, "measurement": kind, "value": got["value"].mean(), "low": low}
                figures |= {"high": high, "n": len(got), "coverage": len(got) / len(part), **got[list(SHOWN)].mean()}
                out.append(dict(zip(by, key, strict=True)) | figures)
    return pd.DataFrame(out)
