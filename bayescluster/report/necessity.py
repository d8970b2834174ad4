"""A necessary condition analysis in plain words, line by line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final, NamedTuple

from bayescluster.report.words import MINUS, NONE, count, error, fixed, number, probability
from bayescluster.results.necessity import (
    ALL_ROWS,
    BottleneckKind,
    BottleneckRow,
    CeilingName,
    CeilingRow,
    Necessity,
    Pair,
)

TITLES: Final[dict[CeilingName, str]] = {
    "ce_fdh": "CE-FDH",
    "cr_fdh": "CR-FDH",
    "ce_vrs": "CE-VRS",
    "cr_vrs": "CR-VRS",
    "cols": "COLS",
    "c_lp": "C-LP",
}
DESCRIBED: Final[dict[CeilingName, str]] = {
    "ce_fdh": "a staircase over the outermost rows",
    "cr_fdh": "a least squares line through the corners of the staircase",
    "ce_vrs": "the concave hull of the outermost rows",
    "cr_vrs": "a least squares line through the corners of the hull",
    "cols": "a least squares line through all rows, moved until it has all on one side",
    "c_lp": "the closest line that has all rows on one side",
}
UNITS: Final[dict[BottleneckKind, str]] = {
    "percentage_range": "both in % of their range",
    "actual": "both in their own units",
    "percentile": "outcome: % of rows that do not exceed it; condition: % of rows short of it",
}
NAMED: Final = 12
"""Rows named in a line; the tables name all."""
FEW: Final = 10
"""Rows below which a warning is given."""
LEAST: Final = 0.0005
"""Effect sizes below this, and not 0, are only said to be small."""
FREE: Final = ((30, 0.28), (1000, 0.22))
"""Mean CE-FDH d of normal samples with a correlation of 0.5, in which nothing is necessary: rows,
and the mean over 2,000 samples."""


Bottleneck = tuple[list[Pair], list[tuple[BottleneckRow, ...]]]
"""Conditions side by side, and a row a level with a cell a condition."""


class Direction(NamedTuple):
    """Which outcomes need which conditions, where a corner is empty."""

    outcome: str
    condition: str
    bound: str
    beyond: str


def direction(found: Necessity) -> Direction:
    """Say in words what the corner stands for."""
    upper, left = found.corner.startswith("upper"), found.corner.endswith("left")
    return Direction(
        "high" if upper else "low",
        "high" if left else "low",
        "at least" if left else "at most",
        "above" if upper else "below",
    )


def lines(found: Necessity) -> Iterator[str]:
    """Write an analysis for the terminal."""
    way = direction(found)
    if found.synthetic:
        yield "SYNTHETIC data: nothing here is evidence about real firms."
    yield (
        f"{found.table}: does {way.outcome} {found.outcome} need {way.condition} "
        f"{' or '.join(found.conditions)}?"
    )
    yield from found.notes
    for group in found.groups:
        pairs = found.of(group)
        if found.grouped_by is not None:
            yield ""
            yield f"== {'All rows' if group == ALL_ROWS else f'{found.grouped_by}: {group}'} =="
        for pair in pairs:
            yield ""
            yield from _pair(found, pair)
        yield from _bottlenecks(found, pairs)
    yield ""
    yield "How to read this"
    yield from (f"  - {text}" for text in _reading(found))
    yield "What next"
    yield from (f"  - {text}" for text in _next(found))


def summary_json(found: Necessity) -> str:
    """Write an analysis as JSON, without the rows and the paths of the ceilings."""
    rows = {"names", "x", "y", "paths"}
    return found.model_dump_json(indent=2, exclude={"pairs": {"__all__": rows}})


def need(found: Necessity, row: BottleneckRow) -> str:
    """Write what a level needs, as a cell of a bottleneck table."""
    if row.needed is None:
        return row.status
    return number(row.needed) if found.bottleneck == "actual" else fixed(row.needed, 1)


def level(found: Necessity, row: BottleneckRow) -> str:
    """Write a level of the outcome, as the first cell of a row of a bottleneck table."""
    return _exact(row.level) if found.bottleneck == "actual" else f"{row.level:.4g}"


def tables_of(pairs: Sequence[Pair], ceiling: CeilingName) -> Iterator[Bottleneck]:
    """Bottleneck tables under a ceiling: conditions that share their levels stand side by side.

    Where cells are missing, conditions can have other rows, and so other levels of the outcome.
    """
    cells = [(pair, [row for row in pair.bottlenecks if row.ceiling == ceiling]) for pair in pairs]
    for _, same in groupby(cells, key=lambda item: [(row.level, row.outcome) for row in item[1]]):
        kept = list(same)
        yield [pair for pair, _ in kept], list(zip(*(rows for _, rows in kept), strict=True))


def _pair(found: Necessity, pair: Pair) -> Iterator[str]:
    box = pair.scope
    left_out = f", {_rows(pair.incomplete)} with missing cells left out" if pair.incomplete else ""
    yield (
        f"{pair.condition}: {_rows(len(pair.x))}{left_out}; scope {_exact(box.xmin)} to "
        f"{_exact(box.xmax)} by {_exact(box.ymin)} to {_exact(box.ymax)} "
        f"({'declared' if box.declared else 'their range'})"
    )
    if len(pair.x) < FEW:
        yield f"  Fewer than {FEW} rows: each of them can move d a long way."
    for row in pair.ceilings:
        yield f"  {TITLES[row.ceiling]:<7} {_effect(row)}"
        yield from (f"{'':10}{text}" for text in _details(found, row))


def _effect(row: CeilingRow) -> str:
    if row.effect_size is None:
        return "no d"
    effect = row.effect_size
    said = f"d {'<0.001' if 0 < effect < LEAST else fixed(effect, 3)} ({row.size})"
    if row.p is None:
        return said
    shuffled = NONE if row.independent is None else fixed(row.independent, 3)
    return (
        f"{said}; p {probability(row.p, 3)}, MCSE {error(row.p_mcse)}; shuffled rows: d {shuffled}"
    )


def _details(found: Necessity, row: CeilingRow) -> Iterator[str]:
    if row.slope is not None and row.intercept is not None:
        sign = MINUS if row.slope < 0 else "+"
        yield f"line: {number(row.intercept)} {sign} {number(abs(row.slope))} × {row.condition}"
    if row.effect_size and row.condition_inefficiency is not None:
        yield (
            f"condition inefficiency {_share(row.condition_inefficiency)}, outcome inefficiency "
            f"{_share(row.outcome_inefficiency)}"
        )
    if row.ceiling != "ce_fdh" and row.accuracy is not None:
        fit = f"; fit {_share(row.fit)} of CE-FDH" if row.fit is not None else ""
        yield f"accuracy {_share(row.accuracy)}{fit}"
    if row.peers:
        yield f"peers: {_names(row.peers)}"
    if row.outliers:
        yield f"{direction(found).beyond} it: {_names(row.outliers)}"
    if row.note:
        yield row.note


def _bottlenecks(found: Necessity, pairs: Sequence[Pair]) -> Iterator[str]:
    for ceiling in dict.fromkeys(row.ceiling for row in pairs[0].ceilings):
        for beside, rows in tables_of(pairs, ceiling):
            yield ""
            yield (
                f"Bottleneck by {TITLES[ceiling]}: each level of the outcome needs "
                f"{direction(found).bound} ({UNITS[found.bottleneck]})"
            )
            body = [[level(found, row[0]), *(need(found, cell) for cell in row)] for row in rows]
            yield from _columns([[found.outcome, *(pair.condition for pair in beside)], *body])


def _columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  " + "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))


def _reading(found: Necessity) -> Iterator[str]:
    way = direction(found)
    ceilings = dict.fromkeys(row.ceiling for row in found.pairs[0].ceilings)
    yield (
        f"d is the share of the scope that lies {way.beyond} the ceiling, in the "
        f"{found.corner.replace('_', ' ')} corner, where {way.outcome} {found.outcome} would go "
        f"with {'low' if way.condition == 'high' else 'high'} values of the condition."
    )
    yield "; ".join(f"{TITLES[name]}: {DESCRIBED[name]}" for name in ceilings) + "."
    yield (
        "Small (below 0.1), medium (0.1 to 0.3), large (0.3 to 0.5) and very large are conventions "
        "of Dul (2016), not tests."
    )
    yield from _tested(found)
    yield (
        "d is above 0 where nothing is necessary (Sorjonen 2019): with a correlation of 0.5 and "
        f"nothing more, CE-FDH gives {FREE[0][1]} on average in {FREE[0][0]} rows and "
        f"{FREE[1][1]} in {FREE[1][0]:,}."
    )
    yield (
        "NN (not necessary): any value of the condition goes with that level. NA (not available): "
        "the ceiling does not reach that level anywhere."
    )
    yield "A ceiling says what these rows do not show, not what cannot be; it is an association."


def _tested(found: Necessity) -> Iterator[str]:
    if not found.permutations:
        yield "No permutation test was made: ask for one with --permutations 10000."
        return
    yield (
        f"p is the share of {count(found.permutations)} random pairings of conditions and outcomes "
        "(seed {}; the rows as they are count as one more) with a d as large or larger. It tests "
        "independence. A condition that raises the "
        "outcome, and that others can make up for, is not independent of it either: a small p does "
        "not show necessity.".format(found.seed)
    )


def _next(found: Necessity) -> Iterator[str]:
    yield "Look at the peers, and at rows beyond a line: one wrong cell among them moves d."
    if not all(pair.scope.declared for pair in found.pairs):
        yield "Where a scale has ends that no row reached, declare them with --scope."
    if found.grouped_by is None:
        yield (
            "Rows of several industries or clusters: run again with --group COLUMN. The ceiling of "
            "all rows is set by the most permissive groups."
        )
    else:
        yield (
            "Compare d with that of shuffled rows before comparing groups: with fewer rows, both "
            "are larger. The ceiling of all rows is set by the most permissive groups."
        )
    yield (
        "Ask whether a compensatory model does as well: `bayescluster run` with `structure: "
        "[additive, interaction, conjunctive, ces]` compares them on the same rows."
    )


def _rows(many: int) -> str:
    return f"{count(many)} {'row' if many == 1 else 'rows'}"


def _exact(value: float) -> str:
    """Write an end of a scope with the digits it has, up to six."""
    return f"{value:.6g}".replace("-", MINUS)


def _share(part: float | None) -> str:
    return NONE if part is None else f"{fixed(100 * part, 1)}%"


def _names(names: Sequence[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")
