"""R-hat, ESS and MCSE of many quantities at once are those of arviz, one quantity at a time."""

from __future__ import annotations

import numpy as np
import pytest
from arviz_stats.base import array_stats

from bayescluster.arrays import Array
from bayescluster.estimands import diagnostics as module
from bayescluster.estimands.diagnostics import diagnostics, mcse_of_mean, mean_ess, tail_ess

RTOL = 1e-10
QUANTITIES = 12


def of_arviz(draws: Array, chains: int) -> Array:
    """R-hat, bulk ESS, tail ESS and MCSE, ``(diagnostic, quantity)``; none of what stands still."""
    found = np.full((4, draws.shape[1]), np.nan)
    moving = draws.max(axis=0) > draws.min(axis=0)
    if not moving.any():
        return found
    shaped = draws.reshape(chains, -1, draws.shape[1])[:, :, moving]
    axes = {"chain_axis": 0, "draw_axis": 1}
    with np.errstate(all="ignore"):
        found[0, moving] = array_stats.rhat(shaped, **axes) if chains > 1 else np.nan
        found[1, moving] = array_stats.ess(shaped, method="bulk", **axes)
        found[2, moving] = array_stats.ess(shaped, method="tail", prob=(0.05, 0.95), **axes)
        found[3, moving] = array_stats.mcse(shaped, method="mean", **axes)
    return found


def autocorrelated(rng: np.random.Generator, shape: tuple[int, int], phi: float) -> Array:
    """Chains of an autoregression, one after the other, ``(draw, quantity)``."""
    chains, size = shape
    noise = rng.normal(size=(chains, size, QUANTITIES))
    for draw in range(1, size):
        noise[:, draw] += phi * noise[:, draw - 1]
    return noise.reshape(-1, QUANTITIES)


def not_finite(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
    draws = rng.normal(size=(shape[0] * shape[1], QUANTITIES))
    draws[0, :3], draws[1, 3:6], draws[2, 6:9], draws[:, 9:] = np.nan, np.inf, -np.inf, 3.0
    return draws


KINDS = {
    "independent": lambda rng, shape: rng.normal(size=(shape[0] * shape[1], QUANTITIES)),
    "slow": lambda rng, shape: autocorrelated(rng, shape, 0.95),
    "antithetic": lambda rng, shape: autocorrelated(rng, shape, -0.8),
    "a walk": lambda rng, shape: autocorrelated(rng, shape, 1.0),
    "tied": lambda rng, shape: np.round(autocorrelated(rng, shape, -0.6)),
    "yes or no": lambda rng, shape: (autocorrelated(rng, shape, 0.5) > 0.5).astype(float),
    "rare": lambda rng, shape: (rng.random((shape[0] * shape[1], QUANTITIES)) < 0.05).astype(float),
    "not finite": not_finite,
    "stuck chains": lambda rng, shape: np.repeat(
        rng.normal(size=(shape[0], QUANTITIES)), shape[1], axis=0
    ),
    "alternating": lambda _, shape: np.resize([[1.0], [-1.0]], (shape[0] * shape[1], QUANTITIES)),
    "a trend": lambda _, shape: (
        np.arange(float(shape[0] * shape[1]))[:, None] * np.ones(QUANTITIES)
    ),
    "heavy tails": lambda rng, shape: rng.standard_cauchy((shape[0] * shape[1], QUANTITIES)),
    "far from zero": lambda rng, shape: (
        1e6 + 1e-6 * rng.normal(size=(shape[0] * shape[1], QUANTITIES))
    ),
    "tiny": lambda rng, shape: 1e-17 * rng.normal(size=(shape[0] * shape[1], QUANTITIES)),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("chains", [1, 2, 4, 9])
@pytest.mark.parametrize("size", [4, 5, 7, 10, 11, 64, 201])
def test_numbers_are_those_of_arviz(kind, chains, size):
    draws = KINDS[kind](np.random.default_rng((chains, size)), (chains, size))
    found = np.stack(diagnostics(draws, chains))
    np.testing.assert_allclose(found, of_arviz(draws, chains), rtol=RTOL, equal_nan=True)


@pytest.mark.parametrize(
    ("answers", "chains"),
    [
        ("0000010011001110110110", 2),
        ("1011011011010100001", 1),
        ("00111010000000101000111011", 1),
        ("0000000011111010101110011101110000111001", 4),
    ],
)
def test_a_pair_of_autocorrelations_that_is_zero_but_for_rounding(answers, chains):
    """Whether it ends the sum depends on the order in which numbers are added: that of arviz."""
    draws = np.array([[float(answer)] for answer in answers])
    found = np.stack(diagnostics(draws, chains))
    np.testing.assert_allclose(found, of_arviz(draws, chains), rtol=RTOL, equal_nan=True)


def test_two_or_three_draws_a_chain_are_too_few():
    assert np.isnan(diagnostics(np.random.default_rng(1).normal(size=(12, 2)), 4)).all()


def test_blocks_and_threads_change_nothing(monkeypatch):
    draws = autocorrelated(np.random.default_rng(3), (4, 100), 0.7)
    whole = np.stack(diagnostics(draws, 4))
    monkeypatch.setattr(module, "CELLS_A_BLOCK", 1000)  # 2 quantities at a time
    np.testing.assert_array_equal(np.stack(diagnostics(draws, 4)), whole)


def test_each_diagnostic_by_itself():
    draws = autocorrelated(np.random.default_rng(4), (3, 51), 0.7)
    together = diagnostics(draws, 3)
    np.testing.assert_array_equal(mcse_of_mean(draws, 3), together.mcse)
    np.testing.assert_array_equal(tail_ess(draws, 3), together.ess_tail)
    shaped = draws.reshape(3, 51, -1)
    wanted = array_stats.ess(shaped, method="mean", chain_axis=0, draw_axis=1)
    np.testing.assert_allclose(mean_ess(draws, 3), wanted, rtol=RTOL)
