"""What is settled once per model and kept from then on: a hub model's revision, its template's date, a file's hash."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from .. import ROOT, UserError
from ..locks import only_writer
from .base import digest

FOLDER = ROOT / "_build" / "models"
"""Where it is kept, one JSON file per model."""

HASHES = ".hashes.json"
"""Hashes of large files, by their path, size and time of change."""

LARGE = 2**20
"""Bytes from which a file's hash is kept rather than computed at every load."""

WAIT = 300
"""Seconds to wait for another process that settles the same."""


def recorded(name: str, path: str) -> str | None:
    """Look up the revision that a hub model was given at its first load.

    Parameters
    ----------
    name : of the model in models.yml.
    path : its repository on the hub.

    Returns
    -------
    The commit; None where none was resolved yet, or that of another repository.

    Raises
    ------
    UserError : a damaged record.
    """
    about = _read(name)
    return about.get("revision") if about.get("path") == path else None


def revision(name: str, path: str) -> str:
    """Give the revision of a hub model: the newest one at the first call, and the same one ever after.

    Parameters
    ----------
    name, path : as for `recorded`.

    Returns
    -------
    The commit.

    Raises
    ------
    UserError : the hub cannot be reached; a damaged record.
    """
    found = recorded(name, path)
    if found is None:
        found = _settle(name, lambda about: about.get("path") == path, lambda: _newest(name, path))["revision"]
    return found


def day(name: str, weights: str) -> date:
    """Give the date that a chat template shows as today's: the day of the first load, and the same one ever after.

    A template with today's date would make every question another one at midnight.

    Parameters
    ----------
    name : of the model in models.yml.
    weights : what identifies its weights.

    Returns
    -------
    The date.

    Raises
    ------
    UserError : a damaged record.
    """

    def same(about: dict[str, Any]) -> bool:
        return weights in (about.get("weights"), f"{about.get('path')} {about.get('revision')}")

    about = _read(name)
    if not same(about):
        about = _settle(name, same, lambda: {"weights": weights})
    return date.fromisoformat(about["date"][:10])


def contents(folder: Path) -> str:
    """Identify a folder's model by what is in its files, so that a copy is the same model.

    Parameters
    ----------
    folder : with configuration, tokenizer and weights; notes and hidden files do not count.

    Returns
    -------
    A hash of names and contents. A large file is read once, and again when its size or time of change differ.
    """
    files = [file for file in sorted(folder.iterdir()) if file.is_file()]
    files = [file for file in files if not file.name.startswith(".") and file.suffix != ".md"]
    cache = FOLDER / HASHES
    known, new, named = _hashes(cache), {}, []
    for file in files:
        state = file.stat()
        key = f"{file.resolve()} {state.st_size} {state.st_mtime_ns}"
        large = state.st_size >= LARGE
        found = known.get(key) if large else None
        if found is None:
            with file.open("rb") as stream:
                found = hashlib.file_digest(stream, "sha256").hexdigest()
            new |= {key: found} if large else {}
        named.append([file.name, found])
    if new:
        with only_writer(cache, wait=WAIT):
            _write(cache, _hashes(cache) | new)
    return digest(named)


def _newest(name: str, path: str) -> dict[str, str]:
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HTTPError

    try:
        return {"path": path, "revision": HfApi().model_info(path, timeout=10).sha}
    except (HTTPError, OSError, ValueError) as error:
        raise UserError(
            f"model '{name}': the newest revision of '{path}' cannot be asked for from here ({type(error).__name__}): "
            f"load it once where the hub can be reached, write `revision: <commit>` into its line in models.yml, or "
            "give a local folder as its path"
        ) from error


def _settle(name: str, same: Callable[[dict], bool], make: Callable[[], dict[str, str]]) -> dict[str, Any]:
    """Write a model's record, unless another process has just done so."""
    file = FOLDER / f"{name}.json"
    with only_writer(file, wait=WAIT):
        about = _read(name)
        if not same(about):
            about = make() | {"date": datetime.now(UTC).isoformat(timespec="seconds")}
            _write(file, about)
    return about


def _read(name: str) -> dict[str, Any]:
    file = FOLDER / f"{name}.json"
    try:
        about = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
        if about:
            datetime.fromisoformat(about["date"])
            _ = about["weights"] if "weights" in about else about["path"] + about["revision"]
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{file.relative_to(FOLDER.parent)} of model '{name}' is damaged: write the revision that its answers name "
            "into its line in models.yml, or remove the file, and the newest revision is taken"
        ) from error
    return about


def _hashes(cache: Path) -> dict[str, str]:
    try:
        found = json.loads(cache.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write(file: Path, about: dict[str, Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f".{file.name}.{os.getpid()}")
    partial.write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    partial.replace(file)
