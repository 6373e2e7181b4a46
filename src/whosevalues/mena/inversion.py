"""The answers behind the released scores: NVAS is the answer's distance from a known figure, so it can be undone."""

from __future__ import annotations

import numpy as np
import pandas as pd

# Scores are printed in full double precision.
NEAR = 1e-6


def candidates(scores: pd.DataFrame, questions: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    """Find the answers that a released NVAS can come from.

    ``NVAS = 1 - |a - h| / R`` leaves at most two whole answers a in [Min, MAX], one on each side of the people's h.

    Parameters
    ----------
    scores : `released.read('NVAS')`.
    questions, cells : of `workbook.read`.

    Returns
    -------
    The rows with a score, with `low`, `high`, `scale`, `human` (h), `candidates` (tuple of 0, 1 or 2 answers,
    ascending) and `answer` (the only candidate, else NaN).
    """
    facts = cells[["question", "country", "centre"]].rename(columns={"centre": "human"})
    out = scores[scores["value"].notna()].merge(facts, on=["question", "country"], how="left")
    out = out.merge(questions[["question", "low", "high", "scale"]], on="question", how="left")
    distance = (1 - out["value"]) * (out["high"] - out["low"])
    sides = np.stack([out["human"] - distance, out["human"] + distance], axis=1)
    whole = np.round(sides)
    hit = (
        (np.abs(sides - whole) < NEAR * 100) & (whole >= out[["low"]].to_numpy()) & (whole <= out[["high"]].to_numpy())
    )
    out["candidates"] = [tuple(dict.fromkeys(row[ok].astype(int).tolist())) for row, ok in zip(whole, hit, strict=True)]
    out["answer"] = [found[0] if len(found) == 1 else np.nan for found in out["candidates"]]
    return out
