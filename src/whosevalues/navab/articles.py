"""Articles: what a nation's official voice said. The input of the pipeline, checked row by row."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from .. import ROOT, UserError, data
from .triples import NATIONS

SPEECHES = "navab/ungdc_five_nations_1973_2024.jsonl"
TEACHING = ROOT / "data" / "teaching" / "articles.jsonl"
COLUMNS = ["article", "nation", "year", "language", "source", "text"]
PROBLEMS = ["file", "line", "article", "problem", "what_to_do"]
ALPHA2 = {"CHN": "CN", "USA": "US", "GBR": "GB", "FRA": "FR", "DEU": "DE"}
TELLING = 40
"""Letters that a text needs before its language can be told."""


def load(folder: Path | None = None) -> pd.DataFrame:
    """Read the usable articles: of a folder, else the speeches of the General Debate, else the teaching corpus.

    Parameters
    ----------
    folder : of files ``*.jsonl``, one article a line: `article` (unique id), `nation` (ISO 3166 alpha-2), `year`,
        `language` (ISO 639-1), `source` (the outlet or body), `text`.

    Returns
    -------
    One row per article, `COLUMNS` and `corpus`: 'speeches', 'teaching' or the folder's name. A warning says how many
    problems there are; `checked(read(folder))` lists them.

    Raises
    ------
    UserError : no such folder, no ``*.jsonl`` in it, or nothing usable.
    """
    if folder is None:
        with suppress(data.DataUnavailable):
            return speeches()
    kept, problems = checked(read(folder))
    if kept.empty:
        first = problems.iloc[0]
        raise UserError(
            f"no usable article in {folder or TEACHING.name}: {len(problems)} problems, the first in {first['file']}, "
            f"line {first['line']}: {first['problem']}; {first['what_to_do']}"
        )
    if len(problems):
        warnings.warn(
            f"{len(problems)} problems with the articles of {folder or TEACHING.name}: `articles.checked("
            "articles.read(folder))` lists them",
            stacklevel=2,
        )
    return kept


def speeches() -> pd.DataFrame:
    """Read the speeches of the five nations in the UN General Debate, 1973 to 2024, as articles.

    Returns
    -------
    As `load` gives them: 52 per nation, all in English, as `source` 'UN General Debate'.

    Raises
    ------
    DataUnavailable : they can be had nowhere.
    """
    table = pd.DataFrame([row for _, row, _ in _lines(data.load(SPEECHES))])
    nation = table["nation"].map(ALPHA2)
    return table.assign(
        article=nation + "-" + table["year"].astype(str), nation=nation, language="en", source="UN General Debate"
    )[COLUMNS].assign(corpus="speeches")


def read(folder: Path | None = None) -> pd.DataFrame:
    """Read a folder of articles as it stands, good and bad.

    Parameters
    ----------
    folder : as for `load`; without it the teaching corpus.

    Returns
    -------
    One row per line: `file`, `line` (from 1), `fault` (why it is no JSON object; missing where it is one), `COLUMNS`
    (missing where the line has no such field) and `corpus`.

    Raises
    ------
    UserError : no such folder, or no ``*.jsonl`` in it.
    """
    files = [TEACHING] if folder is None else sorted(Path(folder).glob("*.jsonl"))
    if not files:
        raise UserError(f"no *.jsonl in '{folder}': give a folder with one article a line ({', '.join(COLUMNS)})")
    rows = []
    for file in files:
        for number, row, fault in _lines(file):
            fields = {column: row.get(column) for column in COLUMNS}
            rows.append({"file": file.name, "line": number, "fault": fault, **fields})
    table = pd.DataFrame(rows, columns=["file", "line", "fault", *COLUMNS], dtype=object)
    return table.assign(corpus="teaching" if folder is None else Path(folder).name)


def checked(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Tell the articles that can be used from those that cannot, and say why.

    Parameters
    ----------
    rows : as `read` gives them.

    Returns
    -------
    The usable articles as `load` gives them, and one row per problem: `PROBLEMS`; `line` is 0 for a nation without
    usable articles. Of articles that are alike the first is kept.
    """
    kept, problems, ids, texts = [], [], set(), {}
    for row in rows.to_dict("records"):
        found = _problems(row, ids, texts)
        named = {"file": row["file"], "line": row["line"], "article": row["article"]}
        problems += [named | {"problem": problem, "what_to_do": todo} for problem, todo in found]
        if isinstance(row["article"], str):
            ids.add(row["article"])
        if not found:
            texts[_same(row["text"])] = row["article"]
            kept.append(row)
    table = pd.DataFrame(kept, columns=[*COLUMNS, "corpus"])
    for nation in NATIONS:
        if nation not in set(table["nation"]):
            todo = "add some, or read every comparison of nations without it"
            place = {"file": "", "line": 0, "article": None}
            problems.append(place | {"problem": f"no usable article of {nation}", "what_to_do": todo})
    return table.astype({"year": int}), pd.DataFrame(problems, columns=PROBLEMS)


def identify(text: str) -> str | None:
    """Tell the language of a text with py3langid.

    Parameters
    ----------
    text : its first 2,000 characters are read.

    Returns
    -------
    ISO 639-1 code; None for a text of fewer than `TELLING` letters, whose language cannot be told.

    Examples
    --------
    >>> identify("La paix ne se décrète pas, elle se construit chaque jour.")
    'fr'
    """
    if sum(letter.isalpha() for letter in text[:2000]) < TELLING:
        return None
    return _identifier().classify(text[:2000])[0]


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

    Line and page breaks within a sentence, page numbers, document numbers and paragraph numbers are dropped, words
    broken at a line's end are joined. A stop after a title, an initial or an abbreviation ends nothing.

    Examples
    --------
    >>> sentences("3.\\tPeace is our aim. We thank Mr. Waldheim\\nfor it. Is it near?")
    ['Peace is our aim.', 'We thank Mr. Waldheim for it.', 'Is it near?']
    >>> sentences("Co-\\noperation coun¬\\nts.\\n11-50692 10\\n\\fHe said: \\"Stop.\\" Then No. 4 spoke.")
    ['Co-operation counts.', 'He said: "Stop."', 'Then No. 4 spoke.']
    """
    parts = [part for block in _clean(text).split(_BREAK) for part in _END.sub(_cut, block).split(_BREAK)]
    # What has fewer than two letters is the rest of a number.
    return [part for part in parts if sum(letter.isalpha() for letter in part) > 1]


_BREAK = "\f"
_PAGE = re.compile(
    r"(?m)^[ \t]*(?:\*|\d{1,2}|\d+/\d+|\d\d-\d{5} \d+(?:/\d+)?|\d+(?:/\d+)? \d\d-\d{5}|A/\d+/PV\.\d+ \d\d/\d\d/\d{4}|"
    r"\d\d/\d\d/\d{4} A/\d+/PV\.\d+|\d* ?General Assembly - [A-Z]\S+ session ?\d*)[ \t]*$|^\d+/\d+ \d\d-\d{5} "
)
"""Lines of their own: page number, document number, running head; once before the text of a line."""
_PARAGRAPH = re.compile(r"(?:(?<=[.!?:;”\"])\s*\n|\A)[ \t]*!? ?\d{1,3} ?[.:>*^]{1,2}\s+(?=[\W]?[A-Z])")
_END = re.compile(r"(\S*[.!?…][\"'’”)\]]*) (?=[\"'‘“(\[]*[A-Z0-9À-Þ])")
_ABBREVIATION = re.compile(
    r"[\"'‘“(\[]*(?:Mr|Mrs|Ms|Dr|Prof|Messrs|St|Gen|Lt|Col|Sr|Jr|p|pp|para|paras|sect|Add|vol|art|cf|e\.g|i\.e|viz|"
    r"[A-HJ-Z]|(?:[A-Z]\.)+[A-Z]|A/\S*PV)\."
)


def _clean(text: str) -> str:
    """One line, with a form feed where a numbered paragraph began."""
    text = _PAGE.sub("", text.replace("\r", "").replace(_BREAK, "\n"))
    text = re.sub(r"¬\s*", "", text)
    text = re.sub(r"(?<=\w)-[ \t]*\n\s*(?=\w)", "-", text)
    # With a tab it is a paragraph's number; with a space it may be a number in a sentence, unless one ended before it.
    text = re.sub(r"(?:\A|\n)[ \t]*!? ?\d{1,3} ?[.:>*^]{1,2}[ ]*\t[. \t]*", _BREAK, text)
    text = _PARAGRAPH.sub(_BREAK, text)
    # A comma before the address is often read as a stop: "congratulate you. Sir, on your election".
    text = re.sub(r"\.[ \t]+(?=Sir, [a-z])", ", ", text)
    # A stop read as a dot in mid-air; a space that was lost after it.
    text = re.sub(r"·(?= [A-Z])", ".", text)
    text = re.sub(r"(?<=[a-z]{2}[.!?])(?=[A-Z][a-z])", " ", text)
    return _BREAK.join(" ".join(block.split()) for block in text.split(_BREAK))


def _cut(found: re.Match[str]) -> str:
    word, after = found[1], found.string[found.end() : found.end() + 1]
    # "No. 4" goes on, "No. We know" does not.
    goes_on = _ABBREVIATION.fullmatch(word) or (word == "No." and after.isdigit())
    return word + (" " if goes_on else _BREAK)


def _pieces(parts: list[str], words: int) -> Iterator[str]:
    held: list[str] = []
    for part in parts:
        held.append(part)
        if sum(len(one.split()) for one in held) >= words:
            yield " ".join(held)
            held = []
    if held:
        yield " ".join(held)


def _lines(file: Path) -> Iterator[tuple[int, dict[str, Any], str | None]]:
    """Number, object and fault of each line that is not blank."""
    for number, line in enumerate(file.read_bytes().split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line.decode("utf-8-sig"))
        except ValueError as error:
            yield number, {}, f"no JSON in UTF-8: {error}"
            continue
        yield (number, row, None) if isinstance(row, dict) else (number, {}, "no JSON object")


def _problems(row: dict[str, Any], ids: set[str], texts: dict[str, str]) -> list[tuple[str, str]]:
    if isinstance(row["fault"], str):
        return [(row["fault"], "write one JSON object a line")]
    whole = isinstance(row["year"], int) and not isinstance(row["year"], bool)
    absent = [c for c in COLUMNS[:-1] if not (whole if c == "year" else isinstance(row[c], str) and row[c].strip())]
    found = [(f"{c} is missing or no {'whole number' if c == 'year' else 'text'}", "fill it in") for c in absent]
    if isinstance(row["nation"], str) and row["nation"] and row["nation"] not in NATIONS:
        hint = " (United Kingdom is GB)" if row["nation"] == "UK" else ""
        found.append((f"unknown nation '{row['nation']}'", f"choose {', '.join(NATIONS)}{hint}, or leave the row out"))
    if isinstance(row["article"], str) and row["article"] in ids:
        found.append((f"the id '{row['article']}' stands twice", "give each article an id of its own"))
    return found + _text_problems(row, texts)


def _text_problems(row: dict[str, Any], texts: dict[str, str]) -> list[tuple[str, str]]:
    text = row["text"]
    if not isinstance(text, str) or not text.strip():
        return [("the text is empty", "fetch it again, or leave the row out")]
    found = []
    if _same(text) in texts:
        found.append((f"the same text as '{texts[_same(text)]}'", "keep one of the two"))
    language = identify(text)
    if isinstance(row["language"], str) and language not in (None, row["language"]):
        found.append((f"reads as '{language}', stated is '{row['language']}'", "correct the language or the text"))
    return found


def _same(text: str) -> str:
    return " ".join(text.split()).casefold()


@cache
def _identifier():
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE)
