"""Whether outcomes are as the other rows predict: LOO-PIT and calibration of probabilities."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayescluster.arrays import Array
from bayescluster.checks.loo import LeftOut, RowScores
from bayescluster.checks.thresholds import MISFIT_EVENTS, MISFIT_P, MISFIT_ROWS
from bayescluster.checks.uniformity import TELLING, combined, ecdf_difference, holm, uniformity
from bayescluster.checks.uniformity import shape as uniformity_shape
from bayescluster.design.record import Design
from bayescluster.estimands.scopes import declared_groups
from bayescluster.families import YES_OR_NO
from bayescluster.model.evaluate import Draws, linear_predictor
from bayescluster.names import ALL
from bayescluster.results.base import INTERVAL
from bayescluster.results.fit import Calibration, CalibrationCurve, CalibrationRow, LooPit, PitRow
from bayescluster.spec.hypotheses import By

POINTS = 100
"""Points of a curve that are kept, evenly spaced over the ranked predictions."""

MORE, LESS = "it happens more often than predicted", "it happens less often than predicted"
EXTREME = "the predictions are too extreme (what is likely happens less, what is unlikely more)"
TIMID = "the predictions are too timid (what is likely happens more, what is unlikely less)"
CROOKED = "neither a shift nor the spread of the predictions: the curve is of another shape"

WEIGHTED = (
    "the rows were sampled by design, and survey weights make the fit a pseudo-posterior: it is of "
    "the population, and does not describe how the outcomes of a weighted sample are distributed"
)
"""Why rows with survey weights are not held against their predictive distribution."""

RANDOMISATIONS = 20
"""Of discrete outcomes: a single one would let chance decide close to the threshold."""
YES_NO = (
    "a yes or no has no distribution beyond its probability, and its randomised values are uniform "
    "nearly whatever the model says; the calibration curve asks whether the probabilities are right"
)
FEW = f"fewer than {MISFIT_ROWS} rows"

NO_EVENT = "only of a yes or no and of ordinal levels; LOO-PIT is for outcomes such as this"
FEW_EVENTS = f"fewer than {MISFIT_EVENTS} rows with it, or without it"
CELLS_A_BLOCK: Final = 2**18
"""Draws times rows whose curves are made together."""
DRAWS = 1000
"""At most so many draws, evenly spaced; the smallest p-value is one in a thousand."""
YES = "yes"
AT_LEAST = "at least {0}"


def loo_pit(
    values: Array, scores: RowScores, groups: Sequence[Member], rng: np.random.Generator
) -> LooPit:
    """Test the values of all firms and of each industry.

    ``values`` are ``(randomisation, answered row)``, see `pit_values`; ``scores`` show how well the draws
    can leave out each row; ``groups`` are those of `members`; ``rng`` is for the band of the curve.
    """
    good = np.isfinite(values).all(axis=0)
    rows = [_pit_row(one, values[:, one.rows & good]) for one in groups]
    return LooPit(
        rows=values.shape[1],
        bad=int(scores.bad.sum()),
        khat_threshold=scores.khat_threshold,
        left_out=int((~good).sum()),
        randomised=0 if len(values) == 1 else len(values),
        curve=ecdf_difference(values[:, good], 1 - MISFIT_P, rng),
        groups=tuple(row for by in kinds_of(groups) for row in _pit_judged(rows, by)),
    )


def why_no_pit(design: Design) -> str:
    """Why LOO-PIT is not made, or nothing."""
    if design.weights is not None:
        return WEIGHTED
    if design.family.name in YES_OR_NO:
        return YES_NO
    return FEW if design.answered.sum() < MISFIT_ROWS else ""


class Member(NamedTuple):
    """A group and its rows among those whose outcome is known, ``(answered row,)``."""

    by: By
    group: str
    rows: NDArray[np.bool_]


def members(design: Design) -> tuple[Member, ...]:
    """All firms and their groups, but for clusters."""
    return tuple(
        Member(groups.by, label, groups.members[design.answered, k])
        for groups in declared_groups(design)
        if groups.by != "cluster"
        for k, label in enumerate(groups.labels)
    )


def kinds_of(groups: Sequence[Member]) -> tuple[By, ...]:
    """Kinds of groups, in their order."""
    return tuple(dict.fromkeys(group.by for group in groups))


def _pit_row(member: Member, values: Array) -> PitRow:
    size = values.shape[1]
    if size < MISFIT_ROWS:
        return PitRow(by=member.by, group=member.group, rows=size, reason=FEW)
    p, components = uniformity(values)
    parts = dict(zip(("location", "spread", "skewness", "tails"), components, strict=True))
    return PitRow(by=member.by, group=member.group, rows=size, p=p, **parts)


def _pit_judged(rows: Sequence[PitRow], by: By) -> list[PitRow]:
    """Rows of one kind of group, flagged by p-values adjusted for their number."""
    mine = [row for row in rows if row.by == by]
    adjusted = iter(holm([row.p for row in mine if row.p is not None]))
    for k, row in enumerate(mine):
        if row.p is not None:
            p, parts = next(adjusted), (row.location, row.spread, row.skewness, row.tails)
            flagged = p < MISFIT_P
            words = uniformity_shape([x for x in parts if x is not None]) if flagged else ""
            mine[k] = row.model_copy(update={"adjusted": p, "flagged": flagged, "shape": words})
    return mine


def pit_values(found: Steps, rng: np.random.Generator) -> Array:
    """Values within their steps at random, ``(randomisation, row)``; one of a continuous outcome."""
    width = found.up_to - found.below
    if not width.any():
        return found.below[None, :]
    return found.below + rng.random((RANDOMISATIONS, width.size)) * width


class Steps(NamedTuple):
    """Leave-one-out probability of an outcome below each row's, and of one not above it, ``(row,)``.

    They are equal where the outcome is continuous.
    """

    below: Array
    up_to: Array


def bars_of(design: Design) -> tuple[Array, ...]:
    """Bars whose leave-one-out probabilities the checks need, ``(answered row,)`` each.

    The levels of an ordinal outcome above the lowest; of other families with a distribution beyond a
    probability the outcome itself, and the next one where outcomes have probabilities of their own.
    """
    outcome = design.answers
    if design.weights is not None or design.family.name in YES_OR_NO:
        return ()
    if design.levels:
        return tuple(np.full(outcome.size, float(level)) for level in range(1, len(design.levels)))
    if design.family.counted:
        return outcome, outcome + 1.0
    # a zero of its own has a probability: what is beyond it begins at the next number
    return (outcome, np.nextafter(outcome, np.inf)) if design.family.has_steps else (outcome,)


def steps(design: Design, reached: Array) -> Steps:
    """Position of each outcome in its leave-one-out predictive distribution.

    ``reached`` are the probabilities of the bars of `bars_of`, ``(bar, answered row)``.
    """
    if design.levels:
        # at least the lowest level: always; beyond the highest: never
        ends = np.ones((1, reached.shape[1])), np.zeros((1, reached.shape[1]))
        all_levels = np.concatenate([ends[0], reached, ends[1]])  # (level + 1, row)
        code, row = design.answers.astype("int64"), np.arange(reached.shape[1])
        return Steps(1.0 - all_levels[code, row], 1.0 - all_levels[code + 1, row])
    if design.family.has_steps:
        at_least, beyond = reached
        return Steps(1.0 - at_least, 1.0 - beyond)
    below = 1.0 - reached[0]
    return Steps(below, below)


def calibration(
    events: Sequence[Event], groups: Sequence[Member], rng: np.random.Generator
) -> Calibration:
    """Test the calibration of every event, for all firms and each industry."""
    rows, curves = [], []
    for event in events:
        for group in groups:
            part = event.at(group.rows)
            row, found = _row(group, part, rng)
            rows.append((row, part))
            if found is not None and group.by == "all":
                named = found.curve._asdict().items()
                parts = {name: tuple(values.tolist()) for name, values in named}
                curves.append(CalibrationCurve(event=event.name, **parts))
    judged = [*_judged(rows, ALL)]
    for by in kinds_of(groups):
        for event in events if by != ALL else ():
            judged += _judged([pair for pair in rows if pair[0].event == event.name], by)
    draws = max((len(event.chances) for event in events), default=0)
    return Calibration(draws=draws, rows=tuple(judged), curves=tuple(curves))


def why_no_calibration(design: Design) -> str:
    """Why calibration is not checked, or nothing."""
    if design.weights is not None:
        return WEIGHTED
    return "" if design.levels or design.family.name in YES_OR_NO else NO_EVENT


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
    found = []
    for code, level in enumerate(design.levels[1:], start=1):
        bar = np.full(outcome.size, float(code))
        chances = exceedance(bar, eta, few.parameters, rows)
        happened = (outcome >= code).astype("float64")
        found.append(Event(AT_LEAST.format(level), chances, left_out.reached[code - 1], happened))
    return tuple(found)


def chance_of_yes(design: Design, left_out: LeftOut) -> Array:
    """Leave-one-out probability of a yes, ``(answered row,)``; families of yes or no only."""
    assert design.family.name in YES_OR_NO
    density = np.exp(left_out.scores.elpd)
    return np.asarray(np.where(design.answers == 1, density, 1.0 - density))


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
        words = curve_shape(part.chances.mean(axis=0), part.happened) if flagged else ""
        yield row.model_copy(update={"adjusted": p, "flagged": flagged, "shape": words})


def curve_shape(predicted: Array, happened: Array) -> str:
    """Name how events depart from their predictions: by a shift, by their spread, or otherwise.

    Both are score tests given the predictions (Cox 1958, Biometrika 45, at intercept 0, slope 1).
    """
    rest, variance = happened - predicted, predicted * (1 - predicted)
    around = predicted - np.average(predicted, weights=np.maximum(variance, 1e-300))
    found = []
    for scale, above, below in ((np.ones_like(rest), MORE, LESS), (around, TIMID, EXTREME)):
        spread = np.sqrt((variance * scale**2).sum())
        z = float((rest * scale).sum() / spread) if spread > 0 else 0.0
        if abs(z) >= TELLING:
            found.append((abs(z), above if z > 0 else below))
    return " and ".join(words for _, words in sorted(found, reverse=True)) or CROOKED


class Calibrated(NamedTuple):
    """How well probabilities are calibrated: the split score, its p-value, and the curve.

    ``split`` is the mean over draws; ``expected`` the mean miscalibration of replicated events.
    """

    split: Split[float]
    expected: float
    p: float
    curve: Curve


def calibrated(chances: Array, happened: Array, rng: np.random.Generator) -> Calibrated:
    """Split the score, test miscalibration by replicated events, and put a band around the curve.

    ``chances`` are probabilities at each draw, ``(draw, row)``, ``happened`` 0 or 1, ``(row,)``.
    """
    mean, size = ordered(chances.mean(axis=0)[None]), chances.shape[1]
    values = mean.rising(mean.predicted)[0]
    some = np.unique(np.linspace(0, values.size - 1, POINTS).astype("int64"))
    curve = mean.rising(isotonic(mean, happened[None]))[0][some]
    splits, again, curves = [], [], []
    step = max(1, CELLS_A_BLOCK // size)
    for start in range(0, len(chances), step):
        part = chances[start : start + step]
        drawn = (rng.random(part.shape) < part).astype("float64")
        order = ordered(part)
        splits.append(np.column_stack(_split(order, np.broadcast_to(happened, part.shape))))
        again.append(_split(order, drawn).miscalibration)
        curves.append(mean.rising(isotonic(mean, drawn))[:, some])
    split = np.concatenate(splits)
    tail = (1 - INTERVAL) / 2
    low, high = np.quantile(np.concatenate(curves), [tail, 1 - tail], axis=0)
    replicated = np.concatenate(again)
    return Calibrated(
        Split(*(float(part) for part in split.mean(axis=0))),
        float(replicated.mean()),
        combined(_tails(split[:, 1], replicated)),
        Curve(values[some], curve, low, high),
    )


def _tails(values: Array, replicated: Array) -> list[float]:
    """Share of replicates that are at least each value, the value itself counted among them."""
    # a sum in another order may differ in its last digit
    below = np.searchsorted(np.sort(replicated), values - 1e-12)
    return [float(p) for p in (replicated.size - below + 1) / (replicated.size + 1)]


class Split[T: (float, Array)](NamedTuple):
    """Mean Brier score = miscalibration - discrimination + uncertainty."""

    score: T
    miscalibration: T
    discrimination: T
    uncertainty: T


def split_score(predicted: Array, happened: Array) -> Split[float]:
    """Split the mean Brier score of probabilities; see Dimitriadis et al., equation 3."""
    found = _split(ordered(predicted[None]), happened[None])
    return Split(*(float(part[0]) for part in found))


def _split(order: Ordered, happened: Array) -> Split[Array]:
    """Split the scores of many sets of predictions, ``(set,)`` each, from events ``(set, row)``."""
    events = np.take_along_axis(happened, order.rows, axis=1)
    score = ((order.predicted - events) ** 2).mean(axis=1)
    # within a block of the curve the events are 0 or 1 around its mean
    share = happened.mean(axis=1)
    uncertainty = share * (1 - share)
    curve = _isotonic(order, events)
    remaining = (curve * (1 - curve)).mean(axis=1)
    return Split(score, score - remaining, uncertainty - remaining, uncertainty)


class Curve(NamedTuple):
    """An isotonic curve at some predictions, with the band of a model that is right."""

    predicted: Array
    happened: Array
    low: Array
    high: Array


class Ordered(NamedTuple):
    """Sets of predictions from the lowest to the highest, ``(set, row)`` each.

    ``rows`` says which row stands where, ``opens`` whether a prediction is above the one before.
    """

    predicted: Array
    rows: NDArray[np.int64]
    opens: NDArray[np.bool_]

    def rising(self, values: Array) -> Array:
        """Values, ``(set, row)``, at the distinct predictions of a single set."""
        return values[:, self.opens[0]]


def ordered(predicted: Array) -> Ordered:
    """Order the predictions of each set, ``(set, row)``."""
    rows = np.argsort(predicted, axis=1)
    sorted_ = np.take_along_axis(predicted, rows, axis=1)
    opens = np.ones(sorted_.shape, dtype=bool)
    opens[:, 1:] = sorted_[:, 1:] > sorted_[:, :-1]
    return Ordered(sorted_, rows, opens)


def isotonic(order: Ordered, happened: Array) -> Array:
    """Share of events at each prediction, never falling, ``(set, row)`` from the lowest prediction.

    ``happened`` is 0 or 1, ``(set, row)``; of one set of predictions it may be many sets of events.
    """
    rows = np.broadcast_to(order.rows, happened.shape)
    return _isotonic(order, np.take_along_axis(happened, rows, axis=1))


def _isotonic(order: Ordered, events: Array) -> Array:
    """Pool adjacent violators, of all sets at once; ``events`` are in the order of the predictions.

    Neighbours that fall are in one block of the solution, whichever are pooled first: so all are in
    each round, and a handful of rounds does.
    """
    size = events.shape[1]
    first = np.flatnonzero(np.broadcast_to(order.opens, events.shape))
    total = np.add.reduceat(events.ravel(), first)
    while True:
        count = np.diff(first, append=events.size)
        # sums of 0 and 1 are whole numbers: compared as fractions, without rounding
        falls = total[:-1] * count[1:] >= total[1:] * count[:-1]
        falls &= first[1:] % size != 0
        if not falls.any():
            shares = np.repeat(total / count, count)
            return np.asarray(shares.reshape(events.shape))
        kept = np.flatnonzero(np.concatenate([[True], ~falls]))
        first, total = first[kept], np.add.reduceat(total, kept)
