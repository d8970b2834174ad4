"""One writer to a run directory at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from bayescluster.errors import Problem, RunError
from bayescluster.runs.layout import LOCK, refuse_links


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Hold the lock of a run directory; the system frees it if the process dies.

    Raises
    ------
    RunError
        If another process writes to the directory, no lock can be placed there, or the directory
        holds links that lead out of it.
    """
    refuse_links(directory)
    lock = FileLock(directory / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise RunError(
            Problem(
                "another process is writing to this run",
                str(directory),
                "wait until it ends or stop it, then run the same command again: "
                "what is saved is kept",
            )
        ) from None
    except OSError as error:
        raise RunError(
            Problem(
                f"the run cannot be locked for writing: {error.strerror or error}",
                str(directory),
                "allow writing there, or name another directory with --out",
            )
        ) from error
    try:
        yield
    finally:
        lock.release()


def is_locked(directory: Path) -> bool:
    """Whether a process is writing to a run directory now, as far as can be told."""
    if not (directory / LOCK).exists():
        return False
    try:
        with FileLock(directory / LOCK, timeout=0):
            return False
    except (Timeout, OSError):
        return True
