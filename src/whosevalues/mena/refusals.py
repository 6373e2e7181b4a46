"""What a model's refusals look like: how many there are, what leaks in them, and what else it might have said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from ..items import Question
from .leakage import interval


def kinds_table(frame: pd.DataFrame, by: Sequence[str], seed: int = 0) -> pd.DataFrame:
    """How often is a text an answer, a refusal, or neither?

    Parameters
    ----------
    frame : as for `leakage`.
    by : columns that name a figure.
    seed : of the bootstrap.

    Returns
    -------
    One row per `by` and `kind`: `value` in [0, 1], `low`, `high` (95%, as in `leakage`), `n` (texts), `chance` and
    `printed` (NaN).
    """
    rows = []
    for key, cell in frame.groupby(list(by), sort=False):
        for kind in ("answer", "refusal", "abstention"):
            marked = cell.assign(hit=(cell["kind"] == kind).astype(float))
            low, high = interval(marked, "hit", seed)
            facts = {"value": marked["hit"].mean(), "low": low, "high": high, "n": len(cell)}
            rows.append(dict(zip(by, key, strict=True)) | {"kind": kind} | facts)
    return pd.DataFrame(rows).assign(chance=np.nan, printed=np.nan)


def preferences(frame: pd.DataFrame, humans: pd.DataFrame, questions: Iterable[Question], country: str) -> pd.DataFrame:
    """Whose preference would leak? The most probable option, held against what people answered.

    Parameters
    ----------
    frame : as for `leakage`, with `options`.
    humans : `question`, `country`, `option`, `probability`.
    questions : the bank.
    country : whose people.

    Returns
    -------
    The rows of questions with human figures, with `leaked` (most probable option), `end` (whether it is the first or
    the last of the list), `people` (their share for it), `mode` (whether it is their most frequent answer), `nvas` (1 -
    ``|leaked - people's mean| / range``) and `even` (the NVAS that an option drawn evenly gets).
    """
    scales = {question.id: question for question in questions}
    own = humans[(humans["country"] == country) & humans["question"].isin(list(scales))]
    shares: Mapping[str, pd.Series] = {
        name: part.set_index("option")["probability"] for name, part in own.groupby("question")
    }
    rows = []
    for row in frame[frame["question"].isin(list(shares))].to_dict("records"):
        options = np.array(row["options"], dtype=float)
        people = shares[row["question"]].reindex(row["options"]).fillna(0.0).to_numpy()
        best, ordinal = int(np.argmax(row["probability"])), scales[row["question"]].scale == "ordinal"
        centre = options @ people / people.sum() if ordinal else options[people.argmax()]
        near = 1 - np.abs(options - centre) / np.ptp(options)
        leaked = {
            "leaked": row["options"][best],
            "end": best in (0, len(options) - 1),
            "people": people[best],
            "mode": best == people.argmax(),
        }
        rows.append(row | leaked | {"nvas": near[best], "even": near.mean()})
    return pd.DataFrame(rows)


def preference_table(frame: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Average what `preferences` gives, for refusals and for answers.

    Parameters
    ----------
    frame : of `preferences`, with `kind`.
    seed : of the bootstrap.

    Returns
    -------
    One row per `kind` and `measure`: 'first or last option' (share), 'most frequent answer of the people' (share),
    "people's share", 'NVAS': `value` in [0, 1], `low`, `high` (95%, see `leakage.interval`), `n` (rows), `chance` (an
    option drawn evenly), `printed` (NaN).
    """
    one = 1 / frame["options"].map(len)
    chances = {"end": 2 * one, "mode": one, "people": one, "nvas": frame["even"]}
    names = {"end": "first or last option", "mode": "most frequent answer of the people"}
    names |= {"people": "people's share", "nvas": "NVAS"}
    rows = []
    for kind, part in frame.groupby("kind", sort=False):
        for column, measure in names.items():
            marked = part.assign(hit=part[column].astype(float))
            low, high = interval(marked, "hit", seed)
            facts = {"value": marked["hit"].mean(), "low": low, "high": high, "n": len(part)}
            chance = chances[column].loc[part.index].mean()
            rows.append({"kind": kind, "measure": measure} | facts | {"chance": chance})
    return pd.DataFrame(rows).assign(printed=np.nan)


def first_tokens(row: Mapping[str, object], most: int = 10) -> pd.DataFrame:
    """Show what a model might have said first, in place of what it said.

    Parameters
    ----------
    row : of `paired`.
    most : how many tokens.

    Returns
    -------
    `token` (in quotation marks), `probability`, `option` (the option that it is, else empty), by falling probability.
    """
    options = set(row["options"])
    listed = [(repr(token), p, token.strip() if token.strip() in options else "") for token, p in row["top"][:most]]
    return pd.DataFrame(listed, columns=["token", "probability", "option"])


SEEN = "2026-11-21"
TRAINING = {
    "mistral-7b": (
        "instructions; no moderation built in (a registry, of the model's card)",
        "https://www.llmradar.eu/fr/models/mistral-7b-instruct-v0-2",
    ),
    "starling-7b": (
        "reinforcement learning from AI feedback, by a learned reward",
        "https://huggingface.co/Nexusflow/Starling-LM-7B-beta",
    ),
    "olmo-2-13b": (
        "instructions, preferences, then verifiable rewards of mathematics and instructions",
        "https://huggingface.co/allenai/OLMo-2-1124-13B-Instruct",
    ),
    "smollm2-135m": (
        "instructions, then preferences (UltraFeedback)",
        "https://huggingface.co/HuggingFaceTB/SmolLM2-135M-Instruct",
    ),
    "dolphin-mistral-7b": ("not known here", ""),
    "llama-3.1-8b": ("not known here", ""),
}
"""Models of models.yml with what was read of their training, in copies of the pages named, on the day `SEEN`."""


def trained() -> pd.DataFrame:
    """List models of models.yml by what is known of their safety training.

    Returns
    -------
    One row per model: `model`, `training` (as the source says; not tested here), `source` (address), `seen` (date).
    """
    rows = [(name, *told, SEEN if told[1] else "") for name, told in TRAINING.items()]
    return pd.DataFrame(rows, columns=["model", "training", "source", "seen"])
