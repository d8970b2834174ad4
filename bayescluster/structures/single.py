"""One capital by itself: the form of an analysis that measures no other."""

from __future__ import annotations

from bayescluster.names import HUMAN_CAPITAL, INTERCEPT, SOCIAL_CAPITAL
from bayescluster.structures.record import Structure

HUMAN = Structure(
    name=HUMAN_CAPITAL,
    terms=(INTERCEPT, HUMAN_CAPITAL),
    contribution=lambda human, _, c, __: c[INTERCEPT] + c[HUMAN_CAPITAL] * human,
    formula="a + b_H H",
    level=INTERCEPT,
    varying=(INTERCEPT, HUMAN_CAPITAL),
    capitals=(HUMAN_CAPITAL,),
)
SOCIAL = Structure(
    name=SOCIAL_CAPITAL,
    terms=(INTERCEPT, SOCIAL_CAPITAL),
    contribution=lambda _, social, c, __: c[INTERCEPT] + c[SOCIAL_CAPITAL] * social,
    formula="a + b_S S",
    level=INTERCEPT,
    varying=(INTERCEPT, SOCIAL_CAPITAL),
    capitals=(SOCIAL_CAPITAL,),
)
