"""Whether draws from a quadratic likelihood stand for those from the exact one, and their weights.

The ratio of the two likelihoods at a draw is its importance weight. It is computed over all firms, at all
draws where that is a bounded amount of work; else at some, and at the others from third derivatives, which
the exact ones have to confirm. The Pareto k of the weights decides (Vehtari et al. 2024).
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayescluster import names
from bayescluster.arrays import Array, softplus
from bayescluster.design.record import Design
from bayescluster.model.evaluate import draws_of
from bayescluster.summaries.coding import Block, Coder
from bayescluster.summaries.likelihood import LIKELIHOODS, Firms
from bayescluster.summaries.record import Quadratic, summary_of
from bayescluster.summaries.stream import Part

EVALUATIONS: Final = 400_000_000
"""Most densities of a row at a draw that are computed; at `FEWEST_DRAWS` draws whatever the rows."""
FEWEST_DRAWS: Final = 100
CELLS_AT_ONCE: Final = 500_000


class Ratios(NamedTuple):
    """Log of exact over quadratic likelihood: at all draws, and what is known of their precision."""

    log_ratios: Array
    draws: int
    """Draws at which the exact likelihood was computed."""
    off: float
    """Sd of the difference between exact ratios and those that are used."""


def coefficients_at(design: Design, posterior: xr.Dataset, groups: NDArray[np.int64]) -> Array:
    """Coefficients of cells at each draw, ``(cell, coefficient, draw)``: terms, then controls."""
    draws = draws_of(design, posterior)
    terms, controls = design.terms, len(design.control_names)
    found = np.zeros((len(groups), len(terms) + controls, draws.size))
    for k, term in enumerate(terms):
        found[:, k] = draws.population[term]
        for place, grouping in enumerate(design.groupings):
            if term in grouping.terms:
                effect = draws.groups[grouping.name].effect[:, :, grouping.terms.index(term)]
                found[:, k] += effect.T[groups[:, place]]
    found[:, len(terms) :] = draws.controls.T
    return found


def ratios(design: Design, posterior: xr.Dataset, firms: Firms) -> Ratios:
    """Log ratios of the exact to the quadratic likelihood, chains one after the other, ``(draw,)``."""
    summary = summary_of(design)
    assert summary is not None
    assert summary.quadratic is not None
    whole = coefficients_at(design, posterior, summary.groups)
    size = whole.shape[2]
    count = min(size, max(FEWEST_DRAWS, EVALUATIONS // firms.rows))
    if summary.quadratic.third is None and firms.are_few:
        count = size
    some = np.linspace(0, size - 1, count).astype("int64")
    at = np.ascontiguousarray(whole[:, :, some])
    if firms.are_few:
        exact = _exact(firms.blocks(), firms.family, at)
    else:
        exact = np.sum(list(firms.mapped(_exact_part, firms.coder, firms.family, at)), axis=0)
    found = exact - _series(summary.quadratic, at, cubic=False)
    found -= found.mean()
    if count == size:
        return Ratios(found, count, 0.0)
    if summary.quadratic.third is None:
        return Ratios(np.zeros(size), count, float(found.std()))
    cubic = _series(summary.quadratic, whole, cubic=True)
    cubic -= _series(summary.quadratic, whole, cubic=False)
    off = float((found - cubic[some]).std())
    return Ratios(cubic - cubic.mean(), count, off)


def kept_draws(weights: Array) -> NDArray[np.int64]:
    """Draws of each chain in proportion to their weights, ``(chain, draw)``, in their order.

    Systematic resampling: a draw is kept as often as its share says, up to one.
    """
    chains, draws = weights.shape
    places = (np.arange(draws) + 0.5) / draws
    found = [
        np.searchsorted(np.cumsum(own / own.sum()), places).clip(0, draws - 1) for own in weights
    ]
    return np.stack(found).reshape(chains, draws)


def resampled(dataset: xr.Dataset, kept: NDArray[np.int64]) -> xr.Dataset:
    """Take draws of one chain."""
    found = dataset.isel({names.DRAW: kept})
    return found.assign_coords({names.DRAW: dataset[names.DRAW]})


def _exact_part(part: Part, coder: Coder, family: str, at: Array) -> Array:
    return _exact(coder.blocks(part), family, at)


def _exact(blocks: Iterable[Block], family: str, at: Array) -> Array:
    """Log likelihood of rows at draws, ``(cell, coefficient, draw) -> (draw,)``."""
    total = np.zeros(at.shape[2])
    for block in blocks:
        order = np.argsort(block.cell, kind="stable")
        cell = block.cell[order]
        edges = [0, *(np.flatnonzero(np.diff(cell)) + 1), cell.size]
        for first, last in pairwise(edges):
            step = max(1, CELLS_AT_ONCE // at.shape[2])
            for start in range(first, last, step):
                rows = order[start : min(start + step, last)]
                total += _density(block.at(rows), family, at[cell[first]])
    return total


def _density(rows: Block, family: str, coefficients: Array) -> Array:
    """Log likelihood of rows of one cell, ``(coefficient, draw) -> (draw,)``."""
    eta = rows.inputs @ coefficients + rows.offset[:, None]  # (row, draw)
    if family in ("bernoulli", "binomial"):
        return np.asarray(rows.outcome @ eta - rows.size @ softplus(eta))
    if family == "poisson":
        return np.asarray(rows.outcome @ eta - np.exp(eta).sum(axis=0))
    size = rows.size[:, None]
    return np.asarray(LIKELIHOODS[family](rows.outcome[:, None], eta, size).value.sum(axis=0))


def _series(found: Quadratic, at: Array, cubic: bool) -> Array:
    """Series of the log likelihood at draws, ``(cell, coefficient, draw) -> (draw,)``."""
    total = np.zeros(at.shape[2])
    for c in range(len(found.centre)):
        gap = at[c] - found.centre[c][:, None]
        total += found.value[c] + found.slope[c] @ gap
        total -= 0.5 * np.einsum("jd,jd->d", gap, found.curvature[c] @ gap)
        if cubic and found.third is not None:
            bent = np.einsum("jkm,md->jkd", found.third[c], gap)
            total += np.einsum("jkd,jd,kd->d", bent, gap, gap) / 6
    return total
