"""Whether the numbers can be relied on: convergence of the sampler, and fit of the model to the data."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from functools import lru_cache, partial
from typing import Any, NamedTuple

from markupsafe import Markup

from bayescluster.checks import thresholds as module
from bayescluster.checks.remedies import likely_words
from bayescluster.features.folds import view as folds
from bayescluster.kit import words
from bayescluster.kit.page import Section, figures, filled
from bayescluster.kit.table import Cell, Column, Look, Table, View, number
from bayescluster.report.fit_figures import CALIBRATION, LOO_PIT
from bayescluster.results.base import Value
from bayescluster.results.fit import (
    Attempt,
    CalibrationRow,
    CheckState,
    FitChecks,
    LooPit,
    PitRow,
    Reason,
)
from bayescluster.results.model import CheckItem, EquationResults, Gate, Loo, PredictiveRow, Results

STATES: dict[CheckState, str] = {
    "passed": "✓ passed",
    "warning": "✓ passed, with a warning",
    "failed": "✕ failed",
    "not made": "✕ not made",
}
RESULTS: dict[bool | None, str] = {True: "✓ passed", False: "✕ failed", None: "✕ not made"}
MOST_ROWS = 12
"""Rows of a table on the page."""


def checks_body(results: Results) -> Markup:
    """The gate; where it failed, likely reasons; and the attempts, where there were several."""
    views = (_gate(results.gate), _reasons(results.gate), _attempts(results))
    return filled(
        "checks.html.j2", gate=results.gate, tables=[view.table for view in views if view.rows]
    )


def checks_views(results: Results) -> Iterator[View[Any]]:
    """The gate with reasons, attempts and thresholds."""
    yield _gate(results.gate)
    yield _reasons(results.gate)
    yield _attempts(results)
    yield View("thresholds", ThresholdRow, rows=thresholds())


def _gate(gate: Gate) -> View[CheckItem]:
    return View(
        "checks",
        CheckItem,
        "Diagnostics gate",
        (
            Column("Check", "name", note=lambda item: item.question),
            Column("Found", "found", note=partial(_check_note, gate=gate)),
            Column("Required", "threshold", lambda text: text or words.NONE),
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
                "Gate",
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


CHECKS = Section(
    "checks", "Did the sampler converge?", "Convergence", checks_body, views=checks_views
)


class Fit(NamedTuple):
    """An equation, and what was found of its fit: sentences and tables."""

    equation: str
    lines: tuple[str, ...]
    tables: tuple[Table, ...]


def fit_body(results: Results) -> Markup:
    """Words, flagged statistics and tests of every equation; a figure of that in focus."""
    several = bool(results.others)
    shown = tuple(
        Fit(
            name if several else "",
            tuple(_lines(found, loo)),
            tuple(view.table for view in _shown(rows, found)),
        )
        for name, rows, found, loo in _equations(results)
    )
    return filled(
        "fit.html.j2",
        results=results,
        shown=shown,
        figures=figures(results, CALIBRATION, LOO_PIT),  # one of them is wanted
        left_out=folds.lines(results.folds) if results.folds else (),
    )


class _Equation(NamedTuple):
    name: str
    predictive: tuple[PredictiveRow, ...]
    checks: FitChecks | None
    loo: Loo | None


def _equations(results: Results) -> tuple[_Equation, ...]:
    """Every equation, that in focus first."""
    parts: tuple[Results | EquationResults, ...] = (results, *results.others)
    return tuple(
        _Equation(one.model.equation, one.predictive, one.fit_checks, one.loo) for one in parts
    )


def _lines(found: FitChecks | None, loo: Loo | None) -> Iterator[str]:
    if found is None:
        yield "Posterior predictive checks, LOO-PIT and calibration were not made."
    else:
        yield from map(words.sentence, words.lines(found))
        yield from _notes(found.pit)
    if loo is None:
        yield "Leave-one-out cross-validation was not made."
    else:
        yield (
            f"Leave-one-out cross-validation (PSIS): elpd {words.number(loo.elpd, loo.se)} (SE "
            f"{words.number(loo.se)}), {words.number(loo.p_loo)} effective parameters; Pareto k at "
            f"most {words.number(loo.khat_max, 0.1)}, {_above(loo)} rows above "
            f"{words.number(loo.khat_threshold, 0.1)}."
        )
        if loo.worst:
            yield f"Rows with the largest k: {', '.join(loo.worst)}."
        yield from filter(None, (words.sentence(loo.advice),))


def _above(found: Loo) -> str:
    return f"{words.count(found.bad)} of {words.count(found.rows)}"


def _notes(found: LooPit | None) -> Iterator[str]:
    if found is not None and found.bad:
        yield f"{words.count(found.bad)} of these rows have a LOO-PIT value that is unsure."
    if found is not None and found.left_out:
        yield f"{words.count(found.left_out)} without a LOO-PIT value are left out."


def _shown(rows: tuple[PredictiveRow, ...], found: FitChecks | None) -> Iterator[View[Any]]:
    """Tables of the page; what is written is not theirs."""
    flagged = [row for row in rows if row.flagged]
    if flagged:
        yield _predictive(flagged)
    tests = _tests(found) if found is not None else []
    if tests:
        yield _tested(tests)


def _predictive(flagged: list[PredictiveRow]) -> View[PredictiveRow]:
    """Statistics that the model does not reproduce, those furthest out first."""
    furthest = sorted(flagged, key=lambda row: min(row.tail, 1 - row.tail))
    return View(
        "predictive",
        PredictiveRow,
        "Statistics that the model does not reproduce" + _first(len(flagged)),
        (
            Column("Group", lambda row: words.group(row.by, row.group)),
            Column("Statistic", "statistic"),
            number("Observed", lambda row: words.number(row.observed, _spread(row))),
            number("Replicated, 90%", _replicated),
            number("Tail", "tail", words.probability, look=lambda _: "bad"),
        ),
        tuple(furthest[:MOST_ROWS]),
        records=(),
    )


def _first(many: int) -> str:
    return f", {MOST_ROWS} of {words.count(many)}" if many > MOST_ROWS else ""


def _spread(row: PredictiveRow) -> float:
    return (row.high - row.low) / 3


def _replicated(row: PredictiveRow) -> str:
    low, high = (words.number(end, _spread(row)) for end in (row.low, row.high))
    return f"[{low}, {high}]"


Tested = PitRow | CalibrationRow


def _tests(found: FitChecks) -> list[Tested]:
    """Tests of all firms and industries, those flagged first where they are many."""
    rows: list[Tested] = [
        *(found.pit.groups if found.pit else ()),
        *(found.calibration.rows if found.calibration else ()),
    ]
    made = [row for row in rows if row.by != "cluster" and row.p is not None]
    if len(made) > MOST_ROWS:
        made = sorted(made, key=lambda row: (not row.flagged, row.by != "all"))[:MOST_ROWS]
    return made


def _tested(rows: list[Tested]) -> View[Tested]:
    kind = type(rows[0])
    return View(
        "fit_loo_pit" if kind is PitRow else "fit_calibration",
        kind,
        "Tests of fit",
        (
            Column("Group", lambda row: words.group(row.by, row.group)),
            Column("Test", _test),
            number("p", lambda row: row.p, _p),
            number("Adjusted", lambda row: row.adjusted, _p),
            Column("Result", lambda row: row, _result),
        ),
        tuple(rows),
        records=(),
    )


def _test(row: Tested) -> str:
    return f"calibration, {row.event}" if isinstance(row, CalibrationRow) else "LOO-PIT"


def _p(value: float | None) -> str:
    return words.NONE if value is None else words.probability(value, 3)


def _result(row: Tested) -> Cell:
    if row.flagged:
        return Cell("✕ flagged", words.sentence(row.shape), "bad")
    return Cell("✓ no misfit seen", look="good")


def fit_views(results: Results) -> Iterator[View[Any]]:
    """Predictive checks, cross-validation, LOO-PIT, calibration and left-out groups, as written."""
    for name, rows, _, loo in _equations(results):
        yield View("predictive", PredictiveRow, rows=rows, before={"equation": name})
        if results.others and loo is not None:
            yield View(
                "equation_loo",
                Loo,
                columns=(Column("Equation", partial(_always, name), key="equation"),),
                rows=(loo,),
            )
    for equation, found in words.equations(results):
        yield from _fit_views(equation, found)
    yield from folds.views(results)
    for one in _equations(results):
        yield from _shown(one.predictive, one.checks)


def _always(name: str, _: object) -> str:
    return name


def _fit_views(equation: str, found: FitChecks) -> Iterator[View[Any]]:
    before = {"equation": equation}
    if found.pit is not None:
        curve = found.pit.curve
        points = zip(curve.at, curve.difference, curve.low, curve.high, strict=True)
        yield View("fit_loo_pit", PitRow, rows=found.pit.groups, before=before)
        yield View(
            "fit_loo_pit_curve",
            PitPoint,
            rows=tuple(
                PitPoint(at=at, difference=difference, low=low, high=high)
                for at, difference, low, high in points
            ),
            before=before,
        )
    if found.calibration is None:
        return
    yield View("fit_calibration", CalibrationRow, rows=found.calibration.rows, before=before)
    for event in found.calibration.curves:
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


FIT_CHECKS = Section("fit", "Does the model fit the data?", "Fit", fit_body, views=fit_views)


class ThresholdRow(Value):
    """A threshold of the checks."""

    name: str
    value: str
    source: str
    """What it is for, and where it comes from."""


@lru_cache(maxsize=1)
def thresholds() -> tuple[ThresholdRow, ...]:
    """List every threshold in the order of its module; its words are those below it there.

    So the table is whole whatever is added: a threshold and its source are written in one place.
    Adjacent thresholds share the words below the last of them.
    """
    waiting: list[str] = []
    found: list[ThresholdRow] = []
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            waiting.append(node.target.id)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and waiting:
            words = inspect.cleandoc(str(node.value.value))
            source = " ".join(words.replace("``", "").split())
            found += [
                ThresholdRow(name=name, value=_threshold_text(getattr(module, name)), source=source)
                for name in waiting
            ]
            waiting = []
        elif isinstance(node, ast.FunctionDef):
            words = " ".join((ast.get_docstring(node) or "").split())
            found.append(ThresholdRow(name=node.name.upper(), value="by the draws", source=words))
    return tuple(found)


def _threshold_text(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_threshold_text(part)}" for key, part in value.items())
    if isinstance(value, tuple):
        return " to ".join(_threshold_text(part) for part in value)
    return f"{value:g}" if isinstance(value, int | float) else str(value)
