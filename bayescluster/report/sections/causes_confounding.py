"""What confounding the probabilities of causation bear: risk ratios, E-values, measured controls."""

from __future__ import annotations

from bayescluster.hypotheses.causes.contrasts import SIDES
from bayescluster.report import words
from bayescluster.report.sections.record import Cell, Table, columns, rows
from bayescluster.results.causes import CausesResults, ContrastRow


def comparison(row: ContrastRow) -> str:
    """What is compared, as a title."""
    return words.sentence(SIDES[row.contrast].words)[:-1]


def ratios(found: CausesResults) -> Table:
    """Risk ratios of every comparison, and the weakest confounder that explains each away."""
    return Table(
        "Risk ratios and E-values",
        columns("Comparison", "Group", "#Risk ratio", "#E-value", "#E-value of the limit"),
        rows(
            (
                comparison(row),
                words.group(row.by, row.group),
                _ratio(row),
                _strength(row.e_value),
                _strength(row.e_value_limit),
            )
            for row in found.contrasts
        ),
        "Risk ratio: posterior median with its 90% interval. E-value: strength of the weakest "
        "confounder, alike in both its parts, that explains the risk ratio away; of the limit: that "
        "takes the interval to 1. None: no confounder does.",
        folded="Risk ratios and E-values of every comparison",
    )


def _ratio(row: ContrastRow) -> str:
    middle, low, high = (
        "infinite" if value is None else words.number(value)
        for value in (row.ratio, row.ratio_low, row.ratio_high)
    )
    return f"{middle} [{low}, {high}]"


def overturning(found: CausesResults) -> Table:
    """The weakest confounder that changes each verdict that was reached."""
    return Table(
        "What would overturn the verdict",
        columns(
            "Claim", "Group", "Verdict", "#Weakest confounder", "#To the threshold", "In words"
        ),
        rows(
            (
                one.claim,
                words.group(one.by, one.group),
                words.VERDICTS[one.verdict],
                _strength(one.overturning.verdict),
                Cell(
                    _strength(one.overturning.threshold),
                    "estimate inside" if one.overturning.inside else "estimate outside",
                ),
                one.overturning.words,
            )
            for one in found.verdicts
            if one.overturning is not None and one.verdict != "undecided"
        ),
        "Weakest confounder: the least strength, the same in both its parts, at which the verdict "
        "changes. To the threshold: the strength that takes the posterior median of the bound to the "
        "threshold of the region, out of it or into it.",
    )


def weakest(found: CausesResults) -> str:
    """The verdict that is overturned most easily, beside the strongest control that is measured."""
    decided = [
        (one.overturning.verdict, one)
        for one in found.verdicts
        if one.overturning is not None and one.overturning.verdict is not None
    ]
    if not decided:
        return ""
    strength, one = min(decided, key=lambda pair: pair[0])
    text = (
        f"The weakest confounder that overturns any of them has strength {words.fixed(strength, 2)} "
        f"({one.claim}, {words.group(one.by, one.group)})."
    )
    if not found.benchmarks:
        return text
    control = found.benchmarks[0]
    return (
        f"{text} Of the measured controls {control.control} goes most with the outcome "
        f"({control.change}): given all else it makes it {words.fixed(control.outcome, 2)} times as "
        f"likely, or its absence {words.fixed(control.absence, 2)} times."
    )


def benchmarks(found: CausesResults) -> Table:
    """Controls that were measured, as a yardstick for the confounder that was not."""
    return Table(
        "Measured controls beside it",
        columns("Control", "From, to", "#Risk ratio, outcome", "#Risk ratio, absence"),
        rows(
            (
                one.control,
                one.change,
                words.fixed(one.outcome, 2),
                words.fixed(one.absence, 2),
            )
            for one in found.benchmarks
        ),
        "Risk ratio of the control itself with the outcome and with its absence, given all else in "
        "the model, turned to be at least 1: only how likely it makes the outcome, not how unequal "
        "it is between high and low capital.",
    )


def _strength(value: float | None) -> str:
    return "none" if value is None else words.fixed(value, 2)
