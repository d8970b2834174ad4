"""Test scores of 434 children on their mothers' schooling, IQ and the product of the two.

Data: National Longitudinal Survey of Youth, from Gelman and Hill (2007), Data Analysis Using
Regression and Multilevel/Hierarchical Models, chapter 3. Reference: posteriordb's
``kidiq-kidscore_interaction``, 10,000 reference draws, flat priors on the coefficients and
half-Cauchy(2.5) on sigma: -11.36, 51.03, .967, -.482 and 17.98.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bayescluster.estimands.diagnostics import diagnostics
from tests.fits import design_from, draws_of, posterior_of

DATA = Path(__file__).with_name("kidiq.csv")
FLAT = {"distribution": "normal", "mean": 0, "sd": 2000}
REFERENCE = {
    "intercept": -11.36,
    "mom_hs": 51.03,
    "mom_iq": 0.967,
    "product": -0.482,
    "sigma": 17.98,
}
REFERENCE_DRAWS = 10_000
CHAINS = 4


@pytest.fixture(scope="module")
def draws() -> dict[str, np.ndarray]:
    design = design_from(
        {
            "name": "kid-iq",
            "data": {"source": str(DATA)},
            "constructs": {
                "human_capital": {"indicators": ["mom_hs"], "method": "single"},
                "social_capital": {"indicators": ["mom_iq"], "method": "single"},
            },
            "equations": {
                "score": {
                    "outcome": "kid_score",
                    "family": "gaussian",
                    "structure": "interaction",
                    "priors": {
                        "terms": dict.fromkeys(
                            ("intercept", "human_capital", "social_capital", "interaction"), FLAT
                        ),
                        "family": {"sigma": {"distribution": "half_cauchy", "scale": 2.5}},
                    },
                }
            },
            "sampling": {"draws": 2500, "tune": 1000, "chains": CHAINS, "seed": 1986},
        }
    )
    posterior = posterior_of(design)
    schooling, iq = design.scaling("human_capital"), design.scaling("social_capital")
    term = {name: draws_of(posterior, "population", term=name) for name in design.structure.terms}
    product = term["interaction"] / (schooling.scale * iq.scale)
    mom_hs = term["human_capital"] / schooling.scale - product * iq.center
    mom_iq = term["social_capital"] / iq.scale - product * schooling.center
    return {
        "product": product,
        "mom_hs": mom_hs,
        "mom_iq": mom_iq,
        "intercept": term["intercept"]
        - mom_hs * schooling.center
        - mom_iq * iq.center
        - product * schooling.center * iq.center,
        "sigma": draws_of(posterior, "sigma"),
    }


def test_the_data_are_those_of_the_book() -> None:
    children = pd.read_csv(DATA)
    assert len(children) == 434
    assert children["kid_score"].mean() == pytest.approx(86.797, abs=5e-4)
    assert children["mom_iq"].mean() == pytest.approx(100, abs=1e-5)


@pytest.mark.parametrize("name", REFERENCE)
def test_posterior_mean_is_that_of_the_reference_draws(
    draws: dict[str, np.ndarray], name: str
) -> None:
    found = draws[name]
    _, ess, _, mcse = diagnostics(found[:, None], CHAINS)
    assert ess[0] > 1000
    # both sides are estimates: the reference mean has an error of its own
    error = np.hypot(mcse[0], found.std() / np.sqrt(REFERENCE_DRAWS))
    assert abs(found.mean() - REFERENCE[name]) < 4 * error
