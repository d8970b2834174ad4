"""Functions that numpy arrays and PyTensor variables both pass through.

A structural form is written once, for the model that is sampled and for the estimands computed from
it. Where plain arithmetic is not enough, these functions choose the library by their arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from scipy.special import ndtr, ndtri

from bayescluster import arrays
from bayescluster.spec.priors import ValueScale

SMALL = 1e-4
"""Below this the mean of a CES form is taken from its series: the quotient would lose its digits."""


def is_symbolic(*values: Any) -> bool:
    """Whether any argument is a PyTensor variable."""
    return any(hasattr(value, "owner") for value in values)


def _library(*values: Any) -> Any:
    if is_symbolic(*values):
        import pytensor.tensor as pt

        return pt
    return np


def softplus(x: Any) -> Any:
    """``log(1 + exp(x))`` without overflow."""
    return _library(x).softplus(x) if is_symbolic(x) else arrays.softplus(x)


def log_sigmoid(x: Any) -> Any:
    """Logarithm of the logistic function."""
    return -softplus(-x)


def log_add_exp(a: Any, b: Any) -> Any:
    """``log(exp(a) + exp(b))`` without overflow."""
    return b + softplus(a - b)


def sigmoid(x: Any) -> Any:
    """Logistic function."""
    return _library(x).sigmoid(x) if is_symbolic(x) else arrays.logistic(x)


def working(value: Any, scale: ValueScale) -> Any:
    """Put a coefficient on the scale where groups deviate from it: log, logit, or as it is."""
    if scale == "real":
        return value
    library = _library(value)
    if scale == "positive":
        return library.log(value)
    return library.log(value) - library.log1p(-value)


def natural(value: Any, scale: ValueScale) -> Any:
    """Undo `working`."""
    if scale == "real":
        return value
    if scale == "positive":
        return _library(value).exp(value)
    return sigmoid(value)


def mixture(corners: Mapping[str, Any], link: str) -> Callable[[Mapping[str, Any]], Any]:
    """Linear predictor whose expectation is the mean of the corners' expectations, by their weights.

    ``corners`` holds the linear predictor of each corner; the weights, which may come many times, sum
    to 1. On the identity link the predictors themselves are averaged.
    """

    def mean_of(parts: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], Any]:
        return lambda weights: sum(weights[name] * part for name, part in parts.items())

    def through(expectation: Callable[[Any], Any]) -> Callable[[Mapping[str, Any]], Any]:
        return mean_of({name: expectation(corner) for name, corner in corners.items()})

    library = _library(*corners.values())
    if link == "log":
        mean = through(library.exp)
        return lambda weights: _library(*corners.values(), *weights.values()).log(mean(weights))
    if link == "logit":
        # both tails are sums of positive numbers, so that neither loses its digits
        yes, no = through(sigmoid), through(lambda corner: sigmoid(-corner))

        def log_odds(weights: Mapping[str, Any]) -> Any:
            log = _library(*corners.values(), *weights.values()).log
            return log(yes(weights)) - log(no(weights))

        return log_odds
    if link == "probit":
        share = through(normal_cdf)
        return lambda weights: normal_quantile(share(weights))
    return mean_of(corners)


def normal_cdf(x: Any) -> Any:
    """Standard normal distribution function."""
    return 0.5 * _library(x).erfc(-x / np.sqrt(2.0)) if is_symbolic(x) else ndtr(x)


def normal_quantile(p: Any) -> Any:
    """Inverse of `normal_cdf`."""
    return -np.sqrt(2.0) * _library(p).erfcinv(2.0 * p) if is_symbolic(p) else ndtri(p)


def ces_mean(human: Any, social: Any, log_odds: Any, substitution: Any) -> Any:
    """CES mean in log inputs: ``log(d exp(r H) + (1 - d) exp(r S)) / r``, smooth through ``r = 0``.

    ``log_odds`` are those of the share ``d`` of human capital; ``r`` is the substitution: minus infinity
    gives the lesser of the two, 0 the weighted mean, infinity the greater.
    """
    gap = human - social
    x = substitution * gap
    library = _library(x, log_odds)
    share = sigmoid(log_odds)
    near = abs(x) < SMALL
    safe = library.where(near, 1.0, x)
    quotient = log_add_exp(log_sigmoid(log_odds) + safe, log_sigmoid(-log_odds)) / safe
    series = share + 0.5 * share * (1.0 - share) * x
    return social + gap * library.where(near, series, quotient)
