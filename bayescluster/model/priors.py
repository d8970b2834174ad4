"""Priors of a model: what the analysis states, then what cases say, and the defaults for the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import scipy
from numpy.typing import NDArray

from bayescluster import names
from bayescluster.arrays import Array
from bayescluster.dataset.cases import NormalMoments, informed
from bayescluster.design.coding import monotonic_controls
from bayescluster.design.record import Design, Items
from bayescluster.errors import ConfigError, Problem
from bayescluster.names import CAPITALS, CLUSTER, FIRM
from bayescluster.spec.columns import Where
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
    Priors,
    StudentT,
    ValueScale,
)
from bayescluster.structures import TERMS
from bayescluster.structures.arithmetic import natural

INTERCEPT_SD = 1.5
SLOPE_SD = 1.0
GROUP_SD = 0.5
IDENTITY_INTERCEPT_SD = 2.5
"""Standard deviations of the defaults; the last in units of the outcome's standard deviation."""
PROBIT_UNIT = 3**0.5 / np.pi
"""One on the logit scale, on the probit scale: their noises have sds pi / sqrt(3) and 1.

So the prior says the same about probabilities, and about claims, whichever of the two is chosen.
"""
GATE_THRESHOLD = Normal(mean=0.0, sd=0.7)
GATE_STEEPNESS = LogNormal(mean_log=float(np.log(2.0)), sd_log=0.5)
"""Gates open within the data, and over about two standard deviations of a capital."""
CES_SHARE = Beta(a=2.0, b=2.0)
CES_SUBSTITUTION = Normal(mean=0.0, sd=2.0)
CES_GAIN_SD = 2.0
CORNER_SD = 1.0

CORNER_MEANS: dict[str, dict[str, float]] = {
    "logit": {
        names.NEITHER: -2.0,
        names.HUMAN_ONLY: -1.0,
        names.SOCIAL_ONLY: -1.0,
        names.BOTH: 1.0,
    },
    "other": {names.NEITHER: -0.5, names.HUMAN_ONLY: 0.0, names.SOCIAL_ONLY: 0.0, names.BOTH: 0.5},
}
"""Prior means of the corners: on the logit scale, else in units around the level of the outcome."""


class Baseline(NamedTuple):
    """What default priors are stated in: the level of the outcome on the link, and one unit."""

    link: str
    level: float
    unit: float
    ordinal: bool


def baseline_of(design: Design) -> Baseline:
    """Level and unit of a design's outcome, on the scale of its link."""
    family, level = design.family, 0.0
    unit = PROBIT_UNIT if family.link == "probit" else 1.0
    if family.link == "identity":
        unit = float(design.answers.std(ddof=1))
    if family.on_link_scale is not None:
        level = float(on_link_scale(design).mean())
    elif family.link == "log":
        exposure = np.exp(design.offset[design.answered])
        # zeros of their own do not enter the mean of the others
        some = design.answers > (0 if family.plain is not None else -1)
        level = float(np.log(design.answers[some].sum() / exposure[some].sum()))
    return Baseline(family.link, level, unit, bool(design.levels))


def on_link_scale(design: Design) -> Array:
    """Known outcomes on the scale of their noise, ``(answered row,)``; as they are without one."""
    transform = design.family.on_link_scale
    return design.answers if transform is None else transform(design.answers)


def slope(baseline: Baseline) -> Normal:
    """Prior of the slope of a standardised input."""
    return Normal(mean=0.0, sd=SLOPE_SD * baseline.unit)


def _intercept(baseline: Baseline) -> Normal:
    sd = IDENTITY_INTERCEPT_SD if baseline.link == "identity" else INTERCEPT_SD
    return Normal(mean=baseline.level, sd=sd * baseline.unit)


def _corner(name: str) -> Callable[[Baseline], Normal]:
    def prior(baseline: Baseline) -> Normal:
        means = CORNER_MEANS["logit" if baseline.link in {"logit", "probit"} else "other"]
        # against the lowest corner, whose place the cutpoints of an ordinal outcome take
        mean = means[name] - (means[names.NEITHER] if baseline.ordinal else 0.0)
        return Normal(mean=baseline.level + mean * baseline.unit, sd=CORNER_SD * baseline.unit)

    return prior


DEFAULTS: dict[str, Callable[[Baseline], Distribution]] = {
    names.INTERCEPT: _intercept,
    names.HUMAN_CAPITAL: slope,
    names.SOCIAL_CAPITAL: slope,
    names.INTERACTION: slope,
    names.NEITHER: _corner(names.NEITHER),
    names.HUMAN_ONLY: _corner(names.HUMAN_ONLY),
    names.SOCIAL_ONLY: _corner(names.SOCIAL_ONLY),
    names.BOTH: _corner(names.BOTH),
    names.HUMAN_THRESHOLD: lambda _: GATE_THRESHOLD,
    names.HUMAN_STEEPNESS: lambda _: GATE_STEEPNESS,
    names.SOCIAL_THRESHOLD: lambda _: GATE_THRESHOLD,
    names.SOCIAL_STEEPNESS: lambda _: GATE_STEEPNESS,
    names.GAIN: lambda baseline: HalfNormal(sd=CES_GAIN_SD * baseline.unit),
    names.SHARE: lambda _: CES_SHARE,
    names.SUBSTITUTION: lambda _: CES_SUBSTITUTION,
}
"""By term of a structural form. A test holds the table to that of the terms."""


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
    controls: dict[str, Normal | StudentT] = {}
    for name in design.control_names:
        prior = stated.terms.get(name, other)
        assert isinstance(prior, Normal | StudentT)
        controls[name] = prior
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
    # cutpoints at the quantiles of a logistic distribution
    levels = len(design.levels)
    share = np.arange(1, levels) / max(levels, 1)
    cutpoints = tuple((float(mean), stated.cutpoints) for mean in np.log(share / (1 - share)))
    return ModelPriors(terms, controls, groups, family, stated.correlation, cutpoints)


def default_priors(design: Design) -> dict[str, Distribution]:
    """Priors of the population coefficients where neither analysis nor cases say otherwise."""
    baseline = baseline_of(design)
    return {
        term: DEFAULTS[term](baseline) if term in TERMS else slope(baseline)
        for term in population_terms(design)
    }


def case_priors(design: Design) -> dict[str, Normal]:
    """Default priors updated by the coded cases of a design; none where it has no cases."""
    source, coded = design.equation.priors.from_, design.details.cases
    if source is None or coded is None:
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
    updated = informed(coded.usable, source.strength, defaults, (human, social))
    return {term: Normal(mean=moments.mean, sd=moments.sd) for term, moments in updated.items()}


def population_terms(design: Design) -> tuple[str, ...]:
    """Terms with a population coefficient: cutpoints take the place of an ordinal level."""
    form = design.structure
    replaced = form.level if design.levels else ""
    own = tuple(term for term in form.population if term != replaced)
    return (*own, *design.equation.entering)


def scale_of(term: str) -> ValueScale:
    """Values a coefficient can have; that of a predictor can be any number."""
    return TERMS[term].scale if term in TERMS else "real"


SCALES: dict[str, tuple[str, int]] = {
    "normal": ("sd", 1),
    "student_t": ("scale", 1),
    "half_normal": ("sd", 1),
    "half_student_t": ("scale", 1),
    "half_cauchy": ("scale", 1),
    "exponential": ("rate", -1),
    "gamma": ("rate", -1),
    "lognormal": ("sd_log", 1),
}
"""Parameter that holds the scale of a distribution, and the power at which it does.

A beta prior, of a share, has none. A test holds the table to the distributions there are.
"""


def rescaled(prior: Distribution, factor: float) -> Distribution:
    """Give the same distribution at so many times its scale; a beta prior stays as it is."""
    if prior.distribution not in SCALES:
        return prior
    name, power = SCALES[prior.distribution]
    return prior.model_copy(update={name: getattr(prior, name) * factor**power})


def rescaled_priors(designs: Sequence[Design], factor: float, where: Where) -> Priors:
    """State every prior of coefficients and group sds at so many times its scale.

    ``designs`` are those of the forms of one equation: a term means the same in all of them. Priors of
    the likelihood and of correlations stay as they are. Priors from cases are spelled out, so that no
    cases are named. ``where`` gives the place of a value in the analysis file, for messages.

    Raises
    ------
    ConfigError
        If slopes have no prior of their own, as under R2D2M2.
    """
    first = designs[0]
    stated = first.equation.priors
    if stated.r2d2m2 is not None:
        place = where(("equations", first.analysis.equation_name, "priors", "r2d2m2"))
        raise ConfigError(
            Problem(
                "the R2D2M2 prior has no scale to multiply: slopes share out one variance",
                place,
                "state another mean_r2 or precision in place of scale",
            )
        )
    terms: dict[str, Distribution] = dict(stated.terms)
    groups: dict[str, Distribution] = {}
    for priors in map(model_priors, designs):
        terms |= priors.population
        groups |= priors.group_sd
    update: dict[str, Any] = {
        "from_": None,
        "terms": {name: rescaled(prior, factor) for name, prior in terms.items()},
        "controls": rescaled(stated.controls or slope(baseline_of(first)), factor),
        "group_sd": {name: rescaled(prior, factor) for name, prior in groups.items()},
    }
    if first.levels:
        update["cutpoints"] = stated.cutpoints * factor
    return stated.model_copy(update=update)


class _Implementation(NamedTuple):
    """A distribution in PyMC, the arguments it takes there, and the same in scipy."""

    pymc: str
    arguments: Callable[[Any], dict[str, float]]
    scipy: Callable[[Any], Any]


_DISTRIBUTIONS: dict[type, _Implementation] = {
    Normal: _Implementation(
        "Normal", lambda p: {"mu": p.mean, "sigma": p.sd}, lambda p: scipy.stats.norm(p.mean, p.sd)
    ),
    StudentT: _Implementation(
        "StudentT",
        lambda p: {"nu": p.df, "mu": p.mean, "sigma": p.scale},
        lambda p: scipy.stats.t(p.df, p.mean, p.scale),
    ),
    HalfNormal: _Implementation(
        "HalfNormal", lambda p: {"sigma": p.sd}, lambda p: scipy.stats.halfnorm(scale=p.sd)
    ),
    HalfStudentT: _Implementation(
        "HalfStudentT",
        lambda p: {"nu": p.df, "sigma": p.scale},
        lambda p: _HalfT(p.df, p.scale),
    ),
    HalfCauchy: _Implementation(
        "HalfCauchy", lambda p: {"beta": p.scale}, lambda p: scipy.stats.halfcauchy(scale=p.scale)
    ),
    Exponential: _Implementation(
        "Exponential", lambda p: {"lam": p.rate}, lambda p: scipy.stats.expon(scale=1 / p.rate)
    ),
    Gamma: _Implementation(
        "Gamma",
        lambda p: {"alpha": p.shape, "beta": p.rate},
        lambda p: scipy.stats.gamma(p.shape, scale=1 / p.rate),
    ),
    LogNormal: _Implementation(
        "LogNormal",
        lambda p: {"mu": p.mean_log, "sigma": p.sd_log},
        lambda p: scipy.stats.lognorm(p.sd_log, scale=np.exp(p.mean_log)),
    ),
    Beta: _Implementation(
        "Beta", lambda p: {"alpha": p.a, "beta": p.b}, lambda p: scipy.stats.beta(p.a, p.b)
    ),
}


class _HalfT(NamedTuple):
    df: float
    scale: float

    def logpdf(self, x: Array) -> Array:
        return np.asarray(np.log(2.0) + scipy.stats.t.logpdf(x, self.df, scale=self.scale))

    def median(self) -> float:
        return float(scipy.stats.t.ppf(0.75, self.df, scale=self.scale))


def prior_text(prior: Distribution) -> str:
    """Write a prior as a reader knows it: ``Normal(0, 1)``."""
    kind = _DISTRIBUTIONS[type(prior)]
    label = {"StudentT": "Student t", "HalfStudentT": "Half Student t"}.get(kind.pymc, kind.pymc)
    return f"{label}({', '.join(f'{value:.3g}' for value in kind.arguments(prior).values())})"


@lru_cache(maxsize=256)  # scipy takes a millisecond to make one, and a mode asks for thousands
def scipy_distribution(prior: Distribution) -> Any:
    """Give a prior as a frozen distribution with ``logpdf`` and ``median``."""
    return _DISTRIBUTIONS[type(prior)].scipy(prior)


def median_of(prior: Distribution) -> float:
    """Median of a prior."""
    return float(scipy_distribution(prior).median())


def log_density(prior: Distribution, value: Array, scale: ValueScale = "real") -> Array:
    """Log density of a coefficient given on its working scale (log, logit, or as it is).

    ``prior`` is that of the coefficient on its natural scale.
    """
    at = natural(value, scale)
    density = np.asarray(scipy_distribution(prior).logpdf(at))
    if scale == "positive":
        return np.asarray(density + value)
    if scale == "share":
        return np.asarray(density + np.log(at) + np.log1p(-at))
    return density


def prior_variable(name: str, prior: Distribution, dims: str | None = None) -> Any:
    """Add a prior to the PyMC model in context."""
    import pymc as pm

    kind = _DISTRIBUTIONS[type(prior)]
    return getattr(pm, kind.pymc)(name, **kind.arguments(prior), dims=dims)


def coefficient_vector(name: str, priors: Mapping[str, Distribution], dim: str) -> Any:
    """Add a vector of coefficients, one prior each; one variable where all are of a kind."""
    import pymc as pm
    import pytensor.tensor as pt

    kinds = {type(prior) for prior in priors.values()}
    if len(kinds) == 1:
        kind = _DISTRIBUTIONS[kinds.pop()]
        by_prior = [kind.arguments(prior) for prior in priors.values()]
        arguments = {key: np.array([values[key] for values in by_prior]) for key in by_prior[0]}
        return getattr(pm, kind.pymc)(name, **arguments, dims=dim)
    parts = [prior_variable(f"{name}_{term}", prior) for term, prior in priors.items()]
    return pm.Deterministic(name, pt.stack(parts), dims=dim)


SWEEPS = 200
"""Rounds of Gibbs sampling; a handful forgets the start, for as many cutpoints as scales have."""


def ordered_normals(means: Array, sds: Array, draws: int, rng: np.random.Generator) -> Array:
    """Draw independent normals given that they are in ascending order, ``(draw, cutpoint)``.

    PyMC draws forward without regard to the order that its transform asks for. This is Gibbs
    sampling, all draws at once: each cutpoint in turn from its normal between its neighbours.
    """
    count = means.size
    found = np.sort(rng.normal(means, sds, (draws, count)), axis=1)
    ends = np.full((draws, 1), np.inf)
    for _ in range(SWEEPS):
        for k in range(count):
            padded = np.concatenate([-ends, found, ends], axis=1)
            low, high = (
                scipy.stats.norm.cdf((padded[:, j] - means[k]) / sds[k]) for j in (k, k + 2)
            )
            share = low + (high - low) * rng.random(draws)
            found[:, k] = means[k] + sds[k] * scipy.stats.norm.ppf(np.clip(share, 1e-15, 1 - 1e-15))
    return np.sort(found, axis=1)


class Component(NamedTuple):
    """Something that may explain: ``level`` is population, controls or a grouping."""

    level: str
    term: str
    variance: float
    """Variance of its input over the rows."""

    @property
    def label(self) -> str:
        """Name along the dimension of the shares."""
        return f"{self.level}: {self.term}"


def variance_components(design: Design) -> tuple[Component, ...]:
    """Name everything the variance is shared among; nothing without the R2D2M2 prior."""
    if design.equation.priors.r2d2m2 is None:
        return ()
    human, social = design.capitals
    own = {
        names.HUMAN_CAPITAL: human,
        names.SOCIAL_CAPITAL: social,
        names.INTERACTION: human * social,
    }
    inputs = own | dict(zip(design.equation.entering, design.predictors.T, strict=True))
    level = design.structure.level
    found = [
        Component(names.POPULATION, term, _variance(inputs[term]))
        for term in population_terms(design)
        if term != level
    ]
    found += [
        Component(names.CONTROLS, name, _variance(design.controls[:, k]))
        for k, name in enumerate(design.control_names)
    ]
    found += [
        Component(grouping.name, term, 1.0 if term == level else _variance(inputs[term]))
        for grouping in design.groupings
        for term in grouping.terms
    ]
    return tuple(found)


def _variance(values: NDArray[np.float64]) -> float:
    """Variance of what is known."""
    return float(values[np.isfinite(values)].var())


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


def drawn_before(design: Design, capital: str) -> str | None:
    """The other capital, on which a latent one rests where it is measured, and drawn before it."""
    other = next(name for name in CAPITALS if name != capital)
    later = design.is_latent(other) and CAPITALS.index(other) > CAPITALS.index(capital)
    return None if later or other not in design.analysis.constructs else other


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


def model_coords(design: Design) -> dict[str, Any]:
    """Name every coordinate of the model."""
    coords: dict[str, Any] = {
        names.ROW: design.labels(names.ROW),
        design.variable(names.TERM): population_terms(design),
        design.variable(names.CONTROL): design.control_names,
    }
    if design.levels:
        pairs = zip(design.levels[:-1], design.levels[1:], strict=True)
        coords[design.variable(names.CUTPOINT)] = [f"{low} | {high}" for low, high in pairs]
    for control in monotonic_controls(design):
        coords[f"{design.variable(names.steps(control.name))}_step"] = control.steps
    for grouping in design.groupings:
        coords[names.group_dim(grouping.name)] = grouping.labels
        term = design.variable(names.group_term(grouping.name))
        coords |= {term: grouping.terms, f"{term}_other": grouping.terms}
    parts = variance_components(design)
    if parts:
        coords[design.variable(names.COMPONENT)] = [part.label for part in parts]
    return coords


def measurement_coords(design: Design) -> dict[str, Any]:
    """Name the indicators of latent capitals, and what else bears on them."""
    coords: dict[str, Any] = {names.ROW: design.labels(names.ROW)}
    for capital in latent_capitals(design):
        items = design.items(capital)
        coords[names.item_dim(capital)] = items.columns
        coords[f"{names.item_dim(capital)}_continuous"] = [
            items.columns[k] for k in items.continuous
        ]
        coords[names.background_dim(capital)] = tuple(design.background)
        coords[names.CLUSTER] = design.group_labels(names.CLUSTER)
    return coords
