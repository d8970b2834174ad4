"""What is missing in a design and estimated inside the model: gaps, and how they combine in a row.

A gap is an input with missing cells: a control, the score of a capital, or the outcome of an equation
that enters another. Continuous gaps are variables of the model. Discrete ones are summed out: a row
that lacks some of them stands for one row for each combination of their values.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayescluster.arrays import Array
from bayescluster.design.record import Design
from bayescluster.families import YES_OR_NO
from bayescluster.names import (
    CAPITALS,
    CONTROL_CAPITAL,
    PREDICTOR,
    PREDICTOR_CENTER,
    PREDICTOR_SCALE,
)
from bayescluster.spec.equation import ColumnControl, Equation

CONTINUOUS_FAMILIES = ("gaussian", "student_t", "lognormal", "beta")
"""Families of which a missing outcome that enters another equation is a variable of the model."""


Place = Literal["capital", "control", "outcome"]


class Gap(NamedTuple):
    """An input with missing cells.

    Attributes
    ----------
    name
        Coded control, capital, or equation.
    place
        What it is.
    values
        As it enters equations, ``(row,)``, NaN where missing.
    levels
        Values it can have, on that scale; none where it is continuous.
    center, scale
        Mean and standard deviation of the answers.
    """

    name: str
    place: Place
    values: Array
    levels: tuple[float, ...]
    center: float
    scale: float

    @property
    def missing(self) -> NDArray[np.bool_]:
        """Which rows lack it, ``(row,)``."""
        return np.isnan(self.values)

    @property
    def rows(self) -> NDArray[np.int64]:
        """Positions of the rows that lack it."""
        return np.flatnonzero(self.missing)

    @property
    def codes(self) -> NDArray[np.int64]:
        """Position of each answer among the levels, ``(row,)``; 0 where missing."""
        apart = np.abs(self.values[:, None] - np.array(self.levels))
        return np.where(self.missing, 0, np.nan_to_num(apart).argmin(axis=1))


class Configurations(NamedTuple):
    """Rows with the discrete gaps filled in every way, ``(case,)`` each.

    ``row`` gives the position of the row, in ascending order; ``codes`` the level of each gap.
    """

    row: NDArray[np.int64]
    codes: dict[str, NDArray[np.int64]]

    def where(self, keep: NDArray[np.bool_]) -> Configurations:
        """Some of the cases."""
        return Configurations(self.row[keep], {k: v[keep] for k, v in self.codes.items()})

    def blocks(self) -> Iterator[NDArray[np.int64]]:
        """Positions of the cases of rows with equally many, ``(row, case of the row)`` each."""
        _, first, count = np.unique(self.row, return_index=True, return_counts=True)
        for number in np.unique(count):
            yield first[count == number][:, None] + np.arange(number)


def gaps(design: Design) -> tuple[Gap, ...]:
    """All gaps of the equations of a design, in the order in which each rests on those before it.

    Capitals and controls that are continuous, then those that are discrete, then outcomes. Of a design
    with other data than its template they have the levels and units of the template.
    """
    inputs = [*_capital_gaps(design), *_control_gaps(design)]
    found = (*sorted(inputs, key=lambda gap: bool(gap.levels)), *_outcome_gaps(design))
    if design.template is None:
        return found
    values = {gap.name: gap.values for gap in found}
    return tuple(gap._replace(values=values[gap.name]) for gap in gaps(design.template))


def discrete_gaps(design: Design) -> tuple[Gap, ...]:
    """Gaps that are summed out."""
    return tuple(gap for gap in gaps(design) if gap.levels)


def enters(gap: Gap, equation: Design) -> bool:
    """Whether an equation rests on a gap, or explains it."""
    if gap.place == "outcome":
        return gap.name in (equation.equation_name, *equation.equation.predictors)
    if gap.place == "control":
        return gap.name in equation.control_names
    return equation.has_capitals or gap.name in equation.data[CONTROL_CAPITAL].to_numpy()


def cases_of(found: tuple[Gap, ...], size: int) -> NDArray[np.int64]:
    """How many combinations of missing discrete values each row stands for, ``(row,)``."""
    counts = np.ones(size, dtype="int64")
    for gap in found:
        counts *= np.where(gap.missing, max(len(gap.levels), 1), 1)
    return counts


def configurations(found: tuple[Gap, ...], size: int) -> Configurations:
    """Go through all combinations of the missing discrete values of each row."""
    counts = cases_of(found, size)
    row = np.repeat(np.arange(size), counts)
    within = np.arange(row.size) - np.repeat(np.cumsum(counts) - counts, counts)
    codes = {}
    for gap in found:
        if not gap.levels:
            continue
        missing = gap.missing[row]
        codes[gap.name] = np.where(missing, within % len(gap.levels), gap.codes[row])
        within = np.where(missing, within // len(gap.levels), within)
    return Configurations(row, codes)


def known_inputs(design: Design) -> dict[str, Array]:
    """Complete controls and capitals on mean 0 and sd 1, which imputations rest on, ``(row,)`` each."""
    found = dict(design.background)
    for capital, values in zip(CAPITALS, design.capitals, strict=True):
        if design.analysis.constructs and not design.is_latent(capital):
            found[capital] = values
    return {
        name: (values - values.mean()) / values.std(ddof=1)
        for name, values in found.items()
        if not np.isnan(values).any() and np.ptp(values) > 0
    }


def inputs_of(design: Design, gap: Gap) -> tuple[str, ...]:
    """What the imputation of a gap rests on, by name."""
    before = []
    for other in gaps(design):
        if other.name == gap.name:
            break
        before.append(other.name)
    latent = (capital for capital in CAPITALS if design.is_latent(capital))
    return (*known_inputs(design), *latent, *before)


def _gap(name: str, place: Place, values: Array, levels: tuple[float, ...]) -> Gap:
    answers = values[~np.isnan(values)]
    return Gap(name, place, values, levels, float(answers.mean()), float(answers.std(ddof=1)))


def _capital_gaps(design: Design) -> Iterator[Gap]:
    for capital, values in zip(CAPITALS, design.capitals, strict=True):
        if np.isnan(values).any():
            known = np.unique(values[~np.isnan(values)])
            levels = tuple(known.tolist()) if design.is_binary(capital) else ()
            yield _gap(capital, "capital", values, levels)


def _control_gaps(design: Design) -> Iterator[Gap]:
    seen = set()
    for each in design.equations:
        owners = each.data[CONTROL_CAPITAL].to_numpy()
        for position, name in enumerate(each.control_names):
            values = each.controls[:, position]
            if owners[position] or name in seen or not np.isnan(values).any():
                continue
            seen.add(name)
            known = np.unique(values[~np.isnan(values)])
            discrete = np.isin(known, (0.0, 1.0)).all() or _is_ordinal(each.equation, name)
            yield _gap(name, "control", values, tuple(known.tolist()) if discrete else ())


def _is_ordinal(equation: Equation, name: str) -> bool:
    return any(
        isinstance(control, ColumnControl) and control.column == name and control.kind == "ordinal"
        for control in equation.controls
    )


def _outcome_gaps(design: Design) -> Iterator[Gap]:
    """Missing outcomes that enter a later equation."""
    for each in design.equations:
        name = each.equation_name
        later = [other for other in design.equations if name in other.equation.predictors]
        if later and not each.answered.all():
            data = later[0].data
            center, scale = (
                float(data[key].sel({PREDICTOR: name}))
                for key in (PREDICTOR_CENTER, PREDICTOR_SCALE)
            )
            codes = np.arange(_levels(each))
            levels = tuple(((codes - center) / scale).tolist())
            yield _gap(name, "outcome", (each.outcome - center) / scale, levels)


def _levels(each: Design) -> int:
    return 2 if each.family.name in YES_OR_NO else len(each.levels)
