"""Results of several forms to the results of all: compared, weighed and averaged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bayescluster.app.collect import Fitted, claims_table, evidence_of
from bayescluster.app.effects import Alone, corner_tables, differences, effect_rows, ranks
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
from bayescluster.features.sensitivity.compute import of_leading_form
from bayescluster.features.verdict_curves.compute import averaged_curves
from bayescluster.features.weakest_node.compute import averaged_node
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
from bayescluster.results.model import CheckItem, EffectRow, Gate, Results, Verdict
from bayescluster.runs.store import RunDirectory
from bayescluster.spec.hypotheses import Hypothesis
from bayescluster.verdicts.averaging import Averaged, Weighed, averaged_verdicts
from bayescluster.verdicts.claims import corner_readings
from bayescluster.verdicts.evidence import Evidence
from bayescluster.verdicts.verdicts import verdicts


class Part(NamedTuple):
    """One form: its design, its run, its results, and where its report stands from the whole's."""

    design: Design
    run: RunDirectory
    results: Results
    report: str

    @property
    def name(self) -> str:
        """Name of the form."""
        return self.design.structure.name


class _Scored(NamedTuple):
    fit: FormFit
    evidence: Evidence


def combined(parts: Sequence[Part], reproduction: Reproduction) -> Results:
    """Compare the forms, and average effects, corners and verdicts over them.

    All other results are those of the form with the largest weight.

    Parameters
    ----------
    parts
        The forms, in the order of the analysis.
    reproduction
        What is needed to get the whole again.
    """
    scored = [_scored(part) for part in parts]
    fits = [one.fit for one in scored]
    rows, criterion = form_rows(fits), criterion_of(fits)
    forms = [
        Weighed(part.name, row.weight, one.evidence, part.results.verdicts, row.gate_passed)
        for part, row, one in zip(parts, rows, scored, strict=True)
    ]
    mixture = Averaged(forms)
    lead = max(zip(rows, parts, strict=True), key=lambda pair: pair[0].weight)[1]
    claims = lead.design.analysis.hypotheses
    base = lead.results
    judged = averaged_verdicts(claims, forms, mixture, criterion)
    own = [(row.weight, part.results.verdict_curves) for row, part in zip(rows, parts, strict=True)]
    return base.model_copy(
        update={
            "title": _title(base, lead.name),
            "gate": _gate(parts, rows, lead.name),
            "comparison": _comparison(parts, fits, rows, criterion, lead.name),
            "effects": effect_rows(mixture, _alone(base.effects)),
            "differences": differences(mixture),
            "ranks": ranks(mixture),
            "corners": corner_tables(mixture, claims),
            "verdicts": judged,
            "verdict_curves": averaged_curves(own, claims, mixture, judged),
            "claims": _claims(base, forms, mixture, criterion),
            "weakest_node": averaged_node(
                mixture,
                [
                    (form.weight, part.results.weakest_node)
                    for form, part in zip(forms, parts, strict=True)
                ],
                _passed(forms),
            ),
            "sensitivity": of_leading_form(base.sensitivity, lead.name),
            "reproduction": reproduction,
        }
    )


def _claims(
    base: Results, forms: Sequence[Weighed], mixture: Averaged, criterion: Criterion
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
    return claims_table(
        base.claims.level, [*corner_readings(mixture, judge, _passed(forms)), *others]
    )


def _passed(forms: Sequence[Weighed]) -> bool:
    return all(form.gate_passed for form in forms if form.counts)


def _scored(part: Part) -> _Scored:
    """Score a form; the replicates and densities of its posterior are let go again."""
    tree = part.run.load_posterior()
    evidence = evidence_of(Fitted(part.design, tree))
    clusters = None if why_not(part.design) else leave_cluster_out(part.design, evidence.posterior)
    fit = FormFit(
        part.design.structure,
        part.report,
        part.results.gate,
        leave_row_out(part.design, tree),
        clusters,
        below_zero(evidence.posterior),
    )
    return _Scored(fit, evidence)


def _title(base: Results, form: str) -> str:
    return base.title.removesuffix(f": {form}")


def _alone(effects: Sequence[EffectRow]) -> Alone:
    return {
        (row.group, row.capital, row.measure): row.unpooled
        for row in effects
        if row.unpooled is not None
    }


def _gate(parts: Sequence[Part], rows: Sequence[FormRow], lead: str) -> Gate:
    """Checks of the leading form, and one line for each of the others; likely reasons of all."""
    own = {part.name: part.results.gate for part in parts}
    named = [item.model_copy(update={"name": f"{lead}: {item.name}"}) for item in own[lead].items]
    named += [_line(row) for row in rows if row.form != lead]
    reasons = [
        reason.model_copy(update={"checks": tuple(f"{lead}: {name}" for name in reason.checks)})
        for reason in own[lead].reasons
    ]
    failed = {item.name for item in named if item.passed is not True}
    for form, gate in own.items():
        line = f"{form}: gate"
        if line in failed:
            told = [reason for reason in gate.reasons if reason.checks]
            reasons += [reason.model_copy(update={"checks": (line,)}) for reason in told]
    return Gate(
        passed=all(item.passed is True for item in named),
        items=tuple(named),
        reasons=tuple(reasons),
    )


def _line(row: FormRow) -> CheckItem:
    found = "passed" if row.gate_passed else f"failed: {', '.join(row.failing)}"
    counts = row.weight > WEIGHT_MIN
    return CheckItem(
        name=f"{row.form}: gate",
        question="Did this form pass its own gate?",
        found=f"{found}; weight {row.weight:.3f}",
        threshold=f"passed, or a weight of at most {WEIGHT_MIN:g}",
        passed=row.gate_passed or not counts,
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
    return Comparison(
        criterion=criterion,
        criterion_reason=_reason(criterion, parts[0].design),
        leading=lead,
        forms=rows,
        non_compensatory_weight=sum(row.weight for row in rows if row.non_compensatory),
        khat_threshold=limits[0] if limits else None,
        clusters=tuple(
            row
            for part, fit in zip(parts, fits, strict=True)
            if fit.clusters is not None
            for row in _clusters(part, fit.clusters)
        ),
        corners=tuple(row for part in parts for row in _corners(part)),
        verdicts=tuple(row for part in parts for row in _verdicts(part)),
        statements=statements(rows, criterion),
    )


def _reason(criterion: Criterion, design: Design) -> str:
    if criterion == "leave-one-cluster-out":
        return (
            "the data declare clusters, and a claim about firms in clusters should hold in a cluster "
            "not seen before"
        )
    return f"clusters cannot be left out: {why_not(design) or 'a score is not a number'}"


def _clusters(part: Part, scores: ClusterScores) -> list[LeftOutCluster]:
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
