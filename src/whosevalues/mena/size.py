"""How large the benchmark's grid is, and which part of it was released."""

from __future__ import annotations

import pandas as pd

from ..items import NATIVE
from . import names, released

STUDIED = 7
"""Models of the paper."""

PRINTED = 820_000
"""Evaluation data points "by the numbers" of the project page: at least so many."""


def conditions() -> pd.DataFrame:
    """Count the conditions that the released metric files hold scores of.

    Those of cross-lingual consistency compare English with the native language, framing by framing and mode by mode,
    so that they show all of them.

    Returns
    -------
    One row per `what`: `value`; `n`, the files with at least one score; `printed` (summary, Method Summary; README;
    project page).
    """
    held = released.read("CLCS").dropna(subset=["value"])
    native = held["language"].where(held["language"].notna(), held["country"].map(NATIVE))
    cells = held.assign(native=native).drop_duplicates(["model", "framing", "mode", "native"])
    counts = {name: cells[name].nunique() for name in ("framing", "native", "mode", "model")}
    files = len(held[["model", "framing", "mode"]].drop_duplicates())
    found = {
        "framings": counts["framing"],
        "languages": counts["native"] + 1,
        "native languages": counts["native"],
        "languages per country": 2,
        "modes": counts["mode"],
        "conditions, framing by language": 2 * counts["framing"],
        "models": counts["model"],
    }
    printed = [3, 4, 3, 2, 2, 6, STUDIED]
    return pd.DataFrame({"what": found.keys(), "value": found.values(), "n": files, "printed": printed})


def grid_size(questions: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    """Count the prompts of the whole benchmark.

    The persona and the observer are asked per question and country, in English and in the country's language; the
    neutral framing per question and language.

    Parameters
    ----------
    questions, cells : of `workbook.read`.

    Returns
    -------
    One row per `cells` ('every question everywhere', 'filled', 'with figures': the survey has an answer there),
    `models` (1 or 7), `modes` (1: zero-shot, 2) and `framing` (or 'all'): `value` (prompts) `n` (pairs of question
    and country) and `printed`, of all seven models.
    """
    every = pd.MultiIndex.from_product([questions["question"], names.COUNTRIES]).to_frame(index=False)
    every.columns = ["question", "country"]
    kinds = {"every question everywhere": every, "filled": cells, "with figures": cells[cells["shares"].map(bool)]}
    rows = []
    for kind, asked in kinds.items():
        native = asked.assign(language=asked["country"].map(NATIVE))[["question", "language"]].drop_duplicates()
        counts = {"persona": 2 * len(asked), "observer": 2 * len(asked)}
        counts["neutral"] = asked["question"].nunique() + len(native)
        counts["all"] = sum(counts.values())
        rows += [
            (kind, models, modes, framing, models * modes * count, len(asked))
            for models, modes in ((1, 1), (1, 2), (STUDIED, 2))
            for framing, count in counts.items()
        ]
    table = pd.DataFrame(rows, columns=["cells", "models", "modes", "framing", "value", "n"])
    whole = (table["models"] == STUDIED) & (table["framing"] == "all") & (table["cells"] != "filled")
    return table.assign(printed=whole.map({True: PRINTED}))
