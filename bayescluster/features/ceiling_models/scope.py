"""The scope of ceiling models: limits of the axes, and whether the firms lie within them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayescluster.arrays import Array
from bayescluster.design.record import Design
from bayescluster.errors import Problem
from bayescluster.features.ceiling_models.spec import Limits
from bayescluster.names import CAPITALS, ROW
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.columns import Where

CONTINUOUS: Final = ("gaussian", "student_t", "lognormal", "beta")
"""Families whose outcome has a ceiling to model."""
OPTIONS = ("traditions", "ceiling_models")


class Axis(NamedTuple):
    """An axis of the scope in its own units, and whether its limits were declared."""

    low: float
    high: float
    declared: bool

    def share(self, values: Array) -> Array:
        """Put values in shares of the axis, 0 to 1."""
        return np.clip((values - self.low) / (self.high - self.low), 0.0, 1.0)

    def value(self, share: float) -> float:
        """Value at a share of the axis."""
        return self.low + share * (self.high - self.low)


def ceiling_model_problems(analysis: Analysis, where: Where) -> Iterator[Problem]:
    """Refuse ceiling models of an outcome that is not continuous, or without capitals."""
    if analysis.traditions.ceiling_models is None:
        return
    equation = analysis.equation
    if equation.family not in CONTINUOUS:
        yield Problem(
            f"ceiling models need a continuous outcome, and that of family {equation.family} is none",
            where(OPTIONS),
            "leave ceiling_models out; ceilings of the fitted model itself need no such outcome",
        )
    if equation.structure == ("intercept",):
        yield Problem(
            "ceiling models need capitals, and structure 'intercept' has none",
            where(OPTIONS),
            "leave ceiling_models out, or choose a structure with capitals",
        )


def scope_problems(design: Design, where: Where) -> list[Problem]:
    """Find firms that lie outside a declared scope."""
    options = design.analysis.traditions.ceiling_models
    if options is None:
        return []
    known = known_rows(design)
    problems = []
    for name in (*CAPITALS, "outcome"):
        limits: Limits | None = getattr(options.scope, name)
        if limits is None:
            continue
        values = own_units(design, name)
        outside = known[name] & ((values < limits.low) | (values > limits.high))
        if outside.any():
            first = int(np.flatnonzero(outside)[0])
            more = int(outside.sum()) - 1
            rest = f", and of {more} more" if more else ""
            problems.append(
                Problem(
                    f"{name} of firm {design.labels(ROW)[first]} is {values[first]:g}{rest}: "
                    f"outside the declared scope of {limits.low:g} to {limits.high:g}",
                    where((*OPTIONS, "scope", name)),
                    "widen the limits, or leave them out to take those of the data",
                )
            )
    return problems


def own_units(design: Design, name: str) -> Array:
    """Values of a capital in units of its construct, or of the outcome, ``(row,)``; NaN if missing."""
    if name == "outcome":
        return design.outcome
    unit = design.scaling(name)
    return unit.center + unit.scale * design.capitals[CAPITALS.index(name)]


def known_rows(design: Design) -> dict[str, NDArray[np.bool_]]:
    """Rows where an axis is known, by axis, ``(row,)``."""
    return {name: ~np.isnan(own_units(design, name)) for name in (*CAPITALS, "outcome")}


def axis_of(values: Array, limits: Limits | None) -> Axis:
    """Take declared limits of an axis, or those of the known values."""
    if limits is not None:
        return Axis(limits.low, limits.high, declared=True)
    return Axis(float(values.min()), float(values.max()), declared=False)
