"""Truth tables of fuzzy sets, and their complex, parsimonious and intermediate solutions.

A case belongs to the row in which its membership is above .5; a case with a membership of exactly .5
in a condition belongs to none. Rows with enough cases are coded by their consistency and PRI, all
others are logical remainders. Source: Ragin (2008), chapters 7 to 9.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import combinations, product
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from bayescluster.arrays import Array
from bayescluster.estimands.diagnostics import number
from bayescluster.features.sets.measures import (
    AMBIGUOUS,
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
    spread_between,
    sufficiency,
    total_of,
    unique_coverage,
)
from bayescluster.features.sets.results import (
    Combination,
    Relation,
    SetMeasureName,
    SetSpread,
    SolutionKind,
    SolutionTerm,
    TruthTableRow,
)
from bayescluster.results.base import By

MOST_SOLUTIONS: Final = 100
"""Tied solutions beyond these are not listed."""


class Implicant(NamedTuple):
    """A conjunction: conditions whose bit is in ``care`` must be as in ``value``."""

    value: int
    care: int

    def covers(self, row: int) -> bool:
        """Whether a row of the truth table is within the conjunction."""
        return row & self.care == self.value

    def within(self, other: Implicant) -> bool:
        """Whether all rows of this conjunction are rows of another."""
        return self.care & other.care == other.care and self.value & other.care == other.value


Solution = tuple[Implicant, ...]


def words_of(term: Implicant, names: Sequence[str]) -> str:
    """Write a conjunction: ``A*~B``; ``1`` where it holds for every row."""
    parts = [
        name if term.value >> k & 1 else f"~{name}"
        for k, name in enumerate(names)
        if term.care >> k & 1
    ]
    return "*".join(parts) or "1"


def prime_implicants(
    positive: Collection[int], optional: Collection[int], conditions: int
) -> tuple[Implicant, ...]:
    """Largest conjunctions within the positive and optional rows that cover a positive one."""
    everything = (1 << conditions) - 1
    level = {Implicant(row, everything) for row in (*positive, *optional)}
    primes: set[Implicant] = set()
    while level:
        merged: set[Implicant] = set()
        wider: set[Implicant] = set()
        for one in level:
            for bit in _bits(one.care):
                if Implicant(one.value ^ bit, one.care) in level:
                    merged.add(one)
                    wider.add(Implicant(one.value & ~bit, one.care & ~bit))
        primes |= level - merged
        level = wider
    return tuple(sorted(one for one in primes if any(map(one.covers, positive))))


def minimised(
    positive: Collection[int], optional: Collection[int], conditions: int
) -> tuple[Solution, ...]:
    """All sums of prime implicants with the fewest terms that cover every positive row.

    Parameters
    ----------
    positive
        Rows with the outcome, all of which are covered.
    optional
        Rows that may be covered or not: logical remainders that are admitted.
    conditions
        Number of conditions.

    Returns
    -------
    tuple of tuple of Implicant
        At most `MOST_SOLUTIONS` tied solutions, sorted; none where no row is positive.
    """
    rows = frozenset(positive)
    return shortest_sums(rows, prime_implicants(rows, frozenset(optional) - rows, conditions))


def shortest_sums(rows: frozenset[int], terms: Collection[Implicant]) -> tuple[Solution, ...]:
    """All sums of the fewest terms that cover every row; the terms together must cover them.

    A term that alone covers some row is in every sum. The other rows fall into parts that share no
    term: the shortest sums are those of the parts, in every combination.
    """
    if not rows:
        return ()
    covering = {row: [one for one in terms if one.covers(row)] for row in sorted(rows)}
    needed = {only[0] for only in covering.values() if len(only) == 1}
    left = {row: each for row, each in covering.items() if needed.isdisjoint(each)}
    sums = [tuple(needed)]
    for part in _parts(left):
        most = -(-MOST_SOLUTIONS // len(sums))
        covers = _smallest_covers([left[row] for row in part], most)
        sums = [(*one, *more) for one in sums for more in covers][:MOST_SOLUTIONS]
    return tuple(sorted(tuple(sorted(one)) for one in sums))


def _parts(covering: Mapping[int, Collection[Implicant]]) -> list[list[int]]:
    """Rows, those that share a term together, directly or through others."""
    if not covering:
        return []
    _, shared = _incidence(covering.values())
    count, part = connected_components(shared @ shared.T)
    rows = np.array(list(covering))
    return [rows[part == number].tolist() for number in range(count)]


def _incidence(rows: Collection[Collection[Implicant]]) -> tuple[list[Implicant], csr_array]:
    """Terms, and which of them each row has, ``(row, term)``."""
    listed = sorted({one for each in rows for one in each})
    return listed, csr_array([[float(one in each) for one in listed] for each in map(set, rows)])


def _smallest_covers(rows: Collection[Collection[Implicant]], most: int) -> list[Solution]:
    """Smallest sets of terms with one of each row: integer programs, those found before ruled out."""
    listed, covers = _incidence(rows)
    constraints = [LinearConstraint(covers, lb=1.0)]
    found: list[Solution] = []
    while len(found) < most:
        least = milp(
            np.ones(len(listed)), integrality=1, bounds=Bounds(0, 1), constraints=constraints
        )
        if least.x is None or (found and round(least.fun) > len(found[0])):
            break
        chosen = least.x.round()
        found.append(tuple(one for one, is_in in zip(listed, chosen, strict=True) if is_in))
        constraints.append(LinearConstraint(chosen[None], ub=chosen.sum() - 1))
    return found


def _bits(mask: int) -> Iterator[int]:
    while mask:
        bit = mask & -mask
        yield bit
        mask ^= bit


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
    rows = []
    for configuration in range(everything + 1):
        inside = term_membership(Implicant(configuration, everything), conditions)
        cases = tuple(int(k) for k in np.flatnonzero(inside > AMBIGUOUS))
        measured = sufficiency(inside, outcome, total)
        coded = passes(measured, cuts.consistency, cuts.pri)
        enough = len(cases) >= max(cuts.cases, 1)
        rows.append(
            TruthRow(
                configuration,
                cases,
                float(measured.consistency),
                float(measured.pri),
                bool(coded) if enough else None,
            )
        )
    return tuple(rows)


def solutions(
    rows: Sequence[TruthRow], conditions: int, expected: Mapping[int, Expectation]
) -> dict[SolutionKind, tuple[Solution, ...]]:
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
    intermediate: set[Solution] = set()
    # many pairs of tied solutions ask for the same
    asked = {
        (short, tuple(_easy(whole, short, expected, remainders)))
        for whole in complex_ones
        for short in parsimonious
    }
    for short, easy in asked:
        # shortest sums of terms within a parsimonious solution that use easy remainders only
        terms = {
            term
            for core in short
            for term in prime_implicants(
                list(filter(core.covers, positive)), list(filter(core.covers, easy)), conditions
            )
        }
        intermediate.update(shortest_sums(frozenset(positive), sorted(terms)))
    return {
        "complex": complex_ones,
        "parsimonious": parsimonious,
        "intermediate": tuple(sorted(intermediate)),
    }


def _easy(
    whole: Solution, short: Solution, expected: Mapping[int, Expectation], remainders: Sequence[int]
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


Literals = tuple[tuple[str, bool], ...]
"""Names of conditions, each present or absent."""


class Passing[Measures: (Necessity, Sufficiency)](NamedTuple):
    """A combination that passes the cuts, in words, and its measures."""

    expression: str
    literals: Literals
    measures: Measures


def necessary_disjunctions(
    conditions: Mapping[str, Array],
    outcome: Array,
    order: int,
    cuts: tuple[float, float],
    total: Total = PLAIN,
) -> tuple[Passing[Necessity], ...]:
    """Disjunctions of at most ``order`` conditions whose consistency and RoN reach the cuts."""

    def passed(literals: Literals) -> Passing[Necessity] | None:
        values = necessity(disjunction(*_memberships(literals, conditions)), outcome, total)
        both = reaches(values.consistency, cuts[0]) and reaches(values.relevance, cuts[1])
        return Passing(" + ".join(_words(literals)), literals, values) if both else None

    return tuple(_shortest(tuple(conditions), order, passed))


def sufficient_conjunctions(
    conditions: Mapping[str, Array],
    outcome: Array,
    order: int,
    cuts: tuple[float, float],
    total: Total = PLAIN,
) -> tuple[Passing[Sufficiency], ...]:
    """Conjunctions of at most ``order`` conditions whose consistency and PRI reach the cuts."""

    def passed(literals: Literals) -> Passing[Sufficiency] | None:
        values = sufficiency(conjunction(*_memberships(literals, conditions)), outcome, total)
        both = passes(values, *cuts)
        return Passing("*".join(_words(literals)), literals, values) if both else None

    return tuple(_shortest(tuple(conditions), order, passed))


def _shortest[M: (Necessity, Sufficiency)](
    names: tuple[str, ...], order: int, passed: Callable[[Literals], Passing[M] | None]
) -> Iterator[Passing[M]]:
    """Combinations that pass, of which no part passes."""
    shorter: list[frozenset[tuple[str, bool]]] = []
    for size in range(1, min(order, len(names)) + 1):
        for chosen in combinations(names, size):
            for signs in product((True, False), repeat=size):
                literals = tuple(zip(chosen, signs, strict=True))
                if any(part <= frozenset(literals) for part in shorter):
                    continue
                passing = passed(literals)
                if passing is not None:
                    shorter.append(frozenset(literals))
                    yield passing


def _memberships(literals: Literals, conditions: Mapping[str, Array]) -> list[Array]:
    return [conditions[name] if here else negation(conditions[name]) for name, here in literals]


def _words(literals: Literals) -> list[str]:
    return [name if here else f"~{name}" for name, here in literals]


SHOWN_CASES: Final = 8
"""Cases that are named in a row of a truth table."""
SHOWN_SOLUTIONS: Final = 5
"""Tied solutions that a report of many groups writes out; the others are counted."""
CRISP: Final = "crisp: 0 or 1"
GIVEN: Final = "memberships as given"
DECLARED: Final = "declared anchors"
"""How a set was calibrated."""

MEASURES: Final[dict[Relation, tuple[SetMeasureName, ...]]] = {
    "necessity": ("consistency", "RoN", "coverage"),
    "sufficiency": ("consistency", "PRI", "coverage"),
}
"""Measures in the order of `Necessity` and `Sufficiency`."""


class Cases(NamedTuple):
    """Cases of one group with their memberships.

    ``conditions`` is by name, in order, ``(case,)`` each; so are ``outcome`` and ``weights``.
    """

    by: By
    group: str
    names: Sequence[str]
    conditions: Mapping[str, Array]
    outcome: Array
    weights: Array | None = None

    @property
    def total(self) -> Total:
        """How the cases are added."""
        return total_of(self.weights)

    def at(self, which: NDArray[np.bool_], by: By, group: str) -> Cases:
        """Some of the cases, as a group."""
        return Cases(
            by,
            group,
            [name for name, here in zip(self.names, which, strict=True) if here],
            {name: values[which] for name, values in self.conditions.items()},
            self.outcome[which],
            None if self.weights is None else self.weights[which],
        )


class Solved(NamedTuple):
    """The truth table of a group and all its solutions."""

    cases: Cases
    rows: tuple[TruthRow, ...]
    solutions: dict[SolutionKind, tuple[Solution, ...]]
    """By kind, complex first."""


def solve(cases: Cases, cuts: Cuts, expected: Mapping[str, Expectation]) -> Solved:
    """Code the truth table of a group, and minimise it."""
    conditions = list(cases.conditions.values())
    rows = truth_table(conditions, cases.outcome, cuts, cases.total)
    places = {name: k for k, name in enumerate(cases.conditions)}
    by_place = {places[name]: way for name, way in expected.items() if name in places}
    return Solved(cases, rows, solutions(rows, len(conditions), by_place))


def truth_rows(solved: Solved) -> Iterator[TruthTableRow]:
    """Rows of a truth table: those with the outcome first, remainders last."""
    order = {True: 0, False: 1, None: 2}
    names = list(solved.cases.conditions)
    everything = (1 << len(names)) - 1
    for row in sorted(solved.rows, key=lambda one: (order[one.outcome], -len(one.cases))):
        yield TruthTableRow(
            by=solved.cases.by,
            group=solved.cases.group,
            configuration=words_of(Implicant(row.configuration, everything), names),
            cases=len(row.cases),
            consistency=number(row.consistency),
            pri=number(row.pri),
            outcome="?" if row.outcome is None else "1" if row.outcome else "0",
            firms=tuple(solved.cases.names[k] for k in row.cases[:SHOWN_CASES]),
        )


def solution_rows(solved: Solved, most: int = MOST_SOLUTIONS) -> Iterator[SolutionTerm]:
    """Terms of every kind of solution, and each solution as a whole; the first ``most`` of those tied."""
    cases = solved.cases
    names, conditions = list(cases.conditions), list(cases.conditions.values())
    for kind, tied in solved.solutions.items():
        for place, solution in enumerate(tied[:most], 1):
            terms = [words_of(term, names) for term in solution]
            memberships = [term_membership(term, conditions) for term in solution]
            unique = unique_coverage(memberships, cases.outcome, cases.total)
            shown = [
                *zip(terms, memberships, unique, strict=True),
                (" + ".join(terms), disjunction(*memberships), None),
            ]
            for words, membership, only_here in shown:
                measured = sufficiency(membership, cases.outcome, cases.total)
                yield SolutionTerm(
                    by=cases.by,
                    group=cases.group,
                    kind=kind,
                    solution=place,
                    tied=len(tied),
                    term=words,
                    whole=only_here is None,
                    cases=int((membership > AMBIGUOUS).sum()),
                    consistency=number(float(measured.consistency)),
                    pri=number(float(measured.pri)),
                    coverage=number(float(measured.coverage)),
                    unique_coverage=None if only_here is None else number(float(only_here)),
                )


def combinations_of(
    cases: Cases, order: int, necessary: tuple[float, float], sufficient: tuple[float, float]
) -> Iterator[Combination]:
    """Shortest combinations that are necessary or sufficient by the cuts."""
    conditions, outcome, total = cases.conditions, cases.outcome, cases.total
    for need in necessary_disjunctions(conditions, outcome, order, necessary, total):
        yield Combination(
            relation="necessity",
            expression=need.expression,
            consistency=float(need.measures.consistency),
            relevance=float(need.measures.relevance),
            pri=None,
            coverage=float(need.measures.coverage),
        )
    for enough in sufficient_conjunctions(conditions, outcome, order, sufficient, total):
        yield Combination(
            relation="sufficiency",
            expression=enough.expression,
            consistency=float(enough.measures.consistency),
            relevance=None,
            pri=number(float(enough.measures.pri)),
            coverage=float(enough.measures.coverage),
        )


def spread_rows(
    of: str, labels: Sequence[str], what: tuple[Relation, str], of_groups: Array, pooled: float
) -> Iterator[SetSpread]:
    """How far the consistencies of groups lie apart; nothing where fewer than two are defined.

    Parameters
    ----------
    of, labels
        The grouping, and its groups.
    what
        Relation and expression.
    of_groups, pooled
        Consistencies of the groups, ``(group,)``, and that of all.
    """
    defined = np.flatnonzero(~np.isnan(of_groups))
    if defined.size < 2:
        return
    least, most = defined[of_groups[defined].argmin()], defined[of_groups[defined].argmax()]
    yield SetSpread(
        of=of,
        relation=what[0],
        expression=what[1],
        groups=int(defined.size),
        pooled=number(pooled),
        smallest=float(of_groups[least]),
        smallest_group=labels[least],
        largest=float(of_groups[most]),
        largest_group=labels[most],
        distance=float(spread_between(of_groups)),
    )
