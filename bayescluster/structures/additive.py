"""The capitals add up: each works whatever the other is."""

from __future__ import annotations

from bayescluster.names import HUMAN_CAPITAL, INTERCEPT, SOCIAL_CAPITAL
from bayescluster.structures.record import Structure

ADDITIVE = Structure(
    name="additive",
    terms=(INTERCEPT, HUMAN_CAPITAL, SOCIAL_CAPITAL),
    contribution=lambda human, social, c, _: (
        c[INTERCEPT] + c[HUMAN_CAPITAL] * human + c[SOCIAL_CAPITAL] * social
    ),
    formula="a + b_H H + b_S S",
    level=INTERCEPT,
    varying=(INTERCEPT, HUMAN_CAPITAL, SOCIAL_CAPITAL),
)
