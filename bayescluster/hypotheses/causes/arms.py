"""Probabilities of causation from an experiment and an observational sample together.

The bounds are sharp: no narrower ones follow from these numbers. Source: Tian and Pearl (2000),
Annals of Mathematics and Artificial Intelligence 28: 287-313.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from bayescluster.arrays import Array
from bayescluster.hypotheses.causes.probabilities import Bounds, Causation, ratio, within

ROUNDING = 1e-9
"""How far a probability may lie beyond a bound that it equals but for its last digits."""


class Experimental(NamedTuple):
    """Probability of the outcome were all treated, and were none."""

    treated: ArrayLike
    control: ArrayLike


class Observed(NamedTuple):
    """Shares of the four kinds of units in the observational sample; they sum to 1."""

    exposed_with: ArrayLike
    exposed_without: ArrayLike
    unexposed_with: ArrayLike
    unexposed_without: ArrayLike


class ArmsError(ValueError):
    """The experiment and the observations cannot be of the same population."""


def consistent(experiment: Experimental, seen: Observed) -> Array:
    """Whether the two arms can be of one population, element by element.

    Of the exposed, the outcome with exposure is seen; the unexposed may all have it or none.
    """
    fits = [
        (low <= value + ROUNDING) & (value <= high + ROUNDING)
        for _, value, low, high in _limits(experiment, seen)
    ]
    return np.asarray(np.logical_and(*fits))


def contradictions(experiment: Experimental, seen: Observed) -> tuple[str, ...]:
    """What the experiment says that the observations rule out, in words; for single numbers."""
    return tuple(
        f"the outcome under {name} has probability {float(value):.4g} in the experiment, but the "
        f"observations allow {float(low):.4g} to {float(high):.4g}"
        for name, value, low, high in _limits(experiment, seen)
        if not low - ROUNDING <= value <= high + ROUNDING
    )


def combined(experiment: Experimental, seen: Observed) -> Causation:
    """Sharp bounds of PN, PS and PNS from both arms; arrays broadcast.

    Raises
    ------
    ArmsError
        If the arms contradict each other anywhere.
    """
    if not consistent(experiment, seen).all():
        said = [*contradictions(experiment, seen)] if np.ndim(experiment.treated) == 0 else []
        raise ArmsError("; ".join(said) or "the experiment contradicts the observations")
    y1, y0 = (np.asarray(p, float) for p in experiment)
    xy, xn, oy, on = (np.asarray(p, float) for p in seen)
    y = xy + oy
    pns = within(
        _most(np.zeros_like(y), y1 - y0, y - y0, y1 - y),
        _least(y1, 1 - y0, xy + on, y1 - y0 + xn + oy),
    )
    pn = _share(y - y0, 1 - y0 - on, xy)
    ps = _share(y1 - y, y1 - xy, on)
    return Causation(pn, ps, pns)


def harm(experiment: Experimental, pns: Bounds) -> Bounds:
    """Bounds of the share for whom the outcome comes only without treatment, from those of PNS."""
    gain = np.asarray(experiment.treated, float) - np.asarray(experiment.control, float)
    return within(pns.lower - gain, pns.upper - gain)


def _limits(experiment: Experimental, seen: Observed) -> Iterator[tuple[str, Array, Array, Array]]:
    xy, xn, oy, on = (np.asarray(p, float) for p in seen)
    yield "treatment", np.asarray(experiment.treated, float), xy, 1 - xn
    yield "control", np.asarray(experiment.control, float), oy, 1 - on


def _share(low: Array, high: Array, of: Array) -> Bounds:
    """Bounds of a part of ``of``; 0 and 1 where there is nothing to be a part of."""
    lower = ratio(np.maximum(low, 0.0), of, 0.0)
    return within(np.where(of > 0, lower, 0.0), ratio(np.maximum(high, 0.0), of, 1.0))


def _most(*values: Array) -> Array:
    return np.asarray(np.max(np.broadcast_arrays(*values), axis=0))


def _least(*values: Array) -> Array:
    return np.asarray(np.min(np.broadcast_arrays(*values), axis=0))
