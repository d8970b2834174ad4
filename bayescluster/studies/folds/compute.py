"""Prediction by leaving out: a finished run is refitted without each group, and scored on it.

The model is compiled once; rows that are left out have a weight of 0. Each refit is a file of its
own in the run directory; what is there is not made again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from bayescluster.app.run import open_design, write_run_report
from bayescluster.checks.comparison import leave_group_out
from bayescluster.checks.integrated import enough_draws, integrated_likelihood, own_groups
from bayescluster.design.record import Design
from bayescluster.estimands.summary import number
from bayescluster.features.folds.results import (
    FOLDS_VERSION,
    Folds,
    ImportanceScores,
    LeftOutGroups,
    LeftOutRows,
)
from bayescluster.inference.repeated import Refit
from bayescluster.inference.watch import CountingWatch, Silent
from bayescluster.model.evaluate import Draws, draws_of
from bayescluster.runs.layout import FOLDS, FOLDS_FOLDER
from bayescluster.runs.store import RunDirectory
from bayescluster.studies.folds.plan import (
    Held,
    Options,
    check,
    held_out,
    key_of_folds,
)
from bayescluster.studies.folds.refits import (
    STAGE,
    FormScores,
    LogScore,
    Refits,
    groups_left_out,
    log_score,
)
from bayescluster.studies.folds.rows import MendedRows, mended_rows, rows_left_out

if TYPE_CHECKING:
    from bayescluster.inference.nuts import ChainState


IMPORTANCE: Final = "importance.json"


class Finished(NamedTuple):
    """What was found by leaving out, and the run it is of."""

    directory: RunDirectory
    results: Folds


_Scores = FormScores | MendedRows


class _OfForm:
    """Tells a watcher which form the steps belong to."""

    def __init__(self, watch: CountingWatch, form: str) -> None:
        self._watch, self._form = watch, form

    def step(self, message: str) -> None:
        self._watch.step(f"{self._form}: {message[:1].lower()}{message[1:]}")

    def chain(self, state: ChainState) -> None:
        self._watch.chain(state)

    def count(self, what: str, finished: int, total: int) -> None:
        self._watch.count(what, finished, total)


def leave_out(
    directory: RunDirectory, options: Options, watch: CountingWatch | None = None
) -> Finished:
    """Refit a finished run without each group, score the groups, and write the report again.

    Parameters
    ----------
    directory
        A finished run; each of its forms is refitted, where there are several.
    options
        What is left out, and settings of the refits.
    watch
        Told of the progress.

    Raises
    ------
    ConfigError, DesignError, FitError, RunError
        See `bayescluster.errors`. Refits that were finished before are kept.
    """
    watch = watch or Silent()
    results = directory.load_results()
    with directory.lock():
        forms = directory.forms()
        for run in forms.values() or [directory]:
            check(open_design(run), options)
        scores: list[_Scores] = []
        for name, run in forms.items():
            with run.lock():
                one = _scored(run, options, _OfForm(watch, name))
                _keep(run, options, [one])
            scores.append(one)
        if not forms:
            scores = [_scored(directory, options, watch)]
        found = _keep(directory, options, scores)
        watch.step(f"Writing the report of {results.name} again")
        write_run_report(directory, results)
    return Finished(directory, found)


def _keep(directory: RunDirectory, options: Options, scores: Sequence[_Scores]) -> Folds:
    """Put what was found beside what was found by leaving out other things."""
    design = scores[0].design
    manifest = directory.read_manifest()
    before = directory.load_document(STAGE, FOLDS, Folds, FOLDS_VERSION) or Folds(
        name=manifest.name, run_key=manifest.key, synthetic=design.details.synthetic
    )
    key = key_of_folds(design, manifest.key, options)
    found = before.model_copy(update={options.by: _together(scores, options, key)})
    with directory.stage(STAGE):
        directory.save_document(STAGE, FOLDS, found)
    return found


def _together(scores: Sequence[_Scores], options: Options, key: str) -> LeftOutGroups | LeftOutRows:
    """Compare all forms."""
    rows = [one for one in scores if isinstance(one, MendedRows)]
    if rows:
        return rows_left_out(rows, options, key)
    return groups_left_out([one for one in scores if isinstance(one, FormScores)], options, key)


def _scored(directory: RunDirectory, options: Options, watch: CountingWatch) -> _Scores:
    """Scores of one form, from its refits and from importance sampling."""
    design = open_design(directory)
    if options.by == "row":
        with directory.stage(STAGE):
            return mended_rows(design, directory, options, watch)
    place = f"{FOLDS_FOLDER}/{options.by}-{key_of_folds(design, directory.read_manifest().key, options)}"
    held = held_out(design, options)
    with directory.stage(STAGE):
        folds = Refits(design, directory, options, place, watch).made(
            held, lambda one, refit: scored_groups(design, one, refit)
        )
        return FormScores(design, held, folds, _importance(directory, design, options, watch))


def scored_groups(design: Design, held: Held, refit: Refit) -> tuple[tuple[str, LogScore], ...]:
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
    found = leave_group_out(design, posterior_of(directory, design), options.by)
    scores = ImportanceScores(
        groups=design.group_labels(options.by),
        elpd=tuple(number(value) for value in found.elpd),
        khat=tuple(number(value) for value in found.khat),
        khat_threshold=found.khat_threshold,
    )
    directory.save_document(STAGE, file, scores)
    return scores


def posterior_of(directory: RunDirectory, design: Design) -> Draws:
    """Draws of the fit to all rows."""
    return draws_of(design, directory.load_posterior()["posterior"].to_dataset())
