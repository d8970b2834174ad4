"""Chains, prior draws and the design as one DataTree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from bayescluster.design.record import Design
from bayescluster.inference.nuts import Chain
from bayescluster.inference.reported import reported_variables
from bayescluster.model.evaluate import Array, draws_of, log_likelihood, replicate
from bayescluster.names import CHAIN, DRAW, ROW

STATISTICS = (
    "diverging",
    "energy",
    "depth",
    "maxdepth_reached",
    "n_steps",
    "step_size",
    "step_size_bar",
    "mean_tree_accept",
    "logp",
)
"""Sampler statistics that are kept, where the sampler gives them."""

PREDICTIVE_STREAM, PRIOR_PREDICTIVE_STREAM = 1, 2
"""Keep the random streams of replicated outcomes apart from each other and from the chains'."""


def assemble(design: Design, chains: Sequence[Chain], prior: xr.Dataset, seed: int) -> xr.DataTree:
    """Put everything a fit knows into one DataTree.

    Groups: prior, prior_predictive, posterior, posterior_predictive, log_likelihood, sample_stats,
    observed_data, constant_data; see the arviz schema.
    """
    ordered = sorted(chains, key=lambda chain: chain.number)
    # nutpie keeps the raw variables of the sampler too; a reader wants those that mean something
    kept = list(reported_variables(design))
    posterior = xr.concat([chain.posterior[kept] for chain in ordered], CHAIN)
    stats = xr.concat([chain.sample_stats for chain in ordered], CHAIN)
    groups = {
        "posterior": posterior,
        "prior": prior,
        "sample_stats": stats[[name for name in STATISTICS if name in stats]],
        "posterior_predictive": _predictive(design, posterior, (seed, PREDICTIVE_STREAM)),
        "prior_predictive": _predictive(design, prior, (seed, PRIOR_PREDICTIVE_STREAM)),
        "log_likelihood": _log_likelihood(design, posterior),
        "observed_data": xr.Dataset(
            {each.equation_name: (ROW, each.outcome) for each in design.equations},
            {ROW: list(design.labels(ROW))},
        ),
        "constant_data": design.data.drop_attrs(),
    }
    return xr.DataTree.from_dict(groups)


def _predictive(design: Design, like: xr.Dataset, entropy: tuple[int, int]) -> xr.Dataset:
    """Outcomes of every equation drawn anew, each with a stream of its own."""
    found = {}
    for position, each in enumerate((design, *design.others)):
        rng = np.random.default_rng((*entropy, position) if position else entropy)
        found[each.equation_name] = replicate(each, draws_of(each, like), rng)
    return _by_row(design, found, like)


def _log_likelihood(design: Design, posterior: xr.Dataset) -> xr.Dataset:
    found = {
        each.equation_name: log_likelihood(each, draws_of(each, posterior))
        for each in (design, *design.others)
    }
    return _by_row(design, found, posterior)


def _by_row(design: Design, values: dict[str, Array], like: xr.Dataset) -> xr.Dataset:
    shape = (like.sizes[CHAIN], like.sizes[DRAW], design.size)
    coords: dict[str, Any] = {
        CHAIN: like[CHAIN].to_numpy(),
        DRAW: like[DRAW].to_numpy(),
        ROW: list(design.labels(ROW)),
    }
    dims = (CHAIN, DRAW, ROW)
    return xr.Dataset({k: (dims, v.reshape(shape)) for k, v in values.items()}, coords)
