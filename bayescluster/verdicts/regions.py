"""The region that decides each claim about corners, declared or by default, and claims in words."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayescluster.arrays import Array
from bayescluster.dataset.values import label_of
from bayescluster.design.record import Design
from bayescluster.spec.base import Scalar
from bayescluster.spec.hypotheses import (
    Complementarity,
    Difference,
    Effect,
    Hypothesis,
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

EXPECTED: Final = "expected outcome"
"""The quantity at the corners where a claim names no level of the outcome."""

RESTS_ON: dict[str, tuple[str, ...]] = {
    "necessary": ("other", "both"),
    "sufficient": ("own", "both", "neither"),
    "insufficient": ("own", "both"),
    "necessary_not_sufficient": ("other", "own", "both"),
    "joint_sufficiency": ("both", "neither"),
    "complementarity": ("neither", "own", "other", "both"),
}
"""Corners, as the capital of the claim sees them, that must have firms near them."""

CAPITAL_WORDS: Final = {"human_capital": "human capital", "social_capital": "social capital"}

CORNER_WORDS: Final = {
    "LL": "both low",
    "HL": "human capital high, social capital low",
    "LH": "human capital low, social capital high",
    "HH": "both high",
}

TITLES: Final = {
    "necessary": "{capital} is necessary",
    "sufficient": "{capital} is sufficient",
    "insufficient": "{capital} alone is not sufficient",
    "necessary_not_sufficient": "{capital} is necessary but not sufficient",
    "joint_sufficiency": "Both capitals together are sufficient",
    "complementarity": "The capitals are complements",
}


def region_of(claim: CornerClaim, corners: dict[str, Array], quantity: str = EXPECTED) -> Region:
    """Region that decides a claim, and the draws that fall in it.

    ``corners`` holds the expected outcome at each corner (LL, HL, LH, HH), or the probability that the
    outcome is at least some level, ``(draw, group)``; ``quantity`` is the same in words.
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
            words = f"cross difference of the four corners{of} above {claim.margin:g}"
            return Region(words, cross > claim.margin)


def _oriented(corners: dict[str, Array], capital: str | None) -> CornerDraws:
    if capital == "social_capital":
        return CornerDraws(corners["LL"], corners["LH"], corners["HL"], corners["HH"])
    return CornerDraws(corners["LL"], corners["HL"], corners["LH"], corners["HH"])


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
    """Common with only this capital, though not with neither: else nothing is shown to suffice."""
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


def corner_of(place: str, capital: str | None) -> str:
    """Name a corner (human, then social) from how a capital sees it."""
    own, other = ("LH", "HL") if capital == "social_capital" else ("HL", "LH")
    return {"neither": "LL", "own": own, "other": other, "both": "HH"}[place]


def title_of(claim: Hypothesis) -> str:
    """The claim as a sentence without its full stop."""
    capital = CAPITAL_WORDS.get(getattr(claim, "capital", ""), "").capitalize()
    if isinstance(claim, Effect):
        way = "higher" if claim.direction == "positive" else "lower"
        return f"More {capital.lower()} goes with a {way} expected outcome"
    if isinstance(claim, Difference):
        return f"{capital} matters more in the first industry than in the second"
    level = getattr(claim, "at_least", None)
    reaching = "" if level is None else f", for reaching {label_of(level)}"
    return f"{TITLES[claim.kind].format(capital=capital)}{reaching}"


def quantity_of(design: Design, at_least: Scalar | None) -> str:
    """The quantity at the corners in words; ``at_least`` is the level that the claim names."""
    level = design.equation.at_least if at_least is None else at_least
    if level is None:
        return EXPECTED
    return f"probability that {design.quantity} is at least {label_of(level)},"


def reason_of(verdict: str, probability: float, level: float) -> str:
    """Why the probability gives this verdict."""
    share = percent(probability)
    match verdict:
        case "supported":
            return f"{share} of the posterior lies in the region, at least the {_bound(level)} asked for."
        case "rejected":
            return (
                f"{share} of the posterior lies in the region, at most the {_bound(1 - level)} "
                "below which the claim is given up."
            )
        case _:
            return (
                f"{share} of the posterior lies in the region: between {_bound(1 - level)} "
                f"and {_bound(level)} the data do not decide."
            )


def _bound(level: float) -> str:
    """A declared level as per cent, with the digits it was declared with."""
    return f"{100 * level:.4g}%"


def percent(share: float) -> str:
    """A share as per cent, never rounded to certainty."""
    if share > 0.999:
        return "More than 99.9%"
    if share < 0.001:
        return "Less than 0.1%"
    return f"{100 * share:.1f}%"
