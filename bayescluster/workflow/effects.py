"""Tables of effects, differences, ranks and corners."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

import numpy as np

from bayescluster.design.record import Design
from bayescluster.estimands.levels import CORNERS, Levels, default_levels, levels_of
from bayescluster.estimands.membership import groups_of
from bayescluster.estimands.summary import estimate, estimates
from bayescluster.estimands.unpooled import unpooled_effects
from bayescluster.hypotheses.evidence import Evidence
from bayescluster.model.evaluate import Array
from bayescluster.names import CAPITALS
from bayescluster.results.model import (
    By,
    CornerRow,
    Corners,
    DifferenceRow,
    EffectRow,
    Estimate,
    RankRow,
)
from bayescluster.spec.hypotheses import Corners as CornersClaim
from bayescluster.spec.hypotheses import Hypothesis, Scope

MEASURES = ("average_marginal_effect", "contrast")
BY: tuple[By, ...] = ("all", "industry", "cluster")


Alone = dict[tuple[str, str, str], Estimate]
"""Effects of industries by themselves, by group, capital and measure."""


def effect_rows(evidence: Evidence, alone: Alone) -> tuple[EffectRow, ...]:
    """Effects of both capitals for the sample, each industry and each cluster, as observed."""
    if not evidence.design.has_capitals:
        return ()
    design = evidence.design
    levels = default_levels(design)
    surface = evidence.surface("observed", levels)
    sizes = evidence.groups.sizes
    rows = []
    for capital in CAPITALS:
        for measure, draws in zip(
            MEASURES, (surface.marginal[capital], surface.contrast[capital]), strict=True
        ):
            found = estimates(draws, evidence.posterior.chains)
            rows += [
                EffectRow(
                    capital=capital,
                    measure=measure,
                    by=by,
                    group=label,
                    scope="observed",
                    rows=sizes[column],
                    estimate=found[column],
                    positive=float((draws[:, column] > 0).mean()),
                    unpooled=alone.get((label, capital, measure)) if by == "industry" else None,
                )
                for by in BY
                for column, label in evidence.columns(by)
            ]
    return tuple(rows)


def alone_effects(design: Design, rng: np.random.Generator) -> Alone:
    """Effects of each industry from its own rows, where there are industries."""
    if design.analysis.data.industry is None or not design.has_capitals:
        return {}
    levels = default_levels(design)
    found = unpooled_effects(design, levels, groups_of(design, "industry"), rng)
    return {
        (label, capital, measure): estimate(draws)
        for label, effects in found.items()
        for (capital, measure), draws in effects.items()
    }


def _industry_effects(evidence: Evidence, capital: str) -> tuple[list[str], Array]:
    """Marginal effects by industry: labels, and ``(draw, industry)``."""
    columns = evidence.columns("industry")
    surface = evidence.surface("observed", default_levels(evidence.design))
    return [label for _, label in columns], surface.marginal[capital][:, [k for k, _ in columns]]


def differences(evidence: Evidence) -> tuple[DifferenceRow, ...]:
    """Differences of marginal effects between every pair of industries."""
    if not evidence.design.has_capitals:
        return ()
    rows = []
    for capital in CAPITALS:
        labels, draws = _industry_effects(evidence, capital)
        pairs = list(combinations(range(len(labels)), 2))
        if not pairs:
            continue
        less = np.column_stack([draws[:, a] - draws[:, b] for a, b in pairs])
        found = estimates(less, evidence.posterior.chains)
        rows += [
            DifferenceRow(
                capital=capital,
                first=labels[a],
                second=labels[b],
                scope="observed",
                estimate=found[k],
                positive=float((less[:, k] > 0).mean()),
            )
            for k, (a, b) in enumerate(pairs)
        ]
    return tuple(rows)


def ranks(evidence: Evidence) -> tuple[RankRow, ...]:
    """Probability of every rank of every industry's effect; rank 1 is the largest."""
    if not evidence.design.has_capitals:
        return ()
    rows = []
    for capital in CAPITALS:
        labels, draws = _industry_effects(evidence, capital)
        order = (-draws).argsort(axis=1).argsort(axis=1)  # (draw, industry): rank from 0
        rows += [
            RankRow(
                capital=capital,
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
    if not evidence.design.has_capitals:
        return ()
    asked: dict[tuple[Scope, Levels], None] = {("observed", default_levels(evidence.design)): None}
    for claim in claims:
        if isinstance(claim, CornersClaim):
            asked[(claim.scope, levels_of(evidence.design, claim))] = None
    return tuple(_corners(evidence, scope, levels) for scope, levels in asked)


def _corners(evidence: Evidence, scope: Scope, levels: Levels) -> Corners:
    surface = evidence.surface(scope, levels)
    near = evidence.support(levels)  # (corner, group)
    found = {
        corner: estimates(surface.corners[corner], evidence.posterior.chains) for corner in CORNERS
    }
    kinds = BY if scope == "observed" else BY[:2]
    return Corners(
        scope=scope,
        human_low=levels.human[0],
        human_high=levels.human[1],
        social_low=levels.social[0],
        social_high=levels.social[1],
        declared=levels.declared,
        rows=tuple(
            CornerRow(
                by=by,
                group=label,
                corner=corner,
                estimate=found[corner][column],
                support=int(near[position][column]),
            )
            for by in kinds
            for column, label in evidence.columns(by)
            for position, corner in enumerate(CORNERS)
        ),
    )
