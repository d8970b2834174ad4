"""Designs whose data are replaced by others: everything that was settled from the first data stays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from bayescluster.arrays import Array
from bayescluster.design.record import Design
from bayescluster.names import AVERAGING_WEIGHT, OUTCOME, ROW, ROW_WEIGHT


def with_data(design: Design, variables: Mapping[str, Mapping[str, Any]]) -> Design:
    """Give the equations of a design other data.

    Parameters
    ----------
    design
        The template, which carries the designs of the other equations.
    variables
        Variables of the design by name of the equation, as `xarray.Dataset.assign` takes them.
    """
    others = tuple(_assigned(each, variables, ()) for each in design.others)
    return _assigned(design, variables, others)


def _assigned(
    design: Design, variables: Mapping[str, Mapping[str, Any]], others: tuple[Design, ...]
) -> Design:
    data = design.data.assign(dict(variables.get(design.equation_name, {})))
    return replace(design, data=data, others=others, template=design.template or design)


def replaced(design: Design, outcome: Array, weights: Array | None = None) -> Design:
    """Give a design another outcome, ``(row,)``, and other weights of its rows."""
    variables: dict[str, Any] = {OUTCOME: (ROW, np.asarray(outcome, dtype="float64"))}
    if weights is not None:
        variables[ROW_WEIGHT] = (ROW, np.asarray(weights, dtype="float64"))
    return with_data(design, {design.equation_name: variables})


def with_unit_weights(design: Design) -> Design:
    """Weigh every row by 1, where a design has no weights."""
    if design.weights is not None:
        return design
    ones = (ROW, np.ones(design.size))
    return replace(design, data=design.data.assign({ROW_WEIGHT: ones, AVERAGING_WEIGHT: ones}))
