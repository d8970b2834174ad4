"""Which capital holds each group back: gains, what an error costs, what a budget buys."""

from __future__ import annotations

from typing import Literal

from bayescluster.features.ceilings.results import LeastLevel
from bayescluster.results.base import By, Estimate, Value

Capital = Literal["human_capital", "social_capital"]
Option = Literal["human_capital", "social_capital", "both"]
Weakest = Literal["human_capital", "social_capital", "undecided"]


class OptionRow(Value):
    """What goes with raising one capital, or both, in one group.

    ``estimate`` is the gain: the change of the average expected outcome of the group's firms.
    """

    by: By
    group: str
    option: Option
    place: int | None
    """Place by expected worth among the supported options of one capital; null for others."""
    firms: int
    raised: int
    """Firms that are raised at all."""
    estimate: Estimate
    positive: float
    """Posterior probability that the gain is above 0."""
    fully: float
    partly: float
    none: float
    """Shares of the firms that are raised by the whole step, by less, and not at all."""
    taken: float | None
    """Average share of its step that a firm takes; null for both."""
    cap: float | None
    """No firm is raised above this, in sd of the capital; null for both."""
    near: float
    """Share of the raised firms that would have another firm of the group nearby."""
    unsupported: str
    """Why the gain goes beyond the sample; empty where it does not."""
    cost: float | None
    """Average cost a firm."""
    per_cost: Estimate | None
    """Gain per unit of cost."""
    best: float | None = None
    """Probability of being the best of the options that have a place."""
    loss: float | None = None
    """Expected loss of choosing this rather than the best of them, in the unit of worth."""
    ranks: tuple[float, ...] = ()
    """Probability of each rank among them; the first: best."""


class NodeRow(Value):
    """Human against social capital in one group, by worth: gain, or gain per unit of cost.

    Null where one of the two cannot be raised at all.
    """

    by: By
    group: str
    weakest: Weakest
    reason: str
    stopped: str
    """What keeps a capital from being named whatever the probability; empty where nothing does."""
    probability: float | None = None
    """Posterior probability that human capital is the bottleneck: that raising it is worth more."""
    mcse: float | None = None
    prior_probability: float | None
    better: Capital | None = None
    """The capital with the larger expected worth."""
    difference: Estimate | None = None
    """Worth of human capital less worth of social capital."""
    loss_human_capital: float | None = None
    loss_social_capital: float | None = None
    """Expected loss of choosing this capital: the smaller of the two is what perfect information
    would be worth."""
    extra: Estimate
    """Gain of both together less the sum of the two gains."""


class PlanRow(Value):
    """A step of the plan: these firms of a group are raised so."""

    by: By
    group: str
    before: Literal["none", "human_capital", "social_capital"]
    """What these firms have had already."""
    after: Option
    share: float
    """Share of the group's firms."""
    firms: int
    """Whole firms that are raised."""
    spent: float
    estimate: Estimate
    """Gain in expected outcome, summed over the firms of the group."""


class Plan(Value):
    """What a budget buys in one kind of groups."""

    by: By
    budget: float
    spent: float
    rows: tuple[PlanRow, ...]
    gain: Estimate
    """Gain in expected outcome, summed over all firms."""
    first_best: float | None
    """Probability that the option that comes first is truly the best."""


class WeakestNode(Value):
    """Which capital holds each group back."""

    unit: Literal["sd", "original"]
    steps: dict[str, float]
    """Steps as they were declared, in ``unit``; 1 for a 0/1 capital, from no to yes."""
    steps_sd: dict[str, float]
    costs: dict[str, float]
    currency: str
    scope: str
    level: float
    support: float
    min_support: int
    nearby: float
    near_share: float
    draws: int
    """Draws behind the gains."""
    need_draws: int
    """Draws behind the least levels needed; 0 without targets."""
    by: tuple[By, ...]
    targets: tuple[float, ...]
    options: tuple[OptionRow, ...]
    nodes: tuple[NodeRow, ...]
    needs: tuple[LeastLevel, ...]
    """The least of a capital at which the average expected outcome of a group reaches a target, with
    the other capital as it is."""
    plans: tuple[Plan, ...]
    gate_passed: bool
    notes: tuple[str, ...]
    """What is not available, and why."""
