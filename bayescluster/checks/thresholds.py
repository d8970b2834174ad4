"""Every threshold of the checks, in one place, with its source."""

from __future__ import annotations

from typing import Final

RHAT_MAX: Final = 1.01
ESS_MIN: Final = 400
"""Vehtari, Gelman, Simpson, Carpenter and Bürkner (2021), Bayesian Analysis 16(2)."""

DIVERGENCES_MAX: Final = 0
BFMI_MIN: Final = 0.3
"""Betancourt (2017), A conceptual introduction to Hamiltonian Monte Carlo."""

TREEDEPTH_SHARE_MAX: Final = 0.0
"""Share of draws at the largest tree depth: costly rather than wrong, but told."""

PREDICTIVE_TAIL: Final = 0.01
"""A replicated statistic this far out is flagged."""

SHIFT: Final = {"industry": 0.1, "cluster": 0.25}
"""Shift of an indicator's intercept in a group, in its standard deviations, from which it is told.

A tenth moves the mean of four indicators by a fortieth, little beside differences between
industries. Some 50 firms of a cluster know their mean to a tenth only: of the many shifts of
clusters those below a quarter would be chance too often.
"""
LOADING_DIFFERENCE: Final = 0.1
"""Difference of a standardised loading in an industry from which it is told: of loadings near .7,
differences below it leave the weights of the indicators much as they are."""


def khat_max(draws: int) -> float:
    """Largest Pareto k that PSIS-LOO can bear, given the draws.

    Vehtari, Simpson, Gelman, Yao and Gabry (2024), Journal of Machine Learning Research 25(72).
    """
    from math import log10

    return min(1 - 1 / log10(draws), 0.7)
