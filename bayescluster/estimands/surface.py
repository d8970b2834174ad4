"""The outcome surface: expected outcome with the capitals set, averaged over the rows of a group.

``m(h, s) = mean over rows i of the group of E[y_i | H_i = h, S_i = s, everything else as it is]``,
draw by draw (g-computation). Counts are per unit of exposure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from bayescluster.arrays import Array, in_threads, total_by_group
from bayescluster.design.record import Design
from bayescluster.estimands.mediation import Through, expected_outcome
from bayescluster.model.evaluate import Capitals, Draws, RowPredictor, expectation


class Own(NamedTuple):
    """A capital left as it is in every row, shifted by so many standard deviations.

    ``most`` bounds the shift, ``(row,)``: no row gets above it, and those that are stay where they are.
    """

    shift: float = 0.0
    most: Array | None = None


Level = float | Array | Own


class Setting(NamedTuple):
    """Where the capitals are set, in standard deviations: one number, one a row, or their own."""

    human: Level
    social: Level


CELLS_AT_ONCE: Final = 2**17
"""Draws times rows whose outcomes are averaged together: what stays in the cache of a processor takes
a fraction of the time."""

Split = tuple[Setting, Setting | Mapping[str, Setting]]
"""Where the capitals are set in an equation, and in those upstream: in all alike, or by name."""


def outcome_surface(
    design: Design, draws: Draws, settings: Sequence[Setting], weights: Array
) -> Array:
    """Average expected outcome at each setting, ``(draw, setting, group)``.

    ``draws`` are those under the scope of interest, ``weights`` averaging weights, ``(row, group)``.
    """
    return split_surface(design, draws, [(setting, setting) for setting in settings], weights)


def split_surface(design: Design, draws: Draws, splits: Sequence[Split], weights: Array) -> Array:
    """Average expected outcome, ``(draw, split, group)``, the capitals set apart upstream.

    ``splits`` hold levels as they enter this equation, and as they enter those it rests on; the rest is
    as for `outcome_surface`.
    """
    rows = np.flatnonzero(weights.any(axis=1))
    mean = csr_array(weights[rows].T)  # (group, row)
    out = np.empty((draws.size, len(splits), weights.shape[1]))
    mine = draws.for_rows(rows)

    def of_part(which: slice) -> None:
        part = mine.part(which)
        own = part.capitals or (design.capitals[0][rows], design.capitals[1][rows])
        expected = _Expected(design, part, rows)
        for position, split in enumerate(splits):
            out[which, position] = total_by_group(expected(split, own), mean)

    step = max(1, CELLS_AT_ONCE // max(rows.size, 1))
    in_threads(of_part, [slice(at, at + step) for at in range(0, draws.size, step)])
    return out


class _Expected:
    """Expected outcome of some rows at many splits, ``(draw, row)``; see `split_surface`."""

    def __init__(self, design: Design, draws: Draws, rows: NDArray[np.int64]) -> None:
        self._design, self._draws, self._rows = design, draws, rows
        self._predictor = None if draws.upstream else RowPredictor(design, draws, rows)

    def __call__(self, split: Split, own: tuple[Array, Array]) -> Array:
        """Put the capitals, ``own`` where they are left as they are, where a split has them."""
        here, upstream = split
        levels = _capitals(here, own, self._rows)
        if self._predictor is not None:
            return expectation(self._design, self._predictor(levels), self._draws, self._rows)
        through: Through = (
            {name: _capitals(setting, own, self._rows) for name, setting in upstream.items()}
            if isinstance(upstream, Mapping)
            else _capitals(upstream, own, self._rows)
        )
        return expected_outcome(self._design, self._draws, levels, through, self._rows)


def _capitals(setting: Setting, own: tuple[Array, Array], rows: NDArray[np.int64]) -> Capitals:
    human, social = (_at(level, mine, rows) for level, mine in zip(setting, own, strict=True))
    return human, social


def _at(level: Level, own: Array, rows: NDArray[np.int64]) -> float | Array:
    if isinstance(level, Own):
        if level.most is None:
            return own + level.shift
        return np.maximum(own, np.minimum(own + level.shift, level.most[rows]))
    return level[rows] if isinstance(level, np.ndarray) else level
