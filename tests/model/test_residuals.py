"""Residual correlation against orthant probabilities and densities of scipy."""

from __future__ import annotations

from itertools import product

import numpy as np
import pymc as pm
import pytensor
import pytest
from pytensor.compile.mode import Mode
from scipy import stats
from scipy.special import log_ndtr, logit

from bayescluster.families import Observation, Rows
from bayescluster.model.build import observe_together
from tests.oracles import fast_compile


def likelihood(etas, outcomes, gradient: bool = False):
    """Function of the free correlations and the uniform numbers: log likelihood, correlation."""
    with fast_compile():
        with pm.Model(coords={"firm": np.arange(len(etas[0]))}) as model:
            shift = pm.Normal("shift", shape=len(etas))
            observations = [
                Observation(f"y{k}", eta + shift[k], {}, Rows(), np.array(y, dtype=float), "firm")
                for k, (eta, y) in enumerate(zip(etas, outcomes, strict=True))
            ]
            observe_together(observations, len(etas[0]))
        potential, correlation = model.replace_rvs_by_values(
            [model.potentials[0], model["residual_correlation"]]
        )
        found = [potential, correlation]
        if gradient:
            found += pytensor.gradient.grad(potential, model.value_vars)
        function = pytensor.function(
            model.value_vars, found, mode=Mode("py", "fast_compile"), on_unused_input="ignore"
        )
    order = [variable.name for variable in model.value_vars]

    def evaluate(free, uniform, shift=0.0):
        values = {
            "shift": np.full(len(etas), shift),
            "residual_cholesky_cholesky_corr__": np.array(free, dtype=float),
            "residual_u_interval__": logit(np.array(uniform, dtype=float)),
        }
        return function(*(values[name] for name in order))

    return evaluate


def nodes(count: int):
    """Gauss-Legendre points and weights on the unit interval."""
    points, weights = np.polynomial.legendre.leggauss(count)
    return (points + 1) / 2, weights / 2


def orthant(eta, y, correlation) -> float:
    """P(every component falls on the side that was answered)."""
    sign = 2 * np.array(y) - 1
    covariance = sign[:, None] * correlation * sign
    return float(
        stats.multivariate_normal.cdf(
            sign * np.array(eta),
            np.zeros(len(y)),
            covariance,
            abseps=1e-9,
            releps=1e-9,
            maxpts=2_000_000,
            rng=1,
        )
    )


@pytest.mark.parametrize("free", [-0.9, 0.3, 1.4])
@pytest.mark.parametrize("y", list(product((0, 1), repeat=2)))
def test_two_outcomes_integrate_to_the_orthant_probability(y, free):
    eta = (0.4, -0.7)
    function = likelihood([[e] for e in eta], [[v] for v in y])
    points, weights = nodes(64)
    values = [function([free], [[u]]) for u in points]
    found = sum(w * np.exp(value[0]) for w, value in zip(weights, values, strict=True))
    assert found == pytest.approx(orthant(eta, y, values[0][1]), rel=1e-4)


@pytest.mark.parametrize("y", [(1, 1, 1), (0, 1, 0), (1, 0, 0)])
def test_three_outcomes_integrate_to_the_orthant_probability(y):
    eta = (0.4, -0.7, 0.2)
    function = likelihood([[e] for e in eta], [[v] for v in y])
    points, weights = nodes(20)
    found = 0.0
    for (u, a), (v, b) in product(zip(points, weights, strict=True), repeat=2):
        value, correlation = function([0.5, -0.4, 0.8], [[u, v]])
        found += a * b * np.exp(value)
    assert abs(correlation[np.tril_indices(3, -1)]).min() > 0.1
    assert found == pytest.approx(orthant(eta, y, correlation), rel=5e-4)


def test_random_numbers_give_it_without_bias():
    """The same three outcomes by an average over random numbers, as a sampler would see them."""
    eta, y, count = (0.4, -0.7, 0.2), (1, 0, 1), 4000
    function = likelihood([[e] for e in eta], [[v] for v in y])
    rng = np.random.default_rng(1)
    values = [function([0.5, -0.4, 0.8], [u]) for u in rng.random((count, 2))]
    found = np.exp([value[0] for value in values])
    wanted = orthant(eta, y, values[0][1])
    assert abs(found.mean() - wanted) < 4.9 * found.std() / np.sqrt(count)
    assert found.std() / np.sqrt(count) < 0.02 * wanted


def test_rows_are_independent():
    etas, outcomes = ([0.4, -1.2], [-0.7, 0.3]), ([1, 0], [0, 0])
    both = likelihood(etas, outcomes)([0.6], [[0.3], [0.8]])[0]
    alone = [
        likelihood([[e[r]] for e in etas], [[y[r]] for y in outcomes])([0.6], [[u]])[0]
        for r, u in enumerate((0.3, 0.8))
    ]
    assert both == pytest.approx(sum(alone), rel=1e-12)


def test_without_correlation_the_outcomes_are_independent():
    etas, outcomes = ([-8.0, 8.0, 0.3], [8.0, -8.0, -0.2]), ([1, 1, 0], [0, 0, 1])
    value, correlation = likelihood(etas, outcomes)([0.0], [[0.2], [0.5], [0.9]])
    np.testing.assert_allclose(correlation, np.eye(2), atol=1e-12)
    sign = 2 * np.array(outcomes) - 1
    assert value == pytest.approx(log_ndtr(sign * np.array(etas)).sum(), rel=1e-9)


@pytest.mark.parametrize("free", [-2.0, 0.5, 2.0])
@pytest.mark.parametrize("uniform", [1e-6, 0.5, 1 - 1e-6])
def test_tails_have_a_density_and_a_slope(free, uniform):
    ends = [(a, b, c) for a, b in product((-8.0, 0.0, 8.0), repeat=2) for c in range(4)]
    etas = ([a for a, _, _ in ends], [b for _, b, _ in ends])
    outcomes = ([c // 2 for *_, c in ends], [c % 2 for *_, c in ends])
    function = likelihood(etas, outcomes, gradient=True)
    value, _, *slopes = function([free], np.full((len(ends), 1), uniform))
    assert np.isfinite(value)
    assert all(np.isfinite(slope).all() for slope in slopes)


def test_a_firm_far_on_the_wrong_side_still_pulls():
    """At 8 standard deviations the density is not flat: its slope is the inverse Mills ratio."""
    function = likelihood(([-8.0], [0.0]), ([1], [1]), gradient=True)
    value, _, *slopes = function([0.0], [[0.5]])
    assert value == pytest.approx(log_ndtr(-8.0) + np.log(0.5), rel=1e-9)
    mills = np.exp(stats.norm.logpdf(-8.0) - log_ndtr(-8.0))
    assert slopes[0][0] == pytest.approx(mills, rel=1e-6)
