"""Rated cases to the mean and sd of each coefficient: a weighted linear regression on the logit.

A case that is worth ``n`` firms, of which a share ``p`` upgraded, has an observed logit of ``p``
with a variance of about ``1 / (n p (1 - p))`` (the delta method; the reciprocal of the Fisher
information of the logit). With normal errors of that variance and a normal prior of the
coefficients, the posterior is normal and known exactly; its marginal means and sds are returned,
and the correlations between coefficients are dropped. As ``n`` goes to 0 the prior is left as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from scipy.special import logit

from bayescluster.arrays import Array
from bayescluster.dataset.cases import CodedCase
from bayescluster.names import HUMAN_CAPITAL, INTERACTION, INTERCEPT, SOCIAL_CAPITAL

LEVELS: Final[Mapping[str, float]] = {"low": -1.0, "medium": 0.0, "high": 1.0}
"""Level of a capital, in standard deviations of the firms.

A rating compares cases with each other, not with the firms of the analysis. One sd either way keeps
the cases within the firms that are usually there: about a sixth of them are further out.
"""
SHARES: Final[Mapping[str, float]] = {"low": 0.1, "medium": 0.4, "high": 0.7}
"""Share of firms that upgraded.

Low is where the claims call an outcome rare; high stays short of where they call it common, since no
case says that nearly all firms upgraded; medium lies halfway.
"""

COLUMNS: Final[Mapping[str, Callable[[Array, Array], Array]]] = {
    INTERCEPT: lambda human, social: np.ones_like(human * social),
    HUMAN_CAPITAL: lambda human, social: human + 0 * social,
    SOCIAL_CAPITAL: lambda human, social: social + 0 * human,
    INTERACTION: lambda human, social: human * social,
}
"""What each coefficient is multiplied by: the terms for which cases can speak."""


class NormalMoments(NamedTuple):
    """Mean and standard deviation of a coefficient."""

    mean: float
    sd: float


def informed(
    cases: Sequence[CodedCase],
    strength: float,
    defaults: Mapping[str, NormalMoments],
    units: tuple[float, float] = (1.0, 1.0),
) -> dict[str, NormalMoments]:
    """Update the default priors by the cases.

    Parameters
    ----------
    cases
        Rated on the outcome, and on both capitals where a term needs them.
    strength
        How many firms one case is worth.
    defaults
        Mean and sd of each coefficient before any case; every one is a key of ``COLUMNS``.
    units
        One standard deviation of human and of social capital on the scale of the design: 1, except
        for 0/1 capitals, which are not scaled.
    """
    human, social = (
        unit * np.array([level(case) for case in cases])
        for unit, level in zip(units, (human_level, social_level), strict=True)
    )
    share = np.array([SHARES[str(case.outcome)] for case in cases])
    columns = np.column_stack([COLUMNS[term](human, social) for term in defaults])
    before = np.array(list(defaults.values()))  # (term, 2)
    means, sds = regression(columns, logit(share), strength * share * (1 - share), before)
    return {
        term: NormalMoments(float(mean), float(sd))
        for term, mean, sd in zip(defaults, means, sds, strict=True)
    }


def regression(
    columns: Array, observed: Array, precision: Array, before: Array
) -> tuple[Array, Array]:
    """Posterior means and marginal sds of a linear regression with known error variances.

    ``columns`` are ``(case, term)``; ``observed`` and its ``precision``, the reciprocal of the error
    variance, ``(case,)``; ``before`` holds the independent prior mean and sd of each coefficient,
    ``(term, 2)``.
    """
    mean, sd = before.T
    total = np.diag(sd**-2) + columns.T @ (precision[:, None] * columns)
    covariance = np.linalg.inv(total)
    means = covariance @ (mean / sd**2 + columns.T @ (precision * observed))
    return means, np.sqrt(np.diag(covariance))


def human_level(case: CodedCase) -> float:
    """Level of human capital in standard deviations; 0 where it was not rated."""
    return 0.0 if case.human is None else LEVELS[case.human]


def social_level(case: CodedCase) -> float:
    """Mean level of the rated sides of social capital; 0 where none was rated."""
    levels = [LEVELS[rating] for _, rating in case.social]
    return float(np.mean(levels)) if levels else 0.0
