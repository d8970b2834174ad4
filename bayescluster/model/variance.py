"""The R2D2M2 prior: one prior of the explained variance, shared out among all that may explain.

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

from collections.abc import Mapping
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from bayescluster import names
from bayescluster.design.record import Design
from bayescluster.model.components import variance_components
from bayescluster.model.priors import ModelPriors, population_terms, prior_variable

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
