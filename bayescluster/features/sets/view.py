"""Set theory: calibration, measures of necessity and sufficiency, truth table and solutions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby, product, starmap
from operator import attrgetter
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayescluster.features.sets.results import (
    Combination,
    PlainSets,
    Relation,
    SetMeasure,
    SetMeasureName,
    SetPlot,
    SetResults,
    SetRow,
    SetSpread,
    SolutionKind,
    SolutionTerm,
    TruthTableRow,
)
from bayescluster.kit import words
from bayescluster.kit.figure import (
    FIRST,
    LINE,
    MUTED,
    WIDE,
    canvas,
    plain_text,
    settings,
    standalone,
)
from bayescluster.kit.table import Column, View, csv_text, number, raw_tables
from bayescluster.results.model import Results
from bayescluster.runs.files import write_text

SPREAD: Final = 0.03
"""How far points of a yes-or-no set are moved apart, so that they can be distinguished."""
SEED: Final = 20080301


def xy_plots(plots: tuple[SetPlot, ...], outcome: str) -> Figure:
    """Draw XY plots side by side: membership across, membership in the outcome up."""
    columns = min(len(plots), 3)
    lines = -(-len(plots) // columns)
    with settings():
        figure = canvas(WIDE * columns / 3, lines * 2.55)
        for place, plot in enumerate(plots):
            axes = figure.add_subplot(lines, columns, place + 1)
            _panel(axes, plot)
            if place % columns == 0:
                axes.set_ylabel(f"membership in {outcome}")
            axes.tick_params(labelleft=place % columns == 0)
        return plain_text(figure)


def _panel(axes: Axes, plot: SetPlot) -> None:
    points = np.array(plot.points).reshape(-1, 2)
    rng = np.random.default_rng(SEED)
    for k in range(2):
        # only whole memberships are moved, and only into the frame: the rest stay where they are
        whole = np.isin(points[:, k], (0.0, 1.0))
        if whole.all():
            inward = np.where(points[:, k] > 0.5, -1.0, 1.0)
            points[:, k] += inward * rng.uniform(0, 2 * SPREAD, len(points))
    axes.fill_between((0, 1), (0, 1), (1, 1), color=LINE, alpha=0.35, linewidth=0, zorder=0)
    axes.plot((0, 1), (0, 1), color=MUTED, linewidth=0.9, zorder=2)
    for place in (axes.axhline, axes.axvline):
        place(0.5, color=LINE, linewidth=0.8, linestyle=(0, (3, 3)), zorder=1)
    axes.plot(
        points[:, 0],
        points[:, 1],
        linestyle="",
        marker="o",
        markersize=2.6,
        markeredgewidth=0,
        color=FIRST,
        alpha=0.55,
        zorder=3,
    )
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.02)
    axes.set_xticks((0, 0.5, 1), ("0", ".5", "1"))
    axes.set_yticks((0, 0.5, 1), ("0", ".5", "1"))
    axes.set_xlabel(f"membership in {plot.expression}")
    axes.set_title(words.label(plot.label))


EXPRESSIONS: Final = {
    "H": "Human capital",
    "S": "Social capital",
    "H+S": "Either capital",
    "H*S": "Both capitals",
}
"""Expressions of the tables of measures; the others are rows of the truth table."""
FIELD_NAMES: Final[dict[Relation, dict[SetMeasureName, str]]] = {
    "necessity": {"consistency": "inclN", "RoN": "RoN", "coverage": "covN"},
    "sufficiency": {"consistency": "inclS", "PRI": "PRI", "coverage": "covS"},
}
"""Measures as users of QCA write them."""


class _Measures(NamedTuple):
    """The measures of one expression in one group, by name."""

    by: str
    group: str
    expression: str
    of: dict[SetMeasureName, SetMeasure]

    @property
    def members(self) -> int:
        return self.of["consistency"].members


def views(results: Results) -> Iterator[View[Any]]:
    """Sets, measures, truth tables, solutions and combinations of a run, as they are written."""
    sets = results.sets
    assert sets is not None
    yield View("sets", SetRow, rows=sets.sets)
    for relation in FIELD_NAMES:
        mine = tuple(one for one in sets.measures if one.relation == relation)
        yield View("set_measures", SetMeasure, rows=mine)
    yield View("set_spreads", SetSpread, rows=sets.spreads)
    for by in ("all", "industry"):
        rows = tuple(row for row in sets.truth_table if row.by == by)
        yield View("set_truth_table", TruthTableRow, rows=rows)
    for by in ("all", "industry"):
        terms = tuple(row for row in sets.solutions if row.by == by)
        yield View("set_solutions", SolutionTerm, rows=terms)
    yield View("set_combinations", Combination, rows=sets.combinations)
    yield measures(sets)


def measures(sets: SetResults) -> View[tuple[SetMeasure, ...]]:
    """Consistency of each capital with the outcome, as necessary and as sufficient, by group."""
    groups: dict[tuple[str, str], list[SetMeasure]] = {}
    for one in sets.measures:
        if one.by != "cluster" and one.measure == "consistency":
            groups.setdefault((one.by, one.group), []).append(one)

    def column(letter: str, relation: Relation) -> Column[tuple[SetMeasure, ...]]:
        return number(
            f"{EXPRESSIONS[letter]}: {relation}",
            lambda group: next(
                (one for one in group if (one.expression, one.relation) == (letter, relation)), None
            ),
            _with_interval,
        )

    return View(
        "set_measures",
        SetMeasure,
        "Consistency of each capital with the outcome",
        (
            Column("Group", lambda group: words.group(group[0].by, group[0].group)),
            *starmap(column, product(("H", "S"), FIELD_NAMES)),
        ),
        tuple(map(tuple, groups.values())),
        f"Cuts: {sets.necessity_cuts[0]:g} for necessity, {sets.sufficiency_cuts[0]:g} for sufficiency; "
        "the consistency of one is the coverage of the other. In brackets 90% intervals, clusters of "
        "firms resampled.",
        records=(),
    )


def solution_words(sets: SetResults) -> str:
    """Solutions of all firms, intermediate ones where there are any, or that there is none."""
    mine = [row for row in sets.solutions if row.by == "all"]
    kind = next((name for name in KINDS if any(row.kind == name for row in mine)), None)
    if kind is None:
        return "No configuration of all firms is coded as having the outcome: there is no solution."
    terms: dict[int, list[SolutionTerm]] = {}
    for row in mine:
        if row.kind == kind:
            terms.setdefault(row.solution, []).append(row)
    listed = "; or ".join(map(_solution, list(terms.values())[:MOST_SOLUTIONS]))
    more = f"; and {len(terms) - MOST_SOLUTIONS} more" if len(terms) > MOST_SOLUTIONS else ""
    return f"Solution of all firms ({kind}): {listed}{more}."


KINDS: Final[tuple[SolutionKind, ...]] = ("intermediate", "complex", "parsimonious")
"""Solutions in the order of preference for the page."""


def _solution(terms: list[SolutionTerm]) -> str:
    whole = next((row for row in terms if row.whole), terms[0])
    written = " + ".join(row.term for row in terms if not row.whole) or whole.term
    return f"{written} (consistency {_two(whole.consistency)}, coverage {_two(whole.coverage)})"


MOST_SOLUTIONS: Final = 3
"""Tied solutions that are named on the page."""


def _with_interval(one: SetMeasure | None) -> str:
    if one is None:
        return words.NONE
    interval = f" [{_two(one.low)}, {_two(one.high)}]" if one.low is not None else ""
    return f"{_two(one.observed)}{interval}"


def _by_expression(measures: Iterable[SetMeasure]) -> tuple[_Measures, ...]:
    """One row a group and expression, groups in the order of their first."""
    rows: dict[tuple[str, str, str], _Measures] = {}
    for one in measures:
        key = (one.by, one.group, one.expression)
        rows.setdefault(key, _Measures(*key, {})).of[one.measure] = one
    groups = list(dict.fromkeys(key[:2] for key in rows))
    return tuple(sorted(rows.values(), key=lambda row: groups.index((row.by, row.group))))


def _second_measure(row: Combination) -> float | None:
    return row.relevance if row.relation == "necessity" else row.pri


def _threes(**labels: str) -> list[Column[Any]]:
    """Columns of numbers with three decimals, by field."""
    return [number(label, name, _three) for name, label in labels.items()]


def _two(value: float | None) -> str:
    return words.NONE if value is None else words.fixed(value, 2)


def _three(value: float | None) -> str:
    return words.NONE if value is None else words.fixed(value, 3)


def plain_views(plain: PlainSets) -> Iterator[View[Any]]:
    """Tables of a plain table of cases, in the words that users of QCA know."""
    yield View("sets", SetRow, rows=plain.sets)
    groups = dict.fromkeys((one.by, one.group) for one in plain.measures)
    yield from (_plain_measures(plain, group, name) for group in groups for name in FIELD_NAMES)
    yield _plain_spreads(plain)
    yield _plain_truth_table(plain)
    yield from _plain_solutions(plain)
    yield from (_plain_combinations(plain, relation) for relation in FIELD_NAMES)


def _plain_measures(
    plain: PlainSets, group: tuple[str, str], relation: Relation
) -> View[_Measures]:
    records = tuple(
        one for one in plain.measures if (one.by, one.group) == group and one.relation == relation
    )

    def column(name: SetMeasureName, label: str) -> Column[_Measures]:
        return number(label, lambda row: row.of[name].observed, _three)

    return View(
        "set_measures",
        SetMeasure,
        relation.capitalize() + ("" if group[0] == "all" else f", {' '.join(group)}"),
        (Column("", "expression"), *starmap(column, FIELD_NAMES[relation].items())),
        _by_expression(records),
        records=records,
    )


def _plain_spreads(plain: PlainSets) -> View[SetSpread]:
    of = plain.spreads[0].of if plain.spreads else ""
    return View(
        "set_spreads",
        SetSpread,
        f"Consistency by {of}: pooled, and between groups",
        (
            Column("", "expression"),
            Column("", "relation"),
            *_threes(pooled="pooled", smallest="smallest", largest="largest", distance="dBP"),
        ),
        plain.spreads,
    )


def _plain_truth_table(plain: PlainSets) -> View[TruthTableRow]:
    rows = tuple(row for row in plain.truth_table if row.cases)
    empty, pri = len(plain.truth_table) - len(rows), plain.pri_cut
    return View(
        "set_truth_table",
        TruthTableRow,
        f"Truth table (n at least {plain.case_cut}, inclS at least {plain.inclusion_cut:g}"
        + (f", PRI at least {pri:g})" if pri else ")"),
        (
            Column("", "configuration"),
            Column("OUT", "outcome", numeric=True),
            number("n", "cases"),
            *_threes(consistency="inclS", pri="PRI"),
            Column(
                "cases",
                lambda row: ", ".join(row.firms) + (", ..." if row.cases > len(row.firms) else ""),
            ),
        ),
        rows,
        f"{empty} of {len(plain.truth_table)} configurations have no case." if empty else "",
        records=plain.truth_table,
    )


def _plain_solutions(plain: PlainSets) -> Iterator[View[SolutionTerm]]:
    """A table a solution; tied ones are numbered."""
    if not plain.solutions:
        yield View("set_solutions", SolutionTerm)
    for (kind, place, tied), terms in groupby(
        plain.solutions, attrgetter("kind", "solution", "tied")
    ):
        title = f"{words.label(kind)} solution"
        title += f" {place} of {tied}, which are tied" if tied > 1 else ""
        yield View(
            "set_solutions",
            SolutionTerm,
            title,
            (
                Column("", lambda row: "whole solution" if row.whole else row.term),
                *_threes(consistency="inclS", pri="PRI", coverage="covS", unique_coverage="covU"),
                number("n", "cases"),
            ),
            tuple(terms),
        )


def _plain_combinations(plain: PlainSets, relation: Relation) -> View[Combination]:
    rows = tuple(row for row in plain.combinations if row.relation == relation)
    consistency, second, coverage = FIELD_NAMES[relation].values()
    return View(
        "set_combinations",
        Combination,
        f"Combinations that pass for {relation}",
        (
            Column("", "expression"),
            number(consistency, "consistency", _three),
            number(second, _second_measure, _three),
            number(coverage, "coverage", _three),
        ),
        rows,
    )


def write_plain_sets(plain: PlainSets, directory: Path) -> list[Path]:
    """Write tables and plots into a folder, made if it is not there.

    Raises
    ------
    RunError
        If a file cannot be written.
    """
    texts = {f"{table.name}.csv": csv_text(table) for table in raw_tables(plain_views(plain))}
    for place, plot in enumerate(plain.plots, 1):
        # a column may be called anything; a file may not
        name = re.sub(r"[^A-Za-z0-9_-]+", "_", plot.expression)
        above = sum(y >= x for x, y in plot.points)
        label = (
            f"Membership in {plot.expression} against membership in {plain.outcome}: {above} of "
            f"{plot.total} cases on or above the diagonal."
        )
        figure = xy_plots((plot,), plain.outcome)
        texts[f"xy_{place}_{name}.svg"] = standalone(figure, f"xy-{place}", label)
    for name, text in texts.items():
        write_text(directory / name, text)
    return [directory / name for name in texts]
