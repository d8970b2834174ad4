"""Draws of a ceiling model in numpy: ceilings, densities, replicated outcomes, prior draws."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import xarray as xr

from bayescluster.arrays import Array
from bayescluster.model.ceiling import (
    AL,
    BE,
    BETWEEN_SD,
    CONTAMINATED,
    CONTAMINATION,
    HEIGHT,
    HEIGHT_MEAN,
    LOCATION,
    NOISE,
    NOISE_LEAST,
    NOISE_SD,
    SHAPE_SD,
    SLOPE,
    SLOPE_SD,
    SLOPES_SD,
    SPREAD,
    SPREAD_LEAST,
    SPREAD_SD,
    UNIT_SD,
    ModelName,
)
from bayescluster.model.ceiling_density import (
    NUMPY,
    RESOLUTION,
    ceiling,
    log_composed,
    log_contaminated,
    log_ratio,
)
from bayescluster.model.ceiling_layout import Layout
from bayescluster.names import CHAIN, DRAW

Limits = tuple[float, float]


class CeilingDraws(NamedTuple):
    """Draws of a ceiling model, the chains one after the other.

    Attributes
    ----------
    chains
        Number of chains; 0 for draws of the prior.
    height
        Ceiling in the middle of the scope, ``(draw, unit)``.
    slope
        ``(draw, industry)``.
    location
        Mean height of an industry, ``(draw, industry)``.
    spread
        Sd of heights within an industry, ``(draw,)``; that of the prior where there is one unit.
    al, be
        Shape of the share of the ceiling that firms reach, ``(draw,)``.
    extra
        Sd of the noise, or share of firms that the ceiling does not bind, ``(draw,)``; zeros for
        ``ratio``.
    """

    chains: int
    height: Array
    slope: Array
    location: Array
    spread: Array
    al: Array
    be: Array
    extra: Array

    @property
    def size(self) -> int:
        """Number of draws."""
        return len(self.al)

    def thinned(self, most: int) -> CeilingDraws:
        """Give at most so many draws, evenly spaced, in their order; no longer chains."""
        step = np.linspace(0, self.size - 1, min(self.size, most)).astype("int64")
        return CeilingDraws(0, *(values[step] for values in self[1:]))


def ceiling_draws_of(kind: ModelName, posterior: xr.Dataset) -> CeilingDraws:
    """Open the posterior of a ceiling model."""

    def flat(name: str) -> Array:
        values = posterior[name].transpose(CHAIN, DRAW, ...).to_numpy()
        return np.asarray(values.reshape(-1, *values.shape[2:]), dtype="float64")

    height, slope, al = flat(HEIGHT), flat(SLOPE), flat(AL)
    mean, sd = HEIGHT_MEAN
    location = flat(LOCATION) if LOCATION in posterior else np.full_like(slope, mean)
    spread = flat(SPREAD) if SPREAD in posterior else np.full_like(al, sd)
    name = {"ratio": "", "composed": NOISE, "contaminated": CONTAMINATED}[kind]
    extra = flat(name) if name else np.zeros_like(al)
    chains = posterior.sizes[CHAIN]
    return CeilingDraws(chains, height, slope, location, spread, al, flat(BE), extra)


def prior_draws(
    kind: ModelName, layout: Layout, size: int, rng: np.random.Generator
) -> CeilingDraws:
    """Draw from the prior, before any firm is seen."""
    units, many = len(layout.units), len(layout.industries)
    mean, sd = HEIGHT_MEAN
    slope = SLOPE_SD * np.abs(rng.normal(size=(size, 1)))
    if many > 1:
        spread = SLOPES_SD * np.abs(rng.normal(size=(size, 1)))
        slope = slope * np.exp(spread * rng.normal(size=(size, many)))
    if units == 1:
        location, spread = np.full((size, 1), mean), np.full(size, sd)
    else:
        location = np.repeat(mean + sd * rng.normal(size=(size, 1)), many, axis=1)
        if layout.nested:
            between = BETWEEN_SD * np.abs(rng.normal(size=(size, 1)))
            location = location + between * rng.normal(size=(size, many))
        spread = SPREAD_LEAST + SPREAD_SD * np.abs(rng.normal(size=size))
    deviation = UNIT_SD * spread[:, None] * rng.logistic(size=(size, units))
    al, be = np.exp(SHAPE_SD * rng.normal(size=(2, size)))
    extra = {
        "ratio": np.zeros(size),
        "composed": NOISE_LEAST + NOISE_SD * np.abs(rng.normal(size=size)),
        "contaminated": rng.beta(*CONTAMINATION, size=size),
    }[kind]
    height = location[:, layout.industry] + deviation
    return CeilingDraws(0, height, slope, location, spread, al, be, extra)


def ceilings_of(draws: CeilingDraws, layout: Layout, x: Array, limits: Limits) -> Array:
    """Ceiling of every firm at its own ``x``, ``(draw, firm)``."""
    height = draws.height[:, layout.unit]
    return np.asarray(ceiling(NUMPY, height, draws.slope[:, layout.of_firms], x, limits))


def log_likelihood(kind: ModelName, draws: CeilingDraws, y: Array, c: Array) -> Array:
    """Log density of each firm given its ceiling ``c``, ``(draw, firm)``.

    Under a hard ceiling ``-inf`` where a firm stands above it.
    """
    seen = np.maximum(y, RESOLUTION)
    al, be, extra = draws.al[:, None], draws.be[:, None], draws.extra[:, None]
    if kind == "composed":
        return np.asarray(log_composed(NUMPY, seen, c, (al, be), UNIT_SD * extra))
    if kind == "contaminated":
        return np.asarray(log_contaminated(NUMPY, seen, c, (al, be), extra))
    # a ceiling computed to lie at a firm may miss it by the last digit
    return np.where(seen <= c * (1 + 1e-9), log_ratio(NUMPY, seen, c, al, be), -np.inf)


def replicated(kind: ModelName, draws: CeilingDraws, c: Array, rng: np.random.Generator) -> Array:
    """Outcomes drawn anew below given ceilings, ``(draw, firm)``, within the scope."""
    share = rng.beta(draws.al[:, None], draws.be[:, None], size=c.shape)
    y = c * share
    if kind == "composed":
        y = y + UNIT_SD * draws.extra[:, None] * rng.logistic(size=c.shape)
    if kind == "contaminated":
        free = rng.random(c.shape) < draws.extra[:, None]
        y = np.where(free, rng.random(c.shape), y)
    return np.clip(y, RESOLUTION, 1.0)
