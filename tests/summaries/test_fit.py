"""Fits of many firms: from summaries where these stand for the likelihood, else of every firm."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from bayescluster.app.run import fit_analysis
from bayescluster.runs.store import RunDirectory
from bayescluster.spec.analysis import Analysis
from tests.factories import analysis_dict

SAMPLED = ("population", "controls", "industry_sd", "cluster_sd", "cluster_effect")


def many(rows: int, clusters: int) -> pd.DataFrame:
    """Firms whose logit varies by cluster."""
    rng = np.random.default_rng(5)
    cluster = rng.integers(0, clusters, rows)
    human, social = rng.normal(size=(2, rows))
    effects = np.array([-0.9, 0.6, 0.5, 0.5]) + rng.normal(0, 0.4, (clusters, 4))
    inputs = np.column_stack([np.ones(rows), human, social, human * social])
    eta = (inputs * effects[cluster]).sum(axis=1)
    return pd.DataFrame(
        {
            "cluster": [f"C{k:02d}" for k in cluster],
            "training": human,
            "trust": social,
            "exporter": rng.integers(0, 2, rows),
            "upgraded": (rng.random(rows) < 1 / (1 + np.exp(-eta))).astype(int),
        }
    )


def fitted(folder: Path, frame: pd.DataFrame, likelihood: str, draws: int) -> RunDirectory:
    path = folder / "firms.parquet"
    frame.to_parquet(path)
    plain: dict[str, Any] = analysis_dict(
        data={"source": str(path), "firm": None, "industry": None},
        varying={"cluster": {"terms": ["all"], "correlated": False}},
        controls=["exporter"],
    )
    plain["sampling"] = {
        "seed": 11,
        "draws": draws,
        "tune": 300,
        "chains": 2,
        "prior_draws": 100,
        "likelihood": likelihood,
    }
    return fit_analysis(Analysis.model_validate(plain), folder / "runs")


def draws_of(run: RunDirectory) -> xr.Dataset:
    posterior = run.load_posterior()["posterior"].to_dataset()
    return posterior[[name for name in SAMPLED if name in posterior]]


def test_where_summaries_do_not_serve_every_firm_is_used(tmp_path: Path) -> None:
    frame = many(400, 8)
    run = fitted(tmp_path, frame, "summary", 200)
    used = run.read_manifest().likelihood
    assert used is not None
    assert (used.kind, used.firms, used.draws) == ("rows", 400, 400)
    assert used.khat is not None
    assert used.share is not None
    assert used.khat >= 0.5 or used.share < 0.5
    posterior = run.load_posterior()["posterior"].to_dataset()
    again = fitted(tmp_path, frame, "summary", 200).load_posterior()["posterior"].to_dataset()
    xr.testing.assert_identical(posterior, again)


@pytest.mark.slow
def test_two_stages_give_the_posterior_of_the_full_likelihood(tmp_path: Path) -> None:
    frame = many(20_000, 24)
    summary, full = (fitted(tmp_path, frame, kind, 2000) for kind in ("summary", "full"))
    used = summary.read_manifest().likelihood
    assert used is not None
    assert used.kind == "quadratic"
    assert used.khat is not None
    assert used.khat < 0.5
    one, other = draws_of(summary), draws_of(full)
    from bayescluster.estimands.diagnostics import diagnostics

    for name in one:
        found = [
            each[name].transpose("chain", "draw", ...).to_numpy().reshape(4000, -1)
            for each in (one, other)
        ]
        errors = [diagnostics(values, 2)[3] for values in found]
        gap = np.abs(found[0].mean(axis=0) - found[1].mean(axis=0))
        # as many comparisons as there are quantities
        assert (gap < 4.5 * np.hypot(*errors)).all(), name
        squares = [np.square(values - values.mean(axis=0)) for values in found]
        sds = [np.sqrt(each.mean(axis=0)) for each in squares]
        # chains that are worth more than their draws for a mean are worth far less for an sd
        noise = [
            diagnostics(each, 2)[3] / (2 * sd**2) for each, sd in zip(squares, sds, strict=True)
        ]
        apart = np.median(np.abs(np.log(sds[0] / sds[1])) - 3 * np.hypot(*noise))
        assert apart < 0.05, name
