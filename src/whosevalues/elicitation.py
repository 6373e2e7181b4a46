"""The live experiments: which questions each paper puts to a model, and where the answers are kept."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Mapping
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from . import ROOT, UserError, models, responses
from .results import provenance

STORE = ROOT / "_build" / "responses"
ANSWERS = ROOT / "_build" / "answers"

EXPERIMENTS = {"multicultural": "multicultural_survey", "mena": "mena", "navab": "navab.evaluation"}
"""The module of each paper: its function `experiment` makes the requests; where answers must be judged, its function
`judging` makes the judge's."""

DRIFT = 50
"""Option questions on which rounded weights are held against float32."""


def requests(paper: str, limit: int | None = None, shard: str | None = None, **parameters: object) -> pd.DataFrame:
    """List the questions of a paper's experiment.

    Parameters
    ----------
    paper : a key of `EXPERIMENTS`.
    limit : for a taste, only so many questions, spread evenly over the grid.
    shard : 'i/n', the i-th of n parts of the grid; neighbours, which share most of their prompts, stay together.
    parameters : of the experiment; 'mena' takes `countries`.

    Returns
    -------
    One row per question, as `responses.ask` takes them.

    Raises
    ------
    UserError : unknown paper, parameter or country; a limit or shard that is none.
    """
    module = _module(paper)
    known = list(signature(module.experiment).parameters)
    if unknown := [name for name in parameters if name not in known]:
        raise UserError(f"unknown parameter '{unknown[0]}': {paper} takes {', '.join(known) or 'none'}")
    grid = module.experiment(**parameters)
    if limit is not None:
        if limit < 1:
            raise UserError(f"--limit {limit} leaves no question: give at least 1")
        grid = _spread(grid, limit)
    if shard is not None:
        part, parts = _shard(shard)
        grid = grid.iloc[len(grid) * (part - 1) // parts : len(grid) * part // parts]
    return grid.reset_index(drop=True)


def elicit(
    paper: str,
    model: str,
    *,
    limit: int | None = None,
    shard: str | None = None,
    purse: responses.Purse | None = None,
    progress: bool = False,
    **parameters: object,
) -> pd.DataFrame:
    """Get a model's answers to a paper's experiment; what the store has is not asked again.

    Parameters
    ----------
    paper : a key of `EXPERIMENTS`.
    model : name in models.yml.
    limit, shard, parameters : as for `requests`.
    purse, progress : as for `responses.ask`.

    Returns
    -------
    The experiment's requests with the model's answers, as `responses.ask` gives them, and a column `model`.

    Raises
    ------
    UserError : unknown paper, model, parameter or country; nothing usable was answered; the money is spent.
    """
    asked = requests(paper, limit, shard, **parameters)
    return _ask(paper, model, asked, purse=purse, progress=progress, shared=shard is not None)


def judged(paper: str, answers: pd.DataFrame, judge: str | None = None, **how: Any) -> pd.DataFrame:
    """Have a model's open answers judged: by the model itself, unless another one is named.

    Parameters
    ----------
    paper : whose experiment needs a judge: 'multicultural'.
    answers : of `elicit`, by one model.
    judge : name in models.yml; without it the model is its own judge.
    how : `purse`, `progress` and `shared`, as for `responses.ask`.

    Returns
    -------
    The judge's answers to the module's `judging` requests, with `model` (who was judged), `judge` and `self_judged`.

    Raises
    ------
    UserError : the experiment needs no judge; an unknown judge; nothing usable was answered.
    """
    module = _module(paper)
    if not hasattr(module, "judging"):
        raise UserError(f"the answers of {paper} need no judge")
    (model,) = answers["model"].unique()
    put = module.judging(answers)
    rows = _ask(paper, judge or model, put, **how)
    return rows.assign(model=model, judge=judge or model, self_judged=(judge or model) == model)


def missing(paper: str, model: str, asked: pd.DataFrame) -> pd.DataFrame:
    """Pick the questions that a model's store has no answer to.

    Parameters
    ----------
    paper : a key of `EXPERIMENTS`.
    model : name in models.yml.
    asked : of `requests`.

    Returns
    -------
    The rows that a run would put to the model.
    """
    done = responses.answered(responses.read(STORE / paper / model))
    named = pd.Series(responses.keys(models.load(model), asked), index=asked.index)
    return asked[~named.isin(done) & ~named.duplicated()]


def run(
    paper: str,
    model: str,
    *,
    judge: str | None = None,
    limit: int | None = None,
    shard: str | None = None,
    purse: responses.Purse | None = None,
    **parameters: object,
) -> dict[str, Any]:
    """Elicit with a progress bar, have open answers judged, and keep one Parquet file with its manifest.

    Parameters
    ----------
    paper, model, limit, shard, purse, parameters : as for `elicit`.
    judge : as for `judged`.

    Returns
    -------
    The manifest; of a shard, which keeps no Parquet file, how many questions it was `asked`, how many were `new` and
    how many ended in `errors`.

    Raises
    ------
    UserError : as for `elicit`.
    """
    new = len(missing(paper, model, requests(paper, limit, shard, **parameters)))
    started = time.monotonic()
    how = {"purse": purse, "progress": True}
    answers = elicit(paper, model, limit=limit, shard=shard, **how, **parameters)
    seconds = time.monotonic() - started
    if hasattr(_module(paper), "judging"):
        judged(paper, answers, judge, shared=shard is not None, **how)
    if shard is not None:
        return {"asked": len(answers), "new": new, "errors": int(answers["error"].notna().sum()), "shard": shard}
    return json.loads(
        keep(paper, answers, seconds, new, parameters | {"limit": limit}).with_suffix(".json").read_text()
    )


def keep(paper: str, answers: pd.DataFrame, seconds: float, new: int, parameters: Mapping[str, object]) -> Path:
    """Write one Parquet file of a model's answers, and what it was made with.

    Parameters
    ----------
    paper : a key of `EXPERIMENTS`.
    answers : of `elicit`, by one model.
    seconds : how long the new ones took.
    new : how many were not in the store before.
    parameters : of the run.

    Returns
    -------
    ``_build/answers/<paper>/<model>.parquet``; beside it a manifest, `.json`.
    """
    (model,) = answers["model"].unique()
    file = ANSWERS / paper / f"{model}.parquet"
    file.parent.mkdir(parents=True, exist_ok=True)
    before = json.loads(file.with_suffix(".json").read_text()) if file.with_suffix(".json").is_file() else {}
    about = {
        "paper": paper,
        "model": models.describe(model),
        "parameters": dict(parameters),
        "asked": len(answers),
        "errors": int(answers["error"].notna().sum()),
        "measurement": answers["measurement"].value_counts().to_dict(),
        "new": new,
        "seconds": round(seconds, 1),
        **{name: int(pd.to_numeric(answers[name]).sum()) for name in responses.TOKENS if name in answers},
        # What an all-cached run did not measure anew, an earlier one did.
        "rate": {"questions": new, "seconds": round(seconds, 1)} if new else before.get("rate"),
        "drift": _drift(model, answers, before),
        "machine": machine(),
        **provenance(),
    }
    partial = file.with_name(f".{model}.{os.getpid()}")
    _flat(answers).to_parquet(partial, index=False)
    partial.replace(file)
    partial.write_text(json.dumps(about, indent=1, sort_keys=True, default=str) + "\n")
    partial.replace(file.with_suffix(".json"))
    return file


def machine() -> dict[str, object]:
    """Say what a measurement ran on.

    Returns
    -------
    Operating system, processor, number of processors.
    """
    return {"system": platform.system(), "processor": platform.machine(), "processors": os.cpu_count()}


def _module(paper: str):
    if paper not in EXPERIMENTS:
        raise UserError(f"unknown paper '{paper}': choose {', '.join(EXPERIMENTS)}")
    # By name, so that the graph does not take one paper's chapter to depend on another paper's code.
    return import_module(f"whosevalues.{EXPERIMENTS[paper]}")


def _ask(paper: str, model: str, put: pd.DataFrame, *, purse=None, progress=False, shared=False) -> pd.DataFrame:
    how = {"purse": purse, "price": models.price(model), "progress": progress, "shared": shared}
    return responses.ask(models.load(model), put, STORE / paper / model, **how).assign(model=model)


def _shard(text: str) -> tuple[int, int]:
    part, slash, parts = text.partition("/")
    if not (slash and part.isdecimal() and parts.isdecimal() and 1 <= int(part) <= int(parts)):
        raise UserError(f"'{text}' is no shard: write i/n, such as 2/8 for the second of eight")
    return int(part), int(parts)


def _drift(model: str, answers: pd.DataFrame, before: Mapping[str, Any]) -> dict[str, Any] | None:
    described = json.loads(json.dumps(models.describe(model), default=str))
    if before.get("drift") and before.get("model") == described:
        return before["drift"]
    options = answers[answers["kind"] == "option_scores"]
    some = _spread(options, DRIFT)
    return models.load(model).drift(list(zip(some["prompt"], some["options"], strict=True))) if len(some) else None


def _spread(rows: pd.DataFrame, n: int) -> pd.DataFrame:
    return rows.iloc[np.unique(np.linspace(0, len(rows) - 1, n).round().astype(int))] if len(rows) else rows


def _flat(answers: pd.DataFrame) -> pd.DataFrame:
    """Write as JSON what no column of a Parquet file holds alike in all rows."""
    out = answers.copy()
    for name in {"decoding", "schema", "value", "top"} & set(out):
        out[name] = [None if v is None else json.dumps(v, default=vars, ensure_ascii=False) for v in out[name]]
    return out
