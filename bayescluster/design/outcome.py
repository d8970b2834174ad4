"""The outcome of an equation as numbers, and whether its family can have them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from bayescluster.arrays import Array
from bayescluster.dataset.constructs import Standardised, standardise
from bayescluster.dataset.prepare import Firms
from bayescluster.dataset.values import as_float, label_of, numeric_problem
from bayescluster.design.coding import sorted_labels
from bayescluster.errors import Problem
from bayescluster.families import FAMILIES, Fault, Rows
from bayescluster.lookup import suggestion
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.columns import Where
from bayescluster.spec.equation import Equation


class Outcome(NamedTuple):
    """An outcome as numbers: levels of an ordinal one, known quantities, log exposure."""

    values: Array
    levels: tuple[str, ...]
    rows: Rows
    offset: Array


def as_predictor(outcome: Outcome) -> Standardised:
    """Put an outcome where it enters another equation: yes or no as it is, else standardised."""
    answered = outcome.values[~np.isnan(outcome.values)]
    if np.isin(answered, (0.0, 1.0)).all():
        return Standardised(outcome.values, 0.0, 1.0)
    return standardise(outcome.values)


def outcome_of(
    analysis: Analysis, firms: Firms, where: Where, problems: list[Problem]
) -> Outcome | None:
    """Read the outcome of an equation; faults are added to ``problems``, and give None."""
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
    answered = ~np.isnan(values)
    if not answered.any():
        problems.append(
            Problem(f"nobody answered the outcome '{equation.outcome}'", place, "name another")
        )
        return None
    problems += _support(equation, values[answered], rows.at(answered), frame[answered], place)
    exposure = known.get("exposure", np.ones(values.size))
    if (exposure <= 0).any():
        fault = Fault("numbers above 0", exposure, exposure <= 0)
        problem = _support_problem(fault, "exposure", frame, where((*base, "exposure")))
        problems.append(problem._replace(mend="mend these rows, or leave them out with `keep`"))
        return None
    return Outcome(values, levels, rows, np.log(exposure))


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
    labels = series.dropna().map(label_of)
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
    known = labels.map(codes).fillna(0).reindex(series.index)
    values: Array = known.to_numpy().astype("float64")
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
        fault.mend,
    )


def row_number(frame: pd.DataFrame, position: int) -> int:
    """Row of the file, counted from 1 below the header, of a row of the analysis."""
    rows = np.asarray(frame.index.to_numpy(), dtype="int64")
    return int(rows[position]) + 1
