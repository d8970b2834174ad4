"""Results of several forms to the results of all: compared, effects averaged, verdicts over the plausible."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bayescluster.app.collect import Opened, about, claims_table
from bayescluster.app.effects import (
    Unpooled,
    context_rows,
    corner_tables,
    differences,
    effect_rows,
    ranks,
)
from bayescluster.checks.comparison import (
    ClusterScores,
    FormFit,
    criterion_of,
    form_rows,
    leave_cluster_out,
    statements,
    why_not,
)
from bayescluster.checks.loo import leave_row_out
from bayescluster.checks.thresholds import WEIGHT_MIN
from bayescluster.design.record import Design
from bayescluster.estimands.diagnostics import number
from bayescluster.features.ceiling_models.results import CeilingModelsResults
from bayescluster.features.sensitivity.compute import of_leading_form
from bayescluster.features.verdict_curves.compute import curves_over_forms
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
from bayescluster.spec.hypotheses import Hypothesis
from bayescluster.verdicts.claims import AMOUNTS_ONLY, NO_ANCHORS, corner_readings
from bayescluster.verdicts.decide import verdicts
from bayescluster.verdicts.evidence import Evidence
from bayescluster.verdicts.forms import (
    Averaged,
    JudgedForm,
    WeightedForm,
    claims_of_verdicts,
    non_compensatory,
    own_state,
    region_draws,
    together,
    verdicts_over_forms,
)


class Part(NamedTuple):
    """One form: its design, its fit, and its results."""

    design: Design
    """As in the whole analysis, whose title it has."""
    fit: Opened
    results: Results

    @property
    def name(self) -> str:
        """Name of the form."""
        return self.design.structure.name


def combined(
    parts: Sequence[Part], ceilings: CeilingModelsResults | None, reproduction: Reproduction
) -> Results:
    """Compare the forms, average effects and corners over them, and judge by the plausible ones.

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
        WeightedForm(part.name, row.weight, each)
        for part, row, each in zip(parts, rows, evidence, strict=True)
    ]
    mixture = Averaged(forms)
    lead = max(zip(rows, parts, strict=True), key=lambda pair: pair[0].weight)[1]
    base, claims = lead.results, lead.design.analysis.hypotheses
    passed = all(row.gate_passed for row in rows if _counts(row))
    judged = [
        JudgedForm(part.name, row.plausible, row.gate_passed, part.results.verdicts)
        for part, row in zip(parts, rows, strict=True)
    ]
    answers = verdicts_over_forms(claims_of_verdicts(claims, mixture), judged, lead.design)
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
            context=context_rows(mixture),
            differences=differences(mixture),
            ranks=ranks(mixture),
            corners=corner_tables(mixture, claims),
            verdicts=answers,
            together=together(
                answers,
                [
                    region_draws(claims, each)
                    for each, row in zip(evidence, rows, strict=True)
                    if row.plausible and any(one.verdict == "supported" for one in answers)
                ],
            ),
            verdict_curves=curves_over_forms(
                [
                    part.results.verdict_curves
                    for part, row in zip(parts, rows, strict=True)
                    if row.plausible
                ],
                claims,
                mixture,
                answers,
            ),
            claims=_claims(base, parts, rows, evidence, mixture),
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
    """Score a form."""
    design, tree, evidence = part.design, part.fit.tree, part.fit.evidence
    fit = FormFit(
        design.structure,
        part.results.gate,
        leave_row_out(design, tree),
        None if why_not(design) else leave_cluster_out(design, evidence.posterior),
        non_compensatory(evidence),
    )
    return fit, evidence


def _unpooled(effects: Sequence[EffectRow]) -> Unpooled:
    return {
        (row.group, row.capital, row.measure): row.unpooled
        for row in effects
        if row.unpooled is not None
    }


def _counts(row: FormRow) -> bool:
    """Whether a form has a part in the verdicts, or in the averages of effects and corners."""
    return row.plausible or row.weight > WEIGHT_MIN


def _claims(
    base: Results,
    parts: Sequence[Part],
    rows: Sequence[FormRow],
    evidence: Sequence[Evidence],
    mixture: Averaged,
) -> Claims | None:
    """Read the corners over the plausible forms; the other traditions read the leading one."""
    if base.claims is None:
        return None

    def judge(claims: tuple[Hypothesis, ...]) -> tuple[Verdict, ...]:
        forms = [
            JudgedForm(part.name, row.plausible, row.gate_passed, verdicts(claims, each, True))
            for part, row, each in zip(parts, rows, evidence, strict=True)
        ]
        return verdicts_over_forms(claims_of_verdicts(claims, mixture), forms, parts[0].design)

    others = [
        reading
        for row in base.claims.rows
        for reading in row.readings
        if reading.tradition != "corners"
    ]
    passed = all(row.gate_passed for row in rows if _counts(row))
    told = (AMOUNTS_ONLY, NO_ANCHORS)
    silent = {
        name: why for row in base.claims.rows for name, why in row.silent.items() if why in told
    }
    readings = [*corner_readings(mixture, judge, passed), *others]
    return claims_table(base.claims.level, readings, silent)


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
        found=f"{outcome}; {'' if row.plausible else 'not '}plausible, weight {row.weight:.3f}",
        threshold=f"passed, or neither plausible nor of a weight above {WEIGHT_MIN:g}",
        passed=row.gate_passed or not _counts(row),
        advice=""
        if row.gate_passed
        else f"write its report: bayescluster report RUN/forms/{row.form}",
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
            verdict=own_state(verdict),
            probability=verdict.probability,
            prior_probability=verdict.prior_probability,
        )
        for position, verdict in enumerate(part.results.verdicts)
    ]
