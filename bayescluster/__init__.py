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
        fit,
        load,
        open_run,
        prior,
        sweep,
        validate,
    )
    from bayescluster.errors import BayesClusterError, ConfigError, DataError, FitError, RunError

__version__ = "0.1.0"

_PLACES = {
    "fit": "bayescluster.api",
    "load": "bayescluster.api",
    "open_run": "bayescluster.api",
    "validate": "bayescluster.api",
    "calibrate": "bayescluster.api",
    "compare": "bayescluster.api",
    "prior": "bayescluster.api",
    "sweep": "bayescluster.api",
    "Run": "bayescluster.api",
    "BayesClusterError": "bayescluster.errors",
    "ConfigError": "bayescluster.errors",
    "DataError": "bayescluster.errors",
    "FitError": "bayescluster.errors",
    "RunError": "bayescluster.errors",
}

__all__ = [
    "BayesClusterError",
    "ConfigError",
    "DataError",
    "FitError",
    "Run",
    "RunError",
    "calibrate",
    "compare",
    "fit",
    "load",
    "open_run",
    "prior",
    "sweep",
    "validate",
]


def __getattr__(name: str) -> Any:
    """Import public names when they are first asked for: `import bayescluster` stays fast."""
    try:
        return getattr(import_module(_PLACES[name]), name)
    except KeyError:
        raise AttributeError(f"module 'bayescluster' has no attribute '{name}'") from None
