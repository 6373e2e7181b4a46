"""A model of one's own in the form of the released responses, so that it can stand beside them."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd

from .. import UserError, items
from .released import OWN, checked
from .survey import in_language

COLUMNS = [*OWN, "score"]


def released_form(scored: pd.DataFrame, family: str) -> pd.DataFrame:
    """Bring scored responses into the form of the released ones: the valid ones, one per row.

    Parameters
    ----------
    scored : as `survey.stances` gives them, by one judge and measured in one way.
    family : of the model, such as 'gemma'.

    Returns
    -------
    Columns `COLUMNS`; `score` in [0, 1]. A question of the teaching bank stands under the survey's code, which asks
    the same in other words.

    Raises
    ------
    UserError : scores of several judges or measurements, which would count a response more than once.
    """
    for column in ("judge", "measurement"):
        if scored[column].nunique() > 1:
            raise UserError(f"these are scores by {', '.join(map(str, scored[column].unique()))}: keep one {column}")
    codes = {q.id: q.sources["joint"].lower() for q in items.teaching_questions() if "joint" in q.sources}
    valid = in_language(scored).dropna(subset="score")
    table = valid.assign(family=family, question=valid["question"].replace(codes))
    return table[COLUMNS].reset_index(drop=True)


def write(table: pd.DataFrame, file: str | Path) -> Path:
    """Keep responses in the released form, whole or not at all.

    Parameters
    ----------
    table : as `released_form` gives it.
    file : CSV file to write.

    Returns
    -------
    The file.

    Raises
    ------
    UserError : the table is not in the released form; names the column.
    """
    file, text = Path(file), checked(table, "this table").to_csv(index=False, lineterminator="\n")
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f".{file.name}.{os.getpid()}")
    partial.write_text(text, encoding="utf-8")
    partial.replace(file)
    return file
