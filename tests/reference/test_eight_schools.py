"""Eight schools: effects of coaching with known standard errors (Rubin 1981).

Reference: posteriordb's ``eight_schools_noncentered``, 10,000 reference draws, priors mu ~ N(0, 5)
and tau ~ half-Cauchy(5): mu 4.411 (sd 3.309), tau 3.602 (sd 3.198).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bayescluster.estimands.diagnostics import diagnostics
from tests.fits import design_from, draws_of, posterior_of, write_csv

SCHOOLS = pd.DataFrame(
    {
        "school": list("ABCDEFGH"),
        "effect": [28, 8, -3, 7, -1, 1, 18, 12],
        "error": [15, 10, 16, 11, 9, 11, 10, 18],
    }
)
REFERENCE = {"mu": (4.411, 3.309), "tau": (3.602, 3.198)}
REFERENCE_DRAWS = 10_000


@pytest.fixture(scope="module")
def posterior(tmp_path_factory: pytest.TempPathFactory):
    source = write_csv(SCHOOLS, tmp_path_factory.mktemp("schools"))
    design = design_from(
        {
            "name": "schools",
            "data": {"source": source, "cluster": "school"},
            "equations": {
                "coaching": {
                    "outcome": "effect",
                    "family": "gaussian",
                    "structure": "intercept",
                    "standard_error": "error",
                    "varying": {"cluster": {"terms": ["intercept"], "centred": False}},
                    "priors": {
                        "terms": {"intercept": {"distribution": "normal", "mean": 0, "sd": 5}},
                        "group_sd": {"cluster": {"distribution": "half_cauchy", "scale": 5}},
                    },
                }
            },
            "sampling": {
                "draws": 4000,
                "tune": 1000,
                "chains": 4,
                "seed": 8,
                "target_accept": 0.95,
            },
        }
    )
    return posterior_of(design)


@pytest.mark.parametrize(
    ("quantity", "variable", "at"),
    [
        ("mu", "population", {"term": "intercept"}),
        ("tau", "cluster_sd", {"cluster_term": "intercept"}),
    ],
)
def test_posterior_mean_and_sd_are_those_of_the_reference_draws(
    posterior, quantity: str, variable: str, at: dict[str, str]
) -> None:
    draws = draws_of(posterior, variable, **at)
    mean, sd = REFERENCE[quantity]
    _, ess, _, mcse = diagnostics(draws[:, None], 4)
    assert ess[0] > 1000
    # both sides are estimates: the reference mean has an error of its own
    error = np.hypot(mcse[0], sd / np.sqrt(REFERENCE_DRAWS))
    assert abs(draws.mean() - mean) < 4 * error
    assert abs(draws.std() - sd) < 0.05 * sd
