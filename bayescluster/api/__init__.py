"""The same workbench from Python: fit or open a run, look at its posterior, effects and verdicts."""

from __future__ import annotations

from bayescluster.api.fits import fit, load, open_run, validate
from bayescluster.api.run import Run
from bayescluster.api.studies import calibrate, compare, prior, sweep

__all__ = [
    "Run",
    "calibrate",
    "compare",
    "fit",
    "load",
    "open_run",
    "prior",
    "sweep",
    "validate",
]
