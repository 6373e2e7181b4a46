"""The contract between the compendium and any model: the questions that can be put to it.

A backend answers those it can and says so of the others. Every method takes a stream of questions, as many of them at
a time as it likes, and yields each answer as soon as it is known: its question's position in the stream, from 0, and a
dictionary. A refusal is an answer, too: ``refused`` says why there is no more of it. A question that was not answered
now, but may be another time, has the single key ``error``, with the reason: an error is never an answer. Where the
stream ends early, what is under way is still answered.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .. import UserError

Answer = dict[str, Any]
DIGITS = {"arabic digits": "٠١٢٣٤٥٦٧٨٩", "persian digits": "۰۱۲۳۴۵۶۷۸۹"}
"""Scripts in which a number may be said, too."""

PROOF = 3
"""Questions that settle how a server's option scores can be taken: one or two may be odd."""

QUESTIONS = ("option_scores", "completion_scores", "generate", "structured")
Answers = Iterator[tuple[int, Answer]]
"""Positions of questions with their answers, in any order."""


@dataclass(frozen=True)
class Decoding:
    """How text is generated.

    Attributes
    ----------
    temperature : 0 means greedy: always the most probable token.
    top_p : nucleus in (0, 1]; without effect when greedy.
    max_tokens : at most this many new tokens, > 0.
    stop : generation ends before the first of these strings.
    seed : of the sampling; two samples of one prompt differ by their seed.
    """

    temperature: float = 0.0
    top_p: float = 1.0
    max_tokens: int = 256
    stop: tuple[str, ...] = ()
    seed: int = 0


class Model:
    """One measured model; each backend is a subclass.

    Attributes
    ----------
    name : as in models.yml.
    measurement : 'logprob' where probabilities are read from the model, 'sampled' where they are shares of answers; an
        answer may carry its own.
    in_flight : whether several questions are under way at once and cost money, so that an interrupted run should wait
        for their answers.
    """

    name: str = "model"
    measurement: str = "logprob"
    in_flight: bool = False

    @property
    def fingerprint(self) -> dict[str, Any]:
        """Everything that makes two measurements comparable: weights and revision, backend, dtype, template."""
        raise UserError(f"model '{self.name}' has no fingerprint, so its answers could not be told from others'")

    @property
    def answers_to(self) -> list[str]:
        """The kinds of questions that this backend can answer."""
        own = [kind for kind in QUESTIONS if getattr(type(self), kind) is not getattr(Model, kind)]
        return own + ["structured"] if "generate" in own and "structured" not in own else own

    def render(self, prompt: str) -> str:
        """Write the prompt as the model reads it, chat template and all."""
        return prompt

    def at_most(self, prompt: str, asked: object) -> tuple[int, int]:
        """Bound the tokens that one question can take.

        Parameters
        ----------
        prompt : the question.
        asked : its options, completion, decoding or schema.

        Returns
        -------
        Tokens in (no tokenizer makes more than one of a byte) and tokens out.
        """
        return len(prompt.encode()), asked.max_tokens if isinstance(asked, Decoding) else 1

    def option_scores(self, questions: Iterable[tuple[str, Sequence[str]]]) -> Answers:
        """How probable is each option as the answer?

        Parameters
        ----------
        questions : prompts, with the options shown in them, and the options to score, at least two.

        Yields
        ------
        `probability`, per option in [0, 1], that the answer is this option and no longer one, summed over its
        spellings and renormalised over the options; `missing_mass`, 1 minus their sum before that; `raw`, per option
        the summed log-probability of its tokens (natural logarithm), None where answers were sampled; `low` and
        `high`, per option bounds of the probability where it is not known exactly; `n`, how many answers were
        sampled; `top`, the most probable first tokens as (text, probability); `prompt_tokens`, `completion_tokens`.
        """
        raise UserError(f"model '{self.name}' cannot score options: its backend answers other questions only")

    def completion_scores(self, questions: Iterable[tuple[str, str]]) -> Answers:
        """How probable is this text after that one?

        Parameters
        ----------
        questions : contexts, and for each a text that may follow.

        Yields
        ------
        `logprob`, summed over the completion's tokens (natural logarithm), `tokens`, how many, and `prompt_tokens`.
        """
        raise UserError(f"model '{self.name}' cannot score texts: its backend answers other questions only")

    def generate(self, questions: Iterable[tuple[str, Decoding]]) -> Answers:
        """What does the model say?

        Parameters
        ----------
        questions : prompts, and how to go on from each.

        Yields
        ------
        `text`; `finish_reason`, 'stop' or 'length'; `prompt_tokens` and `completion_tokens`.
        """
        raise UserError(f"model '{self.name}' cannot generate text: its backend answers other questions only")

    def structured(self, questions: Iterable[tuple[str, dict[str, Any]]]) -> Answers:
        """What does the model say, in a given form?

        Parameters
        ----------
        questions : prompts, and for each the JSON schema of the answer.

        Yields
        ------
        `value`, which fits the schema; `repaired`, whether the first answer did not; `prompt_tokens` and
        `completion_tokens`.
        """
        from .structured import answers

        return answers(self, questions)

    def remember(self, kinds: Mapping[tuple[str, ...], str]) -> None:
        """Keep to the measurement, by options, that earlier runs have settled on."""

    def drift(self, questions: Sequence[tuple[str, Sequence[str]]]) -> dict[str, Any] | None:
        """How far do rounded weights move the option scores? None for a model that rounds nothing."""
        return None


def collect(answers: Answers) -> list[Answer]:
    """Put answers into the order of their questions.

    Parameters
    ----------
    answers : of a model.

    Returns
    -------
    One answer per question.

    Examples
    --------
    >>> collect(iter([(1, {"text": "two"}), (0, {"text": "one"})]))
    [{'text': 'one'}, {'text': 'two'}]
    """
    return [answer for _, answer in sorted(answers, key=lambda pair: pair[0])]


def digest(value: object) -> str:
    """Hash anything that can be written as JSON.

    Parameters
    ----------
    value : numbers, strings, lists, dictionaries; data classes too.

    Returns
    -------
    32 hexadecimal digits, the same for equal values in every run.

    Examples
    --------
    >>> digest({"b": 1, "a": (2,)}) == digest({"a": [2], "b": 1})
    True
    """
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=asdict)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def exclusive(probability: dict[tuple[int, ...], float]) -> dict[tuple[int, ...], float]:
    """Turn the probability that an answer begins with some tokens into the probability that it is no longer option.

    Where one option's tokens begin another's ("1" and "10" as two tokens), the longer one's share is subtracted.

    Parameters
    ----------
    probability : by token sequence, the product of its tokens' probabilities.

    Returns
    -------
    The same keys; each value less those of its nearest extensions among the keys.

    Examples
    --------
    >>> exclusive({(1,): 0.5, (1, 0): 0.25, (1, 0, 0): 0.125, (2,): 0.25})
    {(1,): 0.25, (1, 0): 0.125, (1, 0, 0): 0.125, (2,): 0.25}
    """
    own = dict(probability)
    for longer, share in probability.items():
        begun = [shorter for shorter in probability if len(shorter) < len(longer) and longer[: len(shorter)] == shorter]
        if begun:
            own[max(begun, key=len)] -= share
    return own


def renormalise(names: Sequence[str], own: Sequence[float]) -> Answer:
    """Turn the options' probabilities into shares of what fell on any option.

    Parameters
    ----------
    names : the options.
    own : their probabilities, in [0, 1], with sum at most 1.

    Returns
    -------
    `probability` and `missing_mass`; where no option has any probability, no `probability`, and why in `refused`.
    """
    total = float(sum(own))
    if not total > 0:
        reason = f"none of the options {', '.join(names)} has any probability"
        return {"refused": reason, "probability": None, "missing_mass": 1.0}
    return {"probability": [max(p, 0.0) / total for p in own], "missing_mass": min(max(1 - total, 0.0), 1.0)}
