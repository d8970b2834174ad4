"""Which columns of the data an analysis names, in what role, and where it names them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from bayescluster.names import ALL, WITHIN
from bayescluster.spec.equation import ColumnControl, ProductControl

if TYPE_CHECKING:
    from bayescluster.spec.analysis import Analysis
    from bayescluster.spec.hypotheses import Hypothesis

Where = Callable[[Sequence[str | int]], str]
"""Place of a value in the analysis file, for messages."""


class NeededColumn(NamedTuple):
    """A column the analysis names.

    ``path`` leads to the place in the analysis file; ``optional`` columns may have missing values
    of their own (indicators where ``minimum_answered`` allows it, and all that can be imputed).
    """

    column: str
    role: str
    path: tuple[str | int, ...]
    optional: bool = False
    minimum: int | None = None
    """Of an indicator: how many of its construct a row must have answered, where that is stated."""


ROLES = ("firm", "cluster", "industry")
"""Columns of the data that carry a role, and may be named by it in ``varying``."""

WEIGHTS = ("weight", "cluster_weight")
"""Columns of the data that hold survey weights."""


class AskedGrouping(NamedTuple):
    """A kind of groups that something is asked by, and where the analysis file says so."""

    by: str
    path: tuple[str | int, ...]
    what: str
    """What asks: a kind of claim, or a block of the file."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Its columns, industry and cluster by their role."""
        return tuple(self.by.split(WITHIN))


def asked_groupings(analysis: Analysis) -> tuple[AskedGrouping, ...]:
    """Every kind of groups that claims and readings are asked by, in the order of the file."""
    found = [
        AskedGrouping(claim.by, _place_of(claim, ("hypotheses", position)), claim.kind)
        for position, claim in enumerate(analysis.hypotheses)
    ]
    node = analysis.weakest_node
    for by, path in (
        (analysis.traditions.by, ("traditions", "by")),
        (None if node is None else node.by, ("weakest_node", "by")),
    ):
        found += [AskedGrouping(each, (*path, k), path[0]) for k, each in enumerate(by or ())]
    return tuple(found)


def _place_of(claim: Hypothesis, path: tuple[str | int, ...]) -> tuple[str | int, ...]:
    return (*path, "by") if "by" in claim.model_fields_set else path


def moderators(analysis: Analysis) -> tuple[str, ...]:
    """Groupings but for industry and cluster by which results are reported.

    Those that something is asked by, and those of the equation in focus by which a slope varies.
    """
    plain = (ALL, *ROLES)
    asked = [each.by for each in asked_groupings(analysis) if each.by not in plain]
    slopes = [
        name
        for name, varying in analysis.equation.groupings.items()
        if name not in plain and set(varying.terms) != {"intercept"}
    ]
    return tuple(dict.fromkeys([*asked, *slopes]))


def needed_columns(analysis: Analysis) -> tuple[NeededColumn, ...]:
    """All columns the analysis names, after derivations, in the order of the file."""
    return tuple(_needed(analysis))


def _needed(analysis: Analysis) -> Iterator[NeededColumn]:
    for role in (*ROLES, *WEIGHTS):
        column = getattr(analysis.data, role)
        if column is not None:
            yield NeededColumn(column, role.replace("_", " "), ("data", role))
    for capital, construct in analysis.constructs.items():
        optional = construct.minimum_answered is not None or construct.method == "latent"
        for position, item in enumerate(construct.items):
            path = ("constructs", capital, "indicators", position)
            role = f"indicator of {capital}"
            yield NeededColumn(
                item.column, role, path, optional or imputes(analysis), construct.minimum_answered
            )
    for name in analysis.equations:
        yield from _of_equation(analysis.for_equation(name))
    # a row that lacks a further condition is left out of the truth table only
    for position, condition in enumerate(analysis.traditions.sets.conditions):
        place = ("traditions", "sets", "conditions", position, "column")
        yield NeededColumn(condition.column, "condition", place, optional=True)
    # so does one that lacks a moderator: it counts in no category
    varying = {name for each in analysis.equations.values() for name in each.varying}
    for asked in asked_groupings(analysis):
        for column in asked.columns:
            if column not in (ALL, *ROLES, *varying):
                yield NeededColumn(column, "moderator", asked.path, optional=True)


def _of_equation(analysis: Analysis) -> Iterator[NeededColumn]:
    equation, base = analysis.equation, ("equations", analysis.equation_name)
    for role in ("outcome", "trials", "exposure", "standard_error"):
        column = getattr(equation, role)
        if column is not None:
            optional = role == "outcome" and imputes(analysis)
            yield NeededColumn(column, role.replace("_", " "), (*base, role), optional)
    for position, control in enumerate(equation.controls):
        if isinstance(control, ProductControl):
            continue
        column = control.column if isinstance(control, ColumnControl) else control
        yield NeededColumn(column, "control", (*base, "controls", position), imputes(analysis))
    for grouping in equation.varying:
        if grouping not in ROLES:
            yield NeededColumn(grouping, "grouping", (*base, "varying", grouping))


def group_columns(analysis: Analysis) -> frozenset[str]:
    """Columns of the file that name groups, firms or cases: text, without codes for no answer."""
    data = analysis.data
    named = [getattr(data, role) for role in ROLES]
    named += [name for each in analysis.equations.values() for name in each.varying]
    groups = {name for name in named if name is not None and name not in ROLES}
    for derivation in reversed(data.derive):
        if derivation.kind == "combine" and derivation.name in groups:
            groups.update(derivation.of)
    return frozenset(groups)


def label_columns(analysis: Analysis) -> frozenset[str]:
    """Columns of the file whose cells are compared as they are written: groups, and what has levels."""
    data = analysis.data
    named = set(group_columns(analysis))
    named |= {item.column for item in data.keep}
    named |= {item.column for item in data.exclude if item.one_of}
    for derivation in data.derive:
        if derivation.kind in ("recode", "combine"):
            named.update((derivation.of,) if isinstance(derivation.of, str) else derivation.of)
        if derivation.kind in ("lag", "group_mean"):
            named.add(derivation.by)
    named |= {column for fix in data.fix for column in fix.where}
    asked = {column for each in asked_groupings(analysis) for column in each.columns}
    named |= asked - {ALL, *ROLES}
    for equation in analysis.equations.values():
        named |= {
            control.column
            for control in equation.controls
            if isinstance(control, ColumnControl) and (control.coding or control.monotonic)
        }
    return frozenset(named)


def imputes(analysis: Analysis) -> bool:
    """Whether missing outcomes, controls and capitals are estimated inside the model."""
    return analysis.data.missing == "impute"
