"""Whether the numbers can be relied on: convergence, predictive checks, cross-validation."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

from markupsafe import Markup

from bayescluster.checks.remedies import likely_words
from bayescluster.checks.threshold_table import thresholds
from bayescluster.kit import words
from bayescluster.kit.figure import Drawn
from bayescluster.kit.page import Section, figures, filled, group_column
from bayescluster.kit.table import Cell, Column, Head, Look, Table, View, number
from bayescluster.report.fit_figures import CALIBRATION, LOO_PIT, PREDICTIVE
from bayescluster.results.base import Value
from bayescluster.results.fit import (
    Attempt,
    Calibration,
    CalibrationRow,
    CheckState,
    FitChecks,
    LooPit,
    PitRow,
    Reason,
)
from bayescluster.results.model import CheckItem, Gate, Loo, PredictiveRow, Results

STATES: dict[CheckState, str] = {
    "passed": "✓ passed",
    "warning": "✓ passed, with a warning",
    "failed": "✕ failed",
    "not made": "✕ not made",
}
RESULTS: dict[bool | None, str] = {True: "✓ passed", False: "✕ failed", None: "✕ not made"}


def checks_body(results: Results) -> Markup:
    """Gate, posterior predictive checks and leave-one-out cross-validation."""
    checked = [row for _, found in _predicted(results) for row in found]
    chance = sum(found.predictive.by_chance for _, found in words.equations(results))
    return filled(
        "checks.html.j2",
        results=results,
        gate=_gate(results.gate).table,
        reasons=_reasons(results.gate).table,
        attempts=_attempts(results).table,
        thresholds=_thresholds(),
        figures=figures(results, PREDICTIVE),
        predictive=_predictive(results.predictive, results.model.equation, results).table,
        checked=len(checked),
        flagged=sum(row.flagged for row in checked),
        chance=words.chance(chance),
        loo=_loo(results),
        beside=tuple(
            _predictive(other.predictive, other.model.equation, results).table
            for other in results.others
            if other.predictive
        ),
        each_loo=_each_loo(results).table,
    )


def checks_views(results: Results) -> Iterator[View[Any]]:
    """The gate with reasons and attempts, and the predictive checks of every equation."""
    yield _gate(results.gate)
    yield _reasons(results.gate)
    yield _attempts(results)
    for equation, found in _predicted(results):
        yield _predictive(found, equation, results)
    if results.others:
        yield _each_loo(results)


def _predicted(results: Results) -> list[tuple[str, tuple[PredictiveRow, ...]]]:
    """Predictive checks of every equation, that in focus first."""
    focus = (results.model.equation, results.predictive)
    return [focus, *((other.model.equation, other.predictive) for other in results.others)]


def _gate(gate: Gate) -> View[CheckItem]:
    return View(
        "checks",
        CheckItem,
        "Diagnostics gate",
        (
            Column("Check", "name"),
            Column("Question", "question"),
            Column("Found", "found", note=partial(_check_note, gate=gate)),
            Column("Asked for", "threshold", lambda text: text or words.NONE),
            Column(
                "Result",
                lambda item: item.state,
                STATES.__getitem__,
                lambda item: words.sentence(item.warning),
                lambda item: _good(item.passed),
                key="result",
            ),
        ),
        gate.items,
    )


def _good(passed: bool | None) -> Look:
    return "good" if passed else "bad"


def _check_note(item: CheckItem, gate: Gate) -> str:
    worst = f"Worst: {', '.join(item.worst)}." if item.worst else ""
    likely = "" if item.passed is True else f"Likely: {likely_words(item, gate)}."
    return " ".join(part for part in (worst, words.sentence(item.advice), likely) if part)


def _reasons(gate: Gate) -> View[Reason]:
    """Every reason with what was found and what to try; those next to a passed gate too."""
    return View(
        "reasons",
        Reason,
        "Likely reasons, and what to try next",
        (
            Column("Reason", "title", lambda title: words.sentence(title)[:-1]),
            Column("Where", lambda one: one.where, note=lambda one: ", ".join(one.parameters)),
            Column("Found", "found"),
            Column("What to try next", "advice", words.sentence, note=lambda one: one.source),
            Column(
                "May explain",
                "checks",
                lambda names: ", ".join(names) or "none of the checks: the draws are not to blame",
            ),
        ),
        gate.reasons,
        "A reason is a likely one: more than one can hold, and advice is what to try, not what will "
        "repair it.",
    )


def _attempts(results: Results) -> View[Attempt]:
    """Attempts after a failed gate, in their order."""
    key = results.reproduction.key
    return View(
        "attempts",
        Attempt,
        "Attempts",
        (
            Column("Attempt", "number"),
            Column(
                "Changed",
                "changes",
                lambda changes: "; ".join(map(str, changes)) or "nothing: the analysis as asked",
            ),
            Column("Why", _why),
            Column(
                "What the gate said",
                "gate_passed",
                RESULTS.__getitem__,
                lambda one: ", ".join(one.failing),
                lambda one: _good(one.gate_passed),
            ),
            Column(
                "Kept in",
                "key",
                lambda kept: kept or "not kept",
                lambda one: "this report" if one.key == key else "",
            ),
        ),
        results.attempts,
        "Only how the posterior is drawn was changed, never the model: every attempt draws from the "
        "same posterior. The gate was the same for all.",
    )


def _why(one: Attempt) -> str:
    why = (part for change in one.changes for part in change.why.split("; "))
    return "; ".join(dict.fromkeys(why)) or words.NONE


def _thresholds() -> Table:
    found = thresholds()
    return Table(
        "Thresholds of the checks",
        (Head("Threshold"), Head("Value", numeric=True), Head("What it is, and its source")),
        tuple((Cell(one.name), Cell(one.value), Cell(one.source)) for one in found),
        folded=f"All {words.count(len(found))} thresholds of the checks, with their sources",
    )


def _predictive(
    found: tuple[PredictiveRow, ...], equation: str, results: Results
) -> View[PredictiveRow]:
    of = f" of {equation}" if results.others else ""
    return View(
        "predictive",
        PredictiveRow,
        f"Posterior predictive checks{of}",
        (
            Column(
                "Group",
                lambda row: words.group(row.by, row.group),
                look=lambda row: "" if row.by == "cluster" else "head",
            ),
            number("Rows", "rows", words.count),
            Column("Statistic", "statistic"),
            number("Observed", lambda row: words.number(row.observed, _spread(row))),
            number("Replicated, 90%", _replicated),
            number("Tail", "tail", words.probability),
            Column(
                "Result",
                "flagged",
                lambda flagged: "✕ flagged" if flagged else "✓ as expected",
                look=lambda row: "bad" if row.flagged else "good",
            ),
        ),
        found,
        "Tail is the probability that a replicated statistic is at least the observed one; near 0 "
        "or 1 the model does not make such data.",
        f"All {words.count(len(found))} posterior predictive checks{of}",
        before={"equation": equation},
    )


def _spread(row: PredictiveRow) -> float:
    return (row.high - row.low) / 3


def _replicated(row: PredictiveRow) -> str:
    low, high = (words.number(end, _spread(row)) for end in (row.low, row.high))
    return f"[{low}, {high}]"


def _above(found: Loo) -> str:
    return f"{words.count(found.bad)} of {words.count(found.rows)}"


def _loo(results: Results) -> tuple[tuple[str, str], ...]:
    found = results.loo
    if found is None:
        return ()
    limit = words.number(found.khat_threshold, 0.1)
    return (
        ("Expected log predictive density (elpd)", words.number(found.elpd, found.se)),
        ("Standard error", words.number(found.se)),
        ("Effective number of parameters (p_loo)", words.number(found.p_loo)),
        (
            "Largest Pareto k",
            f"{words.number(found.khat_max, 0.1)} (threshold {limit})",
        ),
        ("Rows above the threshold", _above(found)),
    )


class EquationLoo(NamedTuple):
    """Cross-validation of an equation."""

    equation: str
    loo: Loo


def _each_loo(results: Results) -> View[EquationLoo]:
    """Cross-validation of every equation, where there are several."""
    named = [(results.model.equation, results.loo)]
    named += [(other.model.equation, other.loo) for other in results.others]
    rows = tuple(EquationLoo(name, found) for name, found in named if found is not None)
    return View(
        "equation_loo",
        Loo,
        "Leave-one-out cross-validation of every equation",
        (
            Column("Equation", "equation", key="equation"),
            number("elpd", lambda row: words.number(row.loo.elpd, row.loo.se)),
            number("Standard error", lambda row: words.number(row.loo.se)),
            number("p_loo", lambda row: words.number(row.loo.p_loo)),
            number("Largest Pareto k", lambda row: words.number(row.loo.khat_max, 0.1)),
            number("Rows above", lambda row: _above(row.loo)),
        ),
        rows if results.others else (),
        "Each equation predicts its own outcome, the outcomes that enter it taken as observed. "
        "Where residuals correlate, what other outcomes of the firm tell is not used.",
    )


CHECKS = Section(
    "checks", "Can the numbers be relied on?", "Checks", checks_body, views=checks_views
)


MOST_ROWS = 12
"""Tables of more rows than this are folded away."""


class Shown(NamedTuple):
    """An equation, what was found in words, its figures and its tables."""

    equation: str
    lines: tuple[str, ...]
    notes: tuple[str, ...]
    figures: tuple[Drawn, ...]
    tables: tuple[Table, ...]


def fit_checks_body(results: Results) -> Markup:
    """Words, figures and tables of the equation in focus; words and tables of the others."""
    shown = tuple(
        Shown(
            equation,
            tuple(map(words.sentence, words.lines(found))),
            _notes(found.pit),
            figures(results, LOO_PIT, CALIBRATION) if found is results.fit_checks else (),
            tuple(view.table for view in _fit_views(results, equation, found)),
        )
        for equation, found in words.equations(results)
    )
    return filled("fit_checks.html.j2", results=results, shown=shown)


def fit_checks_views(results: Results) -> Iterator[View[Any]]:
    """LOO-PIT and calibration of every equation, and the points of their curves."""
    for equation, found in words.equations(results):
        yield from _fit_views(results, equation, found)
        before = {"equation": equation}
        if found.pit is not None:
            curve = found.pit.curve
            points = zip(curve.at, curve.difference, curve.low, curve.high, strict=True)
            yield View(
                "fit_loo_pit_curve",
                PitPoint,
                rows=tuple(
                    PitPoint(at=at, difference=difference, low=low, high=high)
                    for at, difference, low, high in points
                ),
                before=before,
            )
        for event in found.calibration.curves if found.calibration is not None else ():
            points = zip(event.predicted, event.happened, event.low, event.high, strict=True)
            yield View(
                "fit_calibration_curve",
                CalibrationPoint,
                rows=tuple(
                    CalibrationPoint(predicted=predicted, happened=happened, low=low, high=high)
                    for predicted, happened, low, high in points
                ),
                before={**before, "event": event.event},
            )


class PitPoint(Value):
    """A point of the curve of LOO-PIT values less uniform ones, with its band."""

    at: float
    difference: float
    low: float
    high: float


class CalibrationPoint(Value):
    """A point of a calibration curve with its band."""

    predicted: float
    happened: float
    low: float
    high: float


def _fit_views(results: Results, equation: str, found: FitChecks) -> Iterator[View[Any]]:
    of = f" of {equation}" if results.others else ""
    if found.pit is not None:
        yield _pit(found.pit, equation, of)
    if found.calibration is not None:
        yield _calibration(found.calibration, equation, of)


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


def _result(row: PitRow | CalibrationRow) -> str:
    if row.p is None:
        return "not made"
    return "✕ flagged" if row.flagged else "✓ no sign of misfit"


RESULT: Column[Any] = Column(
    "Result",
    _result,
    note=lambda row: (
        row.reason if row.p is None else words.sentence(row.shape) if row.flagged else ""
    ),
    look=lambda row: "thin" if row.p is None else "bad" if row.flagged else "good",
)


def _p(value: float | None) -> str:
    return words.NONE if value is None else words.probability(value, 3)


def _z(value: float | None) -> str:
    return words.NONE if value is None else words.fixed(value, 1, signed=True)


def _score(value: float | None) -> str:
    return words.NONE if value is None else words.fixed(value, 4)


def _pit(found: LooPit, equation: str, of: str) -> View[PitRow]:
    steps = (
        f" The outcome is discrete: each value is spread over its step at random {found.randomised} "
        "times, and the p-values are put together."
        if found.randomised
        else ""
    )
    return View(
        "fit_loo_pit",
        PitRow,
        f"LOO-PIT{of}",
        (
            group_column("Group"),
            number("Rows", "rows", words.count),
            *(number(words.label(name), name, _z) for name in MOMENTS),
            number("p", "p", _p),
            number("Adjusted", "adjusted", _p),
            RESULT,
        ),
        found.groups,
        "Location, spread, skewness and tails compare outcomes with their predictions, each about "
        "standard normal where the model fits: above 0 they lie higher, spread more, lean to the "
        "right, have heavier tails. The p-value is of uniformity as a whole (POT-C), adjusted for "
        f"the number of industries (Holm).{steps}",
        f"LOO-PIT{of}, {len(found.groups)} groups" if len(found.groups) > MOST_ROWS else "",
        before={"equation": equation},
    )


MOMENTS = ("location", "spread", "skewness", "tails")


def _calibration(found: Calibration, equation: str, of: str) -> View[CalibrationRow]:
    many = len(found.rows)
    return View(
        "fit_calibration",
        CalibrationRow,
        f"Calibration of probabilities{of}",
        (
            group_column("Group"),
            Column("Event", "event"),
            number("Rows", "rows", words.count),
            number(
                "Happened",
                lambda row: words.share(row.happened / row.rows) if row.rows else words.NONE,
            ),
            number(
                "Predicted",
                "predicted",
                lambda part: words.NONE if part is None else words.share(part),
            ),
            number("Brier score, left out", "left_out_score", _score),
            number("Miscalibration", "miscalibration", _score),
            number("of replicates", "expected", _score),
            number("Discrimination", "discrimination", _score),
            number("p", "p", _p),
            number("Adjusted", "adjusted", _p),
            RESULT,
        ),
        found.rows,
        "The Brier score is miscalibration less discrimination plus the variance of the event; the "
        "one shown is of each row as predicted from all others. The p-value holds the events against "
        f"those replicated by the model, at each of {words.count(found.draws)} posterior draws, put "
        "together; it is adjusted for the number of events, or of industries (Holm).",
        f"Calibration of probabilities{of}, {many} tests" if many > MOST_ROWS else "",
        before={"equation": equation},
    )


FIT_CHECKS = Section(
    "fit",
    "Does the model fit?",
    "Fit",
    fit_checks_body,
    wanted=lambda results: any(True for _ in words.equations(results)),
    views=fit_checks_views,
)
