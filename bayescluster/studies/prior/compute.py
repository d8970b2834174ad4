"""Outcomes, estimands and claims at draws of the prior, and which prior a claim turns on.

No posterior is drawn. Estimands and events have the same definitions as after the fit, so that these
are the prior probabilities that the verdicts start from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np

from bayescluster.app.facts import ends_of, model_facts, outcome_facts
from bayescluster.arrays import Array, Events
from bayescluster.checks.predictive import known_of, statistics
from bayescluster.checks.thresholds import (
    PRIOR_EDGE,
    PRIOR_EDGE_SHARE,
    PRIOR_MAGNITUDES,
    PRIOR_ODDS,
    PRIOR_TURNS,
)
from bayescluster.dataset.values import label_of
from bayescluster.design.record import Design
from bayescluster.estimands.diagnostics import number, probability_error
from bayescluster.estimands.effects import SurfaceDraws
from bayescluster.estimands.levels import Levels, default_levels, levels_of
from bayescluster.estimands.scopes import Groups, declared_groups
from bayescluster.inference.density import draw_prior
from bayescluster.model.evaluate import Draws, draws_of, expectation, linear_predictor, replicate
from bayescluster.model.imputation import completed
from bayescluster.model.priors import model_priors, population_terms, prior_text
from bayescluster.names import CAPITALS, CUTPOINTS
from bayescluster.results.base import INTERVAL
from bayescluster.spec.base import Scalar
from bayescluster.spec.hypotheses import Corners, Hypothesis, Scope
from bayescluster.studies.prior.results import (
    EstimandKind,
    Outlook,
    PriorEstimand,
    PriorEvent,
    PriorPart,
    PriorPredictiveRow,
    PriorRange,
    PriorSpread,
    PriorWarning,
)
from bayescluster.verdicts.decide import PRIOR_DRAWS_MIN, events
from bayescluster.verdicts.events import Event
from bayescluster.verdicts.evidence import Evidence, SurfaceRequest, kinds_in
from bayescluster.verdicts.regions import percent, title_of

PRIOR_STREAM: Final = 28
"""Keeps the random streams of this study apart from all others."""
DRAW_STREAM, COMPLETION_STREAM, OUTCOME_STREAM = range(3)
"""What a stream of it is for."""
DRAWS_MIN: Final = 200
CELLS: Final = 20_000_000
"""Most replicated outcomes at once; fewer draws are replicated where there are many rows."""
ROUNDING: Final = 1e-12
"""1 - 0.8 is a little less than 0.2 in binary; a probability of 0.2 is at the bound all the same."""


class PriorEvidence(Evidence):
    """Evidence without a posterior: every estimand is computed from the prior."""

    def __init__(self, design: Design, prior: Draws, seed: int) -> None:
        super().__init__(design, prior, prior, seed)

    def request(
        self, scope: Scope, levels: Levels, source: str, at_least: Scalar | None
    ) -> SurfaceRequest:
        """Look at the prior, whatever the source."""
        del source
        return super().request(scope, levels, "prior", at_least)

    @cached_property
    def behind_gates(self) -> dict[str, Array]:
        """Nothing: where gates are is for the data to say."""
        return {}


class RangeDraws(NamedTuple):
    """A row of the table of expected outcomes, and which draws are implausible, ``(draw,)``."""

    row: PriorRange
    event: Events | None


class Block(NamedTuple):
    """A parameter: the place of its prior in the analysis, in words, and its draws, ``(draw,)``."""

    words: str
    draws: Array


class DrawnPart(NamedTuple):
    """The prior of an equation, and what its warnings are derived from."""

    part: PriorPart
    ranges: tuple[RangeDraws, ...]
    blocks: tuple[Block, ...]
    """Parameters at the draws behind the ranges."""


def form_parts(design: Design, count: int, entropy: tuple[int, int, int]) -> Iterator[DrawnPart]:
    """Draw from the prior of a form, and summarise its equations, that in focus first."""
    seed = int(np.random.SeedSequence((*entropy, DRAW_STREAM)).generate_state(1, np.uint32)[0])
    prior = draw_prior(design, count, seed)
    forward = np.random.default_rng((*entropy, COMPLETION_STREAM))
    prior = completed(design, prior, forward, posterior=False)
    equations = [design, *(design.turned_to(each.equation_name) for each in design.others)]
    for position, each in enumerate(equations):
        drawn = replace(draws_of(each, prior), chains=0)
        rng = np.random.default_rng((*entropy, OUTCOME_STREAM, position))
        yield _part(each, drawn, rng, focus=position == 0)


def _part(design: Design, drawn: Draws, rng: np.random.Generator, *, focus: bool) -> DrawnPart:
    parameters = {block.words: block.draws for block in blocks(design, drawn)}
    evidence = PriorEvidence(design, drawn, design.analysis.sampling.seed)
    some = drawn.thinned(max(CELLS // design.size, DRAWS_MIN))
    with np.errstate(all="ignore"):  # a prior may reach values that have no number
        replicated = replicate(design, some, rng)
        expected = expectation(design, linear_predictor(design, some) - design.offset, some)
        ranges = prior_ranges(design, expected, replicated)
        claims = design.analysis.hypotheses if focus and design.has_capitals else ()
        part = PriorPart(
            form=design.structure.name,
            equation=design.equation_name,
            focus=focus,
            outcome=outcome_facts(design),
            coefficients=model_facts(design, drawn).coefficients,
            ranges=tuple(each.row for each in ranges),
            predictive=prior_predictive(design, replicated),
            estimands=prior_estimands(evidence, claims),
            events=tuple(
                _event(place, claim, event, parameters)
                for place, claim in enumerate(claims, start=1)
                for event in events(claim, evidence)
            ),
        )
    return DrawnPart(part, ranges, blocks(design, some))


def spread(draws: Array) -> PriorSpread:
    """Summarise prior draws, ``(draw,)``, by quantiles; some priors have no mean."""
    tail = (1 - INTERVAL) / 2
    with np.errstate(all="ignore"):
        low, median, high = np.quantile(draws, [tail, 0.5, 1 - tail])
        mean = draws.mean()
    return PriorSpread(
        median=number(float(median)),
        low=number(float(low)),
        high=number(float(high)),
        mean=number(float(mean)),
    )


def _reported_groups(design: Design) -> Iterator[tuple[Groups, int]]:
    """All firms, and each industry."""
    for groups in declared_groups(design):
        if groups.by != "cluster":
            for k in range(len(groups.labels)):
                yield groups, k


def prior_predictive(design: Design, replicated: Array) -> tuple[PriorPredictiveRow, ...]:
    """Compute statistics of outcomes drawn from the prior, over all firms and by industry.

    Parameters
    ----------
    design
        The design; its outcomes are not used.
    replicated
        Outcomes drawn from the prior, ``(draw, row)``.
    """
    rows = []
    for groups, k in _reported_groups(design):
        members = np.flatnonzero(groups.members[:, k])
        known = known_of(design, groups.of_rows, members)
        for name, statistic in statistics(design).items():
            rows.append(
                PriorPredictiveRow(
                    by=groups.by,
                    group=groups.labels[k],
                    rows=members.size,
                    statistic=name,
                    spread=spread(statistic(replicated[:, members], known)),
                )
            )
    return tuple(rows)


def prior_ranges(design: Design, expected: Array, replicated: Array) -> tuple[RangeDraws, ...]:
    """Summarise which expected outcomes the prior allows, over all firms and by industry.

    Parameters
    ----------
    design
        The design; its outcomes are not used.
    expected
        Expected outcome of every row on the scale that is reported, ``(draw, row)``.
    replicated
        Outcomes drawn from the prior, ``(draw, row)``.
    """
    rows = []
    for groups, k in _reported_groups(design):
        with np.errstate(all="ignore"):
            mean = expected @ groups.weights[:, k]  # (draw,)
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
        rows.append(RangeDraws(row, hard.event))
    return tuple(rows)


def possible(design: Design) -> str:
    """Values that an expected outcome can have, declared or by its scale, in words."""
    if design.bar is not None or design.family.scale in ("probability", "share"):
        return "0 to 1"
    if design.levels:
        return ends_of(design)
    declared = _declared_range(design)
    if declared is not None:
        return f"declared: {declared[0]:g} to {declared[1]:g}"
    return "above 0" if design.family.link == "log" or _positive(design) else "any number"


def _declared_range(design: Design) -> tuple[float, float] | None:
    """Range of the outcome that the analysis declares for its ceilings, where it does."""
    models = design.analysis.traditions.ceiling_models
    limits = None if models is None else models.scope.outcome
    focus = design.equation_name == design.analysis.equation_name
    return (limits.low, limits.high) if limits is not None and focus else None


def _positive(design: Design) -> bool:
    return design.family.link == "log" and design.family.scale == "mean"


class _Implausible(NamedTuple):
    """What is hard to believe of a group: in words, how much of it, and which draws."""

    words: str
    share: float | None
    flagged: bool
    event: Events | None


def _implausible(design: Design, mean: Array, replicated: Array) -> _Implausible:
    if design.bar is not None or design.family.scale in ("probability", "share"):
        words = f"mean within {PRIOR_EDGE:g} of 0 or 1"
        return _share(words, (mean < PRIOR_EDGE) | (mean > 1 - PRIOR_EDGE))
    if design.levels:
        most = np.max([(replicated == k).mean(axis=1) for k in range(len(design.levels))], axis=0)
        return _share(f"at least {1 - PRIOR_EDGE:.0%} of firms at one level", most > 1 - PRIOR_EDGE)
    declared = _declared_range(design)
    if declared is not None:
        low, high = declared
        return _share("mean outside the declared range", ~((mean >= low) & (mean <= high)))
    if design.family.scale == "rate" or _positive(design):
        return _magnitudes(mean)
    return _Implausible("", None, False, None)


def _share(words: str, event: Events) -> _Implausible:
    share = float(event.mean())
    return _Implausible(words, share, share > PRIOR_EDGE_SHARE, event)


def _magnitudes(mean: Array) -> _Implausible:
    """Orders of magnitude that the central part of the prior spans."""
    tail = (1 - INTERVAL) / 2
    with np.errstate(all="ignore"):
        logs = np.log10(np.maximum(mean, np.finfo(float).tiny))
        low, high = np.quantile(np.minimum(logs, np.log10(np.finfo(float).max)), [tail, 1 - tail])
    span = float(high - low)
    words = f"mean over more than {PRIOR_MAGNITUDES:g} orders of magnitude"
    return _Implausible(words, span, span > PRIOR_MAGNITUDES, (logs < low) | (logs > high))


def prior_estimands(evidence: Evidence, claims: Sequence[Hypothesis]) -> tuple[PriorEstimand, ...]:
    """Summarise the estimands at the default levels, and corners at those that claims declare."""
    design = evidence.design
    if not design.has_capitals:
        return ()
    first = evidence.request("observed", default_levels(design), "prior", None)
    wanted = {first: None}
    for claim in claims:
        if isinstance(claim, Corners):
            levels = levels_of(design, claim)
            wanted[evidence.request(claim.scope, levels, "prior", claim.at_least)] = None
    return tuple(row for each in wanted for row in _estimands(evidence, each, each == first))


def _estimands(evidence: Evidence, place: SurfaceRequest, whole: bool) -> Iterator[PriorEstimand]:
    surface = evidence.surface(place.scope, place.levels, at_least=place.at_least)
    kinds = tuple(by for by in kinds_in(evidence, place.scope) if by != "cluster")
    level = place.at_least if place.at_least != evidence.design.equation.at_least else None
    for kind, of, draws in _named(surface, whole):
        for by in kinds:
            for column, label in evidence.columns(by):
                mine = draws[:, column]
                yield PriorEstimand(
                    kind=kind,
                    of=of,
                    scope=place.scope,
                    declared=place.levels.declared,
                    at_least=None if level is None else label_of(level),
                    by=by,
                    group=label,
                    spread=spread(mine),
                    positive=None if kind == "corner" else float((mine > 0).mean()),
                )


def _named(surface: SurfaceDraws, whole: bool) -> Iterator[tuple[EstimandKind, str, Array]]:
    for capital in surface.marginal if whole else ():
        yield "average_marginal_effect", capital, surface.marginal[capital]
        yield "contrast", capital, surface.contrast[capital]
    for corner, draws in surface.corners.items():
        yield "corner", corner, draws
    if surface.corners:
        yield "cross_difference", "", surface.cross_difference


def _event(
    number: int, claim: Hypothesis, event: Event, parameters: Mapping[str, Array]
) -> PriorEvent:
    probability = float(event.prior.mean())
    few = round(min(probability, 1 - probability) * event.prior.size) < PRIOR_DRAWS_MIN
    support, reject = (None, None) if few else needed_odds(probability, claim.level)
    turned = turns_on(event.prior, parameters)
    error = probability_error(event.prior, 0)
    return PriorEvent(
        claim=number,
        kind=claim.kind,
        capital=getattr(claim, "capital", None),
        title=title_of(claim),
        by=claim.by,
        group=event.group,
        scope=claim.scope,
        region=event.words,
        level=claim.level,
        probability=probability,
        mcse=error,
        outlook=outlook(probability, claim.level, error),
        to_support=support,
        to_reject=reject,
        turns_on=turned[0] if turned else "",
        unsupported=event.unsupported,
    )


def outlook(probability: float, level: float, error: float = 0.0) -> Outlook:
    """Whether the prior decides a claim by itself, leans, or leaves it open.

    Parameters
    ----------
    probability
        Prior probability of the event.
    level
        Level of the verdict.
    error
        Monte Carlo standard error of the probability: it leans where it is two of them beyond.
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
    out on either side. Nothing where the event is the same in every draw, or none is high.
    """
    if event.all() or not event.any():
        return None
    best = ("", 0.0)
    for name, values in parameters.items():
        if not np.isfinite(values).all() or np.ptp(values) == 0:
            continue
        for moved in (values, abs(values - np.median(values))):
            correlation = float(np.corrcoef(event, moved)[0, 1])
            if abs(correlation) > abs(best[1]):
                best = (name, correlation)
    return best if abs(best[1]) >= PRIOR_TURNS else None


def blocks(design: Design, drawn: Draws) -> tuple[Block, ...]:
    """List the parameters of an equation, each with the place of its prior in the analysis."""
    return tuple(_blocks(design, drawn))


def _blocks(design: Design, drawn: Draws) -> Iterator[Block]:
    priors, stated = model_priors(design), design.equation.priors
    shared = stated.r2d2m2 is not None
    r2d2m2 = "priors: r2d2m2"
    for term in population_terms(design):
        if shared and term != design.structure.level:
            words = _words(r2d2m2, "", True)
        else:
            text = prior_text(priors.population[term])
            words = _words(f"priors: terms: {term}", text, term in stated.terms)
        yield Block(words, drawn.population[term])
    for k, (name, prior) in enumerate(priors.controls.items()):
        own = name in stated.terms
        place = r2d2m2 if shared else f"priors: terms: {name}" if own else "priors: controls"
        text = "" if shared else prior_text(prior)
        declared = own or stated.controls is not None or shared
        yield Block(_words(f"{place}, {name}", text, declared), drawn.controls[:, k])
    for name, group in drawn.groups.items():
        place = r2d2m2 if shared else f"priors: group_sd: {name}"
        text = "" if shared else prior_text(priors.group_sd[name])
        for k, term in enumerate(group.terms):
            words = _words(f"{place}, {term}", text, shared or name in stated.group_sd)
            yield Block(words, group.sd[:, k])
    for name, own_prior in priors.family.items():
        words = _words(f"priors: family: {name}", prior_text(own_prior), name in stated.family)
        yield Block(words, drawn.parameters[name][:, 0])
    for k, (mean, sd) in enumerate(priors.cutpoints):
        words = _words(f"priors: cutpoints, {k + 1}", f"Normal({mean:.3g}, {sd:.3g})", False)
        yield Block(words, drawn.parameters[CUTPOINTS][:, 0, k])


def _words(place: str, text: str, stated: bool) -> str:
    parts = ("stated" if stated else "default", text)
    return f"{place} ({' '.join(part for part in parts if part)})"


OUTLOOK_WORDS: Final[dict[Outlook, str]] = {
    "decided_for": "the prior alone would support it",
    "decided_against": "the prior alone would reject it",
    "leans_for": "the prior leans towards it",
    "leans_against": "the prior leans against it",
}


def warnings_of(drawn: DrawnPart) -> Iterator[PriorWarning]:
    """Warn of implausible outcomes, and once for each claim and way in which the prior leans."""
    part = drawn.part
    yield from _outcomes(drawn)
    by_way: dict[tuple[int, Outlook], list[PriorEvent]] = {}
    for event in part.events:
        if event.outlook != "open":
            by_way.setdefault((event.claim, event.outlook), []).append(event)
    for (_, way), same in by_way.items():
        yield _claim(part, way, same)


def _outcomes(drawn: DrawnPart) -> Iterator[PriorWarning]:
    part = drawn.part
    flagged = [each for each in drawn.ranges if each.row.flagged]
    if not flagged:
        return
    worst = max(flagged, key=lambda each: each.row.share or 0.0)
    if worst.event is None or worst.row.share is None:
        return
    turned = turns_on(worst.event, {block.words: block.draws for block in drawn.blocks})
    what = f"expected {part.outcome.column} in {_group(worst.row)}: {_how_much(worst.row)}"
    if len(flagged) > 1:
        what += f"; too much in {len(flagged)} of {len(drawn.ranges)} groups"
    where = turned[0] if turned else "the priors of the level and the slopes"
    yield PriorWarning(
        form=part.form,
        equation=part.equation,
        about="outcome",
        what=what,
        advice=f"If that is not what you expect before any data, move or narrow {where}.",
    )


def _group(row: PriorRange | PriorEvent) -> str:
    return "all firms" if row.by == "all" else row.group


def _how_much(row: PriorRange) -> str:
    assert row.share is not None
    if "orders of magnitude" in row.implausible:
        return (
            f"the central part of the prior spans {row.share:.1f} orders of magnitude, more than "
            f"{PRIOR_MAGNITUDES:g}"
        )
    share = percent(row.share)
    return f"{share[0].lower()}{share[1:]} of the prior has {row.implausible}"


def _claim(part: PriorPart, way: Outlook, events: Sequence[PriorEvent]) -> PriorWarning:
    groups = ", ".join(map(_group, events))
    low, *between = sorted(event.probability for event in events)
    share = f"{percent(low)} to {percent(between[-1])}" if between else percent(low)
    return PriorWarning(
        form=part.form,
        equation=part.equation,
        about="claim",
        what=f"{events[0].title} ({groups}): {OUTLOOK_WORDS[way]}. {share} of the prior lies in the "
        "region.",
        advice=_advice(way, events),
    )


def _advice(way: Outlook, events: Sequence[PriorEvent]) -> str:
    named = list(dict.fromkeys(event.turns_on for event in events if event.turns_on))
    where = (
        f"the event turns most on {' and '.join(named[:2])}"
        if named
        else "no single prior dominates: look at those of the structural terms under priors: terms"
    )
    if way.endswith("for"):
        return (
            "A verdict in favour would repeat the prior. "
            f"Move or widen it, or declare a region that asks for more: {where}."
        )
    needed = [event.to_support for event in events if event.to_support is not None]
    odds = (
        f"data must multiply its odds by {max(needed):.0f} for support"
        if len(needed) == len(events)
        else "and its draws are too few to tell its odds"
    )
    return (
        f"A narrow region is improbable before any data, which is no fault by itself; {odds}. "
        f"If the prior says more than you know, move or widen it: {where}."
    )


def notes_of(designs: Sequence[Design]) -> Iterator[str]:
    """What the numbers rest on, and what they leave out."""
    design = designs[0]
    yield (
        "Controls, capitals as measured and the groups are those of the firms; their outcomes enter "
        "nowhere but in the priors named below."
    )
    scaled = [
        each.equation_name
        for each in design.equations
        if each.family.link in {"identity", "log"} and not each.levels
    ]
    if scaled:
        yield (
            f"Default priors of {', '.join(scaled)} are centred on the mean of its outcome, or stated in "
            "its standard deviation: where the analysis states none of its own, the prior is not wholly "
            "before the data."
        )
    latent = [name for name in CAPITALS if design.is_latent(name)]
    if latent:
        yield (
            f"{' and '.join(latent)} are latent: their values are drawn from the prior as well, and their "
            "low and high levels are those of their scores."
        )
    if design.others:
        yield "Outcomes of an equation with predictors are drawn given the predictors as observed."
    if len(designs) > 1:
        yield (
            "Each form is summarised by itself. The average over forms that verdicts are taken from has a "
            "prior probability between theirs, by weights that only the data give."
        )
    if design.analysis.traditions.ceiling_models is not None:
        yield "The models of the ceiling have priors of their own, which are not examined here."
    if design.weights is not None:
        yield "Averages are weighted by the survey weights; the prior itself is that of the population."
    if not design.is_complete:
        yield "Missing values are drawn from the priors of the models that impute them."
