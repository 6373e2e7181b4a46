"""How much more alike countries are in one language or mode than in another, on the cells that both have."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ..stats import bootstrap_counts, percentile_interval
from .collapse import by_question, measured
from .profiles import ARAB, CELL, common


def contrast_table(
    sets: pd.DataFrame,
    people: pd.DataFrame,
    questions: pd.DataFrame,
    column: str,
    minuend: str,
    subtrahend: str,
    countries: Sequence[str] = ARAB,
    rounds: int = 500,
    seed: int = 0,
) -> pd.DataFrame:
    """How much more alike countries are in one language, mode or framing than in another, on the cells of both.

    Parameters
    ----------
    sets, people : of `profiles.answer_sets`.
    questions : indexed by `question`.
    column : one of `profiles.CELL`.
    minuend, subtrahend : two of its values.
    countries, rounds, seed : as in :func:`collapse_table`.

    Returns
    -------
    One row per remaining cell, `measure` being 'identical': `value` (the difference, the middle of its bounds `least`
    and `most`), `low`, `high` (95% bootstrap over questions, bounds included), `n` (questions), `chance` (0),
    `contrast` (names the two), `printed` (none); `side` is 1 or -1 where `low` and `high` lie above or below 0, else 0;
    `verdict` says it in words: 'more', 'less', 'undecided: sign' where already the bounds include 0, else 'undecided:
    sampling'.
    """
    kept, words = [name for name in CELL if name != column], {1: "more", -1: "less"}
    tables = [by_question(side, people, questions, countries) for side in common(sets, column, minuend, subtrahend)]
    rows = []
    for cell, first in tables[0].groupby(kept, sort=False):
        second = tables[1].loc[first.index]
        counts = np.vstack([np.ones(len(first), int), bootstrap_counts(len(first), rounds, seed)])
        named = dict(zip(kept, cell, strict=True)) | {"contrast": f"{minuend} - {subtrahend}"}
        (a, b), (c, d) = ([measured(counts, t, "identical", e) for e in ("least", "most")] for t in (first, second))
        least, most = a - d, b - c
        low, high = percentile_interval(least[1:])[0], percentile_interval(most[1:])[1]
        side = int(low > 0) - int(high < 0)
        verdict = words.get(side, "undecided: sign" if least[0] < 0 < most[0] else "undecided: sampling")
        ends = {"value": (least[0] + most[0]) / 2, "low": low, "high": high, "least": least[0], "most": most[0]}
        about = {"n": len(first), "chance": 0.0, "printed": np.nan, "side": side, "verdict": verdict}
        rows.append(named | {"measure": "identical"} | ends | about)
    return pd.DataFrame(rows)
