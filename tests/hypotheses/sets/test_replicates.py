"""Replicates and readings of a run against the same numbers computed another way."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from bayescluster.design.record import Design
from bayescluster.features.sets import compute as replicates
from bayescluster.features.sets.compute import (
    GATE_FAILED,
    SETS_STREAM,
    SetEvidence,
    both_only,
    declared_sets,
    default_anchors,
    expressions,
    set_readings,
    set_values,
)
from bayescluster.features.sets.measures import calibrate, necessity, sufficiency, total_of
from bayescluster.features.sets.spec import Sets
from bayescluster.features.sets.truth_table import Implicant, minimised
from bayescluster.model.evaluate import replicate
from bayescluster.results.claims import Reading
from bayescluster.spec.analysis import Analysis
from tests.draws import known_draws
from tests.factories import analysis_dict, design_of, firms

VARYING = {"industry": ["intercept", "human_capital"], "cluster": ["intercept"]}
SEED = 7


def design_with(
    sets: dict[str, Any] | None = None,
    family: str = "bernoulli",
    frame: pd.DataFrame | None = None,
    by: list[str] | None = None,
    **keys: Any,
) -> Design:
    raw = analysis_dict(family, "interaction", keys.pop("varying", VARYING), **keys)
    raw["traditions"] = {"sets": {"replicates": 200, **(sets or {})}}
    if by is not None:
        raw["traditions"]["by"] = by
    return design_of(Analysis.model_validate(raw), firms(240) if frame is None else frame)


def evidence_of(design: Design, **centre: float) -> SetEvidence:
    posterior = known_draws(design, 300, 2, seed=2, **centre)
    return SetEvidence(design, posterior, known_draws(design, 150, 1, seed=3, spread=1.0), SEED)


def by_hand(frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    found = [
        calibrate(frame[name].to_numpy(float), np.quantile(frame[name], (0.1, 0.5, 0.9)))
        for name in ("training", "trust")
    ]
    return found[0], found[1], frame["upgraded"].to_numpy(float)


def test_observed_measures_are_those_of_the_columns():
    frame = firms(240)
    found = evidence_of(design_with(by=["industry", "cluster"]))
    human, social, outcome = by_hand(frame)
    measured = found.measured("observed")
    want = expressions(human, social)
    for by, column_name in (("industry", "industry"), ("cluster", "cluster")):
        for column, label in found.columns(by):
            mine = (frame[column_name] == label).to_numpy()
            for name, (consistency, relevance, coverage) in measured.necessity.items():
                again = necessity(want[name][mine], outcome[mine])
                got = (consistency[0, column], relevance[0, column], coverage[0, column])
                assert got == pytest.approx(tuple(map(float, again)))
            for name, values in measured.sufficiency.items():
                again = sufficiency(want[name][mine], outcome[mine])
                assert [value[0, column] for value in values] == pytest.approx(
                    [float(value) for value in again]
                )
            assert measured.cases["H*S"][0, column] == (want["H*S"][mine] > 0.5).sum()
            assert measured.cases["outcome"][0, column] == outcome[mine].sum()


def test_bootstrap_counts_whole_clusters_where_a_group_has_several():
    frame = firms(240)
    found = evidence_of(design_with(by=["industry", "cluster"]))
    rng = np.random.default_rng((SEED, SETS_STREAM, 3))
    clusters = np.unique(frame["cluster"], return_inverse=True)[1]
    of_clusters = rng.exponential(size=(200, 6))[:, clusters]
    of_firms = rng.exponential(size=(200, 240))
    human, social, outcome = by_hand(frame)
    want = expressions(human, social)
    measured = found.measured("data")
    for by, weights in (("all", of_clusters), ("industry", of_clusters), ("cluster", of_firms)):
        for column, label in found.columns(by):
            mine = np.ones(240, bool) if by == "all" else (frame[by] == label).to_numpy()
            again = necessity(want["H"], outcome, total_of(weights * mine))
            np.testing.assert_allclose(measured.necessity["H"].consistency[:, column], again[0])
            np.testing.assert_allclose(measured.necessity["H"].relevance[:, column], again[1])
            second = sufficiency(want["H*S"], outcome, total_of(weights * mine))
            np.testing.assert_allclose(measured.sufficiency["H*S"].pri[:, column], second[1])
    assert found.resampled(found.columns("industry")[0][0]) == "3 clusters resampled"
    assert found.resampled(found.columns("cluster")[0][0]) == "each resampled"


@pytest.mark.parametrize(("source", "stream"), [("model", 1), ("prior", 2)])
def test_replicates_of_the_model_are_outcomes_drawn_anew(source, stream):
    design = design_with()
    found = evidence_of(design)
    draws = found._draws[source].thinned(200)
    outcomes = replicate(design, draws, np.random.default_rng((SEED, SETS_STREAM, stream)))
    human, social, _ = by_hand(firms(240))
    both = np.minimum(human, social)
    got = found.measured(source).sufficiency["H*S"].consistency[:, 0]
    weights = np.ones((1, 240))
    if source == "prior":
        rng = np.random.default_rng((SEED, SETS_STREAM, 3))
        clusters = np.unique(firms(240)["cluster"], return_inverse=True)[1]
        weights = rng.exponential(size=(len(outcomes), 6))[:, clusters]
    want = (weights * np.minimum(both, outcomes)).sum(1) / (weights * both).sum(1)
    np.testing.assert_allclose(got, want)


def test_chunks_change_nothing(monkeypatch):
    anchors = {"exclusion": -1.0, "crossover": 3.0, "inclusion": 6.0, "sd": [0.3, 0.3, 0.3]}
    design = design_with({"human_capital": anchors, "replicates": 101})
    whole = {s: evidence_of(design).measured(s) for s in ("observed", "data", "model", "prior")}
    monkeypatch.setattr(replicates, "CELLS_A_CHUNK", 240 * 10)
    found = evidence_of(design)
    for source, want in whole.items():
        got = found.measured(source)
        for name in want.sufficiency:
            for a, b in zip(got.sufficiency[name], want.sufficiency[name], strict=True):
                np.testing.assert_allclose(a, b)
            np.testing.assert_array_equal(got.cases[name], want.cases[name])


def test_a_prior_of_the_anchors_widens_the_intervals():
    sure = {"exclusion": 0.5, "crossover": 3.0, "inclusion": 5.5}
    spreads = []
    for sd in ([0, 0, 0], [1.0, 1.0, 1.0]):
        found = evidence_of(design_with({"human_capital": sure | {"sd": sd}}))
        assert found.declared["human_capital"].how == "declared anchors"
        spreads.append(found.measured("data").necessity["H"].consistency[:, 0].std())
    assert spreads[1] > 1.5 * spreads[0]


def test_the_conjunction_event_is_that_of_the_minimised_solution():
    found = evidence_of(design_with())
    asked = Sets.model_validate({"sufficiency": {"consistency": 0.6, "pri": 0.5, "cases": 3}})
    measured = found.measured("model")
    events = both_only(measured, asked)
    rows = {"~H*~S": 0, "H*~S": 1, "~H*S": 2, "H*S": 3}
    term = Implicant(3, 3)
    seen = set()
    for r in range(events.shape[0]):
        for g in range(events.shape[1]):
            positive = [
                row
                for name, row in rows.items()
                if measured.sufficiency[name].consistency[r, g] >= 0.6
                and measured.sufficiency[name].pri[r, g] >= 0.5
                and measured.cases[name][r, g] >= 3
            ]
            solutions = minimised(positive, (), 2)
            assert events[r, g] == any(term in one for one in solutions)
            seen.add(bool(events[r, g]))
    assert seen == {True, False}


def made(rows: int = 240, **columns: np.ndarray) -> pd.DataFrame:
    return firms(rows).assign(**columns)


def readings(design: Design, gate: bool = True, **centre: float) -> dict[tuple[str, str], Reading]:
    found = set_readings(evidence_of(design, **centre), gate)
    return {(one.claim, one.group): one for one in found}


def conjunctive_frame() -> pd.DataFrame:
    """Firms that upgrade exactly where both capitals are high, both far from their crossovers."""
    rng = np.random.default_rng(4)
    human, social = rng.integers(0, 2, (2, 240))
    return made(training=human * 10.0, trust=social * 10.0, upgraded=human * social).assign(
        training=lambda f: f["training"] + rng.normal(0, 0.3, 240),
        trust=lambda f: f["trust"] + rng.normal(0, 0.3, 240),
    )


FAR = {"exclusion": 2.0, "crossover": 5.0, "inclusion": 8.0}


def test_both_needed_and_enough_is_read_as_such():
    cuts = {"necessity": {"relevance": 0.25}}
    frame = conjunctive_frame()
    design = design_with({"human_capital": FAR, "social_capital": FAR, **cuts}, frame=frame)
    found = readings(design)
    assert {key[0] for key in found} == {"N-H", "N-S", "I-H", "I-S", "J", "C", "D-H", "D-S"}
    for claim in ("N-H", "N-S", "I-H", "I-S", "J", "C"):
        for group in ("I0", "I1"):
            one = found[claim, group]
            assert one.verdict == "supported", one
            assert one.probability == 1.0
            assert "declared sets" in one.region
            assert one.flags == ()
            assert one.behind.endswith("(membership above .5); 3 clusters only")
    assert found["D-H", "all"].verdict == "rejected"
    assert found["N-H", "I0"].region == (
        "necessary: consistency at least 0.9 and relevance (RoN) at least 0.25 (declared sets)"
    )
    assert found["N-H", "I0"].reason.startswith(
        "More than 99.9% of the replicates of the firms (3 clusters resampled) lie in the "
        "region, at least the 95% asked for; of those made by the fitted model, "
    )


def test_a_capital_that_nearly_all_have_is_trivially_necessary():
    rng = np.random.default_rng(5)
    human = np.where(np.arange(240) % 24 == 0, 0.0, 10.0)
    frame = made(training=human + rng.normal(0, 0.1, 240))
    found = readings(design_with({"human_capital": FAR}, frame=frame, by=["all"]))
    one = found["N-H", "all"]
    assert one.verdict == "rejected"
    assert one.estimate is not None
    assert one.estimate.mean > 0.9
    assert one.flags == ("trivial", "prior_decides")


HARDLY = {"exclusion": -20.0, "crossover": 2.0, "inclusion": 25.0}
HARDLY_TOO = {"exclusion": -100.0, "crossover": 40.0, "inclusion": 200.0}


def test_fuzzy_outcomes_near_the_crossover_are_contradictory():
    growth = {"exclusion": -10.0, "crossover": 10.0, "inclusion": 30.0}
    rng = np.random.default_rng(6)
    frame = made(growth=9.0 + rng.normal(0, 1.0, 240))
    design = design_with(
        {"outcome": growth, "human_capital": HARDLY, "social_capital": HARDLY_TOO},
        "gaussian",
        frame=frame,
        by=["all"],
    )
    one = readings(design)["J", "all"]
    assert one.estimate is not None
    assert one.estimate.mean > 0.8
    assert "contradictory" in one.flags
    assert one.verdict != "supported"


def test_nothing_is_judged_on_few_members_or_where_the_gate_failed():
    frame = made(upgraded=(np.arange(240) < 4).astype(int))
    design = design_with(frame=frame, by=["all"])
    one = readings(design)["N-H", "all"]
    assert one.verdict == "undecided"
    assert one.reason == (
        "Fewer than 5 firms have a membership above .5 in the outcome (4): there is little to read."
    )
    assert one.behind == "4 firms in the outcome (membership above .5)"
    assert "thin" in one.flags
    failed = readings(design_with(by=["all"]), gate=False)
    assert {one.verdict for one in failed.values()} == {"undecided"}
    assert {one.reason for one in failed.values()} == {GATE_FAILED}


def test_differences_are_the_range_over_industries():
    found = evidence_of(design_with())
    columns = [column for column, _ in found.columns("industry")]
    values = found.measured("data").necessity["S"].consistency[:, columns]
    one = next(r for r in set_readings(found, True) if r.claim == "D-S")
    want = np.abs(values[:, 0] - values[:, 1])
    assert one.probability == (want > 0.1).mean()
    assert one.estimate is not None
    assert one.estimate.mean == pytest.approx(want.mean())


@pytest.mark.parametrize(
    "family",
    [
        "bernoulli",
        "probit",
        "binomial",
        "beta",
        "gaussian",
        "student_t",
        "lognormal",
        "poisson",
        "negative_binomial",
        "ordinal",
    ],
)
def test_every_family_is_read(family):
    design = design_with(family=family)
    found = readings(design)
    assert len(found) == 14
    for one in found.values():
        assert one.probability is not None
        assert 0 <= one.probability <= 1


def test_outcomes_are_rates_shares_and_reached_levels():
    frame = firms(240)
    design = design_with(family="binomial")
    want = frame["successes"] / frame["attempts"]
    np.testing.assert_allclose(set_values(design, design.outcome), want)
    design = design_with(family="poisson", exposure="exposure")
    want = frame["patents"] / frame["exposure"]
    np.testing.assert_allclose(set_values(design, design.outcome), want)
    design = design_with(family="ordinal", at_least=2)
    np.testing.assert_array_equal(set_values(design, design.outcome), frame["grade"] >= 2)
    assert {s.name: s.how for s in declared_sets(design)}["outcome"] == "crisp: 0 or 1"


@pytest.mark.parametrize("lacking", ["industry", "cluster", "both"])
def test_without_industries_or_clusters(lacking):
    data = {name: None for name in ("industry", "cluster") if lacking in (name, "both")}
    design = design_with(data=data, varying={})
    found = readings(design)
    groups = {key[1] for key in found}
    if "industry" in data:
        assert groups == {"all"}
        assert not any(key[0].startswith("D") for key in found)
    if "cluster" in data:
        assert evidence_of(design).resampled(0) == "each resampled"


def test_survey_weights_count():
    frame = firms(240)
    frame["w"] = np.where(frame["upgraded"] == 1, 3.0, 1.0)
    found = evidence_of(design_with(data={"weight": "w"}, frame=frame))
    human, _, outcome = by_hand(frame)
    want = sufficiency(human, outcome, total_of(frame["w"].to_numpy())).consistency
    assert found.measured("observed").sufficiency["H"].consistency[0, 0] == pytest.approx(want)


def test_firms_without_an_outcome_are_left_out():
    frame = firms(240).astype({"upgraded": float})
    frame.loc[[3, 50, 51], "upgraded"] = np.nan
    design = design_with(data={"missing": "impute"}, frame=frame)
    found = evidence_of(design)
    assert found.rows.size == 237
    human, _, outcome = by_hand(firms(240))
    mine = frame["upgraded"].notna().to_numpy()
    want = sufficiency(human[mine], outcome[mine]).consistency
    assert found.measured("observed").sufficiency["H"].consistency[0, 0] == pytest.approx(want)


def test_default_anchors():
    values = np.random.default_rng(1).normal(size=101)
    anchors, words = default_anchors(values, (0.1, 0.5, 0.9))
    low, middle, high = np.quantile(values, (0.1, 0.5, 0.9))
    assert (anchors[0], anchors[2]) == (low, high)
    assert middle < anchors[1] < np.sort(values)[51]  # off the firm that is the median
    assert words == "quantiles 0.1, 0.5, 0.9 of the sample"
    counts = np.array([0.0] * 80 + [1, 2, 3, 4] * 5)
    anchors, words = default_anchors(counts, (0.1, 0.5, 0.9))
    assert (anchors[0], anchors[2]) == (0.0, np.quantile(counts, 0.9))
    assert anchors[1] not in counts
    assert words == "least, middle and high value of the sample, as its quantiles fall together"
    assert default_anchors(np.array([2.0, 2.0, np.nan]), (0.1, 0.5, 0.9)) is None


def test_a_yes_or_no_capital_is_a_crisp_set():
    constructs = {"human_capital": {"indicators": ["exporter"], "method": "single"}}
    design = design_with(constructs=constructs)
    human = next(declared_sets(design))
    assert human.how == "crisp: 0 or 1"
    np.testing.assert_array_equal(human.values, firms(240)["exporter"])


def test_without_sets_there_is_no_reading():
    # counts vary, their share does not
    attempts = np.arange(240) % 3 + 1
    frame = made(successes=attempts, attempts=2 * attempts)
    design = design_with(family="binomial", frame=frame)
    assert evidence_of(design).lacking == ("outcome",)
    assert readings(design) == {}
