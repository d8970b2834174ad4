"""Prediction by leaving out, from a finished run to its report; the sampler is instant."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import bayescluster as bc
from bayescluster.app.report import open_design
from bayescluster.app.run import run_analysis
from bayescluster.checks.loo import RowScores, stacking_weights
from bayescluster.errors import FitError
from bayescluster.runs.store import RunDirectory
from bayescluster.studies.folds import rows as folds_rows
from bayescluster.studies.folds import study as folds
from bayescluster.studies.folds.refits import Options, held_out, notes, refusals
from bayescluster.studies.folds.rows import IntegratedScore
from bayescluster.studies.folds.study import leave_out
from tests.cli.small import call, write
from tests.factories import firms, small_design
from tests.instant import InstantSampler
from tests.measured import CONSTRUCTS, measured_firms
from tests.systems import equation, system
from tests.workflow.left_out_made import InstantLeftOut

PLAIN = {"tune: 500": "tune: 10, prior_draws: 200"}
FORMS = PLAIN | {"structure: interaction": "structure: [additive, conjunctive]"}
CLUSTERS = Options("cluster", draws=200, tune=50, jobs=1)


def finished(folder: Path, swaps=PLAIN) -> Path:
    """A folder with a finished run of the small analysis."""
    write(folder, swaps)
    with pytest.MonkeyPatch.context() as patch:
        InstantSampler().stand_in(patch)
        run_analysis(folder / "analysis.yaml", folder / "runs")
    return folder


@pytest.fixture(scope="module")
def one_form(tmp_path_factory) -> Path:
    return finished(tmp_path_factory.mktemp("one"))


@pytest.fixture(scope="module")
def two_forms(tmp_path_factory) -> Path:
    return finished(tmp_path_factory.mktemp("two"), FORMS)


def copied(made: Path, folder: Path) -> RunDirectory:
    shutil.copytree(made, folder, dirs_exist_ok=True)
    return RunDirectory.open(folder / "runs" / "small")


@pytest.fixture
def run(one_form, tmp_path, monkeypatch) -> RunDirectory:
    monkeypatch.chdir(tmp_path)
    return copied(one_form, tmp_path)


@pytest.fixture(autouse=True)
def report(request, monkeypatch) -> None:
    """Reports take seconds to draw: they are written only where a test looks at them."""
    if "drawn" not in request.fixturenames:
        monkeypatch.setattr(folds, "write_run_report", lambda _run, _results: None)


@pytest.fixture
def drawn() -> None:
    """Say that a test looks at the report."""


@pytest.fixture
def refits(monkeypatch) -> InstantLeftOut:
    stand_in = InstantLeftOut()
    stand_in.stand_in(monkeypatch)
    return stand_in


def test_every_cluster_is_left_out_once(run, refits):
    found = leave_out(run, CLUSTERS).results.cluster
    assert refits.compiled == 1
    cluster = open_design(run).index("cluster")
    assert refits.held == [tuple(np.flatnonzero(cluster == k)) for k in range(4)]
    assert len({sampling.seed for sampling in refits.samplings}) == 4
    assert [row.group for row in found.rows] == list(open_design(run).group_labels("cluster"))
    assert [row.rows for row in found.rows] == list(np.bincount(cluster))
    (form,) = found.forms
    assert (form.groups, form.counted, form.diag_refits, form.diag_failed) == (4, 4, 4, 0)
    assert form.elpd == pytest.approx(sum(row.elpd for row in found.rows))
    assert form.psis == pytest.approx(sum(row.psis for row in found.rows))
    errors = [row.mcse for row in found.rows]
    assert form.mcse == pytest.approx(np.linalg.norm(errors))
    assert form.se == pytest.approx(2 * np.std([row.elpd for row in found.rows], ddof=1))
    assert run.verify() == []


def test_refits_are_made_once_and_go_on_after_an_interruption(run, refits):
    refits.stop_after = 2
    with pytest.raises(KeyboardInterrupt):
        leave_out(run, CLUSTERS)
    assert len(list(run.path.glob("folds/cluster-*/0*.json"))) == 2
    assert run.verify() == []
    assert run.read_manifest().stages["folds"].status == "interrupted"
    refits.stop_after = None
    whole = leave_out(run, CLUSTERS).results
    assert len(refits.held) == len(set(refits.held)) == 4
    compiled = refits.compiled
    assert leave_out(run, CLUSTERS).results == whole
    assert (refits.compiled, len(refits.held)) == (compiled, 4)
    # what others settings find stands beside it, and does not take its place
    leave_out(run, CLUSTERS._replace(draws=250))
    assert len(refits.held) == 8
    assert leave_out(run, CLUSTERS).results == whole
    assert run.verify() == []


def test_an_altered_refit_is_made_again(run, refits):
    whole = leave_out(run, CLUSTERS).results
    (path,) = run.path.glob("folds/cluster-*/002.json")
    path.write_text(path.read_text().replace('"rows"', '"Rows"'))
    assert leave_out(run, CLUSTERS).results == whole
    assert len(refits.held) == 5
    path.unlink()
    assert leave_out(run, CLUSTERS).results == whole
    assert len(refits.held) == 6


@pytest.mark.usefixtures("drawn", "refits")
def test_clusters_and_industries_stand_side_by_side(run):
    leave_out(run, CLUSTERS)
    both = leave_out(run, CLUSTERS._replace(by="industry")).results
    assert [part.by for part in both.groups] == ["cluster", "industry"]
    assert [row.group for row in both.industry.rows] == ["Electronics", "Goods"]
    page = run.report_path.read_text(encoding="utf-8")
    assert "over all 4 clusters" in page
    assert "over all 2 industries" in page
    assert "Standard errors rest on 4 clusters, and are themselves rough." in page
    # writing the report again keeps it
    assert call("report", str(run.path)).code == 0
    assert run.report_path.read_text(encoding="utf-8") == page


@pytest.mark.usefixtures("drawn")
def test_a_refit_that_fails_is_tried_again_then_named_and_does_not_count(run, refits):
    refits.apart, refits.apart_without = 5.0, 0
    found = leave_out(run, CLUSTERS).results.cluster
    first, second = (s for s, held in zip(refits.samplings, refits.held, strict=True) if 0 in held)
    assert (first.draws, first.target_accept) == (200, 0.9)
    assert (second.draws, second.target_accept) == (400, 0.99)
    (bad,) = (row for row in found.rows if not row.counts)
    assert (
        bad.group == open_design(run).group_labels("cluster")[open_design(run).index("cluster")[0]]
    )
    assert bad.why.startswith("R-hat ")
    assert bad.elpd is not None
    (form,) = found.forms
    counted = [row for row in found.rows if row.counts]
    assert (form.counted, form.diag_failed, form.diag_second) == (3, 1, 1)
    assert form.elpd == pytest.approx(sum(row.elpd for row in counted))
    assert form.psis == pytest.approx(sum(row.psis for row in counted))
    page = run.report_path.read_text(encoding="utf-8")
    assert f"{bad.group} does not count: R-hat" in page
    assert "over 3 of 4 clusters" in page


@pytest.mark.usefixtures("drawn")
def test_a_refit_that_cannot_be_made_is_named(run, refits):
    refits.fault = FitError("chain 1 stopped: no start")
    found = leave_out(run, CLUSTERS).results.cluster
    (form,) = found.forms
    assert (form.counted, form.diag_refits, form.diag_failed, form.elpd) == (0, 0, 4, 0.0)
    assert form.weight is None
    assert {row.why for row in found.rows} == {"chain 1 stopped: no start"}
    page = run.report_path.read_text(encoding="utf-8")
    assert "no refit passed its gate: there is no elpd." in page.lower()


def test_several_groups_at_once_are_balanced():
    frame = firms(90, 2, 5)
    frame = frame[(frame["cluster"] != "C00") | (frame.index > 45)]
    design = small_design("bernoulli", "additive", {"cluster": ["intercept"]}, frame=frame)
    for count in (2, 3, 10):
        found = held_out(design, Options("cluster", count))
        assert [one.number for one in found] == list(range(1, count + 1))
        labels = [label for one in found for label in one.labels]
        assert sorted(labels) == sorted(design.group_labels("cluster"))
        rows = np.concatenate([one.rows for one in found])
        assert sorted(rows) == list(range(design.size))
        sizes = [one.rows.size for one in found]
        assert max(sizes) - min(sizes) <= 9  # the largest cluster
        for one in found:
            for label, part in zip(one.labels, one.parts, strict=True):
                at = design.group_labels("cluster").index(label)
                assert (design.index("cluster")[part] == at).all()


def test_groups_left_out_together_are_scored_each_by_itself(run, refits):
    found = leave_out(run, CLUSTERS._replace(folds=2)).results.cluster
    assert found.folds == 2
    assert len(refits.held) == 2
    assert [row.group for row in found.rows] == list(open_design(run).group_labels("cluster"))
    assert {row.fold for row in found.rows} == {1, 2}
    assert sum(row.rows for row in found.rows) == 14


@pytest.mark.usefixtures("drawn")
def test_forms_are_compared_over_the_same_groups(two_forms, tmp_path, refits):
    run = copied(two_forms, tmp_path)
    found = leave_out(run, CLUSTERS).results.cluster
    assert refits.compiled == 2
    assert [form.form for form in found.forms] == ["additive", "conjunctive"]
    elpd = np.array(
        [[row.elpd for row in found.rows if row.form == form.form] for form in found.forms]
    ).T
    psis = np.array(
        [[row.psis for row in found.rows if row.form == form.form] for form in found.forms]
    ).T
    np.testing.assert_allclose([form.weight for form in found.forms], stacking_weights(elpd))
    np.testing.assert_allclose([form.psis_weight for form in found.forms], stacking_weights(psis))
    best = int(elpd.sum(axis=0).argmax())
    for k, form in enumerate(found.forms):
        less = elpd[:, k] - elpd[:, best]
        assert form.difference == pytest.approx(less.sum())
        assert form.difference_se == pytest.approx(2 * less.std(ddof=1))
    for form in run.forms().values():
        own = json.loads((form.path / "folds.json").read_text())
        assert len(own["cluster"]["forms"]) == 1
        assert not form.report_path.exists()
    assert run.verify() == []
    page = run.report_path.read_text(encoding="utf-8")
    assert "importance sampling says" in page


def test_a_group_that_fails_under_one_form_counts_under_none(two_forms, tmp_path, refits):
    run = copied(two_forms, tmp_path)
    leave_out(run, CLUSTERS)
    refits.apart, refits.apart_without = 5.0, 0
    for path in run.path.glob("forms/additive/folds/cluster-*/0*.json"):
        path.unlink()
    again = leave_out(run, CLUSTERS).results.cluster
    assert [form.counted for form in again.forms] == [3, 3]
    assert [form.diag_failed for form in again.forms] == [1, 0]


@pytest.mark.parametrize(
    ("swaps", "message"),
    [
        (
            {},
            (
                "The analysis cannot be read:\n"
                "  --folds: 9 folds of 4 clusters\n"
                "    ask for 2 to 4 folds, or for none: then each cluster is left out alone\n"
            ),
        ),
        (
            {"  cluster: cluster\n": "", "      cluster: [intercept]\n": ""},
            (
                "The analysis cannot be read:\n"
                "  --leave-out: the data declare no clusters\n"
                "    name the column in data.cluster, or leave out something else: cluster, industry, row\n"
            ),
        ),
    ],
)
def test_what_cannot_be_asked_is_refused(tmp_path, monkeypatch, refits, swaps, message):
    monkeypatch.chdir(tmp_path)
    finished(tmp_path, PLAIN | swaps)
    found = call("check", "runs/small", "--leave-out", "cluster", "--folds", "9")
    assert (found.code, found.out) == (2, "")
    assert found.err == message
    assert refits.compiled == 0


def test_the_terminal_tells_scores_and_where_the_report_is(run, refits):
    quick = ("--draws", "200", "--tune", "50", "--jobs", "1")
    found = call("check", "runs/small", "--leave-out", "cluster", *quick)
    assert found.code == 0, found.err
    lines = found.out.splitlines()
    assert lines[0] == (
        "Each of 4 clusters was left out in a refit of its own, 2 chains of 200 draws after 50 of "
        "tuning."
    )
    head = next(k for k, line in enumerate(lines) if line.split()[:2] == ["Cluster", "Rows"])
    groups = [line.split()[0] for line in lines[head + 1 : head + 5]]
    assert groups == ["Hsinchu", "Ludhiana", "Penang", "Sialkot"]
    assert lines[-1] == f"Report: {Path('runs/small') / run.path.name / 'report.html'}"
    assert "4 refits" in found.err
    again = call("check", "runs/small", "--leave-out", "cluster", *quick, "--json")
    assert json.loads(again.out) == json.loads((run.path / "folds.json").read_text())
    assert "All refits are there already" in again.err
    assert len(refits.held) == 4


def test_an_interruption_says_how_to_go_on(run, refits):
    refits.stop_after = 1
    found = call("check", str(run.path), "--leave-out", "cluster", "--jobs", "1")
    assert (found.code, found.out) == (130, "")
    assert found.err.splitlines()[-1] == (
        "Interrupted. Finished refits are kept: the same command goes on from them."
    )


@pytest.mark.usefixtures("refits")
def test_from_python(run):
    opened = bc.open_run(run.path)
    assert opened.left_out is None
    found = opened.leave_out("cluster", draws=200, tune=50)
    assert opened.left_out == found
    assert found.cluster.draws == 200
    with pytest.raises(ValueError, match="unknown by 'firm'"):
        opened.leave_out("firm")
    with pytest.raises(ValueError, match="unknown setting 'drawz'"):
        opened.leave_out("cluster", drawz=3)


ROWS = Options("row", most=2, draws=200, tune=50, jobs=1)


class Scores:
    """Rows 3, 1 and 6 have weights that fail; integrating out repairs row 1."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        patch.setattr(folds_rows, "leave_row_out", self.rows)
        patch.setattr(folds_rows, "integrated_row", self.integrated)
        self.elpd = np.linspace(-2.0, -0.5, 14)

    def rows(self, _design, _tree) -> RowScores:
        khat = np.full(14, 0.1)
        khat[[3, 1, 6]] = 1.2, 0.9, np.nan
        return RowScores(self.elpd, khat, 0.7, 1.0, 2.0)

    def integrated(self, _design, _draws, row) -> IntegratedScore:
        return IntegratedScore(-1.5, 0.3 if row == 1 else 0.8, 0.7)


@pytest.fixture
def scores(monkeypatch) -> Scores:
    return Scores(monkeypatch)


@pytest.mark.usefixtures("drawn")
def test_rows_that_fail_are_integrated_then_refitted(run, refits, scores):
    found = leave_out(run, ROWS).results.row
    assert refits.held == [(6,), (3,)]  # what has no Pareto k at all comes first
    labels = open_design(run).labels("firm")
    assert [(row.row, row.way) for row in found.repairs] == [
        (labels[6], "refit"),
        (labels[3], "refit"),
        (labels[1], "integrated"),
    ]
    refitted = {row.row: row.refit for row in found.repairs if row.way == "refit"}
    wanted = scores.elpd.copy()
    wanted[[1, 3, 6]] = -1.5, refitted[labels[3]], refitted[labels[6]]
    (form,) = found.forms
    assert form.elpd == pytest.approx(wanted.sum())
    assert form.psis == pytest.approx(scores.elpd.sum())
    assert form.se == pytest.approx(np.sqrt(14) * wanted.std(ddof=1))
    assert (form.diag_khat_bad, form.diag_integrated, form.diag_refits) == (3, 1, 2)
    assert (form.diag_left, form.diag_failed, form.diag_khat_max) == (0, 0, 1.2)
    assert run.verify() == []
    page = run.report_path.read_text(encoding="utf-8")
    assert "Of the rows above the threshold (there are 3), repaired by integrating out: 1" in page


@pytest.mark.usefixtures("scores")
def test_more_refits_go_on_from_those_that_are_there(run, refits):
    few = leave_out(run, ROWS._replace(most=1)).results.row
    assert [row.way for row in few.repairs] == ["refit", "left", "integrated"]
    assert few.repairs[1].why == "more rows than --most allows"
    assert few.forms[0].diag_left == 1
    assert few.forms[0].elpd != leave_out(run, ROWS).results.row.forms[0].elpd
    assert refits.held == [(6,), (3,)]
    none = leave_out(run, ROWS._replace(most=0)).results.row
    assert [row.way for row in none.repairs] == ["left", "left", "integrated"]
    assert len(refits.held) == 2


@pytest.mark.usefixtures("scores")
def test_a_row_whose_refit_fails_is_not_repaired(run, refits):
    refits.apart, refits.apart_without = 5.0, 3
    found = leave_out(run, ROWS).results.row
    bad = next(row for row in found.repairs if row.way == "left")
    assert bad.row == open_design(run).labels("firm")[3]
    assert bad.why.startswith("R-hat ")
    assert bad.refit is not None
    assert (found.forms[0].diag_failed, found.forms[0].diag_left) == (1, 1)


@pytest.mark.usefixtures("run")
def test_rows_that_are_well_need_no_refit(refits, monkeypatch):
    good = RowScores(np.full(14, -0.7), np.full(14, 0.2), 0.7, 1.0, 2.0)
    monkeypatch.setattr(folds_rows, "leave_row_out", lambda _design, _tree: good)
    found = call("check", "runs/small", "--leave-out", "row")
    assert found.code == 0, found.err
    assert "no row is above the threshold: elpd −9.8 is unchanged." in found.out
    assert refits.compiled == 0


def test_rows_of_several_forms(two_forms, tmp_path, scores, refits):
    run = copied(two_forms, tmp_path)
    found = leave_out(run, ROWS).results.row
    assert refits.compiled == 2
    assert [form.form for form in found.forms] == ["additive", "conjunctive"]
    assert [row.form for row in found.repairs] == ["additive"] * 3 + ["conjunctive"] * 3
    assert sum(form.weight for form in found.forms) == pytest.approx(1.0)
    again = call("check", str(run.path), "--leave-out", "row", "--most", "2", "--draws", "200",
                 "--tune", "50")  # fmt: skip
    assert again.code == 0, again.err
    assert "Rows left out one by one" in again.out
    assert scores.elpd.size == 14


def test_rows_have_no_folds(run):
    found = call("check", str(run.path), "--leave-out", "row", "--folds", "3")
    assert (found.code, found.out) == (2, "")
    assert found.err == (
        "The analysis cannot be read:\n"
        "  --folds: rows are left out one by one\n"
        "    leave --folds out\n"
    )


def test_designs_that_cannot_be_refitted_say_why_and_what_instead():
    frame = firms()
    frame.loc[3, "growth"] = np.nan
    holes = small_design("gaussian", "additive", data={"missing": "impute"}, frame=frame)
    frame = firms()
    frame["weight"] = 1.0 + frame.index % 2
    frame["cluster_weight"] = 1.0 + (frame["cluster"] == "C00")
    weighted = {"weight": "weight", "cluster_weight": "cluster_weight"}
    clusters = small_design(
        "gaussian", "additive", {"cluster": ["intercept"]}, data=weighted, frame=frame
    )
    rows = small_design("gaussian", "additive", data={"weight": "weight"}, frame=frame)
    assert [str(problem) for problem in refusals(holes)] == [
        (
            "upgrading: missing values are imputed, with the help of the rows that would be left out\n"
            "    set data.missing: drop and leave groups out of that run; the report's PSIS-LOO leaves "
            "out rows of such a model without refits"
        )
    ]
    assert [str(problem) for problem in refusals(clusters)] == [
        (
            "upgrading: clusters have survey weights: the effect of a cluster without rows would still "
            "count with its weight\n"
            "    leave data.cluster_weight out of the analysis and run it again; row weights are kept"
        )
    ]
    assert [*refusals(rows)] == []
    assert "survey weight" in [*notes(rows, CLUSTERS)][-1]


def test_firms_in_a_summary_are_refused():
    design = small_design("bernoulli", "additive")
    known = replace(design, data=design.data.assign_attrs(likelihood="quadratic 200000"))
    (problem,) = refusals(known)
    assert problem.what == (
        "the likelihood of 200,000 firms is summarised: none can be left out of it"
    )
    assert "random sample" in problem.mend


def test_several_equations_and_latent_capitals_are_refused():
    tied = system(
        {"process": equation("process"), "upgrading": equation("upgraded")}, focus="upgrading"
    )
    assert [problem.what for problem in refusals(tied)] == [
        "several equations were fitted together: a group cannot be left out of one alone"
    ]
    latent = small_design(
        "bernoulli",
        "additive",
        constructs=CONSTRUCTS["human latent"],
        frame=measured_firms(),
    )
    assert [problem.what for problem in refusals(latent)] == [
        "human_capital is latent: its indicators would still speak of the rows left out"
    ]
    assert "constructs.*.method: mean" in next(refusals(latent)).mend
