"""A simulated data set as a data package: its columns described, its files written."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bayescluster.simulate.truth import simulate
from bayescluster.spec.scenario import Equation, Indicator, Outcome, Scenario

WARNING = (
    "SYNTHETIC DATA. No firm in this file exists: every row was made by simulation from a "
    "scenario with known coefficients. Group means and shares are calibrated to published case "
    "facts where the scenario says so; everything else is an assumption. Fit for learning, "
    "teaching and testing methods; NOT evidence about any real firm, cluster or country."
)
CC0 = {
    "name": "CC0-1.0",
    "path": "https://creativecommons.org/publicdomain/zero/1.0/",
    "title": "Creative Commons Zero v1.0 Universal",
}


def write_scenario(scenario: Scenario, directory: Path) -> tuple[Path, Path, Path]:
    """Simulate a scenario at its own seed and write it to a directory, made if need be.

    The same scenario gives the same bytes. Files of the same names are replaced: ``firms.csv``,
    ``truth.json`` and ``datapackage.json``, whose paths are returned.
    """
    firms, truth = simulate(scenario, np.random.default_rng(scenario.seed))
    csv = firms.to_csv(index=False, lineterminator="\n").encode()
    contents = {
        "firms.csv": csv,
        "truth.json": _to_json(truth.record()),
        "datapackage.json": _to_json(describe_package(scenario, csv)),
    }
    directory.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (directory / name).write_bytes(content)
    table, answers, package = (directory / name for name in contents)
    return table, answers, package


def _to_json(value: dict[str, Any]) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()


def describe_package(scenario: Scenario, csv: bytes) -> dict[str, Any]:
    """Content of ``datapackage.json``; ``"synthetic": true`` marks the data as simulated.

    ``csv`` is the content of the file of firms, for its size and hash.
    """
    return {
        "profile": "tabular-data-package",
        "name": f"synthetic-{scenario.name}",
        "title": f"{scenario.title} (SYNTHETIC)",
        "description": f"{WARNING} {scenario.note}",
        "synthetic": True,
        "seed": scenario.seed,
        "licenses": [CC0],
        "sources": [
            {
                "title": "Chaminade, C. and Vang, J. (2008). Upgrading in Asian Clusters: "
                "Rethinking the Importance of Interactive Learning. Science, Technology & "
                "Society 13(1), 61-94.",
                "path": "https://doi.org/10.1177/097172180701300103",
            }
        ],
        "resources": [
            {
                "profile": "tabular-data-resource",
                "name": "firms",
                "path": "firms.csv",
                "title": "Simulated firms",
                "description": WARNING,
                "scheme": "file",
                "format": "csv",
                "mediatype": "text/csv",
                "encoding": "utf-8",
                "bytes": len(csv),
                "hash": f"sha256:{hashlib.sha256(csv).hexdigest()}",
                "schema": {
                    "fields": [column._asdict() for column in describe_columns(scenario)],
                    "primaryKey": ["firm_id"],
                    "missingValues": ["", str(scenario.missing.code)],
                },
            }
        ],
    }


class Column(NamedTuple):
    """One column: how it is read, what it means and what it may hold; a field of a table schema."""

    name: str
    type: str
    title: str
    description: str
    unit: str
    role: str
    constraints: dict[str, Any]


BINARY: dict[str, Any] = {"required": True, "enum": [0, 1]}
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


def describe_columns(scenario: Scenario) -> tuple[Column, ...]:
    """Describe every column of a scenario, in the order of the table."""
    described = (
        *_identifiers(scenario),
        *BACKGROUND,
        *(_indicator(item) for item in scenario.indicators),
        *(_of_equation(form, "integer", "learning form", BINARY) for form in scenario.learning),
        *(_outcome(outcome) for outcome in scenario.outcomes),
    )
    return tuple(
        column._replace(
            description=f"{column.description} Some cells are missing, completely at random.",
            constraints={k: v for k, v in column.constraints.items() if k != "required"},
        )
        if column.name in scenario.missing.shares
        else column
        for column in described
    )


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
        equation.name, kind, equation.title, equation.description, equation.unit, role, constraints
    )
