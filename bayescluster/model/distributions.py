"""Prior distributions: as text, as variables of a model, and as log densities in numpy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from scipy import stats

from bayescluster.arrays import Array
from bayescluster.spec.priors import (
    Beta,
    Distribution,
    Exponential,
    Gamma,
    HalfCauchy,
    HalfNormal,
    HalfStudentT,
    LogNormal,
    Normal,
    StudentT,
    ValueScale,
)
from bayescluster.structures.arithmetic import natural


class _Kind(NamedTuple):
    pymc: str
    arguments: Callable[[Any], dict[str, float]]
    text: Callable[[Any], str]
    scipy: Callable[[Any], Any]


KINDS: dict[type, _Kind] = {
    Normal: _Kind(
        "Normal",
        lambda p: {"mu": p.mean, "sigma": p.sd},
        lambda p: f"Normal({p.mean:.3g}, {p.sd:.3g})",
        lambda p: stats.norm(p.mean, p.sd),
    ),
    StudentT: _Kind(
        "StudentT",
        lambda p: {"nu": p.df, "mu": p.mean, "sigma": p.scale},
        lambda p: f"Student t({p.df:.3g}, {p.mean:.3g}, {p.scale:.3g})",
        lambda p: stats.t(p.df, p.mean, p.scale),
    ),
    HalfNormal: _Kind(
        "HalfNormal",
        lambda p: {"sigma": p.sd},
        lambda p: f"HalfNormal({p.sd:.3g})",
        lambda p: stats.halfnorm(scale=p.sd),
    ),
    HalfStudentT: _Kind(
        "HalfStudentT",
        lambda p: {"nu": p.df, "sigma": p.scale},
        lambda p: f"Half Student t({p.df:.3g}, {p.scale:.3g})",
        lambda p: _HalfT(p.df, p.scale),
    ),
    HalfCauchy: _Kind(
        "HalfCauchy",
        lambda p: {"beta": p.scale},
        lambda p: f"HalfCauchy({p.scale:.3g})",
        lambda p: stats.halfcauchy(scale=p.scale),
    ),
    Exponential: _Kind(
        "Exponential",
        lambda p: {"lam": p.rate},
        lambda p: f"Exponential({p.rate:.3g})",
        lambda p: stats.expon(scale=1 / p.rate),
    ),
    Gamma: _Kind(
        "Gamma",
        lambda p: {"alpha": p.shape, "beta": p.rate},
        lambda p: f"Gamma({p.shape:.3g}, {p.rate:.3g})",
        lambda p: stats.gamma(p.shape, scale=1 / p.rate),
    ),
    LogNormal: _Kind(
        "LogNormal",
        lambda p: {"mu": p.mean_log, "sigma": p.sd_log},
        lambda p: f"LogNormal({p.mean_log:.3g}, {p.sd_log:.3g})",
        lambda p: stats.lognorm(p.sd_log, scale=np.exp(p.mean_log)),
    ),
    Beta: _Kind(
        "Beta",
        lambda p: {"alpha": p.a, "beta": p.b},
        lambda p: f"Beta({p.a:.3g}, {p.b:.3g})",
        lambda p: stats.beta(p.a, p.b),
    ),
}


class _HalfT(NamedTuple):
    df: float
    scale: float

    def logpdf(self, x: Array) -> Array:
        return np.asarray(np.log(2.0) + stats.t.logpdf(x, self.df, scale=self.scale))

    def median(self) -> float:
        return float(stats.t.ppf(0.75, self.df, scale=self.scale))


def prior_text(prior: Distribution) -> str:
    """Write a prior as a reader knows it: ``Normal(0, 1)``."""
    return KINDS[type(prior)].text(prior)


def median_of(prior: Distribution) -> float:
    """Median of a prior."""
    return float(KINDS[type(prior)].scipy(prior).median())


def log_density(prior: Distribution, value: Array, scale: ValueScale = "real") -> Array:
    """Log density of a coefficient that is given on its working scale (log, logit, or as it is).

    Parameters
    ----------
    prior
        Prior of the coefficient on its natural scale.
    value
        Coefficient on its working scale.
    scale
        Which scale that is.
    """
    at = natural(value, scale)
    density = np.asarray(KINDS[type(prior)].scipy(prior).logpdf(at))
    if scale == "positive":
        return np.asarray(density + value)
    if scale == "share":
        return np.asarray(density + np.log(at) + np.log1p(-at))
    return density


def prior_variable(name: str, prior: Distribution, dims: str | None = None) -> Any:
    """Add a prior to the PyMC model in context."""
    import pymc as pm

    kind = KINDS[type(prior)]
    return getattr(pm, kind.pymc)(name, **kind.arguments(prior), dims=dims)


def coefficient_vector(name: str, priors: Mapping[str, Distribution], dim: str) -> Any:
    """Add a vector of coefficients, one prior each; one variable where all are of a kind."""
    import pymc as pm
    import pytensor.tensor as pt

    kinds = {type(prior) for prior in priors.values()}
    if len(kinds) == 1:
        kind = KINDS[kinds.pop()]
        each = [kind.arguments(prior) for prior in priors.values()]
        arguments = {key: np.array([one[key] for one in each]) for key in each[0]}
        return getattr(pm, kind.pymc)(name, **arguments, dims=dim)
    parts = [prior_variable(f"{name}_{term}", prior) for term, prior in priors.items()]
    return pm.Deterministic(name, pt.stack(parts), dims=dim)
