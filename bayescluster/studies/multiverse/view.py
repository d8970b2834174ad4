"""The page of a multiverse: which choice flips which verdict, and how effects move."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from io import StringIO
from itertools import groupby
from typing import Final, NamedTuple

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayescluster.kit import words
from bayescluster.kit.figure import (
    FIRST,
    INK,
    LINE,
    MUTED,
    NARROW,
    PAPER,
    WIDE,
    Drawn,
    FigureError,
    canvas,
    folded,
    inline,
    plain_text,
    settings,
)
from bayescluster.kit.flat import harmless
from bayescluster.kit.page import filled
from bayescluster.kit.sections import columns, rows
from bayescluster.kit.table import Cell, Table
from bayescluster.studies.multiverse.results import (
    Answer,
    ChoiceRow,
    ClaimRow,
    EffectPoint,
    Multiverse,
    Universe,
)

ROW = 0.21
"""Inches that a choice takes."""
CURVE = 2.4
"""Inches that the effects take."""


class Curve(NamedTuple):
    """Effects of one capital on one scale, from the smallest to the largest."""

    capital: str
    scale: str
    unit: str
    points: tuple[EffectPoint, ...]
    universes: tuple[Universe, ...]
    """Of each point."""


def curves_of(found: Multiverse) -> tuple[Curve, ...]:
    """One curve a capital and scale: effects on different scales are not drawn on one axis."""
    named = {one.name: one for one in found.universes}
    grouped: dict[tuple[str, str], list[EffectPoint]] = {}
    for point in found.effects:
        grouped.setdefault((point.capital, point.scale), []).append(point)
    curves = []
    for (capital, scale), points in grouped.items():
        ordered = tuple(sorted(points, key=lambda point: point.estimate.mean))
        universes = tuple(named[point.universe] for point in ordered)
        curves.append(Curve(capital, scale, points[0].unit, ordered, universes))
    return tuple(curves)


def specification_plot(curve: Curve, *, narrow: bool = False) -> Figure:
    """Draw effects with intervals, and a matrix of the choices below them.

    Parameters
    ----------
    curve
        Effects of one capital on one scale.
    narrow
        Lay the figure out for a telephone.

    Raises
    ------
    FigureError
        If there is one universe only.
    """
    if len(curve.points) < 2:
        raise FigureError("Only one universe has an effect on this scale.")
    labels = _labels(curve.universes)
    with settings():
        height = ROW * (len(labels) + 1)
        figure = canvas(NARROW if narrow else WIDE, CURVE + height + 0.3)
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=[CURVE, height])
        _effects(above, curve)
        _specification_choices(below, curve, labels, 20 if narrow else 46)
        return plain_text(figure)


def _labels(universes: Sequence[Universe]) -> list[tuple[str, str]]:
    """Choices that are made in some universe, those of one dimension together."""
    found = {(choice.dimension, choice.name): None for one in universes for choice in one.choices}
    return sorted(found)


def _effects(axes: Axes, curve: Curve) -> None:
    axes.axhline(0, color=MUTED, linewidth=0.8)
    for place, (point, universe) in enumerate(zip(curve.points, curve.universes, strict=True)):
        base = not universe.choices
        colour = INK if base else FIRST
        low, mean, high = (
            point.factor * value
            for value in (point.estimate.low, point.estimate.mean, point.estimate.high)
        )
        axes.plot((place, place), (low, high), color=colour, linewidth=2.2 if base else 1.4)
        face = INK if base else PAPER
        axes.plot(place, mean, "o", color=colour, markerfacecolor=face, markersize=5, zorder=3)
    axes.set_ylabel(folded(curve.unit, 30))
    axes.grid(visible=True, axis="y")
    axes.tick_params(axis="x", length=0, labelbottom=False)


def _specification_choices(
    axes: Axes, curve: Curve, labels: Sequence[tuple[str, str]], width: int
) -> None:
    rows = [("", "as declared"), *labels]
    for place, universe in enumerate(curve.universes):
        made = {(choice.dimension, choice.name) for choice in universe.choices}
        for row, label in enumerate(rows):
            filled = label in made or (row == 0 and not made)
            colour = (INK if row == 0 else FIRST) if filled else LINE
            axes.plot(place, row, "o", color=colour, markersize=4.5 if filled else 2)
    names = [f"{dimension}: {name}" if dimension else name for dimension, name in rows]
    axes.set_yticks(range(len(rows)), [folded(name, width, 1) for name in names])
    axes.set(xlim=(-0.6, len(curve.points) - 0.4), ylim=(len(rows) - 0.5, -0.6))
    axes.set_xticks([])
    axes.tick_params(axis="y", length=0, labelsize=7.5)
    for side in axes.spines.values():
        side.set_visible(False)


def specification_alternative(curve: Curve) -> str:
    """The figure in a sentence."""
    told = "; ".join(f"{point.universe}: {_number(point)}" for point in curve.points)
    return (
        f"Average marginal effect of {words.label(curve.capital).lower()} ({curve.unit}) in each "
        f"universe, from the smallest to the largest. {told}."
    )


def _number(point: EffectPoint) -> str:
    scaled = point.estimate.model_copy(
        update={
            name: point.factor * getattr(point.estimate, name)
            for name in ("mean", "sd", "low", "high")
        }
    )
    return words.signed(scaled)


STATUS: Final = {"passed": "passed", "unchecked": "did not pass", "not_fitted": "not fitted"}
SILENT: Final = {
    "not_asked": ("·", "not asked there"),
    "unchecked": ("–", "did not pass its checks"),
    "not_fitted": ("/", "could not be fitted"),
}
"""What stands in the place of a verdict, and what it means."""
DIMENSIONS: Final = {
    "structures": "Structural form",
    "families": "Likelihood",
    "constructs": "Construct",
    "controls": "Controls",
    "varying": "Varying effects",
    "exclude": "Rows",
    "priors": "Priors",
}
DISCLAIMER: Final = (
    "A multiverse is no posterior over choices: the share of universes that agree is no probability "
    "that a claim is true."
)
KEY: Final = (
    "✓ supported, ✕ rejected, ? undecided, with the probability of the declared region. Outlined: the "
    "verdict differs from that of the analysis as it is, with a broken line where Monte Carlo error "
    "alone could make it so. · not asked there, – did not pass its checks, / could not be fitted."
)


def heading(found: Multiverse) -> str:
    """Say how many universes there are, and how many of them tell."""
    passed = sum(one.status == "passed" for one in found.universes)
    what = "declared alternatives" if found.declared else "a default set of alternatives"
    how = "one at a time" if found.combine == "one_at_a_time" else "in every combination"
    return f"{len(found.universes)} universes, {what} {how}; {passed} passed their checks."


def flips_words(found: Multiverse) -> str:
    """Say how many claims flip anywhere."""
    if not found.claims:
        return "The analysis declares no hypotheses, so that there is no verdict to flip."
    if found.base.status != "passed":
        return (
            "The analysis as it is did not pass its checks: it has no verdict to compare with, and no "
            f"flip can be told. {words.sentence(found.base.message)}"
        )
    flipped = sum(claim.flips > 0 for claim in found.claims)
    held = len(found.claims) - flipped
    return (
        f"{flipped} of {len(found.claims)} verdicts flip in some universe; {held} hold in every "
        "universe that tells."
    )


def name_of(claim: ClaimRow) -> str:
    """Name a claim by what it says, of whom, and at which level of the outcome."""
    level = f", at least {claim.at_least}" if claim.at_least else ""
    scope = "" if claim.scope == "observed" else f", {claim.scope.replace('_', ' ')}"
    return f"{claim.title}{level}{scope}"


def shown(answer: Answer) -> str:
    """Write an answer in the space of a cell."""
    if answer.verdict is None or answer.probability is None:
        return SILENT[answer.status][0]
    return f"{words.ICONS[answer.verdict]} {words.probability(answer.probability)}"


def told(answer: Answer, base: Answer) -> str:
    """Say an answer in full, beside that of the analysis as it is."""
    if answer.verdict is None or answer.probability is None:
        return SILENT[answer.status][1]
    text = f"{answer.verdict}, {words.verdict_probability(answer.probability)}"
    if not answer.flip:
        return text
    near = " (near the bound)" if answer.near else ""
    stopped = f". {answer.stopped}" if answer.stopped else ""
    return f"{text}; flips from {base.verdict}{near}{stopped}"


def range_words(claim: ClaimRow) -> str:
    """Range of the probability over the universes that tell."""
    if claim.lowest is None or claim.highest is None:
        return words.NONE
    low, high = (words.probability(end) for end in (claim.lowest, claim.highest))
    return low if low == high else f"{low} to {high}"


def flips_of(row: ChoiceRow) -> str:
    """Count the flips with a choice, of the verdicts that could."""
    return f"{row.flips} of {row.compared}" if row.compared else words.NONE


def run_words(universe: Universe) -> str:
    """Say which fit a universe is."""
    same = f"the same fit as {universe.same_as}" if universe.same_as else ""
    return "; ".join(part for part in (universe.message, same) if part)


def sampler_words(found: Multiverse) -> str:
    """Say how every universe was fitted."""
    asked = found.sampler
    origin = "as in the analysis" if asked.as_declared else "not those of the analysis"
    return (
        f"Every fit has {asked.chains} chains of {asked.draws:,} draws after {asked.tune:,} of tuning "
        f"({origin}), seed {asked.seed}."
    )


NO_BREAK = "\u00a0"


class MatrixCell(NamedTuple):
    """An answer in the matrix: what stands there, what it says in full, and how it looks."""

    text: str
    full: str
    look: str


class MatrixRow(NamedTuple):
    """A claim for one group; ``title`` stands where a new claim begins."""

    title: str
    group: str
    cells: tuple[MatrixCell, ...]


def page_text(found: Multiverse) -> str:
    """Write the page."""
    return str(
        filled(
            "multiverse.html.j2",
            found=found,
            heading=heading(found),
            flips=flips_words(found),
            disclaimer=DISCLAIMER,
            key=KEY,
            sampler=sampler_words(found),
            choices=_choices(found),
            matrix=tuple(_matrix(found)),
            claims=_claims(found),
            figures=tuple(_figure(found, curve, k) for k, curve in enumerate(curves_of(found))),
            universes=_universes(found),
        )
    )


def _choices(found: Multiverse) -> Table | None:
    if not found.choices:
        return None
    return Table(
        "How much hangs on each choice",
        columns(
            "Choice", "What it is", "#Flips", "#Supported to rejected, or back", "Claims that flip"
        ),
        rows(
            (
                Cell(row.choice.name, DIMENSIONS.get(row.choice.dimension, row.choice.dimension)),
                row.choice.words,
                Cell(flips_of(row), _passed(row.passed, row.universes)),
                str(row.turned) if row.compared else words.NONE,
                "; ".join(row.claims) or words.NONE,
            )
            for row in sorted(found.choices, key=lambda row: -row.flips)
        ),
        "Flips are counted over claims with a verdict both in the analysis as it is and with the choice.",
    )


def _passed(passed: int, universes: int) -> str:
    if passed == universes:
        return ""
    return (
        "did not pass"
        if universes == 1
        else f"{universes - passed} of {universes} without verdicts"
    )


def _matrix(found: Multiverse) -> Iterator[MatrixRow]:
    for title, claims in groupby(found.claims, key=name_of):
        for k, claim in enumerate(claims):
            base = claim.answers[0]
            cells = tuple(
                MatrixCell(shown(answer), told(answer, base), _look(answer))
                for answer in claim.answers
            )
            group = words.GROUPED["all"] if claim.by == "all" else claim.group
            yield MatrixRow("" if k else title, group, cells)


def _look(answer: Answer) -> str:
    parts: list[str] = [answer.verdict or "silent"]
    if answer.flip:
        parts.append("near" if answer.near else "flip")
    return " ".join(parts)


def _claims(found: Multiverse) -> tuple[Table, ...]:
    """Claims that flip somewhere, and below them, folded away, those that hold."""
    flipped = [claim for claim in found.claims if claim.flips]
    held = [claim for claim in found.claims if not claim.flips]
    words_of_held = f"{len(held)} claims that flip in no universe"
    tables = [_claim_table("Claims that flip", flipped)] if flipped else []
    if held:
        tables.append(_claim_table("Claims that do not flip", held, folded=words_of_held))
    return tuple(tables)


def _claim_table(caption: str, claims: Sequence[ClaimRow], folded: str = "") -> Table:
    return Table(
        caption,
        columns("Claim", "Declared region", "As declared", "#Probability", "Over the universes"),
        rows(
            (
                Cell(name_of(claim), "" if claim.by == "all" else claim.group),
                Cell(claim.region, f"supported from {words.share(claim.level)}"),
                shown(claim.answers[0]).replace(" ", NO_BREAK),
                range_words(claim),
                claim.words,
            )
            for claim in claims
        ),
        "Probability: the least and the largest over the universes that passed their checks.",
        folded,
    )


def _universes(found: Multiverse) -> Table:
    return Table(
        "Universes and their fits",
        columns(
            "Universe", "What it is", "Checks", "#Flips", "#Rows", "#Largest R-hat", "#Divergences"
        ),
        rows(
            (
                Cell(one.name, one.run),
                "; ".join(choice.words for choice in one.choices) or "the analysis as it is",
                Cell(STATUS[one.status], run_words(one)),
                f"{one.flips} of {one.compared}" if one.compared else words.NONE,
                words.count(one.rows),
                words.rhat(one.rhat),
                words.count(one.divergences),
            )
            for one in found.universes
        ),
        "The largest R-hat is that of effects and of what verdicts rest on; folders are those of the runs.",
    )


def _figure(found: Multiverse, curve: Curve, number: int) -> Drawn:
    name = f"specification-{number}-{curve.capital.replace('_', '-')}"
    label = specification_alternative(curve)
    caption = (
        f"{words.label(curve.capital)}: average marginal effect over all firms ({curve.scale}) in each "
        f"universe that passed its checks, with {words.share(found.interval)} intervals, sorted. Dots "
        "below say which choices were made otherwise; the filled mark is the analysis as it is. A step "
        "of a capital is one of the capital as it is measured there. Universes share most of their "
        "firms: the spread of the points is no standard error."
    )
    try:
        wide = inline(specification_plot(curve), f"{name}-wide", label)
        narrow = inline(specification_plot(curve, narrow=True), f"{name}-narrow", label)
    except ValueError as error:
        return Drawn(name, caption, Markup(), Markup(), str(error))
    return Drawn(name, caption, wide, narrow, "")


CLAIM = ("kind", "capital", "by", "group", "scope", "at_least", "title", "level")
ANSWER = ("status", "verdict", "probability", "mcse", "prior_probability", "flip", "near")


def csv_text(found: Multiverse) -> str:
    """Write every answer, one row a claim and universe; a missing value is an empty cell."""
    named = {one.name: one for one in found.universes}
    lines = (
        [
            *(getattr(claim, name) for name in CLAIM),
            answer.universe,
            _choice_text(named[answer.universe]),
            *(getattr(answer, name) for name in ANSWER),
            claim.answers[0].verdict,
            answer.region,
        ]
        for claim in found.claims
        for answer in claim.answers
    )
    heads = [*CLAIM, "universe", "choices", *ANSWER, "verdict_as_declared", "region"]
    return _csv(heads, lines)


def effects_csv_text(found: Multiverse) -> str:
    """Write the effects, one row a capital and universe, on the scale of the outcome."""
    named = {one.name: one for one in found.universes}
    estimate = ("mean", "sd", "low", "high", "mcse", "rhat", "ess_bulk", "ess_tail")
    lines = (
        [
            *(point.capital, point.universe, _choice_text(named[point.universe])),
            *(point.scale, point.rows),
            *(getattr(point.estimate, name) for name in estimate),
            point.positive,
        ]
        for point in found.effects
    )
    return _csv(["capital", "universe", "choices", "scale", "rows", *estimate, "positive"], lines)


def _choice_text(universe: Universe) -> str:
    return "; ".join(choice.words for choice in universe.choices)


def _csv(heads: list[str], lines: Iterator[list[object]]) -> str:
    buffer = StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(heads)
    for line in lines:
        writer.writerow(["" if cell is None else harmless(cell) for cell in line])
    return buffer.getvalue()
