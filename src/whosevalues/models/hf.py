"""Decoder models of transformers: the embedded default, a local folder, or a model of the hub."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from .. import UserError
from .base import Answer, Decoding, Model, digest, exclusive, renormalise

PLAIN_PROMPT = "{prompt}\nAnswer:"
"""What a base model without a chat template reads."""

DIGITS = {"arabic digits": "٠١٢٣٤٥٦٧٨٩", "persian digits": "۰۱۲۳۴۵۶۷۸۹"}


class HFModel(Model):
    """A causal language model, in float32.

    Parameters
    ----------
    name : as in models.yml.
    path : folder, or repository on the hub.
    weights : what identifies the weights: a hash, or repository and revision.
    revision : commit of the hub's repository.
    """

    def __init__(self, name: str, path: str | Path, weights: str, revision: str | None = None):
        self.name, self.path, self.weights, self.revision = name, str(path), weights, revision

    @cached_property
    def tokenizer(self):
        """The tokenizer, without code of the model's authors."""
        _prepare()
        from transformers import AutoTokenizer

        return self._from_pretrained(AutoTokenizer)

    @cached_property
    def model(self):
        """The weights, loaded when the first question is put."""
        _prepare()
        import torch
        from transformers import AutoModelForCausalLM

        return self._from_pretrained(AutoModelForCausalLM, dtype=torch.float32).eval()

    def _from_pretrained(self, kind, **more):
        try:
            return kind.from_pretrained(self.path, revision=self.revision, trust_remote_code=False, **more)
        except (OSError, ValueError, KeyError) as error:
            raise UserError(
                f"model '{self.name}': '{self.path}' is no folder with a transformers model, and no model of the hub "
                "that can be reached from here: correct its line in models.yml"
            ) from error

    @property
    def fingerprint(self) -> dict[str, object]:
        """Weights, backend, dtype, template and the spellings of an option."""
        template = self.tokenizer.chat_template or PLAIN_PROMPT
        spellings = ["as given", "leading space", *DIGITS]
        return {
            "backend": "transformers",
            "weights": self.weights,
            "dtype": "float32",
            "template": digest(template),
            "spellings": spellings,
        }

    def render(self, prompt: str) -> str:
        """Apply the chat template with its generation prompt; a base model gets the plain prompt."""
        if not self.tokenizer.chat_template:
            return PLAIN_PROMPT.format(prompt=prompt)
        messages = [{"role": "user", "content": prompt}]
        return self.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)

    def option_scores(self, prompts: Sequence[str], options: Sequence[Sequence[str]]) -> list[Answer]:
        """Read every option's probability after the prompt: one pass over the prompt, one over the longer options."""
        return [self._options(prompt, tuple(names)) for prompt, names in zip(prompts, options, strict=True)]

    def completion_scores(self, contexts: Sequence[str], completions: Sequence[str]) -> list[Answer]:
        """Sum the log-probabilities of each completion's tokens; the context is read once per pair."""
        answers: list[Answer] = []
        for context, completion in zip(contexts, completions, strict=True):
            tokens = self._continuation(self.render(context), completion)
            if not tokens:
                answers.append({"error": "the completion is empty"})
                continue
            logprobs, _ = self._logprobs(self._prompt_tokens(context), [tokens])
            answers.append({"logprob": logprobs[tokens], "tokens": len(tokens)})
        return answers

    def generate(self, prompts: Sequence[str], decodings: Sequence[Decoding]) -> list[Answer]:
        """Generate one text per prompt, each from its own seed."""
        return [self._generate(prompt, decoding) for prompt, decoding in zip(prompts, decodings, strict=True)]

    def _prompt_tokens(self, prompt: str) -> tuple[int, ...]:
        return self._encode(self.render(prompt))

    def _encode(self, rendered: str) -> tuple[int, ...]:
        # A chat template writes its own beginning-of-text token: letting the tokenizer add one would double it.
        special = not self.tokenizer.chat_template
        return tuple(self.tokenizer.encode(rendered, add_special_tokens=special))

    def _continuation(self, rendered: str, text: str) -> tuple[int, ...]:
        """Tokens of a text as it follows another: alone, some tokenizers would put a space before it."""
        before, both = self._encode(rendered), self._encode(rendered + text)
        if both[: len(before)] == before:
            return both[len(before) :]
        return tuple(self.tokenizer.encode(text, add_special_tokens=False))

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

    def _options(self, prompt: str, names: tuple[str, ...]) -> Answer:
        spelt = self.spellings(self.render(prompt), names)
        sequences = [tokens for spellings in spelt for tokens in spellings]
        if len(set(sequences)) < len(sequences) or () in sequences:
            return {"error": f"two of the options {', '.join(names)} are the same to this tokenizer, or one is empty"}
        logprobs, first = self._logprobs(self._prompt_tokens(prompt), sequences)
        own = exclusive({tokens: math.exp(logprobs[tokens]) for tokens in sequences})
        shares = renormalise(names, [sum(own[tokens] for tokens in spellings) for spellings in spelt])
        if "error" in shares:
            return shares
        best = first.exp().topk(5)
        top = [
            [self.tokenizer.decode([t]), p] for t, p in zip(best.indices.tolist(), best.values.tolist(), strict=True)
        ]
        return {"raw": [logprobs[spellings[0]] for spellings in spelt], **shares, "top": top}

    def _logprobs(self, prompt: tuple[int, ...], sequences: Sequence[tuple[int, ...]]):
        """Log-probability of each token sequence after the prompt, and the distribution of the first token."""
        import torch

        with torch.inference_mode():
            read = self.model(torch.tensor([prompt]), use_cache=True, logits_to_keep=1)
            first = read.logits[0, -1].double().log_softmax(-1)
            total = {tokens: float(first[tokens[0]]) for tokens in sequences}
            longer = [tokens for tokens in sequences if len(tokens) > 1]
            if longer:
                rest = self._continue(read.past_key_values, len(prompt), longer)
                for tokens, scores in zip(longer, rest, strict=True):
                    steps = range(len(tokens) - 1)
                    total[tokens] += float(sum(scores[i, tokens[i + 1]] for i in steps))
        return total, first

    def _continue(self, cache, length: int, sequences: Sequence[tuple[int, ...]]):
        """Log-probabilities after each token but the last of sequences that share one cached prompt."""
        import torch

        width = max(map(len, sequences)) - 1
        filler = sequences[0][0]
        rows = [list(tokens[:-1]) + [filler] * (width - len(tokens) + 1) for tokens in sequences]
        cache.batch_repeat_interleave(len(sequences))
        # Filler stands to the right, where a causal model's earlier positions cannot see it.
        positions = torch.arange(length, length + width).expand(len(sequences), -1)
        out = self.model(torch.tensor(rows), past_key_values=cache, position_ids=positions, use_cache=True)
        return out.logits.double().log_softmax(-1)

    def _generate(self, prompt: str, decoding: Decoding) -> Answer:
        import torch

        torch.manual_seed(decoding.seed)
        tokens = torch.tensor([self._prompt_tokens(prompt)])
        chosen = {"do_sample": False, "temperature": None, "top_p": None, "top_k": None}
        if decoding.temperature > 0:
            chosen = {"do_sample": True, "temperature": decoding.temperature, "top_p": decoding.top_p, "top_k": 0}
        with torch.inference_mode():
            out = self.model.generate(
                tokens,
                attention_mask=torch.ones_like(tokens),
                max_new_tokens=decoding.max_tokens,
                stop_strings=list(decoding.stop) or None,
                tokenizer=self.tokenizer,
                pad_token_id=self.tokenizer.pad_token_id or self.tokenizer.eos_token_id,
                **chosen,
            )[0, tokens.shape[1] :]
        text = self.tokenizer.decode(out, skip_special_tokens=True)
        for stop in decoding.stop:
            text = text.split(stop)[0]
        if not text.strip():
            return {"error": "the model said nothing"}
        stopped = len(out) < decoding.max_tokens or int(out[-1]) == self.tokenizer.eos_token_id
        return {
            "text": text,
            "finish_reason": "stop" if stopped else "length",
            "prompt_tokens": tokens.shape[1],
            "completion_tokens": len(out),
        }


def _prepare() -> None:
    """Set what must be set before torch and transformers are imported."""
    import warnings

    # Waiting threads must sleep: spinning ones slow two notebooks on two cores down fivefold.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    # Bars and their complaints do not belong into rendered pages; asking a model has a bar of its own.
    warnings.filterwarnings("ignore", "IProgress not found")
    from transformers.utils import logging

    logging.disable_progress_bar()
