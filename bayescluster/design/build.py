"""Analysis and firms to a design, or all the reasons why not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from bayescluster.dataset.constructs import Scored, score
from bayescluster.dataset.prepare import Firms
from bayescluster.dataset.read import Table
from bayescluster.dataset.values import as_float, label_of, numeric_problem
from bayescluster.design.coding import Coding, code_controls, sorted_labels
from bayescluster.design.collinearity import dependent_columns
from bayescluster.design.record import Array, Design, Details, Measure, details_text
from bayescluster.errors import BayesClusterError, DesignError, Problem
from bayescluster.families import FAMILIES, Fault, Rows
from bayescluster.lookup import suggestion
from bayescluster.names import (
    CAPITAL,
    CAPITALS,
    CENTER,
    CLUSTER,
    CONTROL,
    CONTROLS,
    DETAILS,
    INDUSTRY,
    INTERCEPT,
    LEVEL,
    OFFSET,
    OUTCOME,
    ROW,
    SCALE,
    STANDARD_ERROR,
    TRIALS,
    group_dim,
    group_index,
)
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.columns import Where, grouping_column
from bayescluster.spec.equation import Equation
from bayescluster.spec.hypotheses import Difference
from bayescluster.structures import STRUCTURES

FEW_ROWS = 5
"""Groups with fewer rows than this are named in the notes."""


class _Outcome(NamedTuple):
    values: Array
    levels: tuple[str, ...]
    rows: Rows
    offset: Array


def build_design(analysis: Analysis, table: Table, firms: Firms, where: Where) -> Design:
    """Turn an analysis and its firms into named arrays.

    Raises
    ------
    DesignError
        If a column is not a number, constant, collinear with others, or outside the support of the
        family; if a hypothesis names an industry the data lack. All such faults at once.
    """
    problems: list[Problem] = []
    capitals = _capitals(analysis, firms, where, problems)
    outcome = _outcome(analysis, firms, where, problems)
    values = {name: scored.values for name, scored in capitals.items()}
    base = ("equations", analysis.equation_name, "controls")
    coding = code_controls(analysis.equation.controls, firms.frame, values, base, where)
    problems += coding.problems
    problems += _unknown_terms(analysis, coding, where)
    problems += _unknown_industries(analysis, firms, where)
    if not problems:
        problems += _collinear(analysis, values, coding, where)
    if problems or outcome is None:
        raise DesignError(problems)
    data = xr.Dataset(
        _variables(capitals, outcome, coding, firms.frame.shape[0]) | _groups(analysis, firms),
        coords=_coordinates(analysis, firms, capitals, outcome, coding),
        attrs={
            DETAILS: details_text(_details(table, firms, capitals, data_notes(analysis, firms)))
        },
    )
    return Design(analysis, data)


def _capitals(
    analysis: Analysis, firms: Firms, where: Where, problems: list[Problem]
) -> dict[str, Scored]:
    scored = {}
    for name, construct in analysis.constructs.items():
        try:
            scored[str(name)] = score(firms.frame, name, construct, where)
        except BayesClusterError as error:
            problems += error.problems
    return scored


def _outcome(
    analysis: Analysis, firms: Firms, where: Where, problems: list[Problem]
) -> _Outcome | None:
    equation, frame = analysis.equation, firms.frame
    base = ("equations", analysis.equation_name)
    known: dict[str, Array] = {}
    before = len(problems)
    for key in ("trials", "exposure", "standard_error"):
        column = getattr(equation, key)
        if column is not None:
            known[key] = _number(frame, column, key, where((*base, key)), problems)
    place = where((*base, "outcome"))
    levels: tuple[str, ...] = ()
    if equation.family == "ordinal":
        places = {key: where((*base, key)) for key in ("outcome", "levels", "at_least")}
        levels, values = _ordinal(equation, frame[equation.outcome], places, problems)
    else:
        values = _number(frame, equation.outcome, "outcome", place, problems)
    if len(problems) > before:
        return None
    rows = Rows(known.get("trials"), known.get("standard_error"))
    problems += _support(equation, values, rows, frame, place)
    exposure = known.get("exposure", np.ones(values.size))
    if (exposure <= 0).any():
        fault = Fault("numbers above 0", exposure, exposure <= 0)
        problem = _support_problem(fault, "exposure", frame, where((*base, "exposure")))
        problems.append(problem._replace(mend="mend these rows, or leave them out with `keep`"))
        return None
    return _Outcome(values, levels, rows, np.log(exposure))


def _number(
    frame: pd.DataFrame, column: str, role: str, place: str, problems: list[Problem]
) -> Array:
    fault = numeric_problem(frame[column])
    if fault is None:
        return as_float(frame[column])
    problems.append(
        Problem(
            f"the {role.replace('_', ' ')} '{column}' is not a number: {fault}",
            place,
            "turn it into numbers with `derive: kind: recode`, or name another column",
        )
    )
    return np.zeros(len(frame))


def _ordinal(
    equation: Equation, series: pd.Series, places: dict[str, str], problems: list[Problem]
) -> tuple[tuple[str, ...], Array]:
    labels = series.map(label_of)
    levels = [label_of(level) for level in equation.levels] or sorted_labels(labels.unique())
    unknown = sorted(set(labels) - set(levels))
    if unknown:
        problems.append(
            Problem(
                f"the outcome holds '{unknown[0]}', which is not among the declared levels",
                places["levels"],
                f"{suggestion(unknown[0], levels)}; list it, or leave such rows out with `keep`",
            )
        )
    if equation.at_least is not None and label_of(equation.at_least) not in levels[1:]:
        problems.append(
            Problem(
                f"at_least names '{label_of(equation.at_least)}', which is no level above the lowest",
                places["at_least"],
                suggestion(label_of(equation.at_least), levels[1:]),
            )
        )
    empty = [level for level in levels if level not in set(labels)]
    if empty:
        problems.append(
            Problem(
                f"no firm has the outcome level '{empty[0]}'",
                places["levels"],
                "leave it out, or merge levels",
            )
        )
    codes = {level: code for code, level in enumerate(levels)}
    values: Array = labels.map(codes).fillna(0).to_numpy().astype("float64")
    return tuple(levels), values


def _support(
    equation: Equation, values: Array, rows: Rows, frame: pd.DataFrame, place: str
) -> Iterator[Problem]:
    fault = FAMILIES[equation.family].support(values, rows)
    if fault is not None:
        yield _support_problem(fault, f"family {equation.family}", frame, place)
    elif np.ptp(values) == 0:
        yield Problem(
            f"the outcome '{equation.outcome}' is the same in every row ({values[0]:g})",
            place,
            "there is nothing to explain: check the filters, or name another outcome",
        )


def _support_problem(fault: Fault, what: str, frame: pd.DataFrame, place: str) -> Problem:
    first = int(np.flatnonzero(fault.bad)[0])
    more = int(fault.bad.sum()) - 1
    rest = f" and in {more} more" if more else ""
    return Problem(
        f"{what} expects {fault.expected}; found {fault.values[first]:g} "
        f"in row {row_number(frame, first)}{rest}",
        place,
        "choose a family that fits the column, or mend these rows",
    )


def row_number(frame: pd.DataFrame, position: int) -> int:
    """Row of the file, counted from 1 below the header, of a row of the analysis."""
    rows = np.asarray(frame.index.to_numpy(), dtype="int64")
    return int(rows[position]) + 1


def _unknown_terms(analysis: Analysis, coding: Coding, where: Where) -> Iterator[Problem]:
    equation = analysis.equation
    # the cutpoints of an ordinal outcome take the place of the intercept
    ordinal = equation.family == "ordinal"
    terms = STRUCTURES[equation.structure].terms
    known = [
        *(term for term in terms if not (ordinal and term == INTERCEPT)),
        *(name for coded in coding.columns for name in coded.names),
    ]
    for name in equation.priors.terms:
        if name not in known:
            path = ("equations", analysis.equation_name, "priors", "terms", name)
            yield Problem(
                f"a prior is given for the term '{name}', which is not in the model",
                where(path),
                suggestion(name, known),
            )


def _unknown_industries(analysis: Analysis, firms: Firms, where: Where) -> Iterator[Problem]:
    labels = sorted_labels(firms.frame["__industry__"].unique())
    for position, hypothesis in enumerate(analysis.hypotheses):
        named = (hypothesis.between or ()) if isinstance(hypothesis, Difference) else ()
        for name in named:
            if name not in labels:
                yield Problem(
                    f"no firm is in an industry called '{name}'",
                    where(("hypotheses", position, "between")),
                    suggestion(name, labels),
                )


def _collinear(
    analysis: Analysis, capitals: dict[str, Array], coding: Coding, where: Where
) -> Iterator[Problem]:
    columns = dict(capitals)
    if analysis.equation.structure == "interaction":
        human, social = (capitals[name] for name in CAPITALS)
        columns["interaction"] = human * social
    for coded in coding.columns:
        columns |= dict(zip(coded.names, coded.values.T, strict=True))
    named = dependent_columns(columns)
    if named:
        yield Problem(
            f"these columns determine each other exactly: {', '.join(named)}",
            where(("equations", analysis.equation_name)),
            "leave one of them out",
        )


def _variables(
    capitals: dict[str, Scored], outcome: _Outcome, coding: Coding, size: int
) -> dict[str, Any]:
    columns = [coded.values for coded in coding.columns]
    controls = np.column_stack(columns) if columns else np.empty((size, 0))
    known = {TRIALS: outcome.rows.trials, STANDARD_ERROR: outcome.rows.standard_error}
    scored = list(capitals.values())
    return {
        OUTCOME: (ROW, outcome.values),
        OFFSET: (ROW, outcome.offset),
        CONTROLS: ((ROW, CONTROL), controls),
        CENTER: (CAPITAL, np.array([item.center for item in scored])),
        SCALE: (CAPITAL, np.array([item.scale for item in scored])),
        "control_center": (CONTROL, np.array([c for item in coding.columns for c in item.centers])),
        "control_scale": (CONTROL, np.array([s for item in coding.columns for s in item.scales])),
        **{
            name: (ROW, capitals[name].values if name in capitals else np.zeros(size))
            for name in CAPITALS
        },
        **{name: (ROW, values) for name, values in known.items() if values is not None},
    }


def _groups(analysis: Analysis, firms: Firms) -> dict[str, Any]:
    variables = {}
    for name, values in _memberships(analysis, firms).items():
        position = {label: code for code, label in enumerate(sorted_labels(values.unique()))}
        variables[group_index(name)] = (ROW, values.map(position).to_numpy(dtype="int64"))
    return variables


def _memberships(analysis: Analysis, firms: Firms) -> dict[str, pd.Series]:
    """Labels of each grouping by row; industry and cluster are always there."""
    frame = firms.frame
    found = {INDUSTRY: frame["__industry__"], CLUSTER: frame["__cluster__"]}
    for name in analysis.equation.varying:
        if name == "firm":
            found[name] = frame["__firm__"]
        elif name not in found:
            found[name] = frame[grouping_column(analysis, name)].map(label_of)
    return found


def _coordinates(
    analysis: Analysis,
    firms: Firms,
    capitals: dict[str, Scored],
    outcome: _Outcome,
    coding: Coding,
) -> dict[str, Any]:
    names = [name for coded in coding.columns for name in coded.names]
    coordinates: dict[str, Any] = {
        ROW: _row_labels(firms.frame["__firm__"].astype(str).tolist()),
        CONTROL: np.array(names, dtype=str),
        CAPITAL: np.array(list(capitals), dtype=str),
    }
    if outcome.levels:
        coordinates[LEVEL] = np.array(outcome.levels, dtype=str)
    for name, values in _memberships(analysis, firms).items():
        coordinates[group_dim(name)] = np.array(sorted_labels(values.unique()), dtype=str)
    return coordinates


def _row_labels(firms: Sequence[str]) -> NDArray[np.str_]:
    """One label a row: the firm, with a running number where firms repeat."""
    if len(set(firms)) == len(firms):
        return np.array(firms, dtype=str)
    repeated = pd.Series(firms)
    running = repeated.groupby(repeated).cumcount() + 1
    return np.array([f"{firm} #{k}" for firm, k in zip(firms, running, strict=True)], dtype=str)


def data_notes(analysis: Analysis, firms: Firms) -> tuple[str, ...]:
    """Say what a reader of the results should know about the groups."""
    notes = []
    for name, values in _memberships(analysis, firms).items():
        counts = values.value_counts()
        few = sorted_labels(counts[counts < FEW_ROWS].index.to_numpy())
        if few and name != "firm":
            shown = ", ".join(few[:6]) + (f" and {len(few) - 6} more" if len(few) > 6 else "")
            notes.append(
                f"Fewer than {FEW_ROWS} rows in {name} {shown}: their effects lean on the others."
            )
    return tuple(notes)


def _details(
    table: Table, firms: Firms, capitals: dict[str, Scored], notes: tuple[str, ...]
) -> Details:
    dropped = tuple(
        (str(variable), str(cluster), int(rows))
        for variable, cluster, rows in firms.dropped[["variable", "cluster", "rows"]].to_numpy()
    )
    measures = tuple(
        Measure(
            name, item.method, item.unit, tuple(item.weights.items()), item.reliability, item.binary
        )
        for name, item in capitals.items()
    )
    return Details(
        table.label,
        table.title,
        table.synthetic,
        table.digest,
        firms.rows_read,
        dropped,
        firms.filters,
        notes,
        measures,
    )
