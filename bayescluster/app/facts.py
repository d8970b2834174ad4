"""Facts of the sample, the model, its priors and its fit, for the report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

import numpy as np
import xarray as xr

from bayescluster.arrays import Array
from bayescluster.checks.calibration import (
    bars_of,
    calibration,
    events_of,
    loo_pit,
    members,
    pit_values,
    steps,
    why_no_calibration,
    why_no_pit,
)
from bayescluster.checks.loo import LeftOut, left_out, psis_loo, relative_efficiency
from bayescluster.checks.predictive import counted
from bayescluster.checks.thresholds import MISFIT_P
from bayescluster.dataset.cases import (
    LEVELS,
    SHARES,
    CodedCase,
    CodedCases,
    human_level,
    social_level,
)
from bayescluster.dataset.values import as_number, label_of
from bayescluster.design.record import Design
from bayescluster.estimands.diagnostics import estimate, estimates
from bayescluster.estimands.scopes import declared_groups
from bayescluster.model.evaluate import Draws
from bayescluster.model.priors import (
    ModelPriors,
    case_priors,
    default_priors,
    model_priors,
    population_terms,
    prior_text,
    scale_of,
    variance_components,
)
from bayescluster.names import (
    CAPITALS,
    CHAIN,
    CLUSTER,
    COMPONENT,
    DRAW,
    INDUSTRY,
    R2,
    VARIANCE_SHARE,
)
from bayescluster.results.facts import (
    CaseFacts,
    CaseRow,
    Coefficient,
    Dropped,
    GroupingFacts,
    GroupRow,
    Identification,
    ImputedCells,
    Indicator,
    InformedPrior,
    MeasureFacts,
    MissingPattern,
    ModelFacts,
    OutcomeFacts,
    SampleFacts,
    SharedVariance,
    ShareRow,
)
from bayescluster.results.fit import FitChecks, LooPit
from bayescluster.results.model import Loo, PredictiveRow
from bayescluster.structures.arithmetic import natural

SHARED = "R2D2M2: a share of the explained variance"
"""Said of the prior of a slope, control or group sd that R2D2M2 takes the place of."""


def outcome_facts(design: Design) -> OutcomeFacts:
    """What the outcome is, and what its expectation is called."""
    equation, levels = design.equation, design.levels
    column, wanted = equation.outcome, equation.at_least
    if wanted is not None:
        label = f"probability that {design.quantity} is at least {label_of(wanted)}"
    else:
        label = {
            "probability": f"probability of {column}",
            "share": f"expected share ({column})",
            "rate": f"expected {column}",
            "mean": f"mean {column}",
            "level": f"mean level of {column}",
        }[design.family.scale]
        if levels:
            label += f" ({ends_of(design)})"
        if equation.exposure is not None:
            label += f" per unit of {equation.exposure}"
    return OutcomeFacts(
        column=column,
        family=design.family.name,
        scale="probability" if wanted is not None else design.family.scale,
        label=label,
        levels=levels,
        at_least=None if wanted is None else label_of(wanted),
    )


def ends_of(design: Design) -> str:
    """Lowest and highest level of an ordinal outcome: ``1 to 5``, or ``1 = never, 5 = always``."""
    values, levels = design.level_values, design.levels
    if all(as_number(level) is not None for level in levels):
        return f"{levels[0]} to {levels[-1]}"
    return f"{values[0]:g} = {levels[0]}, {values[-1]:g} = {levels[-1]}"


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
        if design.has_both
        else None,
    )


def _group_rows(design: Design) -> tuple[GroupRow, ...]:
    data = design.analysis.data
    cluster, industry = design.index(CLUSTER), design.index(INDUSTRY)
    names = design.group_labels(INDUSTRY)
    nested = data.industry is not None and not data.crossed
    rows = []
    for groups in declared_groups(design):
        of_industry = groups.by == "cluster" and nested
        for k, label in enumerate(groups.labels):
            members, weights = groups.members[:, k], groups.weights[:, k]
            human, social = (
                _mean(values, weights) if capital in design.present else None
                for capital, values in zip(CAPITALS, design.capitals, strict=True)
            )
            rows.append(
                GroupRow(
                    by=groups.by,
                    group=label,
                    industry=names[industry[members][0]] if of_industry else None,
                    clusters=int(np.unique(cluster[members]).size),
                    rows=int(members.sum()),
                    outcome_mean=_observed_mean(design, members),
                    human_capital=human,
                    social_capital=social,
                )
            )
    return tuple(rows)


def _mean(values: Array, weights: Array) -> float | None:
    """Weighted mean of the values that are not missing."""
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
    weights = np.ones(design.size) if design.weights is None else design.weights.average
    weights = weights[members]
    if design.bar is not None or design.levels:
        return float(np.average(design.reported[members], weights=weights))
    return float(weights @ design.outcome[members] / (weights @ design.units[members]))


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


def model_facts(
    design: Design, posterior: Draws, identification: Identification | None = None
) -> ModelFacts:
    """The model in words, with prior and posterior of every population parameter.

    Parameters
    ----------
    design, posterior
        The equation, and its draws.
    identification
        How far the data determine a form that is no sum.
    """
    equation = design.equation
    coefficients = _coefficients(design, posterior)
    return ModelFacts(
        equation=design.equation_name,
        link=design.family.link,
        structure=equation.form,
        formula=" + ".join(
            [design.structure.formula, *(f"b_{name} {name}" for name in equation.entering)]
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
        cases=_case_facts(design, coefficients),
        identification=identification,
    )


def _group_effect_prior(design: Design) -> str:
    if not design.groupings:
        return "No coefficient varies between groups."
    lkj = f"correlated, LKJ({design.equation.priors.correlation:g})"
    ties = "; ".join(
        f"{grouping.name}: {lkj if grouping.correlated else 'independent'}"
        for grouping in design.groupings
    )
    return f"Deviations of groups are normal around 0 with the group sds below ({ties})."


class _Parameter(NamedTuple):
    """A parameter with its prior in words, and its draws, ``(draw,)``."""

    block: Literal["population", "controls", "group sd", "family"]
    name: str
    prior: str
    draws: Array


def _coefficients(design: Design, posterior: Draws) -> tuple[Coefficient, ...]:
    priors = model_priors(design)
    parameters = [
        *_slopes(design, priors, posterior),
        *_group_sds(design, priors, posterior),
        *_of_the_family(priors, posterior),
    ]
    if not parameters:
        return ()
    draws = np.column_stack([each.draws for each in parameters])
    return tuple(
        Coefficient(block=each.block, name=each.name, prior=each.prior, estimate=estimate)
        for each, estimate in zip(parameters, estimates(draws, posterior.chains), strict=True)
    )


def _slopes(design: Design, priors: ModelPriors, posterior: Draws) -> Iterator[_Parameter]:
    """Coefficients of the form and of the controls, with the shares of ordered steps."""
    level, shared = design.structure.level, _is_shared(design)
    for term in population_terms(design):
        text = SHARED if shared and term != level else prior_text(priors.population[term])
        draws = natural(posterior.population[term], scale_of(term))
        yield _Parameter("population", term, text, draws)
    for k, (name, prior) in enumerate(priors.controls.items()):
        text = SHARED if shared else prior_text(prior)
        yield _Parameter("controls", name, text, posterior.controls[:, k])
    for name, shares in posterior.steps.items():
        for k in range(shares.shape[1]):
            step = f"{name}: share of step {k + 1}"
            yield _Parameter("controls", step, "Dirichlet(1)", shares[:, k])


def _group_sds(design: Design, priors: ModelPriors, posterior: Draws) -> Iterator[_Parameter]:
    for name, group in posterior.groups.items():
        text = SHARED if _is_shared(design) else prior_text(priors.group_sd[name])
        for k, term in enumerate(group.terms):
            yield _Parameter("group sd", f"{name}: {term}", text, group.sd[:, k])


def _of_the_family(priors: ModelPriors, posterior: Draws) -> Iterator[_Parameter]:
    """Parameters of the family, and cutpoints of an ordinal outcome."""
    for name, prior in priors.family.items():
        yield _Parameter("family", name, prior_text(prior), posterior.parameters[name][:, 0])
    for k, (mean, sd) in enumerate(priors.cutpoints):
        text = f"Normal({mean:.3g}, {sd:.3g}), ordered"
        cut = posterior.parameters["cutpoints"][:, 0, k]
        yield _Parameter("family", f"cutpoint {k + 1}", text, cut)


def _is_shared(design: Design) -> bool:
    """Whether R2D2M2 takes the place of the priors of slopes and group sds."""
    return design.equation.priors.r2d2m2 is not None


CAUTION = (
    "A few cases illustrate: they are no sample of clusters, and each rating is the judgement of "
    "whoever coded it, relative to the other cases. The prior used is therefore an assumption and not "
    "evidence from the firms of this analysis; it is part of the prior probability of every verdict "
    "too. Before leaning on a verdict, see whether it holds with the default priors."
)


def _case_facts(design: Design, coefficients: Sequence[Coefficient]) -> CaseFacts | None:
    """Priors before and after the cases, next to the posterior; None without cases."""
    source, coded = design.equation.priors.from_, design.details.cases
    if source is None or coded is None:
        return None
    return CaseFacts(
        label=coded.label,
        digest=coded.digest,
        outcome=coded.outcome,
        strength=source.strength,
        account=_account(coded, source.strength, design.has_capitals),
        caution=CAUTION,
        priors=_informed_priors(design, coefficients),
        cases=tuple(_case_row(case, design.has_capitals) for case in coded.cases),
    )


def _informed_priors(
    design: Design, coefficients: Sequence[Coefficient]
) -> tuple[InformedPrior, ...]:
    default, of_cases = default_priors(design), case_priors(design)
    used = model_priors(design).population
    stated = design.equation.priors.terms
    estimates = {row.name: row.estimate for row in coefficients if row.block == "population"}
    return tuple(
        InformedPrior(
            term=term,
            default=prior_text(default[term]),
            cases_mean=of_cases[term].mean,
            cases_sd=of_cases[term].sd,
            from_cases=prior_text(of_cases[term]),
            used=prior_text(used[term]),
            stated=term in stated,
            estimate=estimates[term],
        )
        for term in used
    )


def _case_row(case: CodedCase, capitals: bool) -> CaseRow:
    return CaseRow(
        case=case.name,
        human_capital=case.human,
        social_capital=tuple(f"{side}: {rating}" for side, rating in case.social),
        outcome=case.outcome,
        human_level=human_level(case) if capitals and case.human else None,
        social_level=social_level(case) if capitals and case.social else None,
        share=SHARES[case.outcome] if case.outcome else None,
        lacks=case.lacks,
    )


def _account(coded: CodedCases, strength: float, capitals: bool) -> str:
    """Say in two sentences how ratings became priors, with the numbers in use."""
    ratings, shares = _either(SHARES), _either(f"{100 * share:g}%" for share in SHARES.values())
    levels = _either(f"{level:+g}" if level else "0" for level in LEVELS.values())
    firms = "1 firm" if strength == 1 else f"{strength:g} firms"
    read = (
        "puts human capital, and the mean of the rated sides of social capital, at "
        f"{levels} standard deviations from the mean of the firms, and {coded.outcome}"
        if capitals
        else f"puts {coded.outcome}"
    )
    return (
        f"Each of the {len(coded.usable)} cases counts as {firms}: a rating of {ratings} {read} at a "
        f"share of {shares} of such firms. A linear regression of the "
        "logit of that share p, weighted by n p (1 - p) for n firms a case and begun from the default "
        "priors, gives mean and standard deviation of each term; the correlations between terms that it "
        "finds are dropped."
    )


def _either(texts: Iterable[str]) -> str:
    *most, last = texts
    return f"{', '.join(most)} or {last}"


RESIDUALS = {
    "identity": "the residual variance of the outcome",
    "logit": "the variance of the logistic noise of the latent outcome, pi^2 / 3",
    "probit": "the variance of the noise of the latent outcome, 1",
    "log": "a variance of 1 on the log scale, by convention",
}


def shared_variance(design: Design, tree: xr.DataTree) -> SharedVariance | None:
    """Summarise R2 and the shares, where the analysis asks for them."""
    parts = variance_components(design)
    if not parts:
        return None
    prior, posterior = (tree[name].to_dataset() for name in ("prior", "posterior"))
    chains = posterior.sizes[CHAIN]
    r2, r2_prior = (_draws(group, design.variable(R2)) for group in (posterior, prior))
    rows: tuple[ShareRow, ...] = ()
    if len(parts) > 1:
        name = design.variable(VARIANCE_SHARE)
        before = _draws(prior, name, design.variable(COMPONENT))
        after = estimates(_draws(posterior, name, design.variable(COMPONENT)), chains)
        rows = tuple(
            ShareRow(
                level=part.level,
                term=part.term,
                prior=estimate(before[:, k]),
                posterior=after[k],
            )
            for k, part in enumerate(parts)
        )
    return SharedVariance(
        residual=RESIDUALS[design.family.link],
        r2_prior=estimate(r2_prior[:, 0]),
        r2=estimates(r2, chains)[0],
        rows=rows,
    )


def _draws(group: xr.Dataset, name: str, *dims: str) -> Array:
    """Draws of a variable, ``(draw, component)``."""
    values = group[name].transpose(CHAIN, DRAW, *dims).to_numpy()
    return np.asarray(values.reshape(values.shape[0] * values.shape[1], -1), dtype="float64")


FIT_STREAM = 35
"""Keeps the random streams of these checks apart from the others."""
PIT, CALIBRATION = 1, 2
"""Keeps them apart from each other."""


class RowChecks(NamedTuple):
    """How well the rows are predicted from the others, and how their outcomes are distributed."""

    loo: Loo
    fit: FitChecks
    log_likelihood: Array
    """Of all rows together at each draw, ``(draw,)``."""


def row_checks(
    design: Design, draws: Draws, posterior: xr.Dataset, predictive: tuple[PredictiveRow, ...]
) -> RowChecks:
    """Leave every row of an equation out, once, for all checks that look at rows left out.

    Parameters
    ----------
    design, draws
        The equation, and all draws of its posterior.
    posterior
        Every variable of the fit.
    predictive
        Posterior predictive checks of the equation.
    """
    rows = left_out(design, draws, relative_efficiency(posterior), bars_of(design))
    fit = fit_checks(design, draws, rows, predictive)
    return RowChecks(psis_loo(design, rows.scores), fit, rows.log_likelihood)


def fit_checks(
    design: Design, draws: Draws, rows: LeftOut, predictive: tuple[PredictiveRow, ...]
) -> FitChecks:
    """Check the fit of one equation; see `row_checks`, whose scores and weights are ``rows``."""
    no_pit, no_calibration = why_no_pit(design), why_no_calibration(design)
    return FitChecks(
        predictive=counted(predictive),
        alpha=MISFIT_P,
        pit=None if no_pit else _pit(design, rows),
        pit_reason=no_pit,
        calibration=None
        if no_calibration
        else calibration(
            events_of(design, draws, rows), members(design), _rng(design, CALIBRATION)
        ),
        calibration_reason=no_calibration,
    )


def _pit(design: Design, rows: LeftOut) -> LooPit:
    rng = _rng(design, PIT)
    values = pit_values(steps(design, rows.reached), rng)
    return loo_pit(values, rows.scores, members(design), rng)


def _rng(design: Design, which: int) -> np.random.Generator:
    position = [each.equation_name for each in design.equations].index(design.equation_name)
    return np.random.default_rng((design.analysis.sampling.seed, FIT_STREAM, which, position))
