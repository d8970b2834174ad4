"""Peers: the cases a ceiling rests on, for many sets of outcomes on the same conditions at once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayescluster.hypotheses.ceilings.scope import Floats

COLLINEAR = 1e-12
"""Relative difference of slopes below which three peers lie on one line."""


class Peers(NamedTuple):
    """Highest cases at each value of the condition, in the unit square.

    Attributes
    ----------
    u
        Distinct values of the condition, ascending. (value,)
    top
        Highest outcome at each value. (set, value)
    cases
        Number of cases that share that outcome and value. (set, value)
    steps
        Whether the staircase rises there: the peers of the free disposal hull. (set, value)
    """

    u: Floats
    top: Floats
    cases: NDArray[np.int_]
    steps: NDArray[np.bool_]

    @property
    def ceiling(self) -> Floats:
        """Height of the staircase at and right of each value: (set, value)."""
        return np.maximum.accumulate(self.top, axis=1)


def peers_of(u: Floats, v: Floats) -> Peers:
    """Find the peers of every set of outcomes.

    Parameters
    ----------
    u
        Conditions. (case,)
    v
        Outcomes. (set, case)
    """
    order = np.argsort(u, kind="stable")
    distinct, first, sizes = np.unique(u[order], return_index=True, return_counts=True)
    outcomes = v[:, order]
    top = np.maximum.reduceat(outcomes, first, axis=1)  # (set, value)
    same = outcomes == np.repeat(top, sizes, axis=1)
    cases = np.add.reduceat(same.astype(np.int_), first, axis=1)
    before = np.maximum.accumulate(top, axis=1)[:, :-1]
    steps = np.concatenate([np.ones((len(top), 1), bool), top[:, 1:] > before], axis=1)
    return Peers(distinct, top, cases, steps)


def hull_of(peers: Peers) -> NDArray[np.bool_]:
    """Choose the peers on the concave hull, from the first value up to the highest outcome.

    From each peer the hull goes on to the one that is reached most steeply; of several on one
    line, to the furthest.

    Returns
    -------
    ndarray of bool
        Vertices of the hull. (set, value)
    """
    sets = np.arange(len(peers.top))
    vertex = np.zeros(peers.top.shape, bool)
    here = np.zeros(len(sets), int)
    vertex[:, 0] = True
    while True:
        run = peers.u - peers.u[here][:, None]  # (set, value)
        rise = peers.top - peers.top[sets, here][:, None]
        ahead = (run > 0) & (rise > 0)
        open_ = ahead.any(axis=1)
        if not open_.any():
            return vertex
        slope = np.divide(rise, run, out=np.full(rise.shape, -np.inf), where=ahead)
        steepest = slope >= slope.max(axis=1, keepdims=True) * (1 - COLLINEAR)
        furthest = slope.shape[1] - 1 - np.argmax(steepest[:, ::-1], axis=1)
        here = np.where(open_, furthest, here)
        vertex[sets[open_], here[open_]] = True
