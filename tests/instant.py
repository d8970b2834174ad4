"""A sampler for tests of the plumbing: draws of the right names and shapes, from no posterior."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest
import xarray as xr

from bayescluster.app import fit
from bayescluster.design.record import Design
from bayescluster.inference.density import Refit
from bayescluster.inference.nuts import Chain, ChainState
from bayescluster.model.evaluate import draws_of
from bayescluster.model.priors import population_terms, scale_of
from bayescluster.spec.analysis import Sampling
from bayescluster.structures.arithmetic import natural
from tests.undrawn import draw_nothing

MOST = 5000
"""Draws of a chain from which the first are taken."""


class InstantSampler:
    """Stands in for the compiler and the sampler, and notes what it was asked for.

    Attributes
    ----------
    compiled
        How many models were compiled.
    sampled
        Numbers of the chains that were finished, in order.
    stop_after
        Raise ``KeyboardInterrupt`` after so many chains.
    apart
        Distance between the chains: 0 for chains that agree.
    fault
        Raised in place of the first chain.
    blocks
        How many draws each block looked at had, over all attempts.
    time_for
        Most blocks of an attempt before its time is over.
    """

    def __init__(self) -> None:
        self.blocks: list[int] = []
        self.time_for: int | None = None
        self.compiled = 0
        self.sampled: list[int] = []
        self.stop_after: int | None = None
        self.apart = 0.0
        self.fault: Exception | None = None

    def stand_in(self, patch: pytest.MonkeyPatch) -> None:
        """Take the place of model, compiler and sampler in the workflow; reports have no drawings."""
        patch.setattr(fit, "compile_design", self.compile_design)
        patch.setattr(fit, "sample_chains", self.sample_chains)
        patch.setattr(fit, "sample_blocks", self.sample_blocks)
        patch.setattr(fit, "draw_prior", self.draw_prior)
        draw_nothing(patch)

    def compile_design(self, design: Design, _seed: int) -> Design:
        """Stand in for `bayescluster.inference.density.compile_design`."""
        self.compiled += 1
        return design

    def sample_chains(
        self,
        design: Design,
        sampling: Sampling,
        pending: Sequence[int],
        progress: Callable[[ChainState], None],
    ) -> Iterator[Chain]:
        """Stand in for `bayescluster.inference.nuts.sample_chains`."""
        if self.fault is not None:
            raise self.fault
        for done, number in enumerate(pending):
            if done == self.stop_after:
                raise KeyboardInterrupt
            total = sampling.draws + sampling.tune
            progress(ChainState(number, total, total, 0, False))
            self.sampled.append(number)
            yield self.chain(design, sampling, number, sampling.draws)

    def sample_blocks(
        self,
        design: Design,
        sampling: Sampling,
        blocks: Sequence[int],
        _until: float,
        progress: Callable[[ChainState], None],
    ) -> Iterator[tuple[Chain, ...]]:
        """Stand in for `bayescluster.inference.nuts.sample_blocks`."""
        for count, draws in enumerate(blocks):
            if count == self.time_for:
                return
            self.blocks.append(draws)
            for number in range(sampling.chains):
                total = draws + sampling.tune
                progress(ChainState(number, total, total, 0, False, goes_on=True))
            yield tuple(
                self.chain(design, sampling, number, draws) for number in range(sampling.chains)
            )

    def chain(self, design: Design, sampling: Sampling, number: int, draws: int) -> Chain:
        """One chain; fewer draws of it are the first of more."""
        rng = np.random.default_rng((sampling.seed, number))
        whole = _draws(design, [number], MOST, rng) + self.apart * number
        stats = _statistics(whole, rng)
        first = slice(0, draws)
        return Chain(number, whole.isel(draw=first), stats.isel(draw=first))

    def draw_prior(self, design: Design, draws: int, seed: int) -> xr.Dataset:
        """Stand in for `bayescluster.inference.density.draw_prior`."""
        return _draws(design, [0], draws, np.random.default_rng(seed))


def _draws(design: Design, chains: list[int], draws: int, rng: np.random.Generator) -> xr.Dataset:
    return xr.merge([_of_equation(each, chains, draws, rng) for each in design.equations])


def _of_equation(
    design: Design, chains: list[int], draws: int, rng: np.random.Generator
) -> xr.Dataset:
    variable = design.variable
    term, control = variable("term"), variable("control")
    shapes: dict[str, tuple[tuple[str, ...], tuple[int, ...]]] = {
        variable("population"): ((term,), (len(population_terms(design)),)),
        variable("controls"): ((control,), (len(design.control_names),)),
    }
    coords: dict[str, Any] = {
        "chain": chains,
        "draw": np.arange(draws),
        term: list(population_terms(design)),
        control: list(design.control_names),
    }
    for grouping in design.groupings:
        name, terms = grouping.name, len(grouping.terms)
        dim = variable(f"{name}_term")
        shapes[variable(f"{name}_sd")] = ((dim,), (terms,))
        shapes[variable(f"{name}_effect")] = ((name, dim), (len(grouping.labels), terms))
        coords |= {name: list(grouping.labels), dim: list(grouping.terms)}
    lead = (len(chains), draws)
    variables = {
        name: (("chain", "draw", *dims), 0.3 * rng.normal(size=(*lead, *shape)))
        for name, (dims, shape) in shapes.items()
    }
    population = variable("population")
    dims, values = variables[population]
    scales = [scale_of(term) for term in population_terms(design)]
    natural_values = [natural(values[..., k], scale) for k, scale in enumerate(scales)]
    variables[population] = (dims, np.stack(natural_values, axis=-1))
    found = xr.Dataset(variables, coords)
    return found.assign({name: abs(found[name]) for name in found if str(name).endswith("_sd")})


def _statistics(draws: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:
    shape = (draws.sizes["chain"], draws.sizes["draw"])
    dims = ("chain", "draw")
    variables = {
        "diverging": (dims, np.zeros(shape, dtype=bool)),
        "energy": (dims, rng.normal(size=shape)),
        "depth": (dims, np.full(shape, 3)),
        "maxdepth_reached": (dims, np.zeros(shape, dtype=bool)),
    }
    return xr.Dataset(variables, {name: draws[name] for name in dims})


def _prior(design: Design, draws: int, seed: int) -> xr.Dataset:
    return _whole(design, [0], draws, np.random.default_rng(seed))


def _whole(design: Design, chains: list[int], draws: int, rng: np.random.Generator) -> xr.Dataset:
    """Draws with the parameters of the likelihood."""
    found = _draws(design, chains, draws, rng)
    lead, shape = ("chain", "draw"), (len(chains), draws)
    for parameter in design.family.parameters:
        ends = (0.0, 1.0) if parameter.scale == "share" else (0.5, 2.0)
        found[parameter.name] = (lead, rng.uniform(*ends, shape))
    if design.levels:
        cuts = np.sort(rng.normal(size=(*shape, len(design.levels) - 1)), axis=-1)
        found["cutpoints"] = ((*lead, "cutpoint"), cuts)
    return found


class InstantRepeated:
    """Stands in for `bayescluster.inference.density.Repeated` in design analysis and calibration.

    Attributes
    ----------
    compiled
        Forms that were compiled, in order.
    fitted
        Outcomes that were fitted.
    stop_after
        Raise ``KeyboardInterrupt`` in place of the fit after so many.
    apart
        Distance between the chains: 0 for chains that agree.
    """

    def __init__(self) -> None:
        self.compiled: list[str] = []
        self.fitted: list[np.ndarray] = []
        self.stop_after: int | None = None
        self.apart = 0.0

    def stand_in(self, patch: pytest.MonkeyPatch) -> None:
        """Take the place of model, compiler and sampler in design analysis and calibration.

        Pages of a calibration have a panel or two in place of dozens, all of them alike.
        """
        from bayescluster.studies.calibration import compute as calibration
        from bayescluster.studies.calibration import view as calibration_page
        from bayescluster.studies.design_analysis import compute as design_analysis

        for module in (design_analysis, calibration):
            patch.setattr(module, "draw_prior", _prior)
            patch.setattr(module, "Repeated", self._of)
        for name in ("SHOWN", "FOLDED"):
            patch.setattr(calibration_page, name, 2)
        draw_nothing(patch)

    def _of(self, design: Design) -> _Refitting:
        self.compiled.append(design.structure.name)
        return _Refitting(design, self)


class _Refitting:
    def __init__(self, design: Design, log: InstantRepeated) -> None:
        self.design, self._log = design, log

    def fit(self, design: Design, sampling: Sampling) -> Refit:
        """Draw at once, from no posterior."""
        if len(self._log.fitted) == self._log.stop_after:
            raise KeyboardInterrupt
        self._log.fitted.append(design.outcome)
        rng = np.random.default_rng(sampling.seed)
        chains = list(range(sampling.chains))
        drawn = _whole(self.design, chains, sampling.draws, rng)
        drawn = drawn + self._log.apart * drawn["chain"]
        tree = {"posterior": drawn, "sample_stats": _statistics(drawn, rng)}
        return Refit(design, draws_of(design, drawn), xr.DataTree.from_dict(tree))
