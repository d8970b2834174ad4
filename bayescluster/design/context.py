"""What surrounds a firm: the mean of a capital among the other firms of its cluster (claim X).

A capital enters with its own value and with that of the others, each with a coefficient, so that within a
cluster firms are compared at the same surroundings, and clusters by theirs. The mean leaves the firm itself
out, with all its rows. Of firms observed in several rows, that of the firm is the mean of its rows, itself
included (Mundlak 1978): its coefficient is then between less within firms.

Without it an effect is a blend of both, which depends on how many firms of a cluster are in the data.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from bayescluster.arrays import Array, total_by_group
from bayescluster.names import CLUSTER, FIRM

BETWEEN_MIN: Final = 0.10
"""Share of the variance of a capital between clusters from which its context is recommended."""
BETWEEN_MAX: Final = 0.90
"""Share up to which it is: with more, hardly anything varies within them to be told apart."""

Codes = NDArray[np.int64]


class Surroundings(NamedTuple):
    """Whom the mean of each row is taken over: the rows of its group but for its own.

    ``group`` and ``own`` number the group and the part left out, ``(row,)``; ``own`` is None where
    nothing is. ``weight`` is what a row counts, ``rest`` the weight of the others, ``(row,)`` each: a row
    without others has the mean of all, which is 0.
    """

    group: Codes
    own: Codes | None
    weight: Array
    rest: Array

    def mean(self, values: Array) -> Array:
        """Mean of the others, ``(..., row) -> (..., row)``."""
        shape = values.shape
        weighted = np.atleast_2d(values) * self.weight
        total = _sums(weighted, self.group)
        if self.own is not None:
            total = total - _sums(weighted, self.own)
        found = np.where(self.rest > 0, total / np.where(self.rest > 0, self.rest, 1.0), 0.0)
        return np.asarray(found.reshape(shape))

    @property
    def alone(self) -> NDArray[np.bool_]:
        """Rows without others, ``(row,)``."""
        return self.rest <= 0


def _sums(values: Array, codes: Codes) -> Array:
    """Sum over the rows of the same code, at each row: ``(draw, row) -> (draw, row)``."""
    rows = np.arange(codes.size)
    members = csr_array((np.ones(codes.size), (codes, rows)))
    return np.asarray(total_by_group(values, members)[:, codes])


def surroundings(
    level: str, group: Codes, firm: Codes, weight: Array | None = None
) -> Surroundings:
    """Tell whom the mean of each row is taken over.

    Parameters
    ----------
    level
        ``cluster``, whose other firms are averaged, or ``firm``, all of whose rows are.
    group, firm
        Number of each row's group of that level, and of its firm, ``(row,)``.
    weight
        What each row counts, ``(row,)``; 1 without it.
    """
    counted = np.ones(group.size) if weight is None else weight
    if level == FIRM:
        whole = np.bincount(group, weights=counted)[group]
        return Surroundings(group, None, counted, whole)
    _, own = np.unique(np.stack([group, firm]), axis=1, return_inverse=True)
    own = own.reshape(-1)
    others = np.bincount(group, weights=counted)[group] - np.bincount(own, weights=counted)[own]
    some = np.bincount(np.unique(np.stack([group, own]), axis=1)[0])[group] > 1
    return Surroundings(group, own, counted, np.where(some, others, 0.0))


def surroundings_of(design: Any, level: str) -> Surroundings:
    """The same of a design; see `surroundings`."""
    group = design.firms if level == FIRM else design.index(CLUSTER)
    weights = design.weights
    return surroundings(level, group, design.firms, None if weights is None else weights.average)


def between_share(values: Array, group: Codes) -> float | None:
    """Share of variance between groups, less what chance alone puts there (ANOVA; 0 at least)."""
    known = np.isfinite(values)
    values, group = values[known], np.unique(group[known], return_inverse=True)[1]
    sizes = np.bincount(group)
    count, groups = values.size, sizes.size
    if groups < 2 or count <= groups:
        return None
    means = (np.bincount(group, weights=values) / sizes)[group]
    within = float(((values - means) ** 2).sum()) / (count - groups)
    around = float(((means - values.mean()) ** 2).sum()) / (groups - 1)
    size = (count - float((sizes**2).sum()) / count) / (groups - 1)
    share = max((around - within) / size, 0.0)
    return share / (share + within) if share + within > 0 else None
