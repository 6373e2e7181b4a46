"""Abstentions in the released files: usable cells of a file that have no score, and whether sensitive ones have fewer.

No refusal text was released, so an abstention is all that can be seen: a refusal, any other text without a valid
number, or a row that got lost.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..stats import cluster_interval, wilson
from . import released, workbook

TOPICS = {
    "sexual morality": ("Q22", "Q25", "Q36", "Q182", "Q183", "Q186", "Q193"),
    "life and death": ("Q184", "Q187", "Q188", "Q195"),
    "family law and violence in families": ("Q185", "Q189", "Q190"),
    "violence and terrorism": ("Q191", "Q192", "Q194"),
    "religious belief and its law": ("Q164", "Q165", "Q166", "Q167", "Q168", "Q169", "Q170", "Q239", "Q242"),
    "who is an unbeliever": ("686", "687", "688"),
    "recognition of Israel": ("694", "695", "696"),
}
"""Sensitive questions of the workbook: items of the WVS, and columns of the Arab Opinion Index, which has no items."""

FILE = ["model", "framing", "mode"]


def sensitive(questions: pd.DataFrame) -> pd.DataFrame:
    """List the questions that count as sensitive here.

    Parameters
    ----------
    questions : of `workbook.read`.

    Returns
    -------
    One row per question: `question`, `source`, `item`, `topic` (a key of `TOPICS`: the reason), `options`.
    """
    topics = {name: topic for topic, names in TOPICS.items() for name in names}
    # A column's number is no item's: the Index alone is named by it.
    named = questions["item"].mask(questions["source"] == "AOI", questions["question"])
    out = questions.assign(topic=named.map(topics), options=questions["high"] - questions["low"] + 1)
    return out.loc[out["topic"].notna(), ["question", "source", "item", "topic", "options"]].reset_index(drop=True)


def listed() -> pd.DataFrame:
    """List the sensitive questions with how many countries answered them.

    Returns
    -------
    As of `sensitive`; `value` (options), `low`, `high` (NaN), `n` (countries with figures), `chance`, `printed` (NaN).
    """
    questions, cells = workbook.read()
    counts = cells.loc[cells["shares"].map(bool), "question"].value_counts()
    out = sensitive(questions).rename(columns={"options": "value"})
    out = out.assign(low=np.nan, high=np.nan, n=out["question"].map(counts).fillna(0).astype(int))
    return out.assign(chance=np.nan, printed=np.nan)


def read() -> pd.DataFrame:
    """Say of every usable cell of every file whether it has a score.

    Returns
    -------
    One row per cell with human figures and NVAS file: `model`, `framing`, `mode`, `question`, `country`, `absent` (0 or
    1), `source`, `category`, `options`, `topic` ('sensitive' or 'other').
    """
    questions, cells = workbook.read()
    usable = cells.loc[cells["shares"].map(bool), ["question", "country"]]
    table = released.read("NVAS").merge(usable, on=["question", "country"])
    about = questions[["question", "source", "category"]].assign(options=questions["high"] - questions["low"] + 1)
    chosen = questions["question"].isin(sensitive(questions)["question"])
    about["topic"] = np.where(chosen, "sensitive", "other")
    table["absent"] = table["value"].isna().astype(float)
    table = table[[*FILE, "question", "country", "absent"]].merge(about, on="question")
    return table.sort_values(FILE, kind="stable", ignore_index=True)


def shares(table: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """How many of the usable cells have no score?

    Parameters
    ----------
    table : of `read`.
    seed : of the bootstrap.

    Returns
    -------
    One row per file (`model`, `framing`, `mode`), `part` ('all', 'source', 'category', 'topic' or 'country') and
    `level`: `value` (share in [0, 1]), `low`, `high` (95% bootstrap of questions; of countries Wilson's, for they have
    a question once), `n` (cells), `questions`, `chance` and `printed` (NaN).
    """
    rows = []
    for part in ("all", "source", "category", "topic", "country"):
        levels = table.assign(all="all")[part]
        for key, cell in table.groupby([*FILE, levels.rename("level")], sort=False):
            low, high = (np.nan, np.nan)
            if part != "country":
                low, high = cluster_interval(cell, "absent", "question", seed=seed)
            if not low < high:
                low, high = wilson(cell["absent"].sum(), len(cell))
            facts = {"value": cell["absent"].mean(), "low": low, "high": high, "n": len(cell)}
            facts["questions"] = cell["question"].nunique()
            rows.append(dict(zip([*FILE, "level"], key, strict=True)) | {"part": part} | facts)
    columns = [*FILE, "part", "level", "value", "low", "high", "n", "questions"]
    return pd.DataFrame(rows)[columns].assign(chance=np.nan, printed=np.nan)


def contrasts(table: pd.DataFrame, seed: int = 0, rounds: int = 1000) -> pd.DataFrame:
    """Are answers missing more often on sensitive questions than on others?

    Parameters
    ----------
    table : of `read`.
    seed, rounds : of the bootstrap, which draws sensitive and other questions apart.

    Returns
    -------
    One row per file and `compared`: 'all' (mean over questions, sensitive minus other) and 'same source and number of
    options' (the same within each such group that has both, weighted by its sensitive questions): `value` in [-1, 1],
    `low`, `high` (95%), `n` (sensitive questions), `others` (questions they are held against), `chance` (0, were topics
    no matter), `printed` (NaN).
    """
    rows = []
    for key, cell in table.groupby(FILE, sort=False):
        each = cell.groupby(["question", "topic", "source", "options"], as_index=False)["absent"].mean()
        for compared in ("all", "same source and number of options"):
            group = np.zeros(len(each), int)
            if compared != "all":
                group = each.groupby(["source", "options"]).ngroup().to_numpy()
            facts = _contrast(each["absent"].to_numpy(), (each["topic"] == "sensitive").to_numpy(), group, seed, rounds)
            rows.append(dict(zip(FILE, key, strict=True)) | {"compared": compared} | facts)
    return pd.DataFrame(rows).assign(chance=0.0, printed=np.nan)


def _contrast(values: np.ndarray, chosen: np.ndarray, group: np.ndarray, seed: int, rounds: int) -> dict[str, float]:
    rng, gaps, weights, others = np.random.default_rng(seed), [], [], 0
    for number in np.unique(group):
        ours, theirs = values[(group == number) & chosen], values[(group == number) & ~chosen]
        if not len(ours) or not len(theirs):
            continue
        drawn = [side[rng.integers(len(side), size=(rounds, len(side)))].mean(axis=1) for side in (ours, theirs)]
        gaps.append(np.append(drawn[0] - drawn[1], ours.mean() - theirs.mean()))
        weights.append(len(ours))
        others += len(theirs)
    gap = np.average(gaps, axis=0, weights=weights)
    low, high = np.quantile(gap[:-1], [0.025, 0.975])
    return {"value": float(gap[-1]), "low": float(low), "high": float(high), "n": int(sum(weights)), "others": others}
