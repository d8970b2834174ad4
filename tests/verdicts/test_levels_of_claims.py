"""Claims that ask for the probability of a level, beside those about the expected outcome."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats
from scipy.special import logit

from bayescluster.app.collect import named_estimands
from bayescluster.app.effects import corner_tables
from bayescluster.app.facts import outcome_facts, sample_facts
from bayescluster.estimands.levels import default_levels
from bayescluster.model.evaluate import expectation, linear_predictor
from bayescluster.spec.analysis import Analysis
from bayescluster.verdicts.decide import verdicts
from bayescluster.verdicts.evidence import Evidence
from tests.draws import known_draws
from tests.factories import firms, small_design

VARYING = {"industry": ["intercept"], "cluster": ["intercept"]}


def evidence_for(family: str = "gaussian", **keys: Any) -> Evidence:
    design = small_design(family, "interaction", VARYING, frame=firms(120), **keys)
    centre = {"intercept": 9.0, "human_capital": 3.0} if family == "gaussian" else {}
    posterior = known_draws(design, 40, 2, seed=2, **centre)
    return Evidence(design, posterior, known_draws(design, 30, 1, seed=3, spread=1.5), 7)


def judged(evidence: Evidence, *claims: dict[str, Any]) -> tuple[Any, ...]:
    raw = evidence.design.analysis.model_dump(mode="json") | {"hypotheses": list(claims)}
    return verdicts(Analysis.model_validate(raw).hypotheses, evidence, True)


def eta_at(draws: Any, human: float, social: float) -> Any:
    """Linear predictor of every row with the capitals set, from its parts, ``(draw, row)``."""
    c, total = draws.population, 0.0
    for group in draws.groups.values():
        total = total + group.effect[:, group.member, 0]
    slope = c["human_capital"] * human + c["social_capital"] * social
    level = c["intercept"] + slope + c["interaction"] * human * social
    return level[:, None] + total


def test_a_claim_can_ask_for_a_level():
    evidence = evidence_for()
    levels = default_levels(evidence.design)
    claims = [
        {"kind": "necessary", "capital": "human_capital", "at_least": level, "by": "all"}
        for level in (6.5, 12, 15)
    ]
    found = judged(evidence, *claims, {"kind": "complementarity", "by": "all", "at_least": 12})
    for verdict, level in zip(found[:3], (6.5, 12, 15), strict=True):
        sd = evidence.posterior.parameters["sigma"]
        neither, low, both = (
            stats.norm.sf(level, eta_at(evidence.posterior, *levels.at(corner)), sd).mean(1)
            for corner in ("LL", "LH", "HH")
        )
        at_neither, at_low, at_both = (logit(np.clip(p, 1e-6, 1)) for p in (neither, low, both))
        way = at_both - at_neither
        covered = (at_low - at_neither) / way
        wanted = (both >= 0.25) & (way >= 0.5) & (low <= both / 3) & (covered <= 0.4)
        assert verdict.probability == wanted.mean()
        figures = {figure.label: figure for figure in verdict.figures}
        label = (
            f"probability that growth is at least {level:g}, human capital low, social capital high"
        )
        one = figures[label].estimate
        # where a few draws carry the mean out of its interval, the median is reported
        assert one.low <= one.mean <= one.high
        assert one.mean in (pytest.approx(low.mean(), rel=1e-9), pytest.approx(np.median(low)))
        assert verdict.title == f"Human capital is necessary, for reaching {level:g}"
        assert verdict.region.startswith(
            f"probability that growth is at least {level:g}, at least 0.25 with both high; with it low "
        )
        assert verdict.region.endswith("(logit scale) (quantiles 0.1 and 0.9)")
        assert verdict.at_least == f"{level:g}"
    assert any(0 < verdict.probability < 1 for verdict in found[:3])
    assert found[3].region.startswith(
        "cross difference of the four corners above 0.05 (probability that growth is at least 12)"
    )


def test_a_level_of_the_equation_is_asked_of_all():
    evidence = evidence_for(at_least=12)
    own = evidence_for()
    assert outcome_facts(evidence.design).label == "probability that growth is at least 12"
    assert outcome_facts(evidence.design).scale == "probability"
    growth = firms(120)["growth"]
    assert sample_facts(evidence.design).groups[0].outcome_mean == (growth >= 12).mean()
    levels = default_levels(evidence.design)
    for corner, draws in evidence.surface("observed", levels).corners.items():
        other = own.surface("observed", levels, at_least=12).corners[corner]
        np.testing.assert_array_equal(draws, other)
        assert ((draws > 0) & (draws < 1)).all()
    # named again by a claim it is the same surface
    assert evidence.surface("observed", levels, at_least=12) is evidence.surface("observed", levels)


def test_surfaces_of_several_levels_stand_side_by_side():
    evidence = evidence_for()
    claims = [
        {"kind": "necessary", "capital": "human_capital", "at_least": level} for level in (6.5, 12)
    ]
    judged(evidence, *claims)
    named = Analysis.model_validate(
        evidence.design.analysis.model_dump(mode="json") | {"hypotheses": claims}
    ).hypotheses
    assert {key.at_least for key in evidence.computed()} == {6.5, 12}
    tables = corner_tables(evidence, named)
    assert [table.at_least for table in tables] == [None, "6.5", "12"]
    assert [table.quantity for table in tables] == [
        "expected outcome",
        "probability that growth is at least 6.5",
        "probability that growth is at least 12",
    ]
    means = [table.rows[0].estimate.mean for table in tables]
    assert means[0] > 1 > means[1] > means[2] > 0
    names = list(named_estimands(evidence))
    assert len(names) == len(set(names))
    assert "corner LL (all; observed; quantiles 0.1 and 0.9; at least 12)" in names


COUNTS: list[tuple[str, dict[str, Any], float]] = [
    ("poisson", {"exposure": "exposure"}, 2),
    ("negative_binomial", {"exposure": "exposure"}, 2),
    ("poisson", {}, 2),
    ("binomial", {}, 0.3),
]


@pytest.mark.parametrize(("family", "keys", "level"), COUNTS)
def test_levels_are_counted_over_each_firms_own_exposure_or_trials(family, keys, level):
    design = small_design(family, "additive", at_least=level, frame=firms(60), **keys)
    draws = known_draws(design, 6)
    frame, eta = firms(60), linear_predictor(design, draws)
    if family == "binomial":
        share = 1 / (1 + np.exp(-eta))
        trials = frame["attempts"].to_numpy()
        wanted = stats.binom.sf(np.ceil(0.3 * trials) - 1, trials, share)
    else:
        least = np.ceil(level * (frame["exposure"].to_numpy() if keys else np.ones(60)))
        if family == "poisson":
            wanted = stats.poisson.sf(least - 1, np.exp(eta))
        else:
            size = draws.parameters["overdispersion"] ** -2
            wanted = stats.nbinom.sf(least - 1, size, size / (size + np.exp(eta)))
    found = expectation(design, eta - design.offset, draws)
    np.testing.assert_allclose(found, wanted, rtol=1e-9)
    some = np.array([3, 40, 7])
    part = expectation(design, (eta - design.offset)[:, some], draws.for_rows(some), some)
    np.testing.assert_allclose(part, wanted[:, some], rtol=1e-9)


def test_an_unknown_level_of_a_claim_is_told_with_the_data():
    from bayescluster.errors import DesignError

    with pytest.raises(DesignError) as caught:
        small_design(
            "ordinal",
            "additive",
            hypotheses=[{"kind": "joint_sufficiency", "at_least": 0, "by": "all"}],
        )
    assert str(caught.value) == (
        "The model cannot be built on these data:\n"
        "  a.yaml:hypotheses.0.at_least: at_least names '0', which is not a level above the lowest\n"
        "    known: 1, 2, 3"
    )


def test_anchors_upside_down_are_told_with_the_data():
    from bayescluster.errors import DesignError

    made = {
        "human_capital": {
            "indicators": [{"column": "training", "direction": "negative"}],
            "method": "single",
        }
    }
    anchors = {"human_capital": {"low": {"training": 1}, "high": {"training": 5}}}
    with pytest.raises(DesignError) as caught:
        small_design(
            "bernoulli",
            "additive",
            constructs=made,
            hypotheses=[{"kind": "joint_sufficiency", "anchors": anchors}],
        )
    assert str(caught.value) == (
        "The model cannot be built on these data:\n"
        "  a.yaml:hypotheses.0.anchors.human_capital: the low anchor of human_capital is not below "
        "the high one: they are scores of -1 and -5\n"
        "    check the direction of each indicator"
    )
