"""Set theory in a run: its section of the report, its readings of the claims, and their evidence."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from bayescluster.arrays import Array, total_by_group
from bayescluster.dataset.values import label_of
from bayescluster.design.record import Design
from bayescluster.estimands.diagnostics import estimate, number
from bayescluster.estimands.scopes import Groups, declared_groups, side_by_side
from bayescluster.families import YES_OR_NO
from bayescluster.features.sets.measures import (
    AMBIGUOUS,
    BOTH,
    HUMAN,
    HUMAN_ONLY,
    NECESSARY,
    SOCIAL,
    SOCIAL_ONLY,
    SUFFICIENT,
    WORDS,
    Measured,
    Sufficiency,
    Total,
    calibrate,
    drawn_anchors,
    expressions,
    is_crisp,
    joined,
    necessity,
    passes,
    reaches,
    sufficiency,
    total_of,
)
from bayescluster.features.sets.results import (
    Relation,
    SetMeasure,
    SetPlot,
    SetResults,
    SetRow,
    SetSpread,
)
from bayescluster.features.sets.spec import SetAnchors, Sets
from bayescluster.features.sets.truth_table import (
    CRISP,
    DECLARED,
    GIVEN,
    MEASURES,
    SHOWN_SOLUTIONS,
    Cases,
    Cuts,
    Expectation,
    Solved,
    combinations_of,
    solution_rows,
    solve,
    spread_rows,
    truth_rows,
)
from bayescluster.lookup import counted, listed
from bayescluster.model.evaluate import Draws, replicate
from bayescluster.names import ALL, CAPITALS, CLUSTER, OUTCOME, ROW, SET_CONDITION, SET_CONDITIONS
from bayescluster.results.base import INTERVAL, Decision
from bayescluster.results.claims import ClaimName, Flag, Reading
from bayescluster.spec.hypotheses import By
from bayescluster.verdicts.claims import CAPITAL_OF, claim_groups
from bayescluster.verdicts.decide import decide
from bayescluster.verdicts.evidence import Evidence
from bayescluster.verdicts.regions import percent

SETS_STREAM: Final = 23
"""Keeps the random streams of set theory apart from the others."""
CELLS_A_CHUNK: Final = 2_000_000
"""Largest (replicate, row) array computed at once."""
FEW_CLUSTERS: Final = 5
"""A bootstrap of fewer clusters than this gives intervals that are too narrow."""
LETTERS: Final = {CAPITALS[0]: HUMAN, CAPITALS[1]: SOCIAL, OUTCOME: "Y"}
"""How capitals and outcome are written in expressions; conditions have their columns' names."""
SPREAD: Final[tuple[tuple[Relation, str], ...]] = (
    ("necessity", HUMAN),
    ("necessity", SOCIAL),
    ("sufficiency", HUMAN),
    ("sufficiency", SOCIAL),
    ("sufficiency", BOTH),
)
"""Consistencies that are compared between industries and between clusters."""
POINTS: Final = 400
"""Firms drawn in a figure."""
PLOTS: Final = (HUMAN, SOCIAL, BOTH)
MARGIN: Final = 0.10
"""Default of a difference between industries in the consistency of necessity that counts."""
GATE_FAILED: Final = (
    "The diagnostics gate failed: no verdict of this run counts, though this one rests on the "
    "observed firms and not on the posterior."
)

Source = Literal["observed", "data", "model", "prior"]
REPLICATED: Final[tuple[Source, ...]] = ("data", "model", "prior")


def sets_of(evidence: Evidence) -> SetEvidence:
    """Sets and their measures in a fit, computed once."""
    return evidence.once(_sets_of)


def _sets_of(evidence: Evidence) -> SetEvidence:
    return SetEvidence(evidence.design, evidence.posterior, evidence.prior, evidence.seed)


def set_results(evidence: SetEvidence) -> SetResults:
    """Compute the section on sets; where no set can be calibrated, a note says why."""
    options = evidence.design.analysis.traditions.sets
    necessary = (options.necessity.consistency, options.necessity.relevance)
    sufficient = (options.sufficiency.consistency, options.sufficiency.pri)
    if not evidence.usable:
        return SetResults(
            replicates=options.replicates,
            necessity_cuts=necessary,
            sufficiency_cuts=sufficient,
            case_cut=options.sufficiency.cases,
            notes=(
                f"{_listed(evidence.lacking)}: all firms have the same value, so that no set can be "
                "calibrated from the sample."
                if evidence.lacking
                else "No firm has both capitals and the outcome.",
            ),
        )
    solved = tuple(_solved(evidence))
    whole = solved[0].cases
    return SetResults(
        replicates=options.replicates,
        rows=int(evidence.rows.size),
        necessity_cuts=necessary,
        sufficiency_cuts=sufficient,
        case_cut=options.sufficiency.cases,
        sets=tuple(_sets(evidence)),
        measures=tuple(_measures(evidence)),
        truth_table=tuple(row for one in solved for row in truth_rows(one)),
        solutions=tuple(row for one in solved for row in solution_rows(one, SHOWN_SOLUTIONS)),
        spreads=tuple(_spreads(evidence)),
        combinations=tuple(combinations_of(whole, options.order, necessary, sufficient)),
        plots=tuple(_plots(evidence)),
        notes=tuple(_notes(evidence, len(whole.outcome))),
    )


def _solved(evidence: SetEvidence) -> Iterator[Solved]:
    """Truth tables of all firms and of each industry, over rows that have all conditions."""
    options = evidence.design.analysis.traditions.sets
    cuts = Cuts(options.sufficiency.cases, options.sufficiency.consistency, options.sufficiency.pri)
    expected: dict[str, Expectation] = {HUMAN: "present", SOCIAL: "present"}
    for name, way in options.expect.items():
        letter = LETTERS.get(name, name)
        expected.pop(letter, None)
        if way != "either":
            expected[letter] = way
    cases = cases_of(evidence)
    complete = ~np.isnan(np.array(list(cases.conditions.values()))).any(axis=0)
    for by in ("all", "industry"):
        for column, label in evidence.columns(by):
            mine = complete & evidence.groups.members[:, column]
            if mine.any():
                yield solve(cases.at(mine, evidence.kinds[column], label), cuts, expected)


def cases_of(evidence: SetEvidence) -> Cases:
    """The usable rows with their memberships in capitals, further conditions and outcome."""
    labels = np.array(evidence.design.labels(ROW))[evidence.rows]
    names = [*CAPITALS, *(name for name in evidence.declared if name not in LETTERS)]
    conditions = {LETTERS.get(name, name): evidence.observed(name) for name in names}
    outcome = evidence.observed(OUTCOME)
    return Cases("all", "all", labels.tolist(), conditions, outcome, evidence.groups.of_rows)


def _sets(evidence: SetEvidence) -> Iterator[SetRow]:
    for one in evidence.declared.values():
        inside = evidence.observed(one.name)
        anchors = (None, None, None) if one.anchors is None else one.anchors.tolist()
        yield SetRow(
            letter=LETTERS.get(one.name, one.name),
            name=evidence.design.equation.outcome if one.name == OUTCOME else one.name,
            how=one.how,
            exclusion=anchors[0],
            crossover=anchors[1],
            inclusion=anchors[2],
            sd=tuple(one.sd.tolist()),
            members=int((inside > AMBIGUOUS).sum()),
            ambiguous=int((inside == AMBIGUOUS).sum()),
            missing=int(np.isnan(one.values).sum()),
        )


def _measures(evidence: SetEvidence) -> Iterator[SetMeasure]:
    """Measures of every group with the intervals of the data and of the model."""
    observed, data, model = (evidence.measured(s) for s in ("observed", "data", "model"))
    expressed: dict[Relation, tuple[str, ...]] = {"necessity": NECESSARY, "sufficiency": SUFFICIENT}
    for relation, names in expressed.items():
        for name in names:
            of = [getattr(measured, relation)[name] for measured in (observed, data, model)]
            for place, measure in enumerate(MEASURES[relation]):
                for column, label in enumerate(evidence.groups.labels):
                    point, *replicated = (measured[place][:, column] for measured in of)
                    (low, high), (model_low, model_high) = map(_interval, replicated)
                    yield SetMeasure(
                        by=evidence.kinds[column],
                        group=label,
                        relation=relation,
                        expression=name,
                        measure=measure,
                        rows=int(evidence.groups.members[:, column].sum()),
                        members=int(observed.cases[name][0, column]),
                        observed=number(float(point[0])),
                        low=low,
                        high=high,
                        model_low=model_low,
                        model_high=model_high,
                    )


def _interval(values: Array) -> tuple[float | None, float | None]:
    defined = values[~np.isnan(values)]
    if not defined.size:
        return None, None
    tail = (1 - INTERVAL) / 2
    low, high = np.quantile(defined, [tail, 1 - tail])
    return float(low), float(high)


def _spreads(evidence: SetEvidence) -> Iterator[SetSpread]:
    sets, outcome = evidence.observed_sets
    plain = total_of(evidence.groups.of_rows)
    for part in declared_groups(evidence.design):
        if part.by == "all":
            continue
        total = total_of(evidence.groups.of_rows, part.members[evidence.rows])
        for relation, name in SPREAD:
            measure = necessity if relation == "necessity" else sufficiency
            of_groups = measure(sets[name], outcome, total).consistency
            pooled = float(measure(sets[name], outcome, plain).consistency)
            yield from spread_rows(part.by, part.labels, (relation, name), of_groups, pooled)


def _plots(evidence: SetEvidence) -> Iterator[SetPlot]:
    sets, outcome = evidence.observed_sets
    rng = np.random.default_rng((evidence.design.analysis.sampling.seed, SETS_STREAM, 4))
    count = outcome.size
    some = np.sort(rng.choice(count, min(count, POINTS), replace=False))
    for name in PLOTS:
        points = zip(sets[name][some].tolist(), outcome[some].tolist(), strict=True)
        yield SetPlot(expression=name, label=WORDS[name], points=tuple(points), total=count)


def _notes(evidence: SetEvidence, complete: int) -> Iterator[str]:
    design = evidence.design
    if evidence.from_sample:
        yield (
            f"Anchors of {_listed(evidence.from_sample)} come from the sample, as the analysis declares "
            "none: they say where a firm is among these firms, not what theory or knowledge of cases "
            "would call high. Declare anchors where there are grounds for them."
        )
    if any(one.sd.any() for one in evidence.declared.values()):
        yield "Anchors that carry a prior are drawn again in every replicate."
    latent = [name for name in CAPITALS if design.is_latent(name)]
    if latent:
        yield (
            f"{_listed(latent)}: membership is by the score of the answers, with its measurement "
            "error; the latent capital of the model is not used here."
        )
    left = design.size - evidence.rows.size
    if left:
        yield f"{counted(left, 'row')} without a capital or the outcome are left out; nothing is filled in."
    lacking = evidence.rows.size - complete
    if lacking:
        yield f"{counted(lacking, 'row')} that lack a further condition are left out of the truth tables."
    if design.others:
        yield "Replicates of the model hold the outcomes of the other equations as observed."
    few = [
        label
        for label, clusters in zip(evidence.groups.labels, evidence.clusters, strict=True)
        if 2 <= clusters < FEW_CLUSTERS
    ]
    if few:
        yield (
            f"{_listed(few)}: fewer than {FEW_CLUSTERS} clusters to resample, so the interval of the "
            "observed firms is too narrow."
        )


def _listed(names: Sequence[str]) -> str:
    return listed([name.replace("_", " ") for name in names])


def set_readings(evidence: SetEvidence, gate_passed: bool) -> Iterator[Reading]:
    """Read every claim by set theory, for the groups that ``traditions`` names.

    There is no reading where a set cannot be calibrated because its values do not vary. Where anchors
    come from the sample the claims table does without them: quantiles are no calibration.
    """
    if not evidence.usable:
        return
    for name, region in set_regions(evidence.design).items():
        for by in claim_groups(evidence.design):
            for column, _ in evidence.columns(by):
                yield _reading(_in_group(name, region, evidence, column), gate_passed)
    for ground in _differences(evidence):
        yield _reading(ground, gate_passed)


class _Ground(NamedTuple):
    """What a reading rests on.

    ``shares`` holds the share of replicates in the region by source, ``figures`` the reported quantity
    in the replicates of the data, ``thin`` why there are too few firms.
    """

    evidence: SetEvidence
    claim: ClaimName
    by: By
    group: str
    column: int
    quantity: str
    region: str
    shares: dict[Source, float]
    figures: Array
    behind: str
    thin: str
    flags: tuple[Flag, ...] = ()


def _in_group(name: ClaimName, region: SetRegion, evidence: SetEvidence, column: int) -> _Ground:
    """A claim about one group of firms."""
    least = evidence.design.analysis.traditions.sets.min_cases
    observed = evidence.measured("observed")
    behind = {WORDS[one]: int(observed.cases[one][0, column]) for one in region.rests_on}
    clusters = int(evidence.clusters[column])
    few = f"; {clusters} clusters only" if 2 <= clusters < FEW_CLUSTERS else ""
    return _Ground(
        evidence,
        name,
        evidence.kinds[column],
        evidence.groups.labels[column],
        column,
        region.quantity,
        region.words,
        {s: float(region.event(evidence.measured(s))[:, column].mean()) for s in REPLICATED},
        region.figure(evidence.measured("data"))[:, column],
        ", ".join(f"{counted(firms, 'firm')} in {one}" for one, firms in behind.items())
        + f" (membership above .5){few}",
        next(
            (
                f"Fewer than {least} firms have a membership above .5 in {one} ({firms}): there is "
                "little to read."
                for one, firms in behind.items()
                if firms < least
            ),
            "",
        ),
        region.flags(observed, column),
    )


def _differences(evidence: SetEvidence) -> Iterator[_Ground]:
    """Whether a capital is closer to necessary in some industries than in others."""
    traditions = evidence.design.analysis.traditions
    margin = MARGIN if traditions.margin is None else traditions.margin
    least = traditions.sets.min_cases
    columns = [column for column, _ in evidence.columns("industry")]
    if len(columns) < 2:
        return
    fewest = int(evidence.measured("observed").cases[OUTCOME][0, columns].min())
    claims: tuple[ClaimName, ...] = ("D-H", "D-S")
    for name in claims:
        capital = LETTERS[CAPITAL_OF[name]]
        ranges = {
            source: np.ptp(
                evidence.measured(source).necessity[capital].consistency[:, columns], axis=1
            )
            for source in REPLICATED
        }
        yield _Ground(
            evidence,
            name,
            "all",
            ALL,
            evidence.columns("all")[0][0],
            f"largest less smallest necessity consistency of {WORDS[capital]} of the industries",
            f"largest less smallest necessity consistency above {margin:g}",
            {source: float((values > margin).mean()) for source, values in ranges.items()},
            ranges["data"],
            f"{len(columns)} industries, at least {counted(fewest, 'firm')} in the outcome in each",
            f"Fewer than {least} firms of an industry have a membership above .5 in the outcome "
            f"({fewest}): there is little to compare."
            if fewest < least
            else "",
        )


def _reading(ground: _Ground, gate_passed: bool) -> Reading:
    level, shares = ground.evidence.design.analysis.traditions.level, ground.shares
    stopped = ground.thin if gate_passed else GATE_FAILED
    decision, _ = decide(shares["data"], level, stopped)
    flags = (*ground.flags, *(("thin",) if ground.thin else ()))
    if decision != "undecided" and decide(shares["prior"], level, "")[0] == decision:
        flags = (*flags, "prior_decides")
    defined = ground.figures[~np.isnan(ground.figures)]
    return Reading(
        tradition="sets",
        claim=ground.claim,
        by=ground.by,
        group=ground.group,
        quantity=ground.quantity,
        estimate=estimate(defined) if defined.size > 1 else None,
        region=f"{ground.region} ({ground.evidence.anchored})",
        probability=shares["data"],
        prior_probability=shares["prior"],
        verdict=decision,
        reason=stopped or _reason(decision, ground, level),
        behind=ground.behind,
        flags=flags,
    )


def _reason(decision: Decision, ground: _Ground, level: float) -> str:
    low, high = f"{100 * (1 - level):.4g}%", f"{100 * level:.4g}%"
    bounds = {
        "supported": f"at least the {high} asked for",
        "rejected": f"at most the {low} below which the claim is given up",
        "undecided": f"between {low} and {high}",
    }
    return (
        f"{percent(ground.shares['data'])} of the replicates of the firms "
        f"({ground.evidence.resampled(ground.column)}) lie in the region, {bounds[decision]}; of those "
        f"made by the fitted model, {percent(ground.shares['model']).lower()}."
    )


class SetRegion(NamedTuple):
    """A claim in terms of set theory.

    ``event`` gives ``(replicate, group)``; ``figure`` the quantity that is reported; ``rests_on`` the
    sets whose members are behind it; ``flags`` what the observed firms show, by group.
    """

    quantity: str
    words: str
    event: Callable[[Measured], NDArray[np.bool_]]
    figure: Callable[[Measured], Array]
    rests_on: tuple[str, ...]
    flags: Callable[[Measured, int], tuple[Flag, ...]]


def set_regions(design: Design) -> dict[ClaimName, SetRegion]:
    """Claims about the capitals by name, with the cuts of the analysis."""
    options = design.analysis.traditions.sets
    return {
        "N-H": _necessary(HUMAN, options),
        "N-S": _necessary(SOCIAL, options),
        "I-H": _sufficient(HUMAN, options, claimed=False),
        "I-S": _sufficient(SOCIAL, options, claimed=False),
        "J": _sufficient(BOTH, options, claimed=True),
        "C": _conjunction(options),
    }


def _necessary(expression: str, options: Sets) -> SetRegion:
    cuts = options.necessity

    def high_and_relevant(measured: Measured) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        mine = measured.necessity[expression]
        return reaches(mine.consistency, cuts.consistency), reaches(mine.relevance, cuts.relevance)

    def flags(observed: Measured, column: int) -> tuple[Flag, ...]:
        high, relevant = (part[0, column] for part in high_and_relevant(observed))
        return ("trivial",) if high and not relevant else ()

    return SetRegion(
        f"necessity consistency of {WORDS[expression]}",
        f"necessary: consistency at least {cuts.consistency:g} and relevance (RoN) at least "
        f"{cuts.relevance:g}",
        lambda measured: np.logical_and(*high_and_relevant(measured)),
        lambda measured: measured.necessity[expression].consistency,
        (OUTCOME,),
        flags,
    )


def _sufficient(expression: str, options: Sets, *, claimed: bool) -> SetRegion:
    """That a set is sufficient, or that it is not."""
    cuts = options.sufficiency
    return SetRegion(
        f"sufficiency consistency of {WORDS[expression]}",
        f"sufficient: consistency at least {cuts.consistency:g} and PRI at least {cuts.pri:g}"
        if claimed
        else f"not sufficient: consistency below {cuts.consistency:g} or PRI below {cuts.pri:g}",
        lambda measured: coded(measured.sufficiency[expression], options) == claimed,
        lambda measured: measured.sufficiency[expression].consistency,
        (expression,),
        lambda observed, column: _contradictory(observed, expression, column, options),
    )


def _conjunction(options: Sets) -> SetRegion:
    cuts = options.sufficiency

    def gain(measured: Measured) -> Array:
        of = {name: one.consistency for name, one in measured.sufficiency.items()}
        return of[BOTH] - np.maximum(of[HUMAN_ONLY], of[SOCIAL_ONLY])

    return SetRegion(
        f"sufficiency consistency of {WORDS[BOTH]} less the larger of either without the other",
        "in the solution both capitals together are sufficient and neither is without the other: "
        f"consistency at least {cuts.consistency:g} and PRI at least {cuts.pri:g}",
        lambda measured: both_only(measured, options),
        gain,
        (BOTH, HUMAN_ONLY, SOCIAL_ONLY),
        lambda observed, column: _contradictory(observed, BOTH, column, options),
    )


def both_only(measured: Measured, options: Sets) -> NDArray[np.bool_]:
    """Whether the complex solution has ``H*S`` as a term of its own, ``(replicate, group)``.

    Two rows of a truth table merge where they differ in one condition: so that term is there exactly
    where its row is coded 1 and the two rows next to it are not. A test holds this to the minimiser.
    """
    cases = max(options.sufficiency.cases, 1)
    both, human_only, social_only = (
        coded(measured.sufficiency[name], options) & (measured.cases[name] >= cases)
        for name in (BOTH, HUMAN_ONLY, SOCIAL_ONLY)
    )
    return both & ~human_only & ~social_only


def coded(measured: Sufficiency, options: Sets) -> NDArray[np.bool_]:
    """Whether sets count as sufficient by the cuts of an analysis."""
    return passes(measured, options.sufficiency.consistency, options.sufficiency.pri)


def _contradictory(
    observed: Measured, expression: str, column: int, options: Sets
) -> tuple[Flag, ...]:
    mine = observed.sufficiency[expression]
    high = reaches(mine.consistency, options.sufficiency.consistency)[0, column]
    low = mine.pri[0, column] < options.sufficiency.pri
    return ("contradictory",) if high and low else ()


class _Sampled(NamedTuple):
    """Memberships ``(replicate or 1, row)`` of one source, and what rows count.

    ``by_cluster`` are the weights of a bootstrap of whole clusters, ``by_firm`` of single firms.
    """

    human: Array
    social: Array
    outcome: Array
    by_cluster: Array
    by_firm: Array

    def chunks(self) -> Iterator[_Sampled]:
        count = max(len(part) for part in self)
        step = max(1, CELLS_A_CHUNK // max(self.human.shape[-1], 1))
        for start in range(0, count, step):
            which = slice(start, min(start + step, count))
            yield _Sampled(*(part[which] if len(part) > 1 else part for part in self))


class SetEvidence:
    """Sets of a run and their measures, each source computed when first needed."""

    def __init__(self, design: Design, posterior: Draws, prior: Draws, seed: int) -> None:
        self.design = design
        self._draws = {"model": posterior, "prior": prior}
        self._seed = seed
        self._measured: dict[Source, Measured] = {}

    @cached_property
    def declared(self) -> dict[str, DeclaredSet]:
        """Sets by name: the capitals, the outcome, the further conditions."""
        return {one.name: one for one in declared_sets(self.design)}

    @property
    def lacking(self) -> tuple[str, ...]:
        """Sets that cannot be calibrated because their values do not vary."""
        return tuple(name for name in (*CAPITALS, OUTCOME) if name not in self.declared)

    @property
    def usable(self) -> bool:
        """Whether all sets can be calibrated and some firm has a membership in each."""
        return not self.lacking and self.rows.size > 0

    @property
    def from_sample(self) -> list[str]:
        """Sets whose anchors come from the sample."""
        return [one.name for one in self.declared.values() if one.from_sample]

    @property
    def anchored(self) -> str:
        """How the sets were calibrated, in a few words."""
        names = ", ".join(name.replace("_", " ") for name in self.from_sample)
        return f"anchors of {names} from the sample" if names else "declared sets"

    @cached_property
    def rows(self) -> NDArray[np.int64]:
        """Rows whose capitals and outcome are observed."""
        observed = [~np.isnan(self.declared[name].values) for name in (*CAPITALS, OUTCOME)]
        return np.flatnonzero(np.logical_and.reduce(observed))

    @cached_property
    def groups(self) -> Groups:
        """All firms, industries, and clusters where asked for, side by side over the usable rows."""
        whole = side_by_side(self._parts)
        weights = None if whole.of_rows is None else whole.of_rows[self.rows]
        return whole._replace(members=whole.members[self.rows], of_rows=weights)

    @cached_property
    def _parts(self) -> tuple[Groups, ...]:
        """Clusters have replicates of their own only where the claims table has rows for them."""
        kinds = ("all", "industry", *claim_groups(self.design))
        return tuple(part for part in declared_groups(self.design) if part.by in kinds)

    @cached_property
    def kinds(self) -> tuple[By, ...]:
        """What kind of group each is."""
        return tuple(part.by for part in self._parts for _ in part.labels)

    def columns(self, by: str) -> list[tuple[int, str]]:
        """Columns of the measures that belong to a kind of group, with their labels."""
        labelled = enumerate(zip(self.kinds, self.groups.labels, strict=True))
        return [(column, label) for column, (kind, label) in labelled if kind == by]

    @cached_property
    def clusters(self) -> NDArray[np.int64]:
        """Clusters in each group, ``(group,)``; 0 where none are declared."""
        if self.design.analysis.data.cluster is None:
            return np.zeros(len(self.groups.labels), dtype="int64")
        index = self.design.index(CLUSTER)[self.rows]
        counts = [np.unique(index[mine]).size for mine in self.groups.members.T]
        return np.array(counts, dtype="int64")

    def resampled(self, column: int) -> str:
        """What the bootstrap of a group resamples, in words."""
        clusters = int(self.clusters[column])
        return f"{clusters} clusters resampled" if clusters >= 2 else "each resampled"

    @cached_property
    def anchors(self) -> dict[str, Array | None]:
        """Draws of the anchors of each set, ``(replicate, 3)``, or ``(1, 3)`` where certain."""
        rng = np.random.default_rng((self._seed, SETS_STREAM))
        count = self.design.analysis.traditions.sets.replicates
        return {
            name: None if one.anchors is None else drawn_anchors(one.anchors, one.sd, count, rng)
            for name, one in self.declared.items()
        }

    def observed(self, name: str) -> Array:
        """Memberships of the usable rows by the anchors as declared, ``(row,)``."""
        one = self.declared[name]
        anchors = None if one.anchors is None else one.anchors[None, :]
        return np.asarray(one.memberships(anchors)[0, self.rows])

    @property
    def observed_sets(self) -> tuple[dict[str, Array], Array]:
        """Observed memberships in every combination of the capitals, and in the outcome."""
        human, social, outcome = (self.observed(name) for name in (*CAPITALS, OUTCOME))
        return expressions(human, social), outcome

    def measured(self, source: Source) -> Measured:
        """Measures of all expressions from one source, ``(replicate, group)`` each."""
        if source not in self._measured:
            parts = [self._measure(part) for part in self._sampled(source).chunks()]
            self._measured[source] = joined(parts)
        return self._measured[source]

    def _measure(self, part: _Sampled) -> Measured:
        sets = expressions(part.human, part.social)
        total = self._total(part)
        members = csr_array(self.groups.members.T.astype(float))
        shape = (max(len(one) for one in part), members.shape[0])
        return Measured(
            {name: necessity(sets[name], part.outcome, total) for name in NECESSARY},
            {name: sufficiency(sets[name], part.outcome, total) for name in SUFFICIENT},
            {
                name: np.broadcast_to(
                    total_by_group((values > AMBIGUOUS).astype(float), members), shape
                )
                for name, values in (sets | {OUTCOME: part.outcome}).items()
            },
        )

    def _total(self, part: _Sampled) -> Total:
        """Totals by group: by clusters where a group has several, else by firms."""
        whole = np.asarray(self.clusters >= 2)
        of_clusters = total_of(part.by_cluster, self.groups.members[:, whole])
        of_firms = total_of(part.by_firm, self.groups.members[:, ~whole])

        def total(values: Array) -> Array:
            first, second = of_clusters(values), of_firms(values)
            out = np.empty((max(len(first), len(second)), whole.size))
            out[:, whole], out[:, ~whole] = first, second
            return out

        return total

    def _sampled(self, source: Source) -> _Sampled:
        weights = self.groups.of_rows
        plain = np.ones((1, self.rows.size)) if weights is None else weights[None, :]
        if source == "observed":
            human, social, outcome = (self.observed(name)[None] for name in (*CAPITALS, OUTCOME))
            return _Sampled(human, social, outcome, plain, plain)
        drawn = self._outcomes(source)
        count = self.design.analysis.traditions.sets.replicates if drawn is None else len(drawn)
        human, social, outcome = (
            self.declared[name].memberships(
                anchors if anchors is None else anchors[:count], drawn if name == OUTCOME else None
            )[:, self.rows]
            for name, anchors in ((name, self.anchors[name]) for name in (*CAPITALS, OUTCOME))
        )
        by_cluster, by_firm = (plain, plain) if source == "model" else self._bootstrap(count, plain)
        return _Sampled(human, social, outcome, by_cluster, by_firm)

    def _outcomes(self, source: Source) -> Array | None:
        """Outcomes drawn from the model, ``(replicate, row)``; none for the firms as observed."""
        if source not in self._draws:
            return None
        draws = self._draws[source].thinned(self.design.analysis.traditions.sets.replicates)
        rng = np.random.default_rng((self._seed, SETS_STREAM, 1 if source == "model" else 2))
        return set_values(self.design, replicate(self.design, draws, rng))

    def _bootstrap(self, count: int, plain: Array) -> tuple[Array, Array]:
        """Weights of the rows by clusters and by firms, ``(replicate, row)`` each.

        Exponential weights are Dirichlet weights but for their sum, which cancels in every measure.
        """
        rng = np.random.default_rng((self._seed, SETS_STREAM, 3))
        units = [self.design.firms[self.rows]]
        if (self.clusters >= 2).any():
            units = [self.design.index(CLUSTER)[self.rows], *units]
        weights = [
            rng.exponential(size=(count, int(unit.max()) + 1))[:, unit] * plain for unit in units
        ]
        return weights[0], weights[-1]


class DeclaredSet(NamedTuple):
    """A set: its values in their own units, and its anchors.

    ``values`` is ``(row,)``, NaN where missing. Without ``anchors`` the values are memberships.
    """

    name: str
    values: Array
    how: str
    """How it was calibrated, in words."""
    anchors: Array | None = None
    sd: Array = np.zeros(3)
    from_sample: bool = False
    """Whether the anchors come from the sample."""

    def memberships(self, anchors: Array | None, values: Array | None = None) -> Array:
        """Memberships of the values, or of others of the same set, ``(replicate, row)``."""
        values = self.values[None, :] if values is None else values
        return values if anchors is None else calibrate(values, anchors)


def declared_sets(design: Design) -> Iterator[DeclaredSet]:
    """Human capital, social capital, outcome, then the further conditions of the truth table.

    A set whose values do not vary cannot be calibrated from the sample: it is then left out.
    """
    options = design.analysis.traditions.sets
    for name, standard in zip(CAPITALS, design.capitals, strict=True):
        unit = design.scaling(name)
        values = unit.center + unit.scale * standard
        if design.is_binary(name):
            # a yes-or-no capital keeps the rounding of its scale
            yield DeclaredSet(name, np.round(values), CRISP)
        else:
            yield from _fuzzy(name, values, getattr(options, name), options.quantiles)
    outcome = set_values(design, design.outcome)
    if design.family.name in YES_OR_NO or design.equation.at_least is not None:
        yield DeclaredSet(OUTCOME, np.round(outcome), CRISP)
    else:
        yield from _fuzzy(OUTCOME, outcome, options.outcome, options.quantiles)
    if SET_CONDITIONS in design.data:
        columns = design.data[SET_CONDITIONS].to_numpy().T
        anchors = {condition.column: condition.anchors for condition in options.conditions}
        for name, values in zip(design.labels(SET_CONDITION), columns, strict=True):
            if anchors.get(name) is not None:
                yield from _fuzzy(name, values, anchors[name], ())
            else:
                yield DeclaredSet(name, values, CRISP if is_crisp(values) else GIVEN)


def set_values(design: Design, outcome: Array) -> Array:
    """Outcomes as they enter a set, ``(..., row)``: rates, shares, or whether a level is reached."""
    if design.rows.trials is not None:
        return outcome / design.rows.trials
    wanted = design.equation.at_least
    if design.levels and wanted is None:
        return design.rates(outcome)
    if wanted is not None:
        reached = (outcome >= design.levels.index(label_of(wanted))).astype(float)
        return np.where(np.isnan(outcome), np.nan, reached)
    return outcome / np.exp(design.offset) if design.offset.any() else outcome


def _fuzzy(
    name: str, values: Array, anchors: SetAnchors | None, quantiles: Sequence[float]
) -> Iterator[DeclaredSet]:
    if anchors is not None:
        given = np.array([anchors.exclusion, anchors.crossover, anchors.inclusion])
        yield DeclaredSet(name, values, DECLARED, given, np.array(anchors.sd))
    elif (from_sample := default_anchors(values, quantiles)) is not None:
        yield DeclaredSet(name, values, from_sample[1], from_sample[0], from_sample=True)


def default_anchors(values: Array, quantiles: Sequence[float]) -> tuple[Array, str] | None:
    """Anchors at quantiles of the sample; nothing where the values do not vary.

    Where quantiles fall together, the least value and the upper quantile (or the largest value) are
    taken for exclusion and inclusion. A crossover that equals the value of a firm is moved halfway to
    the next value above, so that no firm is neither in nor out.
    """
    distinct = np.unique(values[~np.isnan(values)])
    if distinct.size < 2:
        return None
    low, middle, high = np.quantile(values[~np.isnan(values)], quantiles)
    words = f"quantiles {', '.join(f'{q:g}' for q in quantiles)} of the sample"
    if not low < middle < high:
        low, high = distinct[0], high if high > distinct[0] else distinct[-1]
        middle = (low + high) / 2
        words = "least, middle and high value of the sample, as its quantiles fall together"
    if middle in distinct:
        middle = (middle + min(high, distinct[distinct > middle][0])) / 2
    return np.array([low, middle, high]), words
