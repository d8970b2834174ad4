"""Structural forms compared by how well they predict rows and clusters that are left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayescluster.arrays import Array
from bayescluster.checks import thresholds
from bayescluster.checks.integrated import (
    enough_draws,
    exclusive,
    integrated_likelihood,
    own_groups,
)
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
from bayescluster.model.evaluate import Draws
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
