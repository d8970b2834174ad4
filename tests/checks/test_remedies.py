from __future__ import annotations

from typing import Any

import pytest

from bayescluster.checks.remedies import Failure, remedied, settings_changed, with_settings
from bayescluster.results.fit import Reason
from bayescluster.spec.analysis import Sampling
from tests.factories import analysis_of, design_of

VARYING = {"cluster": {"terms": ["intercept"], "centred": True}}
ANALYSIS = analysis_of(varying=VARYING).model_copy(
    update={"sampling": Sampling(draws=500, tune=1000)}
)
DESIGN = design_of(ANALYSIS)


def reason(kind: Any, **more: Any) -> Reason:
    known = {"title": kind, "equation": "upgrading", "found": "", "number": 1.0, "threshold": 0.0}
    known |= {"advice": "", "source": "", "checks": ("Divergences",)}
    return Reason(kind=kind, **(known | more))


CENTRED = reason(
    "centred_funnel",
    level="cluster",
    term="intercept",
    setting="equations.upgrading.varying.cluster.centred",
    value="false",
)


def changes(*failed: str, reasons: tuple[Reason, ...] = (), analysis: Any = ANALYSIS) -> list[str]:
    step = remedied(analysis, Failure(failed, reasons), [DESIGN])
    return [] if step is None else [str(change) for change in step.changes]


@pytest.mark.parametrize(
    ("failed", "expected"),
    [
        (("Divergences",), ["sampling.target_accept: 0.9 to 0.95"]),
        (("ESS, tail",), ["sampling.draws: 500 to 1000"]),
        (("R-hat",), ["sampling.draws: 500 to 1000", "sampling.tune: 1000 to 2000"]),
        (("E-BFMI",), ["sampling.tune: 1000 to 2000"]),
        (("Tree depth",), ["sampling.max_treedepth: 10 to 12"]),
        (("posterior",), []),
    ],
)
def test_each_check_has_its_remedy(failed, expected):
    assert changes(*failed) == expected


def test_remedies_come_in_a_fixed_order():
    found = changes("Tree depth", "ESS, bulk", "R-hat", "Divergences", reasons=(CENTRED,))
    assert [line.split(":")[0] for line in found] == [
        "sampling.target_accept",
        "sampling.draws",
        "sampling.tune",
        "sampling.max_treedepth",
        "equations.upgrading.varying.cluster.centred",
    ]


def test_several_modes_are_not_met_with_more_draws():
    assert changes("R-hat", "ESS, bulk", reasons=(reason("several_modes"),)) == [
        "sampling.tune: 1000 to 2000"
    ]


def test_nothing_is_left_at_the_end_of_the_ladder():
    end = Sampling(draws=500, target_accept=0.99, max_treedepth=15)
    last = ANALYSIS.model_copy(update={"sampling": end})
    assert changes("Divergences", "Tree depth", analysis=last) == []


def test_one_chain_gets_company():
    alone = ANALYSIS.model_copy(update={"sampling": Sampling(draws=500, chains=1)})
    assert "sampling.chains: 1 to 4" in changes("R-hat", analysis=alone)


def test_draws_that_the_sampler_settles_are_no_remedy():
    settling = ANALYSIS.model_copy(update={"sampling": Sampling()})
    assert changes("ESS, tail", analysis=settling) == []
    assert changes("R-hat", "Divergences", analysis=settling) == [
        "sampling.target_accept: 0.9 to 0.95",
        "sampling.tune: 500 to 1000",
    ]


def test_settings_put_into_the_analysis_give_the_attempt():
    step = remedied(ANALYSIS, Failure(("Divergences",), (CENTRED,)), [DESIGN])
    assert step is not None
    assert with_settings(ANALYSIS, settings_changed(ANALYSIS, step.analysis)) == step.analysis
    assert with_settings(ANALYSIS, {}) == ANALYSIS


def test_the_model_stays_what_it_is():
    step = remedied(ANALYSIS, Failure(("Divergences",), (CENTRED,)), [DESIGN])
    assert step is not None
    tried, equation = step.analysis, step.analysis.equations["upgrading"]
    (grouping,) = design_of(tried).groupings
    assert (grouping.centred, grouping.correlated) == ((), DESIGN.groupings[0].correlated)
    same = {"varying": ANALYSIS.equations["upgrading"].varying}
    assert equation.model_copy(update=same) == ANALYSIS.equations["upgrading"]
    assert tried.hypotheses == ANALYSIS.hypotheses


def test_reasons_that_explain_no_failure_change_nothing():
    beside = CENTRED.model_copy(update={"checks": ()})
    assert changes("Tree depth", reasons=(beside,)) == ["sampling.max_treedepth: 10 to 12"]


def test_one_change_a_grouping_at_a_time():
    again = CENTRED.model_copy(update={"value": "true", "term": "human_capital"})
    assert changes("R-hat", reasons=(CENTRED, again))[2:] == [
        "equations.upgrading.varying.cluster.centred: [intercept] to false"
    ]


def test_of_several_forms_the_parameterisation_stays():
    step = remedied(ANALYSIS, Failure(("Divergences",), (CENTRED,)), [DESIGN, DESIGN])
    assert step is not None
    assert [change.setting for change in step.changes] == ["sampling.target_accept"]


def test_settings_that_give_an_attempt():
    step = remedied(ANALYSIS, Failure(("Divergences",), (CENTRED,)), [DESIGN])
    assert step is not None
    assert settings_changed(ANALYSIS, step.analysis) == {
        "sampling": {"target_accept": 0.95},
        "equations": {
            "upgrading": {
                "varying": {
                    "cluster": {"terms": ("intercept",), "centred": False, "correlated": False}
                }
            }
        },
    }
