"""The runs: the book's small one, and the full one with its seeds, controls and ablation; and their table."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pandas as pd

from ..models.hf import HFModel
from . import aligned, alignment
from .alignment import Training
from .conditions import (
    BEFORE,
    LEFT_OUT,
    ORPO,
    PLAIN,
    PLANTED,
    PLANTED_CLEAN,
    PLANTED_PRUNED,
    PLANTED_REDUCED,
    PRUNED,
    REDUCED,
    SMALL,
    dropped,
    left_out,
    plan,
    trained,
    without,
)
from .wording import heuristics

PAIRS, HELD, CONTRARIES = 6, 8, 8
"""Least size of the full run: training pairs and held-out triples of each nation, and contradictions planted."""

GAINS = (0.05, 0.03)
"""What the paper reports, at least: by training, and in multiple choice by conflict reduction."""

CONTRASTS = (
    (REDUCED, PLAIN),
    (REDUCED, PRUNED),
    (PLANTED_REDUCED, PLANTED),
    (PLANTED_CLEAN, PLANTED),
    (PLANTED_CLEAN, PLANTED_PRUNED),
    (ORPO, PLAIN),
)
"""Ways of training that are held against each other over the same items and seeds."""

COLUMNS = [
    *("condition", "items", "metric", "nation", "term", "seed"),
    *("value", "low", "high", "n", "pairs", "chance", "printed"),
]


def demonstration(
    base: HFModel, parts: pd.DataFrame, held: dict[str, pd.DataFrame], training: Training, per_nation: int, words: int
) -> pd.DataFrame:
    """Make the book's own small run: one adapter, completions before and after.

    Parameters
    ----------
    base, held, training : as for `trained`.
    parts : of `pipeline`.
    per_nation, words : as for `plan`.

    Returns
    -------
    As of `every`, the conditions being 'before' and 'small run'.
    """
    pairs = aligned.drawn(parts[parts["part"] == "train"], per_nation, words, training.seed)
    only = (aligned.COMPLETION,)
    before = trained(base, pairs.head(0), training, held, only).assign(condition=BEFORE)
    return pd.concat([before, trained(base, pairs, training, held, only).assign(condition=SMALL)], ignore_index=True)


def every(
    base: HFModel,
    found: pd.DataFrame,
    parts: pd.DataFrame,
    seeds: int,
    training: Training,
    words: int,
    pairs: int = PAIRS,
    held: int = HELD,
) -> pd.DataFrame:
    """Make the full run: every condition with every seed, the ablation over rounds, ORPO, and the nation left out.

    With three seeds and the embedded model it takes 25 minutes on two cores; what was trained before is found again.

    Parameters
    ----------
    base : the model.
    found, parts : of `pipeline`.
    seeds : how many, from 0.
    training : how.
    words : longest statement, in words.
    pairs, held : training pairs and held-out triples of each nation, at least `PAIRS` and `HELD`; `pairs`, at least
        `CONTRARIES`, is also how many contradictions are planted.

    Returns
    -------
    As of `trained`, with `condition`; 'before' is the model itself.
    """
    from tqdm import tqdm

    size = {"per_nation": max(PAIRS, pairs), "words": words, "planted": max(CONTRARIES, pairs)}
    asked = aligned.items(parts, max(HELD, held), words)
    todo = [(BEFORE, found.head(0), training, aligned.EVERY)]
    for seed in range(seeds):
        todo += _todo(found, parts, replace(training, seed=seed), size)
    todo.append((LEFT_OUT, None, training, ()))
    rows = []
    # A line a minute where there is no terminal.
    for name, chosen, own, metrics in tqdm(todo, "alignment", mininterval=0.5 if sys.stderr.isatty() else 60):
        some = left_out(base, own, asked) if chosen is None else trained(base, chosen, own, asked, metrics)
        rows.append(some.assign(condition=name))
    return pd.concat(rows, ignore_index=True)


def _todo(found: pd.DataFrame, parts: pd.DataFrame, training: Training, size: dict[str, int]) -> list[tuple]:
    ways, only = plan(found, parts, training.seed, **size), (aligned.COMPLETION,)
    # The letters and the open question take longest to score, and say nothing of the planted pairs.
    todo = [(name, ways[name], training, aligned.EVERY) for name in (PLAIN, REDUCED, PRUNED)]
    todo.append((ORPO, ways[PLAIN], replace(training, method="orpo"), aligned.EVERY))
    planted = [PLANTED, PLANTED_REDUCED, PLANTED_CLEAN, PLANTED_PRUNED]
    todo += [(name, ways[name], training, only) for name in planted]
    for rounds in (1, 2, 3, 4):
        pairs = without(ways[PLANTED], dropped(found, ways[PLANTED], rounds))
        todo.append((f"{PLANTED_REDUCED}, {rounds} rounds", pairs, training, only))
    return todo


def table(rows: pd.DataFrame, rounds: int = 1000) -> pd.DataFrame:
    """Summarise runs.

    Parameters
    ----------
    rows : of `every` or `demonstration`.
    rounds : bootstrap rounds.

    Returns
    -------
    Columns `condition` ('a minus b' for contrasts), `items`, `metric`, `nation`, `term` (of `aligned.compared` and
    `aligned.contrast`), `seed` ('all', or one seed's completions), `value`, `low`, `high`, `n` (items), `pairs`
    (trained on, a mean over seeds), `chance`, `printed`.
    """
    before, after = rows[rows["condition"] == BEFORE], rows[rows["condition"] != BEFORE]
    out = []
    for condition, own in after.groupby("condition", sort=False):
        named = {"condition": condition, "pairs": own["pairs"].mean()}
        told = aligned.compared(before, own, rounds).assign(seed="all", **named)
        out.append(told if condition in (PLAIN, ORPO, SMALL) else told[told["nation"] == "all"])
        choices = own[own["metric"] == aligned.COMPLETION]
        for seed, one in choices.groupby("seed") if own["seed"].nunique() > 1 else []:
            mine = aligned.compared(before, one, rounds)
            mine = mine[(mine["nation"] == "all") & (mine["term"] == "change")]
            out.append(mine.assign(seed=str(seed), **named))
    by = dict(list(after.groupby("condition")))
    for one, other in CONTRASTS:
        if one in by and other in by:
            held = aligned.contrast(by[one], by[other], rounds)
            out.append(held.assign(condition=f"{one} minus {other}", seed="all", pairs=np.nan))
    return _printed(pd.concat(out, ignore_index=True))[COLUMNS]


def _printed(rows: pd.DataFrame) -> pd.DataFrame:
    """Set the paper's figures beside the like: base models, DPO, conflict reduction on multiple choice."""
    ours = (rows["items"] == aligned.PIPELINE) & (rows["seed"] == "all")
    choice = rows["metric"].isin([aligned.COMPLETION, aligned.LETTER])
    plain = rows["condition"].isin([PLAIN, SMALL])
    base, plain = (plain & (rows["term"] == "before") & (rows["nation"] == "all"), plain & (rows["term"] == "change"))
    reduced = (rows["condition"] == f"{REDUCED} minus {PLAIN}") & (rows["term"] == "difference")
    printed = np.full(len(rows), np.nan)
    for where, value in (
        (ours & base & choice, 0.5),
        (ours & base & (rows["metric"] == aligned.JUDGED), 0.27),
        (ours & plain & (choice | (rows["metric"] == aligned.JUDGED)), GAINS[0]),
        (ours & reduced & choice, GAINS[1]),
    ):
        printed[where] = value
    return rows.assign(printed=printed)


def with_stored(fresh: pd.DataFrame, stored: pd.DataFrame | None, model: str) -> pd.DataFrame:
    """Set the rows of the last full run beside those of a small one.

    Parameters
    ----------
    fresh : of `table`.
    stored : the tracked table; None where there is none.
    model : who was trained now; another model's full run is not mixed in.

    Returns
    -------
    The fresh rows, and the stored ones of conditions that did not run now.
    """
    if stored is None or stored.attrs["provenance"]["parameters"].get("model") != model:
        return fresh
    return pd.concat([fresh, stored[~stored["condition"].isin(fresh["condition"])][COLUMNS]], ignore_index=True)


def splits(parts: pd.DataFrame, share: float = 0.2) -> pd.DataFrame:
    """Hold the split by article against the released code's by item.

    Parameters
    ----------
    parts : triples as `alignment.split` gives them.
    share : held out.

    Returns
    -------
    One row per `split`: `articles`, `straddling`, `items`, `leaked` as of `alignment.straddling`; `value`, the share of
    held-out items that leaked: counted, not estimated, so `low` and `high` are NaN; `n`, `chance`, `printed`.
    """
    both = {"by article": parts, "by item": alignment.split_by_item(parts, share)}
    told = pd.concat([alignment.straddling(table).assign(split=name) for name, table in both.items()])
    told = told.assign(value=told["leaked"] / told["items"], n=told["items"])
    empty = dict.fromkeys(["low", "high", "chance", "printed"], np.nan)
    columns = ["split", "articles", "straddling", "items", "leaked", "value", "low", "high", "n", "chance", "printed"]
    return told.assign(**empty)[columns].reset_index(drop=True)


def rules(held: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """How often do rules that know no values pick S of what is held out?

    Parameters
    ----------
    held : of `aligned.items`.

    Returns
    -------
    `items`, `metric` (the rule), `value`, `low`, `high`, `n`, `chance`, `printed`.
    """
    told = [heuristics(rows).query("nation == 'all'").assign(items=kind) for kind, rows in held.items()]
    columns = ["items", "metric", "value", "low", "high", "n", "chance"]
    return pd.concat(told, ignore_index=True)[columns].assign(printed=np.nan)


def headline(summary: pd.DataFrame) -> str:
    """Name the condition that the first lines of the chapter speak of: the full run's, or else the small one."""
    return PLAIN if (summary["condition"] == PLAIN).any() else SMALL


def power(summary: pd.DataFrame) -> pd.DataFrame:
    """Count the items that it takes to see the paper's gains, from how many choices differ between the two models.

    Parameters
    ----------
    summary : of `table`.

    Returns
    -------
    One row per `items` and `gain`, 'training' (.05: before against after) and, where there is a full run, 'conflict
    reduction' (.03: trained with planted contradictions against without): `difference`, `changed` (the share of items
    that differ), `value` (items needed), `low` and `high` (NaN), `n` (items it rests on), `chance`, `printed`.
    """
    whole = summary[
        (summary["metric"] == aligned.COMPLETION) & (summary["nation"] == "all") & (summary["seed"] == "all")
    ]
    wanted = {
        "training": (headline(summary), "changed", GAINS[0]),
        "conflict reduction": (f"{PLANTED_CLEAN} minus {PLANTED}", "differ", GAINS[1]),
    }
    rows = []
    for gain, (condition, term, difference) in wanted.items():
        here = whole[(whole["condition"] == condition) & (whole["term"] == term)]
        for row in here.to_dict("records"):
            told = aligned.needed([difference], row["value"]).rename(columns={"n": "value"})
            rows.append(told.assign(items=row["items"], gain=gain, n=row["n"]))
    empty = dict.fromkeys(["low", "high", "chance", "printed"], np.nan)
    return pd.concat(rows, ignore_index=True).assign(**empty)[
        ["items", "gain", "difference", "changed", "value", "low", "high", "n", "chance", "printed"]
    ]


def verdict(summary: pd.DataFrame) -> str:
    """Say in one sentence what the changes on the three kinds of items allow to conclude.

    Parameters
    ----------
    summary : of `table`, with the full run or only the small one.

    Returns
    -------
    The sentence.
    """
    rows = summary[(summary["metric"] == aligned.COMPLETION) & (summary["nation"] == "all")]
    rows = rows[(rows["term"] == "change") & (rows["seed"] == "all") & (rows["condition"] == headline(summary))]
    rows = rows.set_index("items")[["low", "high"]].reindex(aligned.KINDS)
    if rows.loc[aligned.TEACHING, "low"] > 0:
        return "Something was learned beyond the wording: the teaching triples gain, too."
    if rows.loc[aligned.DENIES, "high"] < 0:
        return (
            "The change follows the wording: where the statement is the one that denies, the model turned away from "
            "it, which a model that had learned positions would not do."
        )
    return "These items cannot tell what was learned, positions or wording: the intervals are too wide."
