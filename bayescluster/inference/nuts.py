"""The No-U-Turn sampler, chain by chain.

Each chain has a seed of its own and is sampled by itself, so that its draws do not depend on which
other chains run, in what order, or in which process: a run that was stopped goes on with the
chains it lacks.
"""

from __future__ import annotations

import logging
import os
import sys
import time
import warnings
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec
from typing import Any, Final, NamedTuple

import numpy as np
import xarray as xr

from bayescluster.arrays import Array
from bayescluster.errors import FitError
from bayescluster.names import CHAIN, DRAW
from bayescluster.spec.analysis import Sampling

STATISTICS: Final = (
    "diverging",
    "energy",
    "depth",
    "maxdepth_reached",
    "n_steps",
    "step_size",
    "step_size_bar",
    "mean_tree_accept",
    "logp",
)
"""Sampler statistics that are kept."""

NO_BLAS = "PyTensor could not link to a BLAS installation"
"""Said of PyTensor's C code, which compiles nothing here: sampling runs on numba."""

POTENTIALS = "The effect of Potentials on other parameters is ignored"
"""Said of prior draws: what is added as a potential is data (indicators, weights), not a prior."""


@contextmanager
def quiet() -> Iterator[None]:
    """Silence PyMC's list of what it samples, and PyTensor's remark on BLAS."""
    log = logging.getLogger("pymc")
    before = log.level
    log.setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=NO_BLAS, category=UserWarning)
            warnings.filterwarnings("ignore", message=POTENTIALS, category=UserWarning)
            yield
    finally:
        log.setLevel(before)


POLL_SECONDS = 0.02
REPORT_MILLISECONDS = 40
"""Between two reports of a chain: what it draws beyond the end of a block is not used."""
CHAIN_DIVERGED = "the sampler found no point to start from"


class ChainState(NamedTuple):
    """Progress of a chain."""

    chain: int
    finished: int
    total: int
    divergences: int
    tuning: bool
    goes_on: bool = False
    """Whether more draws may follow the total: it is the end of a block."""


Progress = Callable[[ChainState], None]


class Chain(NamedTuple):
    """A finished chain: its number, its draws, its sampler statistics."""

    number: int
    posterior: xr.Dataset
    sample_stats: xr.Dataset


def chain_seeds(seed: int, chains: int) -> tuple[int, ...]:
    """One independent seed a chain."""
    spawned = np.random.SeedSequence(seed).spawn(chains)
    return tuple(int(child.generate_state(1, np.uint64)[0] >> np.uint64(1)) for child in spawned)


def sampler_library() -> Any:
    """Load nutpie's compiled sampler, without the Python package around it where that is possible.

    The package imports arviz with all its plots, which takes longer than a small fit.
    """
    name = "nutpie._lib"
    if name not in sys.modules:
        package = find_spec("nutpie")
        places = package.submodule_search_locations if package else None
        found = PathFinder.find_spec(name, places) if places else None
        if found is None or found.loader is None:
            import nutpie

            return nutpie._lib  # noqa: SLF001 - the class that samples is public nowhere
        module = module_from_spec(found)
        found.loader.exec_module(module)
        sys.modules[name] = module
    return sys.modules[name]


def available_cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def compile_model(model: Any, reported: Sequence[str]) -> Any:
    """Compile a PyMC model for nutpie; ``reported`` names the variables that are kept.

    Raises
    ------
    FitError
        If the model has no finite density where the chains start.
    """
    import nutpie
    import pymc as pm

    try:
        with quiet():
            return nutpie.compile_pymc_model(model, var_names=list(reported))
    except pm.exceptions.SamplingError as error:
        raise FitError(f"the model cannot be compiled: {str(error).splitlines()[0]}") from error


def sample_chains(
    compiled: Any, sampling: Sampling, pending: Sequence[int], progress: Progress | None = None
) -> Iterator[Chain]:
    """Sample chains, as many at once as there are cores, and yield each as it ends.

    Parameters
    ----------
    compiled
        Result of `compile_model`.
    sampling
        Settings, the number of draws among them; each chain's seed follows from ``sampling.seed`` and
        its number.
    pending
        Numbers of the chains to sample, counted from 0.
    progress
        Called with the state of each running chain, several times a second.

    Raises
    ------
    FitError
        If a chain cannot start or ends in an error.
    """
    waiting = list(pending)
    running: list[_Running] = []
    try:
        while waiting or running:
            while waiting and len(running) < available_cores():
                number = waiting.pop(0)
                running.append(_Running(compiled, sampling, number, _draws(sampling), progress))
            done = [chain for chain in running if chain.is_finished]
            for chain in done:
                running.remove(chain)
                yield chain.whole()
            if not done:
                time.sleep(POLL_SECONDS)
    finally:
        for chain in running:
            chain.cancel()


def sample_blocks(
    compiled: Any,
    sampling: Sampling,
    blocks: Sequence[int],
    until: float,
    progress: Progress | None = None,
) -> Generator[tuple[Chain, ...]]:
    """Sample all chains side by side; yield them as they stand whenever each has enough draws.

    A chain is cut where a block ends, so that its draws are those that `sample_chains` gives for so
    many: what is made of them depends neither on time nor on the speed of the other chains. All
    chains run at once, also where there are fewer cores; one that has reached the end of a block
    waits there and leaves its core to the others. Closing the iterator stops the chains.

    Parameters
    ----------
    compiled
        Result of `compile_model`.
    sampling
        Settings; its number of draws does not count.
    blocks
        Draws of each chain after which to yield, ascending.
    until
        Time, by `time.monotonic`, at which to stop; the first block is finished whatever it says.
    progress
        Called with the state of each running chain; its total is the end of the block.

    Raises
    ------
    FitError
        If a chain cannot start or ends in an error.
    """
    running = [
        _Running(compiled, sampling, number, blocks[-1], progress)
        for number in range(sampling.chains)
    ]
    try:
        for draws in blocks:
            for chain in running:
                chain.go_on(draws)
            behind = running
            while behind := [chain for chain in behind if not chain.has_reached(draws)]:
                if draws > blocks[0] and time.monotonic() >= until:
                    return
                time.sleep(POLL_SECONDS)
            yield tuple(chain.cut(draws) for chain in running)
    finally:
        for chain in running:
            chain.cancel()


def _draws(sampling: Sampling) -> int:
    if sampling.draws is None:
        raise ValueError("sampling.draws is None: how many draws to sample is not settled yet")
    return sampling.draws


class _Running:
    """A chain that is being sampled by nutpie in the background."""

    def __init__(
        self,
        compiled: Any,
        sampling: Sampling,
        number: int,
        draws: int,
        progress: Progress | None,
    ) -> None:
        library = sampler_library()
        self._number, self._tune, self._progress = number, sampling.tune, progress
        self._finished, self._goal, self._draws = 0, draws, draws
        self._paused, self._coords = False, compiled.coords or {}
        self._whole: Chain | None = None
        settings = library.PyNutsSettings.Diag(chain_seeds(sampling.seed, sampling.chains)[number])
        settings.update(
            {
                "num_tune": sampling.tune,
                "num_draws": draws,
                "num_chains": 1,
                "target_accept": sampling.target_accept,
                "maxdepth": sampling.max_treedepth,
            }
        )
        # what `nutpie.sample` does, less its progress bar and its conversion by arviz
        self._sampler = compiled._make_sampler(  # noqa: SLF001
            settings,
            np.zeros(compiled.n_dim),
            1,
            library.ProgressType.none(),
            self._report,
            REPORT_MILLISECONDS,
            library.PyStorage.arrow(),
        )

    def _report(self, states: Sequence[Any]) -> None:
        if not states:
            return
        state = states[0]
        self._finished = state.finished_draws
        if self._progress is not None and not self._paused:
            total = self._tune + self._goal
            finished = min(state.finished_draws, total)
            self._progress(
                ChainState(
                    self._number,
                    finished,
                    total,
                    state.divergences,
                    state.tuning,
                    self._goal < self._draws,
                )
            )

    @property
    def is_finished(self) -> bool:
        """Whether it has all its draws, or ended in an error."""
        if self._whole is not None:
            return True
        try:
            return bool(self._sampler.is_finished())
        except TimeoutError:
            # the sampler was too busy to answer
            return False

    def go_on(self, draws: int) -> None:
        """Sample until there are so many draws, if it waits."""
        self._goal = draws
        if self._paused:
            self._paused = False
            self._sampler.resume()

    def has_reached(self, draws: int) -> bool:
        """Whether it has so many draws, or ended; it then waits."""
        if self._paused or self.is_finished:
            return True
        if self._finished < self._tune + draws:
            return False
        self._paused = True
        self._sampler.pause()
        return True

    def cut(self, draws: int) -> Chain:
        """Take its first draws; it goes on afterwards."""
        if self.is_finished:
            whole = self.whole()
        else:
            whole = self._chain(self._sampler.inspect())
        first = slice(0, draws)
        return Chain(
            self._number, whole.posterior.isel(draw=first), whole.sample_stats.isel(draw=first)
        )

    def whole(self) -> Chain:
        """Wait for its end and take all its draws."""
        if self._whole is None:
            try:
                self._sampler.wait(None)
                self._whole = self._chain(self._sampler.take_results())
            except RuntimeError as error:
                first = str(error).splitlines()[0] if str(error) else CHAIN_DIVERGED
                raise FitError(f"chain {self._number + 1} stopped: {first}") from error
        return self._whole

    def cancel(self) -> None:
        """Stop it; what it has drawn is lost."""
        if self._whole is None:
            self._sampler.abort()

    def _chain(self, results: Any) -> Chain:
        (draws,), (statistics,) = results.get_arrow_trace()
        drawn = slice(min(self._tune, draws.num_rows), None)
        posterior = _dataset(draws, draws.column_names, drawn, self._coords, self._number)
        kept = [name for name in STATISTICS if name in statistics.column_names]
        return Chain(self._number, posterior, _dataset(statistics, kept, drawn, {}, self._number))


def _dataset(
    batch: Any,
    columns: Sequence[str],
    which: slice,
    coords: Mapping[str, Sequence[Any]],
    number: int,
) -> xr.Dataset:
    """Columns of an arrow table with a row a draw, as arrays ``(chain, draw, ...)`` of one chain."""
    import pyarrow  # type: ignore[import-untyped]

    variables: dict[str, tuple[tuple[str, ...], Array]] = {}
    labels: dict[str, Any] = {}
    for name in columns:
        column = batch.column(name)
        about = {key.decode(): value.decode() for key, value in column.field.metadata.items()}
        shape = [int(size) for size in about.get("shape", "").split(",") if size]
        dims = [dim for dim in about.get("dims", "").split(",") if dim]
        values = pyarrow.array(column)
        if shape:
            values = values.flatten()
            dims = dims or [f"{name}_dim_{k}" for k in range(len(shape))]
        array = values.to_numpy(zero_copy_only=False).reshape(-1, *shape)[which]
        variables[name] = ((CHAIN, DRAW, *dims), np.array(array)[None])
        labels |= {
            dim: list(coords[dim]) if dim in coords else np.arange(size)
            for dim, size in zip(dims, shape, strict=True)
        }
    draws = batch.num_rows - which.start
    return xr.Dataset(variables, {CHAIN: [number], DRAW: np.arange(draws)} | labels)
