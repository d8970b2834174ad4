"""Rows left out one by one: those whose importance weights fail, repaired by integrals or refits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from bayescluster.arrays import Array, Positions
from bayescluster.checks.comparison import (
    enough_draws,
    integrated_likelihood,
    leave_group_out,
    own_groups,
)
from bayescluster.checks.loo import (
    RowScores,
    difference,
    leave_row_out,
    row_log_likelihood,
    row_scores,
    stacking_weights,
    total_error,
)
from bayescluster.checks.thresholds import FOLD_ERROR_MAX, FOLD_ESS_MIN, FOLD_RHAT_MAX
from bayescluster.design.record import Design
from bayescluster.estimands.diagnostics import number
from bayescluster.features.folds.results import (
    FOLDS_VERSION,
    Fold,
    FormFolds,
    FormRows,
    GroupBy,
    GroupRow,
    ImportanceScores,
    LeftOutGroups,
    LeftOutRows,
    RowRepair,
    Way,
)
from bayescluster.inference.density import Refit
from bayescluster.inference.watch import CountingWatch
from bayescluster.model.evaluate import Draws, draws_of
from bayescluster.names import ROW
from bayescluster.runs.layout import FOLDS_FOLDER
from bayescluster.runs.store import RunDirectory
from bayescluster.studies.folds.refits import (
    STAGE,
    Held,
    LogScores,
    Options,
    held_out,
    log_score,
    notes,
    refits,
)

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


class RepairedRows(NamedTuple):
    """A form: scores of its rows before, ``(row,)`` after, and how each bad row was repaired."""

    design: Design
    before: RowScores
    after: Array
    repairs: tuple[RowRepair, ...]


def repaired_rows(
    design: Design, directory: RunDirectory, options: Options, watch: CountingWatch
) -> RepairedRows:
    """Score every row, and repair the scores whose importance weights failed.

    Parameters
    ----------
    design, directory
        A form, and the directory of its run; its lock is held and the stage has begun.
    options
        Settings of the refits, and how many there may be.
    watch
        Reports the progress.
    """
    tree = directory.load_posterior()
    before = leave_row_out(design, tree)
    khat = np.nan_to_num(before.khat, nan=np.inf)
    bad = sorted(map(int, np.flatnonzero(before.bad)), key=lambda row: -khat[row])  # worst first
    integrated: dict[int, IntegratedScore] = {}
    if unit_of(design) and bad:
        rows = f"{len(bad)} {'row' if len(bad) == 1 else 'rows'}"
        watch.step(f"Integrating effects out for {rows} above the threshold")
        draws = draws_of(design, tree["posterior"].to_dataset())
        integrated = {row: integrated_row(design, draws, row) for row in bad}
    still = [row for row in bad if row not in integrated or not integrated[row].reliable]
    labels = design.labels(ROW)
    # numbered by its place among all rows: a refit stays the same whatever else is refitted
    held = [Held(row + 1, (labels[row],), (np.array([row]),)) for row in still[: options.most]]

    def score(one: Held, refit: Refit) -> LogScores:
        # where its group has no other row, over draws of the group's effects
        density = row_log_likelihood(design, refit.draws, one.rows)[:, 0]
        return ((one.labels[0], log_score(density, refit.draws.chains)),)

    folds = refits(design, directory, options, held, score, watch)
    by_row = {fold.number - 1: fold for fold in folds}
    repairs = tuple(
        _repair(design, before, row, integrated.get(row), by_row.get(row)) for row in bad
    )
    after = before.elpd.copy()
    for row, repair in zip(bad, repairs, strict=True):
        score_after = {"integrated": repair.integrated, "refit": repair.refit, "left": None}
        elpd = score_after[repair.way]
        after[row] = after[row] if elpd is None else elpd
    return RepairedRows(design, before, after, repairs)


def _repair(
    design: Design,
    before: RowScores,
    row: int,
    integrated: IntegratedScore | None,
    fold: Fold | None,
) -> RowRepair:
    score = fold.scores[0] if fold is not None and fold.scores else None
    way: Way = "left"
    if integrated is not None and integrated.reliable:
        way = "integrated"
    elif fold is not None and fold.passed and score is not None and score.elpd is not None:
        way = "refit"
    why = ""
    if way == "left":
        why = "; ".join(fold.reasons) if fold is not None else "more rows than --most allows"
    return RowRepair(
        form=design.structure.name,
        row=design.labels(ROW)[row],
        way=way,
        khat=number(before.khat[row]),
        psis=number(before.elpd[row]),
        integrated_khat=None if integrated is None else number(integrated.khat),
        integrated=None if integrated is None else number(integrated.elpd),
        refit=None if score is None else score.elpd,
        refit_mcse=None if score is None else score.mcse,
        why=why,
    )


def rows_left_out(repaired: Sequence[RepairedRows], options: Options, key: str) -> LeftOutRows:
    """Put the scores of all forms together, over all rows."""
    after = np.column_stack([one.after for one in repaired])  # (row, form)
    before = np.column_stack([one.before.elpd for one in repaired])
    weights, own = weights_of(after), weights_of(before)
    best = after[:, int(np.argmax(after.sum(axis=0)))]
    design = repaired[0].design
    return LeftOutRows(
        key=key,
        most=options.most,
        draws=options.draws,
        tune=options.tune,
        chains=options.chains,
        seed=design.analysis.sampling.seed,
        khat_threshold=repaired[0].before.khat_threshold,
        unit=unit_of(design),
        forms=tuple(_form(one, best, weights[k], own[k]) for k, one in enumerate(repaired)),
        repairs=tuple(repair for one in repaired for repair in one.repairs),
        notes=tuple(notes(design, options)),
    )


def _form(
    one: RepairedRows, best: Array, weight: float | None, psis_weight: float | None
) -> FormRows:
    less = difference(one.after, best)
    ways = [repair.way for repair in one.repairs]
    khat = one.before.khat[np.isfinite(one.before.khat)]
    return FormRows(
        form=one.design.structure.name,
        rows=int(one.after.size),
        elpd=float(one.after.sum()),
        se=total_error(one.after),
        psis=float(one.before.elpd.sum()),
        psis_se=total_error(one.before.elpd),
        difference=less.total,
        difference_se=less.error,
        weight=weight,
        psis_weight=psis_weight,
        diag_khat_bad=len(ways),
        diag_khat_max=float(khat.max()) if khat.size else None,
        diag_integrated=ways.count("integrated"),
        diag_refits=ways.count("refit"),
        diag_failed=sum(
            repair.refit is not None and repair.way == "left" for repair in one.repairs
        ),
        diag_left=ways.count("left"),
    )


class IntegratedScore(NamedTuple):
    """Log predictive density of a left-out row, the Pareto k behind it, and the largest k borne."""

    elpd: float
    khat: float
    khat_threshold: float

    @property
    def reliable(self) -> bool:
        """Whether these weights can be relied on."""
        return bool(self.khat <= self.khat_threshold) and bool(np.isfinite(self.elpd))


def unit_of(design: Design) -> str:
    """Grouping whose effects are integrated out: the finest; empty where none varies."""
    names = [grouping.name for grouping in design.groupings]
    return max(names, key=lambda name: len(design.group_labels(name)), default="")


def integrated_row(design: Design, draws: Draws, row: int) -> IntegratedScore:
    """Score a row by importance sampling over what is left when its group's effects are integrated."""
    member = design.index(unit_of(design))
    rows = np.flatnonzero(member == member[row])
    few = draws.thinned(enough_draws(design, own_groups(design, rows, rows)))
    density = conditional_density(design, few, rows, row)
    found = row_scores(density[:, None])
    return IntegratedScore(float(found.elpd[0]), float(found.khat[0]), found.khat_threshold)


def conditional_density(design: Design, draws: Draws, rows: Positions, row: int) -> Array:
    """Log density of a row given the others of its group, the group's effects integrated out.

    ``(draw,)``: that of all rows of the group less that of the others.
    """
    own = own_groups(design, rows, rows)
    others = rows[rows != row]
    return np.asarray(
        integrated_likelihood(design, draws, rows, own)
        - integrated_likelihood(design, draws, others, own)
    )
