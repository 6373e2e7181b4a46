"""Which shared beginnings of prompts are worth computing once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Tokens = tuple[int, ...]

OVERHEAD = 64
"""What a frame of its own must spare, in tokens: its extra forward passes cost about as much."""


def frames(prompts: Sequence[Tokens]) -> list[tuple[int, list[int]]]:
    """Choose which shared beginnings are computed once.

    Parameters
    ----------
    prompts : token sequences.

    Returns
    -------
    Groups as (length of the shared beginning, indices of its prompts), each prompt in one group and with at least one
    token of its own. No other choice computes fewer tokens (with `OVERHEAD`); prompts that share too little have
    length 0.

    Examples
    --------
    >>> frame = tuple(range(100))
    >>> frames([frame + (1,), frame + (2,), (7, 8)])
    [(100, [0, 1]), (0, [2])]
    """
    if not prompts:
        return []
    order = sorted(range(len(prompts)), key=lambda i: prompts[i])
    nested = _nested([_shared(prompts[a], prompts[b]) for a, b in zip(order, order[1:], strict=False)])
    # By node the lengths of the beginnings around it, any of which a frame may hold; 0 for none.
    above = {len(nested) - 1: np.zeros(1, dtype=int)}
    for node in reversed(range(len(nested))):
        depth, children = nested[node]
        above |= dict.fromkeys(children, np.append(above[node], depth))
    # Tokens to compute by node, for each length that is in a frame already; children come before their parents.
    cost = {~place: len(prompts[i]) - above[~place] for place, i in enumerate(order)}
    without, framed = {}, {}
    for node, (depth, children) in enumerate(nested):
        *rest, own = sum(cost[child] for child in children)
        without[node], framed[node] = np.array(rest), depth + OVERHEAD + own
        cost[node] = np.minimum(without[node], framed[node])
    groups: dict[int, list[int]] = {}
    todo = [(len(nested) - 1, 0, -1)]
    while todo:
        node, level, frame = todo.pop()
        if node < 0:
            groups.setdefault(frame, []).append(order[~node])
            continue
        if framed[node] < without[node][level]:
            level, frame = len(above[node]), node
        todo += [(child, level, frame) for child in reversed(nested[node][1])]
    return [(nested[frame][0] if frame >= 0 else 0, groups[frame]) for frame in sorted(groups, reverse=True)]


def _nested(shared: Sequence[int]) -> list[tuple[int, list[int]]]:
    """Nest the runs of sorted prompts that begin alike.

    Returns (length of the beginning, children), parents last; a child is a place in this list, or ~i for prompt i.
    """
    begun: list[tuple[int, list[int]]] = [(0, [])]
    done = []
    for prompt, depth in enumerate([*shared, 0]):
        node = ~prompt
        while begun[-1][0] > depth:
            begun[-1][1].append(node)
            done.append(begun.pop())
            node = len(done) - 1
        if begun[-1][0] < depth:
            begun.append((depth, []))
        begun[-1][1].append(node)
    return done + begun


def _shared(one: Tokens, other: Tokens) -> int:
    """Length of the common beginning, of which each keeps at least its last token to itself."""
    most = min(len(one), len(other)) - 1
    return next((i for i in range(most) if one[i] != other[i]), most)
