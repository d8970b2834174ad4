"""Calibration of the probabilities of a yes, or of reaching each level."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayescluster.arrays import Array
from bayescluster.checks.calibration_curve import Calibrated, calibrated, shape
from bayescluster.checks.left_out_predictive import (
    WEIGHTED,
    chance_of_yes,
    levels_reached,
)
from bayescluster.checks.loo import LeftOut
from bayescluster.checks.loo_pit import FEW, Member
from bayescluster.checks.thresholds import MISFIT_EVENTS, MISFIT_P, MISFIT_ROWS
from bayescluster.checks.uniformity import holm
from bayescluster.design.record import Design
from bayescluster.families import YES_OR_NO
from bayescluster.model.evaluate import Draws, linear_predictor
from bayescluster.results.fit_checks import Calibration, CalibrationCurve, CalibrationRow
from bayescluster.spec.hypotheses import By

NO_EVENT = "only of a yes or no and of ordinal levels; LOO-PIT is for outcomes such as this"
FEW_EVENTS = f"fewer than {MISFIT_EVENTS} rows with it, or without it"
DRAWS = 1000
"""At most so many draws, evenly spaced; the smallest p-value is one in a thousand."""
YES = "yes"
AT_LEAST = "at least {0}"


class Event(NamedTuple):
    """An event: its probability at each draw, from the other rows, and whether it happened.

    ``chances`` is ``(draw, answered row)``, ``left_out`` and ``happened`` are ``(answered row,)``.
    """

    name: str
    chances: Array
    left_out: Array
    happened: Array

    def at(self, rows: NDArray[np.bool_]) -> Event:
        """The same of some rows."""
        return Event(self.name, self.chances[:, rows], self.left_out[rows], self.happened[rows])


def why_no_calibration(design: Design) -> str:
    """Why calibration is not looked at, or nothing."""
    if design.weights is not None:
        return WEIGHTED
    return "" if design.levels or design.family.name in YES_OR_NO else NO_EVENT


def events_of(design: Design, draws: Draws, left_out: LeftOut) -> tuple[Event, ...]:
    """Yes, or each level above the lowest, with the probabilities that the model gives it."""
    outcome, few = design.answers, draws.thinned(DRAWS)
    eta = linear_predictor(design, few)[:, design.answered]  # (draw, row)
    if not design.levels:
        chances = design.family.expectation(eta, few.parameters)
        return (Event(YES, chances, chance_of_yes(design, left_out), outcome),)
    exceedance = design.family.exceedance
    assert exceedance is not None
    rows = design.rows.at(np.flatnonzero(design.answered))
    others = levels_reached(design, draws, left_out.weights)
    found = []
    for code, level in enumerate(design.levels[1:], start=1):
        bar = np.full(outcome.size, float(code))
        chances = exceedance(bar, eta, few.parameters, rows)
        happened = (outcome >= code).astype("float64")
        found.append(Event(AT_LEAST.format(level), chances, others[code - 1], happened))
    return tuple(found)


def calibration(
    events: Sequence[Event], groups: Sequence[Member], rng: np.random.Generator
) -> Calibration:
    """Test the calibration of every event, for all firms and each industry.

    Parameters
    ----------
    events, groups
        See `events_of` and `members`.
    rng
        For events drawn anew.
    """
    rows, curves = [], []
    for event in events:
        for group in groups:
            part = event.at(group.rows)
            row, found = _row(group, part, rng)
            rows.append((row, part))
            if found is not None and group.by == "all":
                curves.append(_curve(event.name, found))
    judged = [*_judged(rows, "all")]
    for event in events:
        judged += _judged([pair for pair in rows if pair[0].event == event.name], "industry")
    draws = max((len(event.chances) for event in events), default=0)
    return Calibration(draws=draws, rows=tuple(judged), curves=tuple(curves))


def _row(
    group: Member, event: Event, rng: np.random.Generator
) -> tuple[CalibrationRow, Calibrated | None]:
    size, happened = event.happened.size, int(event.happened.sum())
    row = CalibrationRow(
        event=event.name, by=group.by, group=group.group, rows=size, happened=happened
    )
    few = FEW if size < MISFIT_ROWS else ""
    few = few or (FEW_EVENTS if min(happened, size - happened) < MISFIT_EVENTS else "")
    if few:
        return row.model_copy(update={"reason": few}), None
    found = calibrated(event.chances, event.happened, rng)
    known = found.split._asdict() | {
        "predicted": float(event.chances.mean()),
        "expected": found.expected,
        "left_out_score": float(np.mean((event.left_out - event.happened) ** 2)),
        "p": found.p,
    }
    return row.model_copy(update=known), found


def _curve(name: str, found: Calibrated) -> CalibrationCurve:
    parts = {part: tuple(values.tolist()) for part, values in found.curve._asdict().items()}
    return CalibrationCurve(event=name, **parts)


def _judged(rows: Sequence[tuple[CalibrationRow, Event]], by: By) -> Iterator[CalibrationRow]:
    """Rows of one kind of group, flagged by p-values adjusted for their number."""
    mine = [(row, part) for row, part in rows if row.by == by]
    adjusted = iter(holm([row.p for row, _ in mine if row.p is not None]))
    for row, part in mine:
        if row.p is None:
            yield row
            continue
        p = next(adjusted)
        flagged = p < MISFIT_P
        words = shape(part.chances.mean(axis=0), part.happened) if flagged else ""
        yield row.model_copy(update={"adjusted": p, "flagged": flagged, "shape": words})
