"""Measured controls in the terms of a confounder: how many times as likely they make the outcome.

The risk ratio of a control is given all else in the model, with the control set for every firm from
its low to its high value. What it has to do with the capitals is not in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np

from bayescluster.arrays import Array
from bayescluster.design.record import Design
from bayescluster.hypotheses.causes.firms import firm_probabilities
from bayescluster.model.evaluate import Draws
from bayescluster.names import CONTROL_BASE
from bayescluster.results.causes import Benchmark
from bayescluster.spec.equation import ColumnControl, Control, ProductControl

QUANTILES: Final = (0.1, 0.9)
"""From where to where a control goes that is not yes or no."""


def benchmarks(design: Design, draws: Draws) -> tuple[Benchmark, ...]:
    """Risk ratios of the controls that enter as one plain column, strongest first.

    Nothing where other equations stand upstream: a control may act through these as well.

    Parameters
    ----------
    design, draws
        The design, and some of its draws.
    """
    weights = design.weights.average if design.weights is not None else np.ones(design.size)
    found = () if draws.upstream else _benchmarks(design, draws, weights / weights.sum())
    return tuple(sorted(found, key=lambda one: -max(one.outcome, one.absence)))


def _benchmarks(design: Design, draws: Draws, weights: Array) -> Iterator[Benchmark]:
    for position in _plain(design, draws):
        column = design.controls[:, position]
        binary = bool(np.isin(column, (0.0, 1.0)).all())
        ends = np.quantile(column, (0, 1) if binary else QUANTILES)
        low, high = (
            float((firm_probabilities(_set(design, position, end), draws) @ weights).mean())
            for end in ends
        )
        yield Benchmark(
            control=design.control_names[position],
            change="no to yes" if binary else "10th to 90th percentile",
            outcome=_turned(high, low),
            absence=_turned(1 - high, 1 - low),
        )


def _plain(design: Design, draws: Draws) -> Iterator[int]:
    """Positions of controls that are one column each, complete, and in no product."""
    listed = [_declared(control) for control in design.equation.controls]
    columns = [one.column for one in listed if isinstance(one, ColumnControl)]
    factors = {name for one in listed if isinstance(one, ProductControl) for name in one.product}
    for one in listed:
        if not isinstance(one, ColumnControl) or columns.count(one.column) > 1 or one.monotonic:
            continue
        coded = one.column if one.transform == "none" else f"{one.transform}({one.column})"
        if coded not in design.control_names or factors & {one.column, coded}:
            continue
        position = design.control_names.index(coded)
        if coded not in draws.imputed and not np.isnan(design.controls[:, position]).any():
            yield position


def _declared(control: Control) -> ColumnControl | ProductControl:
    return ColumnControl(column=control) if isinstance(control, str) else control


def _set(design: Design, position: int, value: float) -> Design:
    """The design with one control at the same value for every firm."""
    bases = design.data[CONTROL_BASE].copy(deep=True)
    bases[:, position] = value
    return replace(design, data=design.data.assign({CONTROL_BASE: bases}))


def _turned(first: float, second: float) -> float:
    return max(first, second) / max(min(first, second), np.finfo(float).tiny)
