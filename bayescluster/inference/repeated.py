"""Many fits of one shape: the model is compiled once, and outcome and row weights change.

Compiling costs half a minute where a small fit costs a second. So replications of a simulation,
calibration and folds share one compiled model, in which the outcome (and the weights of the rows)
are data. Nothing else may change between fits: neither rows, nor groups, nor inputs.

Priors stay those of the template. Default priors of most families do not depend on the outcome;
those of gaussian, student_t and lognormal outcomes are in units of its standard deviation, and
those of counts are centred on its mean rate. A fit here takes both from the template, where a fit by
itself would take them from its own outcome. Which intercepts are sampled centred is settled by the
template too; that changes how a posterior is sampled, not what it is.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from bayescluster.design.record import Array, Design
from bayescluster.errors import DesignError, Problem
from bayescluster.inference.nuts import Progress, compile_model, sample_chains
from bayescluster.inference.reported import reported_variables
from bayescluster.model.build import build_model, is_replaceable
from bayescluster.model.evaluate import Draws, draws_of
from bayescluster.names import (
    AVERAGING_WEIGHT,
    CHAIN,
    OUTCOME,
    ROW,
    ROW_WEIGHT,
    outcome_data,
    weight_data,
)
from bayescluster.spec.sampling import Sampling


class Refit(NamedTuple):
    """A fit of the template to other outcomes: its design, its draws, posterior and statistics."""

    design: Design
    draws: Draws
    tree: xr.DataTree


class Repeated:
    """A design whose outcome and row weights can be replaced without compiling again.

    Parameters
    ----------
    design
        The template: rows, groups, inputs and priors of every fit.
    weighted
        Give every row a weight of 1 where the design has no weights, so that folds can be left out
        by a weight of 0.

    Raises
    ------
    DesignError
        If the design has several equations or missing values: then an outcome does not stand by
        itself.
    FitError
        If the model cannot be compiled.
    """

    def __init__(self, design: Design, weighted: bool = False) -> None:
        if not is_replaceable(design):
            raise DesignError(
                Problem(
                    "the outcome cannot be replaced by others in a compiled model",
                    design.equation_name,
                    "several equations and missing values need a model of their own for each fit",
                )
            )
        self.design = with_unit_weights(design) if weighted else design
        model = build_model(self.design, replaceable=True)
        self.compiled = compile_model(model, reported_variables(self.design))

    def fit(
        self,
        outcome: Array,
        sampling: Sampling,
        weights: Array | None = None,
        progress: Progress | None = None,
    ) -> Refit:
        """Draw the posterior of the template with another outcome; several threads may at once.

        Parameters
        ----------
        outcome
            Outcome of each row, ``(row,)``; ordinal levels as codes.
        sampling
            Settings; chains have the seeds that an ordinary fit gives them.
        weights
            Multipliers of the log density of each row, ``(row,)``; those of the template without.
        progress
            Called with the state of each running chain.

        Raises
        ------
        FitError
            If a chain cannot start or ends in an error.
        """
        design = replaced(self.design, outcome, weights)
        name = design.equation_name
        data: dict[str, Any] = {outcome_data(name): design.outcome}
        if design.weights is not None:
            data[weight_data(name)] = design.weights.rows
        compiled = self.compiled.with_data(**data)
        chains = sorted(sample_chains(compiled, sampling, range(sampling.chains), progress))
        # nutpie keeps the raw variables of the sampler too
        kept = list(reported_variables(design))
        posterior = xr.concat([chain.posterior[kept] for chain in chains], CHAIN)
        stats = xr.concat([chain.sample_stats for chain in chains], CHAIN)
        tree = xr.DataTree.from_dict({"posterior": posterior, "sample_stats": stats})
        return Refit(design, draws_of(design, posterior), tree)


def replaced(design: Design, outcome: Array, weights: Array | None = None) -> Design:
    """Give a design another outcome, ``(row,)``, and other weights of its rows."""
    data = design.data.assign({OUTCOME: (ROW, np.asarray(outcome, dtype="float64"))})
    if weights is not None:
        data = data.assign({ROW_WEIGHT: (ROW, np.asarray(weights, dtype="float64"))})
    found = replace(design, data=data)
    # what the template settled holds for its outcome: here too, whatever this outcome would settle
    vars(found)["groupings"] = design.groupings
    return found


def with_unit_weights(design: Design) -> Design:
    """Weigh every row by 1, where a design has no weights."""
    if design.weights is not None:
        return design
    ones = (ROW, np.ones(design.size))
    return replace(design, data=design.data.assign({ROW_WEIGHT: ones, AVERAGING_WEIGHT: ones}))
