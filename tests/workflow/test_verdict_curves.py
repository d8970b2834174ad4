from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bayescluster.features.verdict_curves.compute import curves_over_forms, verdict_curves
from bayescluster.spec.analysis import Analysis
from bayescluster.verdicts.decide import GATE_FAILED, verdicts
from bayescluster.verdicts.evidence import Evidence
from tests.draws import known_draws
from tests.factories import firms, small_design

H = "human_capital"
CLAIMS: list[dict[str, Any]] = [
    {"kind": "effect", "capital": H},
    {"kind": "necessary", "capital": H, "by": "industry", "eps": 0.3, "min_support": 0},
    {"kind": "difference", "capital": H},
    {"kind": "complementarity", "by": "all"},
    {"kind": "necessary_not_sufficient", "capital": H, "by": "all", "min_support": 0},
    {"kind": "joint_sufficiency", "by": "cluster", "min_support": 500},
]


def evidence_for(seed: int, **keys: Any) -> Evidence:
    varying = {"industry": ["intercept", "gain"], "cluster": ["intercept"]}
    design = small_design(keys.pop("family", "bernoulli"), "ces", varying, frame=firms(240))
    posterior = known_draws(design, 400, 4, seed=seed, intercept=-0.5, **keys)
    return Evidence(design, posterior, known_draws(design, 300, 1, seed=3, spread=1.5), 7)


def claims_of(evidence: Evidence, claims: list[dict[str, Any]]) -> Any:
    raw = evidence.design.analysis.model_dump(mode="json") | {"hypotheses": claims}
    return Analysis.model_validate(raw).hypotheses


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    return evidence_for(2)


def curves_of(evidence: Evidence, gate: bool = True) -> Any:
    claims = claims_of(evidence, CLAIMS)
    judged = verdicts(claims, evidence, gate)
    return verdict_curves(claims, evidence, judged), judged


def test_every_claim_with_a_cut_off_has_a_curve_for_every_group(evidence):
    curves, _ = curves_of(evidence)
    assert [(one.claim, one.cutoff, one.by, one.group) for one in curves] == [
        *(
            (1, cutoff, "industry", group)
            for cutoff in ("ratio", "kappa", "eps")
            for group in ("I0", "I1")
        ),
        *((4, cutoff, "all", "all") for cutoff in ("ratio", "kappa", "theta_not", "delta")),
        *((5, "theta", "cluster", f"C{k:02d}") for k in range(6)),
    ]
    assert [one.held for one in curves[6:8]] == [
        "kappa 0.4, theta_not 0.5, delta 0.1",
        "ratio 0.333, theta_not 0.5, delta 0.1",
    ]


def test_a_curve_passes_through_its_verdict(evidence):
    curves, judged = curves_of(evidence)
    mine = [judged[k] for k in (*(2, 3) * 3, *(6,) * 4, 7, 8, 9, 10, 11, 12)]
    for curve, verdict in zip(curves, mine, strict=True):
        here = curve.at.index(curve.declared)
        assert (curve.title, curve.group) == (verdict.title, verdict.group)
        assert curve.posterior[here] == verdict.probability
        assert curve.prior[here] == verdict.prior_probability
        (band,) = (b for b in curve.bands if b.low <= curve.declared <= b.high)
        stopped = verdict.verdict == "not assessable"
        assert band.verdict == ("undecided" if stopped else verdict.verdict)
    assert len({verdict for curve in curves for verdict in curve.posterior}) > 20


def test_thin_corners_and_a_failed_gate_leave_no_verdict_anywhere(evidence):
    curves, _ = curves_of(evidence)
    assert [bool(curve.stopped) for curve in curves] == [False] * 10 + [True] * 6
    assert all(curve.words.startswith("No verdict whatever theta is.") for curve in curves[10:])
    for curve in curves_of(evidence, gate=False)[0]:
        (band,) = curve.bands
        assert (band.verdict, band.low, band.high) == ("undecided", curve.at[0], curve.at[-1])
        assert curve.stopped == GATE_FAILED


def test_a_claim_about_a_level_has_a_curve_of_probabilities():
    evidence = evidence_for(4, family="gaussian")
    claims = claims_of(
        evidence,
        [{"kind": "joint_sufficiency", "by": "all", "at_least": 1.0, "min_support": 0}],
    )
    (curve,) = verdict_curves(claims, evidence, verdicts(claims, evidence, True))
    assert curve.at == tuple(k / 100 for k in range(101))
    assert (curve.at_least, curve.declared) == ("1", 0.75)
    levels = next(iter(evidence.computed())).levels
    corner = evidence.surface("observed", levels, at_least=1.0).corners
    both, neither = corner["HH"][:, 0], corner["LL"][:, 0]
    wanted = [((both >= x) & (neither < x)).mean() for x in curve.at]
    np.testing.assert_array_equal(curve.posterior, wanted)
    assert 0 < max(wanted)


def test_curves_over_forms_are_those_of_the_least_sure(evidence):
    parts = [evidence, evidence_for(9)]
    own = [curves_of(part)[0] for part in parts]
    claims, judged = claims_of(evidence, CLAIMS), list(curves_of(evidence)[1])
    judged[6] = judged[6].model_copy(update={"stopped": "A form failed its gate."})
    found = curves_over_forms(own, claims, evidence, judged)
    assert len(found) == len(own[0])
    for joined, first, second in zip(found, *own, strict=True):
        assert joined.at == first.at == second.at
        both = np.array([first.posterior, second.posterior])
        wanted = np.where(np.abs(both[0] - 0.5) <= np.abs(both[1] - 0.5), both[0], both[1])
        np.testing.assert_array_equal(joined.posterior, wanted)
        np.testing.assert_array_equal(joined.given, np.maximum(first.given, second.given))
    assert [curve.stopped for curve in found[:10]] == [*[""] * 6, *["A form failed its gate."] * 4]
