"""Constant elasticity of substitution in log inputs.

``C = log(d exp(r H) + (1 - d) exp(r S)) / r`` runs from the lesser of the capitals (``r`` to minus
infinity: Leontief, both necessary) over their weighted mean (``r = 0``: Cobb-Douglas) to the greater
of them (``r`` to infinity: either suffices). Standardised capitals stand in place of log inputs,
so that ``1 / (1 - r)`` is no elasticity here, and a negative ``r`` by itself shows no necessity: at -.1
one capital makes up for the other almost wholly.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bayescluster.names import GAIN, INTERCEPT, SHARE, SUBSTITUTION
from bayescluster.structures.arithmetic import ces_mean, natural
from bayescluster.structures.record import Structure


def _contribution(human: Any, social: Any, coefficients: Mapping[str, Any], _: str) -> Any:
    mean = ces_mean(human, social, coefficients[SHARE], coefficients[SUBSTITUTION])
    return coefficients[INTERCEPT] + natural(coefficients[GAIN], "positive") * mean


CES = Structure(
    name="ces",
    terms=(INTERCEPT, GAIN, SHARE, SUBSTITUTION),
    contribution=_contribution,
    formula="a + g C, C = log(d exp(r H) + (1-d) exp(r S)) / r",
    level=INTERCEPT,
    varying=(INTERCEPT, GAIN, SHARE),
)
