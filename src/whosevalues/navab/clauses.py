"""The parts of an English sentence that the rules of reversal need: its main verb, its subject, its first thought."""

from __future__ import annotations

import re
from collections.abc import Iterable

MODALS = {"must": "Should", "should": "Should", "ought to": "Should", "shall": "Should", "cannot": "Can"}
"""Verbs that say what ought to be, and how the question opens."""

AUXILIARIES = ("is", "are", "was", "were", "am", "will", "can", "may", "has", "have", "had", "does", "do", "did")
AUXILIARIES += ("would", "could")
VERB = rf"\b(?:{'|'.join([*AUXILIARIES, *MODALS])})\b"

SPEAKER = (
    r"(?:we|I|China|France|Germany|America|Britain|(?:the )?United (?:States|Kingdom)|my (?:country|Government)|"
    r"the (?:German|French|British|Chinese|American|United Kingdom|United States) Government)"
)
MANNER = r"(?:(?:\w+ly|also|all|always|now|once again|again|still|therefore|thus|further|hereby) )*"

_ADVERB = r"then|therefore|thus|now|here|however|hence|or|believe|hope|think|know|say|\w+ly"
_PARTICIPLE = r"(?:\w+ed|been|made|shown|taken|become|given|led|done|put|come|gone|won|built|begun|set|kept|held|seen)"
# Near a verb these keep 'not' from making the contrary: 'must only', 'not only ... but also'.
_HALF = re.compile(
    r"\b(?:only|neither|nor|either|at least|at most|hardly|barely|few|little|both|"
    r"not (?:just|merely|simply)|but also)\b",
    re.IGNORECASE,
)
_SUBORDINATE = re.compile(
    r"\b(?:which|who|whom|whose|what|how|why|if|when|whenever|where|wherever|because|since|while|whereas|although|"
    r"though|unless|until|than|as|whether|so that|after|before|once|nor)\b",
    re.IGNORECASE,
)
_SAYING = re.compile(
    r"\b(?:believes?|holds?|insists?|maintains?|says?|said|agreed?|stress(?:es)?|emphasizes?|reaffirms?|reiterates?|"
    r"thinks?|convinced|clear|means?|demands?|requires?|ensures?|confident|certain|feels?|concludes?|repeat|recall|"
    r"underlines?|knows?|shows?|proposes?|is|idea|view|principle|belief|fact|conviction|hopes?|urges?) that$",
    re.IGNORECASE,
)
_BREAK = r"[,;:—–…*]\s?|\. |\s-\s| that "
_INTRO = re.compile(
    r"^(?:(?:and|but|so|yet|or|for|therefore|thus|moreover|finally|first|firstly|secondly|thirdly|rather|indeed),? )+",
    re.IGNORECASE,
)
_PRONOUN = re.compile(
    r"\b(?:we|I|he|she|you|they|no one|nobody)$|^there$|(?<=\band )there$|(?<=\bbut )there$|"
    r"(?<!\bto )(?<!\bof )(?<!\bin )(?<!\bfor )(?<!\bwith )(?<!\bon )(?<!\bfrom )(?<!\ball )\b(?:it|this)$",
    re.IGNORECASE,
)
_LIST = re.compile(r"(?:[^,;:—–]+, ){2,}\w+(?: \w+){0,2},? and \w+(?: \w+){0,2}$")
_STOP = re.compile(
    r", ?|[;:—–] ?|\. | (?:and|but) (?=(?:[\w’-]+ ){0,6}?(?:must|should)\b|(?:we|it|they|there|I)\b|"
    r"(?:\w+ly )?(?:stands|defends|supports|opposes|continues|remains|believes|calls|will|is)\b)|"
    r"(?: (?:in|of|to|for|on|by|from|with|at|under))? (?:because|so that|which|while|since|where|whereby|whom)\b"
)
_UNFINISHED = re.compile(r"\b(?:that|and|or|of|in|to|the|an?|by|with|for|on|from|at|as|is|are|be|not)$")
_SMALL = re.compile(
    r"(?:we|our|the|an?|this|that|these|those|all|any|some|every|each|its?|they|their|there|such|no|both|everyone|what|"
    r"only|he|his|she|her|your?|my|many|most|other|nobody|nothing|any(?:one|thing|body)|in|one|states|nations|countries|"
    r"people|peace|development|human)$",
    re.IGNORECASE,
)


def is_main(sentence: str, found: re.Match[str]) -> bool:
    """Tell whether a verb is the main clause's, or of what that clause says, and can be denied.

    Parameters
    ----------
    sentence : the whole of it.
    found : where the verb stands.

    Returns
    -------
    False in a quotation, in a subordinate clause, or beside a word like 'only', which 'not' would not turn.
    """
    before = sentence[: found.start()]
    clause = re.split(r"[,;:—–]", before)[-1]
    near = before[-25:] + found[0] + sentence[found.end() :][:25]
    if before.count("“") > before.count("”") or _SUBORDINATE.search(clause) or _HALF.search(near):
        return False
    that = clause.rfind(" that ")
    return that < 0 or bool(_SAYING.search(clause[: that + 5]))


def opens_clause(sentence: str, place: int, subject: str = "") -> bool:
    """Tell whether a short subject opens a clause of its own, and not one that hangs on a noun: 'the funds it needs'.

    Parameters
    ----------
    sentence : the whole of it.
    place : where the subject begins, or where it ends if it is given.
    subject : pattern of subjects to look at; others pass.

    Returns
    -------
    False directly behind a noun.
    """
    before = sentence[:place].rstrip()
    if subject:
        found = re.search(rf"\b{subject}(?: also| all)?$", before, re.IGNORECASE)
        if not found:
            return True
        before = before[: found.start()].rstrip()
    return not before or bool(
        re.search(rf"(?:[,;:—–.”]|\b(?:and|but|so|that|yet|also|today|{_ADVERB}))$", before, re.IGNORECASE)
    )


def stands_alone(verb: str, after: str) -> bool:
    """Tell whether an auxiliary can be denied as it stands.

    Parameters
    ----------
    verb : one of `AUXILIARIES`.
    after : the rest of the sentence.

    Returns
    -------
    False where 'has' or 'does' helps no other verb, and in 'it is because ...'.
    """
    if verb in ("do", "does", "did"):
        return after.startswith(" not ")
    if verb in ("has", "have", "had"):
        return bool(re.match(rf" (?:\w+ly |also |always |not |never |no longer )?{_PARTICIPLE}\b", after))
    return not re.match(r" (?:that|because|what|why|how|where|when|not (?:because|that)|(?:very )?clear ?[:—–])", after)


def subject(sentence: str, place: int) -> str | None:
    """Find whose the verb is: the words from the last break to it.

    Parameters
    ----------
    sentence : the whole of it.
    place : where its verb begins.

    Returns
    -------
    The subject; None where none is found, or another verb stands among its words.

    Examples
    --------
    >>> subject("In our time, all States must act.", 24)
    'all States'
    """
    before = sentence[:place].rstrip()
    found = re.split(_BREAK, before)[-1].strip()
    found = re.sub(r"(?: (?:also|therefore|thus|now|still|all|always|[a-z]{4,}ly))+$", "", found)
    if pronoun := _PRONOUN.search(found):
        return pronoun[0]
    listed = _LIST.search(before)
    found = _INTRO.sub("", listed[0] if listed else found)
    if re.search(VERB, found):
        found = re.split(r" and | but ", found)[-1]
    astray = re.search(rf"{VERB}|^(?:to|in|on|at|for|with|of|by|from|and|or) ", found, re.IGNORECASE)
    return None if astray or not found or len(found.split()) > 18 else found


def first_thought(rest: str) -> str:
    """Give as much of what follows a verb as a question needs.

    Parameters
    ----------
    rest : what follows.

    Returns
    -------
    It up to its first natural end, at least three words where it has them.

    Examples
    --------
    >>> first_thought("be open, fair and just, because the world is watching.")
    'be open, fair and just'
    """
    rest = rest.strip().rstrip(".!;:")
    for stop in _STOP.finditer(rest):
        before, after = rest[: stop.start()], rest[stop.end() :]
        count = len(before.split())
        within = stop[0].startswith(",") and re.match(r"\w+(?:, \w+)*,? (?:and|or) ", after)
        clear = stop[0][0] in ";:—–." or re.match(r",? ?(?:and|but|as|for|so|which) ", stop[0] + after)
        if (count >= 3 or count and clear) and not within and not _UNFINISHED.search(before):
            return before
    return rest


def written_small(subject: str, lower: Iterable[str]) -> str:
    """Write a sentence's beginning as it is written inside one.

    Parameters
    ----------
    subject : with a capital, perhaps.
    lower : words known to be written small.

    Returns
    -------
    The same with a small first letter if its first word is common or among those.
    """
    first, space, rest = subject.partition(" ")
    small = _SMALL.match(first) and first != "I" or first.lower().split("-")[0] in lower
    return (first.lower() if small else first) + space + rest


def tidy(text: str) -> str:
    """Put one space between words and none before a stop."""
    return re.sub(r" +([,.;:!])", r"\1", " ".join(text.split()))
