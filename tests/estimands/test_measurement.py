from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from bayescluster.features.measurement.compute import (
    capital_correlation,
    omega,
    prior_spread,
    standardised_loadings,
)
from tests.factories import small_design
from tests.helpers import assert_within_mcse
from tests.measured import CONSTRUCTS, measured_firms

DIMS = ("chain", "draw")


@pytest.fixture(scope="module")
def design():
    return small_design(
        frame=measured_firms(), constructs=CONSTRUCTS["human latent"], controls=["exporter"]
    )


def test_standardised_loading_is_the_correlation_with_the_capital(design):
    loading, error, spread = [0.6, 0.5, 0.4, 1.2, 0.9], [0.7, 0.8, 0.9], 1.4
    group = xr.Dataset(
        {
            "human_capital_loading": ((*DIMS, "item"), np.array(loading)[None, None]),
            "human_capital_item_error": ((*DIMS, "some"), np.array(error)[None, None]),
        }
    )
    found = standardised_loadings(design, group, "human_capital", np.array([spread]))
    rng = np.random.default_rng(1)
    raw = spread * rng.normal(size=200_000)
    noise = [sd * rng.normal(size=raw.size) for sd in error]
    noise += [rng.logistic(size=raw.size) for _ in range(2)]
    wanted = [np.corrcoef(raw, a * raw + e)[0, 1] for a, e in zip(loading, noise, strict=True)]
    np.testing.assert_allclose(found[0], wanted, atol=0.006)


def test_omega_is_the_squared_correlation_of_the_sum_with_the_capital():
    loadings = np.array([0.8, 0.7, 0.5])
    covariance = np.outer(loadings, loadings) + np.diag(1 - loadings**2)
    squared = loadings.sum() ** 2 / covariance.sum()
    np.testing.assert_allclose(omega(loadings[None]), [squared])
    # three alike: Spearman-Brown
    np.testing.assert_allclose(omega(np.full((1, 3), np.sqrt(0.5))), [3 * 0.5 / (1 + 2 * 0.5)])


def test_correlation_of_the_capitals(design):
    rng = np.random.default_rng(2)
    human = rng.normal(size=(1, 3, design.size))
    posterior = xr.Dataset({"human_capital": ((*DIMS, "firm"), human)})
    found = capital_correlation(design, posterior)
    wanted = [np.corrcoef(row, design.capitals[1])[0, 1] for row in human[0]]
    np.testing.assert_allclose(found, wanted)


def test_spread_that_the_prior_implies_is_that_of_capitals_made_from_it(design):
    rng = np.random.default_rng(3)
    draws = 4000
    beta = rng.normal(0, 0.5, draws)
    slope = rng.normal(0, 0.5, draws)
    prior = xr.Dataset(
        {
            "human_capital_cluster_sd": (DIMS, np.full((1, draws), 0.8)),
            "human_capital_background": ((*DIMS, "control"), beta[None, :, None]),
            "human_capital_on_other": (DIMS, slope[None]),
        }
    )
    found = prior_spread(design, prior, "human_capital")
    means = rng.normal(0, 0.8, (draws, 6))[:, design.index("cluster")]
    raw = means + beta[:, None] * design.controls[:, 0] + slope[:, None] * design.capitals[1]
    raw += rng.normal(size=raw.shape)
    made = raw.var(axis=1, ddof=1)
    covariance = np.cov(design.controls[:, 0], design.capitals[1])[0, 1]
    # control and other capital are taken as uncorrelated, which over symmetric priors they are
    assert_within_mcse(made - found**2 - 2 * beta * slope * covariance, 0.0)
