from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import bayescluster as bc
from bayescluster.app.run import fit_analysis, run_analysis
from bayescluster.features.explorer.compute import unpacked
from bayescluster.features.explorer.results import Explorer
from bayescluster.runs.find import list_runs
from bayescluster.runs.layout import EXPLORER
from bayescluster.runs.store import RunDirectory
from bayescluster.structures import STRUCTURES
from tests.cli.small import call, write
from tests.instant import InstantSampler

FORMS = ("additive", "conjunctive")
PLAIN = {
    "structure: interaction": "structure: [additive, conjunctive]",
    "chains: 2": "chains: 4",
    "tune: 500": "tune: 10, prior_draws: 200",
    "  - {kind: effect, capital: human_capital, by: industry}": (
        "  - {kind: effect, capital: human_capital, by: industry}\n"
        "  - {kind: complementarity, by: all, min_support: 0}"
    ),
}
FITTING = [
    "preparing the model",
    "sampling 4 of 4 chains",
    "drawing the prior and replicated outcomes",
]
STEPS = [
    "Reading the firms",
    *(f"{form}: {step}" for form in FORMS for step in FITTING),
    *(f"{form}: computing effects, checks and verdicts" for form in FORMS),
    "Comparing the forms and averaging over them",
    "Writing the report of small",
]
AGAIN = [
    "Reading the firms",
    *(f"{form}: the posterior is there already: nothing is fitted again" for form in FORMS),
    *(f"{form}: the results are there already" for form in FORMS),
    "The results are there already",
    "The report is there already",
]


class Told:
    """Notes the steps it is told of."""

    def __init__(self) -> None:
        self.steps: list[str] = []

    def step(self, message: str) -> None:
        self.steps.append(message)

    def chain(self, state) -> None:
        """Take no notice."""


@pytest.fixture(scope="session")
def made(tmp_path_factory) -> Path:
    """A folder with a finished run of three forms, made once and copied by the tests."""
    folder = tmp_path_factory.mktemp("forms")
    write(folder, PLAIN)
    told = Told()
    with pytest.MonkeyPatch.context() as patch:
        InstantSampler().stand_in(patch)
        run_analysis(folder / "analysis.yaml", folder / "runs", told)
    (folder / "told.json").write_text(json.dumps(told.steps))
    return folder


@pytest.fixture(scope="session")
def whole(made) -> RunDirectory:
    """The run as it was made; not to be changed."""
    (path,) = (made / "runs" / "small").iterdir()
    return RunDirectory(path)


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """The analysis and its firms, in the working directory."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path, PLAIN)
    return tmp_path


@pytest.fixture
def plain_report(monkeypatch) -> None:
    """A report in one word, where the test is not of the report."""

    def write_report(results, directory: Path) -> None:
        (directory / "report.html").write_text(results.name)

    monkeypatch.setattr("bayescluster.report.render.write_report", write_report)


@pytest.fixture
def copied(made, folder) -> RunDirectory:
    """A copy of the finished run, with its analysis."""
    shutil.copytree(made, folder, dirs_exist_ok=True)
    (path,) = (folder / "runs" / "small").iterdir()
    return RunDirectory(path)


def _times(path: Path) -> dict[str, int]:
    return {
        item.relative_to(path).as_posix(): item.stat().st_mtime_ns
        for item in path.rglob("*")
        if item.is_file() and item.name not in {"manifest.json", ".lock"}
    }


def _go(folder: Path) -> tuple[Told, RunDirectory]:
    told = Told()
    return told, run_analysis(folder / "analysis.yaml", folder / "runs", told).directory


def test_each_form_is_a_run_of_its_own(made, whole):
    assert json.loads((made / "told.json").read_text()) == STEPS
    assert list(whole.read_manifest().stages) == ["forms", "results", "explorer", "report"]
    assert whole.read_manifest().forms == FORMS
    for form, run in whole.forms().items():
        assert set(run.read_manifest().stages) == {*("design", "sampling", "posterior", "results")}
        results = run.load_results()
        assert (results.model.structure, results.comparison) == (form, None)
        assert results.title == f"small: {form}"
        # the answer is in the report of all; that of one form is written when asked for
        assert not (run.path / "report.html").exists()
    assert whole.verify() == []


def test_a_form_has_the_key_that_it_has_alone(whole, folder, instant):
    write(folder, PLAIN | {"structure: interaction": "structure: additive"})
    alone = fit_analysis(folder / "analysis.yaml", folder / "runs")
    inside = whole.forms()["additive"]
    assert alone.path.name == inside.read_manifest().key
    assert whole.read_manifest().key not in {run.read_manifest().key for run in (alone, inside)}
    assert instant.compiled == 1


def test_the_explorer_has_the_draws_of_every_form(whole):
    document = (whole.path / EXPLORER).read_text()
    found = Explorer.model_validate_json(document)
    assert found.forms == tuple(FORMS)
    by_form = [[one for one in found.surfaces if one.form == k] for k in range(len(FORMS))]
    assert len({len(surfaces) for surfaces in by_form}) == 1
    values, each = unpacked(found), len(by_form[0])
    parts = [values[k * each : (k + 1) * each].mean() for k in range(len(FORMS))]
    assert len(set(parts)) == len(FORMS)
    assert found.data in whole.report_path.read_text()
    assert whole.verify() == []


@pytest.mark.usefixtures("plain_report")
def test_other_claims_keep_every_posterior(copied, folder, instant):
    before = _times(copied.path)
    text = (folder / "analysis.yaml").read_text().replace("by: industry", "by: all")
    (folder / "analysis.yaml").write_text(text)
    told, again = _go(folder)
    assert told.steps == [*AGAIN[:3], *STEPS[7:]]
    assert instant.compiled == 0
    after = _times(copied.path)
    for form in FORMS:
        assert after[f"forms/{form}/posterior.nc"] == before[f"forms/{form}/posterior.nc"]
    assert {verdict.group for verdict in again.load_results().verdicts} == {"all"}
    assert again.verify() == []


@pytest.mark.usefixtures("plain_report")
def test_a_stopped_run_goes_on_where_it_stopped(whole, folder, instant):
    instant.stop_after = 2
    with pytest.raises(KeyboardInterrupt):
        _go(folder)
    (listed,) = list_runs(folder / "runs")
    assert (listed.status, listed.forms) == ("interrupted", FORMS)
    stopped = RunDirectory(listed.path)
    assert stopped.verify() == []
    instant.stop_after = None
    told, resumed = _go(folder)
    assert told.steps[1:4] == [
        "additive: preparing the model",
        "additive: sampling 2 of 4 chains (2 kept from before)",
        "additive: drawing the prior and replicated outcomes",
    ]
    assert instant.sampled == [0, 1, 2, 3] * 2
    assert resumed.verify() == []
    (listed,) = list_runs(folder / "runs")
    assert listed.status == "done"
    ours, never_stopped = resumed.load_results(), whole.load_results()
    assert ours.comparison == never_stopped.comparison
    assert ours.verdicts == never_stopped.verdicts
    assert ours.effects == never_stopped.effects


@pytest.mark.parametrize("place", ["report.html", "forms/conjunctive/posterior.nc"])
def test_verify_looks_at_every_form(copied, place):
    path = copied.path / place
    path.write_bytes(path.read_bytes() + b"x")
    (problem,) = copied.verify()
    assert problem.where == str(path)
    assert "its checksum has changed" in problem.what


def test_verify_tells_of_a_form_that_is_lost_and_of_a_strange_file(copied):
    shutil.rmtree(copied.path / "forms" / "conjunctive")
    (copied.path / "forms" / "notes.txt").write_text("mine")
    found = copied.verify()
    assert [problem.where for problem in found] == [
        str(copied.path / "forms" / "notes.txt"),
        str(copied.path / "forms" / "conjunctive" / "manifest.json"),
    ]
    assert [problem.what for problem in found] == [
        "the manifest does not know this file",
        "the file cannot be read: No such file or directory",
    ]


def test_weights_and_scores(whole):
    results = whole.load_results()
    found = results.comparison
    assert results.title == "small"
    assert found.criterion == "leave-one-cluster-out"
    assert [row.form for row in found.forms] == list(FORMS)
    assert sum(row.weight for row in found.forms) == pytest.approx(1)
    assert found.leading == max(found.forms, key=lambda row: row.weight).form
    assert results.model.structure == found.leading
    for criterion in ("rows", "clusters"):
        scores = [getattr(row, criterion) for row in found.forms]
        best = max(score.elpd for score in scores)
        for score in scores:
            assert score.difference == pytest.approx(score.elpd - best)
            assert (score.difference_se == 0) == (score.elpd == best)
    for form, run in whole.forms().items():
        row = next(row for row in found.forms if row.form == form)
        assert row.rows.elpd == pytest.approx(run.load_results().loo.elpd)
        mine = [one for one in found.clusters if one.form == form]
        assert [one.cluster for one in mine] == ["Hsinchu", "Ludhiana", "Penang", "Sialkot"]
        assert sum(one.elpd for one in mine) == pytest.approx(row.clusters.elpd)
        assert sum(one.rows for one in mine) == 14


def test_verdicts_are_those_of_the_plausible_form_that_is_least_sure(whole):
    results = whole.load_results()
    rows = {row.form: row for row in results.comparison.forms}
    behind = {form: -row.rows.difference for form, row in rows.items()}
    for form, row in rows.items():
        assert row.plausible == (behind[form] <= max(4, 2 * row.rows.difference_se))
        assert 0 <= row.non_compensatory_probability <= 1
    own = {form: run.load_results() for form, run in whole.forms().items()}
    for k, verdict in enumerate(results.verdicts):
        asked = [own[form].verdicts[k] for form, row in rows.items() if row.plausible]
        least = min(asked, key=lambda one: abs(one.probability - 0.5))
        assert verdict.probability == least.probability
        assert verdict.prior_probability == least.prior_probability
        assert "Probability by form: " in verdict.reason


def test_averages_are_those_of_the_forms_by_weight(whole):
    results = whole.load_results()
    weights = {row.form: row.weight for row in results.comparison.forms}
    own = {form: run.load_results() for form, run in whole.forms().items()}
    for kind in ("effects", "corners"):
        rows = _rows(results, kind)
        for k, row in enumerate(rows):
            parts = [_rows(own[form], kind)[k].estimate for form in weights]
            share = np.array(list(weights.values()))
            mean = share @ [part.mean for part in parts]
            square = share @ [part.sd**2 + part.mean**2 for part in parts]
            sd = np.sqrt(square - mean**2)
            assert abs(row.estimate.mean - mean) < 0.1 * sd
            assert row.estimate.sd == pytest.approx(sd, rel=0.1)
            assert row.estimate.rhat is None


def _rows(results, kind):
    return results.effects if kind == "effects" else results.corners[0].rows


@pytest.mark.usefixtures("plain_report", "folder")
def test_a_form_that_failed_its_gate_stops_the_verdicts(instant):
    instant.apart = 1.0
    found = call("run", "analysis.yaml", "--json")
    assert found.code == 4
    said = json.loads(found.out)
    assert said["gate_passed"] is False
    assert [row["form"] for row in said["forms"]] == list(FORMS)
    for verdict in said["verdicts"]:
        assert verdict["verdict"] == "undecided"
        assert "failed: the probability cannot be relied on." in verdict["reason"]
    results = RunDirectory(Path(said["run"])).load_results()
    lines = [item for item in results.gate.items if item.name.endswith(": gate")]
    assert len(lines) == 1
    counted = {row.form for row in results.comparison.forms if row.plausible or row.weight > 0.01}
    for line in lines:
        assert line.passed is (line.name.removesuffix(": gate") not in counted)


@pytest.mark.usefixtures("plain_report")
def test_without_clusters_rows_are_left_out(folder, instant):
    swaps = PLAIN | {"  cluster: cluster\n": "", "      cluster: [intercept]\n": ""}
    write(folder, swaps)
    _, directory = _go(folder)
    found = directory.load_results().comparison
    assert found.criterion == "PSIS-LOO"
    assert found.criterion_reason == "clusters cannot be left out: the data declare no clusters"
    assert found.clusters == ()
    assert all(row.clusters is None for row in found.forms)
    assert [row.weight for row in found.forms] == [row.rows.weight for row in found.forms]
    assert instant.compiled == 2


def test_show_list_verify_and_report(copied, folder):
    path = str(copied.path)
    shown = call("show", path, "--section", "forms").out
    assert all(form in shown for form in FORMS)
    assert "gate passed, 2 forms" in call("runs", "list").out
    assert call("runs", "verify", path).out == f"{path}: every file is as it was written.\n"
    before = _times(copied.path)
    assert call("report", f"{path}/forms/conjunctive").code == 0
    one = _times(copied.path)
    assert set(before) - set(one) == set()
    assert "forms/conjunctive/report.html" in one
    assert call("report", path).code == 0
    after = _times(copied.path)
    assert after["report.html"] > before["report.html"]
    # what was asked for before is kept up to date
    assert after["forms/conjunctive/report.html"] > one["forms/conjunctive/report.html"]
    assert "forms/additive/report.html" not in after
    own = Explorer.model_validate_json((copied.path / "forms/conjunctive" / EXPLORER).read_text())
    assert own.forms == ("conjunctive",)
    # and after other claims as well
    text = (folder / "analysis.yaml").read_text().replace("by: industry", "by: all")
    (folder / "analysis.yaml").write_text(text)
    told, _ = _go(folder)
    assert [step for step in told.steps if "report" in step] == [
        "conjunctive: writing the report of small",
        "Writing the report of small",
    ]
    assert after["results.json"] == before["results.json"]
    assert copied.verify() == []
    assert call("show", f"{path}/forms/conjunctive").code == 0


@pytest.mark.usefixtures("folder")
def test_validate_lists_the_forms():
    found = call("validate", "analysis.yaml")
    assert (
        "  2 forms, each fitted by itself, then compared and averaged: additive, conjunctive\n"
        "  additive: a + b_H H + b_S S\n"
        "  additive, varying by industry (2 groups): intercept, human_capital\n"
        "  additive, varying by cluster (4 groups): intercept\n"
        f"  conjunctive: {STRUCTURES['conjunctive'].formula}\n"
        "  conjunctive, varying by industry (2 groups): neither, human_only, social_only, both\n"
        "  conjunctive, varying by cluster (4 groups): intercept\n"
    ) in found.out
    said = json.loads(call("validate", "analysis.yaml", "--json").out)
    assert said["structure"] == "additive, conjunctive"


def test_from_python(copied):
    run = bc.open_run(copied.path)
    assert list(run.forms) == list(FORMS)
    table = run.comparison
    assert table["form"].tolist() == list(FORMS)
    assert table["weight"].sum() == pytest.approx(1)
    assert {"clusters_elpd", "rows_difference_se"} <= set(table.columns)
    leading = run.results.comparison.leading
    assert run.design.structure.name == leading
    assert run.posterior.identical(run.forms[leading].posterior)
    assert run.effect_draws().sizes["chain"] == 4
    alone = bc.open_run(copied.path / "forms" / "conjunctive")
    assert (alone.forms, alone.comparison.empty) == ({}, True)


@pytest.mark.parametrize(
    ("structure", "said"),
    [
        ("[ces, ces]", "a form is listed twice"),
        (
            "[intercept, ces]",
            "'intercept' uses neither capital and is not compared with other forms: leave it out of the list",
        ),
    ],
)
def test_lists_that_make_no_sense(folder, structure, said):
    write(folder, PLAIN | {"structure: interaction": f"structure: {structure}"})
    found = call("validate", "analysis.yaml")
    assert found.code == 2
    assert said in found.err
