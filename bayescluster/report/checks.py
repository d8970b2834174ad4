"""Whether the numbers can be relied on: convergence, predictive checks, cross-validation."""

from __future__ import annotations

from typing import NamedTuple

from markupsafe import Markup

from bayescluster.checks.remedies import NO_REASON
from bayescluster.checks.threshold_table import thresholds
from bayescluster.kit import words
from bayescluster.kit import words as fit_words
from bayescluster.kit.figure import Drawn
from bayescluster.kit.page import filled
from bayescluster.kit.sections import Section, columns, figures, group_cell, rows
from bayescluster.kit.table import Cell, Table
from bayescluster.kit.words import chance, equations
from bayescluster.report.fit_figures import CALIBRATION, LOO_PIT, PREDICTIVE
from bayescluster.results.fit import Calibration, CalibrationRow, FitChecks, LooPit, PitRow
from bayescluster.results.model import CheckItem, Gate, PredictiveRow, Results


def checks_body(results: Results) -> Markup:
    """Gate, posterior predictive checks and leave-one-out cross-validation."""
    beside = [row for other in results.others for row in other.predictive]
    checked = [*results.predictive, *beside]
    return filled(
        "checks.html.j2",
        results=results,
        gate=_gate(results),
        reasons=_reasons(results.gate),
        attempts=_attempts(results),
        thresholds=_thresholds(),
        figures=figures(results, PREDICTIVE),
        predictive=_predictive(results.predictive, _focus(results)),
        checked=len(checked),
        flagged=sum(row.flagged for row in checked),
        chance=chance(sum(found.predictive.by_chance for _, found in equations(results))),
        loo=_loo(results),
        beside=tuple(
            _predictive(other.predictive, f" of {other.model.equation}")
            for other in results.others
            if other.predictive
        ),
        each_loo=_each_loo(results),
    )


def _gate(results: Results) -> Table:
    return Table(
        "Diagnostics gate",
        columns("Check", "Question", "Found", "Asked for", "Result"),
        rows(_item(item, results.gate) for item in results.gate.items),
    )


def _item(item: CheckItem, gate: Gate) -> tuple[str | Cell, ...]:
    worst = f"Worst: {', '.join(item.worst)}." if item.worst else ""
    advice = words.sentence(item.advice)
    likely = "" if item.passed is True else f"Likely: {likely_words(item, gate)}."
    note = " ".join(part for part in (worst, advice, likely) if part)
    result = {
        True: Cell("✓ passed", look="good"),
        False: Cell("✕ failed", look="bad"),
        None: Cell("✕ not made", look="bad"),
    }[item.passed]
    return item.name, item.question, Cell(item.found, note), item.threshold or words.NONE, result


def likely_words(item: CheckItem, gate: Gate) -> str:
    """Likely reasons of a failed check in a line; that none was recognised where there is none."""
    found = gate.reasons_of(item)
    return "; ".join(f"{one.title} ({one.where})" for one in found) or NO_REASON


def _reasons(gate: Gate) -> Table:
    """Every reason with what was found and what to try; those beside a passed gate too."""
    return Table(
        "Likely reasons, and what to try next",
        columns("Reason", "Where", "Found", "What to try next", "May explain"),
        rows(
            (
                words.sentence(one.title)[:-1],
                Cell(one.where, ", ".join(one.parameters)),
                one.found,
                Cell(words.sentence(one.advice), one.source),
                ", ".join(one.checks) or "none of the checks: the draws are not to blame",
            )
            for one in gate.reasons
        ),
        "A reason is a likely one: more than one can hold, and advice is what to try, not what will "
        "mend it.",
    )


def _attempts(results: Results) -> Table:
    """Attempts after a failed gate, in their order."""
    return Table(
        "Attempts",
        columns("Attempt", "Changed", "Why", "What the gate said", "Kept in"),
        rows(
            (
                str(one.number),
                "; ".join(map(str, one.changes)) or "nothing: the analysis as asked",
                "; ".join(dict.fromkeys(w for c in one.changes for w in c.why.split("; ")))
                or words.NONE,
                Cell("✓ passed", look="good")
                if one.gate_passed
                else Cell("✕ failed", ", ".join(one.failing), look="bad"),
                Cell(one.key, "this report" if one.key == results.reproduction.key else ""),
            )
            for one in results.attempts
        ),
        "Only how the posterior is drawn was changed, never the model: every attempt draws from the "
        "same posterior. The gate was the same for all.",
    )


def _thresholds() -> Table:
    found = thresholds()
    return Table(
        "Thresholds of the checks",
        columns("Threshold", "#Value", "What it is, and its source"),
        rows((one.name, one.value, one.source) for one in found),
        folded=f"All {words.count(len(found))} thresholds of the checks, with their sources",
    )


def _focus(results: Results) -> str:
    return f" of {results.model.equation}" if results.others else ""


def _predictive(found: tuple[PredictiveRow, ...], of: str) -> Table:
    return Table(
        f"Posterior predictive checks{of}",
        columns("Group", "#Rows", "Statistic", "#Observed", "#Replicated, 90%", "#Tail", "Result"),
        rows(_replicated(row) for row in found),
        "Tail is the probability that a replicated statistic is at least the observed one; near 0 "
        "or 1 the model does not make such data.",
        folded=f"All {words.count(len(found))} posterior predictive checks{of}",
    )


def _replicated(row: PredictiveRow) -> tuple[str | Cell, ...]:
    spread = (row.high - row.low) / 3
    low, high = words.number(row.low, spread), words.number(row.high, spread)
    return (
        Cell(words.group(row.by, row.group), look="" if row.by == "cluster" else "head"),
        words.count(row.rows),
        row.statistic,
        words.number(row.observed, spread),
        f"[{low}, {high}]",
        words.probability(row.tail),
        Cell("✕ flagged", look="bad") if row.flagged else Cell("✓ as expected", look="good"),
    )


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
        ("Rows above the threshold", f"{words.count(found.bad)} of {words.count(found.rows)}"),
    )


def _each_loo(results: Results) -> Table:
    """Cross-validation of every equation, where there are several."""
    named = [(results.model.equation, results.loo)] if results.others else []
    named += [(other.model.equation, other.loo) for other in results.others]
    return Table(
        "Leave-one-out cross-validation of every equation",
        columns(
            "Equation", "#elpd", "#Standard error", "#p_loo", "#Largest Pareto k", "#Rows above"
        ),
        rows(
            (
                name,
                words.number(found.elpd, found.se),
                words.number(found.se),
                words.number(found.p_loo),
                words.number(found.khat_max, 0.1),
                f"{words.count(found.bad)} of {words.count(found.rows)}",
            )
            for name, found in named
            if found is not None
        ),
        "Each equation predicts its own outcome, the outcomes that enter it taken as observed. "
        "Where residuals correlate, what other outcomes of the firm tell is not used.",
    )


CHECKS = Section("checks", "Can the numbers be relied on?", "Checks", checks_body)


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
    fit_checks_body,
    wanted=lambda results: any(True for _ in fit_words.equations(results)),
)
