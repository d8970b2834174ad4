"""The prior of every estimand that an analysis reports: effects, corners and cross differences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bayescluster.arrays import Array
from bayescluster.checks.prior import spread
from bayescluster.dataset.values import label_of
from bayescluster.estimands.effects import SurfaceDraws
from bayescluster.estimands.levels import CORNERS, default_levels, levels_of
from bayescluster.hypotheses.evidence import Evidence, Looked
from bayescluster.names import CAPITALS
from bayescluster.results.base import By
from bayescluster.results.prior import EstimandKind, PriorEstimand
from bayescluster.spec.hypotheses import Corners, Hypothesis

SHOWN: tuple[By, ...] = ("all", "industry")


def prior_estimands(evidence: Evidence, claims: Sequence[Hypothesis]) -> tuple[PriorEstimand, ...]:
    """Summarise the estimands at the default levels, and corners at those that claims declare.

    Parameters
    ----------
    evidence
        Estimands of the prior.
    claims
        Declared hypotheses.
    """
    design = evidence.design
    if not design.has_capitals:
        return ()
    first = evidence.looked("observed", default_levels(design), "prior", None)
    asked = {first: None}
    for claim in claims:
        if isinstance(claim, Corners):
            levels = levels_of(design, claim)
            asked[evidence.looked(claim.scope, levels, "prior", claim.at_least)] = None
    return tuple(row for each in asked for row in _estimands(evidence, each, each == first))


def _estimands(evidence: Evidence, asked: Looked, whole: bool) -> Iterator[PriorEstimand]:
    surface = evidence.surface(asked.scope, asked.levels, at_least=asked.at_least)
    kinds = SHOWN if asked.scope != "new_industry" else SHOWN[:1]
    own = asked.at_least is not None and asked.at_least != evidence.design.equation.at_least
    for kind, of, draws in _named(surface, whole):
        for by in kinds:
            for column, label in evidence.columns(by):
                mine = draws[:, column]
                yield PriorEstimand(
                    kind=kind,
                    of=of,
                    scope=asked.scope,
                    declared=asked.levels.declared,
                    at_least=label_of(asked.at_least)
                    if own and asked.at_least is not None
                    else None,
                    by=by,
                    group=label,
                    spread=spread(mine),
                    positive=None if kind == "corner" else float((mine > 0).mean()),
                )


def _named(surface: SurfaceDraws, whole: bool) -> Iterator[tuple[EstimandKind, str, Array]]:
    for capital in CAPITALS if whole else ():
        yield "average_marginal_effect", capital, surface.marginal[capital]
        yield "contrast", capital, surface.contrast[capital]
    for corner in CORNERS:
        yield "corner", corner, surface.corners[corner]
    yield "cross_difference", "", surface.cross_difference
