"""Coordinates in which varying effects are sampled.

A group that its own rows inform well is sampled as the level its rows see, *swept*: its intercept plus the
means, over its rows, of all else in the linear predictor that is known before it (coefficients times
inputs, controls, effects of groupings that contain it or cut across it). That level hardly depends on
slopes, other levels or the sd, where the deviation itself would trade off against each of them. A group
that its rows say little about is sampled as a deviation in units of its sd. Only coordinates differ: the
posterior is the same.

Groupings are taken one after the other: what contains a grouping comes before it, and of those that cut
across each other the one with more groups first, whose groups know less. Of these only the last takes in
what the others say: the level of the population would be in all of them. Which coefficients are informed a
short pilot tells.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayescluster import names
from bayescluster.arrays import Array, parent_index
from bayescluster.design.record import Design, Grouping

LEAST_SD = 0.1
"""Quantile of a sd that counts as how small it may be."""
INFORMED_FROM = 1.5
"""Ratio of variances from which a coefficient is informed."""
TOGETHER_BELOW = 20
"""With fewer groups a term is sampled in one way for all of them."""

Index = NDArray[np.int64]
Mask = NDArray[np.bool_]


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


def sampling_order(design: Design) -> tuple[Grouping, ...]:
    """Groupings in the order in which their effects are taken."""
    waiting = sorted(design.groupings, key=lambda grouping: -len(grouping.labels))
    chosen: list[Grouping] = []
    while waiting:
        free = [
            one for one in waiting if not any(contains(design, o, one) for o in waiting if o != one)
        ]
        chosen.append(free[0])
        waiting.remove(free[0])
    return tuple(chosen)


def contains(design: Design, outer: Grouping, inner: Grouping) -> bool:
    """Whether every group of ``inner`` lies within one of ``outer``, of which there are fewer."""
    if len(outer.labels) >= len(inner.labels):
        return False
    return parent_index(design.index(inner.name), design.index(outer.name)) is not None


def is_crossed(design: Design, grouping: Grouping) -> bool:
    """Whether a grouping is cut across by one that is taken after it."""
    order = sampling_order(design)
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


def means(design: Design, index: Index, groups: int, earlier: Sequence[Grouping]) -> Means:
    """Means over the rows of so many groups, ``index`` giving that of each row; 0 without rows."""
    count = np.maximum(np.bincount(index, minlength=groups), 1).astype("float64")
    own = inputs(design)

    def mean(values: Array) -> Array:
        return np.asarray(np.bincount(index, weights=values, minlength=groups) / count)

    effects = []
    for grouping in earlier:
        other = design.index(grouping.name)
        pairs, at = np.unique(index * (int(other.max()) + 1) + other, return_inverse=True)
        row, column = np.divmod(pairs, int(other.max()) + 1)
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


def asked(design: Design, grouping: Grouping) -> Mask | None:
    """Levels and deviations as the analysis asks for them in ``centred``, ``(group, term)``."""
    wanted = design.equation.groupings[grouping.name].centred
    if wanted is None:
        return None
    terms = [wanted is True or (wanted is not False and term in wanted) for term in grouping.terms]
    return np.tile(terms, (len(grouping.labels), 1))


def informed(levels: Array, sd: Array) -> Mask:
    """Groups and terms that their rows inform, ``(group, term)``, by draws of a pilot.

    A coefficient is informed where the variance that the data leave of its level is small against that
    of the groups, even where their sd is as small as it may be: else the level would hold on to the sd.

    Parameters
    ----------
    levels
        Levels, ``(draw, group, term)``.
    sd
        Sds of the groups, ``(draw, term)``.
    """
    least = np.quantile(sd, LEAST_SD, axis=0)
    ratio = least**2 / np.maximum(levels.var(axis=0), np.finfo(float).tiny)  # (group, term)
    if len(ratio) < TOGETHER_BELOW:
        ratio = np.broadcast_to(np.median(ratio, axis=0), ratio.shape)
    return np.asarray(ratio >= INFORMED_FROM)
