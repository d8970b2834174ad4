"""How latent capitals are measured: a part of the section on the sample."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from markupsafe import Markup

from bayescluster.kit import words
from bayescluster.kit.page import filled
from bayescluster.kit.sections import columns, rows
from bayescluster.kit.table import Cell, Table
from bayescluster.results.facts import DepartureRow, Loading, Measured
from bayescluster.results.model import Results

KINDS = {"shift": "intercept (shift)", "loading": "loading (difference)"}


class _Shown(NamedTuple):
    """A latent capital as it is shown."""

    name: str
    reliability: str
    reliability_prior: str
    loadings: Table
    background: Table


def measurement(results: Results) -> Markup:
    """Loadings, reliability, background and invariance; nothing where no capital is latent."""
    found = results.measurement
    if found is None:
        return Markup("")
    departures = [(one.capital, row) for one in found.capitals for row in one.departures]
    return filled(
        "measurement.html.j2",
        found=found,
        capitals=[_shown(one) for one in found.capitals],
        correlation=words.plain(found.correlation),
        scores=words.number(results.sample.capital_correlation, 0.05),
        counted=_counted([row for _, row in departures]),
        departures=_departures(
            "Indicators that lie off", [pair for pair in departures if pair[1].flagged]
        ),
        everything=_departures(
            "Departures of every indicator",
            departures,
            folded=f"All {words.count(len(departures))} departures",
        ),
        least=", ".join(f"{size:g} sd by {by}" for by, size in found.shift_least.items()),
        loading_least=f"{found.loading_least:g}",
    )


def _shown(one: Measured) -> _Shown:
    name = words.label(one.capital)
    return _Shown(
        name,
        words.plain(one.reliability),
        words.plain(one.reliability_prior),
        Table(
            f"Standardised loadings of {name.lower()}",
            columns("Indicator", "Kind", "#Answered", "#Prior [90%]", "#Posterior [90% interval]"),
            rows(_loading(row) for row in one.loadings),
            "Correlation of each indicator with the capital: loading times standard deviation of "
            "the capital, over the standard deviation of the indicator. Of a binary or ordinal "
            "indicator it is that of the continuous response behind the answers, whose errors are "
            "logistic (variance π²/3), so such loadings are not those of the answers themselves.",
        ),
        Table(
            f"What else says something of {name.lower()}",
            columns("Input", "Prior", "#Posterior [90% interval]"),
            rows((row.name, row.prior, words.plain(row.estimate)) for row in one.background),
            "In standard deviations of the capital among firms alike in all of these. They show "
            "with which firms the capital goes, and are not effects.",
        ),
    )


def _loading(row: Loading) -> Iterator[str]:
    yield row.indicator
    yield f"{row.kind}, {row.levels} levels" if row.kind == "ordinal" else row.kind
    yield words.count(row.answered)
    yield words.plain(row.prior)
    yield words.plain(row.estimate)


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


def _departures(caption: str, found: list[tuple[str, DepartureRow]], folded: str = "") -> Table:
    largest = sorted(found, key=lambda pair: -abs(pair[1].estimate.mean))
    return Table(
        caption,
        columns(
            "Indicator", "Of", "Group", "What departs", "#Firms", "#Size [90% interval]", "Result"
        ),
        rows(_departure(capital, row) for capital, row in largest),
        "Shift: how far the indicator lies above what the capital of the group's firms implies, in "
        "standard deviations of the indicator. Loading: how much steeper it rises per standard "
        "deviation of the capital. Largest first.",
        folded=folded,
    )


def _departure(capital: str, row: DepartureRow) -> Iterator[Cell]:
    yield Cell(row.indicator)
    yield Cell(words.label(capital).lower())
    yield Cell(row.group, row.by)
    yield Cell(KINDS[row.measure])
    yield Cell(words.count(row.rows))
    yield Cell(words.signed(row.estimate))
    yield Cell("✕ flagged", look="bad") if row.flagged else Cell("✓ as expected", look="good")
