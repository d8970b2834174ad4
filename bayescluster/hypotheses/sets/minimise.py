"""Boolean minimisation: all shortest sums of prime implicants (Quine 1952; McCluskey 1956; Petrick 1956).

Written here because libraries give one minimal form, and a solution that is one of several tied ones
should not be shown as if it were the only one. Rows of a truth table are whole numbers whose bits
are the conditions, the first condition the lowest bit.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Final, NamedTuple

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
    """All sums of the fewest terms that cover every row; the terms together must cover them."""
    if not rows:
        return ()
    covered = {one: frozenset(filter(one.covers, rows)) for one in terms}
    for size in range(1, len(rows) + 1):
        found: set[Solution] = set()
        for some in _sums(rows, covered, size):
            found.add(tuple(sorted(some)))
            if len(found) == MOST_SOLUTIONS:
                break
        if found:
            return tuple(sorted(found))
    raise AssertionError("one term a row always suffices")


def _sums(
    left: frozenset[int], covered: dict[Implicant, frozenset[int]], size: int
) -> Iterator[Solution]:
    """Sums of at most so many terms that cover the rows left."""
    if not left:
        yield ()
        return
    most = max((len(rows & left) for rows in covered.values()), default=0)
    if size * most < len(left):
        return
    # the row with the fewest ways to be covered: one of them must be taken
    row = min(left, key=lambda one: (sum(one in rows for rows in covered.values()), one))
    for term, rows in covered.items():
        if row in rows:
            for rest in _sums(left - rows, covered, size - 1):
                yield (term, *rest)


def _bits(mask: int) -> Iterator[int]:
    while mask:
        bit = mask & -mask
        yield bit
        mask ^= bit
