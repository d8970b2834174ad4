"""Whether the findings hang on the priors: power-scaling of parameters, estimands and verdicts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import log2
from typing import Any, Final, NamedTuple

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

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
    PAPER,
    SECOND,
    WIDE,
    FigureError,
    FigureSpec,
    bare_rows,
    canvas,
    folded,
    plain_text,
    settings,
    small_multiples,
)
from bayescluster.kit.page import Section, figures, filled, tables
from bayescluster.kit.table import Cell, Column, View, number
from bayescluster.results.model import Results, Verdict


def block_title(found: Sensitivity, name: str) -> str:
    """Name of a block of priors, of all of them, or of the likelihood."""
    titles = {block.name: block.title for block in found.blocks}
    return titles.get(name, {"all": "all priors", "likelihood": "likelihood"}.get(name, name))


def quantity_title(row: SensitivityRow) -> str:
    """Name of a quantity, with its group where it has one."""
    name = words.label(row.quantity) if row.kind == "estimand" else row.quantity
    return name if row.by is None else f"{name}: {words.group(row.by, row.group or '')}"


MOST_BARS: Final = 20
"""Quantities drawn: those most sensitive to all priors together."""
MARKERS: Final = ("o", "s", "^", "D", "v", "P", "X", "<", ">")
"""Of the blocks in order: colour alone does not tell them apart."""
COLOURS: Final = (FIRST, SECOND, BAD, MUTED)


def sensitivity(results: Results, *, narrow: bool = False) -> Figure:
    """Draw power-scaling sensitivities, with the bounds that finite draws allow.

    Parameters
    ----------
    results
        Results of a run.
    narrow
        Lay the figure out for a telephone.

    Raises
    ------
    FigureError
        If no prior was scaled.
    """
    found = results.sensitivity
    if found is None or not found.rows:
        raise FigureError("The results hold no sensitivity.")
    quantities = _most_sensitive(found)
    with settings():
        figure = canvas(
            NARROW if narrow else WIDE, 1.3 + (0.36 if narrow else 0.24) * len(quantities)
        )
        axes = figure.subplots()
        names = list(dict.fromkeys(row.block for row in found.rows))
        for k, name in enumerate(names):
            _block(axes, found, k, [(place, row) for place, row in _of(quantities, name)])
        axes.axvline(found.threshold, color=INK, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
        labels = [_label(rows[0], narrow=narrow) for rows in quantities]
        axes.set_yticks(range(len(quantities)), labels)
        axes.set_ylim(len(quantities) - 0.4, -0.6)
        axes.set_xlim(left=0)
        axes.set_xlabel("sensitivity" + ("" if narrow else ": distance per doubling of the power"))
        bare_rows(axes)
        handles, keys = axes.get_legend_handles_labels()
        figure.legend(handles, keys, loc="outside upper left", ncols=1 if narrow else 2)
        return plain_text(figure)


def _label(row: SensitivityRow, *, narrow: bool) -> str:
    title = quantity_title(row)
    return folded(title, 22, 2) if narrow else folded(title, 52, 1)


def _most_sensitive(found: Sensitivity) -> list[list[SensitivityRow]]:
    """Rows by quantity, the most sensitive to any prior first."""
    by: dict[tuple[str, str | None], list[SensitivityRow]] = {}
    for row in found.rows:
        by.setdefault((row.quantity, row.group), []).append(row)

    def most(rows: list[SensitivityRow]) -> float:
        return max((row.value for row in rows if row.block != "likelihood"), default=0.0)

    return sorted(by.values(), key=most, reverse=True)[:MOST_BARS]


def _of(
    quantities: Sequence[Sequence[SensitivityRow]], block: str
) -> list[tuple[int, SensitivityRow]]:
    return [(k, row) for k, rows in enumerate(quantities) for row in rows if row.block == block]


def _block(
    axes: Axes, found: Sensitivity, k: int, rows: Sequence[tuple[int, SensitivityRow]]
) -> None:
    if not rows:
        return
    colour = COLOURS[k % len(COLOURS)]
    for place, row in rows:
        axes.plot((row.low, row.high), (place, place), color=colour, linewidth=1.0, zorder=2)
    axes.plot(
        [row.value for _, row in rows],
        [place for place, _ in rows],
        linestyle="",
        marker=MARKERS[k % len(MARKERS)],
        markersize=5,
        color=colour,
        markerfacecolor=colour if k < len(COLOURS) else PAPER,
        zorder=3,
        label=block_title(found, rows[0][1].block),
    )


def _caption(results: Results) -> str:
    found = results.sensitivity
    limit = found.threshold if found is not None else 0.0
    return (
        "Cumulative Jensen-Shannon distance per doubling of the power of each block of priors and of "
        f"the likelihood; beyond the dashed line ({limit:g}) a quantity counts as sensitive. Lines "
        "are bounds of what is left without the part that finite draws make. Of many quantities, "
        f"the {MOST_BARS} most sensitive to a prior."
    )


def _alternative(results: Results) -> str:
    found = results.sensitivity
    said = "; ".join(
        f"{quantity_title(rows[0])}: "
        + ", ".join(f"{row.value:.2f} to {block_title(found, row.block)}" for row in rows)
        for rows in (_most_sensitive(found)[:5] if found is not None else ())
        if found is not None
    )
    return f"Power-scaling sensitivity. The most sensitive: {said}."


SENSITIVITY_FIGURE = FigureSpec(
    name="sensitivity",
    draw=lambda results, narrow: sensitivity(results, narrow=narrow),
    caption=_caption,
    alternative=_alternative,
    wanted=lambda results: results.sensitivity is not None and bool(results.sensitivity.rows),
)


MOST_PANELS: Final = 12
"""Claims drawn: those that flip, then those whose probability moves most."""


def scaled_verdicts(results: Results, *, narrow: bool = False) -> Figure:
    """Draw the probability of claims by the power of each block of priors, flips outlined.

    Parameters
    ----------
    results
        Results of a run.
    narrow
        Lay the figure out for a telephone.

    Raises
    ------
    FigureError
        If no verdict was put to other priors.
    """
    found = results.sensitivity
    shown = _shown(found) if found is not None else []
    if found is None or not shown:
        raise FigureError("The results hold no verdict under other priors.")
    return small_multiples(
        [(f"{words.group(rows[0].by, rows[0].group)}: {rows[0].title}", rows) for rows in shown],
        lambda axes, rows: _panel(axes, found, rows, results.verdicts[rows[0].claim]),
        ("Power of the priors", "Probability"),
        narrow=narrow,
        height=2.3,
    )


def _shown(found: Sensitivity) -> list[list[ScaledVerdict]]:
    """Rows by claim and group, those that flip first, then by how far the probability moves."""
    by: dict[int, list[ScaledVerdict]] = {}
    for row in found.verdicts:
        by.setdefault(row.claim, []).append(row)

    def moves(rows: list[ScaledVerdict]) -> tuple[bool, float]:
        told = [row.probability for row in rows if row.probability is not None]
        return any(row.flips for row in rows), max(told, default=0.0) - min(told, default=0.0)

    return sorted(by.values(), key=moves, reverse=True)[:MOST_PANELS]


def _panel(axes: Axes, found: Sensitivity, rows: Sequence[ScaledVerdict], verdict: Verdict) -> None:
    for level in (verdict.level, 1 - verdict.level):
        axes.axhline(level, color=MUTED, linewidth=0.7, linestyle=(0, (1, 2)))
    for k, name in enumerate(dict.fromkeys(row.block for row in rows)):
        told = [(0.0, verdict.probability)]
        told += [
            (log2(row.power), row.probability)
            for row in rows
            if row.block == name and row.probability is not None
        ]
        at, probability = zip(*sorted(told), strict=True)
        axes.plot(
            at,
            probability,
            color=COLOURS[k % len(COLOURS)],
            marker=MARKERS[k % len(MARKERS)],
            markersize=4,
            linewidth=1.2,
            label=block_title(found, name),
        )
    flips = [(log2(row.power), row.probability) for row in rows if row.flips]
    if flips:
        x, y = zip(*flips, strict=True)
        axes.plot(
            x,
            y,
            linestyle="",
            marker="o",
            markersize=11,
            markerfacecolor="none",
            markeredgecolor=BAD,
            markeredgewidth=1.6,
            zorder=4,
        )
    powers = sorted((*found.powers, 1.0))
    axes.set_xticks([log2(power) for power in powers], [f"{power:g}" for power in powers])
    axes.set_ylim(-0.06, 1.06)
    axes.set_yticks([0, 0.5, 1])


def _scaled_verdicts_caption(_: Results) -> str:
    return (
        "Probability of each claim with a block of priors to a power: left of 1 weaker, right of 1 "
        "stronger. Dotted lines are the bounds of the verdict; a ring marks a power at which the "
        f"verdict is another. Of many claims, the {MOST_PANELS} that flip or move most; a power that "
        "these draws cannot stand for is left out."
    )


def _scaled_verdicts_alternative(results: Results) -> str:
    found = results.sensitivity
    flips = sum(row.flips for row in found.verdicts) if found is not None else 0
    return (
        f"Probability of claims by the power of the priors; {flips} combinations of claim, block and "
        "power have another verdict."
    )


SCALED_VERDICTS = FigureSpec(
    name="scaled-verdicts",
    draw=lambda results, narrow: scaled_verdicts(results, narrow=narrow),
    caption=_scaled_verdicts_caption,
    alternative=_scaled_verdicts_alternative,
    wanted=lambda results: results.sensitivity is not None and bool(results.sensitivity.verdicts),
)


MOST_ROWS = 15
"""Tables of more rows than this are folded away."""


def body(results: Results) -> Markup:
    """What stands out in sentences, then figures and tables."""
    found = results.sensitivity
    assert found is not None
    return filled(
        "sensitivity.html.j2",
        results=results,
        found=found,
        figures=figures(results, SENSITIVITY_FIGURE, SCALED_VERDICTS),
        blocks=_blocks(found).table,
        tables=[table for table in tables(views(results)) if table.rows],
    )


def views(results: Results) -> Iterator[View[Any]]:
    """Sensitivities of estimands and of parameters, and verdicts under other priors."""
    found = results.sensitivity
    if found is not None:
        yield View("sensitivity", SensitivityRow, rows=found.rows)
        yield _sensitivities(found, "estimand")
        yield _sensitivities(found, "parameter")
        yield _verdicts(found, results.verdicts)


def _blocks(found: Sensitivity) -> View[SensitivityBlock]:
    return View(
        "prior_blocks",
        SensitivityBlock,
        "Blocks of priors",
        (
            Column("Block", "title", lambda title: words.sentence(title).rstrip(".")),
            Column("Priors", "priors", "; ".join),
            Column("Stated in the analysis", "place", lambda place: place or "no"),
        ),
        found.blocks,
        folded="The priors of each block",
    )


class Quantity(NamedTuple):
    """Sensitivities of a quantity, by block of priors."""

    title: str
    rows: dict[str, SensitivityRow]


def _sensitivities(found: Sensitivity, kind: str) -> View[Quantity]:
    by: dict[str, dict[str, SensitivityRow]] = {}
    for row in found.rows:
        if row.kind == kind:
            by.setdefault(quantity_title(row), {})[row.block] = row
    caption = f"Sensitivity of {kind}s"

    def block(name: str) -> Column[Quantity]:
        return number(
            words.label(block_title(found, name)), lambda one: one.rows.get(name), _sensitive
        )

    return View(
        "sensitivity",
        SensitivityRow,
        caption,
        (
            Column(kind.capitalize(), "title"),
            *map(block, dict.fromkeys(row.block for row in found.rows)),
        ),
        tuple(Quantity(title, rows) for title, rows in by.items()),
        f"Flagged from {found.threshold:g} up, where the draws are enough to tell; below each flag "
        "what it may mean, by the sensitivity to the likelihood.",
        caption if len(by) > MOST_ROWS else "",
        records=(),
    )


def _sensitive(row: SensitivityRow | None) -> Cell:
    if row is None:
        return Cell(words.NONE)
    text = words.fixed(row.value, 3)
    if row.diagnosis == "-":
        return Cell(text)
    return Cell(text, row.diagnosis, "thin" if row.diagnosis == "within noise" else "bad")


class ScaledClaim(NamedTuple):
    """A verdict as declared, and with a block of priors to each power."""

    verdict: Verdict
    block: str
    scaled: dict[float, ScaledVerdict]


def _verdicts(found: Sensitivity, verdicts: Sequence[Verdict]) -> View[ScaledClaim]:
    by: dict[tuple[int, str], dict[float, ScaledVerdict]] = {}
    for row in found.verdicts:
        by.setdefault((row.claim, row.block), {})[row.power] = row
    caption = "Verdicts with weaker and stronger priors"

    def power(at: float) -> Column[ScaledClaim]:
        return number(f"Power {at:g}", lambda one: one.scaled[at], _scaled)

    return View(
        "scaled_verdicts",
        ScaledVerdict,
        caption,
        (
            Column("Claim", lambda one: one.verdict.title),
            Column("Group", lambda one: words.group(one.verdict.by, one.verdict.group)),
            Column("Block", lambda one: block_title(found, one.block)),
            Column(
                "As declared",
                lambda one: words.verdict_probability(one.verdict.probability),
                note=lambda one: one.verdict.verdict,
            ),
            *map(power, found.powers),
        ),
        tuple(ScaledClaim(verdicts[claim], block, cells) for (claim, block), cells in by.items()),
        "Probability of the claim with the block of priors to each power, and the verdict where it is "
        "another. A verdict that something else stops (the gate, firms near a corner) stays stopped.",
        caption if len(by) > MOST_ROWS else "",
        found.verdicts,
    )


def _scaled(row: ScaledVerdict) -> Cell:
    if row.probability is None:
        return Cell(words.NONE, "not available from these draws: refit", "thin")
    text = words.verdict_probability(row.probability)
    if not row.flips:
        return Cell(text)
    sure = "" if row.certain else ", within Monte Carlo error"
    return Cell(text, f"{row.verdict}{sure}", "bad")


SENSITIVITY = Section(
    "sensitivity",
    "Do the findings hang on the priors?",
    "Priors scaled",
    body,
    wanted=lambda results: results.sensitivity is not None,
    views=views,
    layer="findings",
)
