"""One writer at a time for everything that is built."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from . import ROOT, UserError

LOCKS = ROOT / "_build" / "locks"


@contextmanager
def only_writer(target: Path, wait: float = 0) -> Iterator[None]:
    """Be the only process that writes `target`, or say who is.

    The operating system frees the lock when its holder dies, however it dies.

    Parameters
    ----------
    target : file or folder to write.
    wait : seconds to wait for another writer to finish.

    Raises
    ------
    UserError : another process still writes; names it.
    """
    lock, name = _lock(target)
    who = lock.with_suffix(".writer")
    guard = FileLock(lock)
    try:
        guard.acquire(timeout=wait)
    except Timeout:
        raise UserError(f"{_busy(lock)}: run the same command when it is done") from None
    try:
        who.write_text(f"{name} is still being written by process {os.getpid()}, since {datetime.now():%H:%M:%S}")
        yield
    finally:
        who.unlink(missing_ok=True)
        guard.release()


def hold(target: Path) -> None:
    """Be the only process that writes `target` until this process ends.

    Parameters
    ----------
    target : file or folder to write.

    Raises
    ------
    UserError : another process still writes; names it.
    """
    _held.enter_context(only_writer(target))


def held() -> list[str]:
    """List who writes what, this process left out.

    Returns
    -------
    One line per lock that another process holds.
    """
    found = []
    for lock in sorted(LOCKS.glob("*.lock")):
        writer = lock.with_suffix(".writer")
        if f"process {os.getpid()}," in (writer.read_text() if writer.is_file() else ""):
            continue
        probe = FileLock(lock)
        try:
            probe.acquire(timeout=0)
            probe.release()
        except Timeout:
            found.append(_busy(lock))
    return found


_held = ExitStack()


def _lock(target: Path) -> tuple[Path, str]:
    inside = target.resolve().is_relative_to(ROOT)
    name = str(target.resolve().relative_to(ROOT)) if inside else str(target)
    LOCKS.mkdir(parents=True, exist_ok=True)
    # The hash keeps a-b and a/b apart.
    mark = hashlib.sha256(str(target.resolve()).encode()).hexdigest()[:8]
    return LOCKS / f"{name.strip('/').replace('/', '-')}-{mark}.lock", name


def _busy(lock: Path) -> str:
    writer = lock.with_suffix(".writer")
    return writer.read_text() if writer.is_file() else f"{lock.stem} is still being written by another process"
