"""What was analysed: sample, nesting, measures and limits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

from markupsafe import Markup

from bayescluster.kit import words
from bayescluster.kit.page import Section, filled
from bayescluster.kit.table import Column, View, number
from bayescluster.results.facts import (
    Dropped,
    GroupRow,
    ImputedCells,
    Indicator,
    MeasureFacts,
    MissingPattern,
)
from bayescluster.results.model import Results


def body(results: Results) -> Markup:
    """Sample, tables of groups, missing values and measures."""
    sample = results.sample
    groups, dropped, imputed, _, measures = (view.table for view in views(results))
    return filled(
        "sample.html.j2",
        results=results,
        notes=(*results.limits, *sample.filters, *sample.notes),
        groups=groups,
        missing=(dropped, imputed),
        measures=measures,
        correlation=words.number(sample.capital_correlation, 0.05),
    )


class OfVariable(NamedTuple):
    """Missing values of a variable over all clusters; ``rows`` are those concerned."""

    variable: str
    missing: int
    clusters: int


def _by_variable(found: Iterable[tuple[str, int]]) -> tuple[OfVariable, ...]:
    missing: dict[str, list[int]] = {}
    for variable, many in found:
        missing.setdefault(variable, []).append(many)
    return tuple(OfVariable(name, sum(many), len(many)) for name, many in missing.items())


MISSING: tuple[Column[OfVariable], ...] = (
    Column("Variable", "variable"),
    number("Missing", "missing", words.count),
    number("Clusters concerned", "clusters", words.count),
)


def views(results: Results) -> tuple[View[Any], ...]:
    """Groups, missing values by variable (by cluster in the files), and how capitals were measured."""
    sample = results.sample
    return (
        _groups(results),
        View(
            "dropped",
            Dropped,
            "Rows left out because a variable is missing",
            MISSING,
            _by_variable((row.variable, row.rows) for row in sample.dropped),
            records=sample.dropped,
        ),
        View(
            "imputed",
            ImputedCells,
            "Missing cells that are estimated inside the model",
            MISSING,
            _by_variable((row.variable, row.cells) for row in sample.imputed),
            records=sample.imputed,
        ),
        View("missing_together", MissingPattern, rows=sample.patterns),
        View(
            "measures",
            MeasureFacts,
            "How the capitals were measured",
            (
                Column("Capital", "capital", words.label),
                Column("Method", "method"),
                Column("Indicators (weight)", "indicators", _indicators),
                number("Reliability", "reliability", partial(words.number, spread=0.1)),
                number("One sd", lambda row: "0/1" if row.binary else words.number(row.scale)),
                Column("Unit", "unit"),
            ),
            results.measures,
        ),
    )


def _indicators(found: Sequence[Indicator]) -> str:
    return ", ".join(f"{one.column} ({words.fixed(one.weight, 2)})" for one in found) or words.NONE


def _groups(results: Results) -> View[GroupRow]:
    kind = words.unit(results.outcome)
    places = 1 if kind.factor > 1 else 2

    def mean(value: float | None) -> str:
        return (
            words.NONE if value is None else words.fixed(value * kind.factor, places) + kind.level
        )

    return View(
        "groups",
        GroupRow,
        "Firms by industry",
        (
            Column(
                "Group",
                lambda row: words.group(row.by, row.group),
                look=lambda row: "head" if row.by == "all" else "",
            ),
            number(
                "Clusters",
                lambda row: row.clusters or None,
                words.count,
            ),
            number("Rows", "rows", words.count),
            number("Mean outcome", "outcome_mean", mean),
            *(_level(results, measure.capital) for measure in results.measures),
        ),
        tuple(row for row in results.sample.groups if row.by != "cluster"),
        ("Means are weighted by the survey weights. " if results.weighting else "")
        + "Means of the capitals are distances from the mean of all rows. The csv file lists clusters too.",
        records=tuple(_nested(results.sample.groups)),
    )


def _level(results: Results, capital: str) -> Column[GroupRow]:
    label = f"{words.label(capital)} ({words.scale(results, capital)})"
    return number(label, capital, partial(words.number, spread=0.1))


def _nested(groups: tuple[GroupRow, ...]) -> Iterator[GroupRow]:
    """All firms, each industry with its clusters, clusters of no industry, then other groups."""
    yield from (row for row in groups if row.by == "all")
    industries = [row for row in groups if row.by == "industry"]
    names = {row.group for row in industries}
    for industry in industries:
        yield industry
        yield from (row for row in groups if row.by == "cluster" and row.industry == industry.group)
    yield from (row for row in groups if row.by == "cluster" and row.industry not in names)
    yield from (row for row in groups if row.by not in ("all", "industry", "cluster"))


SAMPLE = Section(
    "sample",
    "Which firms were analysed, and how were the capitals measured?",
    "Sample",
    body,
    views=views,
)
