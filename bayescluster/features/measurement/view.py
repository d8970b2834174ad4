"""How latent capitals are measured: reliability, loadings, and indicators that differ between groups."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from markupsafe import Markup

from bayescluster.kit import words
from bayescluster.kit.page import Section, filled
from bayescluster.kit.table import Column, View, number
from bayescluster.results.facts import Coefficient, DepartureRow, Loading, Measurement
from bayescluster.results.model import Results

KINDS = {"shift": "intercept", "loading": "loading"}
MOST_ROWS = 12
"""Rows of a table on the page."""


class Departure(NamedTuple):
    """A departure of an indicator, and the capital that it measures."""

    capital: str
    row: DepartureRow


class _Item(NamedTuple):
    capital: str
    row: Loading


def body(results: Results) -> Markup:
    """Reliability in a sentence, loadings, and the indicators that are flagged."""
    found = results.measurement
    assert found is not None
    flagged = _flagged(found)
    return filled(
        "measurement.html.j2",
        reliability="; ".join(
            f"{words.label(one.capital).lower()} {words.plain(one.reliability)}"
            for one in found.capitals
        ),
        correlation=found.correlation and words.plain(found.correlation),
        scores=words.number(results.sample.capital_correlation, 0.05),
        loadings=_loadings(found).table,
        departures=sum(len(one.departures) for one in found.capitals),
        flagged=len(flagged),
        table=_departing(flagged).table if flagged else None,
    )


def views(results: Results) -> Iterator[View[Any]]:
    """Loadings, background and departures of every latent capital, as they are written."""
    found = results.measurement
    assert found is not None
    for one in found.capitals:
        before = {"capital": one.capital}
        yield View("measurement_loadings", Loading, rows=one.loadings, before=before)
        yield View("measurement_background", Coefficient, rows=one.background, before=before)
        yield View("measurement_departures", DepartureRow, rows=one.departures, before=before)
    yield _loadings(found)
    yield _departing(_flagged(found))


def _flagged(found: Measurement) -> list[Departure]:
    rows = (Departure(one.capital, row) for one in found.capitals for row in one.departures)
    return [one for one in rows if one.row.flagged]


def _loadings(found: Measurement) -> View[_Item]:
    rows = tuple(_Item(one.capital, row) for one in found.capitals for row in one.loadings)
    return View(
        "measurement_loadings",
        Loading,
        "Correlation of each indicator with its capital",
        (
            Column("Indicator", lambda one: one.row.indicator, look=lambda _: "inside"),
            Column("Kind", lambda one: one.row.kind),
            number("Loading", lambda one: one.row.estimate, words.plain),
        ),
        rows[:MOST_ROWS],
        records=(),
        head=lambda one: words.label(one.capital),
    )


def _departing(flagged: list[Departure]) -> View[Departure]:
    largest = sorted(flagged, key=lambda one: -abs(one.row.estimate.mean))
    return View(
        "measurement_departures",
        DepartureRow,
        "Indicators that differ in a group, largest first",
        (
            Column("Indicator", lambda one: one.row.indicator),
            Column("Group", lambda one: one.row.group),
            Column("What differs", lambda one: KINDS[one.row.measure]),
            number("By, in sd", lambda one: one.row.estimate, words.signed),
        ),
        tuple(largest[: MOST_ROWS // 2]),
        records=(),
    )


MEASUREMENT = Section(
    "measurement",
    "How were the latent capitals measured?",
    "Measurement",
    body,
    wanted=lambda results: results.measurement is not None,
    views=views,
)
