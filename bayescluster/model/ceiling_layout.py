"""Which firms share a ceiling, and which ceilings are pooled with which.

Firms of one cluster (of one industry, where clusters cross industries) share the height of their
ceiling; where no cluster is declared those of an industry do, and where none is declared all firms.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Index = NDArray[np.int64]


class Layout(NamedTuple):
    """Firms in units that share a ceiling, units in industries.

    Attributes
    ----------
    unit
        Unit of each firm, ``(firm,)``.
    units
        Labels of the units.
    industry
        Industry of each unit, ``(unit,)``; zeros where none is declared.
    industries
        Labels of the industries.
    """

    unit: Index
    units: tuple[str, ...]
    industry: Index
    industries: tuple[str, ...]

    @property
    def nested(self) -> bool:
        """Whether industries have a level of their own between all firms and the units."""
        return 1 < len(self.industries) < len(self.units)

    @property
    def sizes(self) -> Index:
        """Firms of each unit, ``(unit,)``."""
        return np.bincount(self.unit, minlength=len(self.units))

    @property
    def members(self) -> Index:
        """Positions of the firms of each unit, ``(unit, largest unit)``.

        Short rows are filled up with the number of firms, one place beyond the last.
        """
        sizes, order = self.sizes, np.argsort(self.unit, kind="stable")
        found = np.full((len(self.units), int(sizes.max())), self.unit.size, dtype="int64")
        inside = np.arange(found.shape[1]) < sizes[:, None]
        found[inside] = order
        return found

    @property
    def of_firms(self) -> Index:
        """Industry of each firm, ``(firm,)``."""
        return self.industry[self.unit]


def layout_of(clusters: NDArray[np.str_] | None, industries: NDArray[np.str_] | None) -> Layout:
    """Arrange firms by cluster within industry.

    Parameters
    ----------
    clusters, industries
        Label of each firm, ``(firm,)``; nothing where no such group is declared. One of them is
        given: with a single label for all firms, all share one ceiling.

    Raises
    ------
    ValueError
        If neither is given.
    """
    finest = clusters if clusters is not None else industries
    if finest is None:
        raise ValueError("give clusters or industries, if need be one label for all")
    whole = np.zeros(finest.size, dtype="int64")
    names: tuple[str, ...] = ("",)
    of_firm = whole
    if industries is not None:
        found, codes = np.unique(industries, return_inverse=True)
        names, of_firm = tuple(str(name) for name in found), codes.astype("int64")
    labels, cluster = np.unique(finest, return_inverse=True)
    # a cluster in two industries is two units
    pairs, unit = np.unique(cluster * len(names) + of_firm, return_inverse=True)
    own, industry = np.divmod(pairs, len(names))
    crossed = len(pairs) > len(labels)
    units = tuple(
        f"{labels[c]} in {names[k]}" if crossed else str(labels[c])
        for c, k in zip(own, industry, strict=True)
    )
    return Layout(unit.astype("int64"), units, industry.astype("int64"), names)
