"""Interactive learning: which form an outcome goes with, and what of a capital acts through it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple, Protocol

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayescluster.features.learning.results import (
    DominanceRow,
    Learning,
    MatrixRow,
    MediatedRow,
    PathRow,
    SensitivityRow,
    TippingRow,
)
from bayescluster.kit import words
from bayescluster.kit.figure import (
    FIRST,
    INK,
    MUTED,
    PAPER,
    SECOND,
    FigureError,
    FigureSpec,
    bare_rows,
    folded,
    small_multiples,
)
from bayescluster.kit.page import Across, Section, figures, filled, pivot, tables
from bayescluster.kit.table import Cell, Column, Table, View, number
from bayescluster.names import CAPITALS
from bayescluster.results.base import By
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
    groups: dict[tuple[str, str], list[MatrixRow]] = {}
    for row in found:
        groups.setdefault((row.by, row.group), []).append(row)
    forms = list(dict.fromkeys(row.form for row in found))
    factor, places = words.unit(results.outcome).factor, _places(found, forms)

    def draw(axes: Axes, rows: list[MatrixRow]) -> None:
        _panel(axes, rows, places, factor)
        axes.set_yticks(range(len(forms)), [folded(form, 18, 1) for form in forms])
        axes.set_ylim(len(forms) - 0.4, -0.6)
        bare_rows(axes)
        for look, name in zip(LOOKS, _outcomes(found), strict=False):
            axes.plot([], [], label=name, **look)

    return small_multiples(
        [(words.group(by, group), rows) for (by, group), rows in groups.items()],
        draw,
        (f"Change, {words.unit(results.outcome).name}", ""),
        narrow=narrow,
        height=0.6 + 0.36 * len(forms),
    )


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


def confounded(learning: Learning, name: str, outcome: OutcomeFacts) -> Iterator[View[Any]]:
    """Effects of each capital on an outcome at each bias: through learning, then direct."""
    for capital in CAPITALS:
        some = _of(learning.sensitivity, name, capital)
        if not some:
            continue
        tipping = _of(learning.tipping, name, capital)
        biases = {row.bias: f"b = {bias_words(row.bias, outcome)}" for row in some}
        what = f"{words.label(capital).lower()} and {outcome.column}, {words.unit(outcome).name}"
        yield pivot(
            View(
                "learning_sensitivity",
                SensitivityRow,
                f"Effect through learning if a confounder added b: {what}",
                rows=some,
            ),
            biases,
            lambda row: row.bias,
            lambda row: words.effect(row.indirect, outcome),
            *(_tips(tipping, outcome, end, heading) for end, heading in TIPS.items()),
        )
        yield View("learning_tipping", TippingRow, rows=tipping)
        direct = pivot(
            View(
                "learning_sensitivity",
                SensitivityRow,
                f"Direct effect if a confounder added b: {what}",
                rows=some,
                folded=f"Direct effects if a confounder added b: {what}",
            ),
            biases,
            lambda row: row.bias,
            lambda row: words.effect(row.direct, outcome),
        )
        yield replace(direct, records=())


TIPS: dict[str, str] = {
    "mean_at": "Mean is 0 at b =",
    "interval_at": "Interval reaches 0 at b =",
}


def _tips(rows: Sequence[TippingRow], outcome: OutcomeFacts, end: str, label: str) -> Column[Any]:
    at = {(row.by, row.group): getattr(row, end) for row in rows}
    return number(
        label,
        lambda row: at[row.by, row.group],
        lambda value: words.NONE if value is None else bias_words(value, outcome),
    )


class _OfCapital(Protocol):
    @property
    def equation(self) -> str: ...

    @property
    def capital(self) -> str: ...


def _of[Row: _OfCapital](rows: Iterable[Row], name: str, capital: str) -> tuple[Row, ...]:
    """Rows of an outcome and a capital."""
    return tuple(row for row in rows if (row.equation, row.capital) == (name, capital))


def bias_words(value: float, outcome: OutcomeFacts) -> str:
    """Write a bias in the unit of effects on the outcome."""
    kind = words.unit(outcome)
    scaled = value * kind.factor
    return f"{words.fixed(scaled, 1 if kind.factor > 1 else 2)}{kind.effect}"


PATHS = {"total": "Total", "direct": "Direct", "indirect": "Through learning"}


def paths(learning: Learning, name: str, outcome: OutcomeFacts) -> Iterator[View[Any]]:
    """Total, direct and indirect effects of each capital on an outcome."""
    for capital in CAPITALS:
        some = [row for row in _of(learning.paths, name, capital) if row.path != "through"]
        mediated = _of(learning.mediated, name, capital)
        shares = {(row.by, row.group): row for row in mediated}
        yield View("learning_shares", MediatedRow, rows=mediated)
        if not some:
            continue
        yield pivot(
            View(
                "learning_paths",
                PathRow,
                f"{words.label(capital)} and {outcome.column}, low to high: what acts through "
                f"learning, {words.unit(outcome).name}",
                rows=tuple(some),
                note="Total = direct + through learning. The share is the median of their ratio, "
                "given only where the interval of the total effect excludes 0.",
            ),
            PATHS,
            lambda row: row.path,
            partial(effect_cell, outcome=outcome),
            number(
                "Share through learning",
                partial(_mediated, shares=shares),
                _share,
            ),
        )


def effect_cell(row: PathRow | MatrixRow, outcome: OutcomeFacts) -> Cell:
    """An effect, with the probability that it is above 0."""
    return Cell(
        words.effect(row.estimate, outcome), f"P(above 0) {words.probability(row.positive)}"
    )


def _mediated(
    row: Across[PathRow], shares: Mapping[tuple[By, str], MediatedRow]
) -> MediatedRow | None:
    return shares.get((row.by, row.group))


def _share(row: MediatedRow | None) -> str:
    if row is None:
        return words.NONE
    low, median, high = (words.fixed(100 * value, 0) for value in (row.low, row.median, row.high))
    return f"{median}% [{low}, {high}]"


def through(learning: Learning, name: str, outcome: OutcomeFacts) -> Iterator[View[Any]]:
    """Effects of each capital through each form alone; shown where there are several."""
    for capital in CAPITALS:
        some = tuple(row for row in _of(learning.paths, name, capital) if row.path == "through")
        names = {str(row.through): str(row.through) for row in some}
        view = View(
            "learning_paths",
            PathRow,
            f"{words.label(capital)} and {outcome.column}, low to high: through each form alone, "
            f"{words.unit(outcome).name}",
            rows=some,
            note="The capital is raised for this form alone; the others stay distributed as under its "
            "low level. These effects need not add up to what acts through learning in all.",
            folded=f"{words.label(capital)} through each form alone: {outcome.column}",
        )
        show = partial(effect_cell, outcome=outcome)
        yield view if len(names) < 2 else pivot(view, names, lambda row: row.through, show)


def on_forms(results: Results, learning: Learning) -> Iterator[View[Any]]:
    """Effects of the capitals on the forms, one view a capital."""
    for capital in CAPITALS:
        own = [
            row
            for row in learning.paths
            if row.equation in learning.forms and row.capital == capital
        ]
        some = tuple(row for row in own if row.path == "total")
        others = tuple(row for row in own if row.path != "total")
        yield View("learning_paths", PathRow, rows=others)
        if some:
            yield pivot(
                View(
                    "learning_paths",
                    PathRow,
                    f"{words.label(capital)} and each form of learning, low to high",
                    rows=some,
                ),
                {form: form for form in learning.forms},
                lambda row: row.equation,
                lambda row: effect_cell(row, words.outcome_of(results, row.equation)),
            )


WAYS = {
    "means": "by their means, exactly, since all is linear",
    "combinations": "over all combinations of yes and no, exactly",
    "draws": "by one random draw a firm and posterior draw",
}


class Block(NamedTuple):
    """What is reported of one outcome."""

    equation: str
    outcome: OutcomeFacts
    way: str
    tables: list[Table]
    sensitivity: list[Table]


def body(results: Results) -> Markup:
    """Assumptions, the matrix, paths, and sensitivity, outcome by outcome."""
    learning = _learning(results)
    return filled(
        "learning.html.j2",
        results=results,
        learning=learning,
        edges=_edges(learning),
        figures=figures(results, LEARNING_MATRIX),
        forms=tables(on_forms(results, learning)),
        blocks=tuple(_block(results, learning, name) for name in learning.outcomes),
        limit=bias_words(learning.limit, results.outcome),
    )


def views(results: Results) -> Iterator[View[Any]]:
    """Effects on the forms; then by outcome the matrix, dominance, paths and sensitivity."""
    learning = _learning(results)
    yield from on_forms(results, learning)
    for name in learning.outcomes:
        outcome = words.outcome_of(results, name)
        yield from _main(learning, name, outcome)
        yield from confounded(learning, name, outcome)


def _learning(results: Results) -> Learning:
    assert results.learning is not None
    return results.learning


def _edges(learning: Learning) -> str:
    """What is taken to bring about what among the forms of learning themselves."""
    among = [f"{a} brings about {b}" for a, b in learning.edges if b in learning.forms]
    return "; ".join(among)


def _main(learning: Learning, name: str, outcome: OutcomeFacts) -> Iterator[View[Any]]:
    yield from _matrix(learning, name, outcome)
    yield from paths(learning, name, outcome)
    yield from through(learning, name, outcome)


def _block(results: Results, learning: Learning, name: str) -> Block:
    outcome = words.outcome_of(results, name)
    return Block(
        name,
        outcome,
        WAYS[learning.ways[name]],
        tables(_main(learning, name, outcome)),
        tables(confounded(learning, name, outcome)),
    )


def _matrix(learning: Learning, name: str, outcome: OutcomeFacts) -> Iterator[View[Any]]:
    """Effect of each form on an outcome; where there are several, which of them dominates."""
    some = tuple(row for row in learning.matrix if row.equation == name)
    forms = {row.form: f"{row.form}, {'no to yes' if row.binary else 'per sd'}" for row in some}
    yield pivot(
        View(
            "learning_matrix",
            MatrixRow,
            f"Form of learning and {outcome.column}, {words.unit(outcome).name}",
            rows=some,
            note="Change of the expected outcome with each form, averaged over the firms of the "
            "group; the other forms and the capitals as observed.",
        ),
        forms,
        lambda row: row.form,
        partial(effect_cell, outcome=outcome),
    )
    pairs = tuple(row for row in learning.dominance if row.equation == name)
    if len(forms) < 2:
        yield View("learning_dominance", DominanceRow, rows=pairs)
        return
    dominant = pivot(
        View(
            "learning_matrix",
            MatrixRow,
            f"Which form dominates for {outcome.column}: probability that its effect is the largest",
            rows=some,
            note="Below each probability, the standardised effect: change of the expected outcome per "
            "standard deviation of the form among the firms of the group. Forms that few or nearly "
            "all firms have vary little, and so have small standardised effects.",
        ),
        {form: form for form in forms},
        lambda row: row.form,
        lambda row: Cell(words.probability(row.ranks[0]), words.effect(row.standardised, outcome)),
    )
    yield replace(dominant, records=())
    columns: tuple[Column[DominanceRow], ...] = (
        Column("Between", "first"),
        Column("and", "second"),
        number("P(another form)", "probability", words.probability),
        number("MCSE", "mcse", words.error),
    )
    yield View(
        "learning_dominance",
        DominanceRow,
        f"Does another form dominate for {outcome.column}?",
        columns if pairs else (),
        pairs,
        f"Were {len(forms)} forms not told apart, nor industries pooled, it would be "
        f"{words.probability(1 - 1 / len(forms))}; pooling lowers it. Neither a value near that nor "
        "one near 0.5 says that industries differ.",
    )


LEARNING = Section(
    "learning",
    "Interactive learning",
    "Learning",
    body,
    wanted=lambda results: results.learning is not None,
    views=views,
    layer="findings",
)
