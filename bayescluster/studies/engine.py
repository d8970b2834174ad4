"""Tasks of a study: each a file of its own, what is there is not made again, many at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from pydantic import BaseModel, ValidationError

from bayescluster.inference.nuts import available_cores


def kept[Made: BaseModel](path: Path, kind: type[Made], version: int) -> Made | None:
    """Read a replication that is there.

    Parameters
    ----------
    path
        Its file.
    kind
        What it is read as.
    version
        Its ``schema_version``.

    Returns
    -------
    Made or None
        None where there is no file, half a file, or one of another version.
    """
    try:
        found = kind.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None
    return found if getattr(found, "schema_version", None) == version else None


def in_threads[Case](
    work: Callable[[Case], None], cases: Sequence[Case], jobs: int | None
) -> Iterator[int]:
    """Work at cases in threads, and tell after each how many are done.

    The sampler and numpy hold no lock while they compute. What runs when something goes wrong ends,
    and is kept; nothing further is begun.
    """
    pool = ThreadPoolExecutor(jobs or available_cores())
    try:
        futures = as_completed([pool.submit(work, case) for case in cases])
        for done, future in enumerate(futures, start=1):
            future.result()
            yield done
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
