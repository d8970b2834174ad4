"""The capitals add up: each works whatever the other is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bayescluster.names import HUMAN_CAPITAL, INTERCEPT, SOCIAL_CAPITAL
from bayescluster.structures.record import Structure


def _contribution(human: Any, social: Any, coefficients: Mapping[str, Any], _: str) -> Any:
    return (
        coefficients[INTERCEPT]
        + coefficients[HUMAN_CAPITAL] * human
        + coefficients[SOCIAL_CAPITAL] * social
    )


TERMS = (INTERCEPT, HUMAN_CAPITAL, SOCIAL_CAPITAL)
ADDITIVE = Structure("additive", TERMS, _contribution, "a + b_H H + b_S S", INTERCEPT, TERMS)
