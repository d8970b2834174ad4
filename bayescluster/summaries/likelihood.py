"""Log likelihood of cells of firms as series in their coefficients, added up over parts of a file.

A cell is a combination of the groups whose coefficients vary; its rows share all coefficients. Of normal
noise the second-order series is the likelihood itself. Of other families it is taken where the posterior
is expected, which a few rounds find: the cells are held to a normal distribution whose mean and variance
they tell (empirical Bayes), so that small cells borrow from the others and none runs off to infinity.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import reduce
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import log_ndtr

from bayescluster.arrays import Array, logistic, softplus
from bayescluster.summaries.coding import Block, Coder
from bayescluster.summaries.record import Lines, Quadratic
from bayescluster.summaries.stream import Part
from bayescluster.workers import mapped

EXACT: Final = ("gaussian", "lognormal")
COUNTED: Final = ("bernoulli", "binomial", "poisson")
"""Families whose firms with equal inputs add up to one line."""
MOST_LINES: Final = 200_000
HELD_ROWS: Final = 2_000_000
"""Rows whose coded inputs are held in memory between passes; of more the file is read again."""
FIRST_ROUNDS, ROUNDS, EB_STEPS = 15, 3, 30
LEAST_VARIANCE, MOST_VARIANCE = 1e-6, 4.0
MOST_THIRD: Final = 4_000_000
"""Most numbers kept of third derivatives."""


class Terms(NamedTuple):
    """Log likelihood of rows and its first three derivatives by the linear predictor, ``(row,)``."""

    value: Array
    first: Array
    second: Array
    """Minus the second derivative."""
    third: Array


def _logit(y: Array, eta: Array, size: Array) -> Terms:
    p = logistic(eta)
    w = size * p * (1.0 - p)
    return Terms(y * eta - size * softplus(eta), y - size * p, w, -w * (1.0 - 2.0 * p))


def _log(y: Array, eta: Array, _: Array) -> Terms:
    mean = np.exp(eta)
    return Terms(y * eta - mean, y - mean, mean, -mean)


def _probit(y: Array, eta: Array, _: Array) -> Terms:
    sign = 2.0 * y - 1.0
    z = sign * eta
    value = log_ndtr(z)
    ratio = np.exp(-0.5 * z * z - 0.5 * np.log(2 * np.pi) - value)
    second = ratio * (ratio + z)
    third = sign * second * (2.0 * ratio + z) - sign * ratio
    return Terms(value, sign * ratio, second, third)


def _identity(y: Array, eta: Array, _: Array) -> Terms:
    rest = y - eta
    return Terms(-0.5 * rest * rest, rest, np.ones(y.size), np.zeros(y.size))


LIKELIHOODS: dict[str, Callable[[Array, Array, Array], Terms]] = {
    "bernoulli": _logit,
    "binomial": _logit,
    "probit": _probit,
    "poisson": _log,
    "gaussian": _identity,
    "lognormal": _identity,
}


def series(blocks: Iterable[Block], family: str, centre: Array, cubic: bool = False) -> Quadratic:
    """Series of the log likelihood of each cell around ``centre``, ``(cell, coefficient)``."""
    from bayescluster.summaries.loops import gather, predict

    cells, width = centre.shape
    found = Quadratic(
        centre,
        np.zeros(cells),
        np.zeros((cells, width)),
        np.zeros((cells, width, width)),
        np.zeros(cells),
    )
    third = np.zeros((cells if cubic else 0, width, width, width))
    parts = found.value, found.slope, found.curvature, found.size
    for block in blocks:
        eta = block.offset.copy()
        predict(block.inputs, block.cell, centre, eta)
        terms = np.stack(LIKELIHOODS[family](block.outcome, eta, block.size))
        gather(block.inputs, block.cell, terms, parts, third)
    return found._replace(third=third if cubic else None)


def series_part(part: Part, coder: Coder, family: str, centre: Array, cubic: bool) -> Quadratic:
    """Series of the rows of a part of the file."""
    return series(coder.blocks(part), family, centre, cubic)


def added(one: Quadratic, other: Quadratic) -> Quadratic:
    """Series of the rows of both, which have one centre."""
    third = None if one.third is None or other.third is None else one.third + other.third
    return Quadratic(
        one.centre,
        one.value + other.value,
        one.slope + other.slope,
        one.curvature + other.curvature,
        one.size + other.size,
        third,
    )


def mirrored(found: Quadratic) -> Quadratic:
    """Fill in what is symmetric: only one of each set of equal derivatives was added up."""
    low = np.tril(found.curvature)
    curvature = low + np.transpose(np.tril(found.curvature, -1), (0, 2, 1))
    third = found.third
    if third is not None:
        j, k, m = np.indices(third.shape[1:])
        first, second, last = np.sort([j, k, m], axis=0)[::-1]
        third = third[:, first, second, last]
    return found._replace(curvature=curvature, third=third)


class Firms:
    """All rows, in parts: held in memory where they are few, else read again in every pass."""

    def __init__(self, parts: Sequence[Part], coder: Coder, rows: int) -> None:
        self.parts, self.coder, self.rows = parts, coder, rows
        self.family: str = coder.layout.analysis.equation.family
        self._held: list[Block] | None = None

    @property
    def are_few(self) -> bool:
        """Whether they are held in memory."""
        return self.rows <= HELD_ROWS

    def blocks(self) -> Iterator[Block]:
        """Go through all rows in this process."""
        if not self.are_few:
            for part in self.parts:
                yield from self.coder.blocks(part)
            return
        if self._held is None:
            read = [block for part in self.parts for block in self.coder.blocks(part)]
            self._held = _by_cell(read)
        yield from self._held

    def first_blocks(self) -> list[Block]:
        """Rows from the beginning of the file, as many as are held."""
        if self.are_few:
            return list(self.blocks())
        found, rows = [], 0
        for block in self.blocks():
            found.append(block)
            rows += block.cell.size
            if rows >= HELD_ROWS // 2:
                break
        return found

    def series(self, centre: Array, cubic: bool = False) -> Quadratic:
        """Series of all rows."""
        if self.are_few:
            return mirrored(series(self.blocks(), self.family, centre, cubic))
        return mirrored(
            reduce(added, self.mapped(series_part, self.coder, self.family, centre, cubic))
        )

    def mapped(self, function: Callable[..., Any], *arguments: Any) -> Iterable[Any]:
        """Apply a function to every part, with further arguments."""
        more = [[argument] * len(self.parts) for argument in arguments]
        return mapped(function, self.parts, *more)


def _by_cell(blocks: Sequence[Block]) -> list[Block]:
    first = blocks[0]
    if len(blocks) > 1:
        parts: list[Any] = [np.concatenate(part) for part in zip(*blocks, strict=True)]
        first = Block(*parts)
    return [first.at(np.argsort(first.cell, kind="stable"))]


def summarised(firms: Firms, varying: NDArray[np.bool_]) -> Quadratic:
    """Quadratic of every cell of all firms.

    Parameters
    ----------
    firms
        The rows.
    varying
        Coefficients that differ between cells, ``(coefficient,)``.
    """
    cells, width = len(firms.coder.cells), varying.size
    centre = np.zeros((cells, width))
    first = firms.first_blocks()
    for _ in range(1 if firms.family in EXACT else FIRST_ROUNDS):
        found = mirrored(series(first, firms.family, centre))
        step = np.linalg.solve(
            found.curvature.sum(axis=0) + 1e-9 * np.eye(width), found.slope.sum(axis=0)
        )
        centre = centre + (step if firms.family in EXACT else np.clip(step, -5, 5))
        if np.abs(step).max() < 1e-6:
            break
    if firms.family in EXACT:
        return firms.series(centre)
    for _ in range(ROUNDS if firms.are_few else 1):
        centre = _expected(mirrored(series(first, firms.family, centre)), varying)
    del first
    for _ in range(0 if firms.are_few else 1):
        centre = _expected(firms.series(centre), varying)
    return firms.series(centre, cubic=cells * width**3 <= MOST_THIRD)


def _expected(found: Quadratic, varying: NDArray[np.bool_]) -> Array:
    """Where the posterior of each cell is expected, by empirical Bayes, ``(cell, coefficient)``."""
    width = varying.size
    target = found.slope + np.einsum("cjk,ck->cj", found.curvature, found.centre)
    variance = np.where(varying, 0.1, LEAST_VARIANCE)
    for _ in range(EB_STEPS):
        precision = np.diag(1 / variance)
        covariance = np.linalg.inv(found.curvature + precision)
        shrunk = found.curvature @ covariance
        total = (found.curvature - shrunk @ found.curvature).sum(axis=0)
        known = (target - np.einsum("cjk,ck->cj", shrunk, target)).sum(axis=0)
        mean = np.linalg.solve(total + 1e-6 * np.eye(width), known)
        centre = np.einsum("cjk,ck->cj", covariance, target + mean / variance)
        spread = ((centre - mean) ** 2 + np.einsum("cjj->cj", covariance)).mean(axis=0)
        variance = np.where(varying, np.clip(spread, LEAST_VARIANCE, MOST_VARIANCE), LEAST_VARIANCE)
    return np.asarray(centre)


def lines_of(firms: Firms) -> Lines:
    """Every firm as a line."""
    (whole,) = _by_cell(list(firms.blocks()))
    return Lines(*whole)


def counted(firms: Firms, sample: Array) -> Lines | None:
    """Firms that are equal in all but the outcome, added up; None where they hardly ever are.

    ``sample`` holds inputs of some firms, ``(row, coefficient)``, by which it is foreseen.
    """
    if firms.family not in COUNTED or len(np.unique(sample, axis=0)) > len(sample) // 4:
        return None
    parts: list[pd.DataFrame] = []
    for frame in firms.mapped(_counts_part, firms.coder):
        parts = [_totals(pd.concat([*parts, frame]))]
        if len(parts[0]) > min(MOST_LINES, firms.rows // 4):
            return None
    whole = parts[0]
    whole = whole.sort_values(["cell", *_inputs(whole)], kind="stable")
    size = whole["size"].to_numpy()
    counts = firms.family == "poisson"
    return Lines(
        whole[_inputs(whole)].to_numpy(dtype="float64"),
        whole["cell"].to_numpy(dtype="int64"),
        whole["outcome"].to_numpy(),
        np.ones(size.size) if counts else size,
        np.log(size) if counts else np.zeros(size.size),
    )


def _inputs(frame: pd.DataFrame) -> list[Any]:
    return [name for name in frame.columns if isinstance(name, int)]


def _counts_part(part: Part, coder: Coder) -> pd.DataFrame:
    found = pd.DataFrame(np.zeros((0, coder.width))).assign(cell=0, outcome=0.0, size=0.0)
    for block in coder.blocks(part):
        size = block.size * np.exp(block.offset)
        frame = pd.DataFrame(block.inputs).assign(cell=block.cell, outcome=block.outcome, size=size)
        found = _totals(pd.concat([found, _totals(frame)])) if len(found) else _totals(frame)
        if len(found) > MOST_LINES:
            break
    return found


def _totals(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.groupby([*_inputs(frame), "cell"], as_index=False, sort=False)[
        ["outcome", "size"]
    ].sum()
