"""Ceilings, one for each cluster: models compared, effect sizes, bottlenecks."""

from __future__ import annotations

from typing import NamedTuple

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayescluster.features.ceiling_models.results import (
    CeilingFit,
    CeilingOfCapital,
    EffectSizeRow,
)
from bayescluster.features.ceilings.results import CeilingLine, LeastLevel
from bayescluster.features.ceilings.view import ends_text
from bayescluster.kit import words
from bayescluster.kit.figure import (
    FIRST,
    MOST_PANELS,
    MUTED,
    NARROW,
    SECOND,
    WIDE,
    Drawn,
    FigureError,
    FigureSpec,
    bare_rows,
    canvas,
    folded,
    panels,
    plain_text,
    settings,
)
from bayescluster.kit.page import filled
from bayescluster.kit.sections import Section, columns, figures, groups_in, rows
from bayescluster.kit.table import Cell, Table
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
    axes.fill_between(
        line.levels, line.low, line.high, color=FIRST, alpha=0.25, linewidth=0, zorder=1
    )
    axes.plot(line.levels, line.mean, color=FIRST, zorder=3)
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


class Block(NamedTuple):
    """What is told of one capital."""

    title: str
    statement: str
    notes: tuple[str, ...]
    scope: str
    tables: tuple[Table, ...]
    figures: tuple[Drawn, ...]


def body(results: Results) -> Markup:
    """Statement, table of models, figures and tables of each capital."""
    found = results.ceiling_models
    assert found is not None
    return filled(
        "ceiling_models.html.j2",
        results=results,
        floor=words.share(found.floor),
        blocks=tuple(_block(results, one) for one in found.capitals),
    )


def _block(results: Results, found: CeilingOfCapital) -> Block:
    fit = shown_fit(found)
    scope = (
        f"{words.number(found.low)} to {words.number(found.high)} of the capital, "
        f"{words.number(found.outcome_low)} to {words.number(found.outcome_high)} of the outcome "
        f"({found.declared})"
    )
    return Block(
        words.label(found.capital),
        found.statement,
        found.notes,
        scope,
        (_models(found), _distances(found), _effects(found), _needed(found, fit)),
        figures(results, *CEILINGS[found.capital]),
    )


def _models(found: CeilingOfCapital) -> Table:
    return Table(
        f"Models of the ceiling over {words.label(found.capital).lower()}",
        columns("Model", "#elpd (SE)", "#Less the best (SE)", "#d, all firms", "Distances", "Gate"),
        rows(_model(fit) for fit in found.fits),
        "elpd: expected log predictive density of firms left out one by one (PSIS); of a hard ceiling "
        "with the height of the firm's cluster integrated out, since draws above every firm would "
        "overrate those at the edge. Distances: statistics of the share of their ceiling that firms "
        "reach which the model does not make. Small print: al and be of that share, and noise or share "
        "of firms not bound.",
    )


def _model(fit: CeilingFit) -> tuple[Cell, ...]:
    flagged = [row.statistic for row in fit.distances if row.flagged]
    gate = (
        Cell("✓ passed", look="good")
        if fit.gate_passed
        else Cell("✕ failed", "; ".join(fit.failing), "bad")
    )
    shape = f"{words.fixed(fit.shape[0].mean, 2)}, {words.fixed(fit.shape[1].mean, 2)}"
    extra = f"; {words.plain(fit.extra)}" if fit.extra else ""
    bad = f"{words.firms(fit.bad)} with large k" if fit.bad else ""
    return (
        Cell(fit.model, shape + extra, "head" if fit.best else ""),
        Cell(f"{words.fixed(fit.elpd, 1)} ({words.fixed(fit.se, 1)})", bad),
        Cell(f"{words.fixed(fit.difference, 1)} ({words.fixed(fit.difference_se, 1)})"),
        Cell(words.plain(fit.effects[0].estimate)),
        Cell("✕ not reproduced", ", ".join(flagged), "bad")
        if flagged
        else Cell("✓ reproduced", look="good"),
        gate,
    )


def _distances(found: CeilingOfCapital) -> Table:
    return Table(
        "Share of their ceiling that firms reach, observed and replicated",
        columns("Model and statistic", "#Observed", "#Replicated, 90%", "#Tail"),
        rows(
            (
                Cell(row.statistic, fit.model),
                words.fixed(row.observed, 3),
                f"{words.fixed(row.low, 3)} to {words.fixed(row.high, 3)}",
                Cell(words.probability(row.tail), "far out" if row.flagged else ""),
            )
            for fit in found.fits
            for row in fit.distances
        ),
        folded=f"Distances to the ceiling over {words.label(found.capital).lower()}",
    )


def _effects(found: CeilingOfCapital) -> Table:
    """Effect sizes under every model, none in silence."""
    first = found.fits[0]
    return Table(
        f"Effect size d of {words.label(found.capital).lower()} under each model",
        columns("Group", "#Firms", *(f"#{fit.model}" for fit in found.fits), "#Prior"),
        rows(
            (
                Cell(name_of(row), look="head" if (row.by, row.new) == ("all", False) else ""),
                words.count(row.rows) if row.rows else words.NONE,
                *(words.plain(fit.effects[k].estimate) for fit in found.fits),
                f"{words.fixed(row.prior.low, 2)} to {words.fixed(row.prior.high, 2)}",
            )
            for k, row in enumerate(first.effects)
        ),
        "Mean and 90% interval; prior: 90% interval before any firm is seen. A new cluster has a "
        "height drawn from the distribution of its industry.",
    )


def _needed(found: CeilingOfCapital, fit: CeilingFit) -> Table:
    kept = [row for row in fit.needed if row.by != "cluster"]
    names = groups_in(kept)
    at = {(row.by, row.group, row.target): row for row in kept}
    targets = dict.fromkeys((row.target_percent, row.target) for row in kept)
    return Table(
        f"Least {words.label(found.capital).lower()} by level of the outcome ({fit.model})",
        columns("Level of the outcome", *(f"#{words.group(by, name)}" for by, name in names)),
        rows(
            (
                Cell(words.share((percent or 0) / 100), words.number(target)),
                *(_least(at[(*name, target)]) for name in names),
            )
            for percent, target in targets
        ),
        "Median and 90% interval in units of the capital, under the average ceiling of the group. NN: "
        "not needed; NA: out of reach, the ceiling stays below the level. Small print: probability "
        "of NN and of NA.",
    )


def _least(row: LeastLevel) -> Cell:
    chances = f"NN {words.probability(row.not_needed)}, NA {words.probability(row.not_reached)}"
    return Cell(ends_text(row, "original", words.number), chances)


CEILING_MODELS = Section(
    "ceiling-models",
    "Ceilings, one for each cluster",
    "Ceiling models",
    body,
    wanted=lambda results: results.ceiling_models is not None,
)
