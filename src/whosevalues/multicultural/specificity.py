"""Whose are the responses: does naming a country move them towards it, and which country is nearest without a name?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from .. import stats
from .demographic import NATIVE, aligned, people, summary, tidy
from .resampling import question_draws

_UNNAMED = {"NG": "en", "NIR": "en", "SG": "en"}


def specificity(rows: pd.DataFrame, rounds: int = 400, shuffles: int = 1000, seed: int = 0) -> pd.DataFrame:
    """Whether naming a country moves responses towards that country.

    Parameters
    ----------
    rows : as from :func:`read`.
    rounds : of the bootstrap, which draws whole questions.
    shuffles : of the test, which deals the country labels anew among the responses to one question in one language.
    seed : of both.

    Returns
    -------
    One row per (metric, arm, language, country): `value`, `low`, `high`, `n` (responses, or pairs), `chance` (mean over
    shuffles), `chance_low` and `chance_high` (their 95% band), `p_value` (two-sided). Metrics:
    'own minus others', the alignment with the named country minus the mean of that with the other nine, averaged over
    languages and countries by their responses, on the questions that all ten have;
    'movement', the slope of responses on people: how far responses to one question in one language lie apart where two
    named countries' people lie 1 apart; 1 is a model that follows the people, 0 one that does not heed the name;
    'movement, arms alone', the same slope from the difference between a prompt's two responses and that between the
    people of the language's own countries and those of the others: it holds even if countries were mixed up within an
    arm. Its test swaps the arms of a prompt;
    'movement, ten people' and 'movement, every second', what the first test finds if ten people drawn from the named
    country stand in the place of every response, or of every second one: a yardstick.
    """
    parts = [_own_minus_others(rows, rounds, shuffles, seed), _movement(rows, rounds, shuffles, seed)]
    parts += [_arm_movement(rows, rounds, shuffles, seed), _yardsticks(rows, rounds, shuffles, seed)]
    columns = ["chance_low", "chance_high", "p_value"]
    return tidy(pd.concat(parts, ignore_index=True), ["metric", "arm", "language", "country"], columns)


def _cuts(rows: pd.DataFrame) -> dict[tuple[str, str, str], np.ndarray]:
    """Which rows each figure is about: all, an arm, a language, a named country."""
    every, own = np.ones(len(rows), bool), rows["congruent"].to_numpy()
    cuts = {("both", "all", "all"): every, ("congruent", "all", "all"): own, ("incongruent", "all", "all"): ~own}
    cuts |= {("both", code, "all"): (rows["language"] == code).to_numpy() for code in sorted(set(rows["language"]))}
    return cuts | {("both", "all", code): (rows["country"] == code).to_numpy() for code in sorted(NATIVE)}


def _dealt(rows: pd.DataFrame, shuffles: int, seed: int) -> np.ndarray:
    """Row numbers, shape (1 + shuffles, rows): whose label each row gets; the first line leaves all as it is."""
    rng, cell = np.random.default_rng(seed), rows.groupby(["language", "question"]).ngroup().to_numpy()
    home, out = np.argsort(cell, kind="stable"), np.tile(np.arange(len(rows)), (shuffles + 1, 1))
    for line in out[1:]:
        line[home] = np.lexsort((rng.random(len(rows)), cell))
    return out


def _tested(values: np.ndarray, shuffled: np.ndarray) -> dict[str, float]:
    """A statistic with its bootstrap interval, beside what shuffled labels give."""
    value, chance = values[0], np.nanmean(shuffled)
    beyond = (np.abs(shuffled - chance) >= abs(value - chance) - 1e-12).sum()
    low, high = np.nanquantile(values[1:], [0.025, 0.975])
    chance_low, chance_high = np.nanquantile(shuffled, [0.025, 0.975])
    return {"value": value, "low": low, "high": high, "chance": chance, "chance_low": chance_low,
            "chance_high": chance_high, "p_value": (1 + beyond) / (1 + len(shuffled))}  # fmt: skip


def _rowed(metric: str, rows: pd.DataFrame, of: Callable[[np.ndarray], dict[str, float]]) -> pd.DataFrame:
    names = ["arm", "language", "country"]
    found = [dict(zip(names, key, strict=True)) | {"n": int(m.sum())} | of(m) for key, m in _cuts(rows).items()]
    return pd.DataFrame(found).assign(metric=metric)


def _movement(rows: pd.DataFrame, rounds: int, shuffles: int, seed: int) -> pd.DataFrame:
    rows = rows.dropna(subset="human").reset_index(drop=True)
    asked = rows.groupby(["language", "question"])
    x, y = (rows[name].to_numpy() - asked[name].transform("mean").to_numpy() for name in ("score", "human"))
    dealt, draws = y[_dealt(rows, shuffles, seed)], question_draws(rows["question"], rounds, seed)

    def of(kept: np.ndarray) -> dict[str, float]:
        drawn = (draws[:, kept] @ (x * y)[kept]) / (draws[:, kept] @ (y * y)[kept])
        # A country's label moves with the shuffle, so the whole figure is taken of the rows that now carry it.
        shuffled = (dealt * x)[1:][:, kept].sum(axis=1) / (dealt**2)[1:][:, kept].sum(axis=1)
        return _tested(drawn, shuffled)

    return _rowed("movement", rows, of)


def _arm_movement(rows: pd.DataFrame, rounds: int, shuffles: int, seed: int) -> pd.DataFrame:
    wide = rows.pivot(index=["prompt", "language", "question"], columns="congruent", values="score").dropna()
    table = people()
    table = table[table["country"].isin(list(NATIVE))].assign(native=lambda t: t["country"].map(NATIVE))
    pairs = (wide[True] - wide[False]).rename("x").reset_index()
    own = table.rename(columns={"native": "language"}).groupby(["language", "question"])["human"].mean()
    rest = {code: table[table["native"] != code].groupby("question")["human"].mean() for code in set(NATIVE.values())}
    pairs = pairs.merge(own.rename("own").reset_index(), on=["language", "question"])
    asked = zip(pairs["language"], pairs["question"], strict=True)
    pairs["y"] = pairs["own"] - [rest[code].get(question) for code, question in asked]
    pairs, signs = pairs.dropna(subset="y"), np.random.default_rng(seed).choice([-1, 1], size=(shuffles, len(pairs)))
    x, y, found = pairs["x"].to_numpy(), pairs["y"].to_numpy(), []
    draws = question_draws(pairs["question"], rounds, seed)
    for code in ["all", *sorted(set(pairs["language"]))]:
        kept = np.ones(len(pairs), bool) if code == "all" else (pairs["language"] == code).to_numpy()
        drawn = (draws[:, kept] @ (x * y)[kept]) / (draws[:, kept] @ (y * y)[kept])
        shuffled = signs[:, kept] @ (x * y)[kept] / (y * y)[kept].sum()
        found.append({"language": code, "n": int(kept.sum())} | _tested(drawn, shuffled))
    return pd.DataFrame(found).assign(metric="movement, arms alone", arm="both", country="all")


def _yardsticks(rows: pd.DataFrame, rounds: int, shuffles: int, seed: int) -> pd.DataFrame:
    rows, rng = rows.dropna(subset="human"), np.random.default_rng(seed)
    ten = rng.binomial(10, rows["human"]) / 10
    half = np.where(rng.random(len(rows)) < 0.5, ten, rows["score"])
    found = []
    for name, score in (("ten people", ten), ("every second", half)):
        table = _movement(rows.assign(score=score), rounds, shuffles, seed)
        every = (table["arm"] == "both") & (table["language"] == "all") & (table["country"] == "all")
        found.append(table[every].assign(metric=f"movement, {name}"))
    return pd.concat(found)


def _own_minus_others(rows: pd.DataFrame, rounds: int, shuffles: int, seed: int) -> pd.DataFrame:
    wide = people().pivot(index="question", columns="country", values="human")[sorted(NATIVE)].dropna()
    rows = rows[rows["question"].isin(wide.index)].reset_index(drop=True)
    draws = question_draws(rows["question"], rounds, seed)
    named, dealt = pd.factorize(rows["country"], sort=True)[0], _dealt(rows, shuffles, seed)
    human, score = wide.loc[rows["question"]].to_numpy(), rows["score"].to_numpy()
    place = pd.factorize(rows["language"], sort=True)[0] * len(NATIVE)

    def gaps(counts: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Own minus others per cell of language and named country, shape (rounds, cells)."""
        cell = np.append(place + labels, place.max() + len(NATIVE) - 1)
        counts = np.pad(counts, ((0, 0), (0, 1)))
        each = np.stack([stats.weighted_spearman(counts, cell, np.append(score, 0), np.append(h, 0)) for h in human.T])
        own = np.arange(each.shape[2]) % len(NATIVE)
        mine = np.take_along_axis(each, np.broadcast_to(own, each.shape[1:])[None], axis=0)[0]
        return mine - (each.sum(axis=0) - mine) / (len(NATIVE) - 1)

    drawn = gaps(draws, named)
    shuffled = np.vstack([gaps(draws[:1], named[line]) for line in dealt[1:]])

    def of(kept: np.ndarray) -> dict[str, float]:
        weights = np.bincount((place + named)[kept], minlength=drawn.shape[1]).astype(float)
        return _tested(*(_weighted(values, weights) for values in (drawn, shuffled)))

    return _rowed("own minus others", rows, of)


def _weighted(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    known = np.isfinite(values)
    with np.errstate(invalid="ignore"):
        return np.where(known, values, 0) @ weights / (known @ weights)


def default_country(
    others: dict[str, pd.DataFrame], rows: pd.DataFrame, rounds: int = 400, seed: int = 0
) -> pd.DataFrame:
    """Which country do the responses come closest to, where none is named, and where one is?

    Parameters
    ----------
    others : by state, as from :func:`alone`.
    rows : as from :func:`read`.
    rounds, seed : of the bootstrap, which draws whole questions.

    Returns
    -------
    One row per (state, prompting, metric, language, country), over the thirteen countries of the surveys, on the
    questions that all have. `state` is 'country prompts' where a country is named. Metrics: 'alignment' in [-1, 1];
    'closest', the share of rounds in which a country is the one aligned with best, for the country that is most often,
    `chance` 1/13; 'own minus others' (`country` 'all'), the mean alignment with the language's countries minus that
    with the rest; 'language effect' (`country` 'all'), that minus the same contrast of the same countries in the
    responses in the other languages; 'US minus own' (`country` 'US'), the alignment with the US minus the mean of that
    with the language's countries but for the US. `n` are responses in the language.
    """
    wide = people().pivot(index="question", columns="country", values="human").dropna()
    us, parts = rows["country"] == "US", []
    tables = {(state, "language alone"): table for state, table in others.items()}
    tables |= {("country prompts", "US named"): rows[us], ("country prompts", "another country named"): rows[~us]}
    for (state, prompting), table in tables.items():
        table = table[table["question"].isin(wide.index)][["language", "question", "score"]]
        long = table.merge(wide.stack().rename("human").reset_index(), on="question").assign(weight=1.0)
        values = aligned(long, ["language", "country"], rounds, seed)
        part = _closest(values).assign(state=state, prompting=prompting)
        parts.append(part.assign(n=part["language"].map(table.groupby("language").size())))
    return tidy(pd.concat(parts, ignore_index=True), ["state", "prompting", "metric", "language", "country"])


def _closest(values: pd.DataFrame) -> pd.DataFrame:
    first = values.groupby("language").rank(ascending=False, method="min").eq(1).iloc[:, 1:].mean(axis=1)
    first = first.rename("value").reset_index().sort_values("value", ascending=False, kind="stable")
    speakers, countries = values.index.get_level_values("language"), values.index.get_level_values("country")
    native = countries.map(NATIVE | _UNNAMED)

    def mean(kept) -> pd.DataFrame:
        return values[kept].groupby("language").mean()

    contrasts = {code: mean(native == code) - mean(native != code) for code in speakers.unique()}
    own = pd.concat({code: gap.loc[code] for code, gap in contrasts.items()}).unstack()
    elsewhere = pd.concat({code: gap.drop(code).mean() for code, gap in contrasts.items()}).unstack()
    us = values.xs("US", level="country") - mean((native == speakers) & (countries != "US"))
    gaps = {("own minus others", "all"): own, ("language effect", "all"): own - elsewhere, ("US minus own", "US"): us}
    gaps = {name: gap.rename_axis("language") for name, gap in gaps.items()}
    tables = [summary(gap).reset_index().assign(metric=m, country=c) for (m, c), gap in gaps.items()]
    tables += [summary(values).reset_index().assign(metric="alignment")]
    tables = [table.assign(chance=0.0) for table in tables]
    return pd.concat(
        [*tables, first.drop_duplicates("language").assign(metric="closest", chance=1 / countries.nunique())]
    )
