"""How to spend a budget on raising capitals, in expectation.

The firms of a group can be left as they are, raised in one capital, in the other, or in both, and any
share of them can: cost and gain of a group are linear in these shares. The choices of a group that are
worth taking lie on the concave hull of gain over cost; spending on the steps of all hulls in the order
of gain per cost is then optimal (the linear relaxation of the multiple-choice knapsack problem: Sinha
and Zoltners 1979, Operations Research 27(3)). Raising the second capital of firms that have had the
first counts as what it adds, so that complements and substitutes are no error.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bayescluster.arrays import Array


class Move(NamedTuple):
    """A step of the plan: a share of a group's firms goes from one choice to another.

    ``before`` and ``after`` are positions of the choices, the first to leave firms as they are;
    ``rate`` is the expected gain per unit of cost.
    """

    group: int
    before: int
    after: int
    share: float
    spent: float
    rate: float


def best_plan(costs: Array, gains: Array, budget: float) -> tuple[Move, ...]:
    """Spend a budget with the largest expected gain.

    Parameters
    ----------
    costs, gains
        Of each choice for all firms of a group, ``(group, choice)``; the first choice costs and gains
        nothing, one that is not to be had is nan.
    budget
        What can be spent, in the unit of the costs.

    Returns
    -------
    tuple of Move
        In the order of spending; less than the budget is spent where nothing more would gain.
    """
    moves = [move for k in range(len(costs)) for move in _steps(k, costs[k], gains[k])]
    # within a group rates fall along the hull, so that this order never skips a step
    moves.sort(key=lambda move: -move.rate)
    plan, left = [], budget
    for move in moves:
        if left <= 0:
            break
        share = min(1.0, left / move.spent)
        plan.append(move._replace(share=share, spent=share * move.spent))
        left -= share * move.spent
    return tuple(plan)


def _steps(group: int, costs: Array, gains: Array) -> list[Move]:
    """Steps along the upper hull of gain over cost of one group."""
    found: list[Move] = []
    at = 0
    while True:
        further = np.flatnonzero(costs > costs[at])
        if not further.size:
            return found
        rates = (gains[further] - gains[at]) / (costs[further] - costs[at])
        best = int(rates.argmax())
        if not rates[best] > 0:
            return found
        after = int(further[best])
        found.append(
            Move(group, at, after, 1.0, float(costs[after] - costs[at]), float(rates[best]))
        )
        at = after


def plan_gains(plan: tuple[Move, ...], gains: Array) -> Array:
    """Draws of what each step of a plan gains, ``(draw, step)``, from ``(draw, group, choice)``."""
    if not plan:
        return np.zeros((len(gains), 0))
    return np.stack(
        [
            move.share * (gains[:, move.group, move.after] - gains[:, move.group, move.before])
            for move in plan
        ],
        axis=1,
    )
