"""The released data of "Multilingual != Multicultural" (Rystrøm, Kirk and Hale, 2025), checked and joined."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pandas as pd

from .. import ROOT, UserError, data
from .capability import LANGUAGES, multilingual
from .names import STATES

_TRUTHS = {"global": "global", "language": "per_language", "country": "every_country"}
OWN = ("model", "family", "language", "question")
"""What a response of the reader's own has beside its `score`."""


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


def read(state: str, own: str = "", benchmarks: str = "") -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Load the released responses, human answers and benchmark scores of one state, and a reader's own beside them.

    Parameters
    ----------
    state : as in :func:`files`.
    own : path of a CSV file with the responses of the reader's own models, one per row: `model`, `family`, `language`,
        `question`, `score` in [0, 1]; a relative path counts from the repository; none if empty.
    benchmarks : path of a CSV file with their benchmark scores: `model`, `language`, `benchmark`, `score` in [0, 1];
        none if empty.

    Returns
    -------
    responses : one row per valid response: `model`, `family`, `language`, `question`, `score` in [0, 1].
    truth : one row per group and question: `level` ('global', 'language' or 'country'), `group`, `group_language`,
        `question`, `human` in [0, 1].
    capability : as from :func:`~whosevalues.multicultural.capability.multilingual`.

    Raises
    ------
    UserError : a file of the reader's own that is missing or not such a table, or that names a model of the released
        data; names the file and the column.
    """
    path, released, *truths = files(state)
    names = {"model_name": "model", "model_family": "family", "question_key": "question"}
    types = {"model_name": str, "model_family": str, "language": str, "question_key": str}
    responses = data.read_csv(path, {**types, "response_pro_score": float})
    responses = responses.rename(columns={**names, "response_pro_score": "score"})
    scores = data.read_csv(released, {"model": str, "benchmark": str, "language": str, "score": float})
    capability = multilingual(scores)
    truth = pd.concat([_truth(*pair) for pair in zip(_TRUTHS, truths, strict=True)], ignore_index=True)
    if own:
        more = _beside(own, OWN, responses)
        responses = pd.concat([responses, more.assign(question=more["question"].str.lower())], ignore_index=True)
    if benchmarks:
        more = _beside(benchmarks, ("model", "language", "benchmark"), capability)
        means = more.groupby(["model", "language"])["score"].mean().rename("multilingual")
        capability = pd.concat([capability, means.reset_index()], ignore_index=True)
    return responses, truth, capability


def read_own(path: str, texts: tuple[str, ...] = OWN) -> pd.DataFrame:
    """Read a file of the reader's own.

    Parameters
    ----------
    path : of a CSV file; a relative one counts from the repository.
    texts : its columns but for `score`.

    Returns
    -------
    As from :func:`checked`.

    Raises
    ------
    UserError : there is no such file, or not in this form; names file and column.
    """
    try:
        # A model or family may be called 'None' or 'NA'.
        table = pd.read_csv(ROOT / path, keep_default_na=False, na_values={"score": [""]})
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from error
    except ValueError as error:
        raise UserError(f"{path} is no CSV table: {str(error).splitlines()[0]}") from error
    return checked(table, path, texts)


def checked(table: pd.DataFrame, name: str, texts: tuple[str, ...] = OWN) -> pd.DataFrame:
    """Check that a table of the reader's own is in the form of the released responses, or of benchmark scores.

    Parameters
    ----------
    table : columns `texts` and `score`; others are dropped.
    name : what an error calls it.
    texts : columns of text, none of it empty; a language is one of the paper's.

    Returns
    -------
    These columns, `score` in [0, 1].

    Raises
    ------
    UserError : it is not in this form, or has no row; names the column.
    """
    import pandera.pandas as pa

    columns = {column: pa.Column(str, pa.Check.str_length(min_value=1)) for column in texts}
    columns["language"] = pa.Column(str, pa.Check.isin(sorted(LANGUAGES.values())))
    columns["score"] = pa.Column(float, pa.Check.in_range(0, 1))
    try:
        table = pa.DataFrameSchema(columns, coerce=True, strict="filter").validate(table)[[*columns]]
    except (pa.errors.SchemaError, pa.errors.SchemaErrors) as error:
        reason = str(getattr(error, "schema_errors", [error])[0]).splitlines()[0]
        raise UserError(f"{name} needs the columns {', '.join(columns)}, the score in [0, 1]: {reason}") from error
    if table.empty:
        raise UserError(f"{name} has no row below its columns {', '.join(columns)}")
    if "family" in table and (table.groupby("model")["family"].nunique() > 1).any():
        raise UserError(f"{name} puts a model into two families: its column 'family' must name one per model")
    return table


def _beside(path: str, texts: tuple[str, ...], released: pd.DataFrame) -> pd.DataFrame:
    table = read_own(path, texts)
    if known := sorted({*table["model"]} & {*released["model"]}):
        raise UserError(f"{path} has '{known[0]}' in its column 'model', as the released data do: give it another name")
    return table


def about_own(own: str = "", benchmarks: str = "") -> dict[str, str]:
    """Say which files of the reader's own a result was made with.

    Parameters
    ----------
    own, benchmarks : as for :func:`read`.

    Returns
    -------
    File name and hash of those that are given, for the parameters of a result; empty where none is.

    Raises
    ------
    UserError : a file that is not there.
    """
    given = {"own": own, "benchmarks": benchmarks}
    try:
        return {
            name: f"{Path(path).name} sha256 {hashlib.sha256((ROOT / path).read_bytes()).hexdigest()[:12]}"
            for name, path in given.items()
            if path
        }
    except OSError as error:
        raise UserError(f"cannot read {error.filename}: {error.strerror}") from error


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
