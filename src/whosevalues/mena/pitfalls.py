"""What slips of an evaluation do to its figures: answers read wrongly, options whose probability nobody looked at."""

from __future__ import annotations

import pandas as pd

from ..stats import wilson
from .handwritten import cases
from .parsing import longest_first, parse_answers

READERS = ("parser", "longest first")
WRONG = ("another option", "answer missed", "answer made up")


def readings() -> pd.DataFrame:
    """Read the hand-written answers with the parser and as the authors' code does.

    Returns
    -------
    The rows of `handwritten.cases`, once per `reader` ('parser' or 'longest first'), with `read` (an option or
    missing), `read_as` (as `said_as`; 'longest first' knows no refusals: what it cannot read is an abstention), and
    `outcome`: 'right' (the same option, or no answer where there is none), 'another option', 'answer missed', or
    'answer made up' (of a refusal or an abstention).
    """
    ours = parse_answers(cases()).rename(columns={"answer": "read", "kind": "read_as"})
    theirs = ours.assign(read=[longest_first(t, o) for t, o in zip(ours["text"], ours["options"], strict=True)])
    theirs["read_as"] = theirs["read"].notna().map({True: "answer", False: "abstention"})
    both = pd.concat([ours.assign(reader=READERS[0]), theirs.assign(reader=READERS[1])], ignore_index=True)
    return both.drop(columns="reason").assign(outcome=[_outcome(row) for row in both.to_dict("records")])


def _outcome(row: dict[str, object]) -> str:
    if row["said_as"] != "answer":
        return "answer made up" if row["read_as"] == "answer" else "right"
    if row["read_as"] != "answer":
        return "answer missed"
    return "right" if row["read"] == row["says"] else "another option"


def accuracy(read: pd.DataFrame, by: str = "said_as") -> pd.DataFrame:
    """Count how many answers each reader gets right.

    Parameters
    ----------
    read : of `readings`.
    by : column that splits the answers: 'said_as', 'language', or 'difficulty' (of the first writer alone).

    Returns
    -------
    One row per `writer`, `reader` and `by`, and for 'all': `value` (share right), `low`, `high` (Wilson, 95%, as if the
    answers were drawn from many such), `n`, how many were 'another option', 'answer missed', 'answer made up', and
    `told_apart` (share of refusals and abstentions of which the reader says which of the two they are; NaN without
    any).
    """
    rows = []
    for (writer, reader), own in read.groupby(["writer", "reader"], sort=False):
        for name, part in [*own.groupby(by, sort=False), ("all", own)]:
            right = int((part["outcome"] == "right").sum())
            silent = part[part["said_as"] != "answer"]
            wrong = {outcome: int((part["outcome"] == outcome).sum()) for outcome in WRONG}
            told = (silent["said_as"] == silent["read_as"]).mean() if len(silent) else float("nan")
            low, high = wilson(right, len(part))
            figures = {"value": right / len(part), "low": low, "high": high, "n": len(part)}
            rows.append({"writer": writer, "reader": reader, by: name, **figures, **wrong, "told_apart": told})
    return pd.DataFrame(rows)


def unprobed(elicited: pd.DataFrame) -> pd.DataFrame:
    """Take the options of more than one digit out, as if nobody had looked at their probability.

    Parameters
    ----------
    elicited : columns `options` (tuples), `probability` (tuples or None), `missing_mass`; others are kept.

    Returns
    -------
    The rows with such options, those having probability 0, the others renormalised and the missing mass grown.
    """
    long = elicited["options"].map(lambda options: any(len(option) > 1 for option in options))
    rows = elicited[long & elicited["probability"].map(lambda p: isinstance(p, tuple))].copy()
    kept = [
        tuple(p if len(option) == 1 else 0.0 for option, p in zip(options, shares, strict=True))
        for options, shares in zip(rows["options"], rows["probability"], strict=True)
    ]
    rows["probability"] = pd.Series([tuple(p / sum(k) for p in k) for k in kept], rows.index, dtype=object)
    rows["missing_mass"] = [1 - (1 - m) * sum(k) for m, k in zip(rows["missing_mass"], kept, strict=True)]
    return rows
