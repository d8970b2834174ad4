"""Forms that are linear in the capitals: none, one, both, and both with their product."""

from __future__ import annotations

from bayescluster import names
from bayescluster.names import HUMAN_CAPITAL, SOCIAL_CAPITAL
from bayescluster.structures.record import Structure

INTERCEPT = Structure(
    name="intercept",
    terms=(names.INTERCEPT,),
    contribution=lambda _, __, c, ___: c[names.INTERCEPT],
    formula="a",
    level=names.INTERCEPT,
    varying=(names.INTERCEPT,),
    capitals=(),
)
"""Neither capital enters: varying intercepts and controls only, the baseline of a comparison."""

HUMAN = Structure(
    name=HUMAN_CAPITAL,
    terms=(names.INTERCEPT, HUMAN_CAPITAL),
    contribution=lambda human, _, c, __: c[names.INTERCEPT] + c[HUMAN_CAPITAL] * human,
    formula="a + b_H H",
    level=names.INTERCEPT,
    varying=(names.INTERCEPT, HUMAN_CAPITAL),
    capitals=(HUMAN_CAPITAL,),
)
"""One capital by itself: the form of an analysis that measures no other."""

SOCIAL = Structure(
    name=SOCIAL_CAPITAL,
    terms=(names.INTERCEPT, SOCIAL_CAPITAL),
    contribution=lambda _, social, c, __: c[names.INTERCEPT] + c[SOCIAL_CAPITAL] * social,
    formula="a + b_S S",
    level=names.INTERCEPT,
    varying=(names.INTERCEPT, SOCIAL_CAPITAL),
    capitals=(SOCIAL_CAPITAL,),
)

ADDITIVE = Structure(
    name="additive",
    terms=(names.INTERCEPT, HUMAN_CAPITAL, SOCIAL_CAPITAL),
    contribution=lambda human, social, c, _: (
        c[names.INTERCEPT] + c[HUMAN_CAPITAL] * human + c[SOCIAL_CAPITAL] * social
    ),
    formula="a + b_H H + b_S S",
    level=names.INTERCEPT,
    varying=(names.INTERCEPT, HUMAN_CAPITAL, SOCIAL_CAPITAL),
)
"""The capitals add up: each works whatever the other is."""

INTERACTION = Structure(
    name="interaction",
    terms=(names.INTERCEPT, HUMAN_CAPITAL, SOCIAL_CAPITAL, names.INTERACTION),
    contribution=lambda human, social, c, _: (
        c[names.INTERCEPT]
        + c[HUMAN_CAPITAL] * human
        + (c[SOCIAL_CAPITAL] + c[names.INTERACTION] * human) * social
    ),
    formula="a + b_H H + b_S S + b_HS H S",
    level=names.INTERCEPT,
    varying=(names.INTERCEPT, HUMAN_CAPITAL, SOCIAL_CAPITAL, names.INTERACTION),
)
"""The capitals and their product: each may raise or lower the effect of the other."""
