from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bayescluster.estimands.levels import default_levels
from bayescluster.results.claims import Reading
from bayescluster.spec.analysis import Analysis
from bayescluster.verdicts.claims import corner_readings
from bayescluster.verdicts.decide import GATE_FAILED, verdicts
from bayescluster.verdicts.evidence import Evidence
from tests.draws import known_draws
from tests.factories import firms, small_design

VARYING = {"industry": ["intercept", "human_capital"], "cluster": ["intercept"]}


def read(
    family: str = "bernoulli", gate: bool = True, **more: Any
) -> dict[tuple[str, str], Reading]:
    design = small_design(family, "interaction", VARYING, frame=firms(240))
    raw = design.analysis.model_dump(mode="json") | more
    design = design.__class__(
        Analysis.model_validate(raw), design.data, design.equation_name, design.others
    )
    posterior = known_draws(design, 400, 4, seed=2, human_capital=1.0)
    evidence = Evidence(design, posterior, known_draws(design, 300, 1, seed=3, spread=1.5), 7)
    found = list(corner_readings(evidence, lambda some: verdicts(some, evidence, gate), gate))
    keys = [(one.claim, one.group) for one in found]
    assert len(set(keys)) == len(keys)
    return dict(zip(keys, found, strict=True))


def test_claims_not_declared_have_the_default_regions_of_probabilities():
    found = read()
    assert {claim for claim, _ in found} == {"N-H", "N-S", "I-H", "I-S", "J", "C", "D-H", "D-S"}
    assert "at most 0.333 of that with both high" in found["N-H", "I0"].region
    assert found["J", "I1"].region.startswith("expected outcome at least 0.75 with both high")


def test_a_declared_claim_keeps_its_region_and_its_halves_are_read_apart():
    claim = {
        "kind": "necessary_not_sufficient",
        "capital": "human_capital",
        "kappa": 0.22,
        "delta": 0.31,
        "low": 0.2,
    }
    found = read(hypotheses=[claim])
    assert "covers at most 22% of the way" in found["N-H", "I0"].region
    assert "(quantiles 0.2 and 0.9)" in found["N-H", "I0"].region
    assert "at least 0.31 below" in found["I-H", "I0"].region
    assert "covers at most 40% of the way" in found["N-S", "I0"].region


def test_an_outcome_without_a_natural_scale_is_read_only_where_a_region_is_declared():
    # compensation has a default whatever the scale
    assert {claim for claim, _ in read("gaussian")} == {"N-H", "N-S", "C"}
    claim = {"kind": "not_sufficient", "capital": "social_capital", "delta": 0.5}
    found = read("gaussian", hypotheses=[claim], traditions={"margin": 0.5})
    assert {claim for claim, _ in found} == {"N-H", "N-S", "I-S", "C", "D-H", "D-S"}
    assert found["D-H", "all"].region.endswith("above 0.5")


def test_groups_and_level_are_those_of_the_block():
    found = read(traditions={"by": ["all", "cluster"], "level": 0.6})
    assert {group for claim, group in found if claim == "N-H"} == {"all"} | {
        f"C{k:02d}" for k in range(6)
    }
    for one in found.values():
        assert one.probability is not None
        if one.probability >= 0.6 and "thin" not in one.flags:
            assert one.verdict == "supported"


def test_differences_are_ranges_over_industries():
    found = read()
    design = small_design("bernoulli", "interaction", VARYING, frame=firms(240))
    evidence = Evidence(
        design, known_draws(design, 400, 4, seed=2, human_capital=1.0), known_draws(design, 300), 7
    )
    surface = evidence.surface("observed", default_levels(design))
    effects = surface.marginal["human_capital"][:, 1:3]
    spread = effects.max(axis=1) - effects.min(axis=1)
    one = found["D-H", "all"]
    assert one.estimate is not None
    assert one.estimate.mean == pytest.approx(spread.mean())
    assert one.probability == pytest.approx(np.mean(spread > 0.1))
    alike = effects - effects.mean(axis=0)
    expected = (alike.max(axis=1) - alike.min(axis=1)).mean()
    assert one.behind == (
        "2 industries; if they did not differ, the uncertainty of their effects would make the largest "
        f"exceed the smallest by {expected:.3g}"
    )


def test_no_verdict_where_the_gate_failed():
    for one in read(gate=False).values():
        assert one.verdict == "undecided"
        assert one.reason == GATE_FAILED or "thin" in one.flags


@pytest.mark.parametrize(("margin", "marked"), [(0.4, False), (0.9, True)])
def test_a_verdict_that_the_prior_alone_would_have_given_is_marked(margin, marked):
    claim = {"kind": "complementarity", "margin": margin, "min_support": 0}
    one = read(hypotheses=[claim], traditions={"level": 0.8})["C", "I0"]
    assert one.verdict == "rejected"
    assert one.prior_probability is not None
    assert (one.prior_probability <= 0.2) is marked
    assert one.flags == (("prior_decides",) if marked else ())
