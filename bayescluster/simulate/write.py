"""Writing a simulated data set: the only module here that touches files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from bayescluster.simulate.engine import simulate
from bayescluster.simulate.package import describe_package
from bayescluster.spec.scenario import Scenario


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
