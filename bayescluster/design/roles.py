"""One column, one role: overlaps of roles that would make the answer circular.

An outcome explains itself where it, or a column computed from it, is also an indicator, a control, an
exposure or a weight. An indicator cannot be held fixed while its capital is moved, so that it is no
control either. Derived columns are followed back to the columns they are computed from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import permutations
from typing import Final

from bayescluster import names
from bayescluster.errors import Problem
from bayescluster.families import FAMILIES
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.columns import NeededColumn, Where, needed_columns
from bayescluster.spec.data import ArithmeticColumn, Derivation, GroupMeanColumn, LagColumn

RESERVED = frozenset(
    {
        *(names.CHAIN, names.DRAW, names.ROW, names.TERM, names.CONTROL, names.CAPITAL),
        *(names.MONOTONIC, names.STEP),
        *(names.CUTPOINT, names.LEVEL, names.POPULATION, names.CONTROLS, names.CUTPOINTS),
        *(names.ALL, names.INDUSTRY, names.CLUSTER, names.group_dim(names.FIRM)),
        *(*names.CAPITALS, names.INTERCEPT, names.INTERACTION),
        *(names.R2, names.VARIANCE_SHARE, names.COMPONENT),
        *(p.name for family in FAMILIES.values() for p in family.parameters),
    }
)
"""Names that the model or its results use for something else."""

RESERVED_COLUMNS = RESERVED | {
    *(names.OUTCOME, names.OFFSET, names.TRIALS, names.STANDARD_ERROR, names.FIRM_CODE),
    *(names.ROW_WEIGHT, names.CLUSTER_WEIGHT, names.AVERAGING_WEIGHT),
    *(names.CONTROL_BASE, names.CONTROL_CAPITAL, names.CENTER, names.SCALE),
    *(names.MONOTONIC_CODE, names.STEP_CONTROL, names.SET_CONDITION, names.SET_CONDITIONS),
}
"""Columns that no effect can vary by: the design has an array of that name."""

INDICATOR: Final = "indicator of "
GROUPS: Final = ("firm", "cluster", "industry", "moderator", "grouping")
QUANTITIES: Final = ("trials", "exposure", "standard error")
"""Known quantities of a row, which belong to the outcome of their equation."""
WITH_OUTCOME: Final = ("control", "condition", "weight", "cluster weight", *QUANTITIES, *GROUPS)
"""Roles that an outcome, or what is computed from it, cannot have."""
WITH_INDICATOR: Final = ("control", *QUANTITIES, *GROUPS)
"""Roles that an indicator cannot have."""


def sources_of(derivation: Derivation) -> tuple[str, ...]:
    """Columns that a derived column is computed from."""
    match derivation:
        case LagColumn():
            # what was answered earlier is another quantity
            return ()
        case ArithmeticColumn(kind="ratio", of=of):
            # amounts by the same denominator are not the same amount
            return of[:1]
        case GroupMeanColumn(leave_out_own=True):
            return ()
    return (derivation.of,) if isinstance(derivation.of, str) else derivation.of


def role_problems(analysis: Analysis, where: Where) -> Iterator[Problem]:
    """Every column of an analysis that has two roles of which only one can be."""
    derived = {item.name: item for item in analysis.data.derive}
    needed = [item for item in needed_columns(analysis) if item.path]
    for one, other in permutations(needed, 2):
        yield from _overlap(one, other, derived, where)


def _overlap(
    fixed: NeededColumn, other: NeededColumn, derived: Mapping[str, Derivation], where: Where
) -> Iterator[Problem]:
    """What is wrong with ``other`` because of the role of ``fixed``."""
    if fixed.role == "outcome" and _refused_by_outcome(fixed, other):
        shared = _shared(fixed.column, other.column, derived, both=_is_indicator(other))
        if shared is not None:
            yield Problem(
                f"'{other.column}' is the outcome, and {_article(other.role)}{other.role}"
                if fixed.column == other.column
                else f"the outcome '{fixed.column}' and the {other.role} '{other.column}' both come "
                f"from '{shared}'",
                where(other.path),
                "the outcome would explain itself: give the column one role only",
            )
    if not _is_indicator(fixed):
        return
    name = fixed.role.removeprefix(INDICATOR)
    if other.role in WITH_INDICATOR and not _is_contextual(other, derived):
        shared = _shared(fixed.column, other.column, derived, both=False)
        if shared is not None:
            own = "" if fixed.column == other.column else f"computed from '{shared}', "
            yield Problem(
                f"the {other.role} '{other.column}' is {own}an indicator of {name}: "
                "it cannot stay as it is while the capital changes",
                where(other.path),
                f"leave it out of the {_plural(other.role)}, or out of the construct",
            )
    elif _is_indicator(other) and fixed.role < other.role and fixed.column == other.column:
        yield Problem(
            f"'{other.column}' is an indicator of both capitals: they cannot be told apart by it",
            where(other.path),
            "leave it out of one of them",
        )


def _is_contextual(item: NeededColumn, derived: Mapping[str, Derivation]) -> bool:
    """Whether a control is the mean of a group, which stays as it is when one firm changes."""
    return isinstance(derived.get(item.column), GroupMeanColumn)


def _article(role: str) -> str:
    return "" if role == "trials" else "an " if role[0] in "aeiou" else "a "


def _plural(role: str) -> str:
    return role if role == "trials" else f"{role}s"


def _refused_by_outcome(outcome: NeededColumn, other: NeededColumn) -> bool:
    if outcome.path == other.path:
        return False
    if _is_indicator(other) or other.role in ("weight", "cluster weight", "condition", *GROUPS[:4]):
        return True
    # what belongs to another equation may well be the outcome of this one
    return other.role in WITH_OUTCOME and outcome.path[:2] == other.path[:2]


def _is_indicator(item: NeededColumn) -> bool:
    return item.role.startswith(INDICATOR)


def _shared(one: str, other: str, derived: Mapping[str, Derivation], *, both: bool) -> str | None:
    """A column that both hold the values of, or that ``other`` is computed from; None if there is none.

    ``one`` is followed back as long as it is computed from one column; with ``both`` through all.
    A ratio may be explained by what it is a ratio of: its control is no circle.
    """
    origins = _origins(one, derived, through_all=both)
    return next(
        (name for name in _origins(other, derived, through_all=True) if name in origins), None
    )


def _origins(column: str, derived: Mapping[str, Derivation], *, through_all: bool) -> list[str]:
    found = [column]
    for name in found:
        item = derived.get(name)
        sources = () if item is None else sources_of(item)
        if through_all or len(sources) == 1:
            found += [source for source in sources if source not in found]
    return found
