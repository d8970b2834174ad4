"""Fits, runs and studies, from Python."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bayescluster.api.run import Run
from bayescluster.app.prepare import analysis_source, design_of
from bayescluster.app.run import run_analysis
from bayescluster.design.record import Design
from bayescluster.runs.store import RunDirectory
from bayescluster.spec.analysis import Analysis

if TYPE_CHECKING:
    from bayescluster.inference.watch import CountingWatch, Watch
    from bayescluster.studies.calibration.plan import Options as CalibrationOptions
    from bayescluster.studies.calibration.results import Calibration
    from bayescluster.studies.compare.results import Compared
    from bayescluster.studies.engine import Finished
    from bayescluster.studies.multiverse.plan import Options
    from bayescluster.studies.multiverse.results import Multiverse
    from bayescluster.studies.prior.results import PriorStudy


def load(path: Path | str) -> Analysis:
    """Read and check an analysis file."""
    return analysis_source(path).analysis


def validate(source: Analysis | Path | str) -> Design:
    """Check an analysis against its data; return the design it would fit, of the first form."""
    return design_of(analysis_source(source))


def fit(
    source: Analysis | Path | str,
    out: Path | str = "runs",
    watch: Watch | None = None,
    *,
    retry: bool = False,
) -> Run:
    """Fit an analysis and write its report, or take what is finished.

    Parameters
    ----------
    source
        Analysis file, or an `Analysis`; paths in the latter start at the working directory.
    out
        Folder of the runs.
    watch
        Told of the progress; silent without it.
    retry
        After a failed gate draw again as its reasons advise, at most three times, each a run of its
        own: the one that passed is given, or the last. ``run.results.attempts`` tells all.
    """
    if retry:
        from bayescluster.app.retry import run_with_retries

        return Run(run_with_retries(source, out, watch).last.directory)
    return Run(run_analysis(source, out, watch).directory)


def open_run(path: Path | str) -> Run:
    """Open a finished run from its directory, or the newest of an analysis from its folder."""
    return Run(RunDirectory.open(Path(path)))


def prior(
    source: Analysis | Path | str,
    draws: int = 2000,
    seed: int | None = None,
    out: Path | str = "runs",
    watch: CountingWatch | None = None,
) -> PriorStudy:
    """Tell what an analysis says before its data, from draws of its prior; nothing is fitted.

    The seed is that of the analysis without another; ``prior.html`` is written below ``out``.
    """
    from bayescluster.studies.prior.study import Options, study_prior

    return study_prior(source, Options(draws, seed), out, watch).results


def compare(
    runs: Sequence[Run | Path | str],
    out: Path | str | None = None,
    watch: CountingWatch | None = None,
) -> Compared:
    """Set finished runs side by side, with differences where their posteriors allow one.

    ``compare.html`` is written below ``out``, which is the folder of the first run without it.
    """
    from bayescluster.studies.compare.study import Options, compare_runs

    paths = [run.path if isinstance(run, Run) else run for run in runs]
    options = Options(None if out is None else Path(out))
    return compare_runs(paths, options, watch=watch).results


def sweep(
    source: Analysis | Path | str,
    out: Path | str = "runs",
    options: Options | None = None,
    watch: CountingWatch | None = None,
) -> Finished[Multiverse]:
    """Fit an analysis under alternatives, and tell which choice flips which verdict.

    Parameters
    ----------
    source
        Analysis file, or an `Analysis`; its block ``multiverse`` holds the alternatives.
    out
        Folder of the runs.
    options
        Settings of the fits. With more than one job, each runs in a process of its own: a script then
        needs the guard ``if __name__ == "__main__":``. One job without it.
    watch
        Told of the progress; silent without it.

    Returns
    -------
    Finished
        ``results``, every number of it, and the ``directory`` of its page.
    """
    from bayescluster.studies.multiverse.plan import Options
    from bayescluster.studies.multiverse.study import sweep_analysis

    return sweep_analysis(source, options or Options(jobs=1), out, watch)


def calibrate(
    source: Analysis | Path | str,
    options: CalibrationOptions | None = None,
    out: Path | str = "runs",
    watch: CountingWatch | None = None,
) -> Calibration:
    """Simulate outcomes from the prior, refit them, and see whether ranks and probabilities are right.

    Parameters
    ----------
    source
        Analysis file, or an `Analysis`; paths in the latter start at the working directory.
    options
        Replications, size and settings of the refits.
    out
        Folder of the runs; replications that are there already are used again.
    watch
        Told of the progress; silent without it.
    """
    from bayescluster.studies.calibration.compute import calibrate_analysis

    return calibrate_analysis(source, options, out, watch).results
