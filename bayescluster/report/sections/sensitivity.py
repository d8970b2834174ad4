"""Whether the findings hang on the priors: power-scaling of parameters, estimands and verdicts."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from bayescluster.report import words
from bayescluster.report.environment import filled
from bayescluster.report.figures.scaled_verdicts_plot import SCALED_VERDICTS
from bayescluster.report.figures.sensitivity_plot import SENSITIVITY as FIGURE
from bayescluster.report.sections.record import Cell, Section, Table, columns, figures, rows
from bayescluster.report.sensitivity_words import block_title, quantity_title
from bayescluster.results.model import Results, Verdict
from bayescluster.results.sensitivity import ScaledVerdict, Sensitivity, SensitivityRow

MOST_ROWS = 15
"""Tables of more rows than this are folded away."""


def body(results: Results) -> Markup:
    """What stands out in sentences, then figures and tables."""
    found = results.sensitivity
    assert found is not None
    tables = [_sensitivities(found, kind) for kind in ("estimand", "parameter")]
    tables += [_verdicts(found, results.verdicts)]
    return filled(
        "sensitivity.html.j2",
        results=results,
        found=found,
        figures=figures(results, FIGURE, SCALED_VERDICTS),
        blocks=_blocks(found),
        tables=tuple(table for table in tables if table.rows),
    )


def _blocks(found: Sensitivity) -> Table:
    return Table(
        "Blocks of priors",
        columns("Block", "Priors", "Stated in the analysis"),
        rows(
            (words.sentence(block.title).rstrip("."), "; ".join(block.priors), block.place or "no")
            for block in found.blocks
        ),
        folded="The priors of each block",
    )


def _sensitivities(found: Sensitivity, kind: str) -> Table:
    mine = [row for row in found.rows if row.kind == kind]
    names = list(dict.fromkeys(row.block for row in found.rows))
    by: dict[str, dict[str, SensitivityRow]] = {}
    for row in mine:
        by.setdefault(quantity_title(row), {})[row.block] = row
    caption = f"Sensitivity of {kind}s"
    return Table(
        caption,
        columns(
            kind.capitalize(), *(f"#{words.label(block_title(found, name))}" for name in names)
        ),
        rows(
            (title, *(_cell(cells[name]) if name in cells else words.NONE for name in names))
            for title, cells in by.items()
        ),
        f"Flagged from {found.threshold:g} up, where the draws are enough to tell; below each flag "
        "what it may mean, by the sensitivity to the likelihood.",
        folded=caption if len(by) > MOST_ROWS else "",
    )


def _cell(row: SensitivityRow) -> Cell:
    text = words.fixed(row.value, 3)
    if row.diagnosis == "-":
        return Cell(text)
    return Cell(text, row.diagnosis, "thin" if row.diagnosis == "within noise" else "bad")


def _verdicts(found: Sensitivity, verdicts: Sequence[Verdict]) -> Table:
    by: dict[tuple[int, str], dict[float, ScaledVerdict]] = {}
    for row in found.verdicts:
        by.setdefault((row.claim, row.block), {})[row.power] = row
    caption = "Verdicts with weaker and stronger priors"
    return Table(
        caption,
        columns(
            "Claim",
            "Group",
            "Block",
            "As declared",
            *(f"#Power {power:g}" for power in found.powers),
        ),
        rows(
            (
                verdicts[claim].title,
                words.group(verdicts[claim].by, verdicts[claim].group),
                block_title(found, block),
                Cell(
                    words.verdict_probability(verdicts[claim].probability),
                    verdicts[claim].verdict,
                ),
                *(_scaled(cells[power]) for power in found.powers),
            )
            for (claim, block), cells in by.items()
        ),
        "Probability of the claim with the block of priors to each power, and the verdict where it is "
        "another. A verdict that something else stops (the gate, firms near a corner) stays stopped.",
        folded=caption if len(by) > MOST_ROWS else "",
    )


def _scaled(row: ScaledVerdict) -> Cell:
    if row.probability is None:
        return Cell(words.NONE, "cannot be told from these draws: refit", "thin")
    text = words.verdict_probability(row.probability)
    if not row.flips:
        return Cell(text)
    sure = "" if row.certain else ", within Monte Carlo error"
    return Cell(text, f"{row.verdict}{sure}", "bad")


SENSITIVITY = Section(
    "sensitivity",
    "Do the findings hang on the priors?",
    "Priors scaled",
    body,
    wanted=lambda results: results.sensitivity is not None,
)
