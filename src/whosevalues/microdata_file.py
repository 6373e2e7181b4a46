"""Survey files that a user brings (CSV, SPSS, Stata): the columns that are wanted, codes as numbers, words as text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from . import UserError

KINDS = (".csv", ".sav", ".dta")


def read(
    path: str | Path,
    wanted: Sequence[str],
    *,
    words: Sequence[str] = (),
    optional: Sequence[str] = (),
    expected: str,
) -> pd.DataFrame:
    """Read some columns of a survey file.

    Parameters
    ----------
    path : a .csv, .sav or .dta file; columns may be spelt in any case.
    wanted : columns that must be there.
    words : those of them that hold words; all others hold codes.
    optional : columns of codes that are read where the file has them.
    expected : what file this should be and where it can be had; ends every message.

    Returns
    -------
    One row per respondent, columns spelt as in `wanted` and `optional`: codes as floats, words stripped, both missing
    where the file has nothing. NA is a word (Namibia), not a missing one.

    Raises
    ------
    UserError : there is no such file, it is empty, of another kind or cannot be read, columns are missing (all are
        named) or differ in case only, a column holds words where codes belong, or there is no respondent.
    """
    file = Path(path)
    if not file.is_file():
        raise UserError(f"there is no file {file}: {expected}")
    if file.suffix.lower() not in KINDS:
        raise UserError(f"{file.name} is no .csv, .sav or .dta file (unpack a .zip first): {expected}")
    if not file.stat().st_size:
        raise UserError(f"{file.name} is empty: {expected}")
    load = _csv if file.suffix.lower() == ".csv" else _labelled
    try:
        table = load(file, wanted, optional, expected)
    except (UnicodeDecodeError, pd.errors.ParserError, OSError) as error:
        raise UserError(f"{file.name} cannot be read ({str(error).splitlines()[0]}): {expected}") from error
    if not len(table):
        raise UserError(f"{file.name} has no respondent: {expected}")
    order = [name for name in (*wanted, *optional) if name in table]
    return pd.DataFrame({n: _text(table[n]) if n in words else _codes(table[n], file.name) for n in order})


def _csv(file: Path, wanted: Sequence[str], optional: Sequence[str], expected: str) -> pd.DataFrame:
    with file.open(encoding="utf-8-sig") as lines:
        header = lines.readline().strip()
    if not header:
        raise UserError(f"{file.name} is empty, or its first line is: {expected}")
    mark = max(",;\t", key=header.count)
    found = [name.strip(' "') for name in header.split(mark)]
    names = _columns(found, wanted, optional, file.name, expected)
    table = pd.read_csv(
        file, sep=mark, encoding="utf-8-sig", keep_default_na=False, na_values=["", " "], low_memory=False,
        skipinitialspace=True, usecols=lambda name: name.strip() in names,
    )  # fmt: skip
    return table.rename(columns=lambda name: names[name.strip()])


def _labelled(file: Path, wanted: Sequence[str], optional: Sequence[str], expected: str) -> pd.DataFrame:
    import pyreadstat

    load = pyreadstat.read_sav if file.suffix.lower() == ".sav" else pyreadstat.read_dta
    try:
        _, about = load(file, metadataonly=True)
        names = _columns(about.column_names, wanted, optional, file.name, expected)
        table, _ = load(file, usecols=list(names), apply_value_formats=False)
    except (pyreadstat.ReadstatError, pyreadstat.PyreadstatError) as error:
        raise UserError(f"{file.name} cannot be read ({error}): {expected}") from error
    return table.rename(columns=names)


def _columns(
    found: Iterable[str], wanted: Sequence[str], optional: Sequence[str], name: str, expected: str
) -> dict[str, str]:
    """Which of the file's columns are wanted, and what for."""
    spelled = {column.lower(): column for column in (*wanted, *optional)}
    names = {column: spelled[column.lower()] for column in found if column.lower() in spelled}
    if missing := [column for column in wanted if column not in names.values()]:
        raise UserError(f"{name} lacks {len(missing)} of {len(wanted)} columns ({', '.join(missing)}): {expected}")
    if len(names) > len(set(names.values())):
        raise UserError(f"{name} has columns that differ in case only: {', '.join(names)}; {expected}")
    return names


def _text(column: pd.Series) -> pd.Series:
    text = column.astype("string").str.strip()
    return text.mask(text == "").astype(object)


def _codes(column: pd.Series, name: str) -> pd.Series:
    codes = pd.to_numeric(column, errors="coerce")
    wrong = column[codes.isna() & column.notna()]
    if len(wrong):
        raise UserError(
            f"{name} has '{wrong.iloc[0]}' in {column.name} where a code belongs: save it with codes, not with value "
            "labels, and with decimal points"
        )
    return codes.astype(float)
