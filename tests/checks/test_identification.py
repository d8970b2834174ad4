from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bayescluster.checks.identification import Behind, identification
from bayescluster.estimands.levels import behind_gates
from bayescluster.estimands.scopes import groups_of
from bayescluster.model.evaluate import Draws, GroupDraws
from bayescluster.verdicts.decide import verdicts
from bayescluster.verdicts.evidence import Evidence
from tests.factories import firms, small_design

SIZE = 400


def draws_for(design, rng, spread=1.0, **fixed) -> Draws:
    population = {term: spread * rng.normal(size=SIZE) for term in design.structure.terms}
    if design.structure.name == "conjunctive":
        population["intercept"] = np.zeros(SIZE)
    population |= {term: np.full(SIZE, float(value)) for term, value in fixed.items()}
    groups = {
        grouping.name: GroupDraws(
            grouping.terms,
            design.index(grouping.name),
            0.4 * rng.normal(size=(SIZE, len(grouping.labels), len(grouping.terms))),
            np.ones((SIZE, len(grouping.terms))),
            None,
        )
        for grouping in design.groupings
    }
    return Draws(1, population, np.zeros((SIZE, 0)), groups, {})


def test_firms_behind_the_corners_by_hand():
    design = small_design("bernoulli", "conjunctive", {"industry": ["neither", "human_threshold"]})
    draws = draws_for(design, np.random.default_rng(1), 0.5)
    members = groups_of(design, "industry").members
    found = behind_gates(design, draws, members)
    human, social = design.capitals
    for s in range(0, SIZE, 40):
        value = {term: values[s] for term, values in draws.population.items()}
        shift = draws.groups["industry"].effect[s, :, 1][design.index("industry")]
        threshold = value["human_threshold"] + shift
        h = 1 / (1 + np.exp(-np.exp(value["human_steepness"]) * (human - threshold)))
        t = 1 / (
            1 + np.exp(-np.exp(value["social_steepness"]) * (social - value["social_threshold"]))
        )
        wanted = {"LL": (1 - h) * (1 - t), "HL": h * (1 - t), "LH": (1 - h) * t, "HH": h * t}
        for corner, weights in wanted.items():
            # firms whose gates put them there, not fractions of firms elsewhere
            assert found[corner][s] == pytest.approx((weights >= 0.5).astype(float) @ members)
    everyone = np.tile(members.sum(axis=0), (SIZE, 1))
    assert (sum(found.values()) <= everyone).all()
    assert (sum(found.values()) < everyone).any()


def test_a_firm_in_several_rows_counts_once():
    frame = firms()
    frame["firm"] = [f"f{k // 4:02d}" for k in range(48)]
    frame["cluster"] = [f"C{k // 8}" for k in range(48)]
    frame["industry"] = [f"I{k // 24}" for k in range(48)]
    design = small_design("bernoulli", "conjunctive", frame=frame)
    found = behind_gates(
        design, draws_for(design, np.random.default_rng(2)), groups_of(design, "industry").members
    )
    # six firms of four rows a group: each row is a quarter of its firm
    for draws in found.values():
        np.testing.assert_allclose(draws * 4, np.round(draws * 4))
    assert (sum(found.values()) <= 6.0).all()


def test_no_gates_no_firms():
    design = small_design("bernoulli", "additive")
    draws = draws_for(design, np.random.default_rng(3))
    assert behind_gates(design, draws, groups_of(design, "all").members) == {}
    assert identification(design, draws, draws, Behind({}, ())) is None


def test_contraction_and_notes_of_ces():
    design = small_design("bernoulli", "ces")
    rng = np.random.default_rng(4)
    prior = draws_for(design, rng)
    posterior = draws_for(design, rng, 0.95)
    known = posterior.population | {
        "share": 0.1 * prior.population["share"],
        "gain": np.where(np.arange(SIZE) < 120, np.log(0.05), np.log(0.5)),
        "substitution": np.where(np.arange(SIZE) < 100, -4.5, 0.0) + 1e-3 * rng.normal(size=SIZE),
    }
    posterior = replace(posterior, population=known)
    found = identification(design, posterior, prior, Behind({}, ()))
    by_term = {one.term: one.contraction for one in found.contractions}
    assert list(by_term) == ["intercept", "gain", "share", "substitution"]
    assert by_term["share"] == pytest.approx(0.99)
    assert found.substitution_flat == pytest.approx(0.25)
    assert found.gain_small == pytest.approx(0.30)
    assert found.notes[-2:] == (
        (
            "r is hardly identified: 25% of the posterior lies beyond 4 on either side, where the form "
            "is flat in it"
        ),
        (
            "r and the share are hardly identified: 30% of the posterior has a gain below 0.1 of a unit, "
            "where they hardly matter"
        ),
    )


def test_a_parameter_that_the_data_leave_alone_is_named():
    design = small_design("bernoulli", "conjunctive")
    prior = draws_for(design, np.random.default_rng(5))
    posterior = replace(
        prior,
        population={
            term: values * (1.0 if term == "human_steepness" else 0.1)
            for term, values in prior.population.items()
        },
    )
    firms_behind = {corner: np.full((SIZE, 1), 12.0) for corner in ("LL", "HL", "LH", "HH")}
    firms_behind["HL"] = np.full((SIZE, 1), 2.5)
    found = identification(design, posterior, prior, Behind(firms_behind, [("all", "all")]))
    assert found.notes == (
        (
            "Steepness of the gate of human capital (human_steepness) is hardly identified: the data "
            "take away 0% of its prior variance"
        ),
        "the corner human only rests on its prior: the gates put 2.5 firms behind it",
    )
    assert [(one.corner, one.firms.mean) for one in found.corners] == [
        ("LL", 12.0),
        ("HL", 2.5),
        ("LH", 12.0),
        ("HH", 12.0),
    ]


def test_no_verdict_on_a_corner_that_the_gates_leave_empty():
    claim = {
        "kind": "complementarity",
        "by": "all",
        "min_support": 2,
    }
    design = small_design(
        "bernoulli", "conjunctive", hypotheses=[claim], frame=firms(rows=480, clusters=3)
    )
    rng = np.random.default_rng(6)
    steep = {"human_steepness": np.log(50.0), "social_steepness": np.log(50.0)}
    # the gate of human capital opens above every firm: nobody is behind its corners
    shut = draws_for(design, rng, human_threshold=9.0, social_threshold=0.0, **steep)
    open_ = draws_for(design, rng, human_threshold=0.0, social_threshold=0.0, **steep)
    (stopped,) = verdicts(design.analysis.hypotheses, Evidence(design, shut, open_, 1), True)
    assert stopped.verdict == "not assessable"
    assert stopped.reason == stopped.unsupported
    assert stopped.reason == (
        "The gates put 0.0 firms behind the corner with human capital high, social capital low, "
        "fewer than 2: the claim would rest on its prior."
    )
    (free,) = verdicts(design.analysis.hypotheses, Evidence(design, open_, open_, 1), True)
    assert free.unsupported == ""
