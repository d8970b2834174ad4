"""The corners of the plane of the capitals, and what low and high amount to there."""

from __future__ import annotations

from typing import Literal

from bayescluster.results.base import By, Estimate, Value


class CornerRow(Value):
    """Expected outcome at one corner of the plane of the capitals, for one group."""

    by: By
    group: str
    corner: Literal["LL", "HL", "LH", "HH"]
    """Level of human capital, then of social capital."""
    estimate: Estimate
    support: int
    """Firms of the group within a third of the way of the corner on both capitals."""


class IndicatorAmount(Value):
    """What the low and the high level of a capital amount to in units of one indicator."""

    column: str
    low: float
    high: float


class LevelAmounts(Value):
    """Low and high of a capital in units of its score, and of its indicators.

    Many values of several indicators have the same score; see `dataset.indicators.amounts_at` for
    those that stand here.
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
    """What stands at the corners, in words."""
    rows: tuple[CornerRow, ...]
