"""How far verdicts, estimands and parameters depend on the priors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, Final, NamedTuple

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import blended_transform_factory

from bayescluster.features.sensitivity.results import (
    ScaledVerdict,
    Sensitivity,
    SensitivityBlock,
    SensitivityRow,
)
from bayescluster.kit import words
from bayescluster.kit.figure import (
    BAD,
    FIRST,
    INK,
    MUTED,
    NARROW,
    WIDE,
    FigureError,
    FigureSpec,
    bare_rows,
    canvas,
    folded,
    plain_text,
    settings,
)
from bayescluster.kit.page import Section, figures, filled
from bayescluster.kit.table import Cell, Column, View, number
from bayescluster.results.model import Results, Verdict

MOST_BARS: Final = 40
"""Verdicts drawn: of more, those whose probability is closest to a bound of their verdict."""
MOST_ROWS: Final = 12
"""Rows of the table on the page: those most sensitive."""
ALL: Final = "all"
"""Block of all priors together."""
ROW: Final = 0.152
"""Inches that a row of the figure takes."""
HEAD: Final = 1.2
"""Rows that the title of a claim takes."""


class Bar(NamedTuple):
    """Probability of a claim with the priors as declared, and its range with other powers of them."""

    verdict: Verdict
    low: float
    high: float
    flips: bool
    complete: bool
    """Whether the draws can tell it at every power."""


def bars(results: Results) -> list[Bar]:
    """Verdicts with all priors scaled together, in the order of the analysis."""
    rows: dict[int, list[ScaledVerdict]] = {}
    for row in results.sensitivity.verdicts if results.sensitivity else ():
        if row.block == ALL:
            rows.setdefault(row.claim, []).append(row)
    found = [_bar(results.verdicts[claim], scaled) for claim, scaled in sorted(rows.items())]
    closest = sorted(found, key=_from_line)[:MOST_BARS]
    return [one for one in found if one in closest]


def _bar(verdict: Verdict, scaled: Sequence[ScaledVerdict]) -> Bar:
    known = [row.probability for row in scaled if row.probability is not None]
    values = (verdict.probability, *known)
    flips = any(row.flips for row in scaled)
    return Bar(verdict, min(values), max(values), flips, len(known) == len(scaled))


def _from_line(one: Bar) -> float:
    level, share = one.verdict.level, one.verdict.probability
    return min(abs(share - level), abs(share - 1 + level))


def scaled_verdicts(results: Results, *, narrow: bool = False) -> Figure:
    """Draw the probability of every claim, and its range with priors of half and twice the power.

    Raises
    ------
    FigureError
        If no verdict was put to other priors.
    """
    found = bars(results)
    if not found:
        raise FigureError("The results hold no verdict under other priors.")
    with settings():
        claims = len(dict.fromkeys(one.verdict.title for one in found))
        depth = len(found) + HEAD * claims
        figure = canvas(NARROW if narrow else WIDE, 0.6 + ROW * depth)
        axes = figure.add_subplot()
        at, places, names = -HEAD, [], []
        for title, some in groupby(found, lambda one: one.verdict.title):
            at += HEAD
            _title(axes, at, folded(title, 50 if narrow else 100, 1))
            for one in some:
                at += 1
                _draw(axes, at, one)
                places.append(at)
                group = words.group(one.verdict.by, one.verdict.group)
                names.append(folded(group, 26 if narrow else 56, 1))
        for level in sorted(
            {bound for one in found for bound in (one.verdict.level, 1 - one.verdict.level)}
        ):
            axes.axvline(level, color=MUTED, linewidth=0.7, linestyle=(0, (1, 2)), zorder=1)
        axes.set_yticks(places, names)
        axes.set_ylim(depth - HEAD + 0.6, -0.7)
        axes.set_xlim(-0.03, 1.03)
        axes.set_xlabel("Probability of the claim")
        axes.tick_params(labelsize=7)
        bare_rows(axes)
        return plain_text(figure)


def _title(axes: Axes, at: float, title: str) -> None:
    """Write a claim above its groups, from the left edge of the figure on."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    left = blended_transform_factory(figure.transFigure, axes.transData)
    text = axes.text(0.005, at, title, transform=left, va="center")
    text.set(color=INK, fontweight="bold", fontsize=7, in_layout=False)


def _draw(axes: Axes, at: float, one: Bar) -> None:
    color = BAD if one.flips else FIRST
    axes.plot((one.low, one.high), (at, at), color=color, linewidth=2.4, alpha=0.5)
    axes.plot(
        [one.verdict.probability], [at], linestyle="", marker="o", markersize=3.4, color=color
    )


def _powers(results: Results) -> str:
    powers = results.sensitivity.powers if results.sensitivity else ()
    return f"{min(powers, default=1):g} to {max(powers, default=1):g}"


def _caption(results: Results) -> str:
    found = bars(results)
    many = len({row.claim for row in results.sensitivity.verdicts}) if results.sensitivity else 0
    fewer = f" The {len(found)} of {many} closest to a bound." if many > len(found) else ""
    lacking = sum(not one.complete for one in found)
    left = f" For {lacking}, these draws cannot tell some powers." if lacking else ""
    return (
        "Dot: probability with the priors as declared; line: its range with all priors raised to "
        f"powers from {_powers(results)}; dotted: bounds of a verdict; red: another verdict.{fewer}{left}"
    )


def _alternative(results: Results) -> str:
    listed = "; ".join(
        f"{one.verdict.title}, {words.group(one.verdict.by, one.verdict.group)}: "
        f"{words.probability(one.verdict.probability)} ({words.probability(one.low)} to "
        f"{words.probability(one.high)})"
        for one in bars(results)
    )
    return f"Probability of each claim, and its range with weaker and stronger priors. {listed}."


SCALED_VERDICTS = FigureSpec(
    name="scaled-verdicts",
    draw=lambda results, narrow: scaled_verdicts(results, narrow=narrow),
    caption=_caption,
    alternative=_alternative,
    wanted=lambda results: bool(bars(results)),
)


def body(results: Results) -> Markup:
    """Whether a verdict changes, and the figure."""
    found = results.sensitivity
    assert found is not None
    flips = {(row.claim, row.block) for row in found.verdicts if row.flips}
    return filled(
        "sensitivity.html.j2",
        found=found,
        verdicts=len({row.claim for row in found.verdicts}),
        flips=len({claim for claim, _ in flips}),
        powers=_powers(results),
        figures=figures(results, SCALED_VERDICTS),
    )


def views(results: Results) -> Iterator[View[Any]]:
    """Sensitivities, and verdicts under other priors, as they are written."""
    found = results.sensitivity
    if found is not None:
        yield View("prior_blocks", SensitivityBlock, rows=found.blocks)
        yield View("sensitivity", SensitivityRow, rows=found.rows)
        yield View("scaled_verdicts", ScaledVerdict, rows=found.verdicts)
        yield _sensitive(found)


SENSITIVITY = Section(
    "sensitivity",
    "Priors and verdicts",
    "Priors",
    body,
    wanted=lambda results: results.sensitivity is not None and bool(results.sensitivity.verdicts),
    layer="findings",
)


def priors_body(results: Results) -> Markup:
    """What is sensitive to a prior, the most sensitive first."""
    found = results.sensitivity
    assert found is not None
    flagged = _flagged(found)
    return filled(
        "priors.html.j2",
        found=found,
        many=len({(row.quantity, row.group) for row in found.rows}),
        flagged=len(flagged),
        shown=min(len(flagged), MOST_ROWS),
        table=_sensitive(found).table if flagged else None,
    )


def _flagged(found: Sensitivity) -> list[SensitivityRow]:
    """Quantities that are sensitive to a block of priors, each by the block it is most sensitive to."""
    rows = sorted(
        (row for row in found.rows if row.diagnosis not in ("-", "within noise")),
        key=lambda row: row.value,
    )
    most = {(row.quantity, row.group): row for row in rows}
    return sorted(most.values(), key=lambda row: -row.value)


def _sensitive(found: Sensitivity) -> View[SensitivityRow]:
    return View(
        "sensitivity",
        SensitivityRow,
        "Quantities that are sensitive to a prior",
        (
            Column("Quantity", quantity_title),
            Column("Priors", lambda row: block_title(found, row.block)),
            number("Sensitivity", "value", lambda value: words.fixed(value, 3)),
            Column("What it may mean", "diagnosis", lambda text: Cell(text, look="bad")),
        ),
        tuple(_flagged(found)[:MOST_ROWS]),
        records=(),
    )


def block_title(found: Sensitivity, name: str) -> str:
    """Name of a block of priors, of all of them, or of the likelihood."""
    titles = {block.name: block.title for block in found.blocks}
    return titles.get(name, {ALL: "all priors"}.get(name, name))


def quantity_title(row: SensitivityRow) -> str:
    """Name of a quantity, with its group where it has one."""
    name = words.label(row.quantity) if row.kind == "estimand" else row.quantity
    return name if row.by is None else f"{name}: {words.group(row.by, row.group or '')}"


PRIORS = Section(
    "priors",
    "How much do the priors matter?",
    "Priors",
    priors_body,
    wanted=lambda results: results.sensitivity is not None,
    views=views,
)
