"""The whole way on a table with missing cells: a real fit, small."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from bayescluster.api.run import Run
from bayescluster.app.report import open_design
from bayescluster.app.run import run_analysis
from bayescluster.checks.convergence import convergence_gate
from bayescluster.model.evaluate import draws_of, log_likelihood
from bayescluster.results.model import CheckItem, Results
from bayescluster.runs.store import RunDirectory
from bayescluster.spec.analysis import Analysis
from tests.factories import analysis_dict, firms
from tests.quick import without_traditions
from tests.undrawn import undrawn


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> tuple[RunDirectory, Results]:
    folder = tmp_path_factory.mktemp("missing")
    rng = np.random.default_rng(8)
    frame = firms(rows=60)
    shares = {"size": 0.2, "exporter": 0.2, "upgraded": 0.15, "training": 0.1}
    for column, share in shares.items():
        frame[column] = frame[column].astype(float).mask(rng.random(len(frame)) < share)
    frame.to_csv(folder / "firms.csv", index=False)
    plain = analysis_dict(
        "bernoulli",
        "additive",
        {"cluster": ["intercept"]},
        data={"source": str(folder / "firms.csv"), "missing": "impute"},
        controls=[{"column": "size", "transform": "log"}, "exporter"],
        hypotheses=[{"kind": "effect", "capital": "human_capital", "by": "industry"}],
    )
    plain["sampling"] = {"draws": 150, "tune": 200, "chains": 2, "seed": 1, "prior_draws": 100}
    with undrawn(), pytest.MonkeyPatch.context() as patch:
        without_traditions(patch)
        found = run_analysis(Analysis.model_validate(plain), folder / "runs")
    return found.directory, found.results


@pytest.fixture(scope="module")
def tree(finished) -> xr.DataTree:
    return finished[0].load_posterior()


def test_every_row_is_replicated_and_the_answered_ones_are_scored(finished, tree):
    directory, results = finished
    design = open_design(directory)
    answered = design.answered
    assert 5 < (~answered).sum() < 20
    run = Run(directory)
    assert run.replicated()["upgrading"].sizes["firm"] == 60
    assert not np.isnan(run.replicated()["upgrading"]).any()
    scored = run.log_likelihood()["upgrading"]
    names = np.array(design.labels("firm"))[answered].tolist()
    assert scored["upgrading_answered"].to_numpy().tolist() == names
    assert tree["observed_data"]["upgrading"].to_numpy().tolist() == design.answers.tolist()
    assert results.loo.rows == answered.sum()
    assert np.isfinite(results.loo.elpd)
    overall = next(row for row in results.predictive if row.by == "all")
    assert overall.rows == answered.sum()
    assert overall.observed == pytest.approx(design.answers.mean())


def test_imputed_values_are_kept_and_used(finished, tree):
    design = open_design(finished[0])
    posterior = tree["posterior"].to_dataset()
    for name, column in (("log(size)", 0), ("exporter", 1)):
        rows = np.flatnonzero(np.isnan(design.controls[:, column]))
        kept = posterior[f"imputed_{name}"]
        labels = np.array(design.labels("firm"))[rows].tolist()
        assert kept[f"imputed_{name}_firm"].to_numpy().tolist() == labels
        assert kept.std("draw").max() > 0
    assert set(np.unique(posterior["imputed_exporter"])) == {0.0, 1.0}
    assert np.isfinite(log_likelihood(design, draws_of(design, posterior))).all()


def test_the_gate_asks_nothing_of_values_drawn_after_the_fit(tree):
    posterior = tree["posterior"].to_dataset()
    still = posterior.assign(imputed_exporter=0.0 * posterior["imputed_exporter"])
    assert not rhat_of(tree, still).passed  # zeros without the mark are a chain that stands still
    still["imputed_exporter"].attrs = posterior["imputed_exporter"].attrs
    assert rhat_of(tree, still).found == rhat_of(tree, posterior).found
    assert "imputed_log(size)" not in [
        name for name, values in posterior.data_vars.items() if values.attrs
    ]


def rhat_of(tree: xr.DataTree, posterior: xr.Dataset) -> CheckItem:
    """What the gate says of agreement between chains."""
    changed = xr.DataTree.from_dict({"posterior": posterior, "sample_stats": tree["sample_stats"]})
    gate = convergence_gate(changed, {}, 10)
    return next(item for item in gate.items if item.name == "R-hat")


def test_the_report_says_what_is_imputed(finished):
    directory, results = finished
    assert {cells.variable for cells in results.sample.imputed} == {
        "human_capital",
        "upgraded",
        "size",
        "exporter",
    }
    text = (directory.path / "report.html").read_text(encoding="utf-8")
    assert "Missing cells that are estimated inside the model" in text
    assert "missing at random given the other variables of the model" in text
