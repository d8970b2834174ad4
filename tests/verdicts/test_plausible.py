"""Verdicts over several forms: what holds under each plausible one, and what depends on the form."""

from __future__ import annotations

from typing import Any

import pytest

from bayescluster.report.answer import GridCell
from bayescluster.results.model import Verdict
from bayescluster.verdicts.decide import verdicts
from bayescluster.verdicts.evidence import Evidence
from bayescluster.verdicts.forms import (
    JudgedForm,
    claims_of_verdicts,
    non_compensatory,
    verdicts_over_forms,
)
from tests.draws import known_draws
from tests.factories import small_design

CLAIM = {"kind": "necessary", "capital": "human_capital", "by": "all", "min_support": 0}
DESIGN = small_design("bernoulli", "ces", hypotheses=[CLAIM])
NO_GATES = "Not rejected: the form has no gates."


def verdict(state: str, probability: float, **more: Any) -> Verdict:
    known = {
        "kind": "necessary",
        "capital": "human_capital",
        "by": "all",
        "group": "all",
        "scope": "observed",
        "title": "Human capital is necessary",
        "region": "a region",
        "verdict": state,
        "reason": f"It is {state}.",
        "probability": probability,
        "given": probability,
        "mcse": 0.01,
        "prior_probability": 0.1,
        "odds_ratio": None,
        "level": 0.95,
        "figures": (),
    }
    return Verdict.model_validate(known | more)


def joined(*forms: tuple[str, Verdict, bool], gate: str = "") -> Verdict:
    judged = [JudgedForm(name, plausible, name != gate, (own,)) for name, own, plausible in forms]
    (found,) = verdicts_over_forms(DESIGN.analysis.hypotheses, judged, DESIGN)
    return found


SURE, SURER = verdict("supported", 0.96), verdict("supported", 0.99)
GONE, OPEN = verdict("rejected", 0.01), verdict("undecided", 0.40)
SCALE = verdict("scale-dependent", 0.30)
BLANK = verdict("not assessable", 0.02, given=0.6)
STATES = [
    ((SURE, SURER), "supported", 0.96),
    ((GONE, verdict("rejected", 0.03)), "rejected", 0.03),
    ((SURE, GONE), "depends on the form", 0.96),
    ((SURE, OPEN), "undecided", 0.40),
    ((GONE, OPEN), "undecided", 0.40),
    ((SURE, SCALE), "scale-dependent", 0.30),
    ((GONE, SCALE), "undecided", 0.30),
    ((GONE, verdict("scale-dependent", 0.02)), "rejected", 0.02),
    ((BLANK, BLANK), "not assessable", 0.02),
    ((BLANK, OPEN), "not assessable", 0.40),
    ((BLANK, SURE), "undecided", 0.96),
]


@pytest.mark.parametrize(("own", "state", "probability"), STATES)
def test_a_verdict_holds_under_each_plausible_form_or_not_at_all(own, state, probability):
    found = joined(("ces", own[0], True), ("conjunctive", own[1], True))
    assert found.verdict == state
    assert found.probability == probability
    assert f"ces {own[0].probability:.3f}, conjunctive {own[1].probability:.3f}" in found.reason


def test_a_form_that_predicts_worse_has_no_say():
    found = joined(("additive", GONE, False), ("conjunctive", SURE, True))
    assert found.verdict == "supported"
    assert found.reason == (
        "Supported under conjunctive, the only plausible form. Probability by form: conjunctive 0.960; "
        "additive predicts worse by more than the data leave open."
    )


def test_what_forms_say_differently_is_shown_from_the_least_to_the_largest():
    worse = ("ces", verdict("rejected", 0.001), False)
    found = joined(("interaction", OPEN, True), ("conjunctive", SURE, True), worse)
    assert (found.probability, found.among) == (0.40, (0.40, 0.96))
    cell = GridCell(found)
    assert cell.share == "0.40–0.96"
    # forms that say about the same have one probability, and the sign of another verdict none
    near = joined(("interaction", OPEN, True), ("conjunctive", verdict("undecided", 0.42), True))
    assert GridCell(near).share == "0.42"
    for state in ("negligible", "scale-dependent", "not assessable"):
        assert GridCell(verdict(state, 0.97)).share == ""
    assert joined(("interaction", OPEN, True), worse).among is None


def test_forms_that_decide_opposite_ways_are_both_named():
    found = joined(("additive", GONE, True), ("ces", SURE, True), ("conjunctive", SURER, True))
    assert found.reason.startswith(
        "The claim is supported under ces and conjunctive and rejected under additive, all plausible."
    )


def test_a_plausible_form_must_have_passed_its_gate():
    forms = (("ces", SURE, True), ("conjunctive", SURER, True), ("additive", GONE, False))
    found = joined(*forms, gate="ces")
    assert found.verdict == "undecided"
    assert (
        found.stopped == "The diagnostics gate of ces failed: the probability cannot be relied on."
    )
    assert joined(*forms, gate="additive").verdict == "supported"


def test_what_any_plausible_form_lacks_is_said_of_all():
    thin, likelihood = "No firms are near the corner.", "the likelihood decides"
    second = verdict("supported", 0.99, unsupported=thin, depends=likelihood)
    for plausible in (True, False):
        found = joined(("ces", SURE, True), ("conjunctive", second, plausible))
        assert found.unsupported == (thin if plausible else "")
        assert found.depends == (f"Under conjunctive: {likelihood}" if plausible else "")
        assert found.verdict == ("undecided" if plausible else "supported")


def test_what_a_form_may_not_reject_alone_it_may_among_others():
    alone = verdict("undecided", 0.01, withheld=NO_GATES, reason=NO_GATES)
    found = joined(("interaction", alone, True), ("ces", GONE, True))
    assert (found.verdict, found.withheld) == ("rejected", "")
    # two forms without gates are no better than one
    found = joined(("interaction", alone, True), ("additive", alone, True))
    assert found.verdict == "undecided"
    assert "(interaction and additive) cannot have gates" in found.reason


def test_claims_and_their_verdicts_go_together():
    claims = [
        {"kind": "effect", "capital": "human_capital", "by": "industry"},
        {"kind": "difference", "capital": "social_capital"},
        CLAIM,
    ]
    design = small_design("bernoulli", "ces", hypotheses=claims)
    evidence = Evidence(design, known_draws(design, 40, 2), known_draws(design, 30, 1), 1)
    named = claims_of_verdicts(design.analysis.hypotheses, evidence)
    judged = verdicts(design.analysis.hypotheses, evidence, True)
    assert [claim.kind for claim in named] == [one.kind for one in judged]
    assert [one.kind for one in judged] == ["effect", "effect", "difference", "necessary"]


def test_a_shape_is_non_compensatory_by_what_it_does_and_not_by_its_name():
    def probability(form: str, **known: float) -> float | None:
        design = small_design("bernoulli", form)
        draws = known_draws(design, 40, 2, spread=0.0, **known)
        return non_compensatory(Evidence(design, draws, draws, 1))

    corners = {"human_steepness": 1.5, "social_steepness": 1.5}
    gates = {"neither": -4.0, "human_only": -3.5, "social_only": -3.5, "both": 2.0}
    assert probability("conjunctive", **corners, **gates) == 1.0
    # the same form where human capital alone will do
    assert probability("conjunctive", **corners, **gates | {"human_only": 2.0}) == 0.0
    # CES that leans a little towards Leontief still compensates
    assert probability("ces", intercept=-1.0, gain=0.5, substitution=-0.1, share=0.0) == 0.0
    assert probability("ces", intercept=-1.0, gain=0.5, substitution=-8.0, share=0.0) == 1.0
    assert probability("additive", intercept=-3.0, human_capital=1.0, social_capital=1.0) == 0.0


def test_a_necessity_says_that_the_capitals_may_add_up_where_that_is_plausible():
    told = joined(("ces", SURE, True), ("additive", SURER, True)).reason
    assert "the other capital makes up for little" in told
    assert "little" not in joined(("ces", SURE, True), ("additive", SURER, False)).reason
