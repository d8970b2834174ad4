"""What was done of all that guidelines ask for, and what was not."""

from __future__ import annotations

from typing import Final

from markupsafe import Markup

from bayescluster.features.checklist.results import ChecklistItem, Status
from bayescluster.kit import words
from bayescluster.kit.page import Section, filled, tables
from bayescluster.kit.table import Cell, Column, View
from bayescluster.results.model import Results

STATUS: Final[dict[Status, Cell]] = {
    "done": Cell("✓ done", look="good"),
    "look": Cell("! look at it", look="bad"),
    "in part": Cell("◐ in part", look="bad"),
    "not done": Cell("✕ not done", look="bad"),
    "reader": Cell("for the reader"),
    "not applicable": Cell("does not apply"),
}


def body(results: Results) -> Markup:
    """How much was done in a sentence, then the table."""
    found, (table,) = results.checklist, tables(views(results))
    return filled("checklist.html.j2", results=results, found=found, table=table)


def views(results: Results) -> tuple[View[ChecklistItem]]:
    """Every point, under the part it belongs to."""
    view = View(
        "checklist",
        ChecklistItem,
        "Checklist of the analysis",
        (
            Column("Asked", "asked", look=lambda _: "inside"),
            Column("Asked by", "sources", _sources),
            Column("Status", "status", STATUS.__getitem__),
            Column(
                "Found",
                "found",
                words.sentence,
                lambda item: f"Next: {item.next}" if item.next else "",
                link=lambda item: item.link,
            ),
        ),
        results.checklist.items if results.checklist else (),
        "BARG: Kruschke (2021), Bayesian analysis reporting guidelines, by step. WAMBS: Depaoli and "
        "van de Schoot (2017), checklist of when to worry. Workflow: Gelman et al. (2020), Bayesian "
        "workflow, by section. STROBE: von Elm et al. (2007), reporting of observational studies. "
        "BARG 4 also asks for the loss function: verdicts rest on a declared probability and use none.",
        head=lambda item: item.part,
    )
    return (view,)


def _sources(found: tuple[str, ...]) -> str:
    """Points by guideline, its name once: ``BARG 1.B, 1.D; WAMBS 1``."""
    named = [source.split(" ", 1) for source in found]
    guides = dict.fromkeys(guide for guide, _ in named)
    return "; ".join(
        f"{guide} {', '.join(point for other, point in named if other == guide)}"
        for guide in guides
    )


CHECKLIST = Section(
    "checklist",
    "What was done, and what was not",
    "Checklist",
    body,
    wanted=lambda results: results.checklist is not None,
    views=views,
)
