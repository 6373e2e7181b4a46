"""Text in batches: every row draws from its own seed, ends on its own, and leaves the batch when it has ended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from inspect import signature

from .base import Decoding
from .room import Budget

Tokens = tuple[int, ...]


@dataclass
class Row:
    """One text being written.

    Attributes
    ----------
    index : of its prompt.
    decoding : how it goes on.
    draw : its own generator of random numbers.
    tokens : so far.
    text : so far, up to a stop string.
    stopped : whether it ended by itself.
    """

    index: int
    decoding: Decoding
    draw: object
    tokens: list[int] = field(default_factory=list)
    text: str = ""
    stopped: bool = False

    @property
    def ended(self) -> bool:
        """Whether nothing more is to be written."""
        return self.stopped or len(self.tokens) >= self.decoding.max_tokens


def generate(
    model, tokenizer, prompts: Sequence[Tokens], decodings: Sequence[Decoding], memory: float
) -> Iterator[tuple[int, list[int], str, bool]]:
    """Write one text after each prompt.

    Parameters
    ----------
    model, tokenizer : of transformers.
    prompts : token sequences.
    decodings : per prompt how to go on.
    memory : GiB that one batch may take beside the weights.

    Yields
    ------
    Index of the prompt, the new tokens, the text before any stop string, and whether the text ended by itself; each
    as soon as it has ended. Neither the batch nor the order moves a text's random numbers.

    Raises
    ------
    Budget : one text alone is larger than `memory` allows; names both.
    """
    import torch

    order = sorted(range(len(prompts)), key=lambda i: (len(prompts[i]), prompts[i]))
    while order:
        longest = len(prompts[order[-1]])
        own = longest + decodings[order[-1]].max_tokens
        alone = _row_bytes(model, own, longest)
        if alone > memory * 2**30:
            raise Budget(f"a text of {own} tokens takes {alone / 2**30:.2f} GiB of {memory} GiB")
        each = _row_bytes(model, longest + max(decodings[i].max_tokens for i in order), longest)
        count = min(max(1, int(memory * 2**30 // each)), len(order), 64)
        taken, order = order[-count:], order[:-count]
        rows = [Row(i, decodings[i], torch.Generator(model.device).manual_seed(decodings[i].seed)) for i in taken]
        with torch.inference_mode():
            yield from _write(model, tokenizer, [prompts[i] for i in taken], rows)


def _write(model, tokenizer, prompts: Sequence[Tokens], rows: list[Row]) -> Iterator[tuple[int, list[int], str, bool]]:
    import torch

    logits, cache, seen = _read(model, prompts)
    ends = _ends(model, tokenizer)
    while True:
        chosen = _choose(logits, rows)
        for row, token in zip(rows, chosen, strict=True):
            _append(row, token, tokenizer, ends)
        for row in rows:
            if row.ended:
                yield row.index, row.tokens, row.text, row.stopped
        left = [i for i, row in enumerate(rows) if not row.ended]
        if not left:
            return
        if len(left) < len(rows):
            # Who has ended is not computed any further.
            keep = torch.tensor(left, device=model.device)
            rows, seen = [rows[i] for i in left], seen[keep]
            cache.reorder_cache(keep)
        seen = torch.cat([seen, seen.new_ones(len(rows), 1)], dim=1)
        ids = torch.tensor([[row.tokens[-1]] for row in rows], device=model.device)
        place = seen.sum(dim=1, keepdim=True) - 1
        name = _cache(model)
        # A recurrent state has the padding behind it already.
        mask = seen if name == "past_key_values" else None
        out = model(ids, attention_mask=mask, position_ids=place, use_cache=True, **{name: cache})
        logits, cache = out.logits[:, -1].float(), out[name]


def _read(model, prompts: Sequence[Tokens]):
    """Read the prompts, each distinct one once: several samples of one prompt share its cache."""
    import torch

    distinct = list(dict.fromkeys(prompts))
    width = max(map(len, distinct))
    # Padding stands to the left: the next token of every row then has the same place in the cache.
    ids = torch.tensor([(0,) * (width - len(p)) + p for p in distinct], device=model.device)
    seen = torch.tensor([(0,) * (width - len(p)) + (1,) * len(p) for p in distinct], device=model.device)
    place = (seen.cumsum(dim=1) - 1).clamp(min=0)
    out = model(ids, attention_mask=seen, position_ids=place, use_cache=True, logits_to_keep=1)
    cache = out[_cache(model)]
    which = torch.tensor([distinct.index(p) for p in prompts], device=model.device)
    if len(distinct) < len(prompts):
        cache.reorder_cache(which)
    return out.logits[which, -1].float(), cache, seen[which]


def _cache(model) -> str:
    """What this model calls its cache."""
    return "cache_params" if "cache_params" in signature(model.forward).parameters else "past_key_values"


def _choose(logits, rows: Sequence[Row]) -> list[int]:
    import torch

    best = logits.argmax(dim=-1).tolist()
    sampled = [i for i, row in enumerate(rows) if row.decoding.temperature > 0]
    if not sampled:
        return best
    heat = torch.tensor([rows[i].decoding.temperature for i in sampled], device=logits.device)
    shares = (logits[sampled] / heat[:, None]).softmax(dim=-1)
    nucleus = torch.tensor([rows[i].decoding.top_p for i in sampled], device=logits.device)
    if (nucleus < 1).any():
        ranked, tokens = shares.sort(dim=-1, descending=True)
        # The nucleus: the fewest tokens that reach top_p, always the first.
        outside = ranked.cumsum(dim=-1) - ranked >= nucleus[:, None]
        shares = shares.masked_fill(torch.zeros_like(outside).scatter(-1, tokens, outside), 0.0)
    # A race that each token runs with luck of its own: rounding, which differs with the batch, seldom changes who wins.
    luck = torch.stack([torch.empty_like(shares[0]).exponential_(generator=rows[i].draw) for i in sampled])
    for i, token in zip(sampled, (shares / luck).argmax(dim=-1).tolist(), strict=True):
        best[i] = token
    return best


def _append(row: Row, token: int, tokenizer, ends: set[int]) -> None:
    row.tokens.append(token)
    if token in ends:
        row.stopped = True
        row.text = row.text if row.decoding.stop else tokenizer.decode(row.tokens[:-1], skip_special_tokens=True)
    elif row.decoding.stop or row.ended:
        row.text = tokenizer.decode(row.tokens, skip_special_tokens=True)
        cuts = [at for stop in row.decoding.stop if (at := row.text.find(stop)) >= 0]
        if cuts:
            row.text, row.stopped = row.text[: min(cuts)], True


def _ends(model, tokenizer) -> set[int]:
    given = model.generation_config.eos_token_id
    listed = given if isinstance(given, list) else [given]
    return {token for token in [*listed, tokenizer.eos_token_id] if token is not None}


def _row_bytes(model, length: int, prompt: int) -> int:
    from .scoring import row_bytes

    return max(row_bytes(model, prompt, 0, 0), row_bytes(model, 1, length, 0) * 2)
