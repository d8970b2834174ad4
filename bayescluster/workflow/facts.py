"""Facts of the sample and of the model, for the report."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from bayescluster.arrays import Array
from bayescluster.dataset.values import label_of
from bayescluster.design.record import Design
from bayescluster.estimands.membership import declared_groups
from bayescluster.estimands.summary import estimates
from bayescluster.model.distributions import prior_text
from bayescluster.model.evaluate import Draws
from bayescluster.model.priors import ModelPriors, model_priors, population_terms, scale_of
from bayescluster.names import CLUSTER, INDUSTRY
from bayescluster.results.facts import (
    Coefficient,
    GroupingFacts,
    ModelFacts,
)
from bayescluster.results.sample import (
    Dropped,
    GroupRow,
    ImputedCells,
    Indicator,
    MeasureFacts,
    MissingPattern,
    OutcomeFacts,
    SampleFacts,
)
from bayescluster.structures.arithmetic import natural
from bayescluster.workflow.cases import case_facts

SHARED = "R2D2M2: a share of the explained variance"
"""Said of the prior of a slope, control or group sd that R2D2M2 takes the place of."""


def outcome_facts(design: Design) -> OutcomeFacts:
    """What the outcome is, and what its expectation is called."""
    equation = design.equation
    wanted = equation.at_least
    column = equation.outcome
    label = {
        "probability": f"probability of {column}",
        "share": f"expected share ({column})",
        "rate": f"expected {column}",
        "mean": f"mean {column}",
        "level": f"mean level of {column}",
    }[design.family.scale]
    if design.levels and wanted is None:
        label += f" (0 = {design.levels[0]}, {len(design.levels) - 1} = {design.levels[-1]})"
    if equation.exposure is not None:
        label += f" per unit of {equation.exposure}"
    if wanted is not None:
        label = f"probability that {design.quantity} is at least {label_of(wanted)}"
    return OutcomeFacts(
        column=column,
        family=design.family.name,
        scale="probability" if wanted is not None else design.family.scale,
        label=label,
        levels=design.levels,
        at_least=None if wanted is None else label_of(wanted),
    )


def sample_facts(design: Design) -> SampleFacts:
    """Which firms were analysed, and how they nest."""
    details, data = design.details, design.analysis.data
    human, social = design.capitals
    both = np.isfinite(human + social)
    return SampleFacts(
        label=details.label,
        title=details.title,
        synthetic=details.synthetic,
        rows_read=details.rows_read,
        rows=design.size,
        firms=int(design.firms.max()) + 1,
        clusters=len(design.group_labels(CLUSTER)) if data.cluster is not None else 0,
        industries=len(design.group_labels(INDUSTRY)) if data.industry is not None else 0,
        crossed=data.crossed,
        dropped=tuple(Dropped(variable=v, cluster=c, rows=n) for v, c, n in details.dropped),
        filters=details.filters,
        notes=details.notes,
        groups=_group_rows(design),
        imputed=tuple(ImputedCells(**cells._asdict()) for cells in details.imputed),
        patterns=tuple(MissingPattern(**pattern._asdict()) for pattern in details.patterns),
        capital_correlation=float(np.corrcoef(human[both], social[both])[0, 1])
        if design.has_capitals
        else None,
    )


def _group_rows(design: Design) -> tuple[GroupRow, ...]:
    cluster, industry = design.index(CLUSTER), design.index(INDUSTRY)
    names = design.group_labels(INDUSTRY)
    nested = design.analysis.data.industry is not None and not design.analysis.data.crossed
    rows = []
    for groups in declared_groups(design):
        for k, label in enumerate(groups.labels):
            members = groups.members[:, k]
            means = (
                [_mean(v, groups.weights[:, k]) for v in design.capitals]
                if design.has_capitals
                else None
            )
            rows.append(
                GroupRow(
                    by=groups.by,
                    group=label,
                    industry=names[industry[members][0]]
                    if groups.by == "cluster" and nested
                    else None,
                    clusters=int(np.unique(cluster[members]).size),
                    rows=int(members.sum()),
                    outcome_mean=_observed_mean(design, members),
                    human_capital=means[0] if means else None,
                    social_capital=means[1] if means else None,
                )
            )
    return tuple(rows)


def _mean(values: Array, weights: Array) -> float | None:
    """Weighted mean of what is known."""
    known = np.isfinite(values)
    if known.all():
        return float(weights @ values)
    total = weights[known].sum()
    return float(weights[known] @ values[known] / total) if total > 0 else None


def _observed_mean(design: Design, members: np.ndarray) -> float | None:
    """Observed mean on the scale of the expectation: a share of trials, a rate of exposure."""
    members = members & design.answered
    if not members.any():
        return None
    counted = np.ones(design.size) if design.weights is None else design.weights.average
    counted = counted[members]
    if design.bar is not None:
        return float(np.average(design.reported[members], weights=counted))
    return float(counted @ design.outcome[members] / (counted @ design.units[members]))


def measure_facts(design: Design) -> tuple[MeasureFacts, ...]:
    """How the capitals were measured."""
    return tuple(
        MeasureFacts(
            capital=measure.capital,
            method=measure.method,
            unit=measure.unit,
            center=design.scaling(measure.capital).center,
            scale=design.scaling(measure.capital).scale,
            indicators=tuple(Indicator(column=c, weight=w) for c, w in measure.weights),
            reliability=measure.reliability,
            binary=measure.binary,
        )
        for measure in design.details.measures
    )


def model_facts(design: Design, posterior: Draws) -> ModelFacts:
    """The model in words, with prior and posterior of every population parameter."""
    equation = design.equation
    coefficients = _coefficients(design, posterior)
    return ModelFacts(
        equation=design.equation_name,
        link=design.family.link,
        structure=equation.form,
        formula=" + ".join(
            [design.structure.formula, *(f"b_{name} {name}" for name in equation.predictors)]
        ),
        groupings=tuple(
            GroupingFacts(
                name=grouping.name,
                groups=len(grouping.labels),
                terms=grouping.terms,
                centred=grouping.centred,
                correlated=grouping.correlated,
            )
            for grouping in design.groupings
        ),
        coefficients=coefficients,
        group_effect_prior=_group_effect_prior(design),
        cases=case_facts(design, coefficients),
    )


def _group_effect_prior(design: Design) -> str:
    if not design.groupings:
        return "No coefficient varies between groups."
    ties = "; ".join(
        f"{grouping.name}: "
        + (
            f"correlated, LKJ({design.equation.priors.correlation:g})"
            if grouping.correlated
            else "independent"
        )
        for grouping in design.groupings
    )
    return f"Deviations of groups are normal around 0 with the group sds below ({ties})."


class _Named(NamedTuple):
    """A parameter with its prior in words, and its draws, ``(draw,)``."""

    block: str
    name: str
    prior: str
    draws: Array


def _coefficients(design: Design, posterior: Draws) -> tuple[Coefficient, ...]:
    priors = model_priors(design)
    named = [
        *_slopes(design, priors, posterior),
        *_group_sds(design, priors, posterior),
        *_parameters(priors, posterior),
    ]
    if not named:
        return ()
    found = estimates(np.column_stack([one.draws for one in named]), posterior.chains)
    return tuple(
        Coefficient.model_validate(
            {"block": one.block, "name": one.name, "prior": one.prior, "estimate": estimate}
        )
        for one, estimate in zip(named, found, strict=True)
    )


def _slopes(design: Design, priors: ModelPriors, posterior: Draws) -> Iterator[_Named]:
    """Coefficients of the form and of the controls, with the shares of ordered steps."""
    level, shared = design.structure.level, _is_shared(design)
    for term in population_terms(design):
        prior = SHARED if shared and term != level else prior_text(priors.population[term])
        draws = natural(posterior.population[term], scale_of(term))
        yield _Named("population", term, prior, draws)
    for k, (name, found) in enumerate(priors.controls.items()):
        prior = SHARED if shared else prior_text(found)
        yield _Named("controls", name, prior, posterior.controls[:, k])
    for name, shares in posterior.steps.items():
        for k in range(shares.shape[1]):
            step = f"{name}: share of step {k + 1}"
            yield _Named("controls", step, "Dirichlet(1)", shares[:, k])


def _group_sds(design: Design, priors: ModelPriors, posterior: Draws) -> Iterator[_Named]:
    for name, group in posterior.groups.items():
        prior = SHARED if _is_shared(design) else prior_text(priors.group_sd[name])
        for k, term in enumerate(group.terms):
            yield _Named("group sd", f"{name}: {term}", prior, group.sd[:, k])


def _parameters(priors: ModelPriors, posterior: Draws) -> Iterator[_Named]:
    """Parameters of the family, and cutpoints of an ordinal outcome."""
    for name, prior in priors.family.items():
        yield _Named("family", name, prior_text(prior), posterior.parameters[name][:, 0])
    cuts = _cutpoints(posterior, len(priors.cutpoints))
    for k, ((mean, sd), cut) in enumerate(zip(priors.cutpoints, cuts, strict=True)):
        text = f"Normal({mean:.3g}, {sd:.3g}), ordered"
        yield _Named("family", f"cutpoint {k + 1}", text, cut)


def _is_shared(design: Design) -> bool:
    """Whether R2D2M2 takes the place of the priors of slopes and group sds."""
    return design.equation.priors.r2d2m2 is not None


def _cutpoints(posterior: Draws, count: int) -> list[Array]:
    if not count:
        return []
    return list(posterior.parameters["cutpoints"][:, 0, :].T)
