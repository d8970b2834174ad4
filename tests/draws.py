"""Hand-made draws: small, with coefficients that are known."""

from __future__ import annotations

from typing import Any

import numpy as np

from bayescluster.design.record import Design
from bayescluster.model.evaluate import Draws, GroupDraws

TERMS = ("intercept", "human_capital", "social_capital", "interaction")


def known_draws(
    design: Design,
    size: int = 8,
    chains: int = 2,
    seed: int = 1,
    spread: float = 0.3,
    **centre: float,
) -> Draws:
    """Draws around given population coefficients, with effects for every grouping."""
    rng = np.random.default_rng(seed)
    population = {
        term: centre.get(term, 0.0) + spread * rng.normal(size=size) for term in design.terms
    }
    groups = {}
    for grouping in design.groupings:
        terms = len(grouping.terms)
        correlation = None
        if grouping.correlated:
            correlation = np.broadcast_to(np.full((terms, terms), 0.6), (size, terms, terms)).copy()
            correlation[:, np.arange(terms), np.arange(terms)] = 1.0
        groups[grouping.name] = GroupDraws(
            grouping.terms,
            design.index(grouping.name),
            0.5 * rng.normal(size=(size, len(grouping.labels), terms)),
            rng.uniform(0.3, 0.9, (size, terms)),
            correlation,
        )
    low = {"positive": 1.0, "share": 0.0}
    parameters: dict[str, Any] = {
        parameter.name: low[parameter.scale] + rng.uniform(0.0, 1.0, (size, 1))
        for parameter in design.family.parameters
    }
    if design.levels:
        cut = np.sort(rng.normal(size=(size, len(design.levels) - 1)), axis=1)
        parameters["cutpoints"] = cut[:, None, :]
    controls = 0.2 * rng.normal(size=(size, len(design.control_names)))
    return Draws(chains, population, controls, groups, parameters)
