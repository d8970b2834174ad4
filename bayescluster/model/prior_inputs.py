"""Priors of what feeds the equations: measurement, imputation, and residuals that are tied."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bayescluster.design.gaps import gaps
from bayescluster.design.record import Design
from bayescluster.model import imputation as imputing
from bayescluster.model import measurement as measuring
from bayescluster.model.prior_parts import Part, PosteriorDraws, PriorBlock, block_of, lkj, part_of
from bayescluster.model.residuals import CONCENTRATION
from bayescluster.names import (
    RESIDUAL_CORRELATION,
    background,
    capital_cluster_sd,
    imputation,
    item_errors,
    item_intercepts,
    item_loadings,
    item_thresholds,
    on_other,
)
from bayescluster.spec.priors import Distribution, HalfNormal, Normal


def measurement_block(design: Design, capital: str, draws: PosteriorDraws) -> PriorBlock:
    """Priors of the measurement model of a latent capital."""
    found = [*_loadings(design, capital, draws)]
    plain: dict[str, tuple[str, Distribution]] = {
        item_intercepts(capital): ("intercepts", Normal(sd=measuring.ITEM_INTERCEPT_SD)),
        item_errors(capital): ("errors", HalfNormal(sd=measuring.ERROR_SD)),
        capital_cluster_sd(capital): ("sd of clusters", HalfNormal(sd=measuring.CLUSTER_MEAN_SD)),
        background(capital): ("background", Normal(sd=measuring.BACKGROUND_SD)),
        on_other(capital): ("other capital", Normal(sd=measuring.BACKGROUND_SD)),
    }
    found += [
        part_of(of, prior, draws.draws(name))
        for name, (of, prior) in plain.items()
        if name in draws
    ]
    items = design.items(capital)
    for k, (column, levels) in enumerate(zip(items.columns, items.levels, strict=True)):
        if not levels:
            continue
        answers = items.values[:, k]
        usual = measuring.usual_thresholds(answers[np.isfinite(answers)].astype("int64"), levels)
        values = draws.draws(item_thresholds(capital, column)) - usual
        part = part_of(f"thresholds of {column}", Normal(sd=measuring.THRESHOLD_SD), values)
        found.append(part._replace(words=f"Normal(usual, {measuring.THRESHOLD_SD:g})"))
    title = f"measurement of {capital.replace('_', ' ')}"
    return block_of(f"{capital}_measurement", title, "", found)


def _loadings(design: Design, capital: str, draws: PosteriorDraws) -> Iterator[Part]:
    items, values = design.items(capital), draws.draws(item_loadings(capital))
    for k, (column, levels) in enumerate(zip(items.columns, items.levels, strict=True)):
        prior: Distribution
        if k == 0:
            prior = HalfNormal(
                sd=measuring.FIRST_DISCRETE_SD if levels else measuring.FIRST_LOADING_SD
            )
        elif levels:
            prior = Normal(mean=measuring.DISCRETE_MEAN, sd=measuring.DISCRETE_SD)
        else:
            prior = Normal(mean=measuring.LOADING_MEAN, sd=measuring.LOADING_SD)
        yield part_of(f"loading of {column}", prior, values[:, [k]])


def imputation_block(design: Design, draws: PosteriorDraws) -> PriorBlock:
    """Priors of the regressions that impute inputs."""
    found = []
    for gap in gaps(design):
        if gap.place == "outcome":
            continue
        name, discrete = gap.name, bool(gap.levels)
        slope = imputing.LOGIT_SLOPE_SD if discrete else imputing.SLOPE_SD
        parts: dict[str, tuple[str, Distribution]] = {
            imputation(name, "intercept"): ("intercept", Normal(sd=imputing.INTERCEPT_SD)),
            imputation(name, "slope"): ("slopes", Normal(sd=slope)),
            imputation(name, "sd"): ("sd", HalfNormal(sd=imputing.RESIDUAL_SD)),
        }
        found += [
            part_of(f"{of} for {name}", prior, draws.draws(variable))
            for variable, (of, prior) in parts.items()
            if variable in draws
        ]
        if discrete:
            values = draws.draws(imputation(name, "cutpoints")) - imputing.cutpoint_means(gap)
            part = part_of(f"cutpoints for {name}", Normal(sd=imputing.CUTPOINT_SD), values)
            found.append(part._replace(words=f"Normal(usual, {imputing.CUTPOINT_SD:g})"))
    return block_of("imputation", "imputation", "", found)


def residual_block(design: Design, draws: PosteriorDraws) -> PriorBlock:
    """Prior of the correlations of what equations leave unexplained."""
    found: list[Part] = []
    if design.analysis.residual_correlation:
        matrices = draws.square(RESIDUAL_CORRELATION)
        found = [lkj("residual correlations", CONCENTRATION, matrices)]
    return block_of("residuals", "residual correlations", "", found)
