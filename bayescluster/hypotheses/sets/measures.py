"""How far one set is within another: necessity, sufficiency, and their spread between groups.

All functions take memberships with the rows along the last axis and any replicates before it. A
`Total` adds over the rows: plainly, with weights, or group by group. A measure whose denominator is
0 is NaN: of a set without members nothing can be said.

Sources: Ragin (2006) on consistency and coverage; Schneider and Wagemann (2012) on the proportional
reduction in inconsistency (PRI) and the relevance of necessity (RoN); Garcia-Castro and Arino (2016)
on pooled and between-cluster consistency.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayescluster.arrays import Array

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
    columns = members.astype(float)
    return lambda values: _by_group(values, weights, columns)


def _by_group(values: Array, weights: Array | None, columns: Array) -> Array:
    """Totals by group, ``(..., group)``, by one product of matrices wherever one will do."""
    if weights is None:
        return np.asarray(values @ columns)
    if weights.ndim == 1 or len(weights) == 1:
        return np.asarray(values @ (weights.reshape(-1, 1) * columns))
    if values.ndim == 1 or len(values) == 1:
        return np.asarray(weights @ (values.reshape(-1, 1) * columns))
    return np.asarray((values * weights) @ columns)


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
    # what is within the outcome and within its absence speaks for neither
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
    """Coverage that each term of a solution alone adds, ``(...)`` a term."""
    whole = total(np.minimum(disjunction(*terms), outcome))
    had = total(outcome)
    found = []
    for k in range(len(terms)):
        rest = [*terms[:k], *terms[k + 1 :]]
        others = total(np.minimum(disjunction(*rest), outcome)) if rest else np.zeros_like(whole)
        found.append(_ratio(whole - others, had))
    return tuple(found)


def spread_between(of_groups: Array) -> Array:
    """Distance of consistencies between groups from equality (dBP), ``(..., group) -> (...)``.

    Groups for which the consistency is not defined are left out; 0 where all agree.
    """
    known = ~np.isnan(of_groups)
    shares = _ratio(of_groups, np.nansum(of_groups, axis=-1, keepdims=True))
    count = known.sum(axis=-1, keepdims=True)
    apart = np.where(known, shares - 1.0 / np.maximum(count, 1), 0.0)
    return np.asarray(np.sqrt((apart**2).sum(axis=-1)))


def _ratio(part: Array, whole: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(whole > 0, part / np.where(whole > 0, whole, 1.0), np.nan))
