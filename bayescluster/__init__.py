"""Bayesian multilevel models of human capital, social capital and upgrading in clusters.

>>> import bayescluster as bc
>>> run = bc.fit("configs/asian_clusters.yaml")
>>> run.verdicts
>>> run.effects(by="industry")
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bayescluster.api import (
        Run,
        calibrate,
        compare,
        design_analysis,
        fit,
        load,
        nca,
        open_run,
        prior,
        qca,
        sweep,
        validate,
    )
    from bayescluster.errors import BayesClusterError, ConfigError, DataError, FitError, RunError

__version__ = "0.1.0"

__all__ = [
    "BayesClusterError",
    "ConfigError",
    "DataError",
    "FitError",
    "Run",
    "RunError",
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


def __dir__() -> list[str]:
    return __all__


def __getattr__(name: str) -> Any:
    """Import public names when they are first asked for: `import bayescluster` stays fast."""
    if name not in __all__:
        raise AttributeError(f"module 'bayescluster' has no attribute '{name}'")
    place = "bayescluster.errors" if name.endswith("Error") else "bayescluster.api"
    return getattr(import_module(place), name)
