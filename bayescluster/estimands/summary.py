"""Draws to an estimate: mean, sd, interval, and how well the chains know them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bayescluster.arrays import Array
from bayescluster.results.model import INTERVAL, Estimate


def estimate(draws: Array) -> Estimate:
    """Summarise independent draws, ``(draw,)``, without chains behind them."""
    low, high = interval(draws)
    return Estimate(mean=float(draws.mean()), sd=float(draws.std(ddof=1)), low=low, high=high)


def estimates(draws: Array, chains: int) -> list[Estimate]:
    """Summarise posterior draws of several quantities, ``(draw, quantity)``, chain after chain.

    With 0 chains (draws that are no chains) there are no diagnostics.
    """
    if not chains:
        return [estimate(column) for column in draws.T]
    rhat, bulk, tail, mcse = diagnostics(draws, chains)
    return [
        estimate(column).model_copy(
            update={
                "mcse": number(mcse[k]),
                "rhat": number(rhat[k]),
                "ess_bulk": number(bulk[k]),
                "ess_tail": number(tail[k]),
            }
        )
        for k, column in enumerate(draws.T)
    ]


def diagnostics(draws: Array, chains: int) -> tuple[Array, Array, Array, Array]:
    """Rank-normalised R-hat, bulk and tail ESS, and MCSE of the mean, each ``(quantity,)``.

    Source: Vehtari, Gelman, Simpson, Carpenter and Bürkner (2021), as computed by arviz. Constant
    quantities have none of them: nan.
    """
    from arviz_stats.base import array_stats

    count = draws.shape[1]
    shaped = draws.reshape(chains, -1, count)
    out = np.full((4, count), np.nan)
    moving = np.ptp(draws, axis=0) > 0
    if moving.any():
        axes = {"chain_axis": 0, "draw_axis": 1}
        some = shaped[:, :, moving]
        # draws of two values lie as far from their median on both sides: 0 / 0 in R-hat
        with np.errstate(divide="ignore", invalid="ignore"):
            out[:, moving] = (
                array_stats.rhat(some, **axes) if chains > 1 else np.full(moving.sum(), np.nan),
                array_stats.ess(some, method="bulk", **axes),
                array_stats.ess(some, method="tail", prob=(0.05, 0.95), **axes),
                array_stats.mcse(some, method="mean", **axes),
            )
    return out[0], out[1], out[2], out[3]


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
        _, _, _, mcse = diagnostics(event.astype(float)[:, None], chains)
        if np.isfinite(mcse[0]):
            return float(mcse[0])
    smoothed = (event.sum() + 1) / (event.size + 2)
    return float(np.sqrt(smoothed * (1 - smoothed) / event.size))
