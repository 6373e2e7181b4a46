"""Estimates of a run in words. What is no bound says "about"."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from . import elicitation, models
from .models.api import WALKS

STATEMENTS = 10
"""Statements that a judge reads of one open answer, at most."""


def in_words(frame: pd.DataFrame) -> str:
    """Write estimates for a reader.

    Parameters
    ----------
    frame : rows of `cost.cost`.

    Returns
    -------
    A few lines per row. What is no bound says "about".
    """
    return "\n".join(_in_words(row) for row in frame.to_dict("records"))


def _in_words(row: Mapping[str, Any]) -> str:
    left = row["questions"] - row["answered"]
    most = "up to " if row["unwritten"] else ""
    head = f"{row['paper']}, {row['model']}: {most}{row['questions']:,} questions, {row['answered']:,} answered already"
    if not left:
        return f"{head}; nothing is left to ask"
    own = row["tokenizer"] == row["model"]
    out = f"{'up to' if row['bound'] else 'about'} {row['tokens_out']:,.0f}" if row["tokens_out"] else "none"
    out = "an unknown number" if math.isnan(row["tokens_out"]) else out
    about = "about " if not own else "up to " if row["unwritten"] else ""
    whose = "its own tokenizer" if own else f"the tokenizer of {row['tokenizer']}"
    parts = [f"{about}{row['tokens_in']:,.0f} tokens in and {out} out, counted with {whose}"]
    if row["unwritten"]:
        what = f"{row['each']:.0f} statements in each" if row["each"] > 1 else "one question for each"
        parts.append(f"{what} of {row['unwritten']:,} answers that are still to be written")
    if not row["bound"]:
        reads = f"where it gives log-probabilities, one request, and up to {WALKS} if an option has several tokens"
        drawn = f"{row['samples']} samples per option question; " if row["samples"] > 1 else ""
        parts.append(f"{drawn}{reads}")
    if row["measured_on"]:
        parts.append(
            f"by the mean of {row['measured_on']:,} earlier answers {row['expected_tokens_in']:,.0f} in and "
            f"{row['expected_tokens_out']:,.0f} out"
        )
    return "\n  ".join([head, *parts, _money(row), _time(row)])


def _money(row: Mapping[str, Any]) -> str:
    if pd.isna(row["price_date"]):
        remote = models.entry(row["model"])["backend"] == "api"
        return "price: unknown; models.yml has none" if remote else "price: none, it runs on this machine"
    dollars = row["expected_dollars"] if row["measured_on"] else row["dollars"]
    if math.isnan(dollars):
        return "price: unknown, as nothing bounds the length of the answers"
    most = "up to " if row["bound"] and not row["measured_on"] else ""
    return f"price: {most}about ${dollars:,.2f}, at the price of {row['price_date']} ({row['price_source']})"


def _time(row: Mapping[str, Any]) -> str:
    if row["paper"] not in elicitation.EXPERIMENTS:
        return "time: unknown"
    if math.isnan(row["seconds"]):
        command = f"whosevalues run --model {row['model']} --paper {row['paper']} --limit 20"
        return f"time: unknown; `{command}` measures it"
    minutes = row["seconds"] / 60
    return f"time: about {minutes:,.0f} minutes" if minutes >= 1.5 else f"time: about {row['seconds']:.0f} seconds"
