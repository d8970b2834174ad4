"""Clusters or industries left out: their scores from refits, next to those of importance sampling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from bayescluster.arrays import Array
from bayescluster.checks.comparison import leave_group_out
from bayescluster.checks.integrated import enough_draws, integrated_likelihood, own_groups
from bayescluster.checks.loo import difference, stacking_weights, total_error
from bayescluster.checks.thresholds import FOLD_ERROR_MAX, FOLD_ESS_MIN, FOLD_RHAT_MAX
from bayescluster.design.record import Design
from bayescluster.estimands.summary import number
from bayescluster.features.folds.results import (
    FOLDS_VERSION,
    Fold,
    FormFolds,
    GroupBy,
    GroupRow,
    ImportanceScores,
    LeftOutGroups,
)
from bayescluster.inference.repeated import Refit
from bayescluster.inference.watch import CountingWatch
from bayescluster.model.evaluate import draws_of
from bayescluster.runs.layout import FOLDS_FOLDER
from bayescluster.runs.store import RunDirectory
from bayescluster.studies.folds.plan import Held, Options, held_out, notes
from bayescluster.studies.folds.refits import STAGE, LogScores, log_score, refits

IMPORTANCE: Final = "importance.json"


class GroupScores(NamedTuple):
    """A form: its design, what was left out, the refits, and the scores by importance sampling."""

    design: Design
    held: tuple[Held, ...]
    folds: tuple[Fold, ...]
    importance: ImportanceScores

    @property
    def form(self) -> str:
        """Name of the form."""
        return self.design.structure.name


def group_scores(
    design: Design, directory: RunDirectory, options: Options, watch: CountingWatch
) -> GroupScores:
    """Score every group from refits without it, and from importance sampling."""
    held = held_out(design, options)

    def score(one: Held, refit: Refit) -> LogScores:
        return scored_groups(design, one, refit)

    folds = refits(design, directory, options, held, score, watch)
    return GroupScores(design, held, folds, _importance(directory, design, options, watch))


def scored_groups(design: Design, held: Held, refit: Refit) -> LogScores:
    """Joint score of each group that a refit left out, by its label."""
    out = held.rows
    found = []
    for label, rows in zip(held.labels, held.parts, strict=True):
        own = own_groups(design, rows, out)
        draws = refit.draws.thinned_by_chain(enough_draws(design, own))
        joint = integrated_likelihood(design, draws, rows, own)
        found.append((label, log_score(joint, refit.draws.chains)))
    return tuple(found)


def _importance(
    directory: RunDirectory, design: Design, options: Options, watch: CountingWatch
) -> ImportanceScores:
    """Scores of the same groups from the fit to all rows."""
    file = f"{FOLDS_FOLDER}/{options.by}-{IMPORTANCE}"
    kept = directory.load_document(STAGE, file, ImportanceScores, FOLDS_VERSION)
    if kept is not None:
        return kept
    watch.step("Scoring the same groups by importance sampling")
    posterior = draws_of(design, directory.load_posterior()["posterior"].to_dataset())
    psis = leave_group_out(design, posterior, options.by)
    scores = ImportanceScores(
        groups=design.group_labels(options.by),
        elpd=tuple(number(value) for value in psis.elpd),
        khat=tuple(number(value) for value in psis.khat),
        khat_threshold=psis.khat_threshold,
    )
    directory.save_document(STAGE, file, scores)
    return scores


def groups_left_out(scores: Sequence[GroupScores], options: Options, key: str) -> LeftOutGroups:
    """Put the scores of all forms together.

    A group counts in the sums where its refit passed its gate under every form; so all sums are over
    the same groups.
    """
    tables = [_rows(one) for one in scores]
    shared = np.all([[row.counts for row in table] for table in tables], axis=0)  # (group,)
    design = scores[0].design
    return LeftOutGroups(
        by=cast("GroupBy", options.by),
        key=key,
        folds=len(scores[0].held),
        draws=options.draws,
        tune=options.tune,
        chains=options.chains,
        seed=design.analysis.sampling.seed,
        khat_threshold=scores[0].importance.khat_threshold,
        rhat_max=FOLD_RHAT_MAX,
        ess_min=FOLD_ESS_MIN,
        error_max=FOLD_ERROR_MAX,
        forms=_forms(scores, tables, shared),
        rows=tuple(row for table in tables for row in table),
        notes=tuple(notes(design, options)),
    )


def _rows(one: GroupScores) -> list[GroupRow]:
    """Every group, in the order of the labels."""
    psis = one.importance
    importance = dict(zip(psis.groups, zip(psis.elpd, psis.khat, strict=True), strict=True))
    found: dict[str, GroupRow] = {}
    for held, fold in zip(one.held, one.folds, strict=True):
        own = {score.group: score for score in fold.scores}
        for label, rows in zip(held.labels, held.parts, strict=True):
            score, (by_psis, khat) = own.get(label), importance[label]
            elpd = None if score is None else score.elpd
            unknown = ("the score is not a finite number",) if elpd is None else ()
            found[label] = GroupRow(
                form=one.form,
                group=label,
                rows=int(rows.size),
                fold=held.number,
                counts=fold.passed and elpd is not None,
                elpd=elpd,
                mcse=None if score is None else score.mcse,
                psis=by_psis,
                khat=khat,
                khat_bad=khat is None or khat > psis.khat_threshold,
                why="; ".join(fold.reasons or unknown),
            )
    return [found[label] for label in psis.groups if label in found]


def _forms(
    scores: Sequence[GroupScores],
    tables: Sequence[Sequence[GroupRow]],
    shared: NDArray[np.bool_],
) -> tuple[FormFolds, ...]:
    elpd = _columns([[row.elpd for row in table] for table in tables])[shared]  # (group, form)
    psis = _columns([[row.psis for row in table] for table in tables])[shared]
    weights, own = weights_of(elpd), weights_of(psis)
    best = elpd[:, int(np.argmax(elpd.sum(axis=0)))]
    found = []
    for k, (one, table) in enumerate(zip(scores, tables, strict=True)):
        less = difference(elpd[:, k], best)
        by_psis = psis[:, k]
        known = bool(by_psis.size) and bool(np.isfinite(by_psis).all())
        errors = [row.mcse or 0.0 for row, counts in zip(table, shared, strict=True) if counts]
        khats = [row.khat for row in table if row.khat is not None]
        found.append(
            FormFolds(
                form=one.form,
                groups=len(table),
                counted=int(shared.sum()),
                elpd=float(elpd[:, k].sum()),
                se=total_error(elpd[:, k]),
                mcse=float(np.sqrt(np.square(errors).sum())),
                psis=float(by_psis.sum()) if known else None,
                psis_se=total_error(by_psis) if known else None,
                difference=less.total,
                difference_se=less.error,
                weight=weights[k],
                psis_weight=own[k],
                diag_khat_bad=sum(row.khat_bad for row in table),
                diag_khat_max=max(khats, default=None),
                diag_refits=sum(fold.status == "fitted" for fold in one.folds),
                diag_second=sum(fold.attempts > 1 for fold in one.folds),
                diag_failed=sum(not fold.passed for fold in one.folds),
            )
        )
    return tuple(found)


def _columns(values: Sequence[Sequence[float | None]]) -> Array:
    """Scores as ``(unit, form)``, NaN where there is none."""
    return np.array(values, dtype="float64").T


def weights_of(elpd: Array) -> list[float] | list[None]:
    """Stacking weights of forms from ``(unit, form)``; none where scores are not all known."""
    if not elpd.size or not np.isfinite(elpd).all():
        return [None] * elpd.shape[1]
    return [float(weight) for weight in stacking_weights(elpd)]
