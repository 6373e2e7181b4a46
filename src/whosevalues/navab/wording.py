"""What the wording of a triple gives away: rules that know no values and still pick S."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pandas as pd

from .rates import by_nation

NEGATIONS = frozenset(
    ["no", "not", "never", "none", "nor", "neither", "cannot", "nothing", "nobody", "nowhere", "without"]
)


def heuristics(triples: pd.DataFrame) -> pd.DataFrame:
    """How often would a rule that knows no values pick S?

    A rate far from one half says that the wording gives a statement away, so a model can score without any values.

    Parameters
    ----------
    triples : columns `id`, `nation`, `question`, `statement`, `reverse_statement`; `article` where several share one.

    Returns
    -------
    One row per `nation` (first 'all') and rule (`metric`): `value`, the share of items in which the rule picks S,
    ties counting one half; `low` and `high` (Wilson, 95%); `n`; `unanswered`, always 0; `chance`, 0.5; `printed`, NaN.

    Examples
    --------
    >>> pair = {"id": "x", "nation": "FR", "question": "Is it so?", "statement": "It is.", "reverse_statement": "No."}
    >>> heuristics(pd.DataFrame([pair])).query("nation == 'all'").set_index("metric")["value"].to_dict()
    {'fewer negations': 1.0, 'longer string': 1.0, 'shorter string': 0.0, 'more words of the question': 1.0}
    """
    rules: dict[str, Callable[[str, str], float]] = {
        "fewer negations": lambda text, question: -negations(text),
        "longer string": lambda text, question: len(text),
        "shorter string": lambda text, question: -len(text),
        "more words of the question": overlap,
    }
    trials = {}
    for metric, score in rules.items():
        gap = [
            score(item["statement"], item["question"]) - score(item["reverse_statement"], item["question"])
            for item in triples.to_dict("records")
        ]
        trials[metric] = triples.assign(value=positive(pd.Series(gap, index=triples.index, dtype=float)))
    return by_nation(trials).assign(printed=np.nan)


def positive(gap: pd.Series) -> pd.Series:
    """Say on which side of zero numbers lie.

    Parameters
    ----------
    gap : numbers, NaN among them.

    Returns
    -------
    1 above zero, 0 below, 0.5 at zero up to rounding, NaN for NaN.
    """
    return (np.sign(gap.where(gap.abs() > 1e-9, gap * 0)) + 1) / 2


def negations(text: str) -> int:
    """Count words that negate: a closed list, and contractions in n't.

    Examples
    --------
    >>> negations("It isn't so, and never was without doubt.")
    3
    """
    return sum(word in NEGATIONS or word.endswith("n't") for word in _words(text))


def overlap(text: str, question: str) -> float:
    """Measure how many words two texts share.

    Returns
    -------
    Distinct words in both over distinct words in either (Jaccard), in [0, 1].

    Examples
    --------
    >>> overlap("Trade is free.", "Is trade fair?")
    0.5
    """
    ours, theirs = set(_words(text)), set(_words(question))
    return len(ours & theirs) / max(1, len(ours | theirs))


def _words(text: str) -> list[str]:
    return re.findall(r"\w+(?:[-']\w+)*", text.lower().replace("’", "'"))
