"""Is it still the same question? Translation by a model, back-translation by a model, and what a check can see of it.

MENAValues (arXiv 2510.13154) asks in Arabic, Persian and Turkish, but its translations are not released. Here any model
translates, the same or another one translates back without seeing the original, and English is held against English:
what is asked (similarity of sentence embeddings), the options, their order, the numbers, the language.
"""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from .. import UserError, items
from ..items import LANGUAGES, NATIVE, Question
from ..models.base import Decoding
from . import wording, workbook

PER_ANSWER = 1
"""Questions to the second model per answer of the first: one back-translation."""

SECOND = "the back-translator"
"""What the second model is called in an estimate."""

LINE = "Keep every line and every number, and keep the options in their order. Write the translation only."
FORTH = "Translate this survey question into {language}. " + LINE + "\n\n{text}"
BACK = "Translate this survey question into English. " + LINE + "\n\n{text}"

_USUAL = {
    "teaching": {"questions": 5, "max_tokens": 100},
    "workbook": {"questions": None, "max_tokens": 1600},
}
"""What is asked unless a number is given: few short questions of the teaching bank, all of the workbook."""


def experiment(
    bank: str = "teaching",
    questions: int | None = None,
    languages: str | Iterable[str] = ("ar", "fa", "tr"),
    max_tokens: int | None = None,
) -> pd.DataFrame:
    """List what is asked of a translating model: each question with its options, into each language.

    Parameters
    ----------
    bank : 'teaching', or 'workbook', the 864 questions of MENAValues, each into the languages of the countries in which
        people answered it.
    questions : how many; by default 5 of the teaching bank, for a short run of a small model, and all of the workbook.
    languages : some of 'ar', 'fa', 'tr'.
    max_tokens : longest translation; by default 100 tokens for the teaching bank, 1,600 for the workbook.

    Returns
    -------
    One row per question and language: `kind` 'generate', `bank`, `question`, `language`, `source` (the English text, an
    option per line), `prompt`, `decoding` (greedy).

    Raises
    ------
    UserError : an unknown bank or language, or a number out of range.
    DataUnavailable : the workbook can be had nowhere.
    """
    if bank not in _USUAL:
        raise UserError(f"unknown bank '{bank}': choose {' or '.join(_USUAL)}")
    codes = items.as_codes(languages)
    if not codes or (unknown := [code for code in codes if code not in set(NATIVE.values())]):
        wrong = repr(unknown[0]) if codes else "none"
        raise UserError(f"unknown language {wrong}: choose some of {', '.join(sorted(set(NATIVE.values())))}")
    numbers = {"questions": questions, "max_tokens": max_tokens}
    numbers = {name: _USUAL[bank][name] if value is None else value for name, value in numbers.items()}
    for name, value in numbers.items():
        if value is not None and value < 1:
            raise UserError(f"{name}={value}: choose 1 or more")
    asked = _teaching() if bank == "teaching" else _workbook()
    rows = [
        {"kind": "generate", "bank": bank, "question": question.id, "language": code, "source": page(question)}
        for code in codes
        for question, spoken in asked[: numbers["questions"]]
        if code in spoken
    ]
    for row in rows:
        row["prompt"] = FORTH.format(language=LANGUAGES[row["language"]], text=row["source"])
    return pd.DataFrame(rows).assign(decoding=[Decoding(max_tokens=numbers["max_tokens"])] * len(rows))


def judging(answers: pd.DataFrame) -> pd.DataFrame:
    """Write down what the second model is asked: to translate back, without the original.

    Parameters
    ----------
    answers : the rows of `experiment` with `text` (missing after an error, empty after a refusal).

    Returns
    -------
    One row per translation: `kind` 'generate', `bank`, `question`, `language`, `translation`, `prompt`, `decoding`.
    """
    columns = ["kind", "bank", "question", "language", "translation", "prompt", "decoding"]
    written = answers[answers["text"].fillna("").str.strip() != ""]
    rows = [
        ("generate", row.bank, row.question, row.language, row.text, BACK.format(text=row.text), row.decoding)
        for row in written.itertuples()
    ]
    return pd.DataFrame(rows, columns=columns)


def page(question: Question, language: str = "en") -> str:
    """Write a question with its options, one per line, as a translator sees it.

    Parameters
    ----------
    question : with a text and labels in `language`.
    language : of the text.

    Returns
    -------
    The question on the first line, then each option that has words of its own.

    Examples
    --------
    >>> page(Question("tea", "nominal", ("1", "2"), {"en": "Tea or coffee?"}, {"en": ("Tea", "Coffee")}, {}))
    'Tea or coffee?\\n1. Tea\\n2. Coffee'
    """
    pairs = zip(question.options, question.labels[language], strict=True)
    return "\n".join([question.text[language], *(f"{key}. {label}" for key, label in pairs if label)])


def _teaching() -> list[tuple[Question, set[str]]]:
    return [(question, set(NATIVE.values())) for question in items.teaching_questions()]


def _workbook() -> list[tuple[Question, set[str]]]:
    questions, cells = workbook.read()
    answered = cells[cells["shares"].map(bool)]
    spoken = answered["country"].map(NATIVE).groupby(answered["question"]).agg(set)
    return [(question, spoken.get(question.id, set())) for question in wording.bank(questions)]
