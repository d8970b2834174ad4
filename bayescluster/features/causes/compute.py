"""Probabilities of causation: bounds by comparison, verdicts on the claims, degrees, and an experiment."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

import numpy as np

from bayescluster.arrays import Array
from bayescluster.design.claims import is_bounded
from bayescluster.design.record import Design
from bayescluster.estimands.diagnostics import estimates, interval, number
from bayescluster.features.causes.probabilities import (
    CONTRAST_OF,
    MIDDLE,
    SIDES,
    STRENGTHS,
    WEAK,
    Bounds,
    Experimental,
    Observed,
    Place,
    benchmarks,
    combined,
    consistent,
    contradictions,
    contrast_place,
    corner_draws,
    corners_of,
    degrees_of_all,
    degrees_of_capital,
    e_value,
    e_value_of_limit,
    exogenous,
    factor_to_reach,
    factor_to_undo,
    fewest_near,
    monotonic_synergy,
    observed_cells,
    over_grid,
    place_of,
    plain_arms,
    points,
    posterior_arms,
    ratio,
    synergy,
    unsupported,
)
from bayescluster.features.causes.results import (
    BothArms,
    CauseBounds,
    CausesResults,
    CauseVerdict,
    Contrast,
    ContrastRow,
    Decision,
    DegreeRow,
    Overturning,
)
from bayescluster.features.causes.spec import Causes, Experiment
from bayescluster.names import CAPITALS
from bayescluster.results.base import By
from bayescluster.results.claims import ClaimName, Flag, Reading
from bayescluster.verdicts.claims import CAPITAL_OF, CLAIMS, MARGIN, claim_groups
from bayescluster.verdicts.decide import GATE_FAILED, ROUNDING
from bayescluster.verdicts.evidence import Evidence
from bayescluster.verdicts.regions import CAPITAL_WORDS, percent

Corner = dict[str, Array]
"""Probability of the outcome at each corner."""

BELOW_ONE: Final = float(np.nextafter(1.0, 0.0))
"""At most this is below 1."""
EXPERIMENT_STREAM: Final = 24
DEGREE_DRAWS: Final = 400
"""Draws that degrees are computed from, which take every firm by itself."""
BENCHMARK_DRAWS: Final = 100
KEPT_MIN: Final = 0.05
"""Arms that agree in fewer of the draws contradict each other."""
AT_CORNERS: Final[tuple[ClaimName, ...]] = ("N-H", "N-S", "I-H", "I-S", "J", "C")
CLAIMS_OF_INDUSTRIES: Final[tuple[ClaimName, ...]] = ("D-H", "D-S")


def causes_of(evidence: Evidence, gate_passed: bool) -> CausesResults | None:
    """Compute the section on causes; nothing without both capitals."""
    design = evidence.design
    if not design.has_both:
        return None
    notes, assumptions = tuple(_notes(design)), tuple(_assumptions(design))
    options, level = design.analysis.traditions.causes, design.analysis.traditions.level
    settings: dict[str, float | str] = {
        "pn_min": options.pn_min,
        "ps_min": options.ps_min,
        "ps_max": options.ps_max,
        "synergy_min": options.synergy_min,
        "margin": margin_of(design),
        "monotone": str(options.monotone).lower(),
        "level": level,
    }
    if why_silent(design):
        return CausesResults(
            notes=notes, assumptions=assumptions, settings=settings, strengths=STRENGTHS
        )
    return CausesResults(
        notes=notes,
        assumptions=assumptions,
        settings=settings,
        strengths=STRENGTHS,
        contrasts=tuple(
            _contrast(name, group, evidence) for name in SIDES for group in _groups(evidence)
        ),
        verdicts=tuple(causal_verdicts(evidence, gate_passed)),
        degrees=tuple(_degrees(evidence)),
        degree_draws=min(DEGREE_DRAWS, evidence.posterior.size),
        benchmarks=benchmarks(design, evidence.posterior.thinned(BENCHMARK_DRAWS)),
        arms=None if options.experiment is None else _arms(design, options.experiment),
    )


def causal_readings(verdicts: Iterable[CauseVerdict]) -> Iterator[Reading]:
    """Verdicts as readings of the claims table."""
    for one in verdicts:
        end = "upper" if one.claim.startswith("I") else "lower"
        yield Reading(
            tradition="causes",
            claim=one.claim,
            by=one.by,
            group=one.group,
            quantity=f"{end} bound of {one.quantity}",
            estimate=one.bounds.upper if end == "upper" else one.bounds.lower,
            region=one.region,
            probability=one.probability,
            prior_probability=one.prior_probability,
            verdict=one.verdict,
            reason=one.reason,
            behind=one.behind,
            flags=one.flags,
        )


def why_silent(design: Design) -> str:
    """Why an analysis has no probabilities of causation; empty where it has."""
    if is_bounded(design.equation):
        return ""
    return (
        "Probabilities of causation need an outcome that comes or does not: the expected outcome "
        f"of family {design.family.name} is no probability. Ask for one with `at_least`."
    )


def margin_of(design: Design) -> float:
    """Smallest difference between industries that counts."""
    margin = design.analysis.traditions.margin
    return MARGIN if margin is None else margin


def _notes(design: Design) -> Iterator[str]:
    """How the outcome is read, and what is not available."""
    silent = why_silent(design)
    if silent:
        yield silent
        return
    if design.family.scale == "share":
        yield (
            "The outcome is a share: it is read as the probability that one unit, drawn at random "
            "from a firm, has it."
        )
    if design.rows.trials is not None:
        yield "The outcome is that of one trial: probabilities are of a trial drawn at random from a firm."
    if design.analysis.data.industry is None:
        yield "The data declare no industry: differences between industries are not assessed."
    if design.others:
        yield (
            "Effects are total effects, those through other equations as well. Controls are not "
            "compared with a confounder here: they may act through these."
        )


def _assumptions(design: Design) -> Iterator[str]:
    """Everything that must hold for these numbers to be about causes."""
    listed = [*design.control_names, *(g.name for g in design.groupings)]
    given = f"given {', '.join(listed)}" if listed else "with no control at all"
    yield (
        "Exogeneity: no unmeasured cause of a capital and of the outcome, "
        f"{given}. In a survey this is an assumption, not a finding: the part on confounding shows "
        "how far it may fail."
    )
    yield (
        "Consistency and no interference: the outcome of a firm at a level of a capital is the same "
        "however the firm came by it, and does not depend on the capitals of other firms."
    )
    yield {
        True: "Monotonicity: more of a capital never prevents the outcome. It is assumed, for PN, PS "
        "and PNS become single numbers by it.",
        False: "Monotonicity is not assumed: a capital may help one firm and harm another. So the "
        "numbers are bounds, and no amount of data brings them together.",
        "both": "Monotonicity (more of a capital never prevents the outcome) is not assumed: verdicts "
        "rest on bounds, which no amount of data brings together. What it would add is shown next to "
        "them.",
    }[design.analysis.traditions.causes.monotone]
    latent = [CAPITAL_WORDS[name] for name in CAPITALS if design.is_latent(name)]
    measured = [CAPITAL_WORDS[name] for name in CAPITALS if not design.is_latent(name)]
    yield (
        f"The model is right: family {design.family.name}, structure {design.structure.name}"
        + (f"; {' and '.join(measured)} measured without error" if measured else "")
        + (f"; {' and '.join(latent)} as the measurement model has it" if latent else "")
        + "."
    )


class Group(NamedTuple):
    """A group of firms, and its column in the draws."""

    by: By
    column: int
    label: str


def _groups(evidence: Evidence) -> Iterator[Group]:
    """All firms, then the groups that have a row in the claims table."""
    kinds: list[By] = ["all", *(by for by in claim_groups(evidence.design) if by != "all")]
    for by in kinds:
        for column, label in evidence.columns(by):
            yield Group(by, column, label)


def _contrast(name: Contrast, group: Group, evidence: Evidence) -> ContrastRow:
    place, sides = contrast_place(evidence.design, name, group.by), SIDES[name]
    corners = corner_draws(evidence, place, "posterior")
    p1, p0 = (corners[side][:, group.column] for side in (sides.exposed, sides.unexposed))
    columns = [p1, p0]
    for bounds, point in zip(exogenous(p1, p0), points(p1, p0), strict=True):
        columns += [*bounds, np.clip(np.nan_to_num(point), 0.0, 1.0)]
    exposed, unexposed, *of_causation = estimates(
        np.column_stack(columns), evidence.posterior.chains
    )
    pointed = evidence.design.analysis.traditions.causes.monotone is not False
    pn, ps, pns = (
        CauseBounds(lower=lower, upper=upper, point=point if pointed else None)
        for lower, upper, point in zip(*(of_causation[k::3] for k in range(3)), strict=True)
    )
    ratios = ratio(p1, p0, 1.0)
    middle, (low, high) = float(np.median(ratios)), _ends(ratios)
    return ContrastRow(
        contrast=name,
        by=group.by,
        group=group.label,
        scope=place.scope,
        declared=place.levels.declared,
        exposed=exposed,
        unexposed=unexposed,
        pn=pn,
        ps=ps,
        pns=pns,
        against_monotonicity=float((p1 < p0).mean()),
        ratio=number(middle),
        ratio_low=number(low),
        ratio_high=number(high),
        e_value=number(e_value(middle)),
        e_value_limit=number(e_value_of_limit(low, high)),
        support=fewest_near(evidence, place, (sides.exposed, sides.unexposed), group.column),
    )


def _ends(ratios: Array) -> tuple[float, float]:
    """Interval of ratios; where some are infinite, ends are draws, with nothing between them."""
    if np.isfinite(ratios).all():
        return interval(ratios)
    low, high = np.quantile(ratios, (0.05, 0.95), method="nearest")
    return float(low), float(high)


def causal_verdicts(evidence: Evidence, gate_passed: bool) -> Iterator[CauseVerdict]:
    """Judge every claim that can be read as a probability of causation."""
    yield from cause_verdicts(evidence, gate_passed)
    yield from difference_verdicts(evidence, gate_passed)


def cause_verdicts(evidence: Evidence, gate_passed: bool) -> Iterator[CauseVerdict]:
    """Judge every claim about corners for every group that has a row."""
    design = evidence.design
    for name in AT_CORNERS if not why_silent(design) else ():
        question = question_of(name, design.analysis.traditions.causes)
        for by in claim_groups(design):
            place = place_of(design, name, by)
            draws = {
                source: corner_draws(evidence, place, source) for source in ("posterior", "prior")
            }
            for column, label in evidence.columns(by):
                group = Group(by, column, label)
                yield _verdict(_at_corners(question, group, place, draws, evidence), gate_passed)


def difference_verdicts(evidence: Evidence, gate_passed: bool) -> Iterator[CauseVerdict]:
    """Judge whether PNS differs between industries by more than the margin."""
    if why_silent(evidence.design) or len(evidence.columns("industry")) < 2:
        return
    for name in CLAIMS_OF_INDUSTRIES:
        yield _verdict(_between_industries(name, evidence), gate_passed)


class Shares(NamedTuple):
    """Posterior probability that the bounds lie wholly, and at least partly, in a region."""

    sure: float
    possible: float


class _Ground(NamedTuple):
    """What a verdict rests on; ``monotone`` are the shares under monotonicity."""

    evidence: Evidence
    claim: ClaimName
    by: By
    group: str
    quantity: str
    region: str
    bounds: CauseBounds
    shares: Shares
    prior: Shares
    monotone: Shares
    thin: str
    support: int
    behind: str
    overturning: Callable[[Decision], Overturning | None] = lambda _: None


def _verdict(ground: _Ground, gate_passed: bool) -> CauseVerdict:
    traditions = ground.evidence.design.analysis.traditions
    level, stopped = traditions.level, ground.thin if gate_passed else GATE_FAILED
    decision, reason = decide_bounds(ground.shares, level, stopped)
    both = traditions.causes.monotone == "both"
    pointed = decide_bounds(ground.monotone, level, stopped)[0] if both else None
    beyond = ground.overturning(decision)
    # a difference has no flag of its own where the gate failed
    thin: tuple[Flag, ...] = (
        ("thin",) if ground.thin and (gate_passed or ground.claim in AT_CORNERS) else ()
    )
    return CauseVerdict(
        claim=ground.claim,
        title=CLAIMS[ground.claim],
        by=ground.by,
        group=ground.group,
        quantity=ground.quantity,
        bounds=ground.bounds,
        region=ground.region,
        probability=ground.shares.sure,
        possible=ground.shares.possible,
        prior_probability=ground.prior.sure,
        verdict=decision,
        reason=reason,
        with_monotonicity=pointed,
        flags=judged_flags(decision, pointed, beyond, ground.prior, level) + thin,
        support=ground.support,
        behind=ground.behind,
        overturning=beyond,
    )


def _at_corners(
    question: Question, group: Group, place: Place, draws: dict[str, Corner], evidence: Evidence
) -> _Ground:
    """A claim about corners for one group."""
    traditions = evidence.design.analysis.traditions
    monotone = traditions.causes.monotone
    at, before = (
        {corner: values[:, group.column] for corner, values in draws[source].items()}
        for source in ("posterior", "prior")
    )
    deciding = question.deciding(at, monotone is True)
    corners = corners_of(question.claim)
    near = fewest_near(evidence, place, corners, group.column)
    return _Ground(
        evidence,
        question.claim,
        group.by,
        group.label,
        question.quantity,
        f"{question.region} ({place.levels.declared})",
        summed(question.bounds(at), question.monotonic(at), monotone, evidence.posterior.chains),
        shares_of(deciding),
        shares_of(question.deciding(before, monotone is True)),
        shares_of(question.deciding(at, True)),
        unsupported(evidence, place, corners, group.column),
        near,
        f"at least {near} firms near each corner it rests on",
        lambda decision: (
            None
            if monotone is True and question.claim == "C"
            else overturning(question, deciding, decision, traditions.level)
        ),
    )


def _between_industries(name: ClaimName, evidence: Evidence) -> _Ground:
    """That PNS differs between industries."""
    design, industries = evidence.design, evidence.columns("industry")
    monotone, margin = design.analysis.traditions.causes.monotone, margin_of(design)
    place, corners = place_of(design, name, "industry"), corners_of(name)
    (bounds, pointed), (before, pointed_before) = (
        _range_of_pns(name, evidence, place, source) for source in ("posterior", "prior")
    )

    def shares(bounds: Bounds) -> Shares:
        return Shares(float((bounds.lower > margin).mean()), float((bounds.upper > margin).mean()))

    near = [fewest_near(evidence, place, corners, column) for column, _ in industries]
    return _Ground(
        evidence,
        name,
        "all",
        evidence.columns("all")[0][1],
        f"largest less smallest PNS of {CAPITAL_WORDS[CAPITAL_OF[name]]}, the other high, of the "
        "industries",
        f"largest less smallest PNS above {margin:g} ({place.levels.declared})",
        summed(bounds, pointed, monotone, evidence.posterior.chains),
        shares(pointed if monotone is True else bounds),
        shares(pointed_before if monotone is True else before),
        shares(pointed),
        next(
            (
                f"{label}: {why}"
                for column, label in industries
                if (why := unsupported(evidence, place, corners, column))
            ),
            "",
        ),
        min(near),
        f"{len(near)} industries, at least {min(near)} firms near each corner in each",
    )


def _range_of_pns(
    name: ClaimName, evidence: Evidence, place: Place, source: str
) -> tuple[Bounds, Bounds]:
    """Bounds of the largest difference of PNS between industries, and it under monotonicity."""
    sides, corners = SIDES[CONTRAST_OF[name]], corner_draws(evidence, place, source)
    columns = [column for column, _ in evidence.columns("industry")]
    p1, p0 = (corners[side][:, columns] for side in (sides.exposed, sides.unexposed))
    pns = exogenous(p1, p0).pns
    lower = np.maximum(pns.lower.max(axis=1) - pns.upper.min(axis=1), 0.0)
    upper = np.max(
        [
            pns.upper[:, k] - np.delete(pns.lower, k, axis=1).min(axis=1)
            for k in range(len(columns))
        ],
        axis=0,
    )
    point = np.ptp(np.clip(points(p1, p0).pns, 0.0, 1.0), axis=1)
    return Bounds(lower, np.maximum(upper, lower)), Bounds(point, point)


def summed(
    bounds: Bounds, monotonic: Bounds | None, monotone: bool | str, chains: int
) -> CauseBounds:
    """Summarise bounds, ``(draw,)`` each; with what monotonicity gives in their place or as well.

    For synergy monotonicity gives bounds too: their lower end is shown for a point.
    """
    shown = monotonic if monotone is True and monotonic else bounds
    point = [] if monotone is False or monotonic is None else [monotonic.lower]
    lower, upper, *rest = estimates(np.column_stack([*shown, *point]), chains)
    return CauseBounds(lower=lower, upper=upper, point=rest[0] if rest else None)


def shares_of(deciding: Deciding) -> Shares:
    """How much of the posterior lies wholly, and at least partly, in the region."""
    sure = deciding.sure <= deciding.sure_limit
    # bounds that lie wholly in the region lie partly in it, whatever the last digits
    possible = sure | (deciding.possible <= deciding.possible_limit)
    return Shares(float(sure.mean()), float(possible.mean()))


def decide_bounds(shares: Shares, level: float, stopped: str) -> tuple[Decision, str]:
    """Decide by how much of the posterior has its bounds in a region, unless something stops it."""
    if stopped:
        return "undecided", stopped
    sure, possible = percent(shares.sure), percent(shares.possible)
    if shares.sure >= level:
        return "supported", f"{sure} of the posterior has its bounds wholly in the region."
    if shares.possible <= 1 - level + ROUNDING:
        return "rejected", f"{possible} of the posterior has bounds that reach the region."
    if shares.sure == shares.possible:
        return "undecided", f"{sure} of the posterior lies in the region: the data do not decide."
    partly = f"{possible[:1].lower()}{possible[1:]} at least partly: the bounds do not decide."
    return "undecided", f"{sure} of the posterior has its bounds wholly in the region, {partly}"


def judged_flags(
    decision: Decision,
    pointed: Decision | None,
    beyond: Overturning | None,
    prior: Shares,
    level: float,
) -> tuple[Flag, ...]:
    """What explains a verdict, or its lack: bounds, a weak confounder, the prior."""
    flags: list[Flag] = []
    if decision == "undecided" and pointed not in (None, "undecided"):
        flags.append("bounds_only")
    if beyond is not None and beyond.verdict is not None and beyond.verdict < WEAK:
        flags.append("confounding")
    if decision != "undecided" and decide_bounds(prior, level, "")[0] == decision:
        flags.append("prior_decides")
    return tuple(flags)


def overturning(
    question: Question, deciding: Deciding, decision: Decision, level: float
) -> Overturning:
    """What confounding would overturn a verdict, and bring the median to its threshold."""
    against = decision != "rejected"
    values, limit = (
        (deciding.sure, deciding.sure_limit)
        if against
        else (deciding.possible, deciding.possible_limit)
    )
    middle = float(np.median(deciding.sure))
    factor = {"supported": factor_to_undo, "rejected": factor_to_reach}.get(decision)
    strength = None if factor is None else e_value(max(factor(values, limit, level), 1.0))
    return Overturning(
        threshold=number(e_value(deciding.sure_limit / middle if middle else np.inf)),
        inside=middle <= deciding.sure_limit,
        verdict=None if strength is None else number(strength),
        words=_overturning_words(question, decision, strength),
        probabilities=over_grid(values, limit, against=against),
        against=against,
    )


def _overturning_words(question: Question, decision: Decision, strength: float | None) -> str:
    if strength is None:
        return "The verdict is undecided: there is nothing to overturn."
    if np.isinf(strength):
        return "No confounder, however strong, would change the verdict."
    outcome, sides = (
        (question.outcome, question.sides)
        if decision == "supported"
        else ("the outcome, or its absence,", "on one side of what is compared as on the other")
    )
    return (
        f"Undecided, no longer {decision}, once an unmeasured confounder makes {outcome} "
        f"{strength:.2f} times as likely and is as many times as frequent {sides}, given the controls."
    )


class Deciding(NamedTuple):
    """Ratios that decide a region, ``(draw, group)``, each at most its limit where it holds."""

    sure: Array
    sure_limit: float
    possible: Array
    possible_limit: float


class Question(NamedTuple):
    """A claim as a probability of causation.

    Attributes
    ----------
    claim
        The claim.
    quantity, region
        Which probability, and its region, in words.
    outcome
        What the confounder would have to make more likely, in words.
    sides
        What it would have to be more frequent among, in words.
    bounds, monotonic
        The bounds, and those under monotonicity, from the corners.
    deciding
        The ratios, with monotonicity or without.
    """

    claim: ClaimName
    quantity: str
    region: str
    outcome: str
    sides: str
    bounds: Callable[[Corner], Bounds]
    monotonic: Callable[[Corner], Bounds]
    deciding: Callable[[Corner, bool], Deciding]


QUESTION_WORDS: Final = {
    "N": (
        (
            "PN of {own}, the other high: where both are high and the outcome comes, it would not have come "
            "with {own} low"
        ),
        "PN at least {limit:g}",
        "the outcome",
        "with both high as with {own} low, the other high",
    ),
    "I": (
        (
            "PS of {own}, the other low: where both are low and the outcome does not come, it would with "
            "{own} high"
        ),
        "PS at most {limit:g}",
        "the outcome, or its absence,",
        "with {own} high as with it low, {other} low, or the other way round",
    ),
    "J": (
        "PS of both capitals: where both are low and the outcome does not come, it would with both high",
        "PS at least {limit:g}",
        "the absence of the outcome",
        "with both low as with both high",
    ),
}
"""Quantity, region, outcome and sides of a question, by the letter of the claim."""


def question_of(name: ClaimName, options: Causes) -> Question:
    """Read a claim about corners as a probability of causation."""
    letter = name[0]
    if letter == "C":
        return _synergy(options.synergy_min)
    exposed, unexposed = corners_of(name)
    limit = {"N": options.pn_min, "I": options.ps_max, "J": options.ps_min}[letter]
    human, social = (CAPITAL_WORDS[capital] for capital in CAPITALS)
    own, other = (social, human) if name.endswith("-S") else (human, social)
    quantity, region, outcome, sides = (
        text.format(own=own, other=other, limit=limit) for text in QUESTION_WORDS[letter]
    )
    of = "pn" if letter == "N" else "ps"

    def monotonic(corner: Corner) -> Bounds:
        # what monotonicity rules out counts as none
        point = getattr(points(corner[exposed], corner[unexposed]), of)
        cut = np.clip(np.nan_to_num(point), 0.0, 1.0)
        return Bounds(cut, cut)

    def deciding(corner: Corner, monotone: bool) -> Deciding:
        p1, p0 = corner[exposed], corner[unexposed]
        if letter == "I":
            most, least = 1 / (1 - limit), ratio(1 - p0, 1 - p1, 0.0)
            if monotone:
                return Deciding(ratio(1 - p0, 1 - p1, np.inf), most, least, most)
            return Deciding(ratio(p1, 1 - p0, np.inf), limit, least, most)
        # PS is PN of the absence of the outcome without the exposure
        events = (p1, p0, 1 - p0) if letter == "N" else (1 - p0, 1 - p1, p1)
        here, without, absent = events
        short = ratio(without, here, np.inf)
        if monotone:
            return Deciding(short, 1 - limit, ratio(without, here, 0.0), 1 - limit)
        return Deciding(short, 1 - limit, ratio(here, absent, 0.0), 1 / limit)

    return Question(
        name,
        quantity,
        region,
        outcome,
        sides,
        lambda corner: getattr(exogenous(corner[exposed], corner[unexposed]), of),
        monotonic,
        deciding,
    )


def _synergy(least: float) -> Question:
    def deciding(corner: Corner, monotone: bool) -> Deciding:
        both, first, second, neither = (corner[c] for c in ("HH", "HL", "LH", "LL"))
        beyond = np.maximum(both - least, 0.0)
        larger = np.maximum(first, second)
        if monotone:
            either = np.maximum(first + second - neither, larger)
            sure, possible = (ratio(part, beyond, np.inf) for part in (either, larger))
            return Deciding(sure, BELOW_ONE, possible, BELOW_ONE)
        open_to = np.where((both > least) & (1 - larger > least), 0.0, np.inf)
        return Deciding(ratio(first + second, beyond, np.inf), BELOW_ONE, open_to, BELOW_ONE)

    return Question(
        "C",
        "synergy: share of firms whose outcome comes with both capitals high and with neither alone",
        f"share above {least:g}",
        "the outcome",
        "with both capitals high as with one alone",
        lambda corner: synergy(corner["HH"], corner["HL"], corner["LH"]),
        lambda corner: monotonic_synergy(*(corner[c] for c in ("HH", "HL", "LH", "LL"))),
        deciding,
    )


def _degrees(evidence: Evidence) -> Iterator[DegreeRow]:
    design, groups, draws = evidence.design, list(_groups(evidence)), evidence.posterior
    some = draws.thinned_by_chain(DEGREE_DRAWS) if draws.chains else draws.thinned(DEGREE_DRAWS)
    weights = evidence.groups.weights[:, [group.column for group in groups]]
    degrees = {"all": degrees_of_all(design, some, weights)} | {
        capital: degrees_of_capital(design, some, weights, capital) for capital in CAPITALS
    }
    chains = some.chains if draws.chains else 0
    for of, (necessity, sufficiency) in degrees.items():
        need, enough = estimates(necessity, chains), estimates(sufficiency, chains)
        for k, group in enumerate(groups):
            yield DegreeRow(
                of=of, by=group.by, group=group.label, necessity=need[k], sufficiency=enough[k]
            )


def _arms(design: Design, experiment: Experiment) -> BothArms:
    place = contrast_place(design, "both", "all")
    cells = observed_cells(design, place.levels, experiment.capital)
    rng = np.random.default_rng((design.analysis.sampling.seed, EXPERIMENT_STREAM))
    arms = posterior_arms(experiment, cells, rng)
    agree = consistent(*arms)
    against = "; ".join(contradictions(*plain_arms(experiment, cells)))
    exposure = (
        f"firms with {CAPITAL_WORDS[experiment.capital]} at least {MIDDLE:.0%} of the way from low to "
        f"high ({place.levels.declared}) count as exposed, all others as not"
    )
    if agree.mean() < KEPT_MIN:
        return BothArms(
            capital=experiment.capital,
            exposure=exposure,
            kept=float(agree.mean()),
            note="There are no bounds: the experiment and the sample cannot be of one population: "
            f"{against or 'they agree in too few of the draws'}.",
        )
    trial = Experimental(*(np.asarray(p)[agree] for p in arms.experiment))
    both = combined(trial, Observed(*(np.asarray(p)[agree] for p in arms.seen)))
    treated, control = (estimates(np.asarray(p)[:, None], 0)[0] for p in trial)
    pn, ps, pns = (summed(bounds, None, False, 0) for bounds in both)
    return BothArms(
        capital=experiment.capital,
        exposure=exposure,
        treated=treated,
        control=control,
        pn=pn,
        ps=ps,
        pns=pns,
        kept=float(agree.mean()),
        note=against and f"By their plain shares the arms contradict each other: {against}.",
    )
