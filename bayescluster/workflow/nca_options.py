"""Options of a necessary condition analysis, checked all at once."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple, cast

from bayescluster.errors import ConfigError, Problem
from bayescluster.hypotheses.ceilings.bottleneck import BOTTLENECKS
from bayescluster.hypotheses.ceilings.describe import Asked
from bayescluster.hypotheses.ceilings.observed import CEILINGS, DUPLICATE_PEERS
from bayescluster.hypotheses.ceilings.scope import CORNERS, Scope
from bayescluster.lookup import suggestion
from bayescluster.results.necessity import (
    BottleneckKind,
    CeilingName,
    CornerName,
    DuplicatePeers,
)

SIDES = ("xmin", "xmax", "ymin", "ymax")


class Options(NamedTuple):
    """Options as the command line gives them.

    Attributes
    ----------
    table
        Path of the table.
    conditions, outcome
        Columns of the conditions and of the outcome.
    group, names
        Columns of the group and of the name of a case; none for no groups, and for the first
        column of text that tells the rows apart.
    ceilings, corner, bottleneck, duplicate_peers
        Names as in the tables of the same name.
    scope
        None, one for all conditions, or one a condition: ``xmin xmax ymin ymax``.
    steps, permutations, seed
        Steps of the bottleneck table, number of permutations (0 for no test), and their seed.
    missing_values, sheet
        Codes that mean "no answer"; sheet of an xlsx file.
    """

    table: str
    conditions: tuple[str, ...]
    outcome: str
    group: str | None = None
    names: str | None = None
    ceilings: tuple[str, ...] = ("ce_fdh", "cr_fdh")
    corner: str = "upper_left"
    bottleneck: str = "percentage_range"
    duplicate_peers: str = "unique"
    scope: tuple[str, ...] = ()
    steps: int = 10
    permutations: int = 10_000
    seed: int = 1
    missing_values: tuple[str, ...] = ()
    sheet: str | None = None


class Question(NamedTuple):
    """Options that hold together.

    Attributes
    ----------
    scopes
        Declared scope by condition; empty where the range of the cases is taken.
    asked
        What is asked of every condition.
    """

    conditions: tuple[str, ...]
    outcome: str
    group: str | None
    names: str | None
    scopes: dict[str, Scope]
    asked: Asked
    seed: int


def question_of(options: Options) -> Question:
    """Check options.

    Raises
    ------
    ConfigError
        With every fault.
    """
    ceilings = tuple(dict.fromkeys(_plain(name) for name in options.ceilings))
    problems = [*_unknown(options, ceilings), *_columns(options), *_of_scopes(options)]
    if problems:
        raise ConfigError(problems)
    declared = [Scope(*_numbers(text)) for text in options.scope]
    if len(declared) == 1:
        declared *= len(options.conditions)
    return Question(
        options.conditions,
        options.outcome,
        options.group,
        options.names,
        dict(zip(options.conditions, declared, strict=False)),
        Asked(
            cast("tuple[CeilingName, ...]", ceilings),
            cast(CornerName, _plain(options.corner)),
            cast(BottleneckKind, _plain(options.bottleneck)),
            options.steps,
            options.permutations,
            cast(DuplicatePeers, _plain(options.duplicate_peers)),
        ),
        options.seed,
    )


def _plain(name: str) -> str:
    """Spelling of a name in the tables: CE-FDH is ce_fdh."""
    return name.strip().lower().replace("-", "_").replace(" ", "_")


def _unknown(options: Options, ceilings: Sequence[str]) -> Iterator[Problem]:
    chosen: tuple[tuple[str, str, tuple[str, ...]], ...] = (
        *(("ceiling", name, CEILINGS) for name in ceilings),
        ("corner", _plain(options.corner), CORNERS),
        ("bottleneck", _plain(options.bottleneck), BOTTLENECKS),
        ("duplicate-peers", _plain(options.duplicate_peers), DUPLICATE_PEERS),
    )
    for option, name, known in chosen:
        if name not in known:
            yield Problem(
                f"unknown {option.replace('-', ' ')} '{name}'",
                f"--{option}",
                suggestion(name, known),
            )


def _columns(options: Options) -> Iterator[Problem]:
    for name in sorted({n for n in options.conditions if options.conditions.count(n) > 1}):
        yield Problem(f"the condition '{name}' is given twice", "--x", "leave one out")
    if options.outcome in options.conditions:
        yield Problem(
            f"'{options.outcome}' is a condition and the outcome",
            "--y",
            "name the outcome, which is none of the conditions",
        )


def _of_scopes(options: Options) -> Iterator[Problem]:
    if len(options.scope) not in (0, 1, len(options.conditions)):
        yield Problem(
            f"{len(options.scope)} scopes for {len(options.conditions)} conditions",
            "--scope",
            "give one for all conditions, or one for each in their order",
        )
    for text in options.scope:
        if fault := _scope_fault(text):
            yield Problem(
                f"'{text}' is no scope: {fault}",
                "--scope",
                'write it as "xmin xmax ymin ymax", for example "0 100 0 250"',
            )


def _scope_fault(text: str) -> str:
    try:
        found = _numbers(text)
    except ValueError:
        return "not all of it are numbers"
    if len(found) != len(SIDES):
        return f"{len(found)} numbers instead of {len(SIDES)}"
    if not all(map(math.isfinite, found)):
        return "its numbers must be finite"
    for axis, (low, high) in {"x": found[:2], "y": found[2:]}.items():
        if low >= high:
            return f"{axis}min {low:g} is not below {axis}max {high:g}"
    return ""


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(float(part) for part in text.replace(",", " ").split())
