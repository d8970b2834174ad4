"""The No-U-Turn sampler, chain by chain.

Each chain has a seed of its own and is sampled by itself, so that its draws do not depend on which
other chains run, in what order, or in which process: a run that was stopped goes on with the
chains it lacks.
"""

from __future__ import annotations

import logging
import os
import time
import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from bayescluster.errors import FitError
from bayescluster.spec.analysis import Sampling

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
        import nutpie

        self._number, self._tune, self._progress = number, sampling.tune, progress
        self._finished, self._goal, self._draws = 0, draws, draws
        self._paused = False
        self._whole: Chain | None = None
        self._sampler = nutpie.sample(
            compiled,
            draws=draws,
            tune=sampling.tune,
            chains=1,
            cores=1,
            seed=chain_seeds(sampling.seed, sampling.chains)[number],
            target_accept=sampling.target_accept,
            maxdepth=sampling.max_treedepth,
            save_warmup=False,
            progress_bar=False,
            progress_callback=self._report,
            progress_rate=REPORT_MILLISECONDS,
            blocking=False,
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
            return bool(self._sampler.is_finished)
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
                self._whole = self._chain(self._sampler.wait())
            except RuntimeError as error:
                first = str(error).splitlines()[0] if str(error) else CHAIN_DIVERGED
                raise FitError(f"chain {self._number + 1} stopped: {first}") from error
        return self._whole

    def cancel(self) -> None:
        """Stop it; what it has drawn is lost."""
        if self._whole is None:
            self._sampler.cancel()

    def _chain(self, tree: Any) -> Chain:
        groups = (tree[name].to_dataset() for name in ("posterior", "sample_stats"))
        return Chain(self._number, *(_numbered(group, self._number) for group in groups))


def _numbered(group: xr.Dataset, number: int) -> xr.Dataset:
    group = group.assign_coords(chain=[number])
    group.attrs = {}
    return group
