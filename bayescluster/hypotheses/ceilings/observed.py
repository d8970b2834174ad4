"""Necessary condition analysis of observed cases (Dul 2016).

A condition X is necessary for an outcome Y in degree where cases are absent from a corner of
their scatter. The effect size d is the area above a ceiling as a share of the scope.

Source: J. Dul, "Necessary Condition Analysis (NCA): Logic and methodology of 'necessary but not
sufficient' causality", Organizational Research Methods 19 (2016) 10-52.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayescluster.hypotheses.ceilings.lines import (
    Lines,
    area_above_hull,
    area_above_lines,
    area_above_steps,
    least_squares,
    tangent,
)
from bayescluster.hypotheses.ceilings.peers import Peers, hull_of, peers_of
from bayescluster.hypotheses.ceilings.scope import (
    CORNERS,
    Floats,
    Scope,
    mirrored_x,
    mirrored_y,
    to_unit,
)
from bayescluster.results.necessity import CeilingName, CornerName, DuplicatePeers

CEILINGS: tuple[CeilingName, ...] = get_args(CeilingName)
"""Ceilings by name; the first two are those of Dul (2016)."""

DUPLICATE_PEERS: tuple[DuplicatePeers, ...] = get_args(DuplicatePeers)


class Cases(NamedTuple):
    """Cases in the unit square, and how peers of the same place count.

    Attributes
    ----------
    u
        Conditions. (case,)
    v
        Outcomes. (set, case)
    peers
        Peers of each set.
    duplicate_peers
        ``unique``: peers with the same condition and outcome are one point of a regression;
        ``keep``: each is a point of its own.
    """

    u: Floats
    v: Floats
    peers: Peers
    duplicate_peers: DuplicatePeers = "unique"


def _through(cases: Cases, chosen: NDArray[np.bool_]) -> Lines:
    weight = chosen * cases.peers.cases if cases.duplicate_peers == "keep" else chosen
    return least_squares(cases.peers.u, cases.peers.top, weight.astype(float))


def _cr_fdh(cases: Cases) -> Lines:
    return _through(cases, cases.peers.steps)


def _cr_vrs(cases: Cases) -> Lines:
    return _through(cases, hull_of(cases.peers))


def _cols(cases: Cases) -> Lines:
    intercept, slope = least_squares(cases.u, cases.v, np.ones(cases.v.shape))
    above = cases.v - intercept[:, None] - slope[:, None] * cases.u  # (set, case)
    return Lines(intercept + above.max(axis=1), slope)


def _c_lp(cases: Cases) -> Lines:
    return tangent(cases.peers, hull_of(cases.peers), float(cases.u.mean()))


LINES: Mapping[CeilingName, Callable[[Cases], Lines]] = {
    "cr_fdh": _cr_fdh,
    "cr_vrs": _cr_vrs,
    "cols": _cols,
    "c_lp": _c_lp,
}
"""Straight ceilings."""

AREAS: Mapping[CeilingName, Callable[[Cases], Floats]] = {
    "ce_fdh": lambda cases: area_above_steps(cases.peers),
    "ce_vrs": lambda cases: area_above_hull(cases.peers, hull_of(cases.peers)),
}
"""Ceilings that are no lines, by the area above them."""


def effect_size(
    x: ArrayLike,
    y: ArrayLike,
    ceiling: CeilingName = "ce_fdh",
    corner: CornerName = "upper_left",
    scope: tuple[float, float, float, float] | None = None,
) -> float:
    """Compute Dul's effect size d: the area above the ceiling as a share of the scope.

    Parameters
    ----------
    x, y
        Condition and outcome of each case, without missing values. (case,)
    ceiling
        ``ce_fdh`` staircase, ``cr_fdh`` least squares through its peers, ``ce_vrs`` concave hull,
        ``cr_vrs`` least squares through its vertices, ``cols`` least squares through all cases
        moved up, ``c_lp`` the line closest above all cases.
    corner
        Corner that is empty where X is necessary for Y.
    scope
        ``(xmin, xmax, ymin, ymax)``; the range of the cases if left out.

    Returns
    -------
    float
        Between 0 and 1. NaN where a line is asked for through a single peer that does not stand
        in the corner, which only a declared scope makes possible.

    Raises
    ------
    ValueError
        If x or y does not vary, is not finite, or does not lie in the scope.
    """
    found = effect_sizes(x, np.asarray(y, float)[None, :], ceiling, corner, scope)
    return float(found[0])


def effect_sizes(
    x: ArrayLike,
    y: ArrayLike,
    ceiling: CeilingName = "ce_fdh",
    corner: CornerName = "upper_left",
    scope: tuple[float, float, float, float] | None = None,
) -> Floats:
    """Compute effect sizes of many sets of outcomes on the same conditions.

    Parameters
    ----------
    x
        Conditions. (case,)
    y
        Outcomes; without a declared scope each set has the scope of its own range. (set, case)

    Returns
    -------
    ndarray
        Effect sizes. (set,)
    """
    return areas(unit_cases(x, y, corner, scope), ceiling)


def areas(cases: Cases, ceiling: CeilingName) -> Floats:
    """Compute the area above a ceiling, as a share of the unit square: (set,)."""
    if ceiling not in CEILINGS:
        raise ValueError(f"no ceiling is called '{ceiling}'; known: {', '.join(CEILINGS)}")
    if ceiling in AREAS:
        found = AREAS[ceiling](cases)
    else:
        found = area_above_lines(LINES[ceiling](cases))
        cornered = (cases.peers.u[0] == 0) & (cases.peers.top[:, 0] == 1)
        found = np.where(cornered, 0.0, found)
    return np.clip(found, 0, 1)


def unit_cases(
    x: ArrayLike,
    y: ArrayLike,
    corner: CornerName = "upper_left",
    scope: tuple[float, float, float, float] | None = None,
) -> Cases:
    """Bring cases to the unit square, the corner at its upper left, and find their peers.

    Parameters
    ----------
    x
        (case,)
    y
        (set, case)

    Raises
    ------
    ValueError
        As `effect_size` does.
    """
    x, y = np.asarray(x, float), np.asarray(y, float)
    if corner not in CORNERS:
        raise ValueError(f"no corner is called '{corner}'; known: {', '.join(CORNERS)}")
    if x.ndim != 1 or y.ndim != 2 or x.shape[0] != y.shape[1]:
        raise ValueError(f"x {x.shape} and y {y.shape} are not of the same cases")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError("x and y must be finite")
    if scope is not None and not Scope(*scope).holds(x, y):
        raise ValueError(f"the scope {tuple(scope)} does not hold all cases")
    range_x = (x.min(), x.max()) if scope is None else scope[:2]
    range_y = _ranges(y) if scope is None else scope[2:]
    if not (range_x[1] > range_x[0] and np.all(range_y[1] > range_y[0])):
        raise ValueError("the scope has no area: x or y does not vary")
    u = to_unit(x, *range_x, mirrored=mirrored_x(corner))
    v = to_unit(y, *range_y, mirrored=mirrored_y(corner))
    return Cases(u, v, peers_of(u, v))


def _ranges(y: Floats) -> tuple[Floats, Floats]:
    return y.min(axis=1, keepdims=True), y.max(axis=1, keepdims=True)
