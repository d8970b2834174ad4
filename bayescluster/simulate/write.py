"""Writing a simulated data set: the only module here that touches files."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from bayescluster.simulate.engine import simulate
from bayescluster.simulate.population import describe_columns
from bayescluster.spec.scenario import Scenario

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


def describe_package(scenario: Scenario, csv: bytes) -> dict[str, Any]:
    """Describe a simulated table and every column of it.

    Parameters
    ----------
    scenario
        What was simulated.
    csv
        Content of the file of firms, for its size and hash.

    Returns
    -------
    dict
        Content of ``datapackage.json``; ``"synthetic": true`` marks the data as simulated.
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
        "resources": [_describe_resource(scenario, csv)],
    }


def _describe_resource(scenario: Scenario, csv: bytes) -> dict[str, Any]:
    return {
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
            "fields": [column.field() for column in describe_columns(scenario)],
            "primaryKey": ["firm_id"],
            "missingValues": ["", str(scenario.missing.code)],
        },
    }


def write_scenario(scenario: Scenario, directory: Path) -> tuple[Path, Path, Path]:
    """Simulate a scenario at its own seed and write it to a directory.

    The same scenario gives the same bytes. Files of the same names are replaced.

    Parameters
    ----------
    scenario
        What to simulate.
    directory
        Where to write; made if it is not there.

    Returns
    -------
    tuple of Path
        ``firms.csv``, ``truth.json`` and ``datapackage.json``.
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
