"""Truth tables with their solutions and combinations, of any cases: as rows of the results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayescluster.arrays import Array
from bayescluster.estimands.summary import number
from bayescluster.hypotheses.sets.calibration import AMBIGUOUS
from bayescluster.hypotheses.sets.measures import (
    Sufficiency,
    Total,
    disjunction,
    spread_between,
    sufficiency,
    total_of,
    unique_coverage,
)
from bayescluster.hypotheses.sets.minimise import Implicant, Solution, words_of
from bayescluster.hypotheses.sets.search import necessary_disjunctions, sufficient_conjunctions
from bayescluster.hypotheses.sets.truth_table import (
    KINDS,
    Cuts,
    Expectation,
    Kind,
    TruthRow,
    solutions,
    term_membership,
    truth_table,
)
from bayescluster.results.base import By
from bayescluster.results.sets import (
    Combination,
    Relation,
    SetMeasureName,
    SetSpread,
    SolutionTerm,
    TruthTableRow,
)

SHOWN_CASES: Final = 8
"""Cases that are named in a row of a truth table."""
SHOWN_SOLUTIONS: Final = 5
"""Tied solutions that are written out; the others are counted."""


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
    found: dict[Kind, tuple[Solution, ...]]


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


def solution_rows(solved: Solved) -> Iterator[SolutionTerm]:
    """Terms of every kind of solution, and each solution as a whole."""
    for kind in KINDS:
        tied = solved.found[kind]
        for place, solution in enumerate(tied[:SHOWN_SOLUTIONS]):
            yield from _terms(solved.cases, kind, (place + 1, len(tied)), solution)


def _terms(
    cases: Cases, kind: Kind, place: tuple[int, int], solution: Solution
) -> Iterator[SolutionTerm]:
    names, conditions = list(cases.conditions), list(cases.conditions.values())
    memberships = [term_membership(term, conditions) for term in solution]
    unique = unique_coverage(memberships, cases.outcome, cases.total)
    whole = disjunction(*memberships)
    shown = [
        *zip([words_of(term, names) for term in solution], memberships, unique, strict=True),
        (" + ".join(words_of(term, names) for term in solution), whole, None),
    ]
    for words, membership, alone in shown:
        measured: Sufficiency = sufficiency(membership, cases.outcome, cases.total)
        yield SolutionTerm(
            by=cases.by,
            group=cases.group,
            kind=kind,
            solution=place[0],
            tied=place[1],
            term=words,
            whole=alone is None,
            cases=int((membership > AMBIGUOUS).sum()),
            consistency=number(float(measured.consistency)),
            pri=number(float(measured.pri)),
            coverage=number(float(measured.coverage)),
            unique_coverage=None if alone is None else number(float(alone)),
        )


def combinations_of(
    cases: Cases, order: int, necessary: tuple[float, float], sufficient: tuple[float, float]
) -> Iterator[Combination]:
    """Shortest combinations that are necessary or sufficient by the cuts."""
    for need in necessary_disjunctions(
        cases.conditions, cases.outcome, order, necessary, cases.total
    ):
        yield Combination(
            relation="necessity",
            expression=need.expression,
            consistency=float(need.measures.consistency),
            relevance=float(need.measures.relevance),
            pri=None,
            coverage=float(need.measures.coverage),
        )
    for enough in sufficient_conjunctions(
        cases.conditions, cases.outcome, order, sufficient, cases.total
    ):
        yield Combination(
            relation="sufficiency",
            expression=enough.expression,
            consistency=float(enough.measures.consistency),
            relevance=None,
            pri=number(float(enough.measures.pri)),
            coverage=float(enough.measures.coverage),
        )


def spread_rows(
    of: str, labels: Sequence[str], what: tuple[Relation, str], found: tuple[Array, float]
) -> Iterator[SetSpread]:
    """How far the consistencies of groups lie apart; nothing where fewer than two are defined.

    Parameters
    ----------
    of, labels
        The grouping, and its groups.
    what
        Relation and expression.
    found
        Consistencies of the groups, ``(group,)``, and the pooled one.
    """
    of_groups, pooled = found
    known = np.flatnonzero(~np.isnan(of_groups))
    if known.size < 2:
        return
    least, most = known[of_groups[known].argmin()], known[of_groups[known].argmax()]
    yield SetSpread(
        of=of,
        relation=what[0],
        expression=what[1],
        groups=int(known.size),
        pooled=number(pooled),
        smallest=float(of_groups[least]),
        smallest_group=labels[least],
        largest=float(of_groups[most]),
        largest_group=labels[most],
        distance=float(spread_between(of_groups)),
    )
