"""Cases of a necessary condition analysis, from the columns of a table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from bayescluster.dataset.values import as_float, labels, numeric_problem, rows_text
from bayescluster.errors import DataError, Problem
from bayescluster.hypotheses.ceilings.describe import Observed
from bayescluster.hypotheses.ceilings.scope import Floats
from bayescluster.lookup import suggestion
from bayescluster.results.necessity import ALL_ROWS
from bayescluster.workflow.nca_options import Question

FEWEST = 2
"""Cases below which nothing can be said at all."""
SHOWN = 3
"""Cases named in a message."""


class Columns(NamedTuple):
    """What is taken from the table.

    Attributes
    ----------
    numbers
        Conditions and outcome by name; missing values are NaN. (row,)
    names, group
        Name and group of each row; a missing group is NaN. (row,)
    notes
        What is to be said of the columns.
    """

    numbers: dict[str, Floats]
    names: pd.Series[Any]
    group: pd.Series[Any] | None
    notes: tuple[str, ...]

    @property
    def groups(self) -> tuple[str, ...]:
        """Groups in the order of the rows."""
        return () if self.group is None else tuple(self.group.dropna().unique())


class Unfit(NamedTuple):
    """Why cases cannot be analysed: as a problem to mend, and as a short reason."""

    problem: Problem
    reason: str


def columns_of(frame: pd.DataFrame, question: Question) -> Columns:
    """Take the columns that are asked for.

    Raises
    ------
    DataError
        With every column that is not there, or is not of numbers.
    """
    roles = [("--x", name) for name in question.conditions] + [("--y", question.outcome)]
    labelled = [("--group", question.group), ("--names", question.names)]
    wanted = [*roles, *((option, name) for option, name in labelled if name is not None)]
    problems = list(_absent(frame, wanted)) or list(_wordy(frame, roles))
    if problems:
        raise DataError(problems)
    group = None if question.group is None else labels(frame[question.group])
    notes = []
    if group is not None and group.isna().any():
        notes.append(
            f"'{question.group}' is missing in {int(group.isna().sum())} of {len(frame)} rows "
            f"({rows_text(frame.index[group.isna()])}): they count among all rows only."
        )
    numbers = {name: as_float(frame[name]) for _, name in roles}
    return Columns(numbers, _names(frame, question), group, tuple(notes))


def cases_of(columns: Columns, question: Question, condition: str, group: str | None) -> Observed:
    """Complete cases of a condition, of one group or (None) of all rows."""
    x, y = columns.numbers[condition], columns.numbers[question.outcome]
    inside = np.ones(len(x), bool)
    if group is not None and columns.group is not None:
        inside = (columns.group == group).to_numpy(bool)
    complete = inside & np.isfinite(x) & np.isfinite(y)
    return Observed(
        condition,
        ALL_ROWS if group is None else group,
        columns.names[complete].tolist(),
        x[complete],
        y[complete],
        int(inside.sum() - complete.sum()),
        question.scopes.get(condition),
    )


def unfit(case: Observed, question: Question) -> Unfit | None:
    """Say why cases cannot be analysed; None where they can."""
    count = len(case.x)
    if count < FEWEST:
        return _too_few(case, question)
    if case.declared is not None:
        return _outside(case, question)
    sides = (("--x", case.condition, case.x), ("--y", question.outcome, case.y))
    return next(filter(None, (_flat(*side) for side in sides)), None)


def _flat(option: str, name: str, values: Floats) -> Unfit | None:
    """Say whether a column has no range to draw a ceiling in."""
    # halved first: the range of numbers near the ends of what floats hold is no number
    half = values.max() / 2 - values.min() / 2
    if half > np.finfo(float).max / 2:
        what = f"'{name}' goes from {values.min():g} to {values.max():g}"
        return Unfit(Problem(what, option, "its range is no number; change its unit"), what)
    if values.max() > values.min():
        return None
    what = f"'{name}' is {values[0]:g} in all {len(values)} rows"
    mend = "without a range there is no ceiling; declare --scope where it could have varied"
    return Unfit(Problem(what, option, mend), what)


def _too_few(case: Observed, question: Question) -> Unfit:
    rows = "only one row has" if len(case.x) else "no row has"
    what = f"{rows} both '{case.condition}' and '{question.outcome}'"
    whole = len(case.x) + case.incomplete
    mend = f"the table has {whole} {'row' if whole == 1 else 'rows'}; at least 2 must have both"
    return Unfit(Problem(what, "--x", mend), what)


def _outside(case: Observed, question: Question) -> Unfit | None:
    scope = case.declared
    if scope is None or scope.holds(case.x, case.y):
        return None
    beyond = (
        (case.x < scope.xmin)
        | (case.x > scope.xmax)
        | (case.y < scope.ymin)
        | (case.y > scope.ymax)
    )
    places = np.flatnonzero(beyond)
    shown = "; ".join(
        f"{case.names[k]} ({case.condition} {case.x[k]:g}, {question.outcome} {case.y[k]:g})"
        for k in places[:SHOWN]
    )
    more = f"; and {len(places) - SHOWN} more" if len(places) > SHOWN else ""
    sides = " ".join(f"{side:g}" for side in scope)
    what = f"the scope {sides} of '{case.condition}' does not hold {shown}{more}"
    return Unfit(Problem(what, "--scope", "widen it, or leave it out to take the range"), what)


def _absent(frame: pd.DataFrame, wanted: list[tuple[str, str]]) -> Iterator[Problem]:
    known = list(frame.columns)
    for option, name in wanted:
        if name not in known:
            yield Problem(f"no column '{name}' in the table", option, suggestion(name, known))


def _wordy(frame: pd.DataFrame, roles: list[tuple[str, str]]) -> Iterator[Problem]:
    for option, name in roles:
        fault = numeric_problem(frame[name])
        if fault is not None:
            yield Problem(
                f"'{name}' is no column of numbers: {fault}",
                option,
                "recode it, or name codes for missing answers with --missing-value",
            )


def _names(frame: pd.DataFrame, question: Question) -> pd.Series[Any]:
    """Names of the rows: declared, else the first column of text that tells them apart."""
    rows = pd.Series([f"row {k + 1}" for k in range(len(frame))], frame.index, dtype=object)
    taken = {*question.conditions, question.outcome, question.group}
    if question.names is None:
        found = next((name for name in frame if name not in taken and _tells(frame[name])), None)
        return rows if found is None else labels(frame[found])
    named = labels(frame[question.names])
    twice = named.duplicated(keep=False)
    return named.where(~twice, named + " (" + rows + ")").where(named.notna(), rows)


def _tells(column: pd.Series[Any]) -> bool:
    """Whether a column is of text, and a name of its own for every row."""
    if column.dtype != object and not pd.api.types.is_string_dtype(column):
        return False
    return bool(column.notna().all() and column.is_unique and isinstance(column.iloc[0], str))
