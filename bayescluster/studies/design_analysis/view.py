"""A design analysis as a page and as a table."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from io import StringIO

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayescluster.kit import words
from bayescluster.kit.figure import (
    BAD,
    FIRST,
    INK,
    LINE,
    NARROW,
    WIDE,
    Drawn,
    FigureError,
    bare_rows,
    canvas,
    folded,
    inline,
    plain_text,
    settings,
)
from bayescluster.kit.flat import harmless
from bayescluster.kit.page import filled
from bayescluster.kit.sections import columns, rows
from bayescluster.kit.table import Cell, Table
from bayescluster.kit.words import count, share
from bayescluster.results.claims import TRADITIONS
from bayescluster.studies.design_analysis.results import (
    DECLARED,
    DesignAnalysis,
    DesignRow,
    Failures,
    Needed,
    Share,
    SizeFacts,
)

FORM_WORDS = {"all": "all forms"}
GROUP_WORDS = {"all": "all firms", "industry": "by industry", "cluster": "by cluster"}
RIGHT = (
    "Right: supported where it is true, or rejected where it is false. Wrong: the other way round. "
    "Undecided is neither."
)


def tradition_words(tradition: str) -> str:
    """Name of a tradition; declared hypotheses stand beside them."""
    if tradition == DECLARED:
        return "Declared hypothesis"
    return dict(TRADITIONS)[tradition]  # type: ignore[index]


def size_words(size: SizeFacts) -> str:
    """A size by what is in it, and how it compares with the data."""
    inside = f" in {count(size.clusters)} clusters" if size.clusters else ""
    return f"{count(size.firms)} firms{inside}"


def times_words(size: SizeFacts) -> str:
    """How a size compares with the data."""
    if size.firms_times == size.clusters_times == 1:
        return "as the data are"
    parts = [
        f"{times:g} times the {what}"
        for times, what in (
            (size.clusters_times, "clusters"),
            (size.firms_times, "firms in each" if size.clusters else "firms"),
        )
        if times != 1
    ]
    return ", ".join(parts)


def triple(row: DesignRow) -> str:
    """Right, wrong and undecided, in per cent."""
    return " / ".join(f"{100 * each.share:.0f}" for each in (row.right, row.wrong, row.undecided))


def needed_words(found: Needed, enough: float) -> str:
    """How many firms or clusters it would take, never beyond what was run."""
    what = found.way
    asked = share(enough)
    if found.enough is None:
        reach = f"more than {count(found.largest)} {what}"
        return f"right in {asked} of verdicts would need {reach}: not reached at any size run"
    if found.at_most:
        return (
            f"right in {asked} of verdicts at {count(found.enough)} {what} already, "
            "the fewest that were run"
        )
    return f"right in {asked} of verdicts from {count(found.enough)} {what} on, among the sizes run"


def failure_words(found: Failures) -> str:
    """What went wrong with the refits of one pair of forms; empty where nothing did."""
    parts = []
    if found.not_converged:
        parts.append(f"{found.not_converged} did not converge")
    if found.not_fitted:
        parts.append(f"{found.not_fitted} could not be fitted")
    if not parts:
        return ""
    return (
        f"{found.truth} refitted as {found.fitted}: {' and '.join(parts)} "
        f"of {found.replications}; counted as undecided"
    )


def settings_words(found: DesignAnalysis) -> str:
    """How the replications were made."""
    return (
        f"{found.replications} replications of each form, each refitted with {found.chains} chains "
        f"of {found.draws} draws; refits with R-hat above {found.rhat_max:g} count as undecided."
    )


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
    for (title, tradition), shown in claims.items():
        head = f"{title} ({tradition.lower()})"
        words = axes.text(0, place, folded(head, 46 if narrow else 85, 1), color=INK, va="center")
        # else the bars would give way to the words
        words.set_in_layout(False)
        place += 1
        for row in shown:
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


SHARES = ("right", "wrong", "undecided", "supported_where_true", "supported_where_false")


def page_text(found: DesignAnalysis) -> str:
    """Write the page: what it would need, how often verdicts are right, and what went wrong."""
    return str(
        filled(
            "design.html.j2",
            found=found,
            needed=_needed(found),
            tables=tuple(_table(found, size, fitted) for size, fitted in _pairs(found)),
            figures=tuple(_figure(found, fitted) for fitted in found.fitted),
            failures=[text for each in found.failures if (text := failure_words(each))],
        )
    )


def _pairs(found: DesignAnalysis) -> Iterator[tuple[SizeFacts, str]]:
    for size in found.sizes:
        for fitted in found.fitted:
            yield size, fitted


def _needed(found: DesignAnalysis) -> Table | None:
    if not found.needed:
        return None
    return Table(
        "How many would be needed",
        columns("Claim", "Read by", "Refitted as", "Over all true forms"),
        rows(
            (
                f"{row.title}, {GROUP_WORDS[row.by]}",
                tradition_words(row.tradition),
                row.fitted,
                Cell(needed_words(row, found.enough), _smoothed(row.sizes, row.smoothed)),
            )
            for row in found.needed
        ),
        "Shares by size are smoothed so that they never fall; nothing is said of sizes not run.",
    )


def _smoothed(sizes: tuple[int, ...], shares: tuple[float, ...]) -> str:
    pairs = zip(sizes, shares, strict=True)
    return ", ".join(f"{words.count(size)}: {100 * share:.0f}%" for size, share in pairs)


def _table(found: DesignAnalysis, size: SizeFacts, fitted: str) -> Table:
    mine = [
        row
        for row in found.rows
        if (row.firms_times, row.clusters_times) == (size.firms_times, size.clusters_times)
        and row.fitted == fitted
    ]
    labels = ("Claim", "Read by", "True form", "#True", "#Right", "#Wrong", "#Undecided")
    return Table(
        f"{size_words(size)} ({times_words(size)}), refitted as {fitted}",
        columns(*labels, "#Supported where true", "#Supported where false"),
        rows(
            (
                Cell(f"{row.title}, {GROUP_WORDS[row.by]}", look="head" if _is_all(row) else ""),
                tradition_words(row.tradition),
                FORM_WORDS.get(row.truth, row.truth),
                f"{row.true} of {row.verdicts}",
                *(_share(getattr(row, name)) for name in SHARES),
            )
            for row in sorted(mine, key=_by_claim)
        ),
        f"Shares of verdicts with {words.share(found.interval)} binomial intervals, which count "
        "replications: groups of one replication are not independent of each other.",
    )


def _is_all(row: DesignRow) -> bool:
    return row.truth in FORM_WORDS


def _by_claim(row: DesignRow) -> tuple[str, str, str]:
    return row.tradition, row.claim, row.by


def _share(found: Share | None) -> Cell:
    if found is None:
        return Cell(words.NONE)
    return Cell(f"{100 * found.share:.0f}%", f"{100 * found.low:.0f} to {100 * found.high:.0f}")


def _figure(found: DesignAnalysis, fitted: str) -> Drawn:
    name = f"design-{fitted.replace(' ', '-')}"
    shown = overall(found, fitted)
    caption = (
        f"Verdicts over all true forms, refitted as {fitted}. Thin lines are binomial intervals of "
        f"the shares right (from the left) and wrong (from the right); the broken line is at "
        f"{words.share(found.enough)}."
    )
    label = design_alternative(shown)
    try:
        wide = inline(design_plot(found, fitted), f"{name}-wide", label)
        narrow = inline(design_plot(found, fitted, narrow=True), f"{name}-narrow", label)
    except ValueError as error:
        return Drawn(name, caption, Markup(), Markup(), str(error))
    return Drawn(name, caption, wide, narrow, "")


def csv_text(found: DesignAnalysis) -> str:
    """Write the table with unrounded numbers; a missing number is an empty cell."""
    buffer = StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    sizes = ("firms_times", "clusters_times")
    names = ("truth", "fitted", "tradition", "claim", "title", "by", "replications", "verdicts")
    parts = [f"{name}{end}" for name in SHARES for end in ("", "_low", "_high")]
    writer.writerow([*sizes, "rows", "firms", "clusters", *names, "true", *parts])
    facts = {(size.firms_times, size.clusters_times): size for size in found.sizes}
    for row in found.rows:
        size = facts[row.firms_times, row.clusters_times]
        shares = [getattr(row, name) for name in SHARES]
        numbers = [
            value
            for each in shares
            for value in ((each.share, each.low, each.high) if each else ("", "", ""))
        ]
        own = [harmless(getattr(row, name)) for name in names]
        place = [row.firms_times, row.clusters_times, size.rows, size.firms, size.clusters]
        writer.writerow([*place, *own, row.true, *numbers])
    return buffer.getvalue()
