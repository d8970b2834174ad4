"""How well the indicators of a latent capital measure it: loadings, reliability, correlation."""

from __future__ import annotations

import numpy as np
import xarray as xr

from bayescluster.arrays import Array
from bayescluster.design.record import Design
from bayescluster.names import (
    CAPITALS,
    CHAIN,
    CLUSTER,
    DRAW,
    background,
    capital_cluster_sd,
    item_errors,
    item_loadings,
    on_other,
    raw_sd,
)

LOGISTIC_VARIANCE = np.pi**2 / 3
"""Variance of the response behind a binary or ordinal indicator, given the capital."""


def flat_draws(group: xr.Dataset, name: str) -> Array:
    """Draws of a variable, the chains one after the other: ``(draw, ...)``."""
    values = group[name].transpose(CHAIN, DRAW, ...).to_numpy()
    return np.asarray(values.reshape(-1, *values.shape[2:]), dtype="float64")


def standardised_loadings(design: Design, group: xr.Dataset, capital: str, spread: Array) -> Array:
    """Correlation of each indicator with the capital, as the model has it, ``(draw, item)``.

    Of a binary or ordinal indicator it is that of the continuous response behind it, whose errors
    are logistic: ``loading * spread / sqrt((loading * spread)^2 + error variance)``.

    Parameters
    ----------
    design
        The design.
    group
        Posterior or prior.
    capital
        A latent capital.
    spread
        Standard deviation of the raw capital, ``(draw,)``.
    """
    items = design.items(capital)
    signal = flat_draws(group, item_loadings(capital)) * spread[:, None]
    error = np.full(signal.shape, LOGISTIC_VARIANCE)
    if items.continuous:
        error[:, items.continuous] = flat_draws(group, item_errors(capital)) ** 2
    return np.asarray(signal / np.sqrt(signal**2 + error))


def omega(loadings: Array) -> Array:
    """Reliability of the sum of the standardised indicators, ``(draw,)``.

    McDonald (1999): the squared sum of the standardised loadings over itself plus the error
    variances; of binary and ordinal indicators, of the responses behind them.
    """
    common = loadings.sum(axis=1) ** 2
    return np.asarray(common / (common + (1.0 - loadings**2).sum(axis=1)))


def posterior_spread(posterior: xr.Dataset, capital: str) -> Array:
    """Standard deviation of the raw capital over the sample, ``(draw,)``."""
    return flat_draws(posterior, raw_sd(capital))


def prior_spread(design: Design, prior: xr.Dataset, capital: str) -> Array:
    """Standard deviation of the raw capital that the prior implies, ``(draw,)``.

    In prior draws the capitals themselves have seen the indicators; their spread is therefore put
    together from its parts: residual, clusters, controls and the other capital.
    """
    size = prior.sizes[CHAIN] * prior.sizes[DRAW]
    variance = np.ones(size)
    if capital_cluster_sd(capital) in prior:
        shares = np.bincount(design.index(CLUSTER)) / design.size
        variance += flat_draws(prior, capital_cluster_sd(capital)) ** 2 * (1 - (shares**2).sum())
    if background(capital) in prior:
        columns = np.column_stack(list(design.background.values()))
        beta = flat_draws(prior, background(capital))
        variance += (beta @ np.cov(columns.T).reshape(2 * (columns.shape[1],)) * beta).sum(axis=1)
    if on_other(capital) in prior:
        variance += flat_draws(prior, on_other(capital)) ** 2
    return np.sqrt(variance)


def capital_correlation(design: Design, posterior: xr.Dataset) -> Array:
    """Correlation of the two capitals over the rows at each draw, ``(draw,)``.

    It is free of the errors of the indicators, which pull the correlation of scores towards 0.
    """
    human, social = (
        flat_draws(posterior, capital) if design.is_latent(capital) else observed[None, :]
        for capital, observed in zip(CAPITALS, design.capitals, strict=True)
    )
    human = human - human.mean(axis=1, keepdims=True)
    social = social - social.mean(axis=1, keepdims=True)
    spread = np.sqrt((human**2).sum(axis=1) * (social**2).sum(axis=1))
    return np.asarray((human * social).sum(axis=1) / spread)
