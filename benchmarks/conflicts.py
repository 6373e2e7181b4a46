"""Signed five-cycles per edge, and five rounds of conflict reduction: ours beside networkx, and how both grow.

    python benchmarks/conflicts.py

Graphs: points drawn evenly in five dimensions, each joined to its ten nearest, one edge in ten negative. 'per edge' is
one count of all five-cycles through every edge by sign; networkx lists the cycles up to five edges and is left out
where it would take more than a minute or so. 'five rounds' is all of `conflicts.run`, from edges to those dropped,
beside the bound set for it. Seconds are processor time of one thread. Each size runs in a process of its own; memory is
the most that this process held, the graph and the libraries included.
"""

import json
import os
import resource
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from whosevalues.navab import conflicts, signed_cycles

TARGET = Path(__file__).parent / "results" / "conflicts.csv"
EDGES = (1_000, 3_000, 10_000, 100_000, 1_000_000)
LISTED = 3_000
SECONDS, MEMORY = 30, 2048
DEGREE = 5.9
"""Edges per node of such a graph, about."""


def graph(edges: int, seed: int = 0) -> tuple[int, pd.DataFrame]:
    """Nodes and signed edges of one size."""
    from scipy.spatial import KDTree

    nodes, random = round(edges / DEGREE), np.random.default_rng(seed)
    points = random.random((nodes, 5))
    near = KDTree(points).query(points, k=11)[1][:, 1:]
    low, high = np.sort(np.column_stack([np.repeat(np.arange(nodes), 10), near.ravel()]), axis=1).T
    low, high = np.divmod(np.unique(low * nodes + high), nodes)
    sign = np.where(random.random(len(low)) < 0.1, -1, 1)
    return nodes, pd.DataFrame({"first": low, "second": high, "sign": sign})


def listed(nodes: int, edges: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """The same counts from networkx's list of cycles."""
    import networkx as nx

    counts = np.zeros((2, len(edges)), np.int64)
    at = {(a, b): k for k, (a, b) in enumerate(zip(edges["first"], edges["second"], strict=True))}
    sign = edges["sign"].to_numpy()
    for cycle in nx.simple_cycles(nx.Graph(list(at)), length_bound=5):
        if len(cycle) == 5:
            on = [at[min(pair), max(pair)] for pair in zip(cycle, [*cycle[1:], cycle[0]], strict=True)]
            counts[int(sign[on].prod() < 0), on] += 1
    return counts[0], counts[1]


def once(wanted: int) -> None:
    """One size, and what this process held."""
    nodes, edges = graph(wanted)
    ends = [edges[name].to_numpy() for name in ("first", "second", "sign")]
    ring = np.arange(5)
    signed_cycles.count(5, ring, (ring + 1) % 5, np.ones(5, int))
    start = time.process_time()
    counts = signed_cycles.count(nodes, *ends)
    told = {"nodes": nodes, "edges": len(edges), "count": time.process_time() - start}
    start = time.process_time()
    done, history = conflicts.run(nodes, edges)
    told["rounds"] = time.process_time() - start
    told["left"] = int(history["negative"].iloc[-1])
    told["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if wanted <= LISTED:
        start = time.process_time()
        peer = listed(nodes, edges)
        told["networkx"] = time.process_time() - start
        assert all((a == b).all() for a, b in zip(counts, peer, strict=True)), "the two counts differ"
    print(json.dumps(told))


def rows(told: dict[str, float]) -> list[tuple]:
    """Lines of the table for one size."""
    import networkx as nx

    size, per = told["edges"], f"networkx {nx.__version__}"
    bound = "the bound set for a million edges"
    return [
        ("five-cycles per edge, by sign", told["count"], told.get("networkx", np.nan), per, "s", size),
        ("five rounds", told["rounds"], SECONDS, bound, "s", size),
        ("peak memory of five rounds", told["peak"], MEMORY, bound, "MiB", size),
    ]


def main() -> None:
    """Run every size alone in a process and write the table."""
    alone = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    made = []
    for wanted in EDGES:
        done = subprocess.run(
            [sys.executable, __file__, str(wanted)], capture_output=True, text=True, check=True, env=alone
        )
        made += rows(json.loads(done.stdout.splitlines()[-1]))
    table = pd.DataFrame(made, columns=["work", "ours", "peer", "peer_name", "unit", "n"])
    table["ratio"] = table["peer"] / table["ours"]
    table = table.assign(threads=1, dtype="int64", date=datetime.now(UTC).date().isoformat())
    table = table[["work", "ours", "peer", "peer_name", "unit", "ratio", "n", "threads", "dtype", "date"]]
    table.to_csv(TARGET, index=False, float_format="%.4g", lineterminator="\n")
    print(table.to_string(index=False))


if __name__ == "__main__":
    once(int(sys.argv[1])) if len(sys.argv) > 1 else main()
