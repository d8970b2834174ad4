"""A study of the prior as a page and as a table."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from itertools import groupby
from operator import attrgetter

from bayescluster.kit import words
from bayescluster.kit.figure import Drawn
from bayescluster.kit.flat import harmless
from bayescluster.kit.intervals import Block, Frame, Interval, drawn_intervals
from bayescluster.kit.page import filled
from bayescluster.kit.sections import Cell, Table, columns, rows
from bayescluster.studies.prior.results import (
    PriorEstimand,
    PriorEvent,
    PriorPart,
    PriorRange,
    PriorSpread,
    PriorStudy,
    PriorWarning,
)

PLAIN = words.Unit(1.0, "", "", "")


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
        return "not told"
    return "none needed" if factor <= 1 else f"x {words.number(factor)}"


def factors_note(found: PriorStudy) -> str:
    """What the factors of a table of claims are."""
    return (
        "To support and to reject: the factor by which the data must multiply or divide the prior odds of "
        f"the claim for a verdict; the prior leans where its odds are beyond {found.odds:g} to 1. Not told "
        "where too few prior draws lie in the region, or outside it. Turns most on: the prior whose "
        "parameter goes most with the event over the draws."
    )


def share_words(share: float) -> str:
    """Share of the prior, never rounded to certainty."""
    if 0 < share < 0.001:
        return "<0.1%"
    return f"{100 * share:.1f}%"


def range_words(row: PriorRange) -> str:
    """How much of the prior is hard to believe."""
    if row.share is None:
        return words.NONE
    if "orders of magnitude" in row.implausible:
        return f"spans {words.number(row.share)} orders of magnitude"
    return share_words(row.share)


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


EFFECTS = ("average_marginal_effect", "contrast")


def prior_figures(found: PriorStudy, part: PriorPart, position: int) -> Iterator[Drawn]:
    """Draw the effects, where there are any, and the expected outcome of a form and equation."""
    if any(row.kind == EFFECTS[0] for row in part.estimands):
        yield _prior_figures_effects(found, part, f"prior-effects-{position}")
    yield _outcome(found, part, f"prior-outcome-{position}")


def _prior_figures_effects(found: PriorStudy, part: PriorPart, name: str) -> Drawn:
    unit = unit_of(part)
    some = [row for row in part.estimands if row.kind == EFFECTS[0]]
    blocks = tuple(
        Block(
            f"{words.label(capital)}: average marginal effect",
            _rows(
                [(words.group(row.by, row.group), row.spread) for row in some if row.of == capital],
                unit.factor,
            ),
        )
        for capital in dict.fromkeys(row.of for row in some)
    )
    caption = (
        f"Average marginal effects before the data: prior median and central "
        f"{words.share(found.interval)} interval, overall and by industry."
    )
    axis = f"Change per standard deviation (0 to 1 for a 0/1 capital), {unit.name}"
    return drawn_intervals(name, caption, blocks, Frame(axis, 0.0))


def _outcome(found: PriorStudy, part: PriorPart, name: str) -> Drawn:
    unit = unit_of(part)
    block = Block(
        words.label(part.outcome.label),
        _rows([(words.group(row.by, row.group), row.spread) for row in part.ranges], unit.factor),
    )
    bounded = unit.level == "%"
    caption = (
        "Expected outcome before the data, overall and by industry: prior median and central "
        f"{words.share(found.interval)} interval."
    )
    axis = f"{part.outcome.label}{', %' if bounded else ''}"
    return drawn_intervals(
        name, caption, (block,), Frame(axis, None, (0.0, 100.0) if bounded else None)
    )


def _rows(found: Sequence[tuple[str, PriorSpread]], factor: float) -> tuple[Interval, ...]:
    return tuple(
        Interval(
            label,
            _number(one.low, factor),
            _number(one.median, factor),
            _number(one.high, factor),
        )
        for label, one in found
    )


def _number(value: float | None, factor: float) -> float:
    return float("nan") if value is None else value * factor


OUTLOOK = {
    "decided_for": "prior supports",
    "decided_against": "prior rejects",
    "leans_for": "leans for",
    "leans_against": "leans against",
    "open": "open",
}


def page_text(found: PriorStudy) -> str:
    """Write the page: warnings, claims, estimands and outcomes, a part for each form and equation."""
    return str(
        filled(
            "prior.html.j2",
            found=found,
            parts=[
                (part, f"part-{k + 1}", part_words(found, part), _body(found, part, k))
                for k, part in enumerate(found.parts)
            ],
            warned=[(part_words(found, warning), warning) for warning in found.warnings],
        )
    )


def _body(
    found: PriorStudy, part: PriorPart, position: int
) -> dict[str, list[Drawn] | list[Table]]:
    tables = [
        *_claims(found, part),
        *_effects(part),
        *_corners(part),
        _outcomes(part),
        _predictive(part),
        _priors(part),
    ]
    return {
        "figures": list(prior_figures(found, part, position)),
        "tables": [table for table in tables if table.rows],
    }


def _claims(found: PriorStudy, part: PriorPart) -> Iterator[Table]:
    """A table a claim; what the factors are stands below the last."""
    for _, events in groupby(part.events, key=attrgetter("claim")):
        kept = list(events)
        first, last = kept[0], kept[-1] is part.events[-1]
        regions = dict.fromkeys(event.region for event in kept)
        scope = "" if first.scope == "observed" else f" Scope: {words.SCOPES[first.scope]}."
        yield Table(
            f"{first.title}: before the data",
            columns(
                "For",
                "#Prior probability",
                "Before the data",
                "#To support",
                "#To reject",
                "Turns most on",
            ),
            rows(_claim(event) for event in kept),
            f"Region: {'; '.join(regions) if len(regions) < 3 else _first(regions)}.{scope}"
            + (f" {factors_note(found)}" if last else ""),
        )


def _first(regions: Iterable[str]) -> str:
    return f"{next(iter(regions))}, and so on"


def _claim(event: PriorEvent) -> tuple[Cell | str, ...]:
    decided = event.outlook.startswith("decided")
    return (
        words.group(event.by, event.group),
        Cell(words.verdict_probability(event.probability), f"± {words.error(event.mcse)}"),
        Cell(
            OUTLOOK[event.outlook],
            event.unsupported,
            "bad" if decided else "" if event.outlook == "open" else "thin",
        ),
        factor_words(event.to_support),
        factor_words(event.to_reject),
        event.turns_on or words.NONE,
    )


def _effects(part: PriorPart) -> Iterator[Table]:
    for kind in EFFECTS:
        title = f"{words.MEASURES[kind]}, before the data"
        yield Table(
            title,
            columns("For", "Capital", "#Median [90%]", "#Above 0"),
            rows(
                (
                    words.group(row.by, row.group),
                    words.label(row.of),
                    spread_words(row.spread, unit_of(part), change=True),
                    words.probability(row.positive if row.positive is not None else 0.0),
                )
                for row in part.estimands
                if row.kind == kind
            ),
            f"Prior median and central interval, {unit_of(part).name}.",
            folded=title,
        )


def _corners(part: PriorPart) -> Iterator[Table]:
    kept: dict[tuple[str, str, str | None], list[PriorEstimand]] = {}
    for row in part.estimands:
        if row.kind not in EFFECTS:
            kept.setdefault((row.scope, row.declared, row.at_least), []).append(row)
    for (scope, declared, at_least), found in kept.items():
        reach = "" if at_least is None else f", probability of at least {at_least}"
        yield Table(
            f"Corners and cross difference before the data{reach}",
            columns("What", "For", "#Median [90%]", "#Above 0"),
            rows(
                (
                    estimand_words(row),
                    words.group(row.by, row.group),
                    spread_words(
                        row.spread, unit_of(part, at_least), change=row.kind == "cross_difference"
                    ),
                    words.NONE if row.positive is None else words.probability(row.positive),
                )
                for row in found
            ),
            f"{words.sentence(words.SCOPES[scope])} Low and high: {declared}.",
            folded=f"Corners and cross difference before the data{reach}: {declared}"
            + ("" if scope == "observed" else f", {words.label(scope).lower()}"),
        )


def _outcomes(part: PriorPart) -> Table:
    return Table(
        f"Expected outcome before the data: {part.outcome.label}",
        columns("For", "#n", "#Median [90%]", "Possible", "#Hard to believe"),
        rows(
            (
                words.group(row.by, row.group),
                words.count(row.rows),
                spread_words(row.spread, unit_of(part)),
                row.possible,
                Cell(range_words(row), row.implausible, "bad" if row.flagged else ""),
            )
            for row in part.ranges
        ),
    )


def _predictive(part: PriorPart) -> Table:
    return Table(
        "Outcomes drawn from the prior",
        columns("For", "Statistic", "#n", "#Median [90%]"),
        rows(
            (
                words.group(row.by, row.group),
                row.statistic,
                words.count(row.rows),
                spread_words(row.spread),
            )
            for row in part.predictive
        ),
        "Statistics of simulated outcomes in the unit of the column. No observed outcome stands beside "
        "them.",
        folded="Outcomes drawn from the prior: mean, spread and shares",
    )


def _priors(part: PriorPart) -> Table:
    return Table(
        "Priors of the parameters",
        columns("Parameter", "Block", "Prior", "#Mean [90%] of the draws"),
        rows(
            (row.name, row.block, row.prior, words.plain(row.estimate)) for row in part.coefficients
        ),
        f"On the scale of the model, equation {part.equation}.",
        folded="Priors of the parameters",
    )


def csv_text(found: PriorStudy) -> str:
    """Write the estimands with unrounded numbers; a missing number is an empty cell."""
    buffer = StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    names = ("kind", "of", "scope", "declared", "at_least", "by", "group")
    numbers = ("median", "low", "high", "mean")
    writer.writerow(["form", "equation", *names, *numbers, "positive"])
    for part in found.parts:
        for row in part.estimands:
            own = [harmless(getattr(row, name)) for name in names]
            values = [getattr(row.spread, name) for name in numbers]
            writer.writerow([part.form, part.equation, *own, *values, row.positive])
    return buffer.getvalue()
