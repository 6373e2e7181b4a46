"""Officials beside people, measured: correlation and distance across topics, whose people are nearer, and salience."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from .. import stats
from . import people

METRICS = ("correlation", "distance", "same side")

UNASKED = {
    "peace and war": r"\b(peace\w*|wars?|conflicts?)\b",
    "nuclear weapons": r"\bnuclear\b|\bdisarmament\b",
    "development and poverty abroad": r"\b(developing (countries|nations)|development (aid|assistance)|poverty)\b",
    "environment and climate": r"\b(environment\w*|climate|emissions|biodiversity)\b",
    "human rights": r"\bhuman rights\b",
    "sovereignty": r"\b(sovereign\w*|self-determination|non-interference|territorial integrity)\b",
    "the United Nations": r"\bunited nations\b|\bthis organization\b|\bsecurity council\b",
}
"""What speeches speak of and the released survey figures do not: by subject, a pattern that finds it."""


def joined(officials: pd.DataFrame, answers: pd.DataFrame) -> pd.DataFrame:
    """Set what officials said beside what people answered, topic by topic.

    Parameters
    ----------
    officials : of `people.officials`.
    answers : of `people.released` or `people.own`.

    Returns
    -------
    One row per nation of the officials and topic where they took a side: `officials`, `topic`, `value`, `low`, `high`,
    `n` as they are, and a column per nation of the people, NaN where it has no figure.
    """
    sides = officials.dropna(subset="value").rename(columns={"nation": "officials"})
    wide = answers.pivot(index="topic", columns="nation", values="value")
    return sides[["officials", "topic", "value", "low", "high", "n"]].merge(wide.reset_index(), on="topic")


def compared(both: pd.DataFrame, rounds: int = 2000, seed: int = 0) -> pd.DataFrame:
    """How near are officials to people across topics, and are they nearer to their own?

    Parameters
    ----------
    both : of `joined`.
    rounds : of the bootstrap, which draws topics, and of the permutation, which deals the people's answers out anew
        over topics.
    seed : of both.

    Returns
    -------
    One row per `officials`, `people` and `metric`: 'correlation' (Pearson), 'distance' (mean absolute difference of
    the two shares), 'same side' (share of topics on which both lie on one side of one half; a half counts half), and
    the same with 'own minus other' before it, officials' own people less the other nation's: `value`; `low`, `high`,
    95%; `n`, topics on which every nation of the people has a figure; `chance`, the mean over permutations, with
    `chance_low` and `chance_high`, where 95% of them lie; `printed`, NaN. The interval covers the choice of topics, not
    the few sentences behind each.
    """
    rng = np.random.default_rng(seed)
    asked = [name for name in both.columns if name in people.NATIONS]
    rows = []
    for nation, table in both.groupby("officials", sort=False):
        table = table.dropna(subset=asked)
        draws = rng.integers(len(table), size=(rounds, len(table)))
        deals = rng.permuted(np.tile(np.arange(len(table)), (rounds, 1)), axis=1)
        found = {other: _all(table["value"].to_numpy(), table[other].to_numpy(), draws, deals) for other in asked}
        for other in asked:
            rows += [_row(nation, other, metric, *found[other][metric], len(table)) for metric in METRICS]
        for other in [name for name in asked if nation in asked and name != nation]:
            for metric in METRICS:
                gap = [a - b for a, b in zip(found[nation][metric], found[other][metric], strict=True)]
                rows.append(_row(nation, other, f"own minus other, {metric}", *gap, len(table)))
    return pd.DataFrame(rows).assign(printed=np.nan)


def _all(x, y, draws, deals) -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """By metric the figure, its bootstrap rounds and its permutations."""
    own, drawn, dealt = measures(x[None], y[None]), measures(x[draws], y[draws]), measures(x[None], y[deals])
    return {metric: (own[metric], drawn[metric], dealt[metric]) for metric in METRICS}


def measures(x: np.ndarray, y: np.ndarray) -> dict[str, np.ndarray]:
    """Measure how near two sets of shares are.

    Parameters
    ----------
    x, y : shares in [0, 1], a line per sample and a column per topic.

    Returns
    -------
    By metric of `METRICS` one figure per line; a correlation is NaN where nothing varies.

    Examples
    --------
    >>> found = measures(np.array([[0.0, 1.0]]), np.array([[0.2, 0.4]]))
    >>> {name: float(value[0].round(2)) for name, value in found.items()}
    {'correlation': 1.0, 'distance': 0.4, 'same side': 0.5}
    """
    a, b = x - x.mean(axis=1, keepdims=True), y - y.mean(axis=1, keepdims=True)
    spread = np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation = np.where(spread > 1e-12, (a * b).sum(axis=1) / spread, np.nan)
    same = (np.sign(x - 0.5) * np.sign(y - 0.5) + 1) / 2
    return {"correlation": correlation, "distance": np.abs(x - y).mean(axis=1), "same side": same.mean(axis=1)}


def variants(table: pd.DataFrame, answers: dict[str, pd.DataFrame], first_year: int = 2000) -> pd.DataFrame:
    """Does the comparison hold with other choices?

    Parameters
    ----------
    table : of `people.labels`.
    answers : what people answered, by how it was scored; the first is the usual one.
    first_year : of a variant with later speeches alone.

    Returns
    -------
    The rows of `compared` without its 'own minus other', with `variant` before them: the scorings other than the
    first, and 'speeches since' the year.
    """
    usual, *others = answers
    parts = {name: compared(joined(people.officials(table), answers[name])) for name in others}
    late = people.officials(table[table["year"] >= first_year])
    parts[f"speeches since {first_year}"] = compared(joined(late, answers[usual]))
    found = pd.concat([rows.assign(variant=name) for name, rows in parts.items()], ignore_index=True)
    found = found[found["metric"].isin(METRICS)].reset_index(drop=True)
    return found[["variant", *found.columns.drop("variant")]]


def apart(both: pd.DataFrame) -> pd.DataFrame:
    """On which topics do officials and their own people part?

    Parameters
    ----------
    both : of `joined`.

    Returns
    -------
    One row per nation whose people have a figure, and topic: `nation`, `topic`, `value`, `low`, `high`, `n` of the
    officials, `people`, and `verdict`: 'apart' where the people's share lies outside the officials' interval, else
    'open', for a wide interval proves no agreement.
    """
    asked = [name for name in both.columns if name in people.NATIONS]
    own = [both[both["officials"] == name].assign(people=lambda rows, of=name: rows[of]) for name in asked]
    table = pd.concat(own, ignore_index=True).dropna(subset="people").rename(columns={"officials": "nation"})
    outside = (table["people"] < table["low"]) | (table["people"] > table["high"])
    return table.assign(verdict=np.where(outside, "apart", "open")).drop(columns=asked)


def had_people_spoken(parted: pd.DataFrame, rounds: int = 5000, seed: int = 0) -> pd.DataFrame:
    """How would the officials' figures look, had as many of their own people spoken in their place?

    Few sentences lie far from any share but 0 and 1, so a distance says nothing without this baseline.

    Parameters
    ----------
    parted : of `apart`.
    rounds, seed : of the bootstrap of topics, and of the draws of people, as many per topic as there are official
        sentences with a side.

    Returns
    -------
    Rows as `compared` gives them, of each nation's officials beside their own people, per metric of `METRICS` and
    'one side only', the share of topics with two sentences or more on which all take one side (`low` and `high` are
    Wilson's there, topics being trials); `chance`, `chance_low` and `chance_high` are those of the people drawn.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for nation, cell in parted.groupby("nation", sort=False):
        x, y, n = (cell[column].to_numpy() for column in ("value", "people", "n"))
        drawn = rng.integers(len(cell), size=(rounds, len(cell)))
        spoken = rng.binomial(n, y, size=drawn.shape) / n
        own, topics, few = measures(x[None], y[None]), measures(x[drawn], y[drawn]), measures(spoken, y[None])
        rows += [
            _row(nation, nation, metric, own[metric], topics[metric], few[metric], len(cell)) for metric in METRICS
        ]
        several = n >= 2
        if several.any():
            one, by_people = (np.isin(shares[:, several], [0, 1]).mean(axis=1) for shares in (x[None], spoken))
            low, high = stats.wilson(one[0] * several.sum(), several.sum())
            row = _row(nation, nation, "one side only", one, one, by_people, int(several.sum()))
            rows.append(row | {"low": low, "high": high})
    return pd.DataFrame(rows).assign(printed=np.nan)


def found(table: pd.DataFrame, cut: pd.DataFrame) -> pd.DataFrame:
    """How many of the labels still belong to a sentence of the speeches?

    Parameters
    ----------
    table : of `people.labels`.
    cut : of `people.sentences`.

    Returns
    -------
    One row: `metric`, `value` (share found), `n` (labels).
    """
    gone = people.lost(table, cut)
    return pd.DataFrame([{"metric": "labels found", "value": 1 - len(gone) / len(table), "n": len(table)}])


def _row(nation, other, metric, value, drawn, dealt, n) -> dict[str, object]:
    low, high = stats.percentile_interval(drawn)
    fro, to = stats.percentile_interval(dealt)
    named = {"officials": nation, "people": other, "metric": metric, "value": float(value[0]), "low": float(low)}
    chance = {"chance": float(np.nanmean(dealt)), "chance_low": float(fro), "chance_high": float(to)}
    return {**named, "high": float(high), "n": n, **chance}


def salience(cut: pd.DataFrame) -> pd.DataFrame:
    """What do officials speak of at all?

    Parameters
    ----------
    cut : of `people.sentences`.

    Returns
    -------
    One row per nation and `topic`, the survey's topics first, then 'any of these', then `UNASKED`: `asked`, whether a
    survey figure belongs to it; `value`, the share of sentences that use its words; `low`, `high`, 95%, by a bootstrap
    of articles; `n`, sentences; `chance` and `printed`, NaN.
    """
    patterns = dict(people.topics()[["topic", "keywords"]].itertuples(index=False))
    lowered = cut["sentence"].str.lower()
    hits = {topic: _uses(cut, lowered, pattern) for topic, pattern in (patterns | UNASKED).items()}
    hits["any of these"] = np.logical_or.reduce([hits[topic] for topic in patterns])
    table = pd.DataFrame({topic: found.astype(float) for topic, found in hits.items()})
    rows = []
    for nation in people.NATIONS:
        here = table[(cut["nation"] == nation).to_numpy()].assign(article=cut.loc[cut["nation"] == nation, "article"])
        for topic in (*patterns, "any of these", *UNASKED):
            figure = stats.estimate(here, topic, cluster="article")
            asked = topic not in UNASKED
            rows.append({"nation": nation, "topic": topic, "asked": asked, **figure, "n": len(here)})
    return pd.DataFrame(rows).assign(chance=np.nan, printed=np.nan)


def _uses(cut: pd.DataFrame, lowered: pd.Series, pattern: str) -> np.ndarray:
    found = re.compile(pattern).search
    # Most speeches lack most subjects: a sentence is looked at only where its whole speech has the words.
    whole = lowered.groupby(cut["article"]).agg(" ".join).map(lambda text: bool(found(text)))
    there = cut["article"].map(whole)
    return np.array([held and bool(found(text)) for held, text in zip(there, lowered, strict=True)])


def quality(table: pd.DataFrame) -> pd.DataFrame:
    """How good was the matching of sentences to topics?

    Parameters
    ----------
    table : of `people.labels`.

    Returns
    -------
    One row per nation, then 'all', and `metric`: 'on topic' and 'takes a side' (shares of what was read), and for 'all'
    'similarity tells' (how often a sentence on its topic was more similar to the topic's wording than one that is off,
    0.5 by chance): `value`; `low`, `high`, 95%, by a bootstrap of articles; `n`, `chance`, `printed`.
    """
    rows = []
    for nation in (*people.NATIONS, "all"):
        cell = table if nation == "all" else table[table["nation"] == nation]
        for metric, good in (("on topic", cell["stance"] != "off"), ("takes a side", cell["side"].notna())):
            figure = stats.estimate(cell.assign(good=good.astype(float)), "good", cluster="article")
            rows.append({"nation": nation, "metric": metric, **figure, "n": len(cell), "chance": np.nan})
    told = _bootstrapped(table)
    rows.append({"nation": "all", "metric": "similarity tells", **told, "n": len(table), "chance": 0.5})
    return pd.DataFrame(rows).assign(printed=np.nan)


def _bootstrapped(table: pd.DataFrame, rounds: int = 500, seed: int = 0) -> dict[str, float]:
    number, _ = pd.factorize(table["article"])
    on, near = (table["stance"] != "off").to_numpy(), table["similarity"].to_numpy()
    counts = stats.bootstrap_counts(number.max() + 1, rounds, seed)[:, number]
    draws = [_tells(on, near, line) for line in counts]
    low, high = stats.percentile_interval(np.array(draws))
    return {"value": _tells(on, near, np.ones(len(on))), "low": float(low), "high": float(high)}


def _tells(on: np.ndarray, near: np.ndarray, weight: np.ndarray) -> float:
    above = (np.sign(near[on][:, None] - near[~on][None]) + 1) / 2
    pairs = weight[on][:, None] * weight[~on][None]
    return float((above * pairs).sum() / pairs.sum())
