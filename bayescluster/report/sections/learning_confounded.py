"""What effects through learning and beside it would be if a confounder stood behind them."""

from __future__ import annotations

from collections.abc import Iterable

from bayescluster.names import CAPITALS
from bayescluster.report import words
from bayescluster.report.sections.record import Table, columns, group_cell, groups_in, rows
from bayescluster.results.learning import Learning, TippingRow
from bayescluster.results.sample import OutcomeFacts


def confounded(learning: Learning, name: str, outcome: OutcomeFacts) -> Iterable[Table]:
    """Effects of each capital on an outcome at each bias: through learning, then direct."""
    for capital in CAPITALS:
        some = [r for r in learning.sensitivity if (r.equation, r.capital) == (name, capital)]
        if not some:
            continue
        found = {(row.by, row.group, row.bias): row for row in some}
        tipping = {
            (row.by, row.group): row
            for row in learning.tipping
            if (row.equation, row.capital) == (name, capital)
        }
        biases = list(dict.fromkeys(row.bias for row in some))
        heads = [f"#b = {bias_words(b, outcome)}" for b in biases]
        what = f"{words.label(capital).lower()} and {outcome.column}, {words.unit(outcome).name}"
        yield Table(
            f"Effect through learning if a confounder added b: {what}",
            columns("Group", *heads, "#Mean is 0 at b =", "#Interval reaches 0 at b ="),
            rows(
                (
                    group_cell(by, group),
                    *(words.effect(found[by, group, b].indirect, outcome) for b in biases),
                    *_tipping(tipping[by, group], outcome),
                )
                for by, group in groups_in(some)
            ),
        )
        yield Table(
            f"Direct effect if a confounder added b: {what}",
            columns("Group", *heads),
            rows(
                (
                    group_cell(by, group),
                    *(words.effect(found[by, group, b].direct, outcome) for b in biases),
                )
                for by, group in groups_in(some)
            ),
            folded=f"Direct effects if a confounder added b: {what}",
        )


def _tipping(row: TippingRow, outcome: OutcomeFacts) -> tuple[str, str]:
    mean, end = (
        words.NONE if value is None else bias_words(value, outcome)
        for value in (row.mean_at, row.interval_at)
    )
    return mean, end


def bias_words(value: float, outcome: OutcomeFacts) -> str:
    """Write a bias in the unit of effects on the outcome."""
    kind = words.unit(outcome)
    scaled = value * kind.factor
    return f"{words.fixed(scaled, 1 if kind.factor > 1 else 2)}{kind.effect}"
