"""Readings of ceilings: what it takes to be supported, and what is said where it is not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bayescluster.features.ceilings.compute import (
    NullTest,
    Preferred,
    _ceilings_of,
    ceiling_readings,
    ceilings_of,
    within_reach,
)
from bayescluster.features.ceilings.functional import Ceiling, effect_sizes
from bayescluster.results.claims import Reading
from bayescluster.verdicts.evidence import Evidence
from tests.draws import known_draws
from tests.factories import analysis_of, design_of, firms, small_design

VARYING = {"industry": ["intercept", "human_capital"], "cluster": ["intercept"]}
REGION = (
    "ceiling effect size d, within reach at least 0.1, and larger than a compensatory model gives "
    "(its p at most 0.05)"
)


def evidence_with(p: float | None, **centre: float) -> Evidence:
    """Evidence of 120 firms whose compensatory null is set by hand."""
    design = small_design("binomial", "interaction", VARYING, frame=firms(120))
    evidence = Evidence(
        design,
        known_draws(design, 40, 2, spread=0.1, **centre),
        known_draws(design, 30, 1, 5, spread=3.0),
        1,
    )
    null = None if p is None else NullTest(0.31, 0.2, p, 3)
    found = {key: one._replace(null=null) for key, one in ceilings_of(evidence).of.items()}
    evidence._made[_ceilings_of] = ceilings_of(evidence)._replace(of=found)
    return evidence


def necessity(evidence: Evidence, gate: bool = True, **more: Any) -> Reading:
    return next(iter(ceiling_readings(evidence, gate, **more)))


def test_supported_takes_both_parts() -> None:
    reading = necessity(evidence_with(0.02, intercept=-1.0, human_capital=1.0))
    assert (reading.claim, reading.by, reading.group) == ("N-H", "industry", "I0")
    assert reading.verdict == "supported"
    assert reading.probability == 1.0
    assert reading.region == REGION
    assert reading.quantity == "ceiling effect size d of human capital, within reach"
    assert reading.behind == "60 firms, the null over 3 clusters"
    assert reading.flags == ()


def test_a_null_as_large_leaves_it_open_and_says_so() -> None:
    reading = necessity(evidence_with(0.4, intercept=-1.0, human_capital=1.0))
    assert reading.verdict == "undecided"
    # the null is part of the region: without it there is no probability to show
    assert reading.probability is None
    assert reading.flags == ("null_as_large",)
    assert reading.reason == (
        "A compensatory model gives an effect size as large as that of the observed firms (0.31) "
        "with probability 0.40: d by itself is no sign of necessity."
    )


def test_without_a_null_nothing_is_supported() -> None:
    reading = necessity(evidence_with(None, intercept=-1.0, human_capital=1.0))
    assert reading.verdict == "undecided"
    assert reading.reason == (
        "No compensatory model could be compared with the effect size of the observed firms: d by "
        "itself is positive with no necessity at all."
    )


def test_a_small_effect_size_is_rejected_whatever_the_null() -> None:
    for p in (0.01, 0.9):
        reading = necessity(evidence_with(p, intercept=6.0))
        assert reading.verdict == "rejected"
        assert reading.probability == 0.0
        assert "null_as_large" not in reading.flags


def test_a_failed_gate_decides_nothing() -> None:
    reading = necessity(evidence_with(0.01, intercept=-1.0), gate=False)
    assert reading.verdict == "undecided"
    assert reading.reason.startswith("The diagnostics gate failed")


def test_effect_sizes_of_a_ceiling_model_take_the_place_of_the_form() -> None:
    evidence = evidence_with(0.01, intercept=6.0)
    key = ("human_capital", "industry", "I0")
    preferred = Preferred({key: "a ratio ceiling"}, {key: np.full(50, 0.4)}, {}, 2)  # type: ignore[dict-item]
    reading = necessity(evidence, preferred=preferred)
    assert reading.verdict == "supported"
    assert reading.quantity == "ceiling effect size d of human capital, by a ratio ceiling"
    assert reading.prior_probability is None
    assert reading.estimate is not None
    assert reading.estimate.mean == pytest.approx(0.4)
    others = [r for r in ceiling_readings(evidence, True, preferred) if r.group == "I1"]
    assert all("ratio" not in r.quantity for r in others)


def test_industries_differ_by_what_is_within_reach() -> None:
    evidence = evidence_with(0.5, human_capital=0.5)
    found = {r.claim: r for r in ceiling_readings(evidence, True) if r.claim in ("D-H", "D-S")}
    assert set(found) == {"D-H", "D-S"}
    ceilings = [
        ceilings_of(evidence).of[("human_capital", "industry", name)].ceiling
        for name in ("I0", "I1")
    ]
    within = [one.reached / (1 - one.d + one.reached) for one in ceilings]
    assert found["D-H"].probability == float((np.abs(within[0] - within[1]) > 0.1).mean())
    assert found["D-H"].region == (
        "largest less smallest ceiling effect size d, within reach above 0.1"
    )
    assert found["D-H"].behind == "2 industries"


def test_only_claims_that_ceilings_speak_of() -> None:
    claims = {reading.claim for reading in ceiling_readings(evidence_with(0.5), True)}
    assert claims == {"N-H", "N-S", "D-H", "D-S"}


@pytest.mark.parametrize("keys", [{"family": "bernoulli"}, {"family": "gaussian", "at_least": 9}])
def test_nothing_is_read_of_a_yes_or_no_outcome(keys: dict[str, Any]) -> None:
    """Of a flat .3 the area above is .7, which says nothing of the capital."""
    family = keys.pop("family")
    design = small_design(family, "interaction", VARYING, frame=firms(120), **keys)
    evidence = Evidence(design, known_draws(design, 20), known_draws(design, 20, 1, 5), 1)
    assert list(ceiling_readings(evidence, True)) == []


def test_a_capital_without_effect_has_no_ceiling_effect_within_reach() -> None:
    levels = np.linspace(-1, 1, 201)
    flat = np.full((1, 201), 0.3)
    d, reached = effect_sizes(levels, flat, (0.0, 1.0))
    made = Ceiling(levels, flat, d, reached)
    assert d == pytest.approx(0.7)
    assert within_reach(made) == pytest.approx(0.0)
    ramp = 0.3 * (levels[None, :] + 1) / 2
    d, reached = effect_sizes(levels, ramp, (0.0, 1.0))
    # half of what is reached at all lies above
    assert within_reach(Ceiling(levels, ramp, d, reached)) == pytest.approx(0.5, abs=1e-3)


def test_no_industry_and_no_cluster() -> None:
    plain = analysis_of("gaussian", "interaction", data={"industry": None, "cluster": None})
    design = design_of(plain, firms(60))
    evidence = Evidence(design, known_draws(design, 20), known_draws(design, 20, 1, 5), 1)
    found = list(ceiling_readings(evidence, True))
    assert [(r.claim, r.by, r.group) for r in found] == [
        ("N-H", "all", "all"),
        ("N-S", "all", "all"),
    ]
    one = ceilings_of(evidence).of[("human_capital", "all", "all")]
    assert one.null is not None
    assert one.null.clusters == 0
    assert one.ce_fdh == pytest.approx(one.null.observed)


def test_few_firms_decide_nothing() -> None:
    analysis = analysis_of("binomial", "interaction")
    by = analysis.traditions.model_copy(update={"by": ("cluster",)})
    design = design_of(analysis.model_copy(update={"traditions": by}), firms(48))
    evidence = Evidence(design, known_draws(design, 20), known_draws(design, 20, 1, 5), 1)
    reading = necessity(evidence)
    assert reading.verdict == "undecided"
    assert reading.reason == "Only 8 firms are below this ceiling, fewer than 10."
    assert "thin" in reading.flags


def test_the_order_of_draws_does_not_matter_to_the_null() -> None:
    """Replicates have a stream of their own: the same seed gives the same p."""
    design = small_design("binomial", "interaction", VARYING, frame=firms(120))
    draws = known_draws(design, 40, 2)
    first, second = (ceilings_of(Evidence(design, replace(draws), draws, 3)) for _ in range(2))
    key = ("social_capital", "all", "all")
    assert first.of[key].null == second.of[key].null
