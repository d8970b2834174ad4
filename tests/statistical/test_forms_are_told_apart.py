"""Firms simulated from each structural form: the stacking weights find it, or cannot tell.

1,200 firms in 24 clusters of four industries. The true form, or one that the data cannot tell from it
by the rule that reports use, has the largest weight in at least 8 of 10 data sets of each form.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.special import expit, logit

from bayescluster.checks.loo import leave_row_out, stacking_weights
from bayescluster.checks.thresholds import ELPD_DIFFERENCE_MIN, ELPD_DIFFERENCE_SES
from bayescluster.design.arrays import replaced
from bayescluster.design.forms import of_form
from bayescluster.inference.density import Repeated
from bayescluster.model.evaluate import log_likelihood
from bayescluster.spec.analysis import Sampling
from tests.factories import analysis_of, design_of

pytestmark = pytest.mark.slow

FORMS = ("additive", "interaction", "conjunctive", "ces")
SEEDS = 10
FOUND = 8
ROWS, INDUSTRIES, CLUSTERS = 1200, 4, 24


class Firms:
    """Capitals and groups, the same for every data set."""

    def __init__(self) -> None:
        rng = np.random.default_rng(7)
        self.cluster = np.arange(ROWS) % CLUSTERS
        self.industry = self.cluster // (CLUSTERS // INDUSTRIES)
        means = rng.normal(0, 0.5, (2, CLUSTERS))[:, self.cluster]
        raw = rng.normal(size=(2, ROWS)) + means
        self.human, self.social = (raw - raw.mean(axis=1, keepdims=True)) / raw.std(
            axis=1, ddof=1, keepdims=True
        )

    def frame(self, outcome: np.ndarray) -> pd.DataFrame:
        """The firms as a table."""
        return pd.DataFrame(
            {
                "firm": [f"f{k}" for k in range(ROWS)],
                "industry": [f"I{k}" for k in self.industry],
                "cluster": [f"C{k:02d}" for k in self.cluster],
                "training": self.human,
                "trust": self.social,
                "upgraded": outcome,
            }
        )

    def outcome(self, form: str, seed: int) -> np.ndarray:
        """Outcomes of one data set, from a form with effects of industries and clusters."""
        rng = np.random.default_rng([seed, FORMS.index(form)])
        cluster = rng.normal(0, 0.4, CLUSTERS)[self.cluster]

        def varied(mean: float, sd: float) -> np.ndarray:
            return mean + rng.normal(0, sd, INDUSTRIES)[self.industry]

        h, s = self.human, self.social
        if form == "additive":
            p = expit(varied(-0.8, 0.3) + varied(0.9, 0.2) * h + varied(0.9, 0.2) * s + cluster)
        elif form == "interaction":
            slopes = varied(0.6, 0.15) * h + varied(0.6, 0.15) * s + varied(0.6, 0.15) * h * s
            p = expit(varied(-1.0, 0.3) + slopes + cluster)
        elif form == "conjunctive":
            corners = [expit(varied(logit(x), 0.3) + cluster) for x in (0.02, 0.05, 0.05, 0.80)]
            gh, gs = expit(2.5 * h), expit(2.5 * (s + 0.2))
            gates = ((1 - gh) * (1 - gs), gh * (1 - gs), (1 - gh) * gs, gh * gs)
            p = sum(gate * corner for gate, corner in zip(gates, corners, strict=True))
        else:
            r = -2.5
            mean = np.log(0.5 * np.exp(r * h) + 0.5 * np.exp(r * s)) / r
            p = expit(varied(0.3, 0.3) + 1.6 * np.exp(varied(0.0, 0.15)) * mean + cluster)
        return (rng.random(ROWS) < p).astype(float)


@pytest.fixture(scope="module")
def firms() -> Firms:
    return Firms()


@pytest.fixture(scope="module")
def models(firms) -> dict[str, Repeated]:
    varying = {"industry": "all", "cluster": ["intercept"]}
    analysis = analysis_of("bernoulli", list(FORMS), varying)
    frame = firms.frame(firms.outcome("additive", 0))
    return {form: Repeated(design_of(of_form(analysis, form), frame)) for form in FORMS}


def scores(models: dict[str, Repeated], outcome: np.ndarray, seed: int) -> Iterator[np.ndarray]:
    """Elpd of every row left out, under each form."""
    for model in models.values():
        sampling = Sampling(draws=500, tune=400, chains=2, seed=seed + 1, target_accept=0.95)
        design, draws, tree = model.fit(replaced(model.design, outcome), sampling)
        density = log_likelihood(design, draws).reshape(2, 500, ROWS)
        dims = ("chain", "draw", "firm")
        tree["log_likelihood"] = xr.Dataset({design.equation_name: (dims, density)})
        yield leave_row_out(design, tree).elpd


@pytest.mark.parametrize("form", FORMS)
def test_the_form_is_found_or_cannot_be_told(form, firms, models) -> None:
    found = 0
    for seed in range(SEEDS):
        elpd = np.column_stack(list(scores(models, firms.outcome(form, seed), seed)))
        weights = stacking_weights(elpd)
        own, best = FORMS.index(form), int(elpd.sum(axis=0).argmax())
        behind = elpd[:, best] - elpd[:, own]
        error = behind.std(ddof=1) * np.sqrt(ROWS)
        untold = behind.sum() < max(ELPD_DIFFERENCE_MIN, ELPD_DIFFERENCE_SES * error)
        found += bool(weights.argmax() == own or untold)
    assert found >= FOUND
