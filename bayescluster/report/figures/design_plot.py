"""How often verdicts are right, wrong and undecided: a bar for each claim, tradition and size."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayescluster.report.figures.record import FigureError
from bayescluster.report.figures.style import (
    BAD,
    FIRST,
    INK,
    LINE,
    NARROW,
    WIDE,
    bare_rows,
    canvas,
    folded,
    plain_text,
    settings,
)
from bayescluster.report.pages.design_words import GROUP_WORDS, size_words, tradition_words
from bayescluster.results.design_analysis import DesignAnalysis, DesignRow, SizeFacts

BAR = 0.2
"""Inches that a bar takes, with the space around it."""


def design_plot(found: DesignAnalysis, fitted: str, *, narrow: bool = False) -> Figure:
    """Draw the shares of verdicts, over all true forms, with intervals of right and of wrong.

    Parameters
    ----------
    found
        A design analysis.
    fitted
        The form that was fitted.
    narrow
        Lay the figure out for a telephone.

    Raises
    ------
    FigureError
        If no verdict was counted.
    """
    claims = _claims(found, fitted)
    if not claims:
        raise FigureError("No verdict has a truth to be set beside.")
    with settings():
        bars = sum(len(rows) + 1.4 for rows in claims.values())
        width = NARROW if narrow else WIDE
        figure = canvas(width, 0.9 + (1.4 if narrow else 1.0) * BAR * bars)
        axes = figure.add_subplot()
        _draw(axes, claims, found, narrow=narrow)
        return plain_text(figure)


def overall(found: DesignAnalysis, fitted: str) -> list[DesignRow]:
    """Rows over all true forms, or of the only one there is."""
    rows = [row for row in found.rows if row.fitted == fitted]
    truth = "all" if any(row.truth == "all" for row in rows) else None
    return [row for row in rows if truth in (None, row.truth)]


def size_of(found: DesignAnalysis, row: DesignRow) -> SizeFacts:
    """Size that a row is of."""
    return next(
        size
        for size in found.sizes
        if (size.firms_times, size.clusters_times) == (row.firms_times, row.clusters_times)
    )


def _claims(found: DesignAnalysis, fitted: str) -> dict[tuple[str, str], list[DesignRow]]:
    """Rows by claim, the sizes together; declared hypotheses with the same title one by one."""
    claims: dict[tuple[str, str, str], list[DesignRow]] = {}
    for row in overall(found, fitted):
        claims.setdefault((row.claim, row.by, row.tradition), []).append(row)
    return {
        (
            f"{rows[0].title}, {GROUP_WORDS[by]}",
            tradition_words(tradition) + (f" {claim}" if tradition == "declared" else ""),
        ): rows
        for (claim, by, tradition), rows in claims.items()
    }


def _draw(
    axes: Axes,
    claims: dict[tuple[str, str], list[DesignRow]],
    found: DesignAnalysis,
    *,
    narrow: bool,
) -> None:
    place, places, labels = 0.0, [], []
    for (title, tradition), rows in claims.items():
        head = f"{title} ({tradition.lower()})"
        words = axes.text(0, place, folded(head, 46 if narrow else 85, 1), color=INK, va="center")
        # else the bars would give way to the words
        words.set_in_layout(False)
        place += 1
        for row in rows:
            _bar(axes, place, row)
            places.append(place)
            labels.append(
                size_words(size_of(found, row)).replace(" in ", "\nin " if narrow else " in ")
            )
            place += 1
        place += 0.4
    axes.set_yticks(places, labels)
    axes.set_ylim(place - 0.6, -0.9)
    axes.set_xlim(0, 1)
    axes.set_xticks([0, 0.2, 0.4, 0.6, 0.8, 1.0], ["0", "20", "40", "60", "80", "100%"])
    bare_rows(axes)
    axes.axvline(found.enough, color=INK, linewidth=0.9, linestyle=(0, (4, 3)), zorder=4)
    axes.set_xlabel("Share of verdicts")
    _key(axes)


def _bar(axes: Axes, place: float, row: DesignRow) -> None:
    right, undecided = row.right.share, row.undecided.share
    axes.barh(place, right, 0.7, color=FIRST, zorder=2)
    axes.barh(place, undecided, 0.7, left=right, color=LINE, zorder=2)
    axes.barh(place, row.wrong.share, 0.7, left=right + undecided, color=BAD, zorder=2)
    ends = ((row.right.low, row.right.high), (1 - row.wrong.high, 1 - row.wrong.low))
    for low, high in ends:
        axes.plot((low, high), (place, place), color=INK, linewidth=1.0, zorder=3)


def _key(axes: Axes) -> None:
    handles = [
        axes.barh(-5, 0, 0, color=colour, label=label)
        for colour, label in ((FIRST, "right"), (LINE, "undecided"), (BAD, "wrong"))
    ]
    axes.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(0, 1.0),
        ncols=3,
        borderaxespad=0,
        borderpad=0.3,
    )


def design_alternative(rows: Sequence[DesignRow]) -> str:
    """The figure in a sentence."""
    told = "; ".join(
        f"{row.title} ({tradition_words(row.tradition).lower()}), {row.firms_times:g} times the firms, "
        f"{row.clusters_times:g} times the clusters: right {100 * row.right.share:.0f}%, "
        f"undecided {100 * row.undecided.share:.0f}%, wrong {100 * row.wrong.share:.0f}%"
        for row in rows
    )
    return f"Bars of right, undecided and wrong verdicts. {told}."
