"""One compiled model for many outcomes: only the data of the likelihood change between fits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import nutpie
import pymc as pm
import pytest
import xarray as xr

from bayescluster.design.record import Design
from bayescluster.inference.reported import reported_variables
from bayescluster.model import build
from bayescluster.model.evaluate import Draws, draws_of
from bayescluster.names import OUTCOME

DATA = "outcome_data"


class Repeated:
    """A design whose outcome can be replaced without compiling again.

    Priors must not depend on the outcome, which holds for families with a logit link.
    """

    def __init__(self, design: Design) -> None:
        assert design.family.link in {"logit", "probit"}
        self.design = design
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(build, "_equation", _with_data(build._equation))
            model = build.build_model(design)
        self.compiled = nutpie.compile_pymc_model(model, var_names=list(reported_variables(design)))

    def with_outcome(self, outcome: np.ndarray) -> Design:
        """The same design with another outcome."""
        data = self.design.data.assign({OUTCOME: (self.design.data[OUTCOME].dims, outcome)})
        return replace(self.design, data=data)

    def fit(self, outcome: np.ndarray, seed: int, draws: int = 400) -> tuple[Draws, xr.DataTree]:
        """Two chains of the posterior given an outcome."""
        tree = nutpie.sample(
            self.compiled.with_data(**{DATA: outcome.astype("int64")}),
            draws=draws,
            tune=400,
            chains=2,
            cores=2,
            seed=seed,
            target_accept=0.95,
            progress_bar=False,
            save_warmup=False,
        )
        return draws_of(self.with_outcome(outcome), tree["posterior"].to_dataset()), tree


def _with_data(equation: Any) -> Any:
    def patched(*arguments: Any) -> Any:
        made = equation(*arguments)
        return made._replace(outcome=pm.Data(DATA, made.outcome.astype("int64")))

    return patched
