"""The same workbench from Python: fit or open a run, look at its posterior, effects and verdicts."""

from __future__ import annotations

from bayescluster.api.calls import (
    calibrate,
    compare,
    design_analysis,
    fit,
    load,
    open_run,
    prior,
    sweep,
    validate,
)
from bayescluster.api.run import Run
from bayescluster.api.tables import nca, qca

__all__ = [
    "Run",
    "calibrate",
    "compare",
    "design_analysis",
    "fit",
    "load",
    "nca",
    "open_run",
    "prior",
    "qca",
    "sweep",
    "validate",
]
