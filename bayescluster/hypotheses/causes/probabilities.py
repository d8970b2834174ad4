"""Probabilities of necessity and sufficiency from two probabilities of the outcome.

``exposed`` is the probability of the outcome were every firm of the group exposed, ``unexposed`` were
none. PN is the probability that the outcome would not have come without the exposure, among those
for whom it comes with it; PS that it would come with the exposure, among those for whom it does not
come without; PNS that it comes with and only with the exposure.

Sources: Tian and Pearl (2000), Annals of Mathematics and Artificial Intelligence 28: 287-313;
VanderWeele and Robins (2008), Biometrika 95: 49-61, for synergy.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from bayescluster.arrays import Array


class Bounds(NamedTuple):
    """Least and largest value that the probabilities allow; arrays of one shape."""

    lower: Array
    upper: Array


class Causation(NamedTuple):
    """Bounds of the three probabilities of causation."""

    pn: Bounds
    ps: Bounds
    pns: Bounds


class Points(NamedTuple):
    """The three probabilities under exogeneity and monotonicity; NaN where nothing is asked.

    Negative where the exposed have the outcome less often: monotonicity does not hold there.
    """

    pn: Array
    ps: Array
    pns: Array


def ratio(top: ArrayLike, bottom: ArrayLike, empty: float) -> Array:
    """Divide; infinite where only the divisor is 0, ``empty`` where both are."""
    above, below = np.broadcast_arrays(np.asarray(top, float), np.asarray(bottom, float))
    without = np.where(above > 0, np.inf, empty)
    with np.errstate(over="ignore"):  # by a divisor near 0: infinite as well
        return np.asarray(np.divide(above, below, out=without, where=below > 0))


def points(exposed: ArrayLike, unexposed: ArrayLike) -> Points:
    """PN, PS and PNS under exogeneity and monotonicity.

    Parameters
    ----------
    exposed, unexposed
        Probability of the outcome, arrays that broadcast.
    """
    p1, p0 = np.broadcast_arrays(np.asarray(exposed, float), np.asarray(unexposed, float))
    gain = p1 - p0
    nothing = np.full(gain.shape, np.nan)
    with np.errstate(over="ignore"):  # by a divisor near 0: infinite
        pn = np.divide(gain, p1, out=nothing.copy(), where=p1 > 0)
        ps = np.divide(gain, 1 - p0, out=nothing.copy(), where=p0 < 1)
    return Points(pn, ps, gain)


def exogenous(exposed: ArrayLike, unexposed: ArrayLike) -> Causation:
    """Bounds of PN, PS and PNS under exogeneity alone.

    A probability given an event that does not happen is bounded by 0 and 1.

    Parameters
    ----------
    exposed, unexposed
        Probability of the outcome, arrays that broadcast.
    """
    p1, p0 = np.broadcast_arrays(np.asarray(exposed, float), np.asarray(unexposed, float))
    pns = within(np.maximum(0.0, p1 - p0), np.minimum(p1, 1 - p0))
    pn = within(1 - ratio(p0, p1, 1.0).clip(0, 1), ratio(1 - p0, p1, 1.0))
    ps = within(1 - ratio(1 - p1, 1 - p0, 1.0).clip(0, 1), ratio(p1, 1 - p0, 1.0))
    return Causation(pn, ps, pns)


def synergy(both: ArrayLike, first: ArrayLike, second: ArrayLike) -> Bounds:
    """Share for whom the outcome comes with both exposures and with neither one alone.

    Parameters
    ----------
    both, first, second
        Probability of the outcome with both exposures, and with each alone.
    """
    p11, p10, p01 = (np.asarray(p, float) for p in (both, first, second))
    return within(p11 - p10 - p01, np.minimum(p11, 1 - np.maximum(p10, p01)))


def monotonic_synergy(
    both: ArrayLike, first: ArrayLike, second: ArrayLike, neither: ArrayLike
) -> Bounds:
    """The same where neither exposure ever prevents the outcome.

    Parameters
    ----------
    both, first, second, neither
        Probability of the outcome with both exposures, with each alone, and with neither.
    """
    p11, p10, p01, p00 = (np.asarray(p, float) for p in (both, first, second, neither))
    return within(p11 - p10 - p01 + p00, p11 - np.maximum(p10, p01))


def within(lower: Array, upper: Array) -> Bounds:
    """Bounds cut to 0 and 1, in order whatever the last digits."""
    top = np.clip(upper, 0.0, 1.0)
    return Bounds(np.minimum(np.clip(lower, 0.0, 1.0), top), top)
