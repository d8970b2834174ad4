"""Structural forms compared by how well they predict rows and clusters that are left out.

Log density of rows with the effects of their own groups integrated out, draw by draw.

Effects of a group that is left out are known from nothing but their distribution. So what the model
says of its rows, all together, is the mean of their joint density over that distribution.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import scipy
from numpy.typing import NDArray

from bayescluster.arrays import Array, Positions
from bayescluster.checks import thresholds
from bayescluster.checks.loo import (
    RowScores,
    difference,
    log_sum,
    smoothed,
    stacking_weights,
    total_error,
)
from bayescluster.design.record import Design
from bayescluster.lookup import listed
from bayescluster.model.evaluate import Draws, GroupDraws, predictor_at
from bayescluster.names import CLUSTER
from bayescluster.results.fit import Criterion, FormRow, Score
from bayescluster.results.model import Gate
from bayescluster.structures import Structure

INTERACTION_ALONE = (
    "An interaction coefficient alone does not establish necessity: a positive product is found too "
    "where either capital makes up for the other, as long as returns to their sum rise."
)


class FormFit(NamedTuple):
    """What a comparison uses of one form.

    ``clusters`` is nothing where clusters cannot be left out; then it is for all forms.
    """

    structure: Structure
    gate: Gate
    rows: RowScores
    clusters: ClusterScores | None
    non_compensatory: float | None
    """Posterior probability that neither capital makes up for the other; nothing without capitals."""


def form_rows(fits: Sequence[FormFit]) -> tuple[FormRow, ...]:
    """Compare forms, in the order they are given."""
    rows = _scores([fit.rows for fit in fits])
    clusters: Sequence[Score | None] = [None] * len(fits)
    held = [fit.clusters for fit in fits if fit.clusters is not None]
    if len(held) == len(fits):
        clusters = _scores(held)
    by_cluster = criterion_of(fits) == "leave-one-cluster-out"
    return tuple(
        _form_row(fit, row, cluster, cluster if by_cluster and cluster is not None else row)
        for fit, row, cluster in zip(fits, rows, clusters, strict=True)
    )


def criterion_of(fits: Sequence[FormFit]) -> Criterion:
    """Say by which criterion forms are weighed: clusters left out, where there are any."""
    whole = all(fit.clusters is not None and np.isfinite(fit.clusters.elpd).all() for fit in fits)
    return "leave-one-cluster-out" if whole else "PSIS-LOO"


def _form_row(fit: FormFit, rows: Score, clusters: Score | None, used: Score) -> FormRow:
    behind = -rows.difference
    return FormRow(
        form=fit.structure.name,
        formula=fit.structure.formula,
        gate_passed=fit.gate.passed,
        failing=tuple(item.name for item in fit.gate.items if item.passed is not True),
        non_compensatory_probability=fit.non_compensatory,
        p_loo=fit.rows.p_loo,
        rows=rows,
        clusters=clusters,
        weight=used.weight,
        plausible=behind
        <= max(thresholds.ELPD_DIFFERENCE_MIN, thresholds.ELPD_DIFFERENCE_SES * rows.difference_se),
    )


def _scores(by_form: Sequence[RowScores | ClusterScores]) -> list[Score]:
    elpd = np.column_stack([scores.elpd for scores in by_form])  # (unit, form)
    known = bool(np.isfinite(elpd).all())
    weights = stacking_weights(elpd) if known else np.full(len(by_form), 1 / len(by_form))
    best = elpd[:, int(np.argmax(elpd.sum(axis=0)))]
    return [
        _score(each, best, float(weight)) for each, weight in zip(by_form, weights, strict=True)
    ]


def _score(scores: RowScores | ClusterScores, best: Array, weight: float) -> Score:
    less = difference(scores.elpd, best)
    finite = scores.khat[np.isfinite(scores.khat)]
    return Score(
        elpd=float(scores.elpd.sum()),
        se=total_error(scores.elpd),
        difference=less.total,
        difference_se=less.error,
        weight=weight,
        bad=int(scores.bad.sum()),
        khat_max=float(finite.max()) if finite.size else None,
    )


def statements(rows: Sequence[FormRow], criterion: Criterion) -> tuple[str, ...]:
    """Say in sentences, by rule, what a comparison shows and what it does not."""
    best = max(rows, key=lambda row: row.rows.elpd)
    alike = [row.form for row in rows if row is not best and row.plausible]
    worse = [row.form for row in rows if not row.plausible]
    return (
        *_distinguished(best.form, alike, worse),
        *_made_up(rows),
        *([INTERACTION_ALONE] if any(row.form == "interaction" for row in rows) else []),
        *_caveats(rows, criterion),
    )


def _used(row: FormRow, criterion: Criterion) -> Score:
    by_cluster = criterion == "leave-one-cluster-out"
    return row.clusters if by_cluster and row.clusters is not None else row.rows


def _distinguished(best: str, alike: Sequence[str], worse: Sequence[str]) -> Iterator[str]:
    rule = (
        f"within {thresholds.ELPD_DIFFERENCE_MIN:g}, or within {thresholds.ELPD_DIFFERENCE_SES:g} "
        "standard errors of the difference, of the best elpd of rows left out"
    )
    if alike:
        yield (
            f"Plausible forms: {listed([best, *alike])} ({rule}). A verdict has to hold under each of them."
        )
    else:
        yield f"Only {best} is plausible ({rule}): verdicts rest on it."
    if worse:
        verb = "predicts" if len(worse) == 1 else "predict"
        yield f"{listed(worse)} {verb} worse than {best}, by more than the data leave open."


def _made_up(rows: Sequence[FormRow]) -> Iterator[str]:
    told = [
        f"{row.form} {row.non_compensatory_probability:.2f}"
        for row in rows
        if row.non_compensatory_probability is not None
    ]
    if told:
        yield (
            "Probability that neither capital by itself covers more than "
            f"{thresholds.KAPPA:.0%} of the way from both low to both high, on the link scale, over all "
            f"firms: {', '.join(told)}."
        )


def _caveats(rows: Sequence[FormRow], criterion: Criterion) -> Iterator[str]:
    unit = "cluster" if criterion == "leave-one-cluster-out" else "row"
    leaning = [
        f"{bad} {unit}{'s' if bad > 1 else ''} under {row.form}"
        for row in rows
        if (bad := _used(row, criterion).bad)
    ]
    if leaning:
        yield f"Pareto k is above the threshold for {listed(leaning)}: read these elpd with care."
    for row in rows:
        if not row.gate_passed:
            yield f"{row.form} failed its diagnostics gate ({', '.join(row.failing)})."


class ClusterScores(NamedTuple):
    """Log predictive density of each left-out group, and the Pareto k behind it, ``(group,)``."""

    elpd: Array
    khat: Array
    khat_threshold: float

    @property
    def bad(self) -> NDArray[np.bool_]:
        """Groups whose Pareto k is above the threshold, or is not a number."""
        return ~(self.khat <= self.khat_threshold)


def why_not(design: Design) -> str:
    """Why clusters cannot be left out of a design; empty where they can."""
    if design.analysis.data.cluster is None:
        return "the data declare no clusters"
    cluster = design.index(CLUSTER)
    if np.unique(cluster).size < 2:
        return "there is only one cluster"
    for grouping in design.groupings:
        own = [exclusive(design.index(grouping.name), rows) for rows in rows_of(design, CLUSTER)]
        if max(len(found) for found in own) > 1:
            return f"several effects by {grouping.name} lie within one cluster"
    return ""


def leave_cluster_out(design: Design, draws: Draws) -> ClusterScores:
    """Score every cluster by what the other clusters predict; see `leave_group_out`."""
    return leave_group_out(design, draws, CLUSTER)


def leave_group_out(design: Design, draws: Draws, by: str) -> ClusterScores:
    """Score every group of a grouping by what the other groups predict, in the order of the labels.

    So many draws are used as the integrals allow. Of clusters, the design is one for which `why_not`
    finds nothing.
    """
    few = draws.thinned(
        min(enough_draws(design, own_groups(design, rows, rows)) for rows in rows_of(design, by))
    )
    likelihood = marginal_likelihood(design, few, by)
    log_weights, khat = smoothed(-likelihood.T, 1.0)
    elpd = log_sum(log_weights + likelihood.T)
    return ClusterScores(elpd, khat, thresholds.khat_max(few.size))


def marginal_likelihood(design: Design, draws: Draws, by: str = CLUSTER) -> Array:
    """Log density of each group's rows, its own effects integrated out, ``(draw, group)``."""
    return np.column_stack(
        [
            integrated_likelihood(design, draws, rows, own_groups(design, rows, rows))
            for rows in rows_of(design, by)
        ]
    )


def rows_of(design: Design, by: str) -> list[NDArray[np.int64]]:
    """Positions of the rows of each group, in the order of the labels."""
    member = design.index(by)
    return [np.flatnonzero(member == k) for k in range(len(design.group_labels(by)))]


LogDensity = Callable[[Array], Array]
"""``(draw, effect) -> (draw,)``: log density of the data at the effects, one point a draw."""

GAUSS_NODES = 11
POINTS = 128
"""Nodes for one effect, and for several."""
WIDER = 1.2
"""Quasi-random nodes are spread by this much more than the curvature says: tails must be met."""
NEWTON_STEPS = 5
STEP = 1e-2
"""Half width of the differences that approximate derivatives, in standard deviations."""
CURVATURE_MIN = 0.5
"""The prior alone has curvature 1; a likelihood may take some of it away, but never all here."""
MOVE_MAX = 5.0
"""Longest step along an effect in one round, in prior standard deviations."""


class Nodes(NamedTuple):
    """Points ``(node, effect)``, and the log weight of each for an integral over the plane."""

    points: Array
    log_weights: Array


def log_mean_density(density: LogDensity, start: Array) -> Array:
    """Log of the mean density of the data over standard normal effects, ``(draw,)``.

    ``density`` is the log density of the data given the effects; the search for the mode begins from
    ``start``, ``(draw, effect)``.
    """

    def joint(effects: Array) -> Array:
        normal = -0.5 * (effects**2).sum(axis=1) - 0.5 * effects.shape[1] * np.log(2 * np.pi)
        return np.asarray(density(effects) + normal)

    mode, spread = _mode(joint, start)
    _, scale = np.linalg.slogdet(spread)
    nodes = _nodes(start.shape[1])
    terms = [
        weight + joint(mode + np.einsum("sij,j->si", spread, point))
        for point, weight in zip(*nodes, strict=True)
    ]
    return np.asarray(scale + scipy.special.logsumexp(terms, axis=0))


def _nodes(effects: int) -> Nodes:
    if effects == 1:
        points, weights = np.polynomial.hermite_e.hermegauss(GAUSS_NODES)
        return Nodes(points[:, None], np.log(weights) + 0.5 * points**2)
    unit = scipy.stats.qmc.Sobol(effects, scramble=True, rng=np.random.default_rng(0)).random(
        POINTS
    )
    points = WIDER * scipy.stats.norm.ppf(np.clip(unit, 1e-9, 1 - 1e-9))
    density = scipy.stats.norm.logpdf(points, scale=WIDER).sum(axis=1)
    return Nodes(points, -density - np.log(POINTS))


def _mode(joint: LogDensity, start: Array) -> tuple[Array, Array]:
    """Mode of a log density at each draw, and a root of its inverse curvature there."""
    at = start
    for _ in range(NEWTON_STEPS):
        slope, curvature = _derivatives(joint, at)
        move = np.linalg.solve(curvature, slope[..., None])[..., 0]
        at = at + np.clip(move, -MOVE_MAX, MOVE_MAX)
    _, curvature = _derivatives(joint, at)
    return at, np.linalg.cholesky(np.linalg.inv(curvature))


def _derivatives(joint: LogDensity, at: Array) -> tuple[Array, Array]:
    """Slope ``(draw, effect)`` and curvature ``(draw, effect, effect)``, kept positive."""
    effects = at.shape[1]
    shifts = STEP * np.eye(effects)
    middle = joint(at)
    up = [joint(at + shift) for shift in shifts]
    down = [joint(at - shift) for shift in shifts]
    slope = np.stack([(a - b) / (2 * STEP) for a, b in zip(up, down, strict=True)], axis=-1)
    second = np.empty((at.shape[0], effects, effects))
    for i in range(effects):
        second[:, i, i] = -(up[i] + down[i] - 2 * middle) / STEP**2
        for j in range(i):
            both = joint(at + shifts[i] + shifts[j])
            second[:, i, j] = second[:, j, i] = -(both - up[i] - up[j] + middle) / STEP**2
    known = np.isfinite(second).all(axis=(1, 2)) & np.isfinite(slope).all(axis=1)
    second[~known], slope[~known] = np.eye(effects), 0.0
    values, vectors = np.linalg.eigh(second)
    kept = np.maximum(values, CURVATURE_MIN)
    return slope, (vectors * kept[:, None, :]) @ np.swapaxes(vectors, -1, -2)


DRAWS = 1000
"""Most draws that are used, evenly spaced."""
DRAWS_WITHIN = 200
"""The same where there is an integral within an integral at every draw."""
FARTHEST = 5.0
"""The search for a mode begins no farther from 0 than this, in standard deviations."""
TOGETHER = 16
"""Most effects that are integrated at once; beyond, those of the finest grouping go group by group."""

RowDensity = Callable[[Draws], Array]
"""Log density of each row at draws, ``(draw, row)``."""


class Own(NamedTuple):
    """A grouping of which one group has all its rows among those that are left out."""

    grouping: str
    group: int


def own_groups(design: Design, rows: Positions, held: Positions) -> tuple[Own, ...]:
    """Groups of some rows that have all their rows among those left out, grouping by grouping.

    ``held`` are the positions of all rows that are left out, ``rows`` some of them.
    """
    return tuple(
        Own(grouping.name, int(group))
        for grouping in design.groupings
        for group in np.intersect1d(
            exclusive(design.index(grouping.name), held), design.index(grouping.name)[rows]
        )
    )


def exclusive(member: Positions, rows: Positions) -> list[int]:
    """Groups that have all their rows among these."""
    inside = np.bincount(member[rows], minlength=int(member.max()) + 1)
    whole = np.bincount(member)
    return [int(group) for group in np.flatnonzero((inside == whole) & (whole > 0))]


def enough_draws(design: Design, own: Sequence[Own]) -> int:
    """How many draws to look at, by what the integral costs."""
    return DRAWS_WITHIN if _effects(design, own) > TOGETHER else DRAWS


def integrated_likelihood(
    design: Design, draws: Draws, rows: Positions, own: Sequence[Own]
) -> Array:
    """Joint log density of rows at each draw, the effects of some groups integrated out, ``(draw,)``.

    The weights of the design multiply the log density of its rows; ``draws`` are for all rows; the
    effects of the groups ``own`` are integrated out under their distribution at each draw.
    """
    if not rows.size:
        return np.zeros(draws.size)
    out = np.empty(draws.size)
    for which, part in draws.for_rows(rows).chunks(rows.size):
        out[which] = _integrated(design, part, rows, own)
    return out


def _effects(design: Design, own: Sequence[Own]) -> int:
    width = {grouping.name: len(grouping.terms) for grouping in design.groupings}
    return sum(width[name] for name, _ in own)


def _integrated(design: Design, draws: Draws, rows: Positions, own: Sequence[Own]) -> Array:
    by_row = _row_density(design, rows)
    inner: list[Own] = []
    if _effects(design, own) > TOGETHER:
        names = [name for name, _ in own]
        finest = max(dict.fromkeys(names), key=names.count)
        inner = [one for one in own if one.grouping == finest]
    outer = [one for one in own if one not in inner]

    def density(at: Draws) -> Array:
        return _group_by_group(at, inner, by_row) if inner else by_row(at).sum(axis=1)

    if not outer:
        return density(draws)
    roots = [_root(draws.groups[name]) for name, _ in outer]  # (draw, term, term) each
    start = np.concatenate(
        [
            _standard(root, draws.groups[name].effect[:, [group]])[:, 0]
            for root, (name, group) in zip(roots, outer, strict=True)
        ],
        axis=1,
    )
    return log_mean_density(lambda z: density(_with(draws, outer, roots, z)), start)


def _row_density(design: Design, rows: Positions) -> RowDensity:
    """Log density of the answered rows at draws for all these rows."""
    known = np.flatnonzero(design.answered[rows])
    answered = rows[known]
    quantities = design.rows.at(answered)
    weights = 1.0 if design.weights is None else design.weights.rows[answered]
    outcome, offset = design.outcome[answered], design.offset[answered]

    def density(at: Draws) -> Array:
        capitals = at.capitals or (design.capitals[0][rows], design.capitals[1][rows])
        # the draws keep the members of rows without an outcome
        eta = predictor_at(design, at, capitals, rows)[:, known] + offset
        found = design.family.log_density(outcome, eta, at.parameters, quantities)
        full = np.zeros((at.size, rows.size))
        full[:, known] = weights * found
        return full

    return density


def _group_by_group(draws: Draws, inner: Sequence[Own], by_row: RowDensity) -> Array:
    """Integrate the effects of groups that share no rows, each by itself, ``(draw,)``."""
    name = inner[0].grouping
    held = draws.groups[name]
    groups = np.array([group for _, group in inner])
    belongs = held.member[:, None] == groups  # (row, group)
    root = _root(held)
    start = _standard(root, held.effect[:, groups])  # (draw, group, term)
    shape = start.shape

    def density(z: Array) -> Array:
        effect = held.effect.copy()
        effect[:, groups] = np.einsum("sij,sgj->sgi", root, z.reshape(shape))
        at = replace(draws, groups=draws.groups | {name: held._replace(effect=effect)})
        return np.asarray(by_row(at) @ belongs).ravel()

    each = log_mean_density(density, start.reshape(-1, shape[2])).reshape(shape[:2])
    found = each.sum(axis=1)
    others = ~belongs.any(axis=1)
    return np.asarray(found + by_row(draws)[:, others].sum(axis=1)) if others.any() else found


def _root(group: GroupDraws) -> Array:
    """Root of the covariance of a group's effects: effects are this times standard normals."""
    scale = np.maximum(group.sd, np.finfo(float).tiny)[:, :, None]
    if group.correlation is None:
        return np.asarray(scale * np.eye(len(group.terms)))
    return np.asarray(scale * np.linalg.cholesky(group.correlation))


def _standard(root: Array, effect: Array) -> Array:
    """Effects ``(draw, group, term)`` in standard deviations, not too far from 0."""
    found = np.linalg.solve(root, np.swapaxes(effect, -1, -2))
    return np.clip(np.swapaxes(found, -1, -2), -FARTHEST, FARTHEST)


def _with(draws: Draws, own: Sequence[Own], roots: Sequence[Array], z: Array) -> Draws:
    """Put other effects in the place of the groups' own, from standard normals."""
    effects: dict[str, Array] = {}
    start = 0
    for (name, group), root in zip(own, roots, strict=True):
        width = root.shape[1]
        effect = effects.setdefault(name, draws.groups[name].effect.copy())
        effect[:, group] = np.einsum("sij,sj->si", root, z[:, start : start + width])
        start += width
    groups = {name: draws.groups[name]._replace(effect=effect) for name, effect in effects.items()}
    return replace(draws, groups=draws.groups | groups)
