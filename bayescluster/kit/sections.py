"""What a section of the report is, and the tables that stand in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Protocol

from markupsafe import Markup

from bayescluster.kit import words
from bayescluster.kit.figure import Drawn, FigureSpec, drawn
from bayescluster.kit.table import Cell, Head, Table, View
from bayescluster.results.model import By, Results


def _always(_: Results) -> bool:
    return True


def _no_views(_: Results) -> tuple[View[Any], ...]:
    return ()


class Section(NamedTuple):
    """A section: its anchor, its title, its name in the table of contents, and its body.

    ``wanted`` tells whether the results hold what the section is about.
    """

    anchor: str
    title: str
    short: str
    body: Callable[[Results], Markup]
    wanted: Callable[[Results], bool] = _always
    """Whether the results hold what the section is about; it is left out otherwise."""
    views: Callable[[Results], Iterable[View[Any]]] = _no_views
    """Its tables, asked for where it is wanted; they are written as files too."""


def columns(*labels: str) -> tuple[Head, ...]:
    """Headings; those that begin with ``#`` stand over numbers."""
    return tuple(Head(label.removeprefix("#"), label.startswith("#")) for label in labels)


def rows(found: Iterable[Iterable[str | Cell]]) -> tuple[tuple[Cell, ...], ...]:
    """Rows of cells; plain text is a cell without a remark."""
    return tuple(
        tuple(cell if isinstance(cell, Cell) else Cell(cell) for cell in row) for row in found
    )


def group_cell(by: str, group: str) -> Cell:
    """Heading of a group; that of all firms stands out."""
    return Cell(words.group(by, group), look="head" if by == "all" else "")


class OfGroup(Protocol):
    """A row of one group."""

    @property
    def by(self) -> By:
        """Kind of the group."""

    @property
    def group(self) -> str:
        """Name of the group."""


def groups_in(found: Iterable[OfGroup]) -> list[tuple[By, str]]:
    """Groups of some rows, in the order of their first rows."""
    return list(dict.fromkeys((row.by, row.group) for row in found))


def figures(results: Results, *specs: FigureSpec) -> tuple[Drawn, ...]:
    """Draw the figures that the results hold something for."""
    return tuple(drawn(spec, results) for spec in specs if spec.wanted(results))


def tables(views: Iterable[View[Any]]) -> list[Table]:
    """Views as pages show them, without those that are only written."""
    return [view.table for view in views if view.columns]
