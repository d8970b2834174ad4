from __future__ import annotations

from inspect import signature
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import bayescluster as bc
from bayescluster.inference.nuts import sample_chains
from bayescluster.runs.store import RunDirectory

INDUSTRIES = ["I0", "I1"]
CLUSTERS = [f"C{k:02d}" for k in range(8)]
TERMS = ["intercept", "human_capital", "social_capital", "interaction"]


@pytest.fixture(scope="module")
def run(small_run):
    return small_run.run


def test_groups_of_the_posterior(run):
    assert sorted(run.posterior.children) == [
        "observed_data",
        "posterior",
        "prior",
        "sample_stats",
    ]


def test_draws_are_named(run):
    posterior = run.posterior["posterior"].to_dataset()
    assert dict(posterior.sizes) == {
        "chain": 2,
        "draw": 150,
        "term": 4,
        "control": 1,
        "industry": 2,
        "industry_term": 2,
        "cluster": 8,
        "cluster_term": 1,
    }
    dims = {name: values.dims[2:] for name, values in posterior.items()}
    # non-centred effects are drawn by way of standard normals, which nobody reports
    assert {name: named for name, named in dims.items() if not name.endswith("_z")} == {
        "population": ("term",),
        "controls": ("control",),
        "industry_sd": ("industry_term",),
        "industry_effect": ("industry", "industry_term"),
        "cluster_sd": ("cluster_term",),
        "cluster_effect": ("cluster", "cluster_term"),
    }
    assert posterior["term"].to_numpy().tolist() == TERMS
    assert posterior["industry"].to_numpy().tolist() == INDUSTRIES
    assert posterior["cluster"].to_numpy().tolist() == CLUSTERS
    assert posterior["control"].to_numpy().tolist() == ["log(size)"]
    assert all(np.isfinite(values).all() for values in posterior.values())


def test_rows_are_named_after_the_firms(run):
    for rows in (run.replicated(), run.log_likelihood()):
        values = rows["upgrading"]
        assert values.dims == ("chain", "draw", "firm")
        assert values.shape == (2, 150, 200)
        assert values["firm"].to_numpy().tolist()[:2] == ["f00", "f01"]
    observed = run.posterior["observed_data"]["upgrading"]
    assert observed.dims == ("firm",)
    assert set(observed.to_numpy().tolist()) == {0.0, 1.0}
    assert run.posterior["prior"]["population"].sizes["draw"] == 300
    assert run.replicated("prior")["upgrading"].shape == (1, 300, 200)


@pytest.mark.parametrize(
    ("by", "groups"), [("all", ["all"]), ("industry", INDUSTRIES), ("cluster", CLUSTERS)]
)
@pytest.mark.parametrize("measure", ["average_marginal_effect", "contrast"])
def test_effects_are_the_means_of_their_draws(by, groups, measure, run):
    table = run.effects(by=by, measure=measure)
    assert table["group"].tolist() == groups * 2
    assert table["capital"].unique().tolist() == ["human_capital", "social_capital"]
    draws = run.effect_draws(by=by, measure=measure)
    assert draws.dims == ("capital", "chain", "draw", by)
    assert draws.sizes["chain"] == 2
    assert draws.sizes["draw"] == 150
    assert draws[by].to_numpy().tolist() == groups
    means = draws.mean(("chain", "draw")).to_numpy().ravel()
    np.testing.assert_allclose(table["mean"], means, rtol=1e-9)
    positive = (draws > 0).mean(("chain", "draw")).to_numpy().ravel()
    np.testing.assert_allclose(table["positive"], positive, atol=1e-12)
    assert (table["low"] < table["mean"]).all()
    assert (table["mean"] < table["high"]).all()


def test_effect_for_all_is_the_mean_over_firms(run):
    industries = run.effects(by="industry")
    weighted = (industries["mean"] * industries["rows"]).groupby(industries["capital"]).sum()
    rows = industries["rows"].groupby(industries["capital"]).sum()
    expected = run.effects(by="all").set_index("capital")["mean"]
    np.testing.assert_allclose((weighted / rows)[expected.index], expected, rtol=1e-9)


def test_verdicts(run):
    table = run.verdicts
    assert list(table.columns) == [
        "title",
        "group",
        "scope",
        "verdict",
        "probability",
        "mcse",
        "prior_probability",
        "odds_ratio",
        "region",
        "reason",
    ]
    assert len(table) == 4
    assert table["probability"].between(0, 1).all()
    assert set(table["verdict"]) <= {"supported", "rejected", "undecided"}


def test_probability_of_a_verdict_is_the_share_of_draws(run):
    draws = run.effect_draws(by="industry").sel(capital="human_capital")
    share = (draws > 0).mean(("chain", "draw")).to_numpy()
    found = run.verdicts.iloc[:2]
    assert found["group"].tolist() == INDUSTRIES
    np.testing.assert_allclose(found["probability"], share, atol=1e-12)


def test_diagnostics(run):
    table = run.diagnostics
    assert {"name", "passed", "found", "threshold"} <= set(table.columns)
    assert run.results.gate.passed == all(value is True for value in table["passed"])


def test_corners(run):
    table = run.corners(by="industry")
    assert len(table) == 8 * table["declared"].nunique()
    assert set(table["group"]) == set(INDUSTRIES)
    assert set(table["corner"]) == {"LL", "LH", "HL", "HH"}
    assert table["mean"].between(0, 1).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda run: run.effects(by="industries"),
            "unknown by 'industries': did you mean 'industry'?",
        ),
        (
            lambda run: run.effect_draws(measure="contrasts"),
            "unknown measure 'contrasts': did you mean 'contrast'?",
        ),
        (lambda run: run.corners(by="firm"), "unknown by 'firm': known: all, industry, cluster"),
    ],
)
def test_unknown_arguments(call, message, run):
    with pytest.raises(ValueError, match="^unknown") as caught:
        call(run)
    assert str(caught.value) == message


def test_figures(run):
    from matplotlib import pyplot
    from matplotlib.figure import Figure

    figures = [
        run.plot_effects("human_capital"),
        run.plot_effects("social_capital"),
        run.plot_surface(),
        run.plot_conditional_effect(),
        run.plot_predictive(),
    ]
    assert all(isinstance(figure, Figure) for figure in figures)
    assert all(figure.axes for figure in figures)
    assert not pyplot.get_fignums(), "figures must not pile up in pyplot"


def test_report(run):
    page = run.report.read_text(encoding="utf-8")
    assert page.lower().startswith("<!doctype html>")
    assert page.rstrip().endswith("</html>")


def test_repr(run):
    gate = "passed" if run.results.gate.passed else "FAILED"
    assert repr(run) == f"Run('small', gate {gate}, {str(run.path)!r})"


def test_open_run(small_run):
    run = small_run.run
    for place in (run.path, run.report, run.path.parent, str(run.path)):
        assert bc.open_run(place).path == run.path
    assert bc.open_run(run.path).results == run.results


def test_fit_takes_what_is_finished(small_run, monkeypatch):
    from bayescluster.app import fit as workflow

    def refuse(*_: object) -> None:
        raise AssertionError("sampled again")

    monkeypatch.setattr(workflow, "sample_chains", refuse)
    monkeypatch.setattr(workflow, "compile_design", refuse)
    again = bc.fit(str(small_run.config), str(small_run.root))
    assert again.path == small_run.run.path
    assert again.results == small_run.run.results


def test_load_and_validate(small_run):
    analysis = bc.load(small_run.config)
    assert (analysis.name, analysis.equation.family) == ("small", "bernoulli")
    design = bc.validate(small_run.config)
    assert design.size == 200
    assert design.group_labels("industry") == tuple(INDUSTRIES)
    xr.testing.assert_equal(design.data, small_run.run.design.data)


def _same(one, other) -> None:
    assert one.number == other.number
    xr.testing.assert_identical(one.posterior, other.posterior)
    for name in ("diverging", "energy", "depth", "n_steps"):
        xr.testing.assert_identical(one.sample_stats[name], other.sample_stats[name])


def test_a_chain_is_the_same_alone_and_in_any_order(small_run):
    sampling = bc.load(small_run.config).sampling
    kept = {chain.number: chain for chain in RunDirectory(small_run.run.path).load_chains()}
    (alone,) = sample_chains(small_run.compiled, sampling, [1])
    _same(alone, kept[1])
    for chain in sample_chains(small_run.compiled, sampling, [1, 0]):
        _same(chain, kept[chain.number])
    assert (
        not kept[0]
        .posterior["population"]
        .equals(kept[1].posterior["population"].assign_coords(chain=[0]))
    )


STUDIES = (bc.prior, bc.design_analysis, bc.calibrate, bc.sweep)


@pytest.mark.parametrize("study", STUDIES, ids=lambda study: study.__name__)
def test_studies_take_the_same_arguments(study):
    assert list(signature(study).parameters) == ["source", "options", "out", "watch"]


def test_options_of_a_study_are_given_by_name(small_run, tmp_path):
    found = bc.prior(small_run.config, {"draws": 200, "seed": 4}, tmp_path)
    assert (found.results.draws, found.results.seed) == (200, 4)
    assert (found.directory / "prior.html").is_file()
    with pytest.raises(TypeError, match="unexpected keyword argument 'drawz'"):
        bc.prior(small_run.config, {"drawz": 50}, tmp_path)


REFERENCE = Path(__file__).parent / "reference"


def test_necessary_conditions_of_a_data_frame_are_those_of_its_file():
    path, columns = REFERENCE / "nca_example.csv", ["Individualism", "Risk taking"]
    of_file = bc.nca(path, columns, "Innovation performance", permutations=50)
    frame = pd.read_csv(path)
    found = bc.nca(frame, columns, "Innovation performance", permutations=50)
    assert found.table == "table"
    assert found.model_copy(update={"table": of_file.table}) == of_file
    one = bc.nca(
        frame,
        columns[0],
        "Innovation performance",
        ceilings=["ce_fdh"],
        scope=[(0.0, 100.0, 0.0, 250.0)],
        permutations=0,
    )
    assert [pair.condition for pair in one.pairs] == columns[:1]
    assert one.pairs[0].scope.declared
    assert one.pairs[0].scope.ymax == 250.0


def test_sets_of_a_data_frame_are_those_of_its_file(tmp_path):
    frame = pd.DataFrame({"a": [0.1, 0.4, 0.8, 0.9], "b": [1, 0, 1, 1], "y": [10, 30, 70, 90]})
    frame.to_csv(tmp_path / "table.csv", index=False)
    settings = {"calibrate": {"y": (20.0, 50.0, 80.0)}, "expect": {"a": "present"}}
    found = bc.qca(frame, "y", ["a", "b"], remainders=True, **settings)
    again = bc.qca(tmp_path / "table.csv", "y", ["a", "b"], remainders=True, **settings)
    assert found.model_copy(update={"table": again.table}) == again
    assert {row.kind for row in found.solutions} == {"complex", "parsimonious", "intermediate"}


@pytest.mark.parametrize("analyse", [lambda t: bc.nca(t, "x", "z"), lambda t: bc.qca(t, "z", "x")])
def test_what_a_data_frame_lacks_is_named(analyse):
    with pytest.raises(bc.DataError, match="no column 'z' in"):
        analyse(pd.DataFrame({"x": [0.1, 0.5], "y": [1.0, 2.0]}))
    with pytest.raises(bc.DataError, match="'table' has no rows"):
        analyse(pd.DataFrame({"x": [], "z": []}))


def test_predictions_at_the_corners_are_the_corners(run):
    corners = run.corner_draws().mean(("chain", "draw"))
    levels = run.results.corners[0]
    found = run.predict(human_capital=levels.human_low, social_capital=levels.social_high)
    assert found["group"].tolist() == INDUSTRIES
    np.testing.assert_allclose(found["mean"], corners.sel(corner="LH"), rtol=1e-12)


def test_predictions_as_observed_are_the_average_and_levels_cross(run):
    found = run.predict(by="all")
    rate = run.posterior["observed_data"].to_dataset()
    observed = float(next(iter(rate.values())).mean())
    assert abs(found["mean"].item() - observed) < 0.1
    several = run.predict(human_capital=[-1, 0, 1], by="all", new="new_cluster")
    assert several["human_capital"].tolist() == [-1, 0, 1]
    in_score = run.predict(human_capital=run.design.scaling("human_capital").center, unit="score")
    np.testing.assert_allclose(in_score["mean"], run.predict(human_capital=0.0)["mean"])


def test_statements_about_corners_are_shares_of_draws(run):
    draws = run.corner_draws()
    low, high = draws.sel(corner="LH"), draws.sel(corner="HH")
    share = ((low / high <= 0.5) & (high > 0.25)).mean(("chain", "draw"))
    found = run.hypothesis("LH / HH <= 1/2 and not HH <= .25")
    np.testing.assert_allclose(found["probability"], share)
    assert found["prior_probability"].between(0, 1).all()
    same = run.hypothesis("logit(HH) - logit(LL) > -(logit(LL) - logit(HH)) - 1")
    assert (same["probability"] == 1).all()


@pytest.mark.parametrize(
    "expression",
    [
        "__import__('os').system('true')",
        "HH",
        "LH.real > 0",
        "[LH] > 0",
        "LH ** 9 > 1",
        "True > LH",
        "exp(HH, LH) > 1",
        "(lambda: 1)() > HH",
        "HH > 'a'",
        "HH >",
        "(" * 500 + "HH" + ")" * 499 + " > 1",
        "HH > 1 " * 900,
    ],
)
def test_nothing_else_is_read_as_a_statement(expression, run):
    with pytest.raises(ValueError, match="statement|expression|unknown"):
        run.hypothesis(expression)


def test_unknown_corners_are_suggested(run):
    with pytest.raises(ValueError, match="unknown name 'HHH': did you mean 'HH'"):
        run.hypothesis("HHH > 0")


def test_tidy_draws_have_the_means_of_the_results(run):
    tidy = run.draws_frame()
    means = tidy.groupby(["quantity", "group"])["value"].mean()
    for row in run.results.effects:
        if row.by == "industry" and row.measure == "average_marginal_effect":
            assert means[f"effect_{row.capital}", row.group] == pytest.approx(row.estimate.mean)
    assert len(tidy) == 2 * 150 * 8 * len(INDUSTRIES)


def test_runs_stand_next_to_each_other_in_a_table_of_a_paper(run):
    table = run.__maketables_coef_table__
    assert table.index.name == "Coefficient"
    assert list(table.columns[:3]) == ["b", "se", "p"]
    first = next(row for row in run.results.effects if row.by == "all")
    assert table["b"].iloc[0] == first.estimate.mean
    assert run.__maketables_stat__("N") == run.results.sample.rows
    assert run.__maketables_depvar__ == run.results.outcome.column
    assert all(run.__maketables_stat__(key) is not None for key in ("clusters", "gate"))
