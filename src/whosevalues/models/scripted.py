"""A model that answers from a table: the chance baseline of the chapters, and the subject of logic tests."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from .base import Answer, Answers, Decoding, Model, digest, renormalise

LIST = "\n".join(f"{i}. {'I agree.' if i % 2 else 'I disagree.'}" for i in range(1, 11))
"""What a model without a table says to anything: ten answers, so that every chapter can be tried with it."""


class ScriptedModel(Model):
    """Answers what its table says, and every option alike where the table says nothing.

    Parameters
    ----------
    name : as in models.yml.
    table : by prompt: a mapping option -> probability (the rest of 1 is missing mass), completion -> log-probability,
        or a text to say.
    """

    def __init__(self, name: str, table: Mapping[str, object] | None = None):
        self.name = name
        self.table = dict(table or {})

    @property
    def fingerprint(self) -> dict[str, object]:
        """The table itself."""
        return {"backend": "scripted", "table": digest(self.table)}

    def option_scores(self, questions: Iterable[tuple[str, Sequence[str]]]) -> Answers:
        """Read each option's probability from the table."""
        for position, (prompt, names) in enumerate(questions):
            yield position, self._options(prompt, list(names))

    def _options(self, prompt: str, names: list[str]) -> Answer:
        given = self.table.get(prompt, {name: 1 / len(names) for name in names})
        own = [float(given.get(name, 0.0)) for name in names]
        shares = renormalise(names, own)
        if "refused" in shares:
            return shares
        top = sorted(zip(names, own, strict=True), key=lambda pair: -pair[1])[:5]
        return {"raw": [math.log(p) if p > 0 else -1e9 for p in own], **shares, "top": [list(t) for t in top]}

    def completion_scores(self, questions: Iterable[tuple[str, str]]) -> Answers:
        """Read each completion's log-probability from the table; one nat a word where it says nothing."""
        for position, (context, completion) in enumerate(questions):
            words = len(completion.split())
            logprob = self.table.get(context, {}).get(completion, -float(words))
            yield position, {"logprob": logprob, "tokens": words}

    def generate(self, questions: Iterable[tuple[str, Decoding]]) -> Answers:
        """Say what the table says, nothing where it has no text; without a table a list that takes both sides."""
        for position, (prompt, _) in enumerate(questions):
            yield position, self._say(str(self.table.get(prompt, "" if self.table else LIST)))

    def _say(self, text: str) -> Answer:
        if not text:
            return {"text": "", "finish_reason": "stop", "refused": "the table has no text for this prompt"}
        return {"text": text, "finish_reason": "stop", "prompt_tokens": 0, "completion_tokens": len(text.split())}
