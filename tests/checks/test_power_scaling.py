"""Power-scaling against a normal mean, whose posterior is known with its prior to any power."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from scipy import stats

from bayescluster.checks.thresholds import SENSITIVITY_MIN, khat_max
from bayescluster.features.sensitivity.compute import (
    ALPHAS,
    diagnosis,
    power_weights,
    sensitivity,
    weighted_probabilities,
)

CHAINS = 4


class Normal(NamedTuple):
    """Mean with a normal prior, and a normal likelihood of known spread."""

    prior: float
    prior_sd: float
    data: float
    data_sd: float

    def posterior(self, power: float = 1.0, likelihood: float = 1.0) -> stats.rv_continuous:
        """With the prior and the likelihood to a power."""
        weights = power / self.prior_sd**2, likelihood / self.data_sd**2
        mean = (weights[0] * self.prior + weights[1] * self.data) / sum(weights)
        return stats.norm(mean, sum(weights) ** -0.5)

    def draws(self, size: int = 4000, seed: int = 1) -> np.ndarray:
        """Independent draws."""
        return self.posterior().rvs(size, random_state=np.random.default_rng(seed))

    def log_prior(self, x: np.ndarray) -> np.ndarray:
        """Log density of the prior."""
        return stats.norm.logpdf(x, self.prior, self.prior_sd)

    def log_likelihood(self, x: np.ndarray) -> np.ndarray:
        """Log likelihood up to a constant."""
        return stats.norm.logpdf(x, self.data, self.data_sd)

    def said(self) -> str:
        """What power-scaling says of it."""
        x = self.draws()
        prior = sensitivity(self.log_prior(x), x[:, None], CHAINS)
        data = sensitivity(self.log_likelihood(x), x[:, None], CHAINS)
        own = float(prior.value[0]), float(prior.low[0]), float(prior.high[0])
        return diagnosis(own, (float(data.low[0]), float(data.high[0])))


PLAIN = Normal(0.0, 1.0, 1.0, 1.0)
CONFLICT = Normal(0.0, 1.0, 8.0, 1.0)
WEAK = Normal(0.0, 50.0, 1.0, 1.0)
STRONG = Normal(0.0, 0.1, 1.0, 5.0)


@pytest.mark.parametrize("power", [0.5, 0.8, 1.25, 2.0])
@pytest.mark.parametrize("case", [PLAIN, WEAK])
def test_weights_stand_for_the_posterior_under_another_power(case, power):
    x = case.draws()
    weights = power_weights(case.log_prior(x), power, CHAINS)
    wanted = case.posterior(power)
    assert weights.reliable(x.size)
    assert weights.values.sum() == pytest.approx(1.0)
    assert weights.ess < x.size + 1e-6
    mean = weights.values @ x
    error = np.sqrt((weights.values**2 * (x - mean) ** 2).sum())
    assert abs(mean - wanted.mean()) < 4 * error
    bounds = np.array([-0.5, 0.0, 0.7, 1.2])
    probability, mcse = weighted_probabilities(x[:, None] > bounds, weights, CHAINS)
    assert (abs(probability - wanted.sf(bounds)) < 4 * mcse).all()
    assert (mcse < 0.03).all()


def test_the_told_error_is_the_spread_over_repetitions():
    found, told = [], []
    for seed in range(60):
        x = PLAIN.draws(1000, seed)
        weights = power_weights(PLAIN.log_prior(x), 2.0, CHAINS)
        probability, mcse = weighted_probabilities(x[:, None] > 0.5, weights, CHAINS)
        found.append(probability[0])
        told.append(mcse[0])
    assert np.mean(told) == pytest.approx(np.std(found), rel=0.3)


def test_a_power_that_these_draws_cannot_stand_for_is_told():
    # the prior holds a far likelihood back: without it most of the posterior is elsewhere
    case = Normal(0.0, 0.3, 30.0, 1.0)
    x = case.draws(1000)
    weights = power_weights(case.log_prior(x), 0.5, CHAINS)
    assert weights.khat > khat_max(x.size)
    assert not weights.reliable(x.size)
    few = power_weights(case.log_prior(x[:12]), 0.5, CHAINS)
    assert not few.reliable(12)
    assert np.isfinite(few.values).all()


def test_an_event_of_all_draws_has_an_error():
    x = PLAIN.draws(400)
    weights = power_weights(PLAIN.log_prior(x), 2.0, CHAINS)
    probability, mcse = weighted_probabilities(np.ones((400, 2), dtype=bool), weights, CHAINS)
    np.testing.assert_allclose(probability, 1.0)
    assert (mcse > 1e-4).all()


def distance(p: stats.rv_continuous, q: stats.rv_continuous, ends: tuple[float, float]) -> float:
    """Cumulative Jensen-Shannon distance by quadrature, the larger of the two directions."""
    x = np.linspace(*ends, 200_001)

    def half(f: np.ndarray, g: np.ndarray) -> float:
        density = f * np.log2(2 * f / (f + g)) + 0.5 / np.log(2) * (g - f)
        return float(np.trapezoid(density, x))

    found = [
        np.sqrt((half(a, b) + half(b, a)) / np.trapezoid(a + b, x))
        for a, b in ((p.cdf(x), q.cdf(x)), (p.sf(x), q.sf(x)))
    ]
    return float(max(found))


@pytest.mark.parametrize("case", [PLAIN, CONFLICT, STRONG])
def test_sensitivity_is_the_gradient_of_the_distance(case):
    now = case.posterior()
    # quantiles in place of draws: no noise, in an order that says nothing
    x = np.random.default_rng(2).permutation(now.ppf((np.arange(20_000) + 0.5) / 20_000))
    for name, density in (("prior", case.log_prior(x)), ("data", case.log_likelihood(x))):
        found = sensitivity(density, x[:, None], CHAINS)
        steps = []
        for alpha in ALPHAS:
            other = case.posterior(alpha) if name == "prior" else case.posterior(1.0, alpha)
            steps.append(distance(now, other, (x.min(), x.max())) / abs(np.log2(alpha)))
        assert found.value[0] == pytest.approx(np.mean(steps), rel=0.05)


@pytest.mark.parametrize(
    ("case", "wanted"),
    [(CONFLICT, "prior-data conflict"), (WEAK, "-"), (STRONG, "strong prior or weak likelihood")],
)
def test_what_is_said(case, wanted):
    assert case.said() == wanted


def test_noise_raises_no_flag():
    """A density that has nothing to do with a quantity, and few draws."""
    rng = np.random.default_rng(3)
    flagged, values = 0, []
    for _ in range(40):
        x, density = rng.normal(size=(400, 1)), 4.0 * rng.normal(size=400)
        found = sensitivity(density, x, CHAINS)
        values.append(found.value[0])
        own = float(found.value[0]), float(found.low[0]), float(found.high[0])
        flagged += diagnosis(own, (1.0, 1.0)) == "prior-data conflict"
    # as it stands, the distance is beyond the threshold more often than not
    assert np.mean(np.array(values) > SENSITIVITY_MIN) > 0.5
    assert flagged <= 2


def test_bounds_are_as_wide_as_repetitions_are_apart():
    case = Normal(0.0, 1.0, 0.6, 0.8)
    repeated = []
    for seed in range(60):
        x = case.draws(1000, seed)
        repeated.append(sensitivity(case.log_prior(x), x[:, None], CHAINS))
    value, low, high = (
        np.array([getattr(one, name)[0] for one in repeated]) for name in ("value", "low", "high")
    )
    assert 0.04 < value.mean() < 0.1
    middle, told = (low + high) / 2, (high - low).mean() / 2 / 1.645
    assert told == pytest.approx(middle.std(), rel=0.4)
    inside = (low <= middle.mean()) & (middle.mean() <= high)
    assert inside.mean() > 0.75


def test_what_stands_still_is_not_sensitive():
    x = PLAIN.draws(400)
    flat = sensitivity(np.zeros(400), x[:, None], CHAINS)
    assert (flat.value[0], flat.low[0], flat.high[0]) == (0.0, 0.0, 0.0)
    still = sensitivity(PLAIN.log_prior(x), np.column_stack([x, np.ones(400)]), CHAINS)
    assert np.isfinite(still.value[0])
    assert np.isnan(still.value[1])
    assert diagnosis((float("nan"), 0.0, 0.0), None) == "-"
    np.testing.assert_allclose(power_weights(np.zeros(400), 2.0, CHAINS).values, 1 / 400)


@pytest.mark.parametrize(
    ("prior", "likelihood", "wanted"),
    [
        ((0.2, 0.1, 0.3), (0.1, 0.2), "prior-data conflict"),
        ((0.2, 0.1, 0.3), (0.0, 0.02), "strong prior or weak likelihood"),
        ((0.2, 0.1, 0.3), (0.04, 0.06), "sensitive to the prior"),
        ((0.2, 0.1, 0.3), None, "sensitive to the prior"),
        ((0.06, 0.04, 0.08), (0.1, 0.2), "within noise"),
        ((0.04, 0.03, 0.05), (0.0, 0.01), "-"),
    ],
)
def test_words_by_the_bounds(prior, likelihood, wanted):
    assert diagnosis(prior, likelihood) == wanted


def test_a_chain_that_is_stuck_has_a_sensitivity_nonetheless():
    rng = np.random.default_rng(36)
    draws = rng.normal(size=(4, 200))
    draws[2] = 0.3
    found = sensitivity(rng.normal(size=800), draws.reshape(-1, 1), 4)
    assert np.isfinite([*found.value, *found.noise, *found.low, *found.high]).all()
