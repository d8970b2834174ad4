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


def khat_max(draws: int) -> float:
    """Largest Pareto k that PSIS-LOO can bear, given the draws.

    Vehtari, Simpson, Gelman, Yao and Gabry (2024), Journal of Machine Learning Research 25(72).
    """
    from math import log10

    return min(1 - 1 / log10(draws), 0.7)
