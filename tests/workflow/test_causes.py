from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bayescluster.estimands.levels import default_levels
from bayescluster.features.causes.compute import causes_of
from bayescluster.features.causes.probabilities import (
    benchmarks,
    degrees_of_all,
    degrees_of_capital,
    e_value,
    e_value_of_limit,
    observed_cells,
    outcome_shares,
)
from bayescluster.spec.analysis import Analysis
from bayescluster.verdicts.evidence import Evidence
from tests.draws import known_draws
from tests.factories import CONTROLS, analysis_dict, design_of, firms
from tests.measured import CONSTRUCTS, measured_firms
from tests.systems import equation, learners, system, system_draws

FIRMS = firms(180, industries=3, clusters=2)
TERMS = {"human_capital": 1.0, "social_capital": 0.8, "interaction": 0.6, "intercept": -1.0}


def evidence_of(
    frame: pd.DataFrame = FIRMS, traditions: dict[str, Any] | None = None, **keys: Any
) -> Evidence:
    plain = analysis_dict(**keys) | {"traditions": traditions or {}}
    design = design_of(Analysis.model_validate(plain), frame)
    terms = {name: value for name, value in TERMS.items() if name in design.terms}
    return Evidence(
        design,
        known_draws(design, 40, spread=0.2, **terms),
        known_draws(design, 40, seed=5, spread=1.0),
        1,
    )


def test_bounds_of_every_comparison_and_group():
    evidence = evidence_of()
    found = causes_of(evidence, True)
    assert found is not None
    assert len(found.contrasts) == 5 * 4
    corners = evidence.surface("observed", default_levels(evidence.design)).corners
    sides = {"human_given_high": ("HH", "LH"), "both": ("HH", "LL")}
    for row in found.contrasts:
        if row.contrast not in sides:
            continue
        column = {label: k for k, label in evidence.columns(row.by)}[row.group]
        p1, p0 = (corners[side][:, column] for side in sides[row.contrast])
        assert row.exposed.mean == pytest.approx(p1.mean())
        assert row.pn.lower.mean == pytest.approx(np.maximum(0, 1 - p0 / p1).mean())
        assert row.pn.upper.mean == pytest.approx(np.minimum(1, (1 - p0) / p1).mean())
        assert row.ps.upper.mean == pytest.approx(np.minimum(1, p1 / (1 - p0)).mean())
        assert row.pns.upper.mean == pytest.approx(np.minimum(p1, 1 - p0).mean())
        assert row.pns.point is not None
        assert row.pns.point.mean == pytest.approx(np.maximum(0, p1 - p0).mean())
        assert row.against_monotonicity == (p1 < p0).mean()
        middle, ends = np.median(p1 / p0), np.quantile(p1 / p0, (0.05, 0.95))
        assert row.ratio == pytest.approx(middle)
        assert row.e_value == pytest.approx(e_value(middle))
        assert row.e_value_limit == pytest.approx(e_value_of_limit(*ends))


def test_degrees_are_those_of_the_firms_own_probabilities():
    evidence = evidence_of(structure="additive", controls=CONTROLS)
    design, draws = evidence.design, evidence.posterior
    human, social = design.capitals
    eta = (
        draws.population["intercept"][:, None]
        + draws.population["human_capital"][:, None] * human
        + draws.population["social_capital"][:, None] * social
        + draws.controls @ design.controls.T
    )
    p = 1 / (1 + np.exp(-eta))
    weights = evidence.groups.weights[:, [0]]
    found = degrees_of_all(design, draws, weights)
    mean = p.mean(axis=1)
    for draw in range(5):
        low = p[draw][p[draw] < mean[draw]]
        assert found.necessity[draw, 0] == pytest.approx(1 - low.mean() / mean[draw])
    alone = degrees_of_capital(design, draws, weights, "human_capital")
    for draw in range(5):
        # every firm with the capital of firm i in turn
        set_to = eta[draw][None, :] + draws.population["human_capital"][draw] * (
            human[:, None] - human[None, :]
        )
        own = (1 / (1 + np.exp(-set_to))).mean(axis=1)
        low = own[own < own.mean()]
        assert alone.necessity[draw, 0] == pytest.approx(1 - low.mean() / own.mean(), abs=0.01)


def test_benchmarks_set_a_control_for_every_firm():
    evidence = evidence_of(
        structure="additive", controls=[*CONTROLS, {"product": ["exporter", "log(size)"]}]
    )
    assert benchmarks(evidence.design, evidence.posterior) == ()
    evidence = evidence_of(structure="additive", controls=CONTROLS)
    design, draws = evidence.design, evidence.posterior
    found = {one.control: one for one in benchmarks(design, draws)}
    assert set(found) == {"log(size)", "exporter"}  # a region is no single column
    base = (
        draws.population["intercept"][:, None]
        + draws.population["human_capital"][:, None] * design.capitals[0]
        + draws.population["social_capital"][:, None] * design.capitals[1]
    )
    for position, name in enumerate(design.control_names):
        if name not in found:
            continue
        column = design.controls[:, position]
        ends = (0, 1) if name == "exporter" else np.quantile(column, (0.1, 0.9))
        means = []
        for end in ends:
            controls = design.controls.copy()
            controls[:, position] = end
            means.append((1 / (1 + np.exp(-(base + draws.controls @ controls.T)))).mean())
        one = found[name]
        assert one.outcome == pytest.approx(max(means) / min(means))
        assert one.absence == pytest.approx((1 - min(means)) / (1 - max(means)))
    assert found["exporter"].change == "no to yes"


EXPERIMENT = {
    "capital": "human_capital",
    "treated": {"events": 55, "firms": 100},
    "control": {"events": 40, "firms": 100},
}


def test_an_experiment_gives_bounds_beside_the_sample():
    found = causes_of(evidence_of(traditions={"causes": {"experiment": EXPERIMENT}}), True)
    assert found is not None
    assert found.arms is not None
    arms = found.arms
    assert arms.note == ""
    assert arms.kept > 0.5
    assert arms.treated is not None
    assert arms.treated.mean == pytest.approx(0.55, abs=0.05)
    for bounds in (arms.pn, arms.ps, arms.pns):
        assert bounds is not None
        assert (
            0
            <= bounds.lower.low
            <= bounds.lower.mean
            <= bounds.upper.mean
            <= bounds.upper.high
            <= 1
        )
    assert arms.exposure == (
        "firms with human capital at least 50% of the way from low to high (quantiles 0.1 and 0.9) "
        "count as exposed, all others as not"
    )


def test_an_experiment_that_the_sample_rules_out():
    wrong = EXPERIMENT | {
        "treated": {"events": 1, "firms": 1000},
        "control": {"events": 500, "firms": 1000},
    }
    evidence = evidence_of(traditions={"causes": {"experiment": wrong}})
    found = causes_of(evidence, True)
    assert found is not None
    assert found.arms is not None
    cells = observed_cells(evidence.design, default_levels(evidence.design), "human_capital")
    low, high = cells[0] / cells.sum(), 1 - cells[1] / cells.sum()
    assert found.arms.pns is None
    assert found.arms.note == (
        "There are no bounds: the experiment and the sample cannot be of one population: the outcome "
        "under treatment has probability 0.001 in the experiment, but the observations allow "
        f"{low:.4g} to {high:.4g}."
    )


def test_cells_of_the_sample():
    evidence = evidence_of()
    design = evidence.design
    levels = default_levels(design)
    low, high = levels.human
    exposed = design.capitals[0] >= (low + high) / 2
    y = design.outcome
    wanted = [((exposed == a) & (y == b)).sum() for a in (True, False) for b in (1, 0)]
    np.testing.assert_allclose(observed_cells(design, levels, "human_capital"), wanted)
    # rows of one firm count once: 180 rows of 45 firms
    fewer = observed_cells(evidence_of(data={"firm": "panel"}).design, levels, "human_capital")
    np.testing.assert_allclose(fewer, np.array(wanted) / 4)


@pytest.mark.parametrize(
    ("family", "keys", "share"),
    [
        ("binomial", {}, lambda f: f["successes"] / f["attempts"]),
        ("ordinal", {"at_least": 2}, lambda f: f["grade"] >= 2),
        ("beta", {}, lambda f: f["share"]),
        ("bernoulli", {}, lambda f: f["upgraded"]),
    ],
)
def test_how_much_of_the_outcome_a_row_has(family, keys, share):
    design = evidence_of(family=family, **keys).design
    np.testing.assert_allclose(outcome_shares(design), share(FIRMS).astype(float))


def test_weights_count_for_what_they_are_worth():
    frame = FIRMS.assign(weight=np.random.default_rng(1).uniform(0.2, 5.0, len(FIRMS)))
    design = evidence_of(frame, data={"weight": "weight"}).design
    cells = observed_cells(design, default_levels(design), "social_capital")
    w = frame["weight"]
    assert cells.sum() == pytest.approx(w.sum() ** 2 / (w**2).sum())


@pytest.mark.parametrize(
    ("keys", "note"),
    [
        ({}, ""),
        (
            {"data": {"industry": None, "cluster": None}},
            "The data declare no industry: differences between industries are not assessed.",
        ),
        (
            {"family": "beta"},
            (
                "The outcome is a share: it is read as the probability that one unit, drawn at random from "
                "a firm, has it."
            ),
        ),
        (
            {"family": "binomial"},
            "The outcome is that of one trial: probabilities are of a trial drawn at random from a firm.",
        ),
        (
            {"family": "gaussian"},
            (
                "Probabilities of causation need an outcome that comes or does not: the expected outcome of "
                "family gaussian is no probability. Ask for one with `at_least`."
            ),
        ),
    ],
)
def test_what_is_not_available_is_noted(keys, note):
    found = causes_of(evidence_of(**keys), True)
    assert found is not None
    assert found.notes == ((note,) if note else ())
    assert bool(found.contrasts) == (keys.get("family") != "gaussian")


def test_without_capitals_there_is_nothing():
    assert causes_of(evidence_of(structure="intercept"), True) is None


def test_assumptions_are_those_of_the_analysis():
    found = causes_of(evidence_of(controls=["exporter"], varying={"cluster": ["intercept"]}), True)
    assert found is not None
    exogeneity, consistency, monotonicity, model = found.assumptions
    assert "of a capital and of the outcome, given exporter, cluster." in exogeneity
    assert consistency.startswith("Consistency and no interference: ")
    assert "is not assumed: verdicts rest on bounds" in monotonicity
    assert model == (
        "The model is right: family bernoulli, structure interaction; human capital and social "
        "capital measured without error."
    )
    assert found.settings == {
        "pn_min": 0.75,
        "ps_min": 0.75,
        "ps_max": 0.5,
        "synergy_min": 0.0,
        "margin": 0.1,
        "monotone": "both",
        "level": 0.95,
    }


@pytest.mark.parametrize("outcome", [0, 1])
def test_outcomes_that_all_firms_have_or_none(outcome):
    # coefficients so large that every probability is 0 or 1 to the last digit
    evidence = evidence_of(FIRMS)
    far = np.full(40, 2000.0 if outcome else -2000.0)
    posterior = replace(
        evidence.posterior, population=evidence.posterior.population | {"intercept": far}
    )
    found = causes_of(Evidence(evidence.design, posterior, evidence.prior, 1), True)
    assert found is not None
    for row in found.contrasts:
        for bounds in (row.pn, row.ps, row.pns):
            assert 0 <= bounds.lower.low <= bounds.upper.high <= 1
    for row in found.degrees:
        assert (row.necessity.mean, row.sufficiency.mean) == pytest.approx((0, 0), abs=1e-12)
    assert type(found).model_validate_json(found.model_dump_json()) == found


def test_through_other_equations_effects_are_total_and_controls_not_compared():
    equations = {
        "buyers": equation("buyers"),
        "upgrading": equation("upgraded", predictors=["buyers"], controls=["exporter"]),
    }
    design = system(equations, frame=learners(90))
    evidence = Evidence(design, system_draws(design, 30), system_draws(design, 30), 1)
    found = causes_of(evidence, True)
    assert found is not None
    assert found.notes == (
        (
            "Effects are total effects, those through other equations as well. Controls are not "
            "compared with a confounder here: they may act through these."
        ),
    )
    assert found.benchmarks == ()
    assert found.verdicts


def test_latent_capitals_differ_between_draws():
    design = design_of(
        Analysis.model_validate(analysis_dict(constructs=CONSTRUCTS["both latent"])),
        measured_firms(60),
    )
    rng = np.random.default_rng(3)
    known = known_draws(design, 30, human_capital=1.0)
    human = rng.normal(size=(30, 60))
    posterior = replace(known, capitals=(human, rng.normal(size=(30, 60))))
    found = causes_of(Evidence(design, posterior, posterior, 1), True)
    assert found is not None
    assert found.assumptions[-1].endswith(
        "human capital and social capital as the measurement model has it."
    )
    still = replace(
        posterior, capitals=(0 * human + np.linspace(-1, 1, 60) * 1e-9, 0 * human + human)
    )
    weights = np.full((60, 1), 1 / 60)
    moved = degrees_of_capital(design, posterior, weights, "human_capital")
    alike = degrees_of_capital(design, still, weights, "human_capital")
    assert moved.necessity.mean() > 0.05
    assert alike.necessity.max() < 1e-6
