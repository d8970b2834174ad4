"""The log prior density of every draw, block by block: what power-scaling raises to a power.

The twin in numpy of the priors in the PyMC graph; a test holds it to the graph. Densities are those
of the constrained values, as the model states its priors, without the Jacobians of the sampler's
transforms: a prior raised to a power is a prior of the same values. That of correlations is the
density of their Cholesky factor, which is what the model states (`pymc.LKJCorr`).

Only priors stated about values at the top are in a block. The deviates of groups given
their sds, of slopes given their shares of R2D2M2, of latent capitals and of missing cells belong to
the model: to flatten the distribution of clusters around their mean would be another model of
clusters, not another prior (Kallioinen, Paananen, Bürkner and Vehtari 2024, section 3.2).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
import xarray as xr

from bayescluster import names
from bayescluster.arrays import Array
from bayescluster.design.coding import monotonic_controls
from bayescluster.design.missing import gaps
from bayescluster.design.record import Design
from bayescluster.model.evaluate import flat
from bayescluster.model.priors import (
    BACKGROUND_SD,
    CLUSTER_MEAN_SD,
    CONCENTRATION,
    ERROR_SD,
    ITEM_INTERCEPT_SD,
    THRESHOLD_SD,
    ModelPriors,
    latent_capitals,
    loading_priors,
    model_priors,
    prior_text,
    scipy_distribution,
    usual_thresholds,
    variance_components,
)
from bayescluster.spec.priors import Beta, Distribution, HalfNormal, Normal
from bayescluster.structures.record import LINEAR_TERMS


class UnknownPriorError(ValueError):
    """The log prior of a model is not known; the message names the parameter."""


class PriorBlock(NamedTuple):
    """Priors that are scaled together.

    Attributes
    ----------
    name, title
        In code and in words; of several equations, with the name of its own.
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


def prior_blocks(design: Design, posterior: xr.Dataset) -> tuple[PriorBlock, ...]:
    """Log prior density of each draw, by block of priors; other equations have blocks of their own.

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
    unknown = set(map(str, posterior.data_vars)) - draws.used - _of_the_model(design)
    if unknown:
        listed = ", ".join(str(name) for name in posterior.data_vars if name in unknown)
        raise UnknownPriorError(f"no prior is known here of {listed}")
    for block in found:
        if not np.isfinite(block.density).all():
            raise UnknownPriorError(f"the log prior density of {block.title} is not finite")
    return found


def _of_the_model(design: Design) -> set[str]:
    """Variables without a prior of their own to scale: derived, distributed by the model, or flat."""
    found = set()
    for each in design.equations:
        variables = [names.group_effect(grouping.name) for grouping in each.groupings]
        variables += [names.steps(control.name) for control in monotonic_controls(each)]
        if each.equation.priors.r2d2m2 is not None:
            variables += [
                names.POPULATION,
                names.CONTROLS,
                *(names.group_sd(g.name) for g in each.groupings),
            ]
        found |= {each.variable(name) for name in variables}
    for capital in latent_capitals(design):
        found |= {capital, names.raw_mean(capital), names.raw_sd(capital)}
    return found | {names.imputed(gap.name) for gap in gaps(design)}


class Part(NamedTuple):
    """One prior: of what, in words, and its log density ``(draw,)``."""

    of: str
    words: str
    density: Array


class PosteriorDraws:
    """Draws by name, noting which were used, so that none is left without a prior unseen."""

    def __init__(self, group: xr.Dataset) -> None:
        self.group = group
        self.used: set[str] = set()

    def __contains__(self, name: str) -> bool:
        return name in self.group

    def draws(self, name: str) -> Array:
        """Draws of a variable, ``(draw, element)``."""
        self.used.add(name)
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
    """Add up priors; those in the same words are listed together."""
    some = list(parts)
    together: dict[str, list[str]] = {}
    for part in some:
        together.setdefault(part.words, []).append(part.of)
    words = tuple(f"{', '.join(of)} ~ {prior}" for prior, of in together.items())
    return PriorBlock(name, title, words, place, np.sum([part.density for part in some], axis=0))


def part_of(of: str, prior: Distribution, values: Array) -> Part:
    """Prior of some values ``(draw, element)``, each by itself."""
    density = np.asarray(scipy_distribution(prior).logpdf(values))
    return Part(of, prior_text(prior), density.sum(axis=1))


def lkj(of: str, eta: float, matrices: Array) -> Part:
    """LKJ prior of correlation matrices ``(draw, row, column)``, by the Cholesky factor.

    Source: Lewandowski, Kurowicka and Joe (2009), Journal of Multivariate Analysis 100(9).
    """
    size = matrices.shape[-1]
    # squares of the factor's diagonal by leading minors: no factorisation that could fail
    minors = [np.linalg.slogdet(matrices[:, :k, :k])[1] for k in range(1, size + 1)]
    # from the second element of the diagonal, (draw, size - 1)
    log_diagonal = 0.5 * np.diff(np.column_stack(minors), axis=1)
    power = size - np.arange(2, size + 1) + 2.0 * eta - 2.0
    return Part(of, f"LKJ({eta:g})", log_diagonal @ power)


def _of_equation(design: Design, draws: PosteriorDraws) -> Iterator[PriorBlock]:
    priors = model_priors(design)
    # under R2D2M2 slopes, controls and group sds have no priors of their own
    shared = design.equation.priors.r2d2m2 is not None
    of = f" ({design.equation_name})" if design.others else ""

    def block(name: str, title: str, place: str, parts: Iterable[Part]) -> PriorBlock:
        where = f"equations.{design.equation_name}.priors: {place}"
        return block_of(design.variable(name), f"{title}{of}", where, parts)

    def each(name: str, stated: Mapping[str, Distribution]) -> list[Part]:
        """Priors of the elements of a variable, in their order."""
        values = draws.draws(design.variable(name)) if stated else np.empty((0, 0))
        return [part_of(of, prior, values[:, [k]]) for k, (of, prior) in enumerate(stated.items())]

    terms = each(names.POPULATION, priors.population)
    if shared:
        terms = [part for part in terms if part.of == design.structure.level]
    form = set(design.structure.terms) - LINEAR_TERMS
    linear = [part for part in terms if part.of not in form]
    controls = [] if shared else each(names.CONTROLS, priors.controls)
    noise = [
        part_of(name, prior, draws.draws(design.variable(name)))
        for name, prior in priors.family.items()
    ]
    # that cutpoints are in order cuts off a share of the prior that is the same for every draw
    cutpoints = {
        f"cutpoint {k}": Normal(mean=mean, sd=sd)
        for k, (mean, sd) in enumerate(priors.cutpoints, start=1)
    }
    groups = _groups(design, priors, draws)
    yield block("population", "population effects", "terms, controls", [*linear, *controls])
    yield block("form", "form", "terms", [part for part in terms if part not in linear])
    yield block("groups", "group sds and correlations", "group_sd, correlation", groups)
    yield block("noise", "noise of the outcome", "family", noise)
    yield block("cutpoints", "cutpoints", "cutpoints", each(names.CUTPOINTS, cutpoints))
    yield block("variance", "explained variance", "r2d2m2", _variance(design, draws))


def _groups(design: Design, priors: ModelPriors, draws: PosteriorDraws) -> Iterator[Part]:
    """Priors of the group sds (under R2D2M2 they have none of their own) and of correlations."""
    for grouping in design.groupings:
        name = grouping.name
        if design.equation.priors.r2d2m2 is None:
            sds = draws.draws(design.variable(names.group_sd(name)))
            yield part_of(f"sds of {name}", priors.group_sd[name], sds)
        if grouping.correlated:
            matrices = draws.square(design.variable(names.group_correlation(name)))
            yield lkj(f"correlations of {name}", priors.correlation, matrices)


def _variance(design: Design, draws: PosteriorDraws) -> Iterator[Part]:
    """R2 and its shares; the sum of the gammas behind the shares is independent of them."""
    r2d2m2 = design.equation.priors.r2d2m2
    if r2d2m2 is None:
        return
    a = r2d2m2.mean_r2 * r2d2m2.precision
    r2 = draws.draws(design.variable(names.R2))
    yield part_of("R2", Beta(a=a, b=r2d2m2.precision - a), r2)
    if len(variance_components(design)) > 1:
        shares = draws.draws(design.variable(names.VARIANCE_SHARE))
        with np.errstate(divide="ignore"):
            density = (r2d2m2.concentration - 1.0) * np.log(shares).sum(axis=1)
        yield Part("shares", f"Dirichlet({r2d2m2.concentration:g})", density)


def measurement_block(design: Design, capital: str, draws: PosteriorDraws) -> PriorBlock:
    """Priors of the measurement model of a latent capital."""
    background, cluster = (
        Normal(sd=BACKGROUND_SD),
        HalfNormal(sd=CLUSTER_MEAN_SD),
    )
    plain: dict[str, tuple[str, Distribution]] = {
        names.item_intercepts(capital): ("intercepts", Normal(sd=ITEM_INTERCEPT_SD)),
        names.item_errors(capital): ("errors", HalfNormal(sd=ERROR_SD)),
        names.capital_cluster_sd(capital): ("sd of clusters", cluster),
        names.background(capital): ("background", background),
        names.on_other(capital): ("other capital", background),
    }
    parts = [*_loadings(design, capital, draws), *_present(draws, plain)]
    items = design.items(capital)
    for k, (column, levels) in enumerate(zip(items.columns, items.levels, strict=True)):
        if levels:
            answers = items.values[:, k]
            known = answers[np.isfinite(answers)].astype("int64")
            values = draws.draws(names.item_thresholds(capital, column))
            values = values - usual_thresholds(known, levels)
            parts.append(_around_usual(f"thresholds of {column}", THRESHOLD_SD, values))
    title = f"measurement of {capital.replace('_', ' ')}"
    return block_of(f"{capital}_measurement", title, "", parts)


def _loadings(design: Design, capital: str, draws: PosteriorDraws) -> Iterator[Part]:
    items, values = design.items(capital), draws.draws(names.item_loadings(capital))
    priors = loading_priors(items)
    for k, (column, prior) in enumerate(zip(items.columns, priors, strict=True)):
        yield part_of(f"loading of {column}", prior, values[:, [k]])


def _present(
    draws: PosteriorDraws, priors: Mapping[str, tuple[str, Distribution]]
) -> Iterator[Part]:
    """Priors, by variable, of those variables that the posterior has."""
    for name, (of, prior) in priors.items():
        if name in draws:
            yield part_of(of, prior, draws.draws(name))


def _around_usual(of: str, sd: float, away: Array) -> Part:
    """Normal prior of cutpoints around usual values, from their distances to these."""
    return part_of(of, Normal(sd=sd), away)._replace(words=f"Normal(usual, {sd:g})")


def imputation_block(design: Design, draws: PosteriorDraws) -> PriorBlock:
    """Priors of the regressions that impute inputs."""
    from bayescluster.model import imputation as imputing  # and with it PyMC

    parts: list[Part] = []
    for gap in gaps(design):
        if gap.place == "outcome":
            continue
        name, discrete = gap.name, bool(gap.levels)
        slope = imputing.LOGIT_SLOPE_SD if discrete else imputing.SLOPE_SD
        plain: dict[str, tuple[str, Distribution]] = {
            "intercept": ("intercept", Normal(sd=imputing.INTERCEPT_SD)),
            "slope": ("slopes", Normal(sd=slope)),
            "sd": ("sd", HalfNormal(sd=imputing.RESIDUAL_SD)),
        }
        parts += _present(
            draws,
            {
                names.imputation(name, part): (f"{of} for {name}", prior)
                for part, (of, prior) in plain.items()
            },
        )
        if discrete:
            cutpoints = draws.draws(names.imputation(name, "cutpoints"))
            away = cutpoints - imputing.cutpoint_means(gap)
            parts.append(_around_usual(f"cutpoints for {name}", imputing.CUTPOINT_SD, away))
    return block_of("imputation", "imputation", "", parts)


def residual_block(design: Design, draws: PosteriorDraws) -> PriorBlock:
    """Prior of the correlations of what equations leave unexplained."""
    title, parts = "residual correlations", []
    if design.analysis.residual_correlation:
        parts = [lkj(title, CONCENTRATION, draws.square(names.RESIDUAL_CORRELATION))]
    return block_of("residuals", title, "", parts)
