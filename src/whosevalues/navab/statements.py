"""Statements: the value that a passage states, who reads it out, and whose it is."""

from __future__ import annotations

import re

import pandas as pd

from . import articles

COLUMNS = ["statement_id", "passage", "article", "nation", "year", "statement", "source_kind", "reader"]

_VALUES = re.compile(
    r"\b(must|should|ought|we (?:support|oppose|believe|reject|condemn|call|welcome|urge|insist|deplore)|principle|"
    r"right to|committed to|unacceptable|firmly|resolutely)\b",
    re.IGNORECASE,
)


def read(passages: pd.DataFrame) -> pd.DataFrame:
    """Read one value statement out of each passage by rules: the offline default.

    Parameters
    ----------
    passages : as `articles.passages` gives them.

    Returns
    -------
    One row per passage that states a value: `COLUMNS`; `statement_id` is the passage's id; `source_kind` 'quoted' or
    'official'; `reader` 'rules'.
    """
    rows = []
    for item in passages.to_dict("records"):
        found = [text for text in articles.sentences(item["text"]) if is_value(text)]
        if found:
            best = max(found, key=lambda text: len(_VALUES.findall(text)))
            kind = "quoted" if re.search(r"[“\"].{20,}[”\"]", best) else "official"
            named = {key: item[key] for key in ("passage", "article", "nation", "year")}
            rows.append(
                {"statement_id": item["passage"], **named, "statement": best, "source_kind": kind, "reader": "rules"}
            )
    return pd.DataFrame(rows, columns=COLUMNS)


def is_value(sentence: str) -> bool:
    """Does a sentence say what ought to be, by the rules?"""
    return 8 <= len(sentence.split()) <= 45 and bool(_VALUES.search(sentence))
