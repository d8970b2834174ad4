"""Effects of the capitals by industry, their differences and their ranks."""

from __future__ import annotations

from markupsafe import Markup

from bayescluster.report import words
from bayescluster.report.environment import filled
from bayescluster.report.figures.forest_plot import HUMAN_CAPITAL, SOCIAL_CAPITAL
from bayescluster.report.sections.record import (
    Cell,
    Section,
    Table,
    columns,
    figures,
    group_cell,
    rows,
)
from bayescluster.results.model import (
    EffectRow,
    Results,
)

ALONE = "#Industry alone: population part only, normal approximation [90% interval]"


def body(results: Results) -> Markup:
    """Forests, then tables of effects, differences and ranks."""
    return filled(
        "effects.html.j2",
        results=results,
        figures=figures(results, HUMAN_CAPITAL, SOCIAL_CAPITAL),
        tables=(*_effects(results), *_differences(results), *_ranks(results)),
        scopes=_scopes(results),
    )


def _scopes(results: Results) -> str:
    found = dict.fromkeys(row.scope for row in results.effects)
    return "; ".join(words.SCOPES.get(scope, scope) for scope in found)


def _effects(results: Results) -> list[Table]:
    """One table for each capital and measure; those of the clusters last, folded away."""
    kinds = dict.fromkeys((row.capital, row.measure) for row in results.effects)
    tables = []
    for clusters in (False, True):
        for capital, measure in kinds:
            some = [
                row
                for row in results.effects
                if (row.capital, row.measure) == (capital, measure)
                and (row.by == "cluster") == clusters
            ]
            if some:
                tables.append(_table(some, results, clusters=clusters))
    return tables


def _table(some: list[EffectRow], results: Results, *, clusters: bool) -> Table:
    first = some[0]
    what = f"{words.MEASURES[first.measure]}: {words.label(first.capital).lower()}"
    if first.measure == "average_marginal_effect":
        what += f", change {words.step(results, first.capital)}"
    heads = ["Group", "#n", "#Effect [90% interval]", "#P(above 0)"]
    alone = any(row.unpooled for row in some)
    if alone:
        heads.append(ALONE)
    return Table(
        f"{what}, {words.unit(results.outcome).name}",
        columns(*heads),
        rows(_row(row, results, alone=alone) for row in some),
        words.ALONE if alone else "",
        folded=f"{what}, by cluster" if clusters else "",
    )


def _row(row: EffectRow, results: Results, *, alone: bool) -> list[str | Cell]:
    cells: list[str | Cell] = [
        group_cell(row.by, row.group),
        words.count(row.rows),
        words.effect(row.estimate, results.outcome),
        words.probability(row.positive),
    ]
    if alone:
        found = row.unpooled
        cells.append(words.effect(found, results.outcome) if found else words.NONE)
    return cells


def _differences(results: Results) -> list[Table]:
    return [
        Table(
            f"Differences between industries in the average marginal effect of "
            f"{words.label(capital).lower()}",
            columns("Effect in", "less effect in", "#Difference [90% interval]", "#P(above 0)"),
            rows(
                (
                    row.first,
                    row.second,
                    words.effect(row.estimate, results.outcome),
                    words.probability(row.positive),
                )
                for row in results.differences
                if row.capital == capital
            ),
        )
        for capital in dict.fromkeys(row.capital for row in results.differences)
    ]


def _ranks(results: Results) -> list[Table]:
    tables = []
    for capital in dict.fromkeys(row.capital for row in results.ranks):
        some = [row for row in results.ranks if row.capital == capital]
        if len(some) < 2:  # a rank among one says nothing
            continue
        places = max(len(row.probabilities) for row in some)
        heads = ["#P(largest)", *(f"#P(rank {k})" for k in range(2, places + 1))]
        tables.append(
            Table(
                f"Where the effect of {words.label(capital).lower()} is largest",
                columns("Industry", *heads),
                rows(
                    (row.group, *(words.probability(share) for share in row.probabilities))
                    for row in some
                ),
                "Probability of each rank among the industries; 1 is the largest effect.",
            )
        )
    return tables


EFFECTS = Section("effects", "Effects by industry", "Effects", body)
