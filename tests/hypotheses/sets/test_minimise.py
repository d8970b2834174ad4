"""Boolean minimisation against brute force on random tables; truth tables and solutions."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest

from bayescluster.features.sets.measures import sufficiency
from bayescluster.features.sets.truth_table import (
    Cuts,
    Implicant,
    TruthRow,
    minimised,
    necessary_disjunctions,
    prime_implicants,
    solutions,
    sufficient_conjunctions,
    truth_table,
    words_of,
)


def all_terms(conditions: int) -> list[Implicant]:
    terms = []
    for signs in product((None, 0, 1), repeat=conditions):
        care = sum(1 << k for k, sign in enumerate(signs) if sign is not None)
        value = sum(1 << k for k, sign in enumerate(signs) if sign == 1)
        terms.append(Implicant(value, care))
    return terms


def rows_of(term: Implicant, conditions: int) -> frozenset[int]:
    return frozenset(row for row in range(1 << conditions) if term.covers(row))


def random_table(rng: np.random.Generator, conditions: int) -> tuple[set[int], set[int]]:
    codes = rng.choice(3, size=1 << conditions, p=(0.4, 0.35, 0.25))
    return set(np.flatnonzero(codes == 0).tolist()), set(np.flatnonzero(codes == 1).tolist())


@pytest.mark.parametrize("conditions", [1, 2, 3])
def test_minimisation_is_that_of_brute_force(conditions):
    rng = np.random.default_rng(conditions)
    for _ in range(60):
        positive, optional = random_table(rng, conditions)
        allowed = [
            term
            for term in all_terms(conditions)
            if rows_of(term, conditions) <= positive | optional
        ]
        primes = {
            term
            for term in allowed
            if not any(term != other and term.within(other) for other in allowed)
            and rows_of(term, conditions) & positive
        }
        assert set(prime_implicants(positive, optional, conditions)) == primes
        wanted: set[frozenset[Implicant]] = set()
        for size in range(1, len(positive) + 1):
            wanted = {
                frozenset(some)
                for some in combinations(primes, size)
                if positive <= set().union(*(rows_of(term, conditions) for term in some))
            }
            if wanted:
                break
        found = minimised(positive, optional, conditions)
        assert {frozenset(solution) for solution in found} == wanted
        assert len(found) == len(wanted)


@pytest.mark.parametrize("conditions", [4, 5])
def test_solutions_are_true_where_they_must_be_and_nowhere_they_must_not(conditions):
    rng = np.random.default_rng(40 + conditions)
    for _ in range(10):
        positive, optional = random_table(rng, conditions)
        for solution in minimised(positive, optional, conditions):
            covered = set().union(*(rows_of(term, conditions) for term in solution))
            assert positive <= covered <= positive | optional


def test_tied_solutions_are_all_told():
    # the cyclic table: every row is in two primes, and two ways of three terms cover all six
    found = minimised({0, 1, 2, 5, 6, 7}, (), 3)
    said = {" + ".join(sorted(words_of(term, "ABC") for term in one)) for one in found}
    assert said == {"A*C + ~A*B + ~B*~C", "A*~B + B*C + ~A*~C"}


def test_nothing_positive_has_no_solution_and_everything_positive_is_true():
    assert minimised((), (1, 2), 2) == ()
    assert [words_of(term, "AB") for term in minimised({0, 1, 2, 3}, (), 2)[0]] == ["1"]


def coded(**rows: str) -> list[TruthRow]:
    """Rows of a table by their code: 1, 0 or ?; bits are A, B, C from the left."""
    return [
        TruthRow(
            sum(int(bit) << k for k, bit in enumerate(name[1:])),
            (),
            0.0,
            0.0,
            {"1": True, "0": False, "?": None}[code],
        )
        for name, code in rows.items()
    ]


def said(found: tuple[tuple[Implicant, ...], ...], names: str = "ABC") -> list[str]:
    return [" + ".join(words_of(term, names) for term in one) for one in found]


def test_intermediate_solution_uses_only_remainders_that_are_expected_to_help():
    # strong unions U, mobilisation M, weak defence D (Ragin 2008, chapter 9, in small)
    rows = coded(r111="?", r110="1", r101="?", r100="0", r011="0", r010="0", r001="0", r000="0")
    expected = {2: "present"}
    found = solutions(rows, 3, expected)
    assert said(found["complex"]) == ["A*B*~C"]
    assert said(found["parsimonious"]) == ["A*B"]
    assert said(found["intermediate"]) == ["A*B"]
    assert said(solutions(rows, 3, {2: "absent"})["intermediate"]) == ["A*B*~C"]
    assert said(solutions(rows, 3, {})["intermediate"]) == ["A*B*~C"]


def test_intermediate_stands_between_complex_and_parsimonious():
    rng = np.random.default_rng(8)
    for _ in range(40):
        codes = rng.choice(np.array(["1", "0", "?"]), size=16, p=(0.3, 0.3, 0.4))
        rows = [
            TruthRow(k, (), 0.0, 0.0, {"1": True, "0": False, "?": None}[code])
            for k, code in enumerate(codes)
        ]
        ways = rng.choice(3, size=4)
        expected = {k: ("present", "absent")[way] for k, way in enumerate(ways) if way < 2}
        found = solutions(rows, 4, expected)
        positive = {row.configuration for row in rows if row.outcome is True}
        negative = {row.configuration for row in rows if row.outcome is False}
        for one in found["intermediate"]:
            covered = set().union(*(rows_of(term, 4) for term in one))
            assert positive <= covered
            assert not covered & negative
            assert any(
                all(any(term.within(wide) for wide in short) for term in one)
                for short in found["parsimonious"]
            )
        assert bool(found["intermediate"]) == bool(positive)


def test_truth_table_by_hand():
    rng = np.random.default_rng(2)
    a, b, y = rng.random((3, 25))
    a[3] = 0.5
    rows = truth_table([a, b], y, Cuts(cases=4, consistency=0.7, pri=0.4))
    assert [row.configuration for row in rows] == [0, 1, 2, 3]
    for row in rows:
        first = a if row.configuration & 1 else 1 - a
        second = b if row.configuration & 2 else 1 - b
        inside = np.minimum(first, second)
        cases = [i for i in range(25) if inside[i] > 0.5]
        assert list(row.cases) == cases
        assert 3 not in row.cases
        want = sufficiency(inside, y)
        assert (row.consistency, row.pri) == (want.consistency, want.pri)
        if len(cases) < 4:
            assert row.outcome is None
        else:
            assert row.outcome == (want.consistency >= 0.7 and want.pri >= 0.4)


def test_search_finds_shortest_combinations_only():
    a = np.array([1, 1, 0, 0, 1, 0.0])
    b = np.array([0, 0, 1, 1, 1, 0.0])
    c = np.array([1, 0, 1, 0, 0, 1.0])
    either = np.maximum(a, b)
    found = necessary_disjunctions({"A": a, "B": b, "C": c}, either, 3, (0.99, 0.0))
    assert found[0].expression == "A + B"
    assert not any({"A", "B"} < {name for name, here in one.literals if here} for one in found)
    both = np.minimum(a, b)
    pairs = sufficient_conjunctions({"A": a, "B": b, "C": c}, both, 3, (0.99, 0.0))
    assert "A*B" in [one.expression for one in pairs]
    assert all(one.measures.consistency >= 0.99 for one in pairs)
