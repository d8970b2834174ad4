"""Typed results: what set theory (fsQCA) finds in the firms of a run."""

from __future__ import annotations

from typing import Literal

from bayescluster.results.base import By, Value

Relation = Literal["necessity", "sufficiency"]
SetMeasureName = Literal["consistency", "RoN", "PRI", "coverage"]
SolutionKind = Literal["complex", "parsimonious", "intermediate"]


class SetRow(Value):
    """A set: how it was calibrated, and how many firms are in it.

    Anchors are in the units of the capital, outcome or condition; null for crisp sets and for
    memberships as given.
    """

    letter: str
    """How the set is written in expressions."""
    name: str
    how: str
    exclusion: float | None
    crossover: float | None
    inclusion: float | None
    sd: tuple[float, float, float]
    """Standard deviations of the anchors, where these carry a prior."""
    members: int
    """Firms with membership above .5."""
    ambiguous: int
    """Firms with a membership of exactly .5: neither in nor out."""
    missing: int


class SetMeasure(Value):
    """One measure of one expression in one group, with both intervals (90%, equal tails).

    ``low`` and ``high`` are of the Bayesian bootstrap of the observed firms; ``model_low`` and
    ``model_high`` of outcomes drawn from the fitted model. Null where not computed or not defined.
    """

    by: str
    group: str
    relation: Relation
    expression: str
    measure: SetMeasureName
    rows: int
    members: int
    """Firms with membership above .5 in the expression."""
    observed: float | None
    low: float | None
    high: float | None
    model_low: float | None
    model_high: float | None


class TruthTableRow(Value):
    """A configuration of the conditions, its cases, and how it is coded."""

    by: By
    group: str
    configuration: str
    cases: int
    consistency: float | None
    pri: float | None
    outcome: Literal["1", "0", "?"]
    """``?`` is a logical remainder: too few cases."""
    firms: tuple[str, ...]
    """The first of its cases by name."""


class SolutionTerm(Value):
    """A term of a solution, or the whole of it."""

    by: By
    group: str
    kind: SolutionKind
    solution: int
    """Number of the solution among those tied, from 1."""
    tied: int
    """How many solutions have as few terms."""
    term: str
    whole: bool
    cases: int
    consistency: float | None
    pri: float | None
    coverage: float | None
    unique_coverage: float | None
    """Coverage that the other terms do not have; null for the whole."""


class SetSpread(Value):
    """Consistency over groups: pooled (POCOS), and how far that of the groups (BECOS) lies apart."""

    of: str
    """The grouping: industry, cluster, or a column."""
    relation: Relation
    expression: str
    groups: int
    """Groups for which it is defined."""
    pooled: float | None
    smallest: float
    smallest_group: str
    largest: float
    largest_group: str
    distance: float
    """Distance of the groups' consistencies from equality (dBP); 0 where all agree."""


class Combination(Value):
    """A combination of conditions that passes the cuts, of which no part passes by itself."""

    relation: Relation
    expression: str
    consistency: float
    relevance: float | None
    """RoN, of necessity."""
    pri: float | None
    """Of sufficiency."""
    coverage: float


class SetPlot(Value):
    """Memberships in an expression and in the outcome, firm by firm; drawn at random where many."""

    expression: str
    label: str
    points: tuple[tuple[float, float], ...]
    total: int


class SetTables(Value):
    """What set theory finds in firms or cases, with a model or without."""

    sets: tuple[SetRow, ...] = ()
    measures: tuple[SetMeasure, ...] = ()
    truth_table: tuple[TruthTableRow, ...] = ()
    solutions: tuple[SolutionTerm, ...] = ()
    spreads: tuple[SetSpread, ...] = ()
    combinations: tuple[Combination, ...] = ()
    plots: tuple[SetPlot, ...] = ()


class SetResults(SetTables):
    """Everything the report shows of set theory."""

    replicates: int
    rows: int = 0
    """Firms whose capitals and outcome are known."""
    necessity_cuts: tuple[float, float]
    """Consistency and RoN."""
    sufficiency_cuts: tuple[float, float]
    """Consistency and PRI."""
    case_cut: int
    """Rows of truth tables with fewer cases are remainders."""
    notes: tuple[str, ...]


class PlainSets(SetTables):
    """Set theory on a table of cases, without a model."""

    table: str
    outcome: str
    cases: int
    case_cut: int
    inclusion_cut: float
    pri_cut: float
    warnings: tuple[str, ...]
