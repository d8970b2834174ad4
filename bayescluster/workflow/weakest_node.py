"""Which capital holds each group back: draws of the gains, and what follows from them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from bayescluster.arrays import Array
from bayescluster.design.claims import is_bounded
from bayescluster.design.record import Design
from bayescluster.estimands.needed import (
    NOT_NEEDED,
    NOT_REACHED,
    least_needed,
    mean_along,
    supported_levels,
)
from bayescluster.estimands.raising import NEARBY, OPTIONS, Raising, gain_draws, raising_of
from bayescluster.estimands.scopes import scoped
from bayescluster.hypotheses.evidence import Evidence
from bayescluster.hypotheses.weakest_node import NEAR_SHARE
from bayescluster.hypotheses.words import CAPITAL_WORDS
from bayescluster.model.evaluate import Draws
from bayescluster.names import CAPITALS
from bayescluster.results.base import INTERVAL, By
from bayescluster.results.weakest_node import Level, NeedRow, NodeRow, WeakestNode
from bayescluster.spec import weakest_node as spec
from bayescluster.workflow.averaging import Averaged
from bayescluster.workflow.weakest_rows import Gains, Kind, node_rows, option_rows, plan_of

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
