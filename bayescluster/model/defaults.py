"""Default priors of the coefficients, stated for standardised capitals.

On a logit or log link a slope is Normal(0, 1); on the identity link it is multiplied by the standard
deviation of the outcome, and on the probit link by `PROBIT_UNIT`. Levels are centred on the mean of
the outcome, or of its logarithm (on 0 for a logit or probit).
The corners of the conjunctive form lean towards an outcome that is rare where a capital is low and
common where both are high, by one standard deviation of the prior: a lean, not an order, since
substitution is a finding too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from bayescluster import names
from bayescluster.arrays import Array
from bayescluster.design.record import Design
from bayescluster.spec.priors import Beta, Distribution, HalfNormal, LogNormal, Normal

INTERCEPT_SD = 1.5
SLOPE_SD = 1.0
GROUP_SD = 0.5
IDENTITY_INTERCEPT_SD = 2.5
"""Standard deviations of the defaults; the last in units of the outcome's standard deviation."""
PROBIT_UNIT = 3**0.5 / np.pi
"""One on the logit scale, on the probit scale: their noises have sds pi / sqrt(3) and 1.

So the prior says the same about probabilities, and about claims, whichever of the two is chosen.
"""
GATE_THRESHOLD_SD = 0.7
GATE_STEEPNESS = LogNormal(mean_log=float(np.log(2.0)), sd_log=0.5)
"""Gates open within the data, and over about two standard deviations of a capital."""
CES_SHARE = Beta(a=2.0, b=2.0)
CES_SUBSTITUTION = Normal(mean=0.0, sd=2.0)
CES_GAIN_SD = 2.0
CORNER_SD = 1.0

CORNER_MEANS: dict[str, dict[str, float]] = {
    "logit": {
        names.NEITHER: -2.0,
        names.HUMAN_ONLY: -1.0,
        names.SOCIAL_ONLY: -1.0,
        names.BOTH: 1.0,
    },
    "other": {
        names.NEITHER: -0.5,
        names.HUMAN_ONLY: 0.0,
        names.SOCIAL_ONLY: 0.0,
        names.BOTH: 0.5,
    },
}
"""Prior means of the corners: on the logit scale, else in units around the level of the outcome."""


class Baseline(NamedTuple):
    """What default priors are stated in: the level of the outcome on the link, and one unit."""

    link: str
    level: float
    unit: float
    ordinal: bool


def baseline_of(design: Design) -> Baseline:
    """Level and unit of a design's outcome, on the scale of its link."""
    return Baseline(design.family.link, _level(design), _unit(design), bool(design.levels))


def on_link_scale(design: Design) -> Array:
    """Known outcomes on the scale of their noise, ``(answered row,)``: as they are, where there is no such scale."""
    found = design.family.on_link_scale
    return design.answers if found is None else found(design.answers)


def _unit(design: Design) -> float:
    """What one on the logit scale is on the scale of the link."""
    if design.family.link == "identity":
        return float(design.answers.std(ddof=1))
    return PROBIT_UNIT if design.family.link == "probit" else 1.0


def _level(design: Design) -> float:
    if design.family.on_link_scale is not None:
        return float(on_link_scale(design).mean())
    if design.family.link == "log":
        return float(np.log(design.answers.sum() / np.exp(design.offset[design.answered]).sum()))
    return 0.0


def default_prior(term: str, baseline: Baseline) -> Distribution:
    """Prior of a coefficient where the analysis states none."""
    return DEFAULTS[term](baseline)


def slope(baseline: Baseline) -> Normal:
    """Prior of the slope of a standardised input."""
    return Normal(mean=0.0, sd=SLOPE_SD * baseline.unit)


def _intercept(baseline: Baseline) -> Normal:
    sd = IDENTITY_INTERCEPT_SD if baseline.link == "identity" else INTERCEPT_SD
    return Normal(mean=baseline.level, sd=sd * baseline.unit)


def _corner(name: str) -> Callable[[Baseline], Normal]:
    def prior(baseline: Baseline) -> Normal:
        means = CORNER_MEANS["logit" if baseline.link in {"logit", "probit"} else "other"]
        # against the lowest corner, whose place the cutpoints of an ordinal outcome take
        mean = means[name] - (means[names.NEITHER] if baseline.ordinal else 0.0)
        return Normal(mean=baseline.level + mean * baseline.unit, sd=CORNER_SD * baseline.unit)

    return prior


def _threshold(_: Baseline) -> Normal:
    return Normal(mean=0.0, sd=GATE_THRESHOLD_SD)


def _steepness(_: Baseline) -> LogNormal:
    return GATE_STEEPNESS


DEFAULTS: dict[str, Callable[[Baseline], Distribution]] = {
    names.INTERCEPT: _intercept,
    names.HUMAN_CAPITAL: slope,
    names.SOCIAL_CAPITAL: slope,
    names.INTERACTION: slope,
    names.NEITHER: _corner(names.NEITHER),
    names.HUMAN_ONLY: _corner(names.HUMAN_ONLY),
    names.SOCIAL_ONLY: _corner(names.SOCIAL_ONLY),
    names.BOTH: _corner(names.BOTH),
    names.HUMAN_THRESHOLD: _threshold,
    names.HUMAN_STEEPNESS: _steepness,
    names.SOCIAL_THRESHOLD: _threshold,
    names.SOCIAL_STEEPNESS: _steepness,
    names.GAIN: lambda baseline: HalfNormal(sd=CES_GAIN_SD * baseline.unit),
    names.SHARE: lambda _: CES_SHARE,
    names.SUBSTITUTION: lambda _: CES_SUBSTITUTION,
}
"""By term of a structural form. A test holds the table to that of the terms."""
