"""From the workbook's texts to questions that can be asked: the text, and what every option says."""

from __future__ import annotations

import re

import pandas as pd

from ..items import Question

# What the workbook says about the form of the answer; the prompts say it in their own words, once.
FILLER = re.compile(r"\s*Provide a number only\.?", re.IGNORECASE)

# '1: Yes, 2: No' in one survey; '1. Yes, 2. No', '1) Yes 2) No' and '1 - Yes 2 - No' in the other.
LISTED = re.compile(r"(?:^|(?<=[\s,]))(\d{1,2})(?:\s*[:)]|\.(?=\s)|\s-(?=\s))\s*")

# "with '1' being 'Very important' and '4' being 'Not important'": one such pair.
_QUOTED = r"""['‘"](\d{1,2})['’"]\s*(?:being|means|meaning|for)\s*['‘"](.+?)['’"](?=[.,;?]|\s|$)"""
NAMED = re.compile(_QUOTED, re.IGNORECASE)
JOINT = re.compile(rf"[,.;]?\s*(?:please indicate,?|please answer)?\s*(?:with|where)?\s*{_QUOTED}"
                   rf"(?:\s*,?\s*(?:and|or)?\s*{_QUOTED})*[.,]?", re.IGNORECASE)  # fmt: skip


def bank(questions: pd.DataFrame) -> tuple[Question, ...]:
    """Turn the workbook's questions into questions that the prompts can be written from.

    Parameters
    ----------
    questions : of `workbook.read`.

    Returns
    -------
    One question per row, in English, as :func:`as_question` gives it.
    """
    return tuple(as_question(row) for row in questions.to_dict("records"))


def as_question(row: dict[str, object]) -> Question:
    """Turn one question of the workbook into a question of the bank's form.

    The words stay the workbook's. What is repeated in every text, that a number alone is wanted, is left to the prompt;
    so is the list of options, which the workbook has in the running text.

    Parameters
    ----------
    row : of `workbook.read`'s questions: `question`, `low`, `high`, `scale`, `text`, `source`.

    Returns
    -------
    The question. Its options are the numbers that the text lists, within Min and MAX, or all from Min to MAX where it
    lists none. Each has the text's words for a label; where the text names only the two ends the others have '', and
    where it leaves out any other option, that one's label is its number.

    Examples
    --------
    >>> row = {"question": "1", "low": 1, "high": 2, "scale": "ordinal", "source": "AOI"}
    >>> q = as_question(row | {"text": "Do you have an account on WhatsApp? 1: Yes, 2: No"})
    >>> q.text["en"], q.options, q.labels["en"]
    ('Do you have an account on WhatsApp?', ('1', '2'), ('Yes', 'No'))
    """
    stem, labels = split(str(row["text"]))
    whole = [str(number) for number in range(row["low"], row["high"] + 1)]
    listed = len(labels) > 2 or set(labels) == set(whole)
    kept = set(labels)
    # '2: 2' names nothing.
    labels = {key: label for key, label in labels.items() if label != key}
    options = tuple(key for key in whole if key in kept) if listed else tuple(whole)
    if set(labels) == {options[0], options[-1]}:
        words = tuple(labels.get(key, "") for key in options)
    else:
        words = tuple(labels.get(key, key) for key in options)
    return Question(row["question"], row["scale"], options, {"en": stem}, {"en": words}, {"mena": row["question"]})


def split(text: str) -> tuple[str, dict[str, str]]:
    """Take a text apart.

    Parameters
    ----------
    text : of the workbook.

    Returns
    -------
    The question without its list of options, and the label of every option that the text names.

    Examples
    --------
    >>> split("How happy are you? With '1' being 'Very happy' and '4' being 'Not at all'. Provide a number only.")
    ('How happy are you?', {'1': 'Very happy', '4': 'Not at all'})
    """
    text = " ".join(FILLER.sub(" ", text).split())
    marks = _list(text)
    if marks:
        stops = [mark.start() for mark in marks[1:]] + [len(text)]
        labels = {m[1]: _clean(text[m.end() : stop]) for m, stop in zip(marks, stops, strict=True)}
        stem = re.sub(r"\s*Please choose one option:?$", "", text[: marks[0].start()].strip())
        return stem.rstrip(" :"), labels
    named = {key: label.strip() for key, label in NAMED.findall(text)}
    if len(named) > 1:
        stem = re.sub(r"\s+([,.?])", r"\1", JOINT.sub(" ", text, count=1))
        return " ".join(stem.split()), dict(sorted(named.items(), key=lambda pair: int(pair[0])))
    return text, {}


def _list(text: str) -> list[re.Match[str]]:
    """Find the marks of a list of options: two or more numbers that rise."""
    marks: list[re.Match[str]] = []
    for mark in LISTED.finditer(text):
        if not marks or int(mark[1]) > int(marks[-1][1]):
            marks.append(mark)
    return marks if len(marks) > 1 and int(marks[0][1]) < 2 else []


def _clean(label: str) -> str:
    return re.sub(r"(?:,?\s+or)?[\s,;]*$", "", label.strip())
