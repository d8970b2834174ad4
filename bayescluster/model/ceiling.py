"""Ceilings by cluster as a PyMC model: pooled within industries, and above every firm.

The ceiling of a unit (a cluster) is a line within floor and top: ``c(x) = clip(height + slope (x -
1/2), floor, top)``, its height pooled within the industry, its slope that of the industry and never
below 0. Heights have logistic distributions around the mean of their industry.

Under a hard ceiling no firm stands above: ``height >= L(slope) = max_i(y_i - slope (x_i - 1/2))``.
To a sampler this is a wall that moves with the slope. It meets none here, for what is sampled is a
place ``u`` between 0 and 1 within what is left of the distribution above ``L``: ``height = F^-1(F(L)
+ u (1 - F(L)))``, which for the logistic is ``location + scale (log(exp(l) + u) - log(1 - u))``, ``l =
(L - location) / scale``. So the height is ``L`` plus a positive gap. Many firms press ``u`` towards
0, where ``log u`` is the log of the gap but for a constant; where firms say little, ``u`` is uniform,
as in a non-centred hierarchy. The share of the distribution above ``L`` is the Jacobian.
"""

from __future__ import annotations

from typing import Any, Final, Literal

import numpy as np

from bayescluster.arrays import Array
from bayescluster.model.ceiling_density import (
    RESOLUTION,
    ceiling,
    log_composed,
    log_contaminated,
    log_ratio,
    pytensor_operations,
)
from bayescluster.model.ceiling_layout import Layout

ModelName = Literal["ratio", "composed", "contaminated"]

UNIT, INDUSTRY = "ceiling_unit", "ceiling_industry"
HEIGHT, SLOPE, LOCATION, SPREAD = "height", "slope", "location", "spread"
AL, BE, NOISE, CONTAMINATED = "al", "be", "noise", "contaminated_share"

HEIGHT_MEAN: Final = (0.75, 0.35)
"""Mean and sd of the normal prior of the mean height in the middle of the scope."""
SPREAD_LEAST: Final = 0.01
"""Least sd of heights between clusters of an industry, in shares of the scope: near 0 there is a funnel."""
SPREAD_SD: Final = 0.3
"""Sd of the half-normal prior of that sd beyond the least."""
BETWEEN_SD: Final = 0.2
"""The same of the means of industries."""
SLOPE_SD: Final = 1.0
"""Sd of the half-normal prior of the slope."""
SLOPES_SD: Final = 1.0
"""Sd of the half-normal prior of the sd of log slopes between industries."""
SHAPE_SD: Final = 0.5
"""Sd of the log of ``al`` and ``be``, whose median is 1: all places below the ceiling alike."""
NOISE_LEAST: Final = 0.01
"""Least sd of the noise, in shares of the scope: with none, the edge would be a wall again."""
NOISE_SD: Final = 0.1
"""Sd of the half-normal prior of the sd of the noise beyond the least."""
CONTAMINATION: Final = (1.0, 39.0)
"""Beta prior of the share of firms that the ceiling does not bind: mean 1 in 40."""

UNIT_SD: Final = float(np.sqrt(3.0) / np.pi)
"""Scale of a logistic distribution whose sd is 1."""
LOWEST: Final = -3.0
"""Least height, where no firm asks for more: such a ceiling lies on the floor."""
CENTRED_FROM: Final = 10
"""Firms from which the height of a soft ceiling is sampled as it is, not as a deviation."""


def build_ceiling_model(
    kind: ModelName, layout: Layout, x: Array, y: Array, limits: tuple[float, float]
) -> Any:
    """State a ceiling model.

    Parameters
    ----------
    kind
        The model; see `bayescluster.model.ceiling_density`.
    layout
        Which firms share a ceiling.
    x, y
        Capital and outcome in shares of the scope, ``(firm,)``; data of the model, so that a
        compiled one serves others of the same firms.
    limits
        Floor and top of the ceiling.

    Returns
    -------
    pymc.Model
        Its draws have ``height`` by unit, ``slope`` by industry, and what `reported` lists.
    """
    import pymc as pm

    coords = {UNIT: list(layout.units), INDUSTRY: list(layout.industries)}
    op = pytensor_operations()
    with pm.Model(coords=coords) as model:
        capital = pm.Data("x", np.asarray(x, dtype="float64"))
        outcome = pm.Data("y", np.maximum(y, RESOLUTION))
        slope = _slopes(len(layout.industries))
        location, scale = _population(layout)
        above = kind == "ratio"
        height = (
            _above(location, scale, _lowest(layout, capital, outcome, slope, limits[0]))
            if above
            else _free(layout, location, scale)
        )
        height = pm.Deterministic(HEIGHT, height, dims=UNIT)
        line = ceiling(op, height[layout.unit], slope[layout.of_firms], capital, limits)
        shape = (pm.LogNormal(AL, 0.0, SHAPE_SD), pm.LogNormal(BE, 0.0, SHAPE_SD))
        pm.Potential("firms", _log_density(op, kind, outcome, line, shape).sum())
    return model


def reported(kind: ModelName, layout: Layout) -> tuple[str, ...]:
    """Variables of the posterior that are kept."""
    several = len(layout.units) > 1
    return (
        *(HEIGHT, SLOPE),
        *((LOCATION, SPREAD) if several else ()),
        *(("between_sd",) if layout.nested else ()),
        *(("slope_mean", "slope_sd") if len(layout.industries) > 1 else ()),
        *(AL, BE),
        *{"ratio": (), "composed": (NOISE,), "contaminated": (CONTAMINATED,)}[kind],
    )


def _slopes(industries: int) -> Any:
    """Slope of each industry, ``(industry,)``, pooled on the log scale."""
    import pymc as pm

    if industries == 1:
        mean = pm.HalfNormal("slope_mean", SLOPE_SD)
        return pm.Deterministic(SLOPE, mean[None], dims=INDUSTRY)
    mean = pm.HalfNormal("slope_mean", SLOPE_SD)
    spread = pm.HalfNormal("slope_sd", SLOPES_SD)
    raw = pm.Normal("slope_raw", 0.0, 1.0, dims=INDUSTRY)
    return pm.Deterministic(SLOPE, mean * pm.math.exp(spread * raw), dims=INDUSTRY)


def _population(layout: Layout) -> tuple[Any, Any]:
    """Location of the heights of each unit, ``(unit,)``, and the scale around it."""
    import pymc as pm
    import pytensor.tensor as pt

    units = len(layout.units)
    mean, sd = HEIGHT_MEAN
    if units == 1:
        return pt.full((1,), mean), UNIT_SD * sd
    centre = pm.Normal("location_mean", mean, sd)
    places = pt.full((len(layout.industries),), centre)
    if layout.nested:
        between = pm.HalfNormal("between_sd", BETWEEN_SD)
        places = centre + between * pm.Normal("location_raw", 0.0, 1.0, dims=INDUSTRY)
    places = pm.Deterministic(LOCATION, places, dims=INDUSTRY)
    spread = pm.Deterministic(SPREAD, SPREAD_LEAST + pm.HalfNormal("spread_beyond", SPREAD_SD))
    return places[layout.industry], UNIT_SD * spread


def _lowest(layout: Layout, x: Any, y: Any, slope: Any, floor: float) -> Any:
    """Least height of each unit that leaves no firm above, ``(unit,)``.

    Firms at or below the floor ask for nothing, wherever the line runs.
    """
    import pytensor.tensor as pt

    asked = pt.switch(y > floor, y - slope[layout.of_firms] * (x - 0.5), LOWEST)
    padded = pt.concatenate([asked, [LOWEST]])[layout.members]  # (unit, largest unit)
    return padded.max(axis=1)


def _above(location: Any, scale: Any, lowest: Any) -> Any:
    """Heights above the firms, ``(unit,)``; see the module for ``place``."""
    import pymc as pm
    import pytensor.tensor as pt

    place = pm.Logistic("place", 0.0, 1.0, dims=UNIT)  # the logit of u
    least = (lowest - location) / scale
    pm.Potential("above", -pt.softplus(least).sum())
    return location + scale * (pt.logaddexp(least, -pt.softplus(-place)) + pt.softplus(place))


def _free(layout: Layout, location: Any, scale: Any) -> Any:
    """Heights that no firm binds, ``(unit,)``: as they are where many firms know them."""
    import pymc as pm

    centred = (layout.sizes >= CENTRED_FROM).astype("float64")
    raw = pm.Logistic("height_raw", centred * location, scale**centred, dims=UNIT)
    return location + scale ** (1 - centred) * (raw - centred * location)


def _log_density(op: Any, kind: ModelName, y: Any, line: Any, shape: tuple[Any, Any]) -> Any:
    import pymc as pm

    if kind == "ratio":
        return log_ratio(op, y, line, *shape)
    if kind == "composed":
        beyond = pm.HalfNormal("noise_beyond", NOISE_SD)
        noise = pm.Deterministic(NOISE, NOISE_LEAST + beyond)
        return log_composed(op, y, line, shape, UNIT_SD * noise)
    return log_contaminated(op, y, line, shape, pm.Beta(CONTAMINATED, *CONTAMINATION))
