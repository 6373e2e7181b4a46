"""All released files of MENAValues, from workbooks to tables, in a fresh process; and the bootstrap beside pandas.

    python benchmarks/mena.py

The first two rows are seconds and memory of what the chapters compute from the released files, at the chapters' own
numbers of rounds, two chapters at a time as when the book is built, beside the bounds set for them. The third is the
intervals of the released N-VAS, questions drawn again: ours counts how often each question was drawn, the peer writes
out the rows of every round (pandas) and averages them, a few rounds whose time is scaled to all. Seconds are wall time,
memory is the most that the processes held, added up.
"""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from whosevalues.mena import (
    abstention,
    clusters,
    collapse,
    collapse_contrasts,
    consistency_released,
    distributions,
    divergence,
    expected,
    likely,
    native,
    native_checks,
    neutral_place,
    nvas_countries,
    nvas_coverage,
    nvas_page,
    nvas_published,
    nvas_released,
    profiles,
    quality,
    reasoning_changes,
    reasoning_native,
    reasoning_released,
    residue,
    shifts_released,
    workbook,
)  # fmt: skip

TARGET = Path(__file__).parent / "results" / "mena.csv"
SECONDS, MEMORY = 30, 2048
ROUNDS, WRITTEN_OUT = nvas_released.ROUNDS, 5


def benchmark() -> list[pd.DataFrame]:
    """Tables of the chapter on the benchmark."""
    questions, cells = workbook.read()
    shared = distributions.shared(questions, workbook.people(questions, cells))
    return [quality.report(questions, cells), distributions.spread(shared), distributions.countries(shared)]


def alignment() -> list[pd.DataFrame]:
    """Tables of the chapter on NVAS."""
    ranked = nvas_countries.ranking()
    made = [
        nvas_released.nvas_table, nvas_released.margins, nvas_released.yardsticks, nvas_published.readme_table,
        nvas_published.search, nvas_published.leads_table, nvas_page.page_table, nvas_countries.signal,
        nvas_coverage.coverage, nvas_coverage.categories, nvas_coverage.majority,
    ]  # fmt: skip
    return [ranked, nvas_countries.agreement(ranked), *(table() for table in made)]


def consistency() -> list[pd.DataFrame]:
    """Tables of the chapter on consistency."""
    pairs = consistency_released.pairs()
    tables = [consistency_released.consistency_table, consistency_released.averages_table]
    tables += [shifts_released.shift_table, shifts_released.contrast_table]
    checks = [native_checks.folder_table, native_checks.sign_table]
    return [*(table(pairs, 400, 0) for table in tables), *(table(400, 0) for table in checks)]


def reasoning() -> list[pd.DataFrame]:
    """Tables of the chapter on reasoning."""
    pairs, (questions, cells) = reasoning_released.pairs(), workbook.read()
    foreign = reasoning_native.scores(native.native_answers(), cells)
    tables = [reasoning_released.contrasts, reasoning_released.groups]
    tables += [reasoning_changes.selection, reasoning_changes.changes]
    people = reasoning_changes.against_people(pairs, workbook.people(questions, cells), 1000, 0)
    return [people, reasoning_native.contrasts(foreign, 1000, 0), *(table(pairs, 1000, 0) for table in tables)]


def probabilities() -> list[pd.DataFrame]:
    """Tables of the chapters on leakage and divergence."""
    cells, people = divergence.read()
    abstained = abstention.read()
    tables = [divergence.artefacts(cells), divergence.repaired(cells, people, 0), divergence.ten(cells, people)]
    tables += [abstention.shares(abstained, 0), abstention.contrasts(abstained, 0)]
    return [*tables, residue.leakage(cells, 0), residue.absent(cells, people, 0), expected.answerers()]


def countries() -> list[pd.DataFrame]:
    """Tables of the chapter on the collapse of countries."""
    released = sets, people, questions = profiles.released_sets()
    known, drawn = profiles.blocks(*released), {"rounds": 300, "seed": 0}
    contrasts = [("language", "native", "en"), ("mode", "reasoning", "zero-shot")]
    made = [collapse.collapse_table, clusters.language_table, neutral_place.neutral_table, neutral_place.order_table]
    return [
        profiles.points_table(known),
        profiles.variance_table(known, 100, 0),
        likely.likely_table(sets, questions, **drawn),
        clusters.gap_contrast(sets, questions, **drawn),
        *(collapse_contrasts.contrast_table(*released, *sides, **drawn) for sides in contrasts),
        *(table(*released, **drawn) for table in made),
    ]


def ours(scores: pd.DataFrame) -> tuple[pd.DataFrame, float]:
    """Intervals from counts, and their seconds."""
    start = time.perf_counter()
    made = nvas_released.averaged(scores, nvas_released.FILE, "value", rounds=ROUNDS, seed=1)
    return made, time.perf_counter() - start


def peer(scores: pd.DataFrame) -> float:
    """Seconds of all rounds written out, from those of a few."""
    by_question, random = dict(list(scores.groupby("question"))), np.random.default_rng(0)
    start = time.perf_counter()
    for _ in range(WRITTEN_OUT):
        drawn = pd.concat([by_question[name] for name in random.choice(list(by_question), len(by_question))])
        drawn.groupby(nvas_released.FILE)["value"].mean()
    return (time.perf_counter() - start) * ROUNDS / WRITTEN_OUT


def chapter(tables: Callable[[], list[pd.DataFrame]]) -> tuple[int, int, float]:
    """Compute one chapter: how many tables, in which process, and the most memory that process has held."""
    return len(tables()), os.getpid(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def once() -> None:
    """Compute everything, and print what only this process knows."""
    start, chapters = time.perf_counter(), [alignment, consistency, probabilities, countries, reasoning, benchmark]
    with ProcessPoolExecutor(2) as pool:
        done = list(pool.map(chapter, chapters))
    seconds = time.perf_counter() - start
    peak = sum({process: held for _, process, held in sorted(done, key=lambda one: one[2])}.values())
    scores = nvas_released.scored()
    _, quick = ours(scores)
    told = {"seconds": seconds, "peak": peak, "tables": sum(made for made, _, _ in done)}
    print(json.dumps(told | {"ours": quick, "peer": peer(scores), "n": len(scores)}))


def main() -> None:
    """Run it alone in a process and write the table."""
    alone = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, __file__, "once"], capture_output=True, text=True, check=True, env=alone)
    told = json.loads(done.stdout.splitlines()[-1])
    bound, pandas = "the bound set for it", f"pandas {pd.__version__}, {WRITTEN_OUT} rounds scaled"
    rows = [
        (f"{told['tables']} tables of all released files", told["seconds"], SECONDS, bound, "s", told["tables"], 2),
        ("peak memory of that", told["peak"], MEMORY, bound, "MiB", told["tables"], 2),
        (f"intervals of the released N-VAS, {ROUNDS} rounds", told["ours"], told["peer"], pandas, "s", told["n"], 1),
    ]
    table = pd.DataFrame(rows, columns=["work", "ours", "peer", "peer_name", "unit", "n", "threads"])
    table["ratio"] = table["peer"] / table["ours"]
    table = table.assign(dtype="float64", date=datetime.now(UTC).date().isoformat())
    table = table[["work", "ours", "peer", "peer_name", "unit", "ratio", "n", "threads", "dtype", "date"]]
    table.to_csv(TARGET, index=False, float_format="%.4g", lineterminator="\n")
    print(table.to_string(index=False))


if __name__ == "__main__":
    once() if len(sys.argv) > 1 else main()
