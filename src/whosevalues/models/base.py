"""The contract between the compendium and any model: three questions that can be put to it.

A backend answers those it can and says so of the others. Every method takes many questions and gives back one
dictionary per question, in order. A question that got no usable answer has the single key ``error``, with the reason:
an error is never an answer.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .. import UserError

Answer = dict[str, Any]


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
    measurement : 'logprob' where probabilities are read from the model, 'sampled' where they are shares of answers.
    """

    name: str = "model"
    measurement: str = "logprob"

    @property
    def fingerprint(self) -> dict[str, Any]:
        """Everything that makes two measurements comparable: weights and revision, backend, dtype, template."""
        raise UserError(f"model '{self.name}' has no fingerprint, so its answers could not be told from others'")

    def render(self, prompt: str) -> str:
        """Write the prompt as the model reads it, chat template and all."""
        return prompt

    def option_scores(self, prompts: Sequence[str], options: Sequence[Sequence[str]]) -> list[Answer]:
        """How probable is each option as the answer?

        Parameters
        ----------
        prompts : the questions, with their options shown.
        options : per prompt the answers to score, at least two.

        Returns
        -------
        Per prompt: `raw`, per option the summed log-probability of its tokens (natural logarithm);
        `probability`, per option in [0, 1], that the answer is this option and no longer one, summed over its
        spellings and renormalised over the options; `missing_mass`, 1 minus their sum before that; `top`, the five
        most probable first tokens as (text, probability).
        """
        raise UserError(f"model '{self.name}' cannot score options: its backend answers other questions only")

    def completion_scores(self, contexts: Sequence[str], completions: Sequence[str]) -> list[Answer]:
        """How probable is this text after that one?

        Parameters
        ----------
        contexts : the prompts.
        completions : per prompt one text.

        Returns
        -------
        Per pair: `logprob`, summed over the completion's tokens (natural logarithm), and `tokens`, how many.
        """
        raise UserError(f"model '{self.name}' cannot score texts: its backend answers other questions only")

    def generate(self, prompts: Sequence[str], decodings: Sequence[Decoding]) -> list[Answer]:
        """What does the model say?

        Parameters
        ----------
        prompts : the prompts.
        decodings : per prompt how to generate.

        Returns
        -------
        Per prompt: `text`; `finish_reason`, 'stop' or 'length'; `prompt_tokens` and `completion_tokens`.
        """
        raise UserError(f"model '{self.name}' cannot generate text: its backend answers other questions only")


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
    `probability` and `missing_mass`, or an `error` where no option has any probability.
    """
    total = float(sum(own))
    if not total > 0:
        return {"error": f"none of the options {', '.join(names)} has any probability"}
    return {"probability": [max(p, 0.0) / total for p in own], "missing_mass": min(max(1 - total, 0.0), 1.0)}
