"""Two models on the same triples, side by side: is one of them better on a nation, item by item?

The third of the next checks of NaVAB (arXiv 2504.12911): a multilingual model against one made for the language.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from .. import UserError, stats


def side_by_side(one: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """Compare two models' multiple choice, paired by item.

    Parameters
    ----------
    one, other : items as `evaluation.multiple_choice` gives them, of the same triples; with `article`, items of one
        article are drawn together.

    Returns
    -------
    One row per nation (first 'all') and protocol: `one` and `other`, their rates; `value`, one minus other; `low`,
    `high`, 95%, by a bootstrap of articles (of items where none is given); `n`, items that both answered; `only_one`
    and `only_other`, on how many the one did better; `p_value` of McNemar's exact test on these; `chance`, 0;
    `printed`, NaN. An item's score is the mean of its orders.

    Raises
    ------
    UserError : no item in common.
    """
    both = _scores(one).merge(_scores(other), on=["id", "nation", "protocol", "article"], suffixes=("_one", "_other"))
    if both.empty:
        raise UserError("the two models have no item in common: ask both about the same triples")
    both = both.assign(gap=both["correct_one"] - both["correct_other"])
    rows = []
    for nation in ("all", *dict.fromkeys(both["nation"])):
        here = both if nation == "all" else both[both["nation"] == nation]
        rows += [{"nation": nation, "protocol": name, **_compared(cell)} for name, cell in here.groupby("protocol")]
    return pd.DataFrame(rows).assign(chance=0.0, printed=np.nan)


def _scores(items: pd.DataFrame) -> pd.DataFrame:
    items = items if "article" in items else items.assign(article=items["id"])
    by = items.groupby(["id", "nation", "protocol", "article"], sort=False, dropna=False)["correct"]
    return by.agg(lambda scores: scores.mean(skipna=False)).dropna().reset_index()


def _compared(cell: pd.DataFrame) -> dict[str, float]:
    from scipy.stats import binomtest

    better, worse = int((cell["gap"] > 0).sum()), int((cell["gap"] < 0).sum())
    p_value = binomtest(better, better + worse).pvalue if better + worse else 1.0
    rates = {"one": cell["correct_one"].mean(), "other": cell["correct_other"].mean()}
    counts = {"n": len(cell), "only_one": better, "only_other": worse, "p_value": p_value}
    return rates | stats.estimate(cell, "gap", cluster="article") | counts
