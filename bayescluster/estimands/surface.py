"""The outcome surface: expected outcome with the capitals set, averaged over the rows of a group.

``m(h, s) = mean over rows i of the group of E[y_i | H_i = h, S_i = s, everything else as it is]``,
draw by draw (g-computation). Counts are per unit of exposure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayescluster.arrays import Array
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
    weights = weights[rows]
    out = np.empty((draws.size, len(splits), weights.shape[1]))
    for which, part in draws.for_rows(rows).chunks(rows.size):
        mine = part.capitals or (design.capitals[0][rows], design.capitals[1][rows])
        predictor = None if part.upstream else RowPredictor(design, part, rows)
        for position, (here, upstream) in enumerate(splits):
            own = _capitals(here, mine, rows)
            if predictor is not None:
                out[which, position] = expectation(design, predictor(own), part) @ weights
                continue
            through: Through = (
                {name: _capitals(setting, mine, rows) for name, setting in upstream.items()}
                if isinstance(upstream, Mapping)
                else _capitals(upstream, mine, rows)
            )
            out[which, position] = expected_outcome(design, part, own, through, rows) @ weights
    return out


def _capitals(setting: Setting, own: tuple[Array, Array], rows: NDArray[np.int64]) -> Capitals:
    human, social = (_at(level, mine, rows) for level, mine in zip(setting, own, strict=True))
    return human, social


def _at(level: Level, own: Array, rows: NDArray[np.int64]) -> float | Array:
    if isinstance(level, Own):
        if level.most is None:
            return own + level.shift
        return np.maximum(own, np.minimum(own + level.shift, level.most[rows]))
    return level[rows] if isinstance(level, np.ndarray) else level
