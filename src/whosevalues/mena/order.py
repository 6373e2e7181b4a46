"""The same questions with their options in another order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pandas as pd

from .. import items, prompts
from ..items import Question
from . import protocol

ORDERS = ("backward", "renumbered")


def backwards(question: Question) -> Question:
    """Turn the list of a question's options round: each keeps its number and its wording, the last stands first.

    Only the place in the list changes, not what a number means, so that an answer that changes has changed for the
    order's sake. Of a scale with a wording at its ends only, the last end is named first.

    Examples
    --------
    >>> tea = Question("tea", "nominal", ("1", "2"), {"en": "Tea or coffee?"}, {"en": ("Tea", "Coffee")}, {})
    >>> print(prompts.render(backwards(tea), "en", "neutral"))
    Tea or coffee?
    2. Coffee
    1. Tea
    <BLANKLINE>
    Answer with the number only.
    """
    labels = {language: wordings[::-1] for language, wordings in question.labels.items()}
    return replace(question, options=question.options[::-1], labels=labels)


def renumbered(question: Question) -> Question:
    """Turn the wordings round and number them anew: what was the last option now stands first, as number 1.

    An answer that follows the wording changes its number; one that keeps to a number changes its meaning.

    Examples
    --------
    >>> tea = Question("tea", "nominal", ("1", "2"), {"en": "Tea or coffee?"}, {"en": ("Tea", "Coffee")}, {})
    >>> renumbered(tea).labels
    {'en': ('Coffee', 'Tea')}
    """
    return replace(question, labels={language: wordings[::-1] for language, wordings in question.labels.items()})


def experiment(countries: str | Iterable[str] = ("EG", "IR", "TR")) -> pd.DataFrame:
    """List what is asked of a model: the English zero-shot prompts of `protocol.experiment`, options backwards.

    Parameters
    ----------
    countries : as for `protocol.experiment`.

    Returns
    -------
    The rows of `prompts.grid` with `kind` 'option_scores' and `order`: 'backward' (`backwards`; `options` as they are
    shown), and of the neutral framing 'renumbered', too (`renumbered`).

    Raises
    ------
    UserError : as for `protocol.experiment`.
    """
    countries = protocol.people(items.human_distributions(), countries)["country"].unique()
    bank = items.teaching_questions()
    parts = [
        prompts.grid(map(backwards, bank), countries, languages=["en"]).assign(order="backward"),
        prompts.grid(map(renumbered, bank), countries, ["neutral"], ["en"]).assign(order="renumbered"),
    ]
    return pd.concat(parts, ignore_index=True).assign(kind="option_scores")


def by_meaning(elicited: pd.DataFrame, order: str) -> pd.DataFrame:
    """Take the answers in one order, options called by the number that their wording has in the bank.

    Parameters
    ----------
    elicited : answers to `experiment`.
    order : 'backward' or 'renumbered'.

    Returns
    -------
    These rows; where options were renumbered, `options` turned round.
    """
    part = elicited[elicited["order"] == order]
    if order == "renumbered":
        part = part.assign(options=part["options"].map(lambda options: options[::-1]))
    return part.reset_index(drop=True)
