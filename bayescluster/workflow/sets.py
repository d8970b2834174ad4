"""What set theory finds in a run, put together for the report."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from bayescluster.arrays import Array
from bayescluster.estimands.membership import declared_groups
from bayescluster.estimands.summary import number
from bayescluster.hypotheses.sets.calibration import AMBIGUOUS
from bayescluster.hypotheses.sets.expressions import (
    BOTH,
    HUMAN,
    NECESSARY,
    SOCIAL,
    SUFFICIENT,
    WORDS,
    expressions,
)
from bayescluster.hypotheses.sets.measures import (
    necessity,
    sufficiency,
    total_of,
)
from bayescluster.hypotheses.sets.replicates import FEW_CLUSTERS, SETS_STREAM, SetEvidence
from bayescluster.hypotheses.sets.tables import (
    MEASURES,
    Cases,
    Solved,
    combinations_of,
    solution_rows,
    solve,
    spread_rows,
    truth_rows,
)
from bayescluster.hypotheses.sets.truth_table import Cuts, Expectation
from bayescluster.names import CAPITALS, OUTCOME, ROW
from bayescluster.results.base import INTERVAL
from bayescluster.results.sets import (
    Relation,
    SetMeasure,
    SetPlot,
    SetResults,
    SetRow,
    SetSpread,
)

LETTERS: Final = {CAPITALS[0]: HUMAN, CAPITALS[1]: SOCIAL, OUTCOME: "Y"}
"""How capitals and outcome are written in expressions; conditions have their columns' names."""
SPREAD: Final[tuple[tuple[Relation, str], ...]] = (
    ("necessity", HUMAN),
    ("necessity", SOCIAL),
    ("sufficiency", HUMAN),
    ("sufficiency", SOCIAL),
    ("sufficiency", BOTH),
)
"""Consistencies that are compared between industries and between clusters."""
POINTS: Final = 400
"""Firms drawn in a figure."""
PLOTS: Final = (HUMAN, SOCIAL, BOTH)


def set_results(evidence: SetEvidence) -> SetResults:
    """Put together what set theory finds; where it can find nothing, a note says why."""
    if evidence.lacking:
        same = (
            f"{_listed(list(evidence.lacking))}: all firms have the same value, so that no set can be "
            "calibrated from the sample."
        )
        return _nothing(evidence, same)
    if not evidence.rows.size:
        return _nothing(evidence, "No firm has both capitals and the outcome.")
    asked = evidence.design.analysis.traditions.sets
    cases = cases_of(evidence)
    solved = list(_solved(evidence, cases))
    whole = solved[0].cases
    sufficient = (asked.sufficiency.consistency, asked.sufficiency.pri)
    necessary = (asked.necessity.consistency, asked.necessity.relevance)
    return SetResults(
        replicates=asked.replicates,
        rows=int(evidence.rows.size),
        necessity_cuts=necessary,
        sufficiency_cuts=sufficient,
        case_cut=asked.sufficiency.cases,
        sets=tuple(_sets(evidence)),
        measures=tuple(_measures(evidence)),
        truth_table=tuple(row for one in solved for row in truth_rows(one)),
        solutions=tuple(row for one in solved for row in solution_rows(one)),
        spreads=tuple(_spreads(evidence)),
        combinations=tuple(combinations_of(whole, asked.order, necessary, sufficient)),
        plots=tuple(_plots(evidence)),
        notes=tuple(_notes(evidence, whole)),
    )


def _nothing(evidence: SetEvidence, why: str) -> SetResults:
    asked = evidence.design.analysis.traditions.sets
    return SetResults(
        replicates=asked.replicates,
        rows=0,
        necessity_cuts=(asked.necessity.consistency, asked.necessity.relevance),
        sufficiency_cuts=(asked.sufficiency.consistency, asked.sufficiency.pri),
        case_cut=asked.sufficiency.cases,
        sets=(),
        measures=(),
        truth_table=(),
        solutions=(),
        spreads=(),
        combinations=(),
        plots=(),
        notes=(why,),
    )


def cases_of(evidence: SetEvidence) -> Cases:
    """The known rows with their memberships in capitals, further conditions and outcome."""
    labels = np.array(evidence.design.labels(ROW))[evidence.rows]
    names = [*CAPITALS, *(name for name in evidence.declared if name not in LETTERS)]
    conditions = {LETTERS.get(name, name): evidence.observed(name) for name in names}
    outcome = evidence.observed(OUTCOME)
    return Cases("all", "all", labels.tolist(), conditions, outcome, evidence.groups.of_rows)


def _solved(evidence: SetEvidence, cases: Cases) -> Iterator[Solved]:
    """Truth tables of all firms and of each industry, over rows that have all conditions."""
    asked = evidence.design.analysis.traditions.sets
    cuts = Cuts(asked.sufficiency.cases, asked.sufficiency.consistency, asked.sufficiency.pri)
    expected: dict[str, Expectation] = {HUMAN: "present", SOCIAL: "present"}
    for name, way in asked.expect.items():
        letter = LETTERS.get(name, name)
        expected.pop(letter, None)
        if way != "either":
            expected[letter] = way
    known = ~np.isnan(np.array(list(cases.conditions.values()))).any(axis=0)
    for by in ("all", "industry"):
        for column, label in evidence.columns(by):
            mine = known & evidence.groups.members[:, column]
            if mine.any():
                yield solve(cases.at(mine, evidence.kinds[column], label), cuts, expected)


def _sets(evidence: SetEvidence) -> Iterator[SetRow]:
    for one in evidence.declared.values():
        inside = evidence.observed(one.name)
        low, middle, high = (None,) * 3 if one.anchors is None else map(float, one.anchors)
        yield SetRow(
            letter=LETTERS.get(one.name, one.name),
            name=evidence.design.equation.outcome if one.name == OUTCOME else one.name,
            how=one.how,
            exclusion=low,
            crossover=middle,
            inclusion=high,
            sd=(float(one.sd[0]), float(one.sd[1]), float(one.sd[2])),
            members=int((inside > AMBIGUOUS).sum()),
            ambiguous=int((inside == AMBIGUOUS).sum()),
            missing=int(np.isnan(one.values).sum()),
        )


def _measures(evidence: SetEvidence) -> Iterator[SetMeasure]:
    """Measures with their intervals, group by group; of clusters that are not asked for, none."""
    observed, data, model = (evidence.measured(s) for s in ("observed", "data", "model"))
    shown: tuple[tuple[Relation, tuple[str, ...]], ...] = (
        ("necessity", NECESSARY),
        ("sufficiency", SUFFICIENT),
    )
    for relation, names in shown:
        for name in names:
            of = [getattr(found, relation)[name] for found in (observed, data, model)]
            for place, measure in enumerate(MEASURES[relation]):
                for column, label in enumerate(evidence.groups.labels):
                    values = [found[place][:, column] for found in of]
                    low, high = _interval(values[1])
                    model_low, model_high = _interval(values[2])
                    yield SetMeasure(
                        by=evidence.kinds[column],
                        group=label,
                        relation=relation,
                        expression=name,
                        measure=measure,
                        rows=int(evidence.groups.members[:, column].sum()),
                        members=int(observed.cases[name][0, column]),
                        observed=number(float(values[0][0])),
                        low=low,
                        high=high,
                        model_low=model_low,
                        model_high=model_high,
                    )


def _interval(values: Array) -> tuple[float | None, float | None]:
    known = values[~np.isnan(values)]
    if not known.size:
        return None, None
    tail = (1 - INTERVAL) / 2
    low, high = np.quantile(known, [tail, 1 - tail])
    return float(low), float(high)


def _spreads(evidence: SetEvidence) -> Iterator[SetSpread]:
    human, social = (evidence.observed(name) for name in CAPITALS)
    sets, outcome = expressions(human, social), evidence.observed(OUTCOME)
    parts = [part for part in declared_groups(evidence.design) if part.by != "all"]
    for part in parts:
        total = total_of(evidence.groups.of_rows, part.members[evidence.rows])
        plain = total_of(evidence.groups.of_rows)
        for relation, name in SPREAD:
            measured = necessity if relation == "necessity" else sufficiency
            found = measured(sets[name], outcome, total).consistency
            pooled = float(measured(sets[name], outcome, plain).consistency)
            yield from spread_rows(part.by, part.labels, (relation, name), (found, pooled))


def _plots(evidence: SetEvidence) -> Iterator[SetPlot]:
    human, social = (evidence.observed(name) for name in CAPITALS)
    sets, outcome = expressions(human, social), evidence.observed(OUTCOME)
    rng = np.random.default_rng((evidence.design.analysis.sampling.seed, SETS_STREAM, 4))
    count = outcome.size
    some = np.sort(rng.choice(count, min(count, POINTS), replace=False))
    for name in PLOTS:
        yield SetPlot(
            expression=name,
            label=WORDS[name],
            points=tuple(
                (float(x), float(y)) for x, y in zip(sets[name][some], outcome[some], strict=True)
            ),
            total=count,
        )


def _notes(evidence: SetEvidence, whole: Cases) -> Iterator[str]:
    design = evidence.design
    from_sample = [one.name for one in evidence.declared.values() if one.from_sample]
    if from_sample:
        yield (
            f"Anchors of {_listed(from_sample)} come from the sample, as the analysis declares none: "
            "they say where a firm stands among these firms, not what theory or knowledge of cases "
            "would call high. Declare anchors where there are grounds for them."
        )
    if any(one.sd.any() for one in evidence.declared.values()):
        yield "Anchors that carry a prior are drawn anew in every replicate."
    latent = [name for name in CAPITALS if design.is_latent(name)]
    if latent:
        yield (
            f"{_listed(latent)}: membership is by the score of the answers, with its measurement "
            "error; the latent capital of the model is not used here."
        )
    left = design.size - evidence.rows.size
    if left:
        yield f"{_rows(left)} without a capital or the outcome are left out; nothing is filled in."
    lacking = evidence.rows.size - len(whole.outcome)
    if lacking:
        yield f"{_rows(lacking)} that lack a further condition are left out of the truth tables."
    if design.others:
        yield "Replicates of the model hold the outcomes of the other equations as observed."
    few = [
        label
        for column, label in enumerate(evidence.groups.labels)
        if 2 <= evidence.clusters[column] < FEW_CLUSTERS
    ]
    if few:
        yield (
            f"{_listed(few)}: fewer than {FEW_CLUSTERS} clusters to count anew, so the interval of "
            "the observed firms is too narrow."
        )


def _listed(names: list[str]) -> str:
    plain = [name.replace("_", " ") for name in names]
    return plain[0] if len(plain) == 1 else f"{', '.join(plain[:-1])} and {plain[-1]}"


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"
