"""What a structural form is: how the two capitals enter the linear predictor."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from bayescluster import names
from bayescluster.names import CAPITALS, HUMAN_CAPITAL, INTERACTION, INTERCEPT, SOCIAL_CAPITAL
from bayescluster.spec.priors import ValueScale

LINEAR_TERMS = frozenset({INTERCEPT, HUMAN_CAPITAL, SOCIAL_CAPITAL, INTERACTION})
"""Coefficients that multiply a known input."""


AtLevels = Callable[[Any, Any], Any]
"""Levels of human and social capital to the linear predictor."""


class Structure(NamedTuple):
    """A structural form.

    Attributes
    ----------
    name
        Name in the analysis file.
    terms
        Coefficients of the form, each of which may vary by any grouping. All have an intercept:
        controls and offset enter with it.
    contribution
        ``(human_capital, social_capital, coefficients, link) -> linear predictor``, coefficients on
        their working scale (see `bayescluster.structures.record`). Numpy arrays and PyTensor
        variables both pass through it: the model that is sampled and the estimands computed from
        it share one definition.
    formula
        The form in words of algebra, for reports.
    level
        The term that sets the level of the outcome; the cutpoints of an ordinal outcome replace it.
    varying
        The terms that vary where an analysis says ``all``.
    capitals
        The capitals that enter: both, one, or none. One that does not enter is 0 in every row.
    prepared
        Of a form that has much to compute which the capitals do not touch: ``(coefficients, link)`` to the
        contribution at any levels of them, all of that computed once.
    """

    name: str
    terms: tuple[str, ...]
    contribution: Callable[[Any, Any, Mapping[str, Any], str], Any]
    formula: str
    level: str
    varying: tuple[str, ...]
    capitals: tuple[str, ...] = CAPITALS
    prepared: Callable[[Mapping[str, Any], str], AtLevels] | None = None

    def at_levels(self, coefficients: Mapping[str, Any], link: str) -> AtLevels:
        """Contribution at any levels of the capitals, for who needs it at many."""
        if self.prepared is not None:
            return self.prepared(coefficients, link)
        return lambda human, social: self.contribution(human, social, coefficients, link)

    @property
    def population(self) -> tuple[str, ...]:
        """Terms with a coefficient of the population: an intercept that sets no level has none."""
        return tuple(term for term in self.terms if term != INTERCEPT or term == self.level)

    @property
    def is_linear(self) -> bool:
        """Whether the form is a sum of coefficients times known inputs."""
        return set(self.terms) <= LINEAR_TERMS


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
