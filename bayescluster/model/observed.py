"""What a model observes: constants of its graph, or data that are replaced once it is compiled.

Outcomes, those of other equations that enter as predictors, and the answers that measure latent
capitals. All else (rows, groups, controls, priors, which answers are missing) is that of the design
that the model was built from.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pymc as pm

from bayescluster.design.record import Array, Design
from bayescluster.names import CAPITALS, answers_data, outcome_data, predictor_data, weight_data


class Observed(NamedTuple):
    """Adds what a model observes to the PyMC model in context, as constants or as data."""

    replaceable: bool = False

    def outcome(self, design: Design) -> Any:
        """Outcome of an equation, ``(row,)``; data are 0 where it is missing, which is not looked at."""
        if not self.replaceable:
            return design.outcome
        return self._held(outcome_data(design.equation_name), np.nan_to_num(design.outcome))

    def predictors(self, design: Design) -> Any:
        """Outcomes of other equations as they enter, ``(row, predictor)``; 0 where missing."""
        values = np.nan_to_num(design.predictors)
        return self._held(predictor_data(design.equation_name), values)

    def answers(self, design: Design, capital: str) -> Any:
        """Answers that measure a latent capital, ``(row, item)``; 0 where missing."""
        return self._held(answers_data(capital), np.nan_to_num(design.items(capital).values))

    def weights(self, design: Design) -> Any:
        """Survey weights of the rows, ``(row,)``."""
        assert design.weights is not None
        return self._held(weight_data(design.equation_name), design.weights.rows)

    def _held(self, name: str, values: Array) -> Any:
        return pm.Data(name, values) if self.replaceable else values


def observed_data(design: Design) -> dict[str, Array]:
    """Data of a replaceable model by name, as a design of the same shape has them."""
    found: dict[str, Array] = {}
    for each in design.equations:
        name = each.equation_name
        found[outcome_data(name)] = np.nan_to_num(each.outcome)
        if each.equation.predictors:
            found[predictor_data(name)] = np.nan_to_num(each.predictors)
        if each.weights is not None:
            found[weight_data(name)] = each.weights.rows
    for capital in CAPITALS:
        if design.is_latent(capital):
            found[answers_data(capital)] = np.nan_to_num(design.items(capital).values)
    return found
