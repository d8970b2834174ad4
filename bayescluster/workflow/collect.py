"""A fitted model to its results: every number of the report, from one place."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from bayescluster.checks.convergence import convergence_gate
from bayescluster.checks.identification import Behind, identification
from bayescluster.checks.likelihoods import other_likelihoods
from bayescluster.checks.predictive import predictive_checks
from bayescluster.checks.reasons import Seen, likely_reasons
from bayescluster.checks.sandwich import weighting
from bayescluster.design.record import Design
from bayescluster.estimands.curves import conditional_effects, surfaces
from bayescluster.estimands.levels import default_levels
from bayescluster.estimands.membership import groups_of
from bayescluster.hypotheses.ceilings.found import CEILING_STREAM
from bayescluster.hypotheses.evidence import Evidence
from bayescluster.hypotheses.verdicts import verdicts
from bayescluster.model.evaluate import draws_of
from bayescluster.results.corners import Corners
from bayescluster.results.facts import ModelFacts
from bayescluster.results.likelihoods import Likelihoods
from bayescluster.results.model import (
    Curve,
    EffectRow,
    Gate,
    PredictiveRow,
    Results,
    Surface,
    Verdict,
)
from bayescluster.results.reproduction import FitFacts, Reproduction
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
    MeasurementDraws,
    measurement_draws,
    measurement_estimands,
    measurement_facts,
)
from bayescluster.workflow.reported import reported
from bayescluster.workflow.sensitivity import sensitivity_of
from bayescluster.workflow.sets import set_results
from bayescluster.workflow.traditions import Asked, claims_table, readings_of
from bayescluster.workflow.variance import shared_variance
from bayescluster.workflow.verdict_curves import verdict_curves
from bayescluster.workflow.weakest_node import (
    NodeDraws,
    node_draws,
    node_estimands,
    weakest_node,
)

FIGURE_STREAM, UNPOOLED_STREAM, MEASUREMENT_STREAM = 4, 5, 8
"""Keep the random streams of figures, unpooled fits and measurement apart from the others."""
LIKELIHOODS = 1
"""Keeps the draws of other likelihoods apart from those of ceilings, whose stream they share."""


class Fitted(NamedTuple):
    """A design with its draws, and what models of the ceiling say, where any were fitted."""

    design: Design
    tree: xr.DataTree
    ceilings: CeilingEvidence | None = None


class _Computed(NamedTuple):
    """What is computed before the gate, so that every estimand behind it passes the gate."""

    evidence: Evidence
    effects: tuple[EffectRow, ...]
    corners: tuple[Corners, ...]
    measured: MeasurementDraws | None
    beside: Beside
    node: NodeDraws | None


class _Answers(NamedTuple):
    gate: Gate
    verdicts: tuple[Verdict, ...]


_Fields = dict[str, Any]
"""Part of the results by the names of their fields, which `Results` checks."""


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
    likelihoods = other_likelihoods(
        fitted.design, np.random.default_rng((fit.seed, CEILING_STREAM, LIKELIHOODS))
    )
    known = _computed(fitted, likelihoods, fit.seed)
    answers = _answers(fitted, known)
    return Results(
        fit=fit,
        reproduction=reproduction,
        likelihoods=likelihoods,
        **_about(fitted.design),
        **_checked(fitted, known, answers),
        **_estimated(fitted, known, fit.seed),
        **_judged(fitted, known, answers, fit.seed),
    )


def _computed(fitted: Fitted, likelihoods: Likelihoods | None, seed: int) -> _Computed:
    design, tree = fitted.design, fitted.tree
    evidence = evidence_of(fitted, likelihoods)
    alone = alone_effects(design, np.random.default_rng((seed, UNPOOLED_STREAM)))
    return _Computed(
        evidence=evidence,
        effects=effect_rows(evidence, alone),
        corners=corner_tables(evidence, design.analysis.hypotheses),
        measured=measurement_draws(design, tree, np.random.default_rng((seed, MEASUREMENT_STREAM))),
        beside=equations_beside(design, tree),
        node=node_draws(evidence),
    )


def _answers(fitted: Fitted, known: _Computed) -> _Answers:
    """Judge the claims; their estimands, and those beside, pass the gate before verdicts count."""
    design, tree = fitted.design, fitted.tree
    claims = design.analysis.hypotheses
    # judged once as if the gate had passed, so that every estimand of a claim has been computed
    verdicts(claims, known.evidence, gate_passed=True)
    estimands = reported(known.evidence) | measurement_estimands(design, known.measured)
    estimands |= known.beside.estimands
    estimands |= node_estimands(known.node)
    gate = convergence_gate(tree, estimands, design.analysis.sampling.max_treedepth)
    return _Answers(gate, verdicts(claims, known.evidence, gate.passed))


def _about(design: Design) -> _Fields:
    """What was asked, and of which firms."""
    analysis = design.analysis
    return {
        "name": analysis.name,
        "title": analysis.report.title or analysis.name.replace("-", " ").replace("_", " "),
        "description": analysis.description,
        "limits": analysis.limits,
        "outcome": outcome_facts(design),
        "sample": sample_facts(design),
        "measures": measure_facts(design),
    }


def _checked(fitted: Fitted, known: _Computed, answers: _Answers) -> _Fields:
    """How far the fit can be trusted."""
    design, tree = fitted.design, fitted.tree
    posterior = known.evidence.posterior
    predictive = predictive_checks(design, tree)
    rows = row_checks(design, posterior, tree, predictive)
    return {
        "gate": explained(answers.gate, fitted, (predictive, known.beside)),
        "predictive": predictive,
        "loo": rows.loo,
        "fit_checks": rows.fit,
        "sensitivity": sensitivity_of(known.evidence, tree, answers.verdicts),
        "weighting": weighting(design, posterior),
    }


def _estimated(fitted: Fitted, known: _Computed, seed: int) -> _Fields:
    """The model and its estimands, whatever is claimed of them."""
    evidence, beside, design = known.evidence, known.beside, fitted.design
    return {
        "model": _model(evidence),
        "variance": shared_variance(design, fitted.tree),
        "measurement": measurement_facts(design, known.measured),
        "effects": known.effects,
        "differences": differences(evidence),
        "ranks": ranks(evidence),
        "corners": known.corners,
        "curves": _curves(evidence) if design.has_capitals else (),
        "surfaces": _surfaces(evidence, seed) if design.has_capitals else (),
        "others": beside.others,
        "residuals": beside.residuals,
        "learning": beside.learning,
    }


def _judged(fitted: Fitted, known: _Computed, answers: _Answers, seed: int) -> _Fields:
    """What the posterior says of the claims, and what each tradition does."""
    analysis, evidence, passed = fitted.design.analysis, known.evidence, answers.gate.passed
    found: _Fields = {
        "verdicts": answers.verdicts,
        "verdict_curves": verdict_curves(analysis.hypotheses, evidence, answers.verdicts),
        "causes": causes_of(evidence, passed),
        "ceiling_models": fitted.ceilings.results if fitted.ceilings else None,
        "weakest_node": weakest_node(known.node, passed),
    }
    if fitted.design.has_capitals:
        asked = Asked(
            evidence,
            lambda some: verdicts(some, evidence, passed),
            passed,
            preferred(fitted.ceilings, seed),
        )
        found |= {
            "claims": claims_table(analysis.traditions.level, readings_of(asked)),
            "sets": set_results(evidence.sets),
            "ceilings": ceiling_results(evidence),
        }
    return found


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
