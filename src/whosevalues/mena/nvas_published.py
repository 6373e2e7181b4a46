"""The NVAS that the authors print, beside every way of averaging the released files that might have made it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from ..items import NATIVE
from ..stats import percentile_interval
from . import nvas_released, released
from .names import MODELS
from .nvas_released import FILE, ROUNDS, drawn

README = {
    ("persona", "llama-3.1-8b"): 0.7475,
    ("persona", "mistral-7b"): 0.7108,
    ("persona", "aya-8b"): 0.6930,
    ("observer", "llama-3.1-8b"): 0.7321,
    ("observer", "mistral-7b"): 0.7043,
    ("observer", "aya-8b"): 0.7091,
}
"""NVAS by framing and model in the authors' README, Results Summary."""

CONSISTENT = {"llama-3.1-8b": 0.7572, "mistral-7b": 0.6602, "aya-8b": 0.8211}
"""Cross-lingual consistency by model, there too."""

ROUNDING = 0.5e-4 + 1e-12
"""A figure printed in percent with two decimals is that far off at most."""

AVERAGES = {"countries": "country", "cells": None, "questions": "question"}
"""Averages, and what the cells are averaged by before."""


def averages_table() -> pd.DataFrame:
    """Hold the average rows of the authors' files against the means of the files' own cells.

    Returns
    -------
    One row per file: `value` (mean over countries of the recomputed means), `printed` (mean over the file's average
    row), `n` (countries), `off` (the largest difference of a country), `coverage`.
    """
    rows = nvas_released.scored()
    by = [*FILE, "country"]
    ours = rows.groupby(by, sort=False)["value"].mean().rename("value").reset_index()
    both = ours.merge(released.averages("NVAS")[[*by, "value"]], on=by, suffixes=("", "_printed"))
    both["off"] = (both["value"] - both["value_printed"]).abs()
    out = both.groupby(FILE, sort=False).agg(
        value=("value", "mean"), n=("value", "size"), printed=("value_printed", "mean"), off=("off", "max")
    )
    share = rows.groupby(FILE, sort=False).size() / len(nvas_released.benchmark().index)
    return out.assign(coverage=share).reset_index()


def readme_table(rounds: int = ROUNDS, seed: int = 0) -> pd.DataFrame:
    """Recompute the NVAS of the authors' README under the likely averages.

    Parameters
    ----------
    rounds, seed : of the bootstrap.

    Returns
    -------
    One row per `framing`, `model` and `average`, always the mean of the zero-shot and the reasoning file: 'countries'
    (unweighted mean of the countries' means), 'cells' (all alike), 'questions' (of the questions' means), 'shared
    cells' (countries, on cells with a score in both files): `value`, `low`, `high` (95%, questions drawn), `n` (cells),
    `coverage` (of the benchmark's, mean of the two files), `chance` and `midpoint` (averaged alike), `printed`, `off`
    (value minus printed), `matches` (1 where it is no more than rounding).
    """
    rows = nvas_released.scored()
    twice = rows.groupby(["framing", "model", "question", "country"])["value"].transform("size") == 2
    parts = []
    for name, (part, over) in {
        **{name: (rows, over) for name, over in AVERAGES.items()},
        "shared cells": (rows[twice], "country"),
    }.items():
        figures = {}
        for column in ("value", "chance", "midpoint"):
            figures[column] = _file_means(part, column, over, rounds if column == "value" else 2, seed)
        keys, draws = figures["value"]
        low, high = percentile_interval(draws)
        keys = keys.assign(low=low, high=high, average=name)
        for column in ("chance", "midpoint"):
            keys[column] = figures[column][0]["value"]
        parts.append(keys)
    out = pd.concat(parts, ignore_index=True)
    out["coverage"] = out["n"] / 2 / len(nvas_released.benchmark().index)
    out["printed"] = [README[key] for key in zip(out["framing"], out["model"], strict=True)]
    out["off"] = out["value"] - out["printed"]
    out["matches"] = (out["off"].abs() <= ROUNDING).astype(int)
    names = ["framing", "model", "average", "value", "low", "high", "n"]
    places = {name: place for place, name in enumerate(["persona", "observer", *MODELS.values()])}
    out = out[[*names, *out.columns.difference(names, sort=False)]]
    return out.sort_values(["framing", "model"], key=lambda c: c.map(places), kind="stable", ignore_index=True)


def _file_means(
    rows: pd.DataFrame, column: str, over: str | None, rounds: int, seed: int
) -> tuple[pd.DataFrame, np.ndarray]:
    """Mean of a model's two files, each the mean of its cells or of groups of cells."""
    if over == "question":
        # A mean of questions' means weighs a question as often as it was drawn.
        means = rows.groupby([*FILE, over], sort=False)[column].agg(["mean", "size"]).reset_index()
        keys, draws = drawn(means, FILE, "mean", rounds=rounds, seed=seed)
        keys["n"] = means.groupby(FILE, sort=False)["size"].sum().to_numpy()
    else:
        keys, draws = drawn(rows, [*FILE, over] if over else FILE, column, rounds=rounds, seed=seed)
    whole = np.column_stack([keys["value"], draws])
    files = keys.groupby(["framing", "model", "mode"], sort=False).ngroup().to_numpy()
    whole = np.array([np.nanmean(whole[files == k], axis=0) for k in range(files.max() + 1)])
    keys = keys.groupby(["framing", "model", "mode"], sort=False)["n"].sum().reset_index()
    pair = keys.groupby(["framing", "model"], sort=False).ngroup().to_numpy()
    whole = np.array([whole[pair == k].mean(axis=0) for k in range(pair.max() + 1)])
    out = keys.groupby(["framing", "model"], sort=False)["n"].sum().reset_index()
    return out.assign(value=whole[:, 0]), whole[:, 1:]


def leads_table(rounds: int = ROUNDS, seed: int = 0) -> pd.DataFrame:
    """Compare the three models on what the README prints: NVAS as persona and observer, cross-lingual consistency.

    Parameters
    ----------
    rounds, seed : of the bootstrap.

    Returns
    -------
    One row per `metric` and ordered pair `model`, `rival`: `value` (the difference of their figures, each the mean over
    the two modes of the unweighted countries' means; the printed consistency is that of the neutral framing, the mean
    over native languages), `low`, `high` (95%, questions drawn, the same for both), `n` (cells of both models),
    `printed` (the difference of the printed figures).
    """
    nvas = nvas_released.scored()[[*FILE, "question", "country", "value"]]
    clcs = nvas_released.consistency("CLCS").query("framing == 'neutral'").dropna(subset="value")
    # The neutral framing names no country: its figures stand by native language.
    clcs = clcs.assign(framing="CLCS", country=clcs["language"])[nvas.columns]
    keys, draws = _file_means(pd.concat([nvas, clcs], ignore_index=True), "value", "country", rounds, seed)
    names = {"persona": "NVAS, persona", "observer": "NVAS, observer", "CLCS": "CLCS, neutral"}
    printed = README | {("CLCS", model): figure for model, figure in CONSISTENT.items()}
    rows = []
    for at, of in ((a, b) for a in keys.index for b in keys.index):
        (framing, model), (other, rival) = (tuple(keys.loc[k, ["framing", "model"]]) for k in (at, of))
        if framing == other and model != rival:
            low, high = percentile_interval(draws[at] - draws[of])
            named = {"metric": names[framing], "model": model, "rival": rival}
            figures = {"value": keys.at[at, "value"] - keys.at[of, "value"], "low": float(low), "high": float(high)}
            told = {"n": keys.loc[[at, of], "n"].sum(), "printed": printed[framing, model] - printed[framing, rival]}
            rows.append(named | figures | told)
    return pd.DataFrame(rows)


def search(closest: int = 12) -> pd.DataFrame:
    """Try averages until one gives the printed figures of a framing for all three models at once.

    Every combination of which cells are taken, how they are averaged and how the two modes are put together.

    Parameters
    ----------
    closest : rows to keep per framing.

    Returns
    -------
    The closest per `framing`, by the largest deviation of the three models: `cells`, `average`, `modes`, the figure of
    each model, `value` (that largest deviation), `n` (models), `tried` (combinations), `place` (1 is closest).
    """
    rows = nvas_released.scored()
    code = rows.groupby(FILE).ngroup().to_numpy()
    files = rows.groupby(FILE).size().reset_index()[FILE]
    pairs = {key: _pair(files, *key) for key in README}
    found = []
    for cells, kept in _subsets(rows):
        for average, over in {**AVERAGES, "country median": "country"}.items():
            group = rows.groupby(over).ngroup().to_numpy() if over else np.zeros(len(rows), int)
            width = group.max() + 1
            place = (code * width + group)[kept]
            sums = np.bincount(place, rows["value"].to_numpy()[kept], len(files) * width).reshape(-1, width)
            counts = np.bincount(place, minlength=len(files) * width).reshape(-1, width)
            for framing in ("persona", "observer"):
                pair = {model: at for (of, model), at in pairs.items() if of == framing}
                for modes in ("mean of both", "pooled", "zero-shot", "reasoning"):
                    got = {m: _together(sums[at], counts[at], modes, average) for m, at in pair.items()}
                    worst = max(abs(got[m] - README[framing, m]) for m in got)
                    named = {"framing": framing, "cells": cells, "average": average, "modes": modes}
                    found.append(named | got | {"value": worst, "n": len(got)})
    out = pd.DataFrame(found).sort_values("value", kind="stable")
    out["tried"] = out.groupby("framing")["value"].transform("size")
    out["place"] = out.groupby("framing").cumcount() + 1
    return (
        out[out["place"] <= closest].sort_values(["framing", "place"], ascending=[False, True]).reset_index(drop=True)
    )


def _pair(files: pd.DataFrame, framing: str, model: str) -> list[int]:
    own = files[(files["framing"] == framing) & (files["model"] == model)]
    return [own.index[own["mode"] == mode][0] for mode in ("zero-shot", "reasoning")]


def _together(sums: np.ndarray, counts: np.ndarray, modes: str, average: str) -> float:
    if modes == "pooled":
        sums, counts = sums.sum(axis=0, keepdims=True), counts.sum(axis=0, keepdims=True)
    elif modes != "mean of both":
        which = ["zero-shot", "reasoning"].index(modes)
        sums, counts = sums[[which]], counts[[which]]
    with np.errstate(invalid="ignore", divide="ignore"):
        means = sums / counts
    middle = np.nanmedian if average == "country median" else np.nanmean
    return float(middle(means, axis=1).mean())


def _subsets(rows: pd.DataFrame) -> Iterator[tuple[str, np.ndarray]]:
    """Cells that an average may have been taken of."""
    yield "all", np.ones(len(rows), bool)
    for column in ("source", "scale"):
        for name in rows[column].unique():
            yield name, (rows[column] == name).to_numpy()
    for name, by in {
        "shared by the modes": ["framing", "model"],
        "shared by the framings": ["model", "mode"],
        "shared by the models": ["framing", "mode"],
        "shared by all files of the framing": ["framing"],
        "shared by all files": [],
    }.items():
        wanted = rows.groupby(by)[FILE].transform(lambda c: c.nunique()).prod(axis=1) if by else 12
        yield name, (rows.groupby([*by, "question", "country"])["value"].transform("size") == wanted).to_numpy()
    yield (
        "questions asked in all countries of the survey",
        (
            rows.groupby([*FILE, "question"])["country"].transform("size")
            == rows["source"].map(rows.groupby("source")["country"].nunique())
        ).to_numpy(),
    )
    arab = rows["country"].map(NATIVE) == "ar"
    yield "the 14 Arab countries", arab.to_numpy()
    yield "scored above 0", (rows["value"] > 0).to_numpy()
    for country in sorted(rows["country"].unique()):
        yield f"without {country}", (rows["country"] != country).to_numpy()
