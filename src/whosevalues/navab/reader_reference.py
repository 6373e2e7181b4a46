"""Sentences that were labelled by reading them: does each state a value, and is it quoted or official?"""

from __future__ import annotations

import hashlib

import pandas as pd

from .. import ROOT, UserError, stats
from . import articles, statements

BANK = "statements-reference.csv"
HALVES = ("rules", "test", "fresh", "taken")
"""The rules were made on 'rules', half of the first sample by article; 'test' is its other half, 'fresh' a second
sample drawn after the rules were fixed, 'taken' a sample of what they take from the passages."""

UNSEEN = ("test", "fresh")
"""Sentences drawn at random that the rules were not made on."""


def labels() -> pd.DataFrame:
    """Read the labels: no text.

    Returns
    -------
    One row per sentence: `corpus` ('speeches' or 'teaching'), `sentence` (article and number), `article`, `hash` (of
    :func:`fingerprint`), `nation`, `is_value` (0 or 1), `source_kind` ('quoted', 'official' or ''), `half` (of
    `HALVES`), `second` and `second_source` (second pass; '' where there was none), `labelled_by`.

    Raises
    ------
    UserError : a label that is none of those.
    """
    table = pd.read_csv(ROOT / "data" / "teaching" / BANK, dtype=str, keep_default_na=False)
    for column, allowed in (("is_value", "01"), ("source_kind", ("quoted", "official", "")), ("half", HALVES)):
        if wrong := sorted(set(table[column]) - {*allowed}):
            raise UserError(f"data/teaching/{BANK} has '{wrong[0]}' as {column}: choose {', '.join(allowed)}")
    table["is_value"] = table["is_value"].astype(int)
    table.insert(2, "article", table["sentence"].str.partition("/")[0])
    return table


def fingerprint(sentence: str) -> str:
    """Name a sentence without repeating it: twelve hex digits of the sha256 of its words, in small letters.

    Parameters
    ----------
    sentence : its text.

    Returns
    -------
    The digits; punctuation and spaces do not matter.

    Examples
    --------
    >>> fingerprint("Peace, always.") == fingerprint("peace  always")
    True
    """
    return hashlib.sha256(" ".join(statements.words(sentence)).encode()).hexdigest()[:12]


def reference(table: pd.DataFrame | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Join the labels to the sentences, found by article and words: a better cutter may number them otherwise.

    Parameters
    ----------
    table : of :func:`labels`, which is the default.

    Returns
    -------
    The labels whose sentence is found, with `year` and `text`; and one row per label that is lost: `row` (from 1),
    `sentence`, `problem`, `what_to_do`.

    Raises
    ------
    DataUnavailable : sentences of the speeches are asked for, and the speeches can be had nowhere.
    """
    table = labels() if table is None else table
    texts, years = {}, {}
    for corpus in table["corpus"].unique():
        given = articles.speeches() if corpus == "speeches" else articles.checked(articles.read())[0]
        years |= dict(zip(given["article"], given["year"], strict=True))
        used = given[given["article"].isin(table["article"])]
        for article, text in zip(used["article"], used["text"], strict=True):
            texts |= {(article, fingerprint(part)): part for part in articles.sentences(text)}
    found = [texts.get(key) for key in zip(table["article"], table["hash"], strict=True)]
    table = table.assign(year=table["article"].map(years), text=pd.Series(found, index=table.index, dtype=object))
    table["row"] = range(1, len(table) + 1)
    lost = table[table["text"].isna()][["row", "sentence"]].assign(
        problem="no sentence of this article has these words",
        what_to_do="fetch the speeches, or see how the text is cut into sentences",
    )
    return table[table["text"].notna()].drop(columns="row").reset_index(drop=True), lost.reset_index(drop=True)


def sample(labelled: pd.DataFrame) -> pd.DataFrame:
    """Describe the labelled sentences, as they were found by reading.

    Parameters
    ----------
    labelled : of :func:`labels` or :func:`reference`.

    Returns
    -------
    One row per `corpus`, `half` ('random' for all but those that the rules took) and `metric`: 'states a value' (share
    of the sentences) and 'quoted' (share of the value statements): `value`, `low`, `high` (articles drawn with
    replacement), `n`.
    """
    drawn = labelled[labelled["half"] != "taken"].assign(half="random")
    numbers = pd.concat([labelled, drawn]).assign(quoted=lambda rows: (rows["source_kind"] == "quoted").astype(float))
    rows = []
    for (corpus, half), part in numbers.groupby(["corpus", "half"], sort=False):
        values = part[part["is_value"] == 1]
        for metric, over, column in (("states a value", part, "is_value"), ("quoted", values, "quoted")):
            figure = stats.estimate(over, column, cluster="article")
            rows.append({"corpus": corpus, "half": half, "metric": metric, **figure, "n": len(over)})
    return pd.DataFrame(rows)
