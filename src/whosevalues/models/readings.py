"""What a server's answer says about the options: from the tokens that it lists, or from texts that it drew.

Tokens are bytes, as a token may end within a character. An empty one is a part of a character that the server could
not write down; it may begin anything that is not ASCII.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..stats import wilson
from .base import DIGITS, Answer

SPELLINGS = ("as given", "leading space", *DIGITS)


@dataclass(frozen=True)
class Position:
    """One place of an answer: the tokens that a server lists for it.

    Attributes
    ----------
    tokens : per listed token its bytes and its probability.
    chosen : the token that was drawn here, and that what follows follows.
    """

    tokens: tuple[tuple[bytes, float], ...]
    chosen: bytes

    @property
    def unseen(self) -> float:
        """Probability of all tokens that are not listed."""
        return min(max(1 - sum(share for _, share in self.tokens), 0.0), 1.0)

    @property
    def cap(self) -> float:
        """The most that one unlisted token can have; some servers add the drawn token to the most probable ones."""
        return min([self.unseen, *(share for token, share in self.tokens if token != self.chosen)])


def positions(choice) -> list[Position]:
    """Read the listed tokens of a chat completion.

    Parameters
    ----------
    choice : of the completion, as the openai client gives it.

    Returns
    -------
    One position per token of the answer, up to the first for which the server lists no tokens.
    """
    content = getattr(getattr(choice, "logprobs", None), "content", None) or []
    found = []
    for place in content:
        if not place.top_logprobs:
            break
        listed = tuple((_bytes(token), min(math.exp(token.logprob), 1.0)) for token in place.top_logprobs)
        found.append(Position(listed, _bytes(place)))
    return found


def from_tokens(options: Sequence[str], after: Mapping[bytes, Position]) -> tuple[Answer, float]:
    """Turn listed tokens into the options' probabilities.

    Counted for an option is the probability of the listed tokens, or sequences of them, that are one of its
    spellings and are not known to go on to a longer option ("1" to "10"). What the server did not show goes into
    bounds: an unlisted token may be a spelling or begin one, and has at most the probability of the last one listed; a
    listed token that begins a longer option ("1", a lone space) may become it, unless that one is listed as a token of
    its own: a tokenizer that has "10" does not write it as "1" and "0".

    Parameters
    ----------
    options : distinct, not empty.
    after : by what has been said so far, the position that follows; b"" is the beginning.

    Returns
    -------
    An answer with `raw` (None for an option whose first spelling is not listed), `probability`, `missing_mass`, `low`
    and `high` (bounds of `probability`), `top`; or a refusal where no option is listed, with the least `missing_mass`
    that this leaves. Beside it the largest probability of a listed token that might become several things, 0 where it
    matters little (less than a tenth of what is on the options): worth another look at what follows it.
    """
    reading = _Reading(options, after)
    reading.visit(b"", 1.0, None)
    shown = [[_text(token), p] for token, p in sorted(after[b""].tokens, key=lambda listed: -listed[1])[:5]]
    own = [max(share, 0.0) for share in reading.own]
    total = sum(own)
    doubt = reading.doubt if reading.doubt >= total / 10 else 0.0
    if not total > 0:
        said = ", ".join(repr(text) for text, _ in shown)
        reason = f"no option of {', '.join(options)} is among the tokens that the server lists: {said}"
        return refusal(reason, 1 - min(reading.most, 1.0), shown), doubt
    low = [min(max(share, 0.0), 1.0) for share in reading.low]
    high = [min(max(share, 0.0), 1.0) for share in reading.high]
    raw = [reading.reached.get(option.encode()) for option in options]
    return {
        "raw": [math.log(share) if share else None for share in raw],
        "probability": [share / total for share in own],
        "missing_mass": min(max(1 - total, 0.0), 1.0),
        "low": [_share(low[i], sum(high) - high[i], low[i]) for i in range(len(own))],
        "high": [_share(high[i], sum(low) - low[i], 0.0) for i in range(len(own))],
        "top": shown,
    }, doubt


class _Reading:
    """The walk over what is listed: per option its probability and bounds, before renormalising; `most`, what all may
    have together beyond what is counted (an unlisted token is one of them only)."""

    def __init__(self, options: Sequence[str], after: Mapping[bytes, Position]):
        self.after, self.spelt, self.reached, self.doubt = after, _spelt(options), {}, 0.0
        self.own, self.low, self.high = ([0.0] * len(options) for _ in range(3))
        self.most = 0.0

    def visit(self, said: bytes, share: float, inside: int | None) -> None:
        """Distribute the probability of what was said so far, itself an option or not, over what follows it."""
        place = self.after[said]
        ahead = self._ahead(said, place)
        for token, conditional in place.tokens:
            whole, p = said + token, share * conditional
            exact = self.spelt.get(whole) if token else None
            longer = {option for left, option in ahead.items() if _begins(token, left)} - {exact}
            followed = bool(longer) and bool(token) and whole in self.after
            if exact is not None:
                self.reached[whole] = p
                self._add(exact, p, p, p)
                if inside is not None:
                    self._add(inside, -p, -p, -p)
            elif longer and inside is not None and not followed:
                self._add(inside, 0, -p, 0)
            if followed:
                self.visit(whole, p, inside if exact is None else exact)
            elif longer:
                self.doubt = max(self.doubt, p if token else 0.0)
                self.most += p
                for option in longer:
                    self._add(option, 0, 0, p)
                if exact is not None:
                    self._add(exact, 0, -p, 0)
        self._unlisted(ahead, share, place, inside)

    def _unlisted(self, ahead: dict[bytes, int], share: float, place: Position, inside: int | None) -> None:
        listed = {token for token, _ in place.tokens}
        room = dict.fromkeys(ahead.values(), 0.0)
        for left, option in ahead.items():
            # Any unlisted beginning may have had the probability of the last listed token.
            ways = sum(left[:end] not in listed for end in range(1, len(left) + 1))
            blank = b"" in listed and not left.isascii()
            room[option] += place.unseen if blank else ways * place.cap
        for option, most in room.items():
            self._add(option, 0, 0, share * min(most, place.unseen))
        together = share * min(sum(room.values()), place.unseen)
        self.most += together
        if inside is not None:
            self._add(inside, 0, -together, 0)

    def _ahead(self, said: bytes, place: Position) -> dict[bytes, int]:
        """What is left to say of each spelling that begins so and is not listed here in one piece."""
        listed = {said + token for token, _ in place.tokens if token}
        ahead = {spelling: option for spelling, option in self.spelt.items() if spelling not in listed | {said}}
        return {spelling[len(said) :]: option for spelling, option in ahead.items() if spelling.startswith(said)}

    def _add(self, option: int, own: float, low: float, high: float) -> None:
        self.own[option] += own
        self.low[option] += low
        self.high[option] += high


def from_texts(options: Sequence[str], texts: Sequence[str]) -> Answer:
    """Turn drawn texts into the options' shares.

    Parameters
    ----------
    options : distinct, not empty.
    texts : what the model said, at least one.

    Returns
    -------
    An answer with `raw` (None), `probability` (share among the texts that name an option), `missing_mass` (share of
    the other texts: refusals, anything else), `low` and `high` (Wilson interval of `probability`, 95%), `n` (texts),
    `top` (the five most frequent texts with their shares); or a refusal where no text names an option.

    Examples
    --------
    >>> answer = from_texts(["1", "2"], ["1", "1.", "٢", "I cannot say"])
    >>> [round(share, 3) for share in answer["probability"]], answer["missing_mass"]
    ([0.667, 0.333], 0.25)
    """
    chosen = Counter(choice(text, options) for text in texts)
    named = len(texts) - chosen[None]
    top = [[text, count / len(texts)] for text, count in Counter(texts).most_common(5)]
    if not named:
        reason = f"none of {len(texts)} answers begins with an option; the most frequent: {top[0][0][:80]!r}"
        return refusal(reason, 1.0, top) | {"n": len(texts)}
    bounds = [wilson(chosen[option], named) for option in options]
    return {
        "raw": None,
        "probability": [chosen[option] / named for option in options],
        "missing_mass": chosen[None] / len(texts),
        "low": [low for low, _ in bounds],
        "high": [high for _, high in bounds],
        "n": len(texts),
        "top": top,
    }


def refusal(reason: str, missing_mass: float, top: list) -> Answer:
    """Answer that the model chose no option: final, unlike an error.

    Parameters
    ----------
    reason : what the model said instead.
    missing_mass : the least probability, in [0, 1], of anything but the options.
    top : of what was said, [text, probability].

    Returns
    -------
    `refused` (the reason), `missing_mass`, `top`; None for all that is a number per option.
    """
    unknown = dict.fromkeys(("raw", "probability", "low", "high"))
    return {"refused": reason, **unknown, "missing_mass": missing_mass, "top": top}


def choice(text: str, options: Sequence[str]) -> str | None:
    """Find the option that a text begins with.

    Parameters
    ----------
    text : what a model said.
    options : answer keys or words.

    Returns
    -------
    The longest option that is the first thing said, digits in any of three scripts, quotes and brackets passed over;
    None for anything else. A number is the whole number: neither "1.5" nor "12" says "1". A single letter that goes on
    into a sentence ("A lot of people ...") is no answer.

    Examples
    --------
    >>> choice("**۱۰** of 10", ["1", "10"]), choice("1.5", ["1", "2"]), choice("A lot", ["A", "B"])
    ('10', None, None)
    """
    # Both sides in Latin digits, so that "٣" answers "3" and "3" answers "٣".
    said = _latin(text).lstrip(" \t\r\n\"'`*_([{<«“”‘’„").casefold()
    for option in sorted(options, key=len, reverse=True):
        plain = _latin(option).casefold()
        left = said[len(plain) :]
        if not said.startswith(plain) or re.match(r"\w", left):
            continue
        if plain[-1].isdigit() and re.match(r"[.,]\d", left):
            continue
        if len(plain) == 1 and plain.isalpha() and re.match(r"['’]|[^\S\n]+\w", left):
            continue
        return option
    return None


def _spelt(options: Sequence[str]) -> dict[bytes, int]:
    """Whose spelling it is: the options as given first, then what nobody has yet."""
    spelt = {option.encode(): i for i, option in enumerate(options)}
    for i, option in enumerate(options):
        written = [f" {option}"]
        if option.isascii() and option.isdigit():
            written += [option.translate(str.maketrans("0123456789", digits)) for digits in DIGITS.values()]
        for text in written:
            spelt.setdefault(text.encode(), i)
    return spelt


def _begins(token: bytes, left: bytes) -> bool:
    """Whether a token is a beginning of what is left to say, and not all of it."""
    return left.startswith(token) and len(token) < len(left) if token else not left.isascii()


def _share(part: float, others: float, least: float) -> float:
    others = min(others, 1 - least)
    return part / (part + others) if part > 0 else 0.0


def _bytes(token) -> bytes:
    given = getattr(token, "bytes", None)
    if given is not None:
        return bytes(given)
    # Half a character comes as nothing at all, or as the mark of what cannot be read.
    return b"" if "\ufffd" in (token.token or "") else (token.token or "").encode(errors="ignore")


def _text(token: bytes) -> str:
    return token.decode(errors="replace")


def _latin(text: str) -> str:
    digits = "".join(DIGITS.values())
    return text.translate(str.maketrans(digits, "0123456789" * 2))
