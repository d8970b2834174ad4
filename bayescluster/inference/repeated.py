"""Many fits of one shape: the model is compiled once, and what it observes changes.

Compiling costs half a minute where a small fit costs a second. So replications of a simulation,
calibration and folds share one compiled model, in which the outcomes, the answers that measure latent
capitals, those of inputs with missing cells and the weights of the rows are data. Nothing else may
change between fits: neither rows, nor groups, nor complete inputs, nor which cells are missing.

Priors stay those of the template. Default priors of most families do not depend on the outcome;
those of gaussian, student_t and lognormal outcomes are in units of its standard deviation, and
those of counts are centred on its mean rate; those of the thresholds of an indicator are centred on
the shares of its answers. A fit here takes all of them from the template, where a fit by itself
would take them from its own data.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import xarray as xr

from bayescluster.design.record import Design
from bayescluster.design.resize import with_unit_weights
from bayescluster.inference.assemble import reported_variables
from bayescluster.inference.density import compile_design, with_data
from bayescluster.inference.nuts import Progress, sample_chains
from bayescluster.kernel.program import unserved
from bayescluster.model.evaluate import Draws, draws_of
from bayescluster.model.imputation import completed, imputing
from bayescluster.names import CHAIN
from bayescluster.spec.analysis import Sampling


class Refit(NamedTuple):
    """A fit of the template to other outcomes: its design, its draws, posterior and statistics."""

    design: Design
    draws: Draws
    tree: xr.DataTree


class Repeated:
    """A design whose data can be replaced without compiling again.

    Rows, groups, inputs and priors of every fit are those of ``design``. With ``weighted`` every row has
    a weight of 1 where the design has no weights, so that folds can be left out by a weight of 0.

    Raises
    ------
    FitError
        If the model cannot be compiled.
    """

    def __init__(self, design: Design, weighted: bool = False) -> None:
        self.design = with_unit_weights(design) if weighted else design
        seed = design.analysis.sampling.seed
        self.compiled: Any | None = None
        if unserved(design) is not None:
            self.compiled = compile_design(self.design, seed, replaceable=True)

    def fit(self, design: Design, sampling: Sampling, progress: Progress | None = None) -> Refit:
        """Draw the posterior of the template with other data; several threads may at once.

        ``design`` is the template with its data replaced (see `bayescluster.design.resize`); chains have
        the seeds that an ordinary fit gives them.

        Raises
        ------
        FitError
            If a chain cannot start or ends in an error.
        """
        compiled = with_data(self.compiled, design, sampling.seed)
        chains = sorted(sample_chains(compiled, sampling, range(sampling.chains), progress))
        # nutpie keeps the raw variables of the sampler too
        kept = list(reported_variables(design))
        posterior = xr.concat([chain.posterior[kept] for chain in chains], CHAIN)
        posterior = completed(design, posterior, imputing(sampling.seed))
        stats = xr.concat([chain.sample_stats for chain in chains], CHAIN)
        tree = xr.DataTree.from_dict({"posterior": posterior, "sample_stats": stats})
        return Refit(design, draws_of(design, posterior), tree)
