"""Conflict reduction as the paper describes it: articles are nodes, statements edges, five-hop cycles are listed.

For few articles alone: a complete graph of n nodes has 12 cycles of five edges for every five of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from itertools import combinations

import numpy as np
import pandas as pd

from .. import UserError
from . import articles, contradiction
from . import statements as reader
from .conflicts import ROUNDS

HOPS = 5
READINGS = ("one a round", "all at once")
MOST = 16
"""Articles: their complete graph has 52,416 cycles of five edges."""


def graph(statements: pd.DataFrame):
    """Join every two articles by the earlier one's statement, as the released code does.

    Parameters
    ----------
    statements : of one nation, one per article: `statement_id`, `article`; the order decides which is earlier.

    Returns
    -------
    A networkx graph of articles; its edges have `statement`, an id.

    Raises
    ------
    UserError : more than `MOST` articles, or an article with two statements.
    """
    import networkx as nx

    if len(statements) > MOST:
        raise UserError(
            f"{len(statements)} articles: listing their cycles is for {MOST} or fewer; `conflicts.reduce` takes more"
        )
    twice = statements["article"][statements["article"].duplicated()]
    if len(twice):
        raise UserError(f"article '{twice.iloc[0]}' has two statements: the paper reads one from each")
    out = nx.Graph()
    out.add_nodes_from(statements["article"])
    rows = list(statements[["article", "statement_id"]].itertuples(index=False, name=None))
    out.add_edges_from((a, b, {"statement": name}) for (a, name), (b, _) in combinations(rows, 2))
    return out


def cycles(of, hops: int = HOPS) -> Iterator[list[str]]:
    """List the cycles of so many edges by the statements on them.

    Parameters
    ----------
    of : a graph, as of :func:`graph`.
    hops : edges of a cycle, 3 or more.

    Yields
    ------
    The statements of one cycle, one per edge.
    """
    import networkx as nx

    for nodes in nx.simple_cycles(of, length_bound=hops):
        if len(nodes) == hops:
            yield [of.edges[pair]["statement"] for pair in zip(nodes, [*nodes[1:], nodes[0]], strict=True)]


def reduce(
    statements: pd.DataFrame,
    contradictions: Collection[tuple[str, str]],
    rounds: int = ROUNDS,
    hops: int = HOPS,
    reading: str = READINGS[0],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Drop statements that deviate on conflicting cycles, round by round.

    A cycle conflicts when two of its statements contradict each other. Of each, the one with most contradictions on
    the cycle deviates (ties: the first by id). The paper does not say how it chooses, nor how many go in a round.

    Parameters
    ----------
    statements : as for :func:`graph`.
    contradictions : pairs of statement ids.
    rounds : most of them.
    hops : edges of a cycle.
    reading : a round drops 'one a round', the statement that deviates on most cycles (ties: the first by id), or 'all
        at once', all that deviate on any; then no second round finds anything, for every conflicting cycle is broken.

    Returns
    -------
    The statements with `dropped` (round, missing where kept) and `reason`; and per round `round`, `cycles`,
    `conflicting`, `dropped`, the last row saying what is left.
    """
    left, against = graph(statements), {frozenset(pair) for pair in contradictions}
    dropped: dict[str, tuple[int, str]] = {}
    told = []
    for number in range(rounds + 1):
        every = list(cycles(left, hops))
        blamed = Counter(name for names in every if (name := _deviating(names, against)))
        gone = sum(at == number for at, _ in dropped.values())
        told.append({"round": number, "cycles": len(every), "conflicting": blamed.total(), "dropped": gone})
        if number == rounds or not blamed:
            break
        worst = sorted(blamed, key=lambda name: (-blamed[name], name))[: 1 if reading == READINGS[0] else None]
        for name in worst:
            dropped[name] = (number + 1, f"deviates on {blamed[name]} of {blamed.total()} conflicting cycles")
        left.remove_edges_from([(a, b) for a, b, name in left.edges(data="statement") if name in worst])
    marks = [dropped.get(name, (np.nan, "")) for name in statements["statement_id"]]
    at, reason = ([mark[k] for mark in marks] for k in (0, 1))
    return statements.assign(dropped=at, reason=reason), pd.DataFrame(told)


def _deviating(names: list[str], against: Collection[frozenset[str]]) -> str | None:
    times = Counter(name for pair in combinations(sorted(set(names)), 2) if frozenset(pair) in against for name in pair)
    return min(times, key=lambda name: (-times[name], name)) if times else None


def teaching() -> tuple[pd.DataFrame, list[tuple[str, str]]]:
    """Read one statement from each teaching article, and which of them contradict each other.

    Returns
    -------
    The statements, as of `statements.read`; and pairs of statement ids, labelled by reading all pairs of a nation. A
    pair counts only while both statements are those that were labelled.
    """
    read = reader.read(articles.passages(articles.load(articles.TEACHING.parent))).drop_duplicates("article")
    known = read.assign(hash=read["statement"].map(contradiction.fingerprint)).set_index("article")
    pairs = contradiction.labels().query("kind == 'teaching' and label == 'contradicts'")
    held = [
        (known["statement_id"][one["first"]], known["statement_id"][one["second"]])
        for one in pairs.to_dict("records")
        if all(known["hash"].get(one[side]) == one[f"{side}_hash"] for side in ("first", "second"))
    ]
    return read.reset_index(drop=True), held


def order_table(
    statements: pd.DataFrame, contradictions: Collection[tuple[str, str]], orders: int = 20, seed: int = 0
) -> pd.DataFrame:
    """Reduce each nation's conflicts in either reading, with its articles as listed and in other orders.

    Parameters
    ----------
    statements, contradictions : as of :func:`teaching`.
    orders : other orders, drawn at random.
    seed : of the draw.

    Returns
    -------
    One row per `nation`, `reading`, `order` ('as listed', 'drawn'), `hops` (5, and 3 as listed, one a round) and
    `metric`: those of `_counts`, and for five hops as listed 'found by five hops alone' (fewer left than by three);
    `value`, `low`, `high` (middle 95% of the orders), `n` (articles), `contradictions`, `chance`, `printed` (NaN).
    """
    random, parts = np.random.default_rng(seed), []
    for nation, own in statements.groupby("nation", sort=False):
        pairs = [pair for pair in contradictions if pair[0] in set(own["statement_id"])]
        drawn = [own.iloc[random.permutation(len(own))] for _ in range(orders)]
        tries = {(reading, "as listed", HOPS): [own] for reading in READINGS}
        tries |= {(reading, "drawn", HOPS): drawn for reading in READINGS} | {(READINGS[0], "as listed", 3): [own]}
        for (reading, order, hops), lists in tries.items():
            counts = pd.DataFrame([_counts(one, pairs, hops, reading) for one in lists])
            found = pd.DataFrame({"value": counts.mean(), "low": np.nan, "high": np.nan}).rename_axis("metric")
            if len(lists) > 1:
                found[["low", "high"]] = counts.quantile([0.025, 0.975]).T.to_numpy()
            named = {"nation": nation, "reading": reading, "order": order, "hops": hops}
            parts.append(found.reset_index().assign(**named, n=len(own), contradictions=len(pairs)))
    table = pd.concat(parts, ignore_index=True)
    left = table.query(f"order == 'as listed' and reading == '{READINGS[0]}' and metric == 'left'")
    short = left.loc[left["hops"] == 3].set_index("nation")["value"]
    long = left[left["hops"] == HOPS].assign(metric="found by five hops alone")
    table = pd.concat([table, long.assign(value=long["nation"].map(short) - long["value"])], ignore_index=True)
    names = ["nation", "reading", "order", "hops", "metric", "value", "low", "high", "n", "contradictions"]
    return table[names].assign(chance=np.nan, printed=np.nan)


def _counts(statements: pd.DataFrame, pairs: Collection[tuple[str, str]], hops: int, reading: str) -> dict[str, int]:
    """'left' are contradictions of which both statements are kept, 'needed' the fewest that would resolve the rest."""
    done, told = reduce(statements, pairs, hops=hops, reading=reading)
    gone = set(done.loc[done["dropped"].notna(), "statement_id"])
    solved = [pair for pair in pairs if gone & {*pair}]
    met = {frozenset(pair) for names in cycles(graph(statements), hops) for pair in combinations(set(names), 2)}
    needed = fewest(solved)
    return {
        "cycles": told["cycles"][0],
        "conflicting": told["conflicting"][0],
        "conflicting, after": told["conflicting"].iloc[-1],
        "on no cycle": sum(frozenset(pair) not in met for pair in pairs),
        "rounds": int((told["dropped"] > 0).sum()),
        "dropped": len(gone),
        "needed": needed,
        "beyond need": len(gone) - needed,
        "resolved": len(solved),
        "left": len(pairs) - len(solved),
    }


def fewest(pairs: Collection[tuple[str, str]]) -> int:
    """Count the fewest statements that must go so that none of the pairs stays whole; by trying, so for few pairs.

    Examples
    --------
    >>> fewest([("a", "b"), ("b", "c"), ("d", "e")])
    2
    """
    names = sorted({name for pair in pairs for name in pair})
    for size in range(len(names) + 1):
        if any(all({*pair} & {*gone} for pair in pairs) for gone in combinations(names, size)):
            return size
    return len(names)
