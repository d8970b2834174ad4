"""The tradition of causes: every number of its section, put together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from bayescluster.arrays import Array
from bayescluster.design.record import Design
from bayescluster.estimands.summary import estimates, interval, number
from bayescluster.hypotheses.causes.arms import combined, consistent, contradictions
from bayescluster.hypotheses.causes.assumptions import assumptions_of, notes_of, settings_of
from bayescluster.hypotheses.causes.benchmarks import benchmarks
from bayescluster.hypotheses.causes.contrasts import (
    SIDES,
    Place,
    Sides,
    contrast_place,
    corner_draws,
    fewest_near,
)
from bayescluster.hypotheses.causes.differences import difference_verdicts
from bayescluster.hypotheses.causes.experiments import (
    MIDDLE,
    Arms,
    observed_cells,
    plain_arms,
    posterior_arms,
)
from bayescluster.hypotheses.causes.firms import degrees_of_all, degrees_of_capital
from bayescluster.hypotheses.causes.probabilities import Bounds, exogenous, points, ratio
from bayescluster.hypotheses.causes.readings import cause_verdicts, why_silent
from bayescluster.hypotheses.causes.sensitivity import STRENGTHS, e_value, e_value_of_limit
from bayescluster.hypotheses.claims import groups_asked
from bayescluster.hypotheses.evidence import Evidence
from bayescluster.hypotheses.words import CAPITAL_WORDS
from bayescluster.names import CAPITALS
from bayescluster.results.causes import (
    BothArms,
    CauseBounds,
    CausesResults,
    CauseVerdict,
    Contrast,
    ContrastRow,
    DegreeRow,
)
from bayescluster.results.model import Estimate
from bayescluster.spec.causes import Experiment
from bayescluster.spec.hypotheses import By

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
    kinds: list[By] = ["all", *(by for by in groups_asked(evidence.design) if by != "all")]
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
