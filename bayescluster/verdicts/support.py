"""The firms that claims are judged on, and whether enough are near the corners that a claim rests on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from bayescluster.design.record import Design
from bayescluster.estimands.levels import (
    CORNERS,
    CornerSupport,
    Levels,
    default_levels,
    levels_of,
    support,
)
from bayescluster.estimands.scopes import Groups, declared_groups, side_by_side
from bayescluster.spec.hypotheses import By, Corners
from bayescluster.verdicts.compensation import OutcomeScale, outcome_scale
from bayescluster.verdicts.regions import CORNER_WORDS, CornerClaim, corner_of, region_of


class Sample:
    """The firms that claims are judged on: their groups, and how many stand around a corner."""

    def __init__(self, design: Design) -> None:
        self.design = design
        self._support: dict[Levels, CornerSupport] = {}

    @cached_property
    def groups(self) -> Groups:
        """All groups side by side, the whole sample first."""
        return side_by_side(declared_groups(self.design))

    @cached_property
    def kinds(self) -> tuple[By, ...]:
        """Kinds of groups in their order: all, industry, moderators, cluster, as far as declared."""
        return tuple(part.by for part in declared_groups(self.design))

    def columns(self, by: str) -> list[tuple[int, str]]:
        """Columns of the estimands that belong to a kind of group, with their labels."""
        start = 0
        for part in declared_groups(self.design):
            if part.by == by:
                return [(start + k, label) for k, label in enumerate(part.labels)]
            start += len(part.labels)
        return []

    def support(self, levels: Levels) -> CornerSupport:
        """Firms around each corner, ``(corner, group)``."""
        if levels not in self._support:
            self._support[levels] = support(self.design, levels, self.groups.members)
        return self._support[levels]


if TYPE_CHECKING:
    from bayescluster.verdicts.evidence import Evidence

RULE_OF_THREE: Final = 3.0
"""So many firms over eps, none of which upgraded, are needed to show a probability of at most eps."""


def lacking(
    claim: CornerClaim, near: CornerSupport, evidence: Evidence, scale: OutcomeScale, column: int
) -> Callable[[Sequence[str]], str]:
    """What corners lack in firms, by their places as the capital of the claim sees them."""
    capital: str | None = getattr(claim, "capital", None)

    def at(places: Sequence[str]) -> str:
        """Name the first corner of these that lacks firms."""
        for place in places:
            corner = corner_of(place, capital)
            k = CORNERS.index(corner)
            least, firms = _least(claim, place, scale), float(near.firms[k, column])
            if firms < least:
                outside = "" if near.inside[k, column] else ", and it lies outside their range"
                return (
                    f"The effective number of firms around the corner with {CORNER_WORDS[corner]} is "
                    f"{firms:.1f}, fewer than {least:.3g}{outside}: the claim would rest on "
                    "extrapolation."
                )
            if why := _behind_gates(corner, least, evidence, column):
                return why
        return ""

    return at


def _least(claim: CornerClaim, place: str, scale: OutcomeScale) -> float:
    """How many firms a claim needs around a corner, named as its capital sees it."""
    least = float(claim.min_support)
    eps: float | None = getattr(claim, "eps", None)
    if place == "other" and eps and scale.bounded and least:
        return max(least, RULE_OF_THREE / eps)
    return least


def _behind_gates(corner: str, least: float, evidence: Evidence, column: int) -> str:
    """Say that the gates of a form put too few firms behind a corner; nothing for other forms."""
    behind = evidence.behind_gates
    if not behind:
        return ""
    firms = float(behind[corner][:, column].mean())
    if firms >= least:
        return ""
    return (
        f"The gates put {firms:.1f} firms behind the corner with {CORNER_WORDS[corner]}, "
        f"fewer than {least:.3g}: the claim would rest on its prior."
    )


class Around(NamedTuple):
    """Firms around the four corners of a group, at the levels of the claims about it."""

    by: str
    group: str
    levels: Levels
    firms: tuple[float, ...]
    """Effective numbers, in the order of `CORNERS`."""
    least: tuple[float, ...]
    """How many the claims need; 0 of a corner that no claim rests on."""

    @property
    def thin(self) -> tuple[str, ...]:
        """Corners that lack firms: no claim that rests on one can be supported here."""
        found = zip(CORNERS, self.firms, self.least, strict=True)
        return tuple(corner for corner, firms, least in found if firms < least)


def around_corners(design: Design) -> Iterator[Around]:
    """Count, before any fit, the firms around the corners that claims rest on, in every group they name.

    All firms come first, whether a claim is about them or not. What the gates of the conjunctive form
    put behind a corner is known only after a fit.
    """
    sample = Sample(design)
    asked: dict[tuple[str, Levels], list[float]] = {}
    claims = [each for each in design.analysis.hypotheses if isinstance(each, Corners)]
    first = levels_of(design, claims[0]) if claims else default_levels(design)
    asked["all", first] = [0.0] * len(CORNERS)
    for claim in claims:
        assert isinstance(claim, CornerClaim)
        least = asked.setdefault((claim.by, levels_of(design, claim)), [0.0] * len(CORNERS))
        scale = outcome_scale(design, claim.at_least)
        for place in region_of(claim, _ANY_CORNERS, scale).rests_on:
            k = CORNERS.index(corner_of(place, getattr(claim, "capital", None)))
            least[k] = max(least[k], _least(claim, place, scale))
    for (by, levels), needed in asked.items():
        firms = sample.support(levels).firms
        for column, label in sample.columns(by):
            yield Around(by, label, levels, tuple(map(float, firms[:, column])), tuple(needed))


_ANY_CORNERS: Final = {
    corner: np.full((1, 1), value)
    for corner, value in zip(CORNERS, (0.1, 0.2, 0.2, 0.4), strict=True)
}
"""Corners of no fit: on which ones a claim rests does not depend on their values."""
