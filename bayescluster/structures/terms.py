"""Every coefficient of a structural form: the values it can have, and what it is called."""

from __future__ import annotations

from typing import NamedTuple

from bayescluster import names
from bayescluster.spec.priors import ValueScale


class Term(NamedTuple):
    """A coefficient; groups deviate from it on the log scale (positive) or logit scale (share)."""

    name: str
    scale: ValueScale
    words: str


TERMS: dict[str, Term] = {
    term.name: term
    for term in (
        Term(names.INTERCEPT, "real", "level of the outcome"),
        Term(names.HUMAN_CAPITAL, "real", "slope of human capital"),
        Term(names.SOCIAL_CAPITAL, "real", "slope of social capital"),
        Term(names.INTERACTION, "real", "product of the capitals"),
        Term(names.NEITHER, "real", "corner where both capitals are low"),
        Term(names.HUMAN_ONLY, "real", "corner where human capital alone is high"),
        Term(names.SOCIAL_ONLY, "real", "corner where social capital alone is high"),
        Term(names.BOTH, "real", "corner where both capitals are high"),
        Term(names.HUMAN_THRESHOLD, "real", "human capital at which its gate is half open"),
        Term(names.HUMAN_STEEPNESS, "positive", "steepness of the gate of human capital"),
        Term(names.SOCIAL_THRESHOLD, "real", "social capital at which its gate is half open"),
        Term(names.SOCIAL_STEEPNESS, "positive", "steepness of the gate of social capital"),
        Term(names.GAIN, "positive", "gain per unit of the CES mean of the capitals"),
        Term(names.SHARE, "share", "share of human capital in the CES mean"),
        Term(
            names.SUBSTITUTION,
            "real",
            "substitution: the lower, the nearer to the lesser of the two capitals",
        ),
    )
}
