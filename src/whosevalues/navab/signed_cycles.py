"""Signed cycles of five edges, counted for every edge without listing one of them; and signed two-colourings."""

from __future__ import annotations

import numpy as np
from numba import njit

from .. import UserError


def count(nodes: int, first: np.ndarray, second: np.ndarray, sign: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Count the five-cycles through each edge of a signed graph, by the product of their signs.

    A cycle of five different nodes conflicts when the product of its signs is negative (structural balance; Cartwright
    and Harary, 1956). For every edge u-v, paths v-b-x of each sign are counted once per x, and met by the paths u-a-x;
    what is no cycle is taken off: b = u and b = a (a = v and x in {u, v} are left out beforehand). Time grows with
    edges times the square of the degree, memory with nodes and edges.

    Parameters
    ----------
    nodes : how many there are, numbered from 0.
    first, second : ends of the edges, each pair once, no loops.
    sign : +1 or -1 per edge.

    Returns
    -------
    Per edge, how many five-cycles through it have a positive and a negative product (int64).

    Raises
    ------
    UserError : a loop, a pair given twice, a node that is not there, or another sign.

    Examples
    --------
    >>> ring = np.arange(5)
    >>> positive, negative = count(5, ring, (ring + 1) % 5, np.array([1, 1, -1, 1, 1]))
    >>> positive.tolist(), negative.tolist()
    ([0, 0, 0, 0, 0], [1, 1, 1, 1, 1])
    """
    first, second, sign = (np.asarray(values, dtype=np.int64) for values in (first, second, sign))
    _check(nodes, first, second, sign)
    positive, negative = np.zeros((2, len(first)), dtype=np.int64)
    if len(first):
        place = _close_together(nodes, first, second)
        start, other, edge = _neighbours(nodes, place[first], place[second])
        _count(start, other, sign[edge].astype(np.int8), edge, positive, negative)
    return positive, negative


def sides(nodes: int, first: np.ndarray, second: np.ndarray, sign: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Colour each component with two colours along a spanning tree: a positive edge keeps the colour, a negative not.

    Parameters
    ----------
    nodes, first, second, sign : as for :func:`count`, the edges in the order in which the tree takes them (Kruskal,
        1956): an edge that closes a cycle is passed over.

    Returns
    -------
    Per node its component (the number of one of its nodes) and its side, 0 or 1.

    Examples
    --------
    >>> sides(4, np.array([0, 1]), np.array([1, 2]), np.array([1, -1]))[1].tolist()
    [0, 0, 1, 0]
    """
    ends = (np.asarray(values, dtype=np.int64) for values in (first, second, sign))
    return _sides(nodes, *ends)


def _check(nodes: int, first: np.ndarray, second: np.ndarray, sign: np.ndarray) -> None:
    low, high = np.minimum(first, second), np.maximum(first, second)
    if len(first) and (low.min() < 0 or high.max() >= nodes):
        raise UserError(f"an edge ends at node {max(high.max(), -low.min())}: there are {nodes}, numbered from 0")
    if (low == high).any():
        raise UserError(f"edge {int(np.argmax(low == high))} is a loop: an edge joins two nodes")
    if len(np.unique(low * nodes + high)) < len(low):
        raise UserError("a pair of nodes stands twice among the edges: give each pair once, with one sign")
    if not np.isin(sign, (-1, 1)).all():
        raise UserError("an edge has a sign other than 1 and -1: leave unsigned edges out")


def _close_together(nodes: int, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """New numbers for the nodes, near for neighbours: a large graph is counted in half the time."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import reverse_cuthill_mckee

    joined = csr_array((np.ones(len(first), np.int8), (first, second)), shape=(nodes, nodes))
    place = np.empty(nodes, np.int64)
    place[reverse_cuthill_mckee(joined)] = np.arange(nodes)
    return place


def _neighbours(nodes: int, first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows of the adjacency: where each node's begin, the node at the other end, and the edge's number."""
    at, other = np.concatenate([first, second]), np.concatenate([second, first])
    order = np.argsort(at, kind="stable")
    start = np.concatenate([[0], np.cumsum(np.bincount(at, minlength=nodes))])
    return start, other[order].astype(np.int32), np.tile(np.arange(len(first)), 2)[order]


@njit(cache=True)
def _count(start, other, sign, edge, positive, negative):
    """Column 0 of everything sums the products of signs, column 1 the paths themselves."""
    nodes = len(start) - 1
    two, three = np.zeros((nodes, 2), np.int32), np.zeros((nodes, 2), np.int64)
    known, near = np.full(nodes, -1, np.int32), np.zeros(nodes, np.int8)
    at_edge, at_node = _triangles(start, other, sign, near)
    for v in range(nodes):
        _paths(start, other, sign, v, two, True)
        _mark(start, other, sign, v, near, True)
        for k in range(start[v], start[v + 1]):
            if other[k] > v:
                around = at_node[other[k]] - at_edge[k]
                signed, every = _close(start, other, sign, v, k, two, three, known, near, around)
                positive[edge[k]], negative[edge[k]] = (every + signed) // 2, (every - signed) // 2
        _paths(start, other, sign, v, two, False)
        _mark(start, other, sign, v, near, False)


@njit(cache=True)
def _triangles(start, other, sign, near):
    """Twice the triangles through each end of an edge and, summed over edges, through each node."""
    at_edge, at_node = np.zeros((len(other), 2), np.int64), np.zeros((len(start) - 1, 2), np.int64)
    for u in range(len(start) - 1):
        _mark(start, other, sign, u, near, True)
        for k in range(start[u], start[u + 1]):
            for j in range(start[other[k]], start[other[k] + 1]):
                if near[other[j]] != 0:
                    at_edge[k, 0] += 2 * sign[k] * sign[j] * near[other[j]]
                    at_edge[k, 1] += 2
            at_node[u] += at_edge[k] // 2
        _mark(start, other, sign, u, near, False)
    return at_edge, at_node


@njit(cache=True)
def _paths(start, other, sign, v, two, on):
    """Sum the paths v-b-x over b, per x; or set the sums back to nought."""
    for k in range(start[v], start[v + 1]):
        b = other[k]
        for j in range(start[b], start[b + 1]):
            if on:
                two[other[j], 0] += sign[k] * sign[j]
                two[other[j], 1] += 1
            else:
                two[other[j], 0] = two[other[j], 1] = 0
    two[v, 0] = two[v, 1] = 0


@njit(cache=True)
def _mark(start, other, sign, node, marks, on):
    for k in range(start[node], start[node + 1]):
        marks[other[k]] = sign[k] if on else 0


@njit(cache=True)
def _close(start, other, sign, v, k, two, three, known, near, around):
    """Sum the five-cycles u-v-b-x-a of one edge over a: the paths a-x-b-v less those of x = u, b = a and b = u.

    Those of b = u are the triangles u-a-x without v: `around`.
    """
    u, signed, every = other[k], 0, -around[1]
    for i in range(start[u], start[u + 1]):
        a = other[i]
        if a == v:
            continue
        if known[a] != v:
            known[a] = v
            _extend(start, other, sign, a, two, three)
        signed += sign[i] * three[a, 0] - two[u, 0]
        every += three[a, 1] - two[u, 1]
        if near[a] != 0:
            signed -= sign[i] * near[a] * (start[a + 1] - start[a] - 2)
            every -= start[a + 1] - start[a] - 2
    return sign[k] * signed - around[0], every


@njit(cache=True)
def _extend(start, other, sign, a, two, three):
    """Sum the paths a-x-b-v over x and b. They are the same for all u beside a: once is enough."""
    signed, every = 0, 0
    for j in range(start[a], start[a + 1]):
        signed += sign[j] * two[other[j], 0]
        every += two[other[j], 1]
    three[a, 0], three[a, 1] = signed, every


@njit(cache=True)
def _sides(nodes, first, second, sign):
    root, side = np.arange(nodes), np.zeros(nodes, np.int64)
    for k in range(len(first)):
        a, of_a = _root(root, side, first[k])
        b, of_b = _root(root, side, second[k])
        if a != b:
            low, high = min(a, b), max(a, b)
            root[high] = low
            side[high] = of_a ^ of_b ^ (sign[k] < 0)
    for node in range(nodes):
        root[node], side[node] = _root(root, side, node)
    return root, side


@njit(cache=True)
def _root(root, side, node):
    """The root of a node's tree, and on which side of it the node stands; the path is halved on the way."""
    across = 0
    while root[node] != node:
        above = root[node]
        side[node] ^= side[above]
        root[node] = root[above]
        across ^= side[node]
        node = root[node]
    return node, across
