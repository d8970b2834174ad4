"""Imputed cells of inputs at each draw."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayescluster.arrays import Array
from bayescluster.design.record import Design
from bayescluster.names import (
    CAPITALS,
    CHAIN,
    DRAW,
    PREDICTOR_CENTER,
    PREDICTOR_SCALE,
    ROW,
    imputed,
)


class Imputed(NamedTuple):
    """Imputed cells of one input.

    ``at`` gives the position of each row's cell, ``(row,)``, -1 where the value is known; ``values``
    is ``(draw, cell)``.
    """

    at: NDArray[np.int64]
    values: Array

    def added(self) -> Array:
        """Imputed values, 0 where the value is known: ``(draw, row)``."""
        return np.where(self.at >= 0, self.values[:, self.at], 0.0)


def cells_at(missing: NDArray[np.bool_], values: Array) -> Imputed:
    """Cells in the order of the rows that lack the value."""
    return Imputed(np.where(missing, np.cumsum(missing) - 1, -1), values)


def imputed_cells(design: Design, group: xr.Dataset) -> dict[str, Imputed]:
    """Read what is imputed among the controls and predictors of an equation, by name."""
    found = {}
    for position, name in enumerate(design.control_names):
        if imputed(name) in group:
            missing = np.isnan(design.controls[:, position])
            found[name] = cells_at(missing, flat(group, imputed(name)))
    center, scale = (design.data[name].to_numpy() for name in (PREDICTOR_CENTER, PREDICTOR_SCALE))
    for position, name in enumerate(design.equation.predictors):
        if imputed(name) in group:
            missing = np.isnan(design.predictors[:, position])
            values = (flat(group, imputed(name)) - center[position]) / scale[position]
            found[name] = cells_at(missing, values)
    return found


def capitals_at(design: Design, group: xr.Dataset) -> tuple[Array, Array] | None:
    """Capitals at each draw, ``(draw, row)``, where one is latent or partly imputed."""
    if not any(capital in group or imputed(capital) in group for capital in CAPITALS):
        return None
    size = group.sizes[CHAIN] * group.sizes[DRAW]
    human, social = (
        _capital(capital, known, group, size)
        for capital, known in zip(CAPITALS, design.capitals, strict=True)
    )
    return human, social


def _capital(capital: str, known: Array, group: xr.Dataset, size: int) -> Array:
    if capital in group:
        found = group[capital].transpose(CHAIN, DRAW, ROW).to_numpy().reshape(size, -1)
        return np.asarray(found)
    values = np.broadcast_to(known, (size, known.size))
    if imputed(capital) in group:
        values = values.copy()
        values[:, np.isnan(known)] = flat(group, imputed(capital))
    return values


def flat(group: xr.Dataset, name: str) -> Array:
    """Draws of a variable, the chains one after the other: ``(draw, ...)``."""
    values = group[name].transpose(CHAIN, DRAW, ...).to_numpy()
    return np.asarray(values.reshape(-1, *values.shape[2:]), dtype="float64")
