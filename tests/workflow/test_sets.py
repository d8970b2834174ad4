"""Set theory of a run, put together: tables of all groups, conditions, notes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bayescluster.app.collect import ReadingInputs, claims_table, readings_of
from bayescluster.errors import ConfigError, DesignError
from bayescluster.features.sets.compute import cases_of, set_results, sets_of
from bayescluster.features.sets.measures import sufficiency
from bayescluster.features.sets.results import SetResults
from bayescluster.spec.analysis import Analysis
from bayescluster.verdicts.claims import NO_ANCHORS
from bayescluster.verdicts.evidence import Evidence
from tests.draws import known_draws
from tests.factories import analysis_dict, design_of, firms

VARYING = {"industry": ["intercept"], "cluster": ["intercept"]}


def evidence(
    sets: dict[str, Any] | None = None, family: str = "bernoulli", **keys: Any
) -> Evidence:
    frame = keys.pop("frame", firms(240))
    raw = analysis_dict(family, "interaction", VARYING, **keys)
    raw["traditions"] = {"sets": {"replicates": 100, **(sets or {})}}
    design = design_of(Analysis.model_validate(raw), frame)
    return Evidence(design, known_draws(design, 200, 2), known_draws(design, 100, 1, 3), 1)


def found(*args: Any, **keys: Any) -> SetResults:
    return set_results(sets_of(evidence(*args, **keys)))


def test_every_group_has_its_measures_truth_table_and_spread():
    results = found()
    groups = {(one.by, one.group) for one in results.measures}
    assert groups == {("all", "all"), ("industry", "I0"), ("industry", "I1")}
    assert len(results.measures) == 3 * (3 + 6) * 3
    for one in results.measures:
        assert one.low is not None
        assert one.high is not None
        assert one.low <= one.high
    assert len(results.truth_table) == 3 * 4
    for group in ("all", "I0", "I1"):
        rows = [row for row in results.truth_table if row.group == group]
        assert sum(row.cases for row in rows) == sum(
            one.members
            for one in results.measures
            if one.group == group
            and one.expression in ("H*S", "H*~S", "~H*S", "~H*~S")
            and one.measure == "PRI"
        )
    assert {(one.of, one.groups) for one in results.spreads} == {("industry", 2), ("cluster", 6)}
    assert [plot.expression for plot in results.plots] == ["H", "S", "H*S"]
    assert results.notes[0].startswith(
        "Anchors of human capital and social capital come from the sample, as the analysis "
        "declares none: "
    )


def test_where_a_set_cannot_be_had_a_note_says_why():
    frame = firms(240)
    # counts vary, their share does not
    frame["successes"] = np.arange(240) % 3 + 1
    frame["attempts"] = 2 * frame["successes"]
    results = found(family="binomial", frame=frame)
    assert results.measures == ()
    assert results.notes == (
        "outcome: all firms have the same value, so that no set can be calibrated from the sample.",
    )


CONDITIONS = {
    "conditions": [
        {"column": "exporter"},
        {"column": "size", "anchors": {"exclusion": 5, "crossover": 20.5, "inclusion": 60}},
    ],
    "expect": {"exporter": "present", "social_capital": "either"},
    "sufficiency": {"consistency": 0.55, "cases": 2},
}


def test_further_conditions_enter_truth_table_and_search():
    frame = firms(240).astype({"exporter": float})
    frame.loc[[1, 2], "exporter"] = np.nan
    one = evidence(CONDITIONS, frame=frame)
    results = set_results(sets_of(one))
    assert {row.letter for row in results.sets} == {"H", "S", "Y", "exporter", "size"}
    assert [row.missing for row in results.sets if row.letter == "exporter"] == [2]
    assert len([row for row in results.truth_table if row.by == "all"]) == 16
    whole = [row for row in results.truth_table if row.by == "all"]
    assert sum(row.cases for row in whole) == 238
    assert "2 rows that lack a further condition are left out of the truth tables." in results.notes
    kinds = {term.kind for term in results.solutions}
    assert kinds == {"complex", "parsimonious", "intermediate"}
    cases = cases_of(sets_of(one))
    known = ~np.isnan(cases.conditions["exporter"])
    for row in whole[:3]:
        parts = dict.fromkeys(row.configuration.split("*"))
        inside = np.minimum.reduce(
            [
                1 - cases.conditions[name[1:]] if name.startswith("~") else cases.conditions[name]
                for name in parts
            ]
        )[known]
        again = sufficiency(inside, cases.outcome[known])
        assert row.consistency == pytest.approx(float(again.consistency))
        assert row.cases == (inside > 0.5).sum()


def test_sets_are_read_in_the_claims_table():
    anchors = {"exclusion": -1.0, "crossover": 0.0, "inclusion": 1.0}
    one = evidence({"human_capital": anchors, "social_capital": anchors})
    asked = ReadingInputs(one, lambda _: (), True)
    claims = claims_table(0.95, readings_of(asked), {})
    rows = {(row.claim, row.group): row for row in claims.rows}
    spoken = [[reading.tradition for reading in row.readings] for row in rows.values()]
    assert all("sets" in some for some in spoken)
    assert len(rows) == 14


def test_sets_without_declared_anchors_give_no_verdict():
    """Quantiles of the sample are no calibration, and reject by construction."""
    asked = ReadingInputs(evidence(), lambda _: (), True)
    readings = readings_of(asked)
    assert {reading.tradition for reading in readings} == {"corners", "causes"}
    row = claims_table(0.95, readings, {"sets": NO_ANCHORS}).rows[0]
    assert row.silent["sets"] == NO_ANCHORS


SETS = {"human_capital": {"exclusion": 1, "crossover": 3, "inclusion": 5}}


@pytest.mark.parametrize(
    ("sets", "family", "message"),
    [
        (
            {"outcome": SETS["human_capital"]},
            "bernoulli",
            (
                "The analysis cannot be read:\n"
                "  a.yaml:traditions.sets.outcome: the outcome 'upgraded' is yes or no: a crisp set takes "
                "no anchors\n"
                "    leave the anchors of the outcome out"
            ),
        ),
        (
            {"expect": {"humn_capital": "present"}},
            "gaussian",
            (
                "The analysis cannot be read:\n"
                "  a.yaml:traditions.sets.expect.humn_capital: 'humn_capital' is not a condition of the truth "
                "table\n"
                "    did you mean 'human_capital'?"
            ),
        ),
    ],
)
def test_contradictions_are_refused(sets, family, message):
    with pytest.raises(ConfigError) as raised:
        evidence(sets, family)
    assert str(raised.value) == message


def test_conditions_must_be_memberships_or_have_anchors():
    with pytest.raises(DesignError) as raised:
        evidence({"conditions": [{"column": "size"}, {"column": "region"}]})
    assert str(raised.value) == (
        "The model cannot be built on these data (2 problems):\n"
        "  a.yaml:traditions.sets.conditions.0.column: the condition 'size' has no anchors and is not a "
        "membership between 0 and 1: 28 in rows 1, 2, 3, 4, 5 and 235 more\n"
        "    give it anchors: exclusion, crossover and inclusion\n"
        "  a.yaml:traditions.sets.conditions.1.column: the condition 'region' is not a number: 'west' "
        "in row 1, 'north' in row 2, 'south' in row 3\n"
        "    turn it into numbers with `derive: kind: recode`, or name another column"
    )


def test_anchors_out_of_order_are_refused():
    raw = analysis_dict()
    raw["traditions"] = {
        "sets": {"human_capital": {"exclusion": 1, "crossover": 1, "inclusion": 2}}
    }
    with pytest.raises(ValueError, match="must rise or fall in this order"):
        Analysis.model_validate(raw)
