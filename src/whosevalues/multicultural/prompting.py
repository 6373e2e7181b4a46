"""The live experiment on seeding a culture (section 2.2): the survey with a country named in the prompt, and without.

Topics and wording are those of the survey in `survey.py`; one sentence that says where the citizens live is added.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

import pandas as pd

from .. import UserError, items, stats
from . import demographic, survey

SENTENCE = {
    "en": "All ten live {place}.",
    "da": "De bor alle ti {place}.",
    "nl": "Alle tien wonen {place}.",
    "pt": "Todos os dez vivem {place}.",
}
"""What names the country, at the end of the survey's prompt; ours, not yet checked by native speakers."""

_FIGURES = ["value", "low", "high", "n", "chance"]


@cache
def wording() -> pd.DataFrame:
    """How each country is named.

    Returns
    -------
    One row per country and language, indexed by both: `place`, as it stands in `SENTENCE`; `named`, a regular
    expression of the beginnings of words for the country and its people.

    Examples
    --------
    >>> wording().loc[("DK", "nl"), "place"]
    'in Denemarken'
    """
    return pd.read_csv(Path(__file__).with_name("named_countries.csv"), index_col=["country", "language"])


def experiment(
    languages: str | Iterable[str] = ("en",),
    countries: str | Iterable[str] = ("US", "DK", "NL", "BR", "KE"),
    questions: int = 2,
    samples: int = 2,
    max_tokens: int = 120,
) -> pd.DataFrame:
    """List what is asked of a model: each survey prompt as it is, and once more for every country named in it.

    Parameters
    ----------
    languages : some of 'en', 'da', 'nl', 'pt'.
    countries : codes of countries with human figures, as in `wording`.
    questions, samples, max_tokens : as for `survey.experiment`. The defaults are 24 responses, for a small model.

    Returns
    -------
    One row per response: the columns of `survey.experiment` and `country`, None where the prompt names none. The
    prompts that differ in the country alone stand together.

    Raises
    ------
    UserError : an unknown language or country, one without human figures, or a number out of range.
    """
    codes, known = items.check_countries(countries), wording().index.unique("country")
    if strange := [code for code in codes if code not in known]:
        raise UserError(f"country '{strange[0]}' has no figures to compare with: choose {', '.join(known)}")
    plain = survey.experiment(languages, questions=questions, samples=samples, max_tokens=max_tokens)
    named = [plain.assign(country=code, prompt=[_named(row, code) for row in plain.itertuples()]) for code in codes]
    grid = pd.concat([plain.assign(country=None).astype({"country": object}), *named])
    return grid.sort_index(kind="stable").reset_index(drop=True)


def judging(answers: pd.DataFrame) -> pd.DataFrame:
    """Write down what a judge is asked.

    Parameters
    ----------
    answers : the rows of `experiment` with `text`.

    Returns
    -------
    As of `survey.judging`, and the `country` of the response that a statement is from.
    """
    return _each(answers, survey.judging)


def stances(judged: pd.DataFrame) -> pd.DataFrame:
    """Score responses, those about one country apart from those about another.

    Parameters
    ----------
    judged : the rows of `judging` with the judge's answers.

    Returns
    -------
    As of `survey.stances`, and `country`, None where the prompt named none.
    """
    return _each(judged, survey.stances)


def alignment(scored: pd.DataFrame, rounds: int = 1000, seed: int = 0) -> pd.DataFrame:
    """Alignment with a country's people, where the prompt names the country and where it does not (section 2.2).

    Parameters
    ----------
    scored : as from `stances`, of one model and one judge.
    rounds, seed : of the bootstrap, which draws whole questions.

    Returns
    -------
    One row per (language, country, prompting): `prompting` is 'country named', 'language alone', both on the same
    questions, or 'difference'; `value` in [-1, 1] (of differences in [-2, 2]), NaN where it is undefined because
    nothing varies; `low`, `high`; `n`, responses with a score (of differences those with a country); `chance`, 0.
    """
    by = ["language", "country", "prompting"]
    cells = scored.loc[scored["country"].notna(), by[:2]].drop_duplicates()
    people = items.human_polarity().rename(columns={"polarity": "human"})[["country", "question", "human"]]
    taken = scored.dropna(subset="score").merge(cells.rename(columns={"country": "held"}), on="language")
    taken = taken[taken["country"].isna() | (taken["country"] == taken["held"])]
    taken = taken.assign(prompting=taken["country"].isna().map({True: "language alone", False: "country named"}))
    taken = taken.drop(columns="country").merge(people.rename(columns={"country": "held"}), on=["held", "question"])
    taken = taken.rename(columns={"held": "country"})
    both = taken.groupby([*by[:2], "question"])["prompting"].transform("nunique") == 2
    taken = taken[both].assign(weight=1.0)
    values = pd.DataFrame(columns=range(1), index=pd.MultiIndex.from_arrays([[]] * 3, names=by), dtype=float)
    if len(taken):
        values = demographic.aligned(taken, by, rounds, seed)
        gap = values.xs("country named", level="prompting") - values.xs("language alone", level="prompting")
        values = pd.concat([values, gap.assign(prompting="difference").set_index("prompting", append=True)])
    every = cells.merge(pd.DataFrame({"prompting": ["country named", "language alone", "difference"]}), how="cross")
    out = every.join(demographic.summary(values), on=by)
    counts = taken.groupby(by).size().rename("n")
    counted = every.assign(prompting=every["prompting"].replace("difference", "country named"))
    n = counted.join(counts, on=by)["n"].fillna(0).astype(int)
    return out.assign(n=n.to_numpy(), chance=0.0)[[*by, *_FIGURES]]


def heeded(answers: pd.DataFrame) -> pd.DataFrame:
    """Measure without a judge what a response makes of the country in its prompt.

    Parameters
    ----------
    answers : the rows of `experiment` with the model's `text`.

    Returns
    -------
    One row per (metric, language, country), a missing country standing for language alone: `value`, `low`, `high`, `n`
    (responses), `chance`. Metrics: 'lists', the share of responses in which `survey.parse` finds two answers or more;
    'answers', how many it finds; 'words' of the whole response; 'names the country', the share that mentions the
    country or its people, `chance` being the share among the responses to the prompts without a country. Shares have
    Wilson intervals.
    """
    said = answers[answers["text"].notna()]
    found = [len(survey.parse(text)) for text in said["text"]]
    said = said.assign(answers=found, words=[len(text.split()) for text in said["text"]])
    rows = []
    for (language, country), part in said.groupby(["language", "country"], sort=False, dropna=False):
        names = {"language": language, "country": None if pd.isna(country) else country}
        rows.append(names | {"metric": "lists"} | _share(part["answers"] > 1))
        rows += [names | {"metric": m, "value": part[m].mean(), "n": len(part)} for m in ("answers", "words")]
        if names["country"]:
            alone = said[said["country"].isna() & (said["language"] == language)]
            hits, base = (_mentions(texts["text"], language, country) for texts in (part, alone))
            rows.append(names | {"metric": "names the country", "chance": base.mean()} | _share(hits))
    return pd.DataFrame(rows, columns=["metric", "language", "country", *_FIGURES])


def _named(row, code: str) -> str:
    return f"{row.prompt} {SENTENCE[row.language].format(place=wording().loc[(code, row.language), 'place'])}"


def _mentions(texts: pd.Series, language: str, country: str) -> pd.Series:
    return texts.str.contains(rf"\b(?:{wording().loc[(country, language), 'named']})", flags=re.IGNORECASE)


def _share(hits: pd.Series) -> dict[str, float]:
    low, high = stats.wilson(hits.sum(), len(hits))
    return {"value": hits.mean(), "low": low, "high": high, "n": len(hits)}


def _each(rows: pd.DataFrame, function: Callable[[pd.DataFrame], pd.DataFrame]) -> pd.DataFrame:
    """Apply what knows nothing of countries to the rows of each one."""
    if rows.empty:
        return function(rows).assign(country=None)
    parts = []
    for country, part in rows.groupby("country", sort=False, dropna=False):
        made, code = function(part.drop(columns="country")), None if pd.isna(country) else country
        parts.append(made.assign(country=pd.Series([code] * len(made), made.index, dtype=object)))
    return pd.concat(parts, ignore_index=True)
