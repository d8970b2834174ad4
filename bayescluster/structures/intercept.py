"""Neither capital enters: varying intercepts and controls alone, the baseline of a comparison."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bayescluster.names import INTERCEPT as CONSTANT
from bayescluster.structures.record import Structure


def _contribution(_: Any, __: Any, coefficients: Mapping[str, Any], ___: str) -> Any:
    return coefficients[CONSTANT]


INTERCEPT = Structure("intercept", (CONSTANT,), _contribution, "a", CONSTANT, (CONSTANT,))
