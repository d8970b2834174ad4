"""What was analysed: sample, nesting, measures and limits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from markupsafe import Markup

from bayescluster.features.measurement.view import measurement
from bayescluster.features.measurement.view import views as measurement_views
from bayescluster.kit import words
from bayescluster.kit.page import Section, filled
from bayescluster.kit.table import Column, View, number
from bayescluster.names import CAPITALS
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
    """Sample, tables of groups, dropped rows and measures."""
    groups, dropped, imputed, together, measures = (view.table for view in views(results))
    return filled(
        "sample.html.j2",
        results=results,
        groups=groups,
        dropped=dropped,
        imputed=imputed,
        together=together,
        measures=measures,
        measurement=measurement(results),
        correlation=words.number(results.sample.capital_correlation, 0.05),
    )


def views(results: Results) -> tuple[View[Any], ...]:
    """Groups, rows left out, cells that are missing, and how the capitals were measured."""
    sample = results.sample
    return (
        _groups(results),
        View(
            "dropped",
            Dropped,
            "Rows left out because a variable is missing",
            (
                Column("Variable", "variable"),
                Column("Cluster", "cluster"),
                number("Rows", "rows", words.count),
            ),
            sample.dropped,
        ),
        View(
            "imputed",
            ImputedCells,
            "Missing cells that are estimated inside the model",
            (
                Column("Variable", "variable"),
                Column("Cluster", lambda row: words.group("cluster", row.cluster)),
                number("Missing", "cells", words.count),
                number("Rows", "rows", words.count),
                number("Share", lambda row: row.cells / row.rows, words.share, key="share"),
            ),
            sample.imputed,
            "Clusters in which every row has the variable are not listed.",
        ),
        View(
            "missing_together",
            MissingPattern,
            "What is missing together",
            (
                Column("Variables", "variables", ", ".join),
                number("Rows", "rows", words.count),
            ),
            sample.patterns,
            "Each row of the data that lacks something is counted once, under all that it lacks.",
        ),
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
            "Effects are changes per standard deviation (sd) of the capital; the table says what one "
            "standard deviation is in the capital's own unit. For a 0/1 capital they are changes from "
            "no to yes (0 to 1).",
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
        "Firms by industry and cluster",
        (
            Column(
                "Group",
                lambda row: words.group(row.by, row.group),
                look=lambda row: "inside" if row.by == "cluster" else "head",
            ),
            number(
                "Clusters",
                lambda row: None if row.by == "cluster" else row.clusters or None,
                words.count,
            ),
            number("Rows", "rows", words.count),
            number("Mean outcome", "outcome_mean", mean),
            *(_level(results, name) for name in CAPITALS),
        ),
        tuple(_nested(results.sample.groups)),
        ("Means are weighted by the survey weights. " if results.weighting else "")
        + "Clusters stand below their industry. Capital means are distances from the mean of "
        "all rows, in standard deviations (sd) unless the heading says otherwise.",
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
    "What was analysed",
    "Sample",
    body,
    views=lambda results: (*views(results), *measurement_views(results)),
)
