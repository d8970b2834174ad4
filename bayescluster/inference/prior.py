"""Draws from the prior of a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import xarray as xr

from bayescluster.inference.quiet import quiet


def sample_prior(model: Any, reported: Sequence[str], draws: int, seed: int) -> xr.Dataset:
    """Draw the reported variables from their prior, dims ``(chain, draw, ...)`` with one chain."""
    import pymc as pm

    with quiet():
        tree = pm.sample_prior_predictive(
            draws,
            model=model,
            var_names=list(reported),
            random_seed=seed,
            compile_kwargs={"mode": "FAST_COMPILE"},
        )
    prior: xr.Dataset = tree["prior"].to_dataset()
    prior.attrs = {}
    return prior
