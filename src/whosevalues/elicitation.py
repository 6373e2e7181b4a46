"""The live experiments: which questions each one puts to a model, and where the answers are kept."""

from __future__ import annotations

from importlib import import_module
from inspect import signature

import pandas as pd

from . import ROOT, UserError, models, responses

STORE = ROOT / "_build" / "responses"


EXPERIMENTS = {"mena": "mena", "navab": "navab.evaluation"}
"""The module of each experiment: its function `experiment` makes the requests."""


def elicit(experiment: str, model: str, **parameters: object) -> pd.DataFrame:
    """Get a model's answers to an experiment; what the store has is not asked again.

    Parameters
    ----------
    experiment : 'mena' (the teaching bank, framings x languages) or 'navab' (the teaching triples).
    model : name in models.yml.
    parameters : of the experiment; 'mena' takes `countries`.

    Returns
    -------
    The experiment's requests with the model's answers, as `responses.ask` gives them, and a column `model`.

    Raises
    ------
    UserError : unknown experiment, model, parameter or country; nothing usable was answered.
    """
    if experiment not in EXPERIMENTS:
        raise UserError(f"unknown experiment '{experiment}': choose {', '.join(EXPERIMENTS)}")
    asked = models.load(model)
    # By name, so that the graph does not take one paper's chapter to depend on another paper's code.
    make_requests = import_module(f"whosevalues.{EXPERIMENTS[experiment]}").experiment
    known = list(signature(make_requests).parameters)
    if unknown := [name for name in parameters if name not in known]:
        raise UserError(f"unknown parameter '{unknown[0]}': {experiment} takes {', '.join(known) or 'none'}")
    requests = make_requests(**parameters)
    return responses.ask(asked, requests, STORE / experiment / f"{model}.jsonl").assign(model=model)
