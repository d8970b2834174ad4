"""The capitals and their product: each may raise or lower the effect of the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bayescluster.names import HUMAN_CAPITAL, INTERCEPT, SOCIAL_CAPITAL
from bayescluster.names import INTERACTION as PRODUCT
from bayescluster.structures.record import Structure


def _contribution(human: Any, social: Any, coefficients: Mapping[str, Any], _: str) -> Any:
    return (
        coefficients[INTERCEPT]
        + coefficients[HUMAN_CAPITAL] * human
        + (coefficients[SOCIAL_CAPITAL] + coefficients[PRODUCT] * human) * social
    )


TERMS = (INTERCEPT, HUMAN_CAPITAL, SOCIAL_CAPITAL, PRODUCT)
INTERACTION = Structure(
    "interaction", TERMS, _contribution, "a + b_H H + b_S S + b_HS H S", INTERCEPT, TERMS
)
