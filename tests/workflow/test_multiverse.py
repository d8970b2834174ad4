"""A sweep from its alternatives to its files; the sampler is instant but for the flip at the end."""

from __future__ import annotations

import csv
import io
import json
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bayescluster import api
from bayescluster.app.run import run_analysis
from bayescluster.checks import thresholds
from bayescluster.errors import FitError, RunError
from bayescluster.runs.layout import locked
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.hypotheses import Difference
from bayescluster.spec.priors import Priors
from bayescluster.studies.multiverse import study
from bayescluster.studies.multiverse.plan import Options, SweepError, cost_of, plan_of
from bayescluster.studies.multiverse.results import Multiverse
from bayescluster.studies.multiverse.study import FEWER_DRAWS, notes_of, sweep_analysis
from tests.factories import analysis_dict, firms
from tests.fits import write_csv
from tests.instant import InstantSampler
from tests.quick import quick_runs

HYPOTHESES = [
    {"kind": "effect", "capital": "human_capital", "by": "all"},
    {"kind": "effect", "capital": "social_capital", "by": "industry"},
    {"kind": "difference", "capital": "human_capital"},
    {"kind": "difference", "capital": "human_capital", "between": ["I0", "I2"]},
    {"kind": "complementarity", "by": "all"},
]
ALTERNATIVES = {
    "priors": {"wide": {"scale": 2}, "defaults": {"defaults": True}},
    "exclude": {"no-I2": {"column": "industry", "one_of": ["I2"]}},
    "constructs": {
        "size": {"social_capital": {"indicators": ["size"], "method": "single"}},
        "both": {"social_capital": {"indicators": ["trust", "error"], "method": "mean"}},
    },
    "controls": {"none": []},
    "families": ["probit"],
    "structures": ["additive"],
    "varying": {"levels": {"industry": ["intercept"]}},
}
FEW: dict[str, Any] = {name: ALTERNATIVES[name] for name in ("exclude", "families")} | {
    "constructs": {"size": ALTERNATIVES["constructs"]["size"]}
}
"""For tests that fit: one of them cannot be fitted."""
NESTED = {"industry": ["intercept", "human_capital", "interaction"]}
PRIORS = {
    "terms": {
        "human_capital": {"distribution": "normal", "sd": 3},
        "size": {"distribution": "normal", "sd": 2},
    },
    "group_sd": {"industry": {"distribution": "half_normal", "sd": 1}},
}
SAMPLING = {"draws": 500, "tune": 50, "chains": 2, "seed": 5, "prior_draws": 100}


@pytest.fixture
def sampler(monkeypatch) -> InstantSampler:
    """Runs without traditions and reports: a sweep reads verdicts and average effects alone."""
    return quick_runs(monkeypatch)


def made(folder: Path, block: Any = ALTERNATIVES, **more: Any) -> Analysis:
    source = write_csv(firms(rows=90, industries=3, clusters=2), folder)
    plain = analysis_dict(
        "bernoulli",
        "interaction",
        NESTED,
        {"source": source},
        hypotheses=more.pop("hypotheses", HYPOTHESES),
        controls=["size"],
        priors=PRIORS,
    )
    extra = {} if block is None else {"multiverse": block}
    plain |= {"sampling": SAMPLING, "traditions": {"sets": {"replicates": 100}}}
    return Analysis.model_validate(plain | extra | more)


def plan(analysis: Analysis, tmp_path: Path):
    return plan_of(analysis, Options(), tmp_path / "runs")


def swept(analysis: Analysis, tmp_path: Path, **options: Any) -> Multiverse:
    return sweep_analysis(analysis, Options(jobs=1, **options), tmp_path / "runs").results


def universe(found: Any, name: str) -> Any:
    return next(one for one in found.universes if one.name == name)


def test_every_alternative_changes_what_it_names_and_nothing_else(tmp_path):
    base = made(tmp_path)
    found = plan(base, tmp_path)
    assert found.declared
    assert [one.name for one in found.universes] == [
        "as declared",
        "structures: additive",
        "families: probit",
        "constructs: size",
        "constructs: both",
        "controls: none",
        "varying: levels",
        "exclude: no-I2",
        "priors: wide",
        "priors: defaults",
    ]
    fits = {one.name: one.fit for one in found.universes if one.fit is not None}
    changed = {name: fit.source.analysis for name, fit in fits.items()}
    assert changed["as declared"] == base
    assert changed["structures: additive"].equation.structure == ("additive",)
    assert changed["families: probit"].equation.family == "probit"
    assert changed["constructs: both"].constructs["social_capital"].method == "mean"
    human = base.constructs["human_capital"]
    assert changed["constructs: both"].constructs["human_capital"] == human
    assert changed["controls: none"].equation.controls == ()
    # the prior of a control that is no longer there goes with it
    assert set(changed["controls: none"].equation.priors.terms) == {"human_capital"}
    assert changed["varying: levels"].equation.groupings["industry"].terms == ("intercept",)
    assert changed["exclude: no-I2"].data.exclude[0].one_of == ("I2",)
    assert changed["priors: wide"].equation.priors.terms["human_capital"].sd == 6
    assert changed["priors: wide"].equation.priors.group_sd["industry"].sd == 2
    assert changed["priors: defaults"].equation.priors.terms == {}
    for name, analysis in changed.items():
        if name.startswith("priors"):
            priors = {"priors": base.equation.priors}
            assert analysis.equation.model_copy(update=priors) == base.equation
            whole = {"equations": base.equations, "multiverse": base.multiverse}
            assert analysis.model_copy(update=whole) == base
    assert len({fit.key for fit in fits.values()}) == len(fits)
    # the control `size` cannot stay fixed while it is the capital: listed, and not fatal
    size = universe(found, "constructs: size")
    assert size.fit is None
    assert "the control 'size' is an indicator of social_capital" in size.problems[0].what
    # claims on what is left out are left out
    claims = changed["exclude: no-I2"].hypotheses
    assert [claim.between for claim in claims if isinstance(claim, Difference)] == [None]
    # another process is sent plain text that makes the same question again
    text, folder, run = study._sent(fits["structures: additive"])
    assert Analysis.model_validate_json(text) == changed["structures: additive"]
    assert Path(folder) == fits["structures: additive"].source.directory
    assert Path(run) == fits["structures: additive"].run.path


def test_all_combinations(tmp_path):
    block = {"families": ["probit"], "controls": {"none": []}, "priors": {"wide": {"scale": 2}}}
    found = plan(made(tmp_path, block | {"combine": "all"}), tmp_path)
    assert len(found.universes) == 8
    assert found.universes[0].choices == ()
    last = found.universes[-1]
    assert last.name == "families: probit, controls: none, priors: wide"
    assert last.fit is not None
    equation = last.fit.source.analysis.equation
    # what is stated is stated on the scale of the link; defaults are those of the probit
    assert equation.priors.terms["intercept"].sd == pytest.approx(2 * 1.5 * 3**0.5 / np.pi)


def test_a_set_by_default(tmp_path):
    found = plan(made(tmp_path, None), tmp_path)
    assert not found.declared
    assert [one.name for one in found.universes] == [
        "as declared",
        "structures: additive",
        "families: probit",
        *(f"exclude: without I{k}" for k in range(3)),
        "priors: half scale",
        "priors: double scale",
    ]
    with pytest.raises(SweepError, match="8 universes by default, and cap allows 5"):
        plan(made(tmp_path, {"cap": 5}), tmp_path)


def test_no_sweep_without_capitals(tmp_path):
    analysis = made(tmp_path, None, hypotheses=[])
    changes = {"structure": ("intercept",), "varying": {}, "priors": Priors()}
    equation = analysis.equation.model_copy(update=changes)
    analysis = analysis.model_copy(
        update={"equations": {"upgrading": equation}, "constructs": {}, "multiverse": None}
    )
    with pytest.raises(SweepError, match="structure 'intercept' uses neither capital"):
        plan(analysis, tmp_path)


def test_from_alternatives_to_files(tmp_path, instant):
    analysis, root = made(tmp_path, FEW), tmp_path / "runs"
    finished = sweep_analysis(analysis, Options(jobs=1), root)
    found = finished.results
    assert finished.directory.parent == root / "synthetic" / "sweep"
    assert (finished.directory / "sweep.json").read_text() == found.model_dump_json(indent=2) + "\n"
    assert found.run_key == run_analysis(analysis, root).directory.path.name
    assert instant.compiled == 3  # the run above took what was there
    assert not found.synthetic
    rows = list(csv.DictReader(io.StringIO((finished.directory / "sweep.csv").read_text())))
    assert len(rows) == len(found.claims) * len(found.universes)
    assert {row["universe"] for row in rows} == {one.name for one in found.universes}
    page = (finished.directory / "sweep.html").read_text()
    assert "exclude: no-I2" in page
    assert "no posterior over choices" in page
    # the folder of the analysis holds the ordinary run alone, so that the newest is the one meant
    assert [path.parent.name for path in root.glob("synthetic/*/manifest.json")] == [found.run_key]


@pytest.mark.usefixtures("sampler")
def test_claims_are_matched_and_absent_ones_said_to_be(tmp_path):
    found = swept(made(tmp_path, FEW), tmp_path)
    places = {one.name: k for k, one in enumerate(found.universes)}
    by_group = {(row.kind, row.capital, row.group): row for row in found.claims}
    gone = by_group["effect", "social_capital", "I2"].answers
    assert gone[places["exclude: no-I2"]].status == "not_asked"
    assert gone[places["families: probit"]].status in ("asked", "unchecked")
    assert gone[places["constructs: size"]].status == "not_fitted"
    kept = by_group["effect", "social_capital", "I1"].answers
    assert kept[places["exclude: no-I2"]].status != "not_asked"
    # declared twice over: by its pair, and among all pairs
    twice = [row for row in found.claims if row.group == "I0 over I2"]
    assert len(twice) == 2
    assert {row.answers[places["exclude: no-I2"]].status for row in twice} == {"not_asked"}
    failed = found.universes[places["constructs: size"]]
    assert (failed.status, failed.key) == ("not_fitted", None)
    assert failed.message.startswith(
        "analysis.equations.upgrading.controls.0: the control 'size' is an indicator"
    )
    assert "1 of 4 universes could not be fitted (constructs: size)." in found.notes


def test_a_gate_that_failed_has_no_verdict(tmp_path, sampler, monkeypatch):
    """Chains apart in one universe alone: it is counted, and shows no verdict."""
    block = {"families": ["probit"]}
    analysis, whole = made(tmp_path, block), sampler.sample_chains

    def apart(design, *arguments):
        sampler.apart = 3.0 if design.equation.family == "probit" else 0.0
        return whole(design, *arguments)

    monkeypatch.setattr("bayescluster.app.fit.sample_chains", apart)
    monkeypatch.setattr(thresholds, "ESS_MIN", 10)
    monkeypatch.setattr(thresholds, "RHAT_MAX", 1.3)
    found = swept(analysis, tmp_path)
    status = {one.name: one.status for one in found.universes}
    assert status == {"as declared": "passed", "families: probit": "unchecked"}
    assert "R-hat" in universe(found, "families: probit").message
    assert {row.answers[1].status for row in found.claims} == {"unchecked"}
    assert all(row.answers[1].verdict is None for row in found.claims)
    assert {point.universe for point in found.effects} == {"as declared"}
    assert all("1 did not pass the checks" in row.words for row in found.claims)
    assert FEWER_DRAWS not in found.notes
    fewer = found.sampler.model_copy(update={"as_declared": False})
    assert FEWER_DRAWS in notes_of(found.model_copy(update={"sampler": fewer}))


def test_what_is_fitted_is_not_fitted_again(tmp_path, sampler):
    block = {"families": ["probit"]}
    run_analysis(made(tmp_path, None), tmp_path / "runs")
    assert sampler.compiled == 1
    analysis = made(tmp_path, block)
    cost = cost_of(plan(analysis, tmp_path))
    assert (cost.universes, cost.fitted, cost.refits, cost.draws) == (2, 1, 1, 1100)
    assert cost.seconds is not None
    first = swept(analysis, tmp_path)
    assert sampler.compiled == 2
    assert swept(analysis, tmp_path) == first
    assert sampler.compiled == 2
    # a sweep that shares universes with it takes them
    swept(made(tmp_path, block | {"controls": {"none": []}}), tmp_path)
    assert sampler.compiled == 3
    # other draws are other fits
    swept(analysis, tmp_path, draws=60)
    assert sampler.compiled == 5


def test_a_universe_whose_sampler_fails_is_listed(tmp_path, sampler, monkeypatch):
    analysis, whole = made(tmp_path, {"families": ["probit"]}), sampler.sample_chains

    def failing(design, *arguments):
        failed = design.equation.family == "probit"
        sampler.fault = FitError("no point to start from") if failed else None
        return whole(design, *arguments)

    monkeypatch.setattr("bayescluster.app.fit.sample_chains", failing)
    found = swept(analysis, tmp_path)
    probit = found.universes[1]
    assert (probit.status, probit.message) == ("not_fitted", "no point to start from")
    sampler.fault = FitError("no point to start from")
    monkeypatch.setattr("bayescluster.app.fit.sample_chains", whole)
    with pytest.raises(FitError, match="no point to start from"):
        swept(analysis, tmp_path, draws=70)


@pytest.mark.usefixtures("sampler")
def test_the_same_fit_is_made_once_by_one_process(tmp_path, sampler):
    block = {"families": ["bernoulli"], "controls": {"same": ["size"]}}
    done = sweep_analysis(made(tmp_path, block), Options(jobs=1), tmp_path / "runs")
    assert sampler.compiled == 1
    assert [one.same_as for one in done.results.universes] == ["", "as declared", "as declared"]
    # another process keeps off
    with locked(done.directory), pytest.raises(RunError, match="another process is writing"):
        swept(made(tmp_path, block), tmp_path)


@pytest.mark.usefixtures("sampler")
def test_several_forms_are_a_universe_too(tmp_path):
    analysis = made(tmp_path, {"structures": ["additive"]})
    equation = analysis.equation.model_copy(update={"structure": ("interaction", "conjunctive")})
    both = analysis.model_copy(update={"equations": {"upgrading": equation}})
    found = swept(both, tmp_path)
    assert [one.status != "not_fitted" for one in found.universes] == [True, True]
    assert (
        found.universes[1].choices[0].words
        == "additive in place of interaction, conjunctive, additive"
    )


class ThreadPool(ThreadPoolExecutor):
    """Stands in for a pool of processes, which would know nothing of the instant sampler.

    One thread: filters of warnings, which runs set for a while, are shared by threads.
    """

    def __init__(self, _: int, **__: Any) -> None:
        super().__init__(1)


class DeadPool(ThreadPool):
    """A pool whose processes die."""

    def submit(self, *_: Any, **__: Any) -> Future:
        future: Future = Future()
        future.set_exception(BrokenProcessPool("killed"))
        return future


def test_several_jobs_find_what_one_does(tmp_path, sampler, monkeypatch):
    analysis = made(tmp_path, FEW)
    first = swept(analysis, tmp_path)
    monkeypatch.setattr(study, "ProcessPoolExecutor", ThreadPool)
    second = sweep_analysis(analysis, Options(jobs=2), tmp_path / "others").results
    assert sampler.compiled == 6
    assert second == first


@pytest.mark.usefixtures("sampler")
def test_a_process_that_dies_is_no_mystery(tmp_path, monkeypatch):
    monkeypatch.setattr(study, "ProcessPoolExecutor", DeadPool)
    with pytest.raises(FitError, match="a process that fitted a universe ended before"):
        sweep_analysis(made(tmp_path, FEW), Options(jobs=2), tmp_path / "runs")


def test_a_planted_flip_is_found(tmp_path):
    """The effect is in one industry alone: without it nothing supports the claim."""
    rng = np.random.default_rng(11)
    frame = firms(rows=60, industries=3, clusters=2)
    human = (frame["training"] - 3.0) / 2.0
    there = frame["industry"] == "I2"
    frame["growth"] = np.where(there, 4.0 * human, 0.0) + rng.normal(size=60)
    plain = analysis_dict(
        "gaussian",
        "additive",
        {},
        {"source": write_csv(frame, tmp_path)},
        hypotheses=[{"kind": "effect", "capital": "human_capital", "by": "all", "margin": 0.5}],
    )
    plain |= {
        "sampling": {"draws": 1000, "tune": 500, "chains": 2, "seed": 3},
        "multiverse": {
            "exclude": {
                f"without-{name}": {"column": "industry", "one_of": [name]} for name in ("I2", "I0")
            }
        },
    }
    finished = api.sweep(Analysis.model_validate(plain), out=tmp_path / "runs")
    assert [one.message for one in finished.results.universes] == ["", "", ""]
    (claim,) = finished.results.claims
    assert [one.verdict for one in claim.answers] == ["supported", "negligible", "supported"]
    assert [one.flip for one in claim.answers] == [False, True, False]
    assert not claim.answers[1].near
    assert claim.words == ("Supported in 2 of 3; flips to negligible when exclude: without-I2.")
    (without, _) = finished.results.choices
    assert (without.flips, without.compared, without.turned) == (1, 1, 1)
    points = [each for each in finished.results.effects if each.capital == "human_capital"]
    effect = {point.universe: point.estimate.mean for point in points}
    assert effect["as declared"] > 0.5 > effect["exclude: without-I2"]
    assert json.loads((finished.directory / "sweep.json").read_text())["claims"][0]["flips"] == 1
