"""Set theory: calibration, measures of necessity and sufficiency, truth table and solutions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import groupby, starmap
from operator import attrgetter
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from markupsafe import Markup
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
from bayescluster.kit.page import Section, figures, filled, group_column, tables_by_name
from bayescluster.kit.table import Column, View, csv_text, number, raw_tables
from bayescluster.results.model import Results
from bayescluster.runs.files import write_text

GROUP: Final[Column[Any]] = Column("Group", lambda row: words.group(row.by, row.group))
SPREAD: Final = 0.03
"""How far points of a yes-or-no set are moved apart, so that they can be distinguished."""
SEED: Final = 20080301


def set_plot(results: Results, *, narrow: bool = False) -> Figure:
    """Draw a panel for each capital and for both: membership across, membership in the outcome up.

    Raises
    ------
    FigureError
        If the results hold no sets.
    """
    plots = _plots(results)
    if not plots:
        raise FigureError("The results hold no sets.")
    return xy_plots(plots, results.outcome.column, narrow=narrow)


def _plots(results: Results) -> tuple[SetPlot, ...]:
    return results.sets.plots if results.sets else ()


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
    first = _plots(results)[0]
    shown = len(first.points)
    some = (
        ""
        if shown == first.total
        else f" {words.count(shown)} of {words.firms(first.total)} are drawn."
    )
    return (
        "Each point is a firm. Above the diagonal (shaded) membership in the outcome is at least that "
        "in the set, as sufficiency would have it for all firms; below it at most, as necessity "
        "would. Memberships in yes-or-no sets are spread a little." + some
    )


def _alternative(results: Results) -> str:
    listed = "; ".join(
        f"{plot.label}: {sum(y >= x for x, y in plot.points)} of {len(plot.points)} firms on or "
        "above the diagonal"
        for plot in _plots(results)
    )
    return f"Membership in the capitals against membership in the outcome. {listed}."


SET_PLOT = FigureSpec(
    name="sets",
    draw=lambda results, narrow: set_plot(results, narrow=narrow),
    caption=_caption,
    alternative=_alternative,
    wanted=lambda results: bool(_plots(results)),
)


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
NAMED: Final = 3
"""Firms of a configuration that are named on the page; its table names more."""


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
    """Sets, measures, truth tables, solutions and combinations of a run."""
    sets = results.sets
    assert sets is not None
    yield _sets(sets)
    yield from (_measures(sets, relation) for relation in FIELD_NAMES)
    yield _spreads(sets)
    yield from (_truth_table(sets, by) for by in ("all", "industry"))
    yield from (_solutions(sets, by) for by in ("all", "industry"))
    yield _combinations(sets)


def _sets(sets: SetResults) -> View[SetRow]:
    return View(
        "sets",
        SetRow,
        "Sets and their calibration",
        (
            Column("Set", "letter"),
            Column(
                "Column",
                lambda row: words.label(row.name) if row.letter in EXPRESSIONS else row.name,
            ),
            Column("Calibrated by", "how"),
            _anchor("Out (.05)", "exclusion", 0),
            _anchor("Crossover (.5)", "crossover", 1),
            _anchor("In (.95)", "inclusion", 2),
            number("In the set", "members", words.count),
            number("At .5 exactly", "ambiguous", words.count),
        ),
        sets.sets,
        "In the set: firms with membership above .5. Firms at .5 exactly are neither in nor out, and "
        "belong to no row of the truth table. Small print: sd of an anchor's prior.",
    )


def _anchor(label: str, name: str, place: int) -> Column[SetRow]:
    return number(
        label,
        name,
        words.number,
        note=lambda row: f"sd {words.number(row.sd[place])}" if row.sd[place] else "",
    )


def _by_expression(measures: Iterable[SetMeasure]) -> tuple[_Measures, ...]:
    """One row a group and expression, groups in the order of their first."""
    rows: dict[tuple[str, str, str], _Measures] = {}
    for one in measures:
        key = (one.by, one.group, one.expression)
        rows.setdefault(key, _Measures(*key, {})).of[one.measure] = one
    groups = list(dict.fromkeys(key[:2] for key in rows))
    return tuple(sorted(rows.values(), key=lambda row: groups.index((row.by, row.group))))


def _measures(sets: SetResults, relation: Relation) -> View[_Measures]:
    records = tuple(one for one in sets.measures if one.relation == relation)
    rows = _by_expression(one for one in records if one.expression in EXPRESSIONS)
    cuts = sets.necessity_cuts if relation == "necessity" else sets.sufficiency_cuts
    names = tuple(FIELD_NAMES[relation])
    return View(
        "set_measures",
        SetMeasure,
        "Necessity: the outcome within the set"
        if relation == "necessity"
        else "Sufficiency: the set within the outcome",
        (
            group_column("Group"),
            Column("Set", "expression", EXPRESSIONS.__getitem__),
            *(_measure(name, cut) for name, cut in zip(names, (*cuts, None), strict=True)),
            number("Members", "members", words.count),
        ),
        rows,
        f"Cuts: consistency {cuts[0]:g}, {names[1]} {cuts[1]:g}; a tick marks values that reach them. "
        "In brackets 90% intervals of the observed firms, resampled; small print: of outcomes made by "
        "the fitted model.",
        records=records,
    )


def _measure(name: SetMeasureName, cut: float | None) -> Column[_Measures]:
    """A measure with its interval, marked where it reaches its cut."""

    def reached(one: SetMeasure) -> bool:
        return cut is not None and one.observed is not None and one.observed >= cut

    def text(one: SetMeasure) -> str:
        interval = f" [{_two(one.low)}, {_two(one.high)}]" if one.low is not None else ""
        return f"{'✓ ' if reached(one) else ''}{_two(one.observed)}{interval}"

    def model(row: _Measures) -> str:
        one = row.of[name]
        if one.observed is None or one.model_low is None:
            return ""
        return f"model {_two(one.model_low)} to {_two(one.model_high)}"

    return number(
        words.label(name),
        lambda row: row.of[name],
        text,
        note=model,
        look=lambda row: "good" if reached(row.of[name]) else "",
    )


def _spreads(sets: SetResults) -> View[SetSpread]:
    return View(
        "set_spreads",
        SetSpread,
        "Consistency pooled and between groups",
        (
            Column("Set", "expression", lambda name: EXPRESSIONS.get(name, name)),
            Column("Relation", "relation"),
            number(
                "Groups",
                lambda row: row,
                lambda row: (
                    f"{words.count(row.groups)} {'industries' if row.of == 'industry' else 'clusters'}"
                ),
            ),
            number("Pooled", "pooled", _two),
            number("Smallest", "smallest", _two, note=lambda row: row.smallest_group),
            number("Largest", "largest", _two, note=lambda row: row.largest_group),
            number("dBP", "distance", _three),
        ),
        sets.spreads,
        "Pooled over all firms (POCOS), and that of each group by itself (BECOS); dBP is the "
        "distance of the groups' consistencies from equality, 0 where all agree. Observed firms.",
    )


def _truth_table(sets: SetResults, by: str) -> View[TruthTableRow]:
    rows = tuple(row for row in sets.truth_table if row.by == by)
    consistency, pri = sets.sufficiency_cuts
    return View(
        "set_truth_table",
        TruthTableRow,
        "Truth table, all firms" if by == "all" else "Truth tables by industry",
        (
            GROUP,
            Column("Configuration", "configuration"),
            number("Firms", "cases", words.count),
            number("Consistency", "consistency", _two),
            number("PRI", "pri", _two),
            Column("Outcome", "outcome", look=lambda row: "good" if row.outcome == "1" else ""),
            Column("Among them", lambda row: "" if row.firms else words.NONE, note=_named),
        ),
        rows,
        f"1: at least {words.firms(sets.case_cut)}, consistency at least {consistency:g} and PRI at "
        f"least {pri:g}; 0: not so; ?: logical remainder, too few firms. ~ is absence, * and.",
        "" if by == "all" else "Truth tables by industry",
    )


def _named(row: TruthTableRow) -> str:
    firms = row.firms[:NAMED]
    more = row.cases - len(firms)
    return ", ".join(firms) + (f" and {words.count(more)} more" if more > 0 else "")


def _solutions(sets: SetResults, by: str) -> View[SolutionTerm]:
    rows = tuple(row for row in sets.solutions if row.by == by)
    return View(
        "set_solutions",
        SolutionTerm,
        "Solutions, all firms" if by == "all" else "Solutions by industry",
        (
            replace(GROUP, look=lambda row: "head" if row.whole else ""),
            Column(
                "Solution",
                "kind",
                words.label,
                lambda row: f"{row.solution} of {row.tied} tied" if row.tied > 1 else "",
            ),
            Column("Term", "term", note=lambda row: "whole solution" if row.whole else ""),
            number("Consistency", "consistency", _two),
            number("PRI", "pri", _two),
            number("Coverage", "coverage", _two),
            number("Unique", "unique_coverage", _two),
            number("Firms", "cases", words.count),
        ),
        rows,
        "Complex: no logical remainder is used; intermediate: those that are expected to have the "
        "outcome; parsimonious: any. Unique: coverage that no other term has. Where several solutions "
        "have as few terms, all are solutions: none is the one.",
        "" if by == "all" else "Solutions by industry",
    )


def _combinations(sets: SetResults) -> View[Combination]:
    return View(
        "set_combinations",
        Combination,
        "Combinations that pass, of which no part passes",
        (
            Column("Combination", "expression"),
            Column("Relation", "relation"),
            number("Consistency", "consistency", _two),
            number("RoN or PRI", _second_measure, _two),
            number("Coverage", "coverage", _two),
        ),
        sets.combinations,
        "Of all firms: alternatives (+) for necessity, conjunctions (*) for sufficiency.",
    )


def _second_measure(row: Combination) -> float | None:
    return row.relevance if row.relation == "necessity" else row.pri


def _threes(**labels: str) -> list[Column[Any]]:
    """Columns of numbers with three decimals, by field."""
    return [number(label, name, _three) for name, label in labels.items()]


def _two(value: float | None) -> str:
    return words.NONE if value is None else words.fixed(value, 2)


def _three(value: float | None) -> str:
    return words.NONE if value is None else words.fixed(value, 3)


def body(results: Results) -> Markup:
    """Tables and the XY plot."""
    return filled(
        "sets.html.j2",
        sets=results.sets,
        tables=tables_by_name(views(results)),
        figures=figures(results, SET_PLOT),
    )


SETS = Section("sets", "Sets", "Sets", body, lambda results: results.sets is not None, views)


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
