"""The firms that claims are judged on, before any fit."""

from __future__ import annotations

from functools import cached_property

from bayescluster.design.record import Design
from bayescluster.estimands.levels import CornerSupport, Levels, support
from bayescluster.estimands.scopes import Groups, declared_groups, side_by_side
from bayescluster.spec.hypotheses import By


class Sample:
    """The firms that claims are judged on: their groups, and how many stand around a corner."""

    def __init__(self, design: Design) -> None:
        self.design = design
        self._support: dict[Levels, CornerSupport] = {}

    @cached_property
    def groups(self) -> Groups:
        """All groups side by side, the whole sample first."""
        return side_by_side(declared_groups(self.design))

    @cached_property
    def kinds(self) -> tuple[By, ...]:
        """Kinds of groups in their order: all, industry, moderators, cluster, as far as declared."""
        return tuple(part.by for part in declared_groups(self.design))

    def columns(self, by: str) -> list[tuple[int, str]]:
        """Columns of the estimands that belong to a kind of group, with their labels."""
        start = 0
        for part in declared_groups(self.design):
            if part.by == by:
                return [(start + k, label) for k, label in enumerate(part.labels)]
            start += len(part.labels)
        return []

    def support(self, levels: Levels) -> CornerSupport:
        """Firms around each corner, ``(corner, group)``."""
        if levels not in self._support:
            self._support[levels] = support(self.design, levels, self.groups.members)
        return self._support[levels]
