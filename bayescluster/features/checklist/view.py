"""What guidelines ask of an analysis: what of it was not done, or only in part."""

from __future__ import annotations

from typing import Final

from markupsafe import Markup

from bayescluster.features.checklist.results import ChecklistItem, Status
from bayescluster.kit import words
from bayescluster.kit.page import Section, filled
from bayescluster.kit.table import Cell, Column, View
from bayescluster.results.model import Results

STATUS: Final[dict[Status, Cell]] = {
    "look": Cell("! worth a look", look="bad"),
    "in part": Cell("◐ in part", look="bad"),
    "not done": Cell("✕ not done", look="bad"),
}
"""What is shown; the rest is counted."""


def body(results: Results) -> Markup:
    """Counts in a sentence, then what remains to be done or looked at."""
    (view,) = views(results)
    items = results.checklist.items if results.checklist else ()
    away = [one for one in items if one.link and not one.link.startswith("#")]
    studies = [one for one in away if one.status not in STATUS]
    return filled("checklist.html.j2", found=results.checklist, table=view.table, studies=studies)


def views(results: Results) -> tuple[View[ChecklistItem]]:
    """Every point is written; those that are done are not shown."""
    items = results.checklist.items if results.checklist else ()
    view = View(
        "checklist",
        ChecklistItem,
        "Not done, done in part, or worth a look",
        (
            Column("Asked", "asked"),
            Column("Status", "status", STATUS.__getitem__),
            Column("What to do", _next, link=lambda item: item.link),
        ),
        tuple(item for item in items if item.status in STATUS),
        records=items,
    )
    return (view,)


def _next(item: ChecklistItem) -> str:
    """The next step as it is written, a command as a rule; what was found where there is none."""
    return (item.status == "not done" and item.next) or words.sentence(item.found)


CHECKLIST = Section(
    "checklist",
    "Which guidelines were followed?",
    "Checklist",
    body,
    wanted=lambda results: results.checklist is not None,
    views=views,
)
