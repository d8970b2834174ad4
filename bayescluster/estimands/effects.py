"""The outcome surface, and what is read off it: marginal effects, contrasts, corners, draw by draw.

``m(h, s) = mean over rows i of the group of E[y_i | H_i = h, S_i = s, everything else as it is]``
(g-computation). Counts are per unit of exposure.

Expected outcomes where the capitals also act through the outcomes of other equations.

``E[Y(h, L(h'))]``: the firm's own capitals are ``h``, and what it rests on (forms of learning, say) is
distributed as it would be at capitals ``h'``. With ``h = h'`` this is the whole effect of setting the
capitals; differences between the two are natural direct and indirect effects (Pearl 2001; Robins and
Greenland 1992). Three ways, the first that applies: the mean, where it enters linearly; all
combinations, where all of it is yes or no; else one draw a row and posterior draw, the same random
numbers in every setting.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from bayescluster.arrays import Array, Positions, in_threads, total_by_group
from bayescluster.design.record import Design
from bayescluster.estimands.diagnostics import centre_and_ends
from bayescluster.estimands.levels import CORNERS, Levels
from bayescluster.estimands.scopes import Groups
from bayescluster.families import YES_OR_NO
from bayescluster.model.evaluate import (
    Capitals,
    Draws,
    Imputed,
    RowPredictor,
    expectation,
    predictor_at,
    row_coefficients,
)
from bayescluster.names import CAPITALS, FIRM, PREDICTOR_CENTER, PREDICTOR_SCALE, context_term
from bayescluster.results.base import Curve
from bayescluster.results.model import Surface

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


class Own(NamedTuple):
    """A capital left as it is in every row, shifted by so many standard deviations.

    ``most`` bounds the shift, ``(row,)``: no row gets above it, and those that are stay where they are.
    """

    shift: float = 0.0
    most: Array | None = None


Level = float | Array | Own


class Setting(NamedTuple):
    """Where the capitals are set, in standard deviations: one number, one a row, or their own."""

    human: Level
    social: Level


CELLS_AT_ONCE: Final = 2**15
"""Draws times rows whose outcomes are averaged together: what stays in the cache of a processor takes
a fraction of the time."""

Split = tuple[Setting, Setting | Mapping[str, Setting]]
"""Where the capitals are set in an equation, and in those upstream: in all alike, or by name."""


def outcome_surface(
    design: Design, draws: Draws, settings: Sequence[Setting], weights: Array
) -> Array:
    """Average expected outcome at each setting, ``(draw, setting, group)``.

    ``draws`` are those under the scope of interest, ``weights`` averaging weights, ``(row, group)``.
    """
    return split_surface(design, draws, [(setting, setting) for setting in settings], weights)


def split_surface(design: Design, draws: Draws, splits: Sequence[Split], weights: Array) -> Array:
    """Average expected outcome, ``(draw, split, group)``, the capitals set apart upstream.

    ``splits`` hold levels as they enter this equation, and as they enter those it rests on; the rest is
    as for `outcome_surface`.
    """
    rows = np.flatnonzero(weights.any(axis=1))
    mean = csr_array(weights[rows].T)  # (group, row)
    out = np.empty((draws.size, len(splits), weights.shape[1]))
    mine = draws.for_rows(rows)

    def of_part(which: slice) -> None:
        part = mine.part(which)
        own = part.capitals or (design.capitals[0][rows], design.capitals[1][rows])
        expected = _Expected(design, part, rows)
        for position, split in enumerate(splits):
            out[which, position] = total_by_group(expected(split, own), mean)

    step = max(1, CELLS_AT_ONCE // max(rows.size, 1))
    in_threads(of_part, [slice(at, at + step) for at in range(0, draws.size, step)])
    return out


class _Expected:
    """Expected outcome of some rows at many splits, ``(draw, row)``; see `split_surface`."""

    def __init__(self, design: Design, draws: Draws, rows: NDArray[np.int64]) -> None:
        self._design, self._draws, self._rows = design, draws, rows
        self._predictor = None if draws.upstream else RowPredictor(design, draws, rows)

    def __call__(self, split: Split, own: tuple[Array, Array]) -> Array:
        """Put the capitals, ``own`` where they are left as they are, where a split has them."""
        here, upstream = split
        levels = _capitals(here, own, self._rows)
        if self._predictor is not None:
            return expectation(self._design, self._predictor(levels), self._draws, self._rows)
        through: Through = (
            {name: _capitals(setting, own, self._rows) for name, setting in upstream.items()}
            if isinstance(upstream, Mapping)
            else _capitals(upstream, own, self._rows)
        )
        return expected_outcome(self._design, self._draws, levels, through, self._rows)


def _capitals(setting: Setting, own: tuple[Array, Array], rows: NDArray[np.int64]) -> Capitals:
    human, social = (_at(level, mine, rows) for level, mine in zip(setting, own, strict=True))
    return human, social


def _at(level: Level, own: Array, rows: NDArray[np.int64]) -> float | Array:
    if isinstance(level, Own):
        if level.most is None:
            return own + level.shift
        return np.maximum(own, np.minimum(own + level.shift, level.most[rows]))
    return level[rows] if isinstance(level, np.ndarray) else level


STEP = 0.01
"""Half width, in standard deviations, of the difference that approximates a derivative."""


class SurfaceDraws(NamedTuple):
    """Estimands of one scope at each draw; all arrays ``(draw, group)``.

    ``marginal`` and ``contrast`` go by capital that enters, ``corners`` by corner (none with one
    capital): all of a firm whose surroundings
    stay as they were observed. ``whole`` goes by contextual term: the marginal effect where all firms of
    the cluster (all rows of the firm) have more of the capital. ``low`` goes by capital: the expected
    outcome with that capital low, which a contrast starts from.
    """

    marginal: dict[str, Array]
    contrast: dict[str, Array]
    corners: dict[str, Array]
    whole: Mapping[str, Array] = MappingProxyType({})
    low: Mapping[str, Array] = MappingProxyType({})

    @property
    def cross_difference(self) -> Array:
        """How much the capitals raise each other's effect: HH - HL - LH + LL."""
        corner = self.corners
        return corner["HH"] - corner["HL"] - corner["LH"] + corner["LL"]


def surface_draws(design: Design, draws: Draws, levels: Levels, weights: Array) -> SurfaceDraws:
    """Compute every average of the outcome surface that effects and claims need.

    A marginal effect is the derivative averaged over the rows, per standard deviation of the
    capital; for a 0/1 capital, the change from 0 to 1. A contrast sets the capital low, then high,
    and leaves the other as it is. What surrounds a firm (`bayescluster.design.coding`) stays as it was
    observed, but for ``whole``.
    """
    settings: list[Setting] = []
    spans: dict[str, tuple[int, float]] = {}
    for capital in design.present:
        position = CAPITALS.index(capital)
        ends, width = _marginal(design, position)
        spans[capital] = (len(settings), width)
        low, high = (levels.human, levels.social)[position]
        settings += [*ends, _set(position, low), _set(position, high)]
    first_corner = len(settings)
    shown = CORNERS if design.has_both else ()
    settings += [Setting(*levels.at(corner)) for corner in shown]
    mean = outcome_surface(design, draws, settings, weights)  # (draw, setting, group)
    marginal, contrast, start = {}, {}, {}
    for capital, (at, width) in spans.items():
        marginal[capital] = (mean[:, at + 1] - mean[:, at]) / width
        start[capital] = mean[:, at + 2]
        contrast[capital] = mean[:, at + 3] - start[capital]
    corners = {name: mean[:, first_corner + k] for k, name in enumerate(shown)}
    whole = whole_draws(design, draws, weights)
    return SurfaceDraws(marginal, contrast, corners, whole, start)


def whole_draws(design: Design, draws: Draws, weights: Array) -> dict[str, Array]:
    """Marginal effects with the surroundings raised alike, ``(draw, group)`` by contextual term.

    Where a whole cluster has more of a capital, so have all rows of each of its firms.
    """
    systems = (design, *(each for each, _ in draws.upstream))
    contexts = {term: of for each in systems for term, of in each.equation.contexts.items()}
    found = {}
    for term, (level, capital) in contexts.items():
        position = CAPITALS.index(capital)
        raised = [
            other
            for other, (other_level, of) in contexts.items()
            if of == capital and other_level in (level, FIRM)
        ]
        ends, width = _marginal(design, position)
        low, high = (
            outcome_surface(
                design, surrounded(design, draws, raised, end[position]), [end], weights
            )[:, 0]
            for end in ends
        )
        found[term] = (high - low) / width
    return found


def surrounded(design: Design, draws: Draws, terms: Sequence[str], level: Level) -> Draws:
    """Draws with contexts shifted as a capital is shifted, or put where it is put."""
    upstream = tuple((each, surrounded(each, part, terms, level)) for each, part in draws.upstream)
    imputed = dict(draws.imputed)
    for term in set(terms) & set(design.equation.contexts):
        known = draws.imputed.get(term)
        if isinstance(level, Own) and known is not None:
            imputed[term] = known._replace(values=known.values + level.shift)
        elif isinstance(level, Own):
            shift = np.full((draws.size, 1), level.shift)
            imputed[term] = Imputed(np.zeros(design.size, dtype="int64"), shift)
        else:
            off = np.broadcast_to(level - design.context(term), (draws.size, design.size))
            imputed[term] = Imputed(np.arange(design.size), off)
    return replace(draws, imputed=imputed, upstream=upstream)


def contextual_effect(surface: SurfaceDraws, term: str, of: tuple[str, str]) -> Array:
    """What the surroundings add, ``(draw, group)``: raising all of them less raising the firm alone.

    ``of`` gives the level and the capital of the term. A firm is raised in all its rows where the model
    has its mean.
    """
    level, capital = of
    firm = context_term(FIRM, capital)
    inner = surface.whole.get(firm) if level != FIRM else None
    return surface.whole[term] - (surface.marginal[capital] if inner is None else inner)


def marginal_draws(design: Design, draws: Draws, weights: Array) -> dict[str, Array]:
    """Compute the marginal effects of `surface_draws` alone, ``(draw, group)`` by capital."""
    ends = [_marginal(design, CAPITALS.index(capital)) for capital in design.present]
    settings = [setting for pair, _ in ends for setting in pair]
    mean = outcome_surface(design, draws, settings, weights)  # (draw, setting, group)
    return {
        capital: (mean[:, 2 * k + 1] - mean[:, 2 * k]) / width
        for k, (capital, (_, width)) in enumerate(zip(design.present, ends, strict=True))
    }


def _marginal(design: Design, position: int) -> tuple[list[Setting], float]:
    values = design.capitals[position]
    if design.is_binary(CAPITALS[position]):
        ends = float(np.nanmin(values)), float(np.nanmax(values))
        return [_set(position, end) for end in ends], 1.0
    return [_set(position, Own(-STEP)), _set(position, Own(STEP))], 2 * STEP


def _set(position: int, level: Level) -> Setting:
    """Set one capital and leave the other as it is."""
    return Setting(level, Own()) if position == 0 else Setting(Own(), level)


CURVE_POINTS = 9
SURFACE_POINTS = 11
CURVE_DRAWS = 800
SURFACE_DRAWS = 200
"""Draws behind figures: a line on paper needs fewer than a number in a table."""
POINTS_SHOWN = 400
"""Most firms drawn on the surface of one industry."""


def conditional_effects(
    design: Design, draws: Draws, levels: Levels, groups: Groups
) -> list[Curve]:
    """Effect of each capital, low to high, at levels of the other that the group spans."""
    some = draws.thinned(CURVE_DRAWS)
    pairs = (levels.human, levels.social)
    curves = []
    for position, capital in enumerate(CAPITALS):
        for k, label in enumerate(groups.labels):
            other = design.capitals[1 - position][groups.members[:, k]]
            at = _grid(other, 0.02, CURVE_POINTS)
            settings = [
                (Setting(level, float(value)) if position == 0 else Setting(float(value), level))
                for value in at
                for level in pairs[position]
            ]
            mean = outcome_surface(design, some, settings, groups.weights[:, [k]])[:, :, 0]
            effect = mean[:, 1::2] - mean[:, ::2]  # (draw, point)
            curves.append(_curve(capital, label, at, effect))
    return curves


def _grid(values: Array, tail: float, points: int) -> Array:
    low, high = np.nanquantile(values, [tail, 1 - tail])
    return np.linspace(float(low), float(high), points)


def _curve(capital: str, label: str, at: Array, effect: Array) -> Curve:
    centre, low, high = centre_and_ends(effect)
    return Curve(
        capital=capital,
        group=label,
        at=tuple(at.tolist()),
        mean=tuple(centre.tolist()),
        low=tuple(low.tolist()),
        high=tuple(high.tolist()),
    )


def surfaces(
    design: Design, draws: Draws, groups: Groups, rng: np.random.Generator
) -> Iterator[Surface]:
    """Posterior mean of the outcome surface of each group, with rows of the group to lay on it."""
    some = draws.thinned(SURFACE_DRAWS)
    grids = [_grid(values, 0.01, SURFACE_POINTS) for values in design.capitals]
    settings = [Setting(float(h), float(s)) for h in grids[0] for s in grids[1]]
    mean = outcome_surface(design, some, settings, groups.weights).mean(axis=0)  # (setting, group)
    # a dot needs its place and its colour
    shown_at_all = design.answered & np.isfinite(sum(design.capitals))
    for k, label in enumerate(groups.labels):
        rows = np.flatnonzero(groups.members[:, k] & shown_at_all)
        shown = np.sort(rng.choice(rows, min(rows.size, POINTS_SHOWN), replace=False))
        human, social = (values[shown].round(4).tolist() for values in design.capitals)
        outcome = design.reported[shown].tolist()
        yield Surface(
            group=label,
            human=tuple(grids[0].tolist()),
            social=tuple(grids[1].tolist()),
            mean=tuple(map(tuple, mean[:, k].reshape(SURFACE_POINTS, SURFACE_POINTS).tolist())),
            points=tuple(zip(human, social, outcome, strict=True)),
            points_shown=int(shown.size),
            points_total=int(rows.size),
        )
