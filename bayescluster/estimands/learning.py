"""What acts through forms of learning, and which form an outcome goes with, draw by draw.

An equation with predictors is an outcome; its predictors, and what these rest on, are the mediators
(forms of learning, as a rule). Effects are natural direct and indirect effects by g-computation (Pearl
2001; Imai, Keele and Yamamoto 2010), of setting one capital from its low to its high level for every
firm and leaving the other as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bayescluster.arrays import Array
from bayescluster.design.record import Design
from bayescluster.estimands.effects import STEP
from bayescluster.estimands.levels import Levels
from bayescluster.estimands.mediation import Way, way_through
from bayescluster.estimands.surface import Own, Setting, Split, outcome_surface, split_surface
from bayescluster.model.evaluate import Draws, expectation, predictor_at
from bayescluster.names import CAPITALS

DRAWS = 2000
"""Most draws behind these estimands: every mediator doubles the work, and R-hat within 1.01 for some
hundreds of them needs 500 draws a chain."""


class PathDraws(NamedTuple):
    """Effect of one capital on one outcome, low to high; all arrays ``(draw, group)``.

    ``total = direct + indirect`` in every draw. ``through`` goes by equation upstream: the capital
    raised in that equation alone, all others as under its low level. These need not add up to
    ``indirect``.
    """

    capital: str
    total: Array
    direct: Array
    indirect: Array
    through: dict[str, Array]


class FormDraws(NamedTuple):
    """What an outcome goes with in one form of learning; arrays ``(draw, group)``.

    ``marginal`` is the average change of the outcome with the form, from no to yes or per standard
    deviation over all rows, other predictors and capitals as observed. ``standardised`` is the same
    per standard deviation of the form among the rows of the group.
    """

    form: str
    binary: bool
    marginal: Array
    standardised: Array


class OutcomeDraws(NamedTuple):
    """Estimands of one equation: effects of the capitals by path, and of its predictors."""

    design: Design
    way: Way
    paths: tuple[PathDraws, ...]
    forms: tuple[FormDraws, ...]

    @property
    def standardised(self) -> Array:
        """Standardised effect of each form, ``(draw, group, form)``."""
        return np.stack([each.standardised for each in self.forms], axis=-1)

    @property
    def dominant(self) -> Array:
        """Position of the form with the largest standardised effect, ``(draw, group)``."""
        return np.asarray(self.standardised.argmax(axis=-1))

    @property
    def rank(self) -> Array:
        """Rank of each form from 0, the largest standardised effect first, ``(draw, group, form)``."""
        return np.asarray((-self.standardised).argsort(axis=-1).argsort(axis=-1))


def outcome_draws(design: Design, draws: Draws, levels: Levels, weights: Array) -> OutcomeDraws:
    """Compute all that is asked of one equation; one without predictors has total effects only.

    Parameters
    ----------
    design, draws
        The equation, carrying those it rests on.
    levels
        Low and high of the capitals.
    weights
        Averaging weights, ``(row, group)``.
    """
    names = [each.equation_name for each, _ in draws.upstream]
    paths = tuple(
        _paths(_Question(design, draws, weights), position, pair, names)
        for position, pair in enumerate((levels.human, levels.social))
    )
    way = way_through(design, draws)
    return OutcomeDraws(design, way, paths, form_draws(design, draws, weights))


class _Question(NamedTuple):
    design: Design
    draws: Draws
    weights: Array


def _paths(
    question: _Question, position: int, pair: tuple[float, float], names: Sequence[str]
) -> PathDraws:
    low, high = (_set(position, level) for level in pair)
    capital = CAPITALS[position]
    if not names:
        mean = outcome_surface(*question[:2], [low, high], question.weights)
        total = mean[:, 1] - mean[:, 0]
        return PathDraws(capital, total, total, np.zeros_like(total), {})
    splits: list[Split] = [(low, low), (high, low), (high, high)]
    splits += [(high, dict.fromkeys(names, low) | {name: high}) for name in names]
    mean = split_surface(*question[:2], splits, question.weights)  # (draw, split, group)
    neither, alone, both = mean[:, 0], mean[:, 1], mean[:, 2]
    return PathDraws(
        capital,
        both - neither,
        alone - neither,
        both - alone,
        {name: mean[:, 3 + k] - alone for k, name in enumerate(names)},
    )


def _set(position: int, level: float) -> Setting:
    return Setting(level, Own()) if position == 0 else Setting(Own(), level)


def form_draws(design: Design, draws: Draws, weights: Array) -> tuple[FormDraws, ...]:
    """Effects of every predictor of an equation on its expected outcome."""
    found = []
    for position, name in enumerate(design.equation.predictors):
        answers = design.predictors[:, position]
        binary = bool(np.isin(answers[~np.isnan(answers)], (0.0, 1.0)).all())
        marginal, spread = np.empty((2, draws.size, weights.shape[1]))
        for which, part in draws.chunks(design.size):
            marginal[which], spread[which] = _form(design, part, weights, position, binary)
        found.append(FormDraws(name, binary, marginal, marginal * spread))
    return tuple(found)


def _form(
    design: Design, draws: Draws, weights: Array, position: int, binary: bool
) -> tuple[Array, Array]:
    """Average effect of a predictor, and its spread among the rows of each group, ``(draw, group)``."""
    entering = _entering(design, draws)
    column = entering[:, :, position]  # (draw or 1, row)
    ends = (np.zeros(1), np.ones(1)) if binary else (column - STEP, column + STEP)
    low, high = (_with_form(design, draws, weights, _set_to(entering, position, e)) for e in ends)
    mean = column @ weights
    spread = np.sqrt(np.maximum(column**2 @ weights - mean**2, 0.0))
    return (high - low) / (1.0 if binary else 2 * STEP), spread


def _entering(design: Design, draws: Draws) -> Array:
    """Outcomes of other equations as they enter, imputed where missing, ``(draw or 1, row, predictor)``."""
    known = np.nan_to_num(design.predictors)
    columns = [
        known[None, :, position] + (draws.imputed[name].added() if name in draws.imputed else 0.0)
        for position, name in enumerate(design.equation.predictors)
    ]
    return np.stack(np.broadcast_arrays(*columns), axis=-1)


def _set_to(entering: Array, position: int, values: Array) -> Array:
    found = entering.copy()
    found[:, :, position] = values
    return found


def _with_form(design: Design, draws: Draws, weights: Array, entering: Array) -> Array:
    """Average expected outcome with predictors at some values, all else as observed, ``(draw, group)``."""
    rows = np.arange(design.size)
    capitals = draws.capitals or design.capitals
    eta = predictor_at(design, draws, capitals, rows, entering)
    return np.asarray(expectation(design, eta, draws, rows) @ weights)


class Confounded(NamedTuple):
    """Direct and indirect effect if a confounder of learning and outcome were left out."""

    direct: Array
    indirect: Array


def learners_gained(path: PathDraws, forms: Sequence[PathDraws]) -> Array:
    """Sum over the forms of the change in the share of learners, ``(draw, group)``.

    Parameters
    ----------
    path
        Effects on the outcome, for their shape.
    forms
        Effects of the same capital on each form that enters the outcome's equation.
    """
    return np.asarray(sum((form.total for form in forms), start=np.zeros_like(path.total)))


def confounded(path: PathDraws, gained: Array, bias: float) -> Confounded:
    """Effects corrected for an unmeasured confounder of learning and outcome.

    ``bias`` is what the confounder adds to the expected outcome of learners over non-learners alike in
    capitals and controls: its effect on the outcome times the difference in its prevalence. The
    indirect effect is too large by ``bias`` for each learner gained, the direct one too small by as
    much; their sum stays. Source: VanderWeele (2010), bias formulas for direct and indirect effects,
    in the case where neither part depends on the capitals.
    """
    return Confounded(path.direct + bias * gained, path.indirect - bias * gained)


def tipping_of_mean(indirect: Array, gained: Array) -> float | None:
    """Bias at which the mean of an indirect effect is 0; none where no bias above 0 brings it there."""
    mean, slope = float(indirect.mean()), float(gained.mean())
    if slope == 0 or mean / slope < 0:
        return None
    return mean / slope


def tipping_of_interval(indirect: Array, gained: Array, tail: float, limit: float) -> float | None:
    """Smallest bias from 0 to ``limit`` at which the interval of an indirect effect holds 0.

    Parameters
    ----------
    indirect, gained
        ``(draw,)``.
    tail
        Probability left out on each side of the interval.
    """
    sign = 1.0 if indirect.mean() >= 0 else -1.0

    def near_end(bias: float) -> float:
        """End of the interval next to 0, above 0 while 0 is outside."""
        return float(np.quantile(sign * (indirect - bias * gained), tail))

    if near_end(0.0) <= 0:
        return 0.0
    grid = np.linspace(0.0, limit, 65)
    past = next((k for k, bias in enumerate(grid) if near_end(float(bias)) <= 0), None)
    if past is None:
        return None
    low, high = float(grid[past - 1]), float(grid[past])
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if near_end(middle) <= 0 else (middle, high)
    return high
