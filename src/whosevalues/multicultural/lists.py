"""An enumerated list of ten answers, taken out of what a model said."""

from __future__ import annotations

import re

_MARKER = re.compile(r"(?m)^[^\w\n]*(?:[^\W\d_]+[ \t]+)?(\d{1,2})[ \t]*[*_]*[.):\]][*_]*(?=\s|[*_\"“])")
_INLINE = re.compile(r"(?<!\S)(\d{1,2})[.)](?=\s)")
_NAME_ALONE = re.compile(r"[^\n]*:[*_\s]*|[*_]+\w*")
_EDGES = " \t\n*_\"“”„'‘’-–:#"


def parse(text: str) -> tuple[str, ...]:
    """Take the answers out of a numbered list.

    Items are numbered from 1 and may stand in one line; a second list, headings and a closing remark are left out, and
    so is a last item that was cut off after a name, before it says anything.

    Parameters
    ----------
    text : what the model said.

    Returns
    -------
    At most ten answers, without numbers, quotes and emphasis around them; items without a letter are left out.

    Examples
    --------
    >>> parse('Here they are:\\n\\n**1.** "Yes, always."\\n2) No.\\n\\nNote: 1 of 2 agrees.')
    ('Yes, always.', 'No.')
    >>> parse("I would rather not say.")
    ()
    """
    lines = _entries(text, _MARKER)
    found = lines if len(lines) > 1 else max(lines, _entries(text, _INLINE), key=len)
    bare = (" ".join(re.sub(r"[*_]{2,}", "", entry).split()).strip(_EDGES) for entry in found)
    kept = (re.sub(r"^(?:\d+[.)]\s*)+", "", entry).strip(_EDGES) for entry in bare)
    return tuple(answer for answer in kept if re.search(r"[^\W\d_]", answer))


def _entries(text: str, marker: re.Pattern[str]) -> list[str]:
    """Cut a text at the numbers 1, 2, ... that a pattern finds, one after the other."""
    marks = list(marker.finditer(text))
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    entries: list[str] = []
    for mark, end in zip(marks, ends, strict=False):
        if int(mark[1]) == len(entries) + 1 <= 10:
            entries.append(text[mark.end() : end].strip())
    if entries:
        # Nothing ends the last item but an empty line; after a name alone the item goes on below it.
        paragraphs = entries[-1].split("\n\n")
        kept = 2 if paragraphs[0].rstrip("*_ ").endswith(":") else 1
        entries[-1] = "\n".join(paragraphs[:kept])
        if _NAME_ALONE.fullmatch(entries[-1]):
            entries.pop()
    return entries
