"""The page, terminal and csv tables of a multiverse: which choice flips which verdict, how effects move."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import groupby
from typing import Final, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pydantic import BaseModel

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
    drawn_layouts,
    folded,
    plain_text,
    settings,
)
from bayescluster.kit.page import filled
from bayescluster.kit.table import Column, RawTable, Table, View, fields_of, number
from bayescluster.lookup import counted
from bayescluster.results.base import Estimate
from bayescluster.studies.multiverse.plan import AS_DECLARED, Cost, Plan, PlannedUniverse, cost_of
from bayescluster.studies.multiverse.results import (
    Answer,
    Choice,
    ChoiceRow,
    ClaimRow,
    EffectPoint,
    Multiverse,
    Universe,
)

ROW: Final = 0.21
"""Inches that a choice takes."""
CURVE: Final = 2.4
"""Inches that the effects take."""
NO_BREAK: Final = "\u00a0"
STATUS: Final = {"passed": "passed", "unchecked": "did not pass", "not_fitted": "not fitted"}
SILENT: Final = {
    "not_asked": ("·", "not asked there"),
    "unchecked": ("–", "did not pass its checks"),
    "not_fitted": ("/", "could not be fitted"),
}
"""What takes the place of a verdict, and what it means."""
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
    "verdict differs from that of the analysis as declared, with a broken line where Monte Carlo error "
    "could by itself make it so. · not asked there, – did not pass its checks, / could not be fitted."
)
CLAIM: Final = ("kind", "capital", "by", "group", "scope", "at_least", "title", "level")
"""Fields of a claim in csv tables."""
ANSWER: Final = ("status", "verdict", "probability", "mcse", "prior_probability", "flip", "near")
"""Fields of an answer in csv tables."""


def page_text(results: Multiverse) -> str:
    """Write the page."""
    return str(
        filled(
            "multiverse.html.j2",
            found=results,
            heading=heading(results),
            flips=flips_words(results),
            disclaimer=DISCLAIMER,
            key=KEY,
            sampler=sampler_words(results),
            choices=_choices(results).table if results.choices else None,
            matrix=tuple(_matrix(results)),
            claims=tuple(view.table for view in _claims(results)),
            figures=tuple(_figure(results, curve, k) for k, curve in enumerate(curves_of(results))),
            universes=_universes(results).table,
        )
    )


def printed(results: Multiverse) -> Iterator[str | Table]:
    """Print what depends on each choice, each claim in a line, and which universes have no verdict."""
    yield heading(results)
    yield flips_words(results)
    yield DISCLAIMER
    if results.choices:
        yield _choices(results).table
    for view in _claims(results):
        yield view.table
    for universe in results.universes:
        if universe.status != "passed":
            yield f"{universe.name} {STATUS[universe.status]}: {run_words(universe)}"


def printed_plan(plan: Plan) -> Iterator[str | Table]:
    """Print the universes of a sweep that is not run, which are there, and what the others would cost."""
    if plan.synthetic:
        yield words.SYNTHETIC
    if not plan.declared:
        yield "The analysis declares no alternatives: these are a default set."
    columns: tuple[Column[PlannedUniverse], ...] = (
        Column("Universe", "name"),
        Column("What it is", "words"),
        Column("State", "state"),
        number("Rows", lambda universe: universe.fit and universe.fit.rows, words.count),
    )
    caption = f"{len(plan.universes)} universes:"
    yield View("sweep-plan", BaseModel, caption, columns, plan.universes).table
    for universe in plan.universes:
        for problem in universe.problems:
            yield f"{universe.name} cannot be fitted:\n  {problem}"
    yield cost_words(plan, cost_of(plan))


def cost_words(plan: Plan, cost: Cost) -> str:
    """Say how many fits there would be, and how long they would take."""
    if not cost.refits:
        return "No fit is to be made."
    sampling = plan.sampling
    lead = f"{cost.refits} fits are to be made, "
    if sampling.draws is None:
        lead += (
            f"each with {sampling.chains} chains that go on until the checks of convergence pass"
        )
    else:
        lead += (
            f"{sampling.chains} chains of {sampling.draws:,} draws after {sampling.tune:,} of tuning "
            f"each: {cost.refits * cost.draws:,} draws in all"
        )
    if cost.seconds is None:
        return f"{lead}. How long that takes is not known before the analysis was fitted once."
    time = words.duration(cost.seconds)
    return f"{lead}, about {time} one after the other, going by the fit of the analysis."


def csv_tables(results: Multiverse, _: object = None) -> tuple[RawTable, RawTable]:
    """Every answer, one row a claim and universe, and every effect, on the scale of the outcome."""
    choices = {
        each.name: "; ".join(choice.words for choice in each.choices) for each in results.universes
    }
    answers = tuple(
        (
            *(getattr(claim, name) for name in CLAIM),
            answer.universe,
            choices[answer.universe],
            *(getattr(answer, name) for name in ANSWER),
            claim.answers[0].verdict,
            answer.region,
        )
        for claim in results.claims
        for answer in claim.answers
    )
    spread = fields_of(Estimate)
    effects = tuple(
        (
            *(point.capital, point.universe, choices[point.universe], point.scale, point.rows),
            *(getattr(point.estimate, name) for name in spread),
            point.positive,
        )
        for point in results.effects
    )
    about = ("capital", "universe", "choices", "scale", "rows")
    return (
        RawTable(
            "sweep",
            (*CLAIM, "universe", "choices", *ANSWER, "verdict_as_declared", "region"),
            answers,
        ),
        RawTable("sweep-effects", (*about, *spread, "positive"), effects),
    )


def _choices(results: Multiverse) -> View[ChoiceRow]:
    return View(
        "sweep-choices",
        ChoiceRow,
        "How much depends on each choice",
        (
            Column(
                "Choice",
                lambda row: row.choice.name,
                note=lambda row: DIMENSIONS[row.choice.dimension],
            ),
            Column("What it is", lambda row: row.choice.words),
            number(
                "Flips",
                lambda row: f"{row.flips} of {row.compared}" if row.compared else words.NONE,
                note=_without_verdicts,
            ),
            number(
                "Supported to rejected or negligible, or back",
                lambda row: str(row.turned) if row.compared else words.NONE,
            ),
            Column("Claims that flip", "claims", lambda names: "; ".join(names) or words.NONE),
        ),
        tuple(sorted(results.choices, key=lambda row: -row.flips)),
        "Flips are counted over claims with a verdict both in the analysis as declared and with the "
        "choice.",
    )


def _without_verdicts(row: ChoiceRow) -> str:
    if row.passed == row.universes:
        return ""
    if row.universes == 1:
        return "did not pass"
    return f"{row.universes - row.passed} of {row.universes} without verdicts"


def _claims(results: Multiverse) -> Iterator[View[ClaimRow]]:
    """Claims that flip somewhere, and below them, folded away, those that hold."""
    flipped = tuple(claim for claim in results.claims if claim.flips)
    held = tuple(claim for claim in results.claims if not claim.flips)
    columns: tuple[Column[ClaimRow], ...] = (
        Column("Claim", name_of, note=lambda claim: "" if claim.by == "all" else claim.group),
        Column(
            "Declared region", "region", note=lambda c: f"supported from {words.share(c.level)}"
        ),
        Column("As declared", lambda claim: shown(claim.answers[0]).replace(" ", NO_BREAK)),
        number("Probability", range_words),
        Column("Over the universes", "words"),
    )
    note = "Probability: the least and the largest over the universes that passed their checks."
    for caption, claims, fold in (
        ("Claims that flip", flipped, ""),
        ("Claims that do not flip", held, f"{len(held)} claims that flip in no universe"),
    ):
        if claims:
            yield View("sweep-claims", ClaimRow, caption, columns, claims, note, fold)


def _universes(results: Multiverse) -> View[Universe]:
    return View(
        "sweep-universes",
        Universe,
        "Universes and their fits",
        (
            Column("Universe", "name", note=lambda universe: universe.run),
            Column(
                "What it is",
                lambda universe: (
                    "; ".join(choice.words for choice in universe.choices)
                    or "the analysis as declared"
                ),
            ),
            Column("Checks", "status", STATUS.__getitem__, run_words),
            number(
                "Flips",
                lambda universe: (
                    f"{universe.flips} of {universe.compared}" if universe.compared else words.NONE
                ),
            ),
            number("Rows", "rows", words.count),
            number("Largest R-hat", "rhat", words.rhat),
            number("Divergences", "divergences", words.count),
        ),
        results.universes,
        "The largest R-hat is that of effects and of what verdicts rest on; folders are those of the runs.",
    )


class MatrixCell(NamedTuple):
    """An answer in the matrix: its text, what it says in full, and how it looks."""

    text: str
    full: str
    look: str


class MatrixRow(NamedTuple):
    """A claim for one group; only the first row of a claim has a ``title``."""

    title: str
    group: str
    cells: tuple[MatrixCell, ...]


def _matrix(results: Multiverse) -> Iterator[MatrixRow]:
    for title, claims in groupby(results.claims, key=name_of):
        for k, claim in enumerate(claims):
            cells = []
            for answer in claim.answers:
                flip = " near" if answer.near else " flip" if answer.flip else ""
                full = in_full(answer, claim.answers[0])
                cells.append(MatrixCell(shown(answer), full, f"{answer.verdict or 'silent'}{flip}"))
            yield MatrixRow("" if k else title, words.group(claim.by, claim.group), tuple(cells))


def heading(results: Multiverse) -> str:
    """Say how many universes there are, and how many of them have verdicts."""
    passed = sum(one.status == "passed" for one in results.universes)
    what = "declared alternatives" if results.declared else "a default set of alternatives"
    how = "one at a time" if results.combine == "one_at_a_time" else "in every combination"
    universes = counted(len(results.universes), "universe")
    return f"{universes}, {what} {how}; {passed} passed their checks."


def flips_words(results: Multiverse) -> str:
    """Say how many claims flip anywhere."""
    if not results.claims:
        return "The analysis declares no hypotheses, so that there is no verdict to flip."
    if results.base.status != "passed":
        return (
            "The analysis as declared did not pass its checks: it has no verdict to compare with, and no "
            f"flip can be determined. {words.sentence(results.base.message)}"
        )
    flipped = sum(claim.flips > 0 for claim in results.claims)
    held = len(results.claims) - flipped
    return (
        f"{flipped} of {counted(len(results.claims), 'verdict')} {'flips' if flipped == 1 else 'flip'} in "
        f"some universe; {held} {'holds' if held == 1 else 'hold'} in every universe with a verdict."
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


def in_full(answer: Answer, base: Answer) -> str:
    """Write an answer in full, against that of the analysis as declared."""
    if answer.verdict is None or answer.probability is None:
        return SILENT[answer.status][1]
    text = f"{answer.verdict}, {words.verdict_probability(answer.probability)}"
    if not answer.flip:
        return text
    near = " (near the bound)" if answer.near else ""
    stopped = f". {answer.stopped}" if answer.stopped else ""
    return f"{text}; flips from {base.verdict}{near}{stopped}"


def range_words(claim: ClaimRow) -> str:
    """Range of the probability over the universes with a verdict."""
    if claim.lowest is None or claim.highest is None:
        return words.NONE
    low, high = (words.probability(end) for end in (claim.lowest, claim.highest))
    return low if low == high else f"{low} to {high}"


def run_words(universe: Universe) -> str:
    """Say which fit a universe is."""
    same = f"the same fit as {universe.same_as}" if universe.same_as else ""
    return "; ".join(part for part in (universe.message, same) if part)


def sampler_words(results: Multiverse) -> str:
    """Say how every universe was fitted."""
    sampler = results.sampler
    origin = "as in the analysis" if sampler.as_declared else "not those of the analysis"
    if sampler.draws is None:
        draws = "as many draws as its checks of convergence ask for"
    else:
        draws = f"{sampler.draws:,} draws"
    return (
        f"Every fit has {sampler.chains} chains of {draws} after {sampler.tune:,} of tuning "
        f"({origin}), seed {sampler.seed}."
    )


class Curve(NamedTuple):
    """Effects of one capital on one scale, from the smallest to the largest, each with its universe."""

    capital: str
    scale: str
    unit: str
    points: tuple[tuple[EffectPoint, Universe], ...]


def curves_of(results: Multiverse) -> tuple[Curve, ...]:
    """One curve a capital and scale: effects on different scales are not drawn on one axis."""
    universes = {each.name: each for each in results.universes}
    groups: dict[tuple[str, str], list[EffectPoint]] = {}
    for point in results.effects:
        groups.setdefault((point.capital, point.scale), []).append(point)
    return tuple(
        Curve(
            capital,
            scale,
            points[0].unit,
            tuple(
                (point, universes[point.universe])
                for point in sorted(points, key=lambda point: point.estimate.mean)
            ),
        )
        for (capital, scale), points in groups.items()
    )


def _figure(results: Multiverse, curve: Curve, place: int) -> Drawn:
    capital = words.label(curve.capital)
    caption = (
        f"{capital}: average marginal effect over all firms ({curve.scale}) in each universe that passed "
        f"its checks, with {words.share(results.interval)} intervals, sorted. Dots below say which choices "
        "were made otherwise; the filled mark is the analysis as declared. A step of a capital is one of "
        "the capital as it is measured there. Universes share most of their firms: the spread of the "
        "points is no standard error."
    )
    listed = "; ".join(
        f"{point.universe}: {words.signed(point.estimate.times(point.factor))}"
        for point, _ in curve.points
    )
    alternative = (
        f"Average marginal effect of {capital.lower()} ({curve.unit}) in each universe, from the smallest "
        f"to the largest. {listed}."
    )
    name = f"specification-{place}-{curve.capital.replace('_', '-')}"
    return drawn_layouts(name, caption, alternative, partial(specification_plot, curve))


def specification_plot(curve: Curve, narrow: bool = False) -> Figure:
    """Draw effects with intervals, and a matrix of the choices below them.

    Raises
    ------
    FigureError
        If there is one universe only.
    """
    if len(curve.points) < 2:
        raise FigureError("Only one universe has an effect on this scale.")
    # choices of one dimension together; those of the analysis as declared, which has none, on top
    choices = sorted({_choice_label(choice) for _, each in curve.points for choice in each.choices})
    labels = [AS_DECLARED, *choices]
    with settings():
        height = ROW * len(labels)
        figure = canvas(NARROW if narrow else WIDE, CURVE + height + 0.3)
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=[CURVE, height])
        above.axhline(0, color=MUTED, linewidth=0.8)
        for place, (point, universe) in enumerate(curve.points):
            base = not universe.choices
            colour, face = (INK, INK) if base else (FIRST, PAPER)
            shown = point.estimate.times(point.factor)
            ends = shown.low, shown.high
            above.plot((place, place), ends, color=colour, linewidth=2.2 if base else 1.4)
            above.plot(
                place, shown.mean, "o", color=colour, markerfacecolor=face, markersize=5, zorder=3
            )
        above.set_ylabel(folded(curve.unit, 30))
        above.grid(visible=True, axis="y")
        above.tick_params(axis="x", length=0, labelbottom=False)
        _draw_choices(below, curve, labels)
        below.set_yticks(
            range(len(labels)), [folded(label, 20 if narrow else 46, 1) for label in labels]
        )
        return plain_text(figure)


def _choice_label(choice: Choice) -> str:
    return f"{choice.dimension}: {choice.name}"


def _draw_choices(axes: Axes, curve: Curve, labels: Sequence[str]) -> None:
    for place, (_, universe) in enumerate(curve.points):
        made = set(map(_choice_label, universe.choices)) or {AS_DECLARED}
        for row, label in enumerate(labels):
            dot = (INK if row == 0 else FIRST, 4.5) if label in made else (LINE, 2)
            axes.plot(place, row, "o", color=dot[0], markersize=dot[1])
    axes.set(xlim=(-0.6, len(curve.points) - 0.4), ylim=(len(labels) - 0.5, -0.6))
    axes.set_xticks([])
    axes.tick_params(axis="y", length=0, labelsize=7.5)
    for side in axes.spines.values():
        side.set_visible(False)
