"""How consistent the three released models are with themselves: across languages, framings, self and persona."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..items import NATIVE
from ..stats import estimate
from . import native, released

RUN = ["measure", "framing", "model", "mode"]
QUESTIONS, PLACES = 864, {"neutral": len(set(NATIVE.values()))}
"""Questions asked; columns they were asked for, where that is not once per country."""

PEOPLE = 9051
"""Cells of the benchmark with a human figure."""

README_CLCS = {"llama-3.1-8b": 0.7572, "mistral-7b": 0.6602, "aya-8b": 0.8211}
"""Cross-lingual consistency in the authors' README, Results Summary."""

PAGE = {
    ("llama-3.1-8b", "zero-shot"): (0.7930, 0.8583),
    ("llama-3.1-8b", "reasoning"): (0.7096, 0.7655),
    ("aya-8b", "zero-shot"): (0.8049, 0.7918),
    ("aya-8b", "reasoning"): (0.7905, 0.8091),
    ("mistral-7b", "zero-shot"): (0.6654, 0.8851),
    ("mistral-7b", "reasoning"): (0.6544, 0.8393),
}
"""CLCS and FCS by model and mode on the authors' project page, Model Comparison."""


def pairs() -> pd.DataFrame:
    """List every pair of answers that the released files let us compare.

    CLCS compares English with the country's language, framing by framing; SPD persona with neutral, and FCS persona
    with observer, both in English. CLCS and SPD were released; FCS follows from the answers behind the NVAS files.

    Returns
    -------
    One row per pair: `measure`, `framing` (of CLCS, else missing), `model`, `mode`, `country` (missing for the neutral
    framing), `language` (native one of CLCS, else missing), `question`, `low`, `high` (ends of the scale), `first`,
    `second` (the answers where there is one candidate, else NaN), `value` (consistency, at most 1; NaN where FCS is
    ambiguous), `floor`, `ceiling` (what it can be), `human` (whether people's figures are there).
    """
    files = native.given()
    ends = files.questions.set_index("question")[["low", "high"]]
    parts = [
        _languages(native.possible(files.clcs, files.english, files.questions)),
        _selves(files.spd, files.questions, files.english),
        _framings(files.english, ends),
    ]
    out = pd.concat(parts, ignore_index=True)
    known = files.cells.loc[files.cells["centre"].notna(), ["question", "country"]].drop_duplicates()
    out = out.merge(known.assign(human=True), on=["question", "country"], how="left")
    out["human"] = out["human"].notna()
    named = [*RUN, "country", "language", "question", "low", "high"]
    return native.in_order(out[[*named, "first", "second", "value", "floor", "ceiling", "human"]])


def _languages(answers: pd.DataFrame) -> pd.DataFrame:
    value = 1 - answers["distance"] / (answers["high"] - answers["low"])
    out = answers.assign(measure="CLCS", value=value, floor=value, ceiling=value, second=answers["answer"])
    return out.assign(first=[_only(found) for found in out["english"]])


def _selves(spd: pd.DataFrame, questions: pd.DataFrame, english: pd.DataFrame) -> pd.DataFrame:
    out = native.distances(spd[spd["country"].isin(list(NATIVE))], questions).drop(columns="framing")
    sets = {name: part.drop(columns="framing") for name, part in english.groupby("framing")}
    on = native.ONCE
    out = out.merge(sets["persona"].rename(columns={"set": "one"}), on=[*on, "country"], how="left")
    out = out.merge(sets["neutral"].drop(columns="country").rename(columns={"set": "two"}), on=on, how="left")
    out["first"], out["second"] = (_single(out[column], out["low"]) for column in ("one", "two"))
    return out.assign(measure="SPD", framing=None, language=None, floor=out["value"], ceiling=out["value"])


def _framings(english: pd.DataFrame, ends: pd.DataFrame) -> pd.DataFrame:
    sides = [english[english["framing"] == name].drop(columns="framing") for name in ("persona", "observer")]
    out = sides[0].merge(sides[1], on=[*native.ONCE, "country"], suffixes=("", "_other"))
    out = out[(out["set"] > 0) & (out["set_other"] > 0)].join(ends, on="question").reset_index(drop=True)
    out["first"], out["second"] = (_single(out[column], out["low"]) for column in ("set", "set_other"))
    width = out["high"] - out["low"]
    out["value"] = 1 - (out["first"] - out["second"]).abs() / width
    out["floor"] = out["ceiling"] = out["value"]
    unsure = out["value"].isna()
    sets = [native.options(out.loc[unsure, column], out.loc[unsure, "low"]) for column in ("set", "set_other")]
    apart = [[abs(a - b) for a in one for b in two] for one, two in zip(*sets, strict=True)]
    out.loc[unsure, "floor"] = 1 - np.array([max(row) for row in apart], dtype=float) / width[unsure]
    out.loc[unsure, "ceiling"] = 1 - np.array([min(row) for row in apart], dtype=float) / width[unsure]
    return out.assign(measure="FCS", framing=None, language=None)


def _single(sets: pd.Series, low: pd.Series) -> list[float]:
    return [_only(found) for found in native.options(sets.fillna(0).astype(np.int64), low)]


def _only(found: tuple[int, ...]) -> float:
    return found[0] if len(found) == 1 else np.nan


def averages_table(table: pd.DataFrame, rounds: int = 400, seed: int = 0) -> pd.DataFrame:
    """Average the released CLCS and SPD the ways in which they can be averaged, beside what was published.

    Parameters
    ----------
    table : of :func:`pairs`.
    rounds, seed : of the bootstrap.

    Returns
    -------
    One row per `measure`, `framing`, `model`, `mode` ('both' for the mean of the two) and `average` ('columns': mean of
    the columns' means; 'rows': of all cells; 'rows with people': of cells with a human figure; 'last row': mean of the
    files' own averages, which for SPD take in the model beside itself; without interval): `value`, `low`, `high`
    (95%, questions resampled), `n` (pairs), `coverage` (of all cells asked), `chance` (two even draws), `printed` (the
    README's and the project page's, at the average that they follow).
    """
    kept = table[table["measure"] != "FCS"].assign(framing=lambda t: t["framing"].fillna("persona"))
    kept = kept.assign(column=kept["country"].fillna(kept["language"]), chance=even(kept["high"] - kept["low"] + 1))
    rows = []
    for (measure, framing, model), part in kept.groupby(RUN[:3], sort=False):
        averaged = {"columns": part, "rows": part} | (
            {"rows with people": part[part["human"]]} if part["human"].any() else {}
        )
        for name, cells in averaged.items():
            modes = {mode: cells[cells["mode"] == mode] for mode in ("zero-shot", "reasoning")}
            for mode, one in {**modes, "both": cells}.items():
                strata = ["mode", "column"] if name == "columns" else ["mode"]
                figures = _stratified(one, strata, {"rounds": rounds, "seed": seed})
                asked = QUESTIONS * PLACES.get(framing, len(NATIVE)) * one["mode"].nunique()
                figures |= {"n": len(one), "coverage": len(one) / asked, "chance": one["chance"].mean()}
                about = {"measure": measure, "framing": framing, "model": model, "mode": mode, "average": name}
                rows.append(about | figures | {"printed": _printed(about)})
    return pd.concat([pd.DataFrame(rows), _last_rows()], ignore_index=True)


def _last_rows() -> pd.DataFrame:
    last = pd.concat([released.averages(kind).assign(measure=kind) for kind in ("CLCS", "SPD")])
    last = last.assign(framing=last["framing"].fillna("persona"), average="last row")
    by = ["measure", "framing", "model", "mode", "average"]
    single = last.groupby(by, sort=False)["value"].mean().reset_index()
    both = single.groupby([*by[:3], "average"], sort=False)["value"].mean().reset_index().assign(mode="both")
    return pd.concat([single, both])


def _printed(about: dict[str, str]) -> float:
    key = tuple(about[column] for column in ("measure", "framing", "mode", "average"))
    if key == ("CLCS", "neutral", "both", "columns"):
        return README_CLCS[about["model"]]
    if key in {("CLCS", "persona", mode, "rows with people") for mode in ("zero-shot", "reasoning")}:
        return PAGE[about["model"], about["mode"]][0]
    return np.nan


def _stratified(table: pd.DataFrame, strata: list[str], how: dict[str, int]) -> dict[str, float]:
    """Mean over strata of their means; the interval draws questions, the same ones in all strata."""
    each = table.groupby(["question", *strata])["value"].agg(["sum", "count"]).unstack(strata, fill_value=0)
    places = list(range(each.shape[1]))
    sums = pd.DataFrame(each.to_numpy(float), columns=places).assign(question=each.index)

    def figure(total: np.ndarray) -> np.ndarray:
        top, count = np.split(total, 2, axis=1)
        return np.nanmean(top / count, axis=1)

    return estimate(sums, places, figure, **how)


def even(options: pd.Series | np.ndarray) -> np.ndarray:
    """Consistency of two answers that are drawn evenly and independently.

    Parameters
    ----------
    options : number of options k, at least 2.

    Returns
    -------
    ``1 - E|a - b| / (k - 1)`` with ``E|a - b| = (k^2 - 1) / (3 k)``.

    Examples
    --------
    >>> even(np.array([2, 4])).round(3).tolist()
    [0.5, 0.583]
    """
    k = np.asarray(options, dtype=float)
    return 1 - (k + 1) / (3 * k)


def habits(table: pd.DataFrame) -> pd.Series:
    """Consistency by habit alone: of answers to different questions on a scale of the same options.

    A model that likes to say 2 says it in both languages. The expected consistency of two answers is taken over all
    pairs of a first and a second answer to the scale's questions, one run (measure, framing, model and mode) at a time:
    the chance term of a linearly weighted kappa (Cohen, 1968). The native answers of CLCS are known only in part, so
    there both are drawn from the English ones.

    Parameters
    ----------
    table : of :func:`pairs`.

    Returns
    -------
    One value per row, same index; NaN where the run has no single answer on that scale.
    """
    out = pd.Series(np.nan, table.index)
    by = [*RUN, "low", "high"]
    for (measure, *_, low, high), part in table.groupby(by, dropna=False, sort=False):
        one, two = part["first"].dropna(), part["first" if measure == "CLCS" else "second"].dropna()
        if len(one) and len(two):
            apart = np.abs(np.subtract.outer(*(side.value_counts().index.to_numpy() for side in (one, two))))
            weight = np.outer(*(side.value_counts(normalize=True).to_numpy() for side in (one, two)))
            out[part.index] = 1 - (apart * weight).sum() / (high - low)
    return out


def consistency_table(table: pd.DataFrame, rounds: int = 400, seed: int = 0) -> pd.DataFrame:
    """Consistency of every run beside what chance and habit would give.

    Parameters
    ----------
    table : of :func:`pairs`.
    rounds, seed : of the bootstrap.

    Returns
    -------
    One row per `measure`, `framing`, `model`, `mode`: `value` (mean over pairs of two single answers), `low`, `high`
    (95%, questions resampled), `n`, `coverage` (of all cells asked; of FCS, of those with a human figure), `chance`
    (two even draws), `habit` (see :func:`habits`), `corrected`, `corrected_low`, `corrected_high` (0 is habit, 1 is
    perfect; habit held fixed), `floor`, `ceiling` (mean with the ambiguous pairs at their worst and best), `share`
    (of pairs that are not ambiguous), `printed` (the project page's FCS).
    """
    table = table.assign(habit=habits(table), chance=even(table["high"] - table["low"] + 1))
    rows = []
    for key, part in table.groupby(RUN, dropna=False, sort=False):
        about = dict(zip(RUN, key, strict=True))
        pair = part.dropna(subset=["value", "habit"])
        pair = pair.assign(beyond=pair["value"] - pair["habit"], room=1 - pair["habit"])
        corrected = estimate(pair, ["beyond", "room"], rounds=rounds, seed=seed)
        asked = PEOPLE if about["measure"] == "FCS" else QUESTIONS * PLACES.get(about["framing"], len(NATIVE))
        figures = estimate(pair, "value", rounds=rounds, seed=seed)
        figures |= {"n": len(pair), "coverage": len(part) / asked}
        figures |= {"chance": pair["chance"].mean(), "habit": pair["habit"].mean(), "corrected": corrected["value"]}
        figures |= {"corrected_low": corrected["low"], "corrected_high": corrected["high"]}
        figures |= {"floor": part["floor"].mean(), "ceiling": part["ceiling"].mean(), "share": len(pair) / len(part)}
        printed = PAGE[about["model"], about["mode"]][1] if about["measure"] == "FCS" else np.nan
        rows.append(about | figures | {"printed": printed})
    return pd.DataFrame(rows)
