"""The least of a capital that a level of the expected outcome needs, the other capital as it is.

All firms of a group are set to the same level of the capital, within what the group supports.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bayescluster.arrays import Array
from bayescluster.design.record import Design
from bayescluster.estimands.raising import Raising
from bayescluster.estimands.surface import Own, Setting, outcome_surface
from bayescluster.model.evaluate import Draws
from bayescluster.names import CAPITALS

POINTS = 11
"""Levels of the capital at which the expected outcome is computed; between them it is a line."""
NOT_NEEDED, NOT_REACHED = -np.inf, np.inf
"""Stand for "none is needed" and "not reachable"."""


def supported_levels(design: Design, raising: Raising, quantile: float) -> tuple[Array, Array]:
    """Levels of each capital from the least to the most that a group supports, ``(point, group)``."""
    found = []
    for capital, own, most in zip(CAPITALS, raising.own, raising.caps, strict=True):
        yes_or_no = design.is_binary(capital)
        least = np.array(
            [
                own[:, member].min() if yes_or_no else np.quantile(own[:, member], 1 - quantile)
                for member in raising.groups.members.T
            ]
        )
        found.append(np.linspace(least, most, 2 if yes_or_no else POINTS))
    return found[0], found[1]


def mean_along(
    design: Design, draws: Draws, raising: Raising, levels: Sequence[Array]
) -> list[Array]:
    """Expected outcome along each capital, ``(draw, point, group)`` each."""
    human, social = levels
    of_row = raising.of_row
    settings = [Setting(level[of_row], Own()) for level in human]
    settings += [Setting(Own(), level[of_row]) for level in social]
    mean = outcome_surface(design, draws, settings, raising.groups.weights)
    return [mean[:, : len(human)], mean[:, len(human) :]]


def least_needed(levels: Array, means: Array, targets: Sequence[float], *, between: bool) -> Array:
    """Find the least level at which the expected outcome reaches each target.

    Parameters
    ----------
    levels
        Levels of the capital, rising, ``(point, group)``.
    means
        Expected outcome there, ``(draw, point, group)``.
    targets
        Levels of the outcome.
    between
        Whether a level between two points can be had; a 0/1 capital has none.

    Returns
    -------
    ndarray
        ``(draw, target, group)``: ``NOT_NEEDED`` where the least level already reaches the target,
        ``NOT_REACHED`` where no level does.
    """
    found = np.empty((len(means), len(targets), means.shape[2]))
    group = np.arange(means.shape[2])
    for position, target in enumerate(targets):
        reached = means >= target
        first = reached.argmax(axis=1)  # (draw, group); 0 where no point reaches it
        before = np.maximum(first - 1, 0)
        at = levels[first, group]
        if between:
            low, high = (
                np.take_along_axis(means, k[:, None], axis=1)[:, 0] for k in (before, first)
            )
            way = np.divide(target - low, high - low, out=np.ones_like(low), where=high > low)
            at = levels[before, group] + way * (at - levels[before, group])
        at = np.where(first == 0, NOT_NEEDED, at)
        found[:, position] = np.where(reached.any(axis=1), at, NOT_REACHED)
    return found
