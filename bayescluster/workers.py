"""Where work is done: in this process, or by the workers of a Dask cluster."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

from bayescluster.errors import ConfigError, FitError, Problem

RETRIES: Final = 3
"""How often a task is begun again where its worker died."""
SLURM_JOBS: Final = 8
PLACE: Final = "--cluster"
DIED: Final = "workers of the cluster died on the same task again and again"
DIED_REMEDY: Final = (
    "give workers more memory; the same command goes on from the tasks that are finished"
)


@contextmanager
def cluster_of(address: str) -> Iterator[Any]:
    """Connect to a Dask cluster, or start one: ``tcp://HOST:PORT``, ``local``, ``local:N`` or ``slurm``.

    Raises
    ------
    ConfigError
        If there is no such cluster, or the packages for it are not installed.
    """
    if sys.modules.get("dask", sys) is None:  # kept out by the command line
        del sys.modules["dask"]
    try:
        import distributed
    except ImportError:
        raise ConfigError(
            Problem("Dask is not installed", PLACE, "install bayescluster[cluster]")
        ) from None
    kind, _, number = address.partition(":")
    if kind == "local" and (not number or number.isdigit()):
        workers = int(number) if number else None
        options: dict[str, Any] = {"threads_per_worker": 1, "dashboard_address": None}
        with (
            distributed.LocalCluster(n_workers=workers, **options) as cluster,
            distributed.Client(cluster) as client,
        ):
            yield client
    elif kind == "slurm":
        with _slurm(number) as cluster, distributed.Client(cluster) as client:
            yield client
    elif "://" in address:
        try:
            client = distributed.Client(address, timeout="20s")
        except (OSError, ValueError, TimeoutError) as error:
            raise ConfigError(
                Problem(
                    f"no Dask scheduler answers at {address}: {error}",
                    PLACE,
                    "start one with `dask scheduler` and workers with `dask worker ADDRESS`",
                )
            ) from None
        with client:
            yield client
    else:
        raise ConfigError(
            Problem(
                f"there is no kind of cluster called '{address}'",
                PLACE,
                "give tcp://HOST:PORT, local, local:N (N worker processes), slurm or slurm:N (N jobs)",
            )
        )


@contextmanager
def _slurm(number: str) -> Iterator[Any]:
    """Start workers as Slurm jobs; cores, memory and queue are those of Dask's own configuration."""
    try:
        from dask_jobqueue import SLURMCluster
    except ImportError:
        raise ConfigError(
            Problem("dask-jobqueue is not installed", PLACE, "install bayescluster[cluster]")
        ) from None
    try:
        cluster = SLURMCluster()
    except ValueError as error:
        raise ConfigError(
            Problem(
                f"the Slurm cluster is not configured: {str(error).strip().splitlines()[0]}",
                PLACE,
                "set cores, memory, queue and account under jobqueue.slurm in ~/.config/dask/jobqueue.yaml",
            )
        ) from None
    with cluster:
        cluster.scale(jobs=int(number or SLURM_JOBS))
        yield cluster


_CLIENT: ContextVar[Any] = ContextVar("client", default=None)


@contextmanager
def on_cluster(address: str | None) -> Iterator[None]:
    """Do what can be done in parts on a cluster; in this process without an address."""
    if address is None:
        yield
        return
    with cluster_of(address) as client:
        token = _CLIENT.set(client)
        try:
            yield
        finally:
            _CLIENT.reset(token)


def has_cluster() -> bool:
    """Whether there is a cluster to work on."""
    return _CLIENT.get() is not None


def worker_count() -> int:
    """Number of workers of the cluster, at least 1."""
    return max(1, len(_CLIENT.get().scheduler_info(n_workers=-1)["workers"]))


def mapped(function: Callable[..., Any], *arguments: Iterable[Any]) -> Iterable[Any]:
    """Map a function over its arguments, in order, where there is a cluster on its workers."""
    client = _CLIENT.get()
    if client is None:
        return map(function, *arguments)
    futures = client.map(function, *map(list, arguments), retries=RETRIES, pure=False)
    return (future.result() for future in futures)


def done_elsewhere[Task](
    function: Callable[..., Any], tasks: Iterable[tuple[Task, tuple[Any, ...]]]
) -> Iterator[tuple[Task, Any]]:
    """Call a function with the arguments of each task on the cluster; give each task as it ends.

    A task whose worker dies is begun again on another one.

    Raises
    ------
    FitError
        If that has happened too often to one task.
    """
    import distributed

    client = _CLIENT.get()
    futures = {
        client.submit(function, *arguments, retries=RETRIES, pure=False): task
        for task, arguments in tasks
    }
    try:
        for future in distributed.as_completed(list(futures)):
            yield futures[future], future.result()
    except distributed.scheduler.KilledWorker:
        raise FitError(Problem(DIED, PLACE, DIED_REMEDY)) from None
    finally:
        client.cancel(list(futures))
