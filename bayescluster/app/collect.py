"""A fitted model to its results: every number of the report, from one place.

What the gate looks at beyond the parameters, and why it failed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from itertools import combinations
from typing import Final, NamedTuple

import numpy as np
import xarray as xr

from bayescluster.app.effects import (
    context_rows,
    corner_tables,
    differences,
    effect_rows,
    ranks,
    unpooled_estimates,
)
from bayescluster.app.facts import (
    RowChecks,
    measure_facts,
    model_facts,
    outcome_facts,
    row_checks,
    sample_facts,
    shared_variance,
)
from bayescluster.arrays import Array
from bayescluster.checks.convergence import convergence_gate, with_confirmed
from bayescluster.checks.identification import Behind, identification
from bayescluster.checks.predictive import predictive_checks, replicates
from bayescluster.checks.reasons import CheckedFit, likely_reasons
from bayescluster.checks.sandwich import weighting
from bayescluster.dataset.values import label_of
from bayescluster.design.record import Design
from bayescluster.estimands.diagnostics import estimates
from bayescluster.estimands.effects import conditional_effects, contextual_effect, surfaces
from bayescluster.estimands.levels import default_levels
from bayescluster.estimands.scopes import groups_of
from bayescluster.features.causes.compute import causal_readings, causal_verdicts, causes_of
from bayescluster.features.ceiling_models.compute import CeilingEvidence, preferred
from bayescluster.features.ceilings.compute import (
    CEILING_STREAM,
    Preferred,
    ceiling_readings,
    ceiling_results,
    is_yes_or_no,
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
from bayescluster.features.weakest_node.compute import node_draws, node_estimands, weakest_node
from bayescluster.inference.watch import Silent, Watch, count
from bayescluster.model.evaluate import Draws, draws_of
from bayescluster.names import CHAIN, DRAW, RESIDUAL_CORRELATION, group_name
from bayescluster.results.claims import TRADITIONS, ClaimRow, Claims, Reading, Tradition
from bayescluster.results.fit import CheckItem, Gate
from bayescluster.results.model import (
    About,
    Answers,
    Checks,
    EquationResults,
    ModelResults,
    PredictiveRow,
    Provenance,
    ResidualRow,
    Results,
    Traditions,
)
from bayescluster.runs.store import RunDirectory
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.hypotheses import Hypothesis
from bayescluster.verdicts.claims import (
    AMOUNTS_ONLY,
    CLAIMS,
    NO_ANCHORS,
    Judge,
    corner_readings,
    disagreement,
    row_words,
    silence,
)
from bayescluster.verdicts.decide import declared_events, judged, verdicts
from bayescluster.verdicts.differences import asked_pairs
from bayescluster.verdicts.events import Event
from bayescluster.verdicts.evidence import Evidence, Known, SurfaceRequest, kinds_in
from bayescluster.verdicts.forms import together

FIGURE_STREAM, UNPOOLED_STREAM, MEASUREMENT_STREAM = 4, 5, 8
"""Keep the random streams of figures, unpooled fits and measurement apart from the others."""
LIKELIHOODS = 1
"""Keeps the draws of other likelihoods apart from those of ceilings, whose stream they share."""


class Opened:
    """A fit whose posterior is read when first needed, and estimands that are computed once.

    Parameters
    ----------
    design, run
        Design and directory.
    drawn
        The posterior, where it was drawn just now.
    """

    def __init__(self, design: Design, run: RunDirectory, drawn: xr.DataTree | None = None) -> None:
        self.design, self._run, self._drawn = design, run, drawn
        self.known = Known()

    @cached_property
    def tree(self) -> xr.DataTree:
        """Prior, posterior and statistics of the sampler."""
        return self._run.load_posterior() if self._drawn is None else self._drawn

    @cached_property
    def evidence(self) -> Evidence:
        """Estimands of the fit."""
        return evidence_of(self.design, self.tree, known=self.known)


def collect(
    fit: Opened,
    ceilings: CeilingEvidence | None,
    provenance: Provenance,
    settled: Sequence[CheckItem] = (),
    watch: Watch | None = None,
) -> Results:
    """Compute everything a report shows.

    Parameters
    ----------
    fit
        The fit. What is computed of it is known to who looks at it afterwards.
    ceilings
        What models of the ceiling say, where any were fitted.
    provenance
        How the posterior was drawn, and what is needed to get it again.
    settled
        Checks of these draws that a refit has settled.
    watch
        Receives the progress, part by part.
    """
    design, tree = fit.design, fit.tree
    seed, claims = provenance.fit.seed, design.analysis.hypotheses
    done = _Parts(watch or Silent()).done
    likelihoods = done(
        other_likelihoods(design, np.random.default_rng((seed, CEILING_STREAM, LIKELIHOODS)))
    )
    evidence = evidence_of(design, tree, likelihoods, fit.known)
    unpooled = done(unpooled_estimates(design, np.random.default_rng((seed, UNPOOLED_STREAM))))
    effects = done(effect_rows(evidence, unpooled))
    corners = done(corner_tables(evidence, claims))
    measured = measurement_draws(design, tree, np.random.default_rng((seed, MEASUREMENT_STREAM)))
    others = done(other_equations(design, tree))
    node = done(node_draws(evidence))
    # events come before the gate, so that every estimand behind a claim has to pass it
    claimed = done(evidence.once(declared_events))
    estimands = named_estimands(evidence) | measurement_estimands(design, measured)
    estimands |= {**others.estimands, **node_estimands(node), **claimed_estimands(claimed)}
    depth = design.analysis.sampling.max_treedepth
    gate = done(with_confirmed(convergence_gate(tree, estimands, depth), settled))
    answers = tuple(judged(claim, event, evidence, gate.passed) for claim, event in claimed)
    posterior = tree["posterior"].to_dataset()
    predictive = predictive_checks(design, replicates(design, evidence.posterior))
    rows = done(row_checks(design, evidence.posterior, posterior, predictive))
    by_equation = {design.equation_name: predictive}
    by_equation |= {each.model.equation: each.predictive for each in others.results}
    density = rows.log_likelihood + others.log_likelihood
    return Results.joined(
        about(design),
        provenance,
        done(_model_results(evidence, tree, measured, others, seed)),
        Checks(
            gate=explained(gate, design, tree, by_equation),
            predictive=predictive,
            loo=rows.loo,
            fit_checks=rows.fit,
            sensitivity=done(sensitivity_of(evidence, posterior, density, answers)),
            weighting=weighting(design, evidence.posterior),
        ),
        Answers(
            effects=effects,
            context=context_rows(evidence),
            differences=differences(evidence),
            ranks=ranks(evidence),
            corners=corners,
            verdicts=answers,
            together=together(answers, [[event.posterior for _, event in claimed]]),
            verdict_curves=done(verdict_curves(claims, evidence, answers)),
            claims=done(_claims(evidence, gate.passed, preferred(ceilings, seed))),
            weakest_node=weakest_node(node, gate.passed),
        ),
        Traditions(
            causes=done(causes_of(evidence, gate.passed)),
            sets=set_results(sets_of(evidence)) if design.has_both else None,
            ceilings=ceiling_results(evidence) if design.has_both else None,
            ceiling_models=ceilings.results if ceilings else None,
            likelihoods=likelihoods,
        ),
    )


PARTS: Final = 14
"""Parts of the results whose end is reported: those that take time."""


class _Parts:
    """Reports how many parts of the results are finished."""

    def __init__(self, watch: Watch) -> None:
        self._watch, self._finished = watch, 0
        count(watch, "parts of the results", 0, PARTS)

    def done[T](self, part: T) -> T:
        """Take note of a part, and hand it on."""
        self._finished += 1
        count(self._watch, "parts of the results", self._finished, PARTS)
        return part


def evidence_of(
    design: Design,
    tree: xr.DataTree,
    likelihoods: Likelihoods | None = None,
    known: Known | None = None,
) -> Evidence:
    """Open the draws of a fit for estimands and claims, and say which claims cannot be decided."""
    posterior, prior = (
        draws_of(design, tree[name].to_dataset()) for name in ("posterior", "prior")
    )
    depends = likelihoods.depends if likelihoods is not None else ""
    stopped = {"complementarity": depends} if depends else {}
    return Evidence(design, posterior, prior, design.analysis.sampling.seed, stopped, known)


def about(design: Design) -> About:
    """What the analysis asks, and of which firms."""
    analysis = design.analysis
    return About(
        name=analysis.name,
        title=analysis.title,
        description=analysis.description,
        limits=analysis.limits,
        outcome=outcome_facts(design),
        sample=sample_facts(design),
        measures=measure_facts(design),
    )


class OtherEquations(NamedTuple):
    """What further equations add to the results, and the estimands behind it, for the gate."""

    results: tuple[EquationResults, ...] = ()
    residuals: tuple[ResidualRow, ...] = ()
    learning: Learning | None = None
    estimands: Mapping[str, Array] = {}
    log_likelihood: Array | float = 0.0
    """Of their rows together at each draw, ``(draw,)``."""


def _model_results(
    evidence: Evidence,
    tree: xr.DataTree,
    measured: MeasurementDraws | None,
    others: OtherEquations,
    seed: int,
) -> ModelResults:
    """The model as estimated, how far the data determine it, and its expected outcome as curves."""
    design, posterior = evidence.design, evidence.posterior
    labels = [(by, label) for by in evidence.kinds for _, label in evidence.columns(by)]
    behind = Behind(evidence.behind_gates, labels)
    groups = groups_of(design, "industry" if design.analysis.data.industry is not None else "all")
    levels, rng = default_levels(design), np.random.default_rng((seed, FIGURE_STREAM))
    drawn = design.has_both
    return ModelResults(
        model=model_facts(
            design, posterior, identification(design, posterior, evidence.prior, behind)
        ),
        variance=shared_variance(design, tree),
        measurement=measurement_facts(design, measured),
        curves=tuple(conditional_effects(design, posterior, levels, groups)) if drawn else (),
        surfaces=tuple(surfaces(design, posterior, groups, rng)) if drawn else (),
        others=others.results,
        residuals=others.residuals,
        learning=others.learning,
    )


def claimed_estimands(
    claimed: Sequence[tuple[Hypothesis, Event]],
) -> dict[str, Array]:
    """What claims alone ask for, by name, ``(draw,)`` each: differences of groups that nothing else shows."""
    return {
        f"{name} ({event.group}; {claim.scope})": draws
        for claim, event in claimed
        for name, draws in event.quantities.items()
    }


def other_equations(design: Design, tree: xr.DataTree) -> OtherEquations:
    """Compute all that further equations add to the results; nothing where there is one."""
    if not design.others:
        return OtherEquations()
    posterior = tree["posterior"].to_dataset()
    turned = [design, *(design.turned_to(each.equation_name) for each in design.others)]
    systems = [(each, draws_of(each, posterior)) for each in turned]
    paths = learned(systems)
    estimands = learning_estimands(paths) if paths else {}
    results, total = [], np.zeros(systems[0][1].size)
    for each, draws in systems[1:]:
        some = draws.thinned_by_chain(DRAWS)
        evidence = Evidence(each, some, some, each.analysis.sampling.seed)
        estimands |= _effect_estimands(evidence)
        predictive = predictive_checks(each, replicates(each, draws))
        rows = row_checks(each, draws, posterior, predictive)
        total += rows.log_likelihood
        results.append(_equation_results(evidence, draws, predictive, rows))
    order = [each.equation_name for each in design.equations]
    return OtherEquations(
        tuple(sorted(results, key=lambda one: order.index(one.model.equation))),
        _residuals(posterior),
        learning_results(paths) if paths else None,
        estimands,
        total,
    )


def _effect_estimands(evidence: Evidence) -> dict[str, Array]:
    """Marginal effects of one of several equations, by name."""
    design = evidence.design
    if not design.has_capitals:
        return {}
    surface = evidence.surface("observed", default_levels(design))
    return {
        f"{design.equation_name}: marginal effect of {capital} ({group})": values[:, column]
        for group, column in (
            *((label, column) for column, label in evidence.columns("all")),
            *((f"industry {label}", column) for column, label in evidence.columns("industry")),
        )
        for capital, values in surface.marginal.items()
    }


def _equation_results(
    evidence: Evidence, draws: Draws, predictive: tuple[PredictiveRow, ...], rows: RowChecks
) -> EquationResults:
    """Results of an equation that is not in focus: effects from thinned draws, the rest from all."""
    design = evidence.design
    return EquationResults(
        outcome=outcome_facts(design),
        model=model_facts(design, draws),
        predictive=predictive,
        loo=rows.loo,
        effects=tuple(row for row in effect_rows(evidence, {}) if row.by != "cluster"),
        fit_checks=rows.fit,
    )


def _residuals(posterior: xr.Dataset) -> tuple[ResidualRow, ...]:
    if RESIDUAL_CORRELATION not in posterior:
        return ()
    values = posterior[RESIDUAL_CORRELATION].transpose(CHAIN, DRAW, ...)
    names = [str(label) for label in values[values.dims[2]].to_numpy()]
    flat = values.to_numpy().reshape(-1, len(names), len(names))
    pairs = list(combinations(range(len(names)), 2))
    draws = np.column_stack([flat[:, a, b] for a, b in pairs])
    return tuple(
        ResidualRow(
            first=names[a],
            second=names[b],
            estimate=estimate,
            positive=float((column > 0).mean()),
        )
        for (a, b), estimate, column in zip(
            pairs, estimates(draws, values.sizes[CHAIN]), draws.T, strict=True
        )
    )


class ReadingInputs(NamedTuple):
    """What a tradition reads from: estimands, a judge of corner claims, the gate, ceiling models."""

    evidence: Evidence
    judge: Judge
    gate_passed: bool
    preferred: Preferred | None = None
    """Effect sizes under a model of the ceiling, where one was fitted."""


Reader = Callable[[ReadingInputs], Iterable[Reading]]


def _read_corners(inputs: ReadingInputs) -> Iterable[Reading]:
    return corner_readings(inputs.evidence, inputs.judge, inputs.gate_passed)


def _read_ceilings(inputs: ReadingInputs) -> Iterable[Reading]:
    return ceiling_readings(inputs.evidence, inputs.gate_passed, inputs.preferred)


def _read_sets(inputs: ReadingInputs) -> Iterable[Reading]:
    sets = sets_of(inputs.evidence)
    # quantiles of the sample are no calibration: they reject nearly everything by construction
    return () if sets.from_sample else set_readings(sets, inputs.gate_passed)


def _read_causes(inputs: ReadingInputs) -> Iterable[Reading]:
    return causal_readings(causal_verdicts(inputs.evidence, inputs.gate_passed))


READERS: Final[tuple[Reader, ...]] = (_read_corners, _read_ceilings, _read_sets, _read_causes)
"""One a tradition, in the order of the table."""


def readers_asked(analysis: Analysis, *, posterior_only: bool = False) -> tuple[Reader, ...]:
    """Corners, and those other traditions that the analysis sets up under ``traditions``.

    ``posterior_only`` leaves out sets, whose probabilities are shares of replicated firms and not of
    posterior draws.
    """
    by_block = {"ceilings": _read_ceilings, "sets": _read_sets, "causes": _read_causes}
    asked = analysis.traditions.model_fields_set - ({"sets"} if posterior_only else set())
    return (_read_corners, *(reader for block, reader in by_block.items() if block in asked))


def readings_of(
    inputs: ReadingInputs, readers: tuple[Reader, ...] = READERS
) -> tuple[Reading, ...]:
    """Read every claim by every tradition, or by some of them; none without both capitals."""
    if not inputs.evidence.design.has_both:
        return ()
    return tuple(reading for reader in readers for reading in reader(inputs))


def _claims(evidence: Evidence, passed: bool, ceilings: Preferred | None) -> Claims | None:
    """Read every claim by every tradition, where the model has both capitals."""
    if not evidence.design.has_both:
        return None
    inputs = ReadingInputs(
        evidence, lambda claims: verdicts(claims, evidence, passed), passed, ceilings
    )
    silent: dict[Tradition, str] = {}
    if is_yes_or_no(evidence.design):
        silent["ceilings"] = AMOUNTS_ONLY
    if sets_of(evidence).from_sample:
        silent["sets"] = NO_ANCHORS
    return claims_table(evidence.design.analysis.traditions.level, readings_of(inputs), silent)


def claims_table(
    level: float, readings: Iterable[Reading], silent: Mapping[Tradition, str]
) -> Claims:
    """Arrange readings by claim and group, and say what they say together.

    ``silent`` says why a tradition has no reading of any claim.
    """
    grouped: dict[tuple[str, str, str], list[Reading]] = {}
    for reading in readings:
        grouped.setdefault((reading.claim, reading.by, reading.group), []).append(reading)
    order = list(CLAIMS)
    rows = sorted(grouped.values(), key=lambda some: order.index(some[0].claim))
    return Claims(level=level, rows=tuple(_claim_row(row, silent) for row in rows))


def _claim_row(readings: list[Reading], silent: Mapping[Tradition, str]) -> ClaimRow:
    first = readings[0]
    spoken = {reading.tradition for reading in readings}
    return ClaimRow(
        claim=first.claim,
        title=CLAIMS[first.claim],
        by=first.by,
        group=first.group,
        readings=tuple(readings),
        silent={
            name: silence(name, first.claim, silent) for name in TRADITIONS if name not in spoken
        },
        words=row_words(readings),
        disagreement=disagreement(readings),
    )


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
