"""Design to PyMC model: linear predictor, varying effects and latent capitals.

The linear predictor of row *i* is the structural form at the row's own coefficients, each the
population's plus the deviations of the groups the row is in, plus controls and offset.

Varying effects: which groupings nest in which, and how each effect is parameterised.

Groupings that nest (firms in clusters in industries) form a chain for every term: the coefficient of
a group is that of its parent plus a deviation. A deviation is sampled either non-centred, as a
standard normal times its sd, or centred, as the group's whole coefficient around its parent's. The
latter suits groups that their own rows determine well: then coefficient and parent hardly depend on
each other, where a deviation around zero would trade off against every level above it.
Groupings that cut across the chain (years, regions) add their deviations to it.

The R2D2M2 prior: one prior of the explained variance, shared out among all that may explain.

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

Latent capitals: a measurement model in the same posterior as the outcome.

A raw latent capital is normal with unit residual variance around what the firm's cluster, its
controls and the other capital predict. Continuous indicators are linear in it with normal errors;
binary and ordinal ones follow the graded response model (Samejima 1969). Loadings are
positive. The capital that enters the outcome is the raw one on mean 0 and standard deviation 1 over
the sample, as observed capitals are.

Geometry: given its loadings, the posterior of a firm's capital from the continuous indicators is known
in closed form. They enter with the latent capital integrated out, and the capital is sampled as a deviation from its
conditional mean in units of its conditional standard deviation. Such deviations hardly depend on the
loadings, where deviations from the prior mean would trade off against all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from numpy.typing import NDArray

from bayescluster import names
from bayescluster.arrays import parent_index
from bayescluster.design.coding import Monotonic, monotonic_controls
from bayescluster.design.record import Design, Grouping, Items
from bayescluster.families import Observation
from bayescluster.families.yes_or_no import log_cdf
from bayescluster.model.imputation import (
    Entering,
    add_inputs,
    entering,
    imputation_coords,
    observe_answers,
    sum_out,
)
from bayescluster.model.observed import Observed, weigh_effects, weigh_rows
from bayescluster.model.priors import (
    BACKGROUND_SD,
    CLUSTER_MEAN_SD,
    CONCENTRATION,
    ERROR_SD,
    ITEM_INTERCEPT_SD,
    THRESHOLD_SD,
    ModelPriors,
    coefficient_vector,
    drawn_before,
    latent_capitals,
    loading_priors,
    measurement_coords,
    model_coords,
    model_priors,
    population_terms,
    prior_variable,
    scale_of,
    usual_thresholds,
    variance_components,
)
from bayescluster.structures.arithmetic import normal_cdf, normal_quantile, working

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


class _Latent(NamedTuple):
    """A raw latent capital as far as its prior goes: its name, indicators, and prior mean.

    ``answers`` is what the indicators say, ``(row, item)``, as the model observes it.
    """

    capital: str
    items: Items
    answers: Any
    mean: Any


def capital_variables(design: Design, observed: Observed) -> tuple[Any, Any]:
    """Human and social capital of every row: arrays where observed, variables where latent."""
    found: dict[str, Any] = {
        capital: values
        for capital, values in zip(names.CAPITALS, design.capitals, strict=True)
        if not design.is_latent(capital)
    }
    for capital in latent_capitals(design):
        other = found.get(drawn_before(design, capital) or "")
        # a score that is imputed rests on the latent capital, not the other way round
        if isinstance(other, np.ndarray) and np.isnan(other).any():
            other = None
        items, answers = design.items(capital), observed.answers(design, capital)
        latent = _Latent(capital, items, answers, _prior_mean(design, capital, other))
        loadings = _loadings(latent)
        raw = _conditional(latent, loadings)
        _observe_discrete(latent, loadings, raw)
        center = pm.Deterministic(names.raw_mean(capital), raw.mean())
        spread = pm.Deterministic(names.raw_sd(capital), pt.std(raw, ddof=1))
        found[capital] = pm.Deterministic(capital, (raw - center) / spread, dims=names.ROW)
    human, social = (found[capital] for capital in names.CAPITALS)
    return human, social


def _prior_mean(design: Design, capital: str, other: Any | None) -> Any:
    """Mean of the raw capital before its indicators are seen, ``(row,)``."""
    mean: Any = pt.zeros(design.size)
    if design.analysis.data.cluster is not None:
        sd = pm.HalfNormal(names.capital_cluster_sd(capital), CLUSTER_MEAN_SD)
        # centred: the indicators of a cluster's firms tell its mean well
        means = pm.Normal(f"{capital}_cluster_mean", 0.0, sd, dims=names.CLUSTER)
        mean = mean + means[design.index(names.CLUSTER)]
    columns = design.background
    if columns:
        beta = pm.Normal(
            names.background(capital), 0.0, BACKGROUND_SD, dims=names.background_dim(capital)
        )
        mean = mean + pt.dot(np.column_stack(list(columns.values())), beta)
    if other is not None:
        mean = mean + pm.Normal(names.on_other(capital), 0.0, BACKGROUND_SD) * other
    # the intercepts of the indicators hold the level: left free here too, the two would trade off
    return mean - mean.mean()


def _loadings(latent: _Latent) -> Any:
    priors = dict(zip(latent.items.columns, loading_priors(latent.items), strict=True))
    name = names.item_loadings(latent.capital)
    return coefficient_vector(name, priors, names.item_dim(latent.capital))


def _conditional(latent: _Latent, loadings: Any) -> Any:
    """Raw capital given the continuous indicators, which enter with it integrated out.

    With prior variance 1, residuals ``r = x - intercept - loading * mean`` and error variances
    ``v``: precision ``1 + sum(loading^2 / v)``, shift ``sum(loading * r / v) / precision``.
    """
    capital, items, answers, mean = latent
    size = items.values.shape[0]
    z = pm.Normal(f"{capital}_z", 0.0, 1.0, dims=names.ROW)
    at = items.continuous
    if not at:
        return mean + z
    dim = f"{names.item_dim(capital)}_continuous"
    intercept = pm.Normal(names.item_intercepts(capital), 0.0, ITEM_INTERCEPT_SD, dims=dim)
    error = pm.HalfNormal(names.item_errors(capital), ERROR_SD, dims=dim)
    answered = np.isfinite(items.values[:, at])  # (row, item)
    values = answers[:, list(at)]
    loading = loadings[list(at)]
    weight = loading / error**2
    if answered.all():
        precision = (1.0 + (weight * loading).sum()) * pt.ones(size)
    else:
        precision = 1.0 + pt.dot(answered.astype(float), weight * loading)
    residual = (values - intercept - mean[:, None] * loading) * answered
    pull = pt.dot(residual, weight)  # (row,)
    fit = pt.dot(answered.astype(float), -pt.log(error) - 0.5 * np.log(2 * np.pi))
    fit = fit - 0.5 * pt.dot(residual**2, 1.0 / error**2)
    density = fit - 0.5 * pt.log(precision) + 0.5 * pull**2 / precision
    pm.Potential(f"{capital}_indicators", density.sum())
    return mean + pull / precision + z / pt.sqrt(precision)


def _observe_discrete(latent: _Latent, loadings: Any, raw: Any) -> None:
    """Add the binary and ordinal indicators: ``P(x >= k) = logistic(loading * raw - threshold)``."""
    items = latent.items
    for position, levels in enumerate(items.levels):
        if not levels:
            continue
        name = names.item_thresholds(latent.capital, items.columns[position])
        values = items.values[:, position]
        answered = np.flatnonzero(np.isfinite(values))
        # the prior is that of the design, whatever answers replace its own
        usual = usual_thresholds(values[answered], levels)
        codes = latent.answers[answered, position].astype("int64")
        order = {"transform": pm.distributions.transforms.ordered} if levels > 2 else {}
        cut = pm.Normal(name, usual, THRESHOLD_SD, shape=levels - 1, initval=usual, **order)
        eta = loadings[position] * raw[answered]
        # a density of its own for two levels: that of PyMC has a slower gradient
        if levels == 2:
            density = -pt.softplus((1.0 - 2.0 * codes) * (eta - cut[0]))
        else:
            density = pm.logp(
                pm.OrderedLogistic.dist(eta=eta, cutpoints=cut, compute_p=False), codes
            )
        pm.Potential(f"{latent.capital}_{items.columns[position]}", density.sum())


TINY = 1e-12


def build_model(design: Design, replaceable: bool = False) -> pm.Model:
    """Build the PyMC model of a design and of its other equations.

    Parameters
    ----------
    design
        The design in focus.
    replaceable
        Hold what is observed as data that can be replaced in a compiled model; see
        `bayescluster.model.observed`. Priors stay those of this design, whatever replaces its data.

    Returns
    -------
    pymc.Model
        Free and derived variables of each equation, with named dims: ``population`` (term),
        ``controls`` (control), for each grouping ``<g>_sd`` (g_term), ``<g>_effect`` (g, g_term) and,
        where correlated, ``<g>_correlation``; parameters of the family; ``cutpoints`` of an ordinal
        outcome; the observed outcome under the name of the equation. Of several equations, the name of
        each comes before its variables. Latent capitals and missing values are shared; see
        `bayescluster.model.build` and `bayescluster.model.imputation`.
    """
    coords = measurement_coords(design) | imputation_coords(design)
    for equation in design.equations:
        coords |= model_coords(equation)
    observed = Observed(replaceable)
    with pm.Model(coords=coords) as model:
        inputs = add_inputs(design, capital_variables(design, observed), observed)
        correlated = []
        for equation in design.equations:
            observation = _equation(equation, entering(equation, inputs), observed)
            if equation.equation_name in design.analysis.residual_correlation:
                correlated.append(observation)
            else:
                observe_answers(equation, observation, inputs)
                weigh_rows(equation, observed)
        if correlated:
            weights = 1.0 if design.weights is None else design.weights.rows
            observe_together(correlated, design.size, weights)
        sum_out(inputs)
    return model


def _equation(design: Design, enter: Entering, observed: Observed) -> Observation:
    """Add the coefficients of one equation; the likelihood is still to be added."""
    priors = model_priors(design)
    parameters = _family_parameters(design, priors)
    priors = priors._replace(scales=shared_scales(design, parameters))
    return Observation(
        design.equation_name,
        _linear_predictor(design, priors, enter, observed),
        parameters,
        design.rows if enter.row is None else design.rows.at(enter.row),
        enter.spread(observed.outcome(design)),
        names.ROW,
    )


def _linear_predictor(
    design: Design, priors: ModelPriors, enter: Entering, observed: Observed
) -> Any:
    by_row = row_coefficients(design, _population(design, priors), priors)
    coefficients = {term: enter.spread(value) for term, value in by_row.items()}
    shift = coefficients[names.INTERCEPT] + _shift(design, priors, enter, observed)
    predictors = design.equation.entering
    columns: Any = observed.predictors(design) if predictors else ()
    for position, name in enumerate(predictors):
        known = enter.spread(columns[:, position])
        values = known + enter.added[name] if name in enter.added else known
        shift = shift + coefficients[name] * values
    coefficients[names.INTERCEPT] = shift
    eta = design.structure.contribution(enter.human, enter.social, coefficients, design.link)
    # a constant form still has one value a row
    size = design.size if enter.row is None else enter.row.size
    return eta + pt.zeros(size) if eta.ndim == 0 else eta


def _shift(design: Design, priors: ModelPriors, enter: Entering, observed: Observed) -> Any:
    """What shifts the level of a row: controls and offset, ``(row,)`` or 0."""
    shift: Any = 0.0
    if design.control_names:
        name, dim = design.variable(names.CONTROLS), design.variable(names.CONTROL)
        gamma = (
            coefficient_vector(name, priors.controls, dim)
            if priors.scales is None
            else shared_controls(design, priors.scales)
        )
        for part in design.control_parts(enter.human, enter.social, observed.controls(design)):
            base = enter.spread(part.base)
            shift = shift + pt.dot(base, gamma[part.positions]) * part.level
        for control in monotonic_controls(design):
            column = enter.spread(_unequal_steps(design, control))
            shift = shift + gamma[control.position] * column
        for position, name in enumerate(design.control_names):
            if name in enter.added:
                shift = shift + gamma[position] * enter.added[name]
    return shift + enter.spread(design.offset) if design.offset.any() else shift


def _unequal_steps(design: Design, control: Monotonic) -> Any:
    """What the column of a monotonic control is off from that with equal steps, ``(row,)``."""
    count = len(control.steps)
    name = design.variable(names.steps(control.name))
    shares = pm.Dirichlet(name, np.ones(count), dims=f"{name}_step")
    ladder = pt.concatenate([pt.zeros(1), pt.cumsum(shares)])
    return ladder[control.codes] - control.codes / count


def _population(design: Design, priors: ModelPriors) -> dict[str, Any]:
    """Population coefficient of every term, on the term's working scale."""
    terms = population_terms(design)
    total: dict[str, Any] = dict.fromkeys(design.terms, pt.constant(0.0))
    if terms:
        name, dim = design.variable(names.POPULATION), design.variable(names.TERM)
        vector = (
            coefficient_vector(name, priors.population, dim)
            if priors.scales is None
            else shared_population(design, priors, priors.scales)
        )
        total |= {
            term: working(vector[position], scale_of(term)) for position, term in enumerate(terms)
        }
    return total


def _family_parameters(design: Design, priors: ModelPriors) -> dict[str, Any]:
    parameters = {
        name: prior_variable(design.variable(name), prior) for name, prior in priors.family.items()
    }
    if design.levels:
        mean, sd = np.array(priors.cutpoints).T
        parameters[names.CUTPOINTS] = pm.Normal(
            design.variable(names.CUTPOINTS),
            mu=mean,
            sigma=sd,
            transform=pm.distributions.transforms.ordered,
            initval=mean,
            dims=design.variable(names.CUTPOINT),
        )
    return parameters


def observe_together(
    observations: Sequence[Observation], size: int, weights: NDArray[np.float64] | float = 1.0
) -> None:
    """Add the joint likelihood of equations whose residuals correlate.

    ``size`` is the number of rows, ``weights`` the survey weight of each, ``(row,)``, or 1.
    """
    equations = [each.name for each in observations]
    dims = (names.RESIDUAL_EQUATION, f"{names.RESIDUAL_EQUATION}_other")
    pm.modelcontext(None).add_coords(dict.fromkeys(dims, equations))
    factor = pm.LKJCorr("residual_cholesky", n=len(equations), eta=CONCENTRATION)
    pm.Deterministic(names.RESIDUAL_CORRELATION, factor @ factor.T, dims=dims)
    if "sigma" in observations[0].parameters:
        sds = pt.stack([each.parameters["sigma"] for each in observations])
        mean = pt.stack([each.linear_predictor for each in observations], axis=-1)  # (row, outcome)
        outcome = pt.stack([each.outcome for each in observations], axis=-1)
        density = pm.logp(pm.MvNormal.dist(mu=mean, chol=sds[:, None] * factor), outcome)
    else:
        density = _probit(observations, factor, size)
    pm.Potential("residuals", (weights * density).sum())


def _probit(observations: Sequence[Observation], factor: Any, size: int) -> Any:
    count = len(observations)
    uniform = pm.Uniform("residual_u", 0.0, 1.0, shape=(size, count - 1))
    components: list[Any] = []
    total: Any = 0.0
    for k, each in enumerate(observations):
        known = sum((factor[k, j] * components[j] for j in range(k)), start=pt.zeros(()))
        sign = pt.where(pt.gt(each.outcome, 0.5), 1.0, -1.0)
        # P(the component falls on the side that was answered), given the components before
        reach = sign * (each.linear_predictor + known) / factor[k, k]
        total = total + log_cdf(reach)
        if k + 1 < count:
            tail = pt.clip(normal_cdf(reach) * uniform[:, k], TINY, 1.0 - TINY)
            components.append(-sign * normal_quantile(tail))
    return total
