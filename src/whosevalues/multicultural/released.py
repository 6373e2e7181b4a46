"""The released data of "Multilingual != Multicultural" (Rystrøm, Kirk and Hale, 2025), checked and joined."""

from __future__ import annotations

import pandas as pd

from .. import UserError, data
from .capability import multilingual
from .names import STATES

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
    capability : as from :func:`~whosevalues.multicultural.capability.multilingual`.
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
