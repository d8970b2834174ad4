"""Results of several forms to the results of all: compared, weighed and averaged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bayescluster.app.collect import about, claims_table, evidence_of
from bayescluster.app.effects import Unpooled, corner_tables, differences, effect_rows, ranks
from bayescluster.checks.comparison import (
    ClusterScores,
    FormFit,
    below_zero,
    criterion_of,
    form_rows,
    leave_cluster_out,
    statements,
    why_not,
)
from bayescluster.checks.loo import leave_row_out
from bayescluster.checks.thresholds import WEIGHT_MIN
from bayescluster.design.record import Design
from bayescluster.estimands.summary import number
from bayescluster.features.ceiling_models.results import CeilingModelsResults
from bayescluster.features.sensitivity.compute import of_leading_form
from bayescluster.features.verdict_curves.compute import averaged_curves
from bayescluster.features.weakest_node.compute import node_draws, weakest_node
from bayescluster.names import CLUSTER
from bayescluster.results.claims import Claims
from bayescluster.results.facts import Reproduction
from bayescluster.results.fit import (
    Comparison,
    Criterion,
    FormCorner,
    FormRow,
    FormVerdict,
    LeftOutCluster,
)
from bayescluster.results.model import (
    Answers,
    CheckItem,
    Checks,
    EffectRow,
    Gate,
    Provenance,
    Results,
    Traditions,
    Verdict,
)
from bayescluster.runs.store import RunDirectory
from bayescluster.spec.hypotheses import Hypothesis
from bayescluster.verdicts.averaging import Averaged, WeightedForm, averaged_verdicts
from bayescluster.verdicts.claims import corner_readings
from bayescluster.verdicts.decide import verdicts
from bayescluster.verdicts.evidence import Evidence


class Part(NamedTuple):
    """One form: its design, its run, its results, and the path of its report from the whole's."""

    design: Design
    run: RunDirectory
    results: Results
    report: str

    @property
    def name(self) -> str:
        """Name of the form."""
        return self.design.structure.name


def combined(
    parts: Sequence[Part], ceilings: CeilingModelsResults | None, reproduction: Reproduction
) -> Results:
    """Compare the forms, and average effects, corners and verdicts over them.

    All other results are those of the form with the largest weight.

    Parameters
    ----------
    parts
        The forms, in the order of the analysis.
    ceilings
        What models of the ceiling say, which have no form.
    reproduction
        What is needed to get the whole again.
    """
    fits, evidence = zip(*map(_scored, parts), strict=True)
    rows, criterion = form_rows(fits), criterion_of(fits)
    forms = [
        WeightedForm(part.name, row.weight, each, part.results.verdicts, row.gate_passed)
        for part, row, each in zip(parts, rows, evidence, strict=True)
    ]
    mixture = Averaged(forms)
    lead = max(zip(rows, parts, strict=True), key=lambda pair: pair[0].weight)[1]
    base, claims = lead.results, lead.design.analysis.hypotheses
    passed = all(form.gate_passed for form in forms if form.counts)
    answers = averaged_verdicts(claims, forms, mixture, criterion)
    weighed = [(form.weight, part.results) for form, part in zip(forms, parts, strict=True)]
    return Results.joined(
        base,
        about(lead.design),
        Provenance(fit=base.fit, reproduction=reproduction),
        Checks(
            gate=_gate(parts, rows, lead.name),
            predictive=base.predictive,
            loo=base.loo,
            fit_checks=base.fit_checks,
            sensitivity=of_leading_form(base.sensitivity, lead.name),
            weighting=base.weighting,
            comparison=_comparison(parts, fits, rows, criterion, lead.name),
        ),
        Answers(
            effects=effect_rows(mixture, _unpooled(base.effects)),
            differences=differences(mixture),
            ranks=ranks(mixture),
            corners=corner_tables(mixture, claims),
            verdicts=answers,
            verdict_curves=averaged_curves(
                [(weight, results.verdict_curves) for weight, results in weighed],
                claims,
                mixture,
                answers,
            ),
            claims=_claims(base, forms, mixture, criterion, passed),
            weakest_node=weakest_node(
                node_draws(mixture, mixture.parts),
                passed,
                [(weight, results.weakest_node) for weight, results in weighed],
            ),
        ),
        Traditions(
            causes=base.causes,
            sets=base.sets,
            ceilings=base.ceilings,
            ceiling_models=ceilings,
            likelihoods=base.likelihoods,
        ),
    )


def _scored(part: Part) -> tuple[FormFit, Evidence]:
    """Score a form; the replicates and densities of its posterior are let go again."""
    design, tree = part.design, part.run.load_posterior()
    evidence = evidence_of(design, tree)
    fit = FormFit(
        design.structure,
        part.report,
        part.results.gate,
        leave_row_out(design, tree),
        None if why_not(design) else leave_cluster_out(design, evidence.posterior),
        below_zero(evidence.posterior),
    )
    return fit, evidence


def _unpooled(effects: Sequence[EffectRow]) -> Unpooled:
    return {
        (row.group, row.capital, row.measure): row.unpooled
        for row in effects
        if row.unpooled is not None
    }


def _claims(
    base: Results,
    forms: Sequence[WeightedForm],
    mixture: Averaged,
    criterion: Criterion,
    passed: bool,
) -> Claims | None:
    """Read the corners from the average of the forms; the other traditions read the leading one."""
    if base.claims is None:
        return None

    def judge(claims: tuple[Hypothesis, ...]) -> tuple[Verdict, ...]:
        own = [form._replace(verdicts=verdicts(claims, form.evidence, True)) for form in forms]
        return averaged_verdicts(claims, own, mixture, criterion)

    others = [
        reading
        for row in base.claims.rows
        for reading in row.readings
        if reading.tradition != "corners"
    ]
    return claims_table(base.claims.level, [*corner_readings(mixture, judge, passed), *others])


def _gate(parts: Sequence[Part], rows: Sequence[FormRow], lead: str) -> Gate:
    """Checks of the leading form, and one line for each of the others; likely reasons of all."""
    own = {part.name: part.results.gate for part in parts}
    items = [item.model_copy(update={"name": f"{lead}: {item.name}"}) for item in own[lead].items]
    items += [_form_item(row) for row in rows if row.form != lead]
    reasons = [
        reason.model_copy(update={"checks": tuple(f"{lead}: {name}" for name in reason.checks)})
        for reason in own[lead].reasons
    ]
    failed = {item.name for item in items if item.passed is not True}
    for form, gate in own.items():
        line = f"{form}: gate"
        if line in failed:
            reasons += [
                reason.model_copy(update={"checks": (line,)})
                for reason in gate.reasons
                if reason.checks
            ]
    return Gate(passed=not failed, items=tuple(items), reasons=tuple(reasons))


def _form_item(row: FormRow) -> CheckItem:
    outcome = "passed" if row.gate_passed else f"failed: {', '.join(row.failing)}"
    return CheckItem(
        name=f"{row.form}: gate",
        question="Did this form pass its own gate?",
        found=f"{outcome}; weight {row.weight:.3f}",
        threshold=f"passed, or a weight of at most {WEIGHT_MIN:g}",
        passed=row.gate_passed or row.weight <= WEIGHT_MIN,
        advice="" if row.gate_passed else f"see the checks in the report of {row.form}",
    )


def _comparison(
    parts: Sequence[Part],
    fits: Sequence[FormFit],
    rows: tuple[FormRow, ...],
    criterion: Criterion,
    lead: str,
) -> Comparison:
    limits = [fit.clusters.khat_threshold for fit in fits if fit.clusters is not None]
    reason = (
        "the data declare clusters, and a claim about firms in clusters should hold in a cluster "
        "not seen before"
        if criterion == "leave-one-cluster-out"
        else f"clusters cannot be left out: {why_not(parts[0].design) or 'a score is not a number'}"
    )
    return Comparison(
        criterion=criterion,
        criterion_reason=reason,
        leading=lead,
        forms=rows,
        non_compensatory_weight=sum(row.weight for row in rows if row.non_compensatory),
        khat_threshold=limits[0] if limits else None,
        clusters=tuple(
            row
            for part, fit in zip(parts, fits, strict=True)
            if fit.clusters is not None
            for row in _left_out_clusters(part, fit.clusters)
        ),
        corners=tuple(row for part in parts for row in _corners(part)),
        verdicts=tuple(row for part in parts for row in _verdicts(part)),
        statements=statements(rows, criterion),
    )


def _left_out_clusters(part: Part, scores: ClusterScores) -> list[LeftOutCluster]:
    index = part.design.index(CLUSTER)
    return [
        LeftOutCluster(
            form=part.name,
            cluster=label,
            rows=int((index == k).sum()),
            elpd=float(scores.elpd[k]),
            khat=number(scores.khat[k]),
        )
        for k, label in enumerate(part.design.group_labels(CLUSTER))
    ]


def _corners(part: Part) -> list[FormCorner]:
    return [
        FormCorner(
            form=part.name,
            scope=table.scope,
            declared=table.declared,
            by=row.by,
            group=row.group,
            corner=row.corner,
            estimate=row.estimate,
            at_least=table.at_least,
        )
        for table in part.results.corners
        for row in table.rows
        if row.by != "cluster"
    ]


def _verdicts(part: Part) -> list[FormVerdict]:
    return [
        FormVerdict(
            form=part.name,
            claim=position,
            title=verdict.title,
            group=verdict.group,
            verdict=verdict.verdict,
            probability=verdict.probability,
            prior_probability=verdict.prior_probability,
        )
        for position, verdict in enumerate(part.results.verdicts)
    ]
