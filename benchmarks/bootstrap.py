"""Self-consistency over all pairs of a bootstrap sample: the closed form beside the self-join that it replaces.

    python benchmarks/bootstrap.py

Both get the same sample of the released responses. The peer pairs every drawn row with every other of the same model,
language and question (pandas) and correlates the pairs (scipy); ours never forms a pair. Seconds are processor time of
one bootstrap round, on one thread: ours the mean of a whole run of rounds, its preparation included, the peer's the
fastest of its rounds, the drawing of rows left out.
"""

import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import scipy
from scipy import stats as scipy_stats

from whosevalues import stats
from whosevalues.multicultural import released, scores

STATE = "head-2025-08"
TARGET = Path(__file__).parent / "results" / "bootstrap.csv"
# Level of the ground truth -> rounds of ours and of the peer, whose pairs at country level fill some gigabytes.
ROUNDS = {"language": (100, 5), "country": (20, 1)}


def self_join(drawn: pd.DataFrame) -> pd.Series:
    """Correlate all ordered pairs of different rows of a sample, as one would write it down."""
    keys = ["model", "language", "question"]
    rows = drawn[[*keys, "score"]].reset_index(drop=True).reset_index(names="row")
    pairs = rows.merge(rows, on=keys, suffixes=("", "_other"))
    pairs = pairs[pairs["row"] != pairs["row_other"]]
    return pairs.groupby(["model", "language"])[["score", "score_other"]].apply(
        lambda cell: scipy_stats.spearmanr(cell["score"], cell["score_other"]).statistic
    )


def measure(joined: pd.DataFrame, level: str) -> dict[str, object]:
    """Time both on the same rounds and compare what they return."""
    rounds, peer_rounds = ROUNDS[level]
    counts = stats.bootstrap_counts(len(joined), rounds, seed=0)
    start = time.process_time()
    table = scores.consistency(joined, counts, STATE)
    ours = (time.process_time() - start) / rounds
    reliability = scores.CONSISTENCY[STATE][1]
    seconds, differences = [], []
    for number in range(peer_rounds):
        drawn = joined.loc[np.repeat(joined.index, counts[number])]
        start = time.process_time()
        peer = self_join(drawn)
        seconds.append(time.process_time() - start)
        mine = table[table["round"] == number].set_index(["model", "language"])["consistency"] * reliability
        differences.append((mine - peer).abs().max())
    return {
        "work": f"self-consistency of one bootstrap round, {level} level",
        "ours": ours,
        "peer": min(seconds),
        "peer_name": f"pandas {pd.__version__} self-join + scipy {scipy.__version__}",
        "unit": "s",
        "ratio": min(seconds) / ours,
        "n": len(joined),
        "threads": 1,
        "dtype": "float64",
        "date": datetime.now(UTC).date().isoformat(),
        "max_abs_difference": max(differences),
    }


if __name__ == "__main__":
    responses, truth, _ = released.read(STATE)
    table = pd.DataFrame([measure(released.join(responses, truth, level), level) for level in ROUNDS])
    table.to_csv(TARGET, index=False, float_format="%.4g", lineterminator="\n")
    print(table.to_string(index=False))
