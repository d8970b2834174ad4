"""A study of the prior in words: for the terminal, the page and the table."""

from __future__ import annotations

from bayescluster.report import words
from bayescluster.results.prior import (
    PriorEstimand,
    PriorPart,
    PriorRange,
    PriorSpread,
    PriorStudy,
    PriorWarning,
)

PLAIN = words.Unit(1.0, "", "", "")


def unit_of(part: PriorPart, at_least: str | None = None) -> words.Unit:
    """Unit of the outcome of a part, or of a probability of reaching a level."""
    outcome = part.outcome if at_least is None else words.reaching(part.outcome, at_least)
    return words.unit(outcome)


def part_words(found: PriorStudy, part: PriorPart | PriorWarning) -> str:
    """Name the form and equation of a part, as far as there are several."""
    forms = {each.form for each in found.parts if each.equation == part.equation}
    equations = {each.equation for each in found.parts}
    named = [part.equation] if len(equations) > 1 else []
    named += [part.form] if len(forms) > 1 else []
    return ", ".join(named)


def spread_words(found: PriorSpread, unit: words.Unit = PLAIN, *, change: bool = False) -> str:
    """``median [low, high]`` with the unit of a level or of a change."""
    if found.median is None or found.low is None or found.high is None:
        return f"{words.NONE} (not finite)"
    spread = (found.high - found.low) / 4 * unit.factor
    suffix = unit.effect if change else unit.level
    median, low, high = (
        words.fixed(value * unit.factor, words.decimals(spread), signed=change)
        for value in (found.median, found.low, found.high)
    )
    return f"{median}{suffix} [{low}, {high}]"


def factor_words(factor: float | None) -> str:
    """Factor on the odds of a claim."""
    if factor is None:
        return "not told"
    return "none needed" if factor <= 1 else f"x {words.number(factor)}"


def factors_note(found: PriorStudy) -> str:
    """What the factors of a table of claims are."""
    return (
        "To support and to reject: the factor by which the data must multiply or divide the prior odds of "
        f"the claim for a verdict; the prior leans where its odds are beyond {found.odds:g} to 1. Not told "
        "where too few prior draws lie in the region, or outside it. Turns most on: the prior whose "
        "parameter goes most with the event over the draws."
    )


def share_words(share: float) -> str:
    """Share of the prior, never rounded to certainty."""
    if 0 < share < 0.001:
        return "<0.1%"
    return f"{100 * share:.1f}%"


def range_words(row: PriorRange) -> str:
    """How much of the prior is hard to believe."""
    if row.share is None:
        return words.NONE
    if "orders of magnitude" in row.implausible:
        return f"spans {words.number(row.share)} orders of magnitude"
    return share_words(row.share)


def estimand_words(row: PriorEstimand) -> str:
    """What an estimand is."""
    if row.kind == "corner":
        return words.sentence(words.CORNERS[row.of]).removesuffix(".")
    if row.kind == "cross_difference":
        return "Cross difference (complementarity)"
    return f"{words.MEASURES[row.kind]}, {words.label(row.of).lower()}"


def settings_words(found: PriorStudy) -> str:
    """How the prior was looked at."""
    return (
        f"{words.count(found.draws)} draws from the prior (seed {found.seed}); nothing was fitted. "
        "Medians with central 90% intervals."
    )
