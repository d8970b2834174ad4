"""A program as nutpie samples it, in coordinates that a short pilot settles."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import nutpie
from numpy.typing import NDArray
from nutpie.compile_pymc import CompiledPyMCModel

from bayescluster.arrays import Array
from bayescluster.design.record import Design
from bayescluster.kernel import geometry, machine
from bayescluster.kernel.program import Informed, program_of
from bayescluster.kernel.tape import Program, Slot
from bayescluster.model.labels import measurement_coords, model_coords

PILOT_CHAINS, PILOT_TUNE, PILOT_DRAWS, PILOT_ACCEPT = 2, 300, 200, 0.9
"""Settings of the pilot, whose draws are not kept."""
PILOT_STREAM = 21
"""Keeps the seed of the pilot apart from those of the chains."""


@dataclass(frozen=True)
class CompiledProgram(CompiledPyMCModel):  # type: ignore[misc]
    """A program with the addresses of its callbacks; it keeps alive what they point to."""

    program: Program = dataclasses.field(kw_only=True)
    slices: NDArray[np.int64] = dataclasses.field(kw_only=True)
    informed: Informed = dataclasses.field(kw_only=True)

    def of(self, design: Design) -> CompiledProgram:
        """The same for other data of the template, in the same coordinates."""
        reported = [slot.name for slot in self.program.reported]
        return _dressed(design, program_of(design, reported, self.informed), self.informed)


def compile_program(design: Design, reported: Sequence[str], seed: int) -> CompiledProgram:
    """Write the program of a design, which must be served, and compile what of the machine it needs.

    ``reported`` names the variables that are kept; ``seed`` is that of the pilot that settles how the
    effects of groups are sampled.
    """
    pilot = program_of(design, reported)
    informed = _settled(pilot, seed) if pilot.watched else {}
    return _dressed(design, program_of(design, reported, informed), informed)


def _settled(pilot: Program, seed: int) -> Informed:
    """See in a pilot which coefficients their rows inform; none where it cannot start."""
    everything = Slot("values", 0, (pilot.start.size,), ())
    compiled = _compiled(pilot, (everything,), {}, {})
    try:
        trace = nutpie.sample(
            compiled,
            draws=PILOT_DRAWS,
            tune=PILOT_TUNE,
            chains=PILOT_CHAINS,
            cores=PILOT_CHAINS,
            seed=np.random.SeedSequence((seed, PILOT_STREAM)).generate_state(1)[0],
            target_accept=PILOT_ACCEPT,
            progress_bar=False,
        )
    except RuntimeError:
        return {(one.equation, one.grouping): np.zeros(one.shape, bool) for one in pilot.watched}
    values = trace["posterior"]["values"].to_numpy().reshape(-1, pilot.start.size)  # (draw, place)

    def at(place: int, shape: tuple[int, ...]) -> Array:
        return np.asarray(values[:, place : place + int(np.prod(shape))].reshape(-1, *shape))

    return {
        (one.equation, one.grouping): geometry.informed(
            at(one.effects, one.shape) + at(one.centre, one.shape), at(one.sd, one.shape[1:])
        )
        for one in pilot.watched
    }


def _dressed(design: Design, program: Program, informed: Informed) -> CompiledProgram:
    coords = measurement_coords(design)
    for equation in design.equations:
        coords |= model_coords(equation)
    return _compiled(program, program.reported, coords, informed)


def _compiled(
    program: Program,
    slots: Sequence[Slot],
    coords: dict[str, Sequence[object]],
    informed: Informed,
) -> CompiledProgram:
    slices = np.array([[slot.at, slot.size] for slot in slots], dtype="int64")
    ends = np.cumsum(slices[:, 1])
    names, shapes = [slot.name for slot in slots], [slot.shape for slot in slots]
    places = [slice(int(end - n), int(end)) for end, n in zip(ends, slices[:, 1], strict=True)]
    return CompiledProgram(
        dims={slot.name: slot.dims for slot in slots if slot.dims},
        _coords={dim: list(coords[dim]) for dim in {dim for slot in slots for dim in slot.dims}},
        _n_dim=program.size,
        _shapes=dict(zip(names, shapes, strict=True)),
        compiled_logp_func=machine.density_callback,
        compiled_expand_func=machine.expand_callback,
        initial_point_func=lambda seed: program.starting_point(np.random.default_rng(seed)),
        shared_data={},
        shared_var_keys={},
        user_data=program.addresses(slices),
        n_expanded=int(ends[-1]),
        shape_info=(names, places, shapes),
        logp_func=None,
        expand_func=None,
        program=program,
        slices=slices,
        informed=informed,
    )
