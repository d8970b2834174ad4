"""Chains, prior draws and the design as one DataTree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from bayescluster.arrays import Array
from bayescluster.design.record import Design
from bayescluster.inference.nuts import Chain
from bayescluster.inference.reported import reported_variables
from bayescluster.model.completion import completed, imputing
from bayescluster.model.evaluate import draws_of, log_likelihood, replicate
from bayescluster.names import CHAIN, DRAW, ROW, answered_dim

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
    posterior = completed(design, posterior, imputing(seed))
    # prior draws have no outcomes to learn from
    prior = completed(design, prior, imputing(seed, 1), posterior=False)
    stats = xr.concat([chain.sample_stats for chain in ordered], CHAIN)
    groups = {
        "posterior": posterior,
        "prior": prior,
        "sample_stats": stats[[name for name in STATISTICS if name in stats]],
        "posterior_predictive": _predictive(design, posterior, (seed, PREDICTIVE_STREAM)),
        "prior_predictive": _predictive(design, prior, (seed, PRIOR_PREDICTIVE_STREAM)),
        "log_likelihood": _log_likelihood(design, posterior),
        "observed_data": xr.Dataset(
            {each.equation_name: (_dim(each), each.answers) for each in design.equations},
            _labels(design),
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
    dims = {each.equation_name: _dim(each) for each in design.equations}
    return _by_row(design, found, posterior, dims)


def _dim(equation: Design) -> str:
    """Dimension of the known outcomes of an equation: the rows, where all are known."""
    return ROW if equation.answered.all() else answered_dim(equation.equation_name)


def _labels(design: Design) -> dict[str, Any]:
    """Labels of the rows, and of those whose outcome is known, by dimension."""
    labels = np.array(design.labels(ROW))
    found = {_dim(each): labels[each.answered].tolist() for each in design.equations}
    return {ROW: labels.tolist()} | found


def _by_row(
    design: Design,
    values: dict[str, Array],
    like: xr.Dataset,
    dims: dict[str, str] | None = None,
) -> xr.Dataset:
    """Values by row, or along the dimension that is named for an equation."""
    chains, draws = like.sizes[CHAIN], like.sizes[DRAW]
    along = dims or dict.fromkeys(values, ROW)
    coords: dict[str, Any] = {CHAIN: like[CHAIN].to_numpy(), DRAW: like[DRAW].to_numpy()}
    labels = _labels(design)
    coords |= {dim: labels[dim] for dim in (ROW, *along.values())}
    found = {
        name: ((CHAIN, DRAW, along[name]), each.reshape(chains, draws, -1))
        for name, each in values.items()
    }
    return xr.Dataset(found, coords)
