"""Set theory as tables on a terminal, in the words that its users know."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Final

from bayescluster.cli.guard import say
from bayescluster.errors import ConfigError, Problem
from bayescluster.features.sets.results import PlainSets, Relation, SetMeasure

WORDS: Final[dict[Relation, dict[str, str]]] = {
    "necessity": {"consistency": "inclN", "RoN": "RoN", "coverage": "covN"},
    "sufficiency": {"consistency": "inclS", "PRI": "PRI", "coverage": "covS"},
}
"""Measures as the field writes them."""
KINDS: Final = {
    "complex": "Complex solution",
    "parsimonious": "Parsimonious solution",
    "intermediate": "Intermediate solution",
}


def anchors_of(texts: Iterable[str]) -> dict[str, tuple[float, ...]]:
    """Read ``"NAME: EXCLUSION CROSSOVER INCLUSION"``.

    Raises
    ------
    ConfigError
        With every text that cannot be read.
    """
    found: dict[str, tuple[float, ...]] = {}
    problems = []
    for text in texts:
        name, _, rest = text.rpartition(":")
        try:
            anchors = tuple(float(part) for part in rest.replace(",", " ").split())
        except ValueError:
            anchors = ()
        if not name.strip() or len(anchors) != 3:
            problems.append(
                Problem(
                    f"'{text}' is no calibration",
                    "--calibrate",
                    'write "NAME: EXCLUSION CROSSOVER INCLUSION", for example "DEV: 400 550 900"',
                )
            )
        found[name.strip()] = anchors
    if problems:
        raise ConfigError(problems)
    return found


def print_warnings(found: PlainSets) -> None:
    """Write warnings to stderr, so that they never stand among results."""
    for warning in found.warnings:
        sys.stderr.write(f"Warning: {warning}.\n")


def print_sets(found: PlainSets) -> None:
    """Print measures, truth table, solutions and combinations."""
    say(f"{found.table}: {found.cases} cases, outcome {found.outcome}")
    groups = list(dict.fromkeys((one.by, one.group) for one in found.measures))
    for by, group in groups:
        where = "" if by == "all" else f", {by} {group}"
        for relation in WORDS:
            mine = [one for one in found.measures if (one.by, one.group) == (by, group)]
            _print_measures(mine, relation, where)
    _print_spreads(found)
    _print_truth_table(found)
    _print_solutions(found)
    _print_combinations(found)


def _print_measures(measures: Sequence[SetMeasure], relation: Relation, where: str) -> None:
    names = WORDS[relation]
    by_expression: dict[str, dict[str, float | None]] = {}
    for one in measures:
        if one.relation == relation:
            by_expression.setdefault(one.expression, {})[one.measure] = one.observed
    _table(
        f"{relation.capitalize()}{where}",
        ("", *names.values()),
        [(name, *(_three(values[key]) for key in names)) for name, values in by_expression.items()],
    )


def _print_spreads(found: PlainSets) -> None:
    if found.spreads:
        _table(
            f"Consistency by {found.spreads[0].of}: pooled, and between groups",
            ("", "", "pooled", "smallest", "largest", "dBP"),
            [
                (one.expression, one.relation, _three(one.pooled), _three(one.smallest))
                + (_three(one.largest), _three(one.distance))
                for one in found.spreads
            ],
        )


def _print_truth_table(found: PlainSets) -> None:
    _table(
        f"Truth table (n at least {found.case_cut}, inclS at least {found.inclusion_cut:g}"
        + (f", PRI at least {found.pri_cut:g})" if found.pri_cut else ")"),
        ("", "OUT", "n", "inclS", "PRI", "cases"),
        [
            (
                row.configuration,
                row.outcome,
                str(row.cases),
                _three(row.consistency),
                _three(row.pri),
            )
            + (", ".join(row.firms) + (", ..." if row.cases > len(row.firms) else ""),)
            for row in found.truth_table
            if row.cases
        ],
    )
    empty = sum(not row.cases for row in found.truth_table)
    if empty:
        say(f"  {empty} of {len(found.truth_table)} configurations have no case.")


def _print_solutions(found: PlainSets) -> None:
    if not found.solutions:
        say("\nNo configuration is coded 1: there is no solution.")
    for kind, title in KINDS.items():
        mine = [one for one in found.solutions if one.kind == kind]
        for number in dict.fromkeys(one.solution for one in mine):
            terms = [one for one in mine if one.solution == number]
            tied = terms[0].tied
            _table(
                title + (f" {number} of {tied}, which are tied" if tied > 1 else ""),
                ("", "inclS", "PRI", "covS", "covU", "n"),
                [
                    ("whole solution" if one.whole else one.term, _three(one.consistency))
                    + (_three(one.pri), _three(one.coverage), _three(one.unique_coverage))
                    + (str(one.cases),)
                    for one in terms
                ],
            )


def _print_combinations(found: PlainSets) -> None:
    for relation, names in WORDS.items():
        mine = [one for one in found.combinations if one.relation == relation]
        if mine:
            _table(
                f"Combinations that pass for {relation}",
                ("", *names.values()),
                [
                    (one.expression, _three(one.consistency))
                    + (_three(one.relevance if relation == "necessity" else one.pri),)
                    + (_three(one.coverage),)
                    for one in mine
                ],
            )


def _table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print columns aligned: text to the left, numbers to the right."""
    if not rows:
        return
    widths = [max(len(row[k]) for row in (head, *rows)) for k in range(len(head))]
    say(f"\n{title}")
    for row in (head, *rows):
        cells = [
            cell.ljust(width) if k == 0 or head[k] in ("", "cases") else cell.rjust(width)
            for k, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        say(("  " + "  ".join(cells)).rstrip())


def _three(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
