"""How many firms stand behind each corner of the conjunctive form, once its gates have sorted them."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from bayescluster.arrays import Array
from bayescluster.design.record import Design
from bayescluster.model.evaluate import Draws, row_coefficients
from bayescluster.names import BOTH, HUMAN_ONLY, NEITHER, SOCIAL_ONLY
from bayescluster.structures.conjunctive import CONJUNCTIVE, corner_weights

CORNER_TERMS: Final = {"LL": NEITHER, "HL": HUMAN_ONLY, "LH": SOCIAL_ONLY, "HH": BOTH}
"""Term of the form at each corner of the plane."""


def behind_gates(design: Design, draws: Draws, members: NDArray[np.bool_]) -> dict[str, Array]:
    """Sum the corner weights of the firms of each group.

    Parameters
    ----------
    design
        The design.
    draws
        Draws of its parameters.
    members
        Which rows are in which group, ``(row, group)``; a firm seen in several rows counts once.

    Returns
    -------
    dict
        By corner: effective number of firms, ``(draw, group)``. The corners of a group sum to its
        firms. Empty for all forms but the conjunctive one.
    """
    if design.structure is not CONJUNCTIVE:
        return {}
    once = _once(design.firms, members)
    out = {corner: np.empty((draws.size, members.shape[1])) for corner in CORNER_TERMS}
    for which, part in draws.chunks(design.size):
        human, social = part.capitals or design.capitals
        weights = corner_weights(human, social, row_coefficients(part))
        for corner, term in CORNER_TERMS.items():
            out[corner][which] = np.broadcast_to(weights[term], (part.size, design.size)) @ once
    return out


def _once(firms: NDArray[np.int64], members: NDArray[np.bool_]) -> Array:
    """Weight of each row in each group: the rows of a firm share one, ``(row, group)``."""
    rows = np.column_stack(
        [np.bincount(firms, weights=group) for group in members.T]
    )  # firm, group
    return np.where(members, 1 / np.maximum(rows[firms], 1), 0.0)
