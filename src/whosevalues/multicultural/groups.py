"""Self-consistency and raw alignment with countries, speakers of a language and everybody (figures 3, 6, 7 and 8)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .. import data, stats
from . import released, resampling, scores
from .baselines import redrawn_consistency, ten_people
from .names import MODELS, STATES

PEOPLE = "multicultural/head-2025-08/gt_self_consistency.csv"
"""The authors' self-consistency of people: surveys of ten respondents of one country."""

SET_ASIDE = ("Mistral-7B-Instruct-v0.2", "Starling-LM-7B-beta", "dolphin-2.8-mistral-7b-v02")
"""Models in the released file that the paper does not analyse."""

SHORT = {
    **dict(zip(MODELS["gemma"], ("Gemma 2B", "Gemma 9B", "Gemma 27B"), strict=True)),
    **dict(zip(MODELS["olmo"], ("OLMo 7B", "OLMo 13B", "OLMo 32B"), strict=True)),
    **dict(zip(MODELS["openai"], ("GPT-3.5 Turbo", "GPT-4 Turbo", "GPT-4o"), strict=True)),
}
"""Names for pictures, in the order of families and of progress within them."""

FAMILY = {model: family for family, models in MODELS.items() for model in models}
"""The family of every released model."""

CONSISTENCY, LIKE = "self-consistency", "self-consistency, like for like"
INDEX = ["state", "resampled", "family", "model", "language", "group"]


def studied(state: str, own: str = "") -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read the responses that are compared with people: without baselines and the models that the paper set aside.

    Parameters
    ----------
    state, own : as in :func:`~whosevalues.multicultural.released.read`.

    Returns
    -------
    `responses` and `truth`, as from :func:`~whosevalues.multicultural.released.read`.
    """
    responses, truth, _ = released.read(state, own=own)
    aside = responses["model"].isin(SET_ASIDE) | responses["family"].eq("Baseline")
    return responses[~aside].reset_index(drop=True), truth


def compared(responses: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """Set every response beside the people that figures 6 to 8 compare it with.

    Parameters
    ----------
    responses, truth : as from :func:`studied`.

    Returns
    -------
    One row per response and group: the responses' columns, `row` (number of the response), `level`, `group`, `human`.
    Groups: the countries where the prompt's language is native and the US; its speakers and those of English;
    everybody.
    """
    numbered = responses.reset_index(names="row")
    levels = ("country", "language", "global")
    joined = [released.join(numbered, truth, level).assign(level=level) for level in levels]
    table = pd.concat(joined, ignore_index=True)
    kept = table["group_language"].eq(table["language"]) | table["group"].isin(["US", "en", "global"])
    return table[kept].drop(columns="group_language").reset_index(drop=True)


def resampled(rounds: int = 200, seed: int = 0, own: str = "") -> pd.DataFrame:
    """Resample every alignment and self-consistency of both states in two ways.

    'responses': as in the paper, responses are drawn, flat. The interval covers which responses a model happened to
    give to these questions; in self-consistency the copies of a response count as different ones. 'questions': whole
    questions are drawn, the same ones for all models, languages and groups. The interval covers which questions the
    survey happened to ask, too; pairs are of different responses only.

    Parameters
    ----------
    rounds, seed : of each bootstrap.
    own : as in :func:`~whosevalues.multicultural.released.read`.

    Returns
    -------
    One row per `INDEX` in the index; `group` is a group of people, `CONSISTENCY` or `LIKE`. Columns: 'point',
    the estimate from the responses as they are (of self-consistency with copies, which are in no sample but a
    resample, the mean over rounds), and the rounds 0, 1, ...
    """
    parts, families = [], {}
    for state in STATES:
        responses, truth = studied(state, own)
        table = compared(responses, truth)
        drawn = stats.bootstrap_counts(len(responses), rounds, seed)
        kind, divisor = scores.CONSISTENCY[state]
        same = resampling.consistency(responses, drawn, kind, "copies") / divisor
        flat = pd.concat([resampling.alignment(table, drawn[:, table["row"]]).T, _named(same, CONSISTENCY)])
        whole = _by_questions(responses, table, state, rounds, seed)
        counted = flat.index.get_level_values("group") == CONSISTENCY
        flat.insert(0, "point", flat.mean(axis=1).where(counted, whole["point"].reindex(flat.index)))
        parts += [flat.assign(resampled="responses", state=state), whole.assign(resampled="questions", state=state)]
        families |= responses.drop_duplicates("model").set_index("model")["family"].to_dict()
    whole = pd.concat(parts).reset_index()
    return whole.assign(family=whole["model"].map(families)).set_index(INDEX)


def _by_questions(responses: pd.DataFrame, table: pd.DataFrame, state: str, rounds: int, seed: int) -> pd.DataFrame:
    times = resampling.question_draws(responses["question"], rounds, seed)
    known = responses["question"].isin(table["question"]).to_numpy()
    kinds = [(CONSISTENCY, np.ones(len(responses), dtype=bool), state), (LIKE, known, STATES[0])]
    parts = [resampling.alignment(table, times[:, table["row"]]).T]
    for name, kept, like in kinds:
        kind, divisor = scores.CONSISTENCY[like]
        once = np.ones((len(times), kept.sum()))
        # A question that is drawn twice counts as two questions, so that no response meets its own copy.
        values = resampling.consistency(responses[kept], once, kind, "distinct", times[:, kept]) / divisor
        parts.append(_named(values, name))
    return pd.concat(parts).set_axis(["point", *range(rounds)], axis=1)


def _named(values: pd.DataFrame, group: str) -> pd.DataFrame:
    return pd.concat({group: values.T}, names=["group"]).reorder_levels(["model", "language", "group"])


def summary(draws: pd.DataFrame) -> pd.DataFrame:
    """Sum up rounds: the point, and the 95% percentile interval.

    Parameters
    ----------
    draws : as from :func:`resampled`.

    Returns
    -------
    One row per row of `draws`: its index as columns, `value`, `low`, `high`; the bounds NaN where more than one round
    in twenty has no value.
    """
    low, high = stats.percentile_interval(draws.drop(columns="point").to_numpy())
    figures = pd.DataFrame({"value": draws["point"], "low": low, "high": high}, index=draws.index)
    return figures.reset_index()


def groups_table(draws: pd.DataFrame, own: str = "", redraws: int = 20) -> pd.DataFrame:
    """Raw alignment of every model and prompt language with each group of people (figures 6, 7 and 8).

    Parameters
    ----------
    draws : as from :func:`resampled`.
    own : as there.
    redraws : simulated models behind `ceiling`.

    Returns
    -------
    One row per (state, resampled, model, language, level, group): `value` in [-1, 1], `low`, `high`; `n` (responses
    compared); `chance`, 0, and `chance_high`, which 39 of 40 models with random scores stay below (a random rank
    correlation has the variance 1 / (n - 1)); `ceiling`, what ten people drawn from the speakers of the prompt's
    language would get in the place of each response; `printed`, NaN: the paper prints no value.
    """
    table = summary(draws)
    table = table[~table["group"].isin([CONSISTENCY, LIKE])]
    keys = ["state", "model", "language", "group"]
    sizes, ceilings = [], []
    for state in STATES:
        responses, truth = studied(state, own)
        rows = compared(responses, truth)
        sizes.append(rows.groupby(["model", "language", "level", "group"]).size().rename("n").reset_index())
        ceilings.append(ten_people(responses, truth, rows, redraws)[0])
        sizes[-1]["state"] = ceilings[-1]["state"] = state
    table = table.merge(pd.concat(sizes), on=keys).merge(pd.concat(ceilings), on=keys, how="left")
    # A language's countries, then the US; its speakers, then those of English; everybody.
    far = table["group"].isin(["US", "en"]).astype(int)
    rank = table["level"].map({"country": 0, "language": 2, "global": 4}) + far
    table = table.iloc[rank.argsort(kind="stable")]
    table = table.assign(chance=0.0, chance_high=1.96 / np.sqrt(table["n"] - 1), printed=np.nan)
    columns = ["value", "low", "high", "n", "chance", "chance_high", "ceiling", "printed"]
    return in_order(table)[["state", "resampled", "model", "language", "level", "group", *columns]]


def people() -> pd.DataFrame:
    """Read how consistent people are: surveys of ten respondents of one country (figure 3, dashed lines).

    Returns
    -------
    One row per country: `country`, `language`, `value`, a Pearson correlation over all 83 questions and all pairs of
    100 surveys.
    """
    table = data.read_csv(PEOPLE, {"cntry_AN": str, "self_consistency": float})
    truth = released.read(STATES[0])[1].query("level == 'country'")
    spoken = truth.drop_duplicates("group").set_index("group")["group_language"]
    table = table.rename(columns={"cntry_AN": "country", "self_consistency": "value"})
    return table.assign(language=table["country"].map(spoken))[["country", "language", "value"]]


def consistency_table(draws: pd.DataFrame, own: str = "", redraws: int = 200) -> pd.DataFrame:
    """Self-consistency of every model and language, beside people (figure 3).

    Parameters
    ----------
    draws : as from :func:`resampled`.
    own : as there.
    redraws : simulated models behind `chance` and `ceiling`.

    Returns
    -------
    One row per (state, metric, model, language): `value`, `low`, `high`, `n` (responses), `chance` (mean of models with
    uniformly random scores), `ceiling` (of models whose every response is ten people), `printed`. Metrics: 'copies
    counted', as the paper makes it, a bootstrap of responses; 'distinct pairs' with a bootstrap of questions; 'like for
    like', the same as a Pearson correlation in either state, on the questions with ground truth, which alone may be
    held against people; 'people', of whom `model` is the country, the lowest and highest with the printed value.
    """
    table = summary(draws)
    table = table[table["group"].isin([CONSISTENCY, LIKE])]
    plain = np.where(table["resampled"] == "responses", "copies counted", "distinct pairs")
    table = table.assign(metric=np.where(table["group"] == LIKE, "like for like", plain))
    keys, extra = ["state", "metric", "model", "language"], []
    for state in STATES:
        responses, truth = studied(state, own)
        rows = compared(responses, truth)
        known = responses[responses["question"].isin(rows["question"])]
        chance = redrawn_consistency(responses, state, redraws)
        like = redrawn_consistency(known, STATES[0], redraws).query("metric == 'distinct pairs'")
        like = like.assign(metric="like for like").merge(ten_people(responses, truth, rows, 20)[1], how="left")
        counts = [part.groupby(["model", "language"]).size().rename("n").reset_index() for part in (responses, known)]
        part = pd.concat([chance.merge(counts[0]), like.merge(counts[1])])
        extra.append(part.assign(state=state))
    table = in_order(table.merge(pd.concat(extra), on=keys, how="left"))
    human = people().rename(columns={"country": "model"}).assign(state=STATES[0], metric="people", chance=0.0)
    printed = {human["value"].idxmin(): 0.66, human["value"].idxmax(): 0.84}
    human["printed"] = pd.Series(printed)
    columns = ["value", "low", "high", "n", "chance", "ceiling", "printed"]
    return pd.concat([table, human], ignore_index=True).reindex(columns=[*keys, *columns])


def in_order(table: pd.DataFrame) -> pd.DataFrame:
    """Sort a result by state, language and model, models in the order of families and progress.

    Parameters
    ----------
    table : columns `state`, `language`, `model` and others.

    Returns
    -------
    The same rows; models of the reader's own come last.
    """
    rank = {model: k for k, model in enumerate(SHORT)}
    return table.sort_values(
        ["state", "language", "model"],
        key=lambda c: {"state": c.map({s: k for k, s in enumerate(STATES)}), "model": c.map(rank)}.get(c.name, c),
        kind="stable",
        ignore_index=True,
    )
