"""Multiple choice and answer judgement of the same items: do they agree, and where does their gap come from?"""

from __future__ import annotations

import numpy as np
import pandas as pd

from .. import stats
from .answer_rates import PRINTED as AJ_PRINTED
from .evaluation import PRINTED as MC_PRINTED

CELLS = [f"{mc} {aj}" for mc in ("S", "RS") for aj in ("S", "RS", "neither")]


def paired(chosen: pd.DataFrame, verdicts: pd.DataFrame) -> pd.DataFrame:
    """Set an item's multiple choice by completion beside the verdict on its free answer.

    Parameters
    ----------
    chosen : as `evaluation.multiple_choice` gives them, of one model.
    verdicts : of one judge, as `judgement.verdicts` or `judgement.by_embedding` give them; with `article` where several
        items share one, else each is its own.

    Returns
    -------
    One row per item with both: `id`, `nation`, `article`, `mc` ('S', 'RS'), `aj` ('S', 'RS', 'neither'). Ties, errors
    and refusals are left out.
    """
    mc = chosen[chosen["protocol"] == "completion"].set_index("id")["correct"].map({1.0: "S", 0.0: "RS"})
    answers = verdicts[(verdicts["role"] == "answer") & (verdicts["order"] == "both") & verdicts["verdict"].notna()]
    article = answers["article"] if "article" in answers else answers["id"]
    table = answers[["id", "nation"]].assign(article=article, mc=answers["id"].map(mc), aj=answers["verdict"])
    return table.dropna(subset="mc").reset_index(drop=True)


def crossed(pairs: pd.DataFrame) -> pd.DataFrame:
    """Count items by both verdicts.

    Parameters
    ----------
    pairs : as `paired` gives them.

    Returns
    -------
    Rows: the multiple choice; columns: the judge's verdict.
    """
    table = pd.crosstab(pairs["mc"], pairs["aj"])
    return table.reindex(index=["S", "RS"], columns=["S", "RS", "neither"], fill_value=0)


def agreement(pairs: pd.DataFrame, rounds: int = 2000, seed: int = 0) -> pd.DataFrame:
    """How far do multiple choice and answer judgement agree, item by item, and what makes their gap?

    MC - AJ = (MC - AJ where decided) + neither * (AJ where decided): the first term is how much less often the answers
    take S's side (the task), the second is what counting 'neither' as wrong takes off (the metric). The second is a
    product of shares and never below 0, so that its interval alone tells nothing: 'gap: metric less task' does.

    Parameters
    ----------
    pairs : as `paired` gives them.
    rounds, seed : of the bootstrap, which draws articles.

    Returns
    -------
    One row per `metric`: 'MC', 'AJ', 'neither', 'AJ, where decided', 'gap', 'gap: task', 'gap: metric', 'gap: metric
    less task'; 'same side', of the decided items; Cohen's 'kappa' of these, and 'kappa, with neither' of all, where
    multiple choice has no third outcome. `value`, `low`, `high` (95%, bootstrap), `n`, `chance`, `printed` (the paper's
    base models).
    """
    columns = pairs["mc"] + " " + pairs["aj"]
    table = pairs.assign(**{cell: (columns == cell).astype(float) for cell in CELLS})
    decided = int((pairs["aj"] != "neither").sum())
    gap = MC_PRINTED - AJ_PRINTED
    measures = {
        "MC": (_mc, len(pairs), 0.5, MC_PRINTED),
        "AJ": (_aj, len(pairs), np.nan, AJ_PRINTED),
        "neither": (_neither, len(pairs), np.nan, np.nan),
        "AJ, where decided": (_decided, decided, 0.5, np.nan),
        "gap": (lambda c: _mc(c) - _aj(c), len(pairs), np.nan, gap),
        "gap: task": (lambda c: _mc(c) - _decided(c), len(pairs), 0.0, np.nan),
        "gap: metric": (lambda c: _neither(c) * _decided(c), len(pairs), np.nan, np.nan),
        "gap: metric less task": (lambda c: (_neither(c) + 1) * _decided(c) - _mc(c), len(pairs), 0.0, np.nan),
        "same side": (_same, decided, np.nan, np.nan),
        "kappa": (lambda c: _kappa(c[:, [0, 1, 3, 4]].reshape(-1, 2, 2)), decided, 0.0, np.nan),
        "kappa, with neither": (_three, len(pairs), 0.0, np.nan),
    }
    rows = []
    for metric, (statistic, n, chance, printed) in measures.items():
        figures = stats.estimate(table, CELLS, statistic, cluster="article", rounds=rounds, seed=seed)
        rows.append({"metric": metric, **figures, "n": n, "chance": chance, "printed": printed})
    return pd.DataFrame(rows)


def _mc(c: np.ndarray) -> np.ndarray:
    return c[:, :3].sum(axis=1) / c.sum(axis=1)


def _aj(c: np.ndarray) -> np.ndarray:
    return c[:, [0, 3]].sum(axis=1) / c.sum(axis=1)


def _neither(c: np.ndarray) -> np.ndarray:
    return c[:, [2, 5]].sum(axis=1) / c.sum(axis=1)


def _decided(c: np.ndarray) -> np.ndarray:
    return c[:, [0, 3]].sum(axis=1) / c[:, [0, 1, 3, 4]].sum(axis=1)


def _same(c: np.ndarray) -> np.ndarray:
    return c[:, [0, 4]].sum(axis=1) / c[:, [0, 1, 3, 4]].sum(axis=1)


def _three(c: np.ndarray) -> np.ndarray:
    square = np.zeros((len(c), 3, 3))
    square[:, :2] = c.reshape(-1, 2, 3)
    return _kappa(square)


def _kappa(tables: np.ndarray) -> np.ndarray:
    """Cohen's kappa of counts, (samples, k, k); NaN where both raters say one thing alone."""
    shares = tables / tables.sum(axis=(1, 2), keepdims=True)
    observed = np.trace(shares, axis1=1, axis2=2)
    by_chance = (shares.sum(axis=1) * shares.sum(axis=2)).sum(axis=1)
    return (observed - by_chance) / (1 - by_chance)
