"""The quantities of "Multilingual != Multicultural" (Rystrøm, Kirk and Hale, 2025), from stances to regressions."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd

from . import UserError, data, stats

STATES = ("seed-2025-06", "head-2025-08")

CONSISTENCY = {"seed-2025-06": ("pearson", 1.0), "head-2025-08": ("spearman", 0.955)}
"""Per state: the correlation that consistency is, and what it is divided by (one minus the annotator's noise)."""

LANGUAGES = {"Danish": "da", "Dutch": "nl", "English": "en", "Portuguese": "pt"}

MODELS = {
    "gemma": ("gemma-2-2b-it", "gemma-2-9b-it", "gemma-2-27b-it"),
    "olmo": ("OLMo-2-1124-7B-Instruct", "OLMo-2-1124-13B-Instruct", "OLMo-2-0325-32B-Instruct"),
    "openai": ("gpt-3.5-turbo-0125", "gpt-4-turbo-2024-04-09", "gpt-4o"),
}
"""The models of each family, in the order of their progress."""

# Lower-cased names in the benchmark files.
BENCHMARKED = {
    **dict(zip(("gemma-2 2b", "gemma-2 9b", "gemma-2 27b"), MODELS["gemma"], strict=True)),
    **dict(zip(("olmo-2 7b", "olmo-2 13b", "olmo-2 32b"), MODELS["olmo"], strict=True)),
    **dict(zip(("gpt-3.5 turbo", "gpt-4 turbo", "gpt-4o"), MODELS["openai"], strict=True)),
    "gpt-4-turbo": MODELS["openai"][1],
}
RANDOM = "Baseline_uniform_random"

_TRUTHS = {"global": "global", "language": "per_language", "country": "every_country"}


def files(state: str) -> list[str]:
    """Registry paths that the replay of one state reads.

    Parameters
    ----------
    state : 'seed-2025-06' (the paper's) or 'head-2025-08' (the authors' later one).

    Returns
    -------
    Responses, benchmark scores, and the ground truths, which both states share.

    Raises
    ------
    UserError : another state.
    """
    if state not in STATES:
        raise UserError(f"unknown state '{state}': the authors' data exist as {' and '.join(STATES)}")
    own = ("latest_results_with_baseline", "multilingual_benchmarks")
    return [f"multicultural/{state}/{name}.csv" for name in own] + [
        f"multicultural/head-2025-08/ground_truth_{name}.csv" for name in _TRUTHS.values()
    ]


def read(state: str) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Load the released responses, human answers and benchmark scores of one state.

    Parameters
    ----------
    state : as in :func:`files`.

    Returns
    -------
    responses : one row per valid response: `model`, `family`, `language`, `question`, `score` in [0, 1].
    truth : one row per group and question: `level` ('global', 'language' or 'country'), `group`, `group_language`,
        `question`, `human` in [0, 1].
    capability : as from :func:`multilingual`.
    """
    path, benchmarks, *truths = files(state)
    names = {"model_name": "model", "model_family": "family", "question_key": "question"}
    types = {"model_name": str, "model_family": str, "language": str, "question_key": str}
    responses = data.read_csv(path, {**types, "response_pro_score": float})
    scores = data.read_csv(benchmarks, {"model": str, "benchmark": str, "language": str, "score": float})
    truth = pd.concat([_truth(*pair) for pair in zip(_TRUTHS, truths, strict=True)], ignore_index=True)
    return responses.rename(columns={**names, "response_pro_score": "score"}), truth, multilingual(scores)


def _truth(level: str, path: str) -> pd.DataFrame:
    own = {"global": [], "language": ["lnge_iso"], "country": ["lnge_iso", "cntry_an"]}[level]
    table = data.read_csv(path, {"question_key": str, "pro_score": float, **dict.fromkeys(own, str)})
    return pd.DataFrame(
        {
            "level": level,
            "group": table[own[-1]] if own else level,
            "group_language": table["lnge_iso"] if own else None,
            "question": table["question_key"].str.lower(),
            "human": table["pro_score"],
        }
    )


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


def join(responses: pd.DataFrame, truth: pd.DataFrame, level: str) -> pd.DataFrame:
    """Set every response beside what each group of people answered.

    Parameters
    ----------
    responses, truth : as from :func:`read`.
    level : 'global', 'language' or 'country'.

    Returns
    -------
    One row per response and group: the responses' columns, `group`, `group_language`, `human`. Responses to
    questions without ground truth drop out.
    """
    return responses.merge(truth[truth["level"] == level].drop(columns="level"), on="question")


def alignment(joined: pd.DataFrame, counts: np.ndarray) -> pd.DataFrame:
    """Cultural alignment: Spearman correlation of model and human value polarity scores (section 2.2).

    Taken at response level, as in the authors' code: every sampled response is a point.

    Parameters
    ----------
    joined : as from :func:`join`.
    counts : how often each row was drawn, shape (rounds, rows); all ones for the data as they are.

    Returns
    -------
    One row per (round, model, language, group): `alignment` in [-1, 1], NaN where a sample does not vary.
    """
    cell, names = _cells(joined, ["model", "language", "group"])
    values = stats.weighted_spearman(counts, cell, joined["score"].to_numpy(), joined["human"].to_numpy())
    return _tidy(values, names, "alignment")


def consistency(joined: pd.DataFrame, counts: np.ndarray, state: str) -> pd.DataFrame:
    """Self-consistency: correlation of answers to the same question, over all ordered pairs of draws (section 3.2).

    Parameters
    ----------
    joined : as from :func:`join`. A response stands there once per group, and its copies count as different draws,
        as in the authors' code.
    counts : how often each row was drawn, shape (rounds, rows).
    state : decides the correlation and its correction, see `CONSISTENCY`.

    Returns
    -------
    One row per (round, model, language): `consistency`, NaN where no question was drawn twice.
    """
    kind, reliability = CONSISTENCY[state]
    cell, names = _cells(joined, ["model", "language"])
    item, _ = _cells(joined, ["model", "language", "question"])
    values = stats.pair_correlation(counts, cell, item, joined["score"].to_numpy(), ranks=kind == "spearman")
    return _tidy(values / reliability, names, "consistency")


def distinct_consistency(joined: pd.DataFrame, state: str) -> pd.DataFrame:
    """Self-consistency over pairs of different responses: without resampling, so that none is paired with its copy.

    A bootstrap draws some responses twice, and a response agrees with its copy: its mean over all pairs is too high.

    Parameters
    ----------
    joined : as from :func:`join`, each response once.
    state : as in :func:`consistency`.

    Returns
    -------
    One row per (model, language): `consistency`.
    """
    return consistency(joined, np.ones((1, len(joined)), dtype=int), state).drop(columns="round")


def _cells(table: pd.DataFrame, keys: list[str]) -> tuple[np.ndarray, pd.DataFrame]:
    grouped = table.groupby(keys, sort=True)
    return grouped.ngroup().to_numpy(), grouped.size().reset_index()[keys]


def _tidy(values: np.ndarray, names: pd.DataFrame, metric: str) -> pd.DataFrame:
    rounds, cells = values.shape
    table = names.loc[np.tile(np.arange(cells), rounds)].reset_index(drop=True)
    table.insert(0, "round", np.repeat(np.arange(rounds), cells))
    return table.assign(**{metric: values.ravel()})


def steps(values: pd.Series) -> pd.Series:
    """How much each model gains on the one before it in its family.

    Parameters
    ----------
    values : indexed by `model` and others.

    Returns
    -------
    The differences, with the index of `values`; NaN for a family's first model and for baselines.
    """
    table = values.unstack("model")
    pairs = [pair for family in MODELS.values() for pair in pairwise(family) if {*pair} <= {*table}]
    gains = {later: table[later] - table[earlier] for earlier, later in pairs}
    long = pd.DataFrame(gains, index=table.index).rename_axis(columns="model").stack()
    return long.reorder_levels(values.index.names).reindex(values.index)
