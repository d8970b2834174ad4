"""The likelihood of an equation in a PyMC model: as its observed variable, or row by row."""

from __future__ import annotations

from typing import Any

import pymc as pm

from bayescluster.families import Family, Observation


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
