"""Draws to an estimate: mean, sd, interval, and how well the chains know them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bayescluster.arrays import Array
from bayescluster.estimands.diagnostics import diagnostics, mcse_of_mean
from bayescluster.results.model import INTERVAL, Estimate


def estimate(draws: Array) -> Estimate:
    """Summarise independent draws, ``(draw,)``, without chains behind them."""
    low, high = interval(draws)
    return Estimate(mean=float(draws.mean()), sd=float(draws.std(ddof=1)), low=low, high=high)


def estimates(draws: Array, chains: int) -> list[Estimate]:
    """Summarise posterior draws of several quantities, ``(draw, quantity)``, chain after chain.

    With 0 chains (draws that are no chains) there are no diagnostics.
    """
    tail, columns = (1 - INTERVAL) / 2, np.ascontiguousarray(draws.T)
    plain = zip(
        columns.mean(axis=1).tolist(),
        columns.std(axis=1, ddof=1).tolist(),
        *np.quantile(columns, [tail, 1 - tail], axis=1).tolist(),
        strict=True,
    )
    if not chains:
        return [Estimate(mean=mean, sd=sd, low=low, high=high) for mean, sd, low, high in plain]
    found = diagnostics(draws, chains)
    return [
        Estimate(
            mean=mean,
            sd=sd,
            low=low,
            high=high,
            mcse=number(found.mcse[k]),
            rhat=number(found.rhat[k]),
            ess_bulk=number(found.ess_bulk[k]),
            ess_tail=number(found.ess_tail[k]),
        )
        for k, (mean, sd, low, high) in enumerate(plain)
    ]


def interval(draws: Array) -> tuple[float, float]:
    """Equal-tailed interval."""
    tail = (1 - INTERVAL) / 2
    low, high = np.quantile(draws, [tail, 1 - tail])
    return float(low), float(high)


def number(value: float) -> float | None:
    """Return a finite number, or nothing."""
    return float(value) if np.isfinite(value) else None


def probability_error(event: NDArray[np.bool_], chains: int) -> float:
    """Monte Carlo standard error of the probability of an event, from its 0/1 draws.

    Where every draw agrees the chains say nothing of the error; then that of one further draw to
    the other side is taken (Laplace's rule), so that the error is never reported as zero.
    """
    share = float(event.mean())
    if chains and 0 < share < 1:
        error = mcse_of_mean(event[:, None].astype(float), chains)[0]
        if np.isfinite(error):
            return float(error)
    smoothed = (event.sum() + 1) / (event.size + 2)
    return float(np.sqrt(smoothed * (1 - smoothed) / event.size))
