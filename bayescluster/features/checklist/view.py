"""What was done of all that guidelines ask for, and what was not."""

from __future__ import annotations

from typing import Final

from markupsafe import Markup

from bayescluster.features.checklist.results import Checklist, ChecklistItem, Status
from bayescluster.kit import words
from bayescluster.kit.page import filled
from bayescluster.kit.sections import Section, columns
from bayescluster.kit.table import Cell, Table
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
    found = results.checklist
    assert found is not None
    return filled("checklist.html.j2", results=results, found=found, table=_table(found))


def _table(found: Checklist) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for part in dict.fromkeys(item.part for item in found.items):
        rows.append((Cell(part, look="head"), Cell(""), Cell(""), Cell("")))
        rows += [_row(item) for item in found.items if item.part == part]
    return Table(
        "Checklist of the analysis",
        columns("Asked", "Asked by", "Status", "Found"),
        tuple(rows),
        "BARG: Kruschke (2021), Bayesian analysis reporting guidelines, by step. WAMBS: Depaoli and "
        "van de Schoot (2017), checklist of when to worry. Workflow: Gelman et al. (2020), Bayesian "
        "workflow, by section. STROBE: von Elm et al. (2007), reporting of observational studies. "
        "BARG 4 also asks for the loss function: verdicts rest on a declared probability and use none.",
    )


def _row(item: ChecklistItem) -> tuple[Cell, ...]:
    found = words.sentence(item.found)
    return (
        Cell(item.asked, look="inside"),
        Cell(_sources(item.sources)),
        STATUS[item.status],
        Cell(found, f"Next: {item.next}" if item.next else "", link=item.link),
    )


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
)
