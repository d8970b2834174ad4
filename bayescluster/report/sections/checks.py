"""Whether the numbers can be relied on: convergence, predictive checks, cross-validation."""

from __future__ import annotations

from markupsafe import Markup

from bayescluster.checks.advice import NO_REASON
from bayescluster.checks.threshold_table import thresholds
from bayescluster.report import words
from bayescluster.report.environment import filled
from bayescluster.report.figures.predictive_plot import PREDICTIVE
from bayescluster.report.fit_words import chance, equations
from bayescluster.report.sections.record import (
    Cell,
    Section,
    Table,
    columns,
    figures,
    rows,
)
from bayescluster.results.model import (
    CheckItem,
    Gate,
    PredictiveRow,
    Results,
)


def body(results: Results) -> Markup:
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


CHECKS = Section("checks", "Can the numbers be relied on?", "Checks", body)
