"""The sets of a run: what their values are, and by which anchors they are calibrated.

Anchors that are not declared come from the sample. They then say where a firm stands among the
others, not what theory would call high, and a necessity found so is one of relative standing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayescluster.arrays import Array
from bayescluster.dataset.values import label_of
from bayescluster.design.record import Design
from bayescluster.families import YES_OR_NO
from bayescluster.hypotheses.sets.calibration import calibrate, drawn_anchors, is_crisp
from bayescluster.names import CAPITALS, OUTCOME, SET_CONDITION, SET_CONDITIONS
from bayescluster.spec.sets import SetAnchors

CRISP = "crisp: 0 or 1"
GIVEN = "memberships as given"
DECLARED = "declared anchors"


class DeclaredSet(NamedTuple):
    """A set: its values in their own units, and its anchors.

    ``values`` is ``(row,)``, NaN where missing. Without ``anchors`` the values are memberships.
    """

    name: str
    values: Array
    anchors: Array | None
    sd: Array
    how: str
    """How it was calibrated, in words."""
    from_sample: bool = False
    """Whether the anchors come from the sample."""

    def drawn(self, count: int, rng: np.random.Generator) -> Array | None:
        """Draws of the anchors, ``(replicate, 3)`` or ``(1, 3)`` where certain."""
        return None if self.anchors is None else drawn_anchors(self.anchors, self.sd, count, rng)

    def memberships(self, anchors: Array | None, values: Array | None = None) -> Array:
        """Memberships of the values, or of others of the same set, ``(replicate, row)``."""
        values = self.values[None, :] if values is None else values
        return values if anchors is None else calibrate(values, anchors)


def declared_sets(design: Design) -> tuple[DeclaredSet, ...]:
    """Human capital, social capital, outcome, then the further conditions of the truth table.

    A set whose values do not vary cannot be calibrated from the sample: it is then left out.
    """
    return tuple(_sets(design))


def set_values(design: Design, outcome: Array) -> Array:
    """Outcomes as they enter a set, ``(..., row)``: rates, shares, or whether a level is reached."""
    if design.rows.trials is not None:
        return outcome / design.rows.trials
    wanted = design.equation.at_least
    if wanted is not None:
        reached = (outcome >= design.levels.index(label_of(wanted))).astype(float)
        return np.where(np.isnan(outcome), np.nan, reached)
    return outcome / np.exp(design.offset) if design.offset.any() else outcome


def default_anchors(values: Array, quantiles: Sequence[float]) -> tuple[Array, str] | None:
    """Anchors at quantiles of the sample; nothing where the values do not vary.

    Where quantiles fall together, the least value and the upper quantile (or the largest value)
    stand for exclusion and inclusion. A crossover that a firm stands on exactly is moved halfway to
    the next value above, so that no firm is neither in nor out.
    """
    known = np.unique(values[~np.isnan(values)])
    if known.size < 2:
        return None
    low, middle, high = np.quantile(values[~np.isnan(values)], quantiles)
    words = f"quantiles {', '.join(f'{q:g}' for q in quantiles)} of the sample"
    if not low < middle < high:
        low, high = known[0], high if high > known[0] else known[-1]
        middle = (low + high) / 2
        words = "least, middle and high value of the sample, as its quantiles fall together"
    if middle in known:
        middle = (middle + min(high, known[known > middle][0])) / 2
    return np.array([low, middle, high]), words


def _sets(design: Design) -> Iterator[DeclaredSet]:
    asked = design.analysis.traditions.sets
    for name, standard in zip(CAPITALS, design.capitals, strict=True):
        unit = design.scaling(name)
        values = unit.center + unit.scale * standard
        if design.is_binary(name):
            yield _crisp(name, values)
        else:
            yield from _fuzzy(name, values, getattr(asked, name), asked.quantiles)
    outcome = set_values(design, design.outcome)
    if design.family.name in YES_OR_NO or design.equation.at_least is not None:
        yield _crisp(OUTCOME, outcome)
    else:
        yield from _fuzzy(OUTCOME, outcome, asked.outcome, asked.quantiles)
    if SET_CONDITIONS in design.data:
        columns = design.data[SET_CONDITIONS].to_numpy().T
        anchors = {condition.column: condition.anchors for condition in asked.conditions}
        for name, values in zip(design.labels(SET_CONDITION), columns, strict=True):
            yield from _condition(name, values, anchors.get(name))


def _condition(name: str, values: Array, anchors: SetAnchors | None) -> Iterator[DeclaredSet]:
    if anchors is not None:
        yield from _fuzzy(name, values, anchors, ())
    elif is_crisp(values):
        yield _crisp(name, values)
    else:
        yield DeclaredSet(name, values, None, np.zeros(3), GIVEN)


def _crisp(name: str, values: Array) -> DeclaredSet:
    # a yes-or-no capital keeps the rounding of its scale
    return DeclaredSet(name, _rounded(values), None, np.zeros(3), CRISP)


def _rounded(values: Array) -> NDArray[np.float64]:
    return np.where(np.isnan(values), np.nan, np.round(values))


def _fuzzy(
    name: str, values: Array, anchors: SetAnchors | None, quantiles: Sequence[float]
) -> Iterator[DeclaredSet]:
    if anchors is not None:
        given = np.array([anchors.exclusion, anchors.crossover, anchors.inclusion])
        yield DeclaredSet(name, values, given, np.array(anchors.sd), DECLARED)
        return
    found = default_anchors(values, quantiles)
    if found is not None:
        yield DeclaredSet(name, values, found[0], np.zeros(3), found[1], from_sample=True)
