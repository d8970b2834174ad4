"""Interactive learning: which form an outcome goes with, and what of a capital acts through it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from markupsafe import Markup

from bayescluster.report import words
from bayescluster.report.environment import filled
from bayescluster.report.figures.learning_plot import LEARNING_MATRIX
from bayescluster.report.sections.record import (
    Cell,
    Section,
    Table,
    columns,
    figures,
    group_cell,
    groups_in,
    rows,
)
from bayescluster.results.learning import (
    Learning,
    MatrixRow,
    PathRow,
    TippingRow,
)
from bayescluster.results.model import (
    Results,
)
from bayescluster.results.sample import OutcomeFacts

CAPITALS = ("human_capital", "social_capital")
PATHS: tuple[Literal["total", "direct", "indirect"], ...] = ("total", "direct", "indirect")
WAYS = {
    "means": "by their means, exactly, since all is linear",
    "combinations": "over all combinations of yes and no, exactly",
    "draws": "by one random draw a firm and posterior draw",
}


class Block(NamedTuple):
    """What is told of one outcome."""

    equation: str
    outcome: OutcomeFacts
    way: str
    tables: tuple[Table, ...]
    sensitivity: tuple[Table, ...]


def body(results: Results) -> Markup:
    """Assumptions, the matrix, paths, and sensitivity, outcome by outcome."""
    learning = results.learning
    assert learning is not None
    return filled(
        "learning.html.j2",
        results=results,
        learning=learning,
        edges=_edges(learning),
        figures=figures(results, LEARNING_MATRIX),
        forms=_on_forms(results, learning),
        blocks=tuple(_block(results, learning, name) for name in learning.outcomes),
        limit=_bias(learning.limit, results.outcome),
    )


def _edges(learning: Learning) -> str:
    """What is taken to bring about what among the forms of learning themselves."""
    among = [f"{a} brings about {b}" for a, b in learning.edges if b in learning.forms]
    return "; ".join(among)


def _block(results: Results, learning: Learning, name: str) -> Block:
    outcome = words.outcome_of(results, name)
    matrix = [row for row in learning.matrix if row.equation == name]
    return Block(
        name,
        outcome,
        WAYS[learning.ways[name]],
        (
            _matrix(matrix, outcome),
            *(_dominant(matrix, outcome, learning) if len(_forms(matrix)) > 1 else ()),
            *_paths(learning, name, outcome),
            *_through(learning, name, outcome),
        ),
        tuple(_sensitivity(learning, name, outcome)),
    )


def _forms(matrix: Iterable[MatrixRow]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(row.form for row in matrix))


def _matrix(matrix: list[MatrixRow], outcome: OutcomeFacts) -> Table:
    forms = _forms(matrix)
    found = {(row.by, row.group, row.form): row for row in matrix}
    binary = {row.form: row.binary for row in matrix}
    heads = [f"#{form}, {'no to yes' if binary[form] else 'per sd'}" for form in forms]
    return Table(
        f"Form of learning and {outcome.column}, {words.unit(outcome).name}",
        columns("Group", *heads),
        rows(
            (group_cell(by, group), *(_form(found[by, group, form], outcome) for form in forms))
            for by, group in groups_in(matrix)
        ),
        "Change of the expected outcome with each form, averaged over the firms of the group; the "
        "other forms and the capitals as observed.",
    )


def _form(row: MatrixRow, outcome: OutcomeFacts) -> Cell:
    return Cell(
        words.effect(row.estimate, outcome), f"P(above 0) {words.probability(row.positive)}"
    )


def _dominant(
    matrix: list[MatrixRow], outcome: OutcomeFacts, learning: Learning
) -> tuple[Table, ...]:
    forms = _forms(matrix)
    found = {(row.by, row.group, row.form): row for row in matrix}
    first = Table(
        f"Which form dominates for {outcome.column}: probability that its effect is the largest",
        columns("Group", *(f"#{form}" for form in forms)),
        rows(
            (
                group_cell(by, group),
                *(
                    Cell(
                        words.probability(found[by, group, form].ranks[0]),
                        words.effect(found[by, group, form].standardised, outcome),
                    )
                    for form in forms
                ),
            )
            for by, group in groups_in(matrix)
        ),
        "Below each probability, the standardised effect: change of the expected outcome per standard "
        "deviation of the form among the firms of the group. Forms that few or nearly all firms have "
        "vary little, and so have small standardised effects.",
    )
    pairs = [row for row in learning.dominance if row.equation == matrix[0].equation]
    second = Table(
        f"Does another form dominate for {outcome.column}?",
        columns("Between", "and", "#P(another form)", "#MCSE"),
        rows(
            (row.first, row.second, words.probability(row.probability), words.error(row.mcse))
            for row in pairs
        ),
        f"Were {len(forms)} forms not told apart, nor industries pooled, it would be "
        f"{words.probability(1 - 1 / len(forms))}; pooling lowers it. Neither a value near that nor "
        "one near 0.5 says that industries differ.",
    )
    return (first, second) if pairs else (first,)


def _paths(learning: Learning, name: str, outcome: OutcomeFacts) -> Iterable[Table]:
    for capital in CAPITALS:
        some = [r for r in learning.paths if (r.equation, r.capital) == (name, capital)]
        found = {(row.by, row.group, row.path): row for row in some if row.path != "through"}
        shares = {
            (row.by, row.group): row
            for row in learning.mediated
            if (row.equation, row.capital) == (name, capital)
        }
        if not found:
            continue
        yield Table(
            f"{words.label(capital)} and {outcome.column}, low to high: what acts through learning, "
            f"{words.unit(outcome).name}",
            columns("Group", "#Total", "#Direct", "#Through learning", "#Share through learning"),
            rows(
                (
                    group_cell(by, group),
                    *(_path(found[by, group, path], outcome) for path in PATHS),
                    _share(shares.get((by, group))),
                )
                for by, group in groups_in(some)
            ),
            "Total = direct + through learning. The share is the median of their ratio, told only "
            "where the interval of the total effect excludes 0.",
        )


def _path(row: PathRow, outcome: OutcomeFacts) -> Cell:
    return Cell(
        words.effect(row.estimate, outcome), f"P(above 0) {words.probability(row.positive)}"
    )


def _share(row: object) -> str:
    median, low, high = (getattr(row, name, None) for name in ("median", "low", "high"))
    if median is None or low is None or high is None:
        return words.NONE
    low, median, high = (words.fixed(100 * value, 0) for value in (low, median, high))
    return f"{median}% [{low}, {high}]"


def _through(learning: Learning, name: str, outcome: OutcomeFacts) -> Iterable[Table]:
    for capital in CAPITALS:
        some = [
            row
            for row in learning.paths
            if (row.equation, row.capital, row.path) == (name, capital, "through")
        ]
        names = list(dict.fromkeys(row.through for row in some))
        if len(names) < 2:
            continue
        found = {(row.by, row.group, row.through): row for row in some}
        yield Table(
            f"{words.label(capital)} and {outcome.column}, low to high: through each form alone, "
            f"{words.unit(outcome).name}",
            columns("Group", *(f"#{form}" for form in names)),
            rows(
                (group_cell(by, group), *(_path(found[by, group, form], outcome) for form in names))
                for by, group in groups_in(some)
            ),
            "The capital is raised for this form alone; the others stay distributed as under its low "
            "level. These effects need not add up to what acts through learning in all.",
            folded=f"{words.label(capital)} through each form alone: {outcome.column}",
        )


def _on_forms(results: Results, learning: Learning) -> tuple[Table, ...]:
    """Effects of the capitals on the forms, one table a capital."""
    tables = []
    for capital in CAPITALS:
        some = [
            row
            for row in learning.paths
            if row.equation in learning.forms and (row.capital, row.path) == (capital, "total")
        ]
        found = {(row.by, row.group, row.equation): row for row in some}
        if not found:
            continue
        heads = [f"#{form}" for form in learning.forms]
        tables.append(
            Table(
                f"{words.label(capital)} and each form of learning, low to high",
                columns("Group", *heads),
                rows(
                    (
                        group_cell(by, group),
                        *(
                            _path(found[by, group, form], words.outcome_of(results, form))
                            for form in learning.forms
                        ),
                    )
                    for by, group in groups_in(some)
                ),
            )
        )
    return tuple(tables)


def _sensitivity(learning: Learning, name: str, outcome: OutcomeFacts) -> Iterable[Table]:
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
        heads = [f"#b = {_bias(bias, outcome)}" for bias in biases]
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
        words.NONE if value is None else _bias(value, outcome)
        for value in (row.mean_at, row.interval_at)
    )
    return mean, end


def _bias(value: float, outcome: OutcomeFacts) -> str:
    kind = words.unit(outcome)
    scaled = value * kind.factor
    return f"{words.fixed(scaled, 1 if kind.factor > 1 else 2)}{kind.effect}"


LEARNING = Section(
    "learning",
    "Interactive learning",
    "Learning",
    body,
    wanted=lambda results: results.learning is not None,
)
