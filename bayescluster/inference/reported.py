"""Which variables of a model are kept: those a reader can name."""

from __future__ import annotations

from bayescluster.design.record import Design
from bayescluster.model.priors import population_terms
from bayescluster.model.variance import variance_components
from bayescluster.names import (
    CONTROLS,
    CUTPOINTS,
    POPULATION,
    R2,
    STANDARD_ERROR,
    VARIANCE_SHARE,
    group_correlation,
    group_effect,
    group_sd,
)


def reported_variables(design: Design) -> tuple[str, ...]:
    """Names of the posterior's variables, in the order of the report."""
    names = []
    if population_terms(design):
        names.append(POPULATION)
    if design.control_names:
        names.append(CONTROLS)
    for grouping in design.groupings:
        names += [group_sd(grouping.name), group_effect(grouping.name)]
        if grouping.correlated:
            names.append(group_correlation(grouping.name))
    names += [
        parameter.name
        for parameter in design.family.parameters
        if not (parameter.name == "sigma" and STANDARD_ERROR in design.data)
    ]
    if design.levels:
        names.append(CUTPOINTS)
    if design.analysis.equation.priors.r2d2m2 is not None:
        names.append(R2)
        # one component has the whole of it
        names += [VARIANCE_SHARE] if len(variance_components(design)) > 1 else []
    return tuple(design.variable(name) for name in names)
