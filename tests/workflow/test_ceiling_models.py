"""Ceiling models in a run: refused where they mean nothing, kept, reused, and told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bayescluster.app.prepare import analysis_source, designs_of, key_of
from bayescluster.errors import ConfigError, DataError
from bayescluster.features.ceiling_models.compute import (
    CeilingEvidence,
    ceiling_evidence,
    effect_size,
    fit_ceiling_models,
    kept_fits,
    preferred,
    scoped_firms,
)
from bayescluster.features.ceilings.functional import least_level_rows, least_levels
from bayescluster.features.ceilings.results import Level
from bayescluster.features.problems import check_semantics
from bayescluster.inference.watch import Silent
from bayescluster.report.render import write_report
from bayescluster.runs.manifest import new_manifest
from bayescluster.runs.store import RunDirectory
from bayescluster.spec.analysis import Analysis
from tests.factories import analysis_dict, analysis_of, where
from tests.report.report_made import results as made_results
from tests.undrawn import undrawn

OPTIONS: dict[str, Any] = {
    "capitals": ["human_capital"],
    "draws": 400,
    "tune": 400,
    "chains": 2,
    "target_accept": 0.95,
}
SIZES = (40, 25, 6, 1, 30, 20)


def nested_firms() -> tuple[pd.DataFrame, np.ndarray]:
    """Firms uniform below ceilings over training, and ``d`` of each cluster."""
    rng = np.random.default_rng(8)
    cluster = np.repeat(np.arange(len(SIZES)), SIZES)
    start = np.array([0.1, 0.25, 0.2, 0.15, 0.5, 0.4])
    slope = np.array([0.8, 0.8, 0.8, 0.8, 0.4, 0.4])
    x = rng.random(cluster.size)
    c = np.clip(start[cluster] + slope[cluster] * x, 0.02, 1)
    grid = (np.arange(1000) + 0.5) / 1000
    truth = 1 - np.clip(start[:, None] + slope[:, None] * grid, 0.02, 1).mean(axis=1)
    frame = pd.DataFrame(
        {
            "firm": [f"f{k:03d}" for k in range(x.size)],
            "cluster": [f"C{k}" for k in cluster],
            "industry": np.where(cluster < 4, "I0", "I1"),
            "training": 10 * x,
            "trust": rng.normal(size=x.size),
            "growth": 20 * c * rng.random(x.size),
        }
    )
    return frame, truth


def _analysis(folder: Path, **options: Any) -> Analysis:
    scope = {"human_capital": {"low": 0, "high": 10}, "outcome": {"low": 0, "high": 20}}
    plain = analysis_dict("gaussian") | {
        "sampling": {"draws": 50, "tune": 50, "chains": 2, "prior_draws": 100, "seed": 5},
        "traditions": {"ceiling_models": OPTIONS | {"scope": scope} | options},
    }
    plain["data"] = plain["data"] | {"source": str(folder / "firms.csv")}
    return Analysis.model_validate(plain)


class Made:
    """A run that holds a ceiling model, and nothing else."""

    def __init__(self, folder: Path) -> None:
        frame, self.truth = nested_firms()
        frame.to_csv(folder / "firms.csv", index=False)
        self.folder, self.analysis = folder, _analysis(folder)
        self.design = designs_of(analysis_source(self.analysis))[0]
        details, key = self.design.details, key_of(self.design.analysis, self.design)
        self.directory = RunDirectory.create(folder / "runs", self.analysis.name, key)
        with self.directory.lock():
            self.directory.begin(
                new_manifest(
                    self.design.analysis, key, data_label=details.label, data_digest=details.digest
                )
            )
            fit_ceiling_models(self.design, self.directory, Silent())


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return Made(tmp_path_factory.mktemp("ceilings"))


@pytest.fixture(scope="module")
def evidence(made: Made) -> CeilingEvidence:
    found = ceiling_evidence(made.design, made.directory)
    assert found is not None
    return found


class Steps:
    """Notes the steps it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def step(self, message: str) -> None:
        self.told.append(message)

    def chain(self, state: Any) -> None:
        """Take no notice."""


def test_an_outcome_that_is_not_continuous_is_refused_with_a_mend() -> None:
    analysis = analysis_of("bernoulli")
    traditions = analysis.traditions.model_validate({"ceiling_models": {}})
    with pytest.raises(ConfigError) as error:
        check_semantics(analysis.model_copy(update={"traditions": traditions}), where)
    assert str(error.value) == (
        "The analysis cannot be read:\n"
        "  a.yaml:traditions.ceiling_models: ceiling models need a continuous outcome, and that of "
        "family bernoulli is none\n"
        "    leave ceiling_models out; ceilings of the fitted model itself need no such outcome"
    )


def test_firms_outside_a_declared_scope_are_refused(made: Made) -> None:
    narrow = _analysis(made.folder, scope={"outcome": {"low": 0, "high": 15}})
    with pytest.raises(DataError, match=r"outcome of firm f\d+ is .*: outside the declared scope"):
        designs_of(analysis_source(narrow))


def test_effect_sizes_of_clusters_lie_in_their_intervals(
    made: Made, evidence: CeilingEvidence
) -> None:
    (found,) = evidence.results.capitals
    (fit,) = found.fits
    rows = {(row.by, row.group): row for row in fit.effects if not row.new}
    inside = 0
    for k, truth in enumerate(made.truth):
        row = rows["cluster", f"C{k}"]
        assert row.rows == SIZES[k]
        assert abs(row.estimate.mean - truth) < 4 * row.estimate.sd + 0.01
        inside += row.estimate.low <= truth <= row.estimate.high
    assert inside >= 4
    firms = np.array(SIZES)
    both = evidence.judged[0].effects
    whole, first = both[:, 0], both[:, 1]
    clusters = both[:, 3:]
    np.testing.assert_allclose(whole, clusters @ (firms / firms.sum()), rtol=1e-9)
    np.testing.assert_allclose(first, clusters[:, :4] @ (firms[:4] / firms[:4].sum()), rtol=1e-9)
    new = [row for row in fit.effects if row.new]
    assert [(row.by, row.group) for row in new] == [("all", "all"), ("industry", "I0")] + [
        ("industry", "I1")
    ]
    # of a new cluster less is known than of those seen
    assert all(row.estimate.sd > rows[row.by, row.group].estimate.sd for row in new)


def test_no_firm_stands_above_its_ceiling_and_least_capital_rises(
    evidence: CeilingEvidence,
) -> None:
    (found,) = evidence.results.capitals
    (fit,) = found.fits
    above = next(row for row in fit.distances if row.statistic == "firms above the ceiling")
    assert above.observed == 0.0
    rows = [row for row in fit.needed if (row.by, row.group) == ("industry", "I0")]
    assert rows[0].not_needed > 0.9
    assert rows[0].median.word == "NN"
    numbers = [row.median.original for row in rows if row.median.original is not None]
    assert len(numbers) >= 4
    assert numbers == sorted(numbers)
    # the average ceiling of I0 is near .15 + .8 x: half of the scope needs about .44 of 10
    half = next(row for row in rows if row.target_percent == 50)
    assert half.median.original == pytest.approx(4.2, abs=0.6)


def test_preferred_gives_the_draws_of_the_best_model_by_group(evidence: CeilingEvidence) -> None:
    passed = evidence.judged[0].gate.passed
    found = preferred(evidence, 1)
    assert preferred(None, 1) is None
    if not passed:
        assert found is None
        return
    assert found is not None
    key = ("human_capital", "industry", "I1")
    assert found.names[key] == "the ratio ceiling"  # type: ignore[index]
    np.testing.assert_array_equal(found.d[key], evidence.judged[0].effects[:, 2])  # type: ignore[index]
    assert found.chains == evidence.judged[0].draws.chains
    assert 0 < found.prior[key].mean() < 1  # type: ignore[index]


def test_what_is_kept_is_not_sampled_again(made: Made) -> None:
    steps = Steps()
    with made.directory.lock():
        fit_ceiling_models(made.design, made.directory, steps)
    assert steps.told == ["The ceiling models are there already"]
    assert made.directory.verify() == []
    other = designs_of(analysis_source(_analysis(made.folder, draws=700)))[0]
    assert kept_fits(other, made.directory) == ()
    assert ceiling_evidence(other, made.directory) is None


def test_the_report_tells_models_effects_and_least_capital(
    evidence: CeilingEvidence, tmp_path: Path
) -> None:
    results = made_results().model_copy(update={"ceiling_models": evidence.results})
    with undrawn():
        write_report(results, tmp_path)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Ceilings (necessary condition analysis)" in page
    rows = pd.read_csv(tmp_path / "tables" / "ceiling_effects.csv")
    assert set(rows["by"]) == {"all", "industry", "cluster"}
    assert list(rows["model"].unique()) == ["ratio"]


def test_firms_without_the_capital_are_left_out(made: Made) -> None:
    options = made.analysis.traditions.ceiling_models
    assert options is not None
    values = made.design.data["human_capital"].copy()
    values[3] = np.nan
    gap = type(made.design)(made.analysis, made.design.data.assign(human_capital=values))
    assert scoped_firms(gap, options, "human_capital").rows.size == made.design.size - 1


def test_effect_size_is_the_area_above_the_line() -> None:
    rng = np.random.default_rng(2)
    height, slope = rng.uniform(-0.5, 1.5, 50), rng.uniform(0, 2, 50)
    slope[:3] = 0.0
    grid = (np.arange(20_000) + 0.5) / 20_000
    area = 1 - np.clip(height[:, None] + slope[:, None] * (grid - 0.5), 0.02, 1.0).mean(axis=1)
    np.testing.assert_allclose(effect_size(height, slope, (0.02, 1.0)), area, atol=1e-6)


def test_least_capital_counts_not_needed_before_and_out_of_reach_after_all_numbers() -> None:
    at = np.linspace(0, 1, 11)
    curves = np.stack([0.6 + 0 * at, 0.2 + 0.6 * at, 0.1 + 0.2 * at, at])
    draws = least_levels(at, curves, [0.5], tolerance=1e-12)
    key = ("human_capital", "all", "all")
    (row,) = least_level_rows(key, draws, [0.5], [50.0], lambda share: Level(original=share))
    assert (row.low.word, row.high.word) == ("NN", "NA")
    assert row.median.original == pytest.approx(0.5)
    assert (row.not_needed, row.not_reached) == (0.25, 0.25)
