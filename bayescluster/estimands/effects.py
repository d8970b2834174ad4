"""Average marginal effects, contrasts and corners, draw by draw."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bayescluster.arrays import Array
from bayescluster.design.record import Design
from bayescluster.estimands.levels import CORNERS, Levels
from bayescluster.estimands.surface import Level, Own, Setting, outcome_surface
from bayescluster.model.evaluate import Draws
from bayescluster.names import CAPITALS

STEP = 0.01
"""Half width, in standard deviations, of the difference that stands for a derivative."""


class SurfaceDraws(NamedTuple):
    """Estimands of one scope at each draw; all arrays ``(draw, group)``.

    ``marginal`` and ``contrast`` go by capital, ``corners`` by corner.
    """

    marginal: dict[str, Array]
    contrast: dict[str, Array]
    corners: dict[str, Array]

    @property
    def cross_difference(self) -> Array:
        """How much the capitals raise each other's effect: HH - HL - LH + LL."""
        corner = self.corners
        return corner["HH"] - corner["HL"] - corner["LH"] + corner["LL"]


def surface_draws(design: Design, draws: Draws, levels: Levels, weights: Array) -> SurfaceDraws:
    """Compute every average of the outcome surface that effects and claims need.

    A marginal effect is the derivative averaged over the rows, per standard deviation of the
    capital; for a 0/1 capital, the change from 0 to 1. A contrast sets the capital low, then high,
    and leaves the other as it is.
    """
    settings: list[Setting] = []
    spans: dict[str, tuple[int, float]] = {}
    for position, capital in enumerate(CAPITALS):
        ends, width = _marginal(design, position)
        spans[capital] = (len(settings), width)
        low, high = (levels.human, levels.social)[position]
        settings += [*ends, _set(position, low), _set(position, high)]
    first_corner = len(settings)
    settings += [Setting(*levels.at(corner)) for corner in CORNERS]
    mean = outcome_surface(design, draws, settings, weights)  # (draw, setting, group)
    marginal, contrast = {}, {}
    for capital, (at, width) in spans.items():
        marginal[capital] = (mean[:, at + 1] - mean[:, at]) / width
        contrast[capital] = mean[:, at + 3] - mean[:, at + 2]
    corners = {name: mean[:, first_corner + k] for k, name in enumerate(CORNERS)}
    return SurfaceDraws(marginal, contrast, corners)


def _marginal(design: Design, position: int) -> tuple[list[Setting], float]:
    values = design.capitals[position]
    if design.is_binary(CAPITALS[position]):
        return [
            _set(position, float(np.nanmin(values))),
            _set(position, float(np.nanmax(values))),
        ], 1.0
    return [_set(position, Own(-STEP)), _set(position, Own(STEP))], 2 * STEP


def _set(position: int, level: Level) -> Setting:
    """Set one capital and leave the other as it is."""
    return Setting(level, Own()) if position == 0 else Setting(Own(), level)
