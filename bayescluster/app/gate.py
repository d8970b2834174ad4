"""What the gate looks at beyond the parameters, and why it failed."""

from __future__ import annotations

from collections.abc import Mapping

import xarray as xr

from bayescluster.arrays import Array
from bayescluster.checks.reasons import CheckedFit, likely_reasons
from bayescluster.dataset.values import label_of
from bayescluster.design.record import Design
from bayescluster.estimands.effects import contextual_effect
from bayescluster.names import group_name
from bayescluster.results.fit import Gate
from bayescluster.results.model import PredictiveRow
from bayescluster.verdicts.differences import asked_pairs
from bayescluster.verdicts.evidence import Evidence, SurfaceRequest, kinds_in


def explained(
    gate: Gate,
    design: Design,
    tree: xr.DataTree,
    predictive: Mapping[str, tuple[PredictiveRow, ...]] | None = None,
) -> Gate:
    """Add likely reasons to a gate, from draws, design and the predictive checks by equation."""
    checked = CheckedFit(design, tree, predictive or {design.equation_name: ()})
    reasons = likely_reasons(checked, gate)
    return Gate(passed=gate.passed, items=gate.items, reasons=reasons)


def named_estimands(evidence: Evidence) -> dict[str, Array]:
    """Every estimand that was computed from the posterior, by name, ``(draw,)`` each."""
    groups = [
        (by, column, label if by == "all" else f"{by} {label}")
        for by in evidence.kinds
        for column, label in evidence.columns(by)
    ]
    column = {(by, label): k for by in evidence.kinds for k, label in evidence.columns(by)}
    pairs = [
        ((column[by, a], group_name(by, a)), (column[by, b], group_name(by, b)))
        for by, a, b in asked_pairs(evidence)
    ]
    named: dict[str, Array] = {}
    for key, surface in evidence.computed().items():
        if key.source != "posterior":
            continue
        quantities = {f"effect of {name}": values for name, values in surface.marginal.items()}
        quantities |= {f"contrast of {name}": values for name, values in surface.contrast.items()}
        quantities |= {f"corner {name}": values for name, values in surface.corners.items()}
        if surface.corners:
            quantities["cross difference"] = surface.cross_difference
        for term, of in evidence.design.equation.contexts.items():
            quantities[f"effect of {of[1]} in the whole {of[0]}"] = surface.whole[term]
            quantities[f"contextual effect ({term})"] = contextual_effect(surface, term, of)
        where = f"{key.scope}; {_declared(evidence, key)}"
        new = key.scope == "new_industry"  # it takes the place of every industry
        kinds = kinds_in(evidence, key.scope) if new else evidence.kinds
        named |= {
            f"{name} ({label}; {where})": values[:, column]
            for name, values in quantities.items()
            for by, column, label in groups
            if by in kinds
        }
        named |= {
            f"effect of {name} ({a} less {b}; {where})": values[:, first] - values[:, second]
            for (first, a), (second, b) in ([] if new else pairs)
            for name, values in surface.marginal.items()
        }
    return named


def _declared(evidence: Evidence, key: SurfaceRequest) -> str:
    """Levels in words, and the level of the outcome where it is not that of the equation."""
    declared = key.levels.declared
    if key.at_least is None or key.at_least == evidence.design.equation.at_least:
        return declared
    return f"{declared}; at least {label_of(key.at_least)}"
