"""The product of the capitals under other likelihoods of the same outcome."""

from __future__ import annotations

from bayescluster.results.base import Estimate, Value


class LikelihoodRow(Value):
    """What one likelihood says of the product of the capitals, over all firms.

    ``term`` is the population coefficient, per standard deviation of each capital on the scale of
    the linear predictor; ``cross`` the cross difference of the four corners, in units of the outcome.
    """

    likelihood: str
    scale: str
    """Scale of the linear predictor; coefficients of one scale can be compared."""
    fitted: bool
    """It is the likelihood of the analysis."""
    term: Estimate
    term_positive: float
    cross: Estimate
    cross_positive: float


class Likelihoods(Value):
    """The same form under several likelihoods, by normal approximations."""

    sure: float
    """Probability of a sign from which a likelihood counts as sure of it."""
    declared: str
    """Low and high of the corners, in words."""
    rows: tuple[LikelihoodRow, ...]
    depends: str
    """In words, where two likelihoods are sure of opposite signs; empty where none are."""
    note: str = ""
    """Why the check was not made, or not for all likelihoods."""
