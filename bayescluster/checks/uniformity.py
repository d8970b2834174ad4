"""Whether values are uniform, and how they are not.

The p-value is that of pointwise order tests in a Cauchy combination (POT-C; Tesso and Vehtari 2026,
as computed by arviz), the band that of `bayescluster.checks.ecdf_band`, and the shapes the
components of Neyman's (1937) smooth test. The band and the components take the values for
independent. Leave-one-out values are not: of a model that fits they are more even than that, and
every test here then flags less often than it says.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.polynomial import legendre

from bayescluster.arrays import Array
from bayescluster.checks.ecdf_band import counts_below, simulated_band
from bayescluster.results.fit_checks import PitCurve

GRID = np.linspace(0.0, 1.0, 101)[1:-1]
"""Where the band and the curve are evaluated."""
TELLING = 2.0
"""A component this far from 0, in its standard deviations, is told."""

SHAPES: tuple[tuple[str, str], ...] = (
    ("outcomes lie above what is predicted", "outcomes lie below what is predicted"),
    (
        "outcomes spread more than predicted (intervals are too narrow)",
        "outcomes spread less than predicted (intervals are too wide)",
    ),
    (
        "outcomes are more skewed to the right than predicted",
        "outcomes are more skewed to the left than predicted",
    ),
    (
        "outcomes have heavier tails and a sharper centre than predicted",
        "outcomes have lighter tails and a flatter centre than predicted",
    ),
)
"""What a component above 0, and one below, says of the outcomes."""
OTHER_SHAPE = "outcomes differ from what is predicted in no simple way"


class Uniformity(NamedTuple):
    """P-value and the first four components of Neyman's smooth test."""

    p: float
    components: tuple[float, float, float, float]


def uniformity(values: Array) -> Uniformity:
    """Test values for uniformity.

    Parameters
    ----------
    values
        ``(randomisation, row)``, within 0 and 1. Randomisations of the same rows are not
        independent; their p-values are put together by the Cauchy combination, which bears that.
    """
    from arviz_stats.base import array_stats

    found = [float(array_stats.uniformity_test(one)[0]) for one in values]
    parts = [float(np.sqrt(values.shape[1]) * _component(values, k).mean()) for k in (1, 2, 3, 4)]
    return Uniformity(combined(found), (parts[0], parts[1], parts[2], parts[3]))


def _component(values: Array, degree: int) -> Array:
    """Legendre polynomial of mean 0 and variance 1 under the uniform."""
    only = np.eye(degree + 1)[degree]
    return np.asarray(np.sqrt(2 * degree + 1) * legendre.legval(2 * values - 1, only))


def combined(ps: Sequence[float]) -> float:
    """Combine dependent p-values: Liu and Xie (2020), J. American Statistical Association 115."""
    if len(ps) == 1:
        return ps[0]
    # 1 itself would outweigh all others
    each = np.clip(ps, 1e-15, 0.99)
    return float(0.5 - np.arctan(np.tan((0.5 - each) * np.pi).mean()) / np.pi)


def shape(components: Sequence[float]) -> str:
    """Name how values depart from the uniform, the clearest first; at most two ways."""
    clear = sorted(range(len(components)), key=lambda k: -abs(components[k]))
    told = [SHAPES[k][components[k] < 0] for k in clear if abs(components[k]) >= TELLING]
    return " and ".join(told[:2]) or OTHER_SHAPE


def ecdf_difference(values: Array, level: float, rng: np.random.Generator) -> PitCurve:
    """Empirical distribution function less the uniform one, with its simultaneous band.

    Parameters
    ----------
    values
        ``(randomisation, row)``; the curve is the mean over randomisations.
    level
        Probability that all points lie within the band at once.
    rng
        For the width of the band.
    """
    below = np.mean([counts_below(one, GRID) for one in values], axis=0)
    size = values.shape[1]
    _, low, high = simulated_band(size, GRID, level, rng)
    return PitCurve(
        at=tuple(GRID.tolist()),
        difference=tuple((below / size - GRID).tolist()),
        low=tuple(low.tolist()),
        high=tuple(high.tolist()),
        level=level,
    )


def holm(ps: Sequence[float]) -> list[float]:
    """Adjust p-values for their number: Holm (1979), Scandinavian Journal of Statistics 6."""
    order = np.argsort(ps)
    steps = np.asarray(ps)[order] * np.arange(len(ps), 0, -1)
    adjusted = np.empty(len(ps))
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return [float(p) for p in adjusted]
