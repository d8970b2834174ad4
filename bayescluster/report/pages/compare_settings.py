"""Which settings of the analyses of several runs differ: in a sentence, and as tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bayescluster.report.sections.record import Cell, Table, columns, rows
from bayescluster.results.compared import Changes, Compared, DifferingSetting

NOT_SET: Final = "not set"
READING: Final = (
    f"Places are those of the analysis file, with defaults written out. “{NOT_SET}”: the analysis has "
    "none; “listed” and “given”: it has such an entry or block, with its defaults."
)
CHANGES: Final[dict[Changes, tuple[str, str]]] = {
    "model": (
        "Changes the model",
        "Where these differ, the posteriors are of other models, or of other firms.",
    ),
    "claims": (
        "Changes what is asked of the model",
        "Claims, their regions and how traditions read them; the posterior does not know of them.",
    ),
    "sampling": (
        "Changes the draws only",
        "The posterior of a model stays what it is; its summaries move by their Monte Carlo error.",
    ),
    "report": (
        "Changes neither",
        "Names, texts, options of studies beside the run, and where the same data lie.",
    ),
}
"""Title and note of each kind of setting, in the order in which they are shown."""


def of_kind(found: Compared, changes: Changes) -> tuple[DifferingSetting, ...]:
    """Differing settings of one kind."""
    return tuple(row for row in found.settings if row.changes == changes)


def lead(found: Compared) -> str:
    """Say in how many settings the analyses differ, and what is not among them."""
    data = "" if found.same_data else " The data differ in content, which is no setting."
    if not found.settings:
        return f"The analyses are the same in every setting.{data}"
    counts = {kind: len(of_kind(found, kind)) for kind in CHANGES}
    told = "; ".join(
        f"{CHANGES[kind][0][0].lower()}{CHANGES[kind][0][1:]}: {count}"
        for kind, count in counts.items()
        if count
    )
    model = "" if counts["model"] else " No setting of the model differs."
    return f"Settings that differ, by what they bear on ({told}).{model}{data}"


def setting_words(value: str | None) -> str:
    """Value of a setting, or that it is not set."""
    return NOT_SET if value is None else value


def setting_tables(found: Compared) -> tuple[Table, ...]:
    """Make a table for each kind of setting that differs."""
    heads = columns("Setting", *(run.label for run in found.runs))
    return tuple(
        Table(
            title,
            heads,
            rows(_cells(row) for row in of_kind(found, kind)),
            note,
            folded=title if kind == "report" else "",
        )
        for kind, (title, note) in CHANGES.items()
        if of_kind(found, kind)
    )


def _cells(row: DifferingSetting) -> Sequence[Cell]:
    values = (
        Cell(setting_words(value), look="thin" if value is None else "") for value in row.values
    )
    return (Cell(row.place), *values)
