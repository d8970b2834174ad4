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
from typing import NamedTuple

import numpy as np
import xarray as xr

from bayescluster.arrays import Array
from bayescluster.design.coding import monotonic_controls
from bayescluster.design.missing import gaps
from bayescluster.design.record import Design
from bayescluster.model import imputation as imputing
from bayescluster.model import measurement as measuring
from bayescluster.model.build import CONCENTRATION
from bayescluster.model.evaluate import flat
from bayescluster.model.measurement import latent_capitals
from bayescluster.model.priors import KINDS, ModelPriors, model_priors, population_terms, prior_text
from bayescluster.model.variance import variance_components
from bayescluster.names import (
    CONTROLS,
    CUTPOINTS,
    POPULATION,
    R2,
    RESIDUAL_CORRELATION,
    VARIANCE_SHARE,
    background,
    capital_cluster_sd,
    group_correlation,
    group_effect,
    group_sd,
    imputation,
    imputed,
    item_errors,
    item_intercepts,
    item_loadings,
    item_thresholds,
    on_other,
    raw_mean,
    raw_sd,
    steps,
)
from bayescluster.spec.priors import Beta, Distribution, HalfNormal, Normal
from bayescluster.structures.record import LINEAR_TERMS


class UnknownPriorError(ValueError):
    """The log prior of a model is not known: the message says of what."""


class PriorBlock(NamedTuple):
    """Priors that are scaled together.

    Attributes
    ----------
    name, title
        In code and in words; of several equations, each block says which is its own.
    priors
        The priors in words.
    place
        Where an analysis states them; empty where it cannot.
    density
        Log prior density, ``(draw,)``, the chains one after the other, up to a constant.
    """

    name: str
    title: str
    priors: tuple[str, ...]
    place: str
    density: Array


class Part(NamedTuple):
    """One prior: of what, in words, and its log density ``(draw,)``."""

    of: str
    words: str
    density: Array


class PosteriorDraws:
    """Draws by name, noting which were asked for, so that none is left without a prior unseen."""

    def __init__(self, group: xr.Dataset) -> None:
        self.group = group
        self.known: set[str] = set()

    def __contains__(self, name: str) -> bool:
        return name in self.group

    def draws(self, name: str) -> Array:
        """Draws of a variable, ``(draw, element)``."""
        self.known.add(name)
        if name not in self.group:
            raise UnknownPriorError(f"the posterior does not hold {name}")
        found = flat(self.group, name)
        return found.reshape(len(found), -1)

    def square(self, name: str) -> Array:
        """Draws of a matrix, ``(draw, row, column)``."""
        found = self.draws(name)
        size = round(found.shape[1] ** 0.5)
        return found.reshape(-1, size, size)


def block_of(name: str, title: str, place: str, parts: Iterable[Part]) -> PriorBlock:
    """Add up priors; those in the same words are told together."""
    some = list(parts)
    together: dict[str, list[str]] = {}
    for part in some:
        together.setdefault(part.words, []).append(part.of)
    words = tuple(f"{', '.join(of)} ~ {prior}" for prior, of in together.items())
    return PriorBlock(name, title, words, place, np.sum([part.density for part in some], axis=0))


def part_of(of: str, prior: Distribution, values: Array) -> Part:
    """Prior of some values ``(draw, element)``, each by itself."""
    density = np.asarray(KINDS[type(prior)].scipy(prior).logpdf(values))
    return Part(of, prior_text(prior), density.sum(axis=1))


def lkj(of: str, eta: float, matrices: Array) -> Part:
    """LKJ prior of correlation matrices ``(draw, row, column)``, by the Cholesky factor.

    Source: Lewandowski, Kurowicka and Joe (2009), Journal of Multivariate Analysis 100(9).
    """
    size = matrices.shape[-1]
    # squares of the factor's diagonal by leading minors: no factorisation that could fail
    minors = [np.linalg.slogdet(matrices[:, :k, :k])[1] for k in range(1, size + 1)]
    log_diagonal = 0.5 * np.diff(
        np.column_stack(minors), axis=1
    )  # (draw, size - 1), from the second
    power = size - np.arange(2, size + 1) + 2.0 * eta - 2.0
    return Part(of, f"LKJ({eta:g})", log_diagonal @ power)


def measurement_block(design: Design, capital: str, draws: PosteriorDraws) -> PriorBlock:
    """Priors of the measurement model of a latent capital."""
    found = [*_loadings(design, capital, draws)]
    plain: dict[str, tuple[str, Distribution]] = {
        item_intercepts(capital): ("intercepts", Normal(sd=measuring.ITEM_INTERCEPT_SD)),
        item_errors(capital): ("errors", HalfNormal(sd=measuring.ERROR_SD)),
        capital_cluster_sd(capital): ("sd of clusters", HalfNormal(sd=measuring.CLUSTER_MEAN_SD)),
        background(capital): ("background", Normal(sd=measuring.BACKGROUND_SD)),
        on_other(capital): ("other capital", Normal(sd=measuring.BACKGROUND_SD)),
    }
    found += [
        part_of(of, prior, draws.draws(name))
        for name, (of, prior) in plain.items()
        if name in draws
    ]
    items = design.items(capital)
    for k, (column, levels) in enumerate(zip(items.columns, items.levels, strict=True)):
        if not levels:
            continue
        answers = items.values[:, k]
        usual = measuring.usual_thresholds(answers[np.isfinite(answers)].astype("int64"), levels)
        values = draws.draws(item_thresholds(capital, column)) - usual
        part = part_of(f"thresholds of {column}", Normal(sd=measuring.THRESHOLD_SD), values)
        found.append(part._replace(words=f"Normal(usual, {measuring.THRESHOLD_SD:g})"))
    title = f"measurement of {capital.replace('_', ' ')}"
    return block_of(f"{capital}_measurement", title, "", found)


def _loadings(design: Design, capital: str, draws: PosteriorDraws) -> Iterator[Part]:
    items, values = design.items(capital), draws.draws(item_loadings(capital))
    for k, (column, levels) in enumerate(zip(items.columns, items.levels, strict=True)):
        prior: Distribution
        if k == 0:
            prior = HalfNormal(
                sd=measuring.FIRST_DISCRETE_SD if levels else measuring.FIRST_LOADING_SD
            )
        elif levels:
            prior = Normal(mean=measuring.DISCRETE_MEAN, sd=measuring.DISCRETE_SD)
        else:
            prior = Normal(mean=measuring.LOADING_MEAN, sd=measuring.LOADING_SD)
        yield part_of(f"loading of {column}", prior, values[:, [k]])


def imputation_block(design: Design, draws: PosteriorDraws) -> PriorBlock:
    """Priors of the regressions that impute inputs."""
    found = []
    for gap in gaps(design):
        if gap.place == "outcome":
            continue
        name, discrete = gap.name, bool(gap.levels)
        slope = imputing.LOGIT_SLOPE_SD if discrete else imputing.SLOPE_SD
        parts: dict[str, tuple[str, Distribution]] = {
            imputation(name, "intercept"): ("intercept", Normal(sd=imputing.INTERCEPT_SD)),
            imputation(name, "slope"): ("slopes", Normal(sd=slope)),
            imputation(name, "sd"): ("sd", HalfNormal(sd=imputing.RESIDUAL_SD)),
        }
        found += [
            part_of(f"{of} for {name}", prior, draws.draws(variable))
            for variable, (of, prior) in parts.items()
            if variable in draws
        ]
        if discrete:
            values = draws.draws(imputation(name, "cutpoints")) - imputing.cutpoint_means(gap)
            part = part_of(f"cutpoints for {name}", Normal(sd=imputing.CUTPOINT_SD), values)
            found.append(part._replace(words=f"Normal(usual, {imputing.CUTPOINT_SD:g})"))
    return block_of("imputation", "imputation", "", found)


def residual_block(design: Design, draws: PosteriorDraws) -> PriorBlock:
    """Prior of the correlations of what equations leave unexplained."""
    found: list[Part] = []
    if design.analysis.residual_correlation:
        matrices = draws.square(RESIDUAL_CORRELATION)
        found = [lkj("residual correlations", CONCENTRATION, matrices)]
    return block_of("residuals", "residual correlations", "", found)


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
