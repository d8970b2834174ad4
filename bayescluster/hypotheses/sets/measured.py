"""Measures of several expressions at once, replicate by replicate and group by group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bayescluster.arrays import Array
from bayescluster.hypotheses.sets.measures import Necessity, Sufficiency


class Measured(NamedTuple):
    """Measures by expression, each ``(replicate, group)``, and firms with membership above .5.

    ``cases`` counts by expression, and those in the outcome under its own name.
    """

    necessity: dict[str, Necessity]
    sufficiency: dict[str, Sufficiency]
    cases: dict[str, Array]


def joined(parts: Sequence[Measured]) -> Measured:
    """Chunks of replicates one after the other."""
    first = parts[0]
    if len(parts) == 1:
        return first

    def along(arrays: list[Array]) -> Array:
        return np.concatenate(arrays)

    return Measured(
        {
            name: Necessity(*(along([part.necessity[name][k] for part in parts]) for k in range(3)))
            for name in first.necessity
        },
        {
            name: Sufficiency(
                *(along([part.sufficiency[name][k] for part in parts]) for k in range(3))
            )
            for name in first.sufficiency
        },
        {name: along([part.cases[name] for part in parts]) for name in first.cases},
    )
