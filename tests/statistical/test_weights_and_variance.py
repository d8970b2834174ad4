"""One run with survey weights of two levels and the R2D2M2 prior, to the report."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bayescluster.app.run import run_analysis
from bayescluster.spec.analysis import Analysis
from tests.factories import analysis_dict
from tests.fits import write_csv

ROWS, CLUSTERS, SEED = 480, 40, 20080301
NOISE = tuple(f"x{k}" for k in range(6))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Half the variance is the slope of human capital and the clusters; six controls are noise."""
    rng = np.random.default_rng(SEED)
    cluster = np.arange(ROWS) % CLUSTERS
    human, social = rng.normal(size=(2, ROWS))
    effect = 0.7 * rng.normal(size=CLUSTERS)
    frame = pd.DataFrame(
        {
            "firm": np.arange(ROWS),
            "cluster": [f"C{k:02d}" for k in cluster],
            "training": human,
            "trust": social,
            "growth": 0.7 * human + effect[cluster] + rng.normal(size=ROWS),
            "w": rng.lognormal(0.0, 0.3, ROWS),
            "v": rng.lognormal(0.0, 0.3, CLUSTERS)[cluster],
            **{name: rng.normal(size=ROWS) for name in NOISE},
        }
    )
    folder = tmp_path_factory.mktemp("run")
    data = {"source": write_csv(frame, folder), "industry": None, "weight": "w"}
    plain = analysis_dict(
        "gaussian",
        "additive",
        {"cluster": ["intercept"]},
        data=data | {"cluster_weight": "v"},
        controls=list(NOISE),
        priors={"r2d2m2": {}},
    )
    sampling = {"chains": 2, "draws": 600, "tune": 600, "target_accept": 0.95, "seed": 3}
    analysis = Analysis.model_validate(plain | {"sampling": sampling})
    return run_analysis(analysis, folder / "runs")


def test_what_explains_is_told_from_noise(finished):
    facts = finished.results.variance
    found = {(row.level, row.term): row for row in facts.rows}
    assert set(found) == {
        ("population", "human_capital"),
        ("population", "social_capital"),
        ("cluster", "intercept"),
        *(("controls", name) for name in NOISE),
    }
    assert sum(row.posterior.mean for row in facts.rows) == pytest.approx(1.0)
    assert facts.r2.low < 0.5 < facts.r2.high
    assert facts.r2.sd < 0.6 * facts.r2_prior.sd
    for real in (("population", "human_capital"), ("cluster", "intercept")):
        assert found[real].posterior.mean > 2 * found[real].prior.mean
    for name in NOISE:
        row = found["controls", name]
        assert row.prior.mean == pytest.approx(1 / 9, abs=0.02)
        assert row.posterior.mean < 0.75 * row.prior.mean


def test_coefficients_are_found_again(finished):
    rows = {row.name: row for row in finished.results.model.coefficients}
    truth = {"human_capital": 0.7, "social_capital": 0.0, "cluster: intercept": 0.7, "sigma": 1.0}
    for name, value in truth.items():
        known = rows[name].estimate
        assert abs(known.mean - value) < 3 * known.sd
    shared = "R2D2M2: a share of the explained variance"
    assert [rows[name].prior == shared for name in truth] == [True, True, True, False]
    assert rows["intercept"].prior.startswith("Normal(")


def test_the_sandwich_is_there_for_every_coefficient(finished):
    found = finished.results.weighting
    assert (found.weight, found.cluster_weight, found.unit, found.units) == (
        *("w", "v"),
        *("cluster", CLUSTERS),
    )
    names = ["intercept", "human_capital", "social_capital", *NOISE]
    assert [row.name for row in found.rows] == names
    # weights that say nothing, and a model that is right: near 1, but for shrunken noise
    for row in found.rows[:2]:
        assert 0.7 < row.ratio < 1.5
    folder: Path = finished.directory.path
    with next(folder.rglob("sandwich.csv")).open(encoding="utf-8", newline="") as file:
        assert [row["name"] for row in csv.DictReader(file)] == names
    page = next(folder.rglob("report.html")).read_text(encoding="utf-8")
    assert "This is a weighted pseudo-posterior: probabilities are not exact." in page
    assert "Share of explained variance by level and term" in page
    assert finished.results.loo is not None
