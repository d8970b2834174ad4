"""Tables of effects, differences, ranks and corners."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product

import numpy as np

from bayescluster.arrays import Array
from bayescluster.dataset.values import label_of
from bayescluster.design.record import Design
from bayescluster.estimands.approximation import unpooled_effects
from bayescluster.estimands.diagnostics import estimate, estimates
from bayescluster.estimands.effects import contextual_effect
from bayescluster.estimands.levels import CORNERS, amounts_of, default_levels, levels_of
from bayescluster.estimands.scopes import groups_of
from bayescluster.names import ALL, CLUSTER, WITHIN
from bayescluster.results.claims import CornerRow, Corners
from bayescluster.results.model import By, ContextRow, DifferenceRow, EffectRow, Estimate, RankRow
from bayescluster.spec.hypotheses import Corners as CornersClaim
from bayescluster.spec.hypotheses import Hypothesis
from bayescluster.verdicts.compensation import quantity_of
from bayescluster.verdicts.differences import asked_pairs
from bayescluster.verdicts.evidence import Evidence, SurfaceRequest, kinds_in

MEASURES = ("average_marginal_effect", "contrast")


Unpooled = dict[tuple[str, str, str], Estimate]
"""Effects of industries from their own rows only, by group, capital and measure."""


def effect_rows(evidence: Evidence, unpooled: Unpooled) -> tuple[EffectRow, ...]:
    """Effects of the capitals for the sample and every group, as observed."""
    if not evidence.design.has_capitals:
        return ()
    surface = evidence.surface("observed", default_levels(evidence.design))
    sizes = evidence.groups.sizes
    rows = []
    for capital in evidence.design.present:
        for measure, draws in zip(
            MEASURES, (surface.marginal[capital], surface.contrast[capital]), strict=True
        ):
            summaries = estimates(draws, evidence.posterior.chains)
            rows += [
                EffectRow(
                    capital=capital,
                    measure=measure,
                    by=by,
                    group=label,
                    scope="observed",
                    rows=sizes[column],
                    estimate=summaries[column],
                    positive=float((draws[:, column] > 0).mean()),
                    unpooled=unpooled.get((label, capital, measure)) if by == "industry" else None,
                )
                for by in evidence.kinds
                for column, label in evidence.columns(by)
            ]
    return tuple(rows)


def context_rows(evidence: Evidence) -> tuple[ContextRow, ...]:
    """Effects of each contextual term for the sample and every group but clusters, as observed."""
    contexts = evidence.design.equation.contexts
    if not contexts:
        return ()
    surface = evidence.surface("observed", default_levels(evidence.design))
    sizes, kinds = evidence.groups.sizes, [by for by in evidence.kinds if by != CLUSTER]
    rows = []
    for term, (level, capital) in contexts.items():
        whole, less = surface.whole[term], contextual_effect(surface, term, (level, capital))
        parts = [estimates(each, evidence.posterior.chains) for each in (whole - less, whole, less)]
        rows += [
            ContextRow(
                capital=capital,
                around=level,
                by=by,
                group=label,
                rows=sizes[column],
                alone=parts[0][column],
                whole=parts[1][column],
                difference=parts[2][column],
                positive=float((less[:, column] > 0).mean()),
            )
            for by in kinds
            for column, label in evidence.columns(by)
        ]
    return tuple(rows)


def unpooled_estimates(design: Design, rng: np.random.Generator) -> Unpooled:
    """Effects of each industry from its own rows only, where there are industries."""
    if design.analysis.data.industry is None or not design.has_capitals:
        return {}
    industries = groups_of(design, "industry")
    return {
        (label, capital, measure): estimate(draws)
        for label, effects in unpooled_effects(
            design, default_levels(design), industries, rng
        ).items()
        for (capital, measure), draws in effects.items()
    }


def _group_effects(evidence: Evidence, capital: str, by: By) -> tuple[list[str], Array]:
    """Marginal effects by group: labels, and ``(draw, group)``."""
    columns = evidence.columns(by)
    surface = evidence.surface("observed", default_levels(evidence.design))
    return [label for _, label in columns], surface.marginal[capital][:, [k for k, _ in columns]]


def differences(evidence: Evidence) -> tuple[DifferenceRow, ...]:
    """Differences of marginal effects between the pairs of groups that a claim asks for."""
    rows = []
    for capital in evidence.design.present:
        pairs = asked_pairs(evidence)
        if not pairs:
            continue
        effects: dict[tuple[By, str], Array] = {}
        for by in dict.fromkeys(by for by, *_ in pairs):
            labels, draws = _group_effects(evidence, capital, by)
            effects |= {(by, label): draws[:, k] for k, label in enumerate(labels)}
        less = np.column_stack([effects[by, a] - effects[by, b] for by, a, b in pairs])
        summaries = estimates(less, evidence.posterior.chains)
        rows += [
            DifferenceRow(
                capital=capital,
                by=by,
                first=first,
                second=second,
                scope="observed",
                estimate=summaries[k],
                positive=float((less[:, k] > 0).mean()),
            )
            for k, (by, first, second) in enumerate(pairs)
        ]
    return tuple(rows)


def ranks(evidence: Evidence) -> tuple[RankRow, ...]:
    """Probability of every rank of every group's effect among its kind; rank 1 is the largest.

    Clusters are not ranked, nor groups within industries.
    """
    rows = []
    ranked = [by for by in evidence.kinds if by not in (ALL, CLUSTER) and WITHIN not in by]
    for capital, by in product(evidence.design.present, ranked):
        labels, draws = _group_effects(evidence, capital, by)
        order = (-draws).argsort(axis=1).argsort(axis=1)  # (draw, group): rank from 0
        rows += [
            RankRow(
                capital=capital,
                by=by,
                group=label,
                probabilities=tuple(
                    float((order[:, k] == rank).mean()) for rank in range(len(labels))
                ),
            )
            for k, label in enumerate(labels)
        ]
    return tuple(rows)


def corner_tables(evidence: Evidence, claims: Iterable[Hypothesis]) -> tuple[Corners, ...]:
    """The four corners at the default levels, and at all others that a claim declares."""
    if not evidence.design.has_both:
        return ()
    design = evidence.design
    default = evidence.request("observed", default_levels(design), "posterior", None)
    declared = [
        evidence.request(claim.scope, levels_of(design, claim), "posterior", claim.at_least)
        for claim in claims
        if isinstance(claim, CornersClaim)
    ]
    return tuple(_corners(evidence, each) for each in dict.fromkeys([default, *declared]))


def _corners(evidence: Evidence, key: SurfaceRequest) -> Corners:
    design, levels, at_least = evidence.design, key.levels, key.at_least
    surface = evidence.surface(key.scope, levels, at_least=at_least)
    near = evidence.support(levels).firms  # (corner, group)
    summaries = {
        corner: estimates(surface.corners[corner], evidence.posterior.chains) for corner in CORNERS
    }
    own = at_least is not None and at_least != design.equation.at_least
    return Corners(
        scope=key.scope,
        human_low=levels.human[0],
        human_high=levels.human[1],
        social_low=levels.social[0],
        social_high=levels.social[1],
        declared=levels.declared,
        amounts=amounts_of(design, levels),
        at_least=label_of(at_least) if own else None,
        quantity=quantity_of(design, at_least).rstrip(","),
        rows=tuple(
            CornerRow(
                by=by,
                group=label,
                corner=corner,
                estimate=summaries[corner][column],
                support=float(near[position][column]),
            )
            for by in kinds_in(evidence, key.scope)
            for column, label in evidence.columns(by)
            for position, corner in enumerate(CORNERS)
        ),
    )
