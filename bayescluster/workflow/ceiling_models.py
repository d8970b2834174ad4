"""What fitted ceiling models say, and the draws that the claims table may read.

``preferred(evidence)`` is for the reader of the tradition *ceilings*: effect sizes under the model
that predicts best of those that passed their gate, which take the place of those of the fitted form.
A capital none of whose models passed has none.
``evidence.results`` is what the report shows; ``evidence`` is ``None`` where none was fitted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from bayescluster.arrays import Array
from bayescluster.checks.ceiling_distance import distance_checks
from bayescluster.checks.ceiling_loo import ceiling_scores
from bayescluster.checks.ceiling_words import capital_notes, statement
from bayescluster.checks.convergence import convergence_gate
from bayescluster.checks.stacking import difference, total_error
from bayescluster.design.record import Design
from bayescluster.estimands.membership import declared_groups
from bayescluster.estimands.summary import estimates
from bayescluster.hypotheses.ceilings.found import Key
from bayescluster.hypotheses.ceilings.readings import Preferred
from bayescluster.model.ceiling_evaluate import ceiling_draws_of
from bayescluster.results.ceiling_models import (
    CeilingFit,
    CeilingModelsResults,
    CeilingOfCapital,
)
from bayescluster.runs.store import RunDirectory
from bayescluster.spec.sampling import Sampling
from bayescluster.workflow.ceiling_fits import (
    CEILING_STREAM,
    MODELS,
    SECONDS,
    Fit,
    Scoped,
    kept_fits,
)
from bayescluster.workflow.ceiling_rows import (
    Group,
    Judged,
    effect_rows,
    effects_of,
    line_rows,
    needed_rows,
    new_effects_of,
    prior_effects,
)

POINTS = 400
"""Firms shown in a figure."""
TREEDEPTH = Sampling().max_treedepth


class CeilingEvidence(NamedTuple):
    """Everything that the ceiling models of a run say."""

    results: CeilingModelsResults
    judged: tuple[Judged, ...]
    groups: Mapping[str, tuple[Group, ...]]
    """Groups by capital: firms whose capital is not known are not among them."""


def ceiling_evidence(design: Design, directory: RunDirectory) -> CeilingEvidence | None:
    """Judge the ceiling models that a run holds; nothing where it holds none."""
    fits = kept_fits(design, directory)
    options = design.analysis.traditions.ceiling_models
    if options is None or not fits:
        return None
    groups, judged, found = {}, [], []
    for capital in dict.fromkeys(fit.scoped.capital for fit in fits):
        some = [fit for fit in fits if fit.scoped.capital == capital]
        groups[capital] = tuple(groups_of_units(design, some[0].scoped))
        mine = [_judged(fit, groups[capital], design.analysis.sampling.seed) for fit in some]
        judged += mine
        found.append(_of_capital(design, mine, groups[capital]))
    results = CeilingModelsResults(floor=options.floor, capitals=tuple(found))
    return CeilingEvidence(results, tuple(judged), groups)


def preferred(evidence: CeilingEvidence | None, seed: int) -> Preferred | None:
    """Give draws of ``d`` under the best model that passed its gate; see the module."""
    if evidence is None:
        return None
    names: dict[Key, str] = {}
    effects: dict[Key, Array] = {}
    prior: dict[Key, Array] = {}
    chains = 0
    for capital, groups in evidence.groups.items():
        best = _best([one for one in evidence.judged if one.fit.scoped.capital == capital])
        if best is None:
            continue
        chains = best.draws.chains
        before = prior_effects(best, groups, np.random.default_rng(_entropy(seed, best.fit)))
        for column, group in enumerate(groups):
            key: Key = (capital, group.by, group.label)
            names[key] = f"the {best.fit.kind} ceiling"
            effects[key], prior[key] = best.effects[:, column], before[:, column]
    return Preferred(names, effects, prior, chains) if effects else None


def _best(judged: Sequence[Judged]) -> Judged | None:
    passed = [one for one in judged if one.gate.passed]
    return max(passed, key=lambda one: float(one.scores.elpd.sum()), default=None)


def groups_of_units(design: Design, scoped: Scoped) -> Iterable[Group]:
    """Groups of the firms with a ceiling, and what each unit counts in them."""
    unit, units = scoped.firms.layout.unit, len(scoped.firms.layout.units)
    for groups in declared_groups(design):
        weights = groups.weights[scoped.rows]
        for column, label in enumerate(groups.labels):
            counted = np.bincount(unit, weights[:, column], minlength=units)
            if counted.sum() > 0:
                rows = int(groups.members[scoped.rows, column].sum())
                yield Group(groups.by, label, counted / counted.sum(), rows)


def _entropy(seed: int, fit: Fit) -> tuple[int, ...]:
    return (seed, CEILING_STREAM, len(fit.scoped.capital), MODELS.index(fit.kind), 1)


def _judged(fit: Fit, groups: Sequence[Group], seed: int) -> Judged:
    draws = ceiling_draws_of(fit.kind, fit.tree["posterior"].to_dataset())
    firms = fit.scoped.firms
    effects = effects_of(draws, firms.layout, groups, firms.limits)
    rng = np.random.default_rng(_entropy(seed, fit))
    new = new_effects_of(draws, firms.layout, groups, (firms.limits, rng))
    named = {
        f"d of {group.by} {group.label}": effects[:, column] for column, group in enumerate(groups)
    }
    gate = convergence_gate(fit.tree, named, TREEDEPTH)
    return Judged(fit, draws, effects, new, ceiling_scores(fit.kind, draws, firms), gate)


def _of_capital(
    design: Design, judged: Sequence[Judged], groups: Sequence[Group]
) -> CeilingOfCapital:
    scoped, best = judged[0].fit.scoped, _best(judged)
    base = best or max(judged, key=lambda one: float(one.scores.elpd.sum()))
    fits = tuple(_fit(design, one, groups, (base, best)) for one in judged)
    return CeilingOfCapital(
        capital=scoped.capital,
        low=scoped.x_axis.low,
        high=scoped.x_axis.high,
        outcome_low=scoped.y_axis.low,
        outcome_high=scoped.y_axis.high,
        declared="; ".join(
            f"{name}: {'declared' if axis.declared else 'least and largest in the data'}"
            for name, axis in (("capital", scoped.x_axis), ("outcome", scoped.y_axis))
        ),
        firms=scoped.rows.size,
        points=_points(scoped),
        fits=fits,
        statement=statement(fits),
        notes=capital_notes(design, scoped.capital, scoped.firms),
    )


def _points(scoped: Scoped) -> tuple[tuple[float, float, str], ...]:
    layout = scoped.firms.layout
    some = np.linspace(0, scoped.rows.size - 1, min(POINTS, scoped.rows.size)).astype("int64")
    labels = np.array(layout.industries)[layout.of_firms]
    return tuple(
        (scoped.x_axis.value(float(x)), scoped.y_axis.value(float(y)), str(label))
        for x, y, label in zip(
            scoped.firms.x[some], scoped.firms.y[some], labels[some], strict=True
        )
    )


def _fit(
    design: Design,
    one: Judged,
    groups: Sequence[Group],
    lead: tuple[Judged, Judged | None],
) -> CeilingFit:
    base, best = lead
    scores, draws, chains = one.scores, one.draws, one.draws.chains
    less = difference(scores.elpd, base.scores.elpd)
    finite = scores.khat[np.isfinite(scores.khat)]
    rng = np.random.default_rng((*_entropy(design.analysis.sampling.seed, one.fit), 2))
    extra = None if one.fit.kind == "ratio" else estimates(draws.extra[:, None], chains)[0]
    al, be = estimates(np.column_stack([draws.al, draws.be]), chains)
    layout = one.fit.scoped.firms.layout
    return CeilingFit(
        model=one.fit.kind,
        gate_passed=one.gate.passed,
        failing=tuple(
            f"{item.name}: {item.found}" for item in one.gate.items if item.passed is not True
        ),
        elpd=float(scores.elpd.sum()),
        se=total_error(scores.elpd),
        difference=less.total,
        difference_se=less.error,
        bad=int(scores.bad.sum()),
        khat_max=float(finite.max()) if finite.size else None,
        best=one is best,
        extra=extra,
        shape=(al, be),
        slopes=dict(zip(layout.industries, estimates(draws.slope, chains), strict=True)),
        distances=distance_checks(one.fit.kind, draws, one.fit.scoped.firms, rng),
        effects=effect_rows(one, groups, rng),
        lines=tuple(line_rows(one, groups)),
        needed=tuple(needed_rows(one, groups)),
        seconds=float(one.fit.tree.attrs[SECONDS]),
    )
