"""A design analysis from the truths to its files; the sampler is instant but for one test."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import expit, logit

from bayescluster.design.record import Design
from bayescluster.errors import DesignError
from bayescluster.model.evaluate import expectation, linear_predictor
from bayescluster.spec.analysis import Analysis, Traditions
from bayescluster.studies.design_analysis import compute as design_analysis
from bayescluster.studies.design_analysis.compute import Options, simulated, truths
from bayescluster.studies.design_analysis.results import PLAUSIBLE
from bayescluster.studies.design_analysis.study import analyse_design, plan_of
from bayescluster.studies.design_analysis.truths import TrueStructure, Truth, true_answers
from bayescluster.studies.simulation import alone, answers
from bayescluster.verdicts.evidence import Evidence
from tests.draws import known_draws
from tests.factories import analysis_dict, firms, small_design
from tests.fits import write_csv
from tests.instant import InstantRepeated
from tests.undrawn import draw_all

NESTED = {"industry": ["intercept", "human_capital", "interaction"], "cluster": ["intercept"]}
NESTED_ONCE = {"industry": ["intercept"]}
HYPOTHESES = [
    {"kind": "necessary", "capital": "human_capital", "by": "industry"},
    {"kind": "necessary", "capital": "human_capital", "by": "all", "scope": "new_cluster"},
]
QUICK = Options(forms=("additive", "ces"), base_rates=(), replications=3, draws=60, tune=50, jobs=2)


@pytest.fixture
def refits(monkeypatch) -> InstantRepeated:
    stand_in = InstantRepeated()
    stand_in.stand_in(monkeypatch)
    return stand_in


@pytest.fixture
def analysis(tmp_path) -> Analysis:
    return made(tmp_path)


def made(folder: Path, **more: Any) -> Analysis:
    frame = firms(rows=96, industries=2, clusters=4)
    source = write_csv(frame, folder)
    plain = analysis_dict(
        "bernoulli", "interaction", NESTED, {"source": source}, hypotheses=HYPOTHESES
    )
    return Analysis.model_validate(plain | {"sampling": {"seed": 5}} | more)


def test_truth_is_the_event_at_the_true_parameters():
    """By hand: the additive form at the corners, averaged over the firms of each industry."""
    frame = firms(rows=96, industries=2, clusters=4)
    design = small_design(
        "bernoulli", "additive", {"industry": ["intercept"]}, hypotheses=HYPOTHESES[:1], frame=frame
    )
    rng = np.random.default_rng(8)
    seen = set()
    for seed in range(12):
        intercept, slopes = rng.normal(-1.5, 1.5), rng.normal(1.5, 1.0, 2)
        drawn = known_draws(
            design,
            size=2,
            seed=seed,
            spread=0.0,
            intercept=intercept,
            human_capital=slopes[0],
            social_capital=slopes[1],
        )
        drawn = replace(drawn.part(np.zeros(3, dtype="int64")), chains=0)
        found = answers(alone(Evidence(design, drawn, drawn, 1), gate_passed=True))
        effect = drawn.groups["industry"].effect[0, :, 0]
        low, high = ([np.quantile(values, q) for values in design.capitals] for q in (0.1, 0.9))
        for k, label in enumerate(("I0", "I1")):
            base = intercept + effect[k]
            lacking = expit(base + slopes[0] * low[0] + slopes[1] * high[1])
            both = expit(base + slopes @ high)
            neither = expit(base + slopes @ low)
            way = logit(both) - logit(neither)
            covered = (logit(lacking) - logit(neither)) / way
            wanted = float(both >= 0.25 and way >= 0.5 and lacking <= both / 3 and covered <= 0.4)
            seen.add(wanted)
            assert found["declared", "1", "industry", label, 0].probability == wanted
            assert found["corners", "N-H", "industry", label, 0].probability == wanted
            only = expit(base + slopes[0] * high[0] + slopes[1] * low[1])
            short = float(both >= 0.25 and only <= 0.5 and both - only >= 0.1)
            assert found["corners", "I-H", "industry", label, 0].probability == short
    assert seen == {0.0, 1.0}


def test_where_the_capitals_add_up_neither_is_necessary_whatever_the_corners_say():
    """A capital that does nothing covers nothing: the region of necessity holds, and the claim does not."""
    frame = firms(rows=96, industries=2, clusters=4)
    claims = [
        *HYPOTHESES[:1],
        {"kind": "not_sufficient", "capital": "human_capital", "by": "industry"},
    ]
    for form, wanted in (("additive", 0.0), ("interaction", 1.0)):
        # shares of trials: of a yes-or-no outcome no ceiling is read
        design = small_design(
            *("binomial", form, NESTED_ONCE),
            frame=frame,
            hypotheses=claims,
        )
        design = asking(design, {"ceilings": {}})
        terms = {"intercept": -1.5, "human_capital": 2.5, "social_capital": 0.0}
        drawn = known_draws(design, size=3, spread=0.0, **terms)
        real = replace(drawn.part(np.zeros(3, dtype="int64")), chains=0)
        evidence = Evidence(design, real, real, 1)
        found = true_answers(Truth(TrueStructure(form), design, real), evidence)
        for tradition, claim in (("declared", "1"), ("corners", "N-H")):
            necessary = found[tradition, claim, "industry", "I0", 0]
            assert (necessary.holds, necessary.region) == (wanted, 1.0)
        # that one alone is not enough is a statement about the probabilities
        alone_enough = found["declared", "2", "industry", "I0", 0]
        assert alone_enough.holds == alone_enough.region == 0.0
        # where a compensatory model gives as much, another form is neither true nor false by its ceiling
        ceiling = found["ceilings", "N-H", "industry", "I0", 0]
        assert ceiling.holds == (0.0 if form == "additive" else None)


@pytest.mark.parametrize("family", ["bernoulli", "probit", "binomial", "beta"])
def test_compensatory_truths_have_the_base_rate_and_the_stated_slopes(family, tmp_path):
    frame = firms(rows=96, industries=2, clusters=4)
    plain = analysis_dict(
        family, "conjunctive", {"industry": "all"}, {"source": write_csv(frame, tmp_path)}
    )
    options = QUICK._replace(replications=2, base_rates=(0.05, 0.4))
    plan = plan_of(Analysis.model_validate(plain), options, tmp_path)
    for rate in options.base_rates:
        truth = truths(plan, plan.size(1.0, 1.0), TrueStructure("additive", rate))
        drawn = [truth.number(k).with_capitals(np.random.default_rng(k))[0] for k in range(2)]
        for one in drawn:
            expected = expectation(one.design, linear_predictor(one.design, one.draws), one.draws)
            assert expected.mean() == pytest.approx(rate, abs=1e-9)
            slope = one.draws.population["human_capital"][0] * one.design.capitals[0].std()
            assert slope == pytest.approx(0.6 if family == "probit" else 1.0)
        # industries differ, and not all truths alike
        assert np.ptp([one.draws.groups["industry"].effect for one in drawn], axis=0).min() > 0
        assert np.ptp([one.draws.population["intercept"] for one in drawn]) > 0


def asking(design: Design, traditions: dict[str, Any]) -> Design:
    """The design of an analysis with this block ``traditions``."""
    block = {"traditions": Traditions.model_validate(traditions)}
    return replace(design, analysis=design.analysis.model_copy(update=block))


def test_other_traditions_are_judged_where_the_analysis_asks_for_them():
    frame = firms(rows=96, industries=2, clusters=4)
    plain = small_design("binomial", "additive", NESTED_ONCE, frame=frame)
    drawn = known_draws(plain, size=40)
    for asked, wanted in (
        ({}, set()),
        ({"level": 0.9}, set()),
        ({"causes": {}, "ceilings": {}}, {"ceilings", "causes"}),
    ):
        evidence = Evidence(asking(plain, asked), drawn, drawn, 1)
        found = answers(alone(evidence, gate_passed=True))
        assert {key.tradition for key in found} == {"corners", *wanted}


def test_outcomes_have_the_mean_of_the_truth():
    frame = firms(rows=96, industries=2, clusters=4)
    design = small_design("bernoulli", "interaction", NESTED, frame=frame)
    drawn = known_draws(design, size=1, intercept=0.5, human_capital=1.0, interaction=0.8)
    h, s = design.capitals
    c = {name: float(values[0]) for name, values in drawn.population.items()}
    industry = drawn.groups["industry"].effect[0][design.index("industry")]  # (row, term)
    cluster = drawn.groups["cluster"].effect[0][design.index("cluster"), 0]
    eta = c["intercept"] + industry[:, 0] + cluster + (c["human_capital"] + industry[:, 1]) * h
    eta += c["social_capital"] * s + (c["interaction"] + industry[:, 2]) * h * s
    rng = np.random.default_rng(2)
    outcomes = np.array(
        [simulated(Truth(TrueStructure("interaction"), design, drawn), rng) for _ in range(2000)]
    )
    p = expit(eta)
    z = (outcomes.mean(axis=0) - p) / np.sqrt(p * (1 - p) / 2000)
    assert abs(z).max() < 5
    assert 0.7 < z.std() < 1.3


def test_every_replication_is_made_once(analysis, refits, tmp_path):
    root = tmp_path / "runs"
    first = analyse_design(analysis, QUICK, root)
    assert refits.compiled == ["interaction"]
    assert len(refits.fitted) == 6
    stored = sorted(path.parent.name + "/" + path.name for path in first.directory.rglob("0*.json"))
    assert stored == [
        f"{form}-as-interaction/00{k}.json" for form in ("additive", "ces") for k in range(3)
    ]
    again = analyse_design(analysis, QUICK, root)
    assert (again.directory, again.results) == (first.directory, first.results)
    assert (refits.compiled, len(refits.fitted)) == (["interaction"], 6)
    # more of them go on from there, and leave those that are there as they are
    before = {path: path.read_bytes() for path in first.directory.rglob("0*.json")}
    more = analyse_design(analysis, QUICK._replace(replications=5, forms=("additive",)), root)
    assert more.directory == first.directory
    assert len(refits.fitted) == 8
    assert all(path.read_bytes() == content for path, content in before.items())
    assert {row.replications for row in more.results.rows} == {5}


def test_outcomes_depend_on_seed_form_and_number_alone(analysis, refits, tmp_path):
    analyse_design(analysis, QUICK._replace(jobs=1), tmp_path / "one")
    first = [outcome.tolist() for outcome in refits.fitted]
    assert len({tuple(outcome) for outcome in first}) == 6
    refits.fitted.clear()
    analyse_design(analysis, QUICK._replace(jobs=1, forms=("ces", "additive")), tmp_path / "two")
    assert [outcome.tolist() for outcome in refits.fitted] == first[3:] + first[:3]
    refits.fitted.clear()
    other = analyse_design(analysis, QUICK._replace(jobs=1, seed=6), tmp_path / "one")
    assert [outcome.tolist() for outcome in refits.fitted] != first
    assert other.results.seed == 6


def test_what_was_stopped_goes_on(analysis, refits, tmp_path):
    root = tmp_path / "runs"
    whole = analyse_design(analysis, QUICK, tmp_path / "whole")
    refits.fitted.clear()
    refits.stop_after = 2
    with pytest.raises(KeyboardInterrupt):
        analyse_design(analysis, QUICK._replace(jobs=1), root)
    kept = list(root.rglob("0*.json"))
    assert len(kept) == 2
    refits.stop_after = None
    # half a file is none
    kept[0].write_text(kept[0].read_text()[:40])
    found = analyse_design(analysis, QUICK, root)
    assert len(refits.fitted) == 2 + 5
    assert found.results == whole.results


def test_outcomes_that_no_analysis_would_take_are_undecided(
    analysis, refits, tmp_path, monkeypatch
):
    monkeypatch.setattr(design_analysis, "simulated", lambda truth, _: np.zeros(truth.design.size))
    found = analyse_design(analysis, QUICK._replace(forms=("additive",)), tmp_path).results
    assert not refits.fitted
    assert found.failures[0].reasons == ("the simulated outcome is the same in every row",)
    assert {row.undecided.share for row in found.rows} == {1.0}


def test_sizes_are_compiled_each(analysis, refits, tmp_path):
    options = QUICK._replace(firms=(1.0, 2.0), clusters=(0.5, 1.0), forms=("additive",))
    found = analyse_design(analysis, options, tmp_path).results
    assert refits.compiled == ["interaction"] * 4
    assert [(size.firms, size.clusters) for size in found.sizes] == [
        *((48, 4), (96, 8)),
        *((96, 4), (192, 8)),
    ]
    assert {row.way for row in found.needed} == {"firms", "clusters"}


def test_the_true_form_can_be_fitted(analysis, refits, tmp_path):
    found = analyse_design(analysis, QUICK._replace(fit="true"), tmp_path).results
    assert refits.compiled == ["additive", "ces"]
    assert found.fitted == "the true form"
    assert {row.truth for row in found.rows} == {"additive", "ces", "all"}
    assert {row.fitted for row in found.rows} == {"the true form"}


def test_every_form_of_the_analysis_is_fitted(tmp_path, refits):
    plain = made(tmp_path)
    several = plain.equation.model_copy(update={"structure": ("additive", "conjunctive")})
    several = several.model_copy(update={"varying": {"cluster": ("intercept",)}})
    analysis = plain.model_copy(update={"equations": {"upgrading": several}})
    found = analyse_design(analysis, QUICK, tmp_path).results
    assert refits.compiled == ["additive", "conjunctive"]
    assert found.fitted == PLAUSIBLE
    assert {row.fitted for row in found.rows} == {PLAUSIBLE}
    # both are fitted to the same outcomes, and judge together
    outcomes = {tuple(outcome) for outcome in refits.fitted}
    assert (len(refits.fitted), len(outcomes)) == (12, 6)
    assert {row.replications for row in found.rows if row.truth == "ces"} == {3}
    assert any(row.undecided.share < 1 for row in found.rows)
    # where a plausible form failed its gate, nothing is decided
    refits.apart = 3.0
    failed = analyse_design(analysis, QUICK._replace(seed=6, replications=1), tmp_path).results
    assert {row.undecided.share for row in failed.rows} == {1.0}
    assert [each.not_converged for each in failed.failures] == [1, 1]
    assert any("each form that the data leave plausible" in note for note in found.notes)


@pytest.mark.usefixtures("refits")
def test_files_hold_the_same_numbers(analysis, tmp_path, monkeypatch):
    draw_all(monkeypatch)
    options = QUICK._replace(firms=(0.5, 1.0))
    found = analyse_design(analysis, options, tmp_path)
    stored = json.loads((found.directory / "design.json").read_text())
    assert stored == json.loads(found.results.model_dump_json())
    with (found.directory / "design.csv").open() as stream:
        table = list(csv.DictReader(stream))
    assert len(table) == len(found.results.rows)
    for line, row in zip(table, found.results.rows, strict=True):
        assert float(line["right"]) == row.right.share
        assert line["title"] == row.title
    page = (found.directory / "design.html").read_text()
    for words in ("Design analysis", "Human capital is necessary", "How many firms or clusters"):
        assert words in page
    assert "could not be drawn" not in page
    assert "http" not in page.replace("http://www.w3.org", "").replace("http-equiv", "")


@pytest.mark.usefixtures("refits")
def test_truths_can_be_held_to_a_scenario(tmp_path):
    declared = {"neither": 0.2, "both": 0.8, "within": 0.15}
    analysis = made(tmp_path, design={"truths": declared})
    plan = plan_of(analysis, QUICK._replace(replications=2), tmp_path)
    size = plan.size(1.0, 1.0)
    _, design, drawn, _ = truths(plan, size, TrueStructure("additive"))
    low, high = ([np.quantile(v, q) for v in design.capitals] for q in (0.1, 0.9))
    assert drawn.size >= 2
    for k in range(min(drawn.size, 5)):
        c = {name: values[k] for name, values in drawn.population.items()}
        for (h, s), wanted in ((low, 0.2), (high, 0.8)):
            industry = drawn.groups["industry"].effect[k][design.index("industry")]
            cluster = drawn.groups["cluster"].effect[k][design.index("cluster"), 0]
            eta = c["intercept"] + industry[:, 0] + cluster
            eta = eta + (c["human_capital"] + industry[:, 1]) * h
            eta = eta + (c["social_capital"] + industry[:, 2]) * s
            assert abs(expit(eta).mean() - wanted) <= 0.15
    notes = analyse_design(analysis, QUICK._replace(replications=2), tmp_path).results.notes
    assert any("both low 0.2, both high 0.8" in note for note in notes)


@pytest.mark.usefixtures("refits")
def test_a_scenario_out_of_reach_is_refused(tmp_path):
    analysis = made(tmp_path, design={"truths": {"neither": 0.999, "both": 0.001, "within": 0.001}})
    with pytest.raises(DesignError) as raised:
        analyse_design(analysis, QUICK, tmp_path)
    assert str(raised.value) == (
        "The model cannot be built on these data:\n"
        "  analysis.design.truths: 0 of 4000 draws from the prior of the form 'additive' come within "
        "0.001 of the declared truths, and 3 replications were asked for\n"
        "    widen `within`, ask for fewer replications, or leave the form out with --forms"
    )


@pytest.mark.usefixtures("refits")
@pytest.mark.parametrize("family", ["gaussian", "ordinal", "poisson", "beta", "binomial"])
def test_every_kind_of_outcome(family, tmp_path):
    frame = firms(rows=96, industries=2, clusters=4)
    plain = analysis_dict(
        family,
        "conjunctive",
        {"industry": "all"},
        {"source": write_csv(frame, tmp_path)},
        hypotheses=[{"kind": "complementarity", "by": "industry", "margin": 0.1}],
    )
    options = QUICK._replace(
        forms=("additive", "interaction", "conjunctive", "ces"), replications=1
    )
    found = analyse_design(Analysis.model_validate(plain), options, tmp_path).results
    assert {row.truth for row in found.rows} == {*options.forms, "all"}
    assert any("Default priors" in note for note in found.notes) == (
        family in {"gaussian", "poisson"}
    )


def test_a_real_one_finds_what_is_plain(tmp_path):
    """Three strong truths of an additive model: what is decided is decided right."""
    frame = firms(rows=300, industries=1, clusters=4)
    plain = analysis_dict(
        "bernoulli",
        "additive",
        {"cluster": ["intercept"]},
        {"source": write_csv(frame, tmp_path), "industry": None},
        hypotheses=[{"kind": "effect", "capital": "human_capital", "by": "all"}],
    )
    declared = {"neither": 0.1, "human_only": 0.5, "both": 0.8, "within": 0.15}
    analysis = Analysis.model_validate(plain | {"design": {"truths": declared}})
    options = Options(forms=("additive",), base_rates=(), replications=3, draws=200, tune=200)
    found = analyse_design(analysis, options, tmp_path).results
    (row,) = [row for row in found.rows if row.tradition == "declared"]
    assert found.failures[0].not_fitted == found.failures[0].not_converged == 0, found.failures
    assert (row.replications, row.true, row.right.share) == (3, 3, 1.0)


@pytest.fixture
def latent(tmp_path) -> Analysis:
    frame = firms(rows=96, industries=2, clusters=4)
    rng = np.random.default_rng(3)
    for k in range(3):
        frame[f"skill{k}"] = frame["training"] + 0.1 * rng.normal(size=len(frame))
    frame.loc[frame.index[:2], "skill0"] = np.nan
    skills = {"indicators": ["skill0", "skill1", "skill2"], "method": "latent"}
    plain = analysis_dict(
        "bernoulli",
        "additive",
        NESTED_ONCE,
        {"source": write_csv(frame, tmp_path)},
        hypotheses=[{"kind": "effect", "capital": "human_capital", "by": "all"}],
    )
    plain["constructs"] |= {"human_capital": skills}
    return Analysis.model_validate(plain)


def test_a_latent_capital_is_simulated_with_the_answers_that_measure_it(latent, tmp_path):
    """The truth holds of the capital behind the answers, which are drawn anew from it."""
    plan = plan_of(latent, QUICK._replace(base_rates=(0.3,)), tmp_path)
    truth = truths(plan, plan.size(1.0, 1.0), TrueStructure("additive", 0.3))
    rng = np.random.default_rng(4)
    one, answers = truth.number(0).with_capitals(rng)
    assert one.draws.capitals is not None
    capital = one.draws.capitals[0][0]
    assert capital.mean() == pytest.approx(0, abs=1e-9)
    expected = expectation(one.design, linear_predictor(one.design, one.draws), one.draws)
    assert expected.mean() == pytest.approx(0.3, abs=1e-9)
    assert one.draws.population["human_capital"][0] * capital.std() == pytest.approx(1.0)
    # the more an answer says of the capital, the closer it follows it; what was missing is missing
    (items,) = (values for _, values in answers.values())
    observed = one.design.items("human_capital").values
    assert np.array_equal(np.isnan(items), np.isnan(observed))
    assert not np.allclose(items[5:], observed[5:])
    assert truth.prior is not None
    loading = truth.prior["human_capital_loading"].to_numpy()[0, 0]
    error = truth.prior["human_capital_item_error"].to_numpy()[0, 0]
    for k in range(3):
        known = np.isfinite(items[:, k])
        found = np.corrcoef(items[known, k], capital[known])[0, 1]
        wanted = loading[k] / np.hypot(loading[k], error[k])
        # clusters differ as well, so that the capital varies by more than 1
        assert found > wanted - 0.2


def test_an_analysis_of_a_latent_capital_finds_what_is_plain(latent, tmp_path):
    options = Options(
        forms=(), base_rates=(0.4,), replications=3, draws=400, tune=300, firms=(4.0,)
    )
    results = analyse_design(latent, options, tmp_path).results
    (row,) = [row for row in results.rows if row.tradition == "declared"]
    assert results.failures[0].not_converged == 0, results.failures
    # how much the answers say is drawn from the prior, and may leave one undecided
    assert (row.replications, row.true, row.wrong.share) == (3, 3, 0.0)
    assert row.right.share >= 0.6
    assert any("answers that measure human_capital are simulated too" in n for n in results.notes)
