from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logit

from bayescluster.estimands.effects import Setting, outcome_surface
from bayescluster.estimands.levels import CORNERS, default_levels, levels_of, support
from bayescluster.estimands.scopes import scoped
from bayescluster.features.explorer import compute
from bayescluster.features.explorer.compute import levels_shown, rounded, unpacked
from bayescluster.verdicts.compensation import outcome_scale
from bayescluster.verdicts.decide import verdicts
from tests.factories import firms
from tests.features.explorer.made import Carried, evidence_of, explorer, verdict_of

FITS = {
    "bernoulli": ("bernoulli", "interaction"),
    "probit": ("probit", "conjunctive"),
    "ordinal": ("ordinal", "interaction"),
    "gaussian": ("gaussian", "additive"),
    "poisson": ("poisson", "interaction"),
    "beta": ("beta", "ces"),
    "zeros": ("zero_inflated_beta", "interaction"),
}


@pytest.mark.parametrize("name", FITS)
def test_what_is_unpacked_is_what_was_computed(name):
    evidence = evidence_of(*FITS[name])
    found = explorer(evidence)
    values, levels = unpacked(found), levels_shown(evidence.design)
    settings = [Setting(h, s) for h in found.human.nodes for s in found.social.nodes]
    scopes = {surface.scope for surface in found.surfaces}
    assert scopes == ({"observed"} if name == "ordinal" else {"observed", "new_cluster"})
    labels = {one.group: k for k, one in enumerate(found.groups)}
    column = {labels[label]: k for k, label in enumerate(evidence.groups.labels) if label in labels}
    some = evidence.posterior.thinned(found.draws)
    for k, surface in enumerate(found.surfaces):
        level = levels[surface.level]
        design = evidence.design.reaching(level)
        weights = evidence.groups.weights[:, [column[surface.group]]]
        draws = scoped(design, some, surface.scope, evidence.seed)
        truth = outcome_surface(design, draws, settings, weights)[:, :, 0]
        scale = outcome_scale(evidence.design, level)
        kept = logit if scale.bounded and scale.link == "logit" else scale.to_link
        off = kept(values[k].reshape(truth.shape)) - kept(truth)
        assert np.abs(off).max() <= surface.step * 0.5001
        assert surface.step < 1e-3 * np.ptp(kept(truth)) or not np.ptp(truth)


def test_declared_levels_are_nodes_and_firms_are_counted_there():
    claims = [{"kind": "necessary", "capital": "human_capital", "low": 0.2, "high": 0.7}]
    evidence = evidence_of("bernoulli", "interaction", hypotheses=claims)
    found, design = explorer(evidence), evidence.design
    levels = levels_of(design, design.analysis.hypotheses[0])
    assert levels != default_levels(design)
    for axis, ends in ((found.human, levels.human), (found.social, levels.social)):
        assert (axis.nodes[axis.low], axis.nodes[axis.high]) == ends
        assert list(axis.nodes) == sorted(set(axis.nodes))
        assert 9 <= len(axis.nodes) <= 13
    near = support(design, levels, evidence.groups.members).firms
    for k, group in enumerate(found.groups):
        firms = np.array(group.firms).reshape(len(found.human.nodes), len(found.social.nodes))
        ends = {
            "L": (found.human.low, found.social.low),
            "H": (found.human.high, found.social.high),
        }
        at = [firms[ends[c[0]][0], ends[c[1]][1]] for c in CORNERS]
        np.testing.assert_allclose(
            at, near[:, list(evidence.groups.labels).index(group.group)], atol=1e-4
        )
        assert k or group.by == "all"


def test_amounts_are_those_of_a_single_indicator():
    found = explorer(evidence_of("bernoulli", "interaction"))
    frame = firms(240)
    value = frame["training"].mean() + found.human.nodes[3] * frame["training"].std()
    assert found.human.amounts[3] == f"training {value:.4g}"


def test_a_surface_without_any_spread_is_kept():
    whole, offset, step = rounded(np.full((4, 9), 0.3))
    assert not whole.any()
    assert (offset, step) == (0.3, 1.0)


@pytest.mark.parametrize("name", ["bernoulli", "probit", "gaussian"])
def test_verdicts_at_the_declared_corners_are_those_of_the_evidence(name):
    capitals = {"capital": "human_capital", "by": "industry"}
    claims = [
        {"kind": "necessary"} | capitals,
        {"kind": "not_sufficient", "delta": 0.1} | capitals,
        {"kind": "complementarity", "by": "industry"},
    ]
    evidence = evidence_of(*FITS[name], hypotheses=claims)
    found = explorer(evidence)
    assert found.draws == evidence.posterior.size
    own = verdicts(evidence.design.analysis.hypotheses, evidence, gate_passed=True)
    by_name = {(one.kind, one.capital): one for one in found.claims}
    nodes = (found.human.low, found.human.high, found.social.low, found.social.high)
    for k, surface in enumerate(found.surfaces):
        group = found.groups[surface.group]
        if (surface.scope, surface.level, group.by) != ("observed", 0, "industry"):
            continue
        carried = Carried(evidence, found, k, nodes)
        for verdict in own:
            if verdict.group != group.group:
                continue
            claim = by_name[verdict.kind, verdict.capital]
            again = verdict_of(carried, claim, found.levels[0].cutoffs)
            assert again.verdict == verdict.verdict
            assert again.probability == pytest.approx(verdict.probability, abs=1.5 / found.draws)


def test_an_additive_form_has_no_cross_difference_for_want_of_digits():
    """One firm a group, nothing varies: the cross difference is 0, whatever rounding makes of it."""
    evidence = evidence_of("bernoulli", "additive", varying={})
    found = explorer(evidence)
    claim = next(one for one in found.claims if one.kind == "complementarity")
    nodes = (found.human.low, found.human.high, found.social.low, found.social.high)
    verdict = verdict_of(Carried(evidence, found, 0, nodes), claim, found.levels[0].cutoffs)
    assert {part.part: part.probability for part in verdict.parts}["link"] == 0.0


def test_levels_of_an_ordinal_outcome_come_after_that_of_the_equation():
    found = explorer(evidence_of("ordinal", "interaction", at_least=2))
    assert [level.at_least for level in found.levels] == ["2", "1", "3"]
    assert all(level.bounded for level in found.levels)


def test_small_industries_are_left_out_where_a_page_would_be_too_large(monkeypatch):
    evidence = evidence_of("bernoulli", "interaction", frame=firms(250, industries=12, clusters=1))
    whole = explorer(evidence)
    assert (whole.left_out, {one.by for one in whole.groups}) == (0, {"all", "industry"})
    monkeypatch.setattr(compute, "BYTES", 60_000)
    found = explorer(evidence)
    assert found.left_out == 13 - len(found.groups) > 0
    assert found.draws >= compute.FEWEST
    assert {one.by for one in found.groups} == {"all", "industry"}
    least = min(one.rows for one in found.groups)
    sizes = evidence.groups.members[:, [k for k, _ in evidence.columns("industry")]].sum(axis=0)
    assert sum(sizes > least) < len(found.groups)
    assert len(found.data) < len(whole.data)
