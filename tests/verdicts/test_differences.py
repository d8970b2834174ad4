"""Differences between industries: in effects, in compensation, and in whether a claim holds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.special import expit

from bayescluster.app.collect import claimed_estimands
from bayescluster.design.record import Design
from bayescluster.estimands.effects import SurfaceDraws
from bayescluster.estimands.levels import Levels, default_levels
from bayescluster.model.evaluate import linear_predictor
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.hypotheses import Difference
from bayescluster.verdicts.decide import declared_events, groups_judged, verdicts
from bayescluster.verdicts.differences import asked_pairs
from bayescluster.verdicts.evidence import Evidence
from tests.draws import known_draws
from tests.factories import firms, small_design

H, S = "human_capital", "social_capital"
VARYING = {"industry": ["intercept", H], "cluster": ["intercept"]}
ORDER = ("LL", "HL", "LH", "HH")


def judged(evidence: Evidence, *claims: dict[str, Any]) -> tuple[Any, ...]:
    raw = evidence.design.analysis.model_dump(mode="json") | {"hypotheses": list(claims)}
    design = Design(
        Analysis.model_validate(raw), evidence.design.data, evidence.design.equation_name
    )
    evidence.design = design
    return verdicts(design.analysis.hypotheses, evidence, True)


def made(form: str = "interaction", **known: float) -> Evidence:
    design = small_design(
        "bernoulli", form, VARYING if form == "interaction" else {}, frame=firms(240)
    )
    posterior = known_draws(design, 200, 2, seed=2, **known)
    return Evidence(design, posterior, known_draws(design, 100, 1, seed=3, spread=1.5), 7)


def with_corners(
    first: tuple[float, ...], second: tuple[float, ...], form: str = "ces"
) -> Evidence:
    """Evidence in which the corners of two industries are known."""
    evidence = made(form)
    columns = [column for column, _ in evidence.columns("industry")]

    def computed(request: Any) -> SurfaceDraws:
        size = 200 if request.source == "posterior" else 100
        corners = {}
        for k, name in enumerate(ORDER):
            corners[name] = np.full((size, evidence.groups.members.shape[1]), 0.4)
            if request.source == "posterior":
                corners[name][:, columns[0]], corners[name][:, columns[1]] = first[k], second[k]
        return SurfaceDraws({}, {}, corners)

    evidence._computed = computed  # type: ignore[method-assign]
    evidence.support = _plenty(evidence)  # type: ignore[method-assign]
    return evidence


def _plenty(evidence: Evidence) -> Any:
    def support(levels: Levels) -> Any:
        found = Evidence.support(evidence, levels)
        return found._replace(firms=np.full_like(found.firms, 50.0))

    return support


def test_the_same_firms_as_if_in_one_industry():
    """An effect over all firms, in the average cluster of an industry, written out."""
    evidence = made(human_capital=1.0)
    design, draws = evidence.design, evidence.posterior
    levels = default_levels(design)
    for place in (0, 1):
        found = evidence.standardised("industry", place, levels)
        (industry,) = (group for name, group in draws.groups.items() if name == "industry")
        shift = linear_predictor(design, draws)  # everything as observed
        own = industry.effect[:, industry.member]  # (draw, row, term)
        cluster = draws.groups["cluster"]
        shift = shift - own[:, :, 0] - cluster.effect[:, cluster.member, 0]
        human, social = design.capitals
        c = draws.population
        shift = shift - (own[:, :, 1] + c[H][:, None]) * human
        shift = shift - c["interaction"][:, None] * human * social
        at = {}
        for level in (-0.01, 0.01):
            moved = human + level
            slope = (c[H] + industry.effect[:, place, 1])[:, None]
            eta = shift + industry.effect[:, place, 0][:, None] + slope * moved
            at[level] = expit(eta + c["interaction"][:, None] * moved * social).mean(axis=1)
        wanted = (at[0.01] - at[-0.01]) / 0.02
        np.testing.assert_allclose(found.marginal[H][:, 0], wanted, atol=1e-9)


def test_both_are_shown_and_one_decides():
    evidence = made(human_capital=1.0)
    own, everyone = judged(
        evidence,
        {"kind": "difference", "capital": H, "margin": 0.01},
        {"kind": "difference", "capital": H, "margin": 0.01, "firms": "all"},
    )
    levels = default_levels(evidence.design)
    a, b = (evidence.standardised("industry", k, levels).marginal[H][:, 0] for k in (0, 1))
    assert own.figures[1].label.startswith("the same over all firms, in the average cluster")
    assert own.figures[1].estimate.mean == pytest.approx((a - b).mean())
    assert everyone.figures[:2] == own.figures[:2]
    assert everyone.parts[0].probability == (a - b > 0.01).mean()
    a, b = (evidence.standardised("industry", k, levels, "prior").marginal[H][:, 0] for k in (0, 1))
    assert everyone.parts[0].prior_probability == (a - b > 0.01).mean()
    assert "over all firms" in everyone.region
    assert own.parts[0].probability != everyone.parts[0].probability


def test_equal_slopes_with_different_base_rates_do_not_matter_more():
    """What a base rate of one half adds to an effect is no difference of industries."""
    design = small_design("bernoulli", "additive", {"industry": ["intercept"]}, frame=firms(240))
    draws = known_draws(design, 200, 2, spread=0.0, human_capital=1.0, social_capital=0.0)
    draws.groups["industry"].effect[:, 0, 0] = 0.0
    draws.groups["industry"].effect[:, 1, 0] = -4.0
    evidence = Evidence(design, draws, known_draws(design, 100, 1, seed=3), 7)
    (found,) = judged(evidence, {"kind": "difference", "capital": H, "margin": 0.05})
    assert found.parts[0].probability == 1.0
    assert found.verdict == "scale-dependent"
    assert "has a difference of effects on the outcome scale that counts" in found.reason


GATES, ONE, RARE = (0.02, 0.05, 0.05, 0.80), (0.02, 0.05, 0.78, 0.80), (0.01, 0.02, 0.02, 0.09)
NEEDED = {"kind": "difference", "of": "necessary", "capital": H, "between": ["I0", "I1"]}


@pytest.mark.parametrize(
    ("first", "second", "state"),
    [
        (GATES, ONE, "supported"),
        (ONE, GATES, "rejected"),
        (GATES, GATES, "rejected"),
        # where nothing happens a claim does not fail: it cannot be judged
        (GATES, RARE, "not assessable"),
    ],
)
def test_a_claim_holds_in_one_industry_and_not_in_another(first, second, state):
    (found,) = judged(with_corners(first, second), NEEDED)
    assert found.verdict == state
    assert found.group == "I0 over I1"
    assert found.title == "Human capital is necessary in the first industry, and not in the second"
    assert found.region.startswith(
        "in the first industry and not in the second: expected outcome at least 0.25 with both high;"
    )


def test_the_claim_compared_is_the_one_declared():
    declared = {
        "kind": "necessary",
        "capital": H,
        "by": "industry",
        "kappa": 0.05,
        "min_support": 0,
    }
    evidence = with_corners(GATES, ONE)
    found = judged(evidence, declared, NEEDED)[-1]
    assert "covers at most 5% of the way" in found.region
    assert found.verdict == "rejected"  # in I0 social capital alone covers 18% of the way


def test_a_form_without_gates_cannot_show_where_a_claim_fails():
    evidence = with_corners(GATES, ONE, form="additive")
    (found,) = judged(evidence, NEEDED)
    assert found.probability == 1.0
    assert found.verdict == "undecided"
    assert found.reason.startswith("That the claim fails in the second industry cannot be shown")
    (found,) = judged(evidence, NEEDED | {"between": ["I1", "I0"]})
    assert found.verdict == "rejected"


def test_compensation_differs():
    (found,) = judged(
        with_corners(ONE, GATES),
        {"kind": "difference", "of": "compensation", "capital": H, "margin": 0.2},
    )
    assert found.verdict == "supported"
    logit = lambda p: np.log(p / (1 - p))  # noqa: E731
    shares = [(logit(p[2]) - logit(p[0])) / (logit(p[3]) - logit(p[0])) for p in (ONE, GATES)]
    assert found.figures[0].estimate.mean == pytest.approx(shares[0] - shares[1])
    assert found.title == (
        "A lack of human capital is made up for more in the first industry than in the second"
    )


def test_a_share_of_the_way_is_shown_only_where_every_draw_has_one():
    evidence = with_corners(ONE, GATES)
    whole = evidence._computed

    def computed(request: Any) -> SurfaceDraws:
        found = whole(request)
        found.corners["HH"][:50] = found.corners["LL"][:50]  # no way to share
        return found

    evidence._computed = computed  # type: ignore[method-assign]
    (found,) = judged(evidence, {"kind": "difference", "of": "compensation", "capital": H})
    assert found.figures == ()
    assert found.probability == 0.75
    assert found.given == 1.0


def test_no_pair_is_computed_that_no_claim_asks_for():
    evidence = made()
    assert asked_pairs(evidence) == []
    judged(evidence, {"kind": "difference", "capital": H, "between": ["I1", "I0"]})
    assert asked_pairs(evidence) == [("industry", "I1", "I0")]
    (claim,) = evidence.design.analysis.hypotheses
    assert groups_judged(claim, evidence) == ("I1 over I0",)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"of": "necessary"}, "a difference of necessary needs its capital"),
        ({}, "a difference of effect needs its capital"),
        (
            {"of": "complementarity", "capital": H},
            "complementarity is about both capitals; leave out capital",
        ),
        (
            {"of": "necessary", "capital": H, "margin": 0.1},
            "margin goes with a difference of effect or compensation",
        ),
        (
            {"of": "compensation", "capital": H, "firms": "all"},
            "firms: all goes with a difference of effect",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(keys, message):
    with pytest.raises(ValidationError, match=message):
        Difference.model_validate({"kind": "difference"} | keys)


def test_groups_named_by_numbers_are_compared_by_their_labels():
    keys = {"kind": "difference", "capital": H, "by": "year"}
    assert Difference.model_validate(keys | {"between": [2001, "2002"]}).between == ("2001", "2002")
    with pytest.raises(ValidationError, match="between names '2001' twice; name two groups"):
        Difference.model_validate(keys | {"between": [2001, "2001"]})


def test_what_a_difference_alone_rests_on_is_under_the_gate():
    evidence = made(human_capital=1.0)
    found = judged(
        evidence,
        {"kind": "difference", "capital": H},
        {"kind": "difference", "of": "compensation", "capital": H},
    )
    estimands = claimed_estimands(declared_events(evidence))
    over = "(I0 over I1; observed)"
    a, b = (
        evidence.standardised("industry", k, default_levels(evidence.design)).marginal[H][:, 0]
        for k in (0, 1)
    )
    np.testing.assert_array_equal(estimands[f"effect of {H} over all firms {over}"], a - b)
    assert f"effect of {H} from low to high, logit scale {over}" in estimands
    # a share of the way is an estimand where there is a way in every draw, as it is shown
    shown = any(figure.label == "difference of the shares" for figure in found[1].figures)
    assert (f"share of the way that {S} alone covers {over}" in estimands) is shown


def test_every_pair_has_the_same_region():
    """So that it stands once above all pairs, wherever claims are listed."""
    evidence = made()
    for of in ({}, {"of": "compensation"}, {"of": "necessary"}):
        both = [
            judged(evidence, {"kind": "difference", "capital": H, "between": pair} | of)[0]
            for pair in (["I0", "I1"], ["I1", "I0"])
        ]
        assert both[0].region == both[1].region
        assert [one.group for one in both] == ["I0 over I1", "I1 over I0"]
