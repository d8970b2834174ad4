"""Bottleneck tables: the least condition that each level of the outcome needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, get_args

import numpy as np

from bayescluster.hypotheses.ceilings.observed import Cases
from bayescluster.hypotheses.ceilings.scope import Floats
from bayescluster.hypotheses.ceilings.shape import TOLERANCE, Shape
from bayescluster.results.necessity import BottleneckKind, Status

BOTTLENECKS: tuple[BottleneckKind, ...] = get_args(BottleneckKind)
"""Units of a bottleneck table."""


class Need(NamedTuple):
    """What one level of the outcome needs, in the unit square.

    Attributes
    ----------
    v
        Level of the outcome.
    u
        Least condition; NaN where the status is not ``needed``.
    status
        ``needed``, ``NN`` or ``NA``.
    short
        Number of cases whose condition is less than that.
    """

    v: float
    u: float
    status: Status
    short: int


def needs(cases: Cases, shape: Shape, levels: Floats) -> tuple[Need, ...]:
    """Find what levels of the outcome need, under the first set of outcomes.

    Parameters
    ----------
    levels
        Levels of the outcome in the unit square, from the least demanding. (level,)
    """
    return tuple(_need(cases, shape, float(level)) for level in levels)


def _need(cases: Cases, shape: Shape, level: float) -> Need:
    found = shape.needed(level)
    if found is None:
        return Need(level, np.nan, "NA", len(cases.u))
    if found <= 0:
        return Need(level, np.nan, "NN", 0)
    return Need(level, found, "needed", int((cases.u < found - TOLERANCE).sum()))


def levels_of(kind: BottleneckKind, cases: Cases, steps: int) -> tuple[Floats, Floats]:
    """Levels of a table: as shares from 0 to 1, and the outcomes they stand for.

    Shares are of the range of the outcome, or of the cases for percentiles: 0.4 then stands for
    the outcome that 40% of the cases do not exceed (linear interpolation between them).

    Returns
    -------
    shares, outcomes
        In the unit square. (level,)
    """
    shares = np.arange(steps + 1) / steps
    return shares, LEVELS[kind](cases, shares)


def _of_range(_cases: Cases, shares: Floats) -> Floats:
    return shares


def _of_cases(cases: Cases, shares: Floats) -> Floats:
    return np.asarray(np.quantile(cases.v[0], shares))


LEVELS: Mapping[BottleneckKind, Callable[[Cases, Floats], Floats]] = {
    "percentage_range": _of_range,
    "actual": _of_range,
    "percentile": _of_cases,
}
"""Outcomes behind the levels of each kind of table."""
