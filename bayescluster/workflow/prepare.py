"""Analysis file to design."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bayescluster.dataset.cases import read_cases
from bayescluster.dataset.prepare import prepare
from bayescluster.dataset.read import read_table
from bayescluster.design.build import build_design
from bayescluster.design.ceiling_scope import scope_problems
from bayescluster.design.forms import forms_of
from bayescluster.design.record import Design
from bayescluster.design.semantics import check_semantics
from bayescluster.errors import DataError
from bayescluster.runs.keys import fit_key, model_key
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.columns import Where, needed_columns
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
    read = {name: read_cases(analysis.alone(name), directory, where) for name in analysis.equations}
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
