"""How a run reports its progress, whoever watches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from bayescluster.inference.nuts import ChainState


class Watch(Protocol):
    """Something that a run reports its progress to."""

    def step(self, message: str) -> None:
        """A step begins, or was found done."""

    def chain(self, state: ChainState) -> None:
        """A chain has moved on."""


@runtime_checkable
class CountingWatch(Watch, Protocol):
    """A watch that also counts what is done many times over."""

    def count(self, what: str, finished: int, total: int) -> None:
        """So many are finished."""


def count(watch: Watch, what: str, finished: int, total: int) -> None:
    """Say how many are finished, to a watch that counts."""
    if isinstance(watch, CountingWatch):
        watch.count(what, finished, total)


class Silent:
    """Watches nothing."""

    def step(self, message: str) -> None:
        """Take no notice."""

    def chain(self, state: ChainState) -> None:
        """Take no notice."""

    def count(self, what: str, finished: int, total: int) -> None:
        """Take no notice."""
