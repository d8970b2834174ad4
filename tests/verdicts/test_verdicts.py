from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bayescluster.design.record import Design
from bayescluster.estimands.effects import surface_draws
from bayescluster.estimands.levels import Levels, default_levels, support
from bayescluster.estimands.scopes import groups_of, scoped
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
        assert verdict.region == "average marginal effect above 0.1"
        (figure,) = verdict.figures
        assert figure.label == "average marginal effect of human capital"
        assert figure.estimate.mean == pytest.approx(posterior[:, k].mean())
        assert verdict.mcse > 0


def test_negative_effects_lie_below_the_margin(evidence):
    (found,) = judged(
        evidence, kind="effect", capital=S, by="all", direction="negative", margin=0.02
    )
    assert found.probability == (effects(evidence, S, "all")[:, 0] < -0.02).mean()
    assert found.region == "average marginal effect below -0.02"
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
    assert found.probability == (effect[:, first] - effect[:, second] > 0.01).mean()
    assert found.region == (
        f"average marginal effect in I{first} less that in I{second} above 0.01"
    )


def test_corner_claim(evidence):
    found = judged(evidence, kind="necessary", capital=S, eps=0.3, low=0.2, high=0.8)
    design = evidence.design
    levels = Levels(
        *(tuple(np.quantile(values, [0.2, 0.8])) for values in design.capitals), "by hand"
    )
    groups = groups_of(design, "industry")
    corners = surface_draws(design, evidence.posterior, levels, groups.weights).corners
    near = support(design, levels, groups.members)
    for k, verdict in enumerate(found):
        # social capital low, human capital high
        low, both = corners["HL"][:, k], corners["HH"][:, k]
        assert verdict.probability == ((low <= 0.3) & (both > 0.3)).mean()
        assert verdict.region == (
            "expected outcome at most 0.3 with it low and the other high, and above that with both "
            "high (quantiles 0.2 and 0.8)"
        )
        assert [figure.label for figure in verdict.figures] == [
            "expected outcome, human capital high, social capital low",
            "expected outcome, both high",
        ]
        assert [figure.support for figure in verdict.figures] == [near[1, k], near[3, k]]
        assert verdict.figures[0].estimate.mean == pytest.approx(corners["HL"][:, k].mean())


def test_complementarity_shows_the_cross_difference_first(evidence):
    (found,) = judged(evidence, kind="complementarity", by="all")
    levels, weights = default_levels(evidence.design), groups_of(evidence.design, "all").weights
    cross = surface_draws(evidence.design, evidence.posterior, levels, weights).cross_difference
    assert found.capital is None
    assert found.probability == (cross > 0).mean()
    assert found.figures[0].label == "cross difference"
    assert found.figures[0].estimate.mean == pytest.approx(cross.mean())
    assert len(found.figures) == 5


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
def test_without_slopes_nothing_is_necessary_or_suffices(keys, intercept, plain):
    posterior = known_draws(plain, 200, 2, spread=0.0, intercept=intercept)
    prior = known_draws(plain, 100, 1, spread=1.0)
    evidence = Evidence(plain, posterior, prior, 1)
    (found,) = judged(evidence, **keys, by="all", min_support=0)
    assert (found.probability, found.verdict) == (0.0, "rejected")


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


def test_an_unsupported_corner_leaves_the_claim_undecided(plain):
    found = judged(sure(plain, 1.0), kind="necessary", capital=H, by="all", min_support=40)
    near = support(plain, default_levels(plain), groups_of(plain, "all").members)[:, 0]
    assert found[0].verdict == "undecided"
    assert found[0].reason == (
        "Fewer than 40 firms stand near the corner with human capital low, social capital high "
        f"({near[2]}): the claim would rest on extrapolation."
    )


def test_enough_support_is_enough(plain):
    near = support(plain, default_levels(plain), groups_of(plain, "all").members)[:, 0]
    # the claim rests on LH and HH
    least = int(min(near[2], near[3]))
    keys = {"kind": "necessary", "capital": H, "by": "all", "eps": 0.5}
    (found,) = judged(sure(plain, 1.0), **keys, min_support=least)
    assert found.verdict == "supported"
    (found,) = judged(sure(plain, 1.0), **keys, min_support=least + 1)
    assert found.verdict == "undecided"


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
