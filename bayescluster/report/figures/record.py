"""What a figure of the report is: one frozen record."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from matplotlib.figure import Figure

from bayescluster.results.model import Results


class FigureError(ValueError):
    """A figure cannot be drawn from these results; the message says why."""


class FigureSpec(NamedTuple):
    """A figure.

    Attributes
    ----------
    name
        Name of the file, and of the figure in the page.
    draw
        ``(results, narrow) -> Figure``; ``narrow`` asks for a layout that fits a telephone.
        Raises `FigureError` where the results cannot be drawn.
    caption
        What the figure shows and how to read it.
    alternative
        The figure in a sentence, for those who cannot see it.
    wanted
        Whether the results hold what the figure is about; it is left out of the report otherwise.
    """

    name: str
    draw: Callable[[Results, bool], Figure]
    caption: Callable[[Results], str]
    alternative: Callable[[Results], str]
    wanted: Callable[[Results], bool]
