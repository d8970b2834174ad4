"""Analysis file to design, and a design in a few lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from bayescluster.dataset.cases import read_cases
from bayescluster.dataset.prepare import Examined, examine
from bayescluster.dataset.read import Names, Table, read_table
from bayescluster.design.build import build_design
from bayescluster.design.claims import region_problems
from bayescluster.design.forms import forms_of, with_default_forms
from bayescluster.design.outcome import outcome_of
from bayescluster.design.record import Design, ancestors
from bayescluster.design.roles import role_problems
from bayescluster.errors import BayesClusterError, ConfigError, DataError, Problem
from bayescluster.features.ceiling_models.scope import scope_problems
from bayescluster.features.problems import check_semantics
from bayescluster.lookup import counted
from bayescluster.names import CLUSTER, INDUSTRY
from bayescluster.runs.keys import fit_key, model_key
from bayescluster.spec.analysis import Analysis, Sampling
from bayescluster.spec.columns import Where, group_columns, label_columns, needed_columns
from bayescluster.spec.data import Data
from bayescluster.spec.equation import ProductControl
from bayescluster.spec.load import dotted, load_analysis
from bayescluster.summaries.build import is_summarised, large_designs
from bayescluster.summaries.coding import refusals
from bayescluster.summaries.likelihood import Firms

LATENT_ACCEPT: Final = 0.8
"""Acceptance rate to aim for where capitals are latent: that of the theory for many alike directions."""


class AnalysisSource(NamedTuple):
    """An analysis, the folder its paths start from, and the places of its values in the file."""

    analysis: Analysis
    directory: Path
    where: Where


def analysis_source(source: Analysis | Path | str) -> AnalysisSource:
    """Take an analysis, or read one from a file.

    Raises
    ------
    ConfigError
        If the file cannot be understood, or the analysis contradicts itself.
    """
    if isinstance(source, Analysis):
        opened = AnalysisSource(source, Path.cwd(), lambda path: f"analysis.{dotted(path)}")
    else:
        loaded = load_analysis(Path(source))
        opened = AnalysisSource(loaded.value, loaded.directory, loaded.source.where)
    analysis = with_default_steps(with_default_forms(opened.analysis))
    opened = opened._replace(analysis=analysis)
    try:
        check_semantics(opened.analysis, opened.where)
    except ConfigError as error:
        raise ConfigError(dict.fromkeys(_with_data(opened, error.problems))) from None
    return opened


def with_default_steps(analysis: Analysis) -> Analysis:
    """Aim for larger steps of the sampler where capitals are latent, unless the file says how large.

    With a number for each firm the acceptance rate is that of thousands of directions that nothing
    hinders: steps are small for their number, not for a narrow place among them, and at the rate that
    suits few parameters trajectories have twice as many steps as they need.
    """
    chosen = "target_accept" in analysis.sampling.model_fields_set
    if chosen or not any(one.method == "latent" for one in analysis.constructs.values()):
        return analysis
    sampling = analysis.sampling.model_copy(update={"target_accept": LATENT_ACCEPT})
    return analysis.model_copy(update={"sampling": sampling})


def _with_data(source: AnalysisSource, refused: Sequence[Problem]) -> tuple[Problem, ...]:
    """What is wrong with an analysis that is refused, and with its data, so that all is said at once.

    Claims that lack a region have one suggested by the data. Data that cannot be read at all are
    another matter. A design is tried only where nothing but the roles of columns is at fault.
    """
    data, analysis, where = source.analysis.data, source.analysis, source.where
    if not isinstance(data.source, str) or not (source.directory / data.source).is_file():
        return tuple(refused)
    if is_summarised(analysis, source.directory):
        return tuple(refused)
    try:
        table = table_of_analysis(source)
        found = examine(table, data, needed_columns(analysis), where)
        more = found.problems
        if set(refused) <= set(role_problems(analysis, where)):
            more = (*more, *_problems_of_design(source, table, found))
        lacking = region_problems(analysis, where)
        if lacking and found.firms is not None and not found.problems:
            outcome = outcome_of(analysis, found.firms, where, [])
            if outcome is not None:
                advised = region_problems(analysis, where, outcome.observed)
                better = dict(zip(lacking, advised, strict=True))
                refused = [better.get(problem, problem) for problem in refused]
        return (*refused, *more)
    except BayesClusterError as error:
        return (*refused, *error.problems)


def table_of_analysis(source: AnalysisSource) -> Table:
    """Read the table of an analysis, with its groups as they are written."""
    analysis, directory, where = source
    names = Names(group_columns(analysis), label_columns(analysis))
    return read_table(analysis.data, directory, where, names)


def table_in_memory(source: AnalysisSource) -> Table | None:
    """Read the table of an analysis; None where it is of so many firms that it is read in parts."""
    parts = is_summarised(source.analysis, source.directory)
    return None if parts else table_of_analysis(source)


def design_of(source: AnalysisSource) -> Design:
    """Design of an analysis; of several structural forms, that of the first. See `designs_of`."""
    return designs_of(source)[0]


def designs_of(source: AnalysisSource) -> tuple[Design, ...]:
    """Read the firms, and the cases behind the priors, and build the design of each form.

    Raises
    ------
    DataError
        If the data are not there, or do not fit the analysis.
    """
    return read_designs(source).designs


class ReadDesigns(NamedTuple):
    """Design of each structural form and, where these are of a sample of many, all firms."""

    designs: tuple[Design, ...]
    firms: tuple[Firms, ...] = ()


def read_designs(source: AnalysisSource, table: Table | None = None) -> ReadDesigns:
    """Read the designs of an analysis; of many firms in parts, on a cluster where there is one.

    ``table`` is that of the analysis where it was read already.
    """
    analysis, directory, where = source
    if is_summarised(analysis, directory):
        large = large_designs(analysis, directory, where)
        return ReadDesigns(
            tuple(each.design for each in large), tuple(each.firms for each in large)
        )
    if analysis.sampling.likelihood == "summary":
        _refuse_summary(source)
    return ReadDesigns(_designs_of_all(source, table or table_of_analysis(source)))


def _refuse_summary(source: AnalysisSource) -> None:
    lacking = ", ".join(refusals(source.analysis)) or "tables that are not a Parquet or csv file"
    raise ConfigError(
        Problem(
            f"summaries of firms do not serve {lacking}",
            source.where(("sampling", "likelihood")),
            "set `likelihood: full`, or leave it out",
        )
    )


def _designs_of_all(source: AnalysisSource, table: Table) -> tuple[Design, ...]:
    analysis, directory, where = source
    found = examine(table, analysis.data, needed_columns(analysis), where)
    if found.problems or found.firms is None:
        raise DataError(
            dict.fromkeys((*found.problems, *_problems_of_design(source, table, found)))
        )
    firms = found.firms
    read = {
        name: read_cases(analysis.for_equation(name), directory, where)
        for name in analysis.equations
    }
    cases = {name: coded for name, coded in read.items() if coded is not None}
    designs = tuple(build_design(each, table, firms, where, cases) for each in forms_of(analysis))
    if problems := scope_problems(designs[0], where):
        raise DataError(problems)
    return designs


def _problems_of_design(
    source: AnalysisSource, table: Table, found: Examined
) -> tuple[Problem, ...]:
    """What else is wrong with firms that are refused already; nothing where that hides the rest."""
    if found.firms is None or len(found.firms.frame) < FEWEST_ROWS:
        return ()
    analysis = _without(source.analysis, found.unknown)
    if found.unknown & {item.column for item in needed_columns(analysis)}:
        return ()
    try:
        build_design(analysis, table, found.firms, source.where)
    except BayesClusterError as error:
        return error.problems
    return ()


def _without(analysis: Analysis, columns: frozenset[str]) -> Analysis:
    """The analysis without controls and groupings of these columns."""
    if not columns:
        return analysis
    equations = {}
    for name, equation in analysis.equations.items():
        controls = tuple(
            None
            if (control if isinstance(control, str) else control.column) in columns
            else control
            for control in equation.controls
            if not isinstance(control, ProductControl)
        )
        update = {
            # places in messages go by position: those after one that is left out are not looked at
            "controls": controls[: controls.index(None)] if None in controls else controls,
            "varying": {
                key: terms for key, terms in equation.varying.items() if key not in columns
            },
        }
        equations[name] = equation.model_copy(update=update)
    return analysis.model_copy(update={"equations": equations})


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


FEWEST_ROWS = 10
"""Of fewer rows without missing values, what else looks wrong may come of their being few."""


class DesignSummary(NamedTuple):
    """Sizes of a design, and the same in words."""

    rows: int
    clusters: int
    industries: int
    family: str
    structure: str
    synthetic: bool
    lines: tuple[str, ...]


def design_summary(designs: Sequence[Design]) -> DesignSummary:
    """Say what would be fitted, under each of its structural forms."""
    first = designs[0]
    analysis, details, data = first.analysis, first.details, first.analysis.data
    clusters = len(first.group_labels(CLUSTER)) if data.cluster else 0
    industries = len(first.group_labels(INDUSTRY)) if data.industry else 0
    synthetic = " (SYNTHETIC data, made by simulation)" if details.synthetic else ""
    nesting = "crossed" if data.crossed else "nested"
    dropped: Counter[str] = Counter()
    for variable, _, rows in details.dropped:
        dropped[variable] += rows
    lines = (
        f"{details.label}: {first.firms_fitted} of {details.rows_read} rows{synthetic}",
        ", ".join((counted(clusters, "cluster"), counted(industries, "industry"), nesting)),
        *(_form_lines(designs) if len(designs) > 1 else _equation_lines(first)),
        *_total_lines(analysis),
        *_weight_lines(data),
        *(
            f"left out for a missing {variable}: {counted(rows, 'row')}"
            for variable, rows in dropped.items()
        ),
        *(line for each in first.equations for line in _case_lines(each)),
        *details.notes,
        counted(len(analysis.hypotheses), "hypothesis"),
        _sampling_line(analysis.sampling, len(designs)),
    )
    names = ", ".join(design.structure.name for design in designs)
    return DesignSummary(
        first.firms_fitted, clusters, industries, first.family.name, names, details.synthetic, lines
    )


def _sampling_line(sampling: Sampling, forms: int) -> str:
    each = f", for each of {forms} forms" if forms > 1 else ""
    if sampling.draws is not None:
        return f"sampling: {counted(sampling.chains, 'chain')} of {counted(sampling.draws, 'draw')}{each}"
    return (
        "sampling: until every check of convergence passes, but no longer than "
        f"{sampling.minutes:g} minutes{each}"
    )


def _form_lines(designs: Sequence[Design]) -> Iterator[str]:
    first, names = designs[0], ", ".join(design.structure.name for design in designs)
    yield f"{first.equation.outcome}: {first.family.name}, {_coded_controls(first)}"
    yield f"{len(designs)} forms, each fitted by itself, then compared and averaged: {names}"
    for design in designs:
        form = design.structure
        yield f"{form.name}: {form.formula}"
        yield from (f"{form.name}, {line}" for line in _varying_lines(design))


def _equation_lines(focus: Design) -> Iterator[str]:
    """Every equation; its name, and whether it is in focus, where there are several."""
    for design in focus.equations:
        name = inside = ""
        if focus.others:
            mark = ", in focus" if design.equation_name == focus.equation_name else ""
            name, inside = f"equation {design.equation_name}{mark}: ", "  "
        form, predictors = design.structure, design.equation.entering
        entering = f", with {', '.join(predictors)} as predictors" if predictors else ""
        yield (
            f"{name}{design.equation.outcome}: {design.family.name}, {form.name} "
            f"({form.formula}), {_coded_controls(design)}{entering}"
        )
        yield from (f"{inside}{line}" for line in _varying_lines(design))


def _coded_controls(design: Design) -> str:
    return counted(len(design.control_names), "coded control")


def _varying_lines(design: Design) -> list[str]:
    return [
        f"varying by {grouping.name} ({counted(len(grouping.labels), 'group')}): "
        f"{', '.join(grouping.terms)}"
        for grouping in design.groupings
    ]


def _total_lines(analysis: Analysis) -> Iterator[str]:
    through = ancestors(analysis.equations, analysis.equation_name)
    if through:
        yield (
            f"effects and claims about {analysis.equation_name} are total: what acts through "
            f"{', '.join(through)} is in them"
        )
    if analysis.residual_correlation:
        yield f"residuals correlate between {', '.join(analysis.residual_correlation)}"


def _case_lines(design: Design) -> Iterator[str]:
    source, coded = design.equation.priors.from_, design.details.cases
    if source is not None and coded is not None:
        cases = f"{len(coded.usable)} of {counted(len(coded.cases), 'case')}"
        firms = "1 firm" if source.strength == 1 else f"{source.strength:g} firms"
        yield f"priors from {cases} in {coded.label}, each worth {firms}"


def _weight_lines(data: Data) -> Iterator[str]:
    if columns := [name for name in (data.weight, data.cluster_weight) if name is not None]:
        yield (
            f"weighted by {' and '.join(columns)}: a pseudo-posterior, probabilities are not exact"
        )
