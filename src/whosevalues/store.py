"""Append-only files of answers: one line of JSON each, on the disk as soon as it is known, one file per run.

Who reads takes all files of a folder together, so two runs can never harm each other.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from . import UserError


def read(store: Path) -> dict[str, dict[str, Any]]:
    """Read a store.

    Parameters
    ----------
    store : folder of JSON-lines files, or none yet.

    Returns
    -------
    Rows by key; of several rows with one key an answer goes before an error, and the first answer before later ones.
    A last line without an end is what a crash left, or what another run is writing: it does not count.

    Raises
    ------
    UserError : a complete line that is no response; names file and line.
    """
    rows: dict[str, dict[str, Any]] = {}
    for file in sorted(store.glob("*.jsonl")):
        for row in _lines(file):
            key = row["key"]
            if key not in rows or (rows[key]["error"] and not row["error"]):
                rows[key] = row
    return rows


def answered(rows: Mapping[str, Mapping[str, Any]]) -> set[str]:
    """Pick the keys that have an answer.

    Parameters
    ----------
    rows : of `read`.

    Returns
    -------
    Keys of the rows that are no errors.
    """
    return {key for key, row in rows.items() if not row["error"]}


@contextmanager
def attempt(store: Path) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """Open this run's own file; every row is on the disk before the next one is looked at.

    Parameters
    ----------
    store : folder, which is there.

    Yields
    ------
    A function that writes one row.

    Raises
    ------
    UserError : by that function, where the disk takes no more.
    """
    now = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    file = os.open(store / f"{now}-{platform.node()}-{os.getpid()}.jsonl", os.O_CREAT | os.O_EXCL | os.O_WRONLY)

    def write(row: Mapping[str, Any]) -> None:
        line = (json.dumps(row, ensure_ascii=False) + "\n").encode("utf-8", errors="replace")
        try:
            while line:
                line = line[os.write(file, line) :]
            os.fsync(file)
        except OSError as error:
            raise UserError(
                f"{store.name}: an answer could not be written ({error.strerror}); make room on the disk, then the "
                "same command continues"
            ) from error

    try:
        yield write
    finally:
        os.close(file)


def _lines(file: Path) -> Iterable[dict[str, Any]]:
    with file.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.endswith(b"\n"):
                return
            try:
                row = json.loads(line)
                row["key"], row["error"], row["kind"], row["answer"]
            except (ValueError, KeyError, TypeError) as error:
                raise UserError(
                    f"{file.parent.name}/{file.name}, line {number} is no response: remove that line, then run again"
                ) from error
            yield row
