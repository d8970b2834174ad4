"""A posterior reweighted to other priors is the posterior fitted with them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr

from bayescluster.estimands.diagnostics import diagnostics
from bayescluster.features.sensitivity.compute import power_weights, weighted_probabilities
from bayescluster.model.log_prior import prior_blocks
from tests.factories import firms, small_design
from tests.fits import posterior_of

CHAINS, POWER = 4, 0.5


def design_with(scale: float) -> Any:
    """A design all of whose priors are normal around fixed means, or halves of them."""
    means = {"intercept": 8.0, "human_capital": 0.0, "social_capital": 0.0}
    priors = {
        "terms": {
            name: {"distribution": "normal", "mean": mean, "sd": scale * sd}
            for (name, mean), sd in zip(means.items(), (2.0, 1.0, 1.0), strict=True)
        },
        "group_sd": {"cluster": {"distribution": "half_normal", "sd": scale * 1.0}},
        "family": {"sigma": {"distribution": "half_normal", "sd": scale * 3.0}},
    }
    return small_design(
        "gaussian", "additive", {"cluster": ["intercept"]}, frame=firms(96), priors=priors
    )


def scalars(posterior: xr.Dataset) -> np.ndarray:
    """Draws of coefficients, group sd and sigma, ``(draw, quantity)``."""
    size = posterior.sizes["chain"] * posterior.sizes["draw"]
    found = [
        posterior[name].transpose("chain", "draw", ...).to_numpy().reshape(size, -1)
        for name in ("population", "cluster_sd", "sigma")
    ]
    return np.column_stack(found)


@pytest.mark.slow
def test_a_half_of_every_prior_is_a_root_of_two_in_its_spread():
    tight, wide = design_with(1.0), design_with(POWER**-0.5)
    first, second = posterior_of(tight), posterior_of(wide)
    before, after = scalars(first), scalars(second)
    density = np.sum([block.density for block in prior_blocks(tight, first)], axis=0)
    weights = power_weights(density, POWER, CHAINS)
    assert weights.reliable(before.shape[0])
    bounds = np.median(after, axis=0)
    told, mcse = weighted_probabilities(before > bounds, weights, CHAINS)
    _, _, _, error = diagnostics((after > bounds).astype(float), CHAINS)
    z = (told - (after > bounds).mean(axis=0)) / np.hypot(mcse, error)
    assert np.abs(z).max() < 4
    # the priors matter: without weights the same test fails
    plain = ((before > bounds).mean(axis=0) - 0.5) / np.hypot(mcse, error)
    assert np.abs(plain).max() > 6
