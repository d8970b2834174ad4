"""Priors of the measurement of latent capitals, and weights of varying effects, whoever evaluates them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bayescluster.arrays import Array
from bayescluster.design.record import Design, Items
from bayescluster.names import CAPITALS, CLUSTER, FIRM
from bayescluster.spec.priors import HalfNormal

LOADING_SD, DISCRETE_LOADING_SD = 1.0, 2.0
"""Of half-normal priors: of standardised indicators, and on the logit scale of discrete ones.

Loadings are positive: directions are declared, so that a negative one would be an error of coding, and
with free signs the mirror image of a capital would be a second mode.
"""
ITEM_INTERCEPT_SD = 0.5
ERROR_SD = 1.0
THRESHOLD_SD = 1.5
BACKGROUND_SD = 0.5
CLUSTER_MEAN_SD = 1.0
CONCENTRATION = 2.0
"""Concentration of the LKJ prior of the residual correlations."""


def latent_capitals(design: Design) -> tuple[str, ...]:
    """Capitals that are measured in the model."""
    return tuple(capital for capital in CAPITALS if design.is_latent(capital))


def loading_priors(items: Items) -> list[HalfNormal]:
    """Prior of the loading of each indicator."""
    return [HalfNormal(sd=DISCRETE_LOADING_SD if n else LOADING_SD) for n in items.levels]


def usual_thresholds(codes: Array, levels: int) -> Array:
    """Log odds of answers below each threshold, kept off 0 and 1."""
    below = np.array([(codes < k).mean() for k in range(1, levels)])
    share = np.clip(below, 0.02, 0.98)
    spread: Array = np.log(share / (1 - share)) + 1e-3 * np.arange(levels - 1)
    return spread


def effect_weights(design: Design, grouping: str) -> NDArray[np.float64] | None:
    """Weight of each group's effects, ``(group,)``, or None where groups were not sampled.

    Clusters have the cluster weight; firms seen in several rows the mean weight of their rows.
    Industries, years and the like are all there is, or all that is of interest: no weight.
    """
    weights = design.weights
    if weights is None:
        return None
    if grouping == CLUSTER:
        return weights.clusters
    if grouping == FIRM:
        index = design.index(FIRM)
        return np.bincount(index, weights=weights.rows) / np.bincount(index)
    return None
