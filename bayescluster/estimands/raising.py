"""What goes with raising either capital by a step, firm by firm, no further than the sample supports.

A firm is raised by the step, but not above the cap: a quantile of the capital within its group (of a
0/1 capital, yes where any firm of the group has it). The gain of a group is its average expected
outcome with the capital raised, less that with everything as it is, draw by draw.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayescluster.arrays import Array
from bayescluster.design.record import Design
from bayescluster.estimands.membership import Groups, groups_of
from bayescluster.estimands.surface import Own, Setting, outcome_surface
from bayescluster.model.evaluate import Draws
from bayescluster.names import BOTH, CAPITALS
from bayescluster.spec.hypotheses import By
from bayescluster.spec.weakest_node import WeakestNode

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
