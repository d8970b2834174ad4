"""A design in a few lines, for whoever wants to know what would be fitted."""

from __future__ import annotations

from typing import NamedTuple

from bayescluster.design.record import Design
from bayescluster.names import CLUSTER, INDUSTRY
from bayescluster.spec.data import Data


class DesignSummary(NamedTuple):
    """Sizes of a design, and the same in words."""

    rows: int
    clusters: int
    industries: int
    family: str
    structure: str
    synthetic: bool
    lines: tuple[str, ...]


def design_summary(design: Design) -> DesignSummary:
    """Say what would be fitted."""
    analysis, details = design.analysis, design.details
    data = analysis.data
    clusters = len(design.group_labels(CLUSTER)) if data.cluster else 0
    industries = len(design.group_labels(INDUSTRY)) if data.industry else 0
    source = f"{details.label}: {design.size} of {details.rows_read} rows"
    if details.synthetic:
        source += " (SYNTHETIC data, made by simulation)"
    dropped: dict[str, int] = {}
    for variable, _, rows in details.dropped:
        dropped[variable] = dropped.get(variable, 0) + rows
    lines = [
        source,
        f"{_count(clusters, 'cluster', 'clusters')}, "
        f"{_count(industries, 'industry', 'industries')}, "
        + ("crossed" if data.crossed else "nested"),
        (
            f"{analysis.equation.outcome}: {design.family.name}, {design.structure.name} "
            f"({design.structure.formula}), "
            f"{_count(len(design.control_names), 'coded control', 'coded controls')}"
        ),
        *_weights(data),
        *(
            f"varying by {grouping.name} "
            f"({_count(len(grouping.labels), 'group', 'groups')}): "
            f"{', '.join(grouping.terms)}"
            for grouping in design.groupings
        ),
        *(
            f"left out for a missing {variable}: {_count(rows, 'row', 'rows')}"
            for variable, rows in dropped.items()
        ),
        *_cases(design),
        *details.notes,
        _count(len(analysis.hypotheses), "hypothesis", "hypotheses"),
    ]
    return DesignSummary(
        design.size,
        clusters,
        industries,
        design.family.name,
        design.structure.name,
        details.synthetic,
        tuple(lines),
    )


def _cases(design: Design) -> tuple[str, ...]:
    asked, coded = design.equation.priors.from_, design.details.cases
    if asked is None or coded is None:
        return ()
    cases = f"{len(coded.usable)} of {_count(len(coded.cases), 'case', 'cases')} in {coded.label}"
    firms = "1 firm" if asked.strength == 1 else f"{asked.strength:g} firms"
    return (f"priors from {cases}, each worth {firms}",)


def _weights(data: Data) -> list[str]:
    named = [column for column in (data.weight, data.cluster_weight) if column is not None]
    found = f"weighted by {' and '.join(named)}: a pseudo-posterior, probabilities are not exact"
    return [found] if named else []


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
