"""How much of the leaning to the US hangs on one question? Each is left out in turn."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .names import MODELS, STATES
from .prompts import tidy
from .released import read
from .resampling import alignment
from .us_bias import beside_countries, gaps


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
        rows = beside_countries(responses[responses["model"].isin(sum(MODELS.values(), ()))], truth)
        tables += [each_left_out(part).assign(state=state) for _, part in rows[rows["shared"]].groupby("language")]
    table = pd.concat(tables, ignore_index=True)
    return tidy(table[["state", "language", "without", "value", "n", "above", "change"]])


def each_left_out(rows: pd.DataFrame) -> pd.DataFrame:
    """Leave every question of one language out in turn.

    Parameters
    ----------
    rows : as from :func:`~whosevalues.multicultural.us_bias.beside_countries`, in one language.

    Returns
    -------
    As from :func:`us_minus_own`, without `state`.
    """
    without = ["none", *sorted(rows["question"].unique())]
    kept = np.array([rows["question"] != question for question in without], dtype=int)
    per_model = gaps(alignment(rows, kept)).xs("mean", axis=1, level=2)
    table = pd.DataFrame({"without": without, "value": per_model.mean(axis=1), "n": per_model.notna().sum(axis=1)})
    change = table["value"] - table["value"].iloc[0]
    return table.assign(above=(per_model > 0).sum(axis=1), change=change, language=rows["language"].iloc[0])
