"""Straight ceilings, and the areas above ceilings of every kind, in the unit square."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayescluster.hypotheses.ceilings.peers import Peers
from bayescluster.hypotheses.ceilings.scope import Floats

LEVEL = 1e-12
"""Slope in the unit square up to which a line does not rise: rounding makes as much."""


class Lines(NamedTuple):
    """Straight lines, one a set; NaN where no line can be drawn.

    Attributes
    ----------
    intercept, slope
        Height at ``u`` = 0 and rise to ``u`` = 1. (set,)
    """

    intercept: Floats
    slope: Floats


def least_squares(u: Floats, v: Floats, weight: Floats) -> Lines:
    """Ordinary least squares through weighted points; NaN where there are not two values of ``u``.

    Parameters
    ----------
    u
        (value,)
    v, weight
        (set, value)
    """
    total = weight.sum(axis=1)
    mean_u = (weight * u).sum(axis=1) / total
    mean_v = (weight * v).sum(axis=1) / total
    off = u - mean_u[:, None]  # (set, value)
    across = (weight * off * (v - mean_v[:, None])).sum(axis=1)
    spread = (weight * off**2).sum(axis=1)
    # values of ``u`` nearer to one another than floats can square are one value
    several = ((weight > 0).sum(axis=1) > 1) & (spread > 0)
    slope = np.divide(across, spread, out=np.full(len(v), np.nan), where=several)
    return Lines(mean_v - slope * mean_u, slope)


def tangent(peers: Peers, hull: NDArray[np.bool_], at: float) -> Lines:
    """Line of the hull's edge over a place; flat, at the highest outcome, right of its top.

    The edge over the mean condition is the line on or above all cases with the least sum of
    distances to them: the solution of the linear program behind C-LP.
    """
    width = peers.u.shape[0]
    # last vertex left of the place (the first one if there is none), and the next one
    left = np.where(hull & (peers.u < at), np.arange(width), 0).max(axis=1)
    after = hull & (np.arange(width) > left[:, None])
    right = np.where(after.any(axis=1), after.argmax(axis=1), left)
    sets = np.arange(len(hull))
    run = peers.u[right] - peers.u[left]
    rise = peers.top[sets, right] - peers.top[sets, left]
    slope = np.divide(rise, run, out=np.zeros(len(sets)), where=run > 0)
    return Lines(peers.top[sets, left] - slope * peers.u[left], slope)


def area_above_steps(peers: Peers) -> Floats:
    """Area above the staircase; left of the first case all is empty: (set,)."""
    width = np.diff(np.append(peers.u, 1.0))
    return np.asarray(peers.u[0] + (1 - peers.ceiling) @ width)


def area_above_hull(peers: Peers, hull: NDArray[np.bool_]) -> Floats:
    """Area above the concave hull; left of the first case all is empty: (set,)."""
    found = np.empty(len(hull))
    for row, vertex in enumerate(hull):
        u, gap = peers.u[vertex], 1 - peers.top[row, vertex]
        found[row] = u[0] + np.trapezoid(gap, u) + (1 - u[-1]) * gap[-1]
    return found


def area_above_lines(lines: Lines) -> Floats:
    """Area above rising lines within the unit square; 0 where a line does not rise: (set,)."""
    intercept, slope = lines
    rises = slope > LEVEL
    safe = np.where(rises, slope, 1.0)
    floor = np.clip(-intercept / safe, 0, 1)
    top = np.clip((1 - intercept) / safe, 0, 1)
    gaps = [np.clip(1 - intercept - safe * u, 0, 1) for u in (floor, top)]
    area = floor + (top - floor) * (gaps[0] + gaps[1]) / 2
    return np.where(np.isnan(slope), np.nan, np.where(rises, area, 0.0))
