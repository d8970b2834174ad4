"""Neither capital enters: varying intercepts and controls only, the baseline of a comparison."""

from __future__ import annotations

from bayescluster.names import INTERCEPT as CONSTANT
from bayescluster.structures.record import Structure

INTERCEPT = Structure(
    name="intercept",
    terms=(CONSTANT,),
    contribution=lambda _, __, coefficients, ___: coefficients[CONSTANT],
    formula="a",
    level=CONSTANT,
    varying=(CONSTANT,),
    capitals=(),
)
