"""The rectangle a ceiling is drawn in, and the four corners that can be empty.

All ceilings are computed in the unit square with the empty corner at the upper left: ``u`` runs
from 0 where the condition is least given to 1, ``v`` from 0 where the outcome is least demanding
to 1. The other corners are the same with an axis turned round.
"""

from __future__ import annotations

from typing import NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from bayescluster.results.necessity import CornerName

Floats = NDArray[np.float64]

CORNERS: tuple[CornerName, ...] = get_args(CornerName)
"""Corners that a necessary condition leaves empty; ``upper_left`` is Dul's."""


class Scope(NamedTuple):
    """Rectangle in which outcome and condition can fall, in their units.

    Attributes
    ----------
    xmin, xmax
        Least and greatest value of the condition.
    ymin, ymax
        Least and greatest value of the outcome.
    """

    xmin: float
    xmax: float
    ymin: float
    ymax: float

    @property
    def area(self) -> float:
        """Area of the rectangle, in units of x times units of y."""
        return (self.xmax - self.xmin) * (self.ymax - self.ymin)

    def holds(self, x: Floats, y: Floats) -> bool:
        """Whether all cases lie in the rectangle."""
        return _within(x, self.xmin, self.xmax) and _within(y, self.ymin, self.ymax)


def _within(values: Floats, low: float, high: float) -> bool:
    return bool(values.min() >= low and values.max() <= high)


def empirical(x: Floats, y: Floats) -> Scope:
    """Scope of the cases observed: from the least to the greatest value of each."""
    return Scope(float(np.min(x)), float(np.max(x)), float(np.min(y)), float(np.max(y)))


def mirrored_x(corner: CornerName) -> bool:
    """Whether the condition is turned round to bring the corner to the upper left."""
    return corner.endswith("right")


def mirrored_y(corner: CornerName) -> bool:
    """Whether the outcome is turned round to bring the corner to the upper left."""
    return corner.startswith("lower")


def to_unit(values: Floats, low: float | Floats, high: float | Floats, *, mirrored: bool) -> Floats:
    """Bring values of an axis to the unit square."""
    share = (values - low) / (high - low)
    return 1 - share if mirrored else share


def from_unit(share: float, low: float, high: float, *, mirrored: bool) -> float:
    """Bring a place on an axis of the unit square back to its units."""
    if mirrored:
        share = 1 - share
    # the ends exactly, whatever the rounding between them
    return {0.0: low, 1.0: high}.get(share, low + share * (high - low))
