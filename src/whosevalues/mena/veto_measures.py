"""What the later study measures, on responses that `veto.load` has read; and a made-up file to try it on."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from ..items import COUNTRIES as NAMES
from ..stats import cluster_interval, wilson
from .veto import SCHEMA

PUBLISHED = (
    ("models", 26, "README, Abstract"),
    ("questions, tier 1", 47, "README, Question Tiers"),
    ("questions, tier 2", 788, "README, Question Tiers"),
    ("questions, tier 3", 29, "README, Question Tiers"),
    ("safety tax, mean", 0.115, "README, Key Findings"),
    ("safety tax, largest (ALLaM-7B)", 0.376, "README, Key Findings"),
    ("EV-NVAS, refused, tier 3", 0.718, "README, Key Findings"),
    ("NVAS, accepted, tier 3", 0.690, "README, Key Findings"),
    ("NVAS, best minus worst country (Palestine, Algeria)", 0.198, "README, Key Findings"),
    ("NVAS, native minus English", -0.050, "README, Key Findings"),
    ("identical answers, 14 Arabic countries", 0.665, "README, Key Findings"),
)
"""Headline figures of the study that concern its responses, and where in its repository they stand."""


def published() -> pd.DataFrame:
    """List the study's headline figures.

    Returns
    -------
    One row per figure: `figure`, `printed` (shares and scores in [0, 1]), `place`.
    """
    return pd.DataFrame(PUBLISHED, columns=["figure", "printed", "place"])


def refusals(responses: pd.DataFrame, by: Iterable[str] = ("model", "tier"), seed: int = 0) -> pd.DataFrame:
    """Share of responses that are refusals.

    Parameters
    ----------
    responses : of `veto.load`.
    by : columns that name a figure, such as `model`, `tier`, `country`, `framing`, `language`.
    seed : of the bootstrap.

    Returns
    -------
    One row per figure: `by`, `value`, `low`, `high` (95%, questions resampled; Wilson's where all are alike), `n`.
    """
    return _means(responses.assign(refused=responses["refused"].astype(float)), "refused", list(by), seed)


def scores(responses: pd.DataFrame, by: Iterable[str] = ("tier",), seed: int = 0) -> pd.DataFrame:
    """NVAS of accepted answers, and EV-NVAS of refused and, for comparison, of accepted ones.

    The study sets the EV-NVAS of refusals beside the NVAS of answers. An expected value lies nearer to the middle than
    an answer and scores better for that alone, so the EV-NVAS of answers is the fairer neighbour.

    Parameters
    ----------
    responses : of `veto.load`.
    by : columns that name a figure.
    seed : of the bootstrap.

    Returns
    -------
    One row per `figure` ('NVAS, accepted', 'EV-NVAS, accepted', 'EV-NVAS, refused') and `by`: `value`, `low`, `high`
    (95%, questions resampled), `n`, `coverage` (share of the responses).
    """
    refused = responses["refused"].to_numpy(bool)
    parts = {
        "NVAS, accepted": (responses[~refused], "nvas"),
        "EV-NVAS, accepted": (responses[~refused], "ev_nvas"),
        "EV-NVAS, refused": (responses[refused], "ev_nvas"),
    }
    found = [_means(part, column, list(by), seed).assign(figure=name) for name, (part, column) in parts.items()]
    out = pd.concat(found, ignore_index=True)
    total = responses.groupby(list(by), observed=True).size().rename("total").reset_index()
    out = out.merge(total, on=list(by))
    out["coverage"] = out["n"] / out["total"]
    return out[["figure", *by, "value", "low", "high", "n", "coverage"]]


def safety_tax(responses: pd.DataFrame, rounds: int = 400, seed: int = 0) -> pd.DataFrame:
    """How much more often a model refuses sensitive (tier 3) than benign (tier 1) questions.

    Parameters
    ----------
    responses : of `veto.load`; all framings and languages are pooled, as the study does.
    rounds, seed : of the bootstrap, which draws questions within their tier.

    Returns
    -------
    One row per `model`, and 'all' for their mean: `value` (difference of the shares), `low`, `high` (95%), `n`
    (responses), `chance` (0).
    """
    rng = np.random.default_rng(seed)
    ends = responses[responses["tier"].isin([1, 3])]
    rates, draws = {}, {}
    # The same questions are drawn for all models, for they were all asked the same.
    weights = {
        tier: pd.DataFrame(
            rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=rounds).T, index=names.astype(str)
        )
        for tier, names in ends.groupby("tier")["question"].unique().items()
    }
    for model, part in ends.groupby("model", observed=True):
        sides = {}
        for tier, own in part.groupby("tier"):
            counts = own.astype({"question": str}).groupby("question")["refused"].agg(["sum", "size"])
            drawn = weights[tier].loc[counts.index].to_numpy()
            with np.errstate(invalid="ignore"):
                sides[tier] = (
                    own["refused"].mean(),
                    counts["sum"].to_numpy() @ drawn / (counts["size"].to_numpy() @ drawn),
                )
        if {1, 3} <= set(sides):
            rates[model] = (sides[3][0] - sides[1][0], len(part))
            draws[model] = sides[3][1] - sides[1][1]
    rows = [(model, value, *np.nanquantile(draws[model], [0.025, 0.975]), n) for model, (value, n) in rates.items()]
    if rows:
        pooled = np.mean(list(draws.values()), axis=0)
        mean = np.mean([value for value, _ in rates.values()])
        rows.append(("all", mean, *np.nanquantile(pooled, [0.025, 0.975]), sum(n for _, n in rates.values())))
    return pd.DataFrame(rows, columns=["model", "value", "low", "high", "n"]).assign(chance=0.0)


def _means(table: pd.DataFrame, column: str, by: list[str], seed: int) -> pd.DataFrame:
    rows = []
    for key, part in table.dropna(subset=[column]).groupby(by, observed=True):
        low, high = cluster_interval(part.astype({"question": object}), column, "question", rounds=400, seed=seed)
        if low == high and column == "refused":
            low, high = wilson(part[column].sum(), len(part))
        figures = {"value": part[column].mean(), "low": low, "high": high, "n": len(part)}
        rows.append(dict(zip(by, key, strict=True)) | figures)
    return pd.DataFrame(rows, columns=[*by, "value", "low", "high", "n"])


def made_up(file: Path | str, seed: int = 0) -> Path:
    """Write a small file of the documented schema with invented contents, to try the loader on.

    Parameters
    ----------
    file : where to; Parquet or CSV by its ending.
    seed : of the random generator.

    Returns
    -------
    The file: two models that do not exist, three countries, twelve questions.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for model in ("made_up_open", "made_up_careful"):
        for framing, places in (
            ("No_Mention", [None]),
            ("Personalization", ["EG", "IR", "TR"]),
            ("Third", ["EG", "TR"]),
        ):
            for place in places:
                native = {"EG": "AR", "IR": "FA", "TR": "TR"}.get(place, "AR")
                for language in ("EN", native):
                    rows += [_invented(rng, model, framing, place, language, number) for number in range(1, 13)]
    file = Path(file)
    table = pd.DataFrame(rows, columns=[*SCHEMA])
    if file.suffix == ".parquet":
        table.to_parquet(file, index=False)
    else:
        table.to_csv(file, index=False)
    return file


def _invented(rng, model, framing, place, language, number) -> tuple[object, ...]:
    tier = 1 + number % 3
    refused = bool(rng.random() < (0.1 * tier if model == "made_up_careful" else 0.05))
    nvas = np.nan if refused else round(float(rng.uniform(0.4, 1)), 3)
    text = "I cannot answer that." if refused else str(int(rng.integers(1, 5)))
    country = NAMES[place] if place else "NEUTRAL"
    human = round(float(rng.uniform(1, 4)), 2) if place else np.nan
    named = (model, country, framing, language, tier, str(number), "A question that was made up.", text, refused)
    return (*named, nvas, round(float(rng.uniform(0.5, 1)), 3), human)
