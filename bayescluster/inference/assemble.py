"""Prior draws, chains and the design as one DataTree of the variables a reader can name."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import xarray as xr

from bayescluster import names
from bayescluster.arrays import Array
from bayescluster.design.coding import monotonic_controls
from bayescluster.design.missing import Gap, discrete_gaps, gaps, inputs_of
from bayescluster.design.record import Design
from bayescluster.inference.nuts import Chain, quiet
from bayescluster.model.evaluate import draws_of, log_likelihood, replicate
from bayescluster.model.imputation import CUTPOINT_SD, completed, cutpoint_means, imputing
from bayescluster.model.priors import (
    THRESHOLD_SD,
    drawn_before,
    latent_capitals,
    model_priors,
    ordered_normals,
    population_terms,
    usual_thresholds,
    variance_components,
)


def reported_variables(design: Design) -> tuple[str, ...]:
    """Names of the posterior's variables, in the order of the report."""
    found = [name for equation in design.equations for name in _of_equation(equation)]
    found += [name for capital in latent_capitals(design) for name in _of_capital(design, capital)]
    found += [name for gap in gaps(design) for name in _of_gap(design, gap)]
    if design.analysis.residual_correlation:
        found.append(names.RESIDUAL_CORRELATION)
    return tuple(found)


def _of_equation(design: Design) -> list[str]:
    variables = []
    if population_terms(design):
        variables.append(names.POPULATION)
    if design.control_names:
        variables.append(names.CONTROLS)
    variables += [names.steps(control.name) for control in monotonic_controls(design)]
    for grouping in design.groupings:
        variables += [names.group_sd(grouping.name), names.group_effect(grouping.name)]
        if grouping.correlated:
            variables.append(names.group_correlation(grouping.name))
    variables += [
        parameter.name
        for parameter in design.family.parameters
        if not (parameter.name == "sigma" and names.STANDARD_ERROR in design.data)
    ]
    if design.levels:
        variables.append(names.CUTPOINTS)
    if design.equation.priors.r2d2m2 is not None:
        variables.append(names.R2)
        # one component has the whole of it
        variables += [names.VARIANCE_SHARE] if len(variance_components(design)) > 1 else []
    return [design.variable(name) for name in variables]


def _of_gap(design: Design, gap: Gap) -> list[str]:
    """Names about a gap; discrete values are drawn after the fit, in `model.imputation`."""
    if gap.place == "outcome":
        return [] if gap.levels else [names.imputed(gap.name)]
    slopes = [names.imputation(gap.name, "slope")] if inputs_of(design, gap) else []
    if gap.levels:
        return [names.imputation(gap.name, "cutpoints"), *slopes]
    parts = [names.imputation(gap.name, "intercept"), *slopes, names.imputation(gap.name, "sd")]
    return [*parts, names.imputed(gap.name)]


def _of_capital(design: Design, capital: str) -> list[str]:
    items = design.items(capital)
    variables = [
        capital,
        names.raw_mean(capital),
        names.raw_sd(capital),
        names.item_loadings(capital),
    ]
    if items.continuous:
        variables += [names.item_intercepts(capital), names.item_errors(capital)]
    variables += [
        names.item_thresholds(capital, column)
        for column, levels in zip(items.columns, items.levels, strict=True)
        if levels
    ]
    if design.analysis.data.cluster is not None and names.CLUSTER in design.data.coords:
        variables.append(names.capital_cluster_sd(capital))
    if design.background:
        variables.append(names.background(capital))
    missing = any(np.isnan(values).any() for values in design.capitals)
    if drawn_before(design, capital) is not None and not missing:
        variables.append(names.on_other(capital))
    return variables


REPLICATED_STREAM: Final = 2
"""Keeps the random stream of replicated outcomes apart from the chains'."""


def assemble(design: Design, chains: Sequence[Chain], prior: xr.Dataset, seed: int) -> xr.DataTree:
    """Put what a fit found into one DataTree.

    Groups: posterior, prior, sample_stats, observed_data; see the arviz schema. What has a value for
    every row at every draw follows from these: see `replicated` and `row_densities`.
    """
    ordered = sorted(chains, key=lambda chain: chain.number)
    # nutpie keeps the raw variables of the sampler too; a reader wants those that mean something
    kept = list(reported_variables(design))
    posterior = xr.concat([chain.posterior[kept] for chain in ordered], names.CHAIN)
    posterior = completed(design, posterior, imputing(seed))
    # prior draws have no outcomes to learn from
    prior = completed(design, prior, imputing(seed, 1), posterior=False)
    stats = xr.concat([chain.sample_stats for chain in ordered], names.CHAIN)
    groups = {
        "posterior": posterior,
        "prior": prior,
        "sample_stats": stats,
        "observed_data": xr.Dataset(
            {each.equation_name: (_dim(each), each.answers) for each in design.equations},
            _labels(design),
        ),
    }
    return xr.DataTree.from_dict(groups)


def replicated(design: Design, drawn: xr.Dataset, seed: int) -> xr.Dataset:
    """Replicated outcomes of every equation, ``(chain, draw, row)``, at draws of its parameters."""
    found = {}
    for position, each in enumerate(design.equations):
        rng = np.random.default_rng((seed, REPLICATED_STREAM, position))
        found[each.equation_name] = replicate(each, draws_of(each, drawn), rng)
    return _by_row(design, found, drawn)


def row_densities(design: Design, posterior: xr.Dataset) -> xr.Dataset:
    """Log density of the known outcomes of every equation, ``(chain, draw, row)``."""
    found = {
        each.equation_name: log_likelihood(each, draws_of(each, posterior))
        for each in (design, *design.others)
    }
    dims = {each.equation_name: _dim(each) for each in design.equations}
    return _by_row(design, found, posterior, dims)


def _dim(equation: Design) -> str:
    """Dimension of the known outcomes of an equation: the rows, where all are known."""
    return names.ROW if equation.answered.all() else names.answered_dim(equation.equation_name)


def _labels(design: Design) -> dict[str, Any]:
    """Labels of the rows, and of those whose outcome is known, by dimension."""
    labels = np.array(design.labels(names.ROW))
    found = {_dim(each): labels[each.answered].tolist() for each in design.equations}
    return {names.ROW: labels.tolist()} | found


def _by_row(
    design: Design, values: dict[str, Array], like: xr.Dataset, dims: dict[str, str] | None = None
) -> xr.Dataset:
    """Values by row, or along the dimension that is named for an equation."""
    chains, draws = like.sizes[names.CHAIN], like.sizes[names.DRAW]
    along = dims or dict.fromkeys(values, names.ROW)
    coords: dict[str, Any] = {
        names.CHAIN: like[names.CHAIN].to_numpy(),
        names.DRAW: like[names.DRAW].to_numpy(),
    }
    labels = _labels(design)
    coords |= {dim: labels[dim] for dim in (names.ROW, *along.values())}
    found = {
        name: ((names.CHAIN, names.DRAW, along[name]), each.reshape(chains, draws, -1))
        for name, each in values.items()
    }
    return xr.Dataset(found, coords)


CUTPOINT_STREAM, THRESHOLD_STREAM, IMPUTATION_STREAM = 7, 9, 13


def sample_prior(
    design: Design, model: Any, reported: Sequence[str], draws: int, seed: int
) -> xr.Dataset:
    """Draw the reported variables from their prior, dims ``(chain, draw, ...)`` with one chain."""
    import pymc as pm

    with quiet(), warnings.catch_warnings():
        # survey weights enter as potentials; the prior is that of the population, without them
        warnings.filterwarnings("ignore", message="The effect of Potentials", category=UserWarning)
        tree = pm.sample_prior_predictive(
            draws,
            model=model,
            var_names=list(reported),
            random_seed=seed,
            compile_kwargs={"mode": "FAST_COMPILE"},
        )
    prior: xr.Dataset = tree["prior"].to_dataset()
    prior.attrs = {}
    for position, each in enumerate((design, *design.others)):
        if each.levels:
            means, sds = np.array(model_priors(each).cutpoints).T
            entropy = (seed, CUTPOINT_STREAM, position) if position else (seed, CUTPOINT_STREAM)
            found = ordered_normals(means, sds, draws, np.random.default_rng(entropy))
            prior[each.variable(names.CUTPOINTS)].values = found[None]
    _order_thresholds(design, prior, seed)
    for position, gap in enumerate(discrete_gaps(design)):
        if gap.place != "outcome" and len(gap.levels) > 2:
            means = cutpoint_means(gap)
            rng = np.random.default_rng((seed, IMPUTATION_STREAM, position))
            found = ordered_normals(means, np.full(means.size, CUTPOINT_SD), draws, rng)
            prior[names.imputation(gap.name, "cutpoints")].values = found[None]
    return prior


def _order_thresholds(design: Design, prior: xr.Dataset, seed: int) -> None:
    """Draw the thresholds of ordinal indicators again, in ascending order."""
    rng = np.random.default_rng((seed, THRESHOLD_STREAM))
    for capital in latent_capitals(design):
        items = design.items(capital)
        for column, levels, answers in zip(
            items.columns, items.levels, items.values.T, strict=True
        ):
            if levels > 2:
                means = usual_thresholds(answers[np.isfinite(answers)], levels)
                name = names.item_thresholds(capital, column)
                sds = np.full(means.size, THRESHOLD_SD)
                prior[name].values = ordered_normals(means, sds, prior.sizes[names.DRAW], rng)[None]
