"""A fitted model to its results: every number of the report, from one place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import combinations
from typing import Any, Final, NamedTuple

import numpy as np
import xarray as xr

from bayescluster.app.effects import (
    BY,
    alone_effects,
    corner_tables,
    differences,
    effect_rows,
    ranks,
)
from bayescluster.app.facts import (
    measure_facts,
    model_facts,
    outcome_facts,
    row_checks,
    sample_facts,
    shared_variance,
)
from bayescluster.arrays import Array
from bayescluster.checks.convergence import convergence_gate
from bayescluster.checks.identification import Behind, identification
from bayescluster.checks.predictive import predictive_checks
from bayescluster.checks.reasons import Seen, likely_reasons
from bayescluster.checks.sandwich import weighting
from bayescluster.dataset.values import label_of
from bayescluster.design.record import Design
from bayescluster.estimands.effects import SurfaceDraws, conditional_effects, surfaces
from bayescluster.estimands.levels import default_levels
from bayescluster.estimands.scopes import groups_of
from bayescluster.estimands.summary import estimates
from bayescluster.features.causes.compute import causal_readings, causal_verdicts, causes_of
from bayescluster.features.ceiling_models.compute import CeilingEvidence, preferred
from bayescluster.features.ceilings.compute import (
    CEILING_STREAM,
    Preferred,
    ceiling_readings,
    ceiling_results,
)
from bayescluster.features.learning.compute import (
    DRAWS,
    learned,
    learning_estimands,
    learning_results,
)
from bayescluster.features.learning.results import Learning
from bayescluster.features.likelihoods.compute import other_likelihoods
from bayescluster.features.likelihoods.results import Likelihoods
from bayescluster.features.measurement.compute import (
    MeasurementDraws,
    measurement_draws,
    measurement_estimands,
    measurement_facts,
)
from bayescluster.features.sensitivity.compute import sensitivity_of
from bayescluster.features.sets.compute import set_readings, set_results, sets_of
from bayescluster.features.verdict_curves.compute import verdict_curves
from bayescluster.features.weakest_node.compute import (
    NodeDraws,
    node_draws,
    node_estimands,
    weakest_node,
)
from bayescluster.model.evaluate import Draws, draws_of
from bayescluster.names import CHAIN, DRAW, RESIDUAL_CORRELATION
from bayescluster.results.claims import TRADITIONS, ClaimRow, Claims, Corners, Reading
from bayescluster.results.facts import FitFacts, ModelFacts, Reproduction
from bayescluster.results.model import (
    Curve,
    EffectRow,
    EquationResults,
    Gate,
    PredictiveRow,
    ResidualRow,
    Results,
    Surface,
    Verdict,
)
from bayescluster.verdicts.claims import (
    CLAIMS,
    Judge,
    corner_readings,
    disagreement,
    row_words,
    silence,
)
from bayescluster.verdicts.evidence import Evidence, Looked
from bayescluster.verdicts.verdicts import verdicts


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


def reported(evidence: Evidence) -> dict[str, Array]:
    """Every estimand that was computed from the posterior, by name, ``(draw,)`` each."""
    found: dict[str, Array] = {}
    for looked, surface in evidence.computed().items():
        if looked.source == "posterior":
            found |= _of_groups(evidence, looked, surface)
            if looked.scope != "new_industry":  # it takes the place of every industry
                found |= _differences(evidence, looked, surface)
    return found


def _declared(evidence: Evidence, looked: Looked) -> str:
    """Levels in words, with the level of the outcome where another is asked for than the equation's."""
    declared = looked.levels.declared
    if looked.at_least is None or looked.at_least == evidence.design.equation.at_least:
        return declared
    return f"{declared}; at least {label_of(looked.at_least)}"


def _of_groups(evidence: Evidence, looked: Looked, surface: SurfaceDraws) -> dict[str, Array]:
    named = {f"effect of {name}": values for name, values in surface.marginal.items()}
    named |= {f"contrast of {name}": values for name, values in surface.contrast.items()}
    named |= {f"corner {name}": values for name, values in surface.corners.items()}
    named["cross difference"] = surface.cross_difference
    columns = list(_columns(evidence))
    if looked.scope == "new_industry":
        columns = columns[:1]
    where = f"{looked.scope}; {_declared(evidence, looked)}"
    return {
        f"{name} ({label}; {where})": values[:, column]
        for name, values in named.items()
        for column, label in columns
    }


def _differences(evidence: Evidence, looked: Looked, surface: SurfaceDraws) -> dict[str, Array]:
    where = f"{looked.scope}; {_declared(evidence, looked)}"
    return {
        f"effect of {name} ({a} less {b}; {where})": values[:, first] - values[:, second]
        for (first, a), (second, b) in combinations(evidence.columns("industry"), 2)
        for name, values in surface.marginal.items()
    }


def _columns(evidence: Evidence) -> Iterator[tuple[int, str]]:
    """Columns of all groups, the whole sample first, each with the name of its group."""
    for by in ("all", "industry", "cluster"):
        for column, label in evidence.columns(by):
            yield column, label if by == "all" else f"{by} {label}"


class Asked(NamedTuple):
    """What a tradition reads from: estimands, a judge of corner claims, the gate, ceiling models."""

    evidence: Evidence
    judge: Judge
    gate_passed: bool
    preferred: Preferred | None = None
    """Effect sizes under a model of the ceiling, where one was fitted."""


Reader = Callable[[Asked], Iterable[Reading]]


def _corners(asked: Asked) -> Iterable[Reading]:
    return corner_readings(asked.evidence, asked.judge, asked.gate_passed)


def _causes(asked: Asked) -> Iterable[Reading]:
    return causal_readings(causal_verdicts(asked.evidence, asked.gate_passed))


def _sets(asked: Asked) -> Iterable[Reading]:
    return set_readings(sets_of(asked.evidence), asked.gate_passed)


def _ceilings(asked: Asked) -> Iterable[Reading]:
    return ceiling_readings(asked.evidence, asked.gate_passed, asked.preferred)


READERS: Final[tuple[Reader, ...]] = (_corners, _ceilings, _sets, _causes)
"""One a tradition, in the order of the table."""
READERS_OF_THE_POSTERIOR: Final[tuple[Reader, ...]] = (_corners, _ceilings, _causes)
"""Those whose probabilities are shares of posterior draws; of the others, of replicated firms."""


def readings_of(asked: Asked, readers: tuple[Reader, ...] = READERS) -> tuple[Reading, ...]:
    """Read every claim by every tradition, or by some of them."""
    return tuple(reading for reader in readers for reading in reader(asked))


def claims_table(level: float, readings: Iterable[Reading]) -> Claims:
    """Arrange readings by claim and group, and say what they say together."""
    found: dict[tuple[str, str, str], list[Reading]] = {}
    for reading in readings:
        found.setdefault((reading.claim, reading.by, reading.group), []).append(reading)
    return Claims(level=level, rows=tuple(_rows(found.values())))


def _rows(found: Iterable[list[Reading]]) -> Iterator[ClaimRow]:
    order = list(CLAIMS)
    for readings in sorted(found, key=lambda some: order.index(some[0].claim)):
        first = readings[0]
        spoken = {reading.tradition for reading in readings}
        yield ClaimRow(
            claim=first.claim,
            title=CLAIMS[first.claim],
            by=first.by,
            group=first.group,
            readings=tuple(readings),
            silent={name: silence(name, first.claim) for name in TRADITIONS if name not in spoken},
            words=row_words(readings),
            disagreement=disagreement(readings),
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
            "sets": set_results(sets_of(evidence)),
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
