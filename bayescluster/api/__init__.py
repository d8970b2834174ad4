"""The same workbench from Python: fit or open a run, look at its posterior, effects and verdicts."""

from __future__ import annotations

from bayescluster.api.calls import calibrate, compare, fit, load, open_run, prior, sweep, validate
from bayescluster.api.run import Run

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
