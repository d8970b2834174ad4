"""Rows left out one by one: those whose importance weights fail, repaired by integrals or refits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bayescluster.arrays import Array
from bayescluster.checks.loo import (
    RowScores,
    difference,
    leave_row_out,
    total_error,
)
from bayescluster.design.record import Design
from bayescluster.estimands.summary import number
from bayescluster.features.folds.results import (
    Fold,
    FormRows,
    LeftOutRows,
    RowRepair,
    Way,
)
from bayescluster.inference.repeated import Refit
from bayescluster.inference.watch import CountingWatch
from bayescluster.model.evaluate import draws_of
from bayescluster.names import ROW
from bayescluster.runs.layout import FOLDS_FOLDER
from bayescluster.runs.store import RunDirectory
from bayescluster.studies.folds.plan import (
    Held,
    Options,
    key_of_folds,
    notes,
)
from bayescluster.studies.folds.refits import (
    IntegratedScore,
    LogScore,
    Refits,
    integrated_row,
    log_score,
    row_log_likelihood,
    unit_of,
    weights_of,
)


class MendedRows(NamedTuple):
    """A form: scores of its rows before, ``(row,)`` after, and how each bad row was mended."""

    design: Design
    before: RowScores
    after: Array
    repairs: tuple[RowRepair, ...]


def mended_rows(
    design: Design, directory: RunDirectory, options: Options, watch: CountingWatch
) -> MendedRows:
    """Score every row, and mend the scores whose importance weights failed.

    Parameters
    ----------
    design, directory
        A form, and the directory of its run; its lock is held and the stage has begun.
    options
        Settings of the refits, and how many there may be.
    watch
        Told of the progress.
    """
    tree = directory.load_posterior()
    before = leave_row_out(design, tree)
    bad = _worst_first(before)
    integrated: dict[int, IntegratedScore] = {}
    if unit_of(design) and bad:
        watch.step(f"Integrating effects out for {_rows(len(bad))} above the threshold")
        draws = draws_of(design, tree["posterior"].to_dataset())
        integrated = {row: integrated_row(design, draws, row) for row in bad}
    still = [row for row in bad if row not in integrated or not integrated[row].mended]
    labels = design.labels(ROW)
    # numbered by its place among all rows: a refit stays the same whatever else is refitted
    wanted = [Held(row + 1, (labels[row],), (np.array([row]),)) for row in still[: options.most]]
    key = key_of_folds(design, directory.read_manifest().key, options)
    place = f"{FOLDS_FOLDER}/{options.by}-{key}"
    folds = Refits(design, directory, options, place, watch).made(
        wanted, lambda one, refit: _scored(design, one, refit)
    )
    refits = {fold.number - 1: fold for fold in folds}
    repairs = tuple(
        _repair(design, before, row, integrated.get(row), refits.get(row)) for row in bad
    )
    after = before.elpd.copy()
    for row, repair in zip(bad, repairs, strict=True):
        after[row] = _mended(repair, float(before.elpd[row]))
    return MendedRows(design, before, after, repairs)


def _worst_first(scores: RowScores) -> list[int]:
    khat = np.nan_to_num(scores.khat, nan=np.inf)
    bad = np.flatnonzero(scores.bad)
    return [int(row) for row in bad[np.argsort(-khat[bad], kind="stable")]]


def _rows(many: int) -> str:
    return f"{many} {'row' if many == 1 else 'rows'}"


def _scored(design: Design, held: Held, refit: Refit) -> tuple[tuple[str, LogScore], ...]:
    """Score of the one row; where its group has no other row, over draws of the group's effects."""
    (label,) = held.labels
    density = row_log_likelihood(design, refit.draws, held.rows)[:, 0]
    return ((label, log_score(density, refit.draws.chains)),)


def _repair(
    design: Design,
    before: RowScores,
    row: int,
    integrated: IntegratedScore | None,
    fold: Fold | None,
) -> RowRepair:
    score = fold.scores[0] if fold is not None and fold.scores else None
    way: Way = "left"
    if integrated is not None and integrated.mended:
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


def _mended(repair: RowRepair, before: float) -> float:
    found = {"integrated": repair.integrated, "refit": repair.refit, "left": None}[repair.way]
    return before if found is None else found


def rows_left_out(mended: Sequence[MendedRows], options: Options, key: str) -> LeftOutRows:
    """Put the scores of all forms together, over all rows."""
    after = np.column_stack([one.after for one in mended])  # (row, form)
    before = np.column_stack([one.before.elpd for one in mended])
    weights, own = weights_of(after), weights_of(before)
    best = after[:, int(np.argmax(after.sum(axis=0)))]
    design = mended[0].design
    return LeftOutRows(
        key=key,
        most=options.most,
        draws=options.draws,
        tune=options.tune,
        chains=options.chains,
        seed=design.analysis.sampling.seed,
        khat_threshold=mended[0].before.khat_threshold,
        unit=unit_of(design),
        forms=tuple(
            _form(
                one,
                best,
                None if weights is None else float(weights[k]),
                None if own is None else float(own[k]),
            )
            for k, one in enumerate(mended)
        ),
        repairs=tuple(repair for one in mended for repair in one.repairs),
        notes=notes(design, options),
    )


def _form(
    one: MendedRows, best: Array, weight: float | None, psis_weight: float | None
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
