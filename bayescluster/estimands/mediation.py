"""Expected outcomes where the capitals also act through the outcomes of other equations.

``E[Y(h, L(h'))]``: the firm's own capitals are ``h``, and what it rests on (forms of learning, say) is
distributed as it would be at capitals ``h'``. With ``h = h'`` this is the whole effect of setting the
capitals; differences between the two are natural direct and indirect effects (Pearl 2001; Robins and
Greenland 1992). Three ways, the first that applies: the mean, where it enters linearly; all
combinations, where all of it is yes or no; else one draw a row and posterior draw, the same random
numbers in every setting.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np

from bayescluster.design.record import Design
from bayescluster.model.evaluate import (
    Array,
    Capitals,
    Draws,
    Positions,
    expectation,
    predictor_at,
)
from bayescluster.names import PREDICTOR_CENTER, PREDICTOR_SCALE

MOST_COMBINED = 6
"""Most yes-or-no outcomes whose combinations are all gone through: 64 of them."""
MEDIATOR_STREAM = 8
BINARY = frozenset({"bernoulli", "probit"})


def expected_outcome(
    design: Design, draws: Draws, own: Capitals, through: Capitals, rows: Positions
) -> Array:
    """Expected outcome with the capitals set, ``(draw, row)``.

    Parameters
    ----------
    design, draws
        The equation, and draws for these rows.
    own
        Capitals as they enter this equation.
    through
        Capitals as they enter the equations that this one rests on.
    rows
        Positions of the rows.
    """
    if not draws.upstream:
        return expectation(design, predictor_at(design, draws, own, rows), draws)
    if _is_linear(design, draws):
        entering = _entering(design, _means(draws, through, rows), rows)
        return expectation(design, predictor_at(design, draws, own, rows, entering), draws)
    if _are_binary(draws):
        return _combined(design, draws, own, through, rows)
    entering = _entering(design, _drawn(draws, through, rows), rows)
    return expectation(design, predictor_at(design, draws, own, rows, entering), draws)


def _is_linear(design: Design, draws: Draws) -> bool:
    """Whether only the means of what is upstream matter."""
    roots = all(not each.equation.predictors or _identity(each) for each, _ in draws.upstream)
    return _identity(design) and roots


def _identity(design: Design) -> bool:
    return design.family.link == "identity" and not design.levels


def _are_binary(draws: Draws) -> bool:
    families = {each.family.name for each, _ in draws.upstream}
    return families <= BINARY and len(draws.upstream) <= MOST_COMBINED


def _entering(design: Design, values: dict[str, Array], rows: Positions) -> Array:
    """Outcomes as predictors of an equation, ``(draw, row, predictor)``."""
    center, scale = (design.data[name].to_numpy() for name in (PREDICTOR_CENTER, PREDICTOR_SCALE))
    observed = design.predictors[rows]
    columns = []
    for position, name in enumerate(design.equation.predictors):
        found = values.get(name)
        columns.append(
            observed[None, :, position]
            if found is None
            else (found - center[position]) / scale[position]
        )
    return np.stack(np.broadcast_arrays(*columns), axis=-1)


def _means(draws: Draws, through: Capitals, rows: Positions) -> dict[str, Array]:
    """Expected outcome of every equation upstream, ``(draw, row)``."""
    values: dict[str, Array] = {}
    for each, part in draws.upstream:
        values[each.equation_name] = expectation(
            each, _eta(each, part, through, rows, values), part
        )
    return values


def _eta(
    design: Design, draws: Draws, through: Capitals, rows: Positions, values: dict[str, Array]
) -> Array:
    entering = _entering(design, values, rows) if design.equation.predictors else None
    return predictor_at(design, draws, through, rows, entering) + design.offset[rows]


def _drawn(draws: Draws, through: Capitals, rows: Positions) -> dict[str, Array]:
    """One outcome of every equation upstream, ``(draw, row)``."""
    values: dict[str, Array] = {}
    for position, (each, part) in enumerate(draws.upstream):
        rng = np.random.default_rng((MEDIATOR_STREAM, position))
        eta = _eta(each, part, through, rows, values)
        known = type(each.rows)(*(None if item is None else item[rows] for item in each.rows))
        values[each.equation_name] = each.family.draw(rng, eta, part.parameters, known)
    return values


def _combined(
    design: Design, draws: Draws, own: Capitals, through: Capitals, rows: Positions
) -> Array:
    total = np.zeros((draws.size, rows.size))
    for chance, values in combinations(draws, through, rows):
        entering = _entering(design, values, rows)
        total += chance * expectation(
            design, predictor_at(design, draws, own, rows, entering), draws
        )
    return total


def combinations(
    draws: Draws, through: Capitals, rows: Positions
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
                chances[key] = expectation(each, _eta(each, part, through, rows, values), part)
            yes = chances[key]
            chance = chance * (yes if given[each.equation_name] else 1.0 - yes)
        yield chance, values
