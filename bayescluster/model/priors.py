"""Priors of a model: what the analysis states, then what cases say, and the defaults for the rest."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from bayescluster.design.cases import NormalMoments, informed
from bayescluster.design.record import Design
from bayescluster.model.defaults import GROUP_SD, baseline_of, default_prior, on_link_scale, slope
from bayescluster.names import CAPITALS
from bayescluster.spec.priors import Distribution, HalfNormal, Normal, StudentT, ValueScale
from bayescluster.structures import TERMS


class ModelPriors(NamedTuple):
    """Every prior of a model.

    ``population`` and ``controls`` go by coefficient, ``group_sd`` by grouping, ``family`` by
    parameter; ``cutpoints`` holds the mean and the sd of each cutpoint of an ordinal outcome.
    """

    population: dict[str, Distribution]
    controls: dict[str, Normal | StudentT]
    group_sd: dict[str, Distribution]
    family: dict[str, Distribution]
    correlation: float
    cutpoints: tuple[tuple[float, float], ...]
    scales: Any = None
    """Under R2D2M2, the sds that take the place of the priors of slopes, controls and groups."""


def model_priors(design: Design) -> ModelPriors:
    """Resolve every prior of a design: stated ones first, defaults for the rest."""
    stated = design.equation.priors
    baseline = baseline_of(design)
    base = default_priors(design) | case_priors(design)
    terms = {term: stated.terms.get(term) or base[term] for term in population_terms(design)}
    other = stated.controls or slope(baseline)
    controls = {name: _real(stated.terms.get(name, other)) for name in design.control_names}
    groups: dict[str, Distribution] = {
        grouping.name: stated.group_sd.get(grouping.name, HalfNormal(sd=GROUP_SD * baseline.unit))
        for grouping in design.groupings
    }
    spread = float(on_link_scale(design).std(ddof=1))
    family: dict[str, Distribution] = {
        parameter.name: stated.family.get(parameter.name, parameter.prior(spread))
        for parameter in design.family.parameters
        if not (parameter.name == "sigma" and design.rows.standard_error is not None)
    }
    return ModelPriors(
        terms, controls, groups, family, stated.correlation, _cutpoints(design, stated.cutpoints)
    )


def default_priors(design: Design) -> dict[str, Distribution]:
    """Priors of the population coefficients where neither analysis nor cases say otherwise."""
    baseline = baseline_of(design)
    return {
        term: default_prior(term, baseline) if term in TERMS else slope(baseline)
        for term in population_terms(design)
    }


def case_priors(design: Design) -> dict[str, Normal]:
    """Default priors updated by the coded cases of a design; none where it has no cases."""
    asked, coded = design.equation.priors.from_, design.details.cases
    if asked is None or coded is None:
        return {}
    defaults = {
        term: NormalMoments(prior.mean, prior.sd)
        for term, prior in default_priors(design).items()
        if isinstance(prior, Normal)
    }
    human, social = (
        float(np.nanstd(values, ddof=1)) if design.is_binary(name) else 1.0
        for name, values in zip(CAPITALS, design.capitals, strict=True)
    )
    found = informed(coded.usable, asked.strength, defaults, (human, social))
    return {term: Normal(mean=moments.mean, sd=moments.sd) for term, moments in found.items()}


def population_terms(design: Design) -> tuple[str, ...]:
    """Terms with a population coefficient: cutpoints take the place of an ordinal level."""
    form = design.structure
    replaced = form.level if design.levels else ""
    own = tuple(term for term in form.population if term != replaced)
    return (*own, *design.equation.predictors)


def scale_of(term: str) -> ValueScale:
    """Values a coefficient can have; that of a predictor can be any number."""
    return TERMS[term].scale if term in TERMS else "real"


def _real(prior: Distribution) -> Normal | StudentT:
    assert isinstance(prior, Normal | StudentT)
    return prior


def _cutpoints(design: Design, sd: float) -> tuple[tuple[float, float], ...]:
    """Prior means at the quantiles of a logistic distribution, one a cutpoint."""
    count = max(len(design.levels) - 1, 0)
    share = (np.arange(count) + 1) / (count + 1)
    return tuple((float(mean), sd) for mean in np.log(share / (1 - share)))
