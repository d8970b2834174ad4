"""What goes with raising a capital by a step, and the expected outcome along each capital."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from bayescluster.arrays import Array, Events
from bayescluster.design.record import Design
from bayescluster.estimands.effects import Own, Setting, outcome_surface
from bayescluster.estimands.scopes import Groups, groups_of
from bayescluster.features.weakest_node.results import Option
from bayescluster.features.weakest_node.spec import WeakestNode
from bayescluster.model.evaluate import Draws
from bayescluster.spec.data import CAPITALS
from bayescluster.spec.hypotheses import By

OPTIONS: Final[tuple[Option, ...]] = get_args(Option)
"""What can be raised: one capital, or each by its step."""
OWN_DRAWS = 200
"""Draws of a latent or imputed capital behind its quantiles within groups."""
NEARBY = 0.5
"""A raised firm has another nearby if that one is within so many sd on both capitals."""
MOST_LOOKED_AT = 1000
"""Raised rows of a group whose neighbours are looked for; evenly spaced where there are more."""
ROUNDING = 1e-9
POINTS = 11
"""Levels of the capital at which the expected outcome is computed; between them it is a line."""

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


def raising_of(design: Design, draws: Draws, options: WeakestNode, by: By) -> Raising:
    """Find how far the firms of a kind of group can be raised."""
    groups = groups_of(design, by)
    own = design.capitals[0][None, :], design.capitals[1][None, :]
    if draws.capitals is not None:
        own = draws.thinned(OWN_DRAWS).capitals or own
    steps, caps = [], []
    for capital, values in zip(CAPITALS, own, strict=True):
        binary, step = design.is_binary(capital), options.step(capital)
        if options.unit == "original":
            step /= design.scaling(capital).scale
        steps.append(1.0 if binary else step)
        within = (values[:, member] for member in groups.members.T)
        caps.append(
            np.array([v.max() if binary else np.quantile(v, options.support) for v in within])
        )
    return Raising(groups, (steps[0], steps[1]), (caps[0], caps[1]), own)


def gain_draws(design: Design, draws: Draws, raisings: Sequence[Raising]) -> list[Array]:
    """Gains of every group of every kind.

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
    fully, none = (
        np.stack([event.mean(axis=0) @ weights for event in (*both, both[0] & both[1])])
        for both in (whole, still)
    )
    # of a latent capital a firm counts as raised if it is in half of the draws
    moved = [~(part.mean(axis=0) > 0.5) for part in (*still, still[0] & still[1])]
    members = raising.groups.members.T
    return Reach(
        fully=fully,
        partly=1 - fully - none,
        none=none,
        raised=np.array(
            [[np.unique(design.firms[one & group]).size for group in members] for one in moved]
        ),
        near=_near(design, raising, moved),
        taken=np.stack([taken.mean(axis=0) @ weights for taken in (human, social)]),
    )


def _near(design: Design, raising: Raising, moved: Sequence[Events]) -> Array:
    """Share of the raised rows with another firm nearby, ``(option, group)``; 0 where none is raised."""
    own = np.column_stack([values.mean(axis=0) for values in raising.own])  # (row, capital)
    up = np.column_stack([part.mean(axis=0) for part in raising.taken]) * raising.steps
    near = np.zeros((len(OPTIONS), len(raising.groups.labels)))
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
            close = design.firms[lifted][:, None] != design.firms[rows]  # (lifted, row): others
            for capital in range(2):
                apart = np.abs(places[:, [capital]] - own[rows, capital])
                close &= apart <= NEARBY + ROUNDING
            near[option, k] = close.any(axis=1).mean()
    return near


def supported_levels(design: Design, raising: Raising, quantile: float) -> Pair:
    """Levels of each capital from the least to the most that a group supports, ``(point, group)``."""
    levels = []
    for capital, own, most in zip(CAPITALS, raising.own, raising.caps, strict=True):
        binary = design.is_binary(capital)
        within = (own[:, member] for member in raising.groups.members.T)
        least = [v.min() if binary else np.quantile(v, 1 - quantile) for v in within]
        levels.append(np.linspace(np.array(least), most, 2 if binary else POINTS))
    return levels[0], levels[1]


def mean_along(design: Design, draws: Draws, raising: Raising, levels: Pair) -> list[Array]:
    """Expected outcome along each capital, ``(draw, point, group)`` each."""
    human, social = levels
    of_row = raising.of_row
    settings = [Setting(level[of_row], Own()) for level in human]
    settings += [Setting(Own(), level[of_row]) for level in social]
    mean = outcome_surface(design, draws, settings, raising.groups.weights)
    return [mean[:, : len(human)], mean[:, len(human) :]]
