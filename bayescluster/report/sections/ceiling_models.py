"""Ceilings, one for each cluster: models compared, effect sizes, bottlenecks."""

from __future__ import annotations

from typing import NamedTuple

from markupsafe import Markup

from bayescluster.report import words
from bayescluster.report.environment import filled
from bayescluster.report.figures.ceiling_models_plot import CEILINGS, name_of, shown_fit
from bayescluster.report.figures.svg import Drawn
from bayescluster.report.sections.record import (
    Cell,
    Section,
    Table,
    columns,
    figures,
    groups_in,
    rows,
)
from bayescluster.results.ceiling_models import CeilingFit, CeilingOfCapital, NeededRow
from bayescluster.results.model import Results


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
    at = {(row.by, row.group, row.level): row for row in kept}
    levels = list(dict.fromkeys(row.level for row in kept))
    return Table(
        f"Least {words.label(found.capital).lower()} by level of the outcome ({fit.model})",
        columns("Level of the outcome", *(f"#{words.group(by, name)}" for by, name in names)),
        rows(
            (
                Cell(words.share(level), words.number(at[(*names[0], level)].outcome)),
                *(_least(at[(*name, level)]) for name in names),
            )
            for level in levels
        ),
        "Median and 90% interval in units of the capital, under the average ceiling of the group. NN: "
        "not needed; NA: out of reach, the ceiling stays below the level. Small print: probability "
        "of NN and of NA.",
    )


def _least(row: NeededRow) -> Cell:
    low, median, high = (
        _place(value, kind)
        for value, kind in (
            (row.low, row.low_is),
            (row.median, row.median_is),
            (row.high, row.high_is),
        )
    )
    text = median if low == median == high else f"{median} [{low}, {high}]"
    chances = f"NN {words.probability(row.not_needed)}, NA {words.probability(row.out_of_reach)}"
    return Cell(text, chances)


def _place(value: float | None, kind: str) -> str:
    return {"not needed": "NN", "out of reach": "NA"}.get(kind) or words.number(value)


CEILING_MODELS = Section(
    "ceiling-models",
    "Ceilings, one for each cluster",
    "Ceiling models",
    body,
    wanted=lambda results: results.ceiling_models is not None,
)
