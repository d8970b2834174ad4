"""Whether a refit without some rows can be relied on for the one number that is asked of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr

from bayescluster.arrays import Array
from bayescluster.checks.thresholds import (
    DIVERGENCES_MAX,
    FOLD_ERROR_MAX,
    FOLD_ESS_MIN,
    FOLD_RHAT_MAX,
)
from bayescluster.estimands.summary import diagnostics
from bayescluster.names import CHAIN, DRAW


class FoldGate(NamedTuple):
    """What was found in a refit, and why it does not count; it counts where there is no reason."""

    rhat: float
    ess: float
    divergences: int
    reasons: tuple[str, ...]


def fold_gate(tree: xr.DataTree, errors: Sequence[float]) -> FoldGate:
    """Check a refit.

    Parameters
    ----------
    tree
        Posterior and sample_stats of the refit.
    errors
        Monte Carlo standard errors of the log scores that come of it.
    """
    posterior = tree["posterior"].to_dataset()
    draws = posterior.sizes[CHAIN] * posterior.sizes[DRAW]
    parts = [
        values.transpose(CHAIN, DRAW, ...).to_numpy().reshape(draws, -1)
        for values in posterior.data_vars.values()
    ]
    every = np.concatenate(parts, axis=1)
    rhat, bulk, tail, _ = diagnostics(every[:, np.ptp(every, axis=0) > 0], posterior.sizes[CHAIN])
    # a value that is not a number must not pass
    worst, least = float(np.max(rhat)), float(min(np.min(bulk), np.min(tail)))
    divergences = int(tree["sample_stats"]["diverging"].sum())
    reasons = []
    if not worst <= FOLD_RHAT_MAX:
        reasons.append(f"R-hat {worst:.2f}, above {FOLD_RHAT_MAX:g}")
    if not least >= FOLD_ESS_MIN:
        reasons.append(f"effective sample size {least:.0f}, below {FOLD_ESS_MIN:g}")
    if divergences > DIVERGENCES_MAX:
        reasons.append(f"{divergences} divergent draws")
    largest = max(errors, default=0.0)
    if not largest <= FOLD_ERROR_MAX:
        reasons.append(f"Monte Carlo error {largest:.2f} of a log score, above {FOLD_ERROR_MAX:g}")
    return FoldGate(worst, least, divergences, tuple(reasons))


class LogScore(NamedTuple):
    """Log of a mean of densities over draws, and its Monte Carlo standard error."""

    elpd: float
    mcse: float


def log_score(densities: Array, chains: int) -> LogScore:
    """Log predictive density from log densities at draws, ``(draw,)``, chain after chain."""
    top = float(densities.max())
    if not np.isfinite(top):
        return LogScore(float("-inf") if top < 0 else float("nan"), float("inf"))
    relative = np.exp(densities - top)
    mean = float(relative.mean())
    error = diagnostics(relative[:, None], chains)[3][0] / mean
    # densities that never move are known without error
    mcse = float(error) if np.ptp(relative) > 0 else 0.0
    return LogScore(top + float(np.log(mean)), mcse)
