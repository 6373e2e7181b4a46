"""What each country is said to answer, by people and by models, as one row of numbers; and where such rows lie."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import numpy as np
import pandas as pd

from .. import UserError
from ..items import NATIVE
from . import inversion, native, released, workbook
from .names import COUNTRIES

CELL = ["model", "framing", "mode", "language"]
"""What names a set of profiles; `language` is 'en' or 'native'."""

ARAB = tuple(country for country in COUNTRIES if NATIVE[country] == "ar")
"""The fourteen countries whose prompts in their own language are in Arabic."""

BLOCKS = {"WVS": ("EG", "IQ", "IR", "JO", "LB", "LY", "MA", "TN", "TR"), "AOI": ARAB}
"""The countries of each survey: few questions are shared, so that the two are never put together."""


@cache
def released_sets() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Load what the released scores leave possible, for models, beside what people answered.

    Returns
    -------
    As :func:`answer_sets`, and the questions of `workbook.read`, indexed by `question`.
    """
    questions, cells = workbook.read()
    scores = [released.read(kind) for kind in ("CLCS", "SPD", "NVAS")]
    return *answer_sets(*scores, questions, cells), questions.set_index("question")


def answer_sets(
    clcs: pd.DataFrame, spd: pd.DataFrame, nvas: pd.DataFrame, questions: pd.DataFrame, cells: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Set of possible answers per model, framing, mode, language, question and country.

    Parameters
    ----------
    clcs, spd, nvas : of `released.read`.
    questions, cells : of `workbook.read`.

    Returns
    -------
    sets : index `model`, `framing`, `mode`, `language` ('en' or 'native'), `question`; a column per country; values
        are sets of options as bits, Min being bit 0 (see `native.bits`), 0 where nothing is known. A native answer is
        kept where the English one is known from NVAS. Of the neutral framing, which has no country, the English
        answers stand, the same in every column; its native ones are the same for all countries of a language anyway.
    people : what people answered (mean or mode, in options from Min), a row per question and a column per country;
        outside the scale where the survey has an option outside it.
    """
    inverted = inversion.candidates(nvas, questions, cells)
    low = questions.set_index("question")["low"]
    known = native.english_sets(inverted, spd, questions)
    english = inverted[native.CELL].merge(known, on=native.CELL)
    theirs = native.distances(clcs[clcs["framing"] != "neutral"], questions)
    theirs = theirs.drop(columns="language").merge(english, on=native.CELL)
    theirs["set"] = native.shifted(theirs["set"], theirs["distance"], theirs["full"])
    neutral = known[known["framing"] == "neutral"].drop(columns="country")
    neutral = neutral.merge(pd.DataFrame({"country": COUNTRIES}), "cross")
    languages = {"en": pd.concat([english, neutral]), "native": theirs}
    table = pd.concat([part.assign(language=name) for name, part in languages.items()])
    sets = table.pivot(index=[*CELL, "question"], columns="country", values="set").fillna(0).astype(np.int64)
    people = cells.assign(centre=cells["centre"] - cells["question"].map(low))
    people = people.pivot(index="question", columns="country", values="centre")
    return sets.reindex(columns=list(COUNTRIES), fill_value=0), people.reindex(columns=list(COUNTRIES))


def framed(sets: pd.DataFrame) -> pd.DataFrame:
    """Leave out the neutral framing, which names no country.

    Parameters
    ----------
    sets : of :func:`answer_sets`.

    Returns
    -------
    The rows of the persona and the observer framing.
    """
    return sets[sets.index.get_level_values("framing") != "neutral"]


def common(sets: pd.DataFrame, column: str, *values: str) -> list[pd.DataFrame]:
    """Keep the cells that are known on both sides of a contrast, of the framings that name a country.

    Parameters
    ----------
    sets : of :func:`answer_sets`.
    column : one of `CELL`.
    values : the two of its values that are held against each other.

    Returns
    -------
    Per value a table with the same index (without `column`) and columns; 0 where one of the two is unknown.
    """
    sides = [framed(sets).xs(value, level=column) for value in values]
    shared = sides[0].index.intersection(sides[1].index)
    sides = [side.loc[shared] for side in sides]
    both = (sides[0] > 0) & (sides[1] > 0)
    return [side.where(both, 0) for side in sides]


def width(questions: pd.DataFrame) -> pd.Series:
    """MAX - Min of every question.

    Parameters
    ----------
    questions : indexed by `question`, with `low` and `high`.

    Returns
    -------
    Whole numbers, indexed by `question`.
    """
    return questions["high"] - questions["low"]


def certain(sets: pd.DataFrame) -> pd.DataFrame:
    """Keep the answers of which only one is possible.

    Parameters
    ----------
    sets : bits, any shape.

    Returns
    -------
    The answer in options from Min, NaN where none or several are possible.

    Examples
    --------
    >>> certain(pd.DataFrame({"EG": [0b100, 0b101, 0]}))["EG"].tolist()
    [2.0, nan, nan]
    """
    bits = sets.to_numpy(np.int64)
    single = (bits > 0) & (bits & (bits - 1) == 0)
    return pd.DataFrame(np.log2(np.where(single, bits, np.nan)), sets.index, sets.columns)


def blocks(sets: pd.DataFrame, people: pd.DataFrame, questions: pd.DataFrame, fewest: int = 20) -> dict:
    """Country profiles without gaps: the questions of a survey to which every one of its countries has an answer.

    Parameters
    ----------
    sets, people : of :func:`answer_sets`.
    questions : indexed by `question`.
    fewest : questions below which no profile is made.

    Returns
    -------
    By (source, model, framing, mode, language): the people's and the model's profiles, two tables with a row per
    country and a column per question, answers scaled to [0, 1] by Min and MAX.
    """
    scale = width(questions)
    answers = certain(framed(sets))
    answers = answers.div(answers.index.get_level_values("question").map(scale), axis=0)
    human = people.div(scale, axis=0)
    out = {}
    for cell, rows in answers.groupby(CELL, sort=False):
        rows = rows.droplevel(CELL)
        for source, countries in BLOCKS.items():
            part = rows.loc[rows.index.map(questions["source"]) == source, list(countries)].dropna()
            beside = human.loc[part.index, list(countries)]
            whole = beside.notna().all(axis=1)
            if whole.sum() >= fewest:
                out[source, *cell] = beside[whole].T, part[whole].T
    return out


def components(people: pd.DataFrame, model: pd.DataFrame, fit: str) -> tuple[pd.DataFrame, np.ndarray]:
    """First two principal components of people's and a model's profiles.

    Parameters
    ----------
    people, model : a row per country and a column per question, without gaps.
    fit : 'people' finds the axes in the people's profiles and puts the model's on them, moved by its own mean, so that
        only differences between its countries count; 'joint' finds them in both together; 'model' in the model's.

    Returns
    -------
    points : `who` ('people' or 'model'), `country`, `first`, `second`.
    explained : share of the variance of what was fitted, by component.

    Raises
    ------
    UserError : another `fit`.
    """
    from sklearn.decomposition import PCA

    own = {"people": people, "model": model}
    if fit not in (*own, "joint"):
        raise UserError(f"unknown fit '{fit}': choose people, model or joint")
    fitted = PCA(2, svd_solver="full").fit(pd.concat(own.values()) if fit == "joint" else own[fit])
    points = []
    for who, table in own.items():
        centre = fitted.mean_ if fit == "joint" else table.mean().to_numpy()
        at = (table.to_numpy() - centre) @ fitted.components_.T
        points.append(pd.DataFrame(at, columns=["first", "second"]).assign(who=who, country=table.index.to_numpy()))
    return pd.concat(points, ignore_index=True)[["who", "country", "first", "second"]], fitted.explained_variance_ratio_


def explained(profile: np.ndarray) -> float:
    """Share of the variance that lies on the first two principal components.

    Parameters
    ----------
    profile : shape (countries, questions), without gaps.

    Returns
    -------
    In [0, 1]; NaN where the countries do not differ.
    """
    centred = profile - profile.mean(axis=0)
    values = np.linalg.eigvalsh(centred @ centred.T)[::-1]
    return float(values[:2].sum() / values.sum()) if values.sum() > 1e-12 else float("nan")


def shuffled(profile: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Hand the answers to each question out to the countries anew.

    Parameters
    ----------
    profile : shape (countries, questions); gaps (NaN) stay where they are.
    rng : random generator.

    Returns
    -------
    Same shape: nothing is left that a country has in common over questions.
    """
    out = profile.copy()
    if not np.isnan(out).any():
        return rng.permuted(out, axis=0)
    for column in out.T:
        known = ~np.isnan(column)
        column[known] = rng.permutation(column[known])
    return out


def points_table(known: dict, fits: Iterable[str] = ("people", "joint")) -> pd.DataFrame:
    """Where every country lies in every picture.

    Parameters
    ----------
    known : of :func:`blocks`.
    fits : as in :func:`components`.

    Returns
    -------
    One row per picture and point: `fit`, `source`, `model`, `framing`, `mode`, `language`, `who`, `country`, `first`,
    `second`, `n` (questions).
    """
    rows = []
    for cell, (people, model) in known.items():
        named = dict(zip(["source", *CELL], cell, strict=True)) | {"n": people.shape[1]}
        rows += [components(people, model, fit)[0].assign(fit=fit, **named) for fit in fits]
    columns = ["fit", "source", *CELL, "who", "country", "first", "second", "n"]
    return pd.concat(rows, ignore_index=True)[columns]


def variance_table(known: dict, rounds: int = 200, seed: int = 0) -> pd.DataFrame:
    """How much of the countries' differences a picture of two axes shows, and how much it would show of noise.

    Parameters
    ----------
    known : of :func:`blocks`.
    rounds : times that the answers to every question are handed out to the countries anew.
    seed : of the random generator.

    Returns
    -------
    One row per picture and `who` ('people' or 'model', each on its own axes): `value`, the share of variance on the
    first two components; `low`, `high` (the middle 95% of the shuffled answers: no interval of `value`), `chance`
    (their mean), `n` (questions), `p` (share of shuffled answers with at least the value, the true ones being one).
    """
    rng, rows = np.random.default_rng(seed), []
    for cell, pair in known.items():
        for who, profile in zip(("people", "model"), pair, strict=True):
            values = profile.to_numpy()
            value = explained(values)
            null = np.array([explained(shuffled(values, rng)) for _ in range(rounds)])
            low, high = np.nanquantile(null, [0.025, 0.975]) if np.isfinite(value) else (np.nan, np.nan)
            p = (1 + (null >= value - 1e-12).sum()) / (1 + rounds)
            chance = null.mean()
            rows.append((*cell, who, value, low, high, values.shape[1], chance, np.nan, p))
    return pd.DataFrame(rows, columns=["source", *CELL, "who", "value", "low", "high", "n", "chance", "printed", "p"])
