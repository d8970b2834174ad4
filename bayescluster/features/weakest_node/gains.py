"""What goes with raising a capital by a step, and the least of it that a level of the outcome needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayescluster.arrays import Array
from bayescluster.design.record import Design
from bayescluster.estimands.scopes import Groups, groups_of
from bayescluster.estimands.surface import Own, Setting, outcome_surface
from bayescluster.features.weakest_node.spec import WeakestNode
from bayescluster.model.evaluate import Draws
from bayescluster.names import BOTH, CAPITALS
from bayescluster.spec.hypotheses import By

OPTIONS: Final = (*CAPITALS, BOTH)
"""What can be raised; both is each by its step."""
OWN_DRAWS = 200
"""Draws of a latent or imputed capital by which its quantiles within groups are told."""
NEARBY = 0.5
"""A raised firm has another nearby if that one is within so many sd on both capitals."""
MOST_LOOKED_AT = 1000
"""Raised rows of a group whose neighbours are looked for; evenly spaced where there are more."""
ROUNDING = 1e-9

Pair = tuple[Array, Array]
"""Something of human and of social capital."""


class Raising(NamedTuple):
    """How far the firms of one kind of group can be raised.

    ``steps`` are in standard deviations; ``caps`` hold the most of each capital, ``(group,)``;
    ``own`` where the firms are, ``(draw, row)``, one draw where the capitals are observed.
    """

    groups: Groups
    steps: tuple[float, float]
    caps: Pair
    own: Pair

    @property
    def of_row(self) -> NDArray[np.int64]:
        """Group of each row, ``(row,)``."""
        return self.groups.members.argmax(axis=1)

    @property
    def settings(self) -> tuple[Setting, Setting, Setting]:
        """Where the options set the capitals."""
        human, social = (
            Own(step, cap[self.of_row]) for step, cap in zip(self.steps, self.caps, strict=True)
        )
        return Setting(human, Own()), Setting(Own(), social), Setting(human, social)

    @property
    def taken(self) -> Pair:
        """Share of its step that each firm takes of each capital, ``(draw, row)``."""
        human, social = (
            np.clip((cap[self.of_row] - own) / step, 0.0, 1.0)
            for own, step, cap in zip(self.own, self.steps, self.caps, strict=True)
        )
        return human, social


class Reach(NamedTuple):
    """How many firms the options reach, all ``(option, group)`` but ``taken``.

    ``fully``, ``partly`` and ``none`` are shares of the firms and add up to 1; ``raised`` counts the
    firms that are raised at all, ``near`` is the share of these that would have another firm of the
    group nearby; ``taken`` is the average share of its step that a firm takes, ``(capital, group)``.
    """

    fully: Array
    partly: Array
    none: Array
    raised: NDArray[np.int64]
    near: Array
    taken: Array


def raising_of(design: Design, draws: Draws, asked: WeakestNode, by: By) -> Raising:
    """Find how far the firms of a kind of group can be raised."""
    groups = groups_of(design, by)
    steps = tuple(_step(design, asked, capital) for capital in CAPITALS)
    own = _own(design, draws)
    caps = tuple(
        np.array(
            [_most(values[:, member], asked.support, yes_or_no) for member in groups.members.T]
        )
        for values, yes_or_no in zip(own, map(design.is_binary, CAPITALS), strict=True)
    )
    return Raising(groups, (steps[0], steps[1]), (caps[0], caps[1]), own)


def _step(design: Design, asked: WeakestNode, capital: str) -> float:
    """Size of a step in standard deviations; a 0/1 capital is not put in this unit."""
    if design.is_binary(capital):
        return 1.0
    step = asked.step("human_capital" if capital == CAPITALS[0] else "social_capital")
    return step / design.scaling(capital).scale if asked.unit == "original" else step


def _own(design: Design, draws: Draws) -> Pair:
    if draws.capitals is None:
        human, social = (values[None, :] for values in design.capitals)
        return human, social
    some = draws.thinned(OWN_DRAWS).capitals
    assert some is not None
    return some


def _most(values: Array, quantile: float, yes_or_no: bool) -> float:
    return float(values.max() if yes_or_no else np.quantile(values, quantile))


def gain_draws(design: Design, draws: Draws, raisings: Sequence[Raising]) -> list[Array]:
    """Gains of every group of every kind.

    Parameters
    ----------
    design
        The design.
    draws
        Draws under the scope asked for.
    raisings
        Kinds of groups.

    Returns
    -------
    list of ndarray
        For each kind the gains, ``(draw, option, group)``.
    """
    weights = np.column_stack([one.groups.weights for one in raisings])
    settings = [Setting(Own(), Own()), *(setting for one in raisings for setting in one.settings)]
    mean = outcome_surface(design, draws, settings, weights)  # (draw, setting, group of all kinds)
    gains, column = [], 0
    for position, one in enumerate(raisings):
        mine = slice(column, column + len(one.groups.labels))
        first = 1 + position * len(OPTIONS)
        gains.append(mean[:, first : first + len(OPTIONS), mine] - mean[:, :1, mine])
        column = mine.stop
    return gains


def reach_of(design: Design, raising: Raising) -> Reach:
    """Count the firms that the options reach."""
    human, social = raising.taken
    whole = [taken >= 1 - ROUNDING for taken in (human, social)]
    still = [taken <= ROUNDING for taken in (human, social)]
    weights = raising.groups.weights
    fully = _shares([*whole, whole[0] & whole[1]], weights)
    none = _shares([*still, still[0] & still[1]], weights)
    # of a latent capital a firm counts as raised if it is in half of the draws
    moved = [~(part.mean(axis=0) > 0.5) for part in (*still, still[0] & still[1])]
    return Reach(
        fully=fully,
        partly=1 - fully - none,
        none=none,
        raised=np.array(
            [
                [np.unique(design.firms[one & group]).size for group in raising.groups.members.T]
                for one in moved
            ]
        ),
        near=_near(design, raising, moved),
        taken=np.stack([taken.mean(axis=0) @ weights for taken in (human, social)]),
    )


def _shares(events: Sequence[NDArray[np.bool_]], weights: Array) -> Array:
    return np.stack([event.mean(axis=0) @ weights for event in events])


def _near(design: Design, raising: Raising, moved: Sequence[NDArray[np.bool_]]) -> Array:
    """Share of the raised rows with another firm nearby, ``(option, group)``; 0 where none is raised."""
    human, social = raising.taken
    own = np.column_stack([values.mean(axis=0) for values in raising.own])  # (row, capital)
    up = np.column_stack([human.mean(axis=0), social.mean(axis=0)]) * raising.steps
    found = np.zeros((len(OPTIONS), len(raising.groups.labels)))
    ways = ((True, False), (False, True), (True, True))
    for option, (way, some) in enumerate(zip(ways, moved, strict=True)):
        for k, member in enumerate(raising.groups.members.T):
            rows = np.flatnonzero(member)
            lifted = np.flatnonzero(member & some)
            if not lifted.size:
                continue
            spaced = np.linspace(0, lifted.size - 1, min(lifted.size, MOST_LOOKED_AT))
            lifted = lifted[spaced.astype("int64")]
            places = own[lifted] + up[lifted] * way
            others = design.firms[lifted][:, None] != design.firms[rows]
            found[option, k] = _has_neighbour(places, own[rows], others).mean()
    return found


def _has_neighbour(places: Array, firms: Array, others: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether each place has one of the other firms nearby, ``(place,)``."""
    close = others.copy()
    for capital in range(places.shape[1]):
        apart = np.abs(places[:, [capital]] - firms[:, capital])
        close &= apart <= NEARBY + ROUNDING
    return np.asarray(close.any(axis=1))


POINTS = 11
"""Levels of the capital at which the expected outcome is computed; between them it is a line."""
NOT_NEEDED, NOT_REACHED = -np.inf, np.inf
"""Stand for "none is needed" and "not reachable"."""


def supported_levels(design: Design, raising: Raising, quantile: float) -> tuple[Array, Array]:
    """Levels of each capital from the least to the most that a group supports, ``(point, group)``."""
    found = []
    for capital, own, most in zip(CAPITALS, raising.own, raising.caps, strict=True):
        yes_or_no = design.is_binary(capital)
        least = np.array(
            [
                own[:, member].min() if yes_or_no else np.quantile(own[:, member], 1 - quantile)
                for member in raising.groups.members.T
            ]
        )
        found.append(np.linspace(least, most, 2 if yes_or_no else POINTS))
    return found[0], found[1]


def mean_along(
    design: Design, draws: Draws, raising: Raising, levels: Sequence[Array]
) -> list[Array]:
    """Expected outcome along each capital, ``(draw, point, group)`` each."""
    human, social = levels
    of_row = raising.of_row
    settings = [Setting(level[of_row], Own()) for level in human]
    settings += [Setting(Own(), level[of_row]) for level in social]
    mean = outcome_surface(design, draws, settings, raising.groups.weights)
    return [mean[:, : len(human)], mean[:, len(human) :]]


def least_needed(levels: Array, means: Array, targets: Sequence[float], *, between: bool) -> Array:
    """Find the least level at which the expected outcome reaches each target.

    Parameters
    ----------
    levels
        Levels of the capital, rising, ``(point, group)``.
    means
        Expected outcome there, ``(draw, point, group)``.
    targets
        Levels of the outcome.
    between
        Whether a level between two points can be had; a 0/1 capital has none.

    Returns
    -------
    ndarray
        ``(draw, target, group)``: ``NOT_NEEDED`` where the least level already reaches the target,
        ``NOT_REACHED`` where no level does.
    """
    found = np.empty((len(means), len(targets), means.shape[2]))
    group = np.arange(means.shape[2])
    for position, target in enumerate(targets):
        reached = means >= target
        first = reached.argmax(axis=1)  # (draw, group); 0 where no point reaches it
        before = np.maximum(first - 1, 0)
        at = levels[first, group]
        if between:
            low, high = (
                np.take_along_axis(means, k[:, None], axis=1)[:, 0] for k in (before, first)
            )
            way = np.divide(target - low, high - low, out=np.ones_like(low), where=high > low)
            at = levels[before, group] + way * (at - levels[before, group])
        at = np.where(first == 0, NOT_NEEDED, at)
        found[:, position] = np.where(reached.any(axis=1), at, NOT_REACHED)
    return found
