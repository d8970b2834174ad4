"""What a rule of the checklist knows, and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from bayescluster.results.base import Value
from bayescluster.results.checklist import Status
from bayescluster.results.model import CheckItem, Results
from bayescluster.spec.analysis import Analysis
from bayescluster.workflow.checklist.doubled import Doubled
from bayescluster.workflow.checklist.kept import Kept
from bayescluster.workflow.studies import Study


class Known(NamedTuple):
    """A finished run and what stands beside it."""

    results: Results
    studies: Mapping[str, Study]
    pages: Mapping[str, str]
    """Path from the report to the page of each study."""
    doubled: Doubled | None
    analysis: Analysis | None = None
    """The analysis, where it was asked for."""
    kept: Kept | None = None
    """What is there to get the run again, where it was looked for."""

    @property
    def file(self) -> str:
        """Analysis file, as a command names it."""
        words = self.results.reproduction.command.split()
        return words[-1] if words[:1] == ["bayescluster"] else "ANALYSIS.yaml"

    def gate(self, name: str) -> CheckItem | None:
        """Item of the gate by name."""
        return next((item for item in self.results.gate.items if item.name == name), None)

    def study[V: Value](self, kind: str, holds: type[V]) -> V | None:
        """Document of a study that stands beside the run."""
        found = self.studies.get(kind)
        return found.document if found is not None and isinstance(found.document, holds) else None

    def not_done(self, study: str, what: str) -> Answer:
        """Answer where a study was not made: the command that makes it."""
        found = f"no {what} of this model was found beside the run"
        return Answer("not done", found, next=f"bayescluster {study} {self.file}")


class Answer(NamedTuple):
    """What a rule found: its status, the number, where it stands, and what to do."""

    status: Status
    found: str
    link: str = ""
    next: str = ""


class Rule(NamedTuple):
    """A question of the guidelines and how it is answered from what is known."""

    asked: str
    sources: tuple[str, ...]
    answer: Callable[[Known], Answer]


def counted(many: int, one: str, several: str = "") -> str:
    """A number and its noun."""
    return f"{many:,} {one if many == 1 else several or one + 's'}"
