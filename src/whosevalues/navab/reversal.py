"""Reverse a sentence by rules: its contrary on the same topic, and a question that takes neither side.

The paper has a large language model write the question and the reverse statement (summary, Method Summary). These rules
stand in for it where no model is at hand. They know English, turn the first verb of the main clause that they know,
and say what stopped them where they recognise none.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from .clauses import (
    AUXILIARIES,
    MANNER,
    MODALS,
    SPEAKER,
    first_thought,
    is_main,
    opens_clause,
    stands_alone,
    tidy,
    written_small,
)
from .clauses import subject as subject_of


class Reversed(NamedTuple):
    """What the rules made of a sentence.

    Attributes
    ----------
    statement : the contrary of the sentence, '' where no rule applies.
    question : asks which of the two holds, '' where no rule applies.
    rule : which rule was applied, '' where none.
    negated : whether the sentence itself is the one of the two that denies.
    reason : why no rule applies, '' where one does.
    """

    statement: str
    question: str
    rule: str
    negated: bool
    reason: str


class _Turn(NamedTuple):
    """A sentence about to be turned: what stays, what is asked, what stands in place of the verb and all behind it."""

    place: int
    kept: str
    contrary: str
    front: str
    subject: str
    asked: str
    rule: str
    negated: bool


STANCES = {
    "support": "oppose", "oppose": "support", "welcome": "regret", "regret": "welcome", "condemn": "defend",
    "reject": "accept", "accept": "reject", "deplore": "applaud", "applaud": "deplore", "endorse": "reject",
    "favour": "oppose", "favor": "oppose", "uphold": "abandon", "defend": "abandon", "advocate": "argue against",
    "call for": "argue against", "appeal for": "argue against",
}  # fmt: skip
"""Verbs that take a stance, each with its contrary."""

_ASKING = r"(?:call on|call upon|urge|ask|encourage|invite|appeal to)"
_NO_VERB = frozenset(
    [*AUXILIARIES, *MODALS]
    + ["were", "was", "had", "did", "said", "made", "took", "came", "went", "gave", "saw", "held", "met", "set", "put"]
    + ["let", "stood", "found", "began", "and", "of", "in", "to", "the", "for", "at", "on", "with", "ought"]
)
"""Behind a speaker these are no verb in the present tense."""
_MIXED = {
    False: re.compile(
        r",? but (?!we\b|it\b|they\b|the\b|must\b|should\b|also\b)|[, ]not |\bnor\b|\binstead\b|\brather than\b"
    ),
    True: re.compile(r"\bnor\b|\beven less\b|\beither\b|\bbut (?!we\b|it\b|they\b|the\b|must\b|should\b)|\bat all\b"),
}
"""Behind a verb that is denied, behind one that is claimed instead: 'not' would not make the contrary."""
_ANY = {"no one": "anyone", "nobody": "anybody", "nothing": "anything", "no": "any"}


def reverse(sentence: str, lower: Collection[str] = ()) -> Reversed:
    """Turn a sentence into its contrary, and ask which of the two holds.

    Parameters
    ----------
    sentence : English.
    lower : words known to be written small; the sentence's first word is, inside a question, if it is one of them or
        one of the most common.

    Returns
    -------
    The contrary, the question, and by which rule; or why there is none.

    Examples
    --------
    >>> turned = reverse("Nuclear weapons must be abolished.", lower=["nuclear"])
    >>> turned.statement, turned.question
    ('Nuclear weapons must not be abolished.', 'Should nuclear weapons be abolished?')
    >>> reverse("We strongly condemn terrorism in all its forms.")[:2]
    ('We strongly defend terrorism in all its forms.', 'Is it right to condemn terrorism in all its forms?')
    >>> reverse("Peace, above all.").reason
    'no main verb that a rule can turn'
    """
    sentence = " ".join(sentence.split())
    turn = _first(_values(sentence)) or _first(_facts(sentence))
    if reason := _unsuitable(sentence) or _unturnable(turn):
        return Reversed("", "", "", False, reason)
    question = " ".join(f"{turn.front} {written_small(turn.subject, lower)} {first_thought(turn.asked)}".split()) + "?"
    return Reversed(tidy(f"{turn.kept} {turn.contrary}"), question, turn.rule, turn.negated, "")


def _unsuitable(sentence: str) -> str:
    if sentence.endswith("?"):
        return "a question, not a statement"
    if sentence.count('"') % 2 or sentence.count("“") != sentence.count("”"):
        return "a quotation is cut off"
    if re.match(r"(?:should|had|were) \w+ ", sentence, re.IGNORECASE):
        return "begins with an inverted condition"
    if re.search(r"\d{2}-\d{5}", sentence):
        return "the number of a page stands in it"
    return ""


def _unturnable(turn: _Turn | None) -> str:
    if turn is None:
        return "no main verb that a rule can turn"
    if _MIXED[turn.negated].search(turn.asked):
        return "a 'but', 'not' or 'nor' behind the verb: turned, it would say something else"
    if turn.subject is None:
        return "its subject was not found, so nothing can be asked"
    return ""


def _first(turns: Iterable[_Turn]) -> _Turn | None:
    return min(turns, key=lambda turn: turn.place, default=None)


def _values(sentence: str) -> Iterator[_Turn]:
    """What a sentence says that ought to be, and what it takes a stance on."""
    yield from _stances(sentence)
    yield from _requests(sentence)
    for found in _verbs(rf"\b(?:{'|'.join(MODALS)})\b", sentence):
        yield _denied(sentence, found, MODALS[found[0]], "modal")
    for found in _verbs(r"(?<!\bthe )(?<!\ba )(?<!\bno )\bneeds? to\b", sentence):
        if opens_clause(sentence, found.start(), "(?:we|I|it|they|he|she|you)"):
            yield _with_do(sentence, found.start(), "needs" in found[0], "need to" + sentence[found.end() :], "need")
    if found := re.match(r"(?P<lead>(?:\w+[, ]+){0,4})(?P<let>[Ll]et) us (?P<no>not )?", sentence):
        rest, kept = sentence[found.end() :], f"{found['lead']}{found['let']} us"
        contrary = rest if found["no"] else f"not {rest}"
        yield _Turn(found.start(), kept, contrary, "Should", "we", rest, "appeal", bool(found["no"]))


def _facts(sentence: str) -> Iterator[_Turn]:
    """What it says that is, or that its speaker does."""
    quality = next(_qualities(sentence), None)
    if quality:
        yield quality
        return
    for found in _verbs(rf"\b(?:{'|'.join(AUXILIARIES)})\b", sentence):
        if stands_alone(found[0], sentence[found.end() :]):
            yield _denied(sentence, found, found[0].capitalize(), "auxiliary")
    for found in _verbs(rf"(?P<who>\b{SPEAKER}) (?P<how>{MANNER})(?P<verb>[a-z]+)\b", sentence):
        verb, one = found["verb"], found["who"].lower() not in ("we", "i")
        third = verb.endswith("s") and not verb.endswith("ss")
        if (
            third == one
            and opens_clause(sentence, found.start())
            and verb not in _NO_VERB
            and not verb.endswith(("ed", "ly", "ing"))
        ):
            base = re.sub(r"(?<=sh|ch|ss)es$|s$", "", verb) if third else verb
            asked = f"{found['how']}{base}{sentence[found.end() :]}"
            yield _with_do(sentence, found.end("who") + 1, third, asked, "present")


def _verbs(pattern: str, sentence: str) -> Iterator[re.Match[str]]:
    return (found for found in re.finditer(pattern, sentence) if is_main(sentence, found))


def _stances(sentence: str) -> Iterator[_Turn]:
    verbs = "|".join(sorted(STANCES, key=len, reverse=True))
    for found in _verbs(rf"(?i)\b{SPEAKER} {MANNER}(?P<verb>{verbs})(?P<s>s?) (?!to\b)", sentence):
        verb, rest = found["verb"].lower(), sentence[found.end() :]
        first, space, particle = STANCES[verb].partition(" ")
        contrary = f"{first}{found['s']}{space}{particle} {rest}"
        asked = f"{verb} {first_thought(rest)}"
        kept = sentence[: found.start("verb")]
        yield _Turn(found.start(), kept, contrary, "Is it right to", "", asked, "stance", False)


def _requests(sentence: str) -> Iterator[_Turn]:
    pattern = rf"(?i)\b{SPEAKER} {MANNER}{_ASKING}s? (?P<whom>[^,;:]{{2,90}}?) (?P<to>not to|to) (?=[a-z]+\b)"
    for found in _verbs(pattern, sentence):
        no, rest = found["to"] == "not to", sentence[found.end() :]
        kept, contrary = sentence[: found.start("to")], f"{'to' if no else 'not to'} {rest}"
        yield _Turn(found.start(), kept, contrary, "Should", found["whom"], rest, "request", no)


def _qualities(sentence: str) -> Iterator[_Turn]:
    pattern = r"\b(?P<verb>is|are|was|were) (?:\w+ly )?(?P<no>un|in)?(?P<quality>acceptable|tolerable)\b(?!,| and| or)"
    for found in _verbs(pattern, sentence):
        asked = found["quality"] + sentence[found.end() :]
        prefix = "" if found["no"] else {"acceptable": "un", "tolerable": "in"}[found["quality"]]
        kept, contrary = sentence[: found.start()], f"{found['verb']} {prefix}{asked}"
        subject, front = subject_of(sentence, found.start()), found["verb"].capitalize()
        yield _Turn(found.start(), kept, contrary, front, subject, asked, "quality", bool(found["no"]))


def _denied(sentence: str, found: re.Match[str], front: str, rule: str) -> _Turn:
    """Deny what is claimed, claim what is denied."""
    verb, rest, subject = found[0], sentence[found.end() :].lstrip(), subject_of(sentence, found.start())
    kept, place = sentence[: found.start()], found.start()
    if nobody := re.match(r"(no one|nobody|nothing|no)\b", subject or "", re.IGNORECASE):
        anybody = _ANY[nobody[0].lower()] + subject[nobody.end() :]
        lead = kept.rstrip()[: -len(subject)]
        kept = lead + (anybody if lead else anybody[0].upper() + anybody[1:])
        contrary = f"{'may' if rule == 'modal' else verb} {rest}"
        return _Turn(place, kept, contrary, front, anybody, rest, f"{rule}, no one", True)
    no = re.match(r"(?:(?:therefore|thus|also|then) )?(?P<no>not|never|no longer)\b", rest)
    if verb == "cannot" or no:
        rest = re.sub(r"\bany(?=one\b|body\b|thing\b|\b)", "some", rest[no.end() :].lstrip() if no else rest)
        still = "still " if no and no["no"] == "no longer" else ""
        contrary = f"{'can' if verb == 'cannot' else verb} {still}{_also(rest)}"
        return _Turn(place, kept, contrary, front, subject, still + rest, rule, True)
    if none := re.match(r"(?P<be>be )?no (?!longer\b|one\b)", rest):
        be, rest = none["be"] or "", rest[none.end() :]
        contrary = f"{'may' if be else verb} {be}some {rest}"
        return _Turn(place, kept, contrary, front, subject, f"{be}any {rest}", rule, True)
    so = re.match(r"(?P<kept>therefore |thus |then )?(?:(?:also|all|always|now|once again|again|still) )?", rest)
    rest = rest[so.end() :]
    verb = {"can": "cannot", "ought to": "ought not to"}.get(verb, f"{verb} {so['kept'] or ''}not")
    return _Turn(place, kept, f"{verb} {_also(rest)}", front, subject, rest, rule, False)


def _with_do(sentence: str, place: int, third: bool, asked: str, rule: str) -> _Turn:
    """Deny a verb in the present tense, of one or of several."""
    do, subject = "does" if third else "do", subject_of(sentence, place)
    return _Turn(place, sentence[:place], f"{do} not {asked}", do.capitalize(), subject, asked, rule, False)


def _also(rest: str) -> str:
    """Turn what is said of the same subject further on, too: 'must hear and must act'."""
    again = r"(?<!\bcan)(?<!\bwill)(?P<and>(?:, | )(?:and|but) (?:we |it |they )?)"
    pattern = again + "(?P<verb>must|should) (?P<no>not |never )?"
    return re.sub(pattern, lambda found: f"{found['and']}{found['verb']} {'' if found['no'] else 'not '}", rest)
