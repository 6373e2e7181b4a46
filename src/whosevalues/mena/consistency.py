"""How consistent a model is with itself: across languages (CLCS), framings (FCS), self and persona (SPD)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product

import numpy as np
import pandas as pd

from ..items import NATIVE, Question
from ..stats import cluster_interval, wilson
from .answers import by_measurement

CONSISTENCIES = ("CLCS", "FCS", "SPD")
"""Cross-lingual consistency, framing consistency, self-persona deviation (a consistency despite its name)."""


def consistencies(answered: pd.DataFrame, questions: Iterable[Question]) -> pd.DataFrame:
    """How near are two answers to the same question, asked in another language or framing?

    ``1 - |a - b| / R``, R the largest option minus the smallest (there times 100). CLCS compares English with the
    country's own language, framing by framing; FCS persona with observer and SPD persona with neutral, in English. A
    tie counts as the average over its options. Answers that were measured in two ways are not compared.

    Parameters
    ----------
    answered : as `answers.by_country` gives it.
    questions : the bank, for the options.

    Returns
    -------
    One row per `measure`, `question`, `country`, `framing` (missing for FCS and SPD) and `mode`: `value` in [0, 1],
    NaN where one of the two was not answered; `measurement`, of both, missing where there is no value; `chance`,
    expected if both were drawn evenly from the options.
    """
    native = answered["language"] == answered["country"].map(NATIVE)
    english = answered["language"] == "en"
    framed = {name: answered[english & (answered["framing"] == name)] for name in ("persona", "observer", "neutral")}
    pairs = {
        "CLCS": (answered[english], answered[native], ["question", "country", "framing", "mode"]),
        "FCS": (framed["persona"], framed["observer"], ["question", "country", "mode"]),
        "SPD": (framed["persona"], framed["neutral"], ["question", "country", "mode"]),
    }
    options = {question.id: question.options for question in questions}
    parts = []
    for measure, (first, second, on) in pairs.items():
        kept = [*on, "best", "measurement"]
        both = first[kept].merge(second[kept], on=on, suffixes=("", "_other"))
        scales = [options[name] for name in both["question"]]
        both["value"] = [_near(*row) for row in zip(both["best"], both["best_other"], scales, strict=True)]
        both["chance"] = [_near(scale, scale, scale) for scale in scales]
        both["value"] = both["value"].where(both["measurement"] == both["measurement_other"])
        both["measurement"] = both["measurement"].astype(object).where(both["value"].notna(), None)
        parts.append(both.drop(columns=["best", "best_other", "measurement_other"]).assign(measure=measure))
    return pd.concat(parts, ignore_index=True)


def _near(first: Sequence[str], second: Sequence[str], options: Sequence[str]) -> float:
    if not len(first) or not len(second):
        return np.nan
    width = float(options[-1]) - float(options[0])
    return float(np.mean([1 - abs(float(a) - float(b)) / width for a, b in product(first, second)]))


def consistency_table(pairs: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Average consistencies, with interval, coverage and chance level.

    Parameters
    ----------
    pairs : as `consistencies` gives it.
    seed : of the bootstrap.

    Returns
    -------
    One row per `measure`, `country`, `framing`, `mode` and `measurement`: `value` in [0, 1], `low`, `high` (95%
    bootstrap of questions; Wilson's where all pairs are alike), `n` (pairs answered), `coverage` (of the pairs),
    `chance` (on the same pairs).
    """
    by, rows = ["measure", "country", "framing", "mode"], []
    for key, cell in pairs.groupby(by, sort=False, dropna=False):
        for kind, whole in by_measurement(cell, ["value"]):
            part = whole[whole["value"].notna()]
            low, high = cluster_interval(part, "value", "question", seed=seed)
            if len(part) > 1 and low == high:
                # Where all pairs are alike a bootstrap has no width, as if a few questions could settle it.
                low, high = wilson(part["value"].sum(), len(part))
            figures = {"measurement": kind, "value": part["value"].mean(), "low": low, "high": high, "n": len(part)}
            figures |= {"coverage": len(part) / len(cell), "chance": part["chance"].mean()}
            rows.append(dict(zip(by, key, strict=True)) | figures)
    return pd.DataFrame(rows, columns=[*by, "measurement", "value", "low", "high", "n", "coverage", "chance"])
