from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtri
from scipy.stats import nbinom

from bayescluster.simulate.population import (
    FAMILIES,
    SMALLEST,
    allocate,
    normal,
    stratified,
    top_share,
)
from bayescluster.spec.scenario import Bernoulli, Lognormal, NegativeBinomial, Ordinal


def test_normal_is_finite_at_the_edge() -> None:
    class Zero(np.random.Generator):
        def random(self, size: int) -> np.ndarray:  # type: ignore[override]
            return np.zeros(size)

    assert normal(Zero(np.random.PCG64(1)), 2).tolist() == [ndtri(SMALLEST)] * 2


def test_stratified_has_one_in_each_stratum() -> None:
    drawn = stratified(np.random.default_rng(1), 50)
    assert sorted(np.floor(drawn * 50).astype(int).tolist()) == list(range(50))
    assert np.any(np.diff(drawn) < 0)


def test_top_share_rounds_half_up_and_takes_the_highest() -> None:
    propensity = np.array([0.3, 0.9, 0.1, 0.7, 0.5])
    assert top_share(propensity, 0.5).tolist() == [False, True, False, True, True]
    assert not top_share(propensity, 0.0).any()
    assert top_share(propensity, 1.0).all()


@pytest.mark.parametrize(
    ("size", "shares", "counts"),
    [
        (10, (0.1, 0.2, 0.3, 0.4), [1, 2, 3, 4]),
        (51, (0.35, 0.50, 0.10, 0.05), [18, 25, 5, 3]),
        (3, (0.25, 0.25, 0.25, 0.25), [1, 1, 1, 0]),
    ],
)
def test_allocate(size: int, shares: tuple[float, ...], counts: list[int]) -> None:
    assert allocate(size, shares).tolist() == counts


SHOCKS = ndtri((np.arange(200_000) + 0.5) / 200_000)


@pytest.mark.parametrize(
    ("family", "tolerance"),
    [
        (Bernoulli(kind="bernoulli"), 1e-5),
        (Lognormal(kind="lognormal", sigma=0.4), 1e-3),
        (NegativeBinomial(kind="negative_binomial", dispersion=1.5), 1e-3),
        (Lognormal(kind="lognormal", sigma=0.4, zero_share=0.35), 1e-3),
        (NegativeBinomial(kind="negative_binomial", dispersion=1.5, zero_share=0.35), 1e-3),
        (Ordinal(kind="ordinal", thresholds=(0.0, 1.0, 2.5)), 2e-5),
    ],
)
def test_expectation_is_the_mean_of_draws(
    family: Bernoulli | Lognormal | NegativeBinomial | Ordinal, tolerance: float
) -> None:
    functions = FAMILIES[family.kind]
    for eta in (-1.3, 0.4, 1.7):
        drawn = functions.draw(np.full(SHOCKS.size, eta), SHOCKS, family)
        expected = float(functions.expectation(np.array(eta), family))
        assert abs(drawn.mean() - expected) < tolerance


def test_negative_binomial_has_the_stated_variance() -> None:
    family = NegativeBinomial(kind="negative_binomial", dispersion=1.5)
    drawn = FAMILIES["negative_binomial"].draw(np.full(SHOCKS.size, 1.0), SHOCKS, family)
    mean = np.exp(1.0)
    assert drawn.var() == pytest.approx(mean + mean**2 / 1.5, rel=2e-3)
    assert np.mean(drawn == 0) == pytest.approx(nbinom.pmf(0, 1.5, 1.5 / (1.5 + mean)), abs=1e-5)


@pytest.mark.parametrize(
    ("family", "own"),
    [
        (Lognormal(kind="lognormal", sigma=0.4, zero_share=0.35), 0.0),
        (
            NegativeBinomial(kind="negative_binomial", dispersion=1.5, zero_share=0.35),
            nbinom.pmf(0, 1.5, 1.5 / (1.5 + np.exp(1.0))),
        ),
    ],
)
def test_a_share_of_the_firms_has_zeros_whatever_its_mean(
    family: Lognormal | NegativeBinomial, own: float
) -> None:
    drawn = FAMILIES[family.kind].draw(np.full(SHOCKS.size, 1.0), SHOCKS, family)
    assert np.mean(drawn == 0) == pytest.approx(0.35 + 0.65 * own, abs=1e-5)
    # the higher the shock, the higher the outcome: what outcomes have in common stays
    assert (np.diff(drawn) >= 0).all()


def test_every_family_of_the_scenario_can_be_drawn() -> None:
    kinds = {"bernoulli", "lognormal", "negative_binomial", "ordinal"}
    assert FAMILIES.keys() == kinds
