"""How long a newcomer waits: `make book` in a fresh clone, again without a change, and its peak of memory.

The bounds stand in the place of a peer: a ratio above 1 means that we stay within them.
"""

import os
import subprocess
import tempfile
import time
from datetime import date
from pathlib import Path

import pandas as pd
import psutil

ROOT = Path(__file__).parents[1]
BOUNDS = {"cold": (900, "s"), "warm": (10, "s"), "memory": (6, "GiB")}


def resident(process: psutil.Process) -> float:
    """Memory of a process and all it started, in GiB; pages that they share count once each."""
    total = 0
    for one in [process, *process.children(recursive=True)]:
        try:
            total += one.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total / 2**30


def make_book(folder: Path) -> tuple[float, float]:
    """Seconds and peak GiB of `make book`."""
    # The benchmark's own environment must not help: the clone makes one for itself.
    environment = {key: value for key, value in os.environ.items() if key not in ("VIRTUAL_ENV", "PYTHONPATH")}
    environment["PATH"] = os.pathsep.join(p for p in os.environ["PATH"].split(os.pathsep) if ".venv" not in p)
    begun, peak = time.monotonic(), 0.0
    running = psutil.Popen(["make", "book"], cwd=folder, env=environment, stdout=subprocess.DEVNULL)
    while running.poll() is None:
        peak = max(peak, resident(running))
        time.sleep(0.5)
    assert running.returncode == 0, "make book failed"
    return time.monotonic() - begun, peak


with tempfile.TemporaryDirectory() as folder:
    subprocess.run(["git", "clone", "-q", str(ROOT), folder], check=True)
    cold, peak = make_book(Path(folder))
    warm, _ = make_book(Path(folder))

rows = []
for work, ours in {"cold": cold, "warm": warm, "memory": peak}.items():
    bound, unit = BOUNDS[work]
    row = {"work": f"make book, {work}", "ours": round(ours, 1), "peer": bound, "peer_name": "bound", "unit": unit}
    row |= {"ratio": round(bound / ours, 1), "n": 1, "threads": os.cpu_count(), "dtype": "float32"}
    rows.append(row | {"date": date.today().isoformat()})
table = pd.DataFrame(rows)
table.to_csv(ROOT / "benchmarks" / "results" / "book.csv", index=False)
print(table.to_string(index=False))
