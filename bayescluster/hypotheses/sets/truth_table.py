"""Truth tables of fuzzy sets, and their complex, parsimonious and intermediate solutions.

A case belongs to the row in which its membership is above .5; a case with a membership of exactly .5
in a condition belongs to none. Rows with enough cases are coded by their consistency and PRI, all
others are logical remainders. Source: Ragin (2008), chapters 7 to 9.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal, NamedTuple

import numpy as np

from bayescluster.arrays import Array
from bayescluster.hypotheses.sets.calibration import AMBIGUOUS
from bayescluster.hypotheses.sets.measures import (
    PLAIN,
    Total,
    conjunction,
    negation,
    passes,
    sufficiency,
)
from bayescluster.hypotheses.sets.minimise import (
    Implicant,
    Solution,
    minimised,
    prime_implicants,
    shortest_sums,
)

Kind = Literal["complex", "parsimonious", "intermediate"]
KINDS: Final[tuple[Kind, ...]] = ("complex", "parsimonious", "intermediate")
Expectation = Literal["present", "absent"]
MOST_CONDITIONS: Final = 10
"""Truth tables of more conditions have more rows than any table of firms can fill."""


class Cuts(NamedTuple):
    """Least number of cases, consistency and PRI of a row that is coded as having the outcome."""

    cases: int = 1
    consistency: float = 0.8
    pri: float = 0.0


class TruthRow(NamedTuple):
    """A configuration: its cases by position, its measures, and how it is coded.

    ``outcome`` is True, False, or None for a logical remainder.
    """

    configuration: int
    cases: tuple[int, ...]
    consistency: float
    pri: float
    outcome: bool | None


def term_membership(term: Implicant, conditions: Sequence[Array]) -> Array:
    """Membership in a conjunction of conditions, each ``(..., row)``."""
    parts = [
        one if term.value >> k & 1 else negation(one)
        for k, one in enumerate(conditions)
        if term.care >> k & 1
    ]
    return conjunction(*parts) if parts else np.ones_like(conditions[0])


def truth_table(
    conditions: Sequence[Array], outcome: Array, cuts: Cuts, total: Total = PLAIN
) -> tuple[TruthRow, ...]:
    """Code every configuration of the conditions.

    Parameters
    ----------
    conditions
        Memberships, ``(row,)`` each.
    outcome
        Memberships in the outcome, ``(row,)``.
    cuts
        What a row must reach.
    total
        How rows are added.

    Returns
    -------
    tuple of TruthRow
        All ``2 ** len(conditions)`` configurations, in order.
    """
    everything = (1 << len(conditions)) - 1
    found = []
    for configuration in range(everything + 1):
        inside = term_membership(Implicant(configuration, everything), conditions)
        cases = tuple(int(k) for k in np.flatnonzero(inside > AMBIGUOUS))
        measured = sufficiency(inside, outcome, total)
        coded = passes(measured, cuts.consistency, cuts.pri)
        enough = len(cases) >= max(cuts.cases, 1)
        found.append(
            TruthRow(
                configuration,
                cases,
                float(measured.consistency),
                float(measured.pri),
                bool(coded) if enough else None,
            )
        )
    return tuple(found)


def solutions(
    rows: Sequence[TruthRow], conditions: int, expected: Mapping[int, Expectation]
) -> dict[Kind, tuple[Solution, ...]]:
    """All tied solutions of each kind.

    Parameters
    ----------
    rows
        The truth table.
    conditions
        Number of conditions.
    expected
        By position of the condition, whether its presence or its absence is expected to go with the
        outcome: says which remainders the intermediate solution may use.
    """
    positive = [row.configuration for row in rows if row.outcome is True]
    remainders = [row.configuration for row in rows if row.outcome is None]
    complex_ones = minimised(positive, (), conditions)
    parsimonious = minimised(positive, remainders, conditions)
    found: set[Solution] = set()
    for whole in complex_ones:
        for short in parsimonious:
            easy = _easy(whole, short, expected, remainders)
            found.update(_within(short, positive, easy, conditions))
    return {
        "complex": complex_ones,
        "parsimonious": parsimonious,
        "intermediate": tuple(sorted(found)),
    }


def _within(
    short: Solution, positive: Sequence[int], easy: Sequence[int], conditions: int
) -> tuple[Solution, ...]:
    """Shortest sums of terms within a parsimonious solution that use easy remainders only."""
    terms = {
        term
        for core in short
        for term in prime_implicants(
            list(filter(core.covers, positive)), list(filter(core.covers, easy)), conditions
        )
    }
    return shortest_sums(frozenset(positive), sorted(terms))


def _easy(
    whole: Solution,
    short: Solution,
    expected: Mapping[int, Expectation],
    remainders: Sequence[int],
) -> list[int]:
    """Remainders that only add what is expected to help to a row that has the outcome already."""
    terms = [
        _without_surprises(one, core, expected)
        for one in whole
        for core in short
        if one.within(core)
    ]
    return [row for row in remainders if any(term.covers(row) for term in terms)]


def _without_surprises(
    one: Implicant, core: Implicant, expected: Mapping[int, Expectation]
) -> Implicant:
    """Leave out conditions beyond the core that have the outcome in spite of what is expected."""
    care = one.care
    for position, way in expected.items():
        bit = 1 << position
        present = bool(one.value & bit)
        if care & bit and not core.care & bit and present != (way == "present"):
            care ^= bit
    return Implicant(one.value & care, care)
