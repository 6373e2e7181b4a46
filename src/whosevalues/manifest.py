"""What a run leaves: one Parquet file of answers, and a manifest that says what they were made with."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from . import ROOT, UserError, models, responses
from .results import provenance

ANSWERS = ROOT / "_build" / "answers"

DRIFT = 50
"""Option questions on which rounded weights are held against float32."""


def keep(
    paper: str,
    answers: pd.DataFrame,
    seconds: float,
    new: int,
    parameters: Mapping[str, object],
    part: bool = False,
) -> Path:
    """Write one Parquet file of a model's answers, and what it was made with.

    Parameters
    ----------
    paper : 'multicultural', 'mena' or 'navab'.
    answers : of `elicitation.elicit`, by one model.
    seconds : how long the new ones took.
    new : how many were not in the store before.
    parameters : of the run.
    part : whether they are only a part of what the paper asks, which must not take the whole's place.

    Returns
    -------
    ``_build/answers/<paper>/<model>.parquet``, of a part ``<model>.part.parquet``; beside it a manifest, `.json`.
    """
    (model,) = answers["model"].unique()
    before = about(paper, model)
    file = ANSWERS / paper / f"{model}{'.part' if part else ''}.parquet"
    told = {
        "paper": paper,
        "model": models.describe(model),
        "parameters": dict(parameters),
        "asked": len(answers),
        "errors": int(answers["error"].notna().sum()),
        "refused": int(answers["refused"].notna().sum()),
        "measurement": answers["measurement"].value_counts().to_dict(),
        "new": new,
        "seconds": round(seconds, 1),
        **{name: int(pd.to_numeric(answers[name]).sum()) for name in responses.TOKENS if name in answers},
        # What an all-cached run did not measure anew, an earlier one did.
        "rate": {"questions": new, "seconds": round(seconds, 1)} if new else before.get("rate"),
        "machine": machine(),
        **provenance(),
    }
    write(answers, file)
    _tell(file, told | {"drift": before.get("drift")})
    # Last: it loads the weights a second time, and what was paid for is safe by now.
    _tell(file, told | {"drift": _drift(model, answers, before, new)})
    return file


def newest(paper: str, model: str) -> Path | None:
    """Find what the last run left: of the whole grid, or, where nobody asked that, of a part.

    Parameters
    ----------
    paper : 'multicultural', 'mena' or 'navab'.
    model : name in models.yml.

    Returns
    -------
    A Parquet file, None where there is none.
    """
    files = [ANSWERS / paper / f"{model}{part}.parquet" for part in ("", ".part")]
    return next((file for file in files if file.is_file()), None)


def about(paper: str, model: str) -> dict[str, Any]:
    """Read the manifest of what the last run left.

    Parameters
    ----------
    paper, model : as for `newest`.

    Returns
    -------
    Nothing where nothing was asked yet.

    Raises
    ------
    UserError : a damaged manifest.
    """
    files = [ANSWERS / paper / f"{model}{part}.json" for part in ("", ".part")]
    file = next((file for file in files if file.is_file()), None)
    try:
        told = json.loads(file.read_text(encoding="utf-8")) if file else {}
    except (OSError, ValueError):
        told = None
    if not isinstance(told, dict):
        raise UserError(f"{file.name} of {paper} is no manifest: remove it, then run again")
    return told


def write(answers: pd.DataFrame, file: Path) -> None:
    """Write answers as Parquet, whole or not at all.

    Parameters
    ----------
    answers : of `elicitation.elicit` or `elicitation.judged`; what no column holds alike in all rows becomes JSON.
    file : to be written; its columns have the same types for every model, so that several files are one table.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f".{file.name}.{os.getpid()}")
    _flat(answers).to_parquet(partial, index=False, schema=_schema(answers))
    partial.replace(file)


def spread(rows: pd.DataFrame, n: int) -> pd.DataFrame:
    """Pick some rows, spread evenly over all.

    Parameters
    ----------
    rows : of a grid.
    n : how many, at most.

    Returns
    -------
    The first, the last, and others between them.
    """
    return rows.iloc[np.unique(np.linspace(0, len(rows) - 1, n).round().astype(int))] if len(rows) else rows


def machine() -> dict[str, object]:
    """Say what a measurement ran on.

    Returns
    -------
    Operating system, processor, number of processors, memory (GiB), and, once torch was needed, threads and GPU.
    """
    told = {"system": platform.system(), "processor": platform.machine(), "processors": os.cpu_count()}
    told["memory"] = round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    if torch := sys.modules.get("torch"):
        told["threads"] = torch.get_num_threads()
        told["gpu"] = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    return told


def _tell(file: Path, told: Mapping[str, Any]) -> None:
    partial = file.with_name(f".{file.stem}.{os.getpid()}")
    partial.write_text(json.dumps(told, indent=1, sort_keys=True, default=str) + "\n", encoding="utf-8")
    partial.replace(file.with_suffix(".json"))


def _drift(model: str, answers: pd.DataFrame, before: Mapping[str, Any], new: int) -> dict[str, Any] | None:
    some = spread(answers[answers["kind"] == "option_scores"], DRIFT)
    known = before.get("drift") or {}
    same = before.get("model") == json.loads(json.dumps(models.describe(model), default=str))
    if same and known.get("n", 0) >= len(some):
        return known or None
    # Nothing new was asked, so no weights are loaded either.
    if not new or not len(some):
        return known or None
    return models.load(model).drift(list(zip(some["prompt"], some["options"], strict=True)))


def _flat(answers: pd.DataFrame) -> pd.DataFrame:
    """Write as JSON what no column of a Parquet file holds alike in all rows."""
    out = answers.copy()
    for name in {"decoding", "schema", "value", "top"} & set(out):
        empty = [v is None or (isinstance(v, float) and np.isnan(v)) for v in out[name]]
        texts = [json.dumps(v, default=vars, ensure_ascii=False) for v in out[name]]
        out[name] = [None if e else text for e, text in zip(empty, texts, strict=True)]
    return out


def _schema(answers: pd.DataFrame):
    """Types of the columns: those of answers are the same in every file, also where they are empty."""
    import pyarrow as pa

    shares, count, number, text = pa.list_(pa.float64()), pa.int64(), pa.float64(), pa.string()
    texts = (
        "error",
        "refused",
        "measurement",
        "text",
        "finish_reason",
        "completion",
        "top",
        "value",
        "decoding",
        "schema",
    )
    typed = dict.fromkeys(("raw", "probability", "low", "high"), shares) | dict.fromkeys(texts, text)
    typed |= dict.fromkeys(("n", "tokens", *responses.TOKENS), count)
    typed |= {"missing_mass": number, "logprob": number, "options": pa.list_(text), "repaired": pa.bool_()}
    found = pa.Schema.from_pandas(_flat(answers), preserve_index=False)
    return pa.schema([field.with_type(typed.get(field.name, field.type)) for field in found])
