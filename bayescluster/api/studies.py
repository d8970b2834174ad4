"""Studies of a model and of its runs, from Python."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bayescluster.api.run import Run
from bayescluster.spec.analysis import Analysis

if TYPE_CHECKING:
    from bayescluster.results.calibration import Calibration
    from bayescluster.results.compared import Compared
    from bayescluster.results.prior import PriorStudy
    from bayescluster.workflow.calibration.plan import Options as CalibrationOptions
    from bayescluster.workflow.multiverse.plan import Options
    from bayescluster.workflow.multiverse.study import Finished
    from bayescluster.workflow.watch import CountingWatch, Watch


def prior(
    source: Analysis | Path | str,
    draws: int = 2000,
    seed: int | None = None,
    out: Path | str = "runs",
    watch: Watch | None = None,
) -> PriorStudy:
    """Tell what an analysis says before its data, from draws of its prior; nothing is fitted.

    The seed is that of the analysis without another; ``prior.html`` is written below ``out``.
    """
    from bayescluster.workflow.prior.study import Options, study_prior

    return study_prior(source, Options(draws, seed), out, watch).results


def compare(
    runs: Sequence[Run | Path | str], out: Path | str | None = None, watch: Watch | None = None
) -> Compared:
    """Set finished runs side by side, with differences where their posteriors allow one.

    ``compare.html`` is written below ``out``, which is the folder of the first run without it.
    """
    from bayescluster.workflow.compared.study import compare_runs

    paths = [run.path if isinstance(run, Run) else run for run in runs]
    return compare_runs(paths, out, watch).results


def sweep(
    source: Analysis | Path | str,
    out: Path | str = "runs",
    options: Options | None = None,
    watch: CountingWatch | None = None,
) -> Finished:
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
    from bayescluster.workflow.multiverse.plan import Options
    from bayescluster.workflow.multiverse.study import sweep_analysis

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
    from bayescluster.workflow.calibration.study import calibrate_analysis

    return calibrate_analysis(source, options, out, watch).results
