"""Whether the released files fit together: which framing a folder holds, and what the unknown signs leave open."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..items import NATIVE
from ..stats import estimate, wilson
from . import native

FOLDERS = {"Neutral": "observer", "Observer": "neutral", "Persona": "persona"}
"""Folders of the CLCS files, and the framing that each holds."""


def folder_table(rounds: int = 400, seed: int = 0) -> pd.DataFrame:
    """Hold every folder of CLCS files against the English answers of every framing.

    A score can only be there if the English question was answered, and a native answer at its distance must lie on the
    scale. The second can fail only where the distance is more than half the scale; it is counted there. Left out are
    scores below 0, and questions with an option below Min.

    Parameters
    ----------
    rounds, seed : of the bootstrap and of the shuffling.

    Returns
    -------
    One row per `folder`, `framing` (whose English answers are taken), `order` ('as released', or 'shuffled': answers to
    other questions on the same scale) and `figure` ('answered': share of the scores whose English question was
    answered; 'possible': share that a native answer on the scale can explain): `value`, `low`, `high` (95%, questions
    resampled; Wilson's where all agree), `n` (scores), `named` (the folder is called so), `chance` (NaN).
    """
    files = native.given()
    scores = native.distances(files.clcs.drop(columns="framing"), files.questions)
    scores = scores[(scores["value"] >= 0) & ~scores["question"].isin(below(files.questions, files.cells))]
    scores = _by_country(scores, files.cells)
    rng = np.random.default_rng(seed)
    rows = []
    for folder in FOLDERS:
        own = scores[scores["folder"] == folder]
        for framing in ("neutral", "observer", "persona"):
            answers = _answers(files.inverted, files.english, framing)
            orders = {"as released": answers, "shuffled": _shuffled(answers, files.questions, rng)}
            for order, sets in orders.items():
                about = {"folder": folder, "framing": framing, "order": order, "named": folder.lower() == framing}
                rows += [about | figures for figures in _fit(own, sets, order, rounds, seed)]
    return pd.DataFrame(rows)[["folder", "framing", "order", "figure", "value", "low", "high", "n", "named"]]


def below(questions: pd.DataFrame, cells: pd.DataFrame) -> list[str]:
    """List the questions that people answered with an option below their Min, such as '0: I do not have a job'.

    Parameters
    ----------
    questions, cells : of `workbook.read`.

    Returns
    -------
    Question numbers, as text.
    """
    low = questions.set_index("question")["low"]
    found = {row["question"] for row in cells.to_dict("records") if _lowest(row["shares"]) < low[row["question"]]}
    return sorted(found, key=int)


def _lowest(shares: dict[str, float]) -> float:
    return min((float(option) for option in shares), default=np.inf)


def _by_country(scores: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    """Every score with the countries it speaks of, as far as people's figures are there."""
    places = pd.DataFrame(list(NATIVE.items()), columns=["country", "language"])
    spread = scores[scores["country"].isna()].drop(columns="country").merge(places, on="language")
    known = cells.loc[cells["centre"].notna(), ["question", "country"]].drop_duplicates()
    both = pd.concat([scores[scores["country"].notna()], spread], ignore_index=True)
    return both.merge(known, on=["question", "country"])


def _answers(inverted: pd.DataFrame, english: pd.DataFrame, framing: str) -> pd.DataFrame:
    on = [*native.ONCE, "country"]
    if framing == "neutral":
        out = english[(english["framing"] == framing) & (english["set"] > 0)].drop(columns="country")
        return out.merge(pd.DataFrame({"country": list(NATIVE)}), how="cross")[[*on, "set"]]
    # From NVAS alone, so that nothing rests on another file.
    out = inverted[inverted["framing"] == framing]
    return out.assign(set=native.bits(out["candidates"], out["low"]))[[*on, "set"]]


def _shuffled(answers: pd.DataFrame, questions: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    scaled = answers.merge(questions[["question", "low", "high"]], on="question")
    by = scaled.groupby(["model", "mode", "low", "high"])["set"]
    return scaled.assign(set=by.transform(lambda sets: rng.permutation(sets.to_numpy())))


def _fit(scores: pd.DataFrame, sets: pd.DataFrame, order: str, rounds: int, seed: int) -> list[dict[str, object]]:
    on = [*native.ONCE, "country"]
    pair = scores.merge(sets[[*on, "set"]], on=on, how="left")
    pair["answered"] = pair["set"].notna().astype(float)
    reached = native.shifted(pair["set"].fillna(0), pair["distance"], pair["full"])
    telling = (pair["answered"] == 1) & (2 * pair["distance"] > pair["high"] - pair["low"])
    pair["possible"] = np.where(telling, reached != 0, np.nan)
    out = []
    for figure in ("answered", "possible") if order == "as released" else ("possible",):
        part = pair.dropna(subset=figure)
        found = estimate(part, figure, rounds=rounds, seed=seed)
        if found["low"] == found["high"]:
            found["low"], found["high"] = wilson(part[figure].sum(), len(part))
        out.append({"figure": figure} | found | {"n": len(part), "order": order})
    return out


def sign_table(rounds: int = 400, seed: int = 0) -> pd.DataFrame:
    """What is known of the native answers although the sign of their distance is not.

    Parameters
    ----------
    rounds, seed : of the bootstrap.

    Returns
    -------
    One row per `framing`, `language` ('all' for all three), `model`, `mode` and `figure`: 'decided' (share of native
    answers with one candidate), 'decided, with people' (on cells with a human figure), 'outside' (share without a
    candidate: one of the two answers lies outside the scale) and 'NVAS, native minus English' (on cells with a human
    figure): `value` (of the last the mean with every candidate equally likely), `floor`, `ceiling` (with all
    candidates at their worst and best), `low`, `high` (95%, questions resampled; of the last from the floor's lower to
    the ceiling's upper bound), `n` (cells).
    """
    files = native.given()
    out = native.possible(files.clcs, files.english, files.questions)
    facts = files.inverted[[*native.CELL, "value", "human"]].rename(columns={"value": "nvas"})
    out = out.merge(facts, on=native.CELL, how="left")
    out["decided"] = (out["candidates"].map(len) == 1).astype(float)
    out["outside"] = (out["candidates"].map(len) == 0).astype(float)
    out["decided, with people"] = out["decided"].where(out["human"].notna())
    out = out.join(gains(out))
    out = native.in_order(pd.concat([out, out.assign(language="all")]))
    rows = []
    for key, part in out.groupby(["framing", "language", "model", "mode"], sort=False):
        about = dict(zip(["framing", "language", "model", "mode"], key, strict=True))
        for figure in ("decided", "decided, with people", "outside"):
            if len(known := part.dropna(subset=figure)):
                found = estimate(known, figure, rounds=rounds, seed=seed) | {"n": len(known)}
                rows.append(about | {"figure": figure} | found)
        if len(known := part.dropna(subset="middle")):
            floor, ceiling = (estimate(known, end, rounds=rounds, seed=seed) for end in ("floor", "ceiling"))
            bounds = {"value": known["middle"].mean(), "low": floor["low"], "high": ceiling["high"], "n": len(known)}
            ends = {"floor": floor["value"], "ceiling": ceiling["value"]}
            rows.append(about | {"figure": "NVAS, native minus English"} | bounds | ends)
    return pd.DataFrame(rows)


def gains(answers: pd.DataFrame) -> pd.DataFrame:
    """How much more, or less, NVAS a native answer gets than the English one, for every candidate.

    Parameters
    ----------
    answers : `candidates`, `low`, `high`, `human` (people's figure) and `nvas` (of the English answer).

    Returns
    -------
    Same index: `floor`, `ceiling` (smallest and largest difference over the candidates) and `middle` (their mean); NaN
    without candidate or human figure.
    """
    known = answers[answers["human"].notna() & (answers["candidates"].map(len) > 0)]
    each = known[["candidates", "human", "low", "high", "nvas"]].explode("candidates")
    off = (each["candidates"].astype(float) - each["human"]).abs() / (each["high"] - each["low"])
    found = (1 - off - each["nvas"]).groupby(level=0).agg(floor="min", ceiling="max", middle="mean")
    return found.reindex(answers.index)


def files_table() -> pd.DataFrame:
    """Count what the CLCS and SPD files hold.

    Returns
    -------
    One row per file: `measure`, `folder`, `model`, `mode`, `columns` (countries or languages; the model beside itself
    left out), `empty` (those without any score, else missing), `below` (scores below 0), `n` (scores), `coverage` (of
    all questions and columns).
    """
    files = native.given()
    both = pd.concat([files.clcs.assign(measure="CLCS"), files.spd.assign(measure="SPD")], ignore_index=True)
    both["column"] = both["country"].fillna(both["language"])
    both = native.in_order(both)
    rows = []
    for key, part in both[both["column"] != "LLM"].groupby(["measure", "folder", "model", "mode"], sort=False):
        filled = part.groupby("column")["value"].count()
        about = dict(zip(["measure", "folder", "model", "mode"], key, strict=True))
        empty = ", ".join(filled.index[filled == 0]) or None
        counts = {"below": int((part["value"] < 0).sum()), "n": int(filled.sum()), "coverage": filled.sum() / len(part)}
        rows.append(about | {"columns": len(filled), "empty": empty} | counts)
    return pd.DataFrame(rows)
