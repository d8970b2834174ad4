"""What an analysis says before its data: outcomes, estimands and claims at draws of the prior.

No posterior is drawn. The same definitions of estimands and events as after the fit are computed
from the prior, so that what is told here is what the verdicts start from.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayescluster.app.facts import model_facts, outcome_facts
from bayescluster.app.prepare import asked, cases_of, designs_of, model_key_of
from bayescluster.arrays import Array
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
from bayescluster.errors import ConfigError, Problem
from bayescluster.estimands.effects import SurfaceDraws
from bayescluster.estimands.levels import CORNERS, Levels, default_levels, levels_of
from bayescluster.estimands.scopes import Groups, declared_groups
from bayescluster.estimands.summary import number, probability_error
from bayescluster.inference.assemble import reported_variables, sample_prior
from bayescluster.inference.watch import Silent, Watch
from bayescluster.model.build import build_model
from bayescluster.model.evaluate import Draws, draws_of, expectation, linear_predictor, replicate
from bayescluster.model.imputation import completed
from bayescluster.model.priors import model_priors, population_terms, prior_text
from bayescluster.names import CAPITALS, CUTPOINTS
from bayescluster.results.base import INTERVAL, By
from bayescluster.runs.files import write_text
from bayescluster.runs.keys import design_key
from bayescluster.runs.layout import locked
from bayescluster.runs.store import RunDirectory
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.base import Scalar
from bayescluster.spec.hypotheses import Corners, Difference, Hypothesis, Scope
from bayescluster.studies.prior.results import (
    PRIOR_VERSION,
    EstimandKind,
    Outlook,
    PriorEstimand,
    PriorEvent,
    PriorPart,
    PriorPredictiveRow,
    PriorRange,
    PriorSpread,
    PriorStudy,
    PriorWarning,
)
from bayescluster.verdicts.evidence import Evidence, Looked
from bayescluster.verdicts.regions import percent, title_of
from bayescluster.verdicts.verdicts import PRIOR_DRAWS_MIN, Event, events

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


class Block(NamedTuple):
    """A parameter: where its prior is stated, in words, and its draws, ``(draw,)``."""

    words: str
    draws: Array


def blocks(design: Design, drawn: Draws) -> tuple[Block, ...]:
    """List the parameters of an equation, each with the place of its prior in the analysis.

    Parameters
    ----------
    design
        The equation.
    drawn
        Draws of its prior.
    """
    priors, stated = model_priors(design), design.equation.priors
    shared = stated.r2d2m2 is not None
    level = design.structure.level
    found = []
    for term in population_terms(design):
        place = "priors: r2d2m2" if shared and term != level else f"priors: terms: {term}"
        text = "" if shared and term != level else prior_text(priors.population[term])
        own = term in stated.terms or (shared and term != level)
        found.append(Block(_words(place, text, own), drawn.population[term]))
    for k, (name, prior) in enumerate(priors.controls.items()):
        alone = name in stated.terms
        place = f"priors: terms: {name}" if alone else "priors: controls"
        own = alone or stated.controls is not None
        place, text = ("priors: r2d2m2", "") if shared else (place, prior_text(prior))
        found.append(Block(_words(f"{place}, {name}", text, own or shared), drawn.controls[:, k]))
    for name, group in drawn.groups.items():
        place = "priors: r2d2m2" if shared else f"priors: group_sd: {name}"
        text = "" if shared else prior_text(priors.group_sd[name])
        own = shared or name in stated.group_sd
        found += [
            Block(_words(f"{place}, {term}", text, own), group.sd[:, k])
            for k, term in enumerate(group.terms)
        ]
    for name, own_prior in priors.family.items():
        words = _words(f"priors: family: {name}", prior_text(own_prior), name in stated.family)
        found.append(Block(words, drawn.parameters[name][:, 0]))
    for k, (mean, sd) in enumerate(priors.cutpoints):
        words = _words(f"priors: cutpoints, {k + 1}", f"Normal({mean:.3g}, {sd:.3g})", False)
        found.append(Block(words, drawn.parameters[CUTPOINTS][:, 0, k]))
    return tuple(found)


def _words(place: str, text: str, stated: bool) -> str:
    told = " ".join(part for part in ("stated" if stated else "default", text) if part)
    return f"{place} ({told})"


SHOWN: tuple[By, ...] = ("all", "industry")


def prior_estimands(evidence: Evidence, claims: Sequence[Hypothesis]) -> tuple[PriorEstimand, ...]:
    """Summarise the estimands at the default levels, and corners at those that claims declare.

    Parameters
    ----------
    evidence
        Estimands of the prior.
    claims
        Declared hypotheses.
    """
    design = evidence.design
    if not design.has_capitals:
        return ()
    first = evidence.looked("observed", default_levels(design), "prior", None)
    asked = {first: None}
    for claim in claims:
        if isinstance(claim, Corners):
            levels = levels_of(design, claim)
            asked[evidence.looked(claim.scope, levels, "prior", claim.at_least)] = None
    return tuple(row for each in asked for row in _estimands(evidence, each, each == first))


def _estimands(evidence: Evidence, asked: Looked, whole: bool) -> Iterator[PriorEstimand]:
    surface = evidence.surface(asked.scope, asked.levels, at_least=asked.at_least)
    kinds = SHOWN if asked.scope != "new_industry" else SHOWN[:1]
    own = asked.at_least is not None and asked.at_least != evidence.design.equation.at_least
    for kind, of, draws in _named(surface, whole):
        for by in kinds:
            for column, label in evidence.columns(by):
                mine = draws[:, column]
                yield PriorEstimand(
                    kind=kind,
                    of=of,
                    scope=asked.scope,
                    declared=asked.levels.declared,
                    at_least=label_of(asked.at_least)
                    if own and asked.at_least is not None
                    else None,
                    by=by,
                    group=label,
                    spread=spread(mine),
                    positive=None if kind == "corner" else float((mine > 0).mean()),
                )


def _named(surface: SurfaceDraws, whole: bool) -> Iterator[tuple[EstimandKind, str, Array]]:
    for capital in CAPITALS if whole else ():
        yield "average_marginal_effect", capital, surface.marginal[capital]
        yield "contrast", capital, surface.contrast[capital]
    for corner in CORNERS:
        yield "corner", corner, surface.corners[corner]
    yield "cross_difference", "", surface.cross_difference


SAYS: dict[Outlook, str] = {
    "decided_for": "the prior alone would support it",
    "decided_against": "the prior alone would reject it",
    "leans_for": "the prior leans towards it",
    "leans_against": "the prior leans against it",
}


def warnings_of(
    part: PriorPart, ranged: Sequence[Ranged], known: Iterable[Block]
) -> tuple[PriorWarning, ...]:
    """Warn of implausible outcomes, and of claims that the prior decides or nearly does."""
    outcomes = _outcomes(part, ranged, {block.words: block.draws for block in known})
    return (*outcomes, *_claims(part))


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


def _outcomes(
    part: PriorPart, ranged: Sequence[Ranged], parameters: Mapping[str, Array]
) -> Iterator[PriorWarning]:
    flagged = [one for one in ranged if one.row.flagged]
    if not flagged:
        return
    worst = max(flagged, key=lambda one: one.row.share or 0.0)
    if worst.event is None or worst.row.share is None:
        return
    turned = turns_on(worst.event, parameters)
    what = f"expected {part.outcome.column} in {_group(worst.row)}: {_how_much(worst.row)}"
    if len(flagged) > 1:
        what += f"; too much in {len(flagged)} of {len(ranged)} groups"
    where = (
        f"move or narrow {turned[0]}"
        if turned
        else "move or narrow the priors of the level and the slopes"
    )
    yield PriorWarning(
        form=part.form,
        equation=part.equation,
        about="outcome",
        what=what,
        advice=f"If that is not what you expect before any data, {where}.",
    )


def _claims(part: PriorPart) -> Iterator[PriorWarning]:
    """One warning for each claim and way it leans, whatever the number of its groups."""
    by_way: dict[tuple[int, Outlook], list[PriorEvent]] = {}
    for event in part.events:
        if event.outlook != "open":
            by_way.setdefault((event.claim, event.outlook), []).append(event)
    for (_, way), same in by_way.items():
        first = same[0]
        groups = ", ".join(_group(event) for event in same)
        shares = sorted(event.probability for event in same)
        told = (
            percent(shares[0])
            if len(shares) == 1
            else f"{percent(shares[0])} to {percent(shares[-1])}"
        )
        yield PriorWarning(
            form=part.form,
            equation=part.equation,
            about="claim",
            what=f"{first.title} ({groups}): {SAYS[way]}. {told} of the prior lies in the region.",
            advice=_advice(way, same),
        )


def _advice(way: Outlook, events: Sequence[PriorEvent]) -> str:
    named = list(dict.fromkeys(event.turns_on for event in events if event.turns_on))
    where = (
        f"the event turns most on {' and '.join(named[:2])}"
        if named
        else "no single prior stands out: look at those of the structural terms under priors: terms"
    )
    if way.endswith("against"):
        needed = [event.to_support for event in events]
        odds = (
            "and its draws are too few to tell its odds"
            if None in needed
            else f"data must multiply its odds by {max(each for each in needed if each is not None):.0f} for support"
        )
        return (
            f"A narrow region is improbable before any data, which is no fault by itself; {odds}. "
            f"If the prior says more than you know, move or widen it: {where}."
        )
    return (
        "A verdict in favour would repeat the prior. "
        f"Move or widen it, or declare a region that asks for more: {where}."
    )


def notes_of(designs: Sequence[Design]) -> tuple[str, ...]:
    """Say what the numbers rest on and what they leave out."""
    return tuple(_notes(designs))


def _notes(designs: Sequence[Design]) -> Iterator[str]:
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
    latent = [name for name in ("human_capital", "social_capital") if design.is_latent(name)]
    if latent:
        yield (
            f"{' and '.join(latent)} are latent: their values are drawn from the prior as well, and their "
            "low and high levels are those of their scores."
        )
    if design.others:
        yield "Outcomes of an equation with predictors are drawn given the predictors as observed."
    if len(designs) > 1:
        yield (
            "Each form is told by itself. The average over forms that verdicts are taken from has a prior "
            "probability between theirs, by weights that only the data give."
        )
    if design.analysis.traditions.ceiling_models is not None:
        yield "The models of the ceiling have priors of their own, which are not looked at here."
    if design.weights is not None:
        yield "Averages are weighted by the survey weights; the prior itself is that of the population."
    if not design.is_complete:
        yield "Missing values are drawn from the priors of the models that impute them."


PRIOR_STREAM: Final = 28
"""Keeps the random streams of this study apart from all others."""
DRAW_STREAM, COMPLETION_STREAM, OUTCOME_STREAM = range(3)
"""What a stream of it is for."""

FOLDER: Final = "prior"
DRAWS_MIN, DRAWS_MAX = 200, 20_000
CELLS: Final = 20_000_000
"""Most replicated outcomes at once; fewer draws are replicated where there are many rows."""


class Options(NamedTuple):
    """What is asked for on the command line."""

    draws: int = 2000
    seed: int | None = None
    """That of the analysis without it."""


class Finished(NamedTuple):
    """A study of the prior, and where its files are."""

    directory: Path
    results: PriorStudy


class PriorError(ConfigError):
    """Options that cannot be understood."""

    title = "There is no such study of the prior"


class PriorEvidence(Evidence):
    """Evidence without a posterior: everything that is asked for is answered from the prior."""

    def __init__(self, design: Design, prior: Draws, seed: int) -> None:
        super().__init__(design, prior, prior, seed)

    def looked(self, scope: Scope, levels: Levels, source: str, at_least: Scalar | None) -> Looked:
        """Say what is looked at: the prior, whatever the source."""
        del source
        return super().looked(scope, levels, "prior", at_least)

    @cached_property
    def behind_gates(self) -> dict[str, Array]:
        """Nothing: where gates stand is for the data to say."""
        return {}


def study_prior(
    source: Analysis | Path | str,
    options: Options | None = None,
    root: Path | str = "runs",
    watch: Watch | None = None,
) -> Finished:
    """Draw from the prior of every form, summarise outcomes, estimands and claims, and write it.

    Parameters
    ----------
    source
        Analysis file, or an analysis made in Python.
    options
        Draws and seed.
    root
        Folder of the runs.
    watch
        Told of the progress.

    Raises
    ------
    ConfigError, DataError, RunError
        See `bayescluster.errors`.
    """
    watch, options = watch or Silent(), options or Options()
    question = asked(source)
    if not DRAWS_MIN <= options.draws <= DRAWS_MAX:
        mend = f"ask for {DRAWS_MIN} to {DRAWS_MAX:,}"
        raise PriorError(Problem(f"{options.draws} draws from the prior", "--draws", mend))
    watch.step("Reading the firms")
    designs = designs_of(question)
    analysis = question.analysis
    seed = analysis.sampling.seed if options.seed is None else options.seed
    parts: list[PriorPart] = []
    warnings: list[PriorWarning] = []
    for position, design in enumerate(designs):
        watch.step(f"Drawing from the prior of {design.structure.name}")
        for part, warned in _form(design, options.draws, (seed, PRIOR_STREAM, position)):
            parts.append(part)
            warnings += warned
    results = _study(analysis, designs, options.draws, seed, (parts, warnings))
    directory = RunDirectory.create(Path(root) / analysis.name, FOLDER, results.key).path
    with locked(directory):
        write_prior(results, directory)
    return Finished(directory, results)


def _study(
    analysis: Analysis,
    designs: Sequence[Design],
    draws: int,
    seed: int,
    found: tuple[Sequence[PriorPart], Sequence[PriorWarning]],
) -> PriorStudy:
    details = designs[0].details
    settings = {
        "study": FOLDER,
        "version": PRIOR_VERSION,
        "seed": seed,
        "draws": draws,
        "cases": cases_of(designs[0]),
    }
    parts, warnings = found
    return PriorStudy(
        name=analysis.name,
        title=analysis.report.title or analysis.name.replace("-", " ").replace("_", " "),
        key=design_key(analysis, details.digest, settings),
        model_key=model_key_of(analysis, designs),
        synthetic=details.synthetic,
        draws=draws,
        seed=seed,
        interval=INTERVAL,
        odds=PRIOR_ODDS,
        edge_share=PRIOR_EDGE_SHARE,
        magnitudes=PRIOR_MAGNITUDES,
        parts=tuple(parts),
        warnings=tuple(warnings),
        notes=notes_of(designs),
    )


def _form(
    design: Design, count: int, entropy: tuple[int, int, int]
) -> Iterator[tuple[PriorPart, tuple[PriorWarning, ...]]]:
    """The equations of one form, that in focus first, with what is warned of each."""
    seed = int(np.random.SeedSequence((*entropy, DRAW_STREAM)).generate_state(1, np.uint32)[0])
    prior = sample_prior(design, build_model(design), reported_variables(design), count, seed)
    forward = np.random.default_rng((*entropy, COMPLETION_STREAM))
    prior = completed(design, prior, forward, posterior=False)
    turned = [design, *(design.turned_to(each.equation_name) for each in design.others)]
    for position, each in enumerate(turned):
        drawn = replace(draws_of(each, prior), chains=0)
        rng = np.random.default_rng((*entropy, OUTCOME_STREAM, position))
        yield _equation(each, drawn, rng, focus=position == 0)


def _equation(
    design: Design, drawn: Draws, rng: np.random.Generator, *, focus: bool
) -> tuple[PriorPart, tuple[PriorWarning, ...]]:
    known = blocks(design, drawn)
    evidence = PriorEvidence(design, drawn, design.analysis.sampling.seed)
    some = drawn.thinned(max(CELLS // design.size, DRAWS_MIN))
    with np.errstate(all="ignore"):  # a prior may reach values that have no number
        replicated = replicate(design, some, rng)
        expected = expectation(design, linear_predictor(design, some) - design.offset, some)
        ranged = prior_ranges(design, expected, replicated)
        claims = design.analysis.hypotheses if focus and design.has_capitals else ()
        part = PriorPart(
            form=design.structure.name,
            equation=design.equation_name,
            focus=focus,
            outcome=outcome_facts(design),
            coefficients=model_facts(design, drawn).coefficients,
            ranges=tuple(each.row for each in ranged),
            predictive=prior_predictive(design, replicated),
            estimands=prior_estimands(evidence, claims),
            events=tuple(_events(claims, evidence, known)),
        )
    return part, warnings_of(part, ranged, blocks(design, some))


def _events(
    claims: Sequence[Hypothesis], evidence: Evidence, known: Iterable[Block]
) -> Iterator[PriorEvent]:
    parameters = {block.words: block.draws for block in known}
    for place, claim in enumerate(claims, start=1):
        for event in events(claim, evidence):
            yield _event(place, claim, event, parameters)


def _event(
    number: int, claim: Hypothesis, event: Event, parameters: dict[str, Array]
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
        by="industry" if isinstance(claim, Difference) else claim.by,
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


def write_prior(results: PriorStudy, directory: Path) -> None:
    """Write ``prior.json``, ``prior.csv`` (the estimands) and ``prior.html``."""
    from bayescluster.studies.prior.view import csv_text, page_text

    write_text(directory / "prior.json", results.model_dump_json(indent=2) + "\n")
    write_text(directory / "prior.csv", csv_text(results))
    write_text(directory / "prior.html", page_text(results))
