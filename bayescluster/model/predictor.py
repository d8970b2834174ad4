"""Linear predictor of the rows of a design at draws of its parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayescluster.arrays import Array
from bayescluster.design.monotonic import Monotonic, monotonic_controls
from bayescluster.design.record import Design
from bayescluster.names import HUMAN_CAPITAL, INTERCEPT, SOCIAL_CAPITAL

if TYPE_CHECKING:
    from bayescluster.model.evaluate import Draws

Level = float | Array
"""Where a capital is set, in standard deviations."""
Capitals = tuple[Level, Level]
Positions = NDArray[np.int64]


def row_coefficients(draws: Draws) -> dict[str, Array]:
    """Coefficients of every row by term, ``(draw, row)`` or ``(draw, 1)`` where none varies."""
    total = {term: values[:, None] for term, values in draws.population.items()}
    for group in draws.groups.values():
        for position, term in enumerate(group.terms):
            total[term] = total[term] + group.effect[:, group.member, position]
    return total


def predictor_at(
    design: Design,
    draws: Draws,
    capitals: Capitals,
    rows: Positions,
    predictors: Array | None = None,
) -> Array:
    """Linear predictor of some rows with the capitals set, ``(draw, row)``, without the offset.

    Parameters
    ----------
    design
        The design.
    draws
        Draws for these rows (see `Draws.for_rows`).
    capitals
        Levels of human and social capital: one number, one a row, or ``(draw, row)``.
    rows
        Positions of the rows.
    predictors
        Outcomes of other equations as they enter here, ``(..., row, predictor)``; those observed
        or imputed without it.
    """
    return RowPredictor(design, draws, rows, predictors)(capitals)


class RowPredictor:
    """Linear predictor of some rows at many settings of the capitals, without the offset.

    Everything that the capitals do not touch is computed once. Parameters as for `predictor_at`.
    """

    def __init__(
        self, design: Design, draws: Draws, rows: Positions, predictors: Array | None = None
    ) -> None:
        self._design = design
        self._shape = draws.size, rows.size
        self._coefficients = row_coefficients(draws)
        self._moving: list[tuple[str, Array]] = []
        """Controls that follow a capital, all at a level of 1, ``(draw, row)``."""
        shift: Array | float = 0.0
        # the names stand in for the levels of the capitals, to tell which part follows which
        for part in design.control_parts(HUMAN_CAPITAL, SOCIAL_CAPITAL):
            values = draws.controls[:, part.positions] @ part.base[rows].T
            if isinstance(part.level, str):
                self._moving.append((part.level, values))
            else:
                shift = shift + values * part.level
        shift = shift + _fixed_controls(design, draws, rows)
        for position, name in enumerate(design.equation.predictors):
            if predictors is not None:
                entering = predictors[..., position]
            else:
                entering = np.nan_to_num(design.predictors[rows, position])
                if name in draws.imputed:
                    entering = entering + draws.imputed[name].added()
            shift = shift + self._coefficients[name] * entering
        self._level = self._coefficients[INTERCEPT] + shift

    def __call__(self, capitals: Capitals) -> Array:
        """``(draw, row)`` with the capitals at these levels."""
        human, social = capitals
        level = self._level
        for capital, values in self._moving:
            level = level + values * (human if capital == HUMAN_CAPITAL else social)
        coefficients = self._coefficients | {INTERCEPT: level}
        eta = self._design.structure.contribution(human, social, coefficients, self._design.link)
        return np.asarray(np.broadcast_to(eta, self._shape))


def _fixed_controls(design: Design, draws: Draws, rows: Positions) -> Array | float:
    """What imputed cells and unequal steps of controls add, ``(draw, row)``."""
    shift: Array | float = 0.0
    for position, name in enumerate(design.control_names):
        if name in draws.imputed:
            shift = shift + draws.controls[:, [position]] * draws.imputed[name].added()
    for control in monotonic_controls(design) if draws.steps else ():
        column = _unequal_steps(control, draws.steps[control.name])[:, rows]
        shift = shift + draws.controls[:, [control.position]] * column
    return shift


def _unequal_steps(control: Monotonic, shares: Array) -> Array:
    """What the column of a monotonic control is off from that with equal steps, ``(draw, row)``."""
    ladder = np.concatenate([np.zeros((len(shares), 1)), np.cumsum(shares, axis=1)], axis=1)
    return np.asarray(ladder[:, control.codes] - control.codes / shares.shape[1])
