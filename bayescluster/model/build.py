"""Design to PyMC model.

The linear predictor of row *i* is the structural form at the row's own coefficients, each the
population's plus the deviations of the groups the row is in, plus controls and offset.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from numpy.typing import NDArray

from bayescluster import names
from bayescluster.design.coding import Monotonic, monotonic_controls
from bayescluster.design.record import Design
from bayescluster.families import Observation
from bayescluster.families.yes_or_no import log_cdf
from bayescluster.model.groups import (
    row_coefficients,
    shared_controls,
    shared_population,
    shared_scales,
)
from bayescluster.model.imputation import (
    Entering,
    add_inputs,
    entering,
    imputation_coords,
    observe_answers,
    sum_out,
)
from bayescluster.model.labels import measurement_coords, model_coords
from bayescluster.model.measurement import capital_variables
from bayescluster.model.observed import Observed, weigh_rows
from bayescluster.model.priors import (
    CONCENTRATION,
    ModelPriors,
    coefficient_vector,
    model_priors,
    population_terms,
    prior_variable,
    scale_of,
)
from bayescluster.structures.arithmetic import normal_cdf, normal_quantile, working

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
        `bayescluster.model.measurement` and `bayescluster.model.imputation`.
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
