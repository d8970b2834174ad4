"""What the sampler needs of a model: a compiled density, draws from the prior, many fits of one shape.

Both come from compiled instructions where these serve the model, else from the PyMC graph.

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

import numpy as np
import xarray as xr

from bayescluster import names
from bayescluster.design.arrays import with_unit_weights
from bayescluster.design.record import Design
from bayescluster.inference.assemble import reported_variables, sample_prior
from bayescluster.inference.nuts import Progress, compile_model, sample_chains
from bayescluster.kernel.program import program_of, unserved
from bayescluster.model.evaluate import Draws, draws_of
from bayescluster.model.imputation import completed, imputing
from bayescluster.names import CHAIN
from bayescluster.spec.analysis import Sampling


def compile_design(design: Design, seed: int, replaceable: bool = False) -> Any:
    """Compile the density of a design for `bayescluster.inference.nuts.sample_chains`.

    Parameters
    ----------
    design
        The design in focus.
    seed
        Seed of the sampler: how effects are sampled is settled by a pilot with a stream of its own.
    replaceable
        Let `with_data` take other data.

    Raises
    ------
    FitError
        If the model has no finite density where the chains start.
    """
    reported = reported_variables(design)
    if unserved(design) is None:
        from bayescluster.inference.compiled import compile_program

        return compile_program(design, reported, seed)
    from bayescluster.model.build import build_model

    return compile_model(build_model(design, replaceable), reported)


def with_data(compiled: Any | None, design: Design, seed: int) -> Any:
    """The same density at the data of a design of the same shape, without compiling again.

    A program costs nothing to write again, and its coordinates are settled by these data.
    """
    if unserved(design) is None:
        return compile_design(design, seed)
    from bayescluster.model.observed import observed_data

    assert compiled is not None
    return compiled.with_data(**observed_data(design))


def draw_prior(design: Design, draws: int, seed: int) -> xr.Dataset:
    """Draw the reported variables of a design from their prior, with one chain."""
    reported = reported_variables(design)
    if unserved(design) is not None:
        from bayescluster.model.build import build_model

        return sample_prior(design, build_model(design), reported, draws, seed)
    from bayescluster.model.priors import measurement_coords, model_coords

    program = program_of(design, reported, None)
    found = program.prior(np.random.default_rng(seed), draws)
    coords: dict[str, Any] = measurement_coords(design)
    for equation in design.equations:
        coords |= model_coords(equation)
    variables = {}
    for slot in program.reported:
        own = slot.dims or tuple(f"{slot.name}_dim_{k}" for k in range(len(slot.shape)))
        variables[slot.name] = ((names.CHAIN, names.DRAW, *own), found[slot.name][None])
    wanted = {dim: list(coords[dim]) for slot in program.reported for dim in slot.dims}
    return xr.Dataset(variables, {names.CHAIN: [0], names.DRAW: np.arange(draws)} | wanted)


def evaluated(design: Design) -> str:
    """Say how the density of a design is evaluated."""
    reason = unserved(design)
    if reason is None:
        return "compiled instructions"
    return f"the PyMC graph (compiled instructions do not serve {reason})"


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

        ``design`` is the template with its data replaced (see `bayescluster.design.arrays`); chains have
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
