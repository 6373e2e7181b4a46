"""Log-probabilities of short continuations, each prompt read once.

Prompts that begin alike have their shared beginning (the frame) computed once, and its key/value cache serves them all.
The continuations of a prompt form a trie, whose inner tokens follow the prompt in the same forward pass, each seeing
the prompt and its own ancestors alone (a tree attention mask). The output layer reads the positions that are needed and
no others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from inspect import signature
from typing import Any

from .frames import Tokens, frames
from .room import Budget

Scores = dict[Tokens, float]
Top = list[tuple[int, float]]

TOP = 5


@dataclass(frozen=True)
class Item:
    """A prompt and what may follow it.

    Attributes
    ----------
    prompt : its tokens, at least one.
    sequences : token sequences to be scored after it, distinct and not empty.
    """

    prompt: Tokens
    sequences: tuple[Tokens, ...]

    @property
    def inner(self) -> list[Tokens]:
        """The beginnings of sequences that other tokens follow: the trie without its leaves, parents first."""
        begun = {tokens[:end] for tokens in self.sequences for end in range(1, len(tokens))}
        return sorted(begun, key=lambda tokens: (len(tokens), tokens))


def score(model, items: Sequence[Item], memory: float, most: int) -> Iterator[tuple[int, Scores, Top]]:
    """Score every sequence after its prompt.

    Parameters
    ----------
    model : a causal language model of transformers.
    items : prompts with their sequences.
    memory : GiB that one batch may take beside the weights.
    most : tokens of one batch, at most.

    Yields
    ------
    Index of the item; by sequence its summed log-probability (natural logarithm); the most probable first tokens with
    their probabilities. Batch by batch, in no particular order. The grouping moves a float32 log-probability by less
    than 1e-4.

    Raises
    ------
    Budget : one item alone is larger than `memory` allows; names both.
    """
    tree = supports_tree(model, max(len(item.prompt) + max(map(len, item.sequences)) for item in items))
    rows = list(_rows(items, tree))
    collected: dict[int, list[tuple[Scores, Top]]] = {}
    parts = [0] * len(items)
    for index, _ in rows:
        parts[index] += 1
    for prefix, members in frames([item.prompt for _, item in rows]) if tree else [(0, list(range(len(rows))))]:
        for batch in _batches(model, [rows[i] for i in members], prefix, memory, most):
            for (index, _), found in zip(batch.rows, _forward(model, batch), strict=True):
                collected.setdefault(index, []).append(found)
                if len(collected[index]) == parts[index]:
                    pieces = collected.pop(index)
                    yield index, {k: v for scores, _ in pieces for k, v in scores.items()}, pieces[0][1]


def supports_tree(model, length: int) -> bool:
    """Say whether a model's attention can share a cache and follow a tree mask.

    Parameters
    ----------
    model : a causal language model of transformers.
    length : tokens of the longest prompt with its continuation.

    Returns
    -------
    False for recurrent layers, for positions that a token cannot be given (ALiBi), and for a sliding window that the
    longest prompt leaves: these read every continuation as a text of its own.
    """
    config = model.config.get_text_config()
    kinds = set(getattr(config, "layer_types", None) or ["full_attention"])
    window = getattr(config, "sliding_window", None) or length
    plain = kinds <= {"full_attention", "sliding_attention"} and not getattr(model, "_is_stateful", False)
    placed = "position_ids" in signature(model.forward).parameters and not getattr(config, "alibi", False)
    return plain and placed and length <= window and config._attn_implementation in ("sdpa", "eager")


@dataclass
class Batch:
    """Rows of one forward pass, which continue one cached beginning."""

    rows: list[tuple[int, Item]]
    prefix: int
    cache: Any


def _rows(items: Sequence[Item], tree: bool) -> Iterator[tuple[int, Item]]:
    """One row per item; without a tree mask one per branch of its trie."""
    for index, item in enumerate(items):
        inner = item.inner
        ends = [tokens for tokens in inner if not any(o[: len(tokens)] == tokens for o in inner if o != tokens)]
        if tree or len(ends) < 2:
            yield index, item
            continue
        left = set(item.sequences)
        for end in ends:
            mine = tuple(s for s in item.sequences if s in left and end[: len(s) - 1] == s[:-1])
            left -= set(mine)
            yield index, Item(item.prompt, mine)


def _batches(model, rows, prefix: int, memory: float, most: int) -> Iterator[Batch]:
    """Fill batches from the longest rows down: the first one shows at once whether the memory suffices."""
    import torch

    if not rows:
        return
    sized = [(len(item.prompt) - prefix + len(item.inner), len(item.inner), (i, item)) for i, item in rows]
    sized.sort(key=lambda row: (-row[0], row[2][1].prompt))
    cache = None
    if prefix:
        with torch.inference_mode():
            ids = torch.tensor([sized[0][2][1].prompt[:prefix]], device=model.device)
            cache = model(ids, use_cache=True, logits_to_keep=1).past_key_values
    while sized:
        width = sized[0][0]
        nodes = max(row[1] for row in sized)
        each = row_bytes(model, width, prefix, nodes)
        fit = int(memory * 2**30 // each)
        if not fit:
            raise Budget(f"a prompt of {prefix + width} tokens takes {each / 2**30:.2f} GiB of {memory} GiB")
        count = max(1, min(fit, most // width))
        # Even batches: a last one of a few rows would waste what the machine does best.
        count = -(-len(sized) // -(-len(sized) // count))
        taken, sized = sized[:count], sized[count:]
        yield Batch([row[2] for row in taken], prefix, cache)


def row_bytes(model, width: int, prefix: int, nodes: int) -> int:
    """Estimate, from above, what one row of a batch takes.

    Parameters
    ----------
    model : a causal language model of transformers.
    width : tokens to compute, padding included.
    prefix : cached tokens before them.
    nodes : positions beyond the prompt's last whose distribution is read.

    Returns
    -------
    Bytes.
    """
    config = model.config.get_text_config()
    # A recurrent model has no heads; its states, one per token while a prompt is read, take the most.
    heads, hidden = getattr(config, "num_attention_heads", None) or 1, config.hidden_size
    kept = 2 * getattr(config, "num_key_value_heads", heads) * (getattr(config, "head_dim", None) or hidden // heads)
    inner = getattr(config, "intermediate_size", None) or 4 * hidden
    inner *= 1 + (getattr(config, "state_size", None) or 0)
    size = model.dtype.itemsize
    cache = (prefix + width) * kept * size * (config.num_hidden_layers + 2)
    layer = width * size * (8 * hidden + 3 * inner)
    eager = config._attn_implementation != "sdpa"
    attention = width * (prefix + width) * (size + (3 * heads * 4 if eager else 0))
    return cache + layer + attention + (1 + nodes) * config.vocab_size * (size + 8)


def _forward(model, batch: Batch) -> list[tuple[Scores, Top]]:
    import torch

    inner = [item.inner for _, item in batch.rows]
    texts = [
        [*item.prompt[batch.prefix :], *(tokens[-1] for tokens in nodes)]
        for (_, item), nodes in zip(batch.rows, inner, strict=True)
    ]
    width, own = max(map(len, texts)), [len(item.prompt) - batch.prefix for _, item in batch.rows]
    # Padding stands to the right, where no position before it can see it.
    ids = torch.tensor([text + [0] * (width - len(text)) for text in texts], device=model.device)
    positions = torch.arange(batch.prefix, batch.prefix + width).repeat(len(texts), 1)
    for row, (start, nodes) in enumerate(zip(own, inner, strict=True)):
        for node, tokens in enumerate(nodes):
            positions[row, start + node] = batch.prefix + start + len(tokens) - 1
    where = [(row, start - 1 + step) for row, start in enumerate(own) for step in range(len(inner[row]) + 1)]
    mask = _tree_mask(batch.prefix, width, own, inner, model) if any(_branches(nodes) for nodes in inner) else None
    cache = _expanded(model, batch.cache, len(texts)) if batch.cache is not None else None
    with torch.inference_mode(), _only(model, where):
        out = model(
            ids, attention_mask=mask, position_ids=positions.to(model.device), past_key_values=cache,
            use_cache=cache is not None, logits_to_keep=0,
        )  # fmt: skip
        logprobs = out.logits[0].float().log_softmax(-1)
        return _read(logprobs, [item for _, item in batch.rows], inner)


def _read(logprobs, items: Sequence[Item], inner: Sequence[list[Tokens]]) -> list[tuple[Scores, Top]]:
    """Sum each sequence's log-probabilities along its branch."""
    import torch

    steps, asked, firsts, base = [], [], [], 0
    for item, nodes in zip(items, inner, strict=True):
        at = {(): base} | {tokens: base + 1 + i for i, tokens in enumerate(nodes)}
        firsts.append(base)
        for tokens in item.sequences:
            steps.append(len(tokens))
            asked += [(at[tokens[:end]], tokens[end]) for end in range(len(tokens))]
        base += 1 + len(nodes)
    rows, columns = torch.tensor(asked, device=logprobs.device).T
    values = iter(logprobs[rows, columns].double().tolist())
    sums = iter([sum(next(values) for _ in range(n)) for n in steps])
    top = logprobs[firsts].topk(TOP)
    tops = zip(top.indices.tolist(), top.values.exp().tolist(), strict=True)
    return [
        ({tokens: next(sums) for tokens in item.sequences}, list(zip(ids, shares, strict=True)))
        for item, (ids, shares) in zip(items, tops, strict=True)
    ]


def _branches(nodes: Sequence[Tokens]) -> bool:
    """Say whether a trie's inner tokens are more than one line of descent, which needs no mask."""
    return any(later[: len(earlier)] != earlier for earlier, later in zip(nodes, nodes[1:], strict=False))


def _tree_mask(prefix: int, width: int, own: Sequence[int], inner: Sequence[list[Tokens]], model):
    """Additive mask (rows, 1, width, prefix + width): causal, but a trie's token sees the prompt and its ancestors."""
    import torch

    causal = torch.ones(width, prefix + width, dtype=torch.bool).tril(prefix)
    seen = causal.repeat(len(own), 1, 1)
    for row, (start, nodes) in enumerate(zip(own, inner, strict=True)):
        place = {tokens: prefix + start + i for i, tokens in enumerate(nodes)}
        seen[row, start : start + len(nodes), prefix + start :] = False
        for i, tokens in enumerate(nodes):
            seen[row, start + i, [place[tokens[:end]] for end in range(1, len(tokens) + 1)]] = True
    mask = torch.zeros(seen.shape, dtype=model.dtype).masked_fill_(~seen, torch.finfo(model.dtype).min)
    return mask[:, None].to(model.device)


def _expanded(model, cache, rows: int):
    from transformers import DynamicCache

    fresh = DynamicCache(config=model.config)
    for layer, (new, old) in enumerate(zip(fresh.layers, cache.layers, strict=True)):
        new.update(old.keys.expand(rows, -1, -1, -1), old.values.expand(rows, -1, -1, -1), layer)
    return fresh


@contextmanager
def _only(model, where: Sequence[tuple[int, int]]) -> Iterator[None]:
    """Have the output layer read these (row, position) alone; what the model does to its logits stays as it is."""
    rows, positions = zip(*where, strict=True)

    def pick(_: object, given: tuple) -> tuple:
        return (given[0][list(rows), list(positions)][None], *given[1:])

    handle = model.get_output_embeddings().register_forward_pre_hook(pick)
    try:
        yield
    finally:
        handle.remove()
