"""How an outcome is drawn from, and expected at, a linear predictor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy.special import expit, ndtr
from scipy.stats import nbinom

from bayescluster.simulate.draws import Floats
from bayescluster.spec.scenario import (
    Bernoulli,
    Lognormal,
    NegativeBinomial,
    Ordinal,
)

# A high upper tail is all a count of products can use; it keeps the quantile finite.
LARGEST_TAIL = 1 - 1e-12


class FamilyDraws(NamedTuple):
    """Two functions of a linear predictor.

    ``draw(eta, shock, family)`` turns a standard normal shock into an outcome;
    ``expectation(eta, family)`` is its mean over shocks.
    """

    draw: Callable[[Floats, Floats, Any], Floats]
    expectation: Callable[[Floats, Any], Floats]


def _draw_bernoulli(eta: Floats, shock: Floats, _: Bernoulli) -> Floats:
    return np.asarray(ndtr(shock) > 1 - expit(eta), dtype=np.int64)


def _mean_bernoulli(eta: Floats, _: Bernoulli) -> Floats:
    return np.asarray(expit(eta))


def _draw_lognormal(eta: Floats, shock: Floats, family: Lognormal) -> Floats:
    return np.round(np.exp(eta + family.sigma * shock), 2)


def _mean_lognormal(eta: Floats, family: Lognormal) -> Floats:
    return np.asarray(np.exp(eta + family.sigma**2 / 2))


def _draw_negative_binomial(eta: Floats, shock: Floats, family: NegativeBinomial) -> Floats:
    size = family.dispersion
    level = np.minimum(ndtr(shock), LARGEST_TAIL)
    return np.asarray(nbinom.ppf(level, size, size / (size + np.exp(eta))), dtype=np.int64)


def _mean_negative_binomial(eta: Floats, _: NegativeBinomial) -> Floats:
    return np.asarray(np.exp(eta))


def _draw_ordinal(eta: Floats, shock: Floats, family: Ordinal) -> Floats:
    below = expit(np.asarray(family.thresholds) - eta[:, np.newaxis])  # (firm, threshold)
    return np.asarray((ndtr(shock)[:, np.newaxis] > below).sum(axis=1), dtype=np.int64)


def _mean_ordinal(eta: Floats, family: Ordinal) -> Floats:
    below = expit(np.asarray(family.thresholds) - eta[..., np.newaxis])  # (..., threshold)
    return np.asarray((1 - below).sum(axis=-1))


FAMILIES: dict[str, FamilyDraws] = {
    "bernoulli": FamilyDraws(_draw_bernoulli, _mean_bernoulli),
    "lognormal": FamilyDraws(_draw_lognormal, _mean_lognormal),
    "negative_binomial": FamilyDraws(_draw_negative_binomial, _mean_negative_binomial),
    "ordinal": FamilyDraws(_draw_ordinal, _mean_ordinal),
}
