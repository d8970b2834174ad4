"""Varying effects: which groupings nest in which, and how each effect is parameterised.

Groupings that nest (firms in clusters in industries) form a chain for every term: the coefficient of
a group is that of its parent plus a deviation. A deviation is sampled either non-centred, as a
standard normal times its sd, or centred, as the group's whole coefficient around its parent's. The
latter suits groups that their own rows determine well: then coefficient and parent hardly depend on
each other, where a deviation around zero would trade off against every level above it.
Groupings that cut across the chain (years, regions) add their deviations to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import pymc as pm
import pytensor.tensor as pt

from bayescluster import names
from bayescluster.arrays import parent_index
from bayescluster.design.record import Design, Grouping
from bayescluster.model.likelihood import weigh_effects
from bayescluster.model.priors import ModelPriors, prior_variable
from bayescluster.model.variance import shared_group_sd


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
