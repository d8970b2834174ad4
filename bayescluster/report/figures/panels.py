"""Small multiples: one panel a group, laid out in rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayescluster.report.figures.style import NARROW, WIDE, canvas

MOST_PANELS = 24
"""More groups than this are not drawn."""


class Panels(NamedTuple):
    """A figure and its panels, one a group; ``bottom`` and ``left`` hold those at the edges."""

    figure: Figure
    axes: tuple[Axes, ...]
    bottom: tuple[Axes, ...]
    left: tuple[Axes, ...]


def panels(groups: Sequence[str], *, narrow: bool, height: float, extra: float) -> Panels:
    """Make panels of equal scale: two columns wide (three from five groups on), one narrow."""
    many = len(groups)
    columns = min(many, 1 if narrow else 2 if many <= 4 else 3)
    rows = math.ceil(many / columns)
    width = NARROW if narrow else WIDE
    each = height * (0.85 if narrow else 1.0 if columns < 3 else 0.75)
    figure = canvas(width, extra + each * rows)
    first: Axes | None = None
    axes: list[Axes] = []
    for k in range(many):
        panel = figure.add_subplot(rows, columns, k + 1, sharex=first, sharey=first)
        first = first or panel
        axes.append(panel)
    bottom = tuple(axes[k] for k in range(many) if k + columns >= many)
    left = tuple(axes[k] for k in range(0, many, columns))
    for k, panel in enumerate(axes):
        panel.tick_params(labelbottom=panel in bottom, labelleft=k % columns == 0)
    return Panels(figure, tuple(axes), bottom, left)
