"""Reasoning and the answers in a country's own language, which the released files give only up to a side (MENAValues).

A released consistency says how far the native answer lies from the English one, not on which side. Where both sides
lie on the scale the native NVAS has a smallest and a largest possible value, and so has every mean of it: the bounds
below are these. They hold whatever the truth is, and know nothing of chance in the choice of questions.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..items import NATIVE
from ..stats import estimate
from .names import MODELS
from .reasoning_released import PRINTED, tidy

CELL = ["framing", "question", "country"]


def scores(native: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    """The smallest and largest NVAS that each answer can have.

    Parameters
    ----------
    native : `native.native_answers`.
    cells : of `workbook.read`.

    Returns
    -------
    One row per `model`, `framing`, `mode`, `question`, `country` with a human figure: `smallest`, `largest` (of the
    native answer), `english_smallest`, `english_largest`. The neutral framing, which names no country, stands once for
    every country that speaks the language.
    """
    speakers = pd.DataFrame(NATIVE.items(), columns=["country", "language"])
    named = native["country"].notna()
    spread = native[~named].drop(columns="country").merge(speakers, on="language")
    out = pd.concat([native[named], spread], ignore_index=True)
    known = cells.dropna(subset="centre")[["question", "country", "centre"]]
    out = out.merge(known, on=["question", "country"])
    width = out["high"] - out["low"]
    for answers, name in (("candidates", ""), ("english", "english_")):
        ends = [_ends(*row) for row in zip(out[answers], out["centre"], width, strict=True)]
        out[[f"{name}smallest", f"{name}largest"]] = np.array(ends, dtype=float).reshape(-1, 2)
    figures = ["smallest", "largest", "english_smallest", "english_largest"]
    return out[["model", "mode", *CELL, *figures]]


def contrasts(scored: pd.DataFrame, rounds: int = 1000, seed: int = 0) -> pd.DataFrame:
    """Reasoning minus zero-shot where the score is known within bounds only, on the cells answered in both modes.

    Parameters
    ----------
    scored : as of :func:`scores`.
    rounds, seed : of the bootstrap, which draws questions.

    Returns
    -------
    One row per `model`, `language` ('native', or 'en', of the neutral framing alone, whose English scores were not
    released either), `framing` ('all': the three pooled) and `cells`: 'bounds' has no `value`, and `low` and `high`
    between which the mean difference of all common cells must lie; 'known' has the mean over those whose score is
    settled in both modes, with its 95% interval: these are not a random part of the cells. `n`, `chance` (0),
    `printed` (NaN), `share` (n over common cells).
    """
    english = scored[scored["framing"] == "neutral"]
    english = english.assign(smallest=english["english_smallest"], largest=english["english_largest"])
    rows = []
    for language, table in (("native", _gains(scored)), ("en", _gains(english))):
        for model in MODELS.values():
            for framing in ("neutral", "persona", "observer", "all") if language == "native" else ("neutral",):
                part = table[(table["model"] == model) & ((framing == "all") | (table["framing"] == framing))]
                if part.empty:
                    continue
                named = {"model": model, "language": language, "framing": framing}
                bounds = {"value": np.nan, "low": part["least"].mean(), "high": part["most"].mean(), "n": len(part)}
                settled = part[part["most"] - part["least"] < 1e-9]
                figure = estimate(settled, "least", rounds=rounds, seed=seed) | {"n": len(settled)}
                for cells, found in (("bounds", bounds), ("known", figure)):
                    rows.append(named | {"cells": cells} | found | {"chance": 0.0, "share": found["n"] / len(part)})
    return tidy(rows)


def pooled(pairs: pd.DataFrame, scored: pd.DataFrame) -> pd.DataFrame:
    """Pool framings and languages as the project page does, as far as the released files allow.

    Parameters
    ----------
    pairs : of `reasoning_released.pairs`: English answers, persona and observer.
    scored : as of :func:`scores`: native answers, and the English ones of the neutral framing.

    Returns
    -------
    One row per `model` and `mode` ('zero-shot', 'reasoning', 'contrast': the difference of the two means): `value`
    (NaN: the files do not settle it), `low`, `high` (bounds of the mean NVAS over all rows), `n`, `chance` (NaN),
    `printed` (on the project page), `inside` (1 where the printed value lies within the bounds).
    """
    rows = []
    for model in MODELS.values():
        english, native = pairs[pairs["model"] == model], scored[scored["model"] == model]
        if english.empty:
            continue
        found = {}
        for mode, name in (("zero-shot", "zero"), ("reasoning", "reasoning")):
            own = native[native["mode"] == mode]
            neutral = own[own["framing"] == "neutral"]
            exact = english[name].dropna()
            least = pd.concat([exact, own["smallest"], neutral["english_smallest"]]).dropna()
            most = pd.concat([exact, own["largest"], neutral["english_largest"]]).dropna()
            found[mode] = {"low": least.mean(), "high": most.mean(), "n": len(least)}
        zero, reasoning = found["zero-shot"], found["reasoning"]
        ends = {"low": reasoning["low"] - zero["high"], "high": reasoning["high"] - zero["low"]}
        found["contrast"] = ends | {"n": min(zero["n"], reasoning["n"])}
        for mode, figure in found.items():
            printed = PRINTED[model][mode]
            inside = float(figure["low"] <= printed <= figure["high"])
            about = {"chance": np.nan, "printed": printed, "inside": inside}
            rows.append({"model": model, "mode": mode, "value": np.nan} | figure | about)
    return tidy(rows)


def _gains(scored: pd.DataFrame) -> pd.DataFrame:
    """Per cell answered in both modes the smallest and the largest difference."""
    known = scored[["model", *CELL, "mode", "smallest", "largest"]].dropna()
    sides = [known[known["mode"] == mode].drop(columns="mode") for mode in ("zero-shot", "reasoning")]
    out = sides[0].merge(sides[1], on=["model", *CELL], suffixes=("_zero", ""))
    least, most = out["smallest"] - out["largest_zero"], out["largest"] - out["smallest_zero"]
    return out[["model", *CELL]].assign(least=least, most=most)


def _ends(answers: tuple[int, ...], human: float, width: float) -> tuple[float, float]:
    found = [1 - abs(answer - human) / width for answer in answers]
    return (min(found), max(found)) if found else (np.nan, np.nan)
