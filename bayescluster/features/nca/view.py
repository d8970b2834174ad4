"""A necessary condition analysis: in words on a terminal, as figures and as tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from bayescluster.features.nca.results import (
    ALL_ROWS,
    BottleneckKind,
    BottleneckRow,
    CeilingName,
    CeilingRow,
    Necessity,
    Pair,
)
from bayescluster.kit.figure import (
    BAD,
    FIRST,
    INK,
    MUTED,
    NARROW,
    PAPER,
    RAMP,
    SECOND,
    WIDE,
    FigureError,
    canvas,
    folded,
    plain_text,
    settings,
)
from bayescluster.kit.table import View
from bayescluster.kit.words import MINUS, NONE, SYNTHETIC, count, error, fixed, number, probability
from bayescluster.lookup import first_of

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


def direction(analysis: Necessity) -> Direction:
    """Say in words which outcomes need which conditions."""
    upper, left = analysis.corner.startswith("upper"), analysis.corner.endswith("left")
    return Direction(
        "high" if upper else "low",
        "high" if left else "low",
        "at least" if left else "at most",
        "above" if upper else "below",
    )


def lines(analysis: Necessity) -> Iterator[str]:
    """Write an analysis for the terminal."""
    way = direction(analysis)
    if analysis.synthetic:
        yield SYNTHETIC
    yield (
        f"{analysis.table}: does {way.outcome} {analysis.outcome} need {way.condition} "
        f"{' or '.join(analysis.conditions)}?"
    )
    yield from analysis.notes
    for group in analysis.groups:
        pairs = analysis.of(group)
        if analysis.grouped_by is not None:
            yield ""
            yield f"== {'All rows' if group == ALL_ROWS else f'{analysis.grouped_by}: {group}'} =="
        for pair in pairs:
            yield ""
            yield from _pair(analysis, pair)
        yield from _bottlenecks(analysis, pairs)
    yield ""
    yield "How to read this"
    yield from (f"  - {text}" for text in _reading(analysis))
    yield "What next"
    yield from (f"  - {text}" for text in _next(analysis))


def summary_json(analysis: Necessity) -> str:
    """Write an analysis as JSON, without the rows and the paths of the ceilings."""
    rows = {"names", "x", "y", "paths"}
    return analysis.model_dump_json(indent=2, exclude={"pairs": {"__all__": rows}})


def need(analysis: Necessity, row: BottleneckRow) -> str:
    """Write what a level needs, as a cell of a bottleneck table."""
    if row.needed is None:
        return row.status
    return number(row.needed) if analysis.bottleneck == "actual" else fixed(row.needed, 1)


def level(analysis: Necessity, row: BottleneckRow) -> str:
    """Write a level of the outcome, as the first cell of a row of a bottleneck table."""
    return _exact(row.level) if analysis.bottleneck == "actual" else f"{row.level:.4g}"


def tables_of(pairs: Sequence[Pair], ceiling: CeilingName) -> Iterator[Bottleneck]:
    """Bottleneck tables under a ceiling: conditions that share their levels are side by side.

    Where cells are missing, conditions can have other rows, and so other levels of the outcome.
    """
    cells = [(pair, [row for row in pair.bottlenecks if row.ceiling == ceiling]) for pair in pairs]
    for _, same in groupby(cells, key=lambda item: [(row.level, row.outcome) for row in item[1]]):
        kept = list(same)
        yield [pair for pair, _ in kept], list(zip(*(rows for _, rows in kept), strict=True))


def _pair(analysis: Necessity, pair: Pair) -> Iterator[str]:
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
        yield from (f"{'':10}{text}" for text in _details(analysis, row))


def _effect(row: CeilingRow) -> str:
    if row.effect_size is None:
        return "no d"
    small = 0 < row.effect_size < LEAST
    effect = f"d {'<0.001' if small else fixed(row.effect_size, 3)} ({row.size})"
    if row.p is None:
        return effect
    shuffled = NONE if row.independent is None else fixed(row.independent, 3)
    return f"{effect}; p {probability(row.p, 3)}, MCSE {error(row.p_mcse)}; shuffled rows: d {shuffled}"


def _details(analysis: Necessity, row: CeilingRow) -> Iterator[str]:
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
        yield f"peers: {first_of(row.peers, NAMED)}"
    if row.outliers:
        yield f"{direction(analysis).beyond} it: {first_of(row.outliers, NAMED)}"
    if row.note:
        yield row.note


def _bottlenecks(analysis: Necessity, pairs: Sequence[Pair]) -> Iterator[str]:
    for ceiling in dict.fromkeys(row.ceiling for row in pairs[0].ceilings):
        for shown, levels in tables_of(pairs, ceiling):
            yield ""
            yield (
                f"Bottleneck by {TITLES[ceiling]}: each level of the outcome needs "
                f"{direction(analysis).bound} ({UNITS[analysis.bottleneck]})"
            )
            rows = [[analysis.outcome, *(pair.condition for pair in shown)]]
            rows += [[level(analysis, r[0]), *(need(analysis, cell) for cell in r)] for r in levels]
            widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
            for row in rows:
                cells = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
                yield "  " + "  ".join(cells)


def _reading(analysis: Necessity) -> Iterator[str]:
    way = direction(analysis)
    ceilings = dict.fromkeys(row.ceiling for row in analysis.pairs[0].ceilings)
    yield (
        f"d is the share of the scope that lies {way.beyond} the ceiling, in the "
        f"{analysis.corner.replace('_', ' ')} corner, where {way.outcome} {analysis.outcome} would go "
        f"with {'low' if way.condition == 'high' else 'high'} values of the condition."
    )
    yield "; ".join(f"{TITLES[name]}: {DESCRIBED[name]}" for name in ceilings) + "."
    yield (
        "Small (below 0.1), medium (0.1 to 0.3), large (0.3 to 0.5) and very large are conventions "
        "of Dul (2016), not tests."
    )
    if analysis.permutations:
        yield (
            f"p is the share of {count(analysis.permutations)} random pairings of conditions and "
            f"outcomes (seed {analysis.seed}; the rows as they are count as one more) with a d as "
            "large or larger. It tests independence. A condition that raises the outcome, and that "
            "others can make up for, is not independent of it either: a small p does not show "
            "necessity."
        )
    else:
        yield "No permutation test was made: ask for one with --permutations 10000."
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


def _next(analysis: Necessity) -> Iterator[str]:
    yield "Look at the peers, and at rows beyond a line: one wrong cell among them moves d."
    if not all(pair.scope.declared for pair in analysis.pairs):
        yield "Where a scale has ends that no row reached, declare them with --scope."
    first = (
        "Rows of several industries or clusters: run again with --group COLUMN."
        if analysis.grouped_by is None
        else "Compare d with that of shuffled rows before comparing groups: with fewer rows, both are "
        "larger."
    )
    yield f"{first} The ceiling of all rows is set by the most permissive groups."
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


LOOKS: Final[Mapping[CeilingName, Mapping[str, Any]]] = {
    "ce_fdh": {"color": FIRST, "linewidth": 1.8},
    "cr_fdh": {"color": SECOND, "linewidth": 1.8, "linestyle": (0, (6, 2))},
    "ce_vrs": {"color": INK, "linewidth": 1.2, "linestyle": (0, (1, 1.5))},
    "cr_vrs": {"color": BAD, "linewidth": 1.4, "linestyle": (0, (3, 1.5))},
    "cols": {"color": MUTED, "linewidth": 1.4, "linestyle": (0, (6, 2, 1, 2))},
    "c_lp": {"color": MUTED, "linewidth": 1.4, "linestyle": (0, (2, 2))},
}
"""Ceilings are told apart by their dashes, not by colour alone."""
NAMED_IN_FIGURE: Final = 10
"""Peers whose names are written; of more, none is."""
MARGIN: Final = 0.04
"""Space around the scope, as a share of it."""
ROOM: Final = 0.15
"""Share of the scope that a name may take."""
SMALL: Final = 300
"""Cases up to which each has a ring of its own; beyond, dots."""


def necessity(analysis: Necessity, pair: Pair, *, narrow: bool = False) -> Figure:
    """Draw the cases of a condition, its ceilings, and the peers they rest on.

    Raises
    ------
    FigureError
        If no ceiling could be found.
    """
    paths = [path for path in pair.paths if path.x]
    if not paths:
        raise FigureError(f"There is no ceiling over {pair.condition}.")
    with settings():
        figure = canvas(NARROW if narrow else WIDE, 3.6 if narrow else 4.6)
        axes = figure.subplots()
        small = len(pair.x) <= SMALL
        axes.plot(
            pair.x,
            pair.y,
            linestyle="",
            marker="o",
            markersize=4.5 if small else 2.2,
            color=MUTED,
            markerfacecolor=PAPER if small else MUTED,
            markeredgewidth=1.0 if small else 0,
            zorder=2,
        )
        effects = _effects(pair)
        for path in paths:
            label = f"{TITLES[path.ceiling]}, d {effects[path.ceiling]}"
            axes.plot(path.x, path.y, label=label, zorder=3, **LOOKS[path.ceiling])
        # what lies beyond the first ceiling is shaded
        edge = pair.scope.ymax if analysis.corner.startswith("upper") else pair.scope.ymin
        axes.fill_between(
            paths[0].x, paths[0].y, edge, color=FIRST, alpha=0.07, linewidth=0, zorder=1
        )
        _peers(axes, analysis, pair)
        _frame(axes, pair)
        axes.set_xlabel(folded(pair.condition, 60, 1))
        axes.set_ylabel(folded(analysis.outcome, 40, 1))
        figure.legend(loc="outside upper left", ncols=2 if narrow else 3)
        return plain_text(figure)


def necessity_label(analysis: Necessity, pair: Pair) -> str:
    """Say what the figure shows, for those who cannot see it."""
    effects = "; ".join(f"{TITLES[name]} d {effect}" for name, effect in _effects(pair).items())
    return (
        f"{analysis.outcome} against {pair.condition}{_of_group(pair)}, {len(pair.x)} rows, with "
        f"ceilings in the {analysis.corner.replace('_', ' ')} corner: {effects}."
    )


def _of_group(pair: Pair) -> str:
    return "" if pair.group == ALL_ROWS else f", {pair.group}"


def _effects(pair: Pair) -> dict[CeilingName, str]:
    """Effect size of each ceiling, written."""
    return {
        row.ceiling: "none" if row.effect_size is None else fixed(row.effect_size, 2)
        for row in pair.ceilings
    }


def _peers(axes: Axes, analysis: Necessity, pair: Pair) -> None:
    """Mark the cases the ceilings rest on, and name them on their empty side."""
    peers = {name for row in pair.ceilings for name in row.peers}
    cases = zip(pair.x, pair.y, pair.names, strict=True)
    places = [case for case in cases if case[2] in peers]
    axes.plot(
        [x for x, _, _ in places],
        [y for _, y, _ in places],
        linestyle="",
        marker="o",
        markersize=5,
        color=FIRST,
        label="peers",
        zorder=4,
    )
    if len(places) > NAMED_IN_FIGURE:
        return
    way = direction(analysis)
    left, upper = way.condition == "high", way.beyond == "above"
    room = ROOM * (pair.scope.xmax - pair.scope.xmin)
    edge = pair.scope.xmin if left else pair.scope.xmax
    for x, y, name in places:
        # near the edge there is no room on the empty side
        inwards = abs(x - edge) < room
        axes.annotate(
            folded(name, 18, 1),
            (x, y),
            xytext=((3 if left else -3) * (1 if inwards else -1), 4 if upper else -4),
            textcoords="offset points",
            ha="left" if left == inwards else "right",
            va="bottom" if upper else "top",
            fontsize=7.5,
            color=INK,
            zorder=5,
        )


def _frame(axes: Axes, pair: Pair) -> None:
    """Draw the scope, with a little space around it."""
    box = pair.scope
    axes.plot(
        [box.xmin, box.xmax, box.xmax, box.xmin, box.xmin],
        [box.ymin, box.ymin, box.ymax, box.ymax, box.ymin],
        color=MUTED,
        linewidth=0.7,
        linestyle=(0, (1, 2)),
        zorder=1,
    )
    across, up = MARGIN * (box.xmax - box.xmin), MARGIN * (box.ymax - box.ymin)
    axes.set_xlim(box.xmin - across, box.xmax + across)
    axes.set_ylim(box.ymin - up, box.ymax + 2 * up)


MOST_ROWS: Final = 60
MOST_CONDITIONS: Final = 12
"""Beyond these the cells cannot be read."""
ROW_INCHES: Final = 0.24
DARK: Final = 6
"""Step of the ramp from which text on it is light."""
HEADINGS: Final[dict[BottleneckKind, tuple[str, str]]] = {
    "percentage_range": ("each level needs {}, in % of ranges", "{}, % of ranges"),
    "actual": ("each level needs {}, in units of each", "{}, in units"),
    "percentile": ("% of rows short of what each level needs", "% of rows short of it"),
}
"""Heading of the figure of a bottleneck table, wide and narrow."""


def bottleneck(
    analysis: Necessity, pairs: Sequence[Pair], ceiling: CeilingName, *, narrow: bool = False
) -> Figure:
    """Draw the bottleneck table of a ceiling, highest demand at the top.

    The darker a cell, the more of the condition's range is needed.

    Raises
    ------
    FigureError
        If there are too many levels or conditions to be read.
    """
    tables = list(tables_of(pairs, ceiling))
    levels, conditions = sum(len(rows) for _, rows in tables), len(pairs)
    if levels > MOST_ROWS or conditions > MOST_CONDITIONS:
        raise FigureError(
            f"A table of {levels} levels by {conditions} "
            f"{'condition' if conditions == 1 else 'conditions'} is more than the {MOST_ROWS} by "
            f"{MOST_CONDITIONS} a figure holds."
        )
    whole, short = HEADINGS[analysis.bottleneck]
    heading = (short if narrow else whole).format(direction(analysis).bound)
    with settings():
        heights = [ROW_INCHES * len(rows) + 0.35 for _, rows in tables]
        width = min(WIDE, 2.2 + 1.3 * len(pairs))
        figure = canvas(NARROW if narrow else width, sum(heights) + 0.5)
        panels = figure.subplots(len(tables), 1, height_ratios=heights, squeeze=False)[:, 0]
        for axes, (shown, rows) in zip(panels, tables, strict=True):
            _table(axes, analysis, shown, rows)
        title = f"{TITLES[ceiling]}: {heading}"
        figure.suptitle(title, x=0.01, ha="left", fontsize=8.5, color=MUTED)
        return plain_text(figure)


def bottleneck_label(analysis: Necessity, pairs: Sequence[Pair], ceiling: CeilingName) -> str:
    """Say what the figure shows, for those who cannot see it."""
    most = "; ".join(
        f"{pair.condition} {need(analysis, row)}"
        for pair in pairs
        for row in [row for row in pair.bottlenecks if row.ceiling == ceiling][-1:]
    )
    return (
        f"Bottleneck table by {TITLES[ceiling]}{_of_group(pairs[0])}: what levels of "
        f"{analysis.outcome} need {direction(analysis).bound}; the most demanding level: {most}."
    )


def _table(
    axes: Axes,
    analysis: Necessity,
    pairs: Sequence[Pair],
    cells: Sequence[Sequence[BottleneckRow]],
) -> None:
    for down, row in enumerate(reversed(cells)):
        for across, (pair, cell) in enumerate(zip(pairs, row, strict=True)):
            _cell(axes, (across, down), need(analysis, cell), _demand(analysis, pair, cell))
    axes.set_xlim(-0.5, len(pairs) - 0.5)
    axes.set_ylim(len(cells) - 0.5, -0.5)
    axes.set_xticks(range(len(pairs)), [folded(pair.condition, 16) for pair in pairs])
    axes.xaxis.tick_top()
    axes.set_yticks(range(len(cells)), [level(analysis, row[0]) for row in reversed(cells)])
    axes.set_ylabel(folded(analysis.outcome, 30))
    axes.tick_params(length=0)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)


def _cell(axes: Axes, place: tuple[int, int], text: str, demand: float | None) -> None:
    across, down = place
    step = None if demand is None else min(int(demand * len(RAMP)), len(RAMP) - 1)
    fill = PAPER if step is None else RAMP[step]
    corner = (across - 0.48, down - 0.46)
    axes.add_patch(Rectangle(corner, 0.96, 0.92, facecolor=fill, edgecolor="none", linewidth=0))
    colour = {"NN": MUTED, "NA": BAD}.get(text, INK)
    if step is not None and step >= DARK:
        colour = PAPER
    axes.text(across, down, text, ha="center", va="center", fontsize=8, color=colour)


def _demand(analysis: Necessity, pair: Pair, row: BottleneckRow) -> float | None:
    """Share of the condition's range that a level needs, from its least demanding end."""
    if row.value is None:
        return None
    share = (row.value - pair.scope.xmin) / (pair.scope.xmax - pair.scope.xmin)
    return share if direction(analysis).condition == "high" else 1 - share


def views(analysis: Necessity) -> tuple[View[Any], View[Any]]:
    """Effect sizes and bottlenecks, as they are written."""
    ceilings = tuple(row for pair in analysis.pairs for row in pair.ceilings)
    bottlenecks = tuple(row for pair in analysis.pairs for row in pair.bottlenecks)
    return (
        View("effect_sizes", CeilingRow, rows=ceilings),
        View("bottlenecks", BottleneckRow, rows=bottlenecks),
    )
