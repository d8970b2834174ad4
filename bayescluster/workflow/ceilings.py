"""Ceilings of a fit as results: effect sizes, bands, and bottlenecks with intervals."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bayescluster.arrays import Array
from bayescluster.design.parts import Scaling
from bayescluster.design.record import Design
from bayescluster.estimands.summary import estimates
from bayescluster.hypotheses.ceilings.found import FoundCeilings, Key, OneCeiling
from bayescluster.hypotheses.ceilings.functional import least_levels
from bayescluster.hypotheses.ceilings.null import REPLICATES
from bayescluster.hypotheses.evidence import Evidence
from bayescluster.results.base import INTERVAL
from bayescluster.results.ceilings import (
    CeilingBand,
    Ceilings,
    FormCeiling,
    NeededLevel,
    NeededRow,
)
from bayescluster.spec.ceilings import Ceilings as Asked

TARGETS = 10
"""Targets where none are declared: the scope of the outcome in so many steps."""
TAILS = ((1 - INTERVAL) / 2, 0.5, (1 + INTERVAL) / 2)


def ceiling_results(evidence: Evidence) -> Ceilings:
    """Summarise the ceilings of a fit."""
    design, found = evidence.design, evidence.ceilings
    asked = design.analysis.traditions.ceilings
    low, high = found.outcome
    return Ceilings(
        height=_height(asked, found),
        d_min=asked.d_min,
        level=design.analysis.traditions.level,
        supported=asked.supported,
        scope=_scope(asked),
        outcome_low=low,
        outcome_high=high,
        draws=found.draws,
        replicates=REPLICATES,
        null=found.null,
        rows=tuple(_row(key, one, found, asked) for key, one in found.of.items()),
        bottlenecks=tuple(
            row
            for key, one in found.of.items()
            if key[1] != "cluster"
            for row in _bottlenecks(key, one, design, found)
        ),
        bands=tuple(
            _band(key, one, design.scaling(key[0]))
            for key, one in found.of.items()
            if key[1] != "cluster"
        ),
        notes=found.notes,
    )


def _height(asked: Asked, found: FoundCeilings) -> str:
    if found.is_quantile:
        return f"quantile {asked.quantile:g} of the outcome of a firm"
    return "expected outcome"


def _scope(asked: Asked) -> str:
    if asked.scope is None:
        return "its range among the firms of the group"
    return f"between its quantiles {asked.scope[0]:g} and {asked.scope[1]:g} in the group"


def _row(key: Key, one: OneCeiling, found: FoundCeilings, asked: Asked) -> FormCeiling:
    d, within = (
        estimates(values[:, None], found.chains)[0]
        for values in (one.ceiling.d, one.ceiling.reached)
    )
    capital, by, group = key
    return FormCeiling(
        capital=capital,
        by=by,
        group=group,
        rows=one.rows,
        estimate=d,
        prior=estimates(one.prior.d[:, None], 0)[0],
        within=within,
        at_least=float((one.ceiling.d >= asked.d_min).mean()),
        prior_at_least=float((one.prior.d >= asked.d_min).mean()),
        ce_fdh=one.ce_fdh,
        cr_fdh=one.cr_fdh,
        null_observed=one.null.observed if one.null else None,
        null_expected=one.null.expected if one.null else None,
        null_p=one.null.p if one.null else None,
        null_clusters=one.null.clusters if one.null else 0,
    )


def _bottlenecks(
    key: Key, one: OneCeiling, design: Design, found: FoundCeilings
) -> Iterator[NeededRow]:
    bottom, top = found.outcome
    stated = design.analysis.traditions.ceilings.targets
    targets = np.linspace(bottom, top, TARGETS + 1) if stated is None else np.array(stated)
    least = least_levels(one.ceiling, targets)  # (draw, target)
    unit = design.scaling(key[0])
    start, end = one.ceiling.levels[[0, -1]]
    capital, by, group = key
    for target, draws in zip(targets, least.T, strict=True):
        ends = np.quantile(draws, TAILS, method="inverted_cdf")
        low, median, high = (_needed(unit.center + unit.scale * end) for end in ends)
        percent = [_needed(100 * (each - start) / (end - start)) for each in ends]
        yield NeededRow(
            capital=capital,
            by=by,
            group=group,
            target=float(target),
            target_percent=float(100 * (target - bottom) / (top - bottom)),
            low=low,
            median=median,
            high=high,
            low_percent=percent[0],
            median_percent=percent[1],
            high_percent=percent[2],
            not_needed=float(np.isneginf(draws).mean()),
            not_reachable=float(np.isposinf(draws).mean()),
        )


def _needed(value: float) -> NeededLevel:
    if np.isfinite(value):
        return float(value)
    return "NN" if value < 0 else "NA"


def _band(key: Key, one: OneCeiling, unit: Scaling) -> CeilingBand:
    height = one.ceiling.height
    low, high = np.quantile(height, (TAILS[0], TAILS[2]), axis=0)
    capital, by, group = key
    return CeilingBand(
        capital=capital,
        by=by,
        group=group,
        levels=_plain(unit.center + unit.scale * one.ceiling.levels),
        mean=_plain(height.mean(axis=0)),
        low=_plain(low),
        high=_plain(high),
        steps=one.ceiling.steps,
    )


def _plain(values: Array) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
