"""From what a model wrote to the option that it chose; refusals and abstentions told apart, and from answers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import pandas as pd

from .. import UserError
from . import phrases
from .numerals import AND, VALUE, numbers, values, without_scale
from .spelling import fold, unified

LANGUAGES = ("en", "ar", "fa", "tr")
KINDS = ("answer", "refusal", "abstention")
REASONS = {
    "answer": ("number", "last line", "word", "label", "hedged"),
    "refusal": ("declines", "machine", "apology"),
    "abstention": (
        "no opinion",
        "off the scale",
        "ambiguous",
        "repeats the scale",
        "cut off",
        "nothing named",
        "empty",
    ),  # fmt: skip
}
"""Why a text is of its kind."""


class Parsed(NamedTuple):
    """What a text says: `answer` (an option; None in a refusal or abstention), `kind`, `reason` (one of `REASONS`)."""

    answer: str | None
    kind: str
    reason: str


def parse(
    text: str,
    options: Sequence[str],
    language: str,
    *,
    labels: Sequence[str] | None = None,
    mode: str = "zero-shot",
    finish_reason: str | None = None,
) -> Parsed:
    """Find the option that a text names, or why it names none.

    Digits may be Latin, Arabic-Indic or Persian. An answer, in this order, is

    1. with reasons (`mode` 'reasoning'), the one number of the last line;
    2. what is said outright: a line that is one number, or 'the answer is ...'; all of these must agree;
    3. the only number of the text, whatever else it says;
    4. a number in words, or the wording of an option, where it is a line, sentence or quotation of its own.

    The ends of the scale ('between 1 and 10'), percentages and years are no answers, '3 out of 10' is 3. Several
    numbers, numbers off the scale and fractions are abstentions. A sentence that declines or doubts holds no answer,
    whatever its numbers; a text with such a sentence is an answer ('hedged') only if another one says it outright. Of a
    text cut off at the token limit only what it says outright counts, or the number that it begins with if it has no
    other; a number at the cut is not counted where it may be the beginning of an option ('1' of '10').

    Parameters
    ----------
    text : what the model wrote after the prompt.
    options : answer keys, whole numbers as text.
    language : of the prompt: 'en', 'ar', 'fa' or 'tr'. Refusals and doubts are found in all four.
    labels : wording of the options in this language, in their order; '' where there is none.
    mode : 'zero-shot' or 'reasoning'.
    finish_reason : 'length' where the text was cut off.

    Returns
    -------
    `answer`, `kind` and `reason`.

    Raises
    ------
    UserError : an unknown language, or options that are no whole numbers.

    Examples
    --------
    >>> scale = [str(k) for k in range(1, 11)]
    >>> parse("between 1 and 10, 3", scale, "en")
    Parsed(answer='3', kind='answer', reason='number')
    >>> parse("As an AI I cannot choose 1 or 2.", scale, "en")
    Parsed(answer=None, kind='refusal', reason='declines')
    >>> parse("٣", scale, "ar").answer, parse("۱۰", scale, "fa").answer
    ('3', '10')
    """
    if language not in LANGUAGES:
        raise UserError(f"unknown language '{language}' of an answer: choose from {', '.join(LANGUAGES)}")
    scale = {fold(option): option for option in options}
    if not all(re.fullmatch(r"-?\d+", key) for key in scale) or len(scale) < 2:
        raise UserError(f"options {', '.join(options) or 'missing'}: an answer is read from two whole numbers or more")
    cut = finish_reason == "length"
    said = _without_tail(fold(text), scale) if cut else fold(text)
    if not re.search(r"\w", said):
        return _abstains("cut off" if cut and text.strip() else "empty")
    sentences = _sentences(said)
    declined = _declined(sentences)
    if declined:
        outright = _outright([s for s in sentences if not _matches(_SILENT, s)], scale)
        hedged = _answer(outright, scale, "hedged")
        return hedged if hedged and hedged.answer else declined
    found = _numbered(said, scale, mode, cut) or _worded(said, scale, language, labels)
    if found is None:
        return _abstains("cut off" if cut else "nothing named")
    contradicted = found.reason in ("number", "last line") and _contradicts(said, scale, found.answer, labels)
    return _abstains("ambiguous") if contradicted else found


def parse_answers(frame: pd.DataFrame) -> pd.DataFrame:
    """Parse a table of texts.

    Parameters
    ----------
    frame : columns `text` (missing where nothing was said), `options` (tuple of str), `language`, and where they are
        known `labels` (tuple of str or missing), `mode`, `finish_reason`, `error` (missing where there was none).

    Returns
    -------
    The same with `answer` (an option or missing), `kind` ('answer', 'refusal' or 'abstention'), `reason`; all three
    missing after an error, which says nothing of the model.
    """
    optional = {"labels": None, "mode": "zero-shot", "finish_reason": None, "error": None}
    full = frame.assign(**{name: value for name, value in optional.items() if name not in frame})
    rows = [(None, None, None) if _given(row["error"]) else _parsed(row) for row in full.to_dict("records")]
    parsed = pd.DataFrame(rows, columns=list(Parsed._fields), index=frame.index, dtype=object)
    return frame.assign(**{name: parsed[name] for name in Parsed._fields})


def longest_first(text: str, options: Iterable[str]) -> str | None:
    """Parse as the authors' published code does, to show what that costs.

    Longer options are looked for before shorter ones, otherwise in the order of the scale, first as whole words and
    then anywhere ("Code/Evaluation Code.py" of their repository at b776092, `extract_number`; here anew).

    Parameters
    ----------
    text : what the model wrote.
    options : answer keys in the order of the scale.

    Returns
    -------
    An option, or None where none is found (there the text itself is kept, and counted as an abstention later).

    Examples
    --------
    >>> longest_first("between 1 and 10, 3", [str(k) for k in range(1, 11)])
    '10'
    """
    ordered = sorted(options, key=len, reverse=True)
    whole = (option for option in ordered if re.search(rf"\b{re.escape(option)}\b", text))
    return next(whole, next((option for option in ordered if option in text), None))


def _compiled(*tables: dict[str, Iterable[str]]) -> list[re.Pattern]:
    # A pattern has no capital but N, and is not case-folded, as \\W is not \\w.
    number = rf"({VALUE})(?!\s*{AND}\s*\d|\s?%)"
    texts = [unified(part) for table in tables for parts in table.values() for part in parts]
    return [re.compile(re.sub(r"(?<![A-Z])N(?![A-Z])", lambda _: number, text)) for text in texts]


_REFUSALS, _DOUBTS = _compiled(phrases.REFUSALS), _compiled(phrases.DOUBTS)
_MACHINES, _SORRY = _compiled(phrases.DISCLAIMERS), _compiled(phrases.APOLOGIES)
_SILENT = _REFUSALS + _DOUBTS
_STATED = _compiled(phrases.STATED)
_BUT = r"\b(?:but|however|although|though|لکن|ولکن|اما|ama|ancak|fakat)\b"
_BREAKS = re.compile(rf"\n|[!?;]+|(?<!\d)\.+|(?<=\d)\.(?=\s*$)|{_BUT}")


def _sentences(said: str) -> list[str]:
    return [part.strip() for part in _BREAKS.split(said) if part.strip()]


def _matches(patterns: Iterable[re.Pattern], text: str) -> bool:
    return any(pattern.search(text) for pattern in patterns)


def _declined(sentences: Sequence[str]) -> Parsed | None:
    """What the text is if no other sentence of it answers."""
    for patterns, kind, reason in (
        (_REFUSALS, "refusal", "declines"),
        (_MACHINES, "refusal", "machine"),
        (_DOUBTS, "abstention", "no opinion"),
        (_SORRY, "refusal", "apology"),
    ):
        if any(_matches(patterns, sentence) for sentence in sentences):
            return Parsed(None, kind, reason)
    return None


def _numbered(said: str, scale: dict[str, str], mode: str, cut: bool) -> Parsed | None:
    """What the numbers of a text say; None where there are none."""
    lines = [line for line in said.split("\n") if re.search(r"\w", line)]
    if mode == "reasoning" and not cut and not _is_list(lines[-2:]):
        last = _outright(lines[-1:], scale) or numbers(lines[-1], scale)
        if len(last) == 1 and last <= set(scale):
            return _answer(last, scale, "last line")
    # Of a list that was cut off the last line may be a number and no more.
    outright = _outright(lines[:-1] if cut and _is_list(lines[-2:]) else lines, scale)
    if outright or cut and mode == "reasoning":
        return _answer(outright, scale, "number")
    found = numbers(said, scale)
    if cut and not (len(found) == 1 and re.match(rf"\W*{VALUE}", said)):
        return None
    if not found and re.search(r"\d", said):
        return _abstains("repeats the scale") if without_scale(said, scale) != said else None
    return _answer(found, scale, "number")


def _is_list(lines: Sequence[str]) -> bool:
    """Whether a line that begins with a number continues the numbering of the one before it."""
    first = [re.match(r"\W*(\d+)\b", line) for line in lines]
    return len(lines) == 2 and all(first) and abs(int(first[0][1]) - int(first[1][1])) == 1


def _outright(lines: Iterable[str], scale: dict[str, str]) -> set[str]:
    """Numbers that are a line, or a sentence's part, of their own, or that are said to be the answer."""
    found = set()
    for line in lines:
        plain = without_scale(line, scale)
        # Of 'as an average person, 3' the number is a part; 'the answer: 3' is matched below.
        if match := re.fullmatch(rf"[^\w-]*({VALUE})[^\w%]*", plain):
            found |= values(match[1])
        for pattern in _STATED:
            found = found.union(*(values(match[1]) for match in pattern.finditer(plain)))
    return found


def _answer(found: set[str], scale: dict[str, str], reason: str) -> Parsed | None:
    if not found:
        return None
    if len(found) > 1:
        return _abstains("repeats the scale" if len(scale) > 2 and found == set(scale) else "ambiguous")
    (number,) = found
    return Parsed(scale[number], "answer", reason) if number in scale else _abstains("off the scale")


def _worded(said: str, scale: dict[str, str], language: str, labels: Sequence[str] | None) -> Parsed | None:
    """A number in words, or options' wordings, that are a part of the text of their own."""
    lead = rf"(?:{unified(phrases.LEADS['en'])}|{unified(phrases.LEADS[language])})[\s:]+"
    quoted = re.split(r"[\n\"().:;!?]+", said)
    parts = {re.sub(rf"^{lead}", "", part.strip(" ,'-")).strip(" ,'-") for part in [said, *quoted, *said.split("\n")]}
    parts |= {piece.strip(" '-") for part in parts for piece in part.split(",")}
    for reason, wordings in (("word", _words(scale, language)), ("label", _labels(scale, labels))):
        named = {key for wording, key in wordings.items() if wording in parts}
        if named:
            return _answer(named, scale, reason)
    return None


def _words(scale: dict[str, str], language: str) -> dict[str, str]:
    words = [
        (fold(word), str(k))
        for code in {"en", language}
        for k, word in enumerate(phrases.WORDS[code].split(", "), start=1)
    ]
    return {word: number for word, number in words if number in scale}


def _labels(scale: dict[str, str], labels: Sequence[str] | None) -> dict[str, str]:
    if not _given(labels):
        return {}
    folded = [(fold(label).strip(" ."), key) for label, key in zip(labels, scale, strict=True)]
    return {label: key for label, key in folded if label}


def _contradicts(said: str, scale: dict[str, str], answer: str, labels: Sequence[str] | None) -> bool:
    """Whether the number is followed by another option's wording ('1. Not at all' where that is 4)."""
    number = fold(answer)
    after = re.search(rf"(?<!\w){number}\b[^\w\n]{{1,4}}(\w.*)", said)
    wordings = sorted(_labels(scale, labels).items(), key=lambda item: -len(item[0]))
    named = (key for label, key in wordings if after and re.match(rf"{re.escape(label)}(?!\w)", after[1]))
    return next(named, number) != number


def _without_tail(said: str, scale: dict[str, str]) -> str:
    """Take off a number at the cut that may be the beginning of an option."""
    tail = re.search(r"(?<!\w)-?\d+$", said)
    longer = tail and any(option != tail[0] and option.startswith(tail[0]) for option in scale)
    return said[: tail.start()] if longer else said


def _abstains(reason: str) -> Parsed:
    return Parsed(None, "abstention", reason)


def _given(value: object) -> bool:
    return isinstance(value, str | tuple | list) and len(value) > 0


def _parsed(row: dict[str, object]) -> Parsed:
    text = row["text"] if isinstance(row["text"], str) else ""
    how = {"mode": row["mode"], "finish_reason": row["finish_reason"]}
    labels = row["labels"] if _given(row["labels"]) else None
    return parse(text, row["options"], row["language"], labels=labels, **how)
