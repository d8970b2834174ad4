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
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from bayescluster.errors import FitError
from bayescluster.names import CAPITALS, POPULATION, other_loadings
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


POLL_SECONDS = 0.05
CHAIN_DIVERGED = "the sampler found no point to start from"


class ChainState(NamedTuple):
    """Progress of a chain."""

    chain: int
    finished: int
    total: int
    divergences: int
    tuning: bool


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
            return nutpie.compile_pymc_model(
                model, var_names=list(reported), jitter_rvs=_scattered(model)
            )
    except pm.exceptions.SamplingError as error:
        raise FitError(f"the model cannot be compiled: {str(error).splitlines()[0]}") from error


def _scattered(model: Any) -> set[Any]:
    """Variables whose starts are scattered: all but what decides the sign of a latent capital.

    With every other loading negative and the first near 0 there is a mirror image of the posterior,
    of next to no probability, that a chain which starts near it does not leave. Loadings therefore
    start at their prior means, which are positive, and so do the coefficients of the outcome, lest it
    pull the capital round. Not so the deviations: at 0 they would have no gradient to start with.
    """
    held = {other_loadings(capital) for capital in CAPITALS}
    names = {variable.name for variable in model.free_RVs}
    if held & names:
        held |= {name for name in names if name.endswith(POPULATION)}
    return {variable for variable in model.free_RVs if variable.name not in held}


def sample_chains(
    compiled: Any, sampling: Sampling, pending: Sequence[int], progress: Progress | None = None
) -> Iterator[Chain]:
    """Sample chains, as many at once as there are cores, and yield each as it ends.

    Parameters
    ----------
    compiled
        Result of `compile_model`.
    sampling
        Settings; each chain's seed follows from ``sampling.seed`` and its number.
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
    running: dict[int, Any] = {}
    try:
        while waiting or running:
            while waiting and len(running) < available_cores():
                number = waiting.pop(0)
                running[number] = _start(compiled, sampling, number, progress)
            done = [number for number, sampler in running.items() if _is_finished(sampler)]
            for number in done:
                yield _take(running.pop(number), number)
            if not done:
                time.sleep(POLL_SECONDS)
    finally:
        for sampler in running.values():
            sampler.cancel()


def _is_finished(sampler: Any) -> bool:
    try:
        return bool(sampler.is_finished)
    except TimeoutError:
        # the sampler was too busy to answer
        return False


def _start(compiled: Any, sampling: Sampling, number: int, progress: Progress | None) -> Any:
    import nutpie

    def report(states: Sequence[Any]) -> None:
        if progress is not None and states:
            state = states[0]
            progress(
                ChainState(
                    number, state.finished_draws, state.total_draws, state.divergences, state.tuning
                )
            )

    return nutpie.sample(
        compiled,
        draws=sampling.draws,
        tune=sampling.tune,
        chains=1,
        cores=1,
        seed=chain_seeds(sampling.seed, sampling.chains)[number],
        target_accept=sampling.target_accept,
        maxdepth=sampling.max_treedepth,
        save_warmup=False,
        progress_bar=False,
        progress_callback=report,
        progress_rate=100,
        blocking=False,
    )


def _take(sampler: Any, number: int) -> Chain:
    try:
        tree = sampler.wait()
    except RuntimeError as error:
        first = str(error).splitlines()[0] if str(error) else CHAIN_DIVERGED
        raise FitError(f"chain {number + 1} stopped: {first}") from error
    return Chain(
        number,
        _numbered(tree["posterior"].to_dataset(), number),
        _numbered(tree["sample_stats"].to_dataset(), number),
    )


def _numbered(group: xr.Dataset, number: int) -> xr.Dataset:
    group = group.assign_coords(chain=[number])
    group.attrs = {}
    return group
