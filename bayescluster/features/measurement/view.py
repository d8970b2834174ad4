"""How latent capitals are measured: a part of the section on the sample."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from markupsafe import Markup

from bayescluster.kit import words
from bayescluster.kit.page import filled
from bayescluster.kit.table import Column, Table, View, number
from bayescluster.results.base import Value
from bayescluster.results.facts import Coefficient, DepartureRow, Loading, Measured, Measurement
from bayescluster.results.model import Results

KINDS = {"shift": "intercept (shift)", "loading": "loading (difference)"}


class _Shown(NamedTuple):
    """A latent capital as it is shown."""

    name: str
    reliability: str
    reliability_prior: str
    loadings: Table
    background: Table


class Departure(NamedTuple):
    """A departure of an indicator, and the capital that it measures."""

    capital: str
    row: DepartureRow


def measurement(results: Results) -> Markup:
    """Loadings, reliability, background and invariance; nothing where no capital is latent."""
    found = results.measurement
    if found is None:
        return Markup("")
    departures = _departures(found)
    return filled(
        "measurement.html.j2",
        found=found,
        capitals=[
            _Shown(
                words.label(one.capital),
                words.plain(one.reliability),
                words.plain(one.reliability_prior),
                _loadings(one).table,
                _background(one).table,
            )
            for one in found.capitals
        ],
        correlation=words.plain(found.correlation),
        scores=words.number(results.sample.capital_correlation, 0.05),
        counted=_counted([one.row for one in departures]),
        departures=_departing(
            "Indicators that lie off", [one for one in departures if one.row.flagged]
        ).table,
        everything=_departing(
            "Departures of every indicator",
            departures,
            folded=f"All {words.count(len(departures))} departures",
        ).table,
        least=", ".join(f"{size:g} sd by {by}" for by, size in found.shift_least.items()),
        loading_least=f"{found.loading_least:g}",
    )


def views(results: Results) -> Iterator[View[Any]]:
    """Loadings, background and departures of every latent capital."""
    found = results.measurement
    for name, kind in WRITTEN.items():  # files without rows keep their headings
        yield View(name, kind, before={"capital": None})
    for one in found.capitals if found else ():
        before = {"capital": one.capital}
        yield _loadings(one)
        yield _background(one)
        yield View("measurement_departures", DepartureRow, rows=one.departures, before=before)


WRITTEN: dict[str, type[Value]] = {
    "measurement_loadings": Loading,
    "measurement_background": Coefficient,
    "measurement_departures": DepartureRow,
}


def _departures(found: Measurement) -> list[Departure]:
    return [Departure(one.capital, row) for one in found.capitals for row in one.departures]


def _loadings(one: Measured) -> View[Loading]:
    return View(
        "measurement_loadings",
        Loading,
        f"Standardised loadings of {words.label(one.capital).lower()}",
        (
            Column("Indicator", "indicator"),
            Column(
                "Kind",
                lambda row: (
                    f"{row.kind}, {row.levels} levels" if row.kind == "ordinal" else row.kind
                ),
            ),
            number("Answered", "answered", words.count),
            number("Prior [90%]", "prior", words.plain),
            number("Posterior [90% interval]", "estimate", words.plain),
        ),
        one.loadings,
        "Correlation of each indicator with the capital: loading times standard deviation of "
        "the capital, over the standard deviation of the indicator. Of a binary or ordinal "
        "indicator it is that of the continuous response behind the answers, whose errors are "
        "logistic (variance π²/3), so such loadings are not those of the answers themselves.",
        before={"capital": one.capital},
    )


def _background(one: Measured) -> View[Coefficient]:
    return View(
        "measurement_background",
        Coefficient,
        f"What else says something of {words.label(one.capital).lower()}",
        (
            Column("Input", "name"),
            Column("Prior", "prior"),
            number("Posterior [90% interval]", "estimate", words.plain),
        ),
        one.background,
        "In standard deviations of the capital among firms alike in all of these. They show "
        "with which firms the capital goes, and are not effects.",
        before={"capital": one.capital},
    )


def _counted(found: list[DepartureRow]) -> list[tuple[str, str]]:
    """Of each kind of departure: what it is called, and how many of how many are flagged."""
    kinds = [(row.measure, row.by) for row in found]
    flagged = Counter((row.measure, row.by) for row in found if row.flagged)
    return [
        (
            f"{KINDS[measure].capitalize()}, by {by}",
            f"{words.count(flagged[measure, by])} of {words.count(many)} flagged",
        )
        for (measure, by), many in Counter(kinds).items()
    ]


def _departing(caption: str, found: list[Departure], folded: str = "") -> View[Departure]:
    largest = sorted(found, key=lambda one: -abs(one.row.estimate.mean))
    return View(
        "measurement_departures",
        DepartureRow,
        caption,
        (
            Column("Indicator", lambda one: one.row.indicator),
            Column("Of", lambda one: words.label(one.capital).lower()),
            Column("Group", lambda one: one.row.group, note=lambda one: one.row.by),
            Column("What departs", lambda one: KINDS[one.row.measure]),
            Column("Firms", lambda one: one.row.rows, words.count, numeric=True),
            number("Size [90% interval]", lambda one: one.row.estimate, words.signed),
            Column(
                "Result",
                lambda one: "✕ flagged" if one.row.flagged else "✓ as expected",
                look=lambda one: "bad" if one.row.flagged else "good",
            ),
        ),
        tuple(largest),
        "Shift: how far the indicator lies above what the capital of the group's firms implies, in "
        "standard deviations of the indicator. Loading: how much steeper it rises per standard "
        "deviation of the capital. Largest first.",
        folded,
    )
