"""What is asked of a plain table as sets, and all the reasons why it cannot be had."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from bayescluster.arrays import Array
from bayescluster.dataset.scaling import is_constant
from bayescluster.dataset.values import as_float, numeric_problem, rows_text
from bayescluster.errors import ConfigError, DataError, Problem
from bayescluster.hypotheses.sets.calibration import calibrate, in_order
from bayescluster.hypotheses.sets.truth_table import MOST_CONDITIONS, Cuts, Expectation
from bayescluster.lookup import suggestion


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
