"""The benchmark workbook: 864 questions as columns, the answers of sixteen countries as rows; read without trust."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from .. import UserError, data
from .names import CODES

PATH = "mena/MenaValues_Benchmark.xlsx"

# Beginning of each row, in the workbook's order, and what it is called here.
HEAD = {
    "Source": "source",
    "Sub Question": "item",
    "Min": "low",
    "MAX": "high",
    "Scale": "marked",
    "Category": "category",
    "Sub Category": "subcategory",
    "Full Question": "text",
}
SOURCES = {"WVS 7": "WVS", "The 2022 Arab Opinion Index": "AOI"}
SCALES = {"y": "ordinal", "s": "ordinal", "n": "nominal"}
LONGEST = 5000
WIDEST = 100
"""More options than a question can have: the workbook has 36 at most."""

# In words why there is nothing, such as "(No data, {})".
EMPTY = re.compile(r"\(No (data|values <= \d+), \{\}\)")


def read(file: Path | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read the benchmark (MENAValues, section 3): what was asked, and what people answered, as printed.

    Parameters
    ----------
    file : a workbook of the released form; without it the released one.

    Returns
    -------
    questions : one row per question: `question` (its column in the workbook, from 1, as text: the `Code` of the metric
        files), `source` ('WVS' or 'AOI'), `item` (the survey's number, such as 'Q1', 'Q33_3' or 'MENA_01', missing for
        AOI), `low`, `high` (Min and MAX), `marked` (the scale as printed), `scale` ('ordinal' or 'nominal'),
        `category`, `subcategory`, `text`, `label` (the survey's short name, missing for AOI).
    cells : one row per filled cell: `question`, `country`, `centre` (the printed mean of an ordinal scale, mode of a
        nominal one; NaN without data), `shares` (dict of option as printed -> percent as printed; empty without data),
        `note` (why there is no data, such as 'No data'; '' where there is some).

    Raises
    ------
    UserError : the workbook or a cell is malformed; names sheet, row and column, and what was expected there.
    DataUnavailable : the released workbook cannot be had.
    """
    return tuple(table.copy() for table in _read(file or data.load(PATH)))


def people(questions: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    """Make the tidy table that everything else uses.

    Parameters
    ----------
    questions, cells : of :func:`read`.

    Returns
    -------
    One row per question, country and option: `question`, `country`, `option` (a whole number as text, '1.0' and '1'
    being the same), `probability` in [0, 1], adding up to 1 within a cell (printed percentages are rounded). Options
    that nobody chose have 0; those outside the question's own range stay, so that they can be counted.
    """
    ranges = {row.question: range(row.low, row.high + 1) for row in questions.itertuples()}
    rows = []
    for cell in cells[cells["shares"].map(bool)].itertuples():
        found = {int(float(option)): percent for option, percent in cell.shares.items()}
        total = sum(found.values())
        options = sorted({*found, *ranges[cell.question]})
        rows += [(cell.question, cell.country, str(option), found.get(option, 0.0) / total) for option in options]
    return pd.DataFrame(rows, columns=["question", "country", "option", "probability"])


@cache
def _read(file: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    import openpyxl

    try:
        book = openpyxl.load_workbook(file, read_only=True, data_only=True)
        sheet = book.worksheets[0]
        rows = [list(row) for row in sheet.iter_rows(values_only=True)]
    except Exception as error:  # openpyxl lets out whatever the zip or the XML raises
        raise UserError(
            f"{file.name} is no workbook that can be read ({type(error).__name__}): fetch it anew"
        ) from error
    names = [row[0] for row in rows]
    for place, wanted in enumerate(HEAD):
        if place >= len(names) or names[place] != wanted:
            found = repr(names[place]) if place < len(names) else "nothing"
            raise _wrong(file, sheet.title, place, 0, f"'{wanted}' was expected, {found} stands there")
    questions = pd.DataFrame(_questions(file, sheet.title, rows))
    cells = pd.DataFrame(_cells(file, sheet.title, rows), columns=["question", "country", "centre", "shares", "note"])
    return questions, cells


def _questions(file: Path, sheet: str, rows: list[list[Any]]) -> Iterator[dict[str, Any]]:
    for column in range(1, len(rows[0])):
        raw = {name: rows[place][column] for place, name in enumerate(HEAD.values())}
        choices = {"source": SOURCES, "marked": SCALES}
        for place, name in enumerate(HEAD.values()):
            if name in choices and raw[name] not in choices[name]:
                raise _wrong(file, sheet, place, column, f"{raw[name]!r:.40} is none of {', '.join(choices[name])}")
            if name in ("low", "high") and not _whole(raw[name]):
                raise _wrong(file, sheet, place, column, f"{raw[name]!r:.40} is no whole number")
            if name == "text" and not (isinstance(raw[name], str) and raw[name].strip()):
                raise _wrong(file, sheet, place, column, "a question's text is missing")
        if not raw["low"] < raw["high"]:
            raise _wrong(file, sheet, 3, column, f"MAX {raw['high']} is not above Min {raw['low']}")
        if raw["high"] - raw["low"] >= WIDEST:
            raise _wrong(file, sheet, 3, column, f"Min to MAX {raw['high']} are more than {WIDEST} options")
        item = re.match(r"(Q|MENA_Q?)\d+\w*", str(raw["item"] or ""))
        named = {"question": str(column), "item": item[0] if item else None, "label": raw["item"]}
        ends = {"low": int(raw["low"]), "high": int(raw["high"])}
        yield raw | named | ends | {"source": SOURCES[raw["source"]], "scale": SCALES[raw["marked"]]}


def _cells(file: Path, sheet: str, rows: list[list[Any]]) -> Iterator[tuple[str, str, float, dict[str, float], str]]:
    seen: set[str] = set()
    for place, row in enumerate(rows[len(HEAD) :], start=len(HEAD)):
        if row[0] not in CODES:
            raise _wrong(file, sheet, place, 0, f"{row[0]!r:.40} is none of {', '.join(CODES)}")
        if CODES[row[0]] in seen:
            raise _wrong(file, sheet, place, 0, f"{row[0]} stands twice")
        seen.add(CODES[row[0]])
        for column, text in enumerate(row[1:], start=1):
            if text is None:
                continue
            try:
                centre, shares = parse(text)
            except ValueError as error:
                raise _wrong(file, sheet, place, column, f"{error}, in {text!r:.60}") from error
            note = "" if shares else text.strip()[1:].partition(",")[0]
            yield str(column), CODES[row[0]], centre, shares, note


def parse(text: object) -> tuple[float, dict[str, float]]:
    """Read one cell, such as ``(1.82, {'1': '41.70%', ...})``.

    Parameters
    ----------
    text : as printed.

    Returns
    -------
    centre : the number, NaN where the cell says that there is none.
    shares : percent by option, in the printed order.

    Raises
    ------
    ValueError : anything but a number (or that there is none) and percentages by whole-numbered option.

    Examples
    --------
    >>> parse("(1.0, {'1': '99.67%', '2': '0.33%'})")
    (1.0, {'1': 99.67, '2': 0.33})
    >>> parse("(No data, {})")
    (nan, {})
    >>> parse("__import__('os').getcwd()")
    Traceback (most recent call last):
    ...
    ValueError: a number and percentages by option were expected
    """
    wanted = "a number and percentages by option were expected"
    if not isinstance(text, str) or len(text) > LONGEST:
        raise ValueError(wanted)
    if EMPTY.fullmatch(text.strip()):
        return float("nan"), {}
    try:
        value = ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
        raise ValueError(wanted) from error
    if not (isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], dict) and value[1]):
        raise ValueError(wanted)
    centre, shares = value
    if isinstance(centre, bool) or not isinstance(centre, int | float) or not _moderate(centre):
        raise ValueError(f"{centre!r:.20} is no number, or too large a one")
    for option, share in shares.items():
        if not (isinstance(option, str) and re.fullmatch(r"\d{1,3}(\.0)?", option)):
            raise ValueError(f"{option!r:.20} is no option")
        if not (isinstance(share, str) and re.fullmatch(r"\d{1,3}(\.\d+)?%", share) and float(share[:-1]) <= 100):
            raise ValueError(f"{share!r:.20} is no percentage")
    if len({int(float(option)) for option in shares}) < len(shares):
        raise ValueError("an option stands twice")
    percents = {option: float(share[:-1]) for option, share in shares.items()}
    if not sum(percents.values()) > 0:
        raise ValueError("the shares add up to nothing")
    return float(centre), percents


def _moderate(number: float) -> bool:
    # An integer of thousands of digits has no float, and its text would fill the message.
    return abs(number) < 1e9 and not math.isnan(number)


def _whole(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and float(value).is_integer()


def _wrong(file: Path, sheet: str, row: int, column: int, why: str) -> UserError:
    from openpyxl.utils import get_column_letter

    return UserError(f"{file.name}, sheet '{sheet}', row {row + 1}, column {get_column_letter(column + 1)}: {why}")
