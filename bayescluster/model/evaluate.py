"""The model at posterior or prior draws, in numpy: coefficients and linear predictor of every row.

This is the twin of the PyMC graph. Estimands, replicated data and pointwise log densities are all
computed here, from the same structural forms and families; a test holds it to the graph.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayescluster.arrays import Array
from bayescluster.design.graph import ancestors
from bayescluster.design.monotonic import monotonic_controls
from bayescluster.design.record import Design
from bayescluster.model.cells import Imputed, capitals_at, imputed_cells
from bayescluster.model.cells import flat as flat_draws
from bayescluster.model.predictor import Capitals, Positions, predictor_at, row_coefficients
from bayescluster.model.priors import population_terms, scale_of
from bayescluster.names import (
    CHAIN,
    CONTROLS,
    CUTPOINTS,
    DRAW,
    POPULATION,
    group_correlation,
    group_effect,
    group_sd,
    steps,
)
from bayescluster.structures.arithmetic import working

__all__ = ["Array", "Capitals", "Positions", "predictor_at", "row_coefficients"]

CELLS_A_CHUNK = 2_000_000
"""Largest (draw, row) array computed at once: bounds memory whatever the number of draws."""


class GroupDraws(NamedTuple):
    """Varying effects of one grouping at each draw.

    ``member`` gives the position of each row's group, ``(row,)``; ``effect`` is
    ``(draw, group, term)``, ``sd`` ``(draw, term)``, ``correlation`` ``(draw, term, term)`` or None
    where the effects are independent.
    """

    terms: tuple[str, ...]
    member: NDArray[np.int64]
    effect: Array
    sd: Array
    correlation: Array | None


@dataclass(frozen=True)
class Draws:
    """Parameters of a model at each draw, the chains one after the other.

    ``population`` holds coefficients on their working scale, ``(draw,)`` by term; ``capitals`` the
    two capitals as ``(draw, row)`` where they are latent or partly missing, else nothing.
    """

    chains: int
    population: dict[str, Array]
    controls: Array
    groups: dict[str, GroupDraws]
    parameters: dict[str, Array]
    capitals: tuple[Array, Array] | None = None
    imputed: dict[str, Imputed] = field(default_factory=dict)
    """Imputed cells of controls and predictors, by name."""
    upstream: tuple[tuple[Design, Draws], ...] = ()
    """Equations whose outcomes this one rests on, in causal order, with their draws."""
    steps: dict[str, Array] = field(default_factory=dict)
    """Shares of the steps of monotonic controls, ``(draw, step)``; equal steps without."""

    @property
    def size(self) -> int:
        """Number of draws, all chains together."""
        return int(self.controls.shape[0])

    def part(self, which: slice | NDArray[np.int64]) -> Draws:
        """Some of the draws; of no chain structure any more."""
        return replace(
            self,
            chains=1,
            population={name: values[which] for name, values in self.population.items()},
            controls=self.controls[which],
            groups={
                name: group._replace(
                    effect=group.effect[which],
                    sd=group.sd[which],
                    correlation=None if group.correlation is None else group.correlation[which],
                )
                for name, group in self.groups.items()
            },
            parameters={name: values[which] for name, values in self.parameters.items()},
            capitals=self._capitals(which),
            imputed={
                name: cells._replace(values=cells.values[which])
                for name, cells in self.imputed.items()
            },
            upstream=tuple((design, draws.part(which)) for design, draws in self.upstream),
            steps={name: shares[which] for name, shares in self.steps.items()},
        )

    def _capitals(self, *which: Any) -> tuple[Array, Array] | None:
        if self.capitals is None:
            return None
        human, social = self.capitals
        return human[which], social[which]

    def for_rows(self, rows: NDArray[np.int64]) -> Draws:
        """The same draws for some rows of the design only."""
        groups = {
            name: group._replace(member=group.member[rows]) for name, group in self.groups.items()
        }
        return replace(
            self,
            groups=groups,
            capitals=self._capitals(slice(None), rows),
            imputed={
                name: cells._replace(at=cells.at[rows]) for name, cells in self.imputed.items()
            },
            upstream=tuple((design, draws.for_rows(rows)) for design, draws in self.upstream),
        )

    def chunks(self, rows: int) -> Iterator[tuple[slice, Draws]]:
        """Split the draws so that no ``(draw, row)`` array outgrows memory."""
        step = max(1, CELLS_A_CHUNK // max(rows, 1))
        for start in range(0, self.size, step):
            which = slice(start, min(start + step, self.size))
            yield which, self.part(which)

    def thinned(self, count: int) -> Draws:
        """At most so many draws, evenly spaced."""
        if self.size <= count:
            return self
        return self.part(np.linspace(0, self.size - 1, count).astype("int64"))

    def thinned_by_chain(self, count: int) -> Draws:
        """At most so many draws, evenly spaced within each chain, the chains kept apart."""
        if self.size <= count:
            return self
        length = self.size // self.chains
        within = np.linspace(0, length - 1, count // self.chains).astype("int64")
        starts = np.arange(self.chains) * length
        return replace(self.part((starts[:, None] + within).ravel()), chains=self.chains)


def draws_of(design: Design, group: xr.Dataset) -> Draws:
    """Read the parameters of a model from a posterior or prior.

    Parameters
    ----------
    design
        The design the model was built from.
    group
        Group of the DataTree, with dims chain and draw.
    """
    terms = population_terms(design)
    size = group.sizes[CHAIN] * group.sizes[DRAW]

    def flat(name: str) -> Array:
        return flat_draws(group, design.variable(name))

    population = {name: np.zeros(size) for name in design.terms}
    if terms:
        population |= {
            term: working(values, scale_of(term))
            for term, values in zip(terms, flat(POPULATION).T, strict=True)
        }
    parameters = {
        parameter.name: flat(parameter.name)[:, None]
        for parameter in design.family.parameters
        if design.variable(parameter.name) in group
    }
    if design.levels:
        parameters[CUTPOINTS] = flat(CUTPOINTS)[:, None, :]
    groups = {
        grouping.name: GroupDraws(
            grouping.terms,
            design.index(grouping.name),
            flat(group_effect(grouping.name)),
            flat(group_sd(grouping.name)),
            flat(group_correlation(grouping.name)) if grouping.correlated else None,
        )
        for grouping in design.groupings
    }
    controls = flat(CONTROLS) if design.control_names else np.zeros((size, 0))
    beside = {each.equation_name: each for each in design.others}
    upstream = tuple(
        (beside[name], draws_of(beside[name], group))
        for name in ancestors(design.analysis.equations, design.equation_name)
        if name in beside
    )
    return Draws(
        group.sizes[CHAIN],
        population,
        controls,
        groups,
        parameters,
        capitals_at(design, group),
        imputed_cells(design, group),
        upstream,
        {control.name: flat(steps(control.name)) for control in monotonic_controls(design)},
    )


def linear_predictor(design: Design, draws: Draws) -> Array:
    """Linear predictor of every row at every draw, ``(draw, row)``, offset included."""
    capitals = draws.capitals or design.capitals
    return predictor_at(design, draws, capitals, np.arange(design.size)) + design.offset


def log_likelihood(design: Design, draws: Draws) -> Array:
    """Log density of every known outcome at every draw, ``(draw, answered row)``.

    With survey weights each is multiplied by the weight of its row: the terms of the log
    pseudo-likelihood, which is what was sampled.
    """
    known = np.flatnonzero(design.answered)
    weights = 1.0 if design.weights is None else design.weights.rows[known]
    out = np.empty((draws.size, known.size))
    for which, part in draws.chunks(design.size):
        eta = linear_predictor(design, part)[:, known]
        density = design.family.log_density(
            design.answers, eta, part.parameters, design.rows.at(known)
        )
        out[which] = density * weights
    return out


def replicate(design: Design, draws: Draws, rng: np.random.Generator) -> Array:
    """Outcomes drawn anew from the model, ``(draw, row)``."""
    out = np.empty((draws.size, design.size))
    for which, part in draws.chunks(design.size):
        eta = linear_predictor(design, part)
        out[which] = design.family.draw(rng, eta, part.parameters, design.rows)
    return out


def expectation(design: Design, eta: Array, draws: Draws, rows: Positions | None = None) -> Array:
    """Expected outcome on the scale that is reported, same shape as ``eta``.

    Where the equation asks for it, the probability that the outcome is at least a level.

    Parameters
    ----------
    design, draws
        The equation, and draws for these rows.
    eta
        Linear predictor without the offset, ``(draw, row)``.
    rows
        Positions of the rows; all without it.
    """
    bar, exceedance = design.bar, design.family.exceedance
    if bar is None or exceedance is None:
        return design.family.expectation(eta, draws.parameters)
    which = np.arange(design.size) if rows is None else rows
    return exceedance(
        bar[which], eta + design.offset[which], draws.parameters, design.rows.at(which)
    )
