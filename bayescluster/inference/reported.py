"""Which variables of a model are kept: those a reader can name."""

from __future__ import annotations

import numpy as np

from bayescluster.design.gaps import Gap, gaps, inputs_of
from bayescluster.design.monotonic import monotonic_controls
from bayescluster.design.record import Design
from bayescluster.model.measurement import latent_capitals
from bayescluster.model.priors import population_terms
from bayescluster.model.variance import variance_components
from bayescluster.names import (
    CLUSTER,
    CONTROLS,
    CUTPOINTS,
    POPULATION,
    R2,
    RESIDUAL_CORRELATION,
    STANDARD_ERROR,
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


def reported_variables(design: Design) -> tuple[str, ...]:
    """Names of the posterior's variables, in the order of the report."""
    found = [name for equation in design.equations for name in _of_equation(equation)]
    found += [name for capital in latent_capitals(design) for name in _of_capital(design, capital)]
    found += [name for gap in gaps(design) for name in _of_gap(design, gap)]
    if design.analysis.residual_correlation:
        found.append(RESIDUAL_CORRELATION)
    return tuple(found)


def _of_equation(design: Design) -> list[str]:
    names = []
    if population_terms(design):
        names.append(POPULATION)
    if design.control_names:
        names.append(CONTROLS)
    names += [steps(control.name) for control in monotonic_controls(design)]
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
    if design.equation.priors.r2d2m2 is not None:
        names.append(R2)
        # one component has the whole of it
        names += [VARIANCE_SHARE] if len(variance_components(design)) > 1 else []
    return [design.variable(name) for name in names]


def _of_gap(design: Design, gap: Gap) -> list[str]:
    """Names about a gap; discrete values are drawn after the fit, in `model.completion`."""
    if gap.place == "outcome":
        return [] if gap.levels else [imputed(gap.name)]
    slopes = [imputation(gap.name, "slope")] if inputs_of(design, gap) else []
    if gap.levels:
        return [imputation(gap.name, "cutpoints"), *slopes]
    parts = [imputation(gap.name, "intercept"), *slopes, imputation(gap.name, "sd")]
    return [*parts, imputed(gap.name)]


def _of_capital(design: Design, capital: str) -> list[str]:
    items = design.items(capital)
    names = [capital, raw_mean(capital), raw_sd(capital), item_loadings(capital)]
    if items.continuous:
        names += [item_intercepts(capital), item_errors(capital)]
    names += [
        item_thresholds(capital, column)
        for column, levels in zip(items.columns, items.levels, strict=True)
        if levels
    ]
    if design.analysis.data.cluster is not None and CLUSTER in design.data.coords:
        names.append(capital_cluster_sd(capital))
    if design.background:
        names.append(background(capital))
    latent = latent_capitals(design)
    if any(np.isnan(values).any() for values in design.capitals):
        return names
    # the first of two latent capitals is drawn before the other is known
    if len(latent) == 1 or capital != latent[0]:
        names.append(on_other(capital))
    return names
