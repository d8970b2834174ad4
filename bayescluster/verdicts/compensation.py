"""How far one capital makes up for the other, on a scale where an additive model shows no interaction.

At low base rates a logit is nearly multiplicative: a statement about probabilities alone then holds
whatever the capitals do together. The share of the way from both low to both high that one capital
covers by itself, on the link scale, does not depend on the base rate.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from scipy.special import logit, ndtri

from bayescluster.arrays import Array
from bayescluster.dataset.values import label_of
from bayescluster.design.claims import is_bounded
from bayescluster.design.record import Design
from bayescluster.spec.base import Scalar

NEAREST: Final = 1e-6
"""Probabilities nearer to 0 or 1 than this are taken as this near."""
SPAN_LOGIT, SPAN_PROBIT, SPAN_LOG, SPAN_SD = 0.5, 0.3, 0.2, 0.2
"""Least way from both low to both high, on the link scale, of which a capital can cover a share: half a
logit, the like in probits and logarithms, and a fifth of a standard deviation of an amount."""

ROUNDING: Final = 1e-9
"""An additive form has a cross difference of 0 on the link scale, up to the last digits of its corners."""
EXPECTED: Final = "expected outcome"
"""The quantity at the corners where a claim names no level of the outcome."""


class OutcomeScale(NamedTuple):
    """The scale on which corners are compared.

    ``to_link`` takes an expected outcome to the link scale, whose name is ``link``; ``least_span`` is the
    least way on it from both low to both high at which compensation is defined. ``sd`` is the
    standard deviation of the outcome as reported; ``bounded`` says that it is a probability or share.
    On a logit scale they are taken between ``ends``.
    ``rounding`` is how far above 0 a cross difference on the link scale can be for want of digits.
    """

    quantity: str
    bounded: bool
    link: str
    to_link: Callable[[Array], Array]
    least_span: float
    sd: float
    ends: tuple[float, float] = (0.0, 1.0)
    rounding: float = ROUNDING

    @property
    def has_ratio(self) -> bool:
        """Whether a share of an expected outcome has a meaning: amounts may be 0 or below."""
        return self.bounded or self.link == "logarithmic"


def quantity_of(design: Design, at_least: Scalar | None) -> str:
    """The quantity at the corners in words; ``at_least`` is the level that the claim names."""
    level = design.equation.at_least if at_least is None else at_least
    if level is None:
        return EXPECTED
    return f"probability that {design.quantity} is at least {label_of(level)},"


def outcome_scale(design: Design, at_least: Scalar | None = None) -> OutcomeScale:
    """Scale of the corners of a design, where need be of the probability of reaching a level."""
    reaching = design.reaching(at_least)
    quantity, observed = quantity_of(design, at_least), reaching.reported
    observed = observed[np.isfinite(observed)]
    sd = float(observed.std()) if observed.size else float("nan")
    if is_bounded(reaching.equation):
        if design.family.link == "probit":
            return OutcomeScale(quantity, True, "probit", _probit, SPAN_PROBIT, sd)
        if design.family.plain is not None and reaching.bar is None:
            # a share of zeros of their own bounds the mean; below that bound it is a logit again
            ends = 0.0, 1.0 - float((observed == 0).mean())
            return OutcomeScale(
                quantity, True, "logit", _logit_between(*ends), SPAN_LOGIT, sd, ends
            )
        return OutcomeScale(quantity, True, "logit", _logit, SPAN_LOGIT, sd)
    if design.family.link == "log":
        return OutcomeScale(quantity, False, "logarithmic", _log, SPAN_LOG, sd)
    if design.family.scale == "level":
        ends = float(observed.min()), float(observed.max())
        return OutcomeScale(quantity, False, "logit", _logit_between(*ends), SPAN_LOGIT, sd, ends)
    return OutcomeScale(quantity, False, "outcome", np.asarray, SPAN_SD * sd, sd)


def _logit(mean: Array) -> Array:
    return np.asarray(logit(np.clip(mean, NEAREST, 1 - NEAREST)))


def _probit(mean: Array) -> Array:
    return np.asarray(ndtri(np.clip(mean, NEAREST, 1 - NEAREST)))


def _log(mean: Array) -> Array:
    return np.log(np.maximum(mean, NEAREST))


def _logit_between(low: float, high: float) -> Callable[[Array], Array]:
    """Logit of how far a mean level lies between the lowest and the highest."""
    return lambda mean: _logit((np.asarray(mean) - low) / (high - low))


class CornerDraws(NamedTuple):
    """Expected outcome at the corners as one capital sees them, each ``(draw, group)``."""

    neither: Array
    own: Array
    """The capital of the claim high, the other low."""
    other: Array
    """The capital of the claim low, the other high."""
    both: Array


def as_seen_by(corners: dict[str, Array], capital: str | None) -> CornerDraws:
    """Corners LL, HL, LH, HH (human, then social) as a capital sees them."""
    if capital == "social_capital":
        return CornerDraws(corners["LL"], corners["LH"], corners["HL"], corners["HH"])
    return CornerDraws(corners["LL"], corners["HL"], corners["LH"], corners["HH"])


class Compensation(NamedTuple):
    """Shares of the way from both low to both high on the link scale, each ``(draw, group)``.

    NaN where the way is too short for a share of it to mean anything.
    """

    own: Array
    """What the capital of the claim covers by itself."""
    other: Array
    """What the other capital covers by itself: how far it makes up for a lack of this one."""
    span: Array
    """The way itself, on the link scale."""
    interaction: Array
    """Cross difference of the corners on the link scale: ``(1 - own - other) * span``."""


def compensation(p: CornerDraws, scale: OutcomeScale) -> Compensation:
    """Compute what each capital covers by itself."""
    neither, own, other, both = (scale.to_link(each) for each in p)
    span = both - neither
    way = np.where(span >= scale.least_span, span, np.nan)
    with np.errstate(invalid="ignore"):
        return Compensation(
            (own - neither) / way, (other - neither) / way, span, both - own - other + neither
        )
