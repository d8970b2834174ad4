"""Which capital holds each group back: draws of the gains, and what follows from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayescluster.arrays import Array, Events
from bayescluster.design.claims import is_bounded
from bayescluster.design.record import Design
from bayescluster.estimands.diagnostics import estimates, probability_error
from bayescluster.estimands.scopes import scoped
from bayescluster.features.ceilings.functional import least_level_rows, least_levels, units_of
from bayescluster.features.ceilings.results import LeastLevel
from bayescluster.features.weakest_node import spec
from bayescluster.features.weakest_node.gains import (
    NEARBY,
    OPTIONS,
    Raising,
    Reach,
    gain_draws,
    mean_along,
    raising_of,
    reach_of,
    supported_levels,
)
from bayescluster.features.weakest_node.results import (
    NodeRow,
    OptionRow,
    Plan,
    PlanRow,
    Weakest,
    WeakestNode,
)
from bayescluster.model.evaluate import Draws
from bayescluster.results.base import By
from bayescluster.spec.data import CAPITALS
from bayescluster.spec.hypotheses import Scope
from bayescluster.verdicts.decide import GATE_FAILED, decide
from bayescluster.verdicts.evidence import Evidence
from bayescluster.verdicts.regions import CAPITAL_WORDS, percent

DRAWS: Final = 2000
"""Draws behind the gains; those of a longer run are thinned evenly."""
PRIOR_DRAWS: Final = 500
"""Draws of the prior behind the prior probability of a bottleneck."""
NEED_DRAWS: Final = 400
"""Draws behind the least levels needed."""
TARGETS: Final[tuple[float, ...]] = (0.25, 0.5, 0.75)
"""Targets of the outcome where none are declared: probabilities, shares."""
NEAR_SHARE: Final = 0.5
"""Least share of the raised firms that must have another nearby for a gain to count as supported."""
ADDED: Final = {(0, 1): 0, (0, 2): 1, (0, 3): 2, (1, 3): 1, (2, 3): 0, (1, 2): 1, (2, 1): 0}
"""Option by which a step of a plan raises firms, from the choices before and after it: 0 leaves them
as they are, the others are the options."""
BEFORE: Final = ("none", *CAPITALS)
ROUNDING: Final = 1e-9

FormNodes = Sequence[tuple[float, WeakestNode | None]]
"""Weight of each form, and the weakest node of its own run."""


@dataclass(frozen=True)
class GroupGains:
    """Gains of one kind of groups with all that their worth depends on.

    Attributes
    ----------
    design, options, raising
        What was declared, and how far firms can be raised.
    posterior, prior
        Gains, ``(draw, option, group)``; no prior for a mixture of forms.
    chains
        Chains of the draws; 0 for a mixture.
    targets
        Levels of the outcome for the bottleneck table.
    along
        Levels of each capital, ``(point, group)``, and the expected outcome there,
        ``(draw, point, group)``; empty without targets.
    """

    design: Design
    options: spec.WeakestNode
    raising: Raising
    posterior: Array
    prior: Array | None
    chains: int
    targets: tuple[float, ...]
    along: tuple[tuple[Array, Array], ...]

    @property
    def by(self) -> By:
        """Kind of the groups."""
        return self.raising.groups.by

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the groups."""
        return self.raising.groups.labels

    @cached_property
    def reach(self) -> Reach:
        """How many firms the options reach."""
        return reach_of(self.design, self.raising)

    @cached_property
    def firms(self) -> NDArray[np.int64]:
        """Firms of each group, ``(group,)``."""
        members = self.raising.groups.members.T
        return np.array([np.unique(self.design.firms[member]).size for member in members])

    @cached_property
    def costs(self) -> Array:
        """Average cost a firm, ``(option, group)``; nan without declared costs."""
        if not self.options.costs:
            return np.full((len(OPTIONS), len(self.labels)), np.nan)
        price = np.array([self.options.costs[capital] for capital in CAPITALS])
        human, social = self.reach.taken * price[:, None]
        return np.stack([human, social, human + social])

    @cached_property
    def can_raise(self) -> Events:
        """Whether the option raises any firm, ``(option, group)``."""
        return self.reach.raised > 0

    @cached_property
    def unsupported(self) -> tuple[tuple[str, ...], ...]:
        """Why each gain goes beyond the sample, by option and group; empty where it does not."""
        reach, least = self.reach, self.options.min_support
        return tuple(
            tuple(
                unsupported_because(int(reach.raised[k, g]), float(reach.near[k, g]), least)
                for g in range(len(self.labels))
            )
            for k in range(len(OPTIONS))
        )

    def worth(self, gains: Array) -> Array:
        """Gain, or gain per unit of cost, same shape; nan where nobody is raised."""
        costs = self.costs if self.options.costs else 1.0
        return np.asarray(gains / np.where(self.can_raise, costs, np.nan))

    def stopped(self, g: int) -> str:
        """What keeps a capital of a group from being named; nothing where nothing does."""
        for k, capital in enumerate(CAPITALS):
            if self.unsupported[k][g]:
                return f"{CAPITAL_WORDS[capital].capitalize()}: {self.unsupported[k][g]}."
        return ""


def node_draws(evidence: Evidence, parts: Sequence[Evidence] = ()) -> tuple[GroupGains, ...]:
    """Compute gains of every kind of groups; none unless the analysis asks for the weakest node.

    Parameters
    ----------
    evidence
        The fit, or the mixture of several forms.
    parts
        The forms of a mixture, each with its share of the draws: their gains are put one after the
        other.
    """
    design, options = evidence.design, evidence.design.analysis.weakest_node
    if options is None or not design.has_both:
        return ()
    data, kinds = design.analysis.data, options.by
    if kinds is None:
        industry = data.industry is not None
        cluster = data.cluster is not None and options.scope == "observed"
        declared: tuple[tuple[By, bool], ...] = (("industry", industry), ("cluster", cluster))
        kinds = tuple(by for by, there in declared if there) or ("all",)
    raisings = [raising_of(design, evidence.posterior, options, by) for by in kinds]
    gains = partial(gain_draws, raisings=raisings)
    posterior = _of_forms(evidence, parts, DRAWS, options.scope, gains)
    prior: Sequence[Array | None] = [None] * len(raisings)
    if not parts:
        few = evidence.prior.thinned(PRIOR_DRAWS)
        prior = gains(design, scoped(design, few, options.scope, evidence.seed))
    targets = TARGETS if is_bounded(design.equation) else ()
    if options.targets is not None:
        targets = tuple(sorted(set(options.targets)))
    chains, groups = 0 if parts else evidence.posterior.chains, []
    for raising, after, before in zip(raisings, posterior, prior, strict=True):
        along: tuple[tuple[Array, Array], ...] = ()
        if targets:
            levels = supported_levels(design, raising, options.support)
            curves = partial(mean_along, raising=raising, levels=levels)
            means = _of_forms(evidence, parts, NEED_DRAWS, options.scope, curves)
            along = tuple(zip(levels, means, strict=True))
        groups.append(GroupGains(design, options, raising, after, before, chains, targets, along))
    return tuple(groups)


def _of_forms(
    evidence: Evidence,
    parts: Sequence[Evidence],
    count: int,
    scope: Scope,
    compute: Callable[[Design, Draws], list[Array]],
) -> list[Array]:
    """Compute from thinned posterior draws; those of several forms, in their shares, are joined."""
    whole = sum(part.posterior.size for part in parts)
    results = []
    for one in parts or (evidence,):
        if parts:
            some = one.posterior.thinned(max(1, round(count * one.posterior.size / whole)))
        else:
            some = one.posterior.thinned_by_chain(count)
        results.append(compute(one.design, scoped(one.design, some, scope, one.seed)))
    return [np.concatenate(same) for same in zip(*results, strict=True)]


def node_estimands(kinds: Sequence[GroupGains]) -> dict[str, Array]:
    """Every gain by name, ``(draw,)`` each, for the gate."""
    return {
        f"gain of {option} ({group if kind.by == 'all' else f'{kind.by} {group}'}; "
        f"{kind.options.scope})": kind.posterior[:, k, g]
        for kind in kinds
        for k, option in enumerate(OPTIONS)
        for g, group in enumerate(kind.labels)
    }


def weakest_node(
    kinds: Sequence[GroupGains], gate_passed: bool, forms: FormNodes = ()
) -> WeakestNode | None:
    """Summarise which capital holds groups back; nothing where the analysis does not ask.

    Parameters
    ----------
    kinds
        Gains of every kind of groups, of a fit or of the mixture of several forms.
    gate_passed
        Whether the diagnostics gate passed: of a mixture, that of every form that counts.
    forms
        The forms of a mixture: prior probabilities are averages of theirs.
    """
    if not kinds:
        return None
    first = kinds[0]
    options, design = first.options, first.design
    steps = {name: 1.0 if design.is_binary(name) else options.step(name) for name in CAPITALS}
    return WeakestNode(
        unit=options.unit,
        steps=steps,
        steps_sd=dict(zip(CAPITALS, first.raising.steps, strict=True)),
        costs={name: options.costs[name] for name in CAPITALS if options.costs},
        currency=options.currency,
        scope=options.scope,
        level=options.level,
        support=options.support,
        min_support=options.min_support,
        nearby=NEARBY,
        near_share=NEAR_SHARE,
        draws=len(first.posterior),
        need_draws=len(first.along[0][1]) if first.along else 0,
        by=tuple(kind.by for kind in kinds),
        targets=first.targets,
        options=tuple(row for kind in kinds for row in option_rows(kind)),
        nodes=tuple(row for kind in kinds for row in node_rows(kind, gate_passed, forms)),
        needs=tuple(row for kind in kinds for row in _needs(kind)),
        plans=tuple(plan_of(kind, options.budget) for kind in kinds if options.budget is not None),
        gate_passed=gate_passed,
        notes=tuple(_notes(first, forms)),
    )


def option_rows(kind: GroupGains) -> Iterator[OptionRow]:
    """One row for each option and group: those with a place first, in their order."""
    draws, options, groups = kind.posterior.shape
    gains = estimates(kind.posterior.reshape(draws, -1), kind.chains)
    worth = kind.worth(kind.posterior)
    expected = worth.mean(axis=0)
    every = [(k, g) for k in range(options) for g in range(groups)]
    placed = [(k, g) for k, g in every if k < len(CAPITALS) and not kind.unsupported[k][g]]
    placed.sort(key=lambda option: -expected[option])
    if placed:
        compared = np.stack([worth[:, k, g] for k, g in placed], axis=1)
        losses, ranks = expected_losses(compared), rank_probabilities(compared)
    reach, caps = kind.reach, kind.raising.caps
    for p, (k, g) in enumerate([*placed, *(option for option in every if option not in placed)]):
        gain, cost, has_place = gains[k * groups + g], float(kind.costs[k, g]), p < len(placed)
        priced = bool(kind.options.costs)
        yield OptionRow(
            by=kind.by,
            group=kind.labels[g],
            option=OPTIONS[k],
            place=p + 1 if has_place else None,
            firms=int(kind.firms[g]),
            raised=int(reach.raised[k, g]),
            estimate=gain,
            positive=float((kind.posterior[:, k, g] > 0).mean()),
            fully=float(reach.fully[k, g]),
            partly=float(reach.partly[k, g]),
            none=float(reach.none[k, g]),
            taken=float(reach.taken[k, g]) if k < len(CAPITALS) else None,
            cap=float(caps[k][g]) if k < len(CAPITALS) else None,
            near=float(reach.near[k, g]),
            unsupported=kind.unsupported[k][g],
            cost=cost if priced else None,
            per_cost=gain.times(1 / cost) if priced and kind.can_raise[k, g] else None,
            best=float(ranks[p][0]) if has_place else None,
            loss=float(losses[p]) if has_place else None,
            ranks=tuple(map(float, ranks[p])) if has_place else (),
        )


def node_rows(kind: GroupGains, gate_passed: bool, forms: FormNodes) -> Iterator[NodeRow]:
    """Human against social capital in each group."""
    posterior = kind.posterior
    extra = estimates(posterior[:, 2] - posterior[:, 0] - posterior[:, 1], kind.chains)
    worths = kind.worth(posterior)
    priors = None if kind.prior is None else kind.worth(kind.prior)
    for g, label in enumerate(kind.labels):
        stopped = kind.stopped(g) if gate_passed else GATE_FAILED
        compared = bool(kind.can_raise[:2, g].all())
        prior = _prior_of_forms(forms, kind.by, label) if forms else None
        if priors is not None and compared:
            prior = float((priors[:, 0, g] > priors[:, 1, g]).mean())
        row = partial(
            NodeRow,
            by=kind.by,
            group=label,
            stopped=stopped,
            prior_probability=prior,
            extra=extra[g],
        )
        if not compared:
            yield row(weakest="undecided", reason=stopped)
            continue
        worth = worths[:, :2, g]
        human, social = worth[:, 0] > worth[:, 1], worth[:, 1] > worth[:, 0]
        weakest, reason = weakest_of(human, social, kind.options.level, stopped)
        losses = expected_losses(worth)
        (difference,) = estimates((worth[:, 0] - worth[:, 1])[:, None], kind.chains)
        yield row(
            weakest=weakest,
            reason=reason,
            probability=float(human.mean()),
            mcse=probability_error(human, kind.chains),
            better=CAPITALS[int(losses.argmin())],
            difference=difference,
            loss_human_capital=float(losses[0]),
            loss_social_capital=float(losses[1]),
        )


def _prior_of_forms(forms: FormNodes, by: By, group: str) -> float | None:
    """Average prior probability of the forms; nothing where a form that has a weight has none."""
    total = 0.0
    for weight, node in forms:
        rows = node.nodes if node else ()
        prior = next((r.prior_probability for r in rows if (r.by, r.group) == (by, group)), None)
        if weight and prior is None:
            return None
        total += weight * (prior or 0.0)
    return total


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
        return "no firm is below the most that its group supports"
    if raised < min_support:
        return f"only {raised} of its firms can be raised, fewer than {min_support}"
    if near < NEAR_SHARE:
        return (
            f"only {100 * near:.0f}% of the raised firms would have another firm of the group nearby: "
            "the gain would rest on extrapolation"
        )
    return ""


def weakest_of(human: Events, social: Events, level: float, stopped: str) -> tuple[Weakest, str]:
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
            return capital, (
                f"{percent(share)} of the posterior has the larger gain with {CAPITAL_WORDS[capital]}, "
                f"at least the {100 * level:.4g}% asked for."
            )
    return "undecided", (
        f"{percent(float(human.mean()))} of the posterior has the larger gain with human capital: "
        f"neither capital has the {100 * level:.4g}% asked for."
    )


def _needs(kind: GroupGains) -> Iterator[LeastLevel]:
    """The least of each capital that a group needs for each target."""
    bounded = is_bounded(kind.design.equation)
    percents = [100 * target if bounded else None for target in kind.targets]
    for capital, (levels, means) in zip(CAPITALS, kind.along, strict=False):
        between = not kind.design.is_binary(capital)
        for g, group in enumerate(kind.labels):
            draws = least_levels(levels[:, g], means[:, :, g], kind.targets, between=between)
            units = units_of(kind.design, capital, levels[0, g], levels[-1, g])
            key = (capital, kind.by, group)
            yield from least_level_rows(key, draws, kind.targets, percents, units)


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


def plan_of(kind: GroupGains, budget: float) -> Plan:
    """Spend a budget on the groups with the largest expected gain."""
    draws, options, groups = kind.posterior.shape
    gains, costs = np.zeros((draws, groups, 1 + options)), np.zeros((groups, 1 + options))
    gains[:, :, 1:] = np.swapaxes(kind.posterior, 1, 2) * kind.firms[:, None]
    costs[:, 1:] = kind.costs.T * kind.firms[:, None]
    costs[:, 1:][np.array(kind.unsupported).T != ""] = np.nan
    plan = best_plan(costs, gains.mean(axis=0), budget)
    each = plan_gains(plan, gains)  # (draw, step)
    (total,) = estimates(each.sum(axis=1)[:, None], kind.chains)
    rows = []
    for move, gain in zip(plan, estimates(each, kind.chains) if plan else [], strict=True):
        raised = kind.reach.raised[ADDED[move.before, move.after], move.group]
        rows.append(
            PlanRow(
                by=kind.by,
                group=kind.labels[move.group],
                before=BEFORE[move.before],
                after=OPTIONS[move.after - 1],
                share=move.share,
                firms=int(move.share * raised + ROUNDING),
                spent=move.spent,
                estimate=gain,
            )
        )
    first_best = None
    if plan:
        affordable = np.isfinite(costs) & (costs > 0)
        rates = gains[:, affordable] / costs[affordable]  # (draw, group and choice)
        first_best = float((rates.argmax(axis=1) == rates.mean(axis=0).argmax()).mean())
    return Plan(
        by=kind.by,
        budget=budget,
        spent=sum(move.spent for move in plan),
        rows=tuple(rows),
        gain=total,
        first_best=first_best,
    )


def best_plan(costs: Array, gains: Array, budget: float) -> tuple[Move, ...]:
    """Spend a budget with the largest expected gain.

    Parameters
    ----------
    costs, gains
        Of each choice for all firms of a group, ``(group, choice)``; the first choice costs and gains
        nothing, one that is not available is nan.
    budget
        What can be spent, in the unit of the costs.

    Returns
    -------
    tuple of Move
        In the order of spending; less than the budget is spent where nothing more would gain.
    """
    moves = [move for k in range(len(costs)) for move in _hull(k, costs[k], gains[k])]
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


def _hull(group: int, costs: Array, gains: Array) -> Iterator[Move]:
    """Steps along the upper hull of gain over cost of one group."""
    at = 0
    while (further := np.flatnonzero(costs > costs[at])).size:
        rates = (gains[further] - gains[at]) / (costs[further] - costs[at])
        best = int(rates.argmax())
        if not rates[best] > 0:
            return
        after = int(further[best])
        yield Move(group, at, after, 1.0, float(costs[after] - costs[at]), float(rates[best]))
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


def _notes(kind: GroupGains, forms: FormNodes) -> Iterator[str]:
    """What is not available, and what was taken in its place; in sentences."""
    if forms:
        yield f"Gains are averaged over {len(forms)} forms by their weights."
    for capital in CAPITALS:
        if kind.design.is_binary(capital):
            yield f"{CAPITAL_WORDS[capital].capitalize()} is yes or no: a step is from no to yes."
    if latent := [CAPITAL_WORDS[each] for each in CAPITALS if kind.design.is_latent(each)]:
        who, have = (
            ("Both capitals are", "they have")
            if len(latent) > 1
            else (f"{latent[0].capitalize()} is", "it has")
        )
        yield f"{who} latent: caps are quantiles of the posterior within the group, and {have} no units."
    if not kind.options.costs:
        yield "No costs were declared: gains are compared as they are, not per unit of cost."
    if not kind.targets:
        yield "No targets were declared, and the outcome has no default ones: no bottleneck table."
