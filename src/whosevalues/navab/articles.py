"""Articles: what a nation's official voice said. The input of the pipeline, checked row by row."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from .. import ROOT, UserError, data
from .triples import NATIONS

SPEECHES = "navab/ungdc_five_nations_1973_2024.jsonl"
TEACHING = ROOT / "data" / "teaching" / "articles.jsonl"
COLUMNS = ["article", "nation", "year", "language", "source", "text"]
ALPHA2 = {"CHN": "CN", "USA": "US", "GBR": "GB", "FRA": "FR", "DEU": "DE"}


def load(folder: Path | None = None) -> pd.DataFrame:
    """Read articles: of a folder, else the speeches of the General Debate, else the teaching corpus.

    Parameters
    ----------
    folder : of files ``*.jsonl``, one article a line: `article` (unique id), `nation` (ISO 3166 alpha-2), `year`,
        `language` (ISO 639-1), `source` (the outlet or body), `text`.

    Returns
    -------
    One row per article, `COLUMNS` and `corpus`: 'speeches', 'teaching' or the folder's name.
    """
    if folder is not None:
        rows = [row for file in sorted(Path(folder).glob("*.jsonl")) for row in _lines(file)]
        return pd.DataFrame(rows, columns=COLUMNS).assign(corpus=Path(folder).name)
    try:
        return speeches()
    except data.DataUnavailable:
        return pd.DataFrame(_lines(TEACHING), columns=COLUMNS).assign(corpus="teaching")


def speeches() -> pd.DataFrame:
    """Read the speeches of the five nations in the UN General Debate, 1973 to 2024, as articles.

    Returns
    -------
    As `load` gives them: 52 per nation, all in English, as `source` 'UN General Debate'.
    """
    table = pd.DataFrame(_lines(data.load(SPEECHES)))
    nation = table["nation"].map(ALPHA2)
    return table.assign(
        article=nation + "-" + table["year"].astype(str), nation=nation, language="en", source="UN General Debate"
    )[COLUMNS].assign(corpus="speeches")


def passages(articles: pd.DataFrame, words: int = 120) -> pd.DataFrame:
    """Cut articles into passages of whole sentences.

    Parameters
    ----------
    articles : as `load` gives them.
    words : a passage ends with the sentence that brings it to this many.

    Returns
    -------
    One row per passage: `passage` (the article's id and a number from 001), `article`, `nation`, `year`, `text`.
    """
    rows = []
    for item in articles.to_dict("records"):
        for number, text in enumerate(_pieces(sentences(item["text"]), words), start=1):
            named = {key: item[key] for key in ("article", "nation", "year")}
            rows.append({"passage": f"{item['article']}-{number:03d}", **named, "text": text})
    return pd.DataFrame(rows, columns=["passage", "article", "nation", "year", "text"])


def sentences(text: str) -> list[str]:
    """Cut a text into sentences.

    Line breaks within a sentence and paragraph numbers are dropped; a stop after a title or an initial ends nothing.

    Examples
    --------
    >>> sentences("3.\\tPeace is our aim. We thank Mr. Waldheim\\nfor it. Is it near?")
    ['Peace is our aim.', 'We thank Mr. Waldheim for it.', 'Is it near?']
    """
    flat = " ".join(re.sub(r"(?m)^\s*\d{1,3}\.\s+", "", text).split())
    return [piece.strip() for piece in _END.split(flat) if piece.strip()]


# Not after a title, an initial or an abbreviation of two letters with stops.
_END = re.compile(
    r"(?<=[.!?])(?<!\bMr\.)(?<!\bDr\.)(?<!\bMrs\.)(?<!\bNo\.)(?<!\b[A-Z]\.)[\"'’”)]*\s+(?=[\"'‘“(]?[A-Z0-9])"
)


def _pieces(parts: list[str], words: int) -> Iterator[str]:
    held: list[str] = []
    for part in parts:
        held.append(part)
        if sum(len(one.split()) for one in held) >= words:
            yield " ".join(held)
            held = []
    if held:
        yield " ".join(held)


def _lines(file: Path) -> list[dict[str, object]]:
    rows = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            rows.append(json.loads(line))
        except ValueError as error:
            raise UserError(f"{file.name}, line {number} is no JSON: {error}") from error
    return rows
