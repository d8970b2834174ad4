"""What set theory finds in a run, put together for the report."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayescluster.arrays import Array
from bayescluster.dataset.values import label_of
from bayescluster.design.record import Design
from bayescluster.estimands.scopes import Groups, declared_groups, side_by_side
from bayescluster.estimands.summary import estimate, number
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
    MEASURES,
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
from bayescluster.model.evaluate import Draws, replicate
from bayescluster.names import ALL, CAPITALS, CLUSTER, OUTCOME, ROW, SET_CONDITION, SET_CONDITIONS
from bayescluster.results.base import INTERVAL
from bayescluster.results.claims import ClaimName, Flag, Reading
from bayescluster.spec.hypotheses import By
from bayescluster.verdicts.claims import CAPITAL_OF, groups_asked
from bayescluster.verdicts.evidence import Evidence
from bayescluster.verdicts.regions import percent
from bayescluster.verdicts.verdicts import Decision, decide

CRISP = "crisp: 0 or 1"
GIVEN = "memberships as given"
DECLARED = "declared anchors"


class DeclaredSet(NamedTuple):
    """A set: its values in their own units, and its anchors.

    ``values`` is ``(row,)``, NaN where missing. Without ``anchors`` the values are memberships.
    """

    name: str
    values: Array
    anchors: Array | None
    sd: Array
    how: str
    """How it was calibrated, in words."""
    from_sample: bool = False
    """Whether the anchors come from the sample."""

    def drawn(self, count: int, rng: np.random.Generator) -> Array | None:
        """Draws of the anchors, ``(replicate, 3)`` or ``(1, 3)`` where certain."""
        return None if self.anchors is None else drawn_anchors(self.anchors, self.sd, count, rng)

    def memberships(self, anchors: Array | None, values: Array | None = None) -> Array:
        """Memberships of the values, or of others of the same set, ``(replicate, row)``."""
        values = self.values[None, :] if values is None else values
        return values if anchors is None else calibrate(values, anchors)


def declared_sets(design: Design) -> tuple[DeclaredSet, ...]:
    """Human capital, social capital, outcome, then the further conditions of the truth table.

    A set whose values do not vary cannot be calibrated from the sample: it is then left out.
    """
    return tuple(_declared_sets(design))


def set_values(design: Design, outcome: Array) -> Array:
    """Outcomes as they enter a set, ``(..., row)``: rates, shares, or whether a level is reached."""
    if design.rows.trials is not None:
        return outcome / design.rows.trials
    wanted = design.equation.at_least
    if wanted is not None:
        reached = (outcome >= design.levels.index(label_of(wanted))).astype(float)
        return np.where(np.isnan(outcome), np.nan, reached)
    return outcome / np.exp(design.offset) if design.offset.any() else outcome


def default_anchors(values: Array, quantiles: Sequence[float]) -> tuple[Array, str] | None:
    """Anchors at quantiles of the sample; nothing where the values do not vary.

    Where quantiles fall together, the least value and the upper quantile (or the largest value)
    stand for exclusion and inclusion. A crossover that a firm stands on exactly is moved halfway to
    the next value above, so that no firm is neither in nor out.
    """
    known = np.unique(values[~np.isnan(values)])
    if known.size < 2:
        return None
    low, middle, high = np.quantile(values[~np.isnan(values)], quantiles)
    words = f"quantiles {', '.join(f'{q:g}' for q in quantiles)} of the sample"
    if not low < middle < high:
        low, high = known[0], high if high > known[0] else known[-1]
        middle = (low + high) / 2
        words = "least, middle and high value of the sample, as its quantiles fall together"
    if middle in known:
        middle = (middle + min(high, known[known > middle][0])) / 2
    return np.array([low, middle, high]), words


def _declared_sets(design: Design) -> Iterator[DeclaredSet]:
    asked = design.analysis.traditions.sets
    for name, standard in zip(CAPITALS, design.capitals, strict=True):
        unit = design.scaling(name)
        values = unit.center + unit.scale * standard
        if design.is_binary(name):
            yield _crisp(name, values)
        else:
            yield from _fuzzy(name, values, getattr(asked, name), asked.quantiles)
    outcome = set_values(design, design.outcome)
    if design.family.name in YES_OR_NO or design.equation.at_least is not None:
        yield _crisp(OUTCOME, outcome)
    else:
        yield from _fuzzy(OUTCOME, outcome, asked.outcome, asked.quantiles)
    if SET_CONDITIONS in design.data:
        columns = design.data[SET_CONDITIONS].to_numpy().T
        anchors = {condition.column: condition.anchors for condition in asked.conditions}
        for name, values in zip(design.labels(SET_CONDITION), columns, strict=True):
            yield from _condition(name, values, anchors.get(name))


def _condition(name: str, values: Array, anchors: SetAnchors | None) -> Iterator[DeclaredSet]:
    if anchors is not None:
        yield from _fuzzy(name, values, anchors, ())
    elif is_crisp(values):
        yield _crisp(name, values)
    else:
        yield DeclaredSet(name, values, None, np.zeros(3), GIVEN)


def _crisp(name: str, values: Array) -> DeclaredSet:
    # a yes-or-no capital keeps the rounding of its scale
    return DeclaredSet(name, _rounded(values), None, np.zeros(3), CRISP)


def _rounded(values: Array) -> NDArray[np.float64]:
    return np.where(np.isnan(values), np.nan, np.round(values))


def _fuzzy(
    name: str, values: Array, anchors: SetAnchors | None, quantiles: Sequence[float]
) -> Iterator[DeclaredSet]:
    if anchors is not None:
        given = np.array([anchors.exclusion, anchors.crossover, anchors.inclusion])
        yield DeclaredSet(name, values, given, np.array(anchors.sd), DECLARED)
        return
    found = default_anchors(values, quantiles)
    if found is not None:
        yield DeclaredSet(name, values, found[0], np.zeros(3), found[1], from_sample=True)


SETS_STREAM: Final = 23
"""Keeps the random streams of set theory apart from the others."""
CELLS_A_CHUNK: Final = 2_000_000
"""Largest (replicate, row) array computed at once."""
FEW_CLUSTERS: Final = 5
"""A bootstrap of fewer clusters than this gives intervals that are too narrow."""

Source = Literal["observed", "data", "model", "prior"]


class _Sampled(NamedTuple):
    """Memberships ``(replicate or 1, row)`` of one source, and what rows count."""

    human: Array
    social: Array
    outcome: Array
    clusters: Array
    firms: Array

    def chunks(self) -> Iterator[_Sampled]:
        count = max(len(part) for part in self)
        step = max(1, CELLS_A_CHUNK // max(self.human.shape[-1], 1))
        for start in range(0, count, step):
            which = slice(start, min(start + step, count))
            yield _Sampled(*(part[which] if len(part) > 1 else part for part in self))


class SetEvidence:
    """What set theory looks at in a run, each source computed when first asked for.

    Parameters
    ----------
    design
        The design.
    posterior, prior
        Draws of the parameters.
    seed
        Seed of the replicates.
    """

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
        """Sets that could not be calibrated, for want of values that differ."""
        return tuple(name for name in (*CAPITALS, OUTCOME) if name not in self.declared)

    @cached_property
    def rows(self) -> NDArray[np.int64]:
        """Rows whose capitals and outcome are known."""
        known = [~np.isnan(self.declared[name].values) for name in (*CAPITALS, OUTCOME)]
        return np.flatnonzero(np.logical_and.reduce(known))

    @cached_property
    def groups(self) -> Groups:
        """Groups side by side, over the rows that are known: all, industries, clusters where asked."""
        whole = side_by_side(self._parts)
        weights = None if whole.of_rows is None else whole.of_rows[self.rows]
        return whole._replace(members=whole.members[self.rows], of_rows=weights)

    @cached_property
    def _parts(self) -> tuple[Groups, ...]:
        """Clusters have replicates of their own only where the claims table has rows for them."""
        asked = ("all", "industry", *groups_asked(self.design))
        return tuple(part for part in declared_groups(self.design) if part.by in asked)

    @cached_property
    def kinds(self) -> tuple[By, ...]:
        """What kind of group each is."""
        return tuple(part.by for part in self._parts for _ in part.labels)

    @cached_property
    def clusters(self) -> NDArray[np.int64]:
        """Clusters in each group, ``(group,)``; 0 where none are declared."""
        if self.design.analysis.data.cluster is None:
            return np.zeros(len(self.groups.labels), dtype="int64")
        index = self.design.index(CLUSTER)[self.rows]
        found = [np.unique(index[mine]).size for mine in self.groups.members.T]
        return np.array(found, dtype="int64")

    @property
    def by_cluster(self) -> NDArray[np.bool_]:
        """Groups whose bootstrap counts whole clusters anew, ``(group,)``."""
        return np.asarray(self.clusters >= 2)

    @cached_property
    def anchors(self) -> dict[str, Array | None]:
        """Draws of the anchors of each set, ``(replicate, 3)``, or ``(1, 3)`` where certain."""
        rng = np.random.default_rng((self._seed, SETS_STREAM))
        count = self.design.analysis.traditions.sets.replicates
        return {name: one.drawn(count, rng) for name, one in self.declared.items()}

    @property
    def anchored(self) -> str:
        """How the sets were calibrated, in a few words."""
        from_sample = [one.name for one in self.declared.values() if one.from_sample]
        if not from_sample:
            return "declared sets"
        return f"anchors of {', '.join(map(_plain_name, from_sample))} from the sample"

    def columns(self, by: str) -> list[tuple[int, str]]:
        """Columns of the measures that belong to a kind of group, with their labels."""
        return [
            (column, label)
            for column, (kind, label) in enumerate(zip(self.kinds, self.groups.labels, strict=True))
            if kind == by
        ]

    def resampled(self, column: int) -> str:
        """What the bootstrap of a group counts anew, in words."""
        clusters = int(self.clusters[column])
        return f"{clusters} clusters weighted anew" if clusters >= 2 else "each weighted anew"

    def measured(self, source: Source) -> Measured:
        """Measures of all expressions from one source, ``(replicate, group)`` each."""
        if source not in self._measured:
            parts = [self._measure(part) for part in self._sampled(source).chunks()]
            self._measured[source] = joined(parts)
        return self._measured[source]

    def total(self, group: int) -> Total:
        """Total over the observed rows of one group, by survey weights where there are any."""
        mine = self.groups.members[:, group].astype(float)
        weights = self.groups.of_rows
        return total_of(mine if weights is None else mine * weights)

    def observed(self, name: str) -> Array:
        """Memberships of the known rows by the anchors as declared, ``(row,)``."""
        one = self.declared[name]
        anchors = None if one.anchors is None else one.anchors[None, :]
        return np.asarray(one.memberships(anchors)[0, self.rows])

    def _measure(self, part: _Sampled) -> Measured:
        sets = expressions(part.human, part.social)
        total = self._total(part)
        counted = sets | {OUTCOME: part.outcome}
        members = self.groups.members.astype(float)
        shape = (max(len(one) for one in part), members.shape[1])
        return Measured(
            {name: necessity(sets[name], part.outcome, total) for name in NECESSARY},
            {name: sufficiency(sets[name], part.outcome, total) for name in SUFFICIENT},
            {
                name: np.broadcast_to((values > AMBIGUOUS) @ members, shape)
                for name, values in counted.items()
            },
        )

    def _total(self, part: _Sampled) -> Total:
        """Totals by group: by clusters where a group has several, else by firms."""
        whole = self.by_cluster
        of_clusters = total_of(part.clusters, self.groups.members[:, whole])
        of_firms = total_of(part.firms, self.groups.members[:, ~whole])

        def total(values: Array) -> Array:
            first, second = of_clusters(values), of_firms(values)
            out = np.empty((max(len(first), len(second)), whole.size))
            out[:, whole], out[:, ~whole] = first, second
            return out

        return total

    def _sampled(self, source: Source) -> _Sampled:
        human, social, outcome = (self.declared[name] for name in (*CAPITALS, OUTCOME))
        if source == "observed":
            plain = self._plain_weights()
            first, second, third = (
                self.observed(one.name)[None, :] for one in (human, social, outcome)
            )
            return _Sampled(first, second, third, plain, plain)
        drawn = self._outcomes(source)
        count = self.design.analysis.traditions.sets.replicates if drawn is None else len(drawn)
        anchors = {
            name: None if draws is None else draws[:count] for name, draws in self.anchors.items()
        }
        if source == "model":
            clusters = firms = self._plain_weights()
        else:
            clusters, firms = self._bootstrap(count)
        return _Sampled(
            human.memberships(anchors[human.name])[:, self.rows],
            social.memberships(anchors[social.name])[:, self.rows],
            outcome.memberships(anchors[OUTCOME], drawn)[:, self.rows],
            clusters,
            firms,
        )

    def _outcomes(self, source: Source) -> Array | None:
        """Outcomes drawn anew, ``(replicate, row)``; none for the firms as observed."""
        if source not in ("model", "prior"):
            return None
        draws = self._draws[source].thinned(self.design.analysis.traditions.sets.replicates)
        stream = 1 if source == "model" else 2
        rng = np.random.default_rng((self._seed, SETS_STREAM, stream))
        return set_values(self.design, replicate(self.design, draws, rng))

    def _plain_weights(self) -> Array:
        weights = self.groups.of_rows
        return np.ones((1, self.rows.size)) if weights is None else weights[None, :]

    def _bootstrap(self, count: int) -> tuple[Array, Array]:
        """Weights of the rows by clusters and by firms, ``(replicate, row)`` each.

        Exponential weights are Dirichlet weights but for their sum, which cancels in every measure.
        """
        rng = np.random.default_rng((self._seed, SETS_STREAM, 3))
        found = []
        units = [self.design.firms[self.rows]]
        if self.by_cluster.any():
            units = [self.design.index(CLUSTER)[self.rows], *units]
        for unit in units:
            weights = rng.exponential(size=(count, int(unit.max()) + 1))[:, unit]
            found.append(weights * self._plain_weights())
        return found[0], found[-1]


def _plain_name(name: str) -> str:
    return name.replace("_", " ")


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


def set_results(evidence: SetEvidence) -> SetResults:
    """Put together what set theory finds; where it can find nothing, a note says why."""
    if evidence.lacking:
        same = (
            f"{_listed(list(evidence.lacking))}: all firms have the same value, so that no set can be "
            "calibrated from the sample."
        )
        return _nothing(evidence, same)
    if not evidence.rows.size:
        return _nothing(evidence, "No firm has both capitals and the outcome.")
    asked = evidence.design.analysis.traditions.sets
    cases = cases_of(evidence)
    solved = list(_solved(evidence, cases))
    whole = solved[0].cases
    sufficient = (asked.sufficiency.consistency, asked.sufficiency.pri)
    necessary = (asked.necessity.consistency, asked.necessity.relevance)
    return SetResults(
        replicates=asked.replicates,
        rows=int(evidence.rows.size),
        necessity_cuts=necessary,
        sufficiency_cuts=sufficient,
        case_cut=asked.sufficiency.cases,
        sets=tuple(_sets(evidence)),
        measures=tuple(_measures(evidence)),
        truth_table=tuple(row for one in solved for row in truth_rows(one)),
        solutions=tuple(row for one in solved for row in solution_rows(one)),
        spreads=tuple(_spreads(evidence)),
        combinations=tuple(combinations_of(whole, asked.order, necessary, sufficient)),
        plots=tuple(_plots(evidence)),
        notes=tuple(_notes(evidence, whole)),
    )


def _nothing(evidence: SetEvidence, why: str) -> SetResults:
    asked = evidence.design.analysis.traditions.sets
    return SetResults(
        replicates=asked.replicates,
        rows=0,
        necessity_cuts=(asked.necessity.consistency, asked.necessity.relevance),
        sufficiency_cuts=(asked.sufficiency.consistency, asked.sufficiency.pri),
        case_cut=asked.sufficiency.cases,
        sets=(),
        measures=(),
        truth_table=(),
        solutions=(),
        spreads=(),
        combinations=(),
        plots=(),
        notes=(why,),
    )


def cases_of(evidence: SetEvidence) -> Cases:
    """The known rows with their memberships in capitals, further conditions and outcome."""
    labels = np.array(evidence.design.labels(ROW))[evidence.rows]
    names = [*CAPITALS, *(name for name in evidence.declared if name not in LETTERS)]
    conditions = {LETTERS.get(name, name): evidence.observed(name) for name in names}
    outcome = evidence.observed(OUTCOME)
    return Cases("all", "all", labels.tolist(), conditions, outcome, evidence.groups.of_rows)


def _solved(evidence: SetEvidence, cases: Cases) -> Iterator[Solved]:
    """Truth tables of all firms and of each industry, over rows that have all conditions."""
    asked = evidence.design.analysis.traditions.sets
    cuts = Cuts(asked.sufficiency.cases, asked.sufficiency.consistency, asked.sufficiency.pri)
    expected: dict[str, Expectation] = {HUMAN: "present", SOCIAL: "present"}
    for name, way in asked.expect.items():
        letter = LETTERS.get(name, name)
        expected.pop(letter, None)
        if way != "either":
            expected[letter] = way
    known = ~np.isnan(np.array(list(cases.conditions.values()))).any(axis=0)
    for by in ("all", "industry"):
        for column, label in evidence.columns(by):
            mine = known & evidence.groups.members[:, column]
            if mine.any():
                yield solve(cases.at(mine, evidence.kinds[column], label), cuts, expected)


def _sets(evidence: SetEvidence) -> Iterator[SetRow]:
    for one in evidence.declared.values():
        inside = evidence.observed(one.name)
        low, middle, high = (None,) * 3 if one.anchors is None else map(float, one.anchors)
        yield SetRow(
            letter=LETTERS.get(one.name, one.name),
            name=evidence.design.equation.outcome if one.name == OUTCOME else one.name,
            how=one.how,
            exclusion=low,
            crossover=middle,
            inclusion=high,
            sd=(float(one.sd[0]), float(one.sd[1]), float(one.sd[2])),
            members=int((inside > AMBIGUOUS).sum()),
            ambiguous=int((inside == AMBIGUOUS).sum()),
            missing=int(np.isnan(one.values).sum()),
        )


def _measures(evidence: SetEvidence) -> Iterator[SetMeasure]:
    """Measures with their intervals, group by group; of clusters that are not asked for, none."""
    observed, data, model = (evidence.measured(s) for s in ("observed", "data", "model"))
    shown: tuple[tuple[Relation, tuple[str, ...]], ...] = (
        ("necessity", NECESSARY),
        ("sufficiency", SUFFICIENT),
    )
    for relation, names in shown:
        for name in names:
            of = [getattr(found, relation)[name] for found in (observed, data, model)]
            for place, measure in enumerate(MEASURES[relation]):
                for column, label in enumerate(evidence.groups.labels):
                    values = [found[place][:, column] for found in of]
                    low, high = _interval(values[1])
                    model_low, model_high = _interval(values[2])
                    yield SetMeasure(
                        by=evidence.kinds[column],
                        group=label,
                        relation=relation,
                        expression=name,
                        measure=measure,
                        rows=int(evidence.groups.members[:, column].sum()),
                        members=int(observed.cases[name][0, column]),
                        observed=number(float(values[0][0])),
                        low=low,
                        high=high,
                        model_low=model_low,
                        model_high=model_high,
                    )


def _interval(values: Array) -> tuple[float | None, float | None]:
    known = values[~np.isnan(values)]
    if not known.size:
        return None, None
    tail = (1 - INTERVAL) / 2
    low, high = np.quantile(known, [tail, 1 - tail])
    return float(low), float(high)


def _spreads(evidence: SetEvidence) -> Iterator[SetSpread]:
    human, social = (evidence.observed(name) for name in CAPITALS)
    sets, outcome = expressions(human, social), evidence.observed(OUTCOME)
    parts = [part for part in declared_groups(evidence.design) if part.by != "all"]
    for part in parts:
        total = total_of(evidence.groups.of_rows, part.members[evidence.rows])
        plain = total_of(evidence.groups.of_rows)
        for relation, name in SPREAD:
            measured = necessity if relation == "necessity" else sufficiency
            found = measured(sets[name], outcome, total).consistency
            pooled = float(measured(sets[name], outcome, plain).consistency)
            yield from spread_rows(part.by, part.labels, (relation, name), (found, pooled))


def _plots(evidence: SetEvidence) -> Iterator[SetPlot]:
    human, social = (evidence.observed(name) for name in CAPITALS)
    sets, outcome = expressions(human, social), evidence.observed(OUTCOME)
    rng = np.random.default_rng((evidence.design.analysis.sampling.seed, SETS_STREAM, 4))
    count = outcome.size
    some = np.sort(rng.choice(count, min(count, POINTS), replace=False))
    for name in PLOTS:
        yield SetPlot(
            expression=name,
            label=WORDS[name],
            points=tuple(
                (float(x), float(y)) for x, y in zip(sets[name][some], outcome[some], strict=True)
            ),
            total=count,
        )


def _notes(evidence: SetEvidence, whole: Cases) -> Iterator[str]:
    design = evidence.design
    from_sample = [one.name for one in evidence.declared.values() if one.from_sample]
    if from_sample:
        yield (
            f"Anchors of {_listed(from_sample)} come from the sample, as the analysis declares none: "
            "they say where a firm stands among these firms, not what theory or knowledge of cases "
            "would call high. Declare anchors where there are grounds for them."
        )
    if any(one.sd.any() for one in evidence.declared.values()):
        yield "Anchors that carry a prior are drawn anew in every replicate."
    latent = [name for name in CAPITALS if design.is_latent(name)]
    if latent:
        yield (
            f"{_listed(latent)}: membership is by the score of the answers, with its measurement "
            "error; the latent capital of the model is not used here."
        )
    left = design.size - evidence.rows.size
    if left:
        yield f"{_rows(left)} without a capital or the outcome are left out; nothing is filled in."
    lacking = evidence.rows.size - len(whole.outcome)
    if lacking:
        yield f"{_rows(lacking)} that lack a further condition are left out of the truth tables."
    if design.others:
        yield "Replicates of the model hold the outcomes of the other equations as observed."
    few = [
        label
        for column, label in enumerate(evidence.groups.labels)
        if 2 <= evidence.clusters[column] < FEW_CLUSTERS
    ]
    if few:
        yield (
            f"{_listed(few)}: fewer than {FEW_CLUSTERS} clusters to count anew, so the interval of "
            "the observed firms is too narrow."
        )


def _listed(names: list[str]) -> str:
    plain = [name.replace("_", " ") for name in names]
    return plain[0] if len(plain) == 1 else f"{', '.join(plain[:-1])} and {plain[-1]}"


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"


EXPRESSION_OF: Final = {"human_capital": HUMAN, "social_capital": SOCIAL}
_NECESSITY: Final[tuple[ClaimName, ...]] = ("N-H", "N-S")
_ALONE: Final[tuple[ClaimName, ...]] = ("I-H", "I-S")


class SetRegion(NamedTuple):
    """A claim as set theory has it.

    ``event`` gives ``(replicate, group)``; ``figure`` the quantity that is reported; ``rests_on`` the
    sets whose members stand behind it; ``flags`` what the observed firms show, by group.
    """

    quantity: str
    region: str
    event: Callable[[Measured], NDArray[np.bool_]]
    figure: Callable[[Measured], Array]
    rests_on: tuple[str, ...]
    flags: Callable[[Measured, int], list[Flag]]


def set_regions(design: Design) -> dict[ClaimName, SetRegion]:
    """Claims about the capitals by name, with the cuts of the analysis."""
    asked = design.analysis.traditions.sets
    found = {name: _necessary(EXPRESSION_OF[CAPITAL_OF[name]], asked) for name in _NECESSITY}
    found |= {name: _insufficient(EXPRESSION_OF[CAPITAL_OF[name]], asked) for name in _ALONE}
    return found | {"J": _sufficient(asked), "C": _conjunction(asked)}


def coded(measured: Sufficiency, asked: Sets) -> NDArray[np.bool_]:
    """Whether sets count as sufficient by the cuts of an analysis."""
    return passes(measured, asked.sufficiency.consistency, asked.sufficiency.pri)


def _necessary(expression: str, asked: Sets) -> SetRegion:
    cuts = asked.necessity

    def event(found: Measured) -> NDArray[np.bool_]:
        mine = found.necessity[expression]
        enough = reaches(mine.consistency, cuts.consistency)
        return enough & reaches(mine.relevance, cuts.relevance)

    def flags(observed: Measured, column: int) -> list[Flag]:
        mine = observed.necessity[expression]
        high = reaches(mine.consistency, cuts.consistency)[0, column]
        return (
            ["trivial"] if high and not reaches(mine.relevance, cuts.relevance)[0, column] else []
        )

    return SetRegion(
        f"necessity consistency of {WORDS[expression]}",
        f"necessary: consistency at least {cuts.consistency:g} and relevance (RoN) at least "
        f"{cuts.relevance:g}",
        event,
        lambda found: found.necessity[expression].consistency,
        (OUTCOME,),
        flags,
    )


def _insufficient(expression: str, asked: Sets) -> SetRegion:
    cuts = asked.sufficiency
    return SetRegion(
        f"sufficiency consistency of {WORDS[expression]}",
        f"not sufficient: consistency below {cuts.consistency:g} or PRI below {cuts.pri:g}",
        lambda found: ~coded(found.sufficiency[expression], asked),
        lambda found: found.sufficiency[expression].consistency,
        (expression,),
        lambda observed, column: _contradictory(observed, expression, column, asked),
    )


def _sufficient(asked: Sets) -> SetRegion:
    cuts = asked.sufficiency
    return SetRegion(
        f"sufficiency consistency of {WORDS[BOTH]}",
        f"sufficient: consistency at least {cuts.consistency:g} and PRI at least {cuts.pri:g}",
        lambda found: coded(found.sufficiency[BOTH], asked),
        lambda found: found.sufficiency[BOTH].consistency,
        (BOTH,),
        lambda observed, column: _contradictory(observed, BOTH, column, asked),
    )


def _conjunction(asked: Sets) -> SetRegion:
    return SetRegion(
        f"sufficiency consistency of {WORDS[BOTH]} less the larger of either without the other",
        "in the solution both capitals together are sufficient and neither is without the other: "
        f"consistency at least {asked.sufficiency.consistency:g} and PRI at least "
        f"{asked.sufficiency.pri:g}",
        lambda found: both_only(found, asked),
        _gain,
        (BOTH, HUMAN_ONLY, SOCIAL_ONLY),
        lambda observed, column: _contradictory(observed, BOTH, column, asked),
    )


def both_only(found: Measured, asked: Sets) -> NDArray[np.bool_]:
    """Whether the complex solution has ``H*S`` as a term of its own, ``(replicate, group)``.

    Two rows of a truth table merge where they differ in one condition: so that term stands exactly
    where its row is coded 1 and the two rows beside it are not. A test holds this to the minimiser.
    """
    of_rows = {
        name: coded(found.sufficiency[name], asked)
        & (found.cases[name] >= max(asked.sufficiency.cases, 1))
        for name in (BOTH, HUMAN_ONLY, SOCIAL_ONLY)
    }
    return of_rows[BOTH] & ~of_rows[HUMAN_ONLY] & ~of_rows[SOCIAL_ONLY]


def _gain(found: Measured) -> Array:
    one_by_one = [found.sufficiency[name].consistency for name in (HUMAN_ONLY, SOCIAL_ONLY)]
    return found.sufficiency[BOTH].consistency - np.maximum(*one_by_one)


def _contradictory(observed: Measured, expression: str, column: int, asked: Sets) -> list[Flag]:
    mine = observed.sufficiency[expression]
    high = reaches(mine.consistency, asked.sufficiency.consistency)[0, column]
    low = mine.pri[0, column] < asked.sufficiency.pri
    return ["contradictory"] if high and low else []


MARGIN: Final = 0.10
"""Default of a difference between industries in the consistency of necessity that counts."""
GATE_FAILED: Final = (
    "The diagnostics gate failed: no verdict of this run counts, though this one rests on the "
    "observed firms and not on the posterior."
)
_DIFFERENCES: Final[tuple[ClaimName, ...]] = ("D-H", "D-S")
_SOURCES: Final[tuple[Source, ...]] = ("data", "model", "prior")


def set_readings(evidence: SetEvidence, gate_passed: bool) -> Iterator[Reading]:
    """Read every claim by set theory, for the groups that ``traditions`` names.

    There is no reading where a set cannot be calibrated, for want of values that differ.
    """
    if evidence.lacking or not evidence.rows.size:
        return
    reads = set_regions(evidence.design)
    for name, read in reads.items():
        for by in groups_asked(evidence.design):
            for column, label in evidence.columns(by):
                yield _reading(name, read, evidence, (by, column, label), gate_passed)
    yield from _differences(evidence, gate_passed)


class _Shares(NamedTuple):
    """Shares of replicates in a region, by what made them."""

    data: float
    model: float
    prior: float


class _Ground(NamedTuple):
    """What a reading stands on: its replicates, what stops it, and what is flagged already."""

    shares: _Shares
    column: int
    stopped: str
    behind: str
    figures: Array
    flags: list[Flag]


def _reading(
    name: ClaimName,
    read: SetRegion,
    evidence: SetEvidence,
    group: tuple[By, int, str],
    gate_passed: bool,
) -> Reading:
    by, column, label = group
    least = evidence.design.analysis.traditions.sets.min_cases
    observed = evidence.measured("observed")
    behind = {WORDS[one]: int(observed.cases[one][0, column]) for one in read.rests_on}
    thin = [(firms, one) for one, firms in behind.items() if firms < least]
    clusters = int(evidence.clusters[column])
    few = f"; {clusters} clusters only" if 2 <= clusters < FEW_CLUSTERS else ""
    flags = read.flags(observed, column)
    if thin:
        flags.append("thin")
    lacking = (
        f"Fewer than {least} firms have a membership above .5 in {thin[0][1]} ({thin[0][0]}): there "
        "is little to read."
        if thin
        else ""
    )
    ground = _Ground(
        _Shares(*(float(read.event(evidence.measured(s))[:, column].mean()) for s in _SOURCES)),
        column,
        lacking if gate_passed else GATE_FAILED,
        ", ".join(f"{_firms(firms)} in {one}" for one, firms in behind.items())
        + f" (membership above .5){few}",
        read.figure(evidence.measured("data"))[:, column],
        flags,
    )
    return _written(name, (by, label), (read.quantity, read.region), evidence, ground)


def _differences(evidence: SetEvidence, gate_passed: bool) -> Iterator[Reading]:
    """Read whether a capital is closer to necessary in some industries than in others."""
    asked = evidence.design.analysis.traditions
    margin = MARGIN if asked.margin is None else asked.margin
    columns = [column for column, _ in evidence.columns("industry")]
    if len(columns) < 2:
        return
    fewest = int(evidence.measured("observed").cases[OUTCOME][0, columns].min())
    thin = fewest < asked.sets.min_cases
    lacking = (
        f"Fewer than {asked.sets.min_cases} firms of an industry have a membership above .5 in the "
        f"outcome ({fewest}): there is little to compare."
        if thin
        else ""
    )
    for name in _DIFFERENCES:
        expression = EXPRESSION_OF[CAPITAL_OF[name]]
        ranges = [
            np.ptp(evidence.measured(source).necessity[expression].consistency[:, columns], axis=1)
            for source in _SOURCES
        ]
        ground = _Ground(
            _Shares(*(float((values > margin).mean()) for values in ranges)),
            evidence.columns("all")[0][0],
            lacking if gate_passed else GATE_FAILED,
            f"{len(columns)} industries, at least {_firms(fewest)} in the outcome in each",
            ranges[0],
            ["thin"] if thin else [],
        )
        what = (
            f"largest less smallest necessity consistency of {WORDS[expression]} of the industries",
            f"largest less smallest necessity consistency above {margin:g}",
        )
        yield _written(name, ("all", ALL), what, evidence, ground)


def _written(
    name: ClaimName,
    group: tuple[By, str],
    what: tuple[str, str],
    evidence: SetEvidence,
    ground: _Ground,
) -> Reading:
    """Decide, and write the reading."""
    level, shares = evidence.design.analysis.traditions.level, ground.shares
    decision, _ = decide(shares.data, level, ground.stopped)
    flags = list(ground.flags)
    if decision == "supported" and shares.prior >= level:
        flags.append("prior_decides")
    known = ground.figures[~np.isnan(ground.figures)]
    return Reading(
        tradition="sets",
        claim=name,
        by=group[0],
        group=group[1],
        quantity=what[0],
        estimate=estimate(known) if known.size > 1 else None,
        region=f"{what[1]} ({evidence.anchored})",
        probability=shares.data,
        prior_probability=shares.prior,
        verdict=decision,
        reason=ground.stopped
        or _reason(decision, shares, level, evidence.resampled(ground.column)),
        behind=ground.behind,
        flags=tuple(flags),
    )


def _reason(decision: Decision, shares: _Shares, level: float, resampled: str) -> str:
    low, high = f"{100 * (1 - level):.4g}%", f"{100 * level:.4g}%"
    bounds = {
        "supported": f"at least the {high} asked for",
        "rejected": f"at most the {low} below which the claim is given up",
        "undecided": f"between {low} and {high}",
    }
    return (
        f"{percent(shares.data)} of the replicates of the firms ({resampled}) lie in the region, "
        f"{bounds[decision]}; of those made by the fitted model, {percent(shares.model).lower()}."
    )


def _firms(count: int) -> str:
    return "1 firm" if count == 1 else f"{count} firms"


def sets_of(evidence: Evidence) -> SetEvidence:
    """What set theory looks at in a fit."""
    return evidence.once(_sets_of)


def _sets_of(evidence: Evidence) -> SetEvidence:
    return SetEvidence(evidence.design, evidence.posterior, evidence.prior, evidence.seed)
