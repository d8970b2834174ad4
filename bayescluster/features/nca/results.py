"""A necessary condition analysis of observed cases, typed."""

from __future__ import annotations

from typing import Literal

from bayescluster.results.base import SCHEMA_VERSION, Value

CornerName = Literal["upper_left", "upper_right", "lower_left", "lower_right"]
CeilingName = Literal["ce_fdh", "cr_fdh", "ce_vrs", "cr_vrs", "cols", "c_lp"]
BottleneckKind = Literal["percentage_range", "actual", "percentile"]
DuplicatePeers = Literal["unique", "keep"]
Status = Literal["needed", "NN", "NA"]
"""NN: not necessary, every condition allows the level. NA: not available, none allows it."""


ALL_ROWS = "all rows"
"""Label of the group that holds all cases."""


class CeilingRow(Value):
    """One ceiling over the cases of one condition and group."""

    condition: str
    group: str
    """Label of the group, or `ALL_ROWS`."""
    ceiling: CeilingName
    """Name as the option gives it: ``ce_fdh``."""
    cases: int
    effect_size: float | None
    """Dul's d; null where there is no ceiling."""
    size: str
    """Dul's word for it."""
    p: float | None
    """Permutation p; null without permutations or without d."""
    p_mcse: float | None
    independent: float | None
    """Mean d of the permuted outcomes."""
    zone: float | None
    """Area above the ceiling, in units of condition times outcome."""
    scope: float
    """Area of the scope, in the same units."""
    above: int | None
    """Cases above the ceiling."""
    accuracy: float | None
    """Share of the cases on or under the ceiling."""
    fit: float | None
    """d as a share of that of CE-FDH; null where it is larger or that is 0."""
    slope: float | None
    """Of a straight ceiling, in units of outcome per unit of condition."""
    intercept: float | None
    condition_inefficiency: float | None
    """Share of the condition's range, at its far end, that needs no more for the highest level."""
    outcome_inefficiency: float | None
    """Share of the outcome's range that the least condition allows."""
    relative_inefficiency: float | None
    """Share of the scope in which the condition does not constrain the outcome."""
    absolute_inefficiency: float | None
    """The same as an area."""
    peers: tuple[str, ...]
    """Cases that the ceiling rests on, along the condition."""
    outliers: tuple[str, ...]
    """Cases above the ceiling."""
    note: str
    """Why there is no ceiling, or nothing above it."""


class BottleneckRow(Value):
    """What one level of the outcome needs of one condition, under one ceiling."""

    condition: str
    group: str
    ceiling: CeilingName
    level: float
    """Level of the outcome, in the unit of the table."""
    outcome: float
    """The same in units of the outcome."""
    status: Status
    needed: float | None
    """Condition needed, in the unit of the table."""
    value: float | None
    """The same in units of the condition."""
    short: int
    """Cases whose condition falls short of it."""


class CeilingPath(Value):
    """A ceiling as corners of a path, in units of condition and outcome."""

    ceiling: CeilingName
    x: tuple[float, ...]
    y: tuple[float, ...]


class Box(Value):
    """The scope: least and greatest condition and outcome."""

    xmin: float
    xmax: float
    ymin: float
    ymax: float
    declared: bool


class Pair(Value):
    """A condition and the outcome, in one group: cases and ceilings."""

    condition: str
    group: str
    names: tuple[str, ...]
    x: tuple[float, ...]
    y: tuple[float, ...]
    incomplete: int
    """Rows left out because condition or outcome is missing."""
    scope: Box
    ceilings: tuple[CeilingRow, ...]
    paths: tuple[CeilingPath, ...]
    bottlenecks: tuple[BottleneckRow, ...]


class Necessity(Value):
    """Necessary condition analysis of a table."""

    schema_version: int = SCHEMA_VERSION
    table: str
    digest: str
    synthetic: bool
    outcome: str
    conditions: tuple[str, ...]
    grouped_by: str | None
    corner: CornerName
    bottleneck: BottleneckKind
    duplicate_peers: DuplicatePeers
    permutations: int
    seed: int
    pairs: tuple[Pair, ...]
    notes: tuple[str, ...]
    """What was left out, and why."""

    @property
    def groups(self) -> tuple[str, ...]:
        """Groups in order, all cases first."""
        return tuple(dict.fromkeys(pair.group for pair in self.pairs))

    def of(self, group: str) -> tuple[Pair, ...]:
        """Conditions of a group, in order."""
        return tuple(pair for pair in self.pairs if pair.group == group)
