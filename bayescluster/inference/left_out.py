"""Refits without some rows, in the terms of arviz: what its functions for refitting ask of a model.

One compiled model serves all refits: rows that are left out keep their place with a weight of 0, so
that they add nothing to the log density. Effects of a group without any weight are then drawn from
their distribution.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from arviz_stats.loo import SamplingWrapper
from numpy.typing import NDArray

from bayescluster.arrays import Array
from bayescluster.design.record import Design
from bayescluster.design.replaced import replaced
from bayescluster.inference.repeated import Refit, Repeated
from bayescluster.model.evaluate import Draws, draws_of, predictor_at
from bayescluster.names import CHAIN, DRAW, ROW
from bayescluster.spec.sampling import Sampling

Positions = NDArray[np.int64]


class LeftOut(SamplingWrapper):  # type: ignore[misc] # arviz has no types
    """A design that is refitted without some of its rows; takes what `arviz.reloo` gives.

    Parameters
    ----------
    design
        The design as it was fitted, of one equation and with every value known.
    sampling
        Settings of the refits.
    repeated
        The compiled model, where there is one already; made of the design without it.
    tree
        Posterior and log likelihood of the fit to all rows, where arviz is to look at them.
    """

    def __init__(
        self,
        design: Design,
        sampling: Sampling,
        repeated: Repeated | None = None,
        tree: xr.DataTree | None = None,
    ) -> None:
        repeated = repeated or Repeated(design, weighted=True)
        super().__init__(model=repeated, idata_orig=tree)
        self.design, self.sampling = design, sampling

    def with_sampling(self, sampling: Sampling) -> LeftOut:
        """Take other settings; the model is not compiled again."""
        return LeftOut(self.design, sampling, self.model, self.idata_orig)

    def sel_observations(self, idx: Any) -> tuple[Array, Positions]:
        """Weights of all rows with those left out at 0, and the positions of the latter."""
        out = np.atleast_1d(np.asarray(idx, dtype="int64"))
        asked = self.design.weights
        weights = np.ones(self.design.size) if asked is None else asked.rows.copy()
        weights[out] = 0.0
        return weights, out

    def sample(self, modified_observed_data: Array) -> Refit:
        """Draw the posterior under these weights of the rows."""
        design = replaced(self.model.design, self.design.outcome, modified_observed_data)
        found: Refit = self.model.fit(design, self.sampling)
        return found

    def get_inference_data(self, fitted_model: Refit) -> xr.DataTree:
        """Posterior and statistics of a refit."""
        return fitted_model.tree

    def refit(self, rows: Positions) -> Refit:
        """Draw the posterior without some rows."""
        return self.sample(self.sel_observations(rows)[0])

    def log_likelihood__i(self, excluded_obs: Positions, idata__i: xr.DataTree) -> xr.DataArray:
        """Log density of each left-out row at each draw of the refit, ``(chain, draw, row)``.

        Effects of its groups are those of the draw: for a group without other rows one draw from
        their distribution.
        """
        posterior = idata__i["posterior"].to_dataset()
        found = row_log_likelihood(self.design, draws_of(self.design, posterior), excluded_obs)
        chains, draws = posterior.sizes[CHAIN], posterior.sizes[DRAW]
        return xr.DataArray(
            found.reshape(chains, draws, excluded_obs.size),
            dims=(CHAIN, DRAW, ROW),
            coords={ROW: np.array(self.design.labels(ROW))[excluded_obs]},
        )


def row_log_likelihood(design: Design, draws: Draws, rows: Positions) -> Array:
    """Log density of some rows at draws of all parameters, ``(draw, row)``."""
    human, social = design.capitals
    eta = predictor_at(design, draws.for_rows(rows), (human[rows], social[rows]), rows)
    found = design.family.log_density(
        design.outcome[rows], eta + design.offset[rows], draws.parameters, design.rows.at(rows)
    )
    return found if design.weights is None else found * design.weights.rows[rows]
