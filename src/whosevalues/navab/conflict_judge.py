"""A language model in place of the rule: do two statements contradict each other?"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from .. import models, responses

PROMPT = (
    "Statement 1: {one}\nStatement 2: {two}\nA. Whoever holds one can hold the other: they agree.\n"
    "B. Whoever holds one cannot hold the other: they contradict each other.\nC. They speak of different matters.\n"
    "Reply with A, B or C alone."
)
SIGNS = {"A": 1, "B": -1, "C": 0}


def requests(pairs: pd.DataFrame) -> pd.DataFrame:
    """Write down what the judge is asked: every pair, in both orders.

    Parameters
    ----------
    pairs : columns `first`, `second` (texts).

    Returns
    -------
    Two rows per pair: `pair` (its place from 0), `kind` 'option_scores', `prompt`, `options`.
    """
    texts = list(zip(pairs["first"], pairs["second"], strict=True))
    rows = [
        {"pair": k, "kind": "option_scores", "prompt": PROMPT.format(one=one, two=two), "options": tuple(SIGNS)}
        for k, pair in enumerate(texts)
        for one, two in (pair, pair[::-1])
    ]
    return pd.DataFrame(rows, columns=["pair", "kind", "prompt", "options"])


def read(answers: pd.DataFrame) -> np.ndarray:
    """Read the judge's answers as signs.

    Parameters
    ----------
    answers : the rows of :func:`requests` with `probability` (of A, B, C in order; None where there is none).

    Returns
    -------
    Per pair 1, -1 or 0: the answer that is most probable over both orders, the first of equals; 0 where an order has
    no answer, for half an answer would let the order decide.
    """
    signs = []
    for _, rows in answers.groupby("pair", sort=True):
        whole = rows["probability"].notna().all()
        best = int(np.argmax(np.sum(rows["probability"].tolist(), axis=0))) if whole else len(SIGNS) - 1
        signs.append(list(SIGNS.values())[best])
    return np.array(signs, dtype=np.int8)


def signer(model: str, store: Path, threshold: float = 0.6) -> Callable[[pd.DataFrame], np.ndarray]:
    """Give a function for `conflicts.graph` that asks a model.

    Parameters
    ----------
    model : name in models.yml.
    store : folder of its answers; what is there is not asked again.
    threshold : pairs below this cosine are not asked, and stay unsigned.

    Returns
    -------
    Takes pairs (`first`, `second`, `cosine`), gives -1, 0 or 1 each; warns of pairs without an answer, by their rows.
    """

    def sign(pairs: pd.DataFrame) -> np.ndarray:
        near = pairs["cosine"].to_numpy() >= threshold
        out = np.zeros(len(pairs), dtype=np.int8)
        if near.any():
            answers = responses.ask(models.load(model), requests(pairs[near]), store)
            out[near] = read(answers)
            if len(lost := answers.loc[answers["probability"].isna(), "pair"].unique()):
                rows = ", ".join(str(row) for row in np.flatnonzero(near)[lost[:5].astype(int)])
                warnings.warn(f"{model} gave no answer on {len(lost)} pairs, unsigned now: rows {rows}", stacklevel=2)
        return out

    return sign
