"""The archive of the UN General Debate Corpus, and how the speeches of the five nations come out of it.

Harvard Dataverse, doi:10.7910/DVN/0TJX8Y (CC0): a text file per speech, such as
``Converted sessions/Session 28 - 1973/CHN_28_1973.txt``. The archive is read, never unpacked.
"""

from __future__ import annotations

import hashlib
import json
import re
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from .. import UserError, data
from .articles import ALPHA2, SPEECHES

YEARS = (1973, 2024)
LARGEST = 2_000_000
"""Bytes of a speech: what is larger is none."""

_NAME = re.compile(r"(?:.*[/\\])?([A-Z]{3})_(\d{2})_(\d{4})\.txt")


def prepare(source: Path, target: Path) -> dict[str, object]:
    """Write the speeches of the five nations, 1973 to 2024, as one file of JSON lines.

    Parameters
    ----------
    source : the archive (``.zip``, ``.tgz`` or another tar file), or a folder in which it was unpacked.
    target : file to write; from an unchanged archive it is, byte for byte, the registered one.

    Returns
    -------
    `speeches`, how many were written; `missing`, nation and year of those that were not there; `sha256` of the file;
    `registered`, whether that is the registered one.

    Raises
    ------
    UserError : no such archive, no speech in it, two different files for one speech, or one that is too large or not
        UTF-8; names the file. Nothing is written then.
    """
    found: dict[tuple[int, str], dict[str, object]] = {}
    for name, content in _members(Path(source)):
        nation, session, year = _wanted(name)
        row = {"nation": nation, "session": session, "year": year, "text": _text(name, content)}
        if found.setdefault((year, nation), row) != row:
            raise UserError(f"{name}: there is another file for this speech with other words; keep one of the two")
    if not found:
        raise UserError(f"no speech in '{source}': files are named like CHN_28_1973.txt, in any folder of the archive")
    lines = "".join(json.dumps(found[key], ensure_ascii=False) + "\n" for key in sorted(found)).encode()
    Path(target).write_bytes(lines)
    years = range(YEARS[0], YEARS[1] + 1)
    sha = hashlib.sha256(lines).hexdigest()
    return {
        "speeches": len(found),
        "missing": [f"{nation} {year}" for year in years for nation in sorted(ALPHA2) if (year, nation) not in found],
        "sha256": sha,
        "registered": sha == data.registry().loc[SPEECHES, "sha256"],
    }


def _members(source: Path) -> Iterator[tuple[str, bytes]]:
    """Name and content of each speech that is wanted; nothing is unpacked, links are not followed."""
    if source.is_dir():
        for file in sorted(source.rglob("*.txt")):
            if _wanted(file.name) and file.is_file() and not file.is_symlink():
                yield file.name, file.read_bytes()[: LARGEST + 1]
    elif source.is_file() and zipfile.is_zipfile(source):
        with zipfile.ZipFile(source) as archive:
            for member in archive.infolist():
                if _wanted(member.filename):
                    with archive.open(member) as stream:
                        yield member.filename, stream.read(LARGEST + 1)
    elif source.is_file() and tarfile.is_tarfile(source):
        with tarfile.open(source) as archive:
            for member in archive:
                if member.isfile() and _wanted(member.name):
                    yield member.name, archive.extractfile(member).read(LARGEST + 1)
    else:
        raise UserError(f"'{source}' is no folder, zip or tar file: give the archive of doi:10.7910/DVN/0TJX8Y")


def _wanted(name: str) -> tuple[str, int, int] | None:
    parts = _NAME.fullmatch(name)
    if not parts or parts[1] not in ALPHA2 or not YEARS[0] <= int(parts[3]) <= YEARS[1]:
        return None
    return parts[1], int(parts[2]), int(parts[3])


def _text(name: str, content: bytes) -> str:
    if len(content) > LARGEST:
        raise UserError(f"{name} has more than {LARGEST:,} bytes: no speech is that long, the archive is damaged")
    try:
        # Line ends stay as they are; only white space around the speech goes.
        return content.decode("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        raise UserError(f"{name} is not UTF-8 ({error}): fetch the archive again") from error
