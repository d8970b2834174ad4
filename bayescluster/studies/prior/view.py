"""A study of the prior as a page, on the terminal and as a table."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import groupby
from operator import attrgetter
from typing import Any, Final

from bayescluster.kit import words
from bayescluster.kit.figure import Drawn
from bayescluster.kit.intervals import Block, Frame, Interval, drawn_intervals
from bayescluster.kit.page import filled
from bayescluster.kit.table import Column, RawTable, Table, View, number, raw_tables
from bayescluster.results.facts import Coefficient
from bayescluster.studies.prior.results import (
    Outlook,
    PriorEstimand,
    PriorEvent,
    PriorPart,
    PriorPredictiveRow,
    PriorRange,
    PriorSpread,
    PriorStudy,
    PriorWarning,
)

PLAIN: Final = words.Unit(1.0, "", "", "")
EFFECTS: Final = ("average_marginal_effect", "contrast")
OUTLOOK: Final[dict[Outlook, str]] = {
    "decided_for": "prior supports",
    "decided_against": "prior rejects",
    "leans_for": "leans for",
    "leans_against": "leans against",
    "open": "open",
}
GROUP: Final[Column[Any]] = Column("For", lambda row: words.group(row.by, row.group))
MEDIAN: Final = "Median [90%]"


def page_text(found: PriorStudy) -> str:
    """Write the page: warnings, claims, estimands and outcomes, a part for each form and equation."""
    parts = [
        (
            part,
            f"part-{k + 1}",
            part_words(found, part),
            {
                "figures": list(_figures(found, part, k)),
                "tables": [view.table for view in views(found, part) if view.rows],
            },
        )
        for k, part in enumerate(found.parts)
    ]
    warned = [(part_words(found, warning), warning) for warning in found.warnings]
    return str(filled("prior.html.j2", found=found, parts=parts, warned=warned))


def printed(found: PriorStudy) -> Iterator[str | Table]:
    """Print outcomes, effects, corners and claims of every part, then the warnings."""
    yield settings_words(found)
    for part in found.parts:
        name = part_words(found, part)
        if name:
            yield f"\n== {name} =="
        corners = [*_corners(part)][:1]
        shown: tuple[View[Any], ...] = (_outcomes(part), _effects(part, EFFECTS[0]), *corners)
        yield from (view.table for view in (*shown, *_claims(found, part)) if view.rows)
    yield ""
    for warning in found.warnings:
        name = part_words(found, warning)
        yield f"WARNING {name + ': ' if name else ''}{warning.what}"
        yield f"  {warning.advice}"
    if not found.warnings:
        yield "No warnings: the prior decides no claim and leans on none."


def csv_tables(found: PriorStudy, _: object = None) -> list[RawTable]:
    """Estimands with unrounded numbers; a missing number is an empty cell."""
    tables = raw_tables(
        View(
            "prior",
            PriorEstimand,
            records=part.estimands,
            before={"form": part.form, "equation": part.equation},
        )
        for part in found.parts
    )
    return [
        table._replace(columns=tuple(name.removeprefix("spread_") for name in table.columns))
        for table in tables
    ]


def views(found: PriorStudy, part: PriorPart) -> Iterator[View[Any]]:
    """Claims, estimands, outcomes and parameters of a form and equation."""
    yield from _claims(found, part)
    yield from (_effects(part, kind) for kind in EFFECTS)
    yield from _corners(part)
    yield _outcomes(part)
    yield _predictive(part)
    yield _priors(part)


def _claims(found: PriorStudy, part: PriorPart) -> Iterator[View[PriorEvent]]:
    """A table a claim; what the factors are is explained below the last."""
    factors = (
        "To support and to reject: the factor by which the data must multiply or divide the prior odds of "
        f"the claim for a verdict; the prior leans where its odds are beyond {found.odds:g} to 1. Not known "
        "where too few prior draws lie in the region, or outside it. Turns most on: the prior whose "
        "parameter goes most with the event over the draws."
    )
    for _, same in groupby(part.events, key=attrgetter("claim")):
        events = tuple(same)
        regions = list(dict.fromkeys(event.region for event in events))
        shown = "; ".join(regions) if len(regions) < 3 else f"{regions[0]}, and so on"
        scope = events[0].scope
        aside = "" if scope == "observed" else f" Scope: {words.SCOPES[scope]}."
        yield View(
            "prior_claims",
            PriorEvent,
            f"{events[0].title}: before the data",
            (
                GROUP,
                number(
                    "Prior probability",
                    "probability",
                    words.verdict_probability,
                    note=lambda event: f"± {words.error(event.mcse)}",
                ),
                Column(
                    "Before the data",
                    "outlook",
                    OUTLOOK.__getitem__,
                    lambda event: event.unsupported,
                    lambda event: (
                        "bad"
                        if event.outlook.startswith("decided")
                        else ""
                        if event.outlook == "open"
                        else "thin"
                    ),
                ),
                number("To support", "to_support", factor_words),
                number("To reject", "to_reject", factor_words),
                Column("Turns most on", "turns_on", lambda name: name or words.NONE),
            ),
            events,
            f"Region: {shown}.{aside}" + (f" {factors}" if events[-1] is part.events[-1] else ""),
        )


def _effects(part: PriorPart, kind: str) -> View[PriorEstimand]:
    title, unit = f"{words.MEASURES[kind]}, before the data", unit_of(part)
    return View(
        "prior_effects",
        PriorEstimand,
        title,
        (
            GROUP,
            Column("Capital", "of", words.label),
            number(MEDIAN, "spread", partial(spread_words, unit=unit, change=True)),
            number("Above 0", "positive", lambda share: words.probability(share or 0.0)),
        ),
        tuple(row for row in part.estimands if row.kind == kind),
        f"Prior median and central interval, {unit.name}.",
        folded=title,
    )


def _corners(part: PriorPart) -> Iterator[View[PriorEstimand]]:
    tables: dict[tuple[str, str, str | None], list[PriorEstimand]] = {}
    for row in part.estimands:
        if row.kind not in EFFECTS:
            tables.setdefault((row.scope, row.declared, row.at_least), []).append(row)
    for (scope, declared, at_least), rows in tables.items():
        unit = unit_of(part, at_least)
        reach = "" if at_least is None else f", probability of at least {at_least}"
        aside = "" if scope == "observed" else f", {words.label(scope).lower()}"
        caption = f"Corners and cross difference before the data{reach}"
        yield View(
            "prior_corners",
            PriorEstimand,
            caption,
            (
                Column("What", estimand_words),
                GROUP,
                number(MEDIAN, partial(_level_or_change, unit=unit)),
                number("Above 0", "positive", words.maybe),
            ),
            tuple(rows),
            f"{words.sentence(words.SCOPES[scope])} Low and high: {declared}.",
            folded=f"{caption}: {declared}{aside}",
        )


def _level_or_change(row: PriorEstimand, unit: words.Unit) -> str:
    return spread_words(row.spread, unit, change=row.kind == "cross_difference")


def _outcomes(part: PriorPart) -> View[PriorRange]:
    return View(
        "prior_outcomes",
        PriorRange,
        f"Expected outcome before the data: {part.outcome.label}",
        (
            GROUP,
            number("n", "rows", words.count),
            number(MEDIAN, "spread", partial(spread_words, unit=unit_of(part))),
            Column("Possible", "possible"),
            number(
                "Hard to believe",
                range_words,
                note=lambda row: row.implausible,
                look=lambda row: "bad" if row.flagged else "",
            ),
        ),
        part.ranges,
    )


def _predictive(part: PriorPart) -> View[PriorPredictiveRow]:
    return View(
        "prior_predictive",
        PriorPredictiveRow,
        "Outcomes drawn from the prior",
        (
            GROUP,
            Column("Statistic", "statistic"),
            number("n", "rows", words.count),
            number(MEDIAN, "spread", spread_words),
        ),
        part.predictive,
        "Statistics of simulated outcomes in the unit of the column, without any observed outcome next "
        "to them.",
        folded="Outcomes drawn from the prior: mean, spread and shares",
    )


def _priors(part: PriorPart) -> View[Coefficient]:
    return View(
        "prior_parameters",
        Coefficient,
        "Priors of the parameters",
        (
            Column("Parameter", "name"),
            Column("Block", "block"),
            Column("Prior", "prior"),
            number("Mean [90%] of the draws", "estimate", words.plain),
        ),
        part.coefficients,
        f"On the scale of the model, equation {part.equation}.",
        folded="Priors of the parameters",
    )


def unit_of(part: PriorPart, at_least: str | None = None) -> words.Unit:
    """Unit of the outcome of a part, or of a probability of reaching a level."""
    outcome = part.outcome if at_least is None else words.reaching(part.outcome, at_least)
    return words.unit(outcome)


def part_words(found: PriorStudy, part: PriorPart | PriorWarning) -> str:
    """Name the form and equation of a part, as far as there are several."""
    forms = {each.form for each in found.parts if each.equation == part.equation}
    equations = {each.equation for each in found.parts}
    named = [part.equation] if len(equations) > 1 else []
    named += [part.form] if len(forms) > 1 else []
    return ", ".join(named)


def spread_words(found: PriorSpread, unit: words.Unit = PLAIN, *, change: bool = False) -> str:
    """``median [low, high]`` with the unit of a level or of a change."""
    if found.median is None or found.low is None or found.high is None:
        return f"{words.NONE} (not finite)"
    spread = (found.high - found.low) / 4 * unit.factor
    suffix = unit.effect if change else unit.level
    median, low, high = (
        words.fixed(value * unit.factor, words.decimals(spread), signed=change)
        for value in (found.median, found.low, found.high)
    )
    return f"{median}{suffix} [{low}, {high}]"


def factor_words(factor: float | None) -> str:
    """Factor on the odds of a claim."""
    if factor is None:
        return "not known"
    return "none needed" if factor <= 1 else f"x {words.number(factor)}"


def range_words(row: PriorRange) -> str:
    """How much of the prior is hard to believe, never rounded to certainty."""
    if row.share is None:
        return words.NONE
    if "orders of magnitude" in row.implausible:
        return f"spans {words.number(row.share)} orders of magnitude"
    return "<0.1%" if 0 < row.share < 0.001 else f"{100 * row.share:.1f}%"


def estimand_words(row: PriorEstimand) -> str:
    """What an estimand is."""
    if row.kind == "corner":
        return words.sentence(words.CORNERS[row.of]).removesuffix(".")
    if row.kind == "cross_difference":
        return "Cross difference (complementarity)"
    return f"{words.MEASURES[row.kind]}, {words.label(row.of).lower()}"


def settings_words(found: PriorStudy) -> str:
    """How the prior was looked at."""
    return (
        f"{words.count(found.draws)} draws from the prior (seed {found.seed}); nothing was fitted. "
        "Medians with central 90% intervals."
    )


def _figures(found: PriorStudy, part: PriorPart, position: int) -> Iterator[Drawn]:
    """Draw the effects, where there are any, and the expected outcome of a form and equation."""
    if any(row.kind == EFFECTS[0] for row in part.estimands):
        yield _effects_figure(found, part, f"prior-effects-{position}")
    name = f"prior-outcome-{position}"
    unit = unit_of(part)
    rows = tuple(_interval(row, unit.factor) for row in part.ranges)
    bounded = unit.level == "%"
    caption = (
        "Expected outcome before the data, overall and by industry: prior median and central "
        f"{words.share(found.interval)} interval."
    )
    axis = f"{part.outcome.label}{', %' if bounded else ''}"
    frame = Frame(axis, None, (0.0, 100.0) if bounded else None)
    yield drawn_intervals(name, caption, (Block(words.label(part.outcome.label), rows),), frame)


def _effects_figure(found: PriorStudy, part: PriorPart, name: str) -> Drawn:
    unit = unit_of(part)
    effects = [row for row in part.estimands if row.kind == EFFECTS[0]]
    blocks = tuple(
        Block(
            f"{words.label(capital)}: average marginal effect",
            tuple(_interval(row, unit.factor) for row in effects if row.of == capital),
        )
        for capital in dict.fromkeys(row.of for row in effects)
    )
    caption = (
        f"Average marginal effects before the data: prior median and central "
        f"{words.share(found.interval)} interval, overall and by industry."
    )
    axis = f"Change per standard deviation (0 to 1 for a 0/1 capital), {unit.name}"
    return drawn_intervals(name, caption, blocks, Frame(axis, 0.0))


def _interval(row: PriorEstimand | PriorRange, factor: float) -> Interval:
    low, middle, high = (
        float("nan") if value is None else value * factor
        for value in (row.spread.low, row.spread.median, row.spread.high)
    )
    return Interval(words.group(row.by, row.group), low, middle, high)
