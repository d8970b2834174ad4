"""A program as nutpie samples it, in coordinates that a short pilot settles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bayescluster.arrays import Array
from bayescluster.design.record import Design
from bayescluster.errors import FitError
from bayescluster.inference.nuts import sample_chains, sampler_library
from bayescluster.kernel import geometry, machine
from bayescluster.kernel.program import AllSeen, program_of
from bayescluster.kernel.tape import Program, Slot
from bayescluster.model.priors import measurement_coords, model_coords
from bayescluster.spec.analysis import Sampling

PILOT: Final = Sampling(chains=1, tune=250, draws=250, target_accept=0.8)
"""Settings of the pilot, whose draws are not kept."""
PILOT_STREAM = 21
"""Keeps the seed of the pilot apart from those of the chains."""


@dataclass(frozen=True)
class CompiledProgram:
    """A program as the sampler takes it: the addresses of its callbacks, and what they point to."""

    program: Program
    slots: tuple[Slot, ...]
    """Variables that are kept."""
    coords: Mapping[str, Sequence[object]]
    slices: NDArray[np.int64]
    """Place and size of each slot, ``(slot, 2)``."""
    addresses: NDArray[np.int64]

    @property
    def n_dim(self) -> int:
        """Number of coordinates."""
        return self.program.size

    def _make_sampler(
        self, settings: Any, _mean: Array, cores: int, progress: Any, *others: Any
    ) -> Any:
        """Make nutpie's sampler, as its own compiled models do."""
        library, address = sampler_library(), self.addresses.ctypes.data
        sizes = {dim: len(labels) for dim, labels in self.coords.items()}
        expand = library.ExpandFunc(
            self.n_dim, int(self.slices[:, 1].sum()), machine.expand_callback.address, address, self
        )
        model = library.PyMcModel(
            library.LogpFunc(machine.density_callback.address, address, self),
            expand,
            library.PyVariable.new_variables(
                [slot.name for slot in self.slots],
                ["float64"] * len(self.slots),
                [slot.shape for slot in self.slots],
                sizes,
                {slot.name: slot.dims for slot in self.slots if slot.dims},
            ),
            self.n_dim,
            sizes,
            {dim: list(labels) for dim, labels in self.coords.items()},
            lambda seed: self.program.starting_point(np.random.default_rng(seed)),
            None,
        )
        return library.PySampler.from_pymc(settings, cores, model, progress, *others)


def compile_program(design: Design, reported: Sequence[str], seed: int) -> CompiledProgram:
    """Write the program of a design, which must be served, and compile what of the machine it needs.

    ``reported`` names the variables that are kept; ``seed`` is that of the pilot that settles how the
    effects of groups are sampled.
    """
    pilot = program_of(design, reported)
    seen = _settled(pilot, seed) if pilot.watched else {}
    return _dressed(design, program_of(design, reported, seen))


def _settled(pilot: Program, seed: int) -> AllSeen:
    """See in a pilot what rows say of the levels of groups; nothing where it cannot start."""
    everything = Slot("values", 0, (pilot.start.size,), ())
    compiled = _compiled(pilot, (everything,), {})
    own = np.random.SeedSequence((seed, PILOT_STREAM)).generate_state(1)[0]
    sampling = PILOT.model_copy(update={"seed": int(own)})
    try:
        (chain,) = sample_chains(compiled, sampling, range(sampling.chains))
    except FitError:
        nothing = {(one.equation, one.grouping): np.zeros(one.shape) for one in pilot.watched}
        return {key: geometry.Seen(zeros, zeros) for key, zeros in nothing.items()}
    values = chain.posterior["values"].to_numpy()[0]

    def at(place: int, shape: tuple[int, ...]) -> Array:
        return np.asarray(values[:, place : place + int(np.prod(shape))].reshape(-1, *shape))

    return {
        (one.equation, one.grouping): geometry.seen(
            at(one.levels, one.shape), at(one.effects, one.shape), at(one.sd, one.shape[1:])
        )
        for one in pilot.watched
    }


def _dressed(design: Design, program: Program) -> CompiledProgram:
    coords = measurement_coords(design)
    for equation in design.equations:
        coords |= model_coords(equation)
    return _compiled(program, program.reported, coords)


def _compiled(
    program: Program,
    slots: Sequence[Slot],
    coords: dict[str, Sequence[object]],
) -> CompiledProgram:
    slices = np.array([[slot.at, slot.size] for slot in slots], dtype="int64")
    named = {dim: list(coords[dim]) for slot in slots for dim in slot.dims}
    return CompiledProgram(program, tuple(slots), named, slices, program.addresses(slices))
