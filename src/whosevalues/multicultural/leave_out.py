"""How much of the leaning to the US hangs on one question? Each is left out in turn."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .names import MODELS, STATES
from .prompts import tidy
from .released import join, read


def us_minus_own() -> pd.DataFrame:
    """Alignment with the US minus that with a language's own countries, the mean of the models, without each question.

    The raw difference behind the second research question, without its regression: Spearman correlation of responses
    and people, on the questions that every country of the language and the US have; the language's countries other than
    the US count alike.

    Returns
    -------
    One row per (state, language, without), first with `without` 'none': `value` in [-2, 2]; `n`, how many models;
    `above`, of how many the difference lies above 0; `change`, what leaving the question out does to `value`.
    """
    tables = []
    for state in STATES:
        responses, truth, _ = read(state)
        responses = responses[responses["model"].isin(sum(MODELS.values(), ()))]
        joined = join(responses, truth, "country")
        for language, rows in joined.groupby("language"):
            rows = rows[(rows["group_language"] == language) | (rows["group"] == "US")]
            shared = rows.groupby("question")["group"].nunique()
            rows = rows[rows["question"].isin(shared[shared == shared.max()].index)]
            tables.append(_each_left_out(rows).assign(state=state, language=language))
    table = pd.concat(tables, ignore_index=True)
    return tidy(table[["state", "language", "without", "value", "n", "above", "change"]])


def _each_left_out(rows: pd.DataFrame) -> pd.DataFrame:
    found = []
    for question in ["none", *sorted(rows["question"].unique())]:
        per_model = _differences(rows[rows["question"] != question])
        figures = {"value": per_model.mean(), "n": len(per_model), "above": int((per_model > 0).sum())}
        found.append({"without": question} | figures)
    table = pd.DataFrame(found)
    return table.assign(change=table["value"] - table["value"].iloc[0])


def _differences(rows: pd.DataFrame) -> np.ndarray:
    ranks = rows.groupby(["model", "group"])[["score", "human"]].rank()
    by = ranks.groupby([rows["model"], rows["group"]])
    centred = ranks - by.transform("mean")
    names = [rows["model"], rows["group"]]
    product = (centred["score"] * centred["human"]).groupby(names).sum()
    scale = (centred**2).groupby(names).sum()
    rho = (product / np.sqrt(scale["score"] * scale["human"])).unstack()
    return (rho["US"] - rho.drop(columns="US").mean(axis=1)).to_numpy()
