"""Corners of the plane of the capitals, and the claims as several readings judge them."""

from __future__ import annotations

from typing import Final, Literal

from bayescluster.results.base import By, Estimate, Value, VerdictState


class CornerRow(Value):
    """Expected outcome at one corner of the plane of the capitals, for one group."""

    by: By
    group: str
    corner: Literal["LL", "HL", "LH", "HH"]
    """Level of human capital, then of social capital."""
    estimate: Estimate
    support: float
    """Effective number of firms of the group around the corner."""


class IndicatorAmount(Value):
    """What the low and the high level of a capital amount to in units of one indicator."""

    column: str
    low: float
    high: float


class LevelAmounts(Value):
    """Low and high of a capital in units of its score, and of its indicators.

    Many values of several indicators have the same score; see `dataset.indicators.amounts_at` for
    those that are chosen.
    """

    capital: str
    method: str
    low: float
    high: float
    indicators: tuple[IndicatorAmount, ...]


class Corners(Value):
    """The four corners at one declared pair of levels and one scope."""

    scope: str
    human_low: float
    human_high: float
    social_low: float
    social_high: float
    declared: str
    """How low and high were declared, in words."""
    amounts: tuple[LevelAmounts, ...] = ()
    """What low and high of each capital are in units of its indicators."""
    at_least: str | None = None
    """Level of the outcome that a claim asks for: the rows are then probabilities of reaching it."""
    quantity: str = "expected outcome"
    """What the rows estimate, in words."""
    rows: tuple[CornerRow, ...]


Tradition = Literal["corners", "ceilings", "sets", "causes"]
TRADITIONS: Final[dict[Tradition, str]] = {
    "corners": "Expected outcome at the corners",
    "ceilings": "Ceilings (NCA)",
    "sets": "Set theory (fsQCA)",
    "causes": "Probabilities of causation",
}
"""Traditions in the order of the table."""

ClaimName = Literal["N-H", "N-S", "I-H", "I-S", "J", "C", "D-H", "D-S"]
Flag = Literal[
    "null_as_large",
    "trivial",
    "contradictory",
    "bounds_only",
    "confounding",
    "thin",
    "model_dependent",
    "prior_decides",
]
"""What the rules that explain disagreements look at.

``null_as_large``: a compensatory model gives a ceiling effect as large. ``trivial``: the condition
is present nearly everywhere. ``contradictory``: the same firms are as consistent with the
absence of the outcome. ``bounds_only``: bounds, not a point. ``confounding``: a weak unmeasured
confounder would overturn it. ``thin``: few firms behind it. ``model_dependent``: another declared
model or likelihood says otherwise. ``prior_decides``: the prior by itself gives the verdict.
"""


class Reading(Value):
    """What one tradition says of one claim for one group."""

    tradition: Tradition
    claim: ClaimName
    by: By
    group: str
    quantity: str
    """What the estimate is, in words."""
    estimate: Estimate | None
    region: str
    """The declared region in words: what the event is."""
    probability: float | None
    """Posterior probability of the region; null where the tradition gives none."""
    prior_probability: float | None
    verdict: VerdictState
    reason: str
    """Why, in a sentence that says no more than the numbers do."""
    behind: str
    """Which firms the estimate refers to, in words."""
    flags: tuple[Flag, ...] = ()


class ClaimRow(Value):
    """One claim for one group: a reading a tradition, and the whole in words.

    ``readings`` lacks the traditions that do not speak of the claim; ``silent`` says why not.
    """

    claim: ClaimName
    title: str
    by: By
    group: str
    readings: tuple[Reading, ...]
    silent: dict[Tradition, str]
    words: str
    """What the traditions say together, made from the numbers."""
    disagreement: str = ""
    """Why they disagree, where they do."""


class Claims(Value):
    """The claims table."""

    level: float
    rows: tuple[ClaimRow, ...]
