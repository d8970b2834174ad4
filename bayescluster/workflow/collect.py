"""A fitted model to its results: every number of the report, from one place."""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

import numpy as np
import xarray as xr

from bayescluster.checks.convergence import convergence_gate
from bayescluster.checks.identification import Behind, identification
from bayescluster.checks.likelihoods import other_likelihoods
from bayescluster.checks.predictive import predictive_checks
from bayescluster.checks.reasons import Seen, likely_reasons
from bayescluster.checks.sandwich import weighting
from bayescluster.dataset.values import label_of
from bayescluster.design.record import Design
from bayescluster.estimands.curves import conditional_effects, surfaces
from bayescluster.estimands.levels import default_levels
from bayescluster.estimands.membership import groups_of
from bayescluster.hypotheses.ceilings.found import CEILING_STREAM
from bayescluster.hypotheses.evidence import Evidence
from bayescluster.hypotheses.verdicts import verdicts
from bayescluster.model.evaluate import Array, draws_of
from bayescluster.results.facts import ModelFacts
from bayescluster.results.likelihoods import Likelihoods
from bayescluster.results.model import (
    Curve,
    FitFacts,
    Gate,
    PredictiveRow,
    Reproduction,
    Results,
    Surface,
    Verdict,
)
from bayescluster.workflow.beside import Beside, equations_beside
from bayescluster.workflow.causes import causes_of
from bayescluster.workflow.ceiling_models import CeilingEvidence, preferred
from bayescluster.workflow.ceilings import ceiling_results
from bayescluster.workflow.effects import (
    BY,
    alone_effects,
    corner_tables,
    differences,
    effect_rows,
    ranks,
)
from bayescluster.workflow.facts import measure_facts, model_facts, outcome_facts, sample_facts
from bayescluster.workflow.fit_checks import row_checks
from bayescluster.workflow.measurement import (
    measurement_draws,
    measurement_estimands,
    measurement_facts,
)
from bayescluster.workflow.sensitivity import sensitivity_of
from bayescluster.workflow.sets import set_results
from bayescluster.workflow.traditions import Asked, claims_table, readings_of
from bayescluster.workflow.variance import shared_variance
from bayescluster.workflow.verdict_curves import verdict_curves
from bayescluster.workflow.weakest_node import node_draws, node_estimands, weakest_node

FIGURE_STREAM, UNPOOLED_STREAM, MEASUREMENT_STREAM = 4, 5, 8
"""Keep the random streams of figures, unpooled fits and measurement apart from the others."""
LIKELIHOODS = 1
"""Keeps the draws of other likelihoods apart from those of ceilings, whose stream they share."""


class Fitted(NamedTuple):
    """A design with its draws, and what models of the ceiling say, where any were fitted."""

    design: Design
    tree: xr.DataTree
    ceilings: CeilingEvidence | None = None


class _Answers(NamedTuple):
    gate: Gate
    verdicts: tuple[Verdict, ...]


def collect(fitted: Fitted, fit: FitFacts, reproduction: Reproduction) -> Results:
    """Compute everything a report shows.

    Parameters
    ----------
    fitted
        Design and DataTree.
    fit
        How the posterior was drawn.
    reproduction
        What is needed to get it again.
    """
    design, tree = fitted.design, fitted.tree
    analysis = design.analysis
    likelihoods = other_likelihoods(
        design, np.random.default_rng((fit.seed, CEILING_STREAM, LIKELIHOODS))
    )
    evidence = evidence_of(fitted, likelihoods)
    alone = alone_effects(design, np.random.default_rng((fit.seed, UNPOOLED_STREAM)))
    effects = effect_rows(evidence, alone)
    corners = corner_tables(evidence, analysis.hypotheses)
    measured = measurement_draws(
        design, tree, np.random.default_rng((fit.seed, MEASUREMENT_STREAM))
    )
    beside = equations_beside(design, tree)
    node = node_draws(evidence)
    estimands = measurement_estimands(design, measured) | dict(beside.estimands)
    estimands |= node_estimands(node)
    answers = _answers(fitted, evidence, estimands)
    predictive = predictive_checks(design, tree)
    asked = Asked(
        evidence,
        lambda some: verdicts(some, evidence, answers.gate.passed),
        answers.gate.passed,
        preferred(fitted.ceilings, fit.seed),
    )
    predictive = predictive_checks(design, tree)
    left_out = row_checks(design, evidence.posterior, tree, predictive)
    return Results(
        name=analysis.name,
        title=analysis.report.title or analysis.name.replace("-", " ").replace("_", " "),
        description=analysis.description,
        limits=analysis.limits,
        outcome=outcome_facts(design),
        sample=sample_facts(design),
        measures=measure_facts(design),
        model=_model(evidence),
        fit=fit,
        gate=explained(answers.gate, fitted, (predictive, beside)),
        predictive=predictive,
        loo=left_out.loo,
        effects=effects,
        differences=differences(evidence),
        ranks=ranks(evidence),
        corners=corners,
        verdicts=answers.verdicts,
        verdict_curves=verdict_curves(analysis.hypotheses, evidence, answers.verdicts),
        claims=claims_table(analysis.traditions.level, readings_of(asked))
        if design.has_capitals
        else None,
        causes=causes_of(evidence, answers.gate.passed),
        sets=set_results(evidence.sets) if design.has_capitals else None,
        ceilings=ceiling_results(evidence) if design.has_capitals else None,
        ceiling_models=fitted.ceilings.results if fitted.ceilings else None,
        likelihoods=likelihoods,
        curves=_curves(evidence) if design.has_capitals else (),
        surfaces=_surfaces(evidence, fit.seed) if design.has_capitals else (),
        others=beside.others,
        residuals=beside.residuals,
        learning=beside.learning,
        reproduction=reproduction,
        sensitivity=sensitivity_of(evidence, tree, answers.verdicts),
        variance=shared_variance(design, tree),
        weighting=weighting(design, evidence.posterior),
        measurement=measurement_facts(design, measured),
        weakest_node=weakest_node(node, answers.gate.passed),
        fit_checks=left_out.fit,
    )


def explained(
    gate: Gate, fitted: Fitted, checked: tuple[tuple[PredictiveRow, ...], Beside] = ((), Beside())
) -> Gate:
    """Add likely reasons to a gate, from draws, design and the predictive checks of all equations."""
    design = fitted.design
    predictive, beside = checked
    rows = {design.equation_name: predictive}
    rows |= {one.model.equation: one.predictive for one in beside.others}
    reasons = likely_reasons(Seen(design, fitted.tree, rows), gate)
    return gate.model_copy(update={"reasons": reasons})


def _model(evidence: Evidence) -> ModelFacts:
    """Describe the model, and say how far the data determine it."""
    groups = [(by, label) for by in BY for _, label in evidence.columns(by)]
    behind = Behind(evidence.behind_gates, groups)
    known = identification(evidence.design, evidence.posterior, evidence.prior, behind)
    facts = model_facts(evidence.design, evidence.posterior)
    return facts.model_copy(update={"identification": known})


def evidence_of(fitted: Fitted, likelihoods: Likelihoods | None = None) -> Evidence:
    """Open the draws of a fit for estimands and claims, and say which claims cannot be decided."""
    design, tree = fitted.design, fitted.tree
    posterior = draws_of(design, tree["posterior"].to_dataset())
    prior = draws_of(design, tree["prior"].to_dataset())
    depends = likelihoods.depends if likelihoods is not None else ""
    stopped = {"complementarity": depends} if depends else {}
    return Evidence(design, posterior, prior, design.analysis.sampling.seed, stopped)


def _answers(fitted: Fitted, evidence: Evidence, others: dict[str, Array]) -> _Answers:
    """Judge the claims; their estimands, and those beside, pass the gate before verdicts count."""
    design, tree = fitted.design, fitted.tree
    claims = design.analysis.hypotheses
    # judged once as if the gate had passed, so that every estimand of a claim has been computed
    verdicts(claims, evidence, gate_passed=True)
    estimands = reported(evidence) | others
    gate = convergence_gate(tree, estimands, design.analysis.sampling.max_treedepth)
    return _Answers(gate, verdicts(claims, evidence, gate.passed))


def reported(evidence: Evidence) -> dict[str, Array]:
    """Every estimand that was computed from the posterior, by name, ``(draw,)`` each."""
    found: dict[str, Array] = {}
    columns = [
        (column, label if by == "all" else f"{by} {label}")
        for by in ("all", "industry", "cluster")
        for column, label in evidence.columns(by)
    ]
    for (source, scope, levels, at_least), surface in evidence.computed().items():
        if source != "posterior":
            continue
        declared = levels.declared
        if at_least is not None and at_least != evidence.design.equation.at_least:
            declared = f"{declared}; at least {label_of(at_least)}"
        named = {f"effect of {name}": values for name, values in surface.marginal.items()}
        named |= {f"contrast of {name}": values for name, values in surface.contrast.items()}
        named |= {f"corner {name}": values for name, values in surface.corners.items()}
        named["cross difference"] = surface.cross_difference
        for name, values in named.items():
            for column, label in columns if scope != "new_industry" else columns[:1]:
                found[f"{name} ({label}; {scope}; {declared})"] = values[:, column]
        if scope == "new_industry":  # it takes the place of every industry
            continue
        named = {f"effect of {name}": values for name, values in surface.marginal.items()}
        for (first, a), (second, b) in combinations(evidence.columns("industry"), 2):
            for name, values in named.items():
                found[f"{name} ({a} less {b}; {scope}; {declared})"] = (
                    values[:, first] - values[:, second]
                )
    return found


def _curves(evidence: Evidence) -> tuple[Curve, ...]:
    design = evidence.design
    by = "industry" if design.analysis.data.industry is not None else "all"
    groups = groups_of(design, "industry" if by == "industry" else "all")
    levels = default_levels(design)
    return tuple(conditional_effects(design, evidence.posterior, levels, groups))


def _surfaces(evidence: Evidence, seed: int) -> tuple[Surface, ...]:
    design = evidence.design
    groups = groups_of(design, "industry" if design.analysis.data.industry is not None else "all")
    rng = np.random.default_rng((seed, FIGURE_STREAM))
    return tuple(surfaces(design, evidence.posterior, groups, rng))
