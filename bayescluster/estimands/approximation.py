"""The posterior of a linear form by its normal approximation, without any sampling.

Coefficients have the priors of the model, varying effects are independent normal draws, and the
standard deviations of these are at their most probable values (by expectation-maximisation on the
Laplace approximation, half-normal priors; another prior is taken as the half-normal of its median).
The mode is found by Newton's method and the curvature there is the inverse covariance, both from
derivatives of the log density by the linear predictor of each row. It takes a second where a
sampler takes a minute, for checks that stand beside a fit; no estimate of a report rests on it.
Shares of the R2D2M2 prior are not used: the default priors of their slopes stand in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from bayescluster.arrays import Array
from bayescluster.design.record import Design
from bayescluster.estimands.row_derivatives import Curvature, Free, free_parameters, row_derivatives
from bayescluster.model.distributions import KINDS
from bayescluster.model.evaluate import Draws, GroupDraws
from bayescluster.model.priors import ModelPriors, model_priors
from bayescluster.names import HUMAN_CAPITAL, INTERACTION, INTERCEPT, SOCIAL_CAPITAL
from bayescluster.spec.priors import Distribution, HalfNormal, Normal, StudentT

NEWTON_STEPS = 60
SD_ROUNDS = 25
"""Most rounds of expectation-maximisation."""
SETTLED = 1e-2
"""Relative change of the standard deviations at which the rounds end."""
STATIONARY = 1e-6
"""Expected gain of the log posterior, a row, below which a step of Newton's is the last."""
HALF_NORMAL_MEDIAN = 0.674489750196


class Block(NamedTuple):
    """Varying effects of one term by one grouping: their columns, and the sd of their prior."""

    grouping: str
    term: str
    columns: slice
    scale: float


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
    theta = np.concatenate([inputs.mean, np.zeros(_varying(inputs)), free.start])
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
    } | dict(zip(design.equation.predictors, design.predictors[rows].T, strict=True))
    terms = tuple(priors.population)
    parts = [np.column_stack([np.empty((rows.size, 0)), *(known[term] for term in terms)])]
    parts.append(design.controls[rows])
    moments = [_moments(p) for p in (*priors.population.values(), *priors.controls.values())]
    blocks, start = [], len(moments)
    for grouping in design.groupings:
        member = design.index(grouping.name)[rows]
        dummies = (member[:, None] == np.arange(len(grouping.labels))).astype(float)
        for term in grouping.terms:
            parts.append(dummies * known[term][:, None])
            columns = slice(start, start + dummies.shape[1])
            blocks.append(
                Block(grouping.name, term, columns, _scale(priors.group_sd[grouping.name]))
            )
            start = columns.stop
    mean, sd = np.array(moments).reshape(-1, 2).T
    return Inputs(
        np.column_stack(parts), terms, len(priors.controls), mean, sd, tuple(blocks), rows
    )


def _moments(prior: Distribution) -> tuple[float, float]:
    assert isinstance(prior, Normal | StudentT)
    return prior.mean, prior.sd if isinstance(prior, Normal) else prior.scale


def _scale(prior: Distribution) -> float:
    if isinstance(prior, HalfNormal):
        return prior.sd
    return float(KINDS[type(prior)].scipy(prior).median()) / HALF_NORMAL_MEDIAN


def _varying(inputs: Inputs) -> int:
    return int(inputs.matrix.shape[1] - inputs.mean.size)


def _mode(
    design: Design, inputs: Inputs, free: Free, theta: Array, sds: Array
) -> tuple[Array, Array] | None:
    """Mode and covariance at given standard deviations, by Newton's method with damping."""
    mean = np.concatenate([inputs.mean, np.zeros(_varying(inputs))])
    sd = np.concatenate(
        [
            inputs.sd,
            *(
                np.full(block.columns.stop - block.columns.start, value)
                for block, value in zip(inputs.blocks, sds, strict=True)
            ),
        ]
    )
    damping = 0.0
    at = _Target(design, inputs, free, mean, sd)
    value, slope, curve = at.evaluate(theta)
    for _ in range(NEWTON_STEPS):
        try:
            factor = cho_factor(curve + damping * np.diag(np.abs(np.diag(curve)) + 1e-8))
        except LinAlgError:
            damping = max(10 * damping, 1e-3)
            if damping > 1e6:
                return None
            continue
        step = cho_solve(factor, slope)
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
    covariance = cho_solve(factor, np.eye(theta.size))
    return theta + step, (covariance + covariance.T) / 2


class _Target(NamedTuple):
    """Log posterior at given standard deviations of the varying effects."""

    design: Design
    inputs: Inputs
    free: Free
    mean: Array
    sd: Array

    def evaluate(self, theta: Array) -> tuple[float, Array, Array]:
        """Value, gradient, and curvature of the negative, of the log posterior."""
        columns = self.mean.size
        matrix, rows = self.inputs.matrix, self.inputs.rows
        eta = matrix @ theta[:columns] + self.design.offset[rows]
        rowwise = row_derivatives(self.design, rows, eta, self.free, theta[columns:])
        off = (theta[:columns] - self.mean) / self.sd
        value = rowwise.value - 0.5 * float(off @ off)
        if not np.isfinite(value):
            return -np.inf, theta, np.eye(theta.size)
        slope = np.concatenate([matrix.T @ rowwise.by_eta - off / self.sd, rowwise.by_free])
        return value, slope, self._curvature(rowwise)

    def _curvature(self, rowwise: Curvature) -> Array:
        matrix, columns = self.inputs.matrix, self.mean.size
        size = columns + rowwise.by_free.size
        curve = np.empty((size, size))
        curve[:columns, :columns] = -(matrix.T * rowwise.by_eta_eta) @ matrix
        curve[:columns, :columns][np.diag_indices(columns)] += self.sd**-2
        across = -(matrix.T @ rowwise.by_eta_free.T)
        curve[:columns, columns:], curve[columns:, :columns] = across, across.T
        curve[columns:, columns:] = -rowwise.by_free_free
        return curve


def _standard_deviations(inputs: Inputs, theta: Array, covariance: Array) -> Array:
    """Most probable sd of each block, given the expected squares of its effects."""
    variance = np.diag(covariance)
    found = []
    for block in inputs.blocks:
        count = block.columns.stop - block.columns.start
        squares = float((theta[block.columns] ** 2 + variance[block.columns]).sum())
        # maximises -count log s - squares / (2 s^2) - s^2 / (2 scale^2)
        root = np.sqrt(count**2 + 4 * squares / block.scale**2)
        found.append(np.sqrt(block.scale**2 * (root - count) / 2))
    return np.array(found)
