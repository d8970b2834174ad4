"""Typed results: what was done of all that published guidelines ask of a Bayesian analysis."""

from __future__ import annotations

from typing import Literal

from bayescluster.results.base import Value

Status = Literal["done", "look", "in part", "not done", "reader", "not applicable"]
"""``look``: done, and something was found; ``in part``: some of it was done, the rest is told;
``reader``: what no program can judge."""


class ChecklistItem(Value):
    """One thing that guidelines ask for, what was found, and where it stands."""

    part: str
    """Stage of the analysis it belongs to."""
    asked: str
    sources: tuple[str, ...]
    """Points of the guidelines, such as ``BARG 1.E``."""
    status: Status
    found: str
    link: str = ""
    """Anchor in the report, or path from the report to the page of a study."""
    next: str = ""
    """What to do about it: a command, or a setting."""


class Checklist(Value):
    """The whole checklist of a run, as its files stood when the report was written."""

    items: tuple[ChecklistItem, ...]

    def count(self, status: Status) -> int:
        """How many items have a status."""
        return sum(item.status == status for item in self.items)
