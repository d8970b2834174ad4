"""R-hat, effective sample sizes and Monte Carlo errors of many quantities at once.

Source: Vehtari, Gelman, Simpson, Carpenter and Bürkner (2021), Bayesian Analysis 16(2); the numbers
are those of arviz. All quantities go through one sort and one FFT a block: a report diagnoses thousands.

Draws to an estimate: mean, sd, interval, and how well the chains know them.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.fft import next_fast_len
from scipy.special import ndtri

from bayescluster.arrays import Array, in_threads
from bayescluster.results.model import INTERVAL, Estimate

CELLS_A_BLOCK: Final = 2**17
"""Draws times quantities handled together: few enough to stay in the cache of a processor."""
FEWEST_DRAWS: Final = 4
"""A chain of fewer draws has no diagnostics."""
STILL: Final = np.finfo(float).resolution
"""A series that moves less counts as constant: its draws are all worth one each."""
ROUNDING: Final = 1e-10
"""A pair of autocorrelations nearer to zero may be zero."""
TAILS: Final = (0.05, 0.95)
"""Quantiles of the tail ESS."""


class Diagnostics(NamedTuple):
    """Rank-normalised R-hat, bulk and tail ESS, and MCSE of the mean, ``(quantity,)`` each.

    Not a number where there is none: of draws that are constant or not a number, of chains of fewer
    than four draws, and R-hat of a single chain.
    """

    rhat: Array
    ess_bulk: Array
    ess_tail: Array
    mcse: Array


REMEMBERED: Final = 100_000
"""Quantities whose diagnostics are kept, a few bytes each."""
_KNOWN: dict[tuple[int, bytes], tuple[float, ...]] = {}
"""Diagnostics by the draws themselves: tables, figures of several claims and the gate ask for the same."""


def diagnostics(draws: Array, chains: int) -> Diagnostics:
    """Diagnose quantities from their draws, ``(draw, quantity)``, the chains one after the other."""
    columns = np.ascontiguousarray(draws.T, dtype="float64")
    keys = [(chains, blake2b(column, digest_size=16).digest()) for column in columns]
    known = {key: _KNOWN[key] for key in keys if key in _KNOWN}
    new = {key: k for k, key in enumerate(keys) if key not in known}
    if new:
        found = _by_block(_diagnosed, len(Diagnostics._fields), draws[:, [*new.values()]], chains)
        made = dict(zip(new, map(tuple, found.T.tolist()), strict=True))
        if len(_KNOWN) + len(made) > REMEMBERED:
            _KNOWN.clear()
        _KNOWN.update(made)
        known |= made
    rows = np.array([known[key] for key in keys]).reshape(-1, len(Diagnostics._fields))
    return Diagnostics(*rows.T)


def mcse_of_mean(draws: Array, chains: int) -> Array:
    """Monte Carlo standard error of means alone, ``(draw, quantity) -> (quantity,)``."""
    return np.asarray(_by_block(_mcse, 1, draws, chains)[0])


def tail_ess(draws: Array, chains: int) -> Array:
    """Tail ESS alone, ``(draw, quantity) -> (quantity,)``."""
    return np.asarray(_by_block(_tail, 1, draws, chains)[0])


def mean_ess(draws: Array, chains: int) -> Array:
    """ESS of the mean alone, ``(draw, quantity) -> (quantity,)``."""
    return np.asarray(_by_block(lambda series: _ess(_halves(series)), 1, draws, chains)[0])


def _by_block(measure: Callable[[Array], Array], results: int, draws: Array, chains: int) -> Array:
    """Measure quantities block by block, ``(result, quantity)``; those that stand still have none.

    ``measure`` takes ``(quantity, chain, draw)``.
    """
    size, count = draws.shape
    found = np.full((results, count), np.nan)
    if size // chains < FEWEST_DRAWS:
        return found

    def of_block(start: int) -> None:
        block = np.ascontiguousarray(draws[:, start : start + step].T, dtype="float64")
        # a comparison with what is not a number is false: so it is left out
        moving = block.max(axis=1) > block.min(axis=1)
        if moving.any():
            with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
                series = block[moving].reshape(-1, chains, size // chains)
                found[:, start + np.flatnonzero(moving)] = measure(series)

    step = max(1, CELLS_A_BLOCK // size)
    in_threads(of_block, range(0, count, step))
    return found


def _diagnosed(series: Array) -> Array:
    """All diagnostics of series that move, ``(quantity, chain, draw) -> (diagnostic, quantity)``."""
    count, chains, size = series.shape
    halves = _halves(series)
    flat = halves.reshape(count, -1)
    order = np.argsort(flat, axis=1)
    ordered = np.take_along_axis(flat, order, axis=1)
    bulk = _normal_scores(ordered, order).reshape(halves.shape)
    rhat = np.full(count, np.nan)
    if chains > 1:
        folded = _normal_scores(*_folded(ordered, order)).reshape(halves.shape)
        rhat = _larger(_rhat(bulk), _rhat(folded))
    # an odd number of draws has some that are in no half
    known = ordered if size % 2 == 0 else series.reshape(count, -1)
    bounds = np.quantile(known, TAILS, axis=1)
    return np.stack([rhat, _ess(bulk), _tail_at(bounds, series), _mcse(series)])


def _halves(series: Array) -> Array:
    """Split chains, ``(quantity, 2 chain, half)``; the middle draw of an odd number is left out."""
    half = series.shape[2] // 2
    return np.concatenate([series[:, :, :half], series[:, :, -half:]], axis=1)


def _larger(first: Array, second: Array) -> Array:
    """Return the larger of two R-hats: the first where the second is not a number.

    Draws of two values can lie as far from their median on both sides: folded, they stand still.
    """
    return np.where(second > first, second, first)


def _folded(ordered: Array, order: NDArray[np.int64]) -> tuple[Array, NDArray[np.int64]]:
    """Distances of sorted draws from their median, sorted, and where each of them stands."""
    middle = ordered.shape[1] // 2
    median = (ordered[:, middle - 1] + ordered[:, middle]) / 2
    distance = np.abs(ordered - median[:, None])
    # they fall, then rise: two runs, which a stable sort merges
    nearer = np.argsort(distance, axis=1, kind="stable")
    return np.take_along_axis(distance, nearer, axis=1), np.take_along_axis(order, nearer, axis=1)


def _normal_scores(ordered: Array, order: NDArray[np.int64]) -> Array:
    """Normal scores of ranks, ``(quantity, draw)``, from sorted draws and where each of them stands.

    Ties share their mean rank.
    """
    size = ordered.shape[1]
    # Blom (1958); a mean rank is a half integer, so a table of scores has them all
    table = ndtri((np.arange(2 * size + 1) / 2 - 3 / 8) / (size + 1 / 4))
    scores = np.empty_like(ordered)
    repeats = ordered[:, 1:] == ordered[:, :-1]
    tied = repeats.any(axis=1)
    np.put_along_axis(scores, order, table[None, 2::2], axis=1)
    if tied.any():
        some = scores[tied]
        np.put_along_axis(some, order[tied], table[_tied_ranks(repeats[tied])], axis=1)
        scores[tied] = some
    return scores


def _tied_ranks(repeats: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Twice the mean rank of sorted draws, ``(quantity, draw)``.

    ``repeats`` says, ``(quantity, draw - 1)``, whether a draw equals the one before it.
    """
    position = np.arange(repeats.shape[1] + 1)
    edge = np.zeros((len(repeats), 1), dtype=bool)
    opens = ~np.concatenate([edge, repeats], axis=1)
    closes = ~np.concatenate([repeats, edge], axis=1)
    first = np.maximum.accumulate(np.where(opens, position, 0), axis=1)
    last = np.where(closes, position, position[-1])
    last = np.minimum.accumulate(last[:, ::-1], axis=1)[:, ::-1]
    return np.asarray(first + last + 2)


def _rhat(chains: Array) -> Array:
    """Potential scale reduction, ``(quantity, chain, draw) -> (quantity,)``."""
    size = chains.shape[2]
    between = size * chains.mean(axis=2).var(axis=1, ddof=1)
    within = chains.var(axis=2, ddof=1).mean(axis=1)
    return np.asarray(np.sqrt((between / within + size - 1) / size))


def _tail(series: Array) -> Array:
    """Tail ESS, ``(quantity, chain, draw) -> (quantity,)``."""
    return _tail_at(np.quantile(series.reshape(len(series), -1), TAILS, axis=1), series)


def _tail_at(bounds: Array, series: Array) -> Array:
    """Smaller ESS of the two events of lying in a tail; ``bounds`` are ``(tail, quantity)``."""
    low, high = (_ess(_halves(series <= bound[:, None, None])) for bound in bounds)
    return np.where(high < low, high, low)


def _mcse(series: Array) -> Array:
    """Standard error of the mean, ``(quantity, chain, draw) -> (quantity,)``."""
    spread = series.reshape(len(series), -1).std(axis=1, ddof=1)
    return np.asarray(spread / np.sqrt(_ess(_halves(series))))


def _ess(chains: Array) -> Array:
    """Effective number of draws for the mean, ``(quantity, chain, draw) -> (quantity,)``.

    Autocorrelations are summed in pairs as long as these stay positive, and never rise: Geyer's
    initial monotone sequence.
    """
    chains = np.asarray(chains, dtype="float64")
    _, many, size = chains.shape
    total = many * size
    length = next_fast_len(2 * chains.shape[2], real=True)
    spectrum = np.fft.rfft(chains - chains.mean(axis=2, keepdims=True), n=length, axis=2)
    spectrum *= np.conjugate(spectrum)
    power = np.asarray(spectrum.real)
    found = _time(_autocorrelation(chains, _inverse(power.mean(axis=1), size)))
    time = found.time
    if found.unsure.any():
        # of tied draws a pair can be zero but for rounding: then the order of the sums decides, and
        # that of arviz is taken
        some = chains[found.unsure]
        by_chain = _inverse(power[found.unsure], size)
        covariance = np.ascontiguousarray(by_chain.transpose(0, 2, 1)).mean(axis=2)
        time[found.unsure] = _time(_autocorrelation(some, covariance)).time
    time = np.maximum(time, 1 / np.log10(total))  # not a number stays so
    still = np.ptp(chains, axis=(1, 2)) < STILL
    return np.asarray(np.where(still, total, total / time))


def _inverse(power: Array, size: int) -> Array:
    """Autocovariance at every lag, ``(..., lag)``, from the squared transform."""
    whole = np.fft.irfft(power, n=next_fast_len(2 * size, real=True), axis=-1)
    return np.asarray(whole[..., :size] / size)


def _autocorrelation(chains: Array, covariance: Array) -> Array:
    """Autocorrelation of the chains together, ``(quantity, lag)``.

    ``covariance`` is the mean over chains of their autocovariances, ``(quantity, lag)``.
    """
    _, many, size = chains.shape
    within = covariance[:, 0] * size / (size - 1)
    variance = within * (size - 1) / size
    if many > 1:
        variance = variance + chains.mean(axis=2).var(axis=1, ddof=1)
    rho = 1 - (within[:, None] - covariance) / variance[:, None]
    rho[:, 0] = 1.0
    return np.asarray(rho)


class _Time(NamedTuple):
    """Integrated autocorrelation time, and whether rounding decided where its sum ends."""

    time: Array
    unsure: NDArray[np.bool_]


def _time(rho: Array) -> _Time:
    """Sum autocorrelations, ``(quantity, lag)``, pair by pair."""
    count, size = rho.shape
    last = max((size - 3) // 2, 0)  # no pair behind it is looked at
    even = rho[:, 0 : 2 * last + 1 : 2]  # (quantity, pair)
    pairs = even + rho[:, 1 : 2 * last + 2 : 2]
    # the first pair that is not positive ends the sum; without one the last does
    stops = ~(pairs > 0)
    end = np.where(stops.any(axis=1), stops.argmax(axis=1), last)
    position = np.arange(last + 1)
    falling = np.minimum.accumulate(pairs, axis=1)
    summed = np.where(position < end[:, None], falling, 0.0).sum(axis=1)
    at_end, own = pairs[np.arange(count), end], even[np.arange(count), end]
    rest = np.where((own > 0) | (at_end >= 0), own, 0.0)
    time = np.where(np.isnan(rho[:, 1]), np.nan, 2 * summed + rest - 1)
    unsure = ((np.abs(pairs) < ROUNDING) & (position <= end[:, None])).any(axis=1)
    return _Time(time, unsure)


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
    outside = (mean < low) | (mean > high)
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
