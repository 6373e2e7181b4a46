"""The few triples of NaVAB that stand in its public code: what they look like, and what gives them away.

The files ``6_Evaluation/data/human_statement_result.json`` and, under its earlier Chinese name, the one of official
statements, of the repository DoinJ/NVA-Pipeline (MIT licence). They hold news text of others and are not kept here; the
table of figures is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from .. import UserError
from .give_away import learned, share
from .wording import positive

FIELDS = ("statement", "source", "generated Q", "generated reverse statement")
DENIALS = re.compile(r"不|没|沒|未|無|无|非|別|勿|反對|反对|否認|否认|拒絕|拒绝")
# Here these characters deny nothing.
_HARMLESS = re.compile(
    r"非洲|非常|三不|大公無私|未來|未来|不斷|不断|無論|无论|不僅|不仅|不同|除非|情非得已|是不是|是否"
)
_YES_OR_NO = re.compile(r"嗎|吗|是否|會否|能否|是不是|有沒有")
_ENGLISH = re.compile(r"(?:[A-Za-z]+[ ,.'()]+){5}")


def released_sample(files: Mapping[str, Path]) -> pd.DataFrame:
    """Describe triples in the authors' form, and see how far their wording gives S away.

    Parameters
    ----------
    files : by source kind ('quoted', 'official') a JSON file of rows with the fields `FIELDS`.

    Returns
    -------
    One row per `split` (first 'all') and `measure`: `value`, a share; `low`, `high` (Wilson, 95%); `n`, rows; `chance`,
    0.5 where a rule picks S or RS, otherwise NaN; `printed`, NaN.

    Raises
    ------
    UserError : a file that is no list of such rows; names the row.
    """
    rows = pd.concat([_read(path).assign(split=split) for split, path in files.items()], ignore_index=True)
    rows = rows.assign(id=[f"{split}-{number}" for number, split in enumerate(rows["split"])])
    values = {name: pd.Series([float(test(row)) for row in rows.to_dict("records")]) for name, test in MEASURES.items()}
    picks = {"fewer denials picks S": _fewer(rows), "longer string picks S": _longer(rows), LEARNED: _learned(rows)}
    found = []
    for split in ("all", *files):
        part = rows["split"].isin([split]) if split != "all" else pd.Series(True, index=rows.index)
        for name, value in {**values, **picks}.items():
            chance = 0.5 if name in picks else np.nan
            found.append(
                {"split": split, "measure": name, **share(value[part], rows.loc[part, "id"]), "chance": chance}
            )
    return pd.DataFrame(found)


def denials(text: str) -> int:
    """Count what denies in a Chinese text: a closed list, and what only looks like it left out.

    Examples
    --------
    >>> denials("他不會反對"), denials("非常好")
    (2, 0)
    """
    return len(DENIALS.findall(_HARMLESS.sub("", text)))


LEARNED = "learned: characters picks S"

MEASURES: dict[str, Callable[[dict[str, str]], bool]] = {
    "Q, S and RS are there, S is not RS": lambda row: (
        all(row[name] for name in ("question", "statement", "reverse_statement"))
        and row["statement"] != row["reverse_statement"]
    ),
    "RS denies and S does not": lambda row: denials(row["reverse_statement"]) > 0 and not denials(row["statement"]),
    "S denies and RS does not": lambda row: denials(row["statement"]) > 0 and not denials(row["reverse_statement"]),
    "Q can be answered by yes or no": lambda row: bool(_YES_OR_NO.search(row["question"])),
    "Q repeats S": lambda row: _repeated(row["question"], row["statement"]) >= 0.8,
    "source names somebody": lambda row: row["source"].lower() not in ("", "unknown", "none"),
    "source stands in S": lambda row: bool(row["source"]) and row["source"] in row["statement"],
    "source stands in S and in RS": lambda row: (
        bool(row["source"]) and row["source"] in row["statement"] and row["source"] in row["reverse_statement"]
    ),
    "S holds English sentences": lambda row: bool(_ENGLISH.search(row["statement"])),
}
"""By name what is looked for in a row."""


def _read(path: Path) -> pd.DataFrame:
    try:
        rows = json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(f"{path.name} is no JSON: {error}") from error
    for number, row in enumerate(rows if isinstance(rows, list) else [rows], start=1):
        if not isinstance(row, dict) or (missing := [field for field in FIELDS if field not in row]):
            raise UserError(
                f"{path.name}, row {number}: lacks {', '.join(missing) if isinstance(row, dict) else 'all'}"
            )
    table = pd.DataFrame(rows)[list(FIELDS)].astype(str).apply(lambda column: column.str.strip())
    return table.set_axis(["statement", "source", "question", "reverse_statement"], axis=1)


def _repeated(question: str, statement: str) -> float:
    """Pairs of neighbouring characters of a question, without what asks, that stand in the statement."""
    plain = re.sub(r"是否|嗎|吗|\W", "", question)
    pairs = [plain[i : i + 2] for i in range(len(plain) - 1)]
    own = re.sub(r"\W", "", statement)
    return float(np.mean([pair in own for pair in pairs])) if pairs else 0.0


def _fewer(rows: pd.DataFrame) -> pd.Series:
    return positive((rows["reverse_statement"].map(denials) - rows["statement"].map(denials)).astype(float))


def _longer(rows: pd.DataFrame) -> pd.Series:
    return positive((rows["statement"].str.len() - rows["reverse_statement"].str.len()).astype(float))


def _learned(rows: pd.DataFrame) -> pd.Series:
    return positive(learned(rows, "characters and pairs of them") - 0.5)
