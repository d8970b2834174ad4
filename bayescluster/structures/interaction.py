"""The capitals and their product: each may raise or lower the effect of the other."""

from __future__ import annotations

from bayescluster.names import HUMAN_CAPITAL, INTERCEPT, SOCIAL_CAPITAL
from bayescluster.names import INTERACTION as PRODUCT
from bayescluster.structures.record import Structure

TERMS = (INTERCEPT, HUMAN_CAPITAL, SOCIAL_CAPITAL, PRODUCT)
INTERACTION = Structure(
    name="interaction",
    terms=TERMS,
    contribution=lambda human, social, c, _: (
        c[INTERCEPT] + c[HUMAN_CAPITAL] * human + (c[SOCIAL_CAPITAL] + c[PRODUCT] * human) * social
    ),
    formula="a + b_H H + b_S S + b_HS H S",
    level=INTERCEPT,
    varying=TERMS,
)
