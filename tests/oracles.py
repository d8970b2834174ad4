"""Log densities by scipy.stats, written apart from the package: what its likelihoods must equal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from scipy import stats
from scipy.special import expit

from bayescluster.families import Rows

Array = np.ndarray[Any, np.dtype[np.float64]]
Values = Mapping[str, Any]


def _sigma(p: Values, rows: Rows) -> Any:
    return p["sigma"] if rows.standard_error is None else rows.standard_error


def _negative_binomial(y: Array, eta: Array, p: Values, _: Rows) -> Array:
    size = 1 / p["overdispersion"] ** 2
    return stats.nbinom.logpmf(y, size, size / (size + np.exp(eta)))


def _ordinal(y: Array, eta: Array, p: Values, _: Rows) -> Array:
    ends = np.concatenate([[-np.inf], np.ravel(p["cutpoints"]), [np.inf]])
    k = y.astype(int)
    return np.log(stats.logistic.cdf(ends[k + 1] - eta) - stats.logistic.cdf(ends[k] - eta))


LIKELIHOODS: dict[str, Callable[[Array, Array, Values, Rows], Array]] = {
    "bernoulli": lambda y, eta, *_: stats.bernoulli.logpmf(y, expit(eta)),
    "probit": lambda y, eta, *_: stats.norm.logcdf(np.where(y == 1, eta, -eta)),
    "binomial": lambda y, eta, _, rows: stats.binom.logpmf(y, rows.trials, expit(eta)),
    "beta": lambda y, eta, p, _: stats.beta.logpdf(
        y, p["precision"] * expit(eta), p["precision"] * expit(-eta)
    ),
    "gaussian": lambda y, eta, p, rows: stats.norm.logpdf(y, eta, _sigma(p, rows)),
    "student_t": lambda y, eta, p, _: stats.t.logpdf(y, p["nu"], eta, p["sigma"]),
    "lognormal": lambda y, eta, p, _: stats.lognorm.logpdf(y, p["sigma"], scale=np.exp(eta)),
    "poisson": lambda y, eta, *_: stats.poisson.logpmf(y, np.exp(eta)),
    "negative_binomial": _negative_binomial,
    "ordinal": _ordinal,
}


def _with_zeros(plain: str) -> Callable[[Array, Array, Values, Rows], Array]:
    """A point mass at 0 mixed with a plain distribution: of counts, which has a mass there itself."""

    def density(y: Array, eta: Array, p: Values, rows: Rows) -> Array:
        none, counted = p["zero_share"], plain in ("poisson", "negative_binomial")
        inner = y if counted else np.where(y == 0, 0.1, y)
        others = (1 - none) * np.exp(LIKELIHOODS[plain](inner, eta, p, rows))
        log_others = np.log1p(-none) + LIKELIHOODS[plain](inner, eta, p, rows)
        at_zero = none + others if counted else none + 0 * others
        return np.where(y == 0, np.log(at_zero), log_others)

    return density


LIKELIHOODS |= {
    "hurdle_lognormal": _with_zeros("lognormal"),
    "zero_inflated_beta": _with_zeros("beta"),
    "zero_inflated_poisson": _with_zeros("poisson"),
    "zero_inflated_negative_binomial": _with_zeros("negative_binomial"),
}
"""``(outcome, linear predictor, parameters, rows) -> log density of each row``."""


@contextmanager
def fast_compile() -> Iterator[None]:
    """Compile PyTensor graphs by little rewriting and no C, which suits one evaluation."""
    import pytensor

    with pytensor.config.change_flags(mode="FAST_COMPILE", linker="py", cxx=""):
        yield
