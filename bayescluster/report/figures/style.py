"""Colours and settings of the figures.

Colours are chosen to be told apart by colour-blind readers, and never carry meaning alone. In the
page each becomes a CSS variable, so that figures follow the light and the dark mode.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from textwrap import wrap
from typing import Any, Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.text import Text

INK: Final = "#1d2733"
MUTED: Final = "#5c6875"
LINE: Final = "#d6dce3"
PAPER: Final = "#fffffe"
FIRST: Final = "#12608f"
SECOND: Final = "#b45a11"
BAD: Final = "#a82a17"
RAMP: Final = (
    "#f1f5f8",
    "#dfe9f0",
    "#cbdce7",
    "#b4cddd",
    "#9abdd2",
    "#7eaac5",
    "#6196b6",
    "#4581a5",
    "#2c6b92",
    "#17567d",
)
"""From a low to a high expected outcome."""

VARIABLES: Final[dict[str, str]] = {
    INK: "--ink",
    MUTED: "--muted",
    LINE: "--line",
    PAPER: "--card",
    FIRST: "--first",
    SECOND: "--second",
    BAD: "--bad",
} | {colour: f"--ramp-{k}" for k, colour in enumerate(RAMP)}
"""CSS variable of each colour; no other colour may stand in a figure."""

SETTINGS: Final[Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "bayescluster",
    "text.parse_math": False,
    "text.usetex": False,
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 8.5,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.labelsize": 8.5,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": LINE,
    "axes.linewidth": 0.8,
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "figure.facecolor": "none",
    "text.color": INK,
    "xtick.color": LINE,
    "ytick.color": LINE,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "grid.color": LINE,
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.6,
    "lines.solid_capstyle": "round",
}

WIDE: Final = 7.0
NARROW: Final = 3.7
"""Widths in inches: a column of text, and a telephone."""


@contextmanager
def settings() -> Iterator[None]:
    """Use the figures' settings, whatever the reader's own are."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(SETTINGS)
        yield


def canvas(width: float, height: float) -> Figure:
    """Make an empty figure, in inches, that lays itself out."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasSVG(figure)
    return figure


def plain_text(figure: Figure) -> Figure:
    """Keep every text as it is: a dollar sign in a name is no mathematics."""
    for text in figure.findobj(Text):
        text.set_parse_math(False)
    return figure


def folded(label: str, width: int, lines: int = 2) -> str:
    """Break a long name over lines, and cut it where it is longer still."""
    kept = wrap(label, width, max_lines=lines, placeholder=" …")
    if kept in ([], ["…"]):  # one long word
        return f"{label[: width - 1]}…"
    return "\n".join(kept)


def bare_rows(axes: Axes) -> None:
    """Leave rows without a frame: the labels are the axis."""
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=True, axis="x")
