"""Varying effects of a grouping: independent or correlated, centred or not, term by term."""

from __future__ import annotations

from typing import Any

import pymc as pm
import pytensor.tensor as pt

from bayescluster.design.record import Grouping
from bayescluster.model.priors import prior_variable
from bayescluster.names import group_correlation, group_dim, group_effect, group_sd, group_term
from bayescluster.spec.priors import Distribution


def varying_effects(grouping: Grouping, prior: Distribution, eta: float) -> list[Any]:
    """Add the effects of a grouping to the PyMC model in context.

    Parameters
    ----------
    grouping
        Groups, terms, and how they are parameterised.
    prior
        Prior of each standard deviation.
    eta
        Concentration of the LKJ prior of the correlations.

    Returns
    -------
    list
        Effects by term, each ``(group,)``.
    """
    name = grouping.name
    sd = prior_variable(group_sd(name), prior, group_term(name))
    effects = _correlated(grouping, sd, eta) if grouping.correlated else _independent(grouping, sd)
    stacked = pt.stack(effects, axis=-1)
    pm.Deterministic(group_effect(name), stacked, dims=(group_dim(name), group_term(name)))
    return effects


def _independent(grouping: Grouping, sd: Any) -> list[Any]:
    dim = group_dim(grouping.name)
    effects = []
    for position, term in enumerate(grouping.terms):
        name = f"{grouping.name}_{term}"
        if term in grouping.centred:
            effects.append(pm.Normal(f"{name}_centred", 0.0, sd[position], dims=dim))
        else:
            effects.append(pm.Normal(f"{name}_z", 0.0, 1.0, dims=dim) * sd[position])
    return effects


def _correlated(grouping: Grouping, sd: Any, eta: float) -> list[Any]:
    """Effects ``z L' diag(sd)``: the Cholesky factor ties the terms, not the groups."""
    name, count = grouping.name, len(grouping.terms)
    term = group_term(name)
    cholesky = pm.LKJCorr(f"{name}_cholesky", n=count, eta=eta)
    pm.Deterministic(group_correlation(name), cholesky @ cholesky.T, dims=(term, f"{term}_other"))
    dims = (group_dim(name), term)
    scaled = sd[:, None] * cholesky  # (term, term)
    if set(grouping.centred) == set(grouping.terms):
        effects = pm.MvNormal(f"{name}_centred", mu=pt.zeros(count), chol=scaled, dims=dims)
    else:
        z = pm.Normal(f"{name}_z", 0.0, 1.0, dims=dims)
        effects = pt.dot(z, scaled.T)  # (group, term)
    return [effects[:, position] for position in range(count)]
