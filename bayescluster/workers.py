"""Where work is done: in this process, or by the workers of a Dask cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from bayescluster.errors import ConfigError, Problem

Work = Callable[..., Iterable[Any]]
"""Maps a function over its arguments and gives the values in order, as `map` does."""
RETRIES: Final = 3
"""How often a task is begun again where its worker died."""
SLURM_JOBS: Final = 8
PLACE: Final = "--cluster"


@contextmanager
def cluster_of(address: str) -> Iterator[Any]:
    """Connect to a Dask cluster, or start one: ``tcp://HOST:PORT``, ``local``, ``local:N`` or ``slurm``.

    Raises
    ------
    ConfigError
        If there is no such cluster, or the packages for it are not installed.
    """
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


@contextmanager
def mapping(address: str | None) -> Iterator[Work]:
    """Give a function that maps another over its arguments, in order: here, or on a cluster."""
    if address is None:
        yield map
        return
    with cluster_of(address) as client:

        def work(function: Callable[..., Any], *arguments: Any) -> list[Any]:
            futures = client.map(function, *arguments, retries=RETRIES, pure=False)
            return [future.result() for future in futures]

        yield work
