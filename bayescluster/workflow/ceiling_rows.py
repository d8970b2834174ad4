"""Rows of the results of a ceiling model: effect sizes, ceilings, least capital needed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from bayescluster.arrays import Array
from bayescluster.checks.loo import RowScores
from bayescluster.estimands.ceilings import (
    GRID,
    effect_size,
    group_ceilings,
    least_needed,
    new_unit_heights,
    unit_effects,
)
from bayescluster.estimands.summary import estimate, estimates
from bayescluster.model.ceiling_evaluate import CeilingDraws, prior_draws
from bayescluster.model.ceiling_layout import Layout
from bayescluster.results.base import INTERVAL, By
from bayescluster.results.ceiling_models import CeilingLine, EffectSizeRow, NeededRow
from bayescluster.results.model import Gate
from bayescluster.workflow.ceiling_fits import Fit, Scoped

PRIOR_DRAWS = 4000
TAIL = (1 - INTERVAL) / 2
LEVELS = tuple(level / 10 for level in range(1, 11))
"""Levels of the outcome in bottleneck tables, as shares of its scope."""


class Group(NamedTuple):
    """A group of firms: what each unit counts in it, ``(unit,)``, and its number of firms."""

    by: By
    label: str
    weights: Array
    rows: int


class Judged(NamedTuple):
    """A fit with its draws, effect sizes by group ``(draw, group)``, scores and gate."""

    fit: Fit
    draws: CeilingDraws
    effects: Array
    new: Array
    scores: RowScores
    gate: Gate


def effects_of(
    draws: CeilingDraws, layout: Layout, groups: Sequence[Group], limits: tuple[float, float]
) -> Array:
    """Effect size of each group, ``(draw, group)``."""
    weights = np.column_stack([group.weights for group in groups])
    return np.asarray(unit_effects(draws, layout, limits) @ weights)


def new_effects_of(
    draws: CeilingDraws,
    layout: Layout,
    groups: Sequence[Group],
    how: tuple[tuple[float, float], np.random.Generator],
) -> Array:
    """Effect size of a new cluster of any industry, then of each, ``(draw, 1 + industry)``.

    That of any comes from an industry drawn by its share of the firms.
    """
    limits, rng = how
    each = effect_size(new_unit_heights(draws, rng), draws.slope, limits)
    whole = np.bincount(layout.industry, groups[0].weights, minlength=len(layout.industries))
    chosen = rng.choice(whole.size, size=draws.size, p=whole / whole.sum())
    return np.column_stack([each[np.arange(draws.size), chosen], each])


def prior_effects(one: Judged, groups: Sequence[Group], rng: np.random.Generator) -> Array:
    """Effect sizes of all groups under the prior of a model, ``(draw, group)``."""
    firms = one.fit.scoped.firms
    prior = prior_draws(one.fit.kind, firms.layout, PRIOR_DRAWS, rng)
    return effects_of(prior, firms.layout, groups, firms.limits)


def effect_rows(
    one: Judged, groups: Sequence[Group], rng: np.random.Generator
) -> tuple[EffectSizeRow, ...]:
    """Effect sizes of all groups, then of new clusters, beside those of the prior."""
    firms = one.fit.scoped.firms
    prior = prior_draws(one.fit.kind, firms.layout, PRIOR_DRAWS, rng)
    before = effects_of(prior, firms.layout, groups, firms.limits)
    rows = [
        EffectSizeRow(
            by=group.by,
            group=group.label,
            new=False,
            rows=group.rows,
            estimate=found,
            prior=estimate(before[:, column]),
        )
        for column, (group, found) in enumerate(
            zip(groups, estimates(one.effects, one.draws.chains), strict=True)
        )
    ]
    return (*rows, *_new_rows(one, groups, prior, rng))


def _new_rows(
    one: Judged, groups: Sequence[Group], prior: CeilingDraws, rng: np.random.Generator
) -> Iterable[EffectSizeRow]:
    """Rows of a new cluster, where there are clusters."""
    layout, limits = one.fit.scoped.firms.layout, one.fit.scoped.firms.limits
    if all(group.by != "cluster" for group in groups) or len(layout.units) < 2:
        return
    before = new_effects_of(prior, layout, groups, (limits, rng))
    found = estimates(one.new, one.draws.chains)
    labels: list[tuple[By, str]] = [(groups[0].by, groups[0].label)]
    if any(group.by == "industry" for group in groups):
        labels += [("industry", label) for label in layout.industries]
    for column, (by, label) in enumerate(labels):
        yield EffectSizeRow(
            by=by,
            group=label,
            new=True,
            rows=0,
            estimate=found[column],
            prior=estimate(before[:, column]),
        )


def _curves(one: Judged, groups: Sequence[Group]) -> tuple[Array, Array]:
    """Places of the capital in shares, and ceilings of groups there, ``(draw, group, place)``."""
    at = np.linspace(0.0, 1.0, GRID)
    firms = one.fit.scoped.firms
    weights = np.column_stack([group.weights for group in groups])
    return at, group_ceilings(one.draws, firms.layout, weights, firms.limits, at)


def line_rows(one: Judged, groups: Sequence[Group]) -> Iterable[CeilingLine]:
    """Ceilings of all firms and of industries over the scope."""
    shown = [group for group in groups if group.by != "cluster"]
    scoped, (at, curves) = one.fit.scoped, _curves(one, shown)
    low, high = np.quantile(curves, [TAIL, 1 - TAIL], axis=0)
    for k, group in enumerate(shown):
        ends = (curves[:, k].mean(axis=0), low[k], high[k])
        mean, lower, upper = (
            tuple(scoped.y_axis.value(float(value)) for value in each) for each in ends
        )
        places = tuple(scoped.x_axis.value(float(place)) for place in at)
        yield CeilingLine(
            by=group.by, group=group.label, at=places, mean=mean, low=lower, high=upper
        )


def needed_rows(one: Judged, groups: Sequence[Group]) -> Iterable[NeededRow]:
    """Bottleneck table: least capital by level of the outcome, for every group."""
    scoped, (at, curves) = one.fit.scoped, _curves(one, groups)
    for k, group in enumerate(groups):
        for level in LEVELS:
            found = least_needed(curves[:, k], at, level, TAIL)
            yield NeededRow(
                by=group.by,
                group=group.label,
                level=level,
                outcome=scoped.y_axis.value(level),
                not_needed=found.not_needed,
                out_of_reach=found.out_of_reach,
                **_named(scoped, found.low, "low"),
                **_named(scoped, found.median, "median"),
                **_named(scoped, found.high, "high"),
            )


def _named(scoped: Scoped, value: float, name: str) -> dict[str, Any]:
    if np.isfinite(value):
        return {name: scoped.x_axis.value(value), f"{name}_is": "number"}
    return {name: None, f"{name}_is": "not needed" if value < 0 else "out of reach"}
