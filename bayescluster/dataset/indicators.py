"""The way from the values of indicators, as they stand in their columns, to a score, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayescluster.dataset.transforms import TRANSFORMS

INVERSE: Final[dict[str, Callable[[float], float]]] = {
    "none": lambda x: x,
    "log": lambda x: float(np.exp(x)),
    "log1p": lambda x: float(np.expm1(x)),
    # a root is never below 0
    "sqrt": lambda x: max(x, 0.0) ** 2,
}
"""Back from what each transform of an indicator makes."""


class IndicatorUnit(NamedTuple):
    """How an indicator enters the score of its construct.

    ``turned`` says how a negative direction was turned round: the sign, or the ends of a 0/1 column.
    The indicator enters as ``(turned value - center) / scale``, times ``weight``; for ``single``
    that is the turned value itself.
    """

    column: str
    transform: str
    turned: Literal["no", "sign", "ends"]
    center: float
    scale: float
    weight: float

    def standard(self, value: float) -> float:
        """From a value of the column to what enters the score."""
        found = float(TRANSFORMS[self.transform].function(np.array([value]))[0])
        return (self._turned(found) - self.center) / self.scale

    def amount(self, standard: float) -> float:
        """From what enters the score to a value of the column."""
        return INVERSE[self.transform](self._turned(self.center + self.scale * standard))

    def _turned(self, value: float) -> float:
        """Turn round; the same again turns back."""
        return {"no": value, "sign": -value, "ends": 1 - value}[self.turned]


def turned_by(direction: str, items: NDArray[np.float64]) -> Literal["no", "sign", "ends"]:
    """How an indicator was turned round, from its direction and its values, ``(firm,)``."""
    if direction == "positive":
        return "no"
    return "ends" if np.isin(items[~np.isnan(items)], (0.0, 1.0)).all() else "sign"


def raw_score(units: Sequence[IndicatorUnit], values: Mapping[str, float]) -> float:
    """Score, before it is standardised, of a firm that gave these answers."""
    return sum(unit.weight * unit.standard(values[unit.column]) for unit in units)


def amounts_at(units: Sequence[IndicatorUnit], raw: float) -> dict[str, float]:
    """Values of the indicators that a score amounts to.

    Many values have the same score. These lie on the line of the weights: for a mean every
    indicator is equally far from its own mean, for a first component as far as it says.
    """
    square = sum(unit.weight**2 for unit in units)
    return {unit.column: unit.amount(raw * unit.weight / square) for unit in units}
