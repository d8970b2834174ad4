"""Set theory on a plain table: read, calibrate, measure, code the truth table, minimise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from bayescluster.arrays import Array
from bayescluster.dataset.constructs import is_constant
from bayescluster.dataset.read import read_table
from bayescluster.dataset.values import as_float, labels, numeric_problem, rows_text
from bayescluster.errors import ConfigError, DataError, Problem
from bayescluster.estimands.summary import number
from bayescluster.features.sets.compute import CRISP, DECLARED, GIVEN
from bayescluster.features.sets.measures import (
    AMBIGUOUS,
    Total,
    calibrate,
    in_order,
    necessity,
    negation,
    sufficiency,
)
from bayescluster.features.sets.results import (
    PlainSets,
    Relation,
    SetMeasure,
    SetPlot,
    SetRow,
    SetSpread,
)
from bayescluster.features.sets.truth_table import (
    MEASURES,
    MOST_CONDITIONS,
    Cases,
    Cuts,
    Expectation,
    combinations_of,
    solution_rows,
    solve,
    spread_rows,
    truth_rows,
)
from bayescluster.lookup import suggestion
from bayescluster.spec.data import Data


class Request(NamedTuple):
    """What is asked of a table.

    ``outcome`` may begin with ``~`` for its absence. ``anchors`` holds exclusion, crossover and
    inclusion by column; other columns hold memberships already.
    """

    table: Path
    outcome: str
    conditions: tuple[str, ...]
    anchors: Mapping[str, tuple[float, ...]]
    expected: Mapping[str, Expectation]
    names: str | None = None
    group: str | None = None
    cuts: Cuts = Cuts()
    remainders: bool = False
    necessity_cuts: tuple[float, float] = (0.9, 0.5)
    order: int = 2

    @property
    def column(self) -> str:
        """Column of the outcome."""
        return self.outcome.removeprefix("~")


def raise_if_any(kind: type[ConfigError | DataError], problems: Iterator[Problem]) -> None:
    """Raise all problems of a step at once."""
    found = list(problems)
    if found:
        raise kind(found)


def usage_problems(asked: Request) -> Iterator[Problem]:
    """Faults that need no table to be seen."""
    named = (*asked.conditions, asked.column)
    used = list(dict.fromkeys(named))
    for name in (name for name in used if named.count(name) > 1):
        yield Problem(
            f"'{name}' is asked for twice", "--conditions", "name each column once, in one role"
        )
    if len(asked.conditions) > MOST_CONDITIONS:
        yield Problem(
            f"{len(asked.conditions)} conditions make {2 ** len(asked.conditions)} configurations",
            "--conditions",
            f"name at most {MOST_CONDITIONS}",
        )
    for name, anchors in asked.anchors.items():
        if name not in used:
            yield Problem(
                f"'{name}' is no condition or outcome", "--calibrate", suggestion(name, used)
            )
        elif not in_order(np.array(anchors)):
            yield Problem(
                f"the anchors of '{name}' neither rise nor fall: {', '.join(f'{a:g}' for a in anchors)}",
                "--calibrate",
                "give exclusion, crossover and inclusion, in this order",
            )
    for name in asked.expected:
        if name not in asked.conditions:
            yield Problem(
                f"'{name}' is no condition", "--expect", suggestion(name, asked.conditions)
            )


def column_problems(asked: Request, frame: pd.DataFrame) -> Iterator[Problem]:
    """Columns that are not there."""
    roles = [*((name, "--conditions") for name in asked.conditions), (asked.column, "--outcome")]
    roles += [(name, f"--{role}") for role, name in _labelling(asked)]
    for name, option in roles:
        if name not in frame:
            known = [str(column) for column in frame.columns]
            yield Problem(
                f"no column '{name}' in '{asked.table.name}'", option, suggestion(name, known)
            )


def _labelling(asked: Request) -> list[tuple[Literal["names", "group"], str]]:
    found: list[tuple[Literal["names", "group"], str]] = []
    if asked.names is not None:
        found.append(("names", asked.names))
    if asked.group is not None:
        found.append(("group", asked.group))
    return found


def cell_problems(asked: Request, frame: pd.DataFrame) -> Iterator[Problem]:
    """Cells that are missing, no numbers, or no memberships."""
    if len(frame) < 2:
        yield Problem(
            f"'{asked.table.name}' has one case", "TABLE", "sets are compared over several cases"
        )
        return
    for name in dict.fromkeys(
        (*asked.conditions, asked.column, *(c for _, c in _labelling(asked)))
    ):
        lacking = frame.index[frame[name].isna()]
        if len(lacking):
            yield Problem(
                f"'{name}' is missing in {rows_text(lacking)}",
                "TABLE",
                "fill these cells, or leave the cases out",
            )
    for name in (*asked.conditions, asked.column):
        fault = numeric_problem(frame[name])
        if fault is not None:
            yield Problem(f"'{name}' is not a number: {fault}", "TABLE", "turn it into numbers")
            continue
        values, anchors = as_float(frame[name]), asked.anchors.get(name)
        if anchors is None:
            yield from _no_memberships(name, values)
        if is_constant(memberships(values, anchors)):
            yield Problem(
                f"'{name}' is the same in all cases ({values[0]:g})",
                "TABLE",
                "a set that all cases share explains nothing: leave it out",
            )


def memberships(values: Array, anchors: Sequence[float] | None) -> Array:
    """Memberships of the cells of a column; the cells themselves where they are calibrated."""
    return values if anchors is None else calibrate(values, np.array(anchors))


def _no_memberships(name: str, values: Array) -> Iterator[Problem]:
    for what, bad in (
        ("negative values in sets", values < 0),
        ("values above 1 in sets", values > 1),
    ):
        if bad.any():
            yield Problem(
                f"{what}: '{name}' is {values[bad][0]:g} in {rows_text(np.flatnonzero(bad))}",
                "TABLE",
                f'calibrate it: --calibrate "{name}: EXCLUSION CROSSOVER INCLUSION"',
            )


def plain_sets(asked: Request) -> PlainSets:
    """Analyse a table of cases as sets.

    Raises
    ------
    ConfigError
        If columns are asked for twice, or anchors are not in order or of columns not asked for.
    DataError
        If the table cannot be read, columns are not there, or cells are missing or no memberships.
    """
    raise_if_any(ConfigError, usage_problems(asked))
    frame = read_table(Data(source=str(asked.table)), Path(), lambda _: "TABLE").frame
    raise_if_any(DataError, column_problems(asked, frame))
    raise_if_any(DataError, cell_problems(asked, frame))
    raw = {name: as_float(frame[name]) for name in (*asked.conditions, asked.column)}
    inside = {name: memberships(values, asked.anchors.get(name)) for name, values in raw.items()}
    return _analysed(asked, frame, inside)


def _analysed(asked: Request, frame: pd.DataFrame, inside: Mapping[str, Array]) -> PlainSets:
    outcome = inside[asked.column]
    outcome = negation(outcome) if asked.outcome.startswith("~") else outcome
    conditions = {name: inside[name] for name in asked.conditions}
    cases = Cases("all", "all", _names(asked, frame), conditions, outcome)
    solved = solve(cases, asked.cuts, asked.expected)
    kinds = ("complex", "parsimonious", "intermediate") if asked.remainders else ("complex",)
    groups = _groups(asked, frame)
    return PlainSets(
        table=asked.table.name,
        outcome=asked.outcome,
        cases=len(outcome),
        case_cut=asked.cuts.cases,
        inclusion_cut=asked.cuts.consistency,
        pri_cut=asked.cuts.pri,
        sets=tuple(_sets(asked, inside)),
        measures=tuple(_measures(cases, groups)),
        truth_table=tuple(truth_rows(solved)),
        solutions=tuple(row for row in solution_rows(solved) if row.kind in kinds),
        spreads=tuple(_spreads(cases, groups)),
        combinations=tuple(
            combinations_of(
                cases, asked.order, asked.necessity_cuts, (asked.cuts.consistency, asked.cuts.pri)
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
        warnings=tuple(_warnings(asked, inside)),
    )


class _Grouping(NamedTuple):
    name: str
    labels: tuple[str, ...]
    of_cases: Sequence[str]


def _groups(asked: Request, frame: pd.DataFrame) -> _Grouping | None:
    if asked.group is None:
        return None
    of_cases = labels(frame[asked.group]).tolist()
    return _Grouping(asked.group, tuple(sorted(set(of_cases))), of_cases)


def _names(asked: Request, frame: pd.DataFrame) -> list[str]:
    first = frame.iloc[:, 0]
    unnamed = str(frame.columns[0]).startswith("Unnamed:") and first.is_unique
    if asked.names is None and not unnamed:
        return [f"row {k + 1}" for k in range(len(frame))]
    return [str(name) for name in labels(first if asked.names is None else frame[asked.names])]


def _sets(asked: Request, inside: Mapping[str, Array]) -> Iterator[SetRow]:
    for name, values in inside.items():
        anchors = asked.anchors.get(name)
        crisp = bool(np.isin(values, (0.0, 1.0)).all())
        low, middle, high = anchors if anchors is not None else (None, None, None)
        yield SetRow(
            letter=name,
            name=name,
            how=DECLARED if anchors is not None else CRISP if crisp else GIVEN,
            exclusion=low,
            crossover=middle,
            inclusion=high,
            sd=(0.0, 0.0, 0.0),
            members=int((values > AMBIGUOUS).sum()),
            ambiguous=int((values == AMBIGUOUS).sum()),
            missing=0,
        )


def _warnings(asked: Request, inside: Mapping[str, Array]) -> Iterator[str]:
    for name, values in inside.items():
        count = int((values == AMBIGUOUS).sum())
        if not count:
            continue
        whose = "outcome" if name == asked.column else "condition"
        several = count > 1
        left = "" if whose == "outcome" else " and in no row of the truth table"
        yield (
            f"{count} case{'s' if several else ''} with a membership of exactly .5 in the {whose} "
            f"'{name}': neither in nor out{left}; move the crossover off that value"
        )


def _measures(cases: Cases, groups: _Grouping | None) -> Iterator[SetMeasure]:
    """Measures of every condition and of its absence, pooled and by group."""
    yield from _measures_of(cases, "all", "all")
    for label in groups.labels if groups is not None else ():
        assert groups is not None
        mine = np.array(groups.of_cases) == label
        yield from _measures_of(cases.at(mine, "cluster", label), groups.name, label)


def _measures_of(cases: Cases, by: str, group: str) -> Iterator[SetMeasure]:
    for relation, names in MEASURES.items():
        for name, values in cases.conditions.items():
            for expression, inside in ((name, values), (f"~{name}", negation(values))):
                measured = (necessity if relation == "necessity" else sufficiency)(
                    inside, cases.outcome, cases.total
                )
                for measure, value in zip(names, measured, strict=True):
                    yield SetMeasure(
                        by=by,
                        group=group,
                        relation=relation,
                        expression=expression,
                        measure=measure,
                        rows=len(cases.outcome),
                        members=int((inside > AMBIGUOUS).sum()),
                        observed=number(float(value)),
                        low=None,
                        high=None,
                        model_low=None,
                        model_high=None,
                    )


def _spreads(cases: Cases, groups: _Grouping | None) -> Iterator[SetSpread]:
    if groups is None:
        return
    parts = [
        cases.at(np.array(groups.of_cases) == label, "cluster", label) for label in groups.labels
    ]
    for relation in MEASURES:
        for name in cases.conditions:
            found = np.array([_consistency(part, relation, name) for part in parts])
            pooled = _consistency(cases, relation, name)
            yield from spread_rows(groups.name, groups.labels, (relation, name), (found, pooled))


def _consistency(cases: Cases, relation: Relation, name: str) -> float:
    total: Total = cases.total
    measured = necessity if relation == "necessity" else sufficiency
    return float(measured(cases.conditions[name], cases.outcome, total).consistency)
