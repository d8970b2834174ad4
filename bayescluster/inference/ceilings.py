"""Sampling ceiling models: each compiled once for the firms of an analysis, then given their data."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from bayescluster.arrays import Array
from bayescluster.inference.assemble import STATISTICS
from bayescluster.inference.nuts import Progress, compile_model, sample_chains
from bayescluster.model.ceiling import ModelName, build_ceiling_model, reported
from bayescluster.model.ceiling_density import RESOLUTION
from bayescluster.model.ceiling_layout import Layout
from bayescluster.names import CHAIN
from bayescluster.spec.sampling import Sampling


class CeilingSampler:
    """Samples one ceiling model for firms of one layout, with whatever capital and outcome.

    Parameters
    ----------
    kind
        The model.
    layout
        Which firms share a ceiling.
    limits
        Floor and top of the ceiling.
    """

    def __init__(self, kind: ModelName, layout: Layout, limits: tuple[float, float]) -> None:
        self._kind, self._layout, self._limits = kind, layout, limits
        self._compiled: Any = None

    def sample(
        self, x: Array, y: Array, sampling: Sampling, progress: Progress | None = None
    ) -> xr.DataTree:
        """Sample all chains.

        Parameters
        ----------
        x, y
            Capital and outcome in shares of the scope, ``(firm,)``.
        sampling
            Settings of the sampler.
        progress
            Called with the state of each running chain.

        Returns
        -------
        DataTree
            Groups ``posterior`` and ``sample_stats``.

        Raises
        ------
        FitError
            If the model cannot be compiled, or a chain not be sampled.
        """
        names = reported(self._kind, self._layout)
        if self._compiled is None:
            model = build_ceiling_model(self._kind, self._layout, x, y, self._limits)
            self._compiled = compile_model(model, names)
        data = self._compiled.with_data(x=x, y=np.maximum(y, RESOLUTION))
        chains = sorted(sample_chains(data, sampling, range(sampling.chains), progress))
        # nutpie keeps the raw variables of the sampler too
        posterior = xr.concat([chain.posterior[list(names)] for chain in chains], CHAIN)
        stats = xr.concat([chain.sample_stats for chain in chains], CHAIN)
        kept = stats[[name for name in STATISTICS if name in stats]]
        return xr.DataTree.from_dict({"posterior": posterior, "sample_stats": kept})
