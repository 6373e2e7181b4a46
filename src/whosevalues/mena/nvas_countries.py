"""Does a model's answer for a country fit that country? Signal within questions, and rankings of countries."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..stats import percentile_interval
from . import nvas_released
from .nvas_released import FILE, ROUNDS, averaged, drawn

CELL = [*FILE, "question"]


def answers(scores: pd.DataFrame) -> pd.DataFrame:
    """Put recovered answers and people's figures on a scale from 0 to 1.

    Ordinal items alone, and there only answers that are sure. Of nominal items it is just the wrong answers that can
    come from two options, so that those that are sure would be right too often.

    Parameters
    ----------
    scores : of `inversion.candidates`.

    Returns
    -------
    One row per sure answer to an ordinal item: `model`, `framing`, `mode`, `question`, `country`, `answer`
    ((a - low) / R), `best` (the whole answer nearest to h), `human` ((h - low) / R).
    """
    scores = scores[(scores["scale"] == "ordinal") & scores["answer"].notna()]
    width = scores["high"] - scores["low"]
    figures = {"answer": scores["answer"], "best": np.floor(scores["human"] + 0.5), "human": scores["human"]}
    scaled = {name: (figure - scores["low"]) / width for name, figure in figures.items()}
    return scores[[*CELL, "country"]].assign(**scaled)


def correlation(rows: pd.DataFrame, x: str, y: str, rounds: int = ROUNDS, seed: int = 0) -> pd.DataFrame:
    """Correlate two columns over the countries within questions.

    What questions differ in is taken out: the question's mean (over the countries of the file) is subtracted from
    both. If which answer goes to which country is a matter of luck, every order of the answers to a question is as
    likely as any other; the products then add up to 0 on average, with the variance ``sum of Sxx Syy / (n - 1)`` over
    questions (the permutation distribution's own; its shape is taken as normal).

    Parameters
    ----------
    rows : columns of `FILE`, `question`, `x`, `y`.
    x, y : columns to correlate.
    rounds, seed : of the bootstrap.

    Returns
    -------
    One row per file: `value` (the correlation), `low`, `high` (95%, questions drawn), `n` (cells in questions with two
    or more countries), `chance` (0), `chance_low`, `chance_high` (95% of the permutations), `p_value` (two-sided).
    """
    from scipy.stats import norm

    groups = rows.groupby(CELL)
    rows = rows.assign(dx=rows[x] - groups[x].transform("mean"), dy=rows[y] - groups[y].transform("mean"))
    rows = rows[groups[x].transform("size") > 1]
    rows = rows.assign(xx=rows["dx"] ** 2, yy=rows["dy"] ** 2, xy=rows["dx"] * rows["dy"])
    sums = rows.groupby(CELL, sort=False)[["xy", "xx", "yy"]].sum()
    sums = sums.assign(spread=sums["xx"] * sums["yy"] / (rows.groupby(CELL, sort=False).size() - 1)).reset_index()
    parts = {}
    for name in ("xy", "xx", "yy"):
        keys, draws = drawn(sums, FILE, name, rounds=rounds, seed=seed)
        parts[name] = np.column_stack([keys["value"], draws])
    with np.errstate(invalid="ignore", divide="ignore"):
        r = parts["xy"] / np.sqrt(parts["xx"] * parts["yy"])
    low, high = percentile_interval(r[:, 1:])
    out = keys[FILE].assign(value=r[:, 0], low=low, high=high)
    total = sums.groupby(FILE, sort=False)[["xx", "yy", "spread"]].sum()
    sd = (np.sqrt(total["spread"]) / np.sqrt(total["xx"] * total["yy"])).to_numpy()
    out["n"] = rows.groupby(FILE, sort=False).size().reindex(pd.MultiIndex.from_frame(out[FILE])).to_numpy()
    out = out.assign(chance=0.0, chance_low=-1.96 * sd, chance_high=1.96 * sd)
    return out.assign(p_value=2 * norm.sf(np.abs(out["value"]) / sd))


def advantage(rows: pd.DataFrame, people: pd.DataFrame, answer: str) -> pd.Series:
    """How much nearer an answer is to its own country than to the others that were asked the same question.

    Parameters
    ----------
    rows : `question`, `country`, and an answer on a scale from 0 to 1.
    people : `question`, `country`, `human` (h on the same scale), of every country asked.
    answer : the column of the answer.

    Returns
    -------
    Per row: NVAS against the own country minus the mean NVAS of the same answer against the others, in [-1, 1]; NaN
    where no other country was asked.
    """
    wide = people.pivot(index="question", columns="country", values="human")
    everyone = wide.reindex(rows["question"]).to_numpy()
    distance = np.abs(everyone - rows[[answer]].to_numpy())
    own = distance[np.arange(len(rows)), wide.columns.get_indexer(rows["country"])]
    others = np.isfinite(distance).sum(axis=1) - 1
    with np.errstate(invalid="ignore", divide="ignore"):
        return pd.Series((np.nansum(distance, axis=1) - own) / others - own, rows.index)


def signal(rounds: int = ROUNDS, seed: int = 0) -> pd.DataFrame:
    """Look for knowledge of the country in the recovered answers of every released file.

    Parameters
    ----------
    rounds, seed : of the bootstrap.

    Returns
    -------
    One row per file and `statistic`, all of sure answers to ordinal items: 'correlation' (within questions:
    `correlation`), 'advantage' (own country against the others: `advantage`), 'one answer' (share of questions, of
    those with answers for two or more countries, that get the same one for all): `value`, `low`, `high` (95%,
    questions drawn), `n`; `chance`, `chance_low`, `chance_high`, `p_value` (where there are any); `best`, the same for
    the whole answers nearest to people's figures: the most that whole answers allow.
    """
    rows = answers(nvas_released.recovered())
    people = nvas_released.benchmark().index
    human = (people["human"] - people["low"]) / (people["high"] - people["low"])
    people = people[["question", "country"]].assign(human=human)
    how = {"rounds": rounds, "seed": seed}
    found = correlation(rows, "answer", "human", **how)
    parts = [found.assign(statistic="correlation", best=correlation(rows, "best", "human", rounds=2)["value"])]
    gains = rows.assign(own=advantage(rows, people, "answer"), ideal=advantage(rows, people, "best"))
    ideal = averaged(gains, FILE, "ideal", rounds=2)["value"]
    parts.append(averaged(gains, FILE, "own", **how).assign(statistic="advantage", chance=0.0, best=ideal))
    same = rows.groupby(CELL, sort=False).agg(
        n=("answer", "size"), said=("answer", "nunique"), ideal=("best", "nunique")
    )
    same = same[same["n"] > 1].eq(1).astype(float).reset_index()
    ideal = averaged(same, FILE, "ideal", rounds=2)["value"]
    parts.append(averaged(same, FILE, "said", **how).assign(statistic="one answer", best=ideal))
    out = pd.concat(parts, ignore_index=True)
    names = [*FILE, "statistic"]
    return out[[*names, *out.columns.difference(names, sort=False)]]


def adjusted(rows: pd.DataFrame, value: str, rounds: int = ROUNDS, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """Compare countries on the questions that they share: question and country effects, added.

    Least squares of ``value = question + country``; the country effects are put so that their mean is the mean of the
    countries' own means.

    Parameters
    ----------
    rows : `country`, `question`, `value`, of one file.
    value : the column.
    rounds, seed : of the bootstrap, which draws questions.

    Returns
    -------
    keys : one row per country: `country`, `value`, `n`.
    draws : shape (countries, rounds); NaN where the questions drawn do not link all countries.
    """
    from ..stats import bootstrap_counts

    wide = rows.pivot(index="country", columns="question", values=value)
    seen = wide.notna().to_numpy().astype(float)
    y = np.nan_to_num(wide.to_numpy())
    n = seen.sum(axis=0)
    k = len(wide)
    # Question by question, what is left of the normal equations once the question's own effect is swept out.
    left = np.einsum("iq,ij->qij", seen, np.eye(k)) - np.einsum("iq,jq->qij", seen / n, seen)
    right = (y - seen * (y.sum(axis=0) / n)).T
    times = np.vstack([np.ones(len(n)), bootstrap_counts(len(n), rounds, seed)])
    # The effects are known up to a constant: adding one everywhere picks those that add up to 0.
    matrix = (times @ left.reshape(len(n), -1)).reshape(-1, k, k) + 1.0
    # A draw in which no chain of questions leads from one country to another cannot compare them.
    apart = np.linalg.eigvalsh(matrix)[:, 0] < 1e-9
    matrix[apart] = np.eye(k)
    effects = np.linalg.solve(matrix, (times @ right)[:, :, None])[:, :, 0]
    with np.errstate(invalid="ignore", divide="ignore"):
        level = ((times @ y.T) / (times @ seen.T)).mean(axis=1, keepdims=True)
    figures = np.where(apart[:, None], np.nan, effects + level).T
    keys = pd.DataFrame({"country": wide.index, "value": figures[:, 0], "n": seen.sum(axis=1).astype(int)})
    return keys, figures[:, 1:]


def ranking(rounds: int = ROUNDS, seed: int = 0) -> pd.DataFrame:
    """Rank countries by NVAS, on all cells and on questions that they share.

    Parameters
    ----------
    rounds, seed : of the bootstrap.

    Returns
    -------
    One row per file, `questions` and `country`: `value`, `low`, `high` (95%, questions drawn), `n` (cells), `coverage`
    (of the country's cells of that source), `rank` (1 is best) with `rank_low` and `rank_high`, `midpoint` (what the
    midpoint gets on the same cells). `questions` is 'all' (every cell, as published), 'adjusted' (`adjusted`, all
    countries), 'WVS' or 'AOI' (questions of one survey with a score in every country of it).
    """
    rows = nvas_released.scored()
    every = nvas_released.benchmark().index
    parts = []
    for key, file in rows.groupby(FILE, sort=False):
        kinds = {"all": file, "adjusted": file, "WVS": _shared(file, "WVS"), "AOI": _shared(file, "AOI")}
        for name, part in kinds.items():
            if name == "adjusted":
                keys, draws = adjusted(part, "value", rounds, seed)
            else:
                keys, draws = drawn(part, ["country"], "value", rounds=rounds, seed=seed)
            figures = np.column_stack([keys["value"], draws])
            order = np.where(np.isnan(figures), np.nan, (-figures).argsort(axis=0).argsort(axis=0) + 1)
            out = keys.assign(rank=order[:, 0].astype(int), questions=name)
            out["low"], out["high"] = percentile_interval(draws)
            out["rank_low"], out["rank_high"] = percentile_interval(order[:, 1:])
            asked = every if name in ("all", "adjusted") else every[every["source"] == name]
            out["coverage"] = out["n"] / out["country"].map(asked.groupby("country").size())
            out["midpoint"] = out["country"].map(part.groupby("country")["midpoint"].mean())
            parts.append(out.assign(**dict(zip(FILE, key, strict=True))))
    out = pd.concat(parts, ignore_index=True)
    names = [*FILE, "questions", "country", "value", "low", "high", "n", "coverage"]
    return out[[*names, "rank", "rank_low", "rank_high", "midpoint"]]


def _shared(file: pd.DataFrame, source: str) -> pd.DataFrame:
    part = file[file["source"] == source]
    return part[part.groupby("question")["country"].transform("size") == part["country"].nunique()]


def agreement(ranked: pd.DataFrame) -> pd.DataFrame:
    """Hold rankings of countries against that by all cells.

    Parameters
    ----------
    ranked : of :func:`ranking`.

    Returns
    -------
    One row per file and `against` ('adjusted', 'WVS', 'AOI', 'midpoint'): `value` (Spearman's correlation over the
    countries in both), `n` (countries), `moved` (the most places that a country moves, ranked among the same
    countries), `questions_shared` (of which the other ranking is made, at least).
    """
    from scipy.stats import spearmanr

    rows = []
    for key, file in ranked.groupby(FILE, sort=False):
        whole = file[file["questions"] == "all"].set_index("country")
        others = {name: part.set_index("country") for name, part in file.groupby("questions", sort=False)}
        figures = {name: others[name]["value"] for name in ("adjusted", "WVS", "AOI") if name in others}
        figures["midpoint"] = whole["midpoint"]
        for name, other in figures.items():
            own = whole["value"].reindex(other.index)
            moved = (own.rank() - other.rank()).abs().max()
            facts = {"against": name, "value": spearmanr(own, other).statistic, "n": len(other), "moved": moved}
            if name in ("WVS", "AOI"):
                facts["questions_shared"] = others[name]["n"].min()
            rows.append(dict(zip(FILE, key, strict=True)) | facts)
    return pd.DataFrame(rows)
