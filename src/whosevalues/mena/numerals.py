"""The numbers of a folded text: which of them can be an answer, and which only tell of the scale."""

from __future__ import annotations

import re
from collections.abc import Iterable

VALUE = r"(?:(?<![\w)])-)?(?<![\w.,])\d+(?:[.,]\d+)*(?!\w)"
AND = r"(?:or|and|to|through|veya|ya da|ile|ve|او|یا|و|تا|الی|-|,|/)"


def numbers(text: str, scale: Iterable[str]) -> set[str]:
    """Find the numbers that may be answers.

    Parameters
    ----------
    text : of `spelling.fold`.
    scale : answer keys, whole numbers.

    Returns
    -------
    All numbers but the ends of the scale where they only name it, percentages and years.

    Examples
    --------
    >>> numbers("in 2022, 45% said: from 1 to 10, 3", ["1", "2", "3", "10"])
    {'3'}
    """
    found = set()
    for match in re.finditer(rf"(%\s?)?({VALUE})(\s?%|\s?percent)?", without_scale(text, scale)):
        if not (match[1] or match[3] or re.fullmatch(r"(?:1[3-9]|20)\d\d", match[2])):
            found |= values(match[2])
    return found


def values(written: str) -> set[str]:
    """Write a number in one way, those of a chain one by one.

    Examples
    --------
    >>> values("03"), values("3,5"), sorted(values("1,2,3"))
    ({'3'}, {'3.5'}, ['1', '2', '3'])
    """
    parts = re.split(r"[.,]", written)
    if len(parts) > 2:
        return {_plain(part) for part in parts}
    return {_plain(".".join(parts))}


def _plain(number: str) -> str:
    whole, _, fraction = number.partition(".")
    sign, whole, fraction = "-" * whole.startswith("-"), whole.lstrip("-").lstrip("0") or "0", fraction.rstrip("0")
    return f"{sign}{whole}.{fraction}" if fraction else f"{sign}{whole}"


def without_scale(text: str, scale: Iterable[str]) -> str:
    """Take out the ends of the scale.

    Parameters
    ----------
    text, scale : as for `numbers`.

    Returns
    -------
    The text without 'between 1 and 10', the number of '1 means never', and 'out of 10'.

    Examples
    --------
    >>> without_scale("8 out of 10", [str(k) for k in range(1, 11)])
    '8 '
    """
    low, high = min(scale, key=float), max(scale, key=float)
    gloss = r"(?:\s?\([^)\n]*\))?"
    for a, b in ((low, high), (high, low)):
        one = rf"(?<![\w.,-])(?:between |from |بین |من |از )?{a}{gloss}(?:'?\w+)?"
        two = rf"{one}\s*{AND}\s*{b}{gloss}(?!\w|[.,]\d)(?:'\w+)?"
        turkish = rf"(?<![\w.,-]){a}'\w+ {b}'\w+"
        text = re.sub(f"{two}|{turkish}", " ", text)
    meaning = rf"(?<![\w.,-])(?:{low}|{high})(?='?\w* ?(?:means?|being|is (?:the )?(?:low|high)|=|یعنی|تعنی|anlamina))"
    of = rf"(?<=\d)\s?(?:/|out of|of|من اصل|من|از) ?{high}(?!\w|[.,]\d)|(?<!\w){high} uzerinden(?= \d)"
    return re.sub(rf"{meaning}|{of}|\bscale of {high}\b|\b{high}[ -]?point", " ", text)
