"""Which firms were analysed, what the outcome is, and how the capitals were measured."""

from __future__ import annotations

from typing import Literal

from bayescluster.results.base import By, Value


class OutcomeFacts(Value):
    """What the outcome is and how it is reported."""

    column: str
    family: str
    scale: Literal["probability", "share", "rate", "mean", "level"]
    label: str
    """What an expected outcome is called on axes, e.g. ``probability of product_upgrading``."""
    levels: tuple[str, ...] = ()
    at_least: str | None = None


class GroupRow(Value):
    """One industry or cluster of the sample. Capital means are in standard deviations."""

    by: By
    group: str
    industry: str | None
    """Industry of a cluster, where nested."""
    clusters: int
    rows: int
    outcome_mean: float | None
    """Of the rows that have an outcome; null where none has."""
    human_capital: float | None
    social_capital: float | None


class Dropped(Value):
    """Rows left out because a variable is missing, by cluster."""

    variable: str
    cluster: str
    rows: int


class ImputedCells(Value):
    """Missing cells of a variable in a cluster, estimated inside the model; ``rows`` counts all."""

    variable: str
    cluster: str
    cells: int
    rows: int


class MissingPattern(Value):
    """Variables that are missing together, and no other, and in how many rows."""

    variables: tuple[str, ...]
    rows: int


class SampleFacts(Value):
    """Which firms were analysed."""

    label: str
    """Where the data come from, as written in the analysis."""
    title: str
    synthetic: bool
    rows_read: int
    rows: int
    firms: int
    clusters: int
    industries: int
    crossed: bool
    dropped: tuple[Dropped, ...]
    filters: tuple[str, ...]
    notes: tuple[str, ...]
    groups: tuple[GroupRow, ...]
    imputed: tuple[ImputedCells, ...] = ()
    patterns: tuple[MissingPattern, ...] = ()
    capital_correlation: float | None
    """Correlation of the two capitals over all rows."""


class Indicator(Value):
    """An indicator and its weight in the construct."""

    column: str
    weight: float


class MeasureFacts(Value):
    """How a capital was measured; one standard deviation is ``scale`` units from ``center``."""

    capital: str
    method: str
    unit: str
    center: float
    scale: float
    indicators: tuple[Indicator, ...]
    reliability: float | None
    binary: bool
