"""Interactive learning: which form an outcome goes with, and what of a capital acts through it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

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
from bayescluster.kit.page import Section, figures, filled
from bayescluster.kit.table import Column, View, number
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
    other = f" Not drawn, being in another unit: {', '.join(left)}." if left else ""
    return (
        "Change of the expected outcome with each form of learning (from no to yes, or per standard "
        f"deviation), other forms and capitals as observed: mean and 90% interval.{other}"
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


PATHS = {"direct": "Direct", "indirect": "Through learning"}
"""Paths on the page; they add up to the total effect."""
MOST_GROUPS = 6
"""Groups of a capital on the page."""


def body(results: Results) -> Markup:
    """What is assumed, the forms, and what of each capital acts through them."""
    learning = _learning(results)
    return filled(
        "learning.html.j2",
        learning=learning,
        edges="; ".join(f"{a} brings about {b}" for a, b in learning.edges if b in learning.forms),
        figures=figures(results, LEARNING_MATRIX),
        paths=_paths(learning, results).table,
        tipping=_tipping(learning, results),
    )


def views(results: Results) -> Iterator[View[Any]]:
    """Effects, shares, dominance and sensitivity of every equation, as they are written."""
    learning = _learning(results)
    yield View("learning_paths", PathRow, rows=learning.paths)
    yield View("learning_matrix", MatrixRow, rows=learning.matrix)
    yield View("learning_dominance", DominanceRow, rows=learning.dominance)
    yield View("learning_shares", MediatedRow, rows=learning.mediated)
    yield View("learning_sensitivity", SensitivityRow, rows=learning.sensitivity)
    yield View("learning_tipping", TippingRow, rows=learning.tipping)
    yield _paths(learning, results)


def _learning(results: Results) -> Learning:
    assert results.learning is not None
    return results.learning


def _paths(learning: Learning, results: Results) -> View[tuple[str, By, str]]:
    """Direct and indirect effects of each capital on the outcome in focus, a row a group."""
    outcome, equation = results.outcome, results.model.equation
    rows: dict[tuple[str, By, str], dict[str, PathRow]] = {}
    for row in learning.paths:
        if row.equation == equation and row.by != "cluster":
            rows.setdefault((row.capital, row.by, row.group), {})[row.path] = row
    shares = {
        (row.capital, row.by, row.group): row
        for row in learning.mediated
        if row.equation == equation
    }
    shown = [key for capital in CAPITALS for key in _some(rows, capital)]

    def path(name: str, label: str) -> Column[tuple[str, By, str]]:
        return number(
            label,
            lambda key: rows[key].get(name),
            lambda row: words.NONE if row is None else words.effect(row.estimate, outcome),
        )

    return View(
        "learning_paths",
        PathRow,
        f"Effects on {outcome.column} of a capital from low to high",
        (
            Column("Group", lambda key: words.group(key[1], key[2]), look=lambda _: "inside"),
            *(path(*one) for one in PATHS.items()),
            number("Share", shares.get, _share),
        ),
        tuple(shown),
        "Share through learning: median, where the interval of the total effect excludes 0.",
        records=(),
        head=lambda key: words.label(key[0]),
    )


def _some(rows: Mapping[tuple[str, By, str], object], capital: str) -> list[tuple[str, By, str]]:
    return [key for key in rows if key[0] == capital][:MOST_GROUPS]


def _share(row: MediatedRow | None) -> str:
    if row is None:
        return words.NONE
    return f"{words.fixed(100 * row.median, 0)}%"


def _tipping(learning: Learning, results: Results) -> str:
    """How much an unmeasured reason of learners would have to add until nothing acts through learning."""
    first = {
        row.capital: row
        for row in reversed(learning.tipping)
        if row.equation == results.model.equation
    }
    if not first:
        return ""
    most = bias_words(learning.limit, results.outcome)
    listed = "; ".join(
        f"{words.label(name).lower()} "
        + (f"none up to {most}" if at is None else bias_words(at, results.outcome))
        for name in CAPITALS
        if name in first
        for at in [first[name].mean_at]
    )
    row = next(iter(first.values()))
    where = "all firms" if row.by == "all" else row.group
    return (
        "Advantage of learners for an unmeasured reason at which nothing acts through learning "
        f"({where}): {listed}."
    )


def bias_words(value: float, outcome: OutcomeFacts) -> str:
    """Write a bias in the unit of effects on the outcome."""
    kind = words.unit(outcome)
    scaled = value * kind.factor
    return f"{words.fixed(scaled, 1 if kind.factor > 1 else 2)}{kind.effect}"


LEARNING = Section(
    "learning",
    "Interactive learning",
    "Learning",
    body,
    wanted=lambda results: results.learning is not None,
    views=views,
    layer="findings",
)
