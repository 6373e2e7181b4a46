"""Whether something fits into the memory of this machine, and what to say where it does not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .. import UserError

LIMITS = Path("/sys/fs/cgroup")
"""Where Linux keeps the limits of containers and of a scheduler's jobs."""


class Budget(Exception):
    """One question alone takes more than a model's `memory:` allows."""


def free() -> float:
    """Count the bytes that this process may still take.

    Returns
    -------
    What the machine has available, or the container or the scheduler's job, whichever is less.
    """
    import psutil

    found = [float(psutil.virtual_memory().available)]
    own = Path("/proc/self/cgroup")
    lines = own.read_text().splitlines() if own.is_file() else []
    for folder in [LIMITS / line[3:].strip("/") for line in lines if line.startswith("0::")]:
        for place in (folder, *folder.parents):
            try:
                most, taken = ((place / f"memory.{name}").read_text().strip() for name in ("max", "current"))
                found.append(float(most) - float(taken))
            except (OSError, ValueError):
                continue
    return min(found)


def lack(needed: float, device: str) -> str | None:
    """Say what is missing for something to fit.

    Parameters
    ----------
    needed : bytes.
    device : 'cpu' or 'cuda'; weights for a GPU pass through the machine's memory first.

    Returns
    -------
    A few words, None where it fits.
    """
    places = {"memory": free()}
    if device == "cuda":
        import torch

        places["GPU memory"] = torch.cuda.mem_get_info()[0]
    short = [f"{left / 2**30:.1f} GiB of {place}" for place, left in places.items() if left < needed]
    return f"they take {needed / 2**30:.1f} GiB, and {' and '.join(short)} are free" if short else None


def is_lack(error: BaseException) -> bool:
    """Tell a lack of memory from other errors.

    Parameters
    ----------
    error : of torch or Python.

    Returns
    -------
    True where more memory would have helped.
    """
    # On a processor torch has no error of its own for it.
    told = str(error).lower()
    return isinstance(error, MemoryError) or "out of memory" in told or "can't allocate memory" in told


def reason(error: BaseException) -> str:
    """Give the first line of an error, or its kind."""
    return next(iter(str(error).splitlines()), "") or type(error).__name__


@contextmanager
def guarded(name: str) -> Iterator[None]:
    """Turn a lack of memory into advice.

    Parameters
    ----------
    name : of the model in models.yml.

    Raises
    ------
    UserError : there was too little memory.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_lack(error):
            raise
        raise UserError(
            f"model '{name}' does not fit here ({reason(error)}): give its line in models.yml `dtype: bfloat16`, which "
            "halves the weights, or a smaller `memory:` for its batches, close what else takes memory, or take a "
            "smaller model or a larger machine"
        ) from error


def within(name: str, answers: Iterator[Any]) -> Iterator[Any]:
    """Pass answers on as long as there is memory for them.

    Parameters
    ----------
    name : of the model in models.yml.
    answers : of its scoring or generation.

    Raises
    ------
    UserError : one question alone is larger than the budget, or a batch larger than the machine.
    """
    try:
        with guarded(name):
            yield from answers
    except Budget as error:
        raise UserError(f"model '{name}': {error}; raise `memory:` in its line of models.yml") from error
