"""Analysis file to design, and a design in a few lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from bayescluster.dataset.cases import read_cases
from bayescluster.dataset.prepare import prepare
from bayescluster.dataset.read import read_table
from bayescluster.design.build import build_design
from bayescluster.design.forms import forms_of
from bayescluster.design.graph import ancestors
from bayescluster.design.record import Design
from bayescluster.features.problems import check_semantics
from bayescluster.errors import DataError
from bayescluster.features.ceiling_models.scope import scope_problems
from bayescluster.names import CLUSTER, INDUSTRY
from bayescluster.runs.keys import fit_key, model_key
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.columns import Where, needed_columns
from bayescluster.spec.data import Data
from bayescluster.spec.load import dotted, load_analysis


class Asked(NamedTuple):
    """An analysis, the folder its paths start from, and the places of its values in the file."""

    analysis: Analysis
    directory: Path
    where: Where


def asked(source: Analysis | Path | str) -> Asked:
    """Take an analysis, or read one from a file.

    Raises
    ------
    ConfigError
        If the file cannot be understood, or the analysis contradicts itself.
    """
    if isinstance(source, Analysis):
        found = Asked(source, Path.cwd(), _in_python)
    else:
        loaded = load_analysis(Path(source))
        found = Asked(loaded.value, loaded.directory, loaded.source.where)
    check_semantics(found.analysis, found.where)
    return found


def design_of(question: Asked) -> Design:
    """Read the firms, and the cases behind the priors, and build the design.

    Of several structural forms, that of the first.

    Raises
    ------
    DataError
        If the data are not there, or do not fit the analysis.
    """
    return designs_of(question)[0]


def designs_of(question: Asked) -> tuple[Design, ...]:
    """Read the firms once and build the design of each structural form."""
    analysis, directory, where = question
    table = read_table(analysis.data, directory, where)
    firms = prepare(table, analysis.data, needed_columns(analysis), where)
    read = {name: read_cases(analysis.for_equation(name), directory, where) for name in analysis.equations}
    cases = {name: found for name, found in read.items() if found is not None}
    designs = tuple(build_design(each, table, firms, where, cases) for each in forms_of(analysis))
    problems = scope_problems(designs[0], where)
    if problems:
        raise DataError(problems)
    return designs


def fitted_analysis(analysis: Analysis, designs: Sequence[Design]) -> Analysis:
    """Narrow an analysis of one form to it, so that its key is the same wherever it is fitted."""
    return analysis if len(designs) > 1 else designs[0].analysis


def key_of(analysis: Analysis, design: Design) -> str:
    """Key of the fit of an analysis, whose data and cases are those of a design."""
    return fit_key(analysis, design.details.digest, cases_of(design))


def model_key_of(analysis: Analysis, designs: Sequence[Design]) -> str:
    """Key of the model of an analysis: what its studies and all its fits have in common."""
    return model_key(
        fitted_analysis(analysis, designs), designs[0].details.digest, cases_of(designs[0])
    )


def cases_of(design: Design) -> dict[str, str]:
    """Digest of the table of cases that priors are taken from, by equation."""
    return {
        each.equation_name: each.details.cases.digest
        for each in design.equations
        if each.details.cases is not None
    }


def _in_python(path: Sequence[str | int]) -> str:
    return f"analysis.{dotted(path)}"


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
