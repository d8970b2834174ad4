"""A design in a few lines, for whoever wants to know what would be fitted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from bayescluster.design.graph import ancestors
from bayescluster.design.record import Design
from bayescluster.names import CLUSTER, INDUSTRY
from bayescluster.spec.analysis import Analysis
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


def forms_summary(designs: Sequence[Design]) -> DesignSummary:
    """Say what would be fitted, under each of several structural forms."""
    first, *others = (design_summary(design) for design in designs)
    if not others:
        return first
    names = [design.structure.name for design in designs]
    one = designs[0]
    shared = (
        f"{one.analysis.equation.outcome}: {one.family.name}, "
        f"{_count(len(one.control_names), 'coded control', 'coded controls')}"
    )
    start = first.lines.index(_equation_line(one))
    lines = [
        *first.lines[:start],
        shared,
        f"{len(names)} forms, each fitted by itself, then compared and averaged: {', '.join(names)}",
        *(line for design in designs for line in _form_lines(design)),
        *first.lines[start + 1 + len(_varying_lines(one)) :],
    ]
    return first._replace(structure=", ".join(names), lines=tuple(lines))


def _form_lines(design: Design) -> Iterator[str]:
    form = design.structure
    yield f"{form.name}: {form.formula}"
    yield from (f"{form.name}, {line}" for line in _varying_lines(design))


def _equation_line(design: Design) -> str:
    return (
        f"{design.equation.outcome}: {design.family.name}, {design.structure.name} "
        f"({design.structure.formula}), "
        f"{_count(len(design.control_names), 'coded control', 'coded controls')}"
    )


def _varying_lines(design: Design) -> list[str]:
    return [
        f"varying by {grouping.name} "
        f"({_count(len(grouping.labels), 'group', 'groups')}): "
        f"{', '.join(grouping.terms)}"
        for grouping in design.groupings
    ]


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
        *(line for each in design.equations for line in _equation(each, analysis)),
        *_together(analysis),
        *_weights(data),
        *(
            f"left out for a missing {variable}: {_count(rows, 'row', 'rows')}"
            for variable, rows in dropped.items()
        ),
        *(line for each in design.equations for line in _cases(each)),
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


def _equation(design: Design, analysis: Analysis) -> tuple[str, ...]:
    """One equation; its name, and whether it is in focus, where there are several."""
    name = inside = ""
    if len(analysis.equations) > 1:
        focus = ", in focus" if design.equation_name == analysis.equation_name else ""
        name, inside = f"equation {design.equation_name}{focus}: ", "  "
    predictors = design.equation.predictors
    entering = f", with {', '.join(predictors)} as predictors" if predictors else ""
    return (
        f"{name}{_equation_line(design)}{entering}",
        *(f"{inside}{line}" for line in _varying_lines(design)),
    )


def _together(analysis: Analysis) -> tuple[str, ...]:
    through = ancestors(analysis.equations, analysis.equation_name)
    lines = []
    if through:
        lines.append(
            f"effects and claims about {analysis.equation_name} are total: what acts through "
            f"{', '.join(through)} is in them"
        )
    if analysis.residual_correlation:
        lines.append(f"residuals correlate between {', '.join(analysis.residual_correlation)}")
    return tuple(lines)


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
