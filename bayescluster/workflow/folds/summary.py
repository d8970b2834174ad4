"""Refits of each form to one table: sums over the groups that count, differences and weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayescluster.arrays import Array
from bayescluster.checks.stacking import difference, stacking_weights, total_error
from bayescluster.checks.thresholds import FOLD_ERROR_MAX, FOLD_ESS_MIN, FOLD_RHAT_MAX
from bayescluster.design.record import Design
from bayescluster.results.folds import (
    Fold,
    FormFolds,
    GroupRow,
    ImportanceScores,
    LeftOutGroups,
)
from bayescluster.workflow.folds.plan import Held, Options, notes


class FormScores(NamedTuple):
    """A form: its design, what was left out, the refits, and the scores by importance sampling."""

    design: Design
    held: tuple[Held, ...]
    folds: tuple[Fold, ...]
    importance: ImportanceScores

    @property
    def form(self) -> str:
        """Name of the form."""
        return self.design.structure.name


def groups_left_out(scores: Sequence[FormScores], options: Options, key: str) -> LeftOutGroups:
    """Put the scores of all forms together.

    A group counts in the sums where its refit passed its gate under every form; so all sums are over
    the same groups.
    """
    tables = [_rows(one) for one in scores]
    shared = np.all([[row.counts for row in table] for table in tables], axis=0)  # (group,)
    design = scores[0].design
    return LeftOutGroups.model_validate(
        {
            "by": options.by,
            "key": key,
            "folds": len(scores[0].held),
            "draws": options.draws,
            "tune": options.tune,
            "chains": options.chains,
            "seed": design.analysis.sampling.seed,
            "khat_threshold": scores[0].importance.khat_threshold,
            "rhat_max": FOLD_RHAT_MAX,
            "ess_min": FOLD_ESS_MIN,
            "error_max": FOLD_ERROR_MAX,
            "forms": _forms(scores, tables, shared),
            "rows": tuple(row for table in tables for row in table),
            "notes": notes(design, options),
        }
    )


def _rows(one: FormScores) -> list[GroupRow]:
    """Every group, in the order of the labels."""
    importance = {
        label: (elpd, khat)
        for label, elpd, khat in zip(
            one.importance.groups, one.importance.elpd, one.importance.khat, strict=True
        )
    }
    found: dict[str, GroupRow] = {}
    for held, fold in zip(one.held, one.folds, strict=True):
        own = {score.group: score for score in fold.scores}
        for label, rows in zip(held.labels, held.parts, strict=True):
            score = own.get(label)
            elpd = None if score is None else score.elpd
            psis, khat = importance[label]
            found[label] = GroupRow(
                form=one.form,
                group=label,
                rows=int(rows.size),
                fold=held.number,
                counts=fold.passed and elpd is not None,
                elpd=elpd,
                mcse=None if score is None else score.mcse,
                psis=psis,
                khat=khat,
                khat_bad=khat is None or khat > one.importance.khat_threshold,
                why=_why(fold, elpd),
            )
    return [found[label] for label in one.importance.groups if label in found]


def _why(fold: Fold, elpd: float | None) -> str:
    if fold.reasons:
        return "; ".join(fold.reasons)
    return "the score is not a finite number" if elpd is None else ""


def _forms(
    scores: Sequence[FormScores],
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
                weight=None if weights is None else float(weights[k]),
                psis_weight=None if own is None else float(own[k]),
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


def weights_of(elpd: Array) -> Array | None:
    """Stacking weights of forms from ``(unit, form)``; nothing where scores are not all known."""
    if not elpd.size or not np.isfinite(elpd).all():
        return None
    return stacking_weights(elpd)
