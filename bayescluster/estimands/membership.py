"""Over which rows an estimand averages: all, each industry, each cluster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayescluster.design.record import Design
from bayescluster.names import ALL, CLUSTER, INDUSTRY
from bayescluster.spec.hypotheses import By


class Groups(NamedTuple):
    """Groups of rows.

    ``weights`` is ``(row, group)``, each column summing to 1; ``members`` is the same as booleans.
    ``of_rows`` holds survey weights, ``(row,)``, by which averages represent the population.
    """

    by: By
    labels: tuple[str, ...]
    members: NDArray[np.bool_]
    of_rows: NDArray[np.float64] | None = None

    @property
    def weights(self) -> NDArray[np.float64]:
        """Averaging weights, ``(row, group)``."""
        if self.of_rows is None:
            return self.members / self.members.sum(axis=0)
        counted = self.members * self.of_rows[:, None]
        return counted / counted.sum(axis=0)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Rows in each group."""
        return tuple(int(size) for size in self.members.sum(axis=0))


def groups_of(design: Design, by: By) -> Groups:
    """Rows of the whole sample, of each industry, or of each cluster."""
    weights = None if design.weights is None else design.weights.average
    if by == "all":
        return Groups(by, (ALL,), np.ones((design.size, 1), dtype=bool), weights)
    name = INDUSTRY if by == "industry" else CLUSTER
    labels = design.group_labels(name)
    return Groups(by, labels, design.index(name)[:, None] == np.arange(len(labels)), weights)


def declared_groups(design: Design) -> tuple[Groups, ...]:
    """All groups that the data declare, the whole sample first."""
    data = design.analysis.data
    found = [groups_of(design, "all")]
    if data.industry is not None:
        found.append(groups_of(design, "industry"))
    if data.cluster is not None:
        found.append(groups_of(design, "cluster"))
    return tuple(found)


def side_by_side(parts: Sequence[Groups]) -> Groups:
    """Groups of several kinds as columns of one, in their order."""
    labels = tuple(label for part in parts for label in part.labels)
    members = np.column_stack([part.members for part in parts])
    return Groups("all", labels, members, parts[0].of_rows)
