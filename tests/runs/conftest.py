from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from bayescluster.inference.nuts import Chain
from bayescluster.results.facts import FitFacts, ModelFacts, OutcomeFacts, Reproduction, SampleFacts
from bayescluster.results.model import Gate, Results
from bayescluster.runs.manifest import Manifest, new_manifest
from bayescluster.runs.store import RunDirectory
from bayescluster.spec.analysis import Analysis

KEY = "0123456789abcdef"


Analyses = Callable[..., Analysis]


def _analysis_with(**changes: Any) -> Analysis:
    asked: dict[str, Any] = {
        "name": "toy",
        "data": {
            "source": "firms.csv",
            "industry": "sector",
            "derive": [{"kind": "recode", "name": "big", "of": "size", "values": {1: 0, 2: 1}}],
        },
        "constructs": {
            "human_capital": {"indicators": ["training"], "method": "single"},
            "social_capital": {"indicators": ["trust"], "method": "single"},
        },
        "equations": {
            "upgrading": {"outcome": "upgraded", "family": "bernoulli", "structure": "interaction"}
        },
        "sampling": {"draws": 20, "tune": 20, "chains": 3, "seed": 7},
    }
    return Analysis.model_validate(asked | changes)


def _chain_of(number: int, draws: int = 20) -> Chain:
    rng = np.random.default_rng(number)
    coords = {"chain": [number], "draw": np.arange(draws), "term": ["intercept", "human_capital"]}
    posterior = xr.Dataset(
        {
            "population": (("chain", "draw", "term"), rng.normal(size=(1, draws, 2))),
            "big": (("chain", "draw", "cell"), rng.normal(size=(1, draws, 1000))),
        },
        coords,
    )
    stats = xr.Dataset(
        {
            "diverging": (("chain", "draw"), rng.random((1, draws)) < 0.5),
            "depth": (("chain", "draw"), rng.integers(1, 9, (1, draws))),
        },
        {"chain": [number], "draw": np.arange(draws)},
    )
    return Chain(number, posterior, stats)


@pytest.fixture
def analysis_with() -> Analyses:
    return _analysis_with


@pytest.fixture
def chain_of() -> Callable[..., Chain]:
    return _chain_of


@pytest.fixture
def analysis() -> Analysis:
    return _analysis_with()


@pytest.fixture
def manifest(analysis: Analysis) -> Manifest:
    return new_manifest(analysis, KEY, data_label="firms.csv", data_digest="d" * 64)


@pytest.fixture
def run(tmp_path: Path, manifest: Manifest) -> RunDirectory:
    made = RunDirectory.create(tmp_path / "runs", "toy", KEY)
    made.begin(manifest)
    return made


@pytest.fixture
def results() -> Results:
    return Results(
        name="toy",
        title="Toy",
        description="",
        limits=("Synthetic — not Møller's firms",),
        outcome=OutcomeFacts(column="y", family="bernoulli", scale="probability", label="P(y)"),
        sample=SampleFacts(
            label="firms.csv",
            title="",
            synthetic=True,
            rows_read=10,
            rows=9,
            firms=9,
            clusters=3,
            industries=2,
            crossed=False,
            dropped=(),
            filters=(),
            notes=(),
            groups=(),
            capital_correlation=0.1 + 0.2,
        ),
        measures=(),
        model=ModelFacts(
            equation="upgrading",
            link="logit",
            structure="additive",
            formula="y",
            groupings=(),
            coefficients=(),
            group_effect_prior="",
        ),
        fit=FitFacts(
            sampler="nutpie",
            chains=3,
            draws=20,
            tune=20,
            seed=7,
            target_accept=0.9,
            divergences=0,
            sampling_seconds=1.5,
            total_seconds=2.5,
        ),
        gate=Gate(passed=True, items=()),
        predictive=(),
        loo=None,
        effects=(),
        differences=(),
        ranks=(),
        corners=(),
        verdicts=(),
        curves=(),
        surfaces=(),
        reproduction=Reproduction(
            command="bayescluster run toy.yaml",
            analysis="name: toy\n",
            key=KEY,
            data_digest="d" * 64,
            versions={},
            host={},
            started="2026-01-01T00:00:00.000+00:00",
        ),
    )
