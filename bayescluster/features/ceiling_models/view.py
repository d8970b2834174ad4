"""Ceilings, one for each cluster: models compared, effect sizes, bottlenecks."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayescluster.features.ceiling_models.results import (
    CeilingFit,
    CeilingOfCapital,
    DistanceRow,
    EffectSizeRow,
)
from bayescluster.features.ceilings.results import CeilingLine, LeastLevel
from bayescluster.features.ceilings.view import ends_text
from bayescluster.kit import words
from bayescluster.kit.figure import (
    FIRST,
    MUTED,
    Drawn,
    FigureError,
    FigureSpec,
    small_multiples,
)
from bayescluster.kit.intervals import Frame, Line, Mark, interval_rows
from bayescluster.kit.page import Section, figures, filled, tables
from bayescluster.kit.table import Column, Table, View, number
from bayescluster.names import CAPITALS
from bayescluster.results.base import By
from bayescluster.results.model import Results


def capital_of(results: Results, capital: str) -> CeilingOfCapital:
    """Ceilings over a capital.

    Raises
    ------
    FigureError
        If the results do not hold them.
    """
    for one in results.ceiling_models.capitals if results.ceiling_models else ():
        if one.capital == capital:
            return one
    raise FigureError(f"The results hold no ceiling models of {capital}.")


def shown_fit(ceiling: CeilingOfCapital) -> CeilingFit:
    """Give the model that is drawn: the best, or the first where none passed its gate."""
    return next((fit for fit in ceiling.fits if fit.best), ceiling.fits[0])


def ceilings(results: Results, capital: str, *, narrow: bool = False) -> Figure:
    """Draw firms and the ceiling of each industry, with its 90% band.

    Raises
    ------
    FigureError
        If the results hold no ceiling models of the capital, or too many industries.
    """
    ceiling = capital_of(results, capital)
    lines = _lines(ceiling)
    return small_multiples(
        [(words.panel(line.group), line) for line in lines],
        lambda axes, line: _panel(axes, line, ceiling),
        (words.label(capital), results.outcome.column),
        narrow=narrow,
        height=2.5,
        key=0,
    )


def _lines(ceiling: CeilingOfCapital) -> list[CeilingLine]:
    """Ceilings of the industries; that of all firms where there are none."""
    lines = shown_fit(ceiling).lines
    own = [line for line in lines if line.by == "industry"]
    return own or [line for line in lines if line.by == "all"]


def _panel(axes: Axes, line: CeilingLine, ceiling: CeilingOfCapital) -> None:
    mine = [(x, y) for x, y, panel in ceiling.points if line.by == "all" or panel == line.group]
    x, y = zip(*mine, strict=True) if mine else ((), ())
    axes.plot(x, y, linestyle="", marker="o", markersize=2.5, color=MUTED, alpha=0.55, zorder=2)
    axes.fill_between(line.at, line.low, line.high, color=FIRST, alpha=0.25, linewidth=0, zorder=1)
    axes.plot(line.at, line.mean, color=FIRST, zorder=3)
    axes.set_xlim(ceiling.low, ceiling.high)
    axes.set_ylim(ceiling.outcome_low, ceiling.outcome_high)
    axes.grid(visible=True)


def effect_sizes(results: Results, capital: str, *, narrow: bool = False) -> Figure:
    """Draw the effect size of every cluster, below those of industries and of all firms.

    Raises
    ------
    FigureError
        If the results hold no ceiling models of the capital, or too many groups.
    """
    lines = [
        Line(
            name_of(row),
            (Mark(row.estimate.low, row.estimate.mean, row.estimate.high, look=int(row.new)),),
        )
        for row in shown_fit(capital_of(results, capital)).effects
    ]
    frame = Frame("d: share of the scope above the ceiling", limits=(0, 1))
    return interval_rows(lines, frame, narrow=narrow)


def name_of(row: EffectSizeRow) -> str:
    """Name a group, or the new cluster of one."""
    name = words.group(row.by, row.group)
    if row.new:
        return "New cluster" if row.by == "all" else f"New cluster, {name}"
    return name


def _lower(capital: str) -> str:
    return words.label(capital).lower()


def _ceilings_caption(results: Results, capital: str) -> str:
    return (
        f"Firms, and the ceiling of the outcome over {_lower(capital)} by the "
        f"{shown_fit(capital_of(results, capital)).model} model: mean and 90% band of the average of "
        "the ceilings of an industry's clusters, so firms of a permissive cluster may be above it."
    )


def _ceilings_alternative(results: Results, capital: str) -> str:
    ends = "; ".join(
        f"{words.panel(line.group)} from {words.number(line.mean[0])} to {words.number(line.mean[-1])}"
        for line in _lines(capital_of(results, capital))
    )
    return f"Ceilings over {_lower(capital)}, from its least to its largest value: {ends}."


def _effects_caption(results: Results, capital: str) -> str:
    return (
        f"Effect size d of {_lower(capital)} by the {shown_fit(capital_of(results, capital)).model} "
        "model: points are means, lines 90% intervals. Clusters borrow strength within their industry."
    )


def _effects_alternative(results: Results, capital: str) -> str:
    rows = shown_fit(capital_of(results, capital)).effects
    listed = "; ".join(f"{name_of(row)} {words.plain(row.estimate)}" for row in rows)
    return f"Effect sizes d of {_lower(capital)}: {listed}."


def _has(results: Results, capital: str) -> bool:
    fitted = results.ceiling_models.capitals if results.ceiling_models else ()
    return any(one.capital == capital for one in fitted)


def _specs(capital: str) -> tuple[FigureSpec, FigureSpec]:
    dashed, wanted = capital.replace("_", "-"), partial(_has, capital=capital)
    return (
        FigureSpec(
            f"ceilings-{dashed}",
            lambda results, narrow: ceilings(results, capital, narrow=narrow),
            partial(_ceilings_caption, capital=capital),
            partial(_ceilings_alternative, capital=capital),
            wanted,
        ),
        FigureSpec(
            f"ceiling-effects-{dashed}",
            lambda results, narrow: effect_sizes(results, capital, narrow=narrow),
            partial(_effects_caption, capital=capital),
            partial(_effects_alternative, capital=capital),
            wanted,
        ),
    )


CEILINGS = {capital: _specs(capital) for capital in CAPITALS}
"""Ceilings, and effect sizes, of each capital."""


def views(results: Results) -> Iterator[View[Any]]:
    """Effect sizes, least capital and distances to the ceiling of every capital and model."""
    for ceiling in results.ceiling_models.capitals if results.ceiling_models else ():
        for fit in ceiling.fits:
            before = {"capital": ceiling.capital, "model": fit.model}
            yield View("ceiling_effects", EffectSizeRow, records=fit.effects, before=before)
            yield View("ceiling_needed", LeastLevel, records=fit.needed, before=before)
            yield View("ceiling_distances", DistanceRow, records=fit.distances, before=before)
        yield from _shown(ceiling)


def _shown(ceiling: CeilingOfCapital) -> Iterator[View[Any]]:
    """Views that compare models or groups; their records are written model by model."""
    yield _distances(ceiling)
    yield _effects(ceiling)
    yield _needed(ceiling)


def _models(ceiling: CeilingOfCapital) -> Table:
    def flagged(fit: CeilingFit) -> str:
        return ", ".join(row.statistic for row in fit.distances if row.flagged)

    def shape(fit: CeilingFit) -> str:
        al, be = (words.fixed(one.mean, 2) for one in fit.shape)
        return f"{al}, {be}" + (f"; {words.plain(fit.extra)}" if fit.extra else "")

    return View[CeilingFit](
        "ceiling_models",
        CeilingFit,
        f"Models of the ceiling over {_lower(ceiling.capital)}",
        (
            Column("Model", "model", note=shape, look=lambda fit: "head" if fit.best else ""),
            number(
                "elpd (SE)",
                lambda fit: f"{words.fixed(fit.elpd, 1)} ({words.fixed(fit.se, 1)})",
                note=lambda fit: f"{words.firms(fit.bad)} with large k" if fit.bad else "",
            ),
            number(
                "Less the best (SE)",
                lambda fit: (
                    f"{words.fixed(fit.difference, 1)} ({words.fixed(fit.difference_se, 1)})"
                ),
            ),
            number("d, all firms", lambda fit: fit.effects[0].estimate, words.plain),
            Column(
                "Distances",
                lambda fit: "✕ not reproduced" if flagged(fit) else "✓ reproduced",
                note=flagged,
                look=lambda fit: "bad" if flagged(fit) else "good",
            ),
            Column(
                "Gate",
                lambda fit: "✓ passed" if fit.gate_passed else "✕ failed",
                note=lambda fit: "" if fit.gate_passed else "; ".join(fit.failing),
                look=lambda fit: "good" if fit.gate_passed else "bad",
            ),
        ),
        ceiling.fits,
        "elpd: expected log predictive density of firms left out one by one (PSIS); of a hard ceiling "
        "with the height of the firm's cluster integrated out, since draws above every firm would "
        "overrate those at the edge. Distances: statistics of the share of their ceiling that firms "
        "reach which the model does not make. Small print: al and be of that share, and noise or share "
        "of firms not bound.",
    ).table


class _Distance(NamedTuple):
    model: str
    row: DistanceRow


def _distances(ceiling: CeilingOfCapital) -> View[_Distance]:
    return View(
        "ceiling_distances",
        DistanceRow,
        "Share of their ceiling that firms reach, observed and replicated",
        (
            Column(
                "Model and statistic", lambda one: one.row.statistic, note=lambda one: one.model
            ),
            number("Observed", lambda one: words.fixed(one.row.observed, 3)),
            number(
                "Replicated, 90%",
                lambda one: f"{words.fixed(one.row.low, 3)} to {words.fixed(one.row.high, 3)}",
            ),
            number(
                "Tail",
                lambda one: one.row.tail,
                words.probability,
                note=lambda one: "far out" if one.row.flagged else "",
            ),
        ),
        tuple(_Distance(fit.model, row) for fit in ceiling.fits for row in fit.distances),
        folded=f"Distances to the ceiling over {_lower(ceiling.capital)}",
        records=(),
    )


def _effects(ceiling: CeilingOfCapital) -> View[tuple[EffectSizeRow, ...]]:
    """Effect sizes under every model; a row holds those of one group."""

    def column(k: int, fit: CeilingFit) -> Column[tuple[EffectSizeRow, ...]]:
        return number(fit.model, lambda row: row[k].estimate, words.plain)

    return View(
        "ceiling_effects",
        EffectSizeRow,
        f"Effect size d of {_lower(ceiling.capital)} under each model",
        (
            Column(
                "Group",
                lambda row: name_of(row[0]),
                look=lambda row: "head" if row[0].by == "all" and not row[0].new else "",
            ),
            number("Firms", lambda row: row[0].rows or None, words.count),
            *(column(k, fit) for k, fit in enumerate(ceiling.fits)),
            number(
                "Prior",
                lambda row: (
                    f"{words.fixed(row[0].prior.low, 2)} to {words.fixed(row[0].prior.high, 2)}"
                ),
            ),
        ),
        tuple(zip(*(fit.effects for fit in ceiling.fits), strict=True)),
        "Mean and 90% interval; prior: 90% interval before any firm is seen. A new cluster has a "
        "height drawn from the distribution of its industry.",
        records=(),
    )


def _needed(ceiling: CeilingOfCapital) -> View[tuple[LeastLevel, ...]]:
    """Least capital under the model that is shown; a row holds one level of the outcome."""
    fit = shown_fit(ceiling)
    by_target: dict[float, list[LeastLevel]] = {}
    for row in fit.needed:
        if row.by != "cluster":
            by_target.setdefault(row.target, []).append(row)
    rows = tuple(map(tuple, by_target.values()))

    def column(k: int, by: By, group: str) -> Column[tuple[LeastLevel, ...]]:
        return number(
            words.group(by, group),
            lambda row: row[k],
            lambda least: ends_text(least, "original", words.number),
            note=lambda row: (
                f"NN {words.probability(row[k].not_needed)}, "
                f"NA {words.probability(row[k].not_reached)}"
            ),
        )

    return View(
        "ceiling_needed",
        LeastLevel,
        f"Least {_lower(ceiling.capital)} by level of the outcome ({fit.model})",
        (
            Column(
                "Level of the outcome",
                lambda row: words.share((row[0].target_percent or 0) / 100),
                note=lambda row: words.number(row[0].target),
            ),
            *(column(k, least.by, least.group) for k, least in enumerate(rows[0] if rows else ())),
        ),
        rows,
        "Median and 90% interval in units of the capital, under the average ceiling of the group. NN: "
        "not needed; NA: out of reach, the ceiling stays below the level. Small print: probability "
        "of NN and of NA.",
        records=(),
    )


class Block(NamedTuple):
    """The part of the section on one capital."""

    title: str
    statement: str
    notes: tuple[str, ...]
    scope: str
    models: Table
    figures: tuple[Drawn, ...]
    tables: list[Table]


def body(results: Results) -> Markup:
    """Statement, table of models, figures and tables of each capital."""
    models = results.ceiling_models
    assert models is not None
    return filled(
        "ceiling_models.html.j2",
        floor=words.share(models.floor),
        blocks=[
            Block(
                words.label(one.capital),
                one.statement,
                one.notes,
                f"{words.number(one.low)} to {words.number(one.high)} of the capital, "
                f"{words.number(one.outcome_low)} to {words.number(one.outcome_high)} of the outcome "
                f"({one.declared})",
                _models(one),
                figures(results, *CEILINGS[one.capital]),
                tables(_shown(one)),
            )
            for one in models.capitals
        ],
    )


CEILING_MODELS = Section(
    "ceiling-models",
    "Ceilings, one for each cluster",
    "Ceiling models",
    body,
    lambda results: results.ceiling_models is not None,
    views,
)
