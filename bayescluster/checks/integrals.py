"""Integrals over a few standard normal effects, for many draws at once.

Adaptive quadrature: at each draw the nodes are put around the mode of the integrand, as wide as its
curvature there says. One effect takes Gauss-Hermite nodes, several take quasi-random ones, the same
for every draw (common random numbers).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp
from scipy.stats import norm, qmc

from bayescluster.arrays import Array

LogDensity = Callable[[Array], Array]
"""``(draw, effect) -> (draw,)``: log density of the data at the effects, one point a draw."""

GAUSS_NODES = 11
POINTS = 128
"""Nodes for one effect, and for several."""
WIDER = 1.2
"""Quasi-random nodes are spread by this much more than the curvature says: tails must be met."""
NEWTON_STEPS = 5
STEP = 1e-2
"""Half width of the differences that stand for derivatives, in standard deviations."""
CURVATURE_MIN = 0.5
"""The prior alone has curvature 1; a likelihood may take some of it away, but never all here."""
MOVE_MAX = 5.0
"""Longest step along an effect in one round, in prior standard deviations."""


class Nodes(NamedTuple):
    """Points ``(node, effect)``, and the log weight of each for an integral over the plane."""

    points: Array
    log_weights: Array


def log_mean_density(density: LogDensity, start: Array) -> Array:
    """Log of the mean density of the data over standard normal effects, ``(draw,)``.

    Parameters
    ----------
    density
        Log density of the data given the effects.
    start
        Effects to begin the search for the mode from, ``(draw, effect)``.
    """

    def joint(effects: Array) -> Array:
        normal = -0.5 * (effects**2).sum(axis=1) - 0.5 * effects.shape[1] * np.log(2 * np.pi)
        return np.asarray(density(effects) + normal)

    mode, spread = _mode(joint, start)
    _, scale = np.linalg.slogdet(spread)
    nodes = _nodes(start.shape[1])
    terms = [
        weight + joint(mode + np.einsum("sij,j->si", spread, point))
        for point, weight in zip(*nodes, strict=True)
    ]
    return np.asarray(scale + logsumexp(terms, axis=0))


def _nodes(effects: int) -> Nodes:
    if effects == 1:
        points, weights = np.polynomial.hermite_e.hermegauss(GAUSS_NODES)
        return Nodes(points[:, None], np.log(weights) + 0.5 * points**2)
    unit = qmc.Sobol(effects, scramble=True, rng=np.random.default_rng(0)).random(POINTS)
    points = WIDER * norm.ppf(np.clip(unit, 1e-9, 1 - 1e-9))
    density = norm.logpdf(points, scale=WIDER).sum(axis=1)
    return Nodes(points, -density - np.log(POINTS))


def _mode(joint: LogDensity, start: Array) -> tuple[Array, Array]:
    """Mode of a log density at each draw, and a root of its inverse curvature there."""
    at = start
    for _ in range(NEWTON_STEPS):
        slope, curvature = _derivatives(joint, at)
        move = np.linalg.solve(curvature, slope[..., None])[..., 0]
        at = at + np.clip(move, -MOVE_MAX, MOVE_MAX)
    _, curvature = _derivatives(joint, at)
    return at, np.linalg.cholesky(np.linalg.inv(curvature))


def _derivatives(joint: LogDensity, at: Array) -> tuple[Array, Array]:
    """Slope ``(draw, effect)`` and curvature ``(draw, effect, effect)``, kept positive."""
    effects = at.shape[1]
    shifts = STEP * np.eye(effects)
    middle = joint(at)
    up = [joint(at + shift) for shift in shifts]
    down = [joint(at - shift) for shift in shifts]
    slope = np.stack([(a - b) / (2 * STEP) for a, b in zip(up, down, strict=True)], axis=-1)
    second = np.empty((at.shape[0], effects, effects))
    for i in range(effects):
        second[:, i, i] = -(up[i] + down[i] - 2 * middle) / STEP**2
        for j in range(i):
            both = joint(at + shifts[i] + shifts[j])
            second[:, i, j] = second[:, j, i] = -(both - up[i] - up[j] + middle) / STEP**2
    known = np.isfinite(second).all(axis=(1, 2)) & np.isfinite(slope).all(axis=1)
    second[~known], slope[~known] = np.eye(effects), 0.0
    values, vectors = np.linalg.eigh(second)
    kept = np.maximum(values, CURVATURE_MIN)
    return slope, (vectors * kept[:, None, :]) @ np.swapaxes(vectors, -1, -2)
