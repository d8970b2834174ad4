"""The likelihood of an equation in a PyMC model, and the survey weights that it may carry."""

from __future__ import annotations

from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from bayescluster.design.record import Design, Grouping
from bayescluster.families import Family, Observation
from bayescluster.model.measures import effect_weights
from bayescluster.model.observed import Observed
from bayescluster.names import group_cholesky


def weigh_rows(design: Design, observed: Observed) -> None:
    """Weigh the likelihood of the PyMC model in context."""
    if design.weights is None:
        return
    model = pm.modelcontext(None)
    outcome = model[design.equation_name]
    density = pm.logp(outcome, model.rvs_to_values[outcome])  # (row,)
    extra = pt.dot(observed.weights(design) - 1.0, density)
    pm.Potential(design.variable("weighted_rows"), extra)


def weigh_effects(design: Design, grouping: Grouping, sd: Any, effects: list[Any]) -> None:
    """Weigh the density of the varying effects of units that were sampled.

    ``sd`` holds the standard deviations of the effects, ``(term,)``; ``effects`` the deviations by
    term, each ``(group,)``.
    """
    weights = effect_weights(design, grouping.name)
    if weights is None:
        return
    if grouping.correlated:
        factor = pm.modelcontext(None)[design.variable(group_cholesky(grouping.name))]
        around = pm.MvNormal.dist(mu=np.zeros(len(effects)), chol=sd[:, None] * factor)
        density = pm.logp(around, pt.stack(effects, axis=-1))
    else:
        density = sum(
            pm.logp(pm.Normal.dist(0.0, sd[position]), effect)
            for position, effect in enumerate(effects)
        )
    extra = pt.dot(weights - 1.0, density)
    pm.Potential(design.variable(f"weighted_{grouping.name}"), extra)


def observe(family: Family, observation: Observation) -> Any:
    """Add the observed outcome to the PyMC model in context, and return its variable."""
    found = family.likelihood(observation)
    return found.distribution(
        observation.name,
        *found.inputs,
        **found.arguments,
        observed=found.outcome,
        dims=observation.dims,
    )


def row_density(family: Family, observation: Observation) -> Any:
    """Log density of the outcome of every row, ``(row,)``; nothing is added to the model."""
    found = family.likelihood(observation)
    return pm.logp(found.distribution.dist(*found.inputs, **found.arguments), found.outcome)
