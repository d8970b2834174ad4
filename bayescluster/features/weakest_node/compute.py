"""Which capital holds each group back: draws of the gains, and what follows from them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayescluster.arrays import Array
from bayescluster.design.claims import is_bounded
from bayescluster.design.record import Design
from bayescluster.estimands.scopes import scoped
from bayescluster.estimands.summary import estimates, probability_error
from bayescluster.features.weakest_node import spec
from bayescluster.features.weakest_node.gains import (
    NEARBY,
    NOT_NEEDED,
    NOT_REACHED,
    OPTIONS,
    Raising,
    Reach,
    gain_draws,
    least_needed,
    mean_along,
    raising_of,
    reach_of,
    supported_levels,
)
from bayescluster.features.weakest_node.results import (
    Level,
    NeedRow,
    NodeRow,
    OptionRow,
    Plan,
    PlanRow,
    WeakestNode,
)
from bayescluster.features.weakest_node.spec import WeakestNode as WeakestNodeOptions
from bayescluster.model.evaluate import Draws
from bayescluster.names import CAPITALS
from bayescluster.results.base import INTERVAL, By, Estimate
from bayescluster.verdicts.averaging import Averaged
from bayescluster.verdicts.evidence import Evidence
from bayescluster.verdicts.regions import CAPITAL_WORDS, percent
from bayescluster.verdicts.decide import GATE_FAILED, decide

Weakest = Literal["human_capital", "social_capital", "undecided"]
NEAR_SHARE = 0.5
"""Least share of the raised firms that must have another nearby for a gain to count as supported."""


def expected_losses(worth: Array) -> Array:
    """Expected loss of choosing each option, ``(option,)``, from its worth, ``(draw, option)``."""
    return np.asarray((worth.max(axis=1, keepdims=True) - worth).mean(axis=0))


def rank_probabilities(worth: Array) -> Array:
    """Probability of every rank of every option, ``(option, rank)``; rank 1, the largest, first.

    Options of equal worth keep their order, so that rows and columns sum to 1.
    """
    rank = (-worth).argsort(axis=1, kind="stable").argsort(axis=1)
    return np.asarray((rank[:, :, None] == np.arange(worth.shape[1])).mean(axis=0))


def unsupported_because(raised: int, near: float, min_support: int) -> str:
    """Why the gain of an option goes beyond the sample; nothing where it does not."""
    if not raised:
        return "no firm stands below the most that its group supports"
    if raised < min_support:
        return f"only {raised} of its firms can be raised, fewer than {min_support}"
    if near < NEAR_SHARE:
        return (
            f"only {100 * near:.0f}% of the raised firms would have another firm of the group nearby: "
            "the gain would rest on extrapolation"
        )
    return ""


def weakest_of(
    human: NDArray[np.bool_], social: NDArray[np.bool_], level: float, stopped: str
) -> tuple[Weakest, str]:
    """Name the capital whose gain is larger, if that is sure enough; and why.

    Parameters
    ----------
    human, social
        Draws in which the capital is worth more than the other, ``(draw,)``; neither where equal.
    level
        Probability from which a capital is named.
    stopped
        What keeps a verdict from being given, if anything.
    """
    if stopped:
        return "undecided", stopped
    for capital, event in zip(CAPITALS, (human, social), strict=True):
        share = float(event.mean())
        if decide(share, level, "")[0] == "supported":
            named: Weakest = "human_capital" if capital == CAPITALS[0] else "social_capital"
            return named, (
                f"{percent(share)} of the posterior has the larger gain with {CAPITAL_WORDS[capital]}, "
                f"at least the {100 * level:.4g}% asked for."
            )
    return "undecided", (
        f"{percent(float(human.mean()))} of the posterior has the larger gain with human capital: "
        f"neither capital has the {100 * level:.4g}% asked for."
    )


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
    asked: WeakestNodeOptions
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


DRAWS = 2000
"""Draws behind the gains; those of a longer run are thinned evenly."""
PRIOR_DRAWS = 500
"""Draws of the prior by which the prior probability of a bottleneck is told."""
NEED_DRAWS = 400
"""Draws behind the bottleneck table."""
TARGETS = (0.25, 0.5, 0.75)
"""Levels of the outcome for the bottleneck table where none are declared: probabilities, shares."""

QUANTILES = ((1 - INTERVAL) / 2, 0.5, (1 + INTERVAL) / 2)


class NodeDraws(NamedTuple):
    """Gains of every kind of groups at each draw, and the expected outcome along each capital.

    ``along`` is ``(draw, point, group)`` for each kind and capital, ``levels`` the points,
    ``(point, group)``; both are empty without targets.
    """

    kinds: tuple[Kind, ...]
    targets: tuple[float, ...]
    levels: tuple[tuple[Array, Array], ...]
    along: tuple[list[Array], ...]


def node_draws(evidence: Evidence, parts: Sequence[Evidence] = ()) -> NodeDraws | None:
    """Compute gains, if the analysis asks which capital holds groups back.

    Parameters
    ----------
    evidence
        The fit, or the mixture of several forms.
    parts
        The forms of a mixture, each with its share of the draws: their gains are put one after the
        other.
    """
    design, asked = evidence.design, evidence.design.analysis.weakest_node
    if asked is None or not design.has_capitals:
        return None
    raisings = [
        raising_of(design, evidence.posterior, asked, by) for by in kinds_asked(design, asked)
    ]
    posterior = _joined(
        gain_draws(one.design, draws, raisings) for one, draws in _drawn(evidence, parts, DRAWS)
    )
    prior = [None] * len(raisings) if parts else _prior(evidence, raisings, asked)
    gains = [Gains(*each) for each in zip(raisings, posterior, prior, strict=True)]
    chains = 0 if parts else evidence.posterior.chains
    targets = targets_of(design, asked)
    levels = [supported_levels(design, one, asked.support) for one in raisings if targets]
    return NodeDraws(
        tuple(Kind(design, asked, each, chains) for each in gains),
        targets,
        tuple(levels),
        tuple(_along(evidence, parts, raisings, levels)) if targets else (),
    )


def kinds_asked(design: Design, asked: spec.WeakestNode) -> tuple[By, ...]:
    """Kinds of groups that are asked for."""
    if asked.by is not None:
        return asked.by
    data = design.analysis.data
    found: list[By] = ["industry"] if data.industry is not None else []
    if data.cluster is not None and asked.scope == "observed":
        found.append("cluster")
    return tuple(found) or ("all",)


def targets_of(design: Design, asked: spec.WeakestNode) -> tuple[float, ...]:
    """Levels of the outcome for the bottleneck table, from low to high."""
    if asked.targets is not None:
        return tuple(sorted(set(asked.targets)))
    return TARGETS if is_bounded(design.equation) else ()


def _drawn(
    evidence: Evidence, parts: Sequence[Evidence], count: int
) -> Iterator[tuple[Evidence, Draws]]:
    """Posterior draws under the scope asked for, thinned; those of forms in their shares."""
    asked = evidence.design.analysis.weakest_node
    assert asked is not None
    whole = sum(part.posterior.size for part in parts)
    for one in parts or (evidence,):
        if parts:
            some = one.posterior.thinned(max(1, round(count * one.posterior.size / whole)))
        else:
            some = one.posterior.thinned_by_chain(count)
        yield one, scoped(one.design, some, asked.scope, one.seed)


def _joined(found: Iterator[list[Array]]) -> list[Array]:
    """Draws of the forms one after the other, for each kind of groups or each capital."""
    return [np.concatenate(same) for same in zip(*found, strict=True)]


def _prior(evidence: Evidence, raisings: Sequence[Raising], asked: spec.WeakestNode) -> list[Array]:
    draws = scoped(evidence.design, evidence.prior.thinned(PRIOR_DRAWS), asked.scope, evidence.seed)
    return gain_draws(evidence.design, draws, raisings)


def _along(
    evidence: Evidence,
    parts: Sequence[Evidence],
    raisings: Sequence[Raising],
    levels: Sequence[tuple[Array, Array]],
) -> Iterator[list[Array]]:
    for raising, level in zip(raisings, levels, strict=True):
        yield _joined(
            mean_along(one.design, draws, raising, level)
            for one, draws in _drawn(evidence, parts, NEED_DRAWS)
        )


def node_estimands(drawn: NodeDraws | None) -> dict[str, Array]:
    """Every gain by name, ``(draw,)`` each, for the gate."""
    if drawn is None:
        return {}
    return {
        f"gain of {option} ({_label(kind.by, group)}; {kind.asked.scope})": kind.gains.posterior[
            :, k, column
        ]
        for kind in drawn.kinds
        for k, option in enumerate(OPTIONS)
        for column, group in enumerate(kind.labels)
    }


def _label(by: By, group: str) -> str:
    return group if by == "all" else f"{by} {group}"


def weakest_node(drawn: NodeDraws | None, gate_passed: bool) -> WeakestNode | None:
    """Everything that the gains say of which capital holds groups back."""
    if drawn is None:
        return None
    kinds = drawn.kinds
    asked, design = kinds[0].asked, kinds[0].design
    return WeakestNode(
        unit=asked.unit,
        steps={
            capital: 1.0 if design.is_binary(capital) else asked.step(capital)
            for capital in CAPITALS
        },
        steps_sd=dict(zip(CAPITALS, kinds[0].gains.raising.steps, strict=True)),
        costs={name: asked.costs[name] for name in CAPITALS if asked.costs},
        currency=asked.currency,
        scope=asked.scope,
        level=asked.level,
        support=asked.support,
        min_support=asked.min_support,
        nearby=NEARBY,
        near_share=NEAR_SHARE,
        draws=len(kinds[0].gains.posterior),
        need_draws=len(drawn.along[0][0]) if drawn.along else 0,
        by=tuple(kind.by for kind in kinds),
        targets=drawn.targets,
        options=tuple(row for kind in kinds for row in option_rows(kind)),
        nodes=tuple(row for kind in kinds for row in node_rows(kind, gate_passed)),
        needs=tuple(_needs(drawn)),
        plans=() if asked.budget is None else tuple(plan_of(kind, asked.budget) for kind in kinds),
        gate_passed=gate_passed,
        notes=tuple(_notes(drawn)),
    )


def averaged_node(
    mixture: Averaged, own: Sequence[tuple[float, WeakestNode | None]], gate_passed: bool
) -> WeakestNode | None:
    """The same of several forms, their draws mixed by weight.

    Parameters
    ----------
    mixture
        The mixture of the forms.
    own
        Weight of each form, and what its own run found: prior probabilities are averages of theirs.
    gate_passed
        Whether every form that counts passed its gate.
    """
    found = weakest_node(node_draws(mixture, mixture.parts), gate_passed)
    if found is None:
        return None
    note = f"Gains are averaged over {len(own)} forms by their weights."
    nodes = tuple(
        row.model_copy(update={"prior_probability": _prior_of(row, own)}) for row in found.nodes
    )
    return found.model_copy(update={"nodes": nodes, "notes": (note, *found.notes)})


def _prior_of(row: NodeRow, own: Sequence[tuple[float, WeakestNode | None]]) -> float | None:
    """Average prior probability of the forms; nothing where a form that has a weight tells none."""
    total = 0.0
    for weight, node in own:
        same = [
            each.prior_probability
            for each in (node.nodes if node else ())
            if (each.by, each.group) == (row.by, row.group)
        ]
        if weight and (not same or same[0] is None):
            return None
        total += weight * (same[0] or 0.0 if same else 0.0)
    return total


def _needs(drawn: NodeDraws) -> Iterator[NeedRow]:
    for kind, levels, along in zip(drawn.kinds, drawn.levels, drawn.along, strict=False):
        for capital, points, means in zip(CAPITALS, levels, along, strict=True):
            between = not kind.design.is_binary(capital)
            found = least_needed(points, means, drawn.targets, between=between)
            for column, group in enumerate(kind.labels):
                for position, target in enumerate(drawn.targets):
                    draws = found[:, position, column]
                    low, middle, high = (_level(kind.design, capital, draws, q) for q in QUANTILES)
                    yield NeedRow.model_validate(
                        {
                            "by": kind.by,
                            "group": group,
                            "capital": capital,
                            "target": target,
                            "low": low,
                            "middle": middle,
                            "high": high,
                            "not_needed": float((draws == NOT_NEEDED).mean()),
                            "not_reached": float((draws == NOT_REACHED).mean()),
                        }
                    )


def _level(design: Design, capital: str, draws: Array, quantile: float) -> Level:
    """Quantile of levels among which "not needed" comes first and "not reached" last."""
    # a quantile that is one of the draws: between a level and infinity there is nothing
    value = float(np.quantile(draws, quantile, method="inverted_cdf"))
    if not np.isfinite(value):
        return Level(value=None, original=None, word="NN" if value == NOT_NEEDED else "NA")
    unit = design.scaling(capital)
    original = None if design.is_latent(capital) else unit.center + unit.scale * value
    return Level(value=value, original=original, word="")


def _notes(drawn: NodeDraws) -> Iterator[str]:
    """What is not there, and what stands for something else; in sentences."""
    asked, design = drawn.kinds[0].asked, drawn.kinds[0].design
    for capital in CAPITALS:
        if design.is_binary(capital):
            yield f"{CAPITAL_WORDS[capital].capitalize()} is yes or no: a step is from no to yes."
        if design.is_latent(capital):
            yield (
                f"{CAPITAL_WORDS[capital].capitalize()} is latent: caps are quantiles of its "
                "posterior within the group, and it has no units of its own."
            )
    if not asked.costs:
        yield "No costs were declared: gains are compared as they are, not per unit of cost."
    if not drawn.targets:
        yield "No targets were declared, and the outcome has no default ones: no bottleneck table."
