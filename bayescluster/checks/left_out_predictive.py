"""What the other rows say of the outcome of each row: probabilities of reaching a level.

Draws are weighted by Pareto-smoothed importance sampling, so that they stand for the posterior
without the row; the probabilities within a draw are those of the family, not of replicates.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bayescluster.arrays import Array
from bayescluster.checks.loo import LeftOut
from bayescluster.design.record import Design
from bayescluster.families import YES_OR_NO
from bayescluster.model.evaluate import Draws, linear_predictor

WEIGHTED = (
    "the rows were sampled by design, and survey weights make the fit a pseudo-posterior: it is of "
    "the population, and does not say how the outcomes of a weighted sample are distributed"
)
"""Why rows with survey weights are not held against their predictive distribution."""


class Steps(NamedTuple):
    """Leave-one-out probability of an outcome below each row's, and of one not above it, ``(row,)``.

    They are equal where the outcome is continuous.
    """

    below: Array
    up_to: Array


def reached(design: Design, draws: Draws, weights: Array, bars: Sequence[Array]) -> Array:
    """Leave-one-out probability that the outcome is at least a bar, ``(bar, answered row)``.

    Parameters
    ----------
    design, draws
        A family with an ``exceedance``, and all draws of its posterior.
    weights
        ``(draw, answered row)``, each column summing to 1; see `LeftOut`.
    bars
        Levels of the outcome, ``(answered row,)`` each.
    """
    exceedance = design.family.exceedance
    assert exceedance is not None
    known = np.flatnonzero(design.answered)
    rows = design.rows.at(known)
    total = np.zeros((len(bars), known.size))
    for which, part in draws.chunks(design.size):
        eta = linear_predictor(design, part)[:, known]
        for k, bar in enumerate(bars):
            values = exceedance(bar, eta, part.parameters, rows)  # (draw, row)
            total[k] += (weights[which] * values).sum(axis=0)
    return np.clip(total, 0.0, 1.0)


def levels_reached(design: Design, draws: Draws, weights: Array) -> Array:
    """Leave-one-out probability of reaching each level above the lowest, ``(level, answered row)``.

    Ordinal outcomes only.
    """
    size = int(design.answered.sum())
    bars = [np.full(size, float(level)) for level in range(1, len(design.levels))]
    return reached(design, draws, weights, bars)


def steps(design: Design, draws: Draws, weights: Array) -> Steps:
    """Where each outcome stands in its leave-one-out predictive distribution."""
    outcome = design.answers
    if design.levels:
        # at least the lowest level: always; beyond the highest: never
        above = levels_reached(design, draws, weights)
        ends = np.ones((1, outcome.size)), np.zeros((1, outcome.size))
        all_levels = np.concatenate([ends[0], above, ends[1]])  # (level + 1, row)
        code, row = outcome.astype("int64"), np.arange(outcome.size)
        return Steps(1.0 - all_levels[code, row], 1.0 - all_levels[code + 1, row])
    if design.family.counted:
        at_least, beyond = reached(design, draws, weights, [outcome, outcome + 1.0])
        return Steps(1.0 - at_least, 1.0 - beyond)
    below = 1.0 - reached(design, draws, weights, [outcome])[0]
    return Steps(below, below)


def chance_of_yes(design: Design, left_out: LeftOut) -> Array:
    """Leave-one-out probability of a yes, ``(answered row,)``; families of yes or no only."""
    assert design.family.name in YES_OR_NO
    density = np.exp(left_out.scores.elpd)
    return np.asarray(np.where(design.answers == 1, density, 1.0 - density))
