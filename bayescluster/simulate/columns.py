"""What each column of a simulated table means, for its data package."""

from __future__ import annotations

from typing import Any, NamedTuple

from bayescluster.spec.scenario import Equation, Indicator, Outcome, Scenario

BINARY: dict[str, Any] = {"required": True, "enum": [0, 1]}


class Column(NamedTuple):
    """One column: how it is read, what it means and what it may hold."""

    name: str
    type: str
    title: str
    description: str
    unit: str
    role: str
    constraints: dict[str, Any]

    def field(self) -> dict[str, Any]:
        """Field descriptor of a table schema."""
        return self._asdict()


def describe_columns(scenario: Scenario) -> tuple[Column, ...]:
    """Describe every column, in the order of the table.

    Parameters
    ----------
    scenario
        Its industries, clusters, indicators and equations.
    """
    described = (
        *_identifiers(scenario),
        *BACKGROUND,
        *(_indicator(item) for item in scenario.indicators),
        *(_learning(form) for form in scenario.learning),
        *(_outcome(outcome) for outcome in scenario.outcomes),
    )
    shares = scenario.missing.shares
    return tuple(_maybe_missing(column, column.name in shares) for column in described)


def _identifiers(scenario: Scenario) -> tuple[Column, ...]:
    industries = [industry.name for industry in scenario.industries]
    clusters = [cluster.name for cluster in scenario.clusters]
    return (
        Column(
            "firm_id",
            "string",
            "Firm",
            "Identifier of the simulated firm: code of its cluster and a running number.",
            "none",
            "identifier",
            {"required": True, "unique": True, "pattern": "[A-Z]{3}-[0-9]{4,}"},
        ),
        Column(
            "cluster",
            "string",
            "Cluster",
            "Cluster the simulated firm belongs to; each cluster lies in one industry category.",
            "none",
            "group",
            {"required": True, "enum": clusters},
        ),
        Column(
            "industry",
            "string",
            "Industry category",
            "Industry category of the cluster.",
            "none",
            "group",
            {"required": True, "enum": industries},
        ),
    )


BACKGROUND = (
    Column(
        "employees",
        "integer",
        "Employees",
        "Permanent employees of the firm at the site.",
        "persons",
        "control",
        {"required": True, "minimum": 1, "maximum": 9999},
    ),
    Column(
        "firm_age",
        "integer",
        "Age of the firm",
        "Full years since the firm was founded.",
        "years",
        "control",
        {"required": True, "minimum": 1, "maximum": 99},
    ),
    Column(
        "exporter",
        "integer",
        "Exporter",
        "1 if the firm sells any of its output abroad, directly or through a buyer.",
        "0/1",
        "control",
        BINARY,
    ),
    Column(
        "export_share",
        "number",
        "Export share",
        "Share of output sold abroad; 0 for firms that do not export.",
        "share of output",
        "control",
        {"required": True, "minimum": 0, "maximum": 1},
    ),
    Column(
        "tnc_owned",
        "integer",
        "Owned by a TNC",
        "1 if a transnational corporation (TNC) owns the firm, wholly or by majority.",
        "0/1",
        "control",
        BINARY,
    ),
    Column(
        "tier",
        "integer",
        "Tier in the value chain",
        "Steps between the firm and the lead firm or global buyer; 1 supplies it directly.",
        "tier",
        "control",
        {"required": True, "minimum": 1, "maximum": 4},
    ),
    Column(
        "certified",
        "integer",
        "Certified",
        "1 if the firm holds an international quality or environmental certificate (ISO 9000 "
        "family or its like).",
        "0/1",
        "control",
        BINARY,
    ),
)


def _indicator(item: Indicator) -> Column:
    constraints: dict[str, Any] = {"required": True}
    if item.kind == "binary":
        constraints = BINARY
    elif item.kind == "ordinal":
        constraints |= {"minimum": 1, "maximum": len(item.thresholds) + 1}
    else:
        bounds = {"minimum": item.low, "maximum": item.high}
        constraints |= {name: bound for name, bound in bounds.items() if bound is not None}
    return Column(
        item.column,
        "number" if item.kind == "continuous" else "integer",
        item.title,
        item.description,
        item.unit,
        f"indicator of {' and '.join(name.replace('_', ' ') for name in item.loadings)}",
        constraints,
    )


def _learning(form: Equation) -> Column:
    return _of_equation(form, "integer", "learning form", BINARY)


def _outcome(outcome: Outcome) -> Column:
    family = outcome.family
    if family.kind == "ordinal":
        top: dict[str, Any] = {"minimum": 0, "maximum": len(family.thresholds)}
        return _of_equation(outcome, "integer", "outcome", {"required": True} | top)
    by_kind: dict[str, tuple[str, dict[str, Any]]] = {
        "bernoulli": ("integer", BINARY),
        "lognormal": ("number", {"required": True, "minimum": 0}),
        "negative_binomial": ("integer", {"required": True, "minimum": 0}),
    }
    kind, constraints = by_kind[family.kind]
    return _of_equation(outcome, kind, "outcome", constraints)


def _of_equation(equation: Equation, kind: str, role: str, constraints: dict[str, Any]) -> Column:
    return Column(
        equation.name,
        kind,
        equation.title,
        equation.description,
        equation.unit,
        role,
        constraints,
    )


def _maybe_missing(column: Column, may_be_missing: bool) -> Column:
    if not may_be_missing:
        return column
    return column._replace(
        description=f"{column.description} Some cells are missing, completely at random.",
        constraints={k: v for k, v in column.constraints.items() if k != "required"},
    )
