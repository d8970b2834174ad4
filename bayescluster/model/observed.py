"""What a model observes: constants of its graph, or data that are replaced once it is compiled.

Outcomes, those of other equations that enter as predictors, the answers that measure latent capitals,
and the answers of inputs with missing cells. All else (rows, groups, complete inputs, priors, which
cells are missing) is that of the design that the model was built from.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from bayescluster import names
from bayescluster.arrays import Array
from bayescluster.design.missing import Configurations, Gap, gaps
from bayescluster.design.record import Design, Grouping
from bayescluster.families import Family, Observation
from bayescluster.model.priors import effect_weights
from bayescluster.names import group_cholesky


class Observed(NamedTuple):
    """Adds what a model observes to the PyMC model in context, as constants or as data."""

    replaceable: bool = False

    def outcome(self, design: Design) -> Any:
        """Outcome of an equation, ``(row,)``; data are 0 where it is missing, which is not used."""
        if not self.replaceable:
            return design.outcome
        return self._held(names.outcome_data(design.equation_name), np.nan_to_num(design.outcome))

    def predictors(self, design: Design) -> Any:
        """Outcomes of other equations and contexts as they enter, ``(row, predictor)``; 0 where missing."""
        values = np.nan_to_num(design.predictors)
        return self._held(names.predictor_data(design.equation_name), values)

    def controls(self, design: Design) -> Any:
        """Controls without the capital in them, ``(row, control)``; 0 where missing."""
        if not has_gaps(design):
            return design.control_bases
        return self._held(names.control_data(design.equation_name), design.control_bases)

    def gap(self, gap: Gap) -> Any:
        """Answers of an input with missing cells, ``(row,)``: codes where it is discrete, 0 if missing."""
        return self._held(names.gap_data(gap.name), answers_of(gap))

    def codes(self, gap: Gap, held: Any, cases: Configurations) -> Any:
        """Code of a discrete input in each case, ``(case,)``: that of its answers, or one of all."""
        import pytensor.tensor as pt

        codes = cases.codes[gap.name]
        if not self.replaceable:
            return codes
        return pt.where(gap.missing[cases.row], codes, held[cases.row])

    def answers(self, design: Design, capital: str) -> Any:
        """Answers that measure a latent capital, ``(row, item)``; 0 where missing."""
        return self._held(names.answers_data(capital), np.nan_to_num(design.items(capital).values))

    def weights(self, design: Design) -> Any:
        """Survey weights of the rows, ``(row,)``."""
        assert design.weights is not None
        return self._held(names.weight_data(design.equation_name), design.weights.rows)

    def _held(self, name: str, values: Any) -> Any:
        import pymc as pm

        return pm.Data(name, values) if self.replaceable else values


def has_gaps(design: Design) -> bool:
    """Whether a control of an equation has missing cells."""
    return bool(np.isnan(design.controls).any())


def answers_of(gap: Gap) -> Any:
    """Answers of an input with missing cells, as a model takes them, ``(row,)``."""
    return gap.codes if gap.levels else np.nan_to_num(gap.values)


def observed_data(design: Design) -> dict[str, Array]:
    """Data of a replaceable model by name, as a design of the same shape has them."""
    found: dict[str, Array] = {}
    for each in design.equations:
        name = each.equation_name
        found[names.outcome_data(name)] = np.nan_to_num(each.outcome)
        if each.equation.entering:
            found[names.predictor_data(name)] = np.nan_to_num(each.predictors)
        if has_gaps(each):
            found[names.control_data(name)] = each.control_bases
        if each.weights is not None:
            found[names.weight_data(name)] = each.weights.rows
    for capital in names.CAPITALS:
        if design.is_latent(capital):
            found[names.answers_data(capital)] = np.nan_to_num(design.items(capital).values)
    inputs = (gap for gap in gaps(design) if gap.place != "outcome")
    return found | {names.gap_data(gap.name): answers_of(gap) for gap in inputs}


def weigh_rows(design: Design, observed: Observed) -> None:
    """Weigh the likelihood of the PyMC model in context."""
    import pymc as pm
    import pytensor.tensor as pt

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
    import pymc as pm
    import pytensor.tensor as pt

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
    import pymc as pm

    found = family.likelihood(observation)
    return pm.logp(found.distribution.dist(*found.inputs, **found.arguments), found.outcome)
