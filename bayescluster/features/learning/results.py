"""What acts through learning: paths, forms, and how firm that is."""

from __future__ import annotations

from typing import Literal

from bayescluster.results.base import By, Estimate, Value


class PathRow(Value):
    """Effect of a capital on an outcome, low to high, by one path, in the unit of the outcome.

    ``direct`` and ``indirect`` add up to ``total``. ``through`` is the indirect effect by one equation
    alone, the others as under the capital's low level; these need not add up.
    """

    equation: str
    capital: str
    by: By
    group: str
    path: Literal["total", "direct", "indirect", "through"]
    through: str | None
    estimate: Estimate
    positive: float


class MediatedRow(Value):
    """Indirect over total effect: median and 90% interval of the ratio over the draws.

    Told only where the interval of the total effect excludes 0.
    """

    equation: str
    capital: str
    by: By
    group: str
    median: float
    low: float
    high: float


class MatrixRow(Value):
    """What an outcome goes with in one form of learning, in one group.

    ``estimate`` is the change of the expected outcome from no to yes, or per standard deviation of the
    form where it is not 0/1; ``standardised`` per standard deviation of the form in the group.
    """

    equation: str
    form: str
    binary: bool
    by: By
    group: str
    estimate: Estimate
    positive: float
    standardised: Estimate
    ranks: tuple[float, ...]
    """Probability of each rank of the standardised effect among the forms; the first: dominant."""


class DominanceRow(Value):
    """Posterior probability that another form dominates in ``second`` than in ``first``."""

    equation: str
    first: str
    second: str
    probability: float
    mcse: float


class SensitivityRow(Value):
    """Direct and indirect effect if learners had ``bias`` more of the outcome for another reason."""

    equation: str
    capital: str
    by: By
    group: str
    bias: float
    direct: Estimate
    indirect: Estimate


class TippingRow(Value):
    """Bias at which the mean of an indirect effect is 0, and at which its interval reaches 0.

    Null where no bias up to the limit does.
    """

    equation: str
    capital: str
    by: By
    group: str
    mean_at: float | None
    interval_at: float | None


class Learning(Value):
    """What acts through the outcomes of other equations, forms of learning as a rule."""

    declared: str
    """How low and high of the capitals were declared."""
    draws: int
    """Draws behind these estimands."""
    outcomes: tuple[str, ...]
    """Equations with predictors, the one in focus first."""
    forms: tuple[str, ...]
    """Equations that are predictors, in causal order."""
    through: tuple[str, ...]
    """Equations that the one in focus rests on, directly or not."""
    ways: dict[str, Literal["means", "combinations", "draws"]]
    """By outcome: how what is upstream was averaged over."""
    edges: tuple[tuple[str, str], ...]
    """Which equation enters which: predictor, then what it explains."""
    limit: float
    """Largest bias looked at for the tipping points: a probability, else a share of the outcome's sd."""
    paths: tuple[PathRow, ...]
    mediated: tuple[MediatedRow, ...]
    matrix: tuple[MatrixRow, ...]
    dominance: tuple[DominanceRow, ...]
    sensitivity: tuple[SensitivityRow, ...]
    tipping: tuple[TippingRow, ...]
