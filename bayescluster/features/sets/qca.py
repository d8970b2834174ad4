"""Set theory on a plain table: read, calibrate, measure, code the truth table, minimise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from bayescluster.arrays import Array
from bayescluster.dataset.constructs import is_constant
from bayescluster.dataset.plain import Reading, notes_of, read_plain
from bayescluster.dataset.values import as_float, labels, numeric_problem, rows_text
from bayescluster.errors import CommandError, DataError, Problem
from bayescluster.estimands.diagnostics import number
from bayescluster.features.sets import measures, truth_table
from bayescluster.features.sets.results import (
    PlainSets,
    Relation,
    SetMeasure,
    SetPlot,
    SetRow,
    SetSpread,
)
from bayescluster.lookup import suggestion


class Request(NamedTuple):
    """A table of cases, and how it is to be analysed.

    ``outcome`` may begin with ``~`` for its absence. ``anchors`` holds exclusion, crossover and
    inclusion by column; other columns hold memberships already.
    """

    table: Path
    outcome: str
    conditions: tuple[str, ...]
    anchors: Mapping[str, tuple[float, ...]]
    expected: Mapping[str, truth_table.Expectation]
    names: str | None = None
    group: str | None = None
    cuts: truth_table.Cuts = truth_table.Cuts()
    remainders: bool = False
    necessity_cuts: tuple[float, float] = (0.9, 0.5)
    order: int = 2
    reading: Reading = Reading()

    @property
    def column(self) -> str:
        """Column of the outcome."""
        return self.outcome.removeprefix("~")


def plain_sets(request: Request, frame: pd.DataFrame | None = None) -> PlainSets:
    """Analyse a table of cases as sets, read from its file unless ``frame`` holds it.

    Raises
    ------
    CommandError
        If columns are asked for twice, or anchors are not in order or of columns not asked for.
    DataError
        If the table cannot be read, columns are not there, or cells are missing or no memberships.
    """
    if faults := list(usage_problems(request)):
        raise CommandError(faults)
    source = str(request.table) if frame is None else request.table.name
    table = read_plain(source, request.reading, (request.names, request.group), frame=frame)
    frame = table.frame
    for problems in (column_problems, cell_problems):
        if faults := list(problems(request, frame)):
            raise DataError(faults)
    raw = {name: as_float(frame[name]) for name in (*request.conditions, request.column)}
    inside = {name: memberships(values, request.anchors.get(name)) for name, values in raw.items()}
    notes = (note.rstrip(".") for note in notes_of(table, set(raw)))
    found = _analysed(request, frame, inside)
    cut = {row.kind for row in found.solutions if row.tied >= truth_table.MOST_SOLUTIONS}
    more = (
        f"{kind} solutions: {truth_table.MOST_SOLUTIONS} are listed, more are tied"
        for kind in sorted(cut)
    )
    return found.model_copy(update={"warnings": (*notes, *found.warnings, *more)})


def usage_problems(request: Request) -> Iterator[Problem]:
    """Faults that need no table to be seen."""
    named = (*request.conditions, request.column)
    used = list(dict.fromkeys(named))
    for name in (name for name in used if named.count(name) > 1):
        yield Problem(
            f"'{name}' is asked for twice", "--conditions", "name each column once, in one role"
        )
    if len(request.conditions) > truth_table.MOST_CONDITIONS:
        yield Problem(
            f"{len(request.conditions)} conditions make {2 ** len(request.conditions)} configurations",
            "--conditions",
            f"name at most {truth_table.MOST_CONDITIONS}",
        )
    for name, anchors in request.anchors.items():
        if name not in used:
            yield Problem(
                f"'{name}' is no condition or outcome", "--calibrate", suggestion(name, used)
            )
        elif not measures.in_order(np.array(anchors)):
            yield Problem(
                f"the anchors of '{name}' neither rise nor fall: {', '.join(f'{a:g}' for a in anchors)}",
                "--calibrate",
                "give exclusion, crossover and inclusion, in this order",
            )
    for name in request.expected:
        if name not in request.conditions:
            yield Problem(
                f"'{name}' is no condition", "--expect", suggestion(name, request.conditions)
            )


def column_problems(request: Request, frame: pd.DataFrame) -> Iterator[Problem]:
    """Columns that are not there."""
    roles = [(name, "--conditions") for name in request.conditions]
    labelled = (("--names", request.names), ("--group", request.group))
    roles += [(request.column, "--outcome"), *((name, option) for option, name in labelled if name)]
    for name, option in roles:
        if name not in frame:
            known = [str(column) for column in frame.columns]
            yield Problem(
                f"no column '{name}' in '{request.table.name}'", option, suggestion(name, known)
            )


def cell_problems(request: Request, frame: pd.DataFrame) -> Iterator[Problem]:
    """Cells that are missing, no numbers, or no memberships."""
    if len(frame) < 2:
        yield Problem(
            f"'{request.table.name}' has one case", "TABLE", "sets are compared over several cases"
        )
        return
    sets = (*request.conditions, request.column)
    for name in dict.fromkeys((*sets, *filter(None, (request.names, request.group)))):
        lacking = frame.index[frame[name].isna()]
        if len(lacking):
            yield Problem(
                f"'{name}' is missing in {rows_text(lacking)}",
                "TABLE",
                "fill these cells, or leave the cases out",
            )
    for name in sets:
        fault = numeric_problem(frame[name])
        if fault is not None:
            yield Problem(f"'{name}' is not a number: {fault}", "TABLE", "turn it into numbers")
            continue
        values, anchors = as_float(frame[name]), request.anchors.get(name)
        outside = (("negative values", values < 0), ("values above 1", values > 1))
        for what, bad in outside if anchors is None else ():
            if bad.any():
                yield Problem(
                    f"{what} in sets: '{name}' is {values[bad][0]:g} in "
                    f"{rows_text(np.flatnonzero(bad))}",
                    "TABLE",
                    f'calibrate it: --calibrate "{name}: EXCLUSION CROSSOVER INCLUSION"',
                )
        if is_constant(memberships(values, anchors)):
            yield Problem(
                f"'{name}' is the same in all cases ({values[0]:g})",
                "TABLE",
                "a set that all cases share explains nothing: leave it out",
            )


def quoted(name: str) -> str:
    """Name of a condition as expressions hold it: in quotes where it has a sign of theirs."""
    return f'"{name}"' if set(name) & set("*+~") else name


def memberships(values: Array, anchors: Sequence[float] | None) -> Array:
    """Memberships of the cells of a column; the cells themselves where they are calibrated."""
    return values if anchors is None else measures.calibrate(values, np.array(anchors))


def _analysed(request: Request, frame: pd.DataFrame, inside: Mapping[str, Array]) -> PlainSets:
    """Analyse memberships by column."""
    outcome, cuts = inside[request.column], request.cuts
    outcome = measures.negation(outcome) if request.outcome.startswith("~") else outcome
    conditions = {quoted(name): inside[name] for name in request.conditions}
    cases = truth_table.Cases("all", "all", _names(request, frame), conditions, outcome)
    expected = {quoted(name): way for name, way in request.expected.items()}
    solved = truth_table.solve(cases, cuts, expected)
    kinds = ("complex", "parsimonious", "intermediate") if request.remainders else ("complex",)
    groups: list[truth_table.Cases] = []
    if request.group is not None:
        of_cases = labels(frame[request.group])
        groups = [
            cases.at(of_cases == one, "cluster", one) for one in sorted(set(of_cases.tolist()))
        ]
    return PlainSets(
        table=request.table.name,
        outcome=request.outcome,
        cases=len(outcome),
        case_cut=cuts.cases,
        inclusion_cut=cuts.consistency,
        pri_cut=cuts.pri,
        sets=tuple(_sets(request, inside)),
        measures=(
            *_measures(cases, "all"),
            *(row for group in groups for row in _measures(group, str(request.group))),
        ),
        truth_table=tuple(truth_table.truth_rows(solved)),
        solutions=tuple(row for row in truth_table.solution_rows(solved) if row.kind in kinds),
        spreads=tuple(_spreads(str(request.group), cases, groups)),
        combinations=tuple(
            truth_table.combinations_of(
                cases, request.order, request.necessity_cuts, (cuts.consistency, cuts.pri)
            )
        ),
        plots=tuple(
            SetPlot(
                expression=name,
                label=name,
                points=tuple(zip(values.tolist(), outcome.tolist(), strict=True)),
                total=len(outcome),
            )
            for name, values in conditions.items()
        ),
        warnings=tuple(_warnings(request, inside)),
    )


def _names(request: Request, frame: pd.DataFrame) -> list[str]:
    first = frame.iloc[:, 0]
    unnamed = str(frame.columns[0]).startswith("Unnamed:") and first.is_unique
    if request.names is None and not unnamed:
        return [f"row {k + 1}" for k in range(len(frame))]
    return [str(name) for name in labels(first if request.names is None else frame[request.names])]


def _sets(request: Request, inside: Mapping[str, Array]) -> Iterator[SetRow]:
    for name, values in inside.items():
        anchors = request.anchors.get(name)
        low, middle, high = anchors or (None, None, None)
        yield SetRow(
            letter=name,
            name=name,
            how=truth_table.DECLARED
            if anchors
            else truth_table.CRISP
            if measures.is_crisp(values)
            else truth_table.GIVEN,
            exclusion=low,
            crossover=middle,
            inclusion=high,
            sd=(0.0, 0.0, 0.0),
            members=int((values > measures.AMBIGUOUS).sum()),
            ambiguous=int((values == measures.AMBIGUOUS).sum()),
            missing=0,
        )


def _warnings(request: Request, inside: Mapping[str, Array]) -> Iterator[str]:
    for name, values in inside.items():
        count = int((values == measures.AMBIGUOUS).sum())
        if not count:
            continue
        whose = "outcome" if name == request.column else "condition"
        left = "" if whose == "outcome" else " and in no row of the truth table"
        yield (
            f"{count} case{'s' if count > 1 else ''} with a membership of exactly .5 in the {whose} "
            f"'{name}': neither in nor out{left}; move the crossover off that value"
        )


def _measures(cases: truth_table.Cases, by: str) -> Iterator[SetMeasure]:
    """Measures of every condition and of its absence in one group."""
    for relation, names in truth_table.MEASURES.items():
        for name, values in cases.conditions.items():
            for expression, inside in ((name, values), (f"~{name}", measures.negation(values))):
                measured = _measured(relation, inside, cases)
                for measure, value in zip(names, measured, strict=True):
                    yield SetMeasure(
                        by=by,
                        group=cases.group,
                        relation=relation,
                        expression=expression,
                        measure=measure,
                        rows=len(cases.outcome),
                        members=int((inside > measures.AMBIGUOUS).sum()),
                        observed=number(float(value)),
                        low=None,
                        high=None,
                        model_low=None,
                        model_high=None,
                    )


def _spreads(
    of: str, cases: truth_table.Cases, groups: Sequence[truth_table.Cases]
) -> Iterator[SetSpread]:
    for relation in truth_table.MEASURES if groups else ():
        for name in cases.conditions:
            pooled, *of_groups = (
                float(_measured(relation, part.conditions[name], part).consistency)
                for part in (cases, *groups)
            )
            names = [part.group for part in groups]
            yield from truth_table.spread_rows(
                of, names, (relation, name), np.array(of_groups), pooled
            )


def _measured(
    relation: Relation, inside: Array, cases: truth_table.Cases
) -> measures.Necessity | measures.Sufficiency:
    return (measures.necessity if relation == "necessity" else measures.sufficiency)(
        inside, cases.outcome, cases.total
    )
