"""The log prior density of every draw, block by block: what power-scaling raises to a power.

The twin in numpy of the priors in the PyMC graph; a test holds it to the graph. Densities are those
of the constrained values, as the model states its priors, without the Jacobians of the sampler's
transforms: a prior raised to a power is a prior of the same values. That of correlations is the
density of their Cholesky factor, which is what the model states (`pymc.LKJCorr`).

Only what is stated about the values at the top stands in a block. The deviates of groups given
their sds, of slopes given their shares of R2D2M2, of latent capitals and of missing cells belong to
the model: to flatten the distribution of clusters around their mean would be another model of
clusters, not another prior (Kallioinen, Paananen, Bürkner and Vehtari 2024, section 3.2).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import xarray as xr

from bayescluster.design.gaps import gaps
from bayescluster.design.monotonic import monotonic_controls
from bayescluster.design.record import Design
from bayescluster.model.measurement import latent_capitals
from bayescluster.model.prior_inputs import imputation_block, measurement_block, residual_block
from bayescluster.model.prior_parts import (
    Part,
    PosteriorDraws,
    PriorBlock,
    UnknownPriorError,
    block_of,
    lkj,
    part_of,
)
from bayescluster.model.priors import ModelPriors, model_priors, population_terms
from bayescluster.model.variance import variance_components
from bayescluster.names import (
    CONTROLS,
    CUTPOINTS,
    POPULATION,
    R2,
    VARIANCE_SHARE,
    group_correlation,
    group_effect,
    group_sd,
    imputed,
    raw_mean,
    raw_sd,
    steps,
)
from bayescluster.spec.priors import Beta, Normal
from bayescluster.structures.record import LINEAR_TERMS

__all__ = ["PriorBlock", "UnknownPriorError", "prior_blocks"]


def prior_blocks(design: Design, posterior: xr.Dataset) -> tuple[PriorBlock, ...]:
    """Log prior density of each draw, by block of priors.

    Parameters
    ----------
    design
        The design in focus; the equations beside it have blocks of their own.
    posterior
        Draws, with dims chain and draw.

    Raises
    ------
    UnknownPriorError
        If the posterior lacks a parameter, or has one of which no prior is known here, or a density
        is not finite.
    """
    draws = PosteriorDraws(posterior)
    blocks = [block for each in design.equations for block in _of_equation(each, draws)]
    blocks += [measurement_block(design, capital, draws) for capital in latent_capitals(design)]
    blocks += [imputation_block(design, draws), residual_block(design, draws)]
    found = tuple(block for block in blocks if block.priors)
    _refuse_unknown(design, draws)
    for block in found:
        if not np.isfinite(block.density).all():
            raise UnknownPriorError(f"the log prior density of {block.title} is not finite")
    return found


def _refuse_unknown(design: Design, draws: PosteriorDraws) -> None:
    """Refuse a posterior with a variable that is neither in a block nor known to follow from some."""
    unknown = [
        str(name)
        for name in draws.group.data_vars
        if name not in draws.known and name not in _of_the_model(design)
    ]
    if unknown:
        raise UnknownPriorError(f"no prior is known here of {', '.join(unknown)}")


def _of_the_model(design: Design) -> set[str]:
    """Variables without a prior of their own to scale: derived, distributed by the model, or flat."""
    found = set()
    for each in design.equations:
        names = [group_effect(grouping.name) for grouping in each.groupings]
        names += [steps(control.name) for control in monotonic_controls(each)]
        if each.equation.priors.r2d2m2 is not None:
            names += [POPULATION, CONTROLS, *(group_sd(g.name) for g in each.groupings)]
        found |= {each.variable(name) for name in names}
    for capital in latent_capitals(design):
        found |= {capital, raw_mean(capital), raw_sd(capital)}
    return found | {imputed(gap.name) for gap in gaps(design)}


def _of_equation(design: Design, draws: PosteriorDraws) -> Iterator[PriorBlock]:
    priors = model_priors(design)
    shared = design.equation.priors.r2d2m2 is not None
    terms = _terms(design, priors, draws)
    linear = [part for part in terms if part.of in LINEAR_TERMS or part.of not in design.terms]
    controls = [] if shared else _controls(design, priors, draws)
    of = f" ({design.equation_name})" if design.others else ""

    def block(name: str, title: str, place: str, parts: Iterable[Part]) -> PriorBlock:
        where = f"equations.{design.equation_name}.priors: {place}"
        return block_of(design.variable(name), f"{title}{of}", where, parts)

    yield block("population", "population effects", "terms, controls", [*linear, *controls])
    yield block("form", "form", "terms", [part for part in terms if part not in linear])
    yield block(
        "groups",
        "group sds and correlations",
        "group_sd, correlation",
        _groups(design, priors, draws),
    )
    yield block("noise", "noise of the outcome", "family", _family(design, priors, draws))
    yield block("cutpoints", "cutpoints", "cutpoints", _cutpoints(design, priors, draws))
    yield block("variance", "explained variance", "r2d2m2", _variance(design, draws))


def _terms(design: Design, priors: ModelPriors, draws: PosteriorDraws) -> list[Part]:
    """Priors of the population coefficients; under R2D2M2 of the level alone."""
    terms = population_terms(design)
    if not terms:
        return []
    values = draws.draws(design.variable(POPULATION))
    shared = design.equation.priors.r2d2m2 is not None
    return [
        part_of(term, priors.population[term], values[:, [k]])
        for k, term in enumerate(terms)
        if not shared or term == design.structure.level
    ]


def _controls(design: Design, priors: ModelPriors, draws: PosteriorDraws) -> list[Part]:
    if not design.control_names:
        return []
    values = draws.draws(design.variable(CONTROLS))
    return [
        part_of(name, priors.controls[name], values[:, [k]])
        for k, name in enumerate(design.control_names)
    ]


def _groups(design: Design, priors: ModelPriors, draws: PosteriorDraws) -> Iterator[Part]:
    """Priors of the group sds (under R2D2M2 they have none of their own) and of correlations."""
    for grouping in design.groupings:
        name = grouping.name
        if design.equation.priors.r2d2m2 is None:
            sds = draws.draws(design.variable(group_sd(name)))
            yield part_of(f"sds of {name}", priors.group_sd[name], sds)
        if grouping.correlated:
            matrices = draws.square(design.variable(group_correlation(name)))
            yield lkj(f"correlations of {name}", priors.correlation, matrices)


def _family(design: Design, priors: ModelPriors, draws: PosteriorDraws) -> list[Part]:
    return [
        part_of(name, prior, draws.draws(design.variable(name)))
        for name, prior in priors.family.items()
    ]


def _cutpoints(design: Design, priors: ModelPriors, draws: PosteriorDraws) -> list[Part]:
    if not priors.cutpoints:
        return []
    values = draws.draws(design.variable(CUTPOINTS))
    # that they are in order cuts off a share of the prior that is the same for every draw
    return [
        part_of(f"cutpoint {k + 1}", Normal(mean=mean, sd=sd), values[:, [k]])
        for k, (mean, sd) in enumerate(priors.cutpoints)
    ]


def _variance(design: Design, draws: PosteriorDraws) -> Iterator[Part]:
    """R2 and its shares; the sum of the gammas behind the shares tells nothing of them."""
    asked = design.equation.priors.r2d2m2
    if asked is None:
        return
    a = asked.mean_r2 * asked.precision
    yield part_of("R2", Beta(a=a, b=asked.precision - a), draws.draws(design.variable(R2)))
    if len(variance_components(design)) > 1:
        shares = draws.draws(design.variable(VARIANCE_SHARE))
        with np.errstate(divide="ignore"):
            density = (asked.concentration - 1.0) * np.log(shares).sum(axis=1)
        yield Part("shares", f"Dirichlet({asked.concentration:g})", density)
