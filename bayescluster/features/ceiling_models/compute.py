"""Fits of ceiling models, their results, and the draws that the claims table may read.

``preferred(evidence)`` is for the reader of the tradition *ceilings*: effect sizes under the model
that predicts best of those that passed their gate, which take the place of those of the fitted form.
A capital none of whose models passed has none.
``evidence.results`` is what the report shows; ``evidence`` is ``None`` where none was fitted.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayescluster.arrays import Array
from bayescluster.checks.convergence import convergence_gate
from bayescluster.checks.loo import RowScores, difference, total_error
from bayescluster.design.record import Design
from bayescluster.estimands.diagnostics import estimate, estimates
from bayescluster.estimands.scopes import declared_groups
from bayescluster.features.ceiling_models.checks import (
    Firms,
    capital_notes,
    ceiling_scores,
    distance_checks,
    statement,
)
from bayescluster.features.ceiling_models.model import (
    UNIT_SD,
    CeilingDraws,
    CeilingSampler,
    Layout,
    Limits,
    ModelName,
    ceiling_draws_of,
    layout_of,
    prior_draws,
)
from bayescluster.features.ceiling_models.results import (
    CeilingFit,
    CeilingModelsResults,
    CeilingOfCapital,
    EffectSizeRow,
)
from bayescluster.features.ceiling_models.scope import Axis, axis_of, known_rows, own_units
from bayescluster.features.ceiling_models.spec import CeilingModels
from bayescluster.features.ceilings.compute import Preferred
from bayescluster.features.ceilings.functional import Key, least_level_rows, least_levels
from bayescluster.features.ceilings.results import CeilingLine, LeastLevel, Level
from bayescluster.inference.watch import Watch
from bayescluster.names import ALL, CAPITALS, CLUSTER, INDUSTRY
from bayescluster.results.base import INTERVAL, By
from bayescluster.results.model import Gate
from bayescluster.runs.keys import ceiling_key
from bayescluster.runs.store import RunDirectory
from bayescluster.spec.analysis import Sampling

LEVEL_GRID = 41
"""Places of the capital at which ceilings are drawn and inverted."""
LEVEL_SLOPE = 1e-9
"""Below this slope a line is level."""


def _area(upper: Array, limits: Limits) -> Array:
    """Integral of ``clip(u, floor, top)`` from 0 to ``upper``, up to a constant."""
    floor, top = limits
    inside = np.clip(upper, floor, top)
    below, above = np.minimum(upper - floor, 0.0), np.maximum(upper - top, 0.0)
    return np.asarray(floor * below + inside**2 / 2 + top * above)


def effect_size(height: Array, slope: Array, limits: Limits) -> Array:
    """Share of the scope above a ceiling, exactly.

    Parameters
    ----------
    height, slope
        Line of the ceiling, of one shape; ``height`` in the middle of the scope.
    limits
        Floor and top.
    """
    height, slope = np.broadcast_arrays(height, slope)
    level = np.abs(slope) < LEVEL_SLOPE
    safe = np.where(level, 1.0, slope)
    below = _area(height + safe / 2, limits) - _area(height - safe / 2, limits)
    # a ceiling along the top leaves nothing, not a rounding error less
    return np.asarray(np.maximum(1 - np.where(level, np.clip(height, *limits), below / safe), 0.0))


def unit_effects(draws: CeilingDraws, layout: Layout, limits: Limits) -> Array:
    """Effect size of each unit, ``(draw, unit)``."""
    return effect_size(draws.height, draws.slope[:, layout.industry], limits)


def new_unit_heights(draws: CeilingDraws, rng: np.random.Generator) -> Array:
    """Height of a new cluster of each industry, ``(draw, industry)``."""
    noise = rng.logistic(size=draws.location.shape)
    return draws.location + UNIT_SD * draws.spread[:, None] * noise


def group_ceilings(
    draws: CeilingDraws, layout: Layout, weights: Array, limits: Limits, at: Array
) -> Array:
    """Ceilings of groups of firms: averages over their firms of those of their clusters.

    Parameters
    ----------
    draws, layout, limits
        The model.
    weights
        What a unit counts in a group, ``(unit, group)``, each column summing to 1.
    at
        Places of the capital, ``(place,)``.

    Returns
    -------
    ndarray
        ``(draw, group, place)``.
    """
    heights = np.empty((draws.size, weights.shape[1], at.size))
    slope = draws.slope[:, layout.industry]
    for k, place in enumerate(at):  # (draw, unit) at a time
        heights[:, :, k] = np.clip(draws.height + slope * (place - 0.5), *limits) @ weights
    return heights


CEILING_STREAM = 21
"""Keeps the random streams of ceiling models apart from all others."""
TOP = 1.0
MODELS: tuple[ModelName, ...] = ("ratio", "composed", "contaminated")
KEY, SECONDS = "key", "seconds"
PRIOR_DRAWS = 4000
TAIL = (1 - INTERVAL) / 2
ROUNDING = 1e-12
"""How far below a level of the outcome, as a share of its scope, a ceiling still reaches it."""
LEVELS = tuple(level / 10 for level in range(1, 11))
"""Levels of the outcome in bottleneck tables, as shares of its scope."""
POINTS = 400
"""Firms shown in a figure."""
TREEDEPTH = Sampling().max_treedepth


def fit_ceiling_models(design: Design, directory: RunDirectory, watch: Watch) -> None:
    """Fit and keep every ceiling model of the analysis that is not kept already.

    Parameters
    ----------
    design
        Design of the analysis; of several forms, that of any.
    directory
        Run whose lock is held.
    watch
        Shows the progress.
    """
    options = design.analysis.traditions.ceiling_models
    if options is None:
        return
    pending = [job for job in _jobs(design, options) if _kept(directory, job) is None]
    if not pending:
        watch.step("The ceiling models are there already")
    samplers: dict[tuple[str, bytes], CeilingSampler] = {}
    with directory.stage("ceiling_models") if pending else nullcontext():
        for scoped, kind, sampling in pending:
            firms = scoped.firms
            shape = (kind, firms.layout.unit.tobytes())
            # both capitals of the same firms share one compiled model
            sampler = samplers.setdefault(shape, CeilingSampler(kind, firms.layout, firms.limits))
            watch.step(f"Sampling the ceiling model '{kind}' of {scoped.capital}")
            started = time.monotonic()
            tree = sampler.sample(firms.x, firms.y, sampling, watch.chain)
            tree.attrs = {
                KEY: key_of_fit(scoped, kind, sampling),
                SECONDS: round(time.monotonic() - started, 1),
            }
            directory.save_ceiling_model(scoped.capital, kind, tree)


class _Job(NamedTuple):
    scoped: Scoped
    kind: ModelName
    sampling: Sampling


def _jobs(design: Design, options: CeilingModels) -> Iterator[_Job]:
    for capital in options.capitals:
        scoped = scoped_firms(design, options, capital)
        for kind in options.models:
            yield _Job(scoped, kind, sampling_of(design, options, capital, kind))


def _kept(directory: RunDirectory, job: _Job) -> xr.DataTree | None:
    tree = directory.load_ceiling_model(job.scoped.capital, job.kind)
    if tree is None or tree.attrs.get(KEY) != key_of_fit(job.scoped, job.kind, job.sampling):
        return None
    return tree


def sampling_of(design: Design, options: CeilingModels, capital: str, kind: str) -> Sampling:
    """Settings of the sampler for one capital and model, with a seed of its own."""
    seed = design.analysis.sampling.seed
    entropy = (seed, CEILING_STREAM, CAPITALS.index(capital), MODELS.index(kind))
    return Sampling(
        draws=options.draws,
        tune=options.tune,
        chains=options.chains,
        target_accept=options.target_accept,
        seed=int(np.random.SeedSequence(entropy).generate_state(1, np.uint64)[0] >> np.uint64(1)),
    )


def key_of_fit(scoped: Scoped, kind: str, sampling: Sampling) -> str:
    """Hash what a fit depends on."""
    firms, digest = scoped.firms, hashlib.sha256()
    for values in (firms.x, firms.y, firms.layout.unit, firms.layout.industry):
        digest.update(np.ascontiguousarray(values).tobytes())
    depends_on: dict[str, Any] = {
        "model": kind,
        "firms": digest.hexdigest(),
        "units": [*firms.layout.units, *firms.layout.industries],
        "limits": firms.limits,
        "sampling": sampling.model_dump(),
    }
    return ceiling_key(depends_on)


class Scoped(NamedTuple):
    """Firms of one capital in shares of the scope; ``rows`` are their places in the design."""

    capital: str
    rows: NDArray[np.int64]
    x_axis: Axis
    y_axis: Axis
    firms: Firms


def scoped_firms(design: Design, options: CeilingModels, capital: str) -> Scoped:
    """Take the firms whose capital and outcome are known, in shares of the scope."""
    known = known_rows(design)
    rows = np.flatnonzero(known[capital] & known["outcome"])
    x, y = own_units(design, capital)[rows], design.outcome[rows]
    x_axis = axis_of(x, getattr(options.scope, capital))
    y_axis = axis_of(y, options.scope.outcome)
    cluster, industry = (
        np.array(design.group_labels(name))[design.index(name)][rows]
        if getattr(design.analysis.data, name) is not None
        else None
        for name in (CLUSTER, INDUSTRY)
    )
    alone = cluster is None and industry is None
    layout = layout_of(np.full(rows.size, ALL) if alone else cluster, industry)
    firms = Firms(layout, x_axis.share(x), y_axis.share(y), (options.floor, TOP))
    return Scoped(capital, rows, x_axis, y_axis, firms)


class Fit(NamedTuple):
    """A ceiling model of one capital: its firms, and its draws."""

    scoped: Scoped
    kind: ModelName
    tree: xr.DataTree


def kept_fits(design: Design, directory: RunDirectory) -> tuple[Fit, ...]:
    """Fits that a run holds of what the analysis asks for, capital by capital."""
    options = design.analysis.traditions.ceiling_models
    if options is None:
        return ()
    kept = ((job, _kept(directory, job)) for job in _jobs(design, options))
    return tuple(Fit(job.scoped, job.kind, tree) for job, tree in kept if tree is not None)


class CeilingEvidence(NamedTuple):
    """Results of the ceiling models of a run, and what is behind them."""

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
    groups, judged, capitals = {}, [], []
    for capital in dict.fromkeys(fit.scoped.capital for fit in fits):
        some = [fit for fit in fits if fit.scoped.capital == capital]
        groups[capital] = tuple(groups_of_units(design, some[0].scoped))
        mine = [_judged(fit, groups[capital], design.analysis.sampling.seed) for fit in some]
        judged += mine
        capitals.append(_of_capital(design, mine, groups[capital]))
    results = CeilingModelsResults(floor=options.floor, capitals=tuple(capitals))
    return CeilingEvidence(results, tuple(judged), groups)


def preferred(evidence: CeilingEvidence | None, seed: int) -> Preferred | None:
    """Draws of ``d`` under the best model that passed its gate; see the module."""
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


class Group(NamedTuple):
    """A group of firms: what each unit counts in it, ``(unit,)``, and its number of firms."""

    by: By
    label: str
    weights: Array
    rows: int


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


class Judged(NamedTuple):
    """A fit with its draws, effect sizes by group ``(draw, group)``, scores and gate."""

    fit: Fit
    draws: CeilingDraws
    effects: Array
    new: Array
    scores: RowScores
    gate: Gate


def _judged(fit: Fit, groups: Sequence[Group], seed: int) -> Judged:
    draws = ceiling_draws_of(fit.kind, fit.tree["posterior"].to_dataset())
    firms = fit.scoped.firms
    effects = effects_of(draws, firms.layout, groups, firms.limits)
    rng = np.random.default_rng(_entropy(seed, fit))
    new = new_effects_of(draws, firms.layout, groups, firms.limits, rng)
    named = {
        f"d of {group.by} {group.label}": effects[:, column] for column, group in enumerate(groups)
    }
    gate = convergence_gate(fit.tree, named, TREEDEPTH)
    return Judged(fit, draws, effects, new, ceiling_scores(fit.kind, draws, firms), gate)


def effects_of(
    draws: CeilingDraws, layout: Layout, groups: Sequence[Group], limits: tuple[float, float]
) -> Array:
    """Effect size of each group, ``(draw, group)``."""
    weights = np.column_stack([group.weights for group in groups])
    return np.asarray(unit_effects(draws, layout, limits) @ weights)


def new_effects_of(
    draws: CeilingDraws,
    layout: Layout,
    groups: Sequence[Group],
    limits: tuple[float, float],
    rng: np.random.Generator,
) -> Array:
    """Effect size of a new cluster of any industry, then of each, ``(draw, 1 + industry)``.

    That of any comes from an industry drawn by its share of the firms.
    """
    each = effect_size(new_unit_heights(draws, rng), draws.slope, limits)
    whole = np.bincount(layout.industry, groups[0].weights, minlength=len(layout.industries))
    chosen = rng.choice(whole.size, size=draws.size, p=whole / whole.sum())
    return np.column_stack([each[np.arange(draws.size), chosen], each])


def _entropy(seed: int, fit: Fit) -> tuple[int, ...]:
    return (seed, CEILING_STREAM, len(fit.scoped.capital), MODELS.index(fit.kind), 1)


def _of_capital(
    design: Design, judged: Sequence[Judged], groups: Sequence[Group]
) -> CeilingOfCapital:
    scoped, best = judged[0].fit.scoped, _best(judged)
    base = best or max(judged, key=lambda one: float(one.scores.elpd.sum()))
    fits = tuple(_fit(design, one, groups, base, best) for one in judged)
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
        notes=tuple(capital_notes(design, scoped.capital, scoped.firms)),
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
    design: Design, one: Judged, groups: Sequence[Group], base: Judged, best: Judged | None
) -> CeilingFit:
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


def effect_rows(
    one: Judged, groups: Sequence[Group], rng: np.random.Generator
) -> tuple[EffectSizeRow, ...]:
    """Effect sizes of all groups, then of a new cluster of any industry and of each."""
    layout, limits = one.fit.scoped.firms.layout, one.fit.scoped.firms.limits
    prior = prior_draws(one.fit.kind, layout, PRIOR_DRAWS, rng)
    before = effects_of(prior, layout, groups, limits)
    labels: list[tuple[By, str, bool, int]] = [(g.by, g.label, False, g.rows) for g in groups]
    effects = [*estimates(one.effects, one.draws.chains)]
    if any(group.by == "cluster" for group in groups) and len(layout.units) > 1:
        before = np.column_stack([before, new_effects_of(prior, layout, groups, limits, rng)])
        labels.append((groups[0].by, groups[0].label, True, 0))
        if any(group.by == "industry" for group in groups):
            labels += [("industry", label, True, 0) for label in layout.industries]
        effects += estimates(one.new, one.draws.chains)
    return tuple(
        EffectSizeRow(
            by=by,
            group=label,
            new=new,
            rows=rows,
            estimate=effects[k],
            prior=estimate(before[:, k]),
        )
        for k, (by, label, new, rows) in enumerate(labels)
    )


def prior_effects(one: Judged, groups: Sequence[Group], rng: np.random.Generator) -> Array:
    """Effect sizes of all groups under the prior of a model, ``(draw, group)``."""
    firms = one.fit.scoped.firms
    prior = prior_draws(one.fit.kind, firms.layout, PRIOR_DRAWS, rng)
    return effects_of(prior, firms.layout, groups, firms.limits)


def line_rows(one: Judged, groups: Sequence[Group]) -> Iterable[CeilingLine]:
    """Ceilings of all firms and of industries over the scope."""
    shown = [group for group in groups if group.by != "cluster"]
    scoped, (at, curves) = one.fit.scoped, _curves(one, shown)
    low, high = np.quantile(curves, [TAIL, 1 - TAIL], axis=0)
    for k, group in enumerate(shown):
        ends = (curves[:, k].mean(axis=0), low[k], high[k])
        mean, lower, upper = (
            tuple(scoped.y_axis.value(float(value)) for value in each) for each in ends
        )
        yield CeilingLine(
            capital=scoped.capital,
            by=group.by,
            group=group.label,
            at=tuple(scoped.x_axis.value(float(place)) for place in at),
            mean=mean,
            low=lower,
            high=upper,
        )


def needed_rows(one: Judged, groups: Sequence[Group]) -> Iterable[LeastLevel]:
    """Bottleneck table: least capital by level of the outcome, for every group."""
    scoped, (at, curves) = one.fit.scoped, _curves(one, groups)
    targets, percents = [scoped.y_axis.value(level) for level in LEVELS], [100 * v for v in LEVELS]

    def units(share: float) -> Level:
        return Level(original=scoped.x_axis.value(share), percent=100 * share)

    for k, group in enumerate(groups):
        key = (scoped.capital, group.by, group.label)
        draws = least_levels(at, curves[:, k], LEVELS, tolerance=ROUNDING)
        yield from least_level_rows(key, draws, targets, percents, units)


def _curves(one: Judged, groups: Sequence[Group]) -> tuple[Array, Array]:
    """Places of the capital in shares, and ceilings of groups there, ``(draw, group, place)``."""
    at = np.linspace(0.0, 1.0, LEVEL_GRID)
    firms = one.fit.scoped.firms
    weights = np.column_stack([group.weights for group in groups])
    return at, group_ceilings(one.draws, firms.layout, weights, firms.limits, at)
