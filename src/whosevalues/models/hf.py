"""Decoder models of transformers: the embedded default, a local folder, or a model of the hub."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

from .. import UserError
from . import records, room, templates
from .base import DIGITS, Answer, Answers, Decoding, Model, collect, digest, exclusive, renormalise

PLAIN_PROMPT = "{prompt}\nAnswer:"
"""What a base model without a chat template reads."""

WINDOW = 512
"""Questions that are read ahead, to be grouped by their frames and sorted by their lengths."""

MOST = {"cpu": 768, "cuda": 16384}
"""Tokens of one batch, at most: more do not make a forward pass any faster."""

TAIL = 48
"""Characters before a continuation that decide how it is cut into tokens."""

KEPT = 4096
"""Continuations whose tokens are kept from one window to the next, at most: prompts that end alike have few."""

FLOAT32 = 4 * 1.2
"""Bytes of a float32 parameter, and what loading it takes beside."""


class HFModel(Model):
    """A causal language model.

    Parameters
    ----------
    name : as in models.yml.
    path : folder, or repository on the hub.
    weights : what identifies the weights: a hash, or repository and revision.
    revision : commit of the hub's repository.
    dtype : 'float32', 'bfloat16' or 'float16'; by default float32 on a processor and bfloat16 on a GPU.
    memory : GiB that a batch may take beside the weights.
    """

    def __init__(
        self,
        name: str,
        path: str | Path,
        weights: str,
        revision: str | None = None,
        dtype: str | None = None,
        memory: float = 2.0,
    ):
        self.name, self.path, self.weights, self.revision = name, str(path), weights, revision
        self.wanted, self.memory = dtype, memory
        self._cut: dict[tuple[str, str], tuple[int, ...]] = {}

    @cached_property
    def dtype(self) -> str:
        """Precision of the weights."""
        return self.wanted or ("float32" if self.device == "cpu" else "bfloat16")

    @cached_property
    def device(self) -> str:
        """'cuda' where there is a GPU, else 'cpu'."""
        _prepare()
        import torch

        return "cuda" if torch.cuda.is_available() else "cpu"

    @cached_property
    def tokenizer(self):
        """The tokenizer, without code of the model's authors."""
        _prepare()
        from transformers import AutoTokenizer

        return self._from_pretrained(AutoTokenizer)

    @cached_property
    def model(self):
        """The weights, loaded when the first question is put."""
        return self._loaded(self.dtype, self.device)

    def _loaded(self, dtype: str, device: str):
        _prepare()
        import torch
        from transformers import AutoModelForCausalLM

        with room.guarded(self.name):
            return self._from_pretrained(AutoModelForCausalLM, dtype=getattr(torch, dtype)).eval().to(device)

    def _from_pretrained(self, kind, **more):
        try:
            return kind.from_pretrained(self.path, revision=self.revision, trust_remote_code=False, **more)
        except (OSError, ValueError, KeyError) as error:
            raise UserError(
                f"model '{self.name}': '{self.path}' is no folder with a transformers model, and no model of the hub "
                "that can be reached from here: correct its line in models.yml"
            ) from error

    @cached_property
    def fingerprint(self) -> dict[str, object]:
        """Weights, backend, dtype, template and the spellings of an option."""
        template = self.tokenizer.chat_template or PLAIN_PROMPT
        about = {"backend": "transformers", "weights": self.weights, "dtype": self.dtype, "template": digest(template)}
        about |= {"spellings": ["as given", "leading space", *DIGITS]}
        return about | ({"date": str(self._day)} if self._day else {})

    @cached_property
    def _day(self) -> date | None:
        """What a template that shows today's date is to show."""
        return records.day(self.name, self.weights) if templates.dated(self.tokenizer.chat_template) else None

    def render(self, prompt: str) -> str:
        """Apply the chat template with its generation prompt; a base model gets the plain prompt."""
        if not self.tokenizer.chat_template:
            return PLAIN_PROMPT.format(prompt=prompt)
        messages = [{"role": "user", "content": prompt}]
        more = templates.frozen(self.tokenizer.get_chat_template(), self._day) if self._day else {}
        return self.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True, **more)

    def option_scores(self, questions: Iterable[tuple[str, Sequence[str]]]) -> Answers:
        """Read every option's probability after the prompt, all options of a question in one forward pass."""
        for start, window in _windows(questions):
            if len(self._cut) > KEPT:
                self._cut.clear()
            spelt = [self.spellings(self.render(prompt), names) for prompt, names in window]
            items = {}
            for i, ((prompt, names), spellings) in enumerate(zip(window, spelt, strict=True)):
                sequences = tuple(tokens for each in spellings for tokens in each)
                if len(set(sequences)) < len(sequences) or () in sequences:
                    listed = ", ".join(names)
                    yield start + i, {"error": f"two of the options {listed} are the same to this tokenizer, or empty"}
                else:
                    items[i] = (self._prompt_tokens(prompt), sequences)
            for i, logprobs, top in self._score(items):
                yield start + i, self._options(window[i][1], spelt[i], logprobs, top) | _used(items[i][0])

    def completion_scores(self, questions: Iterable[tuple[str, str]]) -> Answers:
        """Sum the log-probabilities of each completion's tokens; a context shared by several is read once."""
        for start, window in _windows(questions):
            # Completions hardly come again, unlike options: kept for ever, they would fill the memory.
            self._cut.clear()
            by_context: dict[str, dict[tuple[int, ...], list[int]]] = {}
            for i, (context, completion) in enumerate(window):
                if tokens := self._continuation(self.render(context), completion):
                    by_context.setdefault(context, {}).setdefault(tokens, []).append(i)
                else:
                    yield start + i, {"error": "the completion is empty"}
            contexts = list(by_context)
            items = {
                c: (self._prompt_tokens(context), tuple(by_context[context])) for c, context in enumerate(contexts)
            }
            for c, logprobs, _ in self._score(items):
                for tokens, places in by_context[contexts[c]].items():
                    answer = {"logprob": logprobs[tokens], "tokens": len(tokens), **_used(items[c][0])}
                    yield from ((start + i, answer) for i in places)

    def generate(self, questions: Iterable[tuple[str, Decoding]]) -> Answers:
        """Generate in batches; every text has its own seed and its own end."""
        from .generation import generate

        for start, window in _windows(questions):
            prompts = [self._prompt_tokens(prompt) for prompt, _ in window]
            decodings = [decoding for _, decoding in window]
            written = generate(self.model, self.tokenizer, prompts, decodings, self.memory)
            for i, tokens, text, stopped in room.within(self.name, written):
                answer = {"text": text, "finish_reason": "stop" if stopped else "length"}
                answer |= {"prompt_tokens": len(prompts[i]), "completion_tokens": len(tokens)}
                yield start + i, answer if text.strip() else answer | {"text": "", "refused": "the model said nothing"}

    def drift(self, questions: Sequence[tuple[str, Sequence[str]]]) -> dict[str, Any] | None:
        """Hold rounded weights against float32.

        Parameters
        ----------
        questions : prompts with their options.

        Returns
        -------
        `n` questions; the largest `probability` difference of an option; the share of changed first choices,
        `first_choice`. None in float32; a `reason` where the float32 weights cannot be loaded here.
        """
        if self.dtype == "float32":
            return None
        rounded = _probabilities(self, questions)
        needed = FLOAT32 * sum(weight.numel() for weight in self.model.parameters())
        if lack := room.lack(needed, self.device):
            return {"reason": f"the float32 weights do not fit here ({lack})"}
        exact = HFModel(self.name, self.path, self.weights, self.revision, "float32", self.memory)
        try:
            pairs = zip(rounded, _probabilities(exact, questions), strict=True)
        except (UserError, MemoryError, RuntimeError) as error:
            return {"reason": f"the float32 weights do not fit here ({room.reason(error)})"}
        pairs = [(a, b) for a, b in pairs if a and b]
        changed = [a.index(max(a)) != b.index(max(b)) for a, b in pairs]
        largest = max((abs(x - y) for a, b in pairs for x, y in zip(a, b, strict=True)), default=math.nan)
        return {"n": len(pairs), "probability": largest, "first_choice": sum(changed) / max(len(pairs), 1)}

    def _score(self, items: dict[int, tuple[tuple[int, ...], tuple[tuple[int, ...], ...]]]):
        """Score what is keyed by a position."""
        from .scoring import Item, score

        places, given = list(items), [Item(*item) for item in items.values()]
        if not given:
            return
        found = score(self.model, given, self.memory, MOST[self.device])
        for index, logprobs, top in room.within(self.name, found):
            yield places[index], logprobs, top

    def _prompt_tokens(self, prompt: str) -> tuple[int, ...]:
        return self._encode(self.render(prompt))

    def _encode(self, rendered: str) -> tuple[int, ...]:
        # A chat template writes its own beginning-of-text token: letting the tokenizer add one would double it.
        special = not self.tokenizer.chat_template
        return tuple(self.tokenizer.encode(rendered, add_special_tokens=special))

    def _continuation(self, rendered: str, text: str) -> tuple[int, ...]:
        """Tokens of a text as it follows another: alone, some tokenizers would put a space before it."""
        place = rendered[-TAIL:], text
        if place not in self._cut:
            before, both = self._encode(place[0]), self._encode(place[0] + text)
            alone = tuple(self.tokenizer.encode(text, add_special_tokens=False))
            self._cut[place] = both[len(before) :] if both[: len(before)] == before else alone
        return self._cut[place]

    def spellings(self, rendered: str, options: Sequence[str]) -> list[list[tuple[int, ...]]]:
        """Token sequences that say the same option after a prompt.

        Parameters
        ----------
        rendered : the prompt as the model reads it.
        options : answer keys, such as '1' or 'B'.

        Returns
        -------
        Per option its distinct sequences, the option as given first; then, where the tokenizer can write them and
        they are nobody else's, with a leading space, in Arabic and in Persian digits.
        """
        spelt = [[self._continuation(rendered, option)] for option in options]
        taken = {tokens for sequences in spelt for tokens in sequences}
        for option, sequences in zip(options, spelt, strict=True):
            written = [f" {option}"]
            if option.isascii() and option.isdigit():
                written += [option.translate(str.maketrans("0123456789", digits)) for digits in DIGITS.values()]
            for tokens in (self._continuation(rendered, text) for text in written):
                if tokens not in taken and self.tokenizer.unk_token_id not in tokens:
                    sequences.append(tokens)
                    taken.add(tokens)
        return spelt

    def _options(self, names: Sequence[str], spelt, logprobs: dict[tuple[int, ...], float], top) -> Answer:
        own = exclusive({tokens: math.exp(logprob) for tokens, logprob in logprobs.items()})
        shares = renormalise(names, [sum(own[tokens] for tokens in spellings) for spellings in spelt])
        said = [[self.tokenizer.decode([token]), share] for token, share in top]
        return {"raw": [logprobs[spellings[0]] for spellings in spelt], **shares, "top": said}


def _windows(questions: Iterable[tuple[str, Any]]) -> Iterator[tuple[int, list[tuple[str, Any]]]]:
    """Read questions ahead; each window with the position of its first."""
    stream, start = iter(questions), 0
    while window := list(islice(stream, WINDOW)):
        yield start, window
        start += len(window)


def _used(prompt: Sequence[int]) -> dict[str, int]:
    return {"prompt_tokens": len(prompt), "completion_tokens": 0}


def _probabilities(model: Model, questions: Sequence[tuple[str, Sequence[str]]]) -> list[list[float] | None]:
    return [answer.get("probability") for answer in collect(model.option_scores(questions))]


def _prepare() -> None:
    """Set what must be set before torch and transformers are imported."""
    import warnings

    # Waiting threads must sleep: spinning ones slow two notebooks on two cores down fivefold.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    # Bars and their complaints do not belong into rendered pages; asking a model has a bar of its own.
    warnings.filterwarnings("ignore", "IProgress not found")
    from transformers.utils import logging

    logging.disable_progress_bar()
