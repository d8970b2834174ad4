from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ruamel.yaml import YAML

from bayescluster.simulate import Survey, simulate
from bayescluster.spec.scenario import Scenario

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def raw() -> dict[str, Any]:
    path = ROOT / "configs" / "scenarios" / "asian_clusters.yaml"
    return YAML(typ="safe").load(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def scenario(raw: dict[str, Any]) -> Scenario:
    return Scenario.model_validate(raw)


@pytest.fixture(scope="session")
def simulated(scenario: Scenario) -> Survey:
    return simulate(scenario, np.random.default_rng(scenario.seed))


@pytest.fixture(scope="session")
def many(scenario: Scenario) -> Survey:
    industries = tuple(
        industry.model_copy(
            update={
                "clusters": tuple(
                    cluster.model_copy(update={"firms": 40 * cluster.firms})
                    for cluster in industry.clusters
                )
            }
        )
        for industry in scenario.industries
    )
    larger = scenario.model_copy(update={"industries": industries})
    return simulate(larger, np.random.default_rng(7))
