"""A calibration from the truths to its files, with exact posteriors and with the instant sampler."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from bayescluster.api import calibrate
from bayescluster.design.arrays import replaced
from bayescluster.errors import RunError
from bayescluster.inference.density import Refit
from bayescluster.model.evaluate import draws_of
from bayescluster.model.simulated import Simulated, simulate
from bayescluster.runs.layout import locked
from bayescluster.spec.analysis import Analysis
from bayescluster.studies.calibration import compute as calibration
from bayescluster.studies.calibration.compute import LIKELIHOOD, MEMBERS_MAX, Options, parameters
from bayescluster.studies.calibration.study import calibrate_analysis
from tests.factories import analysis_dict, firms, small_design
from tests.fits import write_csv
from tests.instant import InstantRepeated, _whole
from tests.undrawn import draw_all

MEAN, SD = 2.0, 5.0
INTERCEPT = "population[intercept]"


class ExactRepeated:
    """Independent draws of the posterior of a normal mean, whose rows have known standard errors.

    ``prior`` and ``noise`` multiply the sds that the posterior believes in; with ``deaf`` it is the
    prior, whatever the outcome.
    """

    def __init__(self, prior: float = 1.0, noise: float = 1.0, deaf: bool = False) -> None:
        self.prior, self.noise, self.deaf = prior, noise, deaf

    def __call__(self, design) -> ExactRepeated:
        self.design = design
        return self

    def fit(self, design, sampling) -> Refit:
        """Draw the posterior by its formula."""
        weight = (self.noise * design.rows.standard_error) ** -2.0
        weight = np.zeros_like(weight) if self.deaf else weight
        before = (self.prior * SD) ** -2
        precision = before + weight.sum()
        centre = (MEAN * before + weight @ design.outcome) / precision
        rng = np.random.default_rng(sampling.seed)
        shape = (sampling.chains, sampling.draws, 1)
        draws = rng.normal(centre, precision**-0.5, shape)
        dims = ("chain", "draw", "term")
        posterior = xr.Dataset({"population": (dims, draws)}, {"term": ["intercept"]})
        stats = xr.Dataset({"diverging": (dims[:2], np.zeros(shape[:2], dtype=bool))})
        tree = xr.DataTree.from_dict({"posterior": posterior, "sample_stats": stats})
        return Refit(design, draws_of(design, posterior), tree)


def with_outcome(data, outcome) -> Simulated:
    """The same truth with another outcome."""
    return data._replace(design=replaced(data.design, outcome))


def doubled(design, draw, rng):
    """The outcome that a truth gives, with twice the noise."""
    data, mean = simulate(design, draw, rng), draw["population"].item()
    return with_outcome(data, mean + 2 * (data.design.outcome - mean))


def raised(design, draw, rng):
    """The outcome that a truth gives, plus a constant."""
    data = simulate(design, draw, rng)
    return with_outcome(data, data.design.outcome + 4.0)


def flat(design, draw, rng):
    """The same outcome in every row."""
    return with_outcome(simulate(design, draw, rng), np.zeros(design.size))


def of_a_mean(folder: Path) -> Analysis:
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({"growth": rng.normal(MEAN, 6, 9), "error": rng.uniform(4, 8, 9)})
    prior = {"distribution": "normal", "mean": MEAN, "sd": SD}
    equation = {
        "outcome": "growth",
        "family": "gaussian",
        "structure": "intercept",
        "standard_error": "error",
        "priors": {"terms": {"intercept": prior}},
    }
    plain = {
        "name": "mean",
        "data": {"source": write_csv(frame, folder)},
        "equations": {"growth": equation},
    }
    return Analysis.model_validate(plain)


CASES = {
    "right": (ExactRepeated(), simulate, {}),
    "prior halved": (ExactRepeated(prior=0.4), simulate, {INTERCEPT: "overconfident"}),
    "noise doubled": (ExactRepeated(noise=2.0), simulate, {INTERCEPT: "underconfident"}),
    "outcomes of twice the noise": (ExactRepeated(), doubled, {INTERCEPT: "overconfident"}),
    "outcomes too high": (ExactRepeated(), raised, {INTERCEPT: "too_high"}),
    # ranks of the parameter are uniform: only the data-dependent quantity sees it
    "outcome ignored": (ExactRepeated(deaf=True), simulate, {LIKELIHOOD: "too_low"}),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_wrong_is_caught_and_named(name, tmp_path, monkeypatch):
    repeated, generator, wanted = CASES[name]
    monkeypatch.setattr(calibration, "Repeated", repeated)
    options = Options(replications=150, draws=200, tune=50, seed=3, generator=generator)
    done = calibrate_analysis(of_a_mean(tmp_path), options, tmp_path)
    (form,) = done.results.forms
    assert (form.passed, form.claims) == (150, ())
    found = {row.name: row.shape for row in form.rows if row.rejected}
    assert done.results.state == ("rejected" if wanted else "not_rejected")
    assert wanted.items() <= found.items()
    if name in ("right", "outcome ignored"):
        assert set(found) == set(wanted)
    assert {row.name for row in form.rows} == {INTERCEPT, LIKELIHOOD}


NESTED = {"industry": ["intercept", "human_capital", "interaction"], "cluster": ["intercept"]}
HYPOTHESES = [
    {"kind": "necessary", "capital": "human_capital", "by": "industry"},
    {"kind": "necessary", "capital": "human_capital", "by": "all", "scope": "new_cluster"},
]
QUICK = Options(replications=3, draws=200, tune=50, jobs=2)


@pytest.fixture
def refits(monkeypatch) -> InstantRepeated:
    stand_in = InstantRepeated()
    stand_in.stand_in(monkeypatch)
    # what the instant sampler draws tells nothing of a posterior: let it be effective enough
    monkeypatch.setattr(calibration, "INDEPENDENT_MIN", 1)
    return stand_in


def made(folder: Path, structure: Any = "interaction", **more: Any) -> Analysis:
    source = write_csv(firms(rows=96, industries=2, clusters=4), folder)
    varying = NESTED if structure == "interaction" else {"cluster": ["intercept"]}
    plain = analysis_dict(
        "bernoulli", structure, varying, {"source": source}, hypotheses=HYPOTHESES
    )
    return Analysis.model_validate(plain | {"sampling": {"seed": 5}} | more)


@pytest.fixture
def analysis(tmp_path) -> Analysis:
    return made(tmp_path)


def stored(directory: Path) -> list[Path]:
    return sorted(directory.rglob("0*.json"))


def test_every_replication_is_made_once(analysis, refits, tmp_path):
    first = calibrate_analysis(analysis, QUICK, tmp_path)
    assert first.directory.parent == tmp_path / "synthetic" / "calibrate"
    assert (refits.compiled, len(refits.fitted)) == (["interaction"], 3)
    assert [path.name for path in stored(first.directory)] == [f"000{k}.json" for k in range(3)]
    again = calibrate_analysis(analysis, QUICK, tmp_path)
    assert (again.directory, again.results) == (first.directory, first.results)
    assert (refits.compiled, len(refits.fitted)) == (["interaction"], 3)
    before = {path: path.read_bytes() for path in stored(first.directory)}
    more = calibrate_analysis(analysis, QUICK._replace(replications=5), tmp_path)
    assert (more.directory, len(refits.fitted)) == (first.directory, 5)
    assert all(path.read_bytes() == content for path, content in before.items())
    assert more.results.forms[0].replications == 5


@pytest.mark.usefixtures("refits")
def test_size_seed_and_settings_have_directories_of_their_own(analysis, tmp_path):
    asked = (QUICK, QUICK._replace(firms=0.5), QUICK._replace(seed=6), QUICK._replace(draws=210))
    found = [calibrate_analysis(analysis, each, tmp_path) for each in asked]
    assert len({each.directory for each in found}) == 4
    assert [each.results.size.firms for each in found] == [96, 48, 96, 96]


@pytest.mark.usefixtures("refits")
def test_one_writer_at_a_time(analysis, tmp_path):
    done = calibrate_analysis(analysis, QUICK, tmp_path)
    with locked(done.directory), pytest.raises(RunError):
        calibrate_analysis(analysis, QUICK, tmp_path)


def test_refits_that_fail_the_gate_are_shown_with_and_without(analysis, refits, tmp_path):
    options = QUICK._replace(replications=24)
    refits.apart = 3.0
    calibrate_analysis(analysis, options._replace(replications=4), tmp_path)
    refits.apart = 0.0
    found = calibrate_analysis(analysis, options, tmp_path)
    (form,) = found.results.forms
    assert (form.replications, form.passed, form.not_converged) == (24, 20, 4)
    assert form.reasons == ("R-hat above 1.05",)
    assert {row.replications for row in form.rows} == {20}
    assert any(row.p != row.p_all for row in form.rows)
    assert form.claims[0].replications == 20
    assert form.claims_all is not None
    assert form.claims_all.replications == 24
    assert any("4 replications failed the gate" in note for note in found.results.notes)
    page = (found.directory / "calibrate.html").read_text()
    assert "20 of 24 refits passed the gate, 4 did not converge (R-hat above 1.05)." in page
    assert "All claims together, failed refits too" in page


def test_outcomes_that_no_analysis_would_take_have_no_ranks(analysis, refits, tmp_path):
    found = calibrate_analysis(analysis, QUICK._replace(generator=flat), tmp_path).results
    assert not refits.fitted
    assert (found.state, found.forms[0].not_fitted) == ("too_few", 3)
    assert found.forms[0].reasons == ("the simulated outcome is the same in every row",)
    assert (found.forms[0].rows, found.forms[0].claims) == ((), ())


@pytest.mark.usefixtures("refits")
def test_few_effective_draws_fail_the_gate(analysis, tmp_path, monkeypatch):
    monkeypatch.setattr(calibration, "INDEPENDENT_MIN", 10_000)
    (form,) = calibrate_analysis(analysis, QUICK, tmp_path).results.forms
    assert (form.passed, form.not_converged) == (0, 3)
    assert form.reasons == ("fewer than 10000 effective draws of a quantity",)


@pytest.mark.usefixtures("refits")
def test_files_hold_the_same_numbers(analysis, tmp_path, monkeypatch):
    draw_all(monkeypatch)
    found = calibrate_analysis(analysis, QUICK._replace(replications=21), tmp_path)
    text = (found.directory / "calibrate.json").read_text()
    assert json.loads(text) == json.loads(found.results.model_dump_json())
    with (found.directory / "ranks.csv").open() as stream:
        table = list(csv.DictReader(stream))
    (form,) = found.results.forms
    assert len(table) == 21 * len(form.rows)
    for row in form.rows:
        positions = [float(line["position"]) for line in table if line["name"] == row.name]
        assert row.mean == pytest.approx(np.mean(positions))
    page = (found.directory / "calibrate.html").read_text()
    for words in ("Simulation-based calibration", "Further quantities, drawn", "Reliability"):
        assert words in page
    assert "could not be drawn" not in page
    assert "http" not in page.replace("http://www.w3.org", "").replace("http-equiv", "")


@pytest.mark.usefixtures("refits")
def test_claims_are_set_beside_what_is_true(analysis, tmp_path):
    causes = analysis.traditions.model_validate({"causes": {}})
    analysis = analysis.model_copy(update={"traditions": causes})
    found = calibrate_analysis(analysis, QUICK, tmp_path)
    (form,) = found.results.forms
    assert form.claims[0].title == "All claims together"
    assert form.claims[0].events == sum(row.events for row in form.claims[1:])
    traditions = {row.tradition for row in form.claims[1:]}
    assert traditions == {"declared", "corners", "causes"}
    for path in stored(found.directory):
        for judged in json.loads(path.read_text())["judged"]:
            assert judged["truth"] in (0.0, 1.0)


def test_every_form_is_calibrated(tmp_path, refits):
    analysis = made(tmp_path, ["additive", "conjunctive"])
    found = calibrate(analysis, QUICK, tmp_path).results
    assert refits.compiled == ["additive", "conjunctive"]
    assert [form.form for form in found.forms] == ["additive", "conjunctive"]
    assert any("by itself" in note for note in found.notes)


@pytest.mark.usefixtures("refits")
def test_the_document_names_its_model(analysis, tmp_path):
    from bayescluster.app.prepare import analysis_source, design_of, model_key_of

    design = design_of(analysis_source(analysis))
    found = calibrate_analysis(analysis, QUICK, tmp_path)
    assert found.results.model_key == model_key_of(design.analysis, (design,))
    assert found.results.key != found.results.model_key


def test_many_groups_are_looked_at_by_their_spread():
    varying = {"cluster": {"terms": ["intercept", "human_capital"], "correlated": True}}
    for clusters, many in ((2, False), (5, True)):
        frame = firms(rows=60, industries=2, clusters=clusters)
        assert (2 * clusters > MEMBERS_MAX) == many
        design = small_design("gaussian", "additive", varying, frame=frame)
        rng = np.random.default_rng(1)
        drawn = _whole(design, [0, 1], 5, rng)
        if "cluster_correlation" not in drawn:
            eye = np.broadcast_to(np.array([[1.0, 0.3], [0.3, 1.0]]), (2, 5, 2, 2))
            drawn["cluster_correlation"] = (("chain", "draw", "row_term", "column_term"), eye)
            drawn = drawn.assign_coords(
                row_term=["intercept", "human_capital"], column_term=["intercept", "human_capital"]
            )
        found = {each.name: each.values for each in parameters(design, drawn)}
        assert "cluster_correlation[human_capital, intercept]" in found
        assert "cluster_correlation[intercept, intercept]" not in found
        effects = drawn["cluster_effect"].to_numpy().reshape(10, -1, 2)
        if many:
            name = "spread of cluster_effect[human_capital]"
            assert found[name] == pytest.approx(effects[:, :, 1].std(axis=1))
        else:
            label = design.group_labels("cluster")[1]
            name = f"cluster_effect[{label}, human_capital]"
            assert found[name] == pytest.approx(effects[:, 1, 1])


@pytest.mark.slow
def test_a_real_model_is_calibrated(tmp_path):
    """The additive form of a gaussian outcome at 30 firms, sampled."""
    source = write_csv(firms(rows=30, industries=2, clusters=3), tmp_path)
    plain = analysis_dict("gaussian", "additive", {"cluster": ["intercept"]}, {"source": source})
    analysis = Analysis.model_validate(plain | {"sampling": {"seed": 4, "target_accept": 0.95}})
    options = Options(replications=60, draws=200, tune=300)
    done = calibrate_analysis(analysis, options, tmp_path).results
    (form,) = done.forms
    assert form.passed >= 40
    assert min(row.p_corrected for row in form.rows) > 0.001
    noisy = options._replace(generator=_with_more_noise)
    wide = calibrate_analysis(analysis, noisy, tmp_path / "wide").results
    assert wide.state == "rejected"


@pytest.mark.slow
def test_missing_inputs_are_calibrated(tmp_path):
    """A control of numbers and one of yes and no lack every fifth answer; the score some."""
    frame = firms(rows=40, industries=2, clusters=4)
    rng = np.random.default_rng(3)
    for column, share in (("size", 0.2), ("exporter", 0.2), ("training", 0.1)):
        frame[column] = frame[column].astype(float).mask(rng.random(len(frame)) < share)
    data = {"source": write_csv(frame, tmp_path), "missing": "impute"}
    controls = [{"column": "size", "transform": "log"}, "exporter"]
    plain = analysis_dict(
        "bernoulli", "additive", {"cluster": ["intercept"]}, data, controls=controls
    )
    analysis = Analysis.model_validate(plain | {"sampling": {"seed": 4, "target_accept": 0.95}})
    options = Options(replications=60, draws=300, tune=300)
    (form,) = calibrate_analysis(analysis, options, tmp_path).results.forms
    assert form.passed >= 40
    assert min(row.p_corrected for row in form.rows) > 0.001
    names = {row.name for row in form.rows}
    assert {"mean of imputed_log(size)", "imputation_exporter_slope[log(size)]"} <= names


def _with_more_noise(design, draw, rng):
    data = simulate(design, draw, rng)
    first, second = data.design.outcome, simulate(design, draw, rng).design.outcome
    # the difference of two draws is noise alone, sqrt(2) times that of the model
    return with_outcome(data, first + 2 * (first - second))
