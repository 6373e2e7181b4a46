"""The metric files that the authors of MENAValues released: three models, two modes; read into tidy tables."""

from __future__ import annotations

import re
from functools import cache
from pathlib import PurePosixPath

import numpy as np
import pandas as pd

from .. import UserError, data
from .names import CODES, LANGUAGES, MODELS, MODES

KINDS = ("NVAS", "CLCS", "SPD", "KL")

# The folders are swapped: CLCS/Neutral holds the observer framing, with a column per country, and CLCS/Observer the
# neutral one, which names no country and so has a column per language.
_SWAPPED = {"Neutral": "observer", "Observer": "neutral", "Persona": "persona"}

IGNORED = ("source", "Unnamed: 17")
"""Columns of the KL files that hold no divergence."""


def files(kind: str) -> list[str]:
    """Registry paths of one kind of metric files.

    Parameters
    ----------
    kind : 'NVAS', 'CLCS', 'SPD' or 'KL'.

    Returns
    -------
    Two framings of NVAS and three of CLCS, two modes each; SPD in two modes; KL zero-shot, in two framings.

    Raises
    ------
    UserError : another kind.

    Examples
    --------
    >>> [len(files(kind)) for kind in KINDS]
    [12, 18, 6, 6]
    """
    if kind not in KINDS:
        raise UserError(f"unknown metric '{kind}': the authors released {', '.join(KINDS)}")
    return [path for path in data.registry().index if path.startswith(f"mena/metrics/{kind}/")]


def read(kind: str) -> pd.DataFrame:
    """Load one kind of metric files, without the average row that ends each.

    Parameters
    ----------
    kind : as in :func:`files`.

    Returns
    -------
    One row per question and column of every file, filled or not: `model`, `framing` ('persona', 'observer' or
    'neutral'; of SPD, which compares two, missing; as the content is, not as the folders of CLCS are called), `mode`,
    `folder` (of the file), `country` (of the neutral CLCS missing, for it is by language; 'LLM' for the column of SPD
    that holds the model against itself), `language` (the native one of that column, else missing), `question`, `value`
    (KL in nats; scores at most 1, and below 0 where an answer or the people's mean lies outside the scale, as in three
    cells; NaN where the file has none).

    Raises
    ------
    UserError : a file is malformed; names it and the column.
    """
    return pd.concat([_file(kind, path) for path in files(kind)], ignore_index=True)


def averages(kind: str) -> pd.DataFrame:
    """Load the last row of every file of one kind: the averages as the authors computed them.

    Parameters
    ----------
    kind : as in :func:`files`.

    Returns
    -------
    As :func:`read`, with the `question` 'Average'.

    Raises
    ------
    UserError : as :func:`read`, or a file has no such row.
    """
    parts = {path: _whole(kind, path).query("question == 'Average'") for path in files(kind)}
    if lacking := [path for path, part in parts.items() if part.empty]:
        raise UserError(f"{lacking[0]}, column 'Code': there is no row 'Average': fetch it anew")
    return pd.concat(parts.values(), ignore_index=True)


def _file(kind: str, path: str) -> pd.DataFrame:
    table = _whole(kind, path)
    # NVAS and KL have empty rows beyond the 864 questions.
    table = table[table["question"].str.isdecimal() & (pd.to_numeric(table["question"], errors="coerce") <= 864)]
    if table.empty:
        raise UserError(f"{path}, column 'Code': it holds none of the questions 1 to 864: fetch it anew")
    return table


@cache
def _sheet(path: str) -> pd.DataFrame:
    try:
        return pd.read_excel(data.load(path), sheet_name=0)
    except UserError:
        raise
    except Exception as error:  # openpyxl lets out whatever the zip or the XML raises
        raise UserError(f"{path} is no workbook that can be read ({type(error).__name__}): fetch it anew") from error


def _whole(kind: str, path: str) -> pd.DataFrame:
    sheet = _sheet(path)
    if "Code" not in sheet:
        raise UserError(f"{path} has no column 'Code': fetch it anew")
    sheet = sheet.assign(Code=[str(code) for code in sheet["Code"]])
    columns = {name: _column(kind, str(name)) for name in sheet.columns if name not in ("Code", *IGNORED)}
    if unknown := [name for name, meant in columns.items() if not meant]:
        raise UserError(f"{path}, column '{unknown[0]}': it is neither a country nor a language: fetch it anew")
    table = sheet.melt("Code", [*columns], "column", "value").rename(columns={"Code": "question"})
    value = pd.to_numeric(table["value"], errors="coerce")
    if (bad := value.isna() & table["value"].notna()).any():
        row = table[bad].iloc[0]
        raise UserError(f"{path}, column '{row['column']}', code {row['question']}: {row['value']!r:.40} is no number")
    table["value"] = value if kind == "KL" else value / 100
    place = pd.DataFrame([columns[name] for name in table["column"]], columns=["country", "language"], dtype=object)
    named = {"folder": PurePosixPath(path).parent.name} | _about(kind, path)
    table = pd.concat([table[["question", "value"]], place], axis=1).assign(**named)
    return table[["model", "framing", "mode", "folder", "country", "language", "question", "value"]]


def _about(kind: str, path: str) -> dict[str, str | None]:
    name, folder = PurePosixPath(path).stem.lower(), PurePosixPath(path).parent.name
    framings = {
        "NVAS": "persona" if folder == "NPVAS" else "observer",
        "CLCS": _SWAPPED.get(folder),
        "KL": "persona" if "persona" in name else "observer",
        "SPD": None,
    }
    (model,) = (ours for theirs, ours in MODELS.items() if theirs in name)
    (mode,) = (ours for theirs, ours in MODES.items() if theirs in name)
    return {"model": model, "framing": framings[kind], "mode": mode}


def _column(kind: str, name: str) -> tuple[str | float, str | float] | None:
    """Whom a column speaks of: country and language; None where it says neither."""
    if kind == "SPD" and (inner := re.fullmatch(r"SPD_(.+?)_[^_]+_extracted_number", name)):
        name = inner[1]
    if name == "LLM":
        return "LLM", np.nan
    if (language := name.removeprefix("CLCS_")) in LANGUAGES:
        return np.nan, LANGUAGES[language]
    return (CODES[name], np.nan) if name in CODES else None
