"""Ceilings of the outcome over a capital: bands by industry, and effect sizes by cluster."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayescluster.report import words
from bayescluster.report.figures.panels import MOST_PANELS, panels
from bayescluster.report.figures.record import FigureError, FigureSpec
from bayescluster.report.figures.style import (
    FIRST,
    MUTED,
    NARROW,
    SECOND,
    WIDE,
    bare_rows,
    canvas,
    folded,
    plain_text,
    settings,
)
from bayescluster.results.ceiling_models import (
    CeilingFit,
    CeilingLine,
    CeilingOfCapital,
    EffectSizeRow,
)
from bayescluster.results.model import Results

MOST_ROWS = 80
"""More clusters than this are not drawn."""


def capital_of(results: Results, capital: str) -> CeilingOfCapital | None:
    """Ceilings over a capital, where the results hold them."""
    known = results.ceiling_models.capitals if results.ceiling_models else ()
    return next((one for one in known if one.capital == capital), None)


def shown_fit(found: CeilingOfCapital) -> CeilingFit:
    """Give the model that is drawn: the best, or the first where none passed its gate."""
    return next((fit for fit in found.fits if fit.best), found.fits[0])


def ceilings(results: Results, capital: str, *, narrow: bool = False) -> Figure:
    """Draw firms and the ceiling of each industry, with its 90% band.

    Parameters
    ----------
    results
        Results of a run.
    capital
        ``human_capital`` or ``social_capital``.
    narrow
        Lay the figure out for a telephone.

    Raises
    ------
    FigureError
        If the results hold no ceiling models of the capital, or too many industries.
    """
    found = _found(results, capital)
    lines = _lines(shown_fit(found))
    if len(lines) > MOST_PANELS:
        raise FigureError(f"There are {len(lines)} industries; at most {MOST_PANELS} are drawn.")
    with settings():
        laid = panels([line.group for line in lines], narrow=narrow, height=2.5, extra=0.5)
        for axes, line in zip(laid.axes, lines, strict=True):
            _panel(axes, line, found)
        for axes in laid.bottom:
            axes.set_xlabel(words.label(capital))
        for axes in laid.left:
            axes.set_ylabel(results.outcome.column)
        return plain_text(laid.figure)


def _found(results: Results, capital: str) -> CeilingOfCapital:
    found = capital_of(results, capital)
    if found is None:
        raise FigureError(f"The results hold no ceiling models of {capital}.")
    return found


def _lines(fit: CeilingFit) -> list[CeilingLine]:
    own = [line for line in fit.lines if line.by == "industry"]
    return own or [line for line in fit.lines if line.by == "all"]


def _panel(axes: Axes, line: CeilingLine, found: CeilingOfCapital) -> None:
    mine = [(x, y) for x, y, panel in found.points if line.by == "all" or panel == line.group]
    x, y = zip(*mine, strict=True) if mine else ((), ())
    axes.plot(x, y, linestyle="", marker="o", markersize=2.5, color=MUTED, alpha=0.55, zorder=2)
    axes.fill_between(line.at, line.low, line.high, color=FIRST, alpha=0.25, linewidth=0, zorder=1)
    axes.plot(line.at, line.mean, color=FIRST, zorder=3)
    axes.set_xlim(found.low, found.high)
    axes.set_ylim(found.outcome_low, found.outcome_high)
    axes.set_title(folded(words.panel(line.group), 34, 1))
    axes.grid(visible=True)


def effect_sizes(results: Results, capital: str, *, narrow: bool = False) -> Figure:
    """Draw the effect size of every cluster, below those of industries and of all firms.

    Parameters
    ----------
    results
        Results of a run.
    capital
        ``human_capital`` or ``social_capital``.
    narrow
        Lay the figure out for a telephone.

    Raises
    ------
    FigureError
        If the results hold no ceiling models of the capital, or too many groups.
    """
    rows = shown_fit(_found(results, capital)).effects
    if len(rows) > MOST_ROWS:
        raise FigureError(f"There are {len(rows)} groups; at most {MOST_ROWS} are drawn.")
    with settings():
        figure = canvas(NARROW if narrow else WIDE, 0.9 + 0.24 * len(rows))
        axes = figure.add_subplot()
        for place, row in enumerate(rows):
            colour = SECOND if row.new else FIRST
            ends = (row.estimate.low, row.estimate.high)
            axes.plot(ends, (place, place), color=colour, zorder=2)
            axes.plot(
                [row.estimate.mean], [place], linestyle="", marker="o", markersize=4.5, color=colour
            )
        bare_rows(axes)
        width = 20 if narrow else 34
        axes.set_yticks(range(len(rows)), [folded(name_of(row), width, 1) for row in rows])
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.set_xlim(0, 1)
        axes.set_xlabel("d: share of the scope above the ceiling")
        return plain_text(figure)


def name_of(row: EffectSizeRow) -> str:
    """Name a group, or the new cluster of one."""
    name = words.group(row.by, row.group)
    if row.new:
        return "New cluster" if row.by == "all" else f"New cluster, {name}"
    return name


def _specs(capital: str) -> tuple[FigureSpec, FigureSpec]:
    said, dashed = words.label(capital).lower(), capital.replace("_", "-")

    def caption(results: Results) -> str:
        fit = shown_fit(_found(results, capital))
        return (
            f"Firms, and the ceiling of the outcome over {said} by the {fit.model} model: mean and "
            "90% band of the average of the ceilings of an industry's clusters, so firms of a "
            "permissive cluster may stand above it."
        )

    def alternative(results: Results) -> str:
        ends = "; ".join(
            f"{words.panel(line.group)} from {words.number(line.mean[0])} to "
            f"{words.number(line.mean[-1])}"
            for line in _lines(shown_fit(_found(results, capital)))
        )
        return f"Ceilings over {said}, from its least to its largest value: {ends}."

    def sizes(results: Results) -> str:
        fit = shown_fit(_found(results, capital))
        return (
            f"Effect size d of {said} by the {fit.model} model: points are means, lines 90% "
            "intervals. Clusters borrow strength within their industry."
        )

    def sizes_said(results: Results) -> str:
        rows = shown_fit(_found(results, capital)).effects
        listed = "; ".join(f"{name_of(row)} {words.plain(row.estimate)}" for row in rows)
        return f"Effect sizes d of {said}: {listed}."

    def wanted(results: Results) -> bool:
        return capital_of(results, capital) is not None

    return (
        FigureSpec(
            f"ceilings-{dashed}",
            lambda results, narrow: ceilings(results, capital, narrow=narrow),
            caption,
            alternative,
            wanted,
        ),
        FigureSpec(
            f"ceiling-effects-{dashed}",
            lambda results, narrow: effect_sizes(results, capital, narrow=narrow),
            sizes,
            sizes_said,
            wanted,
        ),
    )


CEILINGS = {capital: _specs(capital) for capital in ("human_capital", "social_capital")}
"""Ceilings, and effect sizes, of each capital."""
