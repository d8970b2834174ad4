"""Which combinations of conditions are necessary (supersets) or sufficient (subsets).

Disjunctions are searched for necessity and conjunctions for sufficiency, with every condition
present, absent or left out. A combination is left out where a part of it passes already: adding an
alternative can only raise the consistency of necessity, and of such there is no end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import combinations, product
from typing import NamedTuple

from bayescluster.arrays import Array
from bayescluster.hypotheses.sets.measures import (
    PLAIN,
    Necessity,
    Sufficiency,
    Total,
    conjunction,
    disjunction,
    necessity,
    negation,
    passes,
    reaches,
    sufficiency,
)

Literals = tuple[tuple[str, bool], ...]
"""Names of conditions, each present or absent."""


class Found[Measures: (Necessity, Sufficiency)](NamedTuple):
    """A combination that passes, in words, and its measures."""

    expression: str
    literals: Literals
    measures: Measures


def necessary_disjunctions(
    conditions: Mapping[str, Array],
    outcome: Array,
    order: int,
    cuts: tuple[float, float],
    total: Total = PLAIN,
) -> tuple[Found[Necessity], ...]:
    """Disjunctions of at most ``order`` conditions whose consistency and RoN reach the cuts."""
    least, relevance = cuts

    def measured(literals: Literals) -> Found[Necessity] | None:
        joined = disjunction(*_memberships(literals, conditions))
        values = necessity(joined, outcome, total)
        passed = reaches(values.consistency, least) and reaches(values.relevance, relevance)
        return Found(" + ".join(_words(literals)), literals, values) if passed else None

    return tuple(_minimal(tuple(conditions), order, measured))


def sufficient_conjunctions(
    conditions: Mapping[str, Array],
    outcome: Array,
    order: int,
    cuts: tuple[float, float],
    total: Total = PLAIN,
) -> tuple[Found[Sufficiency], ...]:
    """Conjunctions of at most ``order`` conditions whose consistency and PRI reach the cuts."""
    least, pri = cuts

    def measured(literals: Literals) -> Found[Sufficiency] | None:
        joined = conjunction(*_memberships(literals, conditions))
        values = sufficiency(joined, outcome, total)
        passed = passes(values, least, pri)
        return Found("*".join(_words(literals)), literals, values) if passed else None

    return tuple(_minimal(tuple(conditions), order, measured))


def _minimal[M: (Necessity, Sufficiency)](
    names: tuple[str, ...], order: int, measured: Callable[[Literals], Found[M] | None]
) -> Iterator[Found[M]]:
    passed: list[frozenset[tuple[str, bool]]] = []
    for size in range(1, min(order, len(names)) + 1):
        for chosen in combinations(names, size):
            for signs in product((True, False), repeat=size):
                literals = tuple(zip(chosen, signs, strict=True))
                if any(part <= frozenset(literals) for part in passed):
                    continue
                found = measured(literals)
                if found is not None:
                    passed.append(frozenset(literals))
                    yield found


def _memberships(literals: Literals, conditions: Mapping[str, Array]) -> list[Array]:
    return [conditions[name] if here else negation(conditions[name]) for name, here in literals]


def _words(literals: Literals) -> list[str]:
    return [name if here else f"~{name}" for name, here in literals]
