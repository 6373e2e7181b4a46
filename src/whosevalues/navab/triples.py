"""Triples of a question, a statement and its reverse: what NaVAB puts to a model."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from .. import ROOT, UserError
from .reversal import Reversed, reverse

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


RULES = "rules"
"""Who wrote a triple that no model wrote."""


def build(statements: pd.DataFrame) -> pd.DataFrame:
    """Make triples of statements by the rules of `reversal`, offline.

    Parameters
    ----------
    statements : `statement_id`, `article`, `nation`, `statement`, `source_kind`; `topic`, where it is known.

    Returns
    -------
    One row per statement that a rule can reverse: `COLUMNS` (`id` is the statement's, `written_by` 'rules'), `article`,
    `statement_id`, `rule`, `negated` (whether S is the one of the two that denies). `problems` of `attempt` lists the
    others.
    """
    return usable(attempt(statements))


def attempt(statements: pd.DataFrame) -> pd.DataFrame:
    """Try to make a triple of every statement by rules.

    Parameters
    ----------
    statements : as for `build`.

    Returns
    -------
    One row per statement: the columns of `build` and `problem`, None where the triple can be used.
    """
    lower = _written_small(statements["statement"])
    made = [reverse(text, lower) for text in statements["statement"]]
    parts = pd.DataFrame(made, columns=Reversed._fields, index=statements.index)
    tried = _named(statements, RULES).assign(
        question=parts["question"], reverse_statement=parts["statement"], rule=parts["rule"], negated=parts["negated"]
    )
    return _judged(tried, parts["reason"])


def usable(attempts: pd.DataFrame) -> pd.DataFrame:
    """Give the triples among attempts that can be put to a model.

    Parameters
    ----------
    attempts : of `attempt` or `triple_requests.read_answers`.

    Returns
    -------
    Those without a problem, without that column, numbered anew.
    """
    return attempts[attempts["problem"].isna()].drop(columns="problem").reset_index(drop=True)


def problems(attempts: pd.DataFrame) -> pd.DataFrame:
    """List the attempts that gave no triple.

    Parameters
    ----------
    attempts : of `attempt` or `triple_requests.read_answers`.

    Returns
    -------
    One row per statement: `row` (its place in the table, from 1), `statement_id`, `article`, `statement`, `problem`.
    """
    numbered = attempts.assign(row=range(1, len(attempts) + 1))
    return numbered.loc[numbered["problem"].notna(), ["row", "statement_id", "article", "statement", "problem"]]


def balanced(triples: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Draw as many triples in which S denies as triples in which RS does.

    Parameters
    ----------
    triples : of `build`.
    seed : of the draw among the more frequent kind.

    Returns
    -------
    All of the rarer kind, and as many of the other, in the order of `triples`.
    """
    kinds = [rows for _, rows in triples.groupby("negated")]
    if len(kinds) < 2:
        return triples.head(0)
    size = min(len(rows) for rows in kinds)
    return pd.concat([rows.sample(size, random_state=seed) for rows in kinds]).sort_index().reset_index(drop=True)


def _named(statements: pd.DataFrame, written_by: str) -> pd.DataFrame:
    topic = statements["topic"] if "topic" in statements else pd.Series("none", index=statements.index)
    return pd.DataFrame(
        {
            "id": statements["statement_id"], "nation": statements["nation"], "topic": topic.astype(str),
            "question": "", "statement": statements["statement"].str.split().str.join(" "), "reverse_statement": "",
            "source_kind": statements["source_kind"], "written_by": written_by,
            "article": statements["article"], "statement_id": statements["statement_id"],
        }
    )  # fmt: skip


def _judged(tried: pd.DataFrame, reasons: Iterable[str]) -> pd.DataFrame:
    """Set beside each attempt why it cannot be used: what its maker said, or else what its row shows."""
    seen: set[str] = set()
    found = []
    for row, reason in zip(tried.to_dict("records"), reasons, strict=True):
        found.append(reason or _problem(row, seen))
        seen.add(row["id"])
    return tried.assign(problem=pd.Series(found, index=tried.index, dtype=object)).reset_index(drop=True)


def _written_small(texts: Iterable[str]) -> frozenset[str]:
    """Words that stand in the midst of a sentence with a small letter."""
    return frozenset(word for text in texts for word in re.findall(r"(?<=[a-z,] )[a-z]+", text))
