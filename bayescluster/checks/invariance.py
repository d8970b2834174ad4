"""Whether the indicators of a latent capital mean the same in every industry and cluster.

At each posterior draw the residuals of an indicator, given the firms' capital, should have mean 0
and no slope on the capital in any group. Where a group has an intercept or a loading of its own
they do not. The draw of a group's shift (or slope) is its least-squares value from the realised
residuals plus the error such a value has from so many firms: the posterior of a shift (slope) under
a flat prior, the capital being known. Without that error the few firms of a cluster would look
certain of what is chance.

The capital is estimated from the same indicators, so that an indicator that lies off takes the
capital some way with it: sizes are understated.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import xarray as xr

from bayescluster.arrays import Array
from bayescluster.checks.thresholds import LOADING_DIFFERENCE, SHIFT
from bayescluster.design.record import Design
from bayescluster.estimands.measurement import flat_draws
from bayescluster.estimands.membership import Groups, declared_groups
from bayescluster.estimands.summary import interval
from bayescluster.model.evaluate import CELLS_A_CHUNK
from bayescluster.names import (
    item_errors,
    item_intercepts,
    item_loadings,
    item_thresholds,
    raw_mean,
    raw_sd,
)

FEWEST = 10
"""Groups with fewer answers to an indicator than this are not looked at."""


class Departure(NamedTuple):
    """Draws of how far an indicator lies off in a group, ``(draw,)``.

    ``shift`` is in standard deviations of the indicator; ``loading`` is the same per standard
    deviation of the capital.
    """

    by: str
    group: str
    indicator: str
    measure: str
    rows: int
    draws: Array

    @property
    def flagged(self) -> bool:
        """Whether the 90% interval leaves 0 out and the size is worth telling."""
        low, high = interval(self.draws)
        least = SHIFT[self.by] if self.measure == "shift" else LOADING_DIFFERENCE
        return bool((low > 0 or high < 0) and abs(self.draws.mean()) > least)


class _Residuals(NamedTuple):
    """Residuals of an indicator and their variances in its standard deviations, ``(draw, row)``."""

    residual: Array
    variance: Array


def departures(
    design: Design, posterior: xr.Dataset, capital: str, rng: np.random.Generator
) -> list[Departure]:
    """Shifts of indicators by industry and cluster, and differences of loadings by industry.

    Parameters
    ----------
    design
        The design.
    posterior
        Posterior, with the latent capital.
    capital
        A latent capital.
    rng
        Draws the sampling errors.
    """
    groups = [found for found in declared_groups(design) if found.by != "all"]
    levels = flat_draws(posterior, capital)
    found: list[Departure] = []
    for position in range(len(design.items(capital).columns)):
        for one in groups:
            found += _of_item(design, posterior, (capital, position), (levels, one, rng))
    return found


def _of_item(
    design: Design,
    posterior: xr.Dataset,
    which: tuple[str, int],
    means: tuple[Array, Groups, np.random.Generator],
) -> Iterator[Departure]:
    capital, position = which
    levels, groups, rng = means
    items = design.items(capital)
    answered = np.flatnonzero(np.isfinite(items.values[:, position]))
    members = groups.members[answered].astype("float64")  # (row, group)
    counts = members.sum(axis=0)
    shape = (levels.shape[0], counts.size)
    shifts, slopes = np.empty(shape), np.empty(shape)
    step = max(1, CELLS_A_CHUNK // answered.size)
    for start in range(0, shape[0], step):
        part = slice(start, start + step)
        found = _residuals(design, posterior, which, levels[part][:, answered], part)
        with np.errstate(divide="ignore", invalid="ignore"):
            shifts[part], slopes[part] = _fitted(found, levels[part][:, answered], members, rng)
    for k, label in enumerate(groups.labels):
        if counts[k] >= FEWEST:
            told = (groups.by, label, items.columns[position])
            yield Departure(*told, "shift", int(counts[k]), shifts[:, k])
            if groups.by == "industry":
                yield Departure(*told, "loading", int(counts[k]), slopes[:, k])


def _fitted(
    found: _Residuals, levels: Array, members: Array, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Mean residual of each group and its slope on the capital, ``(draw, group)``, with errors."""
    residual, variance = found
    counts = members.sum(axis=0)
    mean = residual @ members / counts
    error = np.sqrt(variance @ members) / counts
    shift = mean + error * rng.normal(size=mean.shape)
    middle = levels @ members / counts
    spread = levels**2 @ members - counts * middle**2
    slope = ((levels * residual) @ members - counts * middle * mean) / spread
    moments = [(levels**power * variance) @ members for power in (0, 1, 2)]
    total = np.maximum(moments[2] - 2 * middle * moments[1] + middle**2 * moments[0], 0.0)
    return shift, slope + np.sqrt(total) / spread * rng.normal(size=mean.shape)


def _residuals(
    design: Design, posterior: xr.Dataset, which: tuple[str, int], levels: Array, part: slice
) -> _Residuals:
    """Answers less their expectation given the capital; ``levels`` is ``(draw, row)``."""
    capital, position = which
    items = design.items(capital)
    values = items.values[:, position]
    values = values[np.isfinite(values)]

    def drawn(name: str) -> Array:
        return flat_draws(posterior, name)[part]

    raw = drawn(raw_mean(capital))[:, None] + drawn(raw_sd(capital))[:, None] * levels
    eta = drawn(item_loadings(capital))[:, [position]] * raw
    if not items.levels[position]:
        k = items.continuous.index(position)
        residual = values - drawn(item_intercepts(capital))[:, [k]] - eta
        error = drawn(item_errors(capital))[:, [k]] ** 2
        return _Residuals(residual, np.broadcast_to(error, residual.shape))
    cut = drawn(item_thresholds(capital, items.columns[position]))
    mean, square = np.zeros_like(eta), np.zeros_like(eta)
    for k in range(cut.shape[1]):
        # of a count of thresholds passed: E x = sum P(x >= k), E x^2 = sum (2k - 1) P(x >= k)
        passed = 1.0 / (1.0 + np.exp(cut[:, [k]] - eta))
        mean += passed
        square += (2 * k + 1) * passed
    unit = values.std(ddof=1)
    return _Residuals((values - mean) / unit, (square - mean**2) / unit**2)
