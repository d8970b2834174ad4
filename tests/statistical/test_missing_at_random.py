"""Values missing at random given outcome and capitals: imputed truth is found, complete rows err.

A third of one control and a fifth of another are missing, more often where the outcome is high, so
that the firms with complete rows are others than those of the sample.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from bayescluster.model.evaluate import draws_of
from bayescluster.model.imputation import completed
from bayescluster.spec.analysis import Analysis
from tests.factories import design_of
from tests.fits import posterior_of

pytestmark = pytest.mark.slow

ROWS = 600
TRUTH = {"intercept": -0.3, "human_capital": 0.5, "social_capital": 0.3, "age": 0.8, "owned": 1.0}
FAR, NEAR = 4.0, 3.0
"""Distances from the truth in posterior standard deviations: beyond what five estimates do by chance."""


class Survey(NamedTuple):
    """A survey with missing cells, and what stood in them."""

    table: pd.DataFrame
    whole: pd.DataFrame


def survey(family: str) -> Survey:
    rng = np.random.default_rng(20240611)
    human, social = (standard(rng.normal(size=ROWS)) for _ in range(2))
    age = 0.6 * human + 0.8 * rng.normal(size=ROWS)
    owned = (rng.random(ROWS) < expit(-0.2 + 0.8 * age + 0.5 * social)).astype(float)
    columns = [np.ones(ROWS), human, social, age, owned]
    eta = np.array(list(TRUTH.values())) @ np.array(columns)
    if family == "gaussian":
        outcome = eta + rng.normal(size=ROWS)
        high = standard(outcome)
    else:
        outcome = (rng.random(ROWS) < expit(eta)).astype(float)
        high = 2.0 * outcome - 1.0
    whole = pd.DataFrame(
        {"training": human, "trust": social, "age": age, "owned": owned, "outcome": outcome}
    )
    table = whole.copy()
    table.loc[rng.random(ROWS) < expit(-1.2 + 1.8 * high + 0.6 * human), "age"] = np.nan
    table.loc[rng.random(ROWS) < expit(-2.0 + 1.8 * high - 0.5 * social), "owned"] = np.nan
    return Survey(table, whole)


def standard(values: Any) -> Any:
    return (values - values.mean()) / values.std(ddof=1)


def fitted(family: str, table: pd.DataFrame, missing: str) -> Any:
    """Design and posterior; values stay in their own units, so that the truth is known."""
    plain = {
        "name": "survey",
        "data": {"source": "survey.csv", "missing": missing},
        "constructs": {
            "human_capital": {"indicators": ["training"], "method": "single"},
            "social_capital": {"indicators": ["trust"], "method": "single"},
        },
        "equations": {
            "growth": {
                "outcome": "outcome",
                "family": family,
                "structure": "additive",
                "controls": [{"column": "age", "standardise": False}, "owned"],
            }
        },
        "sampling": {"draws": 500, "tune": 500, "chains": 2, "seed": 4},
    }
    design = design_of(Analysis.model_validate(plain), table)
    return design, posterior_of(design)


def distances(design: Any, posterior: Any) -> dict[str, float]:
    """Posterior means less the truth, in posterior standard deviations."""
    draws = draws_of(design, posterior)
    # capitals are put on mean 0 and sd 1 over the rows that are there
    units = {name: design.scaling(name) for name in ("human_capital", "social_capital")}
    found = {name: draws.population[name] / unit.scale for name, unit in units.items()}
    shift = sum(found[name] * unit.center for name, unit in units.items())
    found["intercept"] = draws.population["intercept"] - shift
    found |= dict(zip(("age", "owned"), draws.controls.T, strict=True))
    return {
        name: float((values.mean() - TRUTH[name]) / values.std()) for name, values in found.items()
    }


@pytest.mark.parametrize("family", ["gaussian", "bernoulli"])
def test_imputed_truth_is_found_and_complete_rows_err(family):
    table, whole = survey(family)
    shares = table[["age", "owned"]].isna().mean()
    assert 0.25 < shares["age"] < 0.4
    assert 0.15 < shares["owned"] < 0.3
    design, posterior = fitted(family, table, "impute")
    assert max(abs(d) for d in distances(design, posterior).values()) < NEAR
    complete = distances(*fitted(family, table, "drop"))
    assert complete["intercept"] < -FAR
    # what stood in the cells is known to the model as well as it says
    age = posterior["imputed_age"].stack(s=("chain", "draw")).transpose("s", ...).to_numpy()
    truth = whole["age"][table["age"].isna()].to_numpy()
    low, high = np.quantile(age, [0.05, 0.95], axis=0)
    inside = ((low < truth) & (truth < high)).mean()
    assert abs(inside - 0.9) < 4 * np.sqrt(0.09 / truth.size)
    drawn = completed(design, posterior, np.random.default_rng(1))["imputed_owned"]
    chance = drawn.mean(("chain", "draw")).to_numpy()
    owned = whole["owned"][table["owned"].isna()].to_numpy()
    # chance of each value, and of the parameters behind all of them
    noise = (chance * (1 - chance)).sum() + drawn.sum("imputed_owned_firm").var().item()
    assert abs((owned - chance).sum()) < 3 * np.sqrt(noise)
