"""An experiment and the sample together: both arms as draws, and the sharp bounds they give."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayescluster.arrays import Array
from bayescluster.dataset.values import label_of
from bayescluster.design.record import Design
from bayescluster.estimands.levels import Levels
from bayescluster.hypotheses.causes.arms import Experimental, Observed
from bayescluster.names import CAPITALS
from bayescluster.spec.causes import Arm, Experiment

ARM_DRAWS: Final = 4000
MIDDLE: Final = 0.5
"""Firms at least this share of the way from low to high count as exposed."""


class Arms(NamedTuple):
    """The two arms."""

    experiment: Experimental
    seen: Observed


def outcome_shares(design: Design) -> Array:
    """How much of the outcome each row has, 0 to 1, ``(row,)``; NaN where it is not known."""
    outcome, equation = design.outcome, design.equation
    if equation.at_least is not None:
        wanted = label_of(equation.at_least)
        limit = design.levels.index(wanted) if design.levels else float(equation.at_least)
        return np.asarray(np.where(np.isnan(outcome), np.nan, outcome >= limit), dtype="float64")
    trials = design.rows.trials
    return outcome if trials is None else np.asarray(outcome / trials, dtype="float64")


def observed_cells(design: Design, levels: Levels, capital: str) -> Array:
    """Effective counts of firms by exposure and outcome, ``(cell,)``.

    Rows of one firm count as one; weighted rows count as many as their weights are worth (Kish).
    """
    values = design.capitals[CAPITALS.index(capital)]
    low, high = (levels.human, levels.social)[CAPITALS.index(capital)]
    shares = outcome_shares(design)
    known = np.isfinite(values) & np.isfinite(shares)
    exposed = (values[known] - low) / (high - low) >= MIDDLE
    weights = (design.weights.average if design.weights else np.ones(design.size))[known]
    worth = weights.sum() ** 2 / (weights**2).sum() if known.any() else 0.0
    firms: NDArray[np.int64] = np.unique(design.firms[known])
    part = np.array(
        [
            (weights * side * with_it).sum()
            for side in (exposed, ~exposed)
            for with_it in (shares[known], 1 - shares[known])
        ]
    )
    return np.asarray(part / max(part.sum(), np.finfo(float).tiny) * min(worth, firms.size))


def posterior_arms(experiment: Experiment, cells: Array, rng: np.random.Generator) -> Arms:
    """Draws of both arms, each with a uniform prior, ``(draw,)`` each."""
    treated, control = (_beta(arm, rng) for arm in (experiment.treated, experiment.control))
    seen = rng.dirichlet(cells + 1, ARM_DRAWS).T
    return Arms(Experimental(treated, control), Observed(*seen))


def plain_arms(experiment: Experiment, cells: Array) -> Arms:
    """Both arms by their observed shares."""
    treated, control = (arm.events / arm.firms for arm in (experiment.treated, experiment.control))
    shares = cells / max(cells.sum(), np.finfo(float).tiny)
    return Arms(Experimental(treated, control), Observed(*map(float, shares)))


def _beta(arm: Arm, rng: np.random.Generator) -> Array:
    return rng.beta(arm.events + 1, arm.firms - arm.events + 1, ARM_DRAWS)
