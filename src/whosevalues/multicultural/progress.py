"""Statements about order, each as a whole: in how many rounds of a bootstrap do they hold? (section 4.1, appendix C)"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd

from .. import stats
from .groups import CONSISTENCY, FAMILY, INDEX, LIKE, in_order, people, summary
from .names import MODELS

BUT_NZ, TWO = ("AU", "CA", "GB", "KE", "NG", "NIR", "SG", "US"), ("CA", "NIR")
"""English-speaking countries towards which the paper says that OpenAI's models improve one by one, and Gemma's."""

RISES, ALONE = "each model above the one before", "each model above the one before here alone"
TOP = "most aligned country"
PAR = "last model nearer to the first than to the second"
MIRROR = "alignment and self-consistency rise and fall together"
ENGLISH = "most self-consistent in English"
BELOW = "less self-consistent than people of every country"
GAP = "further below people than in English"
FINALLY = "last model above the first"
COUNTRIES = "countries compared in English"
CHANCE = {RISES: 1 / 6, TOP: 1 / 9, PAR: 1 / 2, MIRROR: 5 / 18, ENGLISH: 1 / 4, FINALLY: 1 / 2}
"""Share of rounds if the models, or countries, or languages, were in random order; of one group, family or model."""

STAGNATES = 0.005
"""A step in alignment that nobody can see in a figure: the paper's 'stagnate'."""

KEYS = ["state", "resampled", "statement", "family", "model", "language", "group"]


def order_table(draws: pd.DataFrame) -> pd.DataFrame:
    """In how many rounds does every statement about order hold as a whole?

    Parameters
    ----------
    draws : as from :func:`~whosevalues.multicultural.groups.resampled`; only the released models take part.

    Returns
    -------
    One row per `KEYS`: `value` (share of rounds in which it holds), `low`, `high` (what the number of rounds leaves
    open, Wilson), `n` (rounds), `chance` (see `CHANCE`), `printed` (1 for what the paper says), `points` (1 where it
    holds of the points). 'all' in a column joins its values with 'and'. Of `COUNTRIES` the `value` is no share but the
    number.
    """
    draws = draws[draws.index.get_level_values("model").isin(FAMILY)]
    people_only = draws[~draws.index.get_level_values("group").isin([CONSISTENCY, LIKE])]
    own = draws.xs(CONSISTENCY, level="group", drop_level=False)
    parts = [_rises(draws), _alone(people_only), _top(people_only), _par(people_only), _mirror(draws)]
    parts += [_finally(people_only), _english(own), *_below(_like_people(draws))]
    table = pd.concat([_full(part, name) for name, part in parts])
    holds = table.drop(columns="point")
    rounds = holds.shape[1]
    out = pd.DataFrame({"value": holds.mean(axis=1), "points": table["point"].astype(int)}).reset_index()
    bounds = [stats.wilson(round(share * rounds), rounds) for share in out["value"]]
    out["low"], out["high"] = np.transpose(bounds)
    joint = out[["model", "language", "group"]].eq("all").sum(axis=1)
    single = joint <= out["statement"].map(_JOINED).fillna(0)
    out["chance"] = out["statement"].map(CHANCE).where(single)
    counted = _countries(people_only)
    columns = ["value", "low", "high", "n", "chance", "printed", "points"]
    return pd.concat([out.assign(n=rounds, printed=_printed(out)), counted], ignore_index=True)[[*KEYS, *columns]]


def _countries(draws: pd.DataFrame) -> pd.DataFrame:
    named = draws.index.to_frame(index=False).query("language == 'en' and group.str.fullmatch('[A-Z]{2,3}')")
    table = named.groupby(["state", "resampled"])["group"].nunique().rename("value").reset_index()
    table[["family", "model", "group"]] = "all"
    return table.assign(statement=COUNTRIES, language="en", printed=9)


# Columns in which a statement has "all" for want of anything else.
_JOINED = {RISES: 1, PAR: 1, MIRROR: 2, ENGLISH: 2, FINALLY: 1}


def _full(part: pd.DataFrame, statement: str) -> pd.DataFrame:
    index = part.index.to_frame(index=False).assign(statement=statement)
    return part.set_axis(pd.MultiIndex.from_frame(index.reindex(columns=KEYS, fill_value="all")))


def _printed(table: pd.DataFrame) -> np.ndarray:
    def said(statement: str, language: str, **other: str) -> pd.Series:
        rows = (table["statement"] == statement) & (table["language"] == language)
        for column, value in other.items():
            rows &= table[column] == value
        return rows

    claimed = said(RISES, "pt", family="gemma", group="all") | said(PAR, "pt", family="openai", group="all")
    claimed |= said(ALONE, "en", family="openai", group=" ".join(BUT_NZ))
    claimed |= said(ALONE, "en", family="gemma", group=" ".join(TWO))
    claimed |= said(TOP, "en", family="openai", group="US") | said(TOP, "en", family="gemma", group="CA")
    claimed |= said(MIRROR, "pt", family="openai") | said(ENGLISH, "all", family="all")
    claimed |= said(FINALLY, "pt")
    claimed |= said(BELOW, "all", model="all") | said(GAP, "all", model="all")
    return np.where(claimed & (table["state"] == "seed-2025-06"), 1.0, np.nan)


def gains(draws: pd.DataFrame) -> pd.DataFrame:
    """What each model gains on the one before it in its family, round by round.

    Parameters
    ----------
    draws : as from :func:`resampled`.

    Returns
    -------
    As `draws`, the first model of each family left out.
    """
    before = {later: earlier for models in MODELS.values() for earlier, later in pairwise(models)}
    kept = draws[draws.index.get_level_values("model").isin(list(before))]
    return kept - draws.reindex(kept.rename(before, level="model").index).to_numpy()


def gains_table(draws: pd.DataFrame) -> pd.DataFrame:
    """Sum up what each model gains on the one before it, in alignment with each group and in self-consistency.

    Parameters
    ----------
    draws : as from :func:`resampled`.

    Returns
    -------
    One row per (state, resampled, model, language, group): `value`, `low`, `high`, `n` (rounds), `chance`, 0,
    `printed`.
    """
    table = summary(gains(draws)).assign(n=draws.shape[1] - 1, chance=0.0, printed=np.nan)
    return in_order(table)[[*INDEX, "value", "low", "high", "n", "chance", "printed"]].drop(columns="family")


def _rises(draws: pd.DataFrame, least: float = 0.0) -> tuple[str, pd.DataFrame]:
    """Does every model of a family exceed the one before it, group by group and in all groups?"""
    keys = ["state", "resampled", "family", "language", "group"]
    each = gains(draws).gt(least).groupby(level=keys).all()
    named = each.index.get_level_values("group")
    whole = each[~named.isin([CONSISTENCY, LIKE])].groupby(level=keys[:-1]).all()
    return RISES, pd.concat([each, _labelled(whole, group="all").reorder_levels(keys)])


def _alone(draws: pd.DataFrame) -> tuple[str, pd.DataFrame]:
    """Do a family's models rise one by one towards some English-speaking countries, and towards no other?

    A step of at most `STAGNATES` is none.
    """
    keys = ["state", "resampled", "family", "language"]
    english = _rises(draws, STAGNATES)[1].xs("en", level="language", drop_level=False)
    countries = english[english.index.get_level_values("group").str.fullmatch("[A-Z]{2,3}")]
    parts = []
    for named in (BUT_NZ, TWO):
        expected = countries.index.get_level_values("group").isin(named)
        whole = countries.eq(expected, axis=0).groupby(level=keys).all()
        parts.append(_labelled(whole, group=" ".join(named)))
    return ALONE, pd.concat(parts)


def _top(draws: pd.DataFrame) -> tuple[str, pd.DataFrame]:
    """Is a country the one that the last model of a family is most aligned with in English?"""
    named = draws.index.get_level_values
    last = [models[-1] for models in MODELS.values()]
    kept = named("model").isin(last) & (named("language") == "en") & named("group").str.fullmatch("[A-Z]{2,3}")
    part = draws[kept]
    best = part.groupby(level=["state", "resampled", "model"]).transform("max")
    return TOP, part.eq(best)


def _par(draws: pd.DataFrame) -> tuple[str, pd.DataFrame]:
    """Is the last of a family's three models nearer to the first than to the second, in a group and in all?

    The paper says so of Portuguese alone ('on par').
    """
    keys = ["state", "resampled", "family", "language", "group"]
    draws, parts = draws.xs("pt", level="language", drop_level=False), []
    for models in MODELS.values():
        first, second, last = (_of(draws, model) for model in models)
        parts.append((last - first).abs().lt((last - second).abs()))
    each = pd.concat(parts)
    whole = _labelled(each.groupby(level=keys[:-1]).all(), group="all")
    return PAR, pd.concat([each, whole.reorder_levels(keys)])


def _finally(draws: pd.DataFrame) -> tuple[str, pd.DataFrame]:
    """Is a family's last model better aligned with the language's speakers than its first?"""
    named = draws.index.get_level_values
    own = draws[named("group") == named("language")]
    return FINALLY, pd.concat([_of(own, models[-1]).gt(_of(own, models[0])) for models in MODELS.values()])


def _of(draws: pd.DataFrame, model: str) -> pd.DataFrame:
    if model not in draws.index.get_level_values("model"):
        return draws.iloc[:0].droplevel("model")
    return draws.xs(model, level="model")


def _mirror(draws: pd.DataFrame) -> tuple[str, pd.DataFrame]:
    """Do both steps in alignment with the language's speakers have the sign of those in self-consistency?"""
    step = gains(draws)
    group, language = (step.index.get_level_values(name) for name in ("group", "language"))
    speakers, own = step[group == language].droplevel("group"), step[group == CONSISTENCY].droplevel("group")
    same = speakers.gt(0) == own.reindex(speakers.index).gt(0)
    return MIRROR, same.groupby(level=["state", "resampled", "family", "language"]).all()


def _english(own: pd.DataFrame) -> tuple[str, pd.DataFrame]:
    """Is a model more self-consistent in English than in each other language; are all models; is their mean?"""
    keys = ["state", "resampled", "family", "model"]
    best = own.groupby(level=keys).transform("max").eq(own)
    each = best.xs("en", level="language").droplevel("group")
    mean = own.groupby(level=["state", "resampled", "language"]).mean()
    mean = mean.groupby(level=keys[:2]).transform("max").eq(mean).xs("en", level="language")
    whole = each.groupby(level=keys[:2]).all()
    parts = [_labelled(part, family="all", model=name) for name, part in (("all", whole), ("mean", mean))]
    return ENGLISH, pd.concat([each, *parts])


def _like_people(draws: pd.DataFrame) -> pd.DataFrame:
    """Self-consistency as near to people's as each bootstrap has it: like for like where questions are drawn."""
    kind, group = (draws.index.get_level_values(name) for name in ("resampled", "group"))
    return draws[((kind == "responses") & (group == CONSISTENCY)) | ((kind == "questions") & (group == LIKE))]


def _below(own: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Is a model less self-consistent than people of every country of the language; by more than in English?

    The gap is the mean over the language's countries less the model's value.
    """
    values = people().groupby("language")["value"].agg(["min", "mean"])
    language = own.index.get_level_values("language")
    least, mean = (values[name].reindex(language).to_numpy() for name in ("min", "mean"))
    gap = own.mul(-1).add(mean, axis=0).droplevel("group")
    ours = gap.xs("en", level="language")
    others = gap[gap.index.get_level_values("language") != "en"]
    more = others.gt(ours.reindex(others.index.droplevel("language")).to_numpy())
    parts = [(BELOW, own.lt(least, axis=0).droplevel("group")), (GAP, more)]
    return [(name, pd.concat([part, _everywhere(part)])) for name, part in parts]


def _everywhere(part: pd.DataFrame) -> pd.DataFrame:
    whole = _labelled(part.groupby(level=["state", "resampled"]).all(), family="all", model="all", language="all")
    return whole.reorder_levels(part.index.names)


def _labelled(part: pd.DataFrame, **labels: str) -> pd.DataFrame:
    index = part.index.to_frame(index=False).assign(**labels)
    return part.set_axis(pd.MultiIndex.from_frame(index))
