"""Whether the model fits: LOO-PIT, calibration, and the count of predictive flags."""

from __future__ import annotations

from typing import NamedTuple

from markupsafe import Markup

from bayescluster.report import fit_words, words
from bayescluster.report.environment import filled
from bayescluster.report.figures.fit_plot import CALIBRATION, LOO_PIT
from bayescluster.report.figures.svg import Drawn
from bayescluster.report.sections.record import (
    Cell,
    Section,
    Table,
    columns,
    figures,
    group_cell,
    rows,
)
from bayescluster.results.fit_checks import Calibration, CalibrationRow, FitChecks, LooPit, PitRow
from bayescluster.results.model import Results

MOST_ROWS = 12
"""Tables of more rows than this are folded away."""


class Shown(NamedTuple):
    """An equation, what was found in words, its figures and its tables."""

    equation: str
    lines: tuple[str, ...]
    notes: tuple[str, ...]
    figures: tuple[Drawn, ...]
    tables: tuple[Table, ...]


def body(results: Results) -> Markup:
    """Words, figures and tables of the equation in focus; words and tables of those beside it."""
    shown = tuple(
        _shown(results, equation, found) for equation, found in fit_words.equations(results)
    )
    return filled("fit_checks.html.j2", results=results, shown=shown)


def _shown(results: Results, equation: str, found: FitChecks) -> Shown:
    of = f" of {equation}" if results.others else ""
    tables = []
    if found.pit is not None:
        tables.append(_pit(found.pit, of))
    if found.calibration is not None:
        tables.append(_calibration(found.calibration, of))
    focus = found is results.fit_checks
    return Shown(
        equation,
        tuple(map(words.sentence, fit_words.lines(found))),
        _notes(found.pit),
        figures(results, LOO_PIT, CALIBRATION) if focus else (),
        tuple(tables),
    )


def _notes(found: LooPit | None) -> tuple[str, ...]:
    notes = []
    if found is not None and found.bad:
        limit = words.number(found.khat_threshold, 0.1)
        notes.append(
            f"Rows whose Pareto k is above {limit}, so that their LOO-PIT values are unsure: "
            f"{words.count(found.bad)} of {words.count(found.rows)}."
        )
    if found is not None and found.left_out:
        one = found.left_out == 1
        many = "1 row has" if one else f"{words.count(found.left_out)} rows have"
        notes.append(f"{many} no LOO-PIT value and {'is' if one else 'are'} left out.")
    return tuple(notes)


def _result(row: PitRow | CalibrationRow) -> Cell:
    if row.p is None:
        return Cell("not made", row.reason, look="thin")
    if row.flagged:
        return Cell("✕ flagged", words.sentence(row.shape), look="bad")
    return Cell("✓ no sign of misfit", look="good")


def _p(value: float | None) -> str:
    return words.NONE if value is None else words.probability(value, 3)


def _z(value: float | None) -> str:
    return words.NONE if value is None else words.fixed(value, 1, signed=True)


PIT_COLUMNS = columns(
    "Group",
    "#Rows",
    "#Location",
    "#Spread",
    "#Skewness",
    "#Tails",
    "#p",
    "#Adjusted",
    "Result",
)


def _pit(found: LooPit, of: str) -> Table:
    steps = (
        f" The outcome is discrete: each value is spread over its step at random {found.randomised} "
        "times, and the p-values are put together."
        if found.randomised
        else ""
    )
    return Table(
        f"LOO-PIT{of}",
        PIT_COLUMNS,
        rows(map(_pit_cells, found.groups)),
        "Location, spread, skewness and tails compare outcomes with their predictions, each about "
        "standard normal where the model fits: above 0 they lie higher, spread more, lean to the "
        "right, have heavier tails. The p-value is of uniformity as a whole (POT-C), adjusted for "
        f"the number of industries (Holm).{steps}",
        folded=f"LOO-PIT{of}, {len(found.groups)} groups" if len(found.groups) > MOST_ROWS else "",
    )


def _pit_cells(row: PitRow) -> tuple[str | Cell, ...]:
    return (
        group_cell(row.by, row.group),
        words.count(row.rows),
        _z(row.location),
        _z(row.spread),
        _z(row.skewness),
        _z(row.tails),
        _p(row.p),
        _p(row.adjusted),
        _result(row),
    )


CALIBRATION_COLUMNS = columns(
    "Group",
    "Event",
    "#Rows",
    "#Happened",
    "#Predicted",
    "#Brier score, left out",
    "#Miscalibration",
    "#of replicates",
    "#Discrimination",
    "#p",
    "#Adjusted",
    "Result",
)


def _calibration(found: Calibration, of: str) -> Table:
    return Table(
        f"Calibration of probabilities{of}",
        CALIBRATION_COLUMNS,
        rows(map(_calibration_cells, found.rows)),
        "The Brier score is miscalibration less discrimination plus the variance of the event; the "
        "one shown is of each row as predicted from all others. The p-value holds the events against "
        f"those replicated by the model, at each of {words.count(found.draws)} posterior draws, put "
        "together; it is adjusted for the number of events, or of industries (Holm).",
        folded=f"Calibration of probabilities{of}, {len(found.rows)} tests"
        if len(found.rows) > MOST_ROWS
        else "",
    )


def _calibration_cells(row: CalibrationRow) -> tuple[str | Cell, ...]:
    return (
        group_cell(row.by, row.group),
        row.event,
        words.count(row.rows),
        words.share(row.happened / row.rows) if row.rows else words.NONE,
        words.NONE if row.predicted is None else words.share(row.predicted),
        _score(row.left_out_score),
        _score(row.miscalibration),
        _score(row.expected),
        _score(row.discrimination),
        _p(row.p),
        _p(row.adjusted),
        _result(row),
    )


def _score(value: float | None) -> str:
    return words.NONE if value is None else words.fixed(value, 4)


FIT_CHECKS = Section(
    "fit",
    "Does the model fit?",
    "Fit",
    body,
    wanted=lambda results: any(True for _ in fit_words.equations(results)),
)
