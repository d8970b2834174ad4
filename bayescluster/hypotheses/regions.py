"""The region that decides each claim about corners: what is declared, or the default.

``p`` with two letters is the expected outcome at (human, social) low or high; for a claim about
social capital the letters change places. Necessity and sufficiency are statements about the
corners of the outcome surface, each with a declared tolerance. An absolute region also asks that the
corner stands out: where upgrading is rare everywhere, no capital is shown to be necessary, and where
it is common everywhere, none to suffice.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayescluster.arrays import Array
from bayescluster.spec.hypotheses import (
    Complementarity,
    Insufficient,
    JointSufficiency,
    Necessary,
    NecessaryNotSufficient,
    Sufficient,
)

Events = NDArray[np.bool_]

EPS: Final = 0.10
"""Default of rare, for probabilities and shares."""
THETA: Final = 0.75
"""Default of common, for probabilities and shares."""
THETA_NOT: Final = 0.50
"""Default of not enough, for probabilities and shares: no more likely than not, at most half."""

CornerClaim = (
    Necessary
    | Sufficient
    | Insufficient
    | NecessaryNotSufficient
    | JointSufficiency
    | Complementarity
)


class CornerDraws(NamedTuple):
    """Expected outcome at the corners as one capital sees them, each ``(draw, group)``."""

    neither: Array
    own: Array
    """The capital of the claim high, the other low."""
    other: Array
    """The capital of the claim low, the other high."""
    both: Array


class Region(NamedTuple):
    """A region in words, and the test that draws fall in it."""

    words: str
    event: Events


def _oriented(corners: dict[str, Array], capital: str | None) -> CornerDraws:
    if capital == "social_capital":
        return CornerDraws(corners["LL"], corners["LH"], corners["HL"], corners["HH"])
    return CornerDraws(corners["LL"], corners["HL"], corners["LH"], corners["HH"])


EXPECTED: Final = "expected outcome"
"""What stands at the corners where no level of the outcome is asked for."""


def region_of(claim: CornerClaim, corners: dict[str, Array], quantity: str = EXPECTED) -> Region:
    """Say which region decides a claim, and which draws fall in it.

    Parameters
    ----------
    claim
        The claim.
    corners
        What stands at each corner (LL, HL, LH, HH), ``(draw, group)``: the expected outcome, or the
        probability that the outcome is at least some level.
    quantity
        The same in words.
    """
    p = _oriented(corners, getattr(claim, "capital", None))
    match claim:
        case Necessary():
            return _rare(p, claim.eps, claim.ratio, quantity)
        case Sufficient():
            return _common(p, claim.theta, claim.ratio, quantity)
        case Insufficient():
            return _not_enough(p, claim.theta_not, claim.delta, quantity)
        case NecessaryNotSufficient():
            rare = _rare(p, claim.eps, claim.ratio, quantity)
            short = _not_enough(p, claim.theta_not, claim.delta, quantity)
            return Region(f"{rare.words}, and {short.words}", rare.event & short.event)
        case JointSufficiency():
            theta = THETA if claim.theta is None else claim.theta
            words = f"{quantity} at least {theta:g} with both high, and below that with both low"
            return Region(words, (p.both >= theta) & (p.neither < theta))
        case Complementarity():
            cross = p.both - p.own - p.other + p.neither
            of = "" if quantity == EXPECTED else f" (of the {quantity.rstrip(',')})"
            return Region(
                f"cross difference of the four corners{of} above {claim.margin:g}",
                cross > claim.margin,
            )


def _rare(p: CornerDraws, eps: float | None, ratio: float | None, quantity: str) -> Region:
    """Rare without the capital, though not rare with both: where all is rare, nothing is needed."""
    if ratio is not None:
        words = (
            f"{quantity} with it low and the other high at most {ratio:g} of that with both high"
        )
        return Region(words, p.other <= ratio * p.both)
    limit = EPS if eps is None else eps
    words = (
        f"{quantity} at most {limit:g} with it low and the other high, "
        "and above that with both high"
    )
    return Region(words, (p.other <= limit) & (p.both > limit))


def _common(p: CornerDraws, theta: float | None, ratio: float | None, quantity: str) -> Region:
    """Common with the capital alone, though not with neither: else nothing is shown to suffice."""
    if ratio is not None:
        words = (
            f"{quantity} with it high and the other low at least {ratio:g} of that with both "
            "high, and below that with both low"
        )
        return Region(words, (p.own >= ratio * p.both) & (p.neither < ratio * p.both))
    limit = THETA if theta is None else theta
    words = (
        f"{quantity} at least {limit:g} with it high and the other low, "
        "and below that with both low"
    )
    return Region(words, (p.own >= limit) & (p.neither < limit))


def _not_enough(
    p: CornerDraws, theta_not: float | None, delta: float | None, quantity: str
) -> Region:
    if delta is not None:
        words = f"{quantity} with it high and the other low at least {delta:g} below that with both high"
        return Region(words, p.both - p.own >= delta)
    limit = THETA_NOT if theta_not is None else theta_not
    words = f"{quantity} at most {limit:g} with it high and the other low"
    return Region(words, p.own <= limit)


RESTS_ON: dict[str, tuple[str, ...]] = {
    "necessary": ("other", "both"),
    "sufficient": ("own", "both", "neither"),
    "insufficient": ("own", "both"),
    "necessary_not_sufficient": ("other", "own", "both"),
    "joint_sufficiency": ("both", "neither"),
    "complementarity": ("neither", "own", "other", "both"),
}
"""Corners, as the capital of the claim sees them, that must have firms near them."""


def corner_of(place: str, capital: str | None) -> str:
    """Name a corner (human, then social) from how a capital sees it."""
    own, other = ("LH", "HL") if capital == "social_capital" else ("HL", "LH")
    return {"neither": "LL", "own": own, "other": other, "both": "HH"}[place]
