"""Explained variance and its shares under the R2D2M2 prior, before and after the data."""

from __future__ import annotations

import numpy as np
import xarray as xr

from bayescluster.arrays import Array
from bayescluster.design.record import Design
from bayescluster.estimands.summary import estimate, estimates
from bayescluster.model.variance import variance_components
from bayescluster.names import CHAIN, COMPONENT, DRAW, R2, VARIANCE_SHARE
from bayescluster.results.facts import (
    SharedVariance,
    ShareRow,
)

RESIDUALS = {
    "identity": "the residual variance of the outcome",
    "logit": "the variance of the logistic noise of the latent outcome, pi^2 / 3",
    "probit": "the variance of the noise of the latent outcome, 1",
    "log": "a variance of 1 on the log scale, by convention",
}


def shared_variance(design: Design, tree: xr.DataTree) -> SharedVariance | None:
    """Summarise R2 and the shares, where the analysis asks for them."""
    parts = variance_components(design)
    if not parts:
        return None
    prior, posterior = (tree[name].to_dataset() for name in ("prior", "posterior"))
    chains = posterior.sizes[CHAIN]
    r2, r2_prior = (_draws(group, design.variable(R2)) for group in (posterior, prior))
    rows: tuple[ShareRow, ...] = ()
    if len(parts) > 1:
        name = design.variable(VARIANCE_SHARE)
        before = _draws(prior, name, design.variable(COMPONENT))
        after = estimates(_draws(posterior, name, design.variable(COMPONENT)), chains)
        rows = tuple(
            ShareRow(
                level=part.level,
                term=part.term,
                prior=estimate(before[:, k]),
                posterior=after[k],
            )
            for k, part in enumerate(parts)
        )
    return SharedVariance(
        residual=RESIDUALS[design.family.link],
        r2_prior=estimate(r2_prior[:, 0]),
        r2=estimates(r2, chains)[0],
        rows=rows,
    )


def _draws(group: xr.Dataset, name: str, *dims: str) -> Array:
    """Draws of a variable, ``(draw, component)``."""
    values = group[name].transpose(CHAIN, DRAW, *dims).to_numpy()
    return np.asarray(values.reshape(values.shape[0] * values.shape[1], -1), dtype="float64")
