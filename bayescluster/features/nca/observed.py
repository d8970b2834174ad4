"""Necessary condition analysis of observed cases (Dul 2016).

A condition X is necessary for an outcome Y in degree where cases are absent from a corner of
their scatter. The effect size d is the area above a ceiling as a share of the scope.

Source: J. Dul, "Necessary Condition Analysis (NCA): Logic and methodology of 'necessary but not
sufficient' causality", Organizational Research Methods 19 (2016) 10-52.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayescluster.arrays import Array, Events
from bayescluster.features.ceilings.functional import NOT_NEEDED, NOT_REACHED, least_levels
from bayescluster.features.nca.results import (
    BottleneckKind,
    CeilingName,
    CornerName,
    DuplicatePeers,
)

CORNERS: tuple[CornerName, ...] = get_args(CornerName)
"""Corners that a necessary condition leaves empty; ``upper_left`` is Dul's."""
CEILINGS: tuple[CeilingName, ...] = get_args(CeilingName)
"""Ceilings by name; the first two are those of Dul (2016)."""
DUPLICATE_PEERS: tuple[DuplicatePeers, ...] = get_args(DuplicatePeers)
BOTTLENECKS: tuple[BottleneckKind, ...] = get_args(BottleneckKind)
"""Units of a bottleneck table."""
COLLINEAR: Final = 1e-12
"""Relative difference of slopes below which three peers lie on one line."""
LEVEL: Final = 1e-12
"""Slope in the unit square up to which a line does not rise: rounding makes as much."""
ROUNDING: Final = 1e-12
"""Difference of effect sizes that rounding can make: the observed order of the cases must count."""
TOLERANCE: Final = 1e-9
"""Share of the scope by which rounding may move a case or a level across a ceiling."""
CELLS = 2_000_000
"""Outcomes permuted at once, which bounds the memory."""
CORNERED: Final = "A case is in the corner: nothing is empty."
FALLING: Final = "The line does not rise towards the corner: nothing is empty."
SINGLE: Final = "One peer only: no line can be drawn through it."


class Scope(NamedTuple):
    """Rectangle in which condition (x) and outcome (y) can fall, in their units."""

    xmin: float
    xmax: float
    ymin: float
    ymax: float

    @property
    def area(self) -> float:
        """Area of the rectangle, in units of x times units of y."""
        return (self.xmax - self.xmin) * (self.ymax - self.ymin)

    def outside(self, x: Array, y: Array) -> Events:
        """Cases outside the rectangle, of the shape of x and y together."""
        return (x < self.xmin) | (x > self.xmax) | (y < self.ymin) | (y > self.ymax)


def mirrored_x(corner: CornerName) -> bool:
    """Whether the condition is turned round to bring the corner to the upper left."""
    return corner.endswith("right")


def mirrored_y(corner: CornerName) -> bool:
    """Whether the outcome is turned round to bring the corner to the upper left."""
    return corner.startswith("lower")


def to_unit(values: Array, low: float | Array, high: float | Array, *, mirrored: bool) -> Array:
    """Bring values of an axis to the unit square."""
    share = (values - low) / (high - low)
    return 1 - share if mirrored else share


def from_unit(share: float, low: float, high: float, *, mirrored: bool) -> float:
    """Bring a place on an axis of the unit square back to its units."""
    if mirrored:
        share = 1 - share
    # the ends exactly, whatever the rounding between them
    return {0.0: low, 1.0: high}.get(share, low + share * (high - low))


class Peers(NamedTuple):
    """Highest cases at each value of the condition, in the unit square.

    Attributes
    ----------
    u
        Distinct values of the condition, ascending. (value,)
    top
        Highest outcome at each value. (set, value)
    cases
        Number of cases that share that outcome and value. (set, value)
    steps
        Whether the staircase rises there: the peers of the free disposal hull. (set, value)
    """

    u: Array
    top: Array
    cases: NDArray[np.int_]
    steps: Events


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

    u: Array
    v: Array
    peers: Peers
    duplicate_peers: DuplicatePeers = "unique"


class Lines(NamedTuple):
    """Straight lines, one a set, ``(set,)``: height at ``u`` = 0, and rise to ``u`` = 1.

    NaN where no line can be drawn.
    """

    intercept: Array
    slope: Array


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
        Between 0 and 1. NaN where a line is asked for through a single peer that is not in the
        corner, which only a declared scope makes possible.

    Raises
    ------
    ValueError
        If x or y does not vary, is not finite, or does not lie in the scope.
    """
    return float(effect_sizes(x, np.asarray(y, float)[None, :], ceiling, corner, scope)[0])


def effect_sizes(
    x: ArrayLike,
    y: ArrayLike,
    ceiling: CeilingName = "ce_fdh",
    corner: CornerName = "upper_left",
    scope: tuple[float, float, float, float] | None = None,
) -> Array:
    """Compute effect sizes of many sets of outcomes on the same conditions, ``(set,)``.

    Parameters
    ----------
    x
        Conditions. (case,)
    y
        Outcomes; without a declared scope each set has the scope of its own range. (set, case)
    """
    return areas(unit_cases(x, y, corner, scope), ceiling)


def unit_cases(
    x: ArrayLike,
    y: ArrayLike,
    corner: CornerName = "upper_left",
    scope: tuple[float, float, float, float] | None = None,
) -> Cases:
    """Bring cases, ``(case,)`` and ``(set, case)``, to the unit square, and find their peers.

    The corner is then at the upper left.

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
    if scope is not None and Scope(*scope).outside(x, y).any():
        raise ValueError(f"the scope {tuple(scope)} does not hold all cases")
    range_x = (x.min(), x.max()) if scope is None else scope[:2]
    own = y.min(axis=1, keepdims=True), y.max(axis=1, keepdims=True)
    range_y = own if scope is None else scope[2:]
    if not (range_x[1] > range_x[0] and np.all(range_y[1] > range_y[0])):
        raise ValueError("the scope has no area: x or y does not vary")
    u = to_unit(x, *range_x, mirrored=mirrored_x(corner))
    v = to_unit(y, *range_y, mirrored=mirrored_y(corner))
    return Cases(u, v, peers_of(u, v))


def peers_of(u: Array, v: Array) -> Peers:
    """Find the peers of every set of outcomes, from ``(case,)`` and ``(set, case)``."""
    order = np.argsort(u, kind="stable")
    distinct, first, sizes = np.unique(u[order], return_index=True, return_counts=True)
    outcomes = v[:, order]
    top = np.maximum.reduceat(outcomes, first, axis=1)  # (set, value)
    same = outcomes == np.repeat(top, sizes, axis=1)
    cases = np.add.reduceat(same.astype(np.int_), first, axis=1)
    before = np.maximum.accumulate(top, axis=1)[:, :-1]
    steps = np.concatenate([np.ones((len(top), 1), bool), top[:, 1:] > before], axis=1)
    return Peers(distinct, top, cases, steps)


LINES: Mapping[CeilingName, Callable[[Cases], Lines]] = {
    "cr_fdh": lambda cases: _through(cases, cases.peers.steps),
    "cr_vrs": lambda cases: _through(cases, hull_of(cases.peers)),
    "cols": lambda cases: _over_all(cases),
    "c_lp": lambda cases: _tangent(cases.peers, hull_of(cases.peers), float(cases.u.mean())),
}
"""Straight ceilings."""

AREAS: Mapping[CeilingName, Callable[[Cases], Array]] = {
    "ce_fdh": lambda cases: _above_steps(cases.peers),
    "ce_vrs": lambda cases: _above_hull(cases.peers, hull_of(cases.peers)),
}
"""Ceilings that are no lines, by the area above them."""


def areas(cases: Cases, ceiling: CeilingName) -> Array:
    """Compute the area above a ceiling, as a share of the unit square: (set,)."""
    if ceiling not in CEILINGS:
        raise ValueError(f"no ceiling is called '{ceiling}'; known: {', '.join(CEILINGS)}")
    if ceiling in AREAS:
        above = AREAS[ceiling](cases)
    else:
        intercept, slope = LINES[ceiling](cases)
        rises = slope > LEVEL
        safe = np.where(rises, slope, 1.0)
        floor = np.clip(-intercept / safe, 0, 1)
        top = np.clip((1 - intercept) / safe, 0, 1)
        gaps = [np.clip(1 - intercept - safe * u, 0, 1) for u in (floor, top)]
        area = floor + (top - floor) * (gaps[0] + gaps[1]) / 2
        above = np.where(np.isnan(slope), np.nan, np.where(rises, area, 0.0))
        cornered = (cases.peers.u[0] == 0) & (cases.peers.top[:, 0] == 1)
        above = np.where(cornered, 0.0, above)
    return np.clip(above, 0, 1)


def hull_of(peers: Peers) -> Events:
    """Choose the peers on the concave hull, from the first value up to the highest outcome.

    From each peer the hull goes on to the one that is reached most steeply; of several on one
    line, to the furthest.

    Returns
    -------
    ndarray of bool
        Vertices of the hull. (set, value)
    """
    sets = np.arange(len(peers.top))
    vertex = np.zeros(peers.top.shape, bool)
    here = np.zeros(len(sets), int)
    vertex[:, 0] = True
    while True:
        run = peers.u - peers.u[here][:, None]  # (set, value)
        rise = peers.top - peers.top[sets, here][:, None]
        ahead = (run > 0) & (rise > 0)
        open_ = ahead.any(axis=1)
        if not open_.any():
            return vertex
        slope = np.divide(rise, run, out=np.full(rise.shape, -np.inf), where=ahead)
        steepest = slope >= slope.max(axis=1, keepdims=True) * (1 - COLLINEAR)
        furthest = slope.shape[1] - 1 - np.argmax(steepest[:, ::-1], axis=1)
        here = np.where(open_, furthest, here)
        vertex[sets[open_], here[open_]] = True


def _through(cases: Cases, chosen: Events) -> Lines:
    weight = chosen * cases.peers.cases if cases.duplicate_peers == "keep" else chosen
    return _least_squares(cases.peers.u, cases.peers.top, weight.astype(float))


def _over_all(cases: Cases) -> Lines:
    intercept, slope = _least_squares(cases.u, cases.v, np.ones(cases.v.shape))
    above = cases.v - intercept[:, None] - slope[:, None] * cases.u  # (set, case)
    return Lines(intercept + above.max(axis=1), slope)


def _least_squares(u: Array, v: Array, weight: Array) -> Lines:
    """Ordinary least squares through weighted points, ``(value,)`` and ``(set, value)``.

    NaN where there are not two values of ``u``.
    """
    total = weight.sum(axis=1)
    mean_u = (weight * u).sum(axis=1) / total
    mean_v = (weight * v).sum(axis=1) / total
    off = u - mean_u[:, None]  # (set, value)
    across = (weight * off * (v - mean_v[:, None])).sum(axis=1)
    spread = (weight * off**2).sum(axis=1)
    # values of ``u`` nearer to one another than floats can square are one value
    several = ((weight > 0).sum(axis=1) > 1) & (spread > 0)
    slope = np.divide(across, spread, out=np.full(len(v), np.nan), where=several)
    return Lines(mean_v - slope * mean_u, slope)


def _tangent(peers: Peers, hull: Events, at: float) -> Lines:
    """Line of the hull's edge over a place; flat, at the highest outcome, right of its top.

    The edge over the mean condition is the line on or above all cases with the least sum of
    distances to them: the solution of the linear program behind C-LP.
    """
    width = peers.u.shape[0]
    # last vertex left of the place (the first one if there is none), and the next one
    left = np.where(hull & (peers.u < at), np.arange(width), 0).max(axis=1)
    after = hull & (np.arange(width) > left[:, None])
    right = np.where(after.any(axis=1), after.argmax(axis=1), left)
    sets = np.arange(len(hull))
    run = peers.u[right] - peers.u[left]
    rise = peers.top[sets, right] - peers.top[sets, left]
    slope = np.divide(rise, run, out=np.zeros(len(sets)), where=run > 0)
    return Lines(peers.top[sets, left] - slope * peers.u[left], slope)


def _above_steps(peers: Peers) -> Array:
    """Area above the staircase; left of the first case all is empty: (set,)."""
    height = np.maximum.accumulate(peers.top, axis=1)  # at and right of each value: (set, value)
    return np.asarray(peers.u[0] + (1 - height) @ np.diff(np.append(peers.u, 1.0)))


def _above_hull(peers: Peers, hull: Events) -> Array:
    """Area above the concave hull; left of the first case all is empty: (set,)."""
    above = np.empty(len(hull))
    for row, vertex in enumerate(hull):
        u, gap = peers.u[vertex], 1 - peers.top[row, vertex]
        above[row] = u[0] + np.trapezoid(gap, u) + (1 - u[-1]) * gap[-1]
    return above


class Permuted(NamedTuple):
    """An effect size among those of permuted outcomes.

    Attributes
    ----------
    p
        (number at least as large + 1) / (number of permutations + 1).
    mcse
        Monte Carlo standard error of p.
    mean
        Mean effect size of the permuted outcomes: what independence gives.
    undefined
        Permutations whose effect size is not defined; they count as at least as large.
    """

    p: float
    mcse: float
    mean: float
    undefined: int


def permuted(
    cases: Cases, ceilings: Sequence[CeilingName], count: int, rng: np.random.Generator
) -> dict[CeilingName, Permuted | None]:
    """Test effect sizes by permuting the outcomes over the cases, the same for all ceilings.

    Returns
    -------
    dict
        By ceiling; None where the effect size is not defined.
    """
    drawn: dict[CeilingName, list[np.ndarray]] = {name: [] for name in ceilings}
    chunk = max(1, CELLS // len(cases.u))
    for start in range(0, count, chunk):
        rows = min(chunk, count - start)
        v = rng.permuted(np.broadcast_to(cases.v[0], (rows, len(cases.u))), axis=1)
        mixed = cases._replace(v=v, peers=peers_of(cases.u, v))
        for name in ceilings:
            drawn[name].append(areas(mixed, name))
    return {name: _among(areas(cases, name)[0], np.concatenate(drawn[name])) for name in ceilings}


def _among(observed: float, drawn: np.ndarray) -> Permuted | None:
    if np.isnan(observed):
        return None
    known = drawn[~np.isnan(drawn)]
    undefined = len(drawn) - len(known)
    p = (int((known >= observed - ROUNDING).sum()) + undefined + 1) / (len(drawn) + 1)
    mean = float(known.mean()) if len(known) else np.nan
    return Permuted(p, float(np.sqrt(p * (1 - p) / len(drawn))), mean, undefined)


class Shape(NamedTuple):
    """A ceiling of one set of cases.

    Attributes
    ----------
    u, v
        Corners of the path from the left to the right edge, neither ever falling; a step of a
        staircase is two corners over one another. Empty where there is no ceiling. (corner,)
    line
        Intercept and slope in the unit square, of a straight ceiling.
    note
        Why there is no ceiling, or nothing above it; else empty.
    """

    u: Array
    v: Array
    line: tuple[float, float] | None = None
    note: str = ""

    def height(self, u: Array) -> Array:
        """Height of the ceiling at places along the condition; of a step, its top."""
        after = np.searchsorted(self.u, u, side="right")
        left = np.clip(after - 1, 0, len(self.u) - 1)
        right = np.minimum(after, len(self.u) - 1)
        run = self.u[right] - self.u[left]
        share = np.divide(u - self.u[left], run, out=np.zeros(len(u)), where=run > 0)
        return self.v[left] + share * (self.v[right] - self.v[left])

    def needed(self, v: float) -> float | None:
        """Least condition at which a level of the outcome is under the ceiling.

        Returns
        -------
        float or None
            0 where every condition allows it; None where none does, or there is no ceiling.
        """
        if not len(self.u):
            return None
        least = float(least_levels(self.u, self.v[None], [v], tolerance=TOLERANCE)[0, 0])
        return {NOT_NEEDED: 0.0, NOT_REACHED: None}.get(least, least)


def shape_of(cases: Cases, ceiling: CeilingName) -> Shape:
    """Find the shape of a ceiling; of several sets of outcomes, that of the first."""
    peers = cases.peers
    if ceiling == "ce_fdh":
        u, v = peers.u[peers.steps[0]], peers.top[0, peers.steps[0]]
        return _path([0.0, *np.repeat(u, 2), 1.0], [0.0, 0.0, *np.repeat(v, 2)])
    if ceiling == "ce_vrs":
        vertex = hull_of(peers)[0]
        u, v = peers.u[vertex], peers.top[0, vertex]
        return _path([0.0, u[0], *u, 1.0], [0.0, 0.0, *v, v[-1]])
    flat = Shape(np.array([0.0, 1.0]), np.array([1.0, 1.0]))
    if peers.u[0] == 0 and peers.top[0, 0] == 1:
        return flat._replace(note=CORNERED)
    intercept, slope = (float(part[0]) for part in LINES[ceiling](cases))
    if np.isnan(slope):
        return Shape(np.array([]), np.array([]), note=SINGLE)
    if slope <= LEVEL:
        return flat._replace(note=FALLING)
    places = np.array([0.0, *np.clip([-intercept / slope, (1 - intercept) / slope], 0, 1), 1.0])
    return Shape(places, np.clip(intercept + slope * places, 0, 1), (intercept, slope))


def _path(across: Sequence[float], up: Sequence[float]) -> Shape:
    # where cases are at the left edge, the path begins at the highest of them
    first = 2 if across[1] == 0 else 0
    u, v = np.array(across[first:]), np.array(up[first:])
    return Shape(u, v, note=CORNERED if v[0] == 1 else "")


def supports(cases: Cases, ceiling: CeilingName, shape: Shape) -> Events:
    """Say which cases a ceiling rests on: its peers. (case,).

    Peers of the staircase and of the line through them; vertices of the hull and of the line
    through them; the cases that any other line touches.
    """
    peers = cases.peers
    if ceiling in ("cols", "c_lp"):
        if shape.line is None:
            return np.zeros(len(cases.u), bool)
        on = np.abs(cases.v[0] - shape.line[0] - shape.line[1] * cases.u)
        return np.asarray(on <= TOLERANCE)
    chosen = hull_of(peers)[0] if ceiling.endswith("vrs") else peers.steps[0]
    place = np.searchsorted(peers.u, cases.u)
    return np.asarray(chosen[place] & (cases.v[0] == peers.top[0, place]))
