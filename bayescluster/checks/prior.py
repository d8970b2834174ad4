"""Prior predictive checks: what a model expects before it has seen an outcome.

Nothing here compares with observed outcomes. What is asked is how much of the prior lies where no
one would expect it: groups in which all or none succeed, means that span orders of magnitude.
Source: Gabry, Simpson, Vehtari, Betancourt and Gelman (2019), JRSS A 182(2), section 3.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayescluster.arrays import Array
from bayescluster.checks.predictive import known_of, statistics
from bayescluster.checks.thresholds import (
    PRIOR_EDGE,
    PRIOR_EDGE_SHARE,
    PRIOR_MAGNITUDES,
    PRIOR_ODDS,
    PRIOR_TURNS,
)
from bayescluster.design.record import Design
from bayescluster.estimands.membership import Groups, declared_groups
from bayescluster.estimands.summary import number
from bayescluster.results.base import INTERVAL
from bayescluster.results.prior import Outlook, PriorPredictiveRow, PriorRange, PriorSpread

Events = NDArray[np.bool_]
ROUNDING = 1e-12
"""1 - 0.8 is a little less than 0.2 in binary; a probability of 0.2 is at the bound all the same."""


def spread(draws: Array) -> PriorSpread:
    """Summarise prior draws, ``(draw,)``, by quantiles; some priors have no mean."""
    tail = (1 - INTERVAL) / 2
    with np.errstate(all="ignore"):
        low, median, high = np.quantile(draws, [tail, 0.5, 1 - tail])
        mean = draws.mean()
    found = (number(float(value)) for value in (median, low, high, mean))
    return PriorSpread(**dict(zip(("median", "low", "high", "mean"), found, strict=True)))


def prior_predictive(design: Design, replicated: Array) -> tuple[PriorPredictiveRow, ...]:
    """Statistics of outcomes drawn from the prior, over all firms and by industry.

    Parameters
    ----------
    design
        The design; its outcomes are not looked at.
    replicated
        Outcomes drawn from the prior, ``(draw, row)``.
    """
    rows = []
    for groups, k in _shown(design):
        members = np.flatnonzero(groups.members[:, k])
        known = known_of(design, groups.of_rows, members)
        for what, statistic in statistics(design).items():
            rows.append(
                PriorPredictiveRow(
                    by=groups.by,
                    group=groups.labels[k],
                    rows=members.size,
                    statistic=what,
                    spread=spread(statistic(replicated[:, members], known)),
                )
            )
    return tuple(rows)


class Implausible(NamedTuple):
    """What is held to be implausible of a group: in words, how much of it, and which draws."""

    words: str
    share: float | None
    flagged: bool
    event: Events | None


class Ranged(NamedTuple):
    """A row of the table, and the draws that are implausible, ``(draw,)``."""

    row: PriorRange
    event: Events | None


def prior_ranges(design: Design, expected: Array, replicated: Array) -> tuple[Ranged, ...]:
    """Say which expected outcomes the prior allows, over all firms and by industry.

    Parameters
    ----------
    design
        The design; its outcomes are not looked at.
    expected
        Expected outcome of every row on the scale that is reported, ``(draw, row)``.
    replicated
        Outcomes drawn from the prior, ``(draw, row)``.
    """
    found = []
    for groups, k in _shown(design):
        with np.errstate(all="ignore"):
            mean = expected @ groups.weights[:, k]
        hard = _implausible(design, mean, replicated[:, groups.members[:, k]])
        row = PriorRange(
            by=groups.by,
            group=groups.labels[k],
            rows=groups.sizes[k],
            spread=spread(mean),
            possible=possible(design),
            implausible=hard.words,
            share=hard.share,
            flagged=hard.flagged,
        )
        found.append(Ranged(row, hard.event))
    return tuple(found)


def _shown(design: Design) -> Iterator[tuple[Groups, int]]:
    """Groups that are told of: all firms, and each industry."""
    for groups in declared_groups(design):
        if groups.by != "cluster":
            for k in range(len(groups.labels)):
                yield groups, k


def possible(design: Design) -> str:
    """Values that an expected outcome can have, declared or by its scale, in words."""
    if design.bar is not None or design.family.scale in ("probability", "share"):
        return "0 to 1"
    if design.levels:
        last = len(design.levels) - 1
        return f"0 ({design.levels[0]}) to {last} ({design.levels[-1]})"
    declared = declared_range(design)
    if declared is not None:
        return f"declared: {declared[0]:g} to {declared[1]:g}"
    return "above 0" if design.family.link == "log" or _positive(design) else "any number"


def declared_range(design: Design) -> tuple[float, float] | None:
    """Range of the outcome that the analysis declares for its ceilings, where it does."""
    models = design.analysis.traditions.ceiling_models
    limits = None if models is None else models.scope.outcome
    focus = design.equation_name == design.analysis.equation_name
    return (limits.low, limits.high) if limits is not None and focus else None


def _positive(design: Design) -> bool:
    return design.family.name == "lognormal"


def _implausible(design: Design, mean: Array, replicated: Array) -> Implausible:
    if design.bar is not None or design.family.scale in ("probability", "share"):
        return _share(
            f"mean within {PRIOR_EDGE:g} of 0 or 1", (mean < PRIOR_EDGE) | (mean > 1 - PRIOR_EDGE)
        )
    if design.levels:
        most = np.max([(replicated == k).mean(axis=1) for k in range(len(design.levels))], axis=0)
        return _share(f"at least {1 - PRIOR_EDGE:.0%} of firms at one level", most > 1 - PRIOR_EDGE)
    declared = declared_range(design)
    if declared is not None:
        low, high = declared
        return _share("mean outside the declared range", ~((mean >= low) & (mean <= high)))
    if design.family.scale == "rate" or _positive(design):
        return _magnitudes(mean)
    return Implausible("", None, False, None)


def _share(words: str, event: Events) -> Implausible:
    share = float(event.mean())
    return Implausible(words, share, share > PRIOR_EDGE_SHARE, event)


def _magnitudes(mean: Array) -> Implausible:
    """Orders of magnitude that the central part of the prior spans."""
    tail = (1 - INTERVAL) / 2
    with np.errstate(all="ignore"):
        logs = np.log10(np.maximum(mean, np.finfo(float).tiny))
        low, high = np.quantile(np.minimum(logs, np.log10(np.finfo(float).max)), [tail, 1 - tail])
    span = float(high - low)
    words = f"mean over more than {PRIOR_MAGNITUDES:g} orders of magnitude"
    return Implausible(words, span, span > PRIOR_MAGNITUDES, (logs < low) | (logs > high))


def outlook(probability: float, level: float, error: float = 0.0) -> Outlook:
    """Whether the prior decides a claim by itself, leans, or leaves it open.

    Parameters
    ----------
    probability
        Prior probability of the event.
    level
        Level of the verdict.
    error
        Monte Carlo standard error of the probability: a lean is told where it is beyond two of them.
    """
    if probability >= level:
        return "decided_for"
    if probability <= 1 - level + ROUNDING:
        return "decided_against"
    beyond = PRIOR_ODDS / (1 + PRIOR_ODDS)
    if probability - 2 * error >= beyond:
        return "leans_for"
    return "leans_against" if probability + 2 * error <= 1 - beyond else "open"


def needed_odds(probability: float, level: float) -> tuple[float | None, float | None]:
    """Factors by which data must multiply, or divide, the odds of a claim for a verdict.

    Returns
    -------
    tuple
        Factor to support it, and to reject it; at most 1 where the prior alone does. Nothing where
        the probability is 0 or 1: draws cannot tell such odds.
    """
    if not 0 < probability < 1:
        return None, None
    odds, bound = probability / (1 - probability), level / (1 - level)
    return bound / odds, odds * bound


def turns_on(event: Events, parameters: Mapping[str, Array]) -> tuple[str, float] | None:
    """Find the parameter that an event turns most on, and its correlation over prior draws.

    Either with its value or with its distance from the median: an extreme outcome comes of slopes far
    out on either side. Nothing where the event is the same in every draw, or none stands out.

    Parameters
    ----------
    event
        The event, ``(draw,)``.
    parameters
        Draws of each parameter, ``(draw,)``, by name.
    """
    if event.all() or not event.any():
        return None
    best = ("", 0.0)
    for name, values in parameters.items():
        if not np.isfinite(values).all() or np.ptp(values) == 0:
            continue
        for seen in (values, abs(values - np.median(values))):
            found = float(np.corrcoef(event, seen)[0, 1])
            if abs(found) > abs(best[1]):
                best = (name, found)
    return best if abs(best[1]) >= PRIOR_TURNS else None
