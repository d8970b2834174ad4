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

SANDWICH_RATIO: Final = (0.8, 1.2)
"""Sandwich sd over posterior sd outside this range is warned of: intervals a fifth too wide or narrow."""

SANDWICH_UNITS: Final = 30
"""Below so many independent units the sandwich itself is rough, and tends to be too small.

Cameron and Miller (2015), Journal of Human Resources 50(2), section VI.
"""

ELPD_DIFFERENCE_MIN: Final = 4.0
ELPD_DIFFERENCE_SES: Final = 2.0
"""Forms are told apart by a difference in elpd of at least 4 and of at least 2 standard errors.

A rule of thumb: Sivula, Magnusson, Matamoros and Vehtari (2020), arXiv:2008.10296, for the first.
"""

WEIGHT_MIN: Final = 0.01
"""A form with a larger stacking weight has a part in the averages, and so must pass its gate."""

CONTRACTION_MIN: Final = 0.2
"""Below this share of its prior variance taken away by the data, a parameter is hardly identified.

A convention of this project on the contraction of Schad, Betancourt and Vasishth (2021),
Psychological Methods 26(1).
"""

SUBSTITUTION_FLAT: Final = 4.0
"""Beyond this ``|r|`` a CES form is close to its limits, and flat in ``r``."""

GAIN_SMALL: Final = 0.1
"""A gain below this share of the unit of the outcome says nothing of the CES mean it multiplies."""

UNIDENTIFIED_SHARE: Final = 0.2
"""Posterior probability of such values above which a note is made of it: a convention."""

BELOW_ZERO: Final = 0.95
"""Posterior probability of ``r < 0`` from which a CES form counts as non-compensatory."""


SHIFT: Final = {"industry": 0.1, "cluster": 0.25}
"""Shift of an indicator's intercept in a group, in its standard deviations, from which it is told.

A tenth moves the mean of four indicators by a fortieth, little beside differences between
industries. Some 50 firms of a cluster know their mean to a tenth only: of the many shifts of
clusters those below a quarter would be chance too often.
"""
LOADING_DIFFERENCE: Final = 0.1
"""Difference of a standardised loading in an industry from which it is told: of loadings near .7,
differences below it leave the weights of the indicators much as they are."""


SURE_OF_SIGN: Final = 0.90
"""Probability of a sign from which a likelihood counts as sure of it."""


PRIOR_ODDS: Final = 10.0
"""Prior odds for or against a claim from which the prior leans: strong evidence only makes up for it.

Jeffreys (1961), Theory of Probability, appendix B: strong evidence is a factor of ten.
"""

PRIOR_EDGE: Final = 0.01
PRIOR_EDGE_SHARE: Final = 0.05
"""Share of the prior with a group's mean within 0.01 of the ends of its scale (or one level of an
ordinal outcome for all but that share of firms) from which it is told: a convention of this project."""

PRIOR_MAGNITUDES: Final = 3.0
"""Orders of magnitude that the central 90% of the prior of a positive mean may span: a convention."""

PRIOR_TURNS: Final = 0.1
"""Correlation over prior draws from which an event is said to turn on a parameter: a convention."""


def khat_max(draws: int) -> float:
    """Largest Pareto k that PSIS-LOO can bear, given the draws.

    Vehtari, Simpson, Gelman, Yao and Gabry (2024), Journal of Machine Learning Research 25(72).
    """
    from math import log10

    return min(1 - 1 / log10(draws), 0.7)


DOUBLED_CHANGE: Final = 0.1
"""Change of an effect, in its standard deviations, with twice the draws that is no cause to look.

A convention of this project: some 100 independent draws know a mean to a tenth of its deviation.
"""
