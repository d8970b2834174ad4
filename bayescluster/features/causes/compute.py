"""The tradition of causes: every number of its section, put together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

import numpy as np

from bayescluster.arrays import Array
from bayescluster.design.claims import is_bounded
from bayescluster.design.record import Design
from bayescluster.estimands.summary import estimates, interval, number
from bayescluster.features.causes.probabilities import (
    CONTRAST_OF,
    MIDDLE,
    SIDES,
    Arms,
    Bounds,
    Place,
    Sides,
    combined,
    consistent,
    contradictions,
    contrast_place,
    corner_draws,
    corners_of,
    degrees_of_all,
    degrees_of_capital,
    exogenous,
    fewest_near,
    monotonic_synergy,
    observed_cells,
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
    DegreeRow,
    Overturning,
)
from bayescluster.features.causes.sensitivity import (
    STRENGTHS,
    WEAK,
    benchmarks,
    e_value,
    e_value_of_limit,
    factor_to_reach,
    factor_to_undo,
    over_grid,
)
from bayescluster.features.causes.spec import Causes, Experiment
from bayescluster.names import CAPITALS
from bayescluster.results.claims import ClaimName, Flag, Reading
from bayescluster.results.model import Estimate
from bayescluster.spec.hypotheses import (
    By,
)
from bayescluster.verdicts.claims import CAPITAL_OF, CLAIMS, MARGIN, claim_groups
from bayescluster.verdicts.evidence import Evidence
from bayescluster.verdicts.regions import CAPITAL_WORDS, percent
from bayescluster.verdicts.decide import GATE_FAILED, ROUNDING, Decision

Corner = dict[str, Array]

BELOW_ONE: Final = float(np.nextafter(1.0, 0.0))
"""At most this is below 1."""


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
    quantity
        Which probability, in words.
    region
        Its region, in words.
    bounds, monotonic
        The bounds, and those under monotonicity, from the corners.
    deciding
        The ratios, with monotonicity or without.
    outcome
        What the confounder would have to make more likely, in words.
    sides
        What it would have to be more frequent among, in words.
    """

    quantity: str
    region: str
    bounds: Callable[[Corner], Bounds]
    monotonic: Callable[[Corner], Bounds]
    deciding: Callable[[Corner, bool], Deciding]
    outcome: str
    sides: str


def question_of(name: ClaimName, asked: Causes) -> Question:
    """Read a claim about corners as a probability of causation."""
    return _MAKERS[name[0]](name, asked)


def _necessity(name: ClaimName, asked: Causes) -> Question:
    exposed, unexposed, own, _ = _sides(name)
    limit = asked.pn_min

    def deciding(corner: Corner, monotone: bool) -> Deciding:
        p1, p0 = corner[exposed], corner[unexposed]
        short = ratio(p0, p1, np.inf)
        if monotone:
            return Deciding(short, 1 - limit, ratio(p0, p1, 0.0), 1 - limit)
        return Deciding(short, 1 - limit, ratio(p1, 1 - p0, 0.0), 1 / limit)

    return Question(
        f"PN of {own}, the other high: where both are high and the outcome comes, it would not have "
        f"come with {own} low",
        f"PN at least {limit:g}",
        lambda corner: exogenous(corner[exposed], corner[unexposed]).pn,
        lambda corner: _pointed(points(corner[exposed], corner[unexposed]).pn),
        deciding,
        "the outcome",
        f"with both high as with {own} low, the other high",
    )


def _insufficiency(name: ClaimName, asked: Causes) -> Question:
    exposed, unexposed, own, other = _sides(name)
    limit = asked.ps_max

    def deciding(corner: Corner, monotone: bool) -> Deciding:
        p1, p0 = corner[exposed], corner[unexposed]
        most = 1 / (1 - limit)
        least = ratio(1 - p0, 1 - p1, 0.0)
        if monotone:
            return Deciding(ratio(1 - p0, 1 - p1, np.inf), most, least, most)
        return Deciding(ratio(p1, 1 - p0, np.inf), limit, least, most)

    return Question(
        f"PS of {own}, the other low: where both are low and the outcome does not come, it would "
        f"with {own} high",
        f"PS at most {limit:g}",
        lambda corner: exogenous(corner[exposed], corner[unexposed]).ps,
        lambda corner: _pointed(points(corner[exposed], corner[unexposed]).ps),
        deciding,
        "the outcome, or its absence,",
        f"with {own} high as with it low, {other} low, or the other way round",
    )


def _sufficiency(name: ClaimName, asked: Causes) -> Question:
    exposed, unexposed, _, _ = _sides(name)
    limit = asked.ps_min

    def deciding(corner: Corner, monotone: bool) -> Deciding:
        p1, p0 = corner[exposed], corner[unexposed]
        short = ratio(1 - p1, 1 - p0, np.inf)
        if monotone:
            return Deciding(short, 1 - limit, ratio(1 - p1, 1 - p0, 0.0), 1 - limit)
        return Deciding(short, 1 - limit, ratio(1 - p0, p1, 0.0), 1 / limit)

    return Question(
        "PS of both capitals: where both are low and the outcome does not come, it would with both "
        "high",
        f"PS at least {limit:g}",
        lambda corner: exogenous(corner[exposed], corner[unexposed]).ps,
        lambda corner: _pointed(points(corner[exposed], corner[unexposed]).ps),
        deciding,
        "the absence of the outcome",
        "with both low as with both high",
    )


def _complements(_: ClaimName, asked: Causes) -> Question:
    least = asked.synergy_min

    def deciding(corner: Corner, monotone: bool) -> Deciding:
        both, first, second, neither = (corner[c] for c in ("HH", "HL", "LH", "LL"))
        beyond = np.maximum(both - least, 0.0)
        larger = np.maximum(first, second)
        if monotone:
            alone = np.maximum(first + second - neither, larger)
            sure, possible = (ratio(part, beyond, np.inf) for part in (alone, larger))
            return Deciding(sure, BELOW_ONE, possible, BELOW_ONE)
        open_to = np.where((both > least) & (1 - larger > least), 0.0, np.inf)
        return Deciding(ratio(first + second, beyond, np.inf), BELOW_ONE, open_to, BELOW_ONE)

    return Question(
        "synergy: share of firms whose outcome comes with both capitals high and with neither alone",
        f"share above {least:g}",
        lambda corner: synergy(corner["HH"], corner["HL"], corner["LH"]),
        lambda corner: monotonic_synergy(*(corner[c] for c in ("HH", "HL", "LH", "LL"))),
        deciding,
        "the outcome",
        "with both capitals high as with one alone",
    )


_MAKERS: Final[dict[str, Callable[[ClaimName, Causes], Question]]] = {
    "N": _necessity,
    "I": _insufficiency,
    "J": _sufficiency,
    "C": _complements,
}
"""By the letter of the claim."""


def _sides(name: ClaimName) -> tuple[str, str, str, str]:
    """Corners with and without the exposure, the capital, and the other one."""
    found = SIDES[CONTRAST_OF[name]]
    human, social = CAPITAL_WORDS["human_capital"], CAPITAL_WORDS["social_capital"]
    own, other = (social, human) if name.endswith("-S") else (human, social)
    return found.exposed, found.unexposed, own, other


def _pointed(value: Array) -> Bounds:
    """A point as bounds; what monotonicity rules out counts as none."""
    cut = np.clip(np.nan_to_num(value), 0.0, 1.0)
    return Bounds(cut, cut)


AT_CORNERS: Final[tuple[ClaimName, ...]] = ("N-H", "N-S", "I-H", "I-S", "J", "C")


class Shares(NamedTuple):
    """Posterior probability that the bounds lie wholly, and at least partly, in a region."""

    sure: float
    possible: float


def why_silent(design: Design) -> str:
    """Why this tradition says nothing of the analysis; nothing where it speaks."""
    if not is_bounded(design.equation):
        return (
            "Probabilities of causation need an outcome that comes or does not: the expected outcome "
            f"of family {design.family.name} is no probability. Ask for one with `at_least`."
        )
    return ""


def cause_verdicts(evidence: Evidence, gate_passed: bool) -> Iterator[CauseVerdict]:
    """Judge every claim about corners for every group that has a row."""
    design = evidence.design
    asked = design.analysis.traditions.causes
    for name in AT_CORNERS if not why_silent(design) else ():
        question = question_of(name, asked)
        for by in claim_groups(design):
            place = place_of(design, name, by)
            corners = {
                source: corner_draws(evidence, place, source) for source in ("posterior", "prior")
            }
            for column, label in evidence.columns(by):
                one = _One(name, by, label, column, place)
                yield _verdict(one, question, corners, evidence, gate_passed)


class _One(NamedTuple):
    """A claim for one group."""

    name: ClaimName
    by: By
    label: str
    column: int
    place: Place


class _Judged(NamedTuple):
    """What is decided by the bounds, by the point that monotonicity gives, and what explains it."""

    shares: Shares
    prior: Shares
    decision: Decision
    reason: str
    pointed: Decision | None
    beyond: Overturning | None
    flags: tuple[Flag, ...]


def _judged(
    one: _One,
    question: Question,
    corners: dict[str, Corner],
    evidence: Evidence,
    gate_passed: bool,
) -> _Judged:
    traditions = evidence.design.analysis.traditions
    asked, level = traditions.causes, traditions.level
    at, before = (_column(corners[source], one.column) for source in ("posterior", "prior"))
    monotone = asked.monotone is True
    deciding = question.deciding(at, monotone)
    shares, prior = shares_of(deciding), shares_of(question.deciding(before, monotone))
    thin = unsupported(evidence, one.place, corners_of(one.name), one.column)
    stopped = thin if gate_passed else GATE_FAILED
    decision, reason = decide_bounds(shares, level, stopped)
    pointed = (
        decide_bounds(shares_of(question.deciding(at, True)), level, stopped)[0]
        if asked.monotone == "both"
        else None
    )
    beyond = (
        None if monotone and one.name == "C" else overturning(question, deciding, decision, level)
    )
    flags = judged_flags(decision, pointed, beyond, prior, level) + (("thin",) if thin else ())
    return _Judged(shares, prior, decision, reason, pointed, beyond, flags)


def _verdict(
    one: _One,
    question: Question,
    corners: dict[str, Corner],
    evidence: Evidence,
    gate_passed: bool,
) -> CauseVerdict:
    judged = _judged(one, question, corners, evidence, gate_passed)
    at = _column(corners["posterior"], one.column)
    asked = evidence.design.analysis.traditions.causes
    near = fewest_near(evidence, one.place, corners_of(one.name), one.column)
    return CauseVerdict(
        claim=one.name,
        title=CLAIMS[one.name],
        by=one.by,
        group=one.label,
        quantity=question.quantity,
        bounds=_readings_bounds(question, at, asked, evidence.posterior.chains),
        region=f"{question.region} ({one.place.levels.declared})",
        probability=judged.shares.sure,
        possible=judged.shares.possible,
        prior_probability=judged.prior.sure,
        verdict=judged.decision,
        reason=judged.reason,
        with_monotonicity=judged.pointed,
        flags=judged.flags,
        support=near,
        behind=f"at least {near} firms near each corner it rests on",
        overturning=judged.beyond,
    )


def _column(corners: Corner, column: int) -> Corner:
    return {name: values[:, column] for name, values in corners.items()}


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


def _readings_bounds(question: Question, at: Corner, asked: Causes, chains: int) -> CauseBounds:
    found = question.bounds(at)
    more = question.monotonic(at)
    # with synergy monotonicity gives bounds as well: what stands for a point is their lower end
    point = None if asked.monotone is False else more.lower
    return summed(more if asked.monotone is True else found, point, chains)


def summed(bounds: Bounds, point: Array | None, chains: int) -> CauseBounds:
    """Estimates of bounds, ``(draw,)`` each."""
    columns = [bounds.lower, bounds.upper, *(() if point is None else (point,))]
    lower, upper, *rest = estimates(np.column_stack(columns), chains)
    return CauseBounds(lower=lower, upper=upper, point=rest[0] if rest else None)


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
        words=_sentence(question, decision, strength),
        probabilities=over_grid(values, limit, against=against),
        against=against,
    )


def _sentence(question: Question, decision: Decision, strength: float | None) -> str:
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
        f"Undecided, no longer {decision}, once a confounder left out makes {outcome} "
        f"{strength:.2f} times as likely and is as many times as frequent {sides}, given the controls."
    )


def causal_readings(verdicts: Iterable[CauseVerdict]) -> Iterator[Reading]:
    """Verdicts as readings of the claims table."""
    for one in verdicts:
        side = one.bounds.upper if one.claim.startswith("I") else one.bounds.lower
        end = "upper" if one.claim.startswith("I") else "lower"
        yield Reading(
            tradition="causes",
            claim=one.claim,
            by=one.by,
            group=one.group,
            quantity=f"{end} bound of {one.quantity}",
            estimate=side,
            region=one.region,
            probability=one.probability,
            prior_probability=one.prior_probability,
            verdict=one.verdict,
            reason=one.reason,
            behind=one.behind,
            flags=one.flags,
        )


def assumptions_of(design: Design) -> tuple[str, ...]:
    """Everything that must hold for these numbers to be about causes."""
    return tuple(_assumptions(design))


def _assumptions(design: Design) -> Iterator[str]:
    listed = [*design.control_names, *(g.name for g in design.groupings)]
    given = f"given {', '.join(listed)}" if listed else "with no control at all"
    yield (
        "Exogeneity: no unmeasured cause of a capital and of the outcome, "
        f"{given}. In a survey this is an assumption, not a finding: the part on confounding tells "
        "how far it may fail."
    )
    yield (
        "Consistency and no interference: the outcome of a firm at a level of a capital is the same "
        "however it came by it, and does not depend on the capitals of other firms."
    )
    yield {
        True: "Monotonicity: more of a capital never prevents the outcome. It is assumed, for PN, PS "
        "and PNS become single numbers by it.",
        False: "Monotonicity is not assumed: a capital may help one firm and harm another. So the "
        "numbers are bounds, and no amount of data brings them together.",
        "both": "Monotonicity (more of a capital never prevents the outcome) is not assumed: verdicts "
        "rest on bounds, which no amount of data brings together. What it would add stands beside.",
    }[design.analysis.traditions.causes.monotone]
    latent = [CAPITAL_WORDS[name] for name in CAPITALS if design.is_latent(name)]
    measured = [CAPITAL_WORDS[name] for name in CAPITALS if not design.is_latent(name)]
    yield (
        f"The model is right: family {design.family.name}, structure {design.structure.name}"
        + (f"; {' and '.join(measured)} measured without error" if measured else "")
        + (f"; {' and '.join(latent)} as the measurement model has it" if latent else "")
        + "."
    )


def notes_of(design: Design) -> tuple[str, ...]:
    """How the outcome is read, and what could not be had."""
    return tuple(_notes(design))


def _notes(design: Design) -> Iterator[str]:
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
        yield "The data declare no industry: nothing is said of differences between industries."
    if design.others:
        yield (
            "Effects are total effects, those through other equations as well. Controls are not "
            "compared with a confounder here: they may act through these."
        )


def settings_of(design: Design) -> dict[str, float | str]:
    """Declared thresholds, defaults included."""
    asked = design.analysis.traditions.causes
    return {
        "pn_min": asked.pn_min,
        "ps_min": asked.ps_min,
        "ps_max": asked.ps_max,
        "synergy_min": asked.synergy_min,
        "margin": margin_of(design),
        "monotone": str(asked.monotone).lower(),
        "level": design.analysis.traditions.level,
    }


EXPERIMENT_STREAM: Final = 24
DEGREE_DRAWS: Final = 400
"""Draws that degrees are computed from, which take every firm by itself."""
BENCHMARK_DRAWS: Final = 100
KEPT_MIN: Final = 0.05
"""Arms that agree in fewer of the draws contradict each other."""


def causal_verdicts(evidence: Evidence, gate_passed: bool) -> Iterator[CauseVerdict]:
    """Every claim that this tradition speaks of."""
    yield from cause_verdicts(evidence, gate_passed)
    yield from difference_verdicts(evidence, gate_passed)


def causes_of(evidence: Evidence, gate_passed: bool) -> CausesResults | None:
    """All of the tradition of causes; nothing where the model has no capitals.

    Parameters
    ----------
    evidence
        Estimands of the fit.
    gate_passed
        Whether the diagnostics gate passed.
    """
    design = evidence.design
    if not design.has_capitals:
        return None
    silent = bool(why_silent(design))
    experiment = design.analysis.traditions.causes.experiment
    return CausesResults(
        notes=notes_of(design),
        assumptions=assumptions_of(design),
        settings=settings_of(design),
        strengths=STRENGTHS,
        contrasts=() if silent else tuple(_contrasts(evidence)),
        verdicts=() if silent else tuple(causal_verdicts(evidence, gate_passed)),
        degrees=() if silent else tuple(_degrees(evidence)),
        degree_draws=0 if silent else min(DEGREE_DRAWS, evidence.posterior.size),
        benchmarks=()
        if silent
        else benchmarks(design, evidence.posterior.thinned(BENCHMARK_DRAWS)),
        arms=None if silent or experiment is None else _arms(design, experiment),
    )


def _groups(evidence: Evidence) -> Iterator[tuple[By, int, str]]:
    """All firms, then the groups that have a row in the claims table."""
    kinds: list[By] = ["all", *(by for by in claim_groups(evidence.design) if by != "all")]
    for by in kinds:
        for column, label in evidence.columns(by):
            yield by, column, label


def _contrasts(evidence: Evidence) -> Iterator[ContrastRow]:
    for name in SIDES:
        for by, column, label in _groups(evidence):
            place = contrast_place(evidence.design, name, by)
            yield _contrast(name, (by, column, label), place, evidence)


def _contrast(
    name: Contrast, group: tuple[By, int, str], place: Place, evidence: Evidence
) -> ContrastRow:
    sides: Sides = SIDES[name]
    by, column, label = group
    corners = corner_draws(evidence, place, "posterior")
    p1, p0 = (corners[side][:, column] for side in (sides.exposed, sides.unexposed))
    found, point = exogenous(p1, p0), points(p1, p0)
    shown = evidence.design.analysis.traditions.causes.monotone is not False
    columns = [p1, p0]
    for bounds, value in zip(found, point, strict=True):
        columns += [*bounds, np.clip(np.nan_to_num(value), 0.0, 1.0)]
    summaries = estimates(np.column_stack(columns), evidence.posterior.chains)
    pn, ps, pns = (
        _bounds(summaries[start : start + 3], shown) for start in range(2, len(columns), 3)
    )
    ratios = ratio(p1, p0, 1.0)
    middle = float(np.median(ratios))
    low, high = _ends(ratios)
    return ContrastRow(
        contrast=name,
        by=by,
        group=label,
        scope=place.scope,
        declared=place.levels.declared,
        exposed=summaries[0],
        unexposed=summaries[1],
        pn=pn,
        ps=ps,
        pns=pns,
        against_monotonicity=float((p1 < p0).mean()),
        ratio=number(middle),
        ratio_low=number(low),
        ratio_high=number(high),
        e_value=number(e_value(middle)),
        e_value_limit=number(e_value_of_limit(low, high)),
        support=fewest_near(evidence, place, (sides.exposed, sides.unexposed), column),
    )


def _ends(ratios: Array) -> tuple[float, float]:
    """Interval of ratios, some of which may be infinite: then between draws nothing is drawn."""
    if np.isfinite(ratios).all():
        return interval(ratios)
    low, high = np.quantile(ratios, (0.05, 0.95), method="nearest")
    return float(low), float(high)


def _bounds(three: list[Estimate], shown: bool) -> CauseBounds:
    lower, upper, point = three
    return CauseBounds(lower=lower, upper=upper, point=point if shown else None)


def _degrees(evidence: Evidence) -> Iterator[DegreeRow]:
    design, groups = evidence.design, list(_groups(evidence))
    draws = evidence.posterior
    some = draws.thinned_by_chain(DEGREE_DRAWS) if draws.chains else draws.thinned(DEGREE_DRAWS)
    weights = evidence.groups.weights[:, [column for _, column, _ in groups]]
    found = {"all": degrees_of_all(design, some, weights)} | {
        capital: degrees_of_capital(design, some, weights, capital) for capital in CAPITALS
    }
    chains = some.chains if draws.chains else 0
    for of, (necessity, sufficiency) in found.items():
        need, enough = estimates(necessity, chains), estimates(sufficiency, chains)
        for position, (by, _, label) in enumerate(groups):
            yield DegreeRow(
                of=of,
                by=by,
                group=label,
                necessity=need[position],
                sufficiency=enough[position],
            )


def _arms(design: Design, experiment: Experiment) -> BothArms:
    place = contrast_place(design, "both", "all")
    cells = observed_cells(design, place.levels, experiment.capital)
    rng = np.random.default_rng((design.analysis.sampling.seed, EXPERIMENT_STREAM))
    arms = posterior_arms(experiment, cells, rng)
    kept = consistent(*arms)
    said = "; ".join(contradictions(*plain_arms(experiment, cells)))
    own = CAPITAL_WORDS[experiment.capital]
    base = BothArms(
        capital=experiment.capital,
        exposure=f"firms with {own} at least {MIDDLE:.0%} of the way from low to high "
        f"({place.levels.declared}) count as exposed, all others as not",
        kept=float(kept.mean()),
        note=said and f"By their plain shares the arms contradict each other: {said}.",
    )
    if kept.mean() < KEPT_MIN:
        return base.model_copy(
            update={
                "note": "There are no bounds: the experiment and the sample cannot be of one "
                f"population: {said or 'they agree in too few of the draws'}."
            }
        )
    return base.model_copy(update=_of_arms(arms, kept))


def _of_arms(arms: Arms, kept: Array) -> dict[str, Estimate | CauseBounds]:
    experiment = type(arms.experiment)(*(np.asarray(p)[kept] for p in arms.experiment))
    seen = type(arms.seen)(*(np.asarray(p)[kept] for p in arms.seen))
    found = combined(experiment, seen)
    treated, control = (
        estimates(np.asarray(p)[:, None], 0)[0] for p in (experiment.treated, experiment.control)
    )
    named = {"pn": found.pn, "ps": found.ps, "pns": found.pns}
    return {"treated": treated, "control": control} | {
        name: _plain(bounds) for name, bounds in named.items()
    }


def _plain(bounds: Bounds) -> CauseBounds:
    lower, upper = estimates(np.column_stack(bounds), 0)
    return CauseBounds(lower=lower, upper=upper)


CLAIMS_OF_INDUSTRIES: Final[tuple[ClaimName, ...]] = ("D-H", "D-S")


def difference_verdicts(evidence: Evidence, gate_passed: bool) -> Iterator[CauseVerdict]:
    """Judge whether PNS differs between industries by more than the margin."""
    columns = [column for column, _ in evidence.columns("industry")]
    if why_silent(evidence.design) or len(columns) < 2:
        return
    for name in CLAIMS_OF_INDUSTRIES:
        place = place_of(evidence.design, name, "industry")
        thin = next(
            (
                f"{label}: {said}"
                for column, label in evidence.columns("industry")
                if (said := unsupported(evidence, place, corners_of(name), column))
            ),
            "",
        )
        yield _difference_verdict(name, evidence, place, GATE_FAILED if not gate_passed else thin)


def _difference_verdict(
    name: ClaimName, evidence: Evidence, place: Place, stopped: str
) -> CauseVerdict:
    traditions = evidence.design.analysis.traditions
    asked, margin = traditions.causes, margin_of(evidence.design)
    at, point = _spread(name, evidence, place, "posterior")
    before, before_point = _spread(name, evidence, place, "prior")
    if asked.monotone is True:
        at, before = Bounds(point, point), Bounds(before_point, before_point)
    shares, prior = (
        Shares(float((found.lower > margin).mean()), float((found.upper > margin).mean()))
        for found in (at, before)
    )
    share = float((point > margin).mean())
    decision, reason = decide_bounds(shares, traditions.level, stopped)
    pointed = (
        decide_bounds(Shares(share, share), traditions.level, stopped)[0]
        if asked.monotone == "both"
        else None
    )
    near = _near(name, evidence, place)
    own = CAPITAL_WORDS[CAPITAL_OF[name]]
    return CauseVerdict(
        claim=name,
        title=CLAIMS[name],
        by="all",
        group=evidence.columns("all")[0][1],
        quantity=f"largest less smallest PNS of {own}, the other high, of the industries",
        bounds=summed(at, None if asked.monotone is False else point, evidence.posterior.chains),
        region=f"largest less smallest PNS above {margin:g} ({place.levels.declared})",
        probability=shares.sure,
        possible=shares.possible,
        prior_probability=prior.sure,
        verdict=decision,
        reason=reason,
        with_monotonicity=pointed,
        flags=judged_flags(decision, pointed, None, prior, traditions.level)
        + (("thin",) if stopped and stopped != GATE_FAILED else ()),
        support=min(near),
        behind=f"{len(near)} industries, at least {min(near)} firms near each corner in each",
        overturning=None,
    )


def _near(name: ClaimName, evidence: Evidence, place: Place) -> list[int]:
    """Fewest firms near a corner of the claim, in each industry."""
    return [
        fewest_near(evidence, place, corners_of(name), column)
        for column, _ in evidence.columns("industry")
    ]


def margin_of(design: Design) -> float:
    """Smallest difference between industries that counts."""
    margin = design.analysis.traditions.margin
    return MARGIN if margin is None else margin


def _spread(name: ClaimName, evidence: Evidence, place: Place, source: str) -> tuple[Bounds, Array]:
    """Bounds of the largest difference of PNS between industries, and it under monotonicity."""
    sides = SIDES[CONTRAST_OF[name]]
    corners = corner_draws(evidence, place, source)
    columns = [column for column, _ in evidence.columns("industry")]
    p1, p0 = (corners[side][:, columns] for side in (sides.exposed, sides.unexposed))
    pns = exogenous(p1, p0).pns
    lower = np.maximum(pns.lower.max(axis=1) - pns.upper.min(axis=1), 0.0)
    upper = np.max(
        [
            pns.upper[:, one] - np.delete(pns.lower, one, axis=1).min(axis=1)
            for one in range(len(columns))
        ],
        axis=0,
    )
    point = np.ptp(np.clip(points(p1, p0).pns, 0.0, 1.0), axis=1)
    return Bounds(lower, np.maximum(upper, lower)), point
