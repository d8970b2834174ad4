"""Ceilings a second time, by their definitions: slow, in plain Python, the scope as it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from scipy.optimize import linprog
from scipy.spatial import ConvexHull

Point = tuple[float, float]


def staircase(cases: Sequence[Point], at: float) -> float:
    """Highest outcome among the cases with no more of the condition."""
    return max((y for x, y in cases if x <= at), default=-np.inf)


def staircase_peers(cases: Sequence[Point]) -> list[Point]:
    """Cases that no other one has at least the outcome of, with no more of the condition."""
    return sorted(
        {
            (x, y)
            for x, y in cases
            if not any((a <= x and b >= y) and (a, b) != (x, y) for a, b in cases)
        }
    )


def hull_peers(cases: Sequence[Point]) -> list[Point]:
    """Vertices of the convex hull of the cases and of all that lies under or right of them."""
    far = max(x for x, _ in cases) + 1e3 * np.ptp([x for x, _ in cases]) + 1e3
    deep = min(y for _, y in cases) - 1e3 * np.ptp([y for _, y in cases]) - 1e3
    whole = [*cases, *((x, deep) for x, _ in cases), *((far, y) for _, y in cases), (far, deep)]
    points = np.array(sorted(set(whole)), float)
    vertices = points[ConvexHull(points, qhull_options="QJ" if len(points) < 4 else "").vertices]
    return sorted({(float(x), float(y)) for x, y in vertices} & set(cases))


def area(box: Sequence[float], height: Callable[[float], float], kinks: Sequence[float]) -> float:
    """Area of the box above a ceiling that is straight between its kinks."""
    xmin, xmax, ymin, ymax = box
    places = sorted({xmin, xmax, *(k for k in kinks if xmin < k < xmax)})
    total = 0.0
    for left, right in pairwise(places):
        # a straight piece has its mean in the middle; one that the box clips has not
        inner = np.linspace(left, right, 3 if kinks else 403)[1:-1]
        total += (right - left) * np.mean(
            [ymax - min(max(height(place), ymin), ymax) for place in inner]
        )
    return float(total)


def slope_above_all(cases: Sequence[Point]) -> float:
    """Slope of the line on or above all cases with the least sum of distances."""
    x, y = np.array(cases).T
    rows = np.column_stack([np.ones(len(x)), x])
    found = linprog(rows.sum(axis=0), A_ub=-rows, b_ub=-y, bounds=[(None, None), (None, None)])
    return float(found.x[1])
