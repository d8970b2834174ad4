"""Varying effects: which groupings nest in which, and how each effect is parameterised.

Groupings that nest (firms in clusters in industries) form a chain for every term: the coefficient of
a group is that of its parent plus a deviation. A deviation is sampled either non-centred, as a
standard normal times its sd, or centred, as the group's whole coefficient around its parent's. The
latter suits groups that their own rows determine well: then coefficient and parent hardly depend on
each other, where a deviation around zero would trade off against every level above it.
Groupings that cut across the chain (years, regions) add their deviations to it.

The R2D2M2 prior: one prior of the explained variance, shared out among all that may explain.

``R2 ~ Beta``; the variance explained is ``tau2 = R2 / (1 - R2)`` in units of the residual variance,
and shares ``phi ~ Dirichlet`` go to the components: the slopes of the population, the controls, and
each varying term of each grouping. Component *k* with input *x_k* has coefficients of standard
deviation ``residual sd * sqrt(tau2 * phi_k / var(x_k))``; the input of a varying intercept is 1, and
counts as of variance 1. The intercept of the population keeps a prior of its own. Source: Aguilar
and Bürkner (2023), Intuitive joint priors for Bayesian linear multilevel models: the R2D2M2 prior,
Electronic Journal of Statistics 17(1).

The residual sd is that of the outcome on the scale of the linear predictor:

- identity link: sigma (for student_t its scale, whose variance need not exist), or the root mean
  square of known standard errors;
- logit link: pi / sqrt(3), the sd of the logistic noise of the latent outcome. R2 is then the share
  of the latent outcome's variance (McKelvey and Zavoina 1975; Nakagawa and Schielzeth 2013). A sd
  of 1 would make the same prior mean another R2 on the logit than on the probit scale;
- probit link: 1, by the same account;
- log link: 1, a convention: a count has no latent noise of a fixed size. R2 is then the variance of
  the linear predictor over itself plus 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from bayescluster import names
from bayescluster.arrays import parent_index
from bayescluster.design.record import Design, Grouping
from bayescluster.model.observed import weigh_effects
from bayescluster.model.priors import (
    ModelPriors,
    population_terms,
    prior_variable,
    variance_components,
)

RESIDUAL_SD = {"logit": float(np.pi / np.sqrt(3)), "probit": 1.0, "log": 1.0}
"""By link, where the family has no sigma."""


Scales = dict[str, Any]
"""Prior standard deviations of the coefficients of each level, ``(term,)`` each."""


def shared_scales(design: Design, parameters: Mapping[str, Any]) -> Scales | None:
    """Add R2 and its shares to the PyMC model in context, under the R2D2M2 prior.

    ``parameters`` are those of the likelihood.
    """
    r2d2m2 = design.equation.priors.r2d2m2
    if r2d2m2 is None:
        return None
    variable, parts = design.variable, variance_components(design)
    r2 = pm.Beta(
        variable(names.R2),
        alpha=r2d2m2.mean_r2 * r2d2m2.precision,
        beta=(1.0 - r2d2m2.mean_r2) * r2d2m2.precision,
    )
    share: Any = pt.ones(1)
    if len(parts) > 1:
        share = _shares(
            variable(names.VARIANCE_SHARE), r2d2m2.concentration, variable(names.COMPONENT)
        )
    variances = np.array([part.variance for part in parts])
    sd = residual_sd(design, parameters) * pt.sqrt(r2 / (1.0 - r2) * share / variances)
    levels = np.array([part.level for part in parts])
    return {str(level): sd[np.flatnonzero(levels == level)] for level in np.unique(levels)}


def _shares(name: str, concentration: float, dim: str) -> Any:
    """Add Dirichlet shares to the PyMC model in context, ``(component,)``.

    As independent gammas over their sum. The sum is one number more than shares have, and
    independent of them; it lets each share move by itself, where shares that take from each other are
    explored slowly: with nine components the effective sample sizes were two to three times those
    of a Dirichlet on the simplex.
    """
    parts = pm.Gamma(f"{name}_part", alpha=concentration, beta=1.0, dims=dim)
    return pm.Deterministic(name, parts / parts.sum(), dims=dim)


def residual_sd(design: Design, parameters: Mapping[str, Any]) -> Any:
    """Standard deviation of what is not explained, on the scale of the linear predictor."""
    known = design.rows.standard_error
    if known is not None:
        return float(np.sqrt((known**2).mean()))
    return parameters["sigma"] if "sigma" in parameters else RESIDUAL_SD[design.family.link]


def shared_population(design: Design, priors: ModelPriors, scales: Scales) -> Any:
    """Add the population coefficients under R2D2M2, ``(term,)``: the intercept has its own prior."""
    name, terms = design.variable(names.POPULATION), population_terms(design)
    level = design.structure.level
    slopes = len([term for term in terms if term != level])
    parts = []
    if level in terms:
        parts.append(prior_variable(f"{name}_{level}", priors.population[level])[None])
    if slopes:
        parts.append(pm.Normal(f"{name}_z", 0.0, 1.0, shape=slopes) * scales[names.POPULATION])
    return pm.Deterministic(name, pt.concatenate(parts), dims=design.variable(names.TERM))


def shared_controls(design: Design, scales: Scales) -> Any:
    """Add the coefficients of the controls under R2D2M2, ``(control,)``."""
    name, dim = design.variable(names.CONTROLS), design.variable(names.CONTROL)
    z = pm.Normal(f"{name}_z", 0.0, 1.0, dims=dim)
    return pm.Deterministic(name, z * scales[names.CONTROLS], dims=dim)


def shared_group_sd(design: Design, grouping: str, scales: Scales) -> Any:
    """Add the standard deviations of the effects of a grouping under R2D2M2, ``(term,)``."""
    name, dim = (
        design.variable(names.group_sd(grouping)),
        design.variable(names.group_term(grouping)),
    )
    return pm.Deterministic(name, scales[grouping], dims=dim)


class _Chain(NamedTuple):
    """Coefficient of one term along nested groupings: a scalar, or one a group of ``grouping``."""

    total: Any
    grouping: Grouping | None = None


def row_coefficients(
    design: Design, population: dict[str, Any], priors: ModelPriors
) -> dict[str, Any]:
    """Add the varying effects of a design to the PyMC model in context.

    ``population`` holds population coefficients by term, on the working scale. Returns the coefficient
    of each row by term: a scalar, or ``(row,)`` where it varies.
    """
    chains = {term: _Chain(value) for term, value in population.items()}
    across: dict[str, list[Any]] = {term: [] for term in population}
    lineages = {term: lineage(design, term) for term in population}
    for grouping in coarse_to_fine(design.groupings):
        parents = [
            _parent(design, grouping, chains[term]) if grouping.name in lineages[term] else None
            for term in grouping.terms
        ]
        effects = _effects(design, grouping, parents, priors)
        index = design.index(grouping.name)
        for term, parent, effect in zip(grouping.terms, parents, effects, strict=True):
            if parent is None:
                across[term].append(effect[index])
            else:
                chains[term] = _Chain(parent + effect, grouping)

    def at_rows(chain: _Chain) -> Any:
        grouping = chain.grouping
        return chain.total if grouping is None else chain.total[design.index(grouping.name)]

    return {term: at_rows(chains[term]) + sum(across[term]) for term in population}


def coarse_to_fine(groupings: Sequence[Grouping]) -> list[Grouping]:
    """Order groupings by their number of groups, so that parents come before their parts."""
    return sorted(groupings, key=lambda grouping: len(grouping.labels))


def lineage(design: Design, term: str) -> tuple[str, ...]:
    """Groupings by which a term varies and that nest in each other, the finest first.

    The chain starts at the finest grouping, so that what cuts across it (years, say) is added to it
    rather than taken for its head.
    """
    nested: list[str] = []
    for grouping in reversed(coarse_to_fine(design.groupings)):
        if term not in grouping.terms:
            continue
        inner = design.index(nested[-1]) if nested else None
        if inner is None or parent_index(inner, design.index(grouping.name)) is not None:
            nested.append(grouping.name)
    return tuple(nested)


def _parent(design: Design, grouping: Grouping, chain: _Chain) -> Any:
    """What the deviations of a grouping in the chain are added to, ``(group,)``."""
    if chain.grouping is None:
        return chain.total + pt.zeros(len(grouping.labels))
    return chain.total[parent_index(design.index(grouping.name), design.index(chain.grouping.name))]


def _effects(
    design: Design, grouping: Grouping, parents: list[Any], priors: ModelPriors
) -> list[Any]:
    """Deviations by term, each ``(group,)``."""
    name, variable = grouping.name, design.variable
    if priors.scales is None:
        dim = variable(names.group_term(name))
        sd = prior_variable(variable(names.group_sd(name)), priors.group_sd[name], dim)
    else:
        sd = shared_group_sd(design, name, priors.scales)
    centres = [0.0 if parent is None else parent for parent in parents]
    if grouping.correlated:
        effects = _correlated(design, grouping, sd, centres, priors.correlation)
    else:
        effects = _independent(design, grouping, sd, centres)
    weigh_effects(design, grouping, sd, effects)
    dims = (names.group_dim(name), variable(names.group_term(name)))
    pm.Deterministic(variable(names.group_effect(name)), pt.stack(effects, axis=-1), dims=dims)
    return effects


def _independent(design: Design, grouping: Grouping, sd: Any, centres: list[Any]) -> list[Any]:
    """Deviations by term, with an sd and a centre each."""
    dim = names.group_dim(grouping.name)
    effects = []
    for position, term in enumerate(grouping.terms):
        name = design.variable(f"{grouping.name}_{term}")
        if term in grouping.centred:
            centre = centres[position]
            effects.append(pm.Normal(f"{name}_total", centre, sd[position], dims=dim) - centre)
        else:
            effects.append(pm.Normal(f"{name}_z", 0.0, 1.0, dims=dim) * sd[position])
    return effects


def _correlated(
    design: Design, grouping: Grouping, sd: Any, centres: list[Any], eta: float
) -> list[Any]:
    """Deviations ``z L' diag(sd)``: the Cholesky factor ties the terms, not the groups."""
    name = design.variable(grouping.name)
    term = design.variable(names.group_term(grouping.name))
    cholesky = pm.LKJCorr(names.group_cholesky(name), n=len(grouping.terms), eta=eta)
    correlation = design.variable(names.group_correlation(grouping.name))
    pm.Deterministic(correlation, cholesky @ cholesky.T, dims=(term, f"{term}_other"))
    dims = (names.group_dim(grouping.name), term)
    scaled = sd[:, None] * cholesky  # (term, term)
    if grouping.centred:
        zeros = pt.zeros(len(grouping.labels))
        centre = pt.stack([value + zeros for value in centres], axis=-1)  # (group, term)
        effects = pm.MvNormal(f"{name}_total", mu=centre, chol=scaled, dims=dims) - centre
    else:
        effects = pt.dot(pm.Normal(f"{name}_z", 0.0, 1.0, dims=dims), scaled.T)
    return [effects[:, position] for position in range(len(grouping.terms))]
