"""Kullback-Leibler divergence (KLD) in the released files: what most of the cells hold, and what the others say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from ..stats import bootstrap_counts, cluster_interval, percentile_interval, weighted_spearman
from . import released, workbook

EPSILON = 1e-8
"""Added to every probability of both distributions before the logarithm; later code of the authors has 1e-9."""

ALIKE = 1e-4
"""Nats within which a cell counts as the artefact: far more than epsilon can move it, far less than anything else."""

REFERENCES = {
    "uniform": "every option alike",
    "others": "mean of the other countries' people",
    "one for all": "mean over all countries: no single distribution does better on average",
}
"""Who else could be held against the same people."""


def kld(people: np.ndarray, other: np.ndarray, epsilon: float = EPSILON) -> float:
    """Kullback-Leibler divergence of a distribution from the people's (MENAValues, definition of KLD), in nats.

    Parameters
    ----------
    people, other : probabilities of the same options; renormalised.
    epsilon : added to both.

    Returns
    -------
    The sum of p ln(p / q) over both distributions after epsilon, renormalised.

    Examples
    --------
    >>> round(kld(np.array([0.5, 0.5]), np.array([0.25, 0.75])), 4)
    0.1438
    >>> round(kld(np.array([1.0, 0.0]), np.array([0.0, 1.0])), 2)
    18.42
    """
    p, q = (np.asarray(x, float) / np.sum(x) + epsilon for x in (people, other))
    p, q = p / p.sum(), q / q.sum()
    return float(p @ np.log(p / q))


def read() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Load the released divergences with what they were computed from.

    Returns
    -------
    cells : one row per released value: `model`, `framing`, `question`, `country`, `value` (nats), `source` ('WVS' or
        'AOI'), `scale`, `low`, `high`, `options` (whole numbers from low to high), `written` ('1' or '1.0', as the
        people's options are keyed in the workbook), `listed` (options that the workbook's cell lists), `entropy` (of
        the people, nats), `artefact` (-ln(1e-8) - entropy: what a model gets none of whose options was found),
        `apart` (the divergence that two sets of keys without a common one have but for the model's own part; see
        `residue.totals`).
    people : `workbook.people`, of all cells.
    """
    questions, filled = workbook.read()
    filled = filled[filled["shares"].map(bool)]
    facts = pd.DataFrame([_facts(shares) for shares in filled["shares"]], index=filled.index)
    facts = pd.concat([filled[["question", "country"]], facts], axis=1)
    about = questions[["question", "source", "scale", "low", "high"]]
    table = released.read("KL").dropna(subset="value").drop(columns=["folder", "language", "mode"])
    table = table.merge(facts, on=["question", "country"]).merge(about, on="question")
    table["options"] = table["high"] - table["low"] + 1
    table = table.sort_values(["model", "framing"], kind="stable", ignore_index=True)
    return table, workbook.people(questions, filled)


def _facts(shares: Mapping[str, float]) -> dict[str, object]:
    p = np.array(list(shares.values()))
    p = p / p.sum()
    entropy = -float(p[p > 0] @ np.log(p[p > 0]))
    return {
        "written": "1.0" if all(key.endswith(".0") for key in shares) else "1",
        "listed": len(shares),
        "entropy": entropy,
        "artefact": -np.log(EPSILON) - entropy,
        "apart": float((p + EPSILON) @ np.log((p + EPSILON) / EPSILON)),
    }


def artefacts(cells: pd.DataFrame) -> pd.DataFrame:
    """Count the cells that hold nothing but the people's entropy.

    Parameters
    ----------
    cells : of `read`.

    Returns
    -------
    One row per `model`, `framing`, `source` and `written`, and one per file ('all', 'all'): `value` (share of the
    cells within `ALIKE` of the artefact), `low`, `high` (NaN: all cells are counted, none is drawn), `n` (cells),
    `questions`, `furthest` (largest distance from it among those), `nearest` (smallest distance among the others),
    `chance` and `printed` (NaN).
    """
    rows = []
    away = (cells["value"] - cells["artefact"]).abs()
    marked = cells.assign(away=away, hit=away < ALIKE)
    whole = marked.assign(source="all", written="all")
    for key, part in pd.concat([marked, whole]).groupby(["model", "framing", "source", "written"], sort=False):
        hit = part["hit"]
        facts = {"value": hit.mean(), "low": np.nan, "high": np.nan, "n": len(part)}
        facts |= {"questions": part["question"].nunique(), "furthest": part["away"][hit].max()}
        rows.append(dict(zip(("model", "framing", "source", "written"), key, strict=True)) | facts)
        rows[-1]["nearest"] = part["away"][~hit].min()
    return pd.DataFrame(rows).assign(chance=np.nan, printed=np.nan)


def repaired(cells: pd.DataFrame, people: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Average the divergence as released, and where the model's options were found.

    Parameters
    ----------
    cells, people : of `read`.
    seed : of the bootstrap.

    Returns
    -------
    One row per `model`, `framing` and `measure`: 'files' (mean of the files' own averages by country), 'all cells',
    'keys met' (cells whose keys are written as the model's), 'keys never met', and for the cells that met 'uniform',
    'others' and 'one for all' (`REFERENCES`; others where there is another country), and 'model minus ...' each of
    these, cell by cell. `value` (nats), `low`, `high` (95% bootstrap of questions), `n` (cells), `questions`,
    `coverage` (of the released cells), `chance` (uniform on the same cells), `printed` (the files' average for 'files'
    and 'all cells').
    """
    both = beside(cells, people)
    printed = released.averages("KL").groupby(["model", "framing"])["value"].mean()
    rows = []
    for (model, framing), part in both.groupby(["model", "framing"], sort=False):
        at = {"model": model, "framing": framing}
        own, file = part[part["written"] == "1"], printed[model, framing]
        measures = {"all cells": (part, "value"), "keys met": (own, "value")}
        measures["keys never met"] = part[part["written"] != "1"], "value"
        for name in REFERENCES:
            measures[name] = own, name
            measures[f"model minus {name}"] = own.assign(gap=own["value"] - own[name]), "gap"
        # The files average countries alike, though some have more cells.
        places = part.groupby("country")["value"].mean().mean()
        rows.append(at | {"measure": "files", "value": places, "n": len(part), "coverage": 1.0, "printed": file})
        for measure, (table, column) in measures.items():
            row = mean(table, column, seed) | {"coverage": table[column].notna().sum() / len(part)}
            alike = table["uniform"].mean() if column == "value" else np.nan
            rows.append(at | {"measure": measure} | row | {"chance": alike})
            rows[-1]["printed"] = file if measure == "all cells" else np.nan
    columns = ["model", "framing", "measure", "value", "low", "high", "n", "questions", "coverage", "chance", "printed"]
    return pd.DataFrame(rows)[columns]


def beside(cells: pd.DataFrame, people: pd.DataFrame) -> pd.DataFrame:
    """Put `REFERENCES` beside the cells whose keys met, and uniform beside all.

    Parameters
    ----------
    cells, people : of `read`.

    Returns
    -------
    The cells with `uniform`, `others`, `one for all` (nats; NaN where not known).
    """
    met = people[people["question"].isin(cells.loc[cells["written"] == "1", "question"])]
    known = references(met).drop(columns="uniform")
    out = cells.merge(known, on=["question", "country"], how="left")
    out["uniform"] = np.log(out["options"]) - out["entropy"]
    return out


def references(people: pd.DataFrame) -> pd.DataFrame:
    """What those get who know nothing of the country.

    Parameters
    ----------
    people : `question`, `country`, `option`, `probability`.

    Returns
    -------
    One row per question and country: `question`, `country`, and in nats `uniform`, `others` (NaN where the question has
    no other country), `one for all`.
    """
    rows = []
    for question, part in people.groupby("question", sort=False):
        shares = part.pivot(index="country", columns="option", values="probability").fillna(0.0).to_numpy()
        names = sorted(part["country"].unique())
        total, count = shares.sum(axis=0), len(shares)
        alike = np.full(shares.shape[1], 1 / shares.shape[1])
        for name, own in zip(names, shares, strict=True):
            rest = kld(own, total - own) if count > 1 else np.nan
            rows.append((question, name, kld(own, alike), rest, kld(own, total)))
    return pd.DataFrame(rows, columns=["question", "country", *REFERENCES])


def ten(cells: pd.DataFrame, people: pd.DataFrame) -> pd.DataFrame:
    """Was the option '10' ever looked up? If not, its probability was 0, and the divergence cannot be small.

    With q(10) = 0 it is at least p ln((p + e) / e) + (1 - p) ln(1 - p), p the people's share of '10' and e epsilon.

    Parameters
    ----------
    cells, people : of `read`.

    Returns
    -------
    One row per `model`, `framing`: `value` (share of the cells of WVS's ten-point scales that respect the bound),
    `low`, `high` (NaN: all are counted), `n`, `questions`, `below` (most that a cell lies below the bound, nats),
    `part` (mean of the bound: what the unprobed option alone adds at least), `mean` (of the divergence), `chance` and
    `printed` (NaN).
    """
    share = people[people["option"] == "10"].rename(columns={"probability": "share"})
    on = ["question", "country"]
    part = cells[(cells["source"] == "WVS") & (cells["high"] == 10)].merge(share[[*on, "share"]], on=on)
    rest = (1 - part["share"]).clip(lower=1e-300)
    bound = part["share"] * np.log((part["share"] + EPSILON) / EPSILON) + rest * np.log(rest)
    part = part.assign(bound=bound, below=bound - part["value"])
    rows = []
    for (model, framing), file in part.groupby(["model", "framing"], sort=False):
        facts = {"value": (file["below"] < ALIKE).mean(), "low": np.nan, "high": np.nan, "n": len(file)}
        facts |= {"questions": file["question"].nunique(), "below": file["below"].max(), "part": file["bound"].mean()}
        rows.append({"model": model, "framing": framing} | facts | {"mean": file["value"].mean()})
    return pd.DataFrame(rows).assign(chance=np.nan, printed=np.nan)


def confidence(table: pd.DataFrame, by: Sequence[str], seed: int = 0, rounds: int = 1000) -> pd.DataFrame:
    """Is a large divergence a confident model? Rank correlation of the divergence with the largest probability.

    Parameters
    ----------
    table : one row per answer: `question`, `probability` (tuple), `people` (tuple, of the same options), and `by`.
    by : columns that name a figure.
    seed, rounds : of the bootstrap, which draws questions.

    Returns
    -------
    One row per `by`: `value` (Spearman's, in [-1, 1]), `low`, `high` (95%), `n` (answers), `questions`, `kld` (mean
    divergence), `largest` (mean largest probability), `chance` (0, were they unrelated), `printed` (NaN).
    """
    rows = []
    for key, part in table.groupby(list(by), sort=False):
        pairs = zip(part["people"], part["probability"], strict=True)
        far, top = np.array([kld(p, q) for p, q in pairs]), part["probability"].map(max).to_numpy(float)
        names = part["question"].astype("category").cat.codes.to_numpy()
        times = bootstrap_counts(names.max() + 1, rounds, seed)[:, names]
        one = np.zeros(len(part), int)
        draws = weighted_spearman(times, one, far, top)[:, 0]
        value = weighted_spearman(np.ones((1, len(part))), one, far, top)[0, 0]
        low, high = percentile_interval(draws)
        facts = {"value": value, "low": float(low), "high": float(high), "n": len(part), "questions": names.max() + 1}
        rows.append(dict(zip(by, key, strict=True)) | facts | {"kld": far.mean(), "largest": top.mean()})
    return pd.DataFrame(rows).assign(chance=0.0, printed=np.nan)


def mean(table: pd.DataFrame, column: str, seed: int) -> dict[str, float]:
    """Mean of a column, its 95% interval (bootstrap of questions), `n` and `questions`; of the rows that have it."""
    low, high = cluster_interval(table, column, "question", seed=seed)
    known = table[table[column].notna()]
    facts = {"value": known[column].mean(), "low": low, "high": high, "n": len(known)}
    return facts | {"questions": known["question"].nunique()}
