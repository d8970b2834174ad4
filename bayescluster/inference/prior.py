"""Draws from the prior of a model."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from scipy.stats import norm

from bayescluster.arrays import Array
from bayescluster.design.gaps import discrete_gaps
from bayescluster.design.record import Design
from bayescluster.inference.quiet import quiet
from bayescluster.model.imputation import CUTPOINT_SD, cutpoint_means
from bayescluster.model.measurement import THRESHOLD_SD, latent_capitals, usual_thresholds
from bayescluster.model.priors import model_priors
from bayescluster.names import CUTPOINTS, DRAW, imputation, item_thresholds

CUTPOINT_STREAM, THRESHOLD_STREAM, IMPUTATION_STREAM = 7, 9, 13
SWEEPS = 200
"""Rounds of Gibbs sampling; a handful forgets the start, for as many cutpoints as scales have."""


def sample_prior(
    design: Design, model: Any, reported: Sequence[str], draws: int, seed: int
) -> xr.Dataset:
    """Draw the reported variables from their prior, dims ``(chain, draw, ...)`` with one chain."""
    import pymc as pm

    with quiet(), warnings.catch_warnings():
        # survey weights enter as potentials; the prior is that of the population, without them
        warnings.filterwarnings("ignore", message="The effect of Potentials", category=UserWarning)
        tree = pm.sample_prior_predictive(
            draws,
            model=model,
            var_names=list(reported),
            random_seed=seed,
            compile_kwargs={"mode": "FAST_COMPILE"},
        )
    prior: xr.Dataset = tree["prior"].to_dataset()
    prior.attrs = {}
    for position, each in enumerate((design, *design.others)):
        if each.levels:
            means, sds = np.array(model_priors(each).cutpoints).T
            entropy = (seed, CUTPOINT_STREAM, position) if position else (seed, CUTPOINT_STREAM)
            found = ordered_normals(means, sds, draws, np.random.default_rng(entropy))
            prior[each.variable(CUTPOINTS)].values = found[None]
    _order_thresholds(design, prior, seed)
    for position, gap in enumerate(discrete_gaps(design)):
        if gap.place != "outcome" and len(gap.levels) > 2:
            means = cutpoint_means(gap)
            rng = np.random.default_rng((seed, IMPUTATION_STREAM, position))
            found = ordered_normals(means, np.full(means.size, CUTPOINT_SD), draws, rng)
            prior[imputation(gap.name, "cutpoints")].values = found[None]
    return prior


def _order_thresholds(design: Design, prior: xr.Dataset, seed: int) -> None:
    """Draw the thresholds of ordinal indicators again, in ascending order."""
    rng = np.random.default_rng((seed, THRESHOLD_STREAM))
    for capital in latent_capitals(design):
        items = design.items(capital)
        for column, levels, answers in zip(
            items.columns, items.levels, items.values.T, strict=True
        ):
            if levels > 2:
                means = usual_thresholds(answers[np.isfinite(answers)], levels)
                name = item_thresholds(capital, column)
                sds = np.full(means.size, THRESHOLD_SD)
                prior[name].values = ordered_normals(means, sds, prior.sizes[DRAW], rng)[None]


def ordered_normals(means: Array, sds: Array, draws: int, rng: np.random.Generator) -> Array:
    """Draw independent normals given that they are in ascending order, ``(draw, cutpoint)``.

    PyMC draws forward without regard to the order that its transform asks for. This is Gibbs
    sampling, all draws at once: each cutpoint in turn from its normal between its neighbours.
    """
    count = means.size
    found = np.sort(rng.normal(means, sds, (draws, count)), axis=1)
    ends = np.full((draws, 1), np.inf)
    for _ in range(SWEEPS):
        for k in range(count):
            padded = np.concatenate([-ends, found, ends], axis=1)
            low, high = (norm.cdf((padded[:, j] - means[k]) / sds[k]) for j in (k, k + 2))
            share = low + (high - low) * rng.random(draws)
            found[:, k] = means[k] + sds[k] * norm.ppf(np.clip(share, 1e-15, 1 - 1e-15))
    return np.sort(found, axis=1)
