"""Intervals side by side as a figure of a page, wide and narrow, or why it could not be drawn."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from bayescluster.report import words
from bayescluster.report.figures.intervals_plot import Block, Frame, intervals_plot
from bayescluster.report.figures.svg import Drawn, inline


def drawn_intervals(name: str, caption: str, blocks: Sequence[Block], frame: Frame) -> Drawn:
    """Draw blocks of intervals; who cannot see them is told every number."""
    label = f"{caption} " + "; ".join(
        f"{block.head}, {row.label}: {words.number(row.middle)} "
        f"({words.number(row.low)} to {words.number(row.high)})"
        for block in blocks
        for row in block.rows
    )
    try:
        wide = inline(intervals_plot(blocks, frame), f"{name}-wide", label)
        narrow = inline(intervals_plot(blocks, frame, narrow=True), f"{name}-narrow", label)
    except ValueError as error:
        return Drawn(name, caption, Markup(), Markup(), str(error))
    return Drawn(name, caption, wide, narrow, "")
