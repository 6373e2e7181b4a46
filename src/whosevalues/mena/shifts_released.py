"""How far the language, or else the framing, moves the answers of the released models."""

from __future__ import annotations

import pandas as pd

from ..items import NATIVE
from ..stats import estimate
from .consistency_released import even


def shift_table(table: pd.DataFrame, rounds: int = 400, seed: int = 0) -> pd.DataFrame:
    """How often and how far does an answer move when the language, or else the framing, changes?

    Parameters
    ----------
    table : of `consistency_released.pairs`.
    rounds, seed : of the bootstrap.

    Returns
    -------
    One row per `change` ('language', 'persona to observer', 'persona to neutral'), `framing` (in which the language
    changes, else missing), `language` (native one, 'all' for all three), `model`, `mode` and `figure` ('same': share of
    identical answers; 'large': share that moves by more than half the scale; 'shift': mean distance over the scale):
    `value`, `low`, `high` (95%, questions resampled), `n` (pairs), `chance` (two even draws).
    """
    changes = {"CLCS": "language", "FCS": "persona to observer", "SPD": "persona to neutral"}
    table = table.dropna(subset="value").assign(change=table["measure"].map(changes))
    table = table.assign(language=table["language"].fillna(table["country"].map(NATIVE)))
    whole = table[table["change"] == "language"].assign(language="all")
    others = table[table["change"] != "language"].assign(language="all")
    shifted = moved(pd.concat([table[table["change"] == "language"], whole, others], ignore_index=True))
    names = ["same", "large", "shift"]
    rows = []
    by = ["change", "framing", "language", "model", "mode"]
    for key, part in shifted.groupby(by, dropna=False, sort=False):
        for name in names:
            row = dict(zip(by, key, strict=True)) | {"figure": name}
            row |= estimate(part, name, rounds=rounds, seed=seed)
            rows.append(row | {"n": len(part), "chance": part[f"{name}_chance"].mean()})
    return pd.DataFrame(rows)


def moved(table: pd.DataFrame) -> pd.DataFrame:
    """Say of every pair whether the answers are the same, far apart, and how far.

    Parameters
    ----------
    table : rows of `consistency_released.pairs` with a `value`.

    Returns
    -------
    The same with `same`, `large` (0 or 1), `shift` (distance over the scale), and what two even draws get:
    `same_chance`, `large_chance`, `shift_chance`.
    """
    width = table["high"] - table["low"]
    shift = 1 - table["value"]
    k = width + 1
    # Of k * k pairs 2 (k - d) lie d apart; those that lie more than half the scale apart have d from `far` to k - 1.
    far = width // 2 + 1
    return table.assign(
        same=(shift * width < 0.5).astype(float),
        large=(shift > 0.5 + 1e-9).astype(float),
        shift=shift,
        same_chance=1 / k,
        large_chance=(k - far) * (k - far + 1) / k**2,
        shift_chance=1 - even(k),
    )


def contrast_table(table: pd.DataFrame, rounds: int = 400, seed: int = 0) -> pd.DataFrame:
    """Does the language move an answer further than the framing does? On the same cells.

    Parameters
    ----------
    table : of `consistency_released.pairs`.
    rounds, seed : of the bootstrap.

    Returns
    -------
    One row per `against` ('persona to observer' or 'persona to neutral', in English), `language` (native one, 'all' for
    all three), `model`, `mode` and `figure` (as in :func:`shift_table`): `value` (language minus framing, of a
    persona), `low`, `high` (95%, questions resampled), `n` (cells with both).
    """
    cell, names = ["model", "mode", "country", "question"], ["same", "large", "shift"]
    pair = moved(table.dropna(subset="value"))
    one = pair[(pair["measure"] == "CLCS") & (pair["framing"] == "persona")]
    rows = []
    for measure, against in (("FCS", "persona to observer"), ("SPD", "persona to neutral")):
        both = one.merge(pair.loc[pair["measure"] == measure, [*cell, *names]], on=cell, suffixes=("", "_framing"))
        for name in names:
            both[name] -= both[f"{name}_framing"]
        both = pd.concat([both, both.assign(language="all")])
        for (language, model, mode), part in both.groupby(["language", "model", "mode"], sort=False):
            about = {"against": against, "language": language, "model": model, "mode": mode}
            for name in names:
                figures = estimate(part, name, rounds=rounds, seed=seed) | {"n": len(part)}
                rows.append(about | {"figure": name} | figures)
    return pd.DataFrame(rows)
