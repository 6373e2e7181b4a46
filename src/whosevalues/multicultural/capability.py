"""Multilingual capability: what the benchmarks of appendix F say of each model and language."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pandas as pd

from .. import UserError, data
from .names import MODELS, STATES

LANGUAGES = {"Danish": "da", "Dutch": "nl", "English": "en", "Portuguese": "pt"}

SETS = ("Table 3", *STATES)
"""The paper's printed benchmarks, and the files of the authors' two states."""

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
    table = _named(scores[scores["benchmark"] != "ENEM"])
    means = table.groupby(["model", "language"])["score"].mean() / 100
    return means.rename("multilingual").reset_index()


def _named(table: pd.DataFrame) -> pd.DataFrame:
    for column, known in (("model", BENCHMARKED), ("language", LANGUAGES)):
        given = table[column].str.lower() if column == "model" else table[column]
        if unknown := sorted(set(given) - set(known)):
            raise UserError(f"unknown {column} '{unknown[0]}' among the benchmark scores: known are {', '.join(known)}")
        table = table.assign(**{column: given.map(known)})
    return table


def read_set(name: str) -> pd.DataFrame:
    """Read one of the three sets of benchmark scores, with one spelling for all.

    Parameters
    ----------
    name : one of `SETS`.

    Returns
    -------
    One row per (model, language, benchmark): `score` in [0, 1]. Benchmarks are spelt as in Table 3, without the number
    of shots.

    Raises
    ------
    UserError : another set.
    """
    if name not in SETS:
        raise UserError(f"unknown benchmarks '{name}': there are {', '.join(SETS)}")
    printed = pd.read_csv(Path(__file__).with_name("table3.csv"))
    printed["benchmark"] = printed["benchmark"].str.replace(r" \(.*", "", regex=True)
    if name == SETS[0]:
        return printed
    types = {"model": str, "benchmark": str, "language": str, "score": float}
    table = _named(data.read_csv(f"multicultural/{name}/multilingual_benchmarks.csv", types))
    bare = table["benchmark"].str.replace(r" \(.*", "", regex=True)
    spelt = {_bare(b): b for b in printed["benchmark"]}
    table = table.assign(benchmark=bare.map(lambda b: spelt.get(_bare(b), b)), score=table["score"] / 100)
    return table[list(printed)].reset_index(drop=True)


def _bare(benchmark: str) -> str:
    return benchmark.lower().replace("-", " ").removesuffix(" exams")


def cells() -> pd.DataFrame:
    """Set every cell of Table 3 beside the authors' two files.

    Returns
    -------
    One row per (model, language, benchmark, file): `value`, the file's score in [0, 1], NaN where it has none; `low`,
    `high` (NaN: nothing was drawn), `n` (models that have the benchmark in the file), `chance` (NaN: the paper names no
    chance level), `printed`, and `differs`: 'no', 'other value', 'not in the file', 'not printed'.
    """
    keys = ["model", "language", "benchmark"]
    printed, parts = read_set(SETS[0]).rename(columns={"score": "printed"}), []
    for state in STATES:
        table = printed.merge(read_set(state).rename(columns={"score": "value"}), on=keys, how="outer")
        here = table["value"].notna().groupby(table["benchmark"])
        parts.append(table.assign(file=state, n=here.transform("sum")))
    table = pd.concat(parts, ignore_index=True)
    table["differs"] = "other value"
    for words, these in (
        ("no", (table["value"] - table["printed"]).abs() < 5e-4),
        ("not in the file", table["value"].isna()),
        ("not printed", table["printed"].isna()),
    ):
        table.loc[these, "differs"] = words
    empty = dict.fromkeys(("low", "high", "chance"), float("nan"))
    columns = ["value", "low", "high", "n", "chance", "printed", "differs"]
    return table.assign(**empty)[[*keys, "file", *columns]]


def sources(table: pd.DataFrame) -> pd.DataFrame:
    """Name for every printed cell the files that have it.

    Parameters
    ----------
    table : as from :func:`cells`.

    Returns
    -------
    One row per (model, language, benchmark) of Table 3: `printed`, and `source`: 'both files', one file's name, or
    'neither file' where they have no score or another one.
    """
    table = table[table["printed"].notna()]
    wide = table.assign(same=table["differs"] == "no").pivot(
        index=["model", "language", "benchmark", "printed"], columns="file", values="same"
    )
    named = {
        (True, True): "both files",
        (True, False): STATES[0],
        (False, True): STATES[1],
        (False, False): "neither file",
    }
    return wide.assign(source=[named[pair] for pair in wide[list(STATES)].itertuples(index=False)])[
        "source"
    ].reset_index()


def by_set() -> pd.DataFrame:
    """Multilingual capability by each of the three sets, and what each model gains on the one before in its family.

    Returns
    -------
    One row per (benchmarks, metric, model, language): metric 'capability' is the mean score in [0, 1], ENEM left out,
    and 'step' its difference from that of the model before; `low` and `high`, the least and the most that `value`
    becomes when one benchmark is left out; `n`, benchmarks; `chance`, 0 for a step, else NaN: the paper names none;
    `printed`, the same figure from the scores of Table 3.
    """
    parts = [_means(read_set(name).query("benchmark != 'ENEM'")).assign(benchmarks=name) for name in SETS]
    table = pd.concat(parts, ignore_index=True)
    keys = ["metric", "model", "language"]
    printed = parts[0].rename(columns={"value": "printed"})[[*keys, "printed"]]
    table = table.merge(printed, on=keys, how="left")
    table["chance"] = table["metric"].map({"step": 0.0})
    return table[["benchmarks", *keys, "value", "low", "high", "n", "chance", "printed"]]


def _means(table: pd.DataFrame) -> pd.DataFrame:
    wide = table.pivot(index=["language", "benchmark"], columns="model", values="score")
    pairs = [pair for family in MODELS.values() for pair in pairwise(family) if {*pair} <= {*wide}]
    steps = pd.DataFrame({later: wide[later] - wide[earlier] for earlier, later in pairs})
    rows = []
    for metric, scores in (("capability", wide), ("step", steps)):
        for (language, model), part in scores.stack().dropna().groupby(level=[0, 2]):
            less = (part.sum() - part) / (len(part) - 1)
            rows.append((metric, model, language, part.mean(), less.min(), less.max(), len(part)))
    return pd.DataFrame(rows, columns=["metric", "model", "language", "value", "low", "high", "n"])


def by_benchmarks(name: str) -> pd.DataFrame:
    """Multilingual capability by one set, as the regression takes it.

    Parameters
    ----------
    name : one of `SETS`.

    Returns
    -------
    One row per (model, language): `multilingual` in [0, 1], as from :func:`multilingual`.
    """
    table = read_set(name)
    means = table[table["benchmark"] != "ENEM"].groupby(["model", "language"])["score"].mean()
    return means.rename("multilingual").reset_index()


def twins(table: pd.DataFrame) -> pd.DataFrame:
    """Find scores that a model has twice in one language, which a slip of the copying hand would leave behind.

    Parameters
    ----------
    table : as from :func:`read_set`.

    Returns
    -------
    One row per pair: `model`, `language`, `benchmark`, `other`, `score`.
    """
    pairs = table.merge(table, on=["model", "language", "score"], suffixes=("", "_other"))
    pairs = pairs[pairs["benchmark"] < pairs["benchmark_other"]].rename(columns={"benchmark_other": "other"})
    return pairs[["model", "language", "benchmark", "other", "score"]].reset_index(drop=True)


def expected_twins(table: pd.DataFrame) -> float:
    """How many pairs :func:`twins` would find if nothing had been copied.

    Parameters
    ----------
    table : as from :func:`read_set`.

    Returns
    -------
    The share of equal scores among pairs of different models on different benchmarks of one language, where no slip
    within a column can be the reason, times the pairs within the models; at least 0.
    """
    pairs = table.merge(table, on="language", suffixes=("", "_other"))
    pairs = pairs[pairs["benchmark"] < pairs["benchmark_other"]]
    within = pairs["model"] == pairs["model_other"]
    return float(pairs.loc[~within, "score"].eq(pairs.loc[~within, "score_other"]).mean() * within.sum())
