"""Multilingual capability: what the benchmarks of appendix F say of each model and language."""

from __future__ import annotations

import pandas as pd

from .. import UserError
from .names import MODELS

LANGUAGES = {"Danish": "da", "Dutch": "nl", "English": "en", "Portuguese": "pt"}

# Lower-cased names in the benchmark files.
BENCHMARKED = {
    **dict(zip(("gemma-2 2b", "gemma-2 9b", "gemma-2 27b"), MODELS["gemma"], strict=True)),
    **dict(zip(("olmo-2 7b", "olmo-2 13b", "olmo-2 32b"), MODELS["olmo"], strict=True)),
    **dict(zip(("gpt-3.5 turbo", "gpt-4 turbo", "gpt-4o"), MODELS["openai"], strict=True)),
    "gpt-4-turbo": MODELS["openai"][1],
}


def multilingual(scores: pd.DataFrame) -> pd.DataFrame:
    """Multilingual capability: the mean benchmark score (appendix F).

    ENEM is left out, as in the authors' code: only some of the models have it.

    Parameters
    ----------
    scores : one row per benchmark: `model` and `language` as the released files spell them, `benchmark`, `score` in
        percent.

    Returns
    -------
    One row per (model, language), named as in the responses: `multilingual` in [0, 1].

    Raises
    ------
    UserError : a model or language that is not known.

    Examples
    --------
    >>> multilingual(pd.DataFrame({"model": ["GPT-4o", "gpt-4o"], "benchmark": ["OAB", "FAQUAD NLI"],
    ...                            "language": ["Portuguese"] * 2, "score": [81.0, 86.0]}))
        model language  multilingual
    0  gpt-4o       pt         0.835
    """
    table = scores[scores["benchmark"] != "ENEM"]
    for column, known in (("model", BENCHMARKED), ("language", LANGUAGES)):
        given = table[column].str.lower() if column == "model" else table[column]
        if unknown := sorted(set(given) - set(known)):
            raise UserError(f"unknown {column} '{unknown[0]}' among the benchmark scores: known are {', '.join(known)}")
        table = table.assign(**{column: given.map(known)})
    means = table.groupby(["model", "language"])["score"].mean() / 100
    return means.rename("multilingual").reset_index()
