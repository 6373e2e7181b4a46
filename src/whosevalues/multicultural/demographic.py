"""Naming a country against language alone: a replay of the released responses to prompts that name one (section 2.2).

The authors' later repository has responses of one model to the paper's prompts with a country named in each: once a
country where the prompt's language is native ('congruent'), once another one. The same prompts without a country are
in both states of the main data, but other annotators judged those: only what is compared within one file is free of
the annotator.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from .. import UserError, data, items, stats
from . import prompts, released, resampling
from .names import STATES

FILE = "multicultural/head-2025-08/demographic-gemma-results.csv"
FILES = sorted({FILE, prompts.PROMPTS, *(path for state in STATES for path in released.files(state))})
"""Registry paths that the replay reads."""

MODEL = "gemma-2-27b-it"
NATIVE = dict.fromkeys(("AU", "CA", "GB", "KE", "NZ", "US"), "en") | {"DK": "da", "NL": "nl", "BR": "pt", "PT": "pt"}
"""The ten countries that the prompts name, and the language of each."""

_CODES = {name: code for code, name in items.COUNTRIES.items()} | {"Great Britain": "GB"}
_LEVELS = ("responses", "questions")
_FIGURES = ["value", "low", "high", "n", "chance", "printed"]


def read() -> pd.DataFrame:
    """Load the responses to prompts that name a country, with what that country's people answered.

    Returns
    -------
    One row per response: `prompt` (number of the prompt, the same with either country), `language`, `country` (named),
    `congruent` (the language is native there), `question`, `score` in [0, 1], `human` in [0, 1] (share in favour in
    the named country, NaN where the surveys have none), `released` (what the file gives for it), `text` (the prompt
    before the country was put in).

    Raises
    ------
    UserError : a country that is not one of the ten.
    """
    kinds = {"index": int, "language": str, "prompt": str, "topic": str, "question_key": str, "country": str}
    table = data.read_csv(FILE, {**kinds, "is_congruent": bool, "response_pro_score": float,
                                 "ground_truth_pro_score": float})  # fmt: skip
    if strange := sorted({*table["country"]} - {name for name, code in _CODES.items() if code in NATIVE}):
        raise UserError(f"{FILE} names '{strange[0]}': known are {', '.join(NATIVE)}")
    text = [prompt.replace("{topic}", topic) for prompt, topic in zip(table["prompt"], table["topic"], strict=True)]
    rows = pd.DataFrame(
        {
            "prompt": table["index"],
            "language": table["language"],
            "country": table["country"].map(_CODES),
            "congruent": table["is_congruent"],
            "question": table["question_key"].str.lower(),
            "score": table["response_pro_score"],
            "released": table["ground_truth_pro_score"],
            "text": text,
        }
    )
    return rows.merge(people(), on=["country", "question"], how="left")


def people() -> pd.DataFrame:
    """Load what people answered, by country.

    Returns
    -------
    One row per country and question: `country`, `question`, `human` in [0, 1].
    """
    _, truth, _ = released.read(STATES[1])
    rows = truth[truth["level"] == "country"].rename(columns={"group": "country"})
    return rows[["country", "question", "human"]].reset_index(drop=True)


def alone(state: str) -> pd.DataFrame:
    """Load the same model's responses to the prompts that name no country.

    Parameters
    ----------
    state : 'seed-2025-06' or 'head-2025-08'; they differ in the annotator.

    Returns
    -------
    One row per valid response: `language`, `question`, `score` in [0, 1].
    """
    responses, _, _ = released.read(state)
    rows = responses[responses["model"] == MODEL]
    return rows.assign(question=rows["question"].str.lower())[["language", "question", "score"]].reset_index(drop=True)


def described(rows: pd.DataFrame) -> pd.DataFrame:
    """Count what the file of country prompts holds.

    Parameters
    ----------
    rows : as from :func:`read`.

    Returns
    -------
    One row per (metric, language, country): `value`, NaN for the rest of the columns. Metrics: 'responses' per
    language and country; and for all of them 'asked', 'kept', 'questions', 'pairs' (prompts whose two responses are
    both there), 'without people's answers', 'released truths per question and language' (the most), 'country inside
    the list' (prompts whose first full stop, after which the country was put, is the one of the list's "1.").
    """
    asked = 2 * len(prompts.read())
    ends = rows["text"].str.partition(".")[0].str.strip()
    facts = {
        "asked": asked,
        "kept": len(rows),
        "questions": rows["question"].nunique(),
        "pairs": rows["prompt"].value_counts().eq(2).sum(),
        "without people's answers": rows["human"].isna().sum(),
        "released truths per question and language": rows.groupby(["question", "language"])["released"].nunique().max(),
        "country inside the list": ends.str.endswith("1").sum(),
    }
    total = pd.DataFrame({"metric": list(facts), "language": "all", "country": "all", "value": list(facts.values())})
    cells = rows.groupby(["language", "country"]).size().rename("value").reset_index().assign(metric="responses")
    return tidy(pd.concat([total, cells], ignore_index=True), ["metric", "language", "country"])


def country_prompting(
    rows: pd.DataFrame, others: dict[str, pd.DataFrame], rounds: int = 400, seed: int = 0
) -> pd.DataFrame:
    """Alignment with the named country's people, beside that of the same model's responses without a country.

    Both are taken on the same questions and the same mix of questions and countries: a response with a country stands
    beside the responses without one to its question in its language, which share its weight. At the level of questions
    a point is the mean score of a question's responses, beside the mean of the people of the countries they name.

    Parameters
    ----------
    rows : as from :func:`read`.
    others : by state, as from :func:`alone`.
    rounds, seed : of the bootstrap, which draws whole questions, the same ones for all that is compared.

    Returns
    -------
    One row per (state, level, prompting, arm, language, country): `value` in [-1, 1] (of differences in [-2, 2]), `low`
    and `high` (95% bootstrap), `n` (responses; of differences those with a country), `chance` 0. `level` is
    'responses' or 'questions'; `prompting` 'country named', 'language alone' or 'difference'; `arm` 'congruent',
    'incongruent', 'both', or 'congruent minus incongruent'; language 'all' is the mean of the four, and of one country
    all its responses together.
    """
    parts = []
    for state, plain in others.items():
        units = rows.dropna(subset="human").reset_index(names="response")
        sizes = plain.groupby(["language", "question"]).size().rename("size").reset_index()
        units = units.merge(sizes, on=["language", "question"])
        plain = plain.reset_index(names="response")
        beside = units.drop(columns=["score", "response"]).merge(plain, on=["language", "question"])
        named = units.assign(prompting="country named", weight=1.0)
        beside = beside.assign(prompting="language alone", weight=1 / beside["size"])
        both = pd.concat([named, beside], ignore_index=True)
        for level in _LEVELS:
            parts.append(_compared(both, level, rounds, seed).assign(state=state, level=level))
    names = ["state", "level", "prompting", "arm", "language", "country"]
    return tidy(pd.concat(parts, ignore_index=True).assign(chance=0.0), names)


def _compared(both: pd.DataFrame, level: str, rounds: int, seed: int) -> pd.DataFrame:
    arms = both.assign(arm=np.where(both["congruent"], "congruent", "incongruent"))
    arms = pd.concat([arms, arms.assign(arm="both")], ignore_index=True)
    by, values, counts = ["prompting", "arm", "language", "country"], [], []
    for name in ("language", "country"):
        table = arms.assign(**{"country" if name == "language" else "language": "all"})
        value, n = aligned(_points(table, by, level), by, rounds, seed), table.groupby(by)["response"].nunique()
        if name == "language":
            value, n = _with_mean(value, "mean"), _with_mean(n, "sum")
        values.append(value)
        counts.append(n)
    values, n = pd.concat(values), pd.concat(counts)
    values = pd.concat([values, _minus(values, "arm", "congruent", "incongruent")])
    values = pd.concat([values, _minus(values, "prompting", "country named", "language alone", "difference")])
    out = summary(values).reset_index()
    of = out.assign(
        prompting=out["prompting"].replace("difference", "country named"),
        arm=out["arm"].replace("congruent minus incongruent", "both"),
    )
    return out.assign(n=n.reindex(pd.MultiIndex.from_frame(of[values.index.names])).to_numpy())


def _points(table: pd.DataFrame, by: list[str], level: str) -> pd.DataFrame:
    if level == "responses":
        return table.groupby([*by, "question", "human", "score"])["weight"].sum().reset_index()
    each = table.assign(score=table["score"] * table["weight"], human=table["human"] * table["weight"])
    sums = each.groupby([*by, "question"])[["score", "human", "weight"]].sum()
    return sums[["score", "human"]].div(sums["weight"], axis=0).assign(weight=1.0).reset_index()


def aligned(table: pd.DataFrame, by: list[str], rounds: int, seed: int) -> pd.DataFrame:
    """Spearman correlation of responses and people per cell, over bootstrap rounds that draw whole questions.

    Parameters
    ----------
    table : `question`, `score`, `human`, `weight` and the columns `by`.
    by : columns that name a cell.
    rounds, seed : of the bootstrap; all cells share the questions drawn.

    Returns
    -------
    One row per cell, indexed by `by`: column 0 has the value of the data as they are, the others one of a round; NaN
    where nothing varies.
    """
    grouped = table.groupby(by)
    draws = resampling.question_draws(table["question"], rounds, seed) * table["weight"].to_numpy()
    cell, x, y = grouped.ngroup().to_numpy(), table["score"].to_numpy(), table["human"].to_numpy()
    values = stats.weighted_spearman(draws, cell, x, y)
    names = grouped.size().index
    return pd.DataFrame(values.T, index=names if len(by) > 1 else pd.MultiIndex.from_arrays([names], names=by))


def summary(values: pd.DataFrame) -> pd.DataFrame:
    """Sum up rounds: the value, and the 95% percentile interval of the rounds.

    Parameters
    ----------
    values : as from :func:`aligned`.

    Returns
    -------
    `value`, `low`, `high`, with the index of `values`; no interval where more than one round in twenty has no value.
    """
    low, high = stats.percentile_interval(values.iloc[:, 1:].to_numpy())
    out = pd.DataFrame({"value": values[0], "low": low, "high": high}, index=values.index)
    out.loc[out["value"].isna(), ["low", "high"]] = np.nan
    return out


def _with_mean(values: pd.DataFrame | pd.Series, how: str) -> pd.DataFrame | pd.Series:
    """Below the languages all of them."""
    names = values.index.names
    total = values.groupby([name for name in names if name != "language"]).agg(how)
    return pd.concat([values, pd.concat({"all": total}, names=["language"]).reorder_levels(names)])


def _minus(values: pd.DataFrame, level: str, first: str, second: str, name: str | None = None) -> pd.DataFrame:
    a, b = values.xs(first, level=level), values.xs(second, level=level)
    gap = (a - b.reindex(a.index)).dropna(subset=0)
    return pd.concat({name or f"{first} minus {second}": gap}, names=[level]).reorder_levels(values.index.names)


def tidy(table: pd.DataFrame, names: list[str], more: Iterable[str] = ()) -> pd.DataFrame:
    """Put a result's columns and rows in order.

    Parameters
    ----------
    table : one row per figure.
    names : columns that name a figure.
    more : further columns, at the end.

    Returns
    -------
    The columns `names`, then `value`, `low`, `high`, `n`, `chance`, `printed`, then `more`; sorted by the first.
    """
    return table.reindex(columns=[*names, *_FIGURES, *more]).sort_values(names, kind="stable", ignore_index=True)
