"""Effects from one industry's rows alone, to show what partial pooling does.

The population part of the model is fitted to each industry by itself: coefficients with the same
priors (with the default ones under R2D2M2, whose shares no industry alone could tell), weak priors
on the other parameters, no effects of clusters or firms, equal steps of monotonic controls, and the
posterior by its normal approximation at the mode. This is the picture without pooling, fast and
labelled as an approximation; no verdict rests on it. It is left out where firms repeat, since without
firm effects it would be far too sure; of an equation whose predictors are outcomes of others, since
what acts through these would have to be fitted in each industry as well; and where values are missing,
since complete rows alone would show another sample.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from scipy.optimize import minimize

from bayescluster.arrays import Array
from bayescluster.design.record import Design
from bayescluster.estimands.effects import surface_draws
from bayescluster.estimands.levels import Levels
from bayescluster.estimands.membership import Groups
from bayescluster.estimands.row_derivatives import (
    cutpoints_of,
    second_differences,
    typical,
    usual_gaps,
)
from bayescluster.families import Rows
from bayescluster.model.distributions import log_density, median_of
from bayescluster.model.evaluate import Draws, predictor_at
from bayescluster.model.priors import ModelPriors, model_priors, scale_of
from bayescluster.names import CUTPOINTS
from bayescluster.structures.arithmetic import working

Mask = NDArray[np.bool_]

DRAWS = 1000
STATIONARY = 1e-3
"""Largest slope of the log posterior a row at what is taken for its mode."""
FEWEST_ROWS = 20
"""Below this an industry alone is not fitted."""


class _Layout(NamedTuple):
    """Order of the free numbers: coefficients, controls, log parameters, cutpoints."""

    terms: tuple[str, ...]
    controls: int
    parameters: tuple[str, ...]
    cutpoints: int

    @property
    def sizes(self) -> tuple[int, ...]:
        return len(self.terms), self.controls, len(self.parameters), self.cutpoints


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
    layout = _Layout(
        tuple(priors.population), len(priors.controls), tuple(priors.family), len(priors.cutpoints)
    )

    def loss(theta: Array) -> float:
        value = _log_posterior(design, rows, priors, layout, theta[None])[0]
        return -float(value) if np.isfinite(value) else 1e10

    start = _start(priors)
    found = minimize(loss, start, method="BFGS", options={"gtol": 1e-4})
    if np.abs(found.jac).max() > STATIONARY * rows.sum():
        return None
    try:
        factor = cho_factor(
            -second_differences(
                lambda theta: _log_posterior(design, rows, priors, layout, theta), found.x
            )
        )
    except LinAlgError:
        return None
    covariance = cho_solve(factor, np.eye(start.size))
    theta = rng.multivariate_normal(found.x, covariance, size=DRAWS, method="cholesky")
    return _draws(layout, theta, design)


def _start(priors: ModelPriors) -> Array:
    means = [
        float(working(median_of(prior), scale_of(term)))
        for term, prior in priors.population.items()
    ]
    means += [prior.mean for prior in priors.controls.values()]
    return np.array([*means, *typical(priors), *usual_gaps(priors)], dtype=float)


def _split(layout: _Layout, theta: Array) -> list[Array]:
    return np.split(theta, np.cumsum(layout.sizes)[:-1], axis=1)


def _draws(layout: _Layout, theta: Array, design: Design) -> Draws:
    population, controls, logs, gaps = _split(layout, theta)
    terms = {name: np.zeros(len(theta)) for name in design.terms}
    terms |= dict(zip(layout.terms, population.T, strict=True))
    parameters = {name: np.exp(logs[:, [k]]) for k, name in enumerate(layout.parameters)}
    if layout.cutpoints:
        parameters[CUTPOINTS] = cutpoints_of(gaps)[:, None, :]
    return Draws(1, terms, controls, {}, parameters)


def _log_posterior(
    design: Design, rows: Mask, priors: ModelPriors, layout: _Layout, theta: Array
) -> Array:
    """Log posterior of each parameter vector, ``(point, free) -> (point,)``."""
    draws = _draws(layout, theta, design)
    human, social = (values[rows] for values in design.capitals)
    members = np.flatnonzero(rows)
    eta = predictor_at(design, draws, (human, social), members) + design.offset[rows]
    known = Rows(*(None if item is None else item[rows] for item in design.rows))
    outcome = design.outcome[rows]
    with np.errstate(over="ignore", invalid="ignore"):
        density = design.family.log_density(outcome, eta, draws.parameters, known)
    weights = None if design.weights is None else design.weights.rows[rows]
    total = (density if weights is None else density * weights).sum(axis=1)
    population, controls, logs, gaps = _split(layout, theta)
    for column, (term, prior) in zip(population.T, priors.population.items(), strict=True):
        total = total + log_density(prior, column, scale_of(term))
    for column, control in zip(controls.T, priors.controls.values(), strict=True):
        total = total + log_density(control, column)
    # weak priors on the log scale keep parameters and gaps finite where a group says nothing
    far = (logs - np.array(typical(priors))) / 3
    return np.asarray(total - 0.5 * (far**2).sum(1) - 0.5 * ((gaps / 3) ** 2).sum(1))
