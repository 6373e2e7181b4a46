"""Are the recovered answers the ones that were given? How many are sure, and whether other released files fit them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from . import nvas_released
from .nvas_released import FILE, ROUNDS, averaged

ONCE = ["model", "mode", "question"]


def share_table(rounds: int = ROUNDS, seed: int = 0) -> pd.DataFrame:
    """Count how many answers a released NVAS can come from.

    Parameters
    ----------
    rounds, seed : of the bootstrap.

    Returns
    -------
    One row per file and `scale` ('all', 'ordinal', 'nominal'), and for all files together (`model` 'all'): `value` (the
    share of scores that fit exactly one answer), `low`, `high` (95%, questions drawn), `n` (scores), `two` and `none`
    (shares that fit two, and no answer).
    """
    rows = nvas_released.recovered()
    found = rows["candidates"].str.len()
    rows = rows[[*FILE, "question", "scale"]].assign(one=(found == 1) * 1.0, two=(found == 2) * 1.0, none=found == 0)
    every = pd.concat([rows, rows.assign(model="all", framing="all", mode="all")])
    every = pd.concat([every.assign(scale="all"), every], ignore_index=True)
    out = averaged(every, [*FILE, "scale"], "one", rounds=rounds, seed=seed)
    return out.merge(every.groupby([*FILE, "scale"])[["two", "none"]].mean().reset_index(), on=[*FILE, "scale"])


def fits(recovered: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """Ask whether there is a second answer where a consistency says that there was one.

    A consistency ``1 - |a - b| / R`` gives the distance d of the answer a from another, b. Where d is large, only an a
    near an end of the scale has a b on it.

    Parameters
    ----------
    recovered : of `inversion.candidates`; its sure answers are tested.
    scores : of `released.read`, with the columns of `recovered` that name an answer and the consistency as `value`.

    Returns
    -------
    The rows in which not every answer would do: `model`, `framing`, `mode`, `question`, `country`, `hit` (1 or 0),
    `zero` (1 also where b can be an option "0" below the scale), `chance` (the share of the scale's answers that would
    do).
    """
    key = [*FILE, "question", "country"]
    sure = recovered.loc[recovered["answer"].notna(), [*key, "answer", "low", "high"]]
    rows = sure.merge(scores[scores["value"].notna()][[*key, "value"]], on=key)
    count = rows["high"] - rows["low"] + 1
    distance = ((1 - rows["value"]) * (count - 1)).round()
    hit, zero = (
        (rows["answer"] - distance >= least) | (rows["answer"] + distance <= rows["high"]) for least in (rows["low"], 0)
    )
    chance = np.minimum(1, 2 * np.maximum(count - distance, 0) / count).where(distance > 0, 1)
    return rows[key].assign(hit=hit * 1.0, zero=zero * 1.0, chance=chance)[chance < 1]


def agreeing(recovered: pd.DataFrame, spd: pd.DataFrame, draws: int = 20, seed: int = 0) -> pd.DataFrame:
    """Ask whether one neutral answer fits the persona's answers for all countries.

    The neutral framing is asked once for all countries, so the self-persona deviations of a question are distances of
    each country's answer from the same number.

    Parameters
    ----------
    recovered : of `inversion.candidates`; the persona's sure answers are tested.
    spd : of `released.read('SPD')`.
    draws, seed : of random answers, drawn evenly from the scale.

    Returns
    -------
    One row per model, mode and question with sure answers for two countries or more: `framing` ('persona'),
    `countries`, `hit` (1 or 0), `zero` (1 also where an option "0" below the scale would fit), `chance` (the share of
    `draws` of random answers that one neutral answer fits).
    """
    key = [*ONCE, "country"]
    sure = recovered[recovered["answer"].notna() & (recovered["framing"] == "persona")]
    rows = sure[[*key, "answer", "low", "high"]].merge(spd.loc[spd["value"].notna(), [*key, "value"]], on=key)
    groups = rows.groupby(ONCE)
    rows = rows[groups["answer"].transform("size") > 1]
    groups = rows.groupby(ONCE)
    code = groups.ngroup().to_numpy()
    low, high = rows["low"].to_numpy(), rows["high"].to_numpy()
    distance = ((1 - rows["value"]) * (high - low)).round().to_numpy().astype(int)
    out = groups.agg(countries=("answer", "size")).reset_index().assign(framing="persona")
    answer = rows["answer"].to_numpy().astype(int)
    out["hit"], out["zero"] = (_one_fits(answer, least, high, distance, code) for least in (low, np.zeros_like(low)))
    rng = np.random.default_rng(seed)
    drawn = [_one_fits(rng.integers(low, high + 1), low, high, distance, code) for _ in range(draws)]
    return out.assign(chance=np.mean(drawn, axis=0))


def _one_fits(answer, low, high, distance, code) -> np.ndarray:
    # The bit of every answer at that distance; what all countries have in common is left.
    above = np.where(answer + distance <= high, np.int64(1) << np.minimum(answer + distance, 62), 0)
    below = np.where(answer - distance >= low, np.int64(1) << np.maximum(answer - distance, 0), 0)
    order = np.argsort(code, kind="stable")
    first = np.flatnonzero(np.diff(code[order], prepend=-1))
    return (np.bitwise_and.reduceat((above | below)[order], first) != 0) * 1.0


def check_table(rounds: int = ROUNDS, seed: int = 0) -> pd.DataFrame:
    """Hold the recovered answers against released files that were not used to recover them.

    Parameters
    ----------
    rounds, seed : of the bootstrap.

    Returns
    -------
    One row per file and `check`: 'SPD: one neutral answer' (:func:`agreeing`), 'SPD: on the scale' (persona), 'CLCS: on
    the scale' (:func:`fits`): `value` (the share that passes), `low`, `high` (95%, questions drawn), `n` (questions or
    cells that could fail), `zero` (the share that passes if the other answer can be an option "0" below the scale),
    `chance` (the share that random answers pass).
    """
    recovered, spd = nvas_released.recovered(), nvas_released.consistency("SPD")
    clcs = nvas_released.consistency("CLCS")
    checks = {
        "SPD: one neutral answer": agreeing(recovered, spd, seed=seed),
        "SPD: on the scale": fits(recovered, spd.assign(framing="persona")),
        "CLCS: on the scale": fits(recovered, clcs[clcs["framing"] != "neutral"]),
    }
    parts = []
    for name, rows in checks.items():
        out = averaged(rows, FILE, "hit", rounds=rounds, seed=seed).assign(check=name)
        chance = rows.groupby(FILE, sort=False)[["zero", "chance"]].mean().reset_index()
        parts.append(out.merge(chance, on=FILE))
    out = pd.concat(parts, ignore_index=True)
    return out[[*FILE, "check", "value", "low", "high", "n", "zero", "chance"]]
