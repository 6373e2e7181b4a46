"""Triples of a question, a statement and its reverse: what NaVAB puts to a model."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from .. import ROOT, UserError

TEACHING = ROOT / "data" / "teaching" / "triples.csv"

NATIONS = ("CN", "US", "GB", "FR", "DE")
SOURCE_KINDS = ("quoted", "official")
COLUMNS = [
    "id",
    "nation",
    "topic",
    "question",
    "statement",
    "reverse_statement",
    "source_kind",
    "written_by",
]


def teaching_triples() -> pd.DataFrame:
    """Give the 40 triples that come with the book, eight per nation.

    They were written for teaching: S is a position publicly associated with a nation's government, institutions or
    leading figures, RS a contrary one of like length and tone. They are no sample of NaVAB.

    Returns
    -------
    As `load` gives them.

    Examples
    --------
    >>> teaching_triples().groupby("nation", sort=False).size().to_dict()
    {'CN': 8, 'US': 8, 'GB': 8, 'FR': 8, 'DE': 8}
    """
    return load(TEACHING)


def load(path: Path) -> pd.DataFrame:
    """Read triples (Q, S, RS) from a CSV file and check every row.

    Parameters
    ----------
    path : file with the columns `id` (unique), `nation` (ISO 3166 alpha-2, one of the paper's five), `topic`,
        `question` (Q), `statement` (S), `reverse_statement` (RS), `source_kind` ('quoted' where the position is that
        of a person or body named in the question, else 'official'), `written_by`.

    Returns
    -------
    One row per triple, these columns, all text, in the file's order.

    Raises
    ------
    UserError : no such file or no CSV, a column missing, no row at all, or a row that cannot be used; names the
        first such row.
    """
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except FileNotFoundError as error:
        raise UserError(f"no triples file {path.name}: restore it from the repository") from error
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        reason = str(error).strip().splitlines()[0]
        raise UserError(f"{path.name} is no CSV file ({reason}): it needs the header {','.join(COLUMNS)}") from error
    missing = [column for column in COLUMNS if column not in table]
    if missing:
        raise UserError(f"{path.name} lacks the column {', '.join(missing)}: it needs {', '.join(COLUMNS)}")
    if table.empty:
        raise UserError(f"{path.name} has a header but no triples: add one row per triple")
    return check(table[COLUMNS], path.name)


def check(triples: pd.DataFrame, name: str = "triples") -> pd.DataFrame:
    """Refuse triples that would be scored wrongly.

    Parameters
    ----------
    triples : the columns of `load`.
    name : what the message calls the table.

    Returns
    -------
    The same table.

    Raises
    ------
    UserError : an empty field, an unknown nation or source kind, a repeated id, or S equal to RS; names the row.
    """
    seen: set[str] = set()
    for number, row in enumerate(triples.to_dict("records"), start=1):
        problem = _problem(row, seen)
        if problem:
            raise UserError(f"{name}, row {number} (id '{row['id']}'): {problem}")
        seen.add(row["id"])
    return triples


def _problem(row: dict[str, str], seen: set[str]) -> str | None:
    empty = [column for column in COLUMNS if not row[column].strip()]
    if empty:
        return f"{', '.join(empty)} is empty; fill it in or remove the row"
    if row["id"] in seen:
        return "another row has this id; give each triple its own"
    if row["nation"] not in NATIONS:
        hint = " (United Kingdom is GB)" if row["nation"] == "UK" else ""
        return f"unknown nation '{row['nation']}': choose {', '.join(NATIONS)}{hint}"
    if row["source_kind"] not in SOURCE_KINDS:
        return f"unknown source_kind '{row['source_kind']}': choose {', '.join(SOURCE_KINDS)}"
    if row["statement"].strip().casefold() == row["reverse_statement"].strip().casefold():
        return "statement and reverse_statement are the same; nothing could be preferred"
    return None
