"""A PyMC model compiled for a handful of evaluations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytensor.tensor as pt
from pymc.pytensorf import gradient as gradient_of
from pytensor.compile.mode import Mode

from bayescluster.design.record import Design
from bayescluster.model.build import build_model
from tests.model.oracle import Point
from tests.oracles import fast_compile


class Graph(NamedTuple):
    """Functions of a point: joint log density, its gradient, log density of each row."""

    shapes: dict[str, tuple[int, ...]]
    log_density: Callable[[Point], float]
    gradient: Callable[[Point], Any]
    rows: Callable[[Point], Any]


def graph_of(design: Design) -> Graph:
    """Build the model of a design, and compile one function for all that is asked of it."""
    with fast_compile():
        model = build_model(design)
        # added up outside: a sum of more than 32 scalars cannot be evaluated without a compiler
        parts = [part.sum() for part in model.logp(sum=False)]
        (rows,) = model.logp(vars=model.observed_RVs, jacobian=False, sum=False)
        start = {name: np.shape(value) for name, value in model.initial_point().items()}
        gradient = gradient_of(pt.add(*parts), model.continuous_value_vars)
        function = model.compile_fn([gradient, rows, *parts], mode=Mode("py", "fast_compile"))
    return Graph(
        start,
        lambda point: float(sum(function(point)[2:])),
        lambda point: function(point)[0],
        lambda point: function(point)[1],
    )


def shapes_of(design: Design) -> dict[str, tuple[int, ...]]:
    """Shapes of the free values of a model, which takes no compiling of its density."""
    with fast_compile():
        start = build_model(design).initial_point()
    return {name: np.shape(value) for name, value in start.items()}


def named_values(design: Design, names: list[str]) -> Callable[[Point], dict[str, Any]]:
    """Function of a point that gives named variables of the model, free or derived."""
    import pytensor

    with fast_compile():
        model = build_model(design)
        outputs = model.replace_rvs_by_values([model[name] for name in names])
        function = pytensor.function(
            model.value_vars, outputs, mode=Mode("py", "fast_compile"), on_unused_input="ignore"
        )
    order = [variable.name for variable in model.value_vars]

    def evaluate(point: Point) -> dict[str, Any]:
        return dict(zip(names, function(*(point[name] for name in order)), strict=True))

    return evaluate
