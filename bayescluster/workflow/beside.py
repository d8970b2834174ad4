"""Results of the equations beside the one in focus, and of all of them as one system."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import xarray as xr

from bayescluster.arrays import Array
from bayescluster.checks.predictive import predictive_checks
from bayescluster.design.record import Design
from bayescluster.estimands.learning import DRAWS
from bayescluster.estimands.levels import default_levels
from bayescluster.estimands.summary import estimates
from bayescluster.hypotheses.evidence import Evidence
from bayescluster.model.evaluate import Draws, draws_of
from bayescluster.names import CHAIN, DRAW, RESIDUAL_CORRELATION
from bayescluster.results.learning import Learning
from bayescluster.results.model import (
    EquationResults,
    ResidualRow,
)
from bayescluster.workflow.effects import effect_rows
from bayescluster.workflow.facts import model_facts, outcome_facts
from bayescluster.workflow.fit_checks import row_checks
from bayescluster.workflow.learned import learned, learning_estimands
from bayescluster.workflow.learning import learning_results


class Beside(NamedTuple):
    """What several equations add to the results, and the estimands behind it, for the gate."""

    others: tuple[EquationResults, ...] = ()
    residuals: tuple[ResidualRow, ...] = ()
    learning: Learning | None = None
    estimands: Mapping[str, Array] = {}


def equations_beside(design: Design, tree: xr.DataTree) -> Beside:
    """Compute all that several equations add to the results; nothing where there is one."""
    if not design.others:
        return Beside()
    posterior = tree["posterior"].to_dataset()
    turned = [design, *(design.turned_to(each.equation_name) for each in design.others)]
    systems = [(each, draws_of(each, posterior)) for each in turned]
    found = learned(systems)
    estimands = learning_estimands(found) if found else {}
    others = []
    for each, draws in systems[1:]:
        others.append(_equation(each, draws, tree, estimands))
    order = [each.equation_name for each in design.equations]
    return Beside(
        tuple(sorted(others, key=lambda one: order.index(one.model.equation))),
        _residuals(posterior),
        learning_results(found) if found else None,
        estimands,
    )


def _equation(
    design: Design, draws: Draws, tree: xr.DataTree, estimands: dict[str, Array]
) -> EquationResults:
    """Results of one equation; its effects are added to ``estimands``."""
    some = draws.thinned_by_chain(DRAWS)
    evidence = Evidence(design, some, some, design.analysis.sampling.seed)
    rows = tuple(row for row in effect_rows(evidence, {}) if row.by != "cluster")
    if design.has_capitals:
        surface = evidence.surface("observed", default_levels(design))
        for by in ("all", "industry"):
            for column, label in evidence.columns(by):
                for capital, values in surface.marginal.items():
                    group = label if by == "all" else f"{by} {label}"
                    name = f"{design.equation_name}: marginal effect of {capital} ({group})"
                    estimands[name] = values[:, column]
    predictive = predictive_checks(design, tree)
    left_out = row_checks(design, draws, tree, predictive)
    return EquationResults(
        outcome=outcome_facts(design),
        model=model_facts(design, draws),
        predictive=predictive,
        loo=left_out.loo,
        effects=rows,
        fit_checks=left_out.fit,
    )


def _residuals(posterior: xr.Dataset) -> tuple[ResidualRow, ...]:
    if RESIDUAL_CORRELATION not in posterior:
        return ()
    values = posterior[RESIDUAL_CORRELATION].transpose(CHAIN, DRAW, ...)
    names = [str(label) for label in values[values.dims[2]].to_numpy()]
    chains = values.sizes[CHAIN]
    flat = values.to_numpy().reshape(-1, len(names), len(names))
    pairs = [(a, b) for a in range(len(names)) for b in range(a + 1, len(names))]
    draws = np.column_stack([flat[:, a, b] for a, b in pairs])
    return tuple(
        ResidualRow(
            first=names[a],
            second=names[b],
            estimate=found,
            positive=float((draws[:, k] > 0).mean()),
        )
        for k, ((a, b), found) in enumerate(zip(pairs, estimates(draws, chains), strict=True))
    )
