"""Likelihood families, and the table that lists them."""

from __future__ import annotations

from bayescluster.families.beta import BETA
from bayescluster.families.binomial import BINOMIAL
from bayescluster.families.continuous import GAUSSIAN, STUDENT_T
from bayescluster.families.counts import NEGATIVE_BINOMIAL, POISSON
from bayescluster.families.lognormal import LOGNORMAL
from bayescluster.families.ordinal import ORDINAL
from bayescluster.families.record import Family, Fault, Likelihood, Observation, Rows, bar_of
from bayescluster.families.yes_or_no import BERNOULLI, PROBIT
from bayescluster.families.zeros import (
    HURDLE_LOGNORMAL,
    ZERO_INFLATED_BETA,
    ZERO_INFLATED_NEGATIVE_BINOMIAL,
    ZERO_INFLATED_POISSON,
)

__all__ = [
    "FAMILIES",
    "YES_OR_NO",
    "Family",
    "Fault",
    "Likelihood",
    "Observation",
    "Rows",
    "bar_of",
]

FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        BERNOULLI,
        PROBIT,
        BINOMIAL,
        BETA,
        GAUSSIAN,
        STUDENT_T,
        LOGNORMAL,
        POISSON,
        NEGATIVE_BINOMIAL,
        ORDINAL,
        HURDLE_LOGNORMAL,
        ZERO_INFLATED_BETA,
        ZERO_INFLATED_POISSON,
        ZERO_INFLATED_NEGATIVE_BINOMIAL,
    )
}

YES_OR_NO = frozenset({BERNOULLI.name, PROBIT.name})
"""Families whose firms have the outcome or do not."""
