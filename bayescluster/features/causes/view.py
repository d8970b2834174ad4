"""Probabilities of causation: bounds by group, what confounding they bear, and what they assume."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np

from bayescluster.features.causes.results import (
    Benchmark,
    BothArms,
    CauseBounds,
    CausesResults,
    CauseVerdict,
    ContrastRow,
    DegreeRow,
)
from bayescluster.kit import words
from bayescluster.kit.page import group_column
from bayescluster.kit.table import Column, View, number
from bayescluster.results.model import Results

SHOWN: Final = {"human_given_high": "human_capital", "social_given_high": "social_capital"}
"""Contrasts on the page: each capital high with it low, the other high."""


def views(results: Results) -> Iterator[View[Any]]:
    """Bounds, verdicts, measured controls, degrees and the experiment, as they are written."""
    causes = results.causes
    assert causes is not None
    yield View("causes_verdicts", CauseVerdict, rows=causes.verdicts)
    yield View("causes_bounds", ContrastRow, rows=causes.contrasts)
    yield View("causes_controls", Benchmark, rows=causes.benchmarks)
    yield View("causes_degrees", DegreeRow, rows=causes.degrees)
    if causes.arms is not None:
        yield View("causes_experiment", BothArms, rows=(causes.arms,))
    yield bounds(causes)


def bounds(causes: CausesResults) -> View[ContrastRow]:
    """PN, PS and PNS of each capital where the other is high, with the E-value of the risk ratio."""
    rows = [row for row in causes.contrasts if row.contrast in SHOWN and row.by != "cluster"]
    return View(
        "causes_bounds",
        ContrastRow,
        "A capital high rather than low, the other high",
        (
            group_column("Group"),
            Column("Capital", lambda row: words.label(SHOWN[row.contrast])),
            _bounds("PN", lambda row: row.pn),
            _bounds("PS", lambda row: row.ps),
            _bounds("PNS", lambda row: row.pns),
            number("E-value", "e_value", _strength),
            number("of its limit", "e_value_limit", _strength),
        ),
        tuple(sorted(rows, key=lambda row: (row.by, row.group))),
        "Posterior means of lower and upper bound. PN: share of firms with both and the outcome that "
        "would lose it; PS: share of firms without that would gain it; PNS: share of all firms for "
        "which it comes only with the capital. E-value: strength of the weakest confounder that "
        "explains the risk ratio away, or takes its interval to 1.",
        records=(),
    )


def _bounds(label: str, of: Callable[[ContrastRow], CauseBounds]) -> Column[ContrastRow]:
    return number(
        label,
        of,
        lambda part: f"{words.fixed(part.lower.mean, 2)} to {words.fixed(part.upper.mean, 2)}",
    )


def _strength(value: float | None) -> str:
    return "none" if value is None else words.fixed(value, 2)


def weakest(causes: CausesResults) -> str:
    """The decided verdict that the weakest confounder overturns, and the strongest measured control."""
    decided = [one for one in causes.verdicts if one.verdict != "undecided"]
    one = min(decided, key=_strength_of, default=None)
    if one is None or not np.isfinite(_strength_of(one)):
        return ""
    text = (
        f"The weakest confounder that overturns a verdict has strength "
        f"{words.fixed(_strength_of(one), 2)} ({one.title}, {words.group(one.by, one.group)})"
    )
    if not causes.benchmarks:
        return f"{text}."
    control = causes.benchmarks[0]
    return (
        f"{text}; the strongest measured control is {control.control}, with a risk ratio of "
        f"{words.fixed(max(control.outcome, control.absence), 2)} ({control.change})."
    )


def _strength_of(one: CauseVerdict) -> float:
    """Strength of the weakest confounder that overturns a verdict; infinite where none does."""
    strength = one.overturning.verdict if one.overturning else None
    return np.inf if strength is None else strength
