"""The normal approximation against independent modes, and against closed forms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import optimize, special, stats

from bayescluster.design.forms import in_form, recast, under, with_common_slopes
from bayescluster.design.record import Design
from bayescluster.estimands.approximation import (
    approximate,
    complete_rows,
    free_parameters,
    row_derivatives,
)
from bayescluster.families import FAMILIES
from bayescluster.model.evaluate import linear_predictor
from bayescluster.model.priors import model_priors
from tests.factories import OUTCOMES, firms, small_design

H, S, HS = "human_capital", "social_capital", "interaction"
NORMAL = {"distribution": "normal", "mean": 0.3, "sd": 0.8}


def columns(design: Design) -> np.ndarray:
    human, social = design.capitals
    return np.column_stack([np.ones(design.size), human, social, human * social, design.controls])


def prior_moments(design: Design) -> tuple[np.ndarray, np.ndarray]:
    priors = model_priors(design)
    both = [*priors.population.values(), *priors.controls.values()]
    return np.array([p.mean for p in both]), np.array([p.sd for p in both])


def test_known_errors_give_the_conjugate_posterior() -> None:
    design = small_design("gaussian", standard_error="error", controls=["exporter"])
    found = approximate(design)
    assert found is not None
    x, (mean, sd) = columns(design), prior_moments(design)
    precision = (x.T / design.rows.standard_error**2) @ x + np.diag(sd**-2)
    moment = (x.T / design.rows.standard_error**2) @ design.outcome + mean / sd**2
    assert found.mode == pytest.approx(np.linalg.solve(precision, moment), rel=1e-6)
    assert found.covariance == pytest.approx(np.linalg.inv(precision), rel=1e-5)


DENSITIES: dict[str, Any] = {
    "bernoulli": lambda y, eta, _: stats.bernoulli.logpmf(y, special.expit(eta)),
    "probit": lambda y, eta, _: stats.bernoulli.logpmf(y, stats.norm.cdf(eta)),
    "poisson": lambda y, eta, _: stats.poisson.logpmf(y, np.exp(eta)),
    "gaussian": lambda y, eta, s: stats.norm.logpdf(y, eta, s),
    "lognormal": lambda y, eta, s: stats.lognorm.logpdf(y, s, scale=np.exp(eta)),
    "negative_binomial": lambda y, eta, o: stats.nbinom.logpmf(
        y, o**-2, 1 / (1 + np.exp(eta) * o**2)
    ),
    "beta": lambda y, eta, k: stats.beta.logpdf(y, special.expit(eta) * k, special.expit(-eta) * k),
}
"""Log densities by scipy, with the one positive parameter of the family."""


@pytest.mark.parametrize("family", DENSITIES)
def test_mode_is_that_of_another_optimiser(family: str) -> None:
    design = small_design(family, frame=firms(90), priors={"terms": {HS: NORMAL}})
    found = approximate(design)
    assert found is not None
    x, (mean, sd) = columns(design), prior_moments(design)
    free = found.free

    def loss(theta: np.ndarray) -> float:
        eta, off = x @ theta[: x.shape[1]], (theta[: x.shape[1]] - mean) / sd
        value = np.exp(theta[-1])
        total = DENSITIES[family](design.outcome, eta, value).sum() - 0.5 * off @ off
        return -float(total + (free.log_prior(theta[None, x.shape[1] :])[0]))

    best = optimize.minimize(loss, found.mode + 0.05, method="Nelder-Mead", options=PRECISE)
    spread = np.sqrt(np.diag(found.covariance))
    assert np.abs(found.mode - best.x).max() < 0.02 * spread.max()
    # curvature of the loss along each axis, by another step
    for k in range(found.mode.size):
        step = np.eye(found.mode.size)[k] * 0.02 * spread[k]
        rise = loss(found.mode + step) - 2 * loss(found.mode) + loss(found.mode - step)
        curve = np.linalg.inv(found.covariance)[k, k]
        assert rise / (0.02 * spread[k]) ** 2 == pytest.approx(curve, rel=0.02)


PRECISE = {"xatol": 1e-7, "fatol": 1e-10, "maxiter": 20_000, "maxfev": 20_000}


@pytest.mark.parametrize("family", sorted(OUTCOMES))
def test_every_family_is_approximated(family: str) -> None:
    design = small_design(family, "additive", {"industry": [H], "cluster": ["intercept"]})
    found = approximate(design)
    assert found is not None
    draws = found.draws(50, np.random.default_rng(1))
    assert set(draws.groups) == {"industry", "cluster"}
    # the draws are of this design: its linear predictor is the one of the approximation
    eta = linear_predictor(design, draws)
    theta = found.sample(50, np.random.default_rng(1))
    matrix = found.inputs.matrix
    assert eta == pytest.approx(theta[:, : matrix.shape[1]] @ matrix.T + design.offset)


@pytest.mark.parametrize("family", ["student_t", "ordinal"])
def test_derivatives_by_free_parameters(family: str) -> None:
    design = small_design(family)
    free = free_parameters(model_priors(design))
    rng = np.random.default_rng(3)
    scale = 4.0 if family == "student_t" else 1.0
    eta, at = scale * rng.normal(size=design.size), free.start + 0.2
    rows = np.arange(design.size)

    def total(moved_eta: np.ndarray, moved: np.ndarray) -> float:
        density = design.family.log_density(
            design.outcome, moved_eta[None], free.parameters(moved[None]), design.rows
        )
        return float(density.sum() + free.log_prior(moved[None])[0])

    found = row_derivatives(design, rows, eta, free, at)
    by_free = optimize.approx_fprime(at, lambda p: total(eta, p), 1e-6)
    by_eta = optimize.approx_fprime(eta, lambda e: total(e, at), 1e-6)
    assert found.value == pytest.approx(total(eta, at))
    assert found.by_free == pytest.approx(by_free, rel=1e-3, abs=1e-3)
    assert found.by_eta == pytest.approx(by_eta, rel=1e-3, abs=1e-3)
    step = 1e-4
    for k in range(at.size):
        shifted = at + step * np.eye(at.size)[k]
        moved = row_derivatives(design, rows, eta, free, shifted)
        assert found.by_free_free[k] == pytest.approx(
            (moved.by_free - found.by_free) / step, rel=0.02, abs=0.05
        )
        assert found.by_eta_free[k] == pytest.approx(
            (moved.by_eta - found.by_eta) / step, rel=0.05, abs=0.01
        )


@pytest.mark.parametrize(
    ("family", "name", "prior", "start"),
    [
        ("gaussian", "sigma", {"distribution": "lognormal", "mean_log": 6, "sd_log": 1}, 6.0),
        ("gaussian", "sigma", {"distribution": "exponential", "rate": 0.1}, np.log(10 * np.log(2))),
        ("hurdle_lognormal", "zero_share", {"distribution": "beta", "a": 3, "b": 3}, 0.0),
        ("hurdle_lognormal", "zero_share", {"distribution": "beta", "a": 2, "b": 1}, None),
    ],
)
def test_free_parameters_start_at_the_medians_of_their_priors(family, name, prior, start):
    free = free_parameters(model_priors(small_design(family, priors={"family": {name: prior}})))
    found = free.start[free.names.index(name)]
    # the median of Beta(2, 1) is the root of one half
    assert found == pytest.approx(special.logit(np.sqrt(0.5)) if start is None else start)


def test_varying_effects_are_shrunk_by_their_estimated_sd() -> None:
    """Balanced groups, known errors: the sd that is most probable, by a search over its values."""
    frame = firms(400, industries=1, clusters=20)
    rng = np.random.default_rng(5)
    frame["growth"] = 2.0 + rng.normal(0, 1.5, 20)[np.arange(400) % 20] + rng.normal(size=400)
    frame["error"] = 1.0
    design = small_design(
        "gaussian", "additive", {"cluster": ["intercept"]}, frame=frame, standard_error="error"
    )
    found = approximate(design)
    assert found is not None
    x, (mean, sd) = columns(design)[:, :3], prior_moments(design)
    z = (design.index("cluster")[:, None] == np.arange(20)).astype(float)
    scale = found.inputs.blocks[0].scale

    def evidence(log_sd: float) -> float:
        spread = np.exp(log_sd)
        cov = np.eye(400) + spread**2 * z @ z.T + (x * sd**2) @ x.T
        return float(
            stats.multivariate_normal.logpdf(design.outcome, x @ mean, cov)
            - 0.5 * (spread / scale) ** 2
        )

    best = optimize.minimize_scalar(lambda s: -evidence(s), bounds=(-3, 2), method="bounded")
    assert found.sds[0] == pytest.approx(np.exp(best.x), rel=0.02)


def test_forms_keep_what_varies() -> None:
    design = small_design(
        "bernoulli", "interaction", {"industry": ["intercept", H, HS], "cluster": [S]}
    )
    additive = in_form(design, "additive")
    assert [(g.name, g.terms) for g in additive.groupings] == [
        ("industry", ("intercept", H)),
        ("cluster", ("intercept", S)),
    ]
    assert in_form(design, "interaction") is design
    gates = small_design("bernoulli", "conjunctive", {"industry": ["both"]})
    assert in_form(gates, "additive").groupings[0].terms == ("intercept", H, S)
    assert [g.terms for g in with_common_slopes(design).groupings] == [("intercept",)] * 2


def test_another_likelihood_takes_the_outcome_and_its_priors() -> None:
    stated = {"terms": {HS: NORMAL}}
    design = small_design("poisson", exposure="exposure", priors=stated)
    other = under(design, FAMILIES["gaussian"], np.log1p, same_scale=True)
    assert other.family.name == "gaussian"
    assert other.outcome == pytest.approx(np.log1p(design.outcome / np.exp(design.offset)))
    assert not other.offset.any()
    assert model_priors(other).population[HS].sd == 0.8
    assert model_priors(under(design, FAMILIES["gaussian"], None, False)).population[HS].sd != 0.8
    assert recast(design, FAMILIES["negative_binomial"]).terms == design.terms


def test_rows_that_lack_something_are_left_out() -> None:
    frame = firms(60)
    frame.loc[[3, 7], "training"] = np.nan
    design = small_design(frame=frame, data={"missing": "impute"})
    rows = complete_rows(design)
    assert sorted(set(range(60)) - set(rows)) == [3, 7]
    found = approximate(design)
    assert found is not None
    assert found.inputs.matrix.shape[0] == 58


def test_a_share_of_zeros_is_on_the_logit_scale() -> None:
    """A hurdle is two models apart: that of the others, and a beta posterior of the share."""
    design = small_design("hurdle_lognormal", frame=firms(160), priors={"terms": {HS: NORMAL}})
    found = approximate(design)
    assert found is not None
    at = found.inputs.matrix.shape[1] + found.free.names.index("zero_share")
    zeros = int((design.outcome == 0).sum())
    # the mode on the logit scale, where the uniform prior has the density p (1 - p)
    share = (zeros + 1) / (design.size + 2)
    assert found.mode[at] == pytest.approx(special.logit(share), abs=1e-3)
    sd = 1 / np.sqrt((design.size + 2) * share * (1 - share))
    assert np.sqrt(found.covariance[at, at]) == pytest.approx(sd, rel=1e-3)
    drawn = found.draws(2000, np.random.default_rng(1)).parameters["zero_share"]
    assert ((drawn > 0) & (drawn < 1)).all()
