from __future__ import annotations

import numpy as np
import pytest

from bayescluster.estimands.levels import default_levels
from bayescluster.verdicts.evidence import Evidence
from bayescluster.verdicts.forms import MIXED_DRAWS, Averaged, WeightedForm, evenly, shares
from tests.draws import known_draws
from tests.factories import small_design

H = "human_capital"


@pytest.mark.parametrize(
    ("weights", "total", "found"),
    [
        ([0.75, 0.25], 4000, (3000, 1000)),
        ([3.0, 1.0], 4, (3, 1)),  # weights need not sum to 1
        ([0.5, 0.3, 0.2], 11, (6, 3, 2)),  # 5.5, 3.3 and 2.2: the largest remainder has the last
        ([1.0, 0.0], 7, (7, 0)),
    ],
)
def test_draws_are_shared_by_largest_remainders(weights, total, found):
    assert shares(np.array(weights), total) == found


def test_draws_are_thinned_or_repeated_evenly():
    assert evenly(12, 4).tolist() == [1, 4, 7, 10]
    assert evenly(2, 6).tolist() == [0, 0, 0, 1, 1, 1]


def test_the_mixture_has_of_each_form_the_share_that_is_its_weight():
    forms = [small_design("bernoulli", form) for form in ("additive", "interaction")]
    own = [
        Evidence(
            design,
            known_draws(design, 500, 4, seed=k, human_capital=k),
            known_draws(design, 300, 1, seed=9),
            7,
        )
        for k, design in enumerate(forms)
    ]
    weighted = [
        WeightedForm(design.structure.name, weight, evidence)
        for design, evidence, weight in zip(forms, own, (0.25, 0.75), strict=True)
    ]
    mixed = Averaged([*weighted, WeightedForm("ces", 0.0, own[0])])
    assert mixed.design is forms[1]
    assert len(mixed.parts) == 2
    levels = default_levels(forms[1])

    def marginal(evidence: Evidence, source: str) -> np.ndarray:
        return evidence.surface("observed", levels, source).marginal[H]

    found = marginal(mixed, "posterior")
    assert len(found) == MIXED_DRAWS
    first, second = (marginal(evidence, "posterior").mean(axis=0) for evidence in own)
    assert found.mean(axis=0) == pytest.approx(0.25 * first + 0.75 * second)
    # of the prior 100 draws: 25 and 75 of 300
    whole = np.concatenate([marginal(own[0], "prior")[6::12], marginal(own[1], "prior")[2::4]])
    assert marginal(mixed, "prior") == pytest.approx(whole)
    one = mixed.standardised("industry", 1, levels).marginal[H]
    assert one.shape == (MIXED_DRAWS, 1)
