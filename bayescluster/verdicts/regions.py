"""The region that decides each claim about corners, declared or by default, and claims in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np

from bayescluster.arrays import Array, Events
from bayescluster.checks.thresholds import KAPPA
from bayescluster.dataset.values import label_of
from bayescluster.names import CLUSTER, INDUSTRY
from bayescluster.spec.hypotheses import (
    Complementarity,
    Contextual,
    Difference,
    Effect,
    Hypothesis,
    JointSufficiency,
    Necessary,
    NecessaryNotSufficient,
    NotSufficient,
    Sufficient,
)
from bayescluster.verdicts.compensation import (
    CornerDraws,
    OutcomeScale,
    as_seen_by,
    compensation,
)

ASSESS: Final = 0.25
"""Default of the least probability or share with both high at which anything can be judged."""
ASSESS_SD: Final = 0.5
"""The same for other outcomes: rise from both low to both high, in standard deviations."""
RATIO: Final = 1 / 3
"""Default of the outcome without a capital, as a share of that with both, that counts as low."""
THETA: Final = 0.75
"""Default of common, for probabilities and shares."""
THETA_NOT: Final = 0.50
"""Default of not enough, for probabilities and shares: no more likely than not, at most half."""
DELTA: Final = 0.10
"""Default of well short of both high, for probabilities and shares."""
MARGIN: Final = 0.05
"""Default of a cross difference that counts, for probabilities and shares."""
MARGIN_SD: Final = 0.1
"""The same for other outcomes, in standard deviations."""

AssessedClaim = Necessary | Sufficient | NotSufficient | NecessaryNotSufficient
CornerClaim = AssessedClaim | JointSufficiency | Complementarity

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
    "not_sufficient": "{capital} alone is not sufficient",
    "necessary_not_sufficient": "{capital} is necessary but not sufficient",
    "joint_sufficiency": "Both capitals together are sufficient",
    "complementarity": "The capitals are complements",
}


class Part(NamedTuple):
    """One condition of a region: in words, the draws that meet it, and the corners it rests on.

    Corners are named as the capital of the claim sees them: neither, own, other, both.
    """

    words: str
    event: Events
    rests_on: tuple[str, ...]
    name: str = ""


class Region(NamedTuple):
    """Conditions that all have to hold, and where the claim can be assessed at all, if it is a question."""

    parts: tuple[Part, ...]
    assessable: Part | None = None

    @property
    def words(self) -> str:
        """The region in words."""
        return "; ".join(part.words for part in self._every_part)

    @property
    def event(self) -> Events:
        """Draws in the region, ``(draw, group)``."""
        found: Events = np.logical_and.reduce([part.event for part in self.parts])
        return found if self.assessable is None else found & self.assessable.event

    @property
    def rests_on(self) -> tuple[str, ...]:
        """All corners that the claim rests on."""
        return tuple(dict.fromkeys(place for part in self._every_part for place in part.rests_on))

    @property
    def _every_part(self) -> tuple[Part, ...]:
        return self.parts if self.assessable is None else (self.assessable, *self.parts)


def region_of(claim: CornerClaim, corners: dict[str, Array], scale: OutcomeScale) -> Region:
    """Region that decides a claim, and the draws that fall in it.

    ``corners`` holds the expected outcome at each corner (LL, HL, LH, HH), or the probability that the
    outcome is at least some level, ``(draw, group)``.
    """
    p = as_seen_by(corners, getattr(claim, "capital", None))
    match claim:
        case Necessary():
            needed = tuple(_needed(claim, p, scale))
            return Region(needed, _assessable(claim, p, scale, needed[0]))
        case NotSufficient():
            return Region(tuple(_short(claim, p, scale)), _assessable(claim, p, scale))
        case NecessaryNotSufficient():
            needed = tuple(_needed(claim, p, scale))
            assessable = _assessable(claim, p, scale, needed[0])
            return Region((*needed, *_short(claim, p, scale)), assessable)
        case Sufficient():
            return _common(claim, p, scale)
        case JointSufficiency():
            theta = THETA if claim.theta is None else claim.theta
            return Region(
                (
                    Part(
                        f"{scale.quantity} at least {theta:g} with both high",
                        p.both >= theta,
                        ("both",),
                    ),
                    Part("below that with both low", p.neither < theta, ("neither",)),
                )
            )
        case Complementarity():
            return Region(tuple(_complements(claim, p, scale)))


def _assessable(
    claim: AssessedClaim, p: CornerDraws, scale: OutcomeScale, low: Part | None = None
) -> Part:
    """Where both capitals bring about enough for a claim to be judged.

    A share of the way is defined only where there is a way; where the outcome is not even ``low``
    without the capital, none is needed to reject.
    """
    if scale.bounded:
        least = ASSESS if claim.assess is None else claim.assess
        words, event = f"{scale.quantity} at least {least:g} with both high", p.both >= least
        rests: tuple[str, ...] = ("both",)
    else:
        least = ASSESS_SD * scale.sd if claim.assess is None else claim.assess
        words = f"{scale.quantity} with both high at least {least:.3g} above that with both low"
        event, rests = p.both - p.neither >= least, ("neither", "both")
    if low is not None:
        event = event & ((compensation(p, scale).span >= scale.least_span) | ~low.event)
    return Part(words, event, rests, "assessable")


def _needed(
    claim: Necessary | NecessaryNotSufficient, p: CornerDraws, scale: OutcomeScale
) -> Iterator[Part]:
    """Low without the capital, and not made up for by the other one."""
    where = "with it low and the other high"
    if claim.ratio is not None or scale.has_ratio:
        ratio = RATIO if claim.ratio is None else claim.ratio
        words = f"{where}, at most {ratio:.3g} of that with both high"
        yield Part(words, p.other <= ratio * p.both, ("other", "both"), "ratio")
    limit = KAPPA if claim.kappa is None else claim.kappa
    covers = compensation(p, scale).other
    words = (
        f"the other capital alone covers at most {limit:.0%} of the way from both low to both high "
        f"({scale.link} scale)"
    )
    yield Part(words, covers <= limit, ("neither", "other", "both"), "kappa")
    if claim.eps is not None:
        yield Part(f"{where}, at most {claim.eps:g}", p.other <= claim.eps, ("other",), "eps")


def _short(
    claim: NotSufficient | NecessaryNotSufficient, p: CornerDraws, scale: OutcomeScale
) -> Iterator[Part]:
    """With the capital alone not enough, and well short of both high."""
    where = "with it high and the other low"
    limit = THETA_NOT if claim.theta_not is None and scale.bounded else claim.theta_not
    delta = DELTA if claim.delta is None and scale.bounded else claim.delta
    if limit is not None:
        yield Part(f"{where}, at most {limit:g}", p.own <= limit, ("own",), "theta_not")
    if delta is not None:
        words = f"{where}, at least {delta:g} below that with both high"
        yield Part(words, p.both - p.own >= delta, ("own", "both"), "delta")


def _common(claim: Sufficient, p: CornerDraws, scale: OutcomeScale) -> Region:
    """Common with only this capital, though not with neither: else nothing is shown to suffice."""
    where = "with it high and the other low"
    if claim.ratio is not None:
        words = f"{scale.quantity} {where} at least {claim.ratio:.3g} of that with both high"
        parts = (
            Part(words, p.own >= claim.ratio * p.both, ("own", "both"), "ratio"),
            Part("below that with both low", p.neither < claim.ratio * p.both, ("neither", "both")),
        )
        return Region(parts, _assessable(claim, p, scale))
    theta = THETA if claim.theta is None else claim.theta
    words = f"{scale.quantity} {where} at least {theta:g}"
    return Region(
        (
            Part(words, p.own >= theta, ("own",), "theta"),
            Part("below that with both low", p.neither < theta, ("neither",)),
        )
    )


ALL_CORNERS: Final = ("neither", "own", "other", "both")
OUTCOME_PART, LINK_PART = "outcome", "link"
"""Names of the two conditions of complementarity."""


def _complements(claim: Complementarity, p: CornerDraws, scale: OutcomeScale) -> Iterator[Part]:
    margin = cross_margin(claim, scale)
    cross = p.both - p.own - p.other + p.neither
    words = (
        f"cross difference of the four corners above {margin:.3g} ({scale.quantity.rstrip(',')})"
    )
    yield Part(words, cross > margin, ALL_CORNERS, OUTCOME_PART)
    if scale.link != "outcome":
        words = f"and above 0 on the {scale.link} scale, where a compensatory model has none"
        yield Part(
            words, compensation(p, scale).interaction > scale.rounding, ALL_CORNERS, LINK_PART
        )


def cross_margin(claim: Complementarity, scale: OutcomeScale) -> float:
    """Smallest cross difference that counts, declared or by default."""
    if claim.margin is not None:
        return claim.margin
    return MARGIN if scale.bounded else MARGIN_SD * scale.sd


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
    if isinstance(claim, Contextual):
        return _context_title(claim, capital)
    if isinstance(claim, Difference):
        kind = kind_compared(claim)
        if claim.of == "effect":
            return f"{capital} matters more in the first {kind} than in the second"
        if claim.of == "compensation":
            return f"A lack of {capital.lower()} is made up for more in the first {kind} than in the second"
        title = TITLES[claim.of].format(capital=capital)
        return f"{title} in the first {kind}, and not in the second"
    level = getattr(claim, "at_least", None)
    reaching = "" if level is None else f", for reaching {label_of(level)}"
    return f"{TITLES[claim.kind].format(capital=capital)}{reaching}"


def _context_title(claim: Contextual, capital: str) -> str:
    name = capital.lower()
    if claim.measure == "whole":
        where = "the whole cluster" if claim.around == CLUSTER else "all rows of the firm"
        way = "higher" if claim.direction == "positive" else "lower"
        return f"More {name} in {where} goes with a {way} expected outcome"
    verb = "adds to" if claim.direction == "positive" else "detracts from"
    if claim.around == CLUSTER:
        return f"The cluster's {name} {verb} the firm's own"
    return f"The firm's lasting {name} {verb} that of the row"


def kind_compared(claim: Difference) -> str:
    """What a difference is between, in words: industries, clusters, or groups of another column."""
    return claim.by if claim.by in (INDUSTRY, CLUSTER) else "group"


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
