"""Sensitivity to each block of priors and to the likelihood, one row a quantity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayescluster.report.figures.record import FigureError, FigureSpec
from bayescluster.report.figures.style import (
    BAD,
    FIRST,
    INK,
    MUTED,
    NARROW,
    PAPER,
    SECOND,
    WIDE,
    bare_rows,
    canvas,
    folded,
    plain_text,
    settings,
)
from bayescluster.report.sensitivity_words import block_title, quantity_title
from bayescluster.results.model import Results
from bayescluster.results.sensitivity import Sensitivity, SensitivityRow

MOST_ROWS: Final = 20
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

    return sorted(by.values(), key=most, reverse=True)[:MOST_ROWS]


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
        f"the {MOST_ROWS} most sensitive to a prior."
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


SENSITIVITY = FigureSpec(
    name="sensitivity",
    draw=lambda results, narrow: sensitivity(results, narrow=narrow),
    caption=_caption,
    alternative=_alternative,
    wanted=lambda results: results.sensitivity is not None and bool(results.sensitivity.rows),
)
