"""Low and high levels of the capitals, in standard deviations, and the firms near each corner."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayescluster.arrays import Array
from bayescluster.dataset.constructs import amounts_at, raw_score
from bayescluster.design.record import Design
from bayescluster.model.evaluate import Draws, row_coefficients
from bayescluster.names import BOTH, CAPITALS, HUMAN_ONLY, NEITHER, SOCIAL_ONLY
from bayescluster.results.claims import IndicatorAmount, LevelAmounts
from bayescluster.spec.hypotheses import Anchor, Anchors, Corners
from bayescluster.structures.conjunctive import CONJUNCTIVE, corner_weights

CORNERS = ("LL", "HL", "LH", "HH")
"""Level of human capital, then of social capital."""

BANDWIDTH: Final = 0.5
"""Standard deviation of the kernel by which firms around a corner are counted, in sd of each capital."""


class Levels(NamedTuple):
    """Low and high of both capitals in standard deviations, and how they were declared."""

    human: tuple[float, float]
    social: tuple[float, float]
    declared: str

    def at(self, corner: str) -> tuple[float, float]:
        """Human and social capital at a corner."""
        return self.human[corner[0] == "H"], self.social[corner[1] == "H"]


def default_levels(design: Design) -> Levels:
    """Levels at the 10th and 90th percentile, where no hypothesis declares others."""
    return levels_of(design, Corners())


def levels_of(design: Design, claim: Corners) -> Levels:
    """Levels that a claim declares: quantiles of each capital, or anchors."""
    (human, of_human), (social, of_social) = (
        _ends(design, name, values[~np.isnan(values)], claim)
        for name, values in zip(CAPITALS, design.capitals, strict=True)
    )
    same = of_human == of_social
    return Levels(human, social, of_human if same else f"human: {of_human}; social: {of_social}")


def _ends(
    design: Design, name: str, values: Array, claim: Corners
) -> tuple[tuple[float, float], str]:
    """Low and high of a capital, and how they were declared."""
    anchors: Anchors | None = dict(claim.anchors).get(name)  # type: ignore[call-overload]
    # levels are declared before the fit, when of a latent capital only its score is known
    latent = design.is_latent(name)
    if anchors is None:
        ends = (float(values.min()), float(values.max()))
        if design.is_binary(name):
            return ends, "no and yes"
        low, high = np.quantile(values, [claim.low, claim.high])
        if low == high:  # most firms have the same value
            return ends, "least and most in the sample"
        of_score = " of its score" if latent else ""
        return (float(low), float(high)), f"quantiles {claim.low:g} and {claim.high:g}{of_score}"
    declared, unit = (anchors.low, anchors.high), design.scaling(name)
    low, high = ((_raw(design, name, end) - unit.center) / unit.scale for end in declared)
    if isinstance(anchors.low, Mapping) or isinstance(anchors.high, Mapping):
        return (low, high), " against ".join(_listed(end) for end in declared)
    of = "its score" if latent else "the construct"
    return (low, high), f"{anchors.low:g} and {anchors.high:g} in units of {of}"


def _raw(design: Design, name: str, anchor: Anchor) -> float:
    """An anchor in units of the construct."""
    if isinstance(anchor, Mapping):
        (units,) = (m.units for m in design.details.measures if m.capital == name)
        return raw_score(units, anchor)
    return anchor


def _listed(anchor: Anchor) -> str:
    assert isinstance(anchor, Mapping)
    return ", ".join(f"{column} {value:g}" for column, value in anchor.items())


class CornerSupport(NamedTuple):
    """What stands around each corner of the plane, ``(corner, group)`` each."""

    firms: NDArray[np.float64]
    """Effective number of firms: one at the corner counts 1, one half a standard deviation away on one
    capital 0.61, one a standard deviation away 0.14."""
    inside: NDArray[np.bool_]
    """Whether the corner lies in the convex hull of the firms of the group: else it is extrapolation."""


def support(design: Design, levels: Levels, members: NDArray[np.bool_]) -> CornerSupport:
    """Count the firms around each corner by a normal kernel; one seen in several rows counts once.

    A capital that is yes or no has no neighbourhood: a firm has the level or has not.
    """
    binary = tuple(design.is_binary(name) for name in CAPITALS)
    firms, shape = design.firms, (len(CORNERS), members.shape[1])
    effective, inside = np.zeros(shape), np.zeros(shape, dtype=bool)
    for k, corner in enumerate(CORNERS):
        off = [
            values - level for values, level in zip(design.capitals, levels.at(corner), strict=True)
        ]
        weight = np.ones(design.size)
        for away, yes_or_no in zip(off, binary, strict=True):
            weight *= _kernel(away, yes_or_no)
        for g, group in enumerate(members.T):
            rows = np.flatnonzero(group & (weight > 0))
            effective[k, g] = _once(weight[rows], firms[rows])
            inside[k, g] = _in_hull(off[0][group], off[1][group])
    return CornerSupport(effective, inside)


def _kernel(away: Array, yes_or_no: bool) -> Array:
    """Weight of rows by their distance from a level; none where the capital is missing."""
    known = np.isfinite(away)
    if yes_or_no:
        return np.where(known, np.abs(np.where(known, away, 1.0)) < BANDWIDTH, 0.0)
    return np.where(known, np.exp(-0.5 * (np.where(known, away, 0.0) / BANDWIDTH) ** 2), 0.0)


def _once(weight: Array, firms: NDArray[np.int64]) -> float:
    """Sum over firms of the mean weight of their rows."""
    if not weight.size:
        return 0.0
    _, which, rows = np.unique(firms, return_inverse=True, return_counts=True)
    return float((np.bincount(which, weights=weight) / rows).sum())


def _in_hull(human: Array, social: Array) -> bool:
    """Whether the origin lies in the convex hull of points, its edge included.

    It does unless all points lie on one side of a line through it: unless the angles at which they
    are seen leave a gap of more than half a turn.
    """
    known = np.isfinite(human) & np.isfinite(social)
    human, social = human[known], social[known]
    if not human.size:
        return False
    if (np.hypot(human, social) < ON_IT).any():
        return True
    angles = np.sort(np.arctan2(social, human))
    gaps = np.diff(np.append(angles, angles[0] + 2 * np.pi))
    return bool(gaps.max() <= np.pi + ON_IT)


ON_IT: Final = 1e-9
"""Closer than this, in standard deviations or radians, is the same place."""


def amounts_of(design: Design, levels: Levels) -> tuple[LevelAmounts, ...]:
    """Translate low and high of each capital back; nothing for a capital that is yes or no."""
    amounts = []
    for measure in design.details.measures:
        if measure.capital not in CAPITALS or measure.binary or not measure.units:
            continue
        unit = design.scaling(measure.capital)
        pair = levels.human if measure.capital == CAPITALS[0] else levels.social
        low, high = (unit.center + unit.scale * level for level in pair)
        at_low, at_high = (amounts_at(measure.units, raw) for raw in (low, high))
        indicators = tuple(
            IndicatorAmount(column=column, low=at_low[column], high=at_high[column])
            for column in at_low
        )
        amounts.append(
            LevelAmounts(
                capital=measure.capital,
                method=measure.method,
                low=low,
                high=high,
                indicators=indicators,
            )
        )
    return tuple(amounts)


HALF: Final = 0.5
"""Share of the weight that puts a firm behind a corner; only one corner can have more."""

CORNER_TERMS: Final = {"LL": NEITHER, "HL": HUMAN_ONLY, "LH": SOCIAL_ONLY, "HH": BOTH}
"""Term of the form at each corner of the plane."""


def behind_gates(design: Design, draws: Draws, members: NDArray[np.bool_]) -> dict[str, Array]:
    """Count the firms of each group that the gates put behind each corner.

    A firm is behind a corner where its gates give that corner at least half of the weight: fractions
    of many firms elsewhere do not add up to firms at a corner. ``members`` gives which rows are in
    which group, ``(row, group)``; a firm seen in several rows counts once.

    Returns
    -------
    dict
        By corner: number of firms, ``(draw, group)``. Empty for all forms but the conjunctive one.
    """
    if design.structure is not CONJUNCTIVE:
        return {}
    firms = design.firms
    rows = np.column_stack([np.bincount(firms, weights=group) for group in members.T])
    # the rows of a firm share a weight of one in each group, (row, group)
    once = np.where(members, 1 / np.maximum(rows[firms], 1), 0.0)
    out = {corner: np.empty((draws.size, members.shape[1])) for corner in CORNER_TERMS}
    for which, part in draws.chunks(design.size):
        human, social = part.capitals or design.capitals
        weights = corner_weights(human, social, row_coefficients(part))
        for corner, term in CORNER_TERMS.items():
            behind = np.broadcast_to(weights[term] >= HALF, (part.size, design.size))
            out[corner][which] = behind.astype(float) @ once
    return out
