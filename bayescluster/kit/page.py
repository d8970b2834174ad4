"""What a page is made of: sections with their tables and figures, filled into templates that escape data."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final, Literal, NamedTuple, Protocol, cast

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from pydantic import BaseModel

from bayescluster.kit import words
from bayescluster.kit.figure import Drawn, FigureSpec, drawn
from bayescluster.kit.table import Cell, Column, Table, View, number
from bayescluster.results.model import By, Results


@lru_cache(maxsize=1)
def environment() -> Environment:
    """Make the one environment: autoescape always on, unknown names refused."""
    made = Environment(
        loader=PackageLoader("bayescluster.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.globals["words"] = words
    return made


def filled(template: str, **context: Any) -> Markup:
    """Fill a template; the result is markup, its data escaped."""
    made = environment().get_template(template).render(**context)
    return Markup(made)


def _always(_: Results) -> bool:
    return True


def _no_views(_: Results) -> tuple[View[Any], ...]:
    return ()


Layer = Literal["answer", "explore", "findings", "appendix"]
"""Parts of the report: the answer on a page, what it rests on, and all the rest folded away."""
LAYERS: Final[dict[Layer, str]] = {
    "answer": "Answer",
    "explore": "Explore",
    "findings": "Findings",
    "appendix": "Appendix",
}


class Shown(NamedTuple):
    """A section as it stands on a page; see `Section`."""

    anchor: str
    title: str
    short: str
    body: Markup
    layer: Layer = "appendix"


class PageLayer(NamedTuple):
    """A layer of a page: its anchor, its title, and its sections."""

    name: Layer
    title: str
    sections: list[Shown]


def layered(template: str, sections: Iterable[Shown], *scripts: Markup, **context: Any) -> str:
    """Fill a template that extends ``layers.html.j2``: the answer, findings, and a folded appendix.

    Parameters
    ----------
    template
        Name of the template.
    sections
        What the page is made of; a layer without any is left out.
    *scripts
        Scripts beside that of every page; the page allows these, and no others.
    **context
        What the template names.
    """
    source, _, _ = cast(Any, environment().loader).get_source(environment(), "page.js")
    every = (Markup(source), *scripts)  # ours, so nothing to escape
    kept = list(sections)
    layers = (
        PageLayer(name, title, [one for one in kept if one.layer == name])
        for name, title in LAYERS.items()
    )
    page = filled(
        template,
        layers=[layer for layer in layers if layer.sections],
        scripts=every,
        allowed=allowed(*every),
        **context,
    )
    return str(page)


def allowed(*scripts: str) -> str:
    """Write scripts as what a Content-Security-Policy lets run: these by their hashes, and no other."""
    digests = (sha256(script.encode()).digest() for script in scripts)
    return " ".join(f"'sha256-{b64encode(digest).decode()}'" for digest in digests)


class Section(NamedTuple):
    """A section: its anchor, its title, its name in the table of contents, and its body.

    In the appendix the title is the question that the section answers.
    """

    anchor: str
    title: str
    short: str
    body: Callable[[Results], Markup]
    wanted: Callable[[Results], bool] = _always
    """Whether the results hold what the section is about; it is left out otherwise."""
    views: Callable[[Results], Iterable[View[Any]]] = _no_views
    """Its tables, asked for where it is wanted; they are written as files, and shown on a terminal."""
    layer: Layer = "appendix"
    scripts: Callable[[], tuple[Markup, ...]] = tuple
    """Scripts that its body needs; the page allows these, and no others."""


def group_column(label: str) -> Column[Any]:
    """Column of the groups of records; all firms stand out."""
    return Column(
        label,
        lambda row: words.group(row.by, row.group),
        look=lambda row: "head" if row.by == "all" else "",
    )


class OfGroup(Protocol):
    """A row of one group."""

    @property
    def by(self) -> By:
        """Kind of the group."""

    @property
    def group(self) -> str:
        """Name of the group."""


class Across[Row](NamedTuple):
    """The records of a group, by what stands across."""

    by: By
    group: str
    records: dict[Any, Row]


def pivot[Row: OfGroup](
    view: View[Row],
    across: Mapping[Any, str],
    key: Callable[[Row], Any],
    show: Callable[[Row], str | Cell],
    *more: Column[Across[Row]],
) -> View[Across[Row]]:
    """Show the records of a view a row a group; they are written as they are.

    Parameters
    ----------
    view
        The view, without columns.
    across
        Headings of the columns by key.
    key
        Column in which a record stands.
    show
        How a record is written for reading.
    *more
        Columns to the right.
    """
    groups: dict[tuple[By, str], dict[Any, Row]] = {}
    for row in view.rows:
        groups.setdefault((row.by, row.group), {})[key(row)] = row

    def column(at: Any, label: str) -> Column[Across[Row]]:
        return number(
            label,
            lambda group: group.records.get(at),
            lambda row: words.NONE if row is None else show(row),
        )

    return View(
        view.name,
        view.kind,
        view.caption,
        (group_column("Group"), *(column(*one) for one in across.items()), *more),
        tuple(Across(by, group, records) for (by, group), records in groups.items()),
        view.note,
        view.folded,
        cast("tuple[BaseModel, ...]", view.rows),
        view.before,
    )


def figures(results: Results, *specs: FigureSpec) -> tuple[Drawn, ...]:
    """Draw the figures that the results hold something for."""
    return tuple(drawn(spec, results) for spec in specs if spec.wanted(results))


def tables(views: Iterable[View[Any]]) -> list[Table]:
    """Views as pages show them, without those that are only written."""
    return [view.table for view in views if view.columns]
