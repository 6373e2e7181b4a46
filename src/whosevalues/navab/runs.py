"""The runs: the book's small one, and the full one with its seeds, controls and ablation; and their table."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from .. import stats
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
"""Size of the full run: training pairs and held-out triples of each nation, and contradictions planted."""

CONTRASTS = (
    (REDUCED, PLAIN),
    (REDUCED, PRUNED),
    (PLANTED, PLAIN),
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
    held: dict[str, pd.DataFrame],
    seeds: int,
    training: Training,
    progress: bool = True,
    **size: int,
) -> pd.DataFrame:
    """Make the full run: every condition with every seed, the ablation over rounds, ORPO, and the nation left out.

    Parameters
    ----------
    base : the model.
    found, parts : of `pipeline`.
    held : of `aligned.items`.
    seeds : how many.
    training : how.
    progress : show a bar.
    size : `per_nation`, `words`, `planted`, as for `plan`.

    Returns
    -------
    As of `trained`, with `condition`; 'before' is the model itself.
    """
    todo = [(BEFORE, found.head(0), training, aligned.EVERY)]
    for seed in range(seeds):
        todo += _todo(found, parts, replace(training, seed=seed), size)
    todo.append((LEFT_OUT, None, training, ()))
    rows = []
    for name, pairs, own, metrics in alignment.bar(todo, "alignment", len(todo), progress):
        some = left_out(base, own, held) if pairs is None else trained(base, pairs, own, held, metrics)
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
    Columns `condition` ('a minus b' for contrasts), `items`, `metric`, `nation`, `term` (of `aligned.compared`, and
    'difference'), `seed` ('all', or one seed's completions), `value`, `low`, `high`, `n` (items), `pairs` (trained on,
    a mean over seeds), `chance`, `printed`.
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
    reduced = rows["condition"] == f"{REDUCED} minus {PLAIN}"
    printed = np.full(len(rows), np.nan)
    for where, value in (
        (ours & base & choice, 0.5),
        (ours & base & (rows["metric"] == aligned.JUDGED), 0.27),
        (ours & plain & (choice | (rows["metric"] == aligned.JUDGED)), 0.05),
        (ours & reduced & choice, 0.03),
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


def full(
    base: HFModel, found: pd.DataFrame, parts: pd.DataFrame, seeds: int, training: Training, words: int
) -> pd.DataFrame:
    """Make the full run in its size, 25 minutes on two cores with three seeds and the embedded model.

    Parameters
    ----------
    base, found, parts, seeds, training : as for `every`.
    words : longest statement, in words.

    Returns
    -------
    As of `every`.
    """
    held = aligned.items(parts, HELD, words)
    return every(base, found, parts, held, seeds, training, per_nation=PAIRS, words=words, planted=CONTRARIES)


def splits(parts: pd.DataFrame, share: float = 0.2) -> pd.DataFrame:
    """Hold the split by article against the released code's by item.

    Parameters
    ----------
    parts : triples as `alignment.split` gives them.
    share : held out.

    Returns
    -------
    One row per `split`: `articles`, `straddling`, `items`, `leaked` as of `alignment.straddling`; `value`, the share of
    held-out items that leaked, with Wilson's `low` and `high`; `n`, `chance`, `printed`.
    """
    rows = []
    for name, table in (("by article", parts), ("by item", alignment.split_by_item(parts, share))):
        counts = alignment.straddling(table).iloc[0].to_dict()
        low, high = stats.wilson(counts["leaked"], counts["items"])
        told = {"value": counts["leaked"] / counts["items"], "low": low, "high": high, "n": counts["items"]}
        rows.append({"split": name} | counts | told | {"chance": np.nan, "printed": np.nan})
    return pd.DataFrame(rows)


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


def power(summary: pd.DataFrame) -> pd.DataFrame:
    """Count the items that it takes to see the paper's gains, from how many choices training changed.

    Parameters
    ----------
    summary : of `table`.

    Returns
    -------
    One row per `items` and `difference` (.03, .05): `changed`, `value` (items needed), `low` and `high` (NaN), `n`
    (items of the full run, or of the small one), `chance`, `printed`.
    """
    whole = summary[(summary["metric"] == aligned.COMPLETION) & (summary["nation"] == "all")]
    condition = PLAIN if (whole["condition"] == PLAIN).any() else SMALL
    whole = whole[(whole["condition"] == condition) & (whole["term"] == "changed") & (whole["seed"] == "all")]
    rows = [
        aligned.needed((0.03, 0.05), row["value"]).rename(columns={"n": "value"}).assign(items=row["items"], n=row["n"])
        for row in whole.to_dict("records")
    ]
    empty = dict.fromkeys(["low", "high", "chance", "printed"], np.nan)
    return pd.concat(rows, ignore_index=True).assign(**empty)[
        ["items", "difference", "changed", "value", "low", "high", "n", "chance", "printed"]
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
    rows = rows[(rows["term"] == "change") & (rows["seed"] == "all")]
    rows = rows[rows["condition"] == (PLAIN if (rows["condition"] == PLAIN).any() else SMALL)].set_index("items")
    denies, teaching = rows.loc[aligned.DENIES], rows.loc[aligned.TEACHING]
    if teaching["low"] > 0:
        return "Something was learned that is not the give-away: the teaching triples gain, too."
    if denies["high"] < 0:
        return (
            "What was learned is the give-away: a model that had learned positions would not lose where the statement "
            "is the one that denies."
        )
    return "These items cannot tell what was learned, positions or the give-away: the intervals are too wide."
