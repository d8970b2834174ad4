"""Rows of what the gains of one kind of groups say: options, bottlenecks, and a plan."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayescluster.arrays import Array
from bayescluster.design.record import Design
from bayescluster.estimands.raising import OPTIONS, Raising, Reach, reach_of
from bayescluster.estimands.summary import estimates, probability_error
from bayescluster.hypotheses.spending import best_plan, plan_gains
from bayescluster.hypotheses.verdicts import GATE_FAILED
from bayescluster.hypotheses.weakest_node import (
    expected_losses,
    rank_probabilities,
    unsupported_because,
    weakest_of,
)
from bayescluster.hypotheses.words import CAPITAL_WORDS
from bayescluster.results.base import By, Estimate
from bayescluster.results.weakest_node import NodeRow, OptionRow, Plan, PlanRow
from bayescluster.spec.weakest_node import WeakestNode

CHOICES = ("none", *OPTIONS)
"""What the firms of a group can have in a plan."""
ADDED = {(0, 1): 0, (0, 2): 1, (0, 3): 2, (1, 3): 1, (2, 3): 0, (1, 2): 1, (2, 1): 0}
"""Option by which a step of a plan raises firms, from the choices before and after it."""
ROUNDING = 1e-9


class Gains(NamedTuple):
    """Gains of one kind of groups, ``(draw, option, group)``, under posterior and prior.

    ``prior`` is None for a mixture of forms.
    """

    raising: Raising
    posterior: Array
    prior: Array | None


@dataclass(frozen=True)
class Kind:
    """Gains of one kind of groups with all that their worth depends on.

    Attributes
    ----------
    design, asked, gains
        What was asked, and the draws.
    chains
        Chains of the draws; 0 for a mixture.
    """

    design: Design
    asked: WeakestNode
    gains: Gains
    chains: int

    @property
    def by(self) -> By:
        """Kind of the groups."""
        return self.gains.raising.groups.by

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the groups."""
        return self.gains.raising.groups.labels

    @cached_property
    def reach(self) -> Reach:
        """How many firms the options reach."""
        return reach_of(self.design, self.gains.raising)

    @cached_property
    def firms(self) -> NDArray[np.int64]:
        """Firms of each group, ``(group,)``."""
        members = self.gains.raising.groups.members.T
        return np.array([np.unique(self.design.firms[member]).size for member in members])

    @cached_property
    def costs(self) -> Array:
        """Average cost a firm, ``(option, group)``; nan without declared costs."""
        if not self.asked.costs:
            return np.full((len(OPTIONS), len(self.labels)), np.nan)
        price = [self.asked.costs["human_capital"], self.asked.costs["social_capital"]]
        human, social = self.reach.taken * np.array(price)[:, None]
        return np.stack([human, social, human + social])

    @cached_property
    def can_raise(self) -> NDArray[np.bool_]:
        """Whether the option raises any firm, ``(option, group)``."""
        return self.reach.raised > 0

    @cached_property
    def unsupported(self) -> tuple[tuple[str, ...], ...]:
        """Why each gain goes beyond the sample, by option and group; empty where it does not."""
        reach, least = self.reach, self.asked.min_support
        return tuple(
            tuple(
                unsupported_because(int(reach.raised[k, g]), float(reach.near[k, g]), least)
                for g in range(len(self.labels))
            )
            for k in range(len(OPTIONS))
        )

    def worth(self, gains: Array) -> Array:
        """Gain, or gain per unit of cost, same shape; nan where nobody is raised."""
        costs = self.costs if self.asked.costs else 1.0
        return np.asarray(gains / np.where(self.can_raise, costs, np.nan))

    @cached_property
    def candidates(self) -> list[tuple[int, int]]:
        """Options of one capital that are supported, best expected worth first."""
        expected = self.worth(self.gains.posterior).mean(axis=0)
        found = [
            (k, g) for k in (0, 1) for g in range(len(self.labels)) if not self.unsupported[k][g]
        ]
        return sorted(found, key=lambda one: -expected[one])


def option_rows(kind: Kind) -> Iterator[OptionRow]:
    """One row for each option and group: those with a place first, in their order."""
    chains, found = kind.chains, kind.candidates
    shape = kind.gains.posterior.shape
    known = estimates(kind.gains.posterior.reshape(shape[0], -1), chains)
    worth = kind.worth(kind.gains.posterior)
    some = np.stack([worth[:, k, g] for k, g in found], axis=1) if found else None
    losses = expected_losses(some) if some is not None else ()
    ranks = rank_probabilities(some) if some is not None else ()
    placed = {
        one: (p, float(losses[p]), tuple(map(float, ranks[p]))) for p, one in enumerate(found)
    }
    rest = [(k, g) for k in range(shape[1]) for g in range(shape[2]) if (k, g) not in placed]
    for k, g in (*found, *rest):
        place = placed.get((k, g))
        estimate = known[k * shape[2] + g]
        yield _option(kind, k, g, estimate).model_copy(
            update={
                "place": None if place is None else place[0] + 1,
                "loss": None if place is None else place[1],
                "ranks": () if place is None else place[2],
                "best": None if place is None else place[2][0],
            }
        )


def _option(kind: Kind, k: int, g: int, estimate: Estimate) -> OptionRow:
    reach, raising = kind.reach, kind.gains.raising
    priced = bool(kind.asked.costs) and bool(kind.can_raise[k, g])
    cost = float(kind.costs[k, g])
    return OptionRow(
        by=kind.by,
        group=kind.labels[g],
        option=OPTIONS[k],
        place=None,
        firms=int(kind.firms[g]),
        raised=int(reach.raised[k, g]),
        estimate=estimate,
        positive=float((kind.gains.posterior[:, k, g] > 0).mean()),
        fully=float(reach.fully[k, g]),
        partly=float(reach.partly[k, g]),
        none=float(reach.none[k, g]),
        taken=float(reach.taken[k, g]) if k < len(reach.taken) else None,
        cap=float(raising.caps[k][g]) if k < len(raising.caps) else None,
        near=float(reach.near[k, g]),
        unsupported=kind.unsupported[k][g],
        cost=cost if kind.asked.costs else None,
        per_cost=_over(estimate, cost) if priced else None,
        best=None,
        loss=None,
        ranks=(),
    )


def _over(found: Estimate, cost: float) -> Estimate:
    scaled = {name: getattr(found, name) for name in ("mean", "sd", "low", "high", "mcse")}
    return found.model_copy(
        update={name: None if value is None else value / cost for name, value in scaled.items()}
    )


def node_rows(kind: Kind, gate_passed: bool) -> Iterator[NodeRow]:
    """Human against social capital in each group."""
    posterior, prior = kind.gains.posterior, kind.gains.prior
    extra = estimates(posterior[:, 2] - posterior[:, 0] - posterior[:, 1], kind.chains)
    worth = kind.worth(posterior)
    prior_worth = None if prior is None else kind.worth(prior)
    for g, label in enumerate(kind.labels):
        stopped = _stopped(kind, g, gate_passed)
        base = NodeRow(
            by=kind.by,
            group=label,
            weakest="undecided",
            reason=stopped,
            stopped=stopped,
            probability=None,
            mcse=None,
            prior_probability=None,
            better=None,
            difference=None,
            loss_human_capital=None,
            loss_social_capital=None,
            extra=extra[g],
        )
        if kind.can_raise[:2, g].all():
            earlier = None if prior_worth is None else prior_worth[:, :2, g]
            base = _compared(base, worth[:, :2, g], earlier, kind)
        yield base


def _stopped(kind: Kind, g: int, gate_passed: bool) -> str:
    """What keeps a verdict from being given; nothing where nothing does."""
    if not gate_passed:
        return GATE_FAILED
    for k, capital in enumerate(OPTIONS[:2]):
        if kind.unsupported[k][g]:
            return f"{CAPITAL_WORDS[capital].capitalize()}: {kind.unsupported[k][g]}."
    return ""


def _compared(base: NodeRow, worth: Array, prior: Array | None, kind: Kind) -> NodeRow:
    human, social = worth[:, 0] > worth[:, 1], worth[:, 1] > worth[:, 0]
    weakest, reason = weakest_of(human, social, kind.asked.level, base.stopped)
    losses = expected_losses(worth)
    (difference,) = estimates((worth[:, 0] - worth[:, 1])[:, None], kind.chains)
    return base.model_copy(
        update={
            "weakest": weakest,
            "reason": reason,
            "probability": float(human.mean()),
            "mcse": probability_error(human, kind.chains),
            "prior_probability": None
            if prior is None
            else float((prior[:, 0] > prior[:, 1]).mean()),
            "better": OPTIONS[int(losses.argmin())],
            "difference": difference,
            "loss_human_capital": float(losses[0]),
            "loss_social_capital": float(losses[1]),
        }
    )


def plan_of(kind: Kind, budget: float) -> Plan:
    """Spend a budget on the groups with the largest expected gain."""
    draws, _, groups = kind.gains.posterior.shape
    gains, costs = np.zeros((draws, groups, len(CHOICES))), np.zeros((groups, len(CHOICES)))
    gains[:, :, 1:] = np.swapaxes(kind.gains.posterior, 1, 2) * kind.firms[:, None]
    costs[:, 1:] = kind.costs.T * kind.firms[:, None]
    costs[:, 1:][np.array(kind.unsupported).T != ""] = np.nan
    expected = gains.mean(axis=0)
    plan = best_plan(costs, expected, budget)
    each = plan_gains(plan, gains)  # (draw, step)
    known = estimates(each, kind.chains) if plan else []
    (total,) = estimates(each.sum(axis=1)[:, None], kind.chains)
    rows = []
    for move, estimate in zip(plan, known, strict=True):
        raised = kind.reach.raised[ADDED[move.before, move.after], move.group]
        rows.append(
            PlanRow.model_validate(
                {
                    "by": kind.by,
                    "group": kind.labels[move.group],
                    "before": CHOICES[move.before],
                    "after": CHOICES[move.after],
                    "share": move.share,
                    "firms": int(move.share * raised + ROUNDING),
                    "spent": move.spent,
                    "estimate": estimate,
                }
            )
        )
    return Plan(
        by=kind.by,
        budget=budget,
        spent=sum(move.spent for move in plan),
        rows=tuple(rows),
        gain=total,
        first_best=_first_best(costs, gains) if plan else None,
    )


def _first_best(costs: Array, gains: Array) -> float:
    """Probability that what comes first has the largest gain per unit of cost of all there is."""
    known = np.isfinite(costs) & (costs > 0)
    rates = gains[:, known] / costs[known]  # (draw, group and choice)
    first = rates.mean(axis=0).argmax()
    return float((rates.argmax(axis=1) == first).mean())
