"""Expected outcomes where the capitals also act through the outcomes of other equations.

``E[Y(h, L(h'))]``: the firm's own capitals are ``h``, and what it rests on (forms of learning, say) is
distributed as it would be at capitals ``h'``. With ``h = h'`` this is the whole effect of setting the
capitals; differences between the two are natural direct and indirect effects (Pearl 2001; Robins and
Greenland 1992). Three ways, the first that applies: the mean, where it enters linearly; all
combinations, where all of it is yes or no; else one draw a row and posterior draw, the same random
numbers in every setting.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Literal

import numpy as np

from bayescluster.arrays import Array, Positions
from bayescluster.design.record import Design
from bayescluster.families import YES_OR_NO
from bayescluster.model.evaluate import (
    Capitals,
    Draws,
    expectation,
    predictor_at,
    row_coefficients,
)
from bayescluster.names import PREDICTOR_CENTER, PREDICTOR_SCALE

MOST_COMBINED = 6
"""Most yes-or-no outcomes whose combinations are all gone through: 64 of them."""
MEDIATOR_STREAM = 8
Way = Literal["means", "combinations", "draws"]
Through = Capitals | Mapping[str, Capitals]
"""Capitals in the equations upstream: the same in all of them, or by equation."""


def expected_outcome(
    design: Design, draws: Draws, own: Capitals, through: Through, rows: Positions
) -> Array:
    """Expected outcome of some rows with the capitals set, ``(draw, row)``.

    ``own`` are the capitals as they enter this equation; ``through`` those that enter the equations
    that it rests on, by equation to set them in some of these only. ``draws`` are for these rows.
    """
    if not draws.upstream:
        return expectation(design, predictor_at(design, draws, own, rows), draws, rows)
    way = way_through(design, draws)
    if way == "combinations":
        total = np.zeros((draws.size, rows.size))
        eta_of = _PredictorAt(design, draws, own, rows)
        for chance, values in combinations(draws, through, rows):
            eta = eta_of(_entering(design, draws, values, rows))
            total += chance * expectation(design, eta, draws, rows)
        return total
    values = (_means if way == "means" else _drawn)(draws, through, rows)
    entering = _entering(design, draws, values, rows)
    return expectation(design, predictor_at(design, draws, own, rows, entering), draws, rows)


def way_through(design: Design, draws: Draws) -> Way:
    """How the outcomes upstream are averaged over."""
    upstream = [each for each, _ in draws.upstream]
    # of linear equations only the means of what is upstream matter
    linear = [design, *(each for each in upstream if each.equation.predictors)]
    identity = all(each.family.link == "identity" and not each.levels for each in linear)
    if identity and design.equation.at_least is None:
        return "means"
    binary = {each.family.name for each in upstream} <= YES_OR_NO
    return "combinations" if binary and len(upstream) <= MOST_COMBINED else "draws"


def _entering(design: Design, draws: Draws, values: dict[str, Array], rows: Positions) -> Array:
    """Outcomes and contexts as they enter an equation, ``(draw, row, predictor)``."""
    center, scale = (design.data[name].to_numpy() for name in (PREDICTOR_CENTER, PREDICTOR_SCALE))
    observed = design.predictors[rows]
    columns = []
    for position, name in enumerate(design.equation.entering):
        simulated = values.get(name)
        if simulated is not None:
            columns.append((simulated - center[position]) / scale[position])
        elif name in design.equation.contexts and name in draws.imputed:
            columns.append(observed[None, :, position] + draws.imputed[name].added())
        else:
            columns.append(observed[None, :, position])
    return np.stack(np.broadcast_arrays(*columns), axis=-1)


def _means(draws: Draws, through: Through, rows: Positions) -> dict[str, Array]:
    """Mean of every outcome upstream in its own unit, ``(draw, row)``.

    Not what is reported of it: successes are counted, not a share of the trials, and an ordinal
    outcome has a mean level, whatever level is to be reached.
    """
    values: dict[str, Array] = {}
    for each, part in draws.upstream:
        mean = each.family.expectation(_eta(each, part, through, rows, values), part.parameters)
        trials = each.rows.trials
        values[each.equation_name] = mean if trials is None else mean * trials[rows]
    return values


def _eta(
    design: Design, draws: Draws, through: Through, rows: Positions, values: dict[str, Array]
) -> Array:
    entering = _entering(design, draws, values, rows) if design.equation.predictors else None
    capitals = through[design.equation_name] if isinstance(through, Mapping) else through
    return predictor_at(design, draws, capitals, rows, entering) + design.offset[rows]


def _drawn(draws: Draws, through: Through, rows: Positions) -> dict[str, Array]:
    """One outcome of every equation upstream, ``(draw, row)``."""
    values: dict[str, Array] = {}
    for position, (each, part) in enumerate(draws.upstream):
        rng = np.random.default_rng((MEDIATOR_STREAM, position))
        eta = _eta(each, part, through, rows, values)
        values[each.equation_name] = each.family.draw(rng, eta, part.parameters, each.rows.at(rows))
    return values


class _PredictorAt:
    """Linear predictor at one setting of the capitals, for many values of the predictors.

    Predictors only shift the level: in a linear form the rest is computed once.
    """

    def __init__(self, design: Design, draws: Draws, own: Capitals, rows: Positions) -> None:
        self._arguments = (design, draws, own, rows)
        self._base: Array | None = None
        self._slopes: list[Array] = []
        names = design.equation.entering
        if design.structure.is_linear:
            self._base = predictor_at(*self._arguments, np.zeros((1, rows.size, len(names))))
            coefficients = row_coefficients(draws)
            self._slopes = [coefficients[name] for name in names]

    def __call__(self, entering: Array) -> Array:
        """``(draw, row)``, from the outcomes of other equations as they enter."""
        if self._base is None:
            return predictor_at(*self._arguments, entering)
        eta = self._base
        for position, slope in enumerate(self._slopes):
            column = entering[..., position]
            if column.any():
                eta = eta + slope * column
        return eta


def combinations(
    draws: Draws, through: Through, rows: Positions
) -> Iterator[tuple[Array, dict[str, Array]]]:
    """Every combination of yes and no upstream: its probability ``(draw, row)``, and the values."""
    chances: dict[tuple[str, tuple[float, ...]], Array] = {}
    names = [each.equation_name for each, _ in draws.upstream]
    for answers in product((0.0, 1.0), repeat=len(names)):
        given = dict(zip(names, answers, strict=True))
        values = {name: np.full((1, 1), answer) for name, answer in given.items()}
        chance = np.ones((1, 1))
        for each, part in draws.upstream:
            parents = tuple(given[name] for name in each.equation.predictors if name in given)
            key = (each.equation_name, parents)
            if key not in chances:
                chances[key] = each.family.expectation(
                    _eta(each, part, through, rows, values), part.parameters
                )
            yes = chances[key]
            chance = chance * (yes if given[each.equation_name] else 1.0 - yes)
        yield chance, values
