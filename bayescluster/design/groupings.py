"""Which effects vary by which grouping, and how they are parameterised."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bayescluster.arrays import Array
from bayescluster.design.parts import Grouping
from bayescluster.design.record import Design
from bayescluster.families.record import Scale
from bayescluster.names import INTERCEPT, group_dim
from bayescluster.spec.equation import VaryingTerms

CORRELATED_FROM = 8
"""Fewest groups whose effects are correlated: below, their correlations are nearly all prior."""

CENTRED_FROM_GROUPS = 8
CENTRED_FROM_INFORMATION = 40.0
"""Information about a group's intercept from which it is sampled centred.

In units of the link: with a group sd near the prior's 0.5 and this much information the data
outweigh the group distribution ten times, and the group's coefficient no longer leans on it.
"""

BETWEEN_AT_MOST = 0.5
"""Largest share of a capital's variance between groups with which their intercepts are centred.

Where a capital hardly varies within groups (a firm's R&D over the years), intercept and slope trade
off in every group at once, and centring the intercepts ties the slope to all of them.
"""

COUNT_CEILING = 10.0
"""Most that one count can say: overdispersion bounds its information, however large it is."""


def groupings(design: Design) -> tuple[Grouping, ...]:
    """Name the groupings of an analysis, with the choices that the data settle."""
    return tuple(
        _grouping(design, name, varying) for name, varying in design.equation.groupings.items()
    )


def _grouping(design: Design, name: str, varying: VaryingTerms) -> Grouping:
    labels = design.labels(group_dim(name))
    correlated = varying.correlated
    if correlated is None:
        enough = len(labels) >= CORRELATED_FROM and len(varying.terms) >= 2
        correlated = enough and not varying.partly_centred
    centred = _centred(design, name, varying, correlated)
    return Grouping(name, labels, varying.terms, centred, correlated)


def _centred(design: Design, name: str, varying: VaryingTerms, correlated: bool) -> tuple[str, ...]:
    """Choose the centred terms: as asked, else the intercept where its groups say much.

    Slopes are left non-centred: their sds are often near 0, where the centred form makes a funnel.
    """
    if isinstance(varying.centred, tuple):
        return varying.centred
    if varying.centred is not None:
        return varying.terms if varying.centred else ()
    index = design.index(name)
    few = int(index.max()) + 1 < CENTRED_FROM_GROUPS
    if few or correlated or INTERCEPT not in varying.terms:
        return ()
    if _capitals_between(design, name) > BETWEEN_AT_MOST:
        return ()
    enough = information(design, name) >= CENTRED_FROM_INFORMATION
    return (INTERCEPT,) if enough else ()


def _capitals_between(design: Design, name: str) -> float:
    """Share of variance between the groups, of the capital where it is largest."""
    index, count = design.index(name), np.bincount(design.index(name))
    shares = [0.0]
    for values in design.capitals:
        known = np.where(np.isnan(values), np.nanmean(values), values)
        means = np.bincount(index, weights=known) / count
        if known.var() > 0:
            shares.append(float((means[index] - known.mean()).var() / known.var()))
    return max(shares)


def information(design: Design, name: str) -> float:
    """Information of the median group about its own intercept, on the scale of the link.

    Where intercepts vary within the group as well, the group is known no better than by the number
    of its parts.
    """
    index = design.index(name)
    by_row = np.bincount(index, weights=_row_information(design))
    parts = _parts(design, name)
    return float(np.median(by_row if parts is None else np.minimum(by_row, parts)))


def _row_information(design: Design) -> Array:
    return np.where(design.answered, _INFORMATION[design.family.scale](design), 0.0)


def _of_chance(design: Design) -> Array:
    """Information of a yes or no about its logit; a probit is a logit in other units."""
    trials = np.ones(design.size) if design.rows.trials is None else design.rows.trials
    share = float(design.answers.sum() / trials[design.answered].sum())
    return trials * share * (1 - share)


def _of_share(design: Design) -> Array:
    """One over the variance of the share, brought to the logit scale by its slope there."""
    mean, variance = design.answers.mean(), design.answers.var(ddof=1)
    return np.full(design.size, (mean * (1 - mean)) ** 2 / variance)


def _of_amount(design: Design) -> Array:
    """One over the variance of the amount, which is the unit on the identity link."""
    transform = design.family.on_link_scale
    if design.family.link == "identity" or transform is None:
        return np.ones(design.size)
    return np.full(design.size, 1 / transform(design.answers).var(ddof=1))


_INFORMATION: dict[Scale, Callable[[Design], Array]] = {
    "probability": _of_chance,
    "share": _of_share,
    "rate": lambda design: np.minimum(design.outcome, COUNT_CEILING),
    "mean": _of_amount,
    "level": lambda design: np.full(design.size, 0.25),
}
"""Information of each row about its own intercept, ``(row,)``, by the scale of the outcome.

Variances are those of all rows: between groups they hold more than noise, so they err to the side
of too little information.
"""


def _parts(design: Design, name: str) -> NDArray[np.float64] | None:
    """Groups with intercepts of their own inside each group, the fewest of any finer grouping."""
    index = design.index(name)
    found = None
    for other, varying in design.equation.groupings.items():
        inner = design.index(other)
        if other == name or INTERCEPT not in varying.terms or inner.max() <= index.max():
            continue
        pairs = np.unique(np.stack([index, inner]), axis=1)
        if pairs.shape[1] > inner.max() + 1:
            continue  # cuts across
        count = np.bincount(pairs[0], minlength=int(index.max()) + 1).astype("float64")
        found = count if found is None else np.minimum(found, count)
    return found
