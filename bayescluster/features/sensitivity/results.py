"""How far parameters, estimands and verdicts hang on the priors: power-scaling sensitivity."""

from __future__ import annotations

from typing import Literal

from bayescluster.results.base import By, Value, VerdictState

Diagnosis = Literal[
    "prior-data conflict",
    "strong prior or weak likelihood",
    "sensitive to the prior",
    "within noise",
    "-",
]
"""What a sensitivity means; ``within noise`` where the draws are too few to tell it from nothing."""

Kind = Literal["parameter", "estimand"]


class SensitivityBlock(Value):
    """Priors that are raised to a power together."""

    name: str
    title: str
    priors: tuple[str, ...]
    place: str
    """Where the analysis states them; empty where it cannot."""


class SensitivityRow(Value):
    """Sensitivity of one quantity to one block of priors, or to the likelihood.

    The gradient of the cumulative Jensen-Shannon distance per doubling of the power. ``noise`` is
    the part of it that finite draws make; ``low`` and ``high`` bound what is left without it.
    """

    quantity: str
    kind: Kind
    by: By | None = None
    group: str | None = None
    block: str
    """Name of a block; ``all`` for all priors, ``likelihood`` for the likelihood."""
    value: float
    noise: float
    low: float
    high: float
    diagnosis: Diagnosis


class ScaledVerdict(Value):
    """One claim for one group, with a block of priors raised to a power."""

    claim: int
    """Position of the verdict among the verdicts, from 0."""
    kind: str
    title: str
    capital: str | None
    by: By
    group: str
    scope: str
    declared: VerdictState
    """Verdict with the priors as they are."""
    block: str
    power: float
    probability: float | None
    """Null where these draws cannot tell it."""
    mcse: float | None
    khat: float | None
    """Pareto k of the weights; null where it is beyond any number."""
    ess: float
    """Effective number of draws that the weights leave."""
    verdict: VerdictState | Literal["cannot be told"]
    flips: bool
    """The verdict is another than that of the analysis."""
    certain: bool
    """It flips by more than two Monte Carlo errors of either probability."""


class Sensitivity(Value):
    """What would change if priors were weaker or stronger."""

    threshold: float
    powers: tuple[float, ...]
    khat_threshold: float
    blocks: tuple[SensitivityBlock, ...]
    rows: tuple[SensitivityRow, ...]
    verdicts: tuple[ScaledVerdict, ...] = ()
    statements: tuple[str, ...] = ()
    """What stands out, in sentences."""
    not_made: tuple[str, ...] = ()
    """What could not be scaled, and why."""
