"""Draws to an estimate: mean, sd, interval, and how well the chains know them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bayescluster.arrays import Array
from bayescluster.estimands.diagnostics import diagnostics, mcse_of_mean
from bayescluster.results.model import INTERVAL, Estimate


def estimate(draws: Array) -> Estimate:
    """Summarise independent draws, ``(draw,)``, without chains behind them."""
    mean, low, high = (float(part) for part in centre_and_ends(draws))
    return Estimate(mean=mean, sd=float(draws.std(ddof=1)), low=low, high=high)


def estimates(draws: Array, chains: int) -> list[Estimate]:
    """Summarise posterior draws of several quantities, ``(draw, quantity)``, chain after chain.

    With 0 chains (draws that are no chains) there are no diagnostics.
    """
    columns = np.ascontiguousarray(draws.T)
    centre, lower, upper = (part.tolist() for part in centre_and_ends(columns, axis=1))
    plain = list(zip(centre, columns.std(axis=1, ddof=1).tolist(), lower, upper, strict=True))
    if not chains:
        return [Estimate(mean=mean, sd=sd, low=low, high=high) for mean, sd, low, high in plain]
    found = diagnostics(draws, chains)
    is_mean = columns.mean(axis=1) == centre
    return [
        Estimate(
            mean=mean,
            sd=sd,
            low=low,
            high=high,
            mcse=number(found.mcse[k]) if is_mean[k] else None,
            rhat=number(found.rhat[k]),
            ess_bulk=number(found.ess_bulk[k]),
            ess_tail=number(found.ess_tail[k]),
        )
        for k, (mean, sd, low, high) in enumerate(plain)
    ]


def centre_and_ends(draws: Array, axis: int = 0) -> tuple[Array, Array, Array]:
    """Mean and ends of the equal-tailed interval, over the draws.

    A few draws can carry a mean far beyond the interval: that of an exponential at a level which no firm
    has, say. It is then no place where the quantity is, and the median stands for it.
    """
    tail = (1 - INTERVAL) / 2
    mean = draws.mean(axis=axis)
    low, high = np.quantile(draws, [tail, 1 - tail], axis=axis)
    # all draws alike, the mean may differ from them in its last digit
    slack = 1e-9 * (np.abs(low) + np.abs(high))
    outside = (mean < low - slack) | (mean > high + slack)
    if np.any(outside):
        mean = np.where(outside, np.median(draws, axis=axis), mean)
    return np.asarray(mean), np.asarray(low), np.asarray(high)


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
