"""What MENAValues (arXiv 2510.13154) asks of a model: three framings, two languages."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from .. import UserError, items, prompts


def experiment(countries: str | Iterable[str] = ("EG", "IR", "TR")) -> pd.DataFrame:
    """List what is asked of a model: the teaching bank, each country in English and in its own language, zero-shot.

    Parameters
    ----------
    countries : one or several, ISO 3166 alpha-2, with human figures in the bank.

    Returns
    -------
    The rows of `prompts.grid` with `kind` 'option_scores'. The neutral framing names no country and is asked once per
    language; `by_country` gives its answers to the countries afterwards.

    Raises
    ------
    UserError : no country, or one that is unknown or has no human figures; names those that have.
    """
    countries = people(items.human_distributions(), countries)["country"].unique()
    return prompts.grid(items.teaching_questions(), countries).assign(kind="option_scores")


def people(humans: pd.DataFrame, countries: str | Iterable[str]) -> pd.DataFrame:
    """Pick the human figures of some countries.

    Parameters
    ----------
    humans : column `country`; others are kept.
    countries : one or several, ISO 3166 alpha-2.

    Returns
    -------
    The rows of these countries.

    Raises
    ------
    UserError : no country, or one that is unknown or has no human figures; names those that have.
    """
    known = sorted(set(humans["country"]))
    codes = items.as_codes(countries)
    if not codes:
        raise UserError(f"no country in {countries!r}: choose from {', '.join(known)}")
    for country in items.check_countries(codes):
        if country not in known:
            raise UserError(f"no human figures for '{country}': choose from {', '.join(known)}")
    return humans[humans["country"].isin(codes)]
