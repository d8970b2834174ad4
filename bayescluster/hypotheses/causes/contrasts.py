"""What is compared: the probabilities of the outcome that each contrast and claim rests on."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from bayescluster.arrays import Array
from bayescluster.design.record import Design
from bayescluster.estimands.levels import CORNERS, Levels, levels_of
from bayescluster.hypotheses.corner_readings import declared_claim
from bayescluster.hypotheses.evidence import Evidence
from bayescluster.hypotheses.regions import CornerClaim
from bayescluster.results.causes import Contrast
from bayescluster.results.claims import ClaimName
from bayescluster.spec.hypotheses import (
    By,
    Complementarity,
    Corners,
    Insufficient,
    JointSufficiency,
    Necessary,
    Scope,
)


class Sides(NamedTuple):
    """Corners (human, then social) with and without the exposure, and the exposure in words."""

    exposed: str
    unexposed: str
    words: str


SIDES: Final[dict[Contrast, Sides]] = {
    "human_given_high": Sides("HH", "LH", "human capital high, against low; social capital high"),
    "social_given_high": Sides("HH", "HL", "social capital high, against low; human capital high"),
    "human_given_low": Sides("HL", "LL", "human capital high, against low; social capital low"),
    "social_given_low": Sides("LH", "LL", "social capital high, against low; human capital low"),
    "both": Sides("HH", "LL", "both capitals high, against both low"),
}
"""The contrasts, in the order of the report."""

CONTRAST_OF: Final[dict[ClaimName, Contrast]] = {
    "N-H": "human_given_high",
    "N-S": "social_given_high",
    "I-H": "human_given_low",
    "I-S": "social_given_low",
    "J": "both",
    "D-H": "human_given_high",
    "D-S": "social_given_high",
}
"""The contrast that a claim speaks of; complements speak of all four corners."""

_KINDS: Final[dict[ClaimName, type[CornerClaim]]] = {
    "N-H": Necessary,
    "N-S": Necessary,
    "I-H": Insufficient,
    "I-S": Insufficient,
    "J": JointSufficiency,
    "C": Complementarity,
    "D-H": Necessary,
    "D-S": Necessary,
}
"""The claim about corners that has the levels at which a claim is read."""


class Place(NamedTuple):
    """At which levels, for whom, and on how many firms a claim is read."""

    levels: Levels
    scope: Scope
    min_support: int


def place_of(design: Design, name: ClaimName, by: By) -> Place:
    """Levels and scope of the claim as declared, unless the block of causes has its own levels."""
    found: Corners = declared_claim(design, name, _KINDS[name]) or Corners()
    asked = design.analysis.traditions.causes
    own = {
        key: value
        for key, value in (("low", asked.low), ("high", asked.high), ("anchors", asked.anchors))
        if value not in (None, {})
    }
    levels = levels_of(design, found.model_copy(update=own))
    return Place(levels, "observed" if by == "cluster" else found.scope, found.min_support)


def contrast_place(design: Design, contrast: Contrast, by: By) -> Place:
    """Where a contrast is read: as the claim that rests on it."""
    name = next(name for name, found in CONTRAST_OF.items() if found == contrast)
    return place_of(design, name, by)


def corners_of(name: ClaimName) -> tuple[str, ...]:
    """Corners that a claim rests on."""
    if name == "C":
        return CORNERS
    sides = SIDES[CONTRAST_OF[name]]
    return sides.exposed, sides.unexposed


def corner_draws(evidence: Evidence, place: Place, source: str) -> dict[str, Array]:
    """Probability of the outcome at the corners, ``(draw, group)``; never beyond 0 and 1."""
    found = evidence.surface(place.scope, place.levels, source).corners
    # averages of probabilities can leave 0 and 1 by their last digits
    return {corner: np.clip(values, 0.0, 1.0) for corner, values in found.items()}


def fewest_near(evidence: Evidence, place: Place, corners: tuple[str, ...], column: int) -> int:
    """Firms near the corner of these that has the fewest."""
    near = dict(zip(CORNERS, evidence.support(place.levels), strict=True))
    return int(min(near[corner][column] for corner in corners))


def unsupported(evidence: Evidence, place: Place, corners: tuple[str, ...], column: int) -> str:
    """Say which support a claim lacks; nothing where it lacks none."""
    few = fewest_near(evidence, place, corners, column)
    if few < place.min_support:
        return (
            f"Only {few} firms stand near a corner that is compared, fewer than "
            f"{place.min_support}: the probabilities would rest on extrapolation."
        )
    behind = evidence.behind_gates
    firms = min((float(behind[c][:, column].mean()) for c in corners if c in behind), default=None)
    if firms is not None and firms < place.min_support:
        return (
            f"The gates put {firms:.1f} firms behind a corner that is compared, fewer than "
            f"{place.min_support}: the probabilities would rest on their prior."
        )
    return ""
