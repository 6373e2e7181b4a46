"""Leave each question out in turn: intervals that lie around the estimate and add no noise to what they measure."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd

from . import critique
from .names import STATES

LEFT_OUT = "each question left out"
"""The scheme of the estimates without one question; their `round` is the number of the question."""


def interval(draws: pd.DataFrame, by: list[str], *, level: float = 0.95, any_of: int = 1) -> pd.DataFrame:
    """Tukey's jackknife interval of every figure: the estimate, give or take t (n - 1) standard errors.

    With n estimates, each without one question, the variance is (n - 1) / n times the sum of their squared distances
    from their mean (Miller, 1974; Efron and Tibshirani, 1993, chapter 11). Questions are what a study of values
    samples; a question takes its responses with it, of all models and in all languages.

    Parameters
    ----------
    draws : `by`, `scheme` and `value`; scheme 'none' holds the data, `LEFT_OUT` the estimates without a question.
    by : columns that name a figure.
    level : how often the interval holds the figure, in (0, 1).
    any_of : of how many intervals a single one will decide: each then holds its figure in all but (1 - `level`) /
        `any_of` of the cases (Bonferroni).

    Returns
    -------
    One row per `by`: `value` (of the data), `low`, `high`; these NaN where an estimate is missing.

    Examples
    --------
    >>> draws = pd.DataFrame({"scheme": ["none"] + [LEFT_OUT] * 3, "term": "mean", "value": [2.0, 1.5, 2.0, 2.5]})
    >>> print(interval(draws, ["term"]).round(2).to_string(index=False))
    term  value   low  high
    mean    2.0 -0.48  4.48
    """
    from scipy.stats import t

    table = draws[draws["scheme"] == "none"].groupby(by, sort=False)["value"].first().to_frame()
    without = draws[draws["scheme"] == LEFT_OUT].groupby(by, sort=False)["value"]
    n = without.size()
    std_err = np.sqrt((n - 1) * without.var(ddof=0)).where(without.count() == n)
    reach = std_err * t.ppf(1 - (1 - level) / 2 / any_of, n - 1)
    return table.assign(low=table["value"] - reach, high=table["value"] + reach).reset_index()


@cache
def cells() -> pd.DataFrame:
    """Measure every model and language of both states, on all questions and without each of them.

    Returns
    -------
    One row per (state, scheme, round, model, language): what :func:`~whosevalues.multicultural.critique.figures`
    gives, `family` and `multilingual`.
    """
    tables = []
    for state in STATES:
        joined, about = critique.study(state)
        responses = critique.own(joined)
        samples = [("none", 0, responses)]
        for number, question in enumerate(sorted(responses["question"].unique())):
            samples.append((LEFT_OUT, number, responses[responses["question"] != question]))
        for scheme, number, sample in samples:
            table = critique.figures(critique.whole(sample), state).merge(about, on=critique.CELL)
            tables.append(table.assign(state=state, scheme=scheme, round=number))
    return pd.concat(tables, ignore_index=True)
