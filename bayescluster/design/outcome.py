"""The outcome of an equation as numbers, and whether its family can have them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from bayescluster.arrays import Array
from bayescluster.dataset.constructs import Standardised, standardise
from bayescluster.dataset.prepare import Firms
from bayescluster.dataset.values import (
    InputError,
    as_number,
    code_of,
    label_of,
    numbers,
    sorted_labels,
    text_for,
    values_of_levels,
)
from bayescluster.errors import Problem
from bayescluster.families import FAMILIES, Fault, Rows
from bayescluster.families.zeros import FEWEST_SOME
from bayescluster.lookup import scalar, suggestion
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.columns import Where
from bayescluster.spec.equation import Equation

MOST_LISTED = 12
"""Levels that a message lists."""
YES = ("yes", "y", "true", "ja", "oui", "si", "sí", "sim", "ya", "có", "是", "はい", "예")
NO = ("no", "n", "false", "nein", "non", "não", "nao", "tidak", "không", "否", "いいえ", "아니오")
"""Words for yes and no, in small letters."""


class Outcome(NamedTuple):
    """An outcome as numbers: levels of an ordinal one, known quantities, log exposure."""

    values: Array
    levels: tuple[str, ...]
    rows: Rows
    offset: Array

    @property
    def observed(self) -> Array:
        """Values on the scale of their expectation, ``(row,)``: levels, shares of trials, rates."""
        if self.levels:
            known = ~np.isnan(self.values)
            worth = values_of_levels(self.levels)[np.where(known, self.values, 0).astype("int64")]
            return np.where(known, worth, np.nan)
        trials = self.rows.trials
        return np.asarray(self.values / (np.exp(self.offset) if trials is None else trials))


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
    before = len(problems)

    def place(key: str) -> str:
        return where(("equations", analysis.equation_name, key))

    def column(key: str) -> Array | None:
        name = getattr(equation, key)
        try:
            what = f"the {key.replace('_', ' ')} '{name}'"
            return None if name is None else numbers(frame[name], what)
        except InputError as error:
            problems.append(error.at(place(key)))
            return None

    trials, exposure, standard_error = map(column, ("trials", "exposure", "standard_error"))
    series = frame[equation.outcome]
    levels: tuple[str, ...] = ()
    values: Array | None = None
    if recode := _yes_or_no(analysis, series, place("outcome")):
        problems.append(recode)
    elif equation.family == "ordinal":
        levels, values = _ordinal(equation, series, place, problems)
    else:
        values = column("outcome")
    if values is None or len(problems) > before:
        return None
    rows, answered = Rows(trials, standard_error), ~np.isnan(values)
    if not answered.any():
        what = f"no firm has a value of the outcome '{equation.outcome}'"
        problems.append(Problem(what, place("outcome"), "name another"))
        return None
    fault = FAMILIES[equation.family].support(values[answered], rows.at(answered))
    problems += _faults_of_values(equation, values[answered], fault, frame[answered], place)
    if fault is not None:
        return None
    exposure = np.ones(values.size) if exposure is None else exposure
    if (bad := exposure <= 0).any():
        mend = "correct these rows, or leave them out with `keep`"
        fault = Fault("numbers above 0", exposure, bad, mend)
        problems.append(_support_problem(fault, "exposure", frame, place("exposure")))
        return None
    return Outcome(values, levels, rows, np.log(exposure))


def _faults_of_values(
    equation: Equation,
    known: Array,
    fault: Fault | None,
    frame: pd.DataFrame,
    place: Callable[[str], str],
) -> Iterator[Problem]:
    if fault is not None:
        yield _support_problem(fault, f"family {equation.family}", frame, place("outcome"))
    elif np.ptp(known) == 0:
        what = f"the outcome '{equation.outcome}' is the same in every row ({known[0]:g})"
        mend = "there is nothing to explain: check the filters, or name another outcome"
        yield Problem(what, place("outcome"), mend)
    elif FAMILIES[equation.family].plain is not None and (known > 0).sum() < FEWEST_SOME:
        what = f"one row only has '{equation.outcome}' above 0: nothing says how much there is"
        mend = "explain whether there is any, with family bernoulli"
        yield Problem(what, place("outcome"), mend)


def _ordinal(
    equation: Equation, series: pd.Series, place: Callable[[str], str], problems: list[Problem]
) -> tuple[tuple[str, ...], Array]:
    labels = series.dropna().map(text_for(series, equation.levels))
    levels = [label_of(level) for level in equation.levels] or sorted_labels(labels.unique())
    if not equation.levels and any(as_number(level) is None for level in levels):
        what = f"the levels of '{equation.outcome}' are words, whose order is not known"
        listed = ", ".join(levels[:MOST_LISTED]) + ", ..." * (len(levels) > MOST_LISTED)
        mend = f"list them from lowest to highest: `levels: [{listed}]`, in their order"
        problems.append(Problem(what, place("outcome"), mend))
        return tuple(levels), np.zeros(len(series))
    for level in sorted(set(labels) - set(levels))[:1]:
        what = f"the outcome holds '{level}', which is not among the declared levels"
        mend = f"{suggestion(level, levels)}; list it, or leave such rows out with `keep`"
        problems.append(Problem(what, place("levels"), mend))
    asked = None if equation.at_least is None else label_of(equation.at_least)
    if asked is not None and asked not in levels[1:]:
        what = f"at_least names '{asked}', which is not a level above the lowest"
        problems.append(Problem(what, place("at_least"), suggestion(asked, levels[1:])))
    for level in [level for level in levels if level not in set(labels)][:1]:
        what = f"no firm has the outcome level '{level}'"
        problems.append(Problem(what, place("levels"), "leave it out, or merge levels"))
    codes = {level: code for code, level in enumerate(levels)}
    values: Array = labels.map(codes).fillna(0).reindex(series.index).to_numpy().astype("float64")
    return tuple(levels), values


def _yes_or_no(analysis: Analysis, series: pd.Series, where: str) -> Problem | None:
    """Fault of a yes-or-no outcome that is coded otherwise than 0 and 1, and the lines that mend it."""
    equation, cells = analysis.equation, series.dropna()
    if equation.family not in ("bernoulli", "probit") or pd.api.types.is_bool_dtype(cells):
        return None
    shown = {code_of(cell): label_of(cell) for cell in cells}
    texts = sorted_labels(list(shown))
    if len(texts) != 2 or set(texts) <= {"0", "1"}:
        return None
    yes = [text for text in texts if shown[text].strip().casefold() in YES]
    no = [text for text in texts if shown[text].strip().casefold() in NO]
    if len(yes) == len(no) == 1:
        one, zero, unsure = yes[0], no[0], ""
    elif texts == ["1", "2"]:
        one, zero, unsure = "1", "2", " if 1 is yes (swap them if 2 is)"
    else:
        return None
    values = " and ".join(
        f"{text} ({shown[text]})" if shown[text] != text else f"'{text}'" for text in texts
    )
    name = equation.outcome
    yes_name = scalar(f"{name}_yes")
    old = [text if as_number(text) is not None else scalar(text) for text in (one, zero)]
    line = f"{{kind: recode, name: {yes_name}, of: {scalar(name)}, values: {{{old[0]}: 1, {old[1]}: 0}}}}"
    return Problem(
        f"the outcome '{name}' holds {values}; family {equation.family} takes 1 for yes, 0 for no",
        where,
        f"{analysis.data.to_add('derive', line)}{unsure}, and write `outcome: {yes_name}` here",
    )


def _support_problem(fault: Fault, what: str, frame: pd.DataFrame, place: str) -> Problem:
    first, others = int(np.flatnonzero(fault.bad)[0]), int(fault.bad.sum()) - 1
    rest = f" and in {others} more" if others else ""
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
