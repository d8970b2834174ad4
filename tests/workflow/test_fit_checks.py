from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import bayescluster.api as bc
from bayescluster.app import facts as module
from bayescluster.app.facts import fit_checks
from bayescluster.app.report import open_design
from bayescluster.checks.calibration import NO_EVENT, WEIGHTED, YES_NO, bars_of
from bayescluster.checks.loo import LeftOut, leave_row_out, left_out, psis_loo
from bayescluster.design.record import Design
from bayescluster.families import FAMILIES, YES_OR_NO
from bayescluster.model.evaluate import Draws
from bayescluster.runs.store import RunDirectory
from bayescluster.spec.analysis import Analysis
from tests.draws import known_draws
from tests.factories import analysis_dict, firms, small_design
from tests.fits import write_csv
from tests.quick import quick_runs

CHAINS, DRAWS = 4, 50


def checked(design: Design, draws: Draws | None = None) -> Any:
    draws = draws or known_draws(design, CHAINS * DRAWS, CHAINS, spread=0.05)
    return fit_checks(design, draws, left_out(design, draws, 1.0, bars_of(design)), ())


@pytest.mark.parametrize("family", list(FAMILIES))
def test_every_family_has_a_check_or_says_why_not(family):
    design = small_design(family, "additive", {"cluster": ["intercept"]})
    found = checked(design)
    yes_no, ordinal = family in YES_OR_NO, family == "ordinal"
    assert (found.pit is None) == yes_no
    assert found.pit_reason == (YES_NO if yes_no else "")
    assert (found.calibration is not None) == (yes_no or ordinal)
    assert found.calibration_reason == ("" if yes_no or ordinal else NO_EVENT)
    if found.pit:
        assert [row.group for row in found.pit.groups] == ["all", "I0", "I1"]
        assert found.pit.rows == 48
        discrete = design.family.has_steps or ordinal
        assert found.pit.randomised == (20 if discrete else 0)
    if found.calibration:
        events = ["at least 1", "at least 2", "at least 3"] if ordinal else ["yes"]
        assert [row.event for row in found.calibration.rows if row.by == "all"] == events
        assert len(found.calibration.rows) == 3 * len(events)
    assert checked(design) == found


def test_rows_without_an_outcome_take_no_part():
    frame = firms()
    frame["growth"] = frame["growth"].where(np.arange(48) % 6 != 0)
    design = small_design("gaussian", "additive", data={"missing": "impute"}, frame=frame)
    found = checked(design)
    assert found.pit.rows == 40
    assert sum(row.rows for row in found.pit.groups if row.by == "industry") == 40


def test_survey_weights_leave_nothing_to_check():
    frame = firms().assign(stands_for=np.linspace(1, 2, 48))
    for family in ("bernoulli", "gaussian"):
        design = small_design(family, "additive", data={"weight": "stands_for"}, frame=frame)
        found = checked(design)
        assert (found.pit, found.calibration) == (None, None)
        assert (found.pit_reason, found.calibration_reason) == (WEIGHTED, WEIGHTED)


def test_a_model_far_off_is_flagged():
    design = small_design("gaussian", "additive")
    # the outcome lies around 10 with an sd of 5; these draws around 0 with one of 1 to 2
    found = checked(design)
    assert found.pit.groups[0].flagged
    assert found.pit.groups[0].location > 5


@pytest.mark.parametrize("equations", [1, 2])
def test_a_run_leaves_rows_out_once_for_each_equation(tmp_path, monkeypatch, equations):
    asked = []

    def counted(design: Design, *more: Any) -> LeftOut:
        asked.append(design.equation_name)
        return left_out(design, *more)

    checks = module.fit_checks
    quick_runs(monkeypatch)
    monkeypatch.setattr(module, "fit_checks", checks)
    monkeypatch.setattr(module, "left_out", counted)
    plain = analysis_dict("poisson", "additive", {"cluster": ["intercept"]})
    plain["data"]["source"] = write_csv(firms(), tmp_path, "firms.csv")
    plain["sampling"] = {"draws": 60, "tune": 10, "chains": 2, "prior_draws": 100}
    if equations == 2:
        other = {"outcome": "upgraded", "family": "bernoulli", "structure": "additive"}
        plain["equations"] = {"grading": other, **plain["equations"]}
    run = bc.fit(Analysis.model_validate(plain), tmp_path / "runs")
    assert sorted(asked) == sorted(plain["equations"])
    # and what both checks say rests on the same scores
    directory = RunDirectory.open(run.path)
    design = open_design(directory)
    scores = leave_row_out(design, directory.load_posterior())
    assert run.results.loo == psis_loo(design, scores)
    assert run.results.fit_checks.pit.bad == run.results.loo.bad == int(scores.bad.sum())
