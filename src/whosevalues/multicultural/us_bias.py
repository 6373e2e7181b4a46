"""US-centric bias without a baseline, and what the one draw of a baseline does to the paper's (RQ2, section 4.2)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import numpy as np
import pandas as pd

from . import released, resampling, rq2
from .names import MODELS, RANDOM, STATES

PRINTED = {"da": 3, "nl": 5, "en": 6, "pt": 0}
"""Of six models, how many the paper calls US-biased (section 4.2)."""


def beside_countries(responses: pd.DataFrame, truth: pd.DataFrame, more: Iterable[str] = ()) -> pd.DataFrame:
    """Set the responses of the analysed models and of the random baseline beside native countries and the US.

    Parameters
    ----------
    responses, truth : as from :func:`~whosevalues.multicultural.released.read`.
    more : models to keep beside the released ones, the reader's own.

    Returns
    -------
    As from :func:`~whosevalues.multicultural.released.join`, `row`, the number of the row among all that are joined,
    and `shared`: whether all countries of the language and the US have an answer to the question.
    """
    joined = released.join(responses, truth, "country").reset_index(names="row")
    kept = joined[joined["group_language"].eq(joined["language"]) | joined["group"].eq("US")]
    kept = kept[kept["model"].isin([*sum(MODELS.values(), ()), RANDOM, *more])]
    has = kept.groupby(["language", "question"])["group"].transform("nunique")
    return kept.assign(shared=has == kept.groupby("language")["group"].transform("nunique")).reset_index(drop=True)


@cache
def _beside(state: str, own: str = "") -> pd.DataFrame:
    responses, truth, _ = released.read(state, own)
    return beside_countries(responses, truth, {*responses["model"]} - {*released.read(state)[0]["model"]})


def gaps(alignment: pd.DataFrame) -> pd.DataFrame:
    """Alignment with the US minus that with each other country, and with their mean.

    Parameters
    ----------
    alignment : as from :func:`~whosevalues.multicultural.resampling.alignment`.

    Returns
    -------
    One line per round, one column per (model, language, against), the last a country or 'mean'.
    """
    us = alignment.xs("US", axis=1, level="group")
    local = alignment.drop(columns="US", level="group").dropna(axis=1, how="all")
    means = local.T.groupby(level=["model", "language"]).mean().T
    each = us[local.columns.droplevel("group")].to_numpy() - local
    average = us[means.columns].to_numpy() - means
    names = pd.MultiIndex.from_tuples([(*key, "mean") for key in means.columns], names=local.columns.names)
    return pd.concat([each, average.set_axis(names, axis=1)], axis=1)


def us_difference(state: str, *, rounds: int = 200, seed: int = 0, own: str = "") -> pd.DataFrame:
    """Estimate US minus local alignment directly: same responses, whole questions resampled, no baseline.

    Parameters
    ----------
    state : as in :func:`~whosevalues.multicultural.released.files`.
    rounds, seed : of the bootstrap over questions.
    own : as in :func:`~whosevalues.multicultural.released.read`.

    Returns
    -------
    One row per (state, model, language, against, level, questions): `value`, `low`, `high` (95% percentile interval
    of the bootstrap), `n` (questions), `chance`, `printed`. `against` is another country in which the language is
    native, or 'mean', all of them. `questions`: 'all', each country on those it has; 'shared', all countries of the
    language on the same ones. Models include 'mean', of the paper's six, and the random baseline.
    """
    parts = []
    for level in resampling.LEVELS:
        for questions in ("all", "shared"):
            point, draws, n = _paired(state, level, questions, rounds, seed, own)
            bounds = draws.quantile([0.025, 0.975]).T.set_axis(["low", "high"], axis=1)
            part = pd.concat([point.iloc[0].rename("value"), bounds], axis=1)
            part = part.rename_axis(["model", "language", "against"]).reset_index()
            parts.append(part.assign(level=level, questions=questions, n=part["language"].map(n)))
    table = pd.concat(parts, ignore_index=True).assign(state=state, chance=0.0, printed=np.nan)
    keys = ["state", "model", "language", "against", "level", "questions"]
    return table[[*keys, "value", "low", "high", "n", "chance", "printed"]]


@cache
def _paired(
    state: str, level: str, questions: str, rounds: int, seed: int, own: str = ""
) -> tuple[pd.DataFrame, pd.DataFrame, dict]:
    table = _beside(state, own)
    # The same draw of questions whichever of them count: the two columns then differ by the questions alone.
    times = resampling.question_times(table["question"], rounds, seed)
    kept = table["shared"].to_numpy() | (questions == "all")
    table, times = table[kept].reset_index(drop=True), times[:, kept]
    once = np.ones((1, len(table)))
    point = gaps(resampling.alignment(table, once, level))
    draws = gaps(resampling.alignment(table, np.broadcast_to(once, times.shape), level, times))
    n = table.groupby("language")["question"].nunique().to_dict()
    return *(pd.concat([part, _six(part)], axis=1) for part in (point, draws)), n


def _six(gaps: pd.DataFrame) -> pd.DataFrame:
    """The mean of the models that both states have."""
    of = gaps.loc[:, gaps.columns.get_level_values(0).isin(MODELS["gemma"] + MODELS["openai"])]
    means = of.T.groupby(level=[1, 2]).mean().T
    return means.set_axis(pd.MultiIndex.from_tuples([("mean", *key) for key in means.columns]), axis=1)


def random_gaps(people: pd.DataFrame, draws: int, seed: int) -> np.ndarray:
    """Redraw a baseline of uniformly random scores, and take its alignment with the US minus that with the others.

    Parameters
    ----------
    people : one row per response of the baseline, one column per group, US among them: the human score of the
        question, NaN where there is none.
    draws, seed : how many baselines, and of the random generator.

    Returns
    -------
    Shape (draws,).
    """
    scores = np.random.default_rng(seed).random((draws, len(people)))
    values = {}
    for group, human in people.items():
        asked = human.notna().to_numpy()
        ranks = scores[:, asked].argsort(axis=1).argsort(axis=1) - (asked.sum() - 1) / 2
        other = human[asked].rank().to_numpy()
        other = other - other.mean()
        values[group] = ranks @ other / np.sqrt((ranks[0] ** 2).sum() * (other**2).sum())
    us = values.pop("US")
    return us - np.mean(list(values.values()), axis=0)


def baseline_redraws(*, draws: int = 2000, rounds: int = 100, seed: int = 0) -> pd.DataFrame:
    """Ask how much of the US coefficients is the offset of one random baseline.

    The coefficient of a model is its own US minus local alignment less the baseline's. The models' part and the
    regression's standard errors are kept as they are; the baseline is redrawn, on the questions and counts of the
    released one.

    Parameters
    ----------
    draws : baselines drawn per state and language.
    rounds, seed : of the bootstrap that the models' part comes from, as in the paper.

    Returns
    -------
    One row per (state, metric, language): `value`, `low`, `high`, `n`, `chance`, `printed`. Metrics: 'gap of a random
    baseline', mean and 95% range over draws; 'gap of the released baseline', without resampling, with `value` alone;
    'draws below the released one', a share; for the rules 'coefficient > 0' and 'interval > 0', how many models they
    call US-biased, mean and 95% range over draws, `n` being the models; 'released: ' and the rule, with the baseline
    as released; 'draws as printed: ' and the rule, the share of draws with exactly the printed count.
    """
    parts = [_redrawn(state, draws, rounds, seed) for state in STATES]
    columns = ["state", "metric", "language", "value", "low", "high", "n", "chance", "printed"]
    return pd.concat(parts, ignore_index=True).reindex(columns=columns)


def _redrawn(state: str, draws: int, rounds: int, seed: int) -> pd.DataFrame:
    table = _beside(state)
    biases = _bootstrapped(state, rounds, seed)
    own = gaps(resampling.alignment(table, np.ones((1, len(table)))))[RANDOM].xs("mean", axis=1, level=1).iloc[0]
    rows = []
    for number, (language, part) in enumerate(table[table["model"] == RANDOM].groupby("language")):
        # Responses to one question are interchangeable: its people stand once per response.
        each = part.groupby("question").size() // part.groupby("question")["group"].nunique()
        people = part.drop_duplicates(["question", "group"]).pivot(index="question", columns="group", values="human")
        drawn = random_gaps(people.loc[people.index.repeat(each[people.index])], draws, seed + number)
        rows += _metrics(drawn, own[language], biases[biases["language"] == language], state, language)
    return pd.DataFrame(rows).assign(state=state)


def _metrics(drawn: np.ndarray, own: float, models: pd.DataFrame, state: str, language: str) -> list[dict]:
    printed = PRINTED[language] if state == STATES[0] else np.nan
    margin = 1.96 * models["std_err"].to_numpy()
    raw = models["raw"].to_numpy()
    random, released_one = "gap of a random baseline", "gap of the released baseline"
    rows = [
        {"metric": random, **_spread(drawn), "n": len(drawn), "chance": 0.0},
        {"metric": released_one, "value": own, "n": len(drawn), "chance": 0.0},
        {"metric": "draws below the released one", "value": (drawn < own).mean(), "n": len(drawn), "chance": 0.5},
    ]
    for rule, needed, level in (("coefficient > 0", 0 * margin, 0.5), ("interval > 0", margin, 0.025)):
        counts = (raw - drawn[:, None] > needed).sum(axis=1)
        about = {"n": len(models), "chance": level * len(models), "printed": printed}
        rows.append({"metric": rule, **_spread(counts), **about})
        column = models["value"] if rule == "coefficient > 0" else models["low"]
        rows.append({"metric": f"released: {rule}", "value": (column > 0).sum(), **about})
        if not np.isnan(printed):
            share = {"value": (counts == printed).mean(), "n": len(drawn), "printed": 1.0}
            rows.append({"metric": f"draws as printed: {rule}", **share})
    return [{"language": language, **row} for row in rows]


def _spread(values: np.ndarray) -> dict[str, float]:
    low, high = np.quantile(values, [0.025, 0.975])
    return {"value": values.mean(), "low": low, "high": high}


@cache
def bootstrap_rows(state: str, rounds: int, seed: int) -> pd.DataFrame:
    """The rows of Eq. 2 as :func:`~whosevalues.multicultural.rq2.rq2_rows` makes them, kept for the next who asks.

    Parameters
    ----------
    state : as in :func:`~whosevalues.multicultural.released.files`.
    rounds, seed : of the bootstrap.

    Returns
    -------
    As from :func:`~whosevalues.multicultural.rq2.rq2_rows`.
    """
    responses, truth, _ = released.read(state)
    return rq2.rq2_rows(released.join(responses, truth, "country"), rounds=rounds, seed=seed)


def _bootstrapped(state: str, rounds: int, seed: int) -> pd.DataFrame:
    rows = bootstrap_rows(state, rounds, seed)
    return rq2.us_bias(rq2.rq2_fit(rows), rows)
