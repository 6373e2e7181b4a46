"""Which cells a model answered, and of what: NVAS on shared cells, by category, and whether it rewards the majority."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..stats import percentile_interval
from . import baselines
from .nvas_released import FILE, ROUNDS, averaged, benchmark, drawn, scored


def coverage(rounds: int = ROUNDS, seed: int = 0) -> pd.DataFrame:
    """Ask whether it matters which cells a model answered.

    Parameters
    ----------
    rounds, seed : of the bootstrap.

    Returns
    -------
    One row per file and `cells` ('own', those with a score in the file; 'shared', those with a score in all six files
    of the framing): `value` (NVAS), `low`, `high` (95%, questions drawn), `n`, `questions`, `coverage` (of the
    benchmark's cells); `midpoint` and `others`, what these get there, and `easier` with `easier_low` and `easier_high`:
    how much more the midpoint gets there than on the whole benchmark.
    """
    rows = scored()
    whole = benchmark().index[["question"]].join(baselines.table(benchmark(), "NVAS")["midpoint"])
    cell = ["framing", "question", "country"]
    everywhere = rows.groupby(cell)["value"].transform("size") == rows.groupby("framing")["model"].transform(
        lambda models: len(rows.loc[models.index, FILE].drop_duplicates())
    )
    both = pd.concat([rows.assign(cells="own"), rows[everywhere].assign(cells="shared")])
    by = [*FILE, "cells"]
    out = averaged(both, by, "value", rounds=rounds, seed=seed).assign(coverage=lambda t: t["n"] / len(whole))
    groups = both.groupby(by, sort=False)
    out = out.merge(groups[["midpoint", "others"]].mean().reset_index(), on=by)
    out["questions"] = groups["question"].nunique().to_numpy()
    # The benchmark comes last, on the same draws of questions: its cells are the files', and more.
    every = pd.concat([both, whole.assign(**dict.fromkeys(by, "benchmark"))])
    keys, draws = drawn(every, by, "midpoint", rounds=rounds, seed=seed)
    low, high = percentile_interval((draws - draws[-1])[:-1])
    return out.assign(easier=(keys["value"] - keys["value"].iloc[-1])[:-1], easier_low=low, easier_high=high)


def categories(rounds: int = ROUNDS, seed: int = 0) -> pd.DataFrame:
    """Average NVAS by the benchmark's categories, on the cells that all models answered.

    Parameters
    ----------
    rounds, seed : of the bootstrap.

    Returns
    -------
    One row per `framing`, `category` and `model`: `value` (both modes together), `low`, `high` (95%, questions
    drawn), `n` (cells of both modes), `midpoint` and `others` on the same cells, `lead` with `lead_low` and
    `lead_high`: NVAS minus that of the best other model, paired by question.
    """
    rows = scored()
    place = ["framing", "mode", "question", "country"]
    shared = rows[rows.groupby(place)["model"].transform("nunique") == rows["model"].nunique()]
    by = ["framing", "category", "model"]
    keys, draws = drawn(shared, by, "value", rounds=rounds, seed=seed)
    out = keys.copy()
    out["low"], out["high"] = percentile_interval(draws)
    for _, part in out.groupby(["framing", "category"]):
        for at in part.index:
            rival = part.drop(index=at)["value"].idxmax()
            out.loc[at, "rival"] = out.at[rival, "model"]
            out.loc[at, "lead"] = out.at[at, "value"] - out.at[rival, "value"]
            out.loc[at, ["lead_low", "lead_high"]] = percentile_interval(draws[at] - draws[rival])
    means = shared.groupby(by, sort=False)[["midpoint", "others"]].mean().reset_index()
    return out.merge(means, on=by)[
        [*by, "value", "low", "high", "n", "rival", "lead", "lead_low", "lead_high", "midpoint", "others"]
    ]


def majority(rounds: int = ROUNDS, seed: int = 0) -> pd.DataFrame:
    """Ask whether NVAS rewards the answer of the majority.

    Parameters
    ----------
    rounds, seed : of the bootstrap.

    Returns
    -------
    One row per `scale` and `statistic`, over the benchmark's cells: `value` (a share), `low`, `high` (95%, questions
    drawn), `n`. Statistics: 'best answer is the most common one' (the option with the highest NVAS is one of the
    people's most common), 'more than half chose the best answer', 'the most common answer scores less than the
    midpoint'.
    """
    of = benchmark()
    scores = baselines.marks(of, "NVAS")
    best = np.nanargmax(np.where(np.isnan(scores), -1, scores), axis=1)
    line = np.arange(len(best))
    share, most = of.people[line, best], of.people.max(axis=1)
    mode = of.people.argmax(axis=1)
    midpoint = baselines.table(of, "NVAS")["midpoint"].to_numpy()
    wide = of.index[["question", "scale"]].assign(
        **{
            "best answer is the most common one": share > most - 1e-9,
            "more than half chose the best answer": share > 0.5,
            "the most common answer scores less than the midpoint": scores[line, mode] < midpoint - 1e-9,
        }
    )
    long = wide.melt(["question", "scale"], var_name="statistic").astype({"value": float})
    return averaged(long, ["scale", "statistic"], "value", rounds=rounds, seed=seed)
