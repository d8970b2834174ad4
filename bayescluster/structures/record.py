"""What a structural form is: how the two capitals enter the linear predictor."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from bayescluster.names import HUMAN_CAPITAL, INTERACTION, INTERCEPT, SOCIAL_CAPITAL

LINEAR_TERMS = frozenset({INTERCEPT, HUMAN_CAPITAL, SOCIAL_CAPITAL, INTERACTION})
"""Coefficients that multiply a known input."""


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
        their working scale (see `bayescluster.structures.terms`). Numpy arrays and PyTensor
        variables both pass through it: the model that is sampled and the estimands computed from
        it share one definition.
    formula
        The form in words of algebra, for reports.
    level
        The term that sets the level of the outcome; the cutpoints of an ordinal outcome replace it.
    varying
        The terms that vary where an analysis says ``all``.
    """

    name: str
    terms: tuple[str, ...]
    contribution: Callable[[Any, Any, Mapping[str, Any], str], Any]
    formula: str
    level: str
    varying: tuple[str, ...]

    @property
    def population(self) -> tuple[str, ...]:
        """Terms with a coefficient of the population: an intercept that sets no level has none."""
        return tuple(term for term in self.terms if term != INTERCEPT or term == self.level)

    @property
    def is_linear(self) -> bool:
        """Whether the form is a sum of coefficients times known inputs."""
        return set(self.terms) <= LINEAR_TERMS
