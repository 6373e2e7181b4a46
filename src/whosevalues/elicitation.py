"""The live experiments: which questions each paper puts to a model, and where the answers are kept."""

from __future__ import annotations

import json
import time
from importlib import import_module
from inspect import signature
from typing import Any

import pandas as pd

from . import ROOT, UserError, manifest, models, responses

STORE = ROOT / "_build" / "responses"

EXPERIMENTS = {
    "multicultural": "multicultural.survey",
    "mena": "mena.protocol",
    "navab": "navab.evaluation",
    "navab-open": "navab.judgement",
    "navab-tags": "navab.tagging",
    "navab-statements": "navab.extraction",
    "navab-turns": "navab.persistence",
    "navab-survey": "navab.value_sources",
    "navab-triples": "navab.triple_requests",
    "multicultural-countries": "multicultural.prompting",
    "mena-order": "mena.order",
    "mena-reasoning": "mena.reasoning",
    "mena-leakage": "mena.leakage",
    "mena-translation": "mena.translation",
    "mena-benchmark": "mena.grid",
    "mena-region": "mena.region_prompts",
}
"""The module of each paper: its function `experiment` makes the requests; where a second model must read the answers,
as a judge or to translate them back, its function `judging` makes that one's, `PER_ANSWER` of them for each answer."""

ON_REQUEST = ("mena-translation", "mena-benchmark", "mena-region", "navab-triples")
"""Asked only where they are named: too large for a first look."""


def usual() -> list[str]:
    """List the experiments of a plain run: all but those on request."""
    return [name for name in EXPERIMENTS if name not in ON_REQUEST]


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
        grid = manifest.spread(grid, limit)
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
    """Have a model's open answers judged, or translated back: by the model itself, unless another one is named.

    Parameters
    ----------
    paper : whose experiment needs a second model: 'multicultural' or 'mena-translation'.
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
    """Pick the questions that a model could answer and its store has no answer to.

    Parameters
    ----------
    paper : a key of `EXPERIMENTS`.
    model : name in models.yml.
    asked : of `requests`.

    Returns
    -------
    The rows that a run would put to the model.
    """
    who = models.load(model)
    done = responses.answered(responses.read(STORE / paper / model))
    named = pd.Series(responses.keys(who, asked), index=asked.index)
    return asked[~named.isin(done) & ~named.duplicated() & asked["kind"].isin(who.answers_to)]


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
    The manifest; of a shard, which keeps no Parquet file, how many questions it was `asked`, how many were `new`,
    `refused` or ended in `errors`.

    Raises
    ------
    UserError : as for `elicit`; what was answered until then is kept as a part.
    """
    before = responses.answered(responses.read(STORE / paper / model))
    started, part = time.monotonic(), limit is not None or bool(parameters)
    how = {"purse": purse, "progress": True}

    def kept(answers: pd.DataFrame, part: bool) -> dict[str, Any]:
        new = int((answers["error"].isna() & ~answers["key"].isin(before)).sum())
        seconds = time.monotonic() - started
        if shard is not None:
            count = {
                name: int(answers[column].notna().sum()) for name, column in (("errors", "error"), ("refused",) * 2)
            }
            return {"asked": len(answers), "new": new, "shard": shard, **count}
        file = manifest.keep(paper, answers, seconds, new, parameters | {"limit": limit}, part)
        return json.loads(file.with_suffix(".json").read_text())

    try:
        answers = elicit(paper, model, limit=limit, shard=shard, **how, **parameters)
    except (UserError, KeyboardInterrupt):
        if shard is None and len(found := _answered(paper, model, limit, **parameters)):
            kept(found, part=True)
        raise
    told = kept(answers, part)
    if hasattr(_module(paper), "judging"):
        verdicts = judged(paper, answers, judge, shared=shard is not None, **how)
        if shard is None:
            whose = f"{model}{'.part' if part else ''}.judged-by-{judge or model}.parquet"
            manifest.write(verdicts, manifest.ANSWERS / paper / whose)
    return told


def _answered(paper: str, model: str, limit: int | None, **parameters: object) -> pd.DataFrame:
    """What the store has of a grid, without asking anything."""
    who, asked = models.load(model), requests(paper, limit, **parameters)
    rows = responses.read(STORE / paper / model)
    found = responses.join(who, asked.assign(key=responses.keys(who, asked)), rows).assign(model=model)
    return found[found["error"].isna()].reset_index(drop=True)


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
