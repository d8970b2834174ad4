from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.special import logit

from bayescluster.design.record import Design, details_text
from bayescluster.estimands.effects import SurfaceDraws, surface_draws
from bayescluster.estimands.levels import Levels, default_levels, support
from bayescluster.estimands.scopes import groups_of, scoped
from bayescluster.names import DETAILS
from bayescluster.spec.analysis import Analysis
from bayescluster.verdicts.decide import verdicts
from bayescluster.verdicts.evidence import Evidence
from tests.draws import known_draws
from tests.factories import firms, small_design

VARYING = {"industry": ["intercept", "human_capital"], "cluster": ["intercept"]}
H, S = "human_capital", "social_capital"


@pytest.fixture(scope="module")
def design() -> Design:
    return small_design("bernoulli", "interaction", VARYING, frame=firms(240))


@pytest.fixture(scope="module")
def evidence(design) -> Evidence:
    posterior = known_draws(design, 400, 4, seed=2, human_capital=1.0, social_capital=0.2)
    return Evidence(design, posterior, known_draws(design, 300, 1, seed=3, spread=1.5), 7)


def judged(evidence: Evidence, gate: bool = True, **claim: Any) -> tuple[Any, ...]:
    raw = evidence.design.analysis.model_dump(mode="json") | {"hypotheses": [claim]}
    return verdicts(Analysis.model_validate(raw).hypotheses, evidence, gate)


def effects(evidence: Evidence, capital: str, by: str, source: str = "posterior") -> Any:
    draws = {"posterior": evidence.posterior, "prior": known_draws(evidence.design, 300, 1, 3, 1.5)}
    weights = groups_of(evidence.design, by).weights
    levels = default_levels(evidence.design)
    return surface_draws(evidence.design, draws[source], levels, weights).marginal[capital]


@pytest.mark.parametrize("by", ["all", "industry", "cluster"])
def test_effect_for_every_group(by, evidence):
    found = judged(evidence, kind="effect", capital=H, by=by, margin=0.1)
    posterior, prior = (effects(evidence, H, by, source) for source in ("posterior", "prior"))
    assert [verdict.group for verdict in found] == list(groups_of(evidence.design, by).labels)
    for k, verdict in enumerate(found):
        assert verdict.by == by
        assert verdict.probability == (posterior[:, k] > 0.1).mean()
        assert verdict.prior_probability == (prior[:, k] > 0.1).mean()
        assert verdict.region == (
            "average marginal effect above 0.1 (negligible: between -0.1 and 0.1)"
        )
        (figure,) = verdict.figures
        assert figure.label == "average marginal effect of human capital"
        assert figure.estimate.mean == pytest.approx(posterior[:, k].mean())
        assert verdict.mcse > 0


def test_negative_effects_lie_below_the_margin(evidence):
    (found,) = judged(
        evidence, kind="effect", capital=S, by="all", direction="negative", margin=0.02
    )
    assert found.probability == (effects(evidence, S, "all")[:, 0] < -0.02).mean()
    assert found.region == (
        "average marginal effect below -0.02 (negligible: between -0.02 and 0.02)"
    )
    assert 0 < found.probability < 1


def test_contrast(evidence):
    (found,) = judged(evidence, kind="effect", capital=S, by="all", measure="contrast")
    levels, weights = default_levels(evidence.design), groups_of(evidence.design, "all").weights
    surface = surface_draws(evidence.design, evidence.posterior, levels, weights)
    assert found.probability == (surface.contrast[S] > 0).mean()
    assert found.region == "change from low to high above 0"


@pytest.mark.parametrize("between", [None, ["I1", "I0"]])
def test_differences(between, evidence):
    (found,) = judged(evidence, kind="difference", capital=H, between=between, margin=0.01)
    effect = effects(evidence, H, "industry")
    first, second = (1, 0) if between else (0, 1)
    assert found.group == f"I{first} over I{second}"
    assert found.by == "industry"
    before = effects(evidence, H, "industry", "prior")
    for draws, average, name in (
        (evidence.posterior, effect, "probability"),
        (evidence.prior, before, "prior_probability"),
    ):
        levels = default_levels(evidence.design)
        weights = groups_of(evidence.design, "industry").weights
        p = surface_draws(evidence.design, draws, levels, weights).corners
        link = (logit(p["HL"]) - logit(p["LL"]) + logit(p["HH"]) - logit(p["LH"])) / 2
        more = link[:, first] - link[:, second]
        larger = average[:, first] - average[:, second] > 0.01
        assert getattr(found, name) == (larger & (more > 0)).mean()
        assert [getattr(part, name) for part in found.parts] == [larger.mean(), (more > 0).mean()]
        if name == "probability":
            assert found.figures[-1].label == "difference of effects from low to high, logit scale"
            assert found.figures[-1].estimate.mean == pytest.approx(more.mean())
    assert found.region == (
        "average marginal effect in the first industry less that in the second, each over its own "
        "firms, above 0.01; and above 0 on the logit scale, from low to high at the corners"
    )


def test_corner_claim(evidence):
    found = judged(evidence, kind="necessary", capital=S, ratio=0.5, low=0.2, high=0.8)
    design = evidence.design
    levels = Levels(
        *(tuple(np.quantile(values, [0.2, 0.8])) for values in design.capitals), "by hand"
    )
    groups = groups_of(design, "industry")
    corners = surface_draws(design, evidence.posterior, levels, groups.weights).corners
    near = support(design, levels, groups.members)
    for k, verdict in enumerate(found):
        # social capital low, human capital high
        neither, low, both = (corners[name][:, k] for name in ("LL", "HL", "HH"))
        covered = (logit(low) - logit(neither)) / (logit(both) - logit(neither))
        way = logit(both) - logit(neither) >= 0.5
        wanted = (both >= 0.25) & way & (low <= 0.5 * both) & (covered <= 0.4)
        assert verdict.probability == wanted.mean()
        assert verdict.region == (
            "expected outcome at least 0.25 with both high; with it low and the other high, at most 0.5 "
            "of that with both high; the other capital alone covers at most 40% of the way from both low "
            "to both high (logit scale) (quantiles 0.2 and 0.8)"
        )
        assert [part.part for part in verdict.parts] == ["assessable", "ratio", "kappa"]
        assert verdict.parts[1].probability == (low <= 0.5 * both).mean()
        by_label = {figure.label: figure for figure in verdict.figures}
        kappa = by_label["share of the way that human capital alone covers (logit scale)"]
        assert kappa.unit == "share"
        assert kappa.estimate.mean == pytest.approx(covered[way].mean())
        corner = by_label["expected outcome, human capital high, social capital low"]
        assert corner.support == pytest.approx(near.firms[1, k])
        assert corner.estimate.mean == pytest.approx(low.mean())
        assert corner.contraction is not None
        assert corner.contraction < 1


def test_complementarity_is_asked_on_both_scales(evidence):
    (found,) = judged(evidence, kind="complementarity", by="all")
    levels, weights = default_levels(evidence.design), groups_of(evidence.design, "all").weights
    surface = surface_draws(evidence.design, evidence.posterior, levels, weights)
    cross, p = surface.cross_difference, surface.corners
    link = logit(p["HH"]) - logit(p["HL"]) - logit(p["LH"]) + logit(p["LL"])
    ratio = np.log(p["HH"] * p["LL"] / (p["HL"] * p["LH"]))
    assert found.capital is None
    assert found.probability == ((cross > 0.05) & (link > 0)).mean()
    means = [figure.estimate.mean for figure in found.figures[:3]]
    assert means == pytest.approx([cross.mean(), link.mean(), ratio.mean()])
    assert [figure.unit for figure in found.figures[:3]] == ["effect", "number", "number"]


@pytest.mark.parametrize("scope", ["average_cluster", "new_cluster"])
def test_scope_reaches_the_verdict(scope, evidence):
    (found,) = judged(evidence, kind="effect", capital=H, by="all", margin=0.15, scope=scope)
    design = evidence.design
    draws = scoped(design, evidence.posterior, scope, 7)
    weights = groups_of(design, "all").weights
    wanted = surface_draws(design, draws, default_levels(design), weights).marginal[H]
    assert found.scope == scope
    assert found.probability == (wanted > 0.15).mean()


def sure(design: Design, slope: float, prior_hits: int = 50) -> Evidence:
    """Evidence whose effect of human capital is above 0 at ``slope`` of 200 draws.

    Of the 100 prior draws it is above 0 in ``prior_hits``.
    """
    posterior = known_draws(design, 200, 2, spread=0.0)
    count = round(200 * slope)
    sign = np.where(np.arange(200) < count, 1.0, -1.0)
    np.random.default_rng(4).shuffle(sign)
    posterior.population["human_capital"][:] = sign
    prior = known_draws(design, 100, 1, spread=0.0)
    prior.population["human_capital"][:] = np.where(np.arange(100) < prior_hits, 1.0, -1.0)
    return Evidence(design, posterior, prior, 1)


@pytest.fixture(scope="module")
def plain() -> Design:
    return small_design("bernoulli", "additive")


@pytest.mark.parametrize(
    ("share", "level", "verdict"),
    [
        (0.95, 0.95, "supported"),
        (0.94, 0.95, "undecided"),
        (0.06, 0.95, "undecided"),
        (0.05, 0.95, "rejected"),
        (1.0, 0.95, "supported"),
        (0.0, 0.95, "rejected"),
        (0.8, 0.8, "supported"),
        (0.2, 0.8, "rejected"),
        (0.5, 0.8, "undecided"),
    ],
)
def test_thresholds(share, level, verdict, plain):
    (found,) = judged(sure(plain, share), kind="effect", capital=H, by="all", level=level)
    assert found.probability == share
    assert found.verdict == verdict
    assert found.level == level
    assert found.reason.endswith(".")


def test_odds_ratio(plain):
    (found,) = judged(sure(plain, 0.8), kind="effect", capital=H, by="all")
    assert found.prior_probability == 0.5
    assert found.odds_ratio == pytest.approx(4.0)


@pytest.mark.parametrize(
    ("hits", "odds"), [(19, None), (20, 4 / (20 / 80)), (80, 4 / (80 / 20)), (81, None)]
)
def test_no_odds_from_a_handful_of_prior_draws(hits, odds, plain):
    (found,) = judged(sure(plain, 0.8, hits), kind="effect", capital=H, by="all")
    assert found.prior_probability == hits / 100
    assert found.odds_ratio == (None if odds is None else pytest.approx(odds))


FLAT = [
    {"kind": "necessary", "capital": H},
    {"kind": "necessary", "capital": S, "eps": 0.7},
    {"kind": "sufficient", "capital": H, "theta": 0.3},
    {"kind": "sufficient", "capital": S, "ratio": 0.5},
    {"kind": "necessary_not_sufficient", "capital": H, "eps": 0.7, "theta_not": 0.8},
    {"kind": "joint_sufficiency", "theta": 0.3},
]


@pytest.mark.parametrize("intercept", [-4.0, 0.0, 4.0])
@pytest.mark.parametrize("keys", FLAT, ids=lambda keys: keys["kind"])
def test_without_slopes_nothing_is_necessary_or_suffices(keys, intercept):
    gates = small_design("bernoulli", "ces")
    posterior = known_draws(gates, 200, 2, spread=0.0, intercept=intercept, gain=-30.0)
    evidence = Evidence(gates, posterior, known_draws(gates, 100, 1, spread=1.0), 1)
    (found,) = judged(evidence, **keys, by="all", min_support=0)
    rare = intercept < 0 and "theta" not in keys
    assert found.probability == 0.0
    assert found.verdict == ("not assessable" if rare else "rejected")


def at_corners(design: Design, *values: float, prior: float = 0.5, draws: int = 200) -> Evidence:
    """Evidence whose corners are known: both low, human alone, social alone, both high."""
    known = known_draws(design, draws, 2, spread=0.0)
    evidence = Evidence(design, known, known_draws(design, 100, 1, spread=1.0), 1)
    groups = evidence.groups.members.shape[1]
    named = dict(zip(("LL", "HL", "LH", "HH"), values, strict=True))

    def made(request: Any) -> SurfaceDraws:
        size = draws if request.source == "posterior" else 100
        shape = (size, groups)
        corners = {
            name: np.full(shape, value if request.source == "posterior" else prior)
            for name, value in named.items()
        }
        return SurfaceDraws({}, {}, corners)

    evidence._computed = made  # type: ignore[method-assign]
    return evidence


CONJUNCTIVE = {"min_support": 0, "by": "all"}


@pytest.fixture(scope="module")
def gated() -> Design:
    return small_design("bernoulli", "ces")


NECESSARY = {"kind": "necessary", "capital": H}
BOTH = {"kind": "necessary_not_sufficient", "capital": H}
SHORT = {"kind": "not_sufficient", "capital": H}
COMPLEMENTS = {"kind": "complementarity"}
STATES = [
    # both needed; an additive logit at a low base rate; nothing happens; nobody misses the capital
    (NECESSARY, (0.02, 0.05, 0.05, 0.80), "supported"),
    (NECESSARY, (0.0042, 0.047, 0.047, 0.39), "rejected"),
    (NECESSARY, (0.01, 0.02, 0.02, 0.09), "not assessable"),
    (NECESSARY, (0.5, 0.5, 0.5, 0.5), "rejected"),
    (BOTH, (0.02, 0.05, 0.05, 0.80), "supported"),
    # necessary, and sufficient; rejected by the one part whatever the other is
    (BOTH, (0.02, 0.78, 0.05, 0.80), "rejected"),
    (BOTH, (0.02, 0.30, 0.60, 0.80), "rejected"),
    (SHORT, (0.02, 0.24, 0.05, 0.25), "rejected"),
    (SHORT, (0.02, 0.05, 0.05, 0.09), "not assessable"),
    # what a logit gives by itself; substitutes; complements
    (COMPLEMENTS, (0.0042, 0.047, 0.047, 0.391), "scale-dependent"),
    (COMPLEMENTS, (0.07, 0.5, 0.5, 0.6), "rejected"),
    (COMPLEMENTS, (0.02, 0.05, 0.05, 0.80), "supported"),
    ({"kind": "joint_sufficiency"}, (0.02, 0.05, 0.05, 0.80), "supported"),
    ({"kind": "joint_sufficiency"}, (0.02, 0.05, 0.05, 0.40), "rejected"),
]


@pytest.mark.parametrize(("keys", "corners", "state"), STATES)
def test_states(keys, corners, state, gated):
    # an additive logit to the last digit: both shares of the way are one half
    if state == "scale-dependent":
        corners = (
            *corners[:3],
            1 / (1 + (corners[0] / (1 - corners[0])) * (1 / corners[1] - 1) ** 2),
        )
    (found,) = judged(at_corners(gated, *corners), **keys, **CONJUNCTIVE)
    assert found.verdict == state, found.reason
    assert found.reason.endswith(".")
    assert found.probability == (1.0 if state == "supported" else 0.0)


def test_why_nothing_can_be_assessed(gated):
    (found,) = judged(at_corners(gated, 0.01, 0.02, 0.02, 0.09), **NECESSARY, **CONJUNCTIVE)
    assert found.reason == (
        "Less than 0.1% of the posterior has expected outcome at least 0.25 with both high: where the "
        "capitals together bring about so little, the claim can be neither shown nor refuted."
    )


def test_why_a_result_depends_on_the_scale(gated):
    p = (0.0042, 0.047, 0.047)
    high = 1 / (1 + (p[0] / (1 - p[0])) * (1 / p[1] - 1) ** 2)
    (found,) = judged(at_corners(gated, *p, high), **COMPLEMENTS, **CONJUNCTIVE)
    assert found.reason == (
        "More than 99.9% of the posterior has a cross difference on the outcome scale that counts, but "
        "less than 0.1% has one above 0 on the scale of the model: the link function alone would give "
        "what is seen."
    )


@pytest.mark.parametrize("keys", [NECESSARY, SHORT, BOTH, {"kind": "joint_sufficiency"}])
def test_a_form_without_gates_rejects_no_necessity(keys, plain):
    corners = (0.05, 0.60, 0.60, 0.70)
    (found,) = judged(at_corners(plain, *corners), **keys, **CONJUNCTIVE)
    assert found.probability == 0.0
    assert found.verdict == "undecided"
    assert found.reason == found.withheld
    assert found.withheld.startswith(
        "Not rejected, although its probability is low: the form fitted (additive) cannot have gates"
    )
    # it may support one, and what it says of complements stands
    (found,) = judged(at_corners(plain, 0.02, 0.05, 0.05, 0.8), **NECESSARY, **CONJUNCTIVE)
    assert found.verdict == "supported"
    (found,) = judged(at_corners(plain, *corners), **COMPLEMENTS, **CONJUNCTIVE)
    assert (found.verdict, found.withheld) == ("rejected", "")


def test_scores_with_error_reject_no_necessity():
    made = small_design("bernoulli", "ces")
    measures = tuple(
        each._replace(reliability=0.78) if each.capital == H else each
        for each in made.details.measures
    )
    told = details_text(made.details._replace(measures=measures))
    noisy = replace(made, data=made.data.assign_attrs({DETAILS: told}))
    (found,) = judged(at_corners(noisy, 0.05, 0.6, 0.6, 0.7), **NECESSARY, **CONJUNCTIVE)
    assert found.verdict == "undecided"
    assert found.attenuated == "attenuated: omega of human capital 0.78"
    assert found.attenuated in found.reason
    # a form of sufficiency is not asked for with both: insufficiency may be rejected
    (found,) = judged(at_corners(noisy, 0.05, 0.7, 0.6, 0.7), **SHORT, **CONJUNCTIVE)
    assert (found.verdict, found.withheld) == ("rejected", "")
    assert found.attenuated


def test_an_effect_too_small_to_count_is_negligible(plain):
    small = known_draws(plain, 200, 2, spread=0.001)
    evidence = Evidence(plain, small, known_draws(plain, 100, 1, spread=1.0), 1)
    keys = {"kind": "effect", "capital": H, "by": "all"}
    (found,) = judged(evidence, **keys, margin=0.05)
    assert found.verdict == "negligible"
    assert found.region == "average marginal effect above 0.05 (negligible: between -0.05 and 0.05)"
    (found,) = judged(evidence, **keys, rope=0.02)
    assert found.verdict == "negligible"
    assert found.reason == (
        "More than 99.9% of the posterior lies between -0.02 and 0.02: too small to count."
    )
    # without either nothing says what would be too small
    (found,) = judged(evidence, **keys)
    assert found.verdict == "undecided"


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_certain_draws_have_no_odds_but_an_error(share, plain):
    (found,) = judged(sure(plain, share), kind="effect", capital=H, by="all")
    assert found.odds_ratio is None
    assert found.mcse == pytest.approx(np.sqrt(1 / 202 * 201 / 202 / 200))


def test_a_failed_gate_leaves_everything_undecided(plain):
    (found,) = judged(sure(plain, 1.0), gate=False, kind="effect", capital=H, by="all")
    assert found.verdict == "undecided"
    assert found.reason == "The diagnostics gate failed: the probability cannot be relied on."
    assert found.probability == 1.0


def test_a_corner_without_firms_is_not_assessable(gated):
    evidence = at_corners(gated, 0.02, 0.05, 0.05, 0.80)
    (found,) = judged(evidence, **NECESSARY, by="all", min_support=40)
    near = support(gated, default_levels(gated), groups_of(gated, "all").members)
    assert found.verdict == "not assessable"
    assert found.probability == 1.0
    assert found.reason == (
        "The effective number of firms around the corner with both high is "
        f"{near.firms[3, 0]:.1f}, fewer than 40, and it lies outside their range: the claim would rest on "
        "extrapolation."
    )


def test_enough_support_is_enough(gated):
    near = support(gated, default_levels(gated), groups_of(gated, "all").members)
    evidence = at_corners(gated, 0.02, 0.05, 0.05, 0.80)
    # the claim rests on LL, LH and HH
    least = int(min(near.firms[k, 0] for k in (0, 2, 3)))
    (found,) = judged(evidence, **NECESSARY, by="all", min_support=least)
    assert found.verdict == "supported"
    (found,) = judged(evidence, **NECESSARY, by="all", min_support=least + 1)
    assert found.verdict == "not assessable"


def test_few_firms_cannot_show_that_something_is_rarer_than_so_many(gated):
    near = support(gated, default_levels(gated), groups_of(gated, "all").members)
    evidence = at_corners(gated, 0.02, 0.05, 0.005, 0.80)
    # rule of three: three over eps
    enough, short = 3 / near.firms[2, 0] * 1.01, 3 / near.firms[2, 0] * 0.99
    (found,) = judged(evidence, **NECESSARY, by="all", min_support=1, eps=enough)
    assert found.verdict == "supported"
    (found,) = judged(evidence, **NECESSARY, by="all", min_support=1, eps=short)
    assert found.verdict == "not assessable"
    assert "human capital low, social capital high" in found.reason


def test_a_part_that_fails_rejects_whatever_another_corner_lacks(gated):
    """Firms with human capital alone are missing: that is no reason to leave necessity open."""
    lacking = at_corners(gated, 0.02, 0.05, 0.60, 0.80)
    whole = support(gated, default_levels(gated), lacking.groups.members)
    firms = whole.firms.copy()
    firms[1] = 0.0
    lacking.support = lambda _: whole._replace(firms=firms)  # type: ignore[method-assign]
    (found,) = judged(lacking, **BOTH, by="all", min_support=1)
    assert found.verdict == "rejected"
    assert found.unsupported
    holding = at_corners(gated, 0.02, 0.05, 0.05, 0.80)
    holding.support = lacking.support  # type: ignore[method-assign]
    (found,) = judged(holding, **BOTH, by="all", min_support=1)
    assert found.verdict == "not assessable"


def test_a_claim_that_asks_for_no_firms_needs_none(gated):
    evidence = at_corners(gated, 0.02, 0.05, 0.05, 0.80)
    whole = support(gated, default_levels(gated), evidence.groups.members)
    for near, least in ((0.0, 0), (10.0, 10)):
        here = np.full_like(whole.firms, near)
        evidence.support = lambda _, here=here: whole._replace(firms=here)  # type: ignore[method-assign]
        (found,) = judged(evidence, **NECESSARY, by="all", min_support=least)
        assert (found.verdict, found.unsupported) == ("supported", "")


@pytest.mark.parametrize(("short", "shown"), [(0, True), (100, True), (101, False)])
def test_the_share_of_the_way_is_shown_where_half_of_the_draws_have_one(short, shown, gated):
    evidence = at_corners(gated, 0.02, 0.05, 0.05, 0.80)
    whole = evidence._computed

    def computed(request: Any) -> SurfaceDraws:
        found = whole(request)
        found.corners["HH"][:short] = found.corners["LL"][:short]
        return found

    evidence._computed = computed  # type: ignore[method-assign]
    (found,) = judged(evidence, **NECESSARY, **CONJUNCTIVE)
    figures = [one for one in found.figures if one.unit == "share"]
    assert len(figures) == (2 if shown else 0)
    covered = (logit(0.05) - logit(0.02)) / (logit(0.80) - logit(0.02))
    assert [one.estimate.mean for one in figures] == pytest.approx([covered] * len(figures))


def test_what_is_made_of_the_evidence_is_made_once(evidence):
    calls: list[Evidence] = []

    def make(of: Evidence) -> int:
        calls.append(of)
        return 3

    assert (evidence.once(make), evidence.once(make)) == (3, 3)
    assert calls == [evidence]


def test_each_surface_is_computed_once(design):
    evidence = Evidence(design, known_draws(design), known_draws(design, seed=5), 1)
    levels = default_levels(design)
    assert evidence.surface("observed", levels) is evidence.surface("observed", levels)
    evidence.surface("new_cluster", levels, "prior")
    assert set(evidence.computed()) == {
        ("posterior", "observed", levels, None),
        ("prior", "new_cluster", levels, None),
    }
    assert evidence.columns("cluster")[0] == (3, "C00")
    assert (
        Evidence(
            small_design(data={"cluster": None}), known_draws(design), known_draws(design), 1
        ).columns("cluster")
        == []
    )
