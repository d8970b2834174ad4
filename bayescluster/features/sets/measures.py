"""Calibration of sets, and measures of their relations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.special import expit

from bayescluster.arrays import Array, total_by_group
from bayescluster.names import OUTCOME

Total = Callable[[Array], Array]
"""``(..., row) -> (...)`` or ``(..., group)``."""


class Necessity(NamedTuple):
    """How far the outcome is within the condition; ``relevance`` (RoN) is low for trivial conditions."""

    consistency: Array
    relevance: Array
    coverage: Array


class Sufficiency(NamedTuple):
    """How far the condition is within the outcome; ``pri`` leaves out what is within its absence too."""

    consistency: Array
    pri: Array
    coverage: Array


def total_of(weights: Array | None = None, members: NDArray[np.bool_] | None = None) -> Total:
    """Make a total over rows.

    Parameters
    ----------
    weights
        What each row counts, ``(row,)`` or ``(replicate, row)``.
    members
        ``(row, group)``: totals are then by group.
    """
    if members is None:
        return lambda values: np.asarray(
            (values if weights is None else values * weights).sum(axis=-1)
        )
    groups = csr_array(members.T.astype(float))

    def by_group(values: Array) -> Array:
        return total_by_group(values if weights is None else values * weights, groups)

    return by_group


PLAIN: Total = total_of()
ROUNDING: Final = 1e-12
"""A consistency of 4/5 may be a little less than 0.8 in binary; it reaches the cut all the same."""


def reaches(value: Array, cut: float) -> NDArray[np.bool_]:
    """Whether a measure is at or above a cut; what is not defined reaches none."""
    return np.asarray(value >= cut - ROUNDING)


def negation(one: Array) -> Array:
    """Membership in the absence of a set."""
    return 1.0 - one


def conjunction(*sets: Array) -> Array:
    """Membership in all sets at once: the smallest."""
    return reduce(np.minimum, sets)


def disjunction(*sets: Array) -> Array:
    """Membership in any of the sets: the largest."""
    return reduce(np.maximum, sets)


def necessity(condition: Array, outcome: Array, total: Total = PLAIN) -> Necessity:
    """Measure how far a condition is necessary for an outcome."""
    both = np.minimum(condition, outcome)
    shared = total(both)
    return Necessity(
        _ratio(shared, total(outcome)),
        _ratio(total(negation(condition)), total(negation(both))),
        _ratio(shared, total(condition)),
    )


def sufficiency(condition: Array, outcome: Array, total: Total = PLAIN) -> Sufficiency:
    """Measure how far a condition is sufficient for an outcome."""
    both = np.minimum(condition, outcome)
    # what is within the outcome and within its absence supports neither
    of_either = total(np.minimum(both, negation(outcome)))
    shared, had = total(both), total(condition)
    return Sufficiency(
        _ratio(shared, had),
        _ratio(shared - of_either, had - of_either),
        _ratio(shared, total(outcome)),
    )


def passes(measured: Sufficiency, consistency: float, pri: float) -> NDArray[np.bool_]:
    """Whether a set is coded as sufficient; a PRI cut of 0 asks nothing of the PRI."""
    enough = reaches(measured.consistency, consistency)
    return enough & reaches(measured.pri, pri) if pri > 0 else enough


def unique_coverage(
    terms: Sequence[Array], outcome: Array, total: Total = PLAIN
) -> tuple[Array, ...]:
    """Coverage that only this term of a solution adds, ``(...)`` a term."""
    whole = total(np.minimum(disjunction(*terms), outcome))
    had = total(outcome)
    coverages = []
    for k in range(len(terms)):
        rest = [*terms[:k], *terms[k + 1 :]]
        others = total(np.minimum(disjunction(*rest), outcome)) if rest else np.zeros_like(whole)
        coverages.append(_ratio(whole - others, had))
    return tuple(coverages)


def spread_between(of_groups: Array) -> Array:
    """Distance of consistencies between groups from equality (dBP), ``(..., group) -> (...)``.

    Groups for which the consistency is not defined are left out; 0 where all agree.
    """
    defined = ~np.isnan(of_groups)
    shares = _ratio(of_groups, np.nansum(of_groups, axis=-1, keepdims=True))
    count = defined.sum(axis=-1, keepdims=True)
    apart = np.where(defined, shares - 1.0 / np.maximum(count, 1), 0.0)
    return np.asarray(np.sqrt((apart**2).sum(axis=-1)))


def _ratio(part: Array, whole: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(whole > 0, part / np.where(whole > 0, whole, 1.0), np.nan))


LOG_ODDS: Final = float(np.log(0.95 / 0.05))
"""Log odds of membership at the anchor of inclusion; its negative at that of exclusion."""
AMBIGUOUS: Final = 0.5
"""Membership at the crossover: neither in nor out."""


def calibrate(values: Array, anchors: Array) -> Array:
    """Memberships of values in a set.

    Parameters
    ----------
    values
        ``(row,)``, or with leading replicates.
    anchors
        Exclusion, crossover and inclusion along the last axis, ``(..., 3)``, rising or falling; of
        several replicates each has its own.

    Returns
    -------
    ndarray
        ``(..., row)``: .05 at exclusion, .5 at the crossover, .95 at inclusion; NaN stays NaN.
    """
    exclusion, crossover, inclusion = (anchors[..., [k]] for k in range(3))
    beyond = values - crossover
    # positive towards inclusion, whichever way the anchors run
    towards = beyond / (inclusion - crossover)
    away = beyond / (crossover - exclusion)
    return np.asarray(expit(LOG_ODDS * np.where(towards >= 0, towards, away)))


def in_order(anchors: Array) -> NDArray[np.bool_]:
    """Whether anchors rise or fall strictly, ``(...)``."""
    steps = np.diff(anchors, axis=-1)
    return np.asarray((steps > 0).all(axis=-1) | (steps < 0).all(axis=-1))


def drawn_anchors(anchors: Array, sd: Array, count: int, rng: np.random.Generator) -> Array:
    """Draws of anchors, ``(replicate, 3)``; one row where they are certain.

    Each is normal around its value, and all three are drawn again until they are in the order in
    which they were declared: the prior is cut to sets that point the same way.
    """
    if not sd.any():
        return anchors[None, :]
    way = np.sign(anchors[2] - anchors[0])
    drawn = np.empty((count, 3))
    pending = np.arange(count)
    while pending.size:
        drawn[pending] = anchors + sd * rng.normal(size=(pending.size, 3))
        kept = (way * np.diff(drawn[pending], axis=1) > 0).all(axis=1)
        pending = pending[~kept]
    return drawn


def is_crisp(values: Array) -> bool:
    """Whether all known values are 0 or 1: a crisp set needs no calibration."""
    return bool(np.isin(values[~np.isnan(values)], (0.0, 1.0)).all())


HUMAN, SOCIAL, EITHER, BOTH = "H", "S", "H+S", "H*S"
HUMAN_ONLY, SOCIAL_ONLY, NEITHER = "H*~S", "~H*S", "~H*~S"
NECESSARY: Final = (HUMAN, SOCIAL, EITHER)
"""Expressions whose necessity is measured."""
SUFFICIENT: Final = (HUMAN, SOCIAL, BOTH, HUMAN_ONLY, SOCIAL_ONLY, NEITHER)
"""Expressions whose sufficiency is measured; the last four are the rows of the truth table."""


def expressions(human: Array, social: Array) -> dict[str, Array]:
    """Memberships in every combination of the capitals."""
    not_human, not_social = negation(human), negation(social)
    return {
        HUMAN: human,
        SOCIAL: social,
        EITHER: disjunction(human, social),
        BOTH: conjunction(human, social),
        HUMAN_ONLY: conjunction(human, not_social),
        SOCIAL_ONLY: conjunction(not_human, social),
        NEITHER: conjunction(not_human, not_social),
    }


WORDS: Final = {
    HUMAN: "human capital",
    SOCIAL: "social capital",
    EITHER: "either capital",
    BOTH: "both capitals together",
    HUMAN_ONLY: "human capital without social capital",
    SOCIAL_ONLY: "social capital without human capital",
    NEITHER: "neither capital",
    OUTCOME: "the outcome",
}
"""Names of expressions within a sentence."""


class Measured(NamedTuple):
    """Measures by expression, each ``(replicate, group)``, and firms with membership above .5.

    ``cases`` counts by expression, and those in the outcome under its own name.
    """

    necessity: dict[str, Necessity]
    sufficiency: dict[str, Sufficiency]
    cases: dict[str, Array]


def joined(parts: Sequence[Measured]) -> Measured:
    """Chunks of replicates one after the other."""
    first = parts[0]
    if len(parts) == 1:
        return first

    def along(arrays: list[Array]) -> Array:
        return np.concatenate(arrays)

    return Measured(
        {
            name: Necessity(*(along([part.necessity[name][k] for part in parts]) for k in range(3)))
            for name in first.necessity
        },
        {
            name: Sufficiency(
                *(along([part.sufficiency[name][k] for part in parts]) for k in range(3))
            )
            for name in first.sufficiency
        },
        {name: along([part.cases[name] for part in parts]) for name in first.cases},
    )
