"""Cases of a condition and an outcome, under their ceilings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayescluster.report.figures.record import FigureError
from bayescluster.report.figures.style import (
    BAD,
    FIRST,
    INK,
    MUTED,
    NARROW,
    PAPER,
    SECOND,
    WIDE,
    canvas,
    folded,
    plain_text,
    settings,
)
from bayescluster.report.necessity import TITLES, direction
from bayescluster.report.words import fixed
from bayescluster.results.necessity import ALL_ROWS, CeilingName, Necessity, Pair

LOOKS: Final[Mapping[CeilingName, Mapping[str, Any]]] = {
    "ce_fdh": {"color": FIRST, "linewidth": 1.8},
    "cr_fdh": {"color": SECOND, "linewidth": 1.8, "linestyle": (0, (6, 2))},
    "ce_vrs": {"color": INK, "linewidth": 1.2, "linestyle": (0, (1, 1.5))},
    "cr_vrs": {"color": BAD, "linewidth": 1.4, "linestyle": (0, (3, 1.5))},
    "cols": {"color": MUTED, "linewidth": 1.4, "linestyle": (0, (6, 2, 1, 2))},
    "c_lp": {"color": MUTED, "linewidth": 1.4, "linestyle": (0, (2, 2))},
}
"""Ceilings are told apart by their dashes, not by colour alone."""
NAMED: Final = 10
"""Peers whose names are written; of more, none is."""
MARGIN: Final = 0.04
"""Space around the scope, as a share of it."""
ROOM: Final = 0.15
"""Share of the scope that a name may take."""
SMALL: Final = 300
"""Cases up to which each has a ring of its own; beyond, dots."""


def necessity(found: Necessity, pair: Pair, *, narrow: bool = False) -> Figure:
    """Draw the cases of a condition, its ceilings, and the peers they rest on.

    Parameters
    ----------
    found
        The analysis.
    pair
        A condition in a group of it.
    narrow
        Lay the figure out for a telephone.

    Raises
    ------
    FigureError
        If no ceiling could be found.
    """
    if not any(path.x for path in pair.paths):
        raise FigureError(f"There is no ceiling over {pair.condition}.")
    with settings():
        figure = canvas(NARROW if narrow else WIDE, 3.6 if narrow else 4.6)
        axes = figure.subplots()
        _cases(axes, pair)
        for path in pair.paths:
            if path.x:
                label = f"{TITLES[path.ceiling]}, d {_effect(pair, path.ceiling)}"
                axes.plot(path.x, path.y, label=label, zorder=3, **LOOKS[path.ceiling])
        _empty(axes, found, pair)
        _peers(axes, found, pair)
        _frame(axes, pair)
        axes.set_xlabel(folded(pair.condition, 60, 1))
        axes.set_ylabel(folded(found.outcome, 40, 1))
        figure.legend(loc="outside upper left", ncols=2 if narrow else 3)
        return plain_text(figure)


def necessity_label(found: Necessity, pair: Pair) -> str:
    """Say what the figure shows, for those who cannot see it."""
    effects = "; ".join(
        f"{TITLES[row.ceiling]} d {_effect(pair, row.ceiling)}" for row in pair.ceilings
    )
    group = "" if pair.group == ALL_ROWS else f", {pair.group}"
    return (
        f"{found.outcome} against {pair.condition}{group}, {len(pair.x)} rows, with ceilings in the "
        f"{found.corner.replace('_', ' ')} corner: {effects}."
    )


def _effect(pair: Pair, ceiling: CeilingName) -> str:
    effect = next(row.effect_size for row in pair.ceilings if row.ceiling == ceiling)
    return "none" if effect is None else fixed(effect, 2)


def _cases(axes: Axes, pair: Pair) -> None:
    small = len(pair.x) <= SMALL
    axes.plot(
        pair.x,
        pair.y,
        linestyle="",
        marker="o",
        markersize=4.5 if small else 2.2,
        color=MUTED,
        markerfacecolor=PAPER if small else MUTED,
        markeredgewidth=1.0 if small else 0,
        zorder=2,
    )


def _empty(axes: Axes, found: Necessity, pair: Pair) -> None:
    """Shade what lies beyond the first ceiling."""
    path = next(path for path in pair.paths if path.x)
    edge = pair.scope.ymax if found.corner.startswith("upper") else pair.scope.ymin
    axes.fill_between(path.x, path.y, edge, color=FIRST, alpha=0.07, linewidth=0, zorder=1)


def _peers(axes: Axes, found: Necessity, pair: Pair) -> None:
    """Mark the cases the ceilings rest on, and name them on their empty side."""
    peers = list(dict.fromkeys(name for row in pair.ceilings for name in row.peers))
    places = [(pair.x[k], pair.y[k], pair.names[k]) for k in _places(pair.names, peers)]
    axes.plot(
        [x for x, _, _ in places],
        [y for _, y, _ in places],
        linestyle="",
        marker="o",
        markersize=5,
        color=FIRST,
        label="peers",
        zorder=4,
    )
    if len(places) > NAMED:
        return
    way = direction(found)
    left, upper = way.condition == "high", way.beyond == "above"
    room = ROOM * (pair.scope.xmax - pair.scope.xmin)
    edge = pair.scope.xmin if left else pair.scope.xmax
    for x, y, name in places:
        # near the edge there is no room on the empty side
        inwards = abs(x - edge) < room
        axes.annotate(
            folded(name, 18, 1),
            (x, y),
            xytext=((3 if left else -3) * (1 if inwards else -1), 4 if upper else -4),
            textcoords="offset points",
            ha="left" if left == inwards else "right",
            va="bottom" if upper else "top",
            fontsize=7.5,
            color=INK,
            zorder=5,
        )


def _places(names: Sequence[str], wanted: Sequence[str]) -> list[int]:
    return [place for place, name in enumerate(names) if name in set(wanted)]


def _frame(axes: Axes, pair: Pair) -> None:
    """Draw the scope, with a little space around it."""
    box = pair.scope
    axes.plot(
        [box.xmin, box.xmax, box.xmax, box.xmin, box.xmin],
        [box.ymin, box.ymin, box.ymax, box.ymax, box.ymin],
        color=MUTED,
        linewidth=0.7,
        linestyle=(0, (1, 2)),
        zorder=1,
    )
    across, up = MARGIN * (box.xmax - box.xmin), MARGIN * (box.ymax - box.ymin)
    axes.set_xlim(box.xmin - across, box.xmax + across)
    axes.set_ylim(box.ymin - up, box.ymax + 2 * up)
