"""Figures of a study of the prior: effects and expected outcomes before the data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bayescluster.report import words
from bayescluster.report.figures.intervals_plot import Block, Frame, Interval
from bayescluster.report.figures.svg import Drawn
from bayescluster.report.pages.intervals import drawn_intervals
from bayescluster.report.pages.prior_words import unit_of
from bayescluster.results.prior import PriorPart, PriorSpread, PriorStudy

EFFECTS = ("average_marginal_effect", "contrast")


def prior_figures(found: PriorStudy, part: PriorPart, position: int) -> Iterator[Drawn]:
    """Draw the effects, where there are any, and the expected outcome of a form and equation."""
    if any(row.kind == EFFECTS[0] for row in part.estimands):
        yield _effects(found, part, f"prior-effects-{position}")
    yield _outcome(found, part, f"prior-outcome-{position}")


def _effects(found: PriorStudy, part: PriorPart, name: str) -> Drawn:
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
