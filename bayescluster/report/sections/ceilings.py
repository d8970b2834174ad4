"""Ceilings: effect sizes, what a compensatory model gives, and bottlenecks."""

from __future__ import annotations

from markupsafe import Markup

from bayescluster.report import words
from bayescluster.report.environment import filled
from bayescluster.report.figures.ceiling_plot import CEILING_HUMAN, CEILING_SOCIAL
from bayescluster.report.figures.needed_plot import NEEDED_LEVELS
from bayescluster.report.sections.record import (
    Cell,
    Section,
    Table,
    columns,
    figures,
    group_cell,
    rows,
)
from bayescluster.results.ceilings import Ceilings, FormCeiling, NeededLevel, NeededRow
from bayescluster.results.model import Results


def body(results: Results) -> Markup:
    """Tables of effect sizes, the figures, then bottlenecks."""
    found = results.ceilings
    assert found is not None
    return filled(
        "ceilings.html.j2",
        results=results,
        found=found,
        tables=tuple(
            table for clusters in (False, True) if (table := _sizes(found, clusters=clusters)).rows
        ),
        figures=figures(results, CEILING_HUMAN, CEILING_SOCIAL, NEEDED_LEVELS),
        bottlenecks=_bottlenecks(found, results),
    )


def _sizes(found: Ceilings, *, clusters: bool) -> Table:
    mine = [row for row in found.rows if (row.by == "cluster") == clusters]
    return Table(
        "Ceiling effect size d",
        columns(
            "Group",
            "Capital",
            "#d of the model",
            f"#P(d at least {found.d_min:g})",
            "#Of it, within reach",
            "#CE-FDH, firms as they are",
            "#CR-FDH",
            "#Compensatory model",
        ),
        rows(
            (
                group_cell(row.by, row.group),
                words.label(row.capital),
                Cell(words.plain(row.estimate), f"prior {words.plain(row.prior)}"),
                Cell(
                    words.probability(row.at_least),
                    f"prior {words.probability(row.prior_at_least)}",
                ),
                words.plain(row.within),
                words.number(row.ce_fdh),
                words.number(row.cr_fdh),
                _null(row),
            )
            for row in mine
        ),
        "" if clusters else _note(found),
        folded="Ceiling effect size by cluster" if clusters else "",
    )


def _null(row: FormCeiling) -> Cell:
    if row.null_p is None or row.null_observed is None or row.null_expected is None:
        return Cell(words.NONE)
    over = f" over {row.null_clusters} clusters" if row.null_clusters else ""
    return Cell(
        f"p {words.probability(row.null_p)}",
        f"observed {row.null_observed:.2f}, expected {row.null_expected:.2f}{over}",
    )


def _note(found: Ceilings) -> str:
    low, high = found.supported
    null = (
        f"Compensatory model: {found.null}; p is how often its replicates ({found.replicates}) give "
        "a CE-FDH effect size as large as that observed, averaged over clusters by firms where any "
        "has 10. "
        if found.null
        else ""
    )
    return (
        f"The ceiling is the largest {found.height} between the quantiles {low:g} and {high:g} of the "
        f"other capital in the group. Scope: the capital, {found.scope}; the outcome from "
        f"{found.outcome_low:g} to {found.outcome_high:g}. {null}From {found.draws} draws of the "
        "posterior, evenly spaced."
    )


def _bottlenecks(found: Ceilings, results: Results) -> tuple[Table, ...]:
    kinds = {row.by for row in found.bottlenecks}
    shown = "industry" if "industry" in kinds else "all"
    by_group: dict[str, list[NeededRow]] = {}
    for row in found.bottlenecks:
        if row.by == shown:
            by_group.setdefault(row.group, []).append(row)
    return tuple(_bottleneck(group, mine, results) for group, mine in by_group.items())


def _bottleneck(group: str, mine: list[NeededRow], results: Results) -> Table:
    capitals = list(dict.fromkeys(row.capital for row in mine))
    by_target: dict[float, list[NeededRow]] = {}
    for row in mine:
        by_target.setdefault(row.target, []).append(row)
    kind = words.unit(results.outcome)
    return Table(
        f"Bottlenecks in {words.panel(group)}",
        columns("#Outcome", *(f"#{words.label(capital)}" for capital in capitals)),
        rows(
            (
                words.number(target * kind.factor) + kind.level,
                *(_needed(next((r for r in found if r.capital == c), None)) for c in capitals),
            )
            for target, found in by_target.items()
        ),
        "Least level of the capital at which the ceiling reaches the outcome: median and 90% "
        "interval in its own unit, in small print as percent of its scope. NN: not needed. NA: not "
        "reachable.",
        folded=f"Bottlenecks in {words.panel(group)}",
    )


def _needed(row: NeededRow | None) -> Cell:
    if row is None:
        return Cell(words.NONE)
    chances = [
        f"P({name}) {words.probability(value)}"
        for name, value in (("NN", row.not_needed), ("NA", row.not_reachable))
        if value > 0
    ]
    percent = _three(row.low_percent, row.median_percent, row.high_percent, 0)
    note = ", ".join([f"{percent} %", *chances])
    return Cell(_three(row.low, row.median, row.high, 2), note)


def _three(low: NeededLevel, median: NeededLevel, high: NeededLevel, places: int) -> str:
    first, middle, last = (
        one if isinstance(one, str) else words.fixed(one, places) for one in (low, median, high)
    )
    return middle if first == middle == last else f"{middle} [{first}, {last}]"


CEILINGS = Section(
    "ceilings",
    "How high the outcome can go",
    "Ceilings",
    body,
    wanted=lambda results: results.ceilings is not None,
)
