"""How strong an unmeasured confounder must be to change what the bounds imply.

A confounder is described by two risk ratios: how much more frequent it is on one side of a contrast
than on the other, and how many times more likely it makes the outcome (or its absence). With both,
any ratio of probabilities from the two sides is off by at most the bounding factor. Here the ratio is
that for firms at the two levels compared, and the confounder is as strong in every stratum of the
controls.

Sources: Ding and VanderWeele (2016), Epidemiology 27: 368-377; VanderWeele and Ding (2017), Annals of
Internal Medicine 167: 268-274.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from bayescluster.arrays import Array
from bayescluster.design.record import Design
from bayescluster.features.causes.probabilities import firm_probabilities
from bayescluster.features.causes.results import Benchmark
from bayescluster.model.evaluate import Draws
from bayescluster.names import CONTROL_BASE
from bayescluster.spec.equation import ColumnControl, Control, ProductControl

WEAK: Final = 1.5
"""A verdict that a confounder below this strength overturns is marked. A convention of this program:
VanderWeele and Ding (2017) set no limit, and advise to compare with the controls that are measured."""

STRENGTHS: Final = tuple(round(float(s), 3) for s in np.geomspace(1.0, 10.0, 17))
"""Risk ratios of the grid, for both parts of a confounder; no association to very strong."""

ROUNDING: Final = 1e-9
"""A count of draws is at its limit whatever the last digits of the level."""


def bounding_factor(outcome: ArrayLike, exposure: ArrayLike) -> Array:
    """Most by which a confounder can change a ratio of probabilities."""
    u, e = np.asarray(outcome, float), np.asarray(exposure, float)
    return np.asarray(u * e / (u + e - 1))


def e_value(ratio: float) -> float:
    """Strength of the weakest confounder, alike in both its parts, that explains a ratio away.

    Parameters
    ----------
    ratio
        Estimate divided by what it would have to be; below 1 its inverse is taken.
    """
    if ratio <= 0 or math.isinf(ratio):
        return math.inf
    beyond = max(ratio, 1 / ratio)
    return beyond + math.sqrt(beyond * (beyond - 1))


def e_value_of_limit(low: float, high: float) -> float:
    """E-value of the limit of an interval that is closest to no association; 1 inside it."""
    if low <= 1 <= high:
        return 1.0
    return e_value(low if low > 1 else high)


def factor_to_undo(ratios: Array, limit: float, level: float) -> float:
    """Largest factor by which all ratios may grow, with ``level`` of them still at most ``limit``.

    Parameters
    ----------
    ratios
        Ratio at each draw, ``(draw,)``.
    limit
        The region is a ratio of at most this.
    level
        Share of the draws that makes the verdict.
    """
    needed = math.ceil(level * ratios.size - ROUNDING)  # draws that must stay inside
    return _divided(limit, float(np.sort(ratios)[needed - 1]))


def factor_to_reach(ratios: Array, limit: float, level: float) -> float:
    """Largest factor by which all ratios may shrink, with no more than ``1 - level`` at the limit."""
    allowed = math.floor((1 - level) * ratios.size + ROUNDING)  # draws that may be inside
    return _divided(float(np.sort(ratios)[allowed]), limit)


def _divided(top: float, bottom: float) -> float:
    if math.isinf(top) or bottom == 0:
        return math.inf
    return 0.0 if math.isinf(bottom) else top / bottom


def over_grid(ratios: Array, limit: float, *, against: bool) -> tuple[tuple[float, ...], ...]:
    """Share of the draws in a region under each confounder of the grid.

    Parameters
    ----------
    ratios
        Ratio at each draw, ``(draw,)``.
    limit
        The region is a ratio of at most this.
    against
        Whether the confounder takes draws out of the region; else it brings them in.

    Returns
    -------
    tuple
        By strength with the outcome, then with the exposure.
    """
    factor = bounding_factor(np.array(STRENGTHS)[:, None], np.array(STRENGTHS))
    limits = limit / factor if against else limit * factor
    ordered = np.sort(ratios)
    share = np.searchsorted(ordered, limits, side="right") / ordered.size
    return tuple(tuple(float(cell) for cell in row) for row in share)


QUANTILES: Final = (0.1, 0.9)
"""From where to where a control goes that is not yes or no."""


def benchmarks(design: Design, draws: Draws) -> tuple[Benchmark, ...]:
    """Risk ratios of the controls that enter as one plain column, strongest first.

    Nothing where other equations are upstream: a control may act through these as well.
    """
    weights = design.weights.average if design.weights is not None else np.ones(design.size)
    rows = () if draws.upstream else _benchmarks(design, draws, weights / weights.sum())
    return tuple(sorted(rows, key=lambda one: -max(one.outcome, one.absence)))


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
