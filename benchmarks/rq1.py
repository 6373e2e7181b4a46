"""The first research question from its files to its coefficients, in a fresh process: ours beside a plain one.

    python benchmarks/rq1.py

Both read the later state's files, resample them a hundred times and fit Eq. 1. Ours works on counts. The peer writes
out every round: it draws the rows (pandas), correlates cell by cell (scipy) and pairs every drawn row with every other
of the same model, language and question; of its rounds only a few are run, and their time is scaled to all of them,
while the rest of its work is measured as it is. Seconds are wall time from the start of the interpreter to the
coefficients, the median of the runs; memory is the most that a process held.
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import scipy
from bootstrap import STATE, self_join
from scipy import stats as scipy_stats

from whosevalues import stats
from whosevalues.multicultural import released, rq1, scores

TARGET = Path(__file__).parent / "results" / "rq1.csv"
ROUNDS, WRITTEN_OUT, RUNS = 100, 3, 3


def plain_round(drawn: pd.DataFrame) -> pd.DataFrame:
    """Alignment and consistency of one drawn sample, as one would write them down."""
    own = drawn[drawn["group"] == drawn["language"]].groupby(["model", "language"])[["score", "human"]]
    alignment = own.apply(lambda cell: scipy_stats.spearmanr(cell["score"], cell["human"]).statistic)
    consistency = self_join(drawn) / scores.CONSISTENCY[STATE][1]
    return pd.DataFrame({"alignment": alignment, "consistency": consistency}).reset_index()


def ours(joined: pd.DataFrame, capability: pd.DataFrame) -> tuple[pd.DataFrame, float]:
    """All rounds, and no time to be scaled."""
    return rq1.rq1_rows(joined, capability, STATE, rounds=ROUNDS), 0.0


def peer(joined: pd.DataFrame, capability: pd.DataFrame) -> tuple[pd.DataFrame, float]:
    """A few rounds as often as it takes, and the seconds of those that were not run."""
    counts, start = stats.bootstrap_counts(len(joined), WRITTEN_OUT, seed=0), time.perf_counter()
    rounds = [plain_round(joined.loc[np.repeat(joined.index, line)]) for line in counts]
    missing = (time.perf_counter() - start) * (ROUNDS / WRITTEN_OUT - 1)
    rows = pd.concat([rounds[k % WRITTEN_OUT].assign(round=k) for k in range(ROUNDS)], ignore_index=True)
    rows = rows.merge(capability, on=["model", "language"])
    return rows.merge(joined[["model", "family"]].drop_duplicates(), on="model"), missing


def once(method: str) -> None:
    """Do the whole, and print what only this process knows."""
    responses, truth, capability = released.read(STATE)
    rows, missing = {"ours": ours, "peer": peer}[method](released.join(responses, truth, "language"), capability)
    fit = rq1.rq1_fit(rows, STATE)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    first = rows[rows["round"] < WRITTEN_OUT].sort_values(["round", "model", "language"])
    figures = first[["alignment", "consistency"]].to_numpy().ravel().tolist()
    print(json.dumps({"missing": missing, "peak": peak, "n": int(fit.nobs), "figures": figures}))


def fresh(method: str) -> dict[str, object]:
    """Run one method in a process of its own."""
    start = time.perf_counter()
    alone = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, __file__, method], capture_output=True, text=True, check=True, env=alone)
    seconds = time.perf_counter() - start
    told = json.loads(done.stdout.splitlines()[-1])
    return {**told, "seconds": seconds + told["missing"]}


def main() -> None:
    """Run both and write the table."""
    mine, other = [fresh("ours") for _ in range(RUNS)], [fresh("peer")]
    away = np.abs(np.subtract(mine[0]["figures"], other[0]["figures"])).max()
    rows = []
    for work, key, unit in (
        (f"RQ1 from files to coefficients, {ROUNDS} rounds", "seconds", "s"),
        ("peak memory of that", "peak", "MiB"),
    ):
        ours_, theirs = (statistics.median(run[key] for run in runs) for runs in (mine, other))
        rows.append({"work": work, "ours": ours_, "peer": theirs, "unit": unit, "ratio": theirs / ours_})
    table = pd.DataFrame(rows).assign(
        peer_name=f"pandas {pd.__version__} self-join + scipy {scipy.__version__}, {WRITTEN_OUT} rounds scaled",
        n=mine[0]["n"],
        threads=1,
        dtype="float64",
        date=datetime.now(UTC).date().isoformat(),
        max_abs_difference=away,
    )
    columns = ["work", "ours", "peer", "peer_name", "unit", "ratio", "n", "threads", "dtype", "date"]
    table = table[[*columns, "max_abs_difference"]]
    table.to_csv(TARGET, index=False, float_format="%.4g", lineterminator="\n")
    print(table.to_string(index=False))


if __name__ == "__main__":
    once(sys.argv[1]) if len(sys.argv) > 1 else main()
