"""Derivatives of the log density of each row by its linear predictor and the free parameters.

Free parameters are those of the likelihood: logarithms of the positive ones, and of an ordinal
outcome the first cutpoint and the logarithms of the gaps. All derivatives are central differences
of `Family.log_density`, so that every family is served by the one definition it has.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayescluster.arrays import Array
from bayescluster.design.record import Design
from bayescluster.model.defaults import baseline_of
from bayescluster.model.distributions import log_density
from bayescluster.model.priors import ModelPriors
from bayescluster.names import CUTPOINTS
from bayescluster.spec.priors import Distribution

STEP = 1e-3
"""Step of the differences, in units of the link and on the log scale of parameters."""
GAP_SD = 3.0
"""Weak normal prior of cutpoint and log gaps around their usual values."""


class Free(NamedTuple):
    """Free parameters of a likelihood: names and priors of the positive ones, number of cutpoints."""

    names: tuple[str, ...]
    priors: tuple[Distribution, ...]
    cutpoints: int
    start: Array

    def parameters(self, free: Array) -> dict[str, Array]:
        """Parameters as a family takes them, from ``(point, free)``."""
        found = {name: np.exp(free[:, [k]]) for k, name in enumerate(self.names)}
        if self.cutpoints:
            gaps = free[:, len(self.names) :]
            found[CUTPOINTS] = cutpoints_of(gaps)[:, None, :]
        return found

    def log_prior(self, free: Array) -> Array:
        """Log prior of each point, ``(point, free) -> (point,)``."""
        total = np.zeros(len(free))
        for column, prior in zip(free.T, self.priors, strict=False):
            total = total + log_density(prior, column, "positive")
        gaps = free[:, len(self.names) :] - self.start[len(self.names) :]
        return np.asarray(total - 0.5 * ((gaps / GAP_SD) ** 2).sum(axis=1))


class Curvature(NamedTuple):
    """Log likelihood and log prior of the free parameters, with first and second derivatives.

    ``by_eta`` and ``by_eta_eta`` are ``(row,)``, ``by_eta_free`` is ``(free, row)``.
    """

    value: float
    by_eta: Array
    by_eta_eta: Array
    by_free: Array
    by_eta_free: Array
    by_free_free: Array


def typical(priors: ModelPriors) -> list[float]:
    """Log of a usual value of each positive parameter: its prior's sd or mean."""
    usual = {"sd": 1.0, "scale": 1.0, "rate": -1.0}
    found = []
    for prior in priors.family.values():
        named = prior.model_dump()
        shape = np.log(named.get("shape", 1.0))
        found.append(
            shape + sum(sign * np.log(named[k]) for k, sign in usual.items() if k in named)
        )
    return [float(value) for value in found]


def usual_gaps(priors: ModelPriors) -> list[float]:
    """First cutpoint and log gaps at the means of their priors; nothing where there are none."""
    cuts = [mean for mean, _ in priors.cutpoints]
    return [cuts[0], *(float(gap) for gap in np.log(np.diff(cuts)))] if cuts else []


def cutpoints_of(gaps: Array) -> Array:
    """Cutpoints from the first and the log gaps, ``(point, cutpoint)`` both."""
    steps = np.concatenate([gaps[:, :1], np.exp(gaps[:, 1:])], axis=1)
    return np.asarray(np.cumsum(steps, axis=1))


def free_parameters(priors: ModelPriors) -> Free:
    """Free parameters of a likelihood, starting at usual values."""
    start = np.array([*typical(priors), *usual_gaps(priors)], dtype=float)
    return Free(tuple(priors.family), tuple(priors.family.values()), len(priors.cutpoints), start)


def row_derivatives(
    design: Design, rows: NDArray[np.int64], eta: Array, free: Free, at: Array
) -> Curvature:
    """Differentiate the log density of some rows at a point.

    Parameters
    ----------
    design, rows
        The design, and the positions of the rows.
    eta
        Linear predictor of these rows.
    free, at
        The free parameters, and their values.
    """
    step = STEP * baseline_of(design).unit
    outcome, known = design.outcome[rows], design.rows.at(rows)
    weights = 1.0 if design.weights is None else design.weights.rows[rows]

    def density(shift: float, points: Array) -> Array:
        """Weighted log density, ``(point, row)``, the predictor shifted by so many steps."""
        shifted = np.broadcast_to(eta + shift * step, (len(points), rows.size))
        found = design.family.log_density(outcome, shifted, free.parameters(points), known)
        return np.asarray(found * weights)

    def total(points: Array) -> Array:
        return np.asarray(density(0.0, points).sum(axis=1) + free.log_prior(points))

    # a step of Newton's too far gives infinities, which the caller sees in the value
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        middle, above, below = (density(shift, at[None])[0] for shift in (0.0, 1.0, -1.0))
        up, down = at + STEP * np.eye(at.size), at - STEP * np.eye(at.size)
        across = density(1, up) - density(1, down) - density(-1, up) + density(-1, down)
        return Curvature(
            float(total(at[None])[0]),
            (above - below) / (2 * step),
            (above - 2 * middle + below) / step**2,
            (total(up) - total(down)) / (2 * STEP),
            across / (4 * step * STEP),
            second_differences(total, at),
        )


def second_differences(function: Callable[[Array], Array], at: Array) -> Array:
    """Second derivatives of a function of points ``(point, free)`` by central differences."""
    size = at.size
    shifts = STEP * np.eye(size)
    pairs = [(i, j) for i in range(size) for j in range(i, size)]
    points = [
        at + a * shifts[i] + b * shifts[j]
        for i, j in pairs
        for a, b in ((1, 1), (1, -1), (-1, 1), (-1, -1))
    ]
    out = np.zeros((size, size))
    if not points:
        return out
    value = function(np.array(points)).reshape(-1, 4)
    out[np.triu_indices(size)] = (value @ [1.0, -1.0, -1.0, 1.0]) / (4 * STEP**2)
    return np.asarray(out + np.triu(out, 1).T)
