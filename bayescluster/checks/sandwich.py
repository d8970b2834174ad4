"""Sandwich check of a weighted pseudo-posterior: whether its intervals are as wide as they should be.

A pseudo-likelihood has the right centre but not the right curvature: unequal weights, and units of
one cluster that are alike, make estimates vary more from sample to sample than the pseudo-posterior
says. The sandwich ``V J V`` says how much: ``V`` is the posterior covariance of the coefficients,
standing for the inverse of the curvature, and ``J`` the variance of their scores, summed over
independent units: clusters where the data declare any, else firms. Source: Williams and Savitsky
(2021), Uncertainty estimation for pseudo-Bayesian inference under complex sampling, International
Statistical Review 89(1).

What it conditions on:

- A unit's score is taken at the posterior mean of everything, its own effects included. This is the
  score of the likelihood with the unit's effects integrated out (Fisher's identity: the mean of the
  complete score over the effects), exactly so where the score is linear in them.
- Effects of groups that hold several units (industries, years) are held fixed, and so are the
  parameters of the likelihood: ``V`` is the covariance given them, and the part of the posterior
  variance that is due to them is left as it is. With clusters as units, each industry is there in
  every sample; were its effect taken as noise, scores of its clusters would not be independent.

The sandwich is that of the estimate as it is, pulled in by its prior. Where the prior shrinks a
coefficient, the estimate varies less than the posterior is wide, and a ratio below 1 is no fault.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayescluster.arrays import Array, parent_index
from bayescluster.checks.thresholds import SANDWICH_RATIO, SANDWICH_UNITS
from bayescluster.design.record import Design
from bayescluster.estimands.diagnostics import estimate
from bayescluster.model.evaluate import Draws, log_likelihood
from bayescluster.model.priors import population_terms, scale_of
from bayescluster.names import CLUSTER
from bayescluster.results.facts import SandwichRow, Weighting
from bayescluster.structures.arithmetic import natural

STEP = 0.01
"""Half width, in posterior sds, of the differences that approximate scores."""
FEWEST_SPARE = 50
"""Draws needed beyond the number of quantities held fixed."""


class Spread(NamedTuple):
    """Standard deviations of the coefficients, each ``(coefficient,)``, on their working scale."""

    posterior: Array
    sandwich: Array


def weighting(design: Design, posterior: Draws) -> Weighting | None:
    """Facts of the survey weights and the sandwich check, where weights are declared."""
    weights, data = design.weights, design.analysis.data
    if weights is None:
        return None
    member = unit_of(design)
    theta, units = coefficients(design, posterior), int(member.max()) + 1
    found = sandwich(design, posterior, member)
    ratio = None if found is None else found.sandwich / found.posterior
    return Weighting(
        weight=data.weight,
        cluster_weight=data.cluster_weight,
        smallest=float(weights.average.min()),
        largest=float(weights.average.max()),
        effective_rows=float(weights.average.sum() ** 2 / (weights.average**2).sum()),
        unit="cluster" if data.cluster is not None else "firm",
        units=units,
        rows=() if ratio is None else _rows(design, theta, ratio),
        note=_note(found, units),
    )


def unit_of(design: Design) -> NDArray[np.int64]:
    """Position of each row's independent unit, ``(row,)``: its cluster, or else its firm."""
    return design.index(CLUSTER) if design.analysis.data.cluster is not None else design.firms


def coefficients(design: Design, draws: Draws) -> Array:
    """Population coefficients and those of controls, ``(draw, coefficient)``, working scale."""
    columns = [draws.population[term] for term in population_terms(design)]
    return np.column_stack([*columns, draws.controls])


def sandwich(design: Design, posterior: Draws, member: NDArray[np.int64]) -> Spread | None:
    """Posterior and sandwich standard deviations; None where the draws are too few.

    ``member`` is the position of each row's independent unit, ``(row,)``.
    """
    theta, held = coefficients(design, posterior), _held(design, posterior, member)
    if len(theta) - held.shape[1] < FEWEST_SPARE:
        return None
    total = np.atleast_2d(np.cov(theta.T))
    given = _covariance_given(theta, held)
    score = scores(design, posterior, member)
    units = len(score)
    around = score - score.mean(axis=0)
    meat = around.T @ around * units / (units - 1)
    # what the held quantities add to the variance stays as it is
    corrected = np.diag(total) + np.diag(given @ meat @ given - given)
    return Spread(np.sqrt(np.diag(total)), np.sqrt(corrected))


def scores(design: Design, posterior: Draws, member: NDArray[np.int64]) -> Array:
    """Score of each unit in each coefficient at the posterior mean, ``(unit, coefficient)``."""
    theta = coefficients(design, posterior)
    count, step = theta.shape[1], STEP * theta.std(axis=0, ddof=1)
    shift = np.concatenate([np.diag(step), -np.diag(step)])  # (2 coefficient, coefficient)
    density = log_likelihood(design, _around_mean(design, posterior, shift))
    by_row = (density[:count] - density[count:]) / (2 * step[:, None])  # (coefficient, row)
    return np.column_stack([np.bincount(member, weights=row) for row in by_row])


def _around_mean(design: Design, posterior: Draws, shift: Array) -> Draws:
    """Draws at the posterior mean but for the coefficients, which are shifted from it."""
    mean = posterior.part(np.zeros(len(shift), dtype="int64"))
    terms = population_terms(design)
    population = {
        name: np.full(len(shift), values.mean()) for name, values in posterior.population.items()
    }
    for position, term in enumerate(terms):
        population[term] = population[term] + shift[:, position]
    groups = {
        name: group._replace(effect=_repeated(posterior.groups[name].effect, len(shift)))
        for name, group in mean.groups.items()
    }
    capitals = posterior.capitals
    return replace(
        mean,
        population=population,
        controls=posterior.controls.mean(axis=0) + shift[:, len(terms) :],
        groups=groups,
        parameters={
            name: _repeated(values, len(shift)) for name, values in posterior.parameters.items()
        },
        imputed={
            name: cells._replace(values=_repeated(cells.values, len(shift)))
            for name, cells in posterior.imputed.items()
        },
        capitals=None
        if capitals is None
        else (_repeated(capitals[0], len(shift)), _repeated(capitals[1], len(shift))),
    )


def _repeated(values: Array, count: int) -> Array:
    return np.repeat(values.mean(axis=0, keepdims=True), count, axis=0)


def _held(design: Design, posterior: Draws, member: NDArray[np.int64]) -> Array:
    """Draws of what is held fixed, ``(draw, quantity)``."""
    outside = [
        group.effect.reshape(posterior.size, -1)
        for name, group in posterior.groups.items()
        if parent_index(design.index(name), member) is None
    ]
    parameters = [values.reshape(posterior.size, -1) for values in posterior.parameters.values()]
    return np.column_stack([np.empty((posterior.size, 0)), *outside, *parameters])


def _covariance_given(theta: Array, held: Array) -> Array:
    """Covariance of the coefficients given what is held: that of what a regression leaves."""
    around, by = theta - theta.mean(axis=0), held - held.mean(axis=0)
    slopes, _, rank, _ = np.linalg.lstsq(by, around, rcond=None)
    rest = around - by @ slopes
    return np.asarray(rest.T @ rest / (len(theta) - 1 - rank))


def _rows(design: Design, theta: Array, ratio: Array) -> tuple[SandwichRow, ...]:
    terms = population_terms(design)
    scales = [scale_of(term) for term in terms] + ["real"] * len(design.control_names)
    mean = theta.mean(axis=0)
    # draws spread about their mean by the ratio have the sandwich's sd
    spread = mean + (theta - mean) * ratio
    return tuple(
        SandwichRow(
            block="population" if k < len(terms) else "controls",
            name=name,
            model=estimate(natural(theta[:, k], scale)),
            corrected=estimate(natural(spread[:, k], scale)),
            ratio=float(ratio[k]),
            design_effect=float(ratio[k] ** 2),
            warning=_warning(float(ratio[k])),
        )
        for k, (name, scale) in enumerate(zip((*terms, *design.control_names), scales, strict=True))
    )


def _warning(ratio: float) -> str:
    low, high = SANDWICH_RATIO
    if ratio > high:
        return f"intervals of the model are too narrow by a factor of about {ratio:.2g}"
    if ratio < low:
        return f"intervals of the model are too wide by a factor of about {1 / ratio:.2g}"
    return ""


def _note(found: Spread | None, units: int) -> str:
    if found is None:
        return "the sandwich check was not made: there are too few draws for what it holds fixed"
    # relative error of a standard deviation from so many normal values
    known = f"from {units} independent units a ratio is known to {(2 * units) ** -0.5:.0%} at best"
    if units < SANDWICH_UNITS:
        return f"{known}; with fewer than {SANDWICH_UNITS} of them it tends to be too small"
    return known
