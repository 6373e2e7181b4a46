"""What is wrong with the benchmark workbook: every defect found, counted and weighed by what it does to the scores."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

LISTED = re.compile(r"(?<![\w.])(\d{1,2})\s*[:).](?=\s)|(?<!\S)(\d{1,2})\s*-\s")
"""A numbered option in a text: '1: ', '1) ', '1. ' or '1 - '."""
QUOTED = re.compile(r"'(\d{1,2})'")
"""An option named in a sentence: "with '1' being ...", as a rule the ends of the scale only."""
RESIDUAL = (
    r"(?i)(\d+): (?:I )?(?:disagree with both|do not agree with either|do not have|other\b|all the above|none of)"
)
"""An answer outside an order."""
ELSEWHERE = r"(?i)^of the above|\bthis event\?|two statements.*\(with 1\)"
"""A text that points to something the prompt does not show."""
TOLERANCE = {"shares": 0.05, "mean": 0.01}
"""Percentages and means are printed with two digits: their sums and means may be off by this much."""
FOLLOWING = r"(?i)\b(?:second|third)(?:ly)?\b"
"""Asks for the next answer of a question whose first answer the prompt does not give."""

DEFECTS = {
    "no country has data": "question",
    "asked in one country only": "question",
    "scale 's' for 'y'": "question",
    "Min is 0": "question",
    "option 0 among the shares, Min is 1": "question",
    "numbers in the text are not Min to MAX": "question",
    "no list '1:' or '1)' in the text": "question",
    "no numbered list of any kind": "question",
    "an option without wording": "question",
    "an option without wording that people chose": "question",
    "an answer outside the order of an ordinal scale": "question",
    "list of options breaks off": "question",
    "text points to what is not shown": "question",
    "same text as another question": "question",
    "same text but for the numbers": "question",
    "second or third answer, the first not given": "question",
    "'Provide a number only' in the question itself": "question",
    "an option that nobody chose": "question",
    "nobody anywhere chose MAX": "question",
    "'Respondant' in the name of the subcategory": "question",
    "cell says 'No data'": "cell",
    "cell says 'No values <= MAX'": "cell",
    "options written '1.0'": "cell",
    "options written '1'": "cell",
    "options not in the order of the scale": "cell",
    "an option outside Min to MAX": "cell",
    "the mean lies outside Min to MAX": "cell",
    "several modes, one printed": "cell",
    "centre is not the mean or mode of the shares": "cell",
    "shares do not add up to 100": "cell",
}
"""What is looked for, and what it is a property of."""


def described(questions: pd.DataFrame, cells: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read off what the defects are defined by.

    Parameters
    ----------
    questions, cells : of :func:`~whosevalues.mena.workbook.read`.

    Returns
    -------
    questions : with `countries` (that have data), `seen` (set of options that somebody chose), `listed` (set of numbers
        before an option in the text) and `worded` (those, or else the ones quoted in a sentence).
    cells : with `source`, `category`, `scale`, `low`, `high`, `worded`, `options` (array, as printed in whole numbers),
        `probability` (array, adding up to 1; both empty without data), `mean` and `modes` (tuple) of the shares.
    """
    questions = questions.copy()
    questions["listed"] = [{int(a or b) for a, b in LISTED.findall(text)} for text in questions["text"]]
    quoted = [{int(number) for number in QUOTED.findall(text)} for text in questions["text"]]
    questions["worded"] = [a or b for a, b in zip(questions["listed"], quoted, strict=True)]
    known = ["question", "source", "category", "scale", "low", "high", "worded"]
    cells = cells.merge(questions[known], on="question", validate="many_to_one")
    options = [np.array([int(float(option)) for option in shares], int) for shares in cells["shares"]]
    percent = [np.array(list(shares.values()), float) for shares in cells["shares"]]
    cells["options"], cells["percent"] = pd.Series(options, dtype=object), pd.Series(percent, dtype=object)
    cells["probability"] = pd.Series([p / p.sum() if len(p) else p for p in percent], dtype=object)
    pairs = list(zip(cells["options"], cells["probability"], strict=True))
    cells["mean"] = [float(o @ p) if len(o) else np.nan for o, p in pairs]
    cells["modes"] = [tuple(sorted(o[p == p.max()].tolist())) if len(o) else () for o, p in pairs]
    full = cells[cells["shares"].map(bool)]
    seen = full.groupby("question")["options"].agg(lambda found: set(np.concatenate(list(found)).tolist()))
    questions["seen"] = [seen.get(question, set()) for question in questions["question"]]
    counted = full.groupby("question").size()
    questions["countries"] = questions["question"].map(counted).fillna(0).astype(int)
    return questions, cells


def defects(questions: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    """Find every defect of the workbook.

    Parameters
    ----------
    questions, cells : of :func:`~whosevalues.mena.workbook.read`.

    Returns
    -------
    One row per defect and question or cell that has it: `defect` (a key of `DEFECTS`), `unit` ('question' or 'cell'),
    `question`, `country` (missing for a question), `source`, `category`.
    """
    asked, filled = described(questions, cells)
    marks = {"question": _of_questions(asked), "cell": _of_cells(filled)}
    frames = {"question": asked.assign(country=None), "cell": filled}
    columns = ["question", "country", "source", "category"]
    parts = [
        frames[unit].loc[np.asarray(marks[unit][defect], bool), columns].assign(defect=defect, unit=unit)
        for defect, unit in DEFECTS.items()
    ]
    return pd.concat(parts, ignore_index=True)[["defect", "unit", *columns]]


def _of_questions(asked: pd.DataFrame) -> dict[str, object]:
    text = asked["text"]
    ranges = [set(range(low, high + 1)) for low, high in zip(asked["low"], asked["high"], strict=True)]
    silent = [scale - worded for scale, worded in zip(ranges, asked["worded"], strict=True)]
    plain = text.str.lower().str.replace(r"[^a-z]+", " ", regex=True).str.strip()
    same = text.duplicated(keep=False)
    ends = [(min(n), max(n)) if n else None for n in asked["worded"]]
    stated = list(zip(asked["low"], asked["high"], strict=True))
    numbered = text.str.contains(r"(?<![\w.])\d{1,2}\s*[:)](?=\s)")
    return {
        "no country has data": asked["countries"] == 0,
        "asked in one country only": asked["countries"] == 1,
        "scale 's' for 'y'": asked["marked"] == "s",
        "Min is 0": asked["low"] == 0,
        "option 0 among the shares, Min is 1": [
            0 in s and low > 0 for s, low in zip(asked["seen"], asked["low"], strict=True)
        ],
        "numbers in the text are not Min to MAX": [e is not None and e != s for e, s in zip(ends, stated, strict=True)],
        "no list '1:' or '1)' in the text": ~numbered,
        "no numbered list of any kind": ~asked["listed"].map(bool),
        "an option without wording": [bool(options) for options in silent],
        "an option without wording that people chose": [
            bool(a & b) for a, b in zip(silent, asked["seen"], strict=True)
        ],
        "an answer outside the order of an ordinal scale": text.map(lambda t: bool(re.search(RESIDUAL, t)))
        & (asked["scale"] == "ordinal"),
        "list of options breaks off": text.str.contains(r",\s*\.?\s*$"),
        "text points to what is not shown": text.str.contains(ELSEWHERE, flags=re.DOTALL),
        "same text as another question": same,
        "same text but for the numbers": plain.duplicated(keep=False) & ~same,
        "second or third answer, the first not given": text.str.contains(FOLLOWING),
        "'Provide a number only' in the question itself": text.str.contains("number only"),
        "an option that nobody chose": [bool(seen and r - seen) for r, seen in zip(ranges, asked["seen"], strict=True)],
        "nobody anywhere chose MAX": [
            bool(s) and max(s) < b for s, b in zip(asked["seen"], asked["high"], strict=True)
        ],
        "'Respondant' in the name of the subcategory": asked["subcategory"].str.contains("Respondant"),
    }


def _of_cells(filled: pd.DataFrame) -> dict[str, object]:
    full = filled["shares"].map(bool)
    low, high = filled["low"], filled["high"]
    total = np.array([p.sum() for p in filled["percent"]])
    mean = (filled["centre"] - filled["mean"]).abs() > TOLERANCE["mean"]
    mode = [bool(m) and c not in m for c, m in zip(filled["centre"], filled["modes"], strict=True)]
    ordinal = filled["scale"] == "ordinal"
    return {
        "cell says 'No data'": filled["note"] == "No data",
        "cell says 'No values <= MAX'": filled["note"].str.startswith("No values"),
        "options written '1.0'": [any("." in option for option in shares) for shares in filled["shares"]],
        "options written '1'": [bool(s) and not any("." in option for option in s) for s in filled["shares"]],
        "options not in the order of the scale": [bool((np.diff(o) < 0).any()) for o in filled["options"]],
        "an option outside Min to MAX": [
            bool(((o < a) | (o > b)).any()) for o, a, b in zip(filled["options"], low, high, strict=True)
        ],
        "the mean lies outside Min to MAX": full & ((filled["centre"] < low) | (filled["centre"] > high)),
        "several modes, one printed": ~ordinal & (filled["modes"].map(len) > 1),
        "centre is not the mean or mode of the shares": (ordinal & mean) | (~ordinal & pd.Series(mode, filled.index)),
        "shares do not add up to 100": full & (np.abs(total - 100) > TOLERANCE["shares"]),
    }


def report(questions: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    """Count the defects, overall and by source, category and country.

    Parameters
    ----------
    questions, cells : of :func:`~whosevalues.mena.workbook.read`.

    Returns
    -------
    One row per defect and group that has some, and per defect overall: `defect`, `unit`, `by` ('all', 'source',
    'category' or 'country'), `group`, `value` (how many have it), `low`, `high` (missing: a count of all there are),
    `n` (questions, or filled cells, of the group), `chance`, `printed` (missing). A question is in a country where it
    has a filled cell.
    """
    found, filled = defects(questions, cells), cells.merge(questions[["question", "source", "category"]], on="question")
    pairs = filled[["question", "country"]]
    of_questions = found[found["unit"] == "question"].drop(columns="country").merge(pairs, on="question")
    placed = pd.concat([of_questions, found[found["unit"] == "cell"]])
    rows = []
    for defect, unit in DEFECTS.items():
        whole = questions if unit == "question" else filled
        mine = found[found["defect"] == defect]
        rows.append((defect, unit, "all", "all", len(mine), len(whole)))
        for by in ("source", "category"):
            sizes = whole[by].value_counts()
            rows += [(defect, unit, by, group, n, sizes[group]) for group, n in mine[by].value_counts().items()]
        sizes = filled["country"].value_counts()
        counts = placed.loc[placed["defect"] == defect, "country"].value_counts().sort_index()
        rows += [(defect, unit, "country", group, n, sizes[group]) for group, n in counts.items()]
    table = pd.DataFrame(rows, columns=["defect", "unit", "by", "group", "value", "n"])
    table = table.assign(low=np.nan, high=np.nan, chance=np.nan, printed=np.nan)
    return table[["defect", "unit", "by", "group", "value", "low", "high", "n", "chance", "printed"]]
