"""Set theory: calibration, measures of necessity and sufficiency, truth table and solutions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayescluster.features.sets.results import (
    Combination,
    PlainSets,
    Relation,
    SetMeasure,
    SetPlot,
    SetResults,
    SetRow,
    SetSpread,
    SolutionTerm,
    TruthTableRow,
)
from bayescluster.kit import words
from bayescluster.kit.figure import (
    FIRST,
    LINE,
    MUTED,
    NARROW,
    WIDE,
    FigureError,
    FigureSpec,
    canvas,
    plain_text,
    settings,
    standalone,
)
from bayescluster.kit.flat import RawTable, csv_text, table_of
from bayescluster.kit.page import filled
from bayescluster.kit.sections import Section, columns, figures, group_cell, rows
from bayescluster.kit.table import Cell, Table
from bayescluster.results.model import Results
from bayescluster.runs.files import write_text

SPREAD: Final = 0.03
"""How far points of a yes-or-no set are moved apart, so that they can be told from each other."""
SEED: Final = 20080301


def set_plot(results: Results, *, narrow: bool = False) -> Figure:
    """Draw a panel for each capital and for both: membership across, membership in the outcome up.

    Parameters
    ----------
    results
        Results of a run.
    narrow
        Lay the figure out for a telephone.

    Raises
    ------
    FigureError
        If the results hold no sets.
    """
    found = results.sets
    if found is None or not found.plots:
        raise FigureError("The results hold no sets.")
    return xy_plots(found.plots, results.outcome.column, narrow=narrow)


def xy_plots(plots: tuple[SetPlot, ...], outcome: str, *, narrow: bool = False) -> Figure:
    """Draw XY plots side by side; on a telephone one below the other."""
    count = len(plots)
    columns = 1 if narrow else min(count, 3)
    lines = -(-count // columns)
    with settings():
        width = NARROW if narrow else WIDE * columns / 3 if columns < 3 else WIDE
        figure = canvas(width, lines * (3.1 if narrow else 2.55))
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


def _caption(results: Results) -> str:
    found = results.sets
    plots = found.plots if found is not None else ()
    total = plots[0].total if plots else 0
    shown = len(plots[0].points) if plots else 0
    some = "" if shown == total else f" {words.count(shown)} of {words.firms(total)} are drawn."
    return (
        "Each point is a firm. Above the diagonal (shaded) membership in the outcome is at least that "
        "in the set, as sufficiency would have it for all firms; below it at most, as necessity "
        "would. Memberships in yes-or-no sets are spread a little." + some
    )


def _alternative(results: Results) -> str:
    found = results.sets
    listed = "; ".join(
        f"{plot.label}: {sum(y >= x for x, y in plot.points)} of {len(plot.points)} firms on or "
        "above the diagonal"
        for plot in (found.plots if found is not None else ())
    )
    return f"Membership in the capitals against membership in the outcome. {listed}."


SET_PLOT = FigureSpec(
    name="sets",
    draw=lambda results, narrow: set_plot(results, narrow=narrow),
    caption=_caption,
    alternative=_alternative,
    wanted=lambda results: results.sets is not None and bool(results.sets.plots),
)


EXPRESSIONS = {
    "H": "Human capital",
    "S": "Social capital",
    "H+S": "Either capital",
    "H*S": "Both capitals",
}
"""Expressions of the tables of measures; the others are rows of the truth table."""
MEASURES: dict[Relation, tuple[str, ...]] = {
    "necessity": ("consistency", "RoN", "coverage"),
    "sufficiency": ("consistency", "PRI", "coverage"),
}
NAMED = 3
"""Firms of a configuration that are named on the page; its table names more."""


def body(results: Results) -> Markup:
    """Tables and the XY plot."""
    found = results.sets
    if found is None:
        return Markup()
    return filled(
        "sets.html.j2",
        results=results,
        found=found,
        sets=_sets(found),
        measures=[_measures(found, "necessity"), _measures(found, "sufficiency")],
        spreads=_spreads(found),
        truth=[_truth_table(found, by) for by in ("all", "industry")],
        solutions=[_solutions(found, by) for by in ("all", "industry")],
        combinations=_combinations(found),
        figures=figures(results, SET_PLOT),
    )


def _sets(found: SetResults) -> Table:
    return Table(
        "Sets and their calibration",
        columns("Set", "Column", "Calibrated by", "#Out (.05)", "#Crossover (.5)", "#In (.95)")
        + columns("#In the set", "#At .5 exactly"),
        rows(
            (
                Cell(one.letter),
                words.label(one.name) if one.letter in EXPRESSIONS else one.name,
                one.how,
                *_anchors(one),
                words.count(one.members),
                words.count(one.ambiguous),
            )
            for one in found.sets
        ),
        "In the set: firms with membership above .5. Firms at .5 exactly are neither in nor out, and "
        "belong to no row of the truth table. Small print: sd of an anchor's prior.",
    )


def _anchors(one: SetRow) -> tuple[Cell, ...]:
    values = (one.exclusion, one.crossover, one.inclusion)
    return tuple(
        Cell(words.number(value), f"sd {words.number(sd)}" if sd else "")
        for value, sd in zip(values, one.sd, strict=True)
    )


def _measures(found: SetResults, relation: Relation) -> Table:
    """One row a group and expression, one column a measure."""
    by_row: dict[tuple[str, str, str], dict[str, SetMeasure]] = {}
    for one in found.measures:
        if one.relation == relation and one.expression in EXPRESSIONS:
            by_row.setdefault((one.by, one.group, one.expression), {})[one.measure] = one
    groups = list(dict.fromkeys((by, group) for by, group, _ in by_row))
    ordered = sorted(by_row, key=lambda key: groups.index(key[:2]))
    cuts = found.necessity_cuts if relation == "necessity" else found.sufficiency_cuts
    return Table(
        "Necessity: the outcome within the set"
        if relation == "necessity"
        else "Sufficiency: the set within the outcome",
        columns(
            "Group", "Set", *(f"#{words.label(name)}" for name in MEASURES[relation]), "#Members"
        ),
        rows(
            (
                group_cell(key[0], key[1]),
                EXPRESSIONS[key[2]],
                *(
                    _measure(by_row[key][name], cut)
                    for name, cut in zip(MEASURES[relation], (*cuts, None), strict=True)
                ),
                words.count(by_row[key]["consistency"].members),
            )
            for key in ordered
        ),
        f"Cuts: consistency {cuts[0]:g}, {MEASURES[relation][1]} {cuts[1]:g}; a tick marks values "
        "that reach them. In brackets 90% intervals of the observed firms counted anew; small "
        "print: of outcomes made by the fitted model.",
    )


def _measure(one: SetMeasure, cut: float | None) -> Cell:
    if one.observed is None:
        return Cell(words.NONE)
    text = _two(one.observed)
    if one.low is not None and one.high is not None:
        text += f" [{_two(one.low)}, {_two(one.high)}]"
    model = ""
    if one.model_low is not None and one.model_high is not None:
        model = f"model {_two(one.model_low)} to {_two(one.model_high)}"
    reached = cut is not None and one.observed >= cut
    return Cell(f"✓ {text}" if reached else text, model, "good" if reached else "")


def _spreads(found: SetResults) -> Table:
    return Table(
        "Consistency pooled and between groups",
        columns("Set", "Relation", "#Groups", "#Pooled", "#Smallest", "#Largest", "#dBP"),
        rows(
            (
                EXPRESSIONS.get(one.expression, one.expression),
                one.relation,
                f"{words.count(one.groups)} {'industries' if one.of == 'industry' else 'clusters'}",
                _two(one.pooled),
                Cell(_two(one.smallest), one.smallest_group),
                Cell(_two(one.largest), one.largest_group),
                words.fixed(one.distance, 3),
            )
            for one in found.spreads
        ),
        "Pooled over all firms (POCOS), and that of each group by itself (BECOS); dBP is the "
        "distance of the groups' consistencies from equality, 0 where all agree. Observed firms.",
    )


def _truth_table(found: SetResults, by: str) -> Table:
    cuts = found.sufficiency_cuts
    return Table(
        "Truth table, all firms" if by == "all" else "Truth tables by industry",
        columns(
            "Group", "Configuration", "#Firms", "#Consistency", "#PRI", "Outcome", "Among them"
        ),
        rows(_truth(one) for one in found.truth_table if one.by == by),
        f"1: at least {words.firms(found.case_cut)}, consistency at least {cuts[0]:g} and PRI at "
        f"least {cuts[1]:g}; 0: not so; ?: logical remainder, too few firms. ~ is absence, * and.",
        folded="" if by == "all" else "Truth tables by industry",
    )


def _truth(one: TruthTableRow) -> tuple[str | Cell, ...]:
    firms = one.firms[:NAMED]
    more = one.cases - len(firms)
    named = ", ".join(firms) + (f" and {words.count(more)} more" if more > 0 else "")
    return (
        Cell(words.group(one.by, one.group)),
        one.configuration,
        words.count(one.cases),
        _two(one.consistency),
        _two(one.pri),
        Cell(one.outcome, look="good" if one.outcome == "1" else ""),
        Cell("", named) if named else words.NONE,
    )


def _solutions(found: SetResults, by: str) -> Table:
    return Table(
        "Solutions, all firms" if by == "all" else "Solutions by industry",
        columns(
            "Group", "Solution", "Term", "#Consistency", "#PRI", "#Coverage", "#Unique", "#Firms"
        ),
        rows(_solution_cells(found, by)),
        "Complex: no logical remainder is used; intermediate: those that are expected to have the "
        "outcome; parsimonious: any. Unique: coverage that no other term has. Where several solutions have as few terms, all "
        "are solutions: none is the one.",
        folded="" if by == "all" else "Solutions by industry",
    )


def _solution_cells(found: SetResults, by: str) -> Iterator[tuple[str | Cell, ...]]:
    for one in found.solutions:
        if one.by != by:
            continue
        yield (
            Cell(words.group(one.by, one.group), look="head" if one.whole else ""),
            Cell(words.label(one.kind), _tied(one)),
            Cell(one.term, "whole solution" if one.whole else ""),
            _two(one.consistency),
            _two(one.pri),
            _two(one.coverage),
            _two(one.unique_coverage),
            words.count(one.cases),
        )


def _tied(one: SolutionTerm) -> str:
    return f"{one.solution} of {one.tied} tied" if one.tied > 1 else ""


def _combinations(found: SetResults) -> Table:
    return Table(
        "Combinations that pass, of which no part passes",
        columns("Combination", "Relation", "#Consistency", "#RoN or PRI", "#Coverage"),
        rows(
            (
                one.expression,
                one.relation,
                _two(one.consistency),
                _two(one.relevance if one.relation == "necessity" else one.pri),
                _two(one.coverage),
            )
            for one in found.combinations
        ),
        "Of all firms: alternatives (+) for necessity, conjunctions (*) for sufficiency.",
    )


def _two(value: float | None) -> str:
    return words.NONE if value is None else words.fixed(value, 2)


SETS = Section("sets", "Sets", "Sets", body, lambda results: results.sets is not None)


def write_plain_sets(found: PlainSets, directory: Path) -> list[Path]:
    """Write tables and plots into a folder, made if it is not there.

    Raises
    ------
    RunError
        If a file cannot be written.
    """
    written = []
    for table in set_raw_tables(found):
        path = directory / f"{table.name}.csv"
        write_text(path, csv_text(table))
        written.append(path)
    for place, plot in enumerate(found.plots):
        # a column may be called anything; a file may not
        plain = re.sub(r"[^A-Za-z0-9_-]+", "_", plot.expression)
        path = directory / f"xy_{place + 1}_{plain}.svg"
        above = sum(y >= x for x, y in plot.points)
        label = (
            f"Membership in {plot.expression} against membership in {found.outcome}: {above} of "
            f"{plot.total} cases on or above the diagonal."
        )
        write_text(path, standalone(xy_plots((plot,), found.outcome), f"xy-{place + 1}", label))
        written.append(path)
    return written


def set_raw_tables(found: SetResults | PlainSets) -> Iterator[RawTable]:
    """Tables of set theory, of a run or of a plain table."""
    yield table_of("sets", SetRow, found.sets)
    yield table_of("set_measures", SetMeasure, found.measures)
    yield table_of("set_truth_table", TruthTableRow, found.truth_table)
    yield table_of("set_solutions", SolutionTerm, found.solutions)
    yield table_of("set_spreads", SetSpread, found.spreads)
    yield table_of("set_combinations", Combination, found.combinations)
