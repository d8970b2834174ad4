"""Coordinates in which varying effects are sampled.

What the rows of a group say of its level is weighed against what the rest of the model says, as in a normal
model with known sds: the level given both has a mean and an sd, and what is sampled is the distance from that
mean in units of that sd. The same goes for a coefficient of the population, of which groups speak. In a normal
model these coordinates are independent standard normals, whatever the sds of groups are, so that neither
groups with many rows nor those with few bend the posterior; only that of the population is held back where a
sd is next to 0. Elsewhere they nearly are. Only coordinates differ: the posterior is the same.

The level of a group is that of its mean row, *swept*: its intercept plus the means, over its rows, of all else in
the linear predictor that is known before it (coefficients times inputs, controls, effects of groupings that
contain it or cut across it). That level hardly depends on slopes and other levels. Groupings are taken one after
the other: what contains a grouping comes before it, and of those that cut across each other the one of which the
rows tell least comes first. Of these only the last takes in what the others say: the level of the population
would be in all of them. Those before it move together against that level, the further the better their groups are
told apart: in a panel firms come after years. What rows say is told by a short pilot.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayescluster import names
from bayescluster.arrays import Array, parent_index
from bayescluster.design.record import Design, Grouping

LEAST_RATIO, MOST_RATIO, RATIOS = 1e-3, 1e5, 33
"""Precisions that are tried, in units of that of the effects."""
MOST_VALUES = 2_000_000
"""Values of effects in a pilot that are looked at; of more groups fewer draws."""
TOLD_AT_LEAST = 1e-9
"""What a row tells of a slope where its input is 0."""
LEVEL_ITSELF = -1.0
"""A precision that says: the level itself is sampled."""

Index = NDArray[np.int64]


class Seen(NamedTuple):
    """What the rows of groups say of their levels, and with what precision, ``(group, term)``."""

    level: Array
    precision: Array


class Mean(NamedTuple):
    """Weights of earlier effects in the mean over a group's rows, in triplets.

    The effect of ``term`` in group ``column`` of ``grouping`` has weight ``weight`` in group ``row``.
    """

    grouping: str
    term: str
    row: Index
    column: Index
    weight: Array


class Means(NamedTuple):
    """What a group's rows have in common: means of inputs by term, of controls, of earlier effects.

    ``inputs`` holds ``(group,)`` by term, ``controls`` is ``(group, control)``.
    """

    inputs: dict[str, Array]
    controls: Array
    effects: tuple[Mean, ...]

    def without(self, terms: Collection[str]) -> Means:
        """What is left at 0 of some inputs."""
        inputs = {term: mean for term, mean in self.inputs.items() if term not in terms}
        effects = tuple(one for one in self.effects if one.term not in terms)
        return self._replace(inputs=inputs, effects=effects)


def sampling_order(design: Design) -> tuple[Grouping, ...]:
    """Groupings in the order in which their effects are taken."""
    waiting = list(design.groupings)
    chosen: list[Grouping] = []
    told = cache(lambda grouping: told_apart(design, grouping))
    while waiting:
        inside = {
            outer: [one for one in waiting if contains(design, outer, one)] for outer in waiting
        }
        free = [one for one in waiting if not any(one in some for some in inside.values())]
        # what others lie within takes in what they say, and so comes after what does not
        taken = free[0]
        if len(free) > 1:
            taken = min(free, key=lambda one: (bool(inside[one]), told(one)))
        chosen.append(taken)
        waiting.remove(taken)
    return tuple(chosen)


def told_apart(design: Design, grouping: Grouping) -> float:
    """How well the rows tell groups apart: variance between over that within, of ranked outcomes.

    Of what is left of the ranks when the inputs have explained what they can; 0 where no group has two rows.
    """
    rows = np.flatnonzero(design.answered)
    columns = [*design.capitals, design.capitals[0] * design.capitals[1], *controls(design).T]
    known = [values[rows] for values in columns if np.isfinite(values[rows]).all()]
    inputs = np.column_stack([np.ones(rows.size), *known])
    _, place, ties = np.unique(
        design.rates(design.outcome)[rows], return_inverse=True, return_counts=True
    )
    ranks = (np.cumsum(ties) - (ties - 1) / 2)[place]
    left = ranks - inputs @ np.linalg.lstsq(inputs, ranks)[0]
    _, index = np.unique(design.index(grouping.name)[rows], return_inverse=True)
    count = np.bincount(index)
    if count.max(initial=0) < 2 or count.size < 2:
        return 0.0
    mean = np.bincount(index, left) / count
    between = (count * mean**2).sum() / (count.size - 1)
    within = ((left - mean[index]) ** 2).sum() / (rows.size - count.size)
    return float(between / within) if within > 0 else np.inf


def contains(design: Design, outer: Grouping, inner: Grouping) -> bool:
    """Whether every group of ``inner`` lies within one of ``outer``, of which there are fewer."""
    if len(outer.labels) >= len(inner.labels):
        return False
    return parent_index(design.index(inner.name), design.index(outer.name)) is not None


def is_crossed(design: Design, grouping: Grouping, order: Sequence[Grouping]) -> bool:
    """Whether a grouping is cut across by one that is taken after it in the order."""
    later = order[order.index(grouping) + 1 :]
    return any(not contains(design, grouping, other) for other in later)


def inputs(design: Design) -> dict[str, Array]:
    """What slopes multiply, ``(row,)`` by term; those of latent or incomplete inputs are left out."""
    found: dict[str, Array] = {}
    if design.structure.is_linear:
        human, social = design.capitals
        own = {
            names.HUMAN_CAPITAL: human,
            names.SOCIAL_CAPITAL: social,
            names.INTERACTION: human * social,
        }
        latent = {term for term in names.CAPITALS if design.is_latent(term)}
        latent |= {names.INTERACTION} if latent else set()
        found = {t: own[t] for t in design.structure.terms if t in own and t not in latent}
    contexts = design.equation.contexts
    found |= {
        name: values
        for name, values in zip(design.equation.entering, design.predictors.T, strict=True)
        if name not in contexts or not design.is_latent(contexts[name][1])
    }
    return {term: values for term, values in found.items() if np.isfinite(values).all()}


def controls(design: Design) -> Array:
    """Controls, ``(row, control)``; 0 where a column is incomplete or moves with a latent capital."""
    columns = design.controls.copy()
    columns[:, ~np.isfinite(columns).all(axis=0)] = 0.0
    for position, owner in enumerate(design.data[names.CONTROL_CAPITAL].to_numpy()):
        if owner and design.is_latent(str(owner)):
            columns[:, position] = 0.0
    return columns


def shares(
    design: Design, grouping: Grouping, earlier: Grouping, term: str
) -> tuple[Index, Index, Array]:
    """Share that each group of an earlier grouping has in a coefficient of those of a grouping, in triplets.

    By the rows that they have in common, and how much these tell of the coefficient; 1 of what contains it.
    """
    own = inputs(design).get(term)
    told = np.ones(design.size) if own is None else own**2 + TOLD_AT_LEAST
    index, other = design.index(grouping.name), design.index(earlier.name)
    row, column, at = _in_common(index, other)
    return row, column, np.bincount(at, told) / np.bincount(index, told)[row]


def _in_common(index: Index, other: Index) -> tuple[Index, Index, Index]:
    """Pairs of groups that have rows in common, of one grouping and another, and the pair of each row."""
    pairs, at = np.unique(index * (int(other.max()) + 1) + other, return_inverse=True)
    row, column = np.divmod(pairs, int(other.max()) + 1)
    return row, column, at


def means(design: Design, index: Index, groups: int, earlier: Sequence[Grouping]) -> Means:
    """Means over the rows of so many groups, ``index`` giving that of each row; 0 without rows."""
    count = np.maximum(np.bincount(index, minlength=groups), 1).astype("float64")
    own = inputs(design)

    def mean(values: Array) -> Array:
        return np.asarray(np.bincount(index, weights=values, minlength=groups) / count)

    effects = []
    for grouping in earlier:
        row, column, at = _in_common(index, design.index(grouping.name))
        for term in grouping.terms:
            values = np.ones(design.size) if term == names.INTERCEPT else own.get(term)
            if values is not None:
                weight = np.bincount(at, weights=values) / count[row]
                effects.append(Mean(grouping.name, term, row, column, weight))
    columns = controls(design)
    by_control = [mean(columns[:, k]) for k in range(columns.shape[1])]
    return Means(
        {term: mean(values) for term, values in own.items()},
        np.column_stack(by_control) if by_control else np.zeros((count.size, 0)),
        tuple(effects),
    )


def asked(design: Design, grouping: Grouping) -> Seen | None:
    """Levels and deviations as the analysis asks for them in ``centred``."""
    wanted = design.equation.groupings[grouping.name].centred
    if wanted is None:
        return None
    terms = [wanted is True or (wanted is not False and term in wanted) for term in grouping.terms]
    precision = np.where(np.tile(terms, (len(grouping.labels), 1)), LEVEL_ITSELF, 0.0)
    return Seen(np.zeros_like(precision), precision)


def seen(levels: Array, effects: Array, sd: Array) -> Seen:
    """What rows say of levels, by draws of a pilot.

    Given its centre (level less effect) and the sd of groups a level is about normal, with the mean and the sd that
    follow from what its rows say: their level, and its precision. The likeliest are taken, precision by
    precision from a grid.

    Parameters
    ----------
    levels, effects
        Levels and effects, ``(draw, group, term)``.
    sd
        Sds of the groups, ``(draw, term)``.
    """
    thin = slice(None, None, max(1, -(-levels.size // MOST_VALUES)))
    levels, effects, variance = levels[thin], effects[thin], sd[thin, None] ** 2
    centres = levels - effects
    least = np.full(levels.shape[1:], np.inf)
    found = Seen(levels.mean(axis=0), np.zeros(levels.shape[1:]))
    usual = np.median(variance, axis=0)
    for ratio in np.geomspace(LEAST_RATIO, MOST_RATIO, RATIOS):
        precision = ratio / usual
        share = variance * precision / (1.0 + variance * precision)
        left = variance * (1.0 - share)
        level = ((share / left) * (effects + share * centres)).sum(axis=0)
        level /= (share**2 / left).sum(axis=0)
        gap = effects - share * (level - centres)
        lack = (gap**2 / left).sum(axis=0) + np.log(left).sum(axis=0)
        better = lack < least
        least = np.where(better, lack, least)
        found.level[better] = level[better]
        found.precision[better] = np.broadcast_to(precision, level.shape)[better]
    return found


def least_sd(seen: Seen) -> Array:
    """About the least sd of groups, ``(term,)``, that can be told from 0; infinite where nothing is seen."""
    groups = len(seen.precision)
    with np.errstate(divide="ignore"):
        error = 1.0 / np.sqrt(np.median(seen.precision, axis=0))
    return np.asarray(error * (2.0 / groups) ** 0.25)
