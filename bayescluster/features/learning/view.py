"""Interactive learning: which form an outcome goes with, and what of a capital acts through it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayescluster.features.learning.results import (
    Learning,
    MatrixRow,
    MediatedRow,
    PathRow,
    TippingRow,
)
from bayescluster.kit import words
from bayescluster.kit.figure import (
    FIRST,
    INK,
    MOST_PANELS,
    MUTED,
    PAPER,
    SECOND,
    FigureError,
    FigureSpec,
    bare_rows,
    folded,
    panels,
    plain_text,
    settings,
)
from bayescluster.kit.page import filled
from bayescluster.kit.sections import Section, columns, figures, group_cell, groups_in, rows
from bayescluster.kit.table import Cell, Table
from bayescluster.names import CAPITALS
from bayescluster.results.facts import OutcomeFacts
from bayescluster.results.model import Results

LOOKS: tuple[Mapping[str, Any], ...] = (
    {"color": FIRST, "marker": "o", "markersize": 5.0},
    {"color": SECOND, "marker": "s", "markersize": 4.6, "markerfacecolor": PAPER},
    {"color": INK, "marker": "^", "markersize": 5.0},
    {"color": MUTED, "marker": "D", "markersize": 4.4, "markerfacecolor": PAPER},
)
"""One look an outcome; of more outcomes the first are drawn."""
SPREAD = 0.56
"""Height of a row that its outcomes share."""


def learning_matrix(results: Results, *, narrow: bool = False) -> Figure:
    """Draw the effect of every form of learning on every outcome, by group.

    Outcomes in another unit than that in focus are left to the tables.

    Parameters
    ----------
    results
        Results of a run.
    narrow
        Lay the figure out for a telephone.

    Raises
    ------
    FigureError
        If the results hold no forms of learning, or too many groups.
    """
    found = _shown(results)
    if not found:
        raise FigureError("The results hold no forms of learning.")
    groups = list(dict.fromkeys((row.by, row.group) for row in found))
    if len(groups) > MOST_PANELS:
        raise FigureError(f"{len(groups)} groups are more than the {MOST_PANELS} a figure holds.")
    forms = list(dict.fromkeys(row.form for row in found))
    names = [words.group(by, group) for by, group in groups]
    factor = words.unit(results.outcome).factor
    with settings():
        height = 0.6 + 0.36 * len(forms)
        made = panels(names, narrow=narrow, height=height, extra=0.6)
        for axes, (by, group), name in zip(made.axes, groups, names, strict=True):
            some = [row for row in found if (row.by, row.group) == (by, group)]
            _panel(axes, some, _places(found, forms), factor)
            axes.set_yticks(range(len(forms)), [folded(form, 18, 1) for form in forms])
            axes.set_ylim(len(forms) - 0.4, -0.6)
            axes.set_title(folded(name, 32, 1), color=INK)
            bare_rows(axes)
        for axes in made.bottom:
            axes.set_xlabel(folded(f"Change, {words.unit(results.outcome).name}", 34))
        _key(made.figure, made.axes[0], found)
        return plain_text(made.figure)


def _shown(results: Results) -> list[MatrixRow]:
    learning = results.learning
    if learning is None:
        return []
    unit = words.unit(results.outcome)
    alike = [
        name for name in learning.outcomes if words.unit(words.outcome_of(results, name)) == unit
    ][: len(LOOKS)]
    return [row for row in learning.matrix if row.equation in alike]


def _outcomes(found: list[MatrixRow]) -> list[str]:
    return list(dict.fromkeys(row.equation for row in found))


def _places(found: list[MatrixRow], forms: list[str]) -> dict[tuple[str, str], float]:
    """Height at which each outcome and form is drawn."""
    names = _outcomes(found)
    step = SPREAD / max(len(names), 2)
    return {
        (name, form): place + (k - (len(names) - 1) / 2) * step
        for place, form in enumerate(forms)
        for k, name in enumerate(names)
    }


def _panel(
    axes: Axes, rows: list[MatrixRow], places: dict[tuple[str, str], float], factor: float
) -> None:
    axes.axvline(0, color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
    order = list(dict.fromkeys(name for name, _ in places))
    for row in rows:
        look, place = LOOKS[order.index(row.equation)], places[row.equation, row.form]
        ends = (row.estimate.low * factor, row.estimate.high * factor)
        axes.plot(ends, (place, place), color=look["color"], linewidth=1.6, zorder=2)
        axes.plot([row.estimate.mean * factor], [place], linestyle="", zorder=3, **look)


def _key(figure: Figure, axes: Axes, found: list[MatrixRow]) -> None:
    for look, name in zip(LOOKS, _outcomes(found), strict=False):
        axes.plot([], [], label=name, **look)
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=2)


def _caption(results: Results) -> str:
    found = _shown(results)
    left = (
        [name for name in results.learning.outcomes if name not in _outcomes(found)]
        if (results.learning)
        else []
    )
    other = f" Outcomes in another unit stand in the tables: {', '.join(left)}." if left else ""
    return (
        "Forms of learning and outcomes: change of the expected outcome with each form (from no to "
        "yes, or per standard deviation), the other forms and the capitals as observed. Points are "
        f"means, lines 90% intervals.{other}"
    )


def _alternative(results: Results) -> str:
    listed = "; ".join(
        f"{words.group(row.by, row.group)}, {row.form} and {row.equation}: "
        f"{words.effect(row.estimate, words.outcome_of(results, row.equation))}"
        for row in _shown(results)
    )
    return f"Effects of forms of learning by group: {listed}."


LEARNING_MATRIX = FigureSpec(
    name="learning-matrix",
    draw=lambda results, narrow: learning_matrix(results, narrow=narrow),
    caption=_caption,
    alternative=_alternative,
    wanted=lambda results: bool(_shown(results)),
)


def confounded(learning: Learning, name: str, outcome: OutcomeFacts) -> Iterable[Table]:
    """Effects of each capital on an outcome at each bias: through learning, then direct."""
    for capital in CAPITALS:
        some = [r for r in learning.sensitivity if (r.equation, r.capital) == (name, capital)]
        if not some:
            continue
        found = {(row.by, row.group, row.bias): row for row in some}
        tipping = {
            (row.by, row.group): row
            for row in learning.tipping
            if (row.equation, row.capital) == (name, capital)
        }
        biases = list(dict.fromkeys(row.bias for row in some))
        heads = [f"#b = {bias_words(b, outcome)}" for b in biases]
        what = f"{words.label(capital).lower()} and {outcome.column}, {words.unit(outcome).name}"
        yield Table(
            f"Effect through learning if a confounder added b: {what}",
            columns("Group", *heads, "#Mean is 0 at b =", "#Interval reaches 0 at b ="),
            rows(
                (
                    group_cell(by, group),
                    *(words.effect(found[by, group, b].indirect, outcome) for b in biases),
                    *_tipping(tipping[by, group], outcome),
                )
                for by, group in groups_in(some)
            ),
        )
        yield Table(
            f"Direct effect if a confounder added b: {what}",
            columns("Group", *heads),
            rows(
                (
                    group_cell(by, group),
                    *(words.effect(found[by, group, b].direct, outcome) for b in biases),
                )
                for by, group in groups_in(some)
            ),
            folded=f"Direct effects if a confounder added b: {what}",
        )


def _tipping(row: TippingRow, outcome: OutcomeFacts) -> tuple[str, str]:
    mean, end = (
        words.NONE if value is None else bias_words(value, outcome)
        for value in (row.mean_at, row.interval_at)
    )
    return mean, end


def bias_words(value: float, outcome: OutcomeFacts) -> str:
    """Write a bias in the unit of effects on the outcome."""
    kind = words.unit(outcome)
    scaled = value * kind.factor
    return f"{words.fixed(scaled, 1 if kind.factor > 1 else 2)}{kind.effect}"


PATHS: tuple[Literal["total", "direct", "indirect"], ...] = ("total", "direct", "indirect")


def paths(learning: Learning, name: str, outcome: OutcomeFacts) -> Iterable[Table]:
    """Total, direct and indirect effects of each capital on an outcome."""
    for capital in CAPITALS:
        some = [r for r in learning.paths if (r.equation, r.capital) == (name, capital)]
        found = {(row.by, row.group, row.path): row for row in some if row.path != "through"}
        shares = {
            (row.by, row.group): row
            for row in learning.mediated
            if (row.equation, row.capital) == (name, capital)
        }
        if not found:
            continue
        yield Table(
            f"{words.label(capital)} and {outcome.column}, low to high: what acts through learning, "
            f"{words.unit(outcome).name}",
            columns("Group", "#Total", "#Direct", "#Through learning", "#Share through learning"),
            rows(
                (
                    group_cell(by, group),
                    *(effect_cell(found[by, group, path], outcome) for path in PATHS),
                    _share(shares.get((by, group))),
                )
                for by, group in groups_in(some)
            ),
            "Total = direct + through learning. The share is the median of their ratio, told only "
            "where the interval of the total effect excludes 0.",
        )


def effect_cell(row: PathRow | MatrixRow, outcome: OutcomeFacts) -> Cell:
    """An effect, with the probability that it is above 0."""
    return Cell(
        words.effect(row.estimate, outcome), f"P(above 0) {words.probability(row.positive)}"
    )


def _share(row: MediatedRow | None) -> str:
    if row is None:
        return words.NONE
    low, median, high = (words.fixed(100 * value, 0) for value in (row.low, row.median, row.high))
    return f"{median}% [{low}, {high}]"


def through(learning: Learning, name: str, outcome: OutcomeFacts) -> Iterable[Table]:
    """Effects of each capital through each form alone, where there are several."""
    for capital in CAPITALS:
        some = [
            row
            for row in learning.paths
            if (row.equation, row.capital, row.path) == (name, capital, "through")
        ]
        names = list(dict.fromkeys(row.through for row in some))
        if len(names) < 2:
            continue
        found = {(row.by, row.group, row.through): row for row in some}
        yield Table(
            f"{words.label(capital)} and {outcome.column}, low to high: through each form alone, "
            f"{words.unit(outcome).name}",
            columns("Group", *(f"#{form}" for form in names)),
            rows(
                (
                    group_cell(by, group),
                    *(effect_cell(found[by, group, form], outcome) for form in names),
                )
                for by, group in groups_in(some)
            ),
            "The capital is raised for this form alone; the others stay distributed as under its low "
            "level. These effects need not add up to what acts through learning in all.",
            folded=f"{words.label(capital)} through each form alone: {outcome.column}",
        )


def on_forms(results: Results, learning: Learning) -> tuple[Table, ...]:
    """Effects of the capitals on the forms, one table a capital."""
    tables = []
    for capital in CAPITALS:
        some = [
            row
            for row in learning.paths
            if row.equation in learning.forms and (row.capital, row.path) == (capital, "total")
        ]
        found = {(row.by, row.group, row.equation): row for row in some}
        if not found:
            continue
        heads = [f"#{form}" for form in learning.forms]
        tables.append(
            Table(
                f"{words.label(capital)} and each form of learning, low to high",
                columns("Group", *heads),
                rows(
                    (
                        group_cell(by, group),
                        *(
                            effect_cell(found[by, group, form], words.outcome_of(results, form))
                            for form in learning.forms
                        ),
                    )
                    for by, group in groups_in(some)
                ),
            )
        )
    return tuple(tables)


WAYS = {
    "means": "by their means, exactly, since all is linear",
    "combinations": "over all combinations of yes and no, exactly",
    "draws": "by one random draw a firm and posterior draw",
}


class Block(NamedTuple):
    """What is told of one outcome."""

    equation: str
    outcome: OutcomeFacts
    way: str
    tables: tuple[Table, ...]
    sensitivity: tuple[Table, ...]


def body(results: Results) -> Markup:
    """Assumptions, the matrix, paths, and sensitivity, outcome by outcome."""
    learning = results.learning
    assert learning is not None
    return filled(
        "learning.html.j2",
        results=results,
        learning=learning,
        edges=_edges(learning),
        figures=figures(results, LEARNING_MATRIX),
        forms=on_forms(results, learning),
        blocks=tuple(_block(results, learning, name) for name in learning.outcomes),
        limit=bias_words(learning.limit, results.outcome),
    )


def _edges(learning: Learning) -> str:
    """What is taken to bring about what among the forms of learning themselves."""
    among = [f"{a} brings about {b}" for a, b in learning.edges if b in learning.forms]
    return "; ".join(among)


def _block(results: Results, learning: Learning, name: str) -> Block:
    outcome = words.outcome_of(results, name)
    matrix = [row for row in learning.matrix if row.equation == name]
    return Block(
        name,
        outcome,
        WAYS[learning.ways[name]],
        (
            _matrix(matrix, outcome),
            *(_dominant(matrix, outcome, learning) if len(_forms(matrix)) > 1 else ()),
            *paths(learning, name, outcome),
            *through(learning, name, outcome),
        ),
        tuple(confounded(learning, name, outcome)),
    )


def _forms(matrix: Iterable[MatrixRow]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(row.form for row in matrix))


def _matrix(matrix: list[MatrixRow], outcome: OutcomeFacts) -> Table:
    forms = _forms(matrix)
    found = {(row.by, row.group, row.form): row for row in matrix}
    binary = {row.form: row.binary for row in matrix}
    heads = [f"#{form}, {'no to yes' if binary[form] else 'per sd'}" for form in forms]
    return Table(
        f"Form of learning and {outcome.column}, {words.unit(outcome).name}",
        columns("Group", *heads),
        rows(
            (
                group_cell(by, group),
                *(effect_cell(found[by, group, form], outcome) for form in forms),
            )
            for by, group in groups_in(matrix)
        ),
        "Change of the expected outcome with each form, averaged over the firms of the group; the "
        "other forms and the capitals as observed.",
    )


def _dominant(
    matrix: list[MatrixRow], outcome: OutcomeFacts, learning: Learning
) -> tuple[Table, ...]:
    forms = _forms(matrix)
    found = {(row.by, row.group, row.form): row for row in matrix}
    first = Table(
        f"Which form dominates for {outcome.column}: probability that its effect is the largest",
        columns("Group", *(f"#{form}" for form in forms)),
        rows(
            (
                group_cell(by, group),
                *(
                    Cell(
                        words.probability(found[by, group, form].ranks[0]),
                        words.effect(found[by, group, form].standardised, outcome),
                    )
                    for form in forms
                ),
            )
            for by, group in groups_in(matrix)
        ),
        "Below each probability, the standardised effect: change of the expected outcome per standard "
        "deviation of the form among the firms of the group. Forms that few or nearly all firms have "
        "vary little, and so have small standardised effects.",
    )
    pairs = [row for row in learning.dominance if row.equation == matrix[0].equation]
    second = Table(
        f"Does another form dominate for {outcome.column}?",
        columns("Between", "and", "#P(another form)", "#MCSE"),
        rows(
            (row.first, row.second, words.probability(row.probability), words.error(row.mcse))
            for row in pairs
        ),
        f"Were {len(forms)} forms not told apart, nor industries pooled, it would be "
        f"{words.probability(1 - 1 / len(forms))}; pooling lowers it. Neither a value near that nor "
        "one near 0.5 says that industries differ.",
    )
    return (first, second) if pairs else (first,)


LEARNING = Section(
    "learning",
    "Interactive learning",
    "Learning",
    body,
    wanted=lambda results: results.learning is not None,
)
