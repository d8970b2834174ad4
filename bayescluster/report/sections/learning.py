"""Interactive learning: which form an outcome goes with, and what of a capital acts through it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from markupsafe import Markup

from bayescluster.report import words
from bayescluster.report.environment import filled
from bayescluster.report.figures.learning_plot import LEARNING_MATRIX
from bayescluster.report.sections.learning_confounded import bias_words, confounded
from bayescluster.report.sections.learning_paths import effect_cell, on_forms, paths, through
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
)
from bayescluster.results.model import (
    Results,
)
from bayescluster.results.sample import OutcomeFacts

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
        forms=on_forms(results, learning),
        blocks=tuple(_block(results, learning, name) for name in learning.outcomes),
        limit=bias_words(learning.limit, results.outcome),
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
            *paths(learning, name, outcome),
            *through(learning, name, outcome),
        ),
        tuple(confounded(learning, name, outcome)),
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
            (
                group_cell(by, group),
                *(effect_cell(found[by, group, form], outcome) for form in forms),
            )
            for by, group in groups_in(matrix)
        ),
        "Change of the expected outcome with each form, averaged over the firms of the group; the "
        "other forms and the capitals as observed.",
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


LEARNING = Section(
    "learning",
    "Interactive learning",
    "Learning",
    body,
    wanted=lambda results: results.learning is not None,
)
