"""The type of an array of numbers, and what is done to many numbers at once, for all that computes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from os import cpu_count

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

Array = NDArray[np.float64]
Events = NDArray[np.bool_]
Positions = NDArray[np.int64]


def logistic(x: Array) -> Array:
    """``1 / (1 + exp(-x))``; the exponential of numpy is several times as fast as scipy's ``expit``."""
    with np.errstate(over="ignore"):  # exp(-x) is infinite where the result is 0
        return np.asarray(1.0 / (1.0 + np.exp(-np.asarray(x))))


def softplus(x: Array) -> Array:
    """``log(1 + exp(x))`` without overflow, in half the time of ``numpy.logaddexp``."""
    found = np.negative(np.abs(x, dtype="float64"))
    found = np.log1p(np.exp(found, out=found), out=found) if found.ndim else np.log1p(np.exp(found))
    return np.asarray(np.maximum(x, 0.0) + found)


def total_by_group(values: Array, membership: csr_array) -> Array:
    """Totals by group, ``(..., row) -> (..., group)``, from how much of each row is in it, ``(group, row)``.

    A row is in few groups: so the time hardly grows with their number.
    """
    return np.asarray((membership @ values.T).T)


def in_threads[T](work: Callable[[T], None], parts: Iterable[T]) -> None:
    """Do the parts of a job that write to places of their own; what numpy does leaves Python free."""
    waiting = list(parts)
    if len(waiting) < 2:
        for part in waiting:
            work(part)
        return
    with ThreadPoolExecutor(min(cpu_count() or 1, len(waiting))) as pool:
        for _ in pool.map(work, waiting):
            pass


def parent_index(child: NDArray[np.int64], parent: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """Parent of each child group, or None where a child's rows are in several parents.

    ``child`` and ``parent`` give the position of each row's group, ``(row,)``.
    """
    first = np.zeros(int(child.max()) + 1, dtype="int64")
    first[child] = parent
    return first if bool((first[child] == parent).all()) else None
