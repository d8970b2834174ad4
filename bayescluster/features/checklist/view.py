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
    "look": Cell("! look at it", look="bad"),
    "in part": Cell("◐ in part", look="bad"),
    "not done": Cell("✕ not done", look="bad"),
}
"""What is shown; the rest is counted."""


def body(results: Results) -> Markup:
    """Counts in a sentence, then what remains to be done or looked at."""
    found = results.checklist
    assert found is not None
    view = View[ChecklistItem](
        "checklist",
        ChecklistItem,
        "Not done, done in part, or to be looked at",
        (
            Column("Asked", "asked"),
            Column("Status", "status", STATUS.__getitem__),
            Column("What to do", _next, words.sentence, link=lambda item: item.link),
        ),
        tuple(item for item in found.items if item.status in STATUS),
    )
    return filled("checklist.html.j2", found=found, table=view.table)


def _next(item: ChecklistItem) -> str:
    return (item.status == "not done" and item.next) or item.found


def views(results: Results) -> tuple[View[ChecklistItem]]:
    """Every point, as it is written."""
    return (
        View("checklist", ChecklistItem, rows=results.checklist.items if results.checklist else ()),
    )


CHECKLIST = Section(
    "checklist",
    "Which guidelines were followed?",
    "Checklist",
    body,
    wanted=lambda results: results.checklist is not None,
    views=views,
)
