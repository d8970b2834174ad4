"""Prediction by leaving out: a finished run is refitted without each group, and scored on it.

The model is compiled once; rows that are left out have a weight of 0. Refits and results are part of
the run directory, which has its own lock and manifest.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bayescluster.app.report import open_design, write_run_report
from bayescluster.app.run import NamedWatch
from bayescluster.features.folds.results import FOLDS_VERSION, Folds, LeftOutGroups, LeftOutRows
from bayescluster.inference.watch import CountingWatch, Silent
from bayescluster.runs.layout import FOLDS
from bayescluster.runs.store import RunDirectory
from bayescluster.studies.engine import Finished
from bayescluster.studies.folds.refits import STAGE, Options, check, key_of_folds
from bayescluster.studies.folds.rows import (
    GroupScores,
    RepairedRows,
    group_scores,
    groups_left_out,
    repaired_rows,
    rows_left_out,
)


def leave_out(
    source: RunDirectory | Path | str, options: Options, watch: CountingWatch | None = None
) -> Finished[Folds]:
    """Refit a finished run without each group, score the groups, and write the report again.

    Parameters
    ----------
    source
        A finished run, or its directory; each of its forms is refitted, where there are several.
    options
        What is left out, and settings of the refits.
    watch
        Reports the progress.

    Raises
    ------
    ConfigError, DesignError, FitError, RunError
        See `bayescluster.errors`. Refits that were finished before are kept.
    """
    watch = watch or Silent()
    run = source if isinstance(source, RunDirectory) else RunDirectory.open(Path(source))
    results = run.load_results()
    with run.lock():
        forms = run.forms()
        for each in forms.values() or [run]:
            check(open_design(each), options)
        scores = []
        for name, each in forms.items():
            with each.lock():
                scores.append(_scores(each, options, NamedWatch(watch, name)))
                _keep(each, options, scores[-1:])
        found = _keep(run, options, scores or [_scores(run, options, watch)])
        watch.step(f"Writing the report of {results.name} again")
        write_run_report(run, results)
    return Finished(run.path, found)


def _scores(
    run: RunDirectory, options: Options, watch: CountingWatch
) -> GroupScores | RepairedRows:
    """Scores of one form, from its refits and from importance sampling."""
    score = repaired_rows if options.by == "row" else group_scores
    with run.stage(STAGE):
        return score(open_design(run), run, options, watch)


def _keep(
    run: RunDirectory, options: Options, scores: Sequence[GroupScores | RepairedRows]
) -> Folds:
    """Add the scores to what was found by leaving out other things."""
    design, manifest = scores[0].design, run.read_manifest()
    before = run.load_document(STAGE, FOLDS, Folds, FOLDS_VERSION) or Folds(
        name=manifest.name, run_key=manifest.key, synthetic=design.details.synthetic
    )
    key = key_of_folds(design, manifest.key, options)
    found = before.model_copy(update={options.by: _together(scores, options, key)})
    with run.stage(STAGE):
        run.save_document(STAGE, FOLDS, found)
    return found


def _together(
    scores: Sequence[GroupScores | RepairedRows], options: Options, key: str
) -> LeftOutGroups | LeftOutRows:
    """Compare all forms."""
    if options.by == "row":
        return rows_left_out([one for one in scores if isinstance(one, RepairedRows)], options, key)
    return groups_left_out([one for one in scores if isinstance(one, GroupScores)], options, key)
