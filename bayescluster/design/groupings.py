"""Which effects vary by which grouping, and how they are parameterised."""

from __future__ import annotations

import numpy as np

from bayescluster.design.record import Design, Grouping
from bayescluster.names import group_dim
from bayescluster.spec.equation import VaryingTerms

CORRELATED_FROM = 8
"""Fewest groups whose effects are correlated: below, their correlations are nearly all prior."""

CENTRED_FROM_GROUPS = 8
CENTRED_FROM_ROWS = {"logit": 400, "log": 100, "identity": 100}
"""Median rows a group, by link, from which its effects are sampled centred.

With many informative rows a group, the posterior of an effect hardly leans on the group sd and the
centred form needs shorter trajectories; with few, it makes a funnel. A yes or no says less than a
measured amount, so more of them are needed.
"""


def groupings(design: Design) -> tuple[Grouping, ...]:
    """Name the groupings of an analysis, with the choices that the data settle."""
    return tuple(
        _grouping(design, name, varying)
        for name, varying in design.analysis.equation.groupings.items()
    )


def _grouping(design: Design, name: str, varying: VaryingTerms) -> Grouping:
    labels = design.labels(group_dim(name))
    correlated = varying.correlated
    if correlated is None:
        enough = len(labels) >= CORRELATED_FROM and len(varying.terms) >= 2
        correlated = enough and not varying.partly_centred
    return Grouping(name, labels, varying.terms, _centred(design, name, varying), correlated)


def _centred(design: Design, name: str, varying: VaryingTerms) -> tuple[str, ...]:
    if isinstance(varying.centred, tuple):
        return varying.centred
    if varying.centred is not None:
        return varying.terms if varying.centred else ()
    counts = np.bincount(design.index(name))
    enough = float(np.median(counts)) >= CENTRED_FROM_ROWS[design.family.link]
    return varying.terms if enough and counts.size >= CENTRED_FROM_GROUPS else ()
