"""A codebook: columns, what looks wrong, groups, and what is known of the capitals before a fit."""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel, ConfigDict

MOST_NAMED: Final = 3
"""Columns of a concern that are named."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class CodebookColumn(_Frozen):
    """One column of a table as read."""

    column: str
    description: str
    """What the file says of it, or its value labels."""
    kind: str
    """numbers, whole numbers, yes or no, labelled codes, text, names, empty."""
    role: str
    """Role in the analysis, or the one that its name suggests; empty for none."""
    answered: int
    missing: int
    distinct: int
    low: float | None
    median: float | None
    high: float | None
    histogram: str
    """Counts between low and high as a row of bars."""
    common: str
    """Most frequent values of columns with few, with their counts."""


class Concern(_Frozen):
    """Something that looks wrong: what was found, and what to do about it."""

    column: str
    what: str
    advice: str
    others: tuple[str, ...] = ()
    """Further columns of which it holds."""

    @property
    def columns(self) -> str:
        """The columns it is about, in words."""
        shown = ", ".join((self.column, *self.others[: MOST_NAMED - 1]))
        more = len(self.others) - MOST_NAMED + 1
        return f"{shown} and {more} more" if more > 0 else shown


class CodebookGroup(_Frozen):
    """Firms and clusters of an industry."""

    industry: str
    rows: int
    firms: int
    clusters: int | None
    smallest: str
    """Its smallest cluster, with its rows."""


class LostRows(_Frozen):
    """Rows that an analysis cannot use, by the variable that they lack."""

    variable: str
    rows: int
    """Rows that lack it."""
    only: int
    """Rows that lack nothing else."""


class CapitalFacts(_Frozen):
    """What is known of a capital before a fit."""

    capital: str
    indicators: int
    reliability: float | None
    """McDonald's omega of three indicators and more; Spearman-Brown of two."""
    between: float | None
    """Share of its variance that lies between clusters."""
    near_low: int | None
    near_high: int | None
    """Rows within half a standard deviation of its low (0.1 quantile) and high (0.9 quantile)."""


class IndicatorFacts(_Frozen):
    """An indicator among those of its capital."""

    capital: str
    indicator: str
    item_rest: float | None
    """Correlation with the mean of the others, reversed where its direction is negative."""


class CornerFacts(_Frozen):
    """Effective number of firms around the corners of the two capitals, in a group that claims name."""

    by: str
    group: str
    levels: str
    """How low and high are declared."""
    both_low: float
    human_only: float
    """Human capital high, social capital low."""
    social_only: float
    both_high: float
    least: float
    """How many the claims need; 0 where none is about this group."""
    thin: tuple[str, ...]
    """Corners with fewer, of those that a claim rests on: names of the fields above."""


class Codebook(_Frozen):
    """Everything that can be said of a table before a fit."""

    table: str
    rows: int
    usable: int | None
    """Rows that the analysis can use, where there is one and it has no faults."""
    guessed: bool
    """Whether roles of columns are guessed from their names."""
    notes: tuple[str, ...]
    columns: tuple[CodebookColumn, ...]
    concerns: tuple[Concern, ...]
    groups: tuple[CodebookGroup, ...]
    lost: tuple[LostRows, ...]
    capitals: tuple[CapitalFacts, ...]
    indicators: tuple[IndicatorFacts, ...]
    corners: tuple[CornerFacts, ...]
    faults: tuple[str, ...]
    """Faults for which the analysis would be refused."""
