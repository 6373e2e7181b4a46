"""What conflict reduction does: rounds, random pruning of equal size, planted contradictions, wrong signs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import product

import numpy as np
import pandas as pd

from .. import embeddings, stats
from . import conflicts, contradiction, reversal, signed_cycles

RULES = {"tuned": (0.8, 0.3), "wide": (0.6, 0.3), "widest": (0.5, 0.2)}
"""Threshold and overlap of the contradiction rule."""

MATTERS = (0.8, 0.65, 0.5)
"""Cosines above which, in a world that is made up, two statements are of one matter."""


def rule(name: str) -> conflicts.Signer:
    """Give the contradiction rule at one of the settings `RULES`."""
    return contradiction.rule(*RULES[name])


def rounds_table(
    statements: pd.DataFrame, vectors: np.ndarray, seeds: int = 20, rounds: int = conflicts.ROUNDS
) -> pd.DataFrame:
    """Run each setting of the rule for no to five rounds: what conflicts are left, and what is dropped.

    Parameters
    ----------
    statements, vectors : as for `conflicts.reduce`.
    seeds : of the control, which drops as many signed edges at random.
    rounds : most rounds.

    Returns
    -------
    One row per `rule`, `unsigned`, `nation` ('all' first), `round` and `metric`: 'contradictory edges',
    'contradictory, in no five-cycle' (at the start), 'five-cycles',
    'conflicting five-cycles', 'edges dropped' and 'statements dropped' (all up to that round), and 'conflicting,
    random' (mean over seeds, `low` and `high` their middle 95%); `value`, `low`, `high`, `n` (statements).
    """
    by_nation = dict(list(statements.reset_index(drop=True).groupby("nation", sort=False)))
    near = {nation: conflicts.neighbours(vectors[rows.index]) for nation, rows in by_nation.items()}
    parts = []
    for name in RULES:
        for unsigned in conflicts.UNSIGNED:
            for nation, rows in by_nation.items():
                edges = conflicts.signed(rows, near[nation], sign=rule(name), unsigned=unsigned)
                named = {"rule": name, "unsigned": unsigned, "nation": nation}
                parts += [named | row for row in _by_round(rows, edges, rounds, seeds)]
    return _pooled(pd.DataFrame(parts))


def _by_round(rows, edges, rounds, seeds):
    done, told = conflicts.run(len(rows), edges, rounds)
    told = told.set_index("round").reindex(range(rounds + 1))
    told["dropped"] = told["dropped"].fillna(0).cumsum()
    apart = (done["sign"] < 0) & (done["positive"] + done["negative"] == 0)
    for number, row in told.ffill().iterrows():
        random = _random(len(rows), edges, int(row["dropped"]), seeds)
        lost = conflicts.final(rows, done, number)["dropped"].notna().sum()
        for metric, value in (
            ("contradictory edges", row["contradictory"]),
            ("contradictory, in no five-cycle", int(apart.sum())),
            ("five-cycles", row["positive"] + row["negative"]),
            ("conflicting five-cycles", row["negative"]),
            ("edges dropped", row["dropped"]),
            ("statements dropped", lost),
            ("conflicting, random", random),
        ):
            yield {"round": number, "metric": metric, "values": np.atleast_1d(value), "n": len(rows)}


def _random(rows: int, edges: pd.DataFrame, number: int, seeds: int) -> np.ndarray:
    """Conflicting five-cycles left when so many of the signed edges go at random."""
    live = edges[edges["sign"] != 0]
    if not (live["sign"] < 0).any():
        return np.zeros(seeds)
    left = []
    for seed in range(seeds if number else 1):
        drawn = np.random.default_rng(seed).permutation(len(live))[number:]
        ends = (live[name].to_numpy()[drawn] for name in ("first", "second", "sign"))
        left.append(signed_cycles.count(rows, *ends)[1].sum() // 5)
    return np.resize(left, seeds)


def _pooled(table: pd.DataFrame) -> pd.DataFrame:
    names = ["rule", "unsigned", "nation", "round", "metric"]
    every = table.assign(nation="all").groupby(names, sort=False, as_index=False)
    both = pd.concat([every.agg({"values": lambda parts: sum(parts), "n": "sum"}), table], ignore_index=True)
    spread = both["values"].map(len) > 1
    low, high = (both["values"].map(lambda v, q=q: np.quantile(v, q)).where(spread) for q in (0.025, 0.975))
    both = both.assign(value=both["values"].map(np.mean), low=low, high=high, chance=np.nan, printed=np.nan)
    return both[[*names, "value", "low", "high", "n", "chance", "printed"]]


def sensitivity_table(
    statements: pd.DataFrame,
    vectors: np.ndarray,
    neighbours: Iterable[int] = (5, 10, 20),
    thresholds: Iterable[float] = (0.5, 0.6, 0.7, 0.8),
) -> pd.DataFrame:
    """Vary the number of neighbours and the rule's threshold.

    Parameters
    ----------
    statements, vectors : as for `conflicts.reduce`.
    neighbours, thresholds : what is tried, each with each.

    Returns
    -------
    One row per `k`, `threshold` and `metric` ('edges', 'signed', 'contradictory', 'conflicting five-cycles', 'edges
    dropped', 'statements dropped'), over all nations, unsigned edges left out: `value`, `low`, `high` (NaN: counts of
    this corpus), `n` (statements), `chance`, `printed` (NaN).
    """
    rows = []
    for k, threshold in product(neighbours, thresholds):
        found = contradiction.rule(threshold)
        done, edges, told = conflicts.reduction(statements, vectors, k=k, sign=found)
        counts = {
            "edges": len(edges),
            "signed": int((edges["rule"] != 0).sum()),
            "contradictory": int((edges["rule"] < 0).sum()),
            "conflicting five-cycles": int(told.loc[told["round"] == 0, "negative"].sum()),
            "edges dropped": int(edges["dropped"].notna().sum()),
            "statements dropped": int(done["dropped"].notna().sum()),
        }
        named = {"k": k, "threshold": threshold, "n": len(done)}
        rows += [named | {"metric": name, "value": value} for name, value in counts.items()]
    table = pd.DataFrame(rows).assign(low=np.nan, high=np.nan, chance=np.nan, printed=np.nan)
    return table[["k", "threshold", "metric", "value", "low", "high", "n", "chance", "printed"]]


def plant(statements: pd.DataFrame, vectors: np.ndarray, share: float = 0.05, seed: int = 0):
    """Insert statements that contradict others: the contraries that the rules of the triples write.

    Parameters
    ----------
    statements, vectors : as for `conflicts.reduce`.
    share : of each nation's statements that get a contrary, in (0, 1); at least one, and only such as can be turned.
    seed : of the draw.

    Returns
    -------
    The statements with those planted below them, `contrary_of` (a statement id, missing for the others), their
    `statement_id` with '-contrary' behind; and the vectors of all.
    """
    rows = statements.reset_index(drop=True)
    turned = rows["statement"].map(lambda text: reversal.reverse(text).statement)
    able, random = rows[turned != ""], np.random.default_rng(seed)
    drawn = [
        random.choice(
            part.index, max(1, min(len(part), round(share * (rows["nation"] == nation).sum()))), replace=False
        )
        for nation, part in able.groupby("nation", sort=False)
    ]
    drawn = np.concatenate(drawn)
    made = rows.loc[drawn].assign(statement=turned[drawn], contrary_of=rows.loc[drawn, "statement_id"])
    made["statement_id"] += "-contrary"
    every = pd.concat([rows.assign(contrary_of=None), made], ignore_index=True)
    return every, np.concatenate([vectors, embeddings.embed(list(made["statement"]))])


def oracle(planted: pd.DataFrame, vectors: np.ndarray, matter: float) -> conflicts.Signer:
    """Sign pairs as in a world where a nation says one thing of each matter, but for the contraries planted.

    Parameters
    ----------
    planted, vectors : as of :func:`plant`.
    matter : two statements are of one matter where the cosine of their embeddings (a contrary has its statement's)
        is at least this.

    Returns
    -------
    A function for `conflicts.graph`: pairs of one matter are +1, those with one contrary -1, others unsigned.
    """
    at = pd.Series(planted.index, index=planted["statement_id"])
    origin = planted["contrary_of"].map(at).fillna(planted.index.to_series()).astype(int)
    flip = np.where(planted["contrary_of"].isna(), 1, -1)
    known = dict(zip(planted["statement"], zip(origin, flip, strict=True), strict=True))

    def sign(pairs: pd.DataFrame) -> np.ndarray:
        (one, a), (two, b) = (np.array([known[text] for text in pairs[side]]).T for side in ("first", "second"))
        near = np.einsum("ij,ij->i", vectors[one], vectors[two]) >= matter
        return np.where(near, a * b, 0)

    return sign


def flipped(sign: conflicts.Signer, share: float, seed: int) -> conflicts.Signer:
    """Turn a share of the signs into their opposite, at random."""
    random = np.random.default_rng(seed)

    def wrong(pairs: pd.DataFrame) -> np.ndarray:
        signs = np.asarray(sign(pairs))
        return np.where(random.random(len(signs)) < share, -signs, signs)

    return wrong


def planted_table(
    statements: pd.DataFrame, vectors: np.ndarray, draws: Iterable[int] = range(3), share: float = 0.05
) -> pd.DataFrame:
    """Plant contradictions, reduce, and see which of the statements are dropped.

    Parameters
    ----------
    statements, vectors : as for `conflicts.reduce`.
    draws : seeds of the planting.
    share : of statements that get a contrary.

    Returns
    -------
    One row per `signs`, `unsigned`, `rounds` (0 or 5) and `metric`: 'planted' (share of the contraries dropped),
    'contradicted' (of the statements that they are contrary to), 'others'; `value`, `low`, `high` (95%, articles
    drawn), `n` (statements over all draws), `chance` (the share that random pruning of equal size drops of any of
    them, on average), `printed` (NaN).
    """
    parts = []
    for draw in draws:
        every, points = plant(statements, vectors, share, draw)
        signers = {f"rule, {name}": rule(name) for name in RULES}
        signers |= {f"known, matter {matter}": oracle(every, points, matter) for matter in MATTERS}
        parts += _trials(every, points, signers, conflicts.UNSIGNED)
    return _shares(pd.concat(parts), ["signs", "unsigned", "rounds"])


def flipped_table(
    statements: pd.DataFrame,
    vectors: np.ndarray,
    draws: Iterable[int] = range(3),
    wrong: Iterable[float] = (0.0, 0.05, 0.1, 0.2, 0.3),
) -> pd.DataFrame:
    """Plant contradictions in the world of most signs, turn a share of the signs, and reduce.

    Parameters
    ----------
    statements, vectors, draws : as for :func:`planted_table`.
    wrong : shares of signs that are turned.

    Returns
    -------
    As :func:`planted_table`, with `wrong` in place of `signs`; unsigned edges are left out.
    """
    parts = []
    for draw in draws:
        every, points = plant(statements, vectors, seed=draw)
        right = oracle(every, points, MATTERS[-1])
        signers = {share: flipped(right, share, draw) for share in wrong}
        parts += _trials(every, points, signers, ["left out"])
    return _shares(pd.concat(parts).rename(columns={"signs": "wrong"}), ["wrong", "unsigned", "rounds"])


def _trials(every: pd.DataFrame, points: np.ndarray, signers: Mapping, unsigned: Iterable[str]):
    contradicted = every["statement_id"].isin(every["contrary_of"].dropna())
    kind = np.select([every["contrary_of"].notna(), contradicted], ["planted", "contradicted"], "others")
    every = every.assign(metric=kind)
    for _, rows in every.groupby("nation", sort=False):
        near = conflicts.neighbours(points[rows.index])
        for name, sign in signers.items():
            for way in unsigned:
                edges, _ = conflicts.run(len(rows), conflicts.signed(rows, near, sign=sign, unsigned=way))
                for rounds in (0, conflicts.ROUNDS):
                    hit = conflicts.final(rows, edges, rounds)["dropped"].notna().astype(float)
                    yield rows[["metric", "article"]].assign(hit=hit, signs=name, unsigned=way, rounds=rounds)


def _shares(trials: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    rows = []
    for key, part in trials.groupby(names, sort=False):
        for metric, own in part.groupby("metric", sort=False):
            figure = stats.estimate(own, "hit", cluster="article")
            named = dict(zip(names, key, strict=True)) | {"metric": metric}
            rows.append(named | figure | {"n": len(own), "chance": part["hit"].mean(), "printed": np.nan})
    return pd.DataFrame(rows)
