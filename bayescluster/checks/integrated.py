"""Log density of rows with the effects of their own groups integrated out, draw by draw.

Effects of a group that is left out are known from nothing but their distribution. So what the model
says of its rows, all together, is the mean of their joint density over that distribution.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import scipy

from bayescluster.arrays import Array, Positions
from bayescluster.design.record import Design
from bayescluster.model.evaluate import Draws, GroupDraws, predictor_at

LogDensity = Callable[[Array], Array]
"""``(draw, effect) -> (draw,)``: log density of the data at the effects, one point a draw."""

GAUSS_NODES = 11
POINTS = 128
"""Nodes for one effect, and for several."""
WIDER = 1.2
"""Quasi-random nodes are spread by this much more than the curvature says: tails must be met."""
NEWTON_STEPS = 5
STEP = 1e-2
"""Half width of the differences that approximate derivatives, in standard deviations."""
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

    ``density`` is the log density of the data given the effects; the search for the mode begins from
    ``start``, ``(draw, effect)``.
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
    return np.asarray(scale + scipy.special.logsumexp(terms, axis=0))


def _nodes(effects: int) -> Nodes:
    if effects == 1:
        points, weights = np.polynomial.hermite_e.hermegauss(GAUSS_NODES)
        return Nodes(points[:, None], np.log(weights) + 0.5 * points**2)
    unit = scipy.stats.qmc.Sobol(effects, scramble=True, rng=np.random.default_rng(0)).random(
        POINTS
    )
    points = WIDER * scipy.stats.norm.ppf(np.clip(unit, 1e-9, 1 - 1e-9))
    density = scipy.stats.norm.logpdf(points, scale=WIDER).sum(axis=1)
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


DRAWS = 1000
"""Most draws that are used, evenly spaced."""
DRAWS_WITHIN = 200
"""The same where there is an integral within an integral at every draw."""
FARTHEST = 5.0
"""The search for a mode begins no farther from 0 than this, in standard deviations."""
TOGETHER = 16
"""Most effects that are integrated at once; beyond, those of the finest grouping go group by group."""

RowDensity = Callable[[Draws], Array]
"""Log density of each row at draws, ``(draw, row)``."""


class Own(NamedTuple):
    """A grouping of which one group has all its rows among those that are left out."""

    grouping: str
    group: int


def own_groups(design: Design, rows: Positions, held: Positions) -> tuple[Own, ...]:
    """Groups of some rows that have all their rows among those left out, grouping by grouping.

    ``held`` are the positions of all rows that are left out, ``rows`` some of them.
    """
    return tuple(
        Own(grouping.name, int(group))
        for grouping in design.groupings
        for group in np.intersect1d(
            exclusive(design.index(grouping.name), held), design.index(grouping.name)[rows]
        )
    )


def exclusive(member: Positions, rows: Positions) -> list[int]:
    """Groups that have all their rows among these."""
    inside = np.bincount(member[rows], minlength=int(member.max()) + 1)
    whole = np.bincount(member)
    return [int(group) for group in np.flatnonzero((inside == whole) & (whole > 0))]


def enough_draws(design: Design, own: Sequence[Own]) -> int:
    """How many draws to look at, by what the integral costs."""
    return DRAWS_WITHIN if _effects(design, own) > TOGETHER else DRAWS


def integrated_likelihood(
    design: Design, draws: Draws, rows: Positions, own: Sequence[Own]
) -> Array:
    """Joint log density of rows at each draw, the effects of some groups integrated out, ``(draw,)``.

    The weights of the design multiply the log density of its rows; ``draws`` are for all rows; the
    effects of the groups ``own`` are integrated out under their distribution at each draw.
    """
    if not rows.size:
        return np.zeros(draws.size)
    out = np.empty(draws.size)
    for which, part in draws.for_rows(rows).chunks(rows.size):
        out[which] = _integrated(design, part, rows, own)
    return out


def _effects(design: Design, own: Sequence[Own]) -> int:
    width = {grouping.name: len(grouping.terms) for grouping in design.groupings}
    return sum(width[name] for name, _ in own)


def _integrated(design: Design, draws: Draws, rows: Positions, own: Sequence[Own]) -> Array:
    by_row = _row_density(design, rows)
    inner: list[Own] = []
    if _effects(design, own) > TOGETHER:
        names = [name for name, _ in own]
        finest = max(dict.fromkeys(names), key=names.count)
        inner = [one for one in own if one.grouping == finest]
    outer = [one for one in own if one not in inner]

    def density(at: Draws) -> Array:
        return _group_by_group(at, inner, by_row) if inner else by_row(at).sum(axis=1)

    if not outer:
        return density(draws)
    roots = [_root(draws.groups[name]) for name, _ in outer]  # (draw, term, term) each
    start = np.concatenate(
        [
            _standard(root, draws.groups[name].effect[:, [group]])[:, 0]
            for root, (name, group) in zip(roots, outer, strict=True)
        ],
        axis=1,
    )
    return log_mean_density(lambda z: density(_with(draws, outer, roots, z)), start)


def _row_density(design: Design, rows: Positions) -> RowDensity:
    """Log density of the answered rows at draws for all these rows."""
    known = np.flatnonzero(design.answered[rows])
    answered = rows[known]
    quantities = design.rows.at(answered)
    weights = 1.0 if design.weights is None else design.weights.rows[answered]
    outcome, offset = design.outcome[answered], design.offset[answered]

    def density(at: Draws) -> Array:
        capitals = at.capitals or (design.capitals[0][rows], design.capitals[1][rows])
        # the draws keep the members of rows without an outcome
        eta = predictor_at(design, at, capitals, rows)[:, known] + offset
        found = design.family.log_density(outcome, eta, at.parameters, quantities)
        full = np.zeros((at.size, rows.size))
        full[:, known] = weights * found
        return full

    return density


def _group_by_group(draws: Draws, inner: Sequence[Own], by_row: RowDensity) -> Array:
    """Integrate the effects of groups that share no rows, each by itself, ``(draw,)``."""
    name = inner[0].grouping
    held = draws.groups[name]
    groups = np.array([group for _, group in inner])
    belongs = held.member[:, None] == groups  # (row, group)
    root = _root(held)
    start = _standard(root, held.effect[:, groups])  # (draw, group, term)
    shape = start.shape

    def density(z: Array) -> Array:
        effect = held.effect.copy()
        effect[:, groups] = np.einsum("sij,sgj->sgi", root, z.reshape(shape))
        at = replace(draws, groups=draws.groups | {name: held._replace(effect=effect)})
        return np.asarray(by_row(at) @ belongs).ravel()

    each = log_mean_density(density, start.reshape(-1, shape[2])).reshape(shape[:2])
    found = each.sum(axis=1)
    others = ~belongs.any(axis=1)
    return np.asarray(found + by_row(draws)[:, others].sum(axis=1)) if others.any() else found


def _root(group: GroupDraws) -> Array:
    """Root of the covariance of a group's effects: effects are this times standard normals."""
    scale = np.maximum(group.sd, np.finfo(float).tiny)[:, :, None]
    if group.correlation is None:
        return np.asarray(scale * np.eye(len(group.terms)))
    return np.asarray(scale * np.linalg.cholesky(group.correlation))


def _standard(root: Array, effect: Array) -> Array:
    """Effects ``(draw, group, term)`` in standard deviations, not too far from 0."""
    found = np.linalg.solve(root, np.swapaxes(effect, -1, -2))
    return np.clip(np.swapaxes(found, -1, -2), -FARTHEST, FARTHEST)


def _with(draws: Draws, own: Sequence[Own], roots: Sequence[Array], z: Array) -> Draws:
    """Put other effects in the place of the groups' own, from standard normals."""
    effects: dict[str, Array] = {}
    start = 0
    for (name, group), root in zip(own, roots, strict=True):
        width = root.shape[1]
        effect = effects.setdefault(name, draws.groups[name].effect.copy())
        effect[:, group] = np.einsum("sij,sj->si", root, z[:, start : start + width])
        start += width
    groups = {name: draws.groups[name]._replace(effect=effect) for name, effect in effects.items()}
    return replace(draws, groups=draws.groups | groups)
