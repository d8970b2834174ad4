"""Priors of a model: the defaults, what the analysis puts in their place, and both as text.

Defaults are stated for standardised inputs. On a logit or log link a slope is Normal(0, 1) and a
group standard deviation HalfNormal(0.5); on the identity link both are multiplied by the standard
deviation of the outcome. The intercept is centred on the mean of the outcome (on 0 for a logit).
Coded cases, where the analysis names them, take the place of the defaults of the capitals.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from bayescluster.design.cases import NormalMoments, informed
from bayescluster.design.record import Design
from bayescluster.names import CAPITALS, INTERCEPT
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
    base = default_priors(design) | case_priors(design)
    terms = {term: stated.terms.get(term, base[term]) for term in population_terms(design)}
    other = stated.controls or slope
    controls = {name: stated.terms.get(name, other) for name in design.control_names}
    groups: dict[str, Distribution] = {
        grouping.name: stated.group_sd.get(grouping.name, HalfNormal(sd=GROUP_SD * unit))
        for grouping in design.groupings
    }
    spread = float(design.outcome.std(ddof=1))
    family: dict[str, Distribution] = {
        parameter.name: stated.family.get(parameter.name, parameter.prior(spread))
        for parameter in design.family.parameters
        if not (parameter.name == "sigma" and design.rows.standard_error is not None)
    }
    return ModelPriors(
        terms, controls, groups, family, stated.correlation, _cutpoints(design, stated.cutpoints)
    )


def default_priors(design: Design) -> dict[str, Normal]:
    """Priors of the population coefficients where neither analysis nor cases say otherwise."""
    unit = _unit(design)
    slope = Normal(mean=0.0, sd=SLOPE_SD * unit)
    return {
        term: _intercept(design, unit) if term == INTERCEPT else slope
        for term in population_terms(design)
    }


def case_priors(design: Design) -> dict[str, Normal]:
    """Default priors updated by the coded cases of a design; none where it has no cases."""
    asked, coded = design.analysis.equation.priors.from_, design.details.cases
    if asked is None or coded is None:
        return {}
    defaults = {
        term: NormalMoments(prior.mean, prior.sd) for term, prior in default_priors(design).items()
    }
    human, social = (
        float(values.std(ddof=1)) if design.is_binary(name) else 1.0
        for name, values in zip(CAPITALS, design.capitals, strict=True)
    )
    found = informed(coded.usable, asked.strength, defaults, (human, social))
    return {term: Normal(mean=moments.mean, sd=moments.sd) for term, moments in found.items()}


def population_terms(design: Design) -> tuple[str, ...]:
    """Terms with a population coefficient: cutpoints take the place of an ordinal intercept."""
    terms = design.structure.terms
    return tuple(term for term in terms if not (term == INTERCEPT and design.levels))


def _unit(design: Design) -> float:
    return float(design.outcome.std(ddof=1)) if design.family.link == "identity" else 1.0


def _intercept(design: Design, unit: float) -> Normal:
    if design.family.link == "identity":
        return Normal(mean=float(design.outcome.mean()), sd=IDENTITY_INTERCEPT_SD * unit)
    if design.family.link == "log":
        rate = design.outcome.sum() / np.exp(design.offset).sum()
        return Normal(mean=float(np.log(rate)), sd=INTERCEPT_SD)
    return Normal(mean=0.0, sd=INTERCEPT_SD)


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
