"""Conflict reduction: which statements of a nation contradict what the nation says otherwise, and which are dropped.

The paper's mechanism (summary, Mechanism 1) has articles for nodes and statements for edges; `paper_graph` has it, for
few articles. Here is our operationalisation, which scales: statements are nodes, near neighbours are joined, an edge is
positive or negative as two statements agree or contradict each other, and a cycle of five edges conflicts where the
product of its signs is negative.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from .. import UserError
from . import contradiction, signed_cycles

NEIGHBOURS, HUB, ROUNDS = 10, 30, 5
UNSIGNED = ("left out", "consistent")
FINAL = "final step"
Signer = Callable[[pd.DataFrame], np.ndarray]


def reduce(statements: pd.DataFrame, vectors: np.ndarray, rounds: int = ROUNDS, **how: object) -> pd.DataFrame:
    """Find the statements that conflict reduction drops, nation by nation.

    Parameters
    ----------
    statements : columns `statement_id` (unique), `article`, `nation`, `statement`.
    vectors : their embeddings, unit rows, in the same order.
    rounds : most rounds of dropping edges, 0 or more.
    how : `k`, `hub`, `sign` and `unsigned`, as of :func:`graph`.

    Returns
    -------
    The statements with `dropped` ('final step', missing where kept) and `reason` (in words; '' where kept).

    Raises
    ------
    UserError : as :func:`reduction`.
    """
    return reduction(statements, vectors, rounds, **how)[0]


def reduction(
    statements: pd.DataFrame, vectors: np.ndarray, rounds: int = ROUNDS, **how: object
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Reduce conflicts and keep account of it.

    Parameters
    ----------
    statements, vectors, rounds, how : as for :func:`reduce`.

    Returns
    -------
    The statements as :func:`reduce` gives them; the edges (`nation`, `first` and `second` (statement ids), `cosine`,
    `rule` (-1, 0, 1), `sign`, `hub` (left out at a hub), `positive` and `negative` (five-cycles through it at the
    start), `dropped` (round, missing where kept)); and per nation and round, from 0 on: `edges`, `contradictory`,
    `positive` and `negative` five-cycles, `dropped` edges of that round.

    Raises
    ------
    UserError : vectors of another number, an id given twice, a negative number of rounds.
    """
    _check(statements, vectors, rounds)
    kept, edges, history = [], [], []
    for nation, rows in statements.reset_index(drop=True).groupby("nation", sort=False):
        own = graph(rows, vectors[rows.index], **how)
        own, told = run(len(rows), own, rounds)
        kept.append(final(rows, own))
        ids = rows["statement_id"].to_numpy()
        edges.append(own.assign(nation=nation, first=ids[own["first"]], second=ids[own["second"]]))
        history.append(told.assign(nation=nation))
    out = pd.concat(kept).sort_index() if kept else statements.assign(dropped=None, reason="")
    out.index = statements.index
    return out, *(pd.concat(parts, ignore_index=True) if parts else pd.DataFrame() for parts in (edges, history))


def graph(
    statements: pd.DataFrame,
    vectors: np.ndarray,
    k: int = NEIGHBOURS,
    hub: int = HUB,
    sign: Signer = contradiction.sign,
    unsigned: str = UNSIGNED[0],
) -> pd.DataFrame:
    """Join every statement to its nearest neighbours and sign the edges.

    Parameters
    ----------
    statements : of one nation, column `statement`.
    vectors : their embeddings, unit rows.
    k : neighbours of each.
    hub : most edges of one statement; a statement that more have for neighbour keeps the nearest of them.
    sign : takes pairs (`first`, `second` (texts), `cosine`), gives -1, 0 or 1 each.
    unsigned : what an edge counts as of which `sign` says nothing: 'left out' of all cycles, or 'consistent'.

    Returns
    -------
    One row per edge: `first`, `second` (rows of `statements`, the lower first), `cosine`, `rule` (what `sign` said),
    `sign` (-1, 0 where left out, 1), `hub` (whether it was left out at a hub; its sign is 0 then).

    Raises
    ------
    UserError : k or hub below 1, another word for the unsigned, or signs that are none.
    """
    if k < 1 or hub < 1:
        raise UserError(f"k={k} and hub={hub}: a statement needs at least 1 neighbour")
    if unsigned not in UNSIGNED:
        raise UserError(f"unknown unsigned '{unsigned}': choose {' or '.join(UNSIGNED)}")
    return signed(statements, neighbours(vectors, k), hub, sign, unsigned)


def signed(
    statements: pd.DataFrame,
    edges: pd.DataFrame,
    hub: int = HUB,
    sign: Signer = contradiction.sign,
    unsigned: str = UNSIGNED[0],
) -> pd.DataFrame:
    """Sign the edges of :func:`neighbours`; as :func:`graph` otherwise."""
    texts = statements["statement"].to_numpy(object)
    pairs = pd.DataFrame({"first": texts[edges["first"]], "second": texts[edges["second"]]})
    said = np.asarray(sign(pairs.assign(cosine=edges["cosine"])), dtype=np.int8)
    if len(said) != len(edges) or not np.isin(said, (-1, 0, 1)).all():
        raise UserError("the function that signs pairs must give -1, 0 or 1 for each pair, in order")
    at_hub = _at_hubs(len(statements), edges, hub)
    counted = np.where(said == 0, int(unsigned == "consistent"), said)
    return edges.assign(rule=said, hub=at_hub, sign=np.where(at_hub, 0, counted).astype(np.int8))


def neighbours(vectors: np.ndarray, k: int = NEIGHBOURS) -> pd.DataFrame:
    """Find each row's nearest neighbours by cosine, exactly, a block of rows at a time.

    Parameters
    ----------
    vectors : unit rows.
    k : neighbours of each; all others where there are fewer.

    Returns
    -------
    One row per pair of which at least one is a neighbour of the other: `first` < `second` (rows), `cosine`.
    """
    rows, k = len(vectors), min(k, len(vectors) - 1)
    if k < 1:
        return pd.DataFrame({"first": np.array([], int), "second": np.array([], int), "cosine": np.array([], float)})
    pairs = []
    for start in range(0, rows, 1024):
        near = vectors[start : start + 1024] @ vectors.T
        near[np.arange(len(near)), np.arange(start, start + len(near))] = -np.inf
        # Equal cosines: the lower row first, whatever the library does with ties.
        best = np.argsort(-near, axis=1, kind="stable")[:, :k]
        at = np.repeat(np.arange(start, start + len(near)), k)
        pairs.append(np.column_stack([at, best.ravel()]))
    low, high = np.sort(np.concatenate(pairs), axis=1).T
    low, high = np.divmod(np.unique(low * rows + high), rows)
    cosine = np.einsum("ij,ij->i", vectors[low], vectors[high])
    return pd.DataFrame({"first": low, "second": high, "cosine": cosine.astype(float)})


def _at_hubs(rows: int, edges: pd.DataFrame, hub: int) -> np.ndarray:
    """Edges that are not among the nearest `hub` of both their ends."""
    ends = np.concatenate([edges["first"], edges["second"]])
    order = np.lexsort((np.tile(np.arange(len(edges)), 2), -np.tile(edges["cosine"], 2), ends))
    start = np.concatenate([[0], np.cumsum(np.bincount(ends, minlength=rows))])[:-1]
    place = np.empty(len(ends), int)
    place[order] = np.arange(len(ends)) - start[ends[order]]
    return (place.reshape(2, -1) >= hub).any(axis=0)


def run(rows: int, edges: pd.DataFrame, rounds: int = ROUNDS) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Drop edges in rounds until no edge deviates, or the rounds are over.

    An edge deviates when more than half of the five-cycles through it conflict: where a few signs are wrong those are
    the wrong ones, for of a right edge's cycles more are balanced than not. Each round drops the edges of the highest
    share among those at either of their ends, of equals the first in order. So a statement loses at most one edge a
    round.

    Parameters
    ----------
    rows : number of statements.
    edges : `first`, `second`, `sign` in {-1, 0, 1}; those of sign 0 are in no cycle.
    rounds : most of them.

    Returns
    -------
    The edges with `positive` and `negative` (five-cycles through each at the start) and `dropped` (round, missing
    where kept); and per round, from 0 (the start): `round`, `edges`, `contradictory`, `positive`, `negative`, `dropped`
    (edges of that round). The last row says what is left.
    """
    first, second, sign = (edges[name].to_numpy() for name in ("first", "second", "sign"))
    live = np.flatnonzero(sign)
    counts, dropped, told = np.zeros((2, len(edges)), np.int64), np.full(len(edges), np.nan), []
    for number in range(rounds + 1):
        positive, negative = signed_cycles.count(rows, first[live], second[live], sign[live])
        if number == 0:
            counts[:, live] = positive, negative
        told.append(
            {"round": number, "edges": len(live), "contradictory": int((sign[live] < 0).sum())}
            | {"positive": int(positive.sum() // 5), "negative": int(negative.sum() // 5)}
            | {"dropped": int((dropped == number).sum())}
        )
        worst = live[_worst(rows, first[live], second[live], positive, negative)]
        if number == rounds or not len(worst):
            break
        dropped[worst] = number + 1
        live = live[np.isnan(dropped[live])]
    return edges.assign(positive=counts[0], negative=counts[1], dropped=dropped), pd.DataFrame(told)


def _worst(rows: int, first: np.ndarray, second: np.ndarray, positive: np.ndarray, negative: np.ndarray) -> np.ndarray:
    share = negative / np.maximum(positive + negative, 1)
    place = np.empty(len(share), int)
    place[np.argsort(-share, kind="stable")] = np.arange(len(share))
    best = np.full(rows, len(share))
    for ends in (first, second):
        np.minimum.at(best, ends, place)
    return (share > 0.5) & (best[first] == place) & (best[second] == place)


def final(statements: pd.DataFrame, edges: pd.DataFrame, rounds: int = ROUNDS) -> pd.DataFrame:
    """Drop the smaller side of each component's two-colouring; where both are as large, nothing is dropped.

    Parameters
    ----------
    statements : of one nation.
    edges : as of :func:`run`; the spanning tree takes the nearest pairs first.
    rounds : edges dropped in later rounds than this are taken as kept.

    Returns
    -------
    The statements with `dropped` and `reason`, as of :func:`reduce`.
    """
    left = edges[~(edges["dropped"] <= rounds) & (edges["sign"] != 0)]
    left = left.sort_values("cosine", ascending=False, kind="stable")
    ends = (left[name].to_numpy() for name in ("first", "second", "sign"))
    component, side = signed_cycles.sides(len(statements), *ends)
    groups = pd.DataFrame({"component": component, "side": side}).groupby("component")["side"]
    size, ones = groups.transform("size").to_numpy(), groups.transform("sum").to_numpy()
    mine = np.where(side == 1, ones, size - ones)
    minority = 2 * mine < size
    words = [f"on a side of {a} in a component of {b}" for a, b in zip(mine, size, strict=True)]
    dropped = pd.Series(np.where(minority, FINAL, None), index=statements.index, dtype=object)
    return statements.assign(dropped=dropped, reason=np.where(minority, words, ""))


def provenance(statements: pd.DataFrame, edges: pd.DataFrame) -> pd.DataFrame:
    """Say what was dropped, when, why, and out of which article.

    Parameters
    ----------
    statements, edges : as of :func:`reduction`.

    Returns
    -------
    One row per dropped edge and statement: `what` ('edge' or 'statement'), `nation`, `statement_id`, `article`,
    `other` (the edge's other statement, or those that contradict the statement), `dropped` (a round, or 'final step'),
    `reason`.
    """
    article = statements.set_index("statement_id")["article"]
    gone = edges[edges["dropped"].notna()]
    share = gone["negative"] / (gone["positive"] + gone["negative"]).clip(lower=1)
    sign = gone["sign"].map({-1: "contradictory", 1: "consistent"})
    told = [f"{a}; {b:.2f} of its five-cycles conflicted at first" for a, b in zip(sign, share, strict=True)]
    rows = gone.assign(what="edge", reason=told, statement_id=gone["first"], other=gone["second"])
    against = edges[edges["sign"] < 0]
    pairs = pd.concat(
        [against[["first", "second"]], against[["second", "first"]].set_axis(["first", "second"], axis=1)]
    )
    others = pairs.groupby("first")["second"].agg(lambda names: " ".join(sorted(names)))
    lost = statements[statements["dropped"].notna()]
    lost = lost.assign(what="statement", other=lost["statement_id"].map(others).fillna(""))
    table = pd.concat([rows.assign(dropped=rows["dropped"].astype(int)).sort_values("dropped", kind="stable"), lost])
    table["article"] = table["statement_id"].map(article)
    columns = ["what", "nation", "statement_id", "article", "other", "dropped", "reason"]
    return table[columns].reset_index(drop=True)


def _check(statements: pd.DataFrame, vectors: np.ndarray, rounds: int) -> None:
    if len(vectors) != len(statements):
        raise UserError(f"{len(vectors)} vectors for {len(statements)} statements: give one each, in the same order")
    twice = statements["statement_id"][statements["statement_id"].duplicated()]
    if len(twice):
        raise UserError(f"two statements have the id '{twice.iloc[0]}': give each its own")
    if rounds < 0:
        raise UserError(f"rounds={rounds}: give 0 or more")
