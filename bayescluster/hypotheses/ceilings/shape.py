"""A ceiling as a path through the unit square: how high it stands, and what a level needs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayescluster.hypotheses.ceilings.lines import LEVEL, Lines
from bayescluster.hypotheses.ceilings.observed import LINES, Cases
from bayescluster.hypotheses.ceilings.peers import hull_of
from bayescluster.hypotheses.ceilings.scope import Floats
from bayescluster.results.necessity import CeilingName

TOLERANCE = 1e-9
"""Share of the scope by which rounding may move a case or a level across a ceiling."""
CORNERED = "A case stands in the corner: nothing is empty."
FALLING = "The line does not rise towards the corner: nothing is empty."
SINGLE = "One peer only: no line can be drawn through it."


class Shape(NamedTuple):
    """A ceiling of one set of cases.

    Attributes
    ----------
    u, v
        Corners of the path from the left to the right edge, neither ever falling; a step of a
        staircase is two corners over one another. Empty where there is no ceiling. (corner,)
    line
        Intercept and slope in the unit square, of a straight ceiling.
    note
        Why there is no ceiling, or nothing above it; else empty.
    """

    u: Floats
    v: Floats
    line: tuple[float, float] | None
    note: str

    def height(self, u: Floats) -> Floats:
        """Height of the ceiling at places along the condition; of a step, its top."""
        after = np.searchsorted(self.u, u, side="right")
        left = np.clip(after - 1, 0, len(self.u) - 1)
        right = np.minimum(after, len(self.u) - 1)
        run = self.u[right] - self.u[left]
        share = np.divide(u - self.u[left], run, out=np.zeros(len(u)), where=run > 0)
        return self.v[left] + share * (self.v[right] - self.v[left])

    def needed(self, v: float) -> float | None:
        """Least condition at which a level of the outcome is under the ceiling.

        Returns
        -------
        float or None
            0 where every condition allows it; None where none does, or there is no ceiling.
        """
        reached = np.flatnonzero(self.v >= v - TOLERANCE)
        if not len(reached):
            return None
        k = int(reached[0])
        if k == 0:
            return 0.0
        rise = self.v[k] - self.v[k - 1]
        share = min(max((v - self.v[k - 1]) / rise, 0.0), 1.0)
        return float(self.u[k - 1] + share * (self.u[k] - self.u[k - 1]))


def shape_of(cases: Cases, ceiling: CeilingName) -> Shape:
    """Find the shape of a ceiling; of several sets of outcomes, that of the first."""
    peers = cases.peers
    if ceiling == "ce_fdh":
        return _steps(peers.u[peers.steps[0]], peers.top[0, peers.steps[0]])
    if ceiling == "ce_vrs":
        vertex = hull_of(peers)[0]
        return _hull(peers.u[vertex], peers.top[0, vertex])
    if peers.u[0] == 0 and peers.top[0, 0] == 1:
        return _flat(CORNERED)
    return _line(LINES[ceiling](cases))


def supports(cases: Cases, ceiling: CeilingName, shape: Shape) -> NDArray[np.bool_]:
    """Say which cases a ceiling rests on: its peers. (case,).

    Peers of the staircase and of the line through them; vertices of the hull and of the line
    through them; the cases that any other line touches.
    """
    peers = cases.peers
    if ceiling in ("cols", "c_lp"):
        if shape.line is None:
            return np.zeros(len(cases.u), bool)
        on = np.abs(cases.v[0] - shape.line[0] - shape.line[1] * cases.u)
        return np.asarray(on <= TOLERANCE)
    chosen = hull_of(peers)[0] if ceiling.endswith("vrs") else peers.steps[0]
    place = np.searchsorted(peers.u, cases.u)
    return np.asarray(chosen[place] & (cases.v[0] == peers.top[0, place]))


def _steps(u: Floats, v: Floats) -> Shape:
    across = np.concatenate([[0.0], np.repeat(u, 2), [1.0]])
    up = np.concatenate([[0.0, 0.0], np.repeat(v, 2)])
    return _path(across, up)


def _hull(u: Floats, v: Floats) -> Shape:
    return _path(np.concatenate([[0.0, u[0]], u, [1.0]]), np.concatenate([[0.0, 0.0], v, v[-1:]]))


def _path(u: Floats, v: Floats) -> Shape:
    if u[1] == 0:  # cases stand at the left edge: the path begins at the highest of them
        u, v = u[2:], v[2:]
    return Shape(u, v, None, CORNERED if v[0] == 1 else "")


def _flat(note: str) -> Shape:
    return Shape(np.array([0.0, 1.0]), np.array([1.0, 1.0]), None, note)


def _line(lines: Lines) -> Shape:
    intercept, slope = float(lines.intercept[0]), float(lines.slope[0])
    if np.isnan(slope):
        return Shape(np.array([]), np.array([]), None, SINGLE)
    if slope <= LEVEL:
        return _flat(FALLING)
    places = np.array([0.0, *np.clip([-intercept / slope, (1 - intercept) / slope], 0, 1), 1.0])
    heights = np.clip(intercept + slope * places, 0, 1)
    return Shape(places, heights, (intercept, slope), "")
