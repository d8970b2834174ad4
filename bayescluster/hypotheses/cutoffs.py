"""Claims over a grid of their cut-off, so that no verdict hangs on one number.

The event is that of `bayescluster.hypotheses.regions`, put again for every value of one cut-off; a
claim with two cut-offs keeps the other as declared.
"""

from __future__ import annotations

from itertools import groupby
from typing import Final

import numpy as np

from bayescluster.arrays import Array
from bayescluster.design.claims import is_bounded
from bayescluster.design.record import Design
from bayescluster.hypotheses.regions import EPS, THETA, THETA_NOT, CornerClaim, region_of
from bayescluster.hypotheses.verdicts import decide
from bayescluster.results.verdict_curves import CutOff, VerdictBand

STEPS: Final = 100
"""Steps of a grid, about: a cut-off is told to a hundredth of its range."""
REACH: Final = (0.01, 0.99)
"""Quantiles of the outcome that a grid spans where the outcome has no bounds."""
DEFAULTS: Final[dict[CutOff, float]] = {"eps": EPS, "theta": THETA, "theta_not": THETA_NOT}

WAYS: Final[dict[str, tuple[tuple[CutOff, ...], ...]]] = {
    "necessary": (("eps", "ratio"),),
    "sufficient": (("theta", "ratio"),),
    "insufficient": (("theta_not", "delta"),),
    "necessary_not_sufficient": (("eps", "ratio"), ("theta_not", "delta")),
    "joint_sufficiency": (("theta",),),
}
"""Cut-offs of each kind of claim; of each tuple one decides, the first where none is declared."""


def cutoffs_of(claim: CornerClaim) -> dict[CutOff, float]:
    """Cut-offs that decide a claim, declared or by default; none for complementarity."""
    found: dict[CutOff, float] = {}
    for ways in WAYS.get(claim.kind, ()):
        named = {way: getattr(claim, way) for way in ways if getattr(claim, way) is not None}
        found |= named or {ways[0]: DEFAULTS[ways[0]]}
    return found


def grid_of(cutoff: CutOff, declared: float, design: Design) -> Array:
    """Values of a cut-off to look at, the declared one among them.

    Probabilities and shares go from 0 to 1 by hundredths. Other outcomes span what is observed, so
    that the grid is the same under every form of the model.
    """
    low, high = 0.0, 1.0
    if cutoff != "ratio" and not is_bounded(design.equation):
        observed = design.reported[design.answered]
        low, high = (float(edge) for edge in np.quantile(observed, REACH))
    if cutoff == "delta":
        low, high = 0.0, high - low
    step = nice((max(high, declared) - min(low, declared)) / STEPS)
    first = np.floor(min(low, declared) / step)
    last = np.ceil(max(high, declared) / step - 1e-9)
    # a whole number over a power of ten is the number as it would be written
    grid = np.round(np.arange(first, last + 1) * step, 12)
    if cutoff in ("ratio", "delta"):  # these mean nothing at 0
        grid = grid[grid > 0]
    if cutoff == "ratio":
        grid = grid[grid < 1]
    near = np.abs(grid - declared) < step * 1e-6
    return grid if near.any() else np.sort(np.append(grid, declared))


def nice(step: float) -> float:
    """The nearest step of 1, 2 or 5 times a power of ten, not below a step."""
    power = 10.0 ** np.floor(np.log10(step) + 1e-9)
    return float(power * next(m for m in (1, 2, 5, 10) if m * power >= step * (1 - 1e-9)))


def probabilities(
    claim: CornerClaim, cutoff: CutOff, grid: Array, corners: dict[str, Array]
) -> Array:
    """Share of draws in the region at each value of a cut-off.

    Parameters
    ----------
    claim
        The claim; its other cut-offs stay as they are.
    cutoff, grid
        The cut-off and its values.
    corners
        What stands at each corner, ``(draw, group)``.

    Returns
    -------
    ndarray
        ``(value, group)``.
    """
    return np.array(
        [
            region_of(claim.model_copy(update={cutoff: float(value)}), corners).event.mean(axis=0)
            for value in grid
        ]
    )


def bands_of(at: Array, probability: Array, level: float, stopped: str) -> tuple[VerdictBand, ...]:
    """Runs of one verdict along a grid, ``(value,)`` each."""
    decided = [decide(float(share), level, stopped)[0] for share in probability]
    runs = groupby(range(len(decided)), key=lambda k: decided[k])
    found = []
    for verdict, positions in runs:
        run = list(positions)
        found.append(VerdictBand(verdict=verdict, low=float(at[run[0]]), high=float(at[run[-1]])))
    return tuple(found)
