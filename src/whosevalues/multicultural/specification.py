"""All reasonable analyses of the two research questions at once: a specification curve (Simonsohn et al., 2020)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from .names import MODELS, STATES
from .specification_rq1 import LANGUAGES, ROUNDS, SLOPES, capability_specifications
from .specification_rq2 import us_specifications

CHOICES = {
    "state": "data",
    "unit": "observations",
    "level": "alignment per",
    "kind": "consistency",
    "pairs": "pairs",
    "correction": "over reliability",
    "benchmarks": "benchmarks",
    "intercept": "intercept",
    "estimator": "estimator",
    "questions": "questions",
}
"""The columns of :func:`curve` that say how an estimate was made, in words; empty where a choice does not arise."""
TERMS = (*SLOPES, "consistency", *(f"us:{language}" for language in LANGUAGES))
"""A family's slope of capability in a language; the coefficient of consistency; US minus local alignment."""
_OPTIONS = {
    "unit": {
        **{str(number): f"{number} rounds" for number in ROUNDS},
        "cells": "one row per cell",
        "questions": "cells, questions drawn",
    },
    "correction": {"none": "no", "0.955": "yes"},
    "state": {state: state for state in STATES},
}
_RQ1 = {"level": "response", "pairs": "copies", "intercept": "no", "unit": "100"}
_RQ2 = {"level": "response", "unit": "100", "estimator": "coefficient", "questions": "all"}
_OWN = {
    STATES[0]: {"kind": "pearson", "correction": "none", "benchmarks": "seed"},
    STATES[1]: {"kind": "spearman", "correction": "0.955", "benchmarks": "HEAD"},
}


def curve(*, rounds: tuple[int, ...] = ROUNDS, resamples: int = 200, seed: int = 0) -> pd.DataFrame:
    """List every reasonable analysis of the key figures, and what it gives.

    Choices that cannot change a term are not crossed with it: reliability changes the coefficient of consistency
    alone, and copies exist only where responses are drawn; distinct pairs of drawn responses are shown for 100 rounds.
    The formula goes with the state: at HEAD consistency has a coefficient per language, and their mean stands for it.

    `unit` is what counts as an observation of the regression: a row per round of the authors' bootstrap (their
    number), or a row per model and language ('cells', interval of the regression; 'questions', the same with the
    interval from whole questions resampled). `benchmarks` is the file of the capability scores.

    Parameters
    ----------
    rounds, resamples, seed : as in :func:`capability_specifications`.

    Returns
    -------
    One row per term of `TERMS` and combination of `CHOICES`: `value`, 95% interval `low` to `high`, `p_value` where a
    regression gives one, `n` (its observations; questions for 'paired'), `chance`, `printed`, and `own`: 'paper' for
    the paper's own analysis, 'later' for that of the authors' later state.
    """
    parts = [
        make(state, rounds=rounds, resamples=resamples, seed=seed)
        for make in (capability_specifications, us_specifications)
        for state in STATES
    ]
    table = pd.concat(parts, ignore_index=True).assign(chance=0.0)
    table[[*CHOICES]] = table.reindex(columns=[*CHOICES]).fillna("")
    table["own"] = ""
    for state, name in zip(STATES, ("paper", "later"), strict=True):
        table.loc[(table["state"] == state) & _is_own(table, state), "own"] = name
    table = table.drop(columns="printed", errors="ignore").merge(_printed(), how="left", on=["term", "own"])
    table["term"] = pd.Categorical(table["term"], TERMS)
    table = table.sort_values(["term", *CHOICES], kind="stable", ignore_index=True).astype({"term": str})
    figures = ["value", "low", "high", "p_value"]
    table[figures] = table[figures].round(3)
    return table[["term", *CHOICES, *figures, "n", "chance", "printed", "own"]]


def _is_own(table: pd.DataFrame, state: str) -> pd.Series:
    us = table["term"].str.startswith("us:")
    first, second = (
        pd.concat([table[key] == value for key, value in choice.items()], axis=1).all(axis=1)
        for choice in (_RQ1 | {k: v for k, v in _OWN[state].items() if k != "correction"}, _RQ2)
    )
    corrected = (table["term"] != "consistency") | (table["correction"] == _OWN[state]["correction"])
    return first & corrected & ~us | second & us


def _printed() -> pd.DataFrame:
    """What was printed of the terms; a mean where several coefficients were."""
    printed = pd.read_csv(Path(__file__).with_name("printed.csv")).dropna(subset="printed")
    slopes = printed[(printed["question"] == "rq1") & printed["call"].notna()]
    slopes = slopes.assign(term=slopes["term"].str.replace(r"^consistency:.*", "consistency", regex=True))
    us = printed[(printed["term"] == "coefficient") & printed["model"].isin(MODELS["gemma"] + MODELS["openai"])]
    table = pd.concat([slopes, us.assign(term="us:" + us["language"])])
    table["own"] = table["state"].map(dict(zip(STATES, ("paper", "later"), strict=True)))
    return table.groupby(["term", "own"])["printed"].mean().reset_index()


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """Count what the analyses say of each term.

    Parameters
    ----------
    table : as from :func:`curve`.

    Returns
    -------
    One row per (term, state), `state` being 'all' or one: `n` (analyses), `value` (their median), `low` and `high`
    (the range of 95% of them), `chance`, `printed`; the shares whose interval lies `above` and `below` 0; `own`, the
    authors' own estimate, and where its interval lies (`call`: '+', '-' or '0').
    """
    table = table.assign(own=table["own"].fillna(""))
    both = pd.concat([table.assign(state="all"), table])
    side = np.select([both["low"] > 0, both["high"] < 0], ["+", "-"], "0")
    both = both.assign(above=side == "+", below=side == "-", call=side)
    grouped = both.groupby(["term", "state"], sort=False)
    result = grouped["value"].agg(value="median", n="count")
    bounds = grouped["value"].quantile([0.025, 0.975]).unstack().set_axis(["low", "high"], axis=1)
    result = result.join(bounds).assign(chance=0.0).join(grouped[["above", "below"]].mean())
    own = both[(both["state"] != "all") & (both["own"] != "")].set_index(["term", "state"])
    result = result.join(own[["printed", "call"]]).join(own["value"].rename("own")).reset_index()
    columns = ["value", "low", "high", "n", "chance", "printed", "above", "below", "own", "call"]
    return result[["term", "state", *columns]]


def by_choice(table: pd.DataFrame) -> pd.DataFrame:
    """Ask which choice decides: how often a family's slopes lie beside 0 under each option.

    Observations and pairs are not crossed in full (one row per cell has no copies), so they stand together.

    Parameters
    ----------
    table : as from :func:`curve`.

    Returns
    -------
    One row per (choice, option, family): the shares of analyses and languages whose interval lies `above` and `below`
    0, and `n`, their number.
    """
    slopes = in_words(table[table["term"].isin(SLOPES)])
    family = slopes["term"].str.partition(":")[0].rename("family")
    unit, drawn = slopes["unit"].astype(str), slopes["unit"].astype(str).str.endswith("rounds")
    options = {"observations, pairs": unit.mask(drawn, unit + ", " + slopes["pairs"].astype(str))}
    options |= {CHOICES[name]: slopes[name] for name in ("state", "level", "kind", "benchmarks", "intercept")}
    sides = pd.DataFrame({"above": slopes["low"] > 0, "below": slopes["high"] < 0, "n": 1})
    parts = []
    for choice, option in options.items():
        grouped = sides.groupby([option.astype(str).rename("option"), family], sort=False)
        part = grouped.agg({"above": "mean", "below": "mean", "n": "sum"}).reset_index()
        parts.append(part.assign(choice=choice))
    return pd.concat(parts, ignore_index=True)[["choice", "option", "family", "above", "below", "n"]]


def in_words(table: pd.DataFrame) -> pd.DataFrame:
    """Name the choices as a picture should.

    Parameters
    ----------
    table : as from :func:`curve`.

    Returns
    -------
    The same with the options of every choice in words, NaN where a choice does not arise.
    """
    words = {}
    for column in CHOICES:
        names = dict.fromkeys(table[column].replace("", np.nan).dropna())
        order = [name for name in _OPTIONS.get(column, names) if name in names]
        renamed = {name: _OPTIONS[column][name] for name in order} if column in _OPTIONS else {}
        words[column] = pd.Categorical(table[column].replace("", np.nan), order, ordered=True).rename_categories(
            renamed
        )
    return table.assign(**words)
