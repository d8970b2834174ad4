"""The posterior of a linear form by its normal approximation, without any sampling.

Coefficients have the priors of the model, varying effects are independent normal draws, and the
standard deviations of these are at their most probable values (by expectation-maximisation on the
Laplace approximation, half-normal priors; another prior is taken as the half-normal of its median).
The mode is found by Newton's method and the curvature there is the inverse covariance, both from
derivatives of the log density by the linear predictor of each row. It takes a second where a
sampler takes a minute, for checks next to a fit; no estimate of a report rests on it. Shares of the
R2D2M2 prior are not used: the default priors of the slopes take their place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import scipy
from numpy.typing import NDArray

from bayescluster.arrays import Array
from bayescluster.design.record import Design
from bayescluster.estimands.effects import surface_draws
from bayescluster.estimands.levels import Levels
from bayescluster.estimands.scopes import Groups
from bayescluster.model.evaluate import Draws, GroupDraws, predictor_at
from bayescluster.model.priors import (
    ModelPriors,
    baseline_of,
    log_density,
    median_of,
    model_priors,
    scale_of,
)
from bayescluster.names import CUTPOINTS, HUMAN_CAPITAL, INTERACTION, INTERCEPT, SOCIAL_CAPITAL
from bayescluster.spec.priors import Distribution, HalfNormal, Normal, StudentT
from bayescluster.structures.arithmetic import natural, working

STEP = 1e-3
"""Step of the differences, in units of the link and on the log scale of parameters."""
GAP_SD = 3.0
"""Weak normal prior of cutpoint and log gaps around their usual values."""

NEWTON_STEPS = 60
SD_ROUNDS = 25
"""Most rounds of expectation-maximisation."""
SETTLED = 1e-2
"""Relative change of the standard deviations at which the rounds end."""
DIFFERENCE = 2.0**-26
"""Step of forward differences: the root of the precision of a number."""
WALL = 1e10
"""Stands for the loss where there is no density."""
STATIONARY = 1e-6
"""Expected gain of the log posterior, a row, below which a step of Newton's is the last."""
HALF_NORMAL_MEDIAN = 0.674489750196

Mask = NDArray[np.bool_]

DRAWS = 1000
UNPOOLED_STATIONARY = 1e-3
"""Largest slope of the log posterior a row at what is taken for its mode."""
FEWEST_ROWS = 20
"""An industry with fewer rows is not fitted by itself."""


@dataclass(frozen=True)
class Approximation:
    """Normal approximation of a posterior.

    ``mode`` and ``covariance`` are of the columns of ``inputs``, then of the free parameters of the
    likelihood; ``sds`` of the blocks of varying effects.
    """

    design: Design
    inputs: Inputs
    free: Free
    mode: Array
    covariance: Array
    sds: Array

    def coefficient(self, term: str) -> tuple[float, float]:
        """Mean and standard deviation of a population coefficient."""
        at = self.inputs.terms.index(term)
        return float(self.mode[at]), float(np.sqrt(self.covariance[at, at]))

    def sample(self, count: int, rng: np.random.Generator) -> Array:
        """Draw columns and free parameters, ``(draw, column and free)``."""
        z = rng.standard_normal((count, self.mode.size))
        return np.asarray(self.mode + z @ np.linalg.cholesky(self.covariance).T)

    def draws(self, count: int, rng: np.random.Generator) -> Draws:
        """Draw from the approximation, as if from a posterior of one chain."""
        theta = self.sample(count, rng)
        inputs, design = self.inputs, self.design
        terms = {name: np.zeros(count) for name in design.terms}
        first = len(inputs.terms)
        terms |= dict(zip(inputs.terms, theta[:, :first].T, strict=True))
        parameters = self.free.parameters(theta[:, inputs.matrix.shape[1] :])
        controls = theta[:, first : first + inputs.controls]
        return Draws(1, terms, controls, self._groups(theta), parameters)

    def _groups(self, theta: Array) -> dict[str, GroupDraws]:
        found = {}
        for grouping in self.design.groupings:
            mine = [
                (block, sd)
                for block, sd in zip(self.inputs.blocks, self.sds, strict=True)
                if block.grouping == grouping.name
            ]
            found[grouping.name] = GroupDraws(
                tuple(block.term for block, _ in mine),
                self.design.index(grouping.name),
                np.stack([theta[:, block.columns] for block, _ in mine], axis=-1),
                np.tile([sd for _, sd in mine], (len(theta), 1)),
                None,
            )
        return found


def approximate(design: Design) -> Approximation | None:
    """Approximate the posterior of a linear form from its complete rows.

    Latent capitals enter by their scores, monotonic controls in equal steps, and outcomes of other
    equations as observed.

    Returns
    -------
    Approximation or None
        None where no mode with positive curvature was found.
    """
    priors = model_priors(design)
    inputs = _inputs(design, priors)
    free = free_parameters(priors)
    theta = np.concatenate([inputs.mean, np.zeros(inputs.varying), free.start])
    sds = np.array([0.5 * block.scale for block in inputs.blocks])
    for _ in range(SD_ROUNDS if inputs.blocks else 1):
        found = _mode(design, inputs, free, theta, sds)
        if found is None:
            return None
        theta, covariance = found
        updated = _standard_deviations(inputs, theta, covariance)
        settled = bool((np.abs(updated - sds) <= SETTLED * sds).all())
        sds = updated
        if settled:
            break
    last = _mode(design, inputs, free, theta, sds)
    return None if last is None else Approximation(design, inputs, free, *last, sds)


def complete_rows(design: Design) -> NDArray[np.int64]:
    """Rows that lack nothing that enters the equation."""
    parts = (design.outcome, *design.capitals, design.controls, design.predictors)
    lacking = np.zeros(design.size, dtype=bool)
    for part in parts:
        lacking |= np.isnan(part).reshape(design.size, -1).any(axis=1)
    return np.flatnonzero(~lacking)


def _inputs(design: Design, priors: ModelPriors) -> Inputs:
    rows = complete_rows(design)
    human, social = (values[rows] for values in design.capitals)
    known = {
        INTERCEPT: np.ones(rows.size),
        HUMAN_CAPITAL: human,
        SOCIAL_CAPITAL: social,
        INTERACTION: human * social,
    } | dict(zip(design.equation.entering, design.predictors[rows].T, strict=True))
    terms = tuple(priors.population)
    parts = [np.column_stack([np.empty((rows.size, 0)), *(known[term] for term in terms)])]
    parts.append(design.controls[rows])
    moments = []
    for prior in (*priors.population.values(), *priors.controls.values()):
        assert isinstance(prior, Normal | StudentT)
        moments.append((prior.mean, prior.sd if isinstance(prior, Normal) else prior.scale))
    blocks, start = [], len(moments)
    for grouping in design.groupings:
        member = design.index(grouping.name)[rows]
        scale = _scale(priors.group_sd[grouping.name])
        dummies = (member[:, None] == np.arange(len(grouping.labels))).astype(float)
        for term in grouping.terms:
            parts.append(dummies * known[term][:, None])
            columns = slice(start, start + dummies.shape[1])
            blocks.append(Block(grouping.name, term, columns, scale))
            start = columns.stop
    mean, sd = np.array(moments).reshape(-1, 2).T
    return Inputs(
        np.column_stack(parts), terms, len(priors.controls), mean, sd, tuple(blocks), rows
    )


def _scale(prior: Distribution) -> float:
    return prior.sd if isinstance(prior, HalfNormal) else median_of(prior) / HALF_NORMAL_MEDIAN


def _standard_deviations(inputs: Inputs, theta: Array, covariance: Array) -> Array:
    """Most probable sd of each block, given the expected squares of its effects."""
    variance = np.diag(covariance)
    found = []
    for block in inputs.blocks:
        count = block.size
        squares = float((theta[block.columns] ** 2 + variance[block.columns]).sum())
        # maximises -count log s - squares / (2 s^2) - s^2 / (2 scale^2)
        root = np.sqrt(count**2 + 4 * squares / block.scale**2)
        found.append(np.sqrt(block.scale**2 * (root - count) / 2))
    return np.array(found)


def _mode(
    design: Design, inputs: Inputs, free: Free, theta: Array, sds: Array
) -> tuple[Array, Array] | None:
    """Mode and covariance at given standard deviations, by Newton's method with damping."""
    mean = np.concatenate([inputs.mean, np.zeros(inputs.varying)])
    sizes = [block.size for block in inputs.blocks]
    sd = np.concatenate([inputs.sd, np.repeat(sds, sizes)])
    damping = 0.0
    at = _Target(design, inputs, free, mean, sd, scipy.sparse.csr_array(inputs.matrix))
    value, slope, curve = at.evaluate(theta)
    for _ in range(NEWTON_STEPS):
        try:
            factor = scipy.linalg.cho_factor(
                curve + damping * np.diag(np.abs(np.diag(curve)) + 1e-8)
            )
        except scipy.linalg.LinAlgError:
            damping = max(10 * damping, 1e-3)
            if damping > 1e6:
                return None
            continue
        step = scipy.linalg.cho_solve(factor, slope)
        gain = float(slope @ step)
        if gain < STATIONARY * inputs.rows.size and not damping:
            break
        reached = at.evaluate(theta + step)
        if not np.isfinite(reached[0]) or reached[0] < value - 1e-9:
            damping = max(10 * damping, 1e-3)
            continue
        theta, (value, slope, curve) = theta + step, reached
        damping = damping / 10 if damping > 1e-4 else 0.0
    else:
        return None
    covariance = scipy.linalg.cho_solve(factor, np.eye(theta.size))
    return theta + step, (covariance + covariance.T) / 2


class _Target(NamedTuple):
    """Log posterior at given standard deviations of the varying effects."""

    design: Design
    inputs: Inputs
    free: Free
    mean: Array
    sd: Array
    sparse: scipy.sparse.csr_array
    """The inputs again: a row is in one group of each grouping, so most of them are 0."""

    def evaluate(self, theta: Array) -> tuple[float, Array, Array]:
        """Value, gradient, and curvature of the negative, of the log posterior."""
        columns = self.mean.size
        matrix, rows = self.sparse, self.inputs.rows
        eta = matrix @ theta[:columns] + self.design.offset[rows]
        rowwise = row_derivatives(self.design, rows, eta, self.free, theta[columns:])
        off = (theta[:columns] - self.mean) / self.sd
        value = rowwise.value - 0.5 * float(off @ off)
        if not np.isfinite(value):
            return -np.inf, theta, np.eye(theta.size)
        slope = np.concatenate([matrix.T @ rowwise.by_eta - off / self.sd, rowwise.by_free])
        return value, slope, self._curvature(rowwise)

    def _curvature(self, rowwise: Curvature) -> Array:
        matrix, columns = self.sparse, self.mean.size
        size = columns + rowwise.by_free.size
        curve = np.empty((size, size))
        weighted = matrix.multiply(-rowwise.by_eta_eta[:, None]).tocsr()
        curve[:columns, :columns] = (matrix.T @ weighted).toarray()
        curve[:columns, :columns][np.diag_indices(columns)] += self.sd**-2
        across = -(matrix.T @ rowwise.by_eta_free.T)
        curve[:columns, columns:], curve[columns:, :columns] = across, across.T
        curve[columns:, columns:] = -rowwise.by_free_free
        return curve


def unpooled_effects(
    design: Design, levels: Levels, groups: Groups, rng: np.random.Generator
) -> dict[str, dict[tuple[str, str], Array]]:
    """Draws of each group's effects from its own rows.

    Returns
    -------
    dict
        By group label, then (capital, measure): ``(draw,)``. Groups that are too small, or whose
        mode has no positive curvature, are absent.
    """
    found: dict[str, dict[tuple[str, str], Array]] = {}
    repeated = np.unique(design.firms).size < design.size
    if repeated or design.equation.predictors or not design.is_complete:
        return found
    for k, label in enumerate(groups.labels):
        rows = groups.members[:, k]
        if rows.sum() < FEWEST_ROWS:
            continue
        draws = _approximate(design, rows, rng)
        if draws is None:
            continue
        weights = groups.weights[:, [k]]
        surface = surface_draws(design, draws, levels, weights)
        effects = {(c, "average_marginal_effect"): v[:, 0] for c, v in surface.marginal.items()}
        effects |= {(c, "contrast"): v[:, 0] for c, v in surface.contrast.items()}
        found[label] = effects
    return found


def _approximate(design: Design, rows: Mask, rng: np.random.Generator) -> Draws | None:
    priors = model_priors(design)
    free = free_parameters(priors)

    def log_posterior(theta: Array) -> Array:
        return _log_posterior(design, rows, priors, free, theta)

    def losses(points: Array) -> Array:
        values = log_posterior(points)
        return np.where(np.isfinite(values), -values, WALL)

    def loss(theta: Array) -> tuple[float, Array]:
        """Value and forward differences, all in one pass over the rows."""
        ahead = theta + DIFFERENCE
        points = np.tile(theta, (theta.size + 1, 1))
        np.fill_diagonal(points[1:], ahead)
        values = losses(points)
        return float(values[0]), (values[1:] - values[0]) / (ahead - theta)

    start = [float(working(median_of(p), scale_of(term))) for term, p in priors.population.items()]
    start += [prior.mean for prior in priors.controls.values()]
    begin = np.array([*start, *free.start])
    found = scipy.optimize.minimize(loss, begin, jac=True, method="BFGS", options={"gtol": 1e-4})
    if np.abs(found.jac).max() > UNPOOLED_STATIONARY * rows.sum():
        return None
    try:
        factor = scipy.linalg.cho_factor(-second_differences(log_posterior, found.x))
    except scipy.linalg.LinAlgError:
        return None
    covariance = scipy.linalg.cho_solve(factor, np.eye(found.x.size))
    theta = rng.multivariate_normal(found.x, covariance, size=DRAWS, method="cholesky")
    return _draws(design, priors, free, theta)


def _draws(design: Design, priors: ModelPriors, free: Free, theta: Array) -> Draws:
    """Draws without group effects from coefficients, controls, and free parameters, in this order."""
    first, last = len(priors.population), len(priors.population) + len(priors.controls)
    terms = {name: np.zeros(len(theta)) for name in design.terms}
    terms |= dict(zip(priors.population, theta[:, :first].T, strict=True))
    return Draws(1, terms, theta[:, first:last], {}, free.parameters(theta[:, last:]))


def _log_posterior(
    design: Design, rows: Mask, priors: ModelPriors, free: Free, theta: Array
) -> Array:
    """Log posterior of each parameter vector, ``(point, free) -> (point,)``."""
    draws = _draws(design, priors, free, theta)
    human, social = (values[rows] for values in design.capitals)
    members = np.flatnonzero(rows)
    eta = predictor_at(design, draws, (human, social), members) + design.offset[rows]
    with np.errstate(over="ignore", invalid="ignore"):
        density = design.family.log_density(
            design.outcome[rows], eta, draws.parameters, design.rows.at(rows)
        )
    weights = None if design.weights is None else design.weights.rows[rows]
    total = (density if weights is None else density * weights).sum(axis=1)
    for term, prior in priors.population.items():
        total = total + log_density(prior, draws.population[term], scale_of(term))
    for column, control in zip(draws.controls.T, priors.controls.values(), strict=True):
        total = total + log_density(control, column)
    # weak priors on the log scale keep parameters and gaps finite where a group is uninformative
    last = theta.shape[1] - free.start.size
    logs, gaps = np.split(theta[:, last:], [len(free.names)], axis=1)
    far = (logs - free.start[: len(free.names)]) / 3
    return np.asarray(total - 0.5 * (far**2).sum(1) - 0.5 * ((gaps / 3) ** 2).sum(1))


class Block(NamedTuple):
    """Varying effects of one term by one grouping: their columns, and the sd of their prior."""

    grouping: str
    term: str
    columns: slice
    scale: float

    @property
    def size(self) -> int:
        """Number of groups."""
        return int(self.columns.stop - self.columns.start)


class Inputs(NamedTuple):
    """Known inputs of a linear form, ``(row, column)``: population, controls, varying effects.

    ``mean`` and ``sd`` are of the normal priors of population and controls, ``rows`` the positions
    of the rows in the design.
    """

    matrix: Array
    terms: tuple[str, ...]
    controls: int
    mean: Array
    sd: Array
    blocks: tuple[Block, ...]
    rows: NDArray[np.int64]

    @property
    def varying(self) -> int:
        """Number of varying effects."""
        return int(self.matrix.shape[1] - self.mean.size)


class Free(NamedTuple):
    """Free parameters of a likelihood: names and priors, number of cutpoints, and where they start.

    Each is on the line: the log of a positive one, the logit of a share.
    """

    names: tuple[str, ...]
    priors: tuple[Distribution, ...]
    cutpoints: int
    start: Array

    def parameters(self, free: Array) -> dict[str, Array]:
        """Parameters as a family takes them, from ``(point, free)``."""
        found = {
            name: np.asarray(natural(free[:, [k]], prior.scale_of_values))
            for k, (name, prior) in enumerate(zip(self.names, self.priors, strict=True))
        }
        if self.cutpoints:
            gaps = free[:, len(self.names) :]  # the first cutpoint, then the logs of the gaps
            steps = np.concatenate([gaps[:, :1], np.exp(gaps[:, 1:])], axis=1)
            found[CUTPOINTS] = np.cumsum(steps, axis=1)[:, None, :]
        return found

    def log_prior(self, free: Array) -> Array:
        """Log prior of each point, ``(point, free) -> (point,)``."""
        total = np.zeros(len(free))
        for column, prior in zip(free.T, self.priors, strict=False):
            total = total + log_density(prior, column, prior.scale_of_values)
        gaps = free[:, len(self.names) :] - self.start[len(self.names) :]
        return np.asarray(total - 0.5 * ((gaps / GAP_SD) ** 2).sum(axis=1))


def free_parameters(priors: ModelPriors) -> Free:
    """Free parameters of a likelihood, starting at the medians of their priors."""
    start = [float(working(median_of(p), p.scale_of_values)) for p in priors.family.values()]
    cuts = [mean for mean, _ in priors.cutpoints]
    if cuts:
        # the first cutpoint and the log gaps at the means of their priors
        start += [cuts[0], *(float(gap) for gap in np.log(np.diff(cuts)))]
    size = len(priors.cutpoints)
    return Free(tuple(priors.family), tuple(priors.family.values()), size, np.array(start, float))


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


def row_derivatives(
    design: Design, rows: NDArray[np.int64], eta: Array, free: Free, at: Array
) -> Curvature:
    """Differentiate the log density of some rows at their linear predictor and free parameters."""
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
