"""A comparison of runs in words: for the terminal, the page and the table."""

from __future__ import annotations

from bayescluster.report import words
from bayescluster.results.base import Estimate
from bayescluster.results.compared import (
    Compared,
    ComparedCorner,
    ComparedDifference,
    ComparedRun,
    Pair,
    ToldVerdict,
)

STANDINGS = {
    "independent": "subtracted as independent",
    "shared": "no interval",
    "apart": "no difference",
}
SYNTHETIC = "Synthetic data: made by simulation."


def effect_words(run: ComparedRun, found: Estimate | None) -> str:
    """An effect in the unit of its run."""
    return words.NONE if found is None else words.effect(found, run.outcome)


def level_words(run: ComparedRun, found: Estimate | None, row: ComparedCorner) -> str:
    """An expected outcome in the unit of its run, or the probability of reaching a level."""
    if found is None:
        return words.NONE
    outcome = run.outcome if row.at_least is None else words.reaching(run.outcome, row.at_least)
    return words.level(found, outcome)


def verdict_words(told: ToldVerdict | None) -> str:
    """A verdict with its probability."""
    if told is None:
        return words.NONE
    return f"{words.VERDICTS[told.verdict]} {words.verdict_probability(told.probability)}"


def difference_words(found: Compared, row: ComparedDifference) -> str:
    """A difference with its interval, or without one where it has none."""
    outcome = found.runs[row.first].outcome
    if row.estimate is not None:
        return words.effect(row.estimate, outcome)
    unit = words.unit(outcome)
    value = row.mean * unit.factor
    return f"{words.fixed(value, words.decimals(abs(value), 2), signed=True)}{unit.effect} (no interval)"


def pair_words(found: Compared, pair: Pair | ComparedDifference) -> str:
    """Name a pair of runs."""
    return f"{found.runs[pair.first].label} less {found.runs[pair.second].label}"


def synthetic_words(found: Compared) -> str:
    """Say whose firms are synthetic; nothing where none are."""
    made = [run.label for run in found.runs if run.synthetic]
    if not made:
        return ""
    if len(made) == len(found.runs):
        return "Nothing here is evidence about real firms."
    return f"Those of {', '.join(made)}: nothing they say is evidence about real firms."
