"""Priors of a model: the defaults, what the analysis puts in their place, and both as text.

Defaults are stated for standardised inputs. On a logit or log link a slope is Normal(0, 1) and a
group standard deviation HalfNormal(0.5); on the identity link both are multiplied by the standard
deviation of the outcome, and on the probit link by `PROBIT_UNIT`. The intercept is centred on the
mean of the outcome, or of its logarithm (on 0 for a logit or probit).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from bayescluster.design.record import Array, Design
from bayescluster.names import INTERCEPT
from bayescluster.spec.priors import (
    Distribution,
    Exponential,
    Gamma,
    HalfCauchy,
    HalfNormal,
    HalfStudentT,
    LogNormal,
    Normal,
    StudentT,
)

INTERCEPT_SD = 1.5
SLOPE_SD = 1.0
GROUP_SD = 0.5
IDENTITY_INTERCEPT_SD = 2.5
"""Standard deviations of the defaults; the last in units of the outcome's standard deviation."""

PROBIT_UNIT = 3**0.5 / np.pi
"""One on the logit scale, on the probit scale: their noises have sds pi / sqrt(3) and 1.

So the prior says the same about probabilities, and about claims, whichever of the two is chosen.
"""


class ModelPriors(NamedTuple):
    """Every prior of a model.

    ``population`` and ``controls`` go by coefficient, ``group_sd`` by grouping, ``family`` by
    parameter; ``cutpoints`` holds the mean and the sd of each cutpoint of an ordinal outcome.
    """

    population: dict[str, Normal | StudentT]
    controls: dict[str, Normal | StudentT]
    group_sd: dict[str, Distribution]
    family: dict[str, Distribution]
    correlation: float
    cutpoints: tuple[tuple[float, float], ...]


def model_priors(design: Design) -> ModelPriors:
    """Resolve every prior of a design: stated ones first, defaults for the rest."""
    stated = design.analysis.equation.priors
    unit = _unit(design)
    slope = Normal(mean=0.0, sd=SLOPE_SD * unit)
    intercept = _intercept(design, unit)
    terms = {
        term: stated.terms.get(term, intercept if term == INTERCEPT else slope)
        for term in population_terms(design)
    }
    other = stated.controls or slope
    controls = {name: stated.terms.get(name, other) for name in design.control_names}
    groups: dict[str, Distribution] = {
        grouping.name: stated.group_sd.get(grouping.name, HalfNormal(sd=GROUP_SD * unit))
        for grouping in design.groupings
    }
    spread = float(_on_link_scale(design).std(ddof=1))
    family: dict[str, Distribution] = {
        parameter.name: stated.family.get(parameter.name, parameter.prior(spread))
        for parameter in design.family.parameters
        if not (parameter.name == "sigma" and design.rows.standard_error is not None)
    }
    return ModelPriors(
        terms, controls, groups, family, stated.correlation, _cutpoints(design, stated.cutpoints)
    )


def population_terms(design: Design) -> tuple[str, ...]:
    """Terms with a population coefficient: cutpoints take the place of an ordinal intercept."""
    terms = design.structure.terms
    return tuple(term for term in terms if not (term == INTERCEPT and design.levels))


def _on_link_scale(design: Design) -> Array:
    """Outcome on the scale of its noise, ``(row,)``: as it is, where there is no such scale."""
    found = design.family.on_link_scale
    return design.outcome if found is None else found(design.outcome)


def _unit(design: Design) -> float:
    """What one on the logit scale is on the scale of the link."""
    if design.family.link == "identity":
        return float(design.outcome.std(ddof=1))
    return PROBIT_UNIT if design.family.link == "probit" else 1.0


def _intercept(design: Design, unit: float) -> Normal:
    sd = IDENTITY_INTERCEPT_SD if design.family.link == "identity" else INTERCEPT_SD
    return Normal(mean=_centre(design), sd=sd * unit)


def _centre(design: Design) -> float:
    """Where the intercept is expected, before anything is known of the capitals."""
    if design.family.on_link_scale is not None:
        return float(_on_link_scale(design).mean())
    if design.family.link == "log":
        return float(np.log(design.outcome.sum() / np.exp(design.offset).sum()))
    return 0.0


def _cutpoints(design: Design, sd: float) -> tuple[tuple[float, float], ...]:
    """Prior means at the quantiles of a logistic distribution, one a cutpoint."""
    count = max(len(design.levels) - 1, 0)
    share = (np.arange(count) + 1) / (count + 1)
    return tuple((float(mean), sd) for mean in np.log(share / (1 - share)))


class _Kind(NamedTuple):
    pymc: str
    arguments: Callable[[Any], dict[str, float]]
    text: Callable[[Any], str]


_KINDS: dict[type, _Kind] = {
    Normal: _Kind(
        "Normal",
        lambda p: {"mu": p.mean, "sigma": p.sd},
        lambda p: f"Normal({p.mean:.3g}, {p.sd:.3g})",
    ),
    StudentT: _Kind(
        "StudentT",
        lambda p: {"nu": p.df, "mu": p.mean, "sigma": p.scale},
        lambda p: f"Student t({p.df:.3g}, {p.mean:.3g}, {p.scale:.3g})",
    ),
    HalfNormal: _Kind("HalfNormal", lambda p: {"sigma": p.sd}, lambda p: f"HalfNormal({p.sd:.3g})"),
    HalfStudentT: _Kind(
        "HalfStudentT",
        lambda p: {"nu": p.df, "sigma": p.scale},
        lambda p: f"Half Student t({p.df:.3g}, {p.scale:.3g})",
    ),
    HalfCauchy: _Kind(
        "HalfCauchy", lambda p: {"beta": p.scale}, lambda p: f"HalfCauchy({p.scale:.3g})"
    ),
    Exponential: _Kind(
        "Exponential", lambda p: {"lam": p.rate}, lambda p: f"Exponential({p.rate:.3g})"
    ),
    Gamma: _Kind(
        "Gamma",
        lambda p: {"alpha": p.shape, "beta": p.rate},
        lambda p: f"Gamma({p.shape:.3g}, {p.rate:.3g})",
    ),
    LogNormal: _Kind(
        "LogNormal",
        lambda p: {"mu": p.mean_log, "sigma": p.sd_log},
        lambda p: f"LogNormal({p.mean_log:.3g}, {p.sd_log:.3g})",
    ),
}


def prior_text(prior: Distribution) -> str:
    """Write a prior as a reader knows it: ``Normal(0, 1)``."""
    return _KINDS[type(prior)].text(prior)


def prior_variable(name: str, prior: Distribution, dims: str | None = None) -> Any:
    """Add a prior to the PyMC model in context."""
    import pymc as pm

    kind = _KINDS[type(prior)]
    return getattr(pm, kind.pymc)(name, **kind.arguments(prior), dims=dims)


def coefficient_vector(name: str, priors: dict[str, Normal | StudentT], dim: str) -> Any:
    """Add a vector of coefficients, one prior each; one variable where all are of a kind."""
    import pymc as pm
    import pytensor.tensor as pt

    kinds = {type(prior) for prior in priors.values()}
    if len(kinds) == 1:
        kind = _KINDS[kinds.pop()]
        each = [kind.arguments(prior) for prior in priors.values()]
        arguments = {key: np.array([one[key] for one in each]) for key in each[0]}
        return getattr(pm, kind.pymc)(name, **arguments, dims=dim)
    parts = [prior_variable(f"{name}_{term}", prior) for term, prior in priors.items()]
    return pm.Deterministic(name, pt.stack(parts), dims=dim)
