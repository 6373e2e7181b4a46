"""An analysis repeated with many seeds, on as many processors as there are."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable

import pandas as pd

from .. import stats

FEW = 10
"""Starting a process takes about as long as so many runs."""


def repeat(
    run: Callable[[int], pd.DataFrame], seeds: Iterable[int], *, workers: int | None = None, what: str = ""
) -> list[pd.DataFrame]:
    """Run an analysis once per seed; a bar shows the progress where there is a terminal.

    Parameters
    ----------
    run : takes a seed and gives a table; a function of a module, or a `functools.partial` of one.
    seeds : whole numbers, at least one.
    workers : processes; one per processor by default, and none of them for a few seeds.
    what : stands before the bar.

    Returns
    -------
    The tables in the order of the seeds, the same whatever the number of workers.

    Raises
    ------
    UserError : no seed at all.
    """
    from tqdm import tqdm
    from tqdm.contrib.concurrent import process_map

    seeds = stats.at_least_one(seeds)
    workers = workers or min(os.cpu_count() or 1, 1 + len(seeds) // FEW)
    bar = {"desc": what, "disable": not sys.stderr.isatty()}
    if workers == 1:
        return [run(seed) for seed in tqdm(seeds, **bar)]
    return process_map(run, seeds, max_workers=workers, chunksize=1, tqdm_class=tqdm, **bar)


def with_stored(fresh: pd.DataFrame, stored: pd.DataFrame | None, by: list[str]) -> pd.DataFrame:
    """Complete the seeds that were run now with the stored ones, unless a reader's own data were among them.

    Parameters
    ----------
    fresh, stored, by : as for :func:`~whosevalues.stats.unite_draws`; the parameters of a run on a reader's own data
        name its files, see :func:`~whosevalues.multicultural.released.about_own`.

    Returns
    -------
    As from :func:`~whosevalues.stats.unite_draws`; with the reader's own data the fresh draws alone.
    """
    mine = {"own", "benchmarks"} & set(fresh.attrs["provenance"]["parameters"])
    return fresh if mine else stats.unite_draws(fresh, stored, by)
