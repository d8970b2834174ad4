"""What was analysed: sample, nesting, measures and limits."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from bayescluster.features.measurement.view import measurement
from bayescluster.kit import words
from bayescluster.kit.page import filled
from bayescluster.kit.sections import Section, columns, rows
from bayescluster.kit.table import Cell, Table
from bayescluster.results.facts import GroupRow, MeasureFacts
from bayescluster.results.model import Results


def body(results: Results) -> Markup:
    """Sample, tables of groups, dropped rows and measures."""
    return filled(
        "sample.html.j2",
        results=results,
        groups=_groups(results),
        dropped=_dropped(results),
        imputed=_imputed(results),
        together=_together(results),
        measures=_measures(results),
        measurement=measurement(results),
        correlation=words.number(results.sample.capital_correlation, 0.05),
    )


def _groups(results: Results) -> Table:
    kind = words.unit(results.outcome)
    found = []
    for row in _nested(results.sample.groups):
        inside = row.by == "cluster"
        name = words.group(row.by, row.group)
        found.append(
            (
                Cell(name, look="inside" if inside else "head"),
                words.NONE if inside or not row.clusters else words.count(row.clusters),
                words.count(row.rows),
                words.NONE
                if row.outcome_mean is None
                else words.fixed(row.outcome_mean * kind.factor, 1 if kind.factor > 1 else 2)
                + kind.level,
                words.number(row.human_capital, 0.1),
                words.number(row.social_capital, 0.1),
            )
        )
    return Table(
        "Firms by industry and cluster",
        columns(
            "Group",
            "#Clusters",
            "#Rows",
            "#Mean outcome",
            f"#Human capital ({words.scale(results, 'human_capital')})",
            f"#Social capital ({words.scale(results, 'social_capital')})",
        ),
        rows(found),
        ("Means are weighted by the survey weights. " if results.weighting else "")
        + "Clusters stand below their industry. Capital means are distances from the mean of "
        "all rows, in standard deviations (sd) unless the heading says otherwise.",
    )


def _nested(groups: tuple[GroupRow, ...]) -> Iterator[GroupRow]:
    """All firms, then each industry with its clusters, then clusters of no industry."""
    yield from (row for row in groups if row.by == "all")
    industries = [row for row in groups if row.by == "industry"]
    names = {row.group for row in industries}
    for industry in industries:
        yield industry
        yield from (row for row in groups if row.by == "cluster" and row.industry == industry.group)
    yield from (row for row in groups if row.by == "cluster" and row.industry not in names)


def _dropped(results: Results) -> Table:
    return Table(
        "Rows left out because a variable is missing",
        columns("Variable", "Cluster", "#Rows"),
        rows((row.variable, row.cluster, words.count(row.rows)) for row in results.sample.dropped),
    )


def _imputed(results: Results) -> Table:
    return Table(
        "Missing cells that are estimated inside the model",
        columns("Variable", "Cluster", "#Missing", "#Rows", "#Share"),
        rows(
            (
                cells.variable,
                words.group("cluster", cells.cluster),
                words.count(cells.cells),
                words.count(cells.rows),
                words.share(cells.cells / cells.rows),
            )
            for cells in results.sample.imputed
        ),
        "Clusters in which every row has the variable are not listed.",
    )


def _together(results: Results) -> Table:
    return Table(
        "What is missing together",
        columns("Variables", "#Rows"),
        rows(
            (", ".join(pattern.variables), words.count(pattern.rows))
            for pattern in results.sample.patterns
        ),
        "Each row of the data that lacks something is counted once, under all that it lacks.",
    )


def _measures(results: Results) -> Table:
    return Table(
        "How the capitals were measured",
        columns("Capital", "Method", "Indicators (weight)", "#Reliability", "#One sd", "Unit"),
        rows(_measure(measure) for measure in results.measures),
        "Effects are changes per standard deviation (sd) of the capital; the table says what one "
        "standard deviation is in the capital's own unit. For a 0/1 capital they are changes from "
        "no to yes (0 to 1).",
    )


def _measure(measure: MeasureFacts) -> tuple[str, ...]:
    indicators = ", ".join(
        f"{one.column} ({words.fixed(one.weight, 2)})" for one in measure.indicators
    )
    return (
        words.label(measure.capital),
        measure.method,
        indicators or words.NONE,
        words.number(measure.reliability, 0.1),
        "0/1" if measure.binary else words.number(measure.scale),
        measure.unit,
    )


SAMPLE = Section("sample", "What was analysed", "Sample", body)
