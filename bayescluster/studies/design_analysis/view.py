"""A design analysis as a page, on the terminal and as a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayescluster.kit import words
from bayescluster.kit.figure import (
    BAD,
    FIRST,
    INK,
    LINE,
    MUTED,
    NARROW,
    WIDE,
    Drawn,
    FigureError,
    bare_rows,
    canvas,
    drawn_layouts,
    folded,
    plain_text,
    settings,
)
from bayescluster.kit.page import filled
from bayescluster.kit.table import Column, RawTable, Table, View, number, raw_tables
from bayescluster.lookup import counted
from bayescluster.results.claims import TRADITIONS
from bayescluster.studies.design_analysis.results import (
    COMPENSATORY,
    DECLARED,
    DesignAnalysis,
    DesignRow,
    Failures,
    Needed,
    Share,
    SizeFacts,
    truth_words,
)

ALL_FORMS: Final = "all"
RIGHT: Final = (
    "Wrong: supported where it is false, or rejected (or found negligible) where it is true; right: the "
    "other way round. All other verdicts are neither."
)
DECLARED_ONLY: Final = (
    "The page and the table also count the other claims, as they are read at the corners."
)


def page_text(found: DesignAnalysis) -> str:
    """Write the page: what it would need, how often verdicts are right, and what went wrong."""
    return str(
        filled(
            "design.html.j2",
            found=found,
            needed=_needed(found).table if found.needed else None,
            tables=[view.table for view in _verdicts(found)],
            figure=_figure(found),
            right=RIGHT,
            true_forms="; ".join(_truths_simulated(found)),
            failures=[text for each in found.failures if (text := failure_words(each))],
        )
    )


def printed(found: DesignAnalysis) -> Iterator[str | Table]:
    """Print how often each verdict is right, size by size, then what it would need."""
    yield settings_words(found)
    yield RIGHT
    declared = tuple(row for row in found.rows if row.tradition == DECLARED)
    for view in _verdicts(found.model_copy(update={"rows": declared}) if declared else found):
        yield view.table
    if declared:
        yield DECLARED_ONLY
    for failure in found.failures:
        if text := failure_words(failure):
            times = f"{failure.firms_times:g} x firms, {failure.clusters_times:g} x clusters"
            yield f"  {times}: {text}"
    if found.needed:
        yield _needed(found).table


def csv_tables(found: DesignAnalysis, _: object = None) -> list[RawTable]:
    """Shares with unrounded numbers; a missing number is an empty cell."""
    tables = raw_tables(
        View(
            "design",
            DesignRow,
            records=tuple(row for row in found.rows if size.has(row)),
            before=size.model_dump(exclude={"industries"}),
        )
        for size in found.sizes
    )
    return [
        table._replace(columns=tuple(name.removesuffix("_share") for name in table.columns))
        for table in tables
    ]


RARE_STATES: Final = ("not_assessable", "negligible", "scale_dependent", "depends_on_the_form")
"""Verdicts that have a column only where there are any."""


def _verdicts(found: DesignAnalysis) -> Iterator[View[DesignRow]]:
    seen = [state for state in RARE_STATES if any(getattr(row, state).share for row in found.rows)]
    states = ("supported", "rejected", "undecided", *seen)
    shares = {state.replace("_", " ").capitalize(): state for state in states}
    shares |= {"Wrong": "wrong", "Supported where true": "supported_where_true"}
    columns: tuple[Column[DesignRow], ...] = (
        Column("Truth", row_truth),
        number("True", lambda row: f"{row.true} of {row.verdicts}", note=_region_words),
        *(share_column(label, name) for label, name in shares.items()),
    )
    for size in found.sizes:
        rows = [row for row in found.rows if size.has(row)]
        yield View(
            "design_verdicts",
            DesignRow,
            f"{size_words(size)} ({times_words(size)}), refitted as {found.fitted}",
            columns,
            tuple(sorted(rows, key=_place)),
            f"Shares of verdicts with {words.share(found.interval)} intervals (Jeffreys), which count "
            "replications: groups of one replication are not independent of each other. All forms are "
            "those with parameters from the prior. '+1 in region' counts claims that are false though their "
            "region holds at the true parameters.",
            head=_head,
        )


def _place(row: DesignRow) -> tuple[bool, int, str, str, str]:
    """Declared hypotheses first, in the order of the analysis."""
    declared = row.tradition == DECLARED
    return not declared, int(row.claim) if declared else 0, row.tradition, row.claim, row.by


def _head(row: DesignRow) -> str:
    if row.tradition == DECLARED:
        return f"{row.claim}. {claim_words(row)}"
    return f"{claim_words(row)} ({tradition_words(row.tradition).lower()})"


def row_truth(row: DesignRow) -> str:
    """What the outcomes of a row were simulated from."""
    return "all forms" if row.truth == ALL_FORMS else truth_words(row.truth, row.base_rate)


def _region_words(row: DesignRow) -> str:
    return f"+{row.region_only} in region" if row.region_only else ""


def _truths_simulated(found: DesignAnalysis) -> list[str]:
    rates = [truth_words(COMPENSATORY, rate) for rate in found.base_rates]
    return [*found.forms, *rates]


def _needed(found: DesignAnalysis) -> View[Needed]:
    return View(
        "design_needed",
        Needed,
        "How many would be needed",
        (
            Column("Claim", claim_words),
            Column("Read by", "tradition", tradition_words),
            Column("Refitted as", "fitted"),
            Column(
                "Over all true forms", partial(needed_words, enough=found.enough), note=_smoothed
            ),
        ),
        found.needed,
        "Shares by size are smoothed so that they never fall; nothing is said of sizes not run.",
    )


def _smoothed(row: Needed) -> str:
    pairs = zip(row.sizes, row.smoothed, strict=True)
    return ", ".join(f"{words.count(size)}: {100 * share:.0f}%" for size, share in pairs)


def tradition_words(tradition: str) -> str:
    """Name of a tradition, or of the declared hypotheses."""
    if tradition == DECLARED:
        return "Declared hypothesis"
    return dict(TRADITIONS)[tradition]  # type: ignore[index]


def size_words(size: SizeFacts) -> str:
    """Firms and clusters of a size."""
    inside = f" in {counted(size.clusters, 'cluster')}" if size.clusters else ""
    return f"{counted(size.firms, 'firm')}{inside}"


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


def group_words(by: str) -> str:
    """The groups that a claim is for: firms, industries, clusters, or categories of a column."""
    return "all firms" if by == "all" else f"by {by}"


def claim_words(row: DesignRow | Needed) -> str:
    """Name of a claim, and the groups it is for."""
    return f"{row.title}, {group_words(row.by)}"


def needed_words(found: Needed, enough: float) -> str:
    """How many firms or clusters it would take, never beyond what was run."""
    what = found.way
    asked = words.share(enough)
    if found.enough is None:
        reach = f"more than {words.count(found.largest)} {what}"
        return f"right in {asked} of verdicts would need {reach}: not reached at any size run"
    if found.at_most:
        return (
            f"right in {asked} of verdicts at {words.count(found.enough)} {what} already, "
            "the fewest that were run"
        )
    return f"right in {asked} of verdicts from {words.count(found.enough)} {what} on, among the sizes run"


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
        f"{truth_words(found.truth, found.base_rate)} refitted as {found.fitted}: {' and '.join(parts)} "
        f"of {found.replications}; counted as undecided"
    )


def settings_words(found: DesignAnalysis) -> str:
    """How the replications were made."""
    return (
        f"{found.replications} replications of each truth, each refitted with {found.chains} chains "
        f"of {found.draws} draws; refits with R-hat above {found.rhat_max:g} count as undecided."
    )


def share_column(label: str, name: str) -> Column[Any]:
    """A share in per cent with its interval; a dash where there is none."""

    def interval(row: object) -> str:
        share: Share | None = getattr(row, name)
        return f"{100 * share.low:.0f}\u00a0to\u00a0{100 * share.high:.0f}" if share else ""

    def text(share: Share | None) -> str:
        return words.NONE if share is None else f"{100 * share.share:.0f}%"

    return number(label, name, text, note=interval)


PARTS: Final = (
    ("right", FIRST),
    ("undecided", LINE),
    ("not assessable or the like", MUTED),
    ("wrong", BAD),
)
"""Parts of a bar from the left, with their colours."""
BAR: Final = 0.2
"""Inches that a bar takes, with the space around it."""


def _figure(found: DesignAnalysis) -> Drawn:
    caption = (
        f"Verdicts over all true forms, with parameters from the prior, refitted as {found.fitted}. Thin lines are binomial intervals of "
        f"the shares right (from the left) and wrong (from the right); the broken line is at "
        f"{words.share(found.enough)}."
    )
    return drawn_layouts(
        f"design-{found.fitted.replace(' ', '-')}",
        caption,
        _alternative(overall(found)),
        lambda narrow: design_plot(found, narrow=narrow),
    )


def design_plot(found: DesignAnalysis, *, narrow: bool = False) -> Figure:
    """Draw the shares of verdicts, over all true forms, with intervals of right and of wrong.

    Raises
    ------
    FigureError
        If no verdict was counted.
    """
    claims = _claims(found)
    if not claims:
        raise FigureError("No verdict has a truth to be compared with.")
    with settings():
        bars = sum(len(rows) + 1.4 for rows in claims.values())
        figure = canvas(NARROW if narrow else WIDE, 0.9 + (1.4 if narrow else 1.0) * BAR * bars)
        axes = figure.add_subplot()
        _draw_claims(axes, claims, found, narrow=narrow)
        axes.set_xlim(0, 1)
        axes.set_xticks([0, 0.2, 0.4, 0.6, 0.8, 1.0], ["0", "20", "40", "60", "80", "100%"])
        bare_rows(axes)
        axes.axvline(found.enough, color=INK, linewidth=0.9, linestyle=(0, (4, 3)), zorder=4)
        axes.set_xlabel("Share of verdicts")
        handles = [axes.barh(-5, 0, 0, color=colour, label=label) for label, colour in PARTS]
        axes.legend(
            handles=handles,
            loc="lower left",
            bbox_to_anchor=(0, 1.0),
            ncols=2,
            borderaxespad=0,
            borderpad=0.3,
        )
        return plain_text(figure)


def overall(found: DesignAnalysis) -> list[DesignRow]:
    """Rows over all true forms, or of the only one there is."""
    rows = [row for row in found.rows if row.base_rate is None]
    over_all = [row for row in rows if row.truth == ALL_FORMS]
    return over_all or rows


def _claims(found: DesignAnalysis) -> dict[tuple[str, str], list[DesignRow]]:
    """Rows by claim, the sizes together; declared hypotheses with the same title one by one."""
    claims: dict[tuple[str, str, str], list[DesignRow]] = {}
    for row in overall(found):
        claims.setdefault((row.claim, row.by, row.tradition), []).append(row)
    return {
        (
            f"{rows[0].title}, {group_words(by)}",
            tradition_words(tradition) + (f" {claim}" if tradition == DECLARED else ""),
        ): rows
        for (claim, by, tradition), rows in claims.items()
    }


def _draw_claims(
    axes: Axes,
    claims: dict[tuple[str, str], list[DesignRow]],
    found: DesignAnalysis,
    *,
    narrow: bool,
) -> None:
    place, places, labels = 0.0, [], []
    for (title, tradition), rows in claims.items():
        head = folded(f"{title} ({tradition.lower()})", 46 if narrow else 85, 1)
        # within the layout the bars would give way to the words
        axes.text(0, place, head, color=INK, va="center").set_in_layout(False)
        place += 1
        for row in rows:
            _bar(axes, place, row)
            places.append(place)
            size = size_words(next(size for size in found.sizes if size.has(row)))
            labels.append(size.replace(" in ", "\nin ") if narrow else size)
            place += 1
        place += 0.4
    axes.set_yticks(places, labels)
    axes.set_ylim(place - 0.6, -0.9)


def _bar(axes: Axes, place: float, row: DesignRow) -> None:
    right, undecided, wrong = row.right.share, row.undecided.share, row.wrong.share
    left = 0.0
    for (_, colour), share in zip(
        PARTS, (right, undecided, max(0.0, 1 - right - undecided - wrong), wrong), strict=True
    ):
        axes.barh(place, share, 0.7, left=left, color=colour, zorder=2)
        left += share
    ends = ((row.right.low, row.right.high), (1 - row.wrong.high, 1 - row.wrong.low))
    for low, high in ends:
        axes.plot((low, high), (place, place), color=INK, linewidth=1.0, zorder=3)


def _alternative(rows: Sequence[DesignRow]) -> str:
    """The figure in a sentence."""
    numbers = "; ".join(
        f"{row.title} ({tradition_words(row.tradition).lower()}), {row.firms_times:g} times the firms, "
        f"{row.clusters_times:g} times the clusters: right {100 * row.right.share:.0f}%, "
        f"undecided {100 * row.undecided.share:.0f}%, wrong {100 * row.wrong.share:.0f}%"
        for row in rows
    )
    return f"Bars of right, undecided and wrong verdicts. {numbers}."
