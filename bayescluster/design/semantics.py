"""Faults of an analysis that need no data to be seen, and that its form alone does not show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from bayescluster.dataset.cases import MULTIPLIED_BY as CASE_TERMS
from bayescluster.design.claims import claim_problems, level_problems
from bayescluster.design.forms import forms_of
from bayescluster.design.record import ancestors, cycle_of
from bayescluster.design.roles import RESERVED, RESERVED_COLUMNS, role_problems
from bayescluster.errors import Problem
from bayescluster.families import FAMILIES
from bayescluster.lookup import suggestion
from bayescluster.names import INTERCEPT
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.columns import ROLES, Where
from bayescluster.spec.equation import ColumnControl, Equation
from bayescluster.spec.priors import Distribution, ValueScale
from bayescluster.structures import STRUCTURES, TERMS

COLUMN_FAMILIES = {
    "trials": ("binomial",),
    "exposure": tuple(name for name, family in FAMILIES.items() if family.scale == "rate"),
    "standard_error": ("gaussian",),
    "levels": ("ordinal",),
}
"""Keys of an equation that go with some families only."""

CASE_FAMILIES = tuple(
    family.name
    for family in FAMILIES.values()
    if family.link == "logit" and family.scale == "probability"
)
"""Families whose outcome a case can be rated on: a probability, with an intercept on the logit."""

TIED_FAMILIES = ("probit", "gaussian")
"""Families whose residuals can correlate between equations."""

CLOSE = 0.8
"""Likeness from which a term was probably meant: intercept and interaction are less alike."""


def analysis_problems(analysis: Analysis, where: Where) -> Iterator[Problem]:
    """Every contradiction of an analysis with itself, but for those of its features."""
    for name in analysis.equations:
        for form in forms_of(analysis.for_equation(name)):
            yield from _equation(form, where)
    yield from role_problems(analysis, where)
    # what is wrong with equations together that is not wrong with any one of them
    unknown = list(_unknown_predictors(analysis, where))
    yield from unknown
    yield from _twice(analysis, where)
    circle = () if unknown else cycle_of(analysis.equations)
    if circle:
        yield Problem(
            f"equations feed each other in a circle: {' -> '.join(circle)}",
            where(("equations", circle[0], "predictors")),
            "leave out one of these predictors: an outcome cannot be its own cause",
        )
    if not unknown and not circle:
        yield from _tied(analysis, where)
    yield from claim_problems(analysis, where)
    if analysis.data.cluster_weight is not None and analysis.data.cluster is None:
        yield Problem(
            "cluster_weight needs clusters, but the data declare none",
            where(("data", "cluster_weight")),
            "add `cluster:` with its column under data, or leave cluster_weight out",
        )


def _equation(analysis: Analysis, where: Where) -> Iterator[Problem]:
    equation, name = analysis.equation, analysis.equation_name
    base = ("equations", name)
    for key, families in COLUMN_FAMILIES.items():
        if getattr(equation, key) not in (None, ()) and equation.family not in families:
            yield Problem(
                f"{key} goes with family {', '.join(families)}, not {equation.family}",
                where((*base, key)),
                f"leave out {key}, or change the family",
            )
    if equation.family == "binomial" and equation.trials is None:
        yield Problem(
            "family binomial needs trials", where((*base, "family")), "add `trials:` with a column"
        )
    yield from level_problems(equation, equation.at_least, where((*base, "at_least")))
    of_groups = tuple(f"{grouping}_" for grouping in equation.varying)
    if name in RESERVED or name.startswith(of_groups):
        yield Problem(
            f"an equation cannot be called '{name}'",
            where(base),
            "the model has a variable or dimension of that name: choose another",
        )
    if "cluster" in equation.contextual and analysis.data.cluster is None:
        yield Problem(
            "contextual asks for the other firms of a cluster, but the data declare none",
            where((*base, "contextual")),
            "add `cluster:` with its column under data, or leave it out",
        )
    if equation.contextual and STRUCTURES[equation.form].terms == (INTERCEPT,):
        yield Problem(
            "contextual asks for capitals, but structure 'intercept' uses neither",
            where((*base, "contextual")),
            "leave it out, or take a structure with both capitals",
        )
    yield from _varying(analysis, equation, where)
    yield from _prior_from_cases(equation, where((*base, "priors", "from")))
    yield from _priors(equation, base, where)
    yield from _shared_variance(equation, (*base, "priors"), where)


def _varying(analysis: Analysis, equation: Equation, where: Where) -> Iterator[Problem]:
    terms = (*STRUCTURES[equation.form].terms, *equation.entering)
    base = ("equations", analysis.equation_name, "varying")
    roles = {getattr(analysis.data, role): role for role in ROLES}
    for grouping, varying in equation.groupings.items():
        place = where((*base, grouping))
        if grouping in RESERVED_COLUMNS and grouping not in ROLES:
            yield Problem(
                f"effects cannot vary by a column called '{grouping}'",
                place,
                "the model has a variable or dimension of that name: rename the column",
            )
        if grouping in roles and grouping not in ROLES:
            yield Problem(
                f"'{grouping}' is the column of the {roles[grouping]}",
                place,
                f"write `{roles[grouping]}:` here",
            )
        if grouping in ROLES and getattr(analysis.data, grouping) is None:
            yield Problem(
                f"effects vary by {grouping}, but the data declare none",
                place,
                f"add `{grouping}:` with its column under data, or leave the grouping out",
            )
        for position, term in enumerate(varying.terms):
            if term not in terms:
                close = get_close_matches(term, terms, n=1, cutoff=CLOSE)
                yield Problem(
                    f"'{term}' varies by {grouping}, but structure {equation.form} has no such term",
                    where((*base, grouping, "terms", position)),
                    f"did you mean '{close[0]}'?" if close else f"its terms: {', '.join(terms)}",
                )


def _prior_from_cases(equation: Equation, place: str) -> Iterator[Problem]:
    if equation.priors.from_ is None:
        return
    if equation.family not in CASE_FAMILIES:
        yield Problem(
            f"priors from cases go with family {' or '.join(CASE_FAMILIES)}, not {equation.family}",
            place,
            "leave out `from`, or change the family",
        )
    other = [term for term in STRUCTURES[equation.form].terms if term not in CASE_TERMS]
    if other:
        yield Problem(
            f"cases cannot inform structure {equation.form}: it has the "
            f"{'term' if len(other) == 1 else 'terms'} {', '.join(other)}",
            place,
            f"leave out `from`, or take a structure made of {', '.join(CASE_TERMS)}",
        )


def _priors(equation: Equation, base: tuple[str, str], where: Where) -> Iterator[Problem]:
    parameters = [parameter.name for parameter in FAMILIES[equation.family].parameters]
    for name in equation.priors.family:
        if name not in parameters:
            yield Problem(
                f"family {equation.family} has no parameter '{name}'",
                where((*base, "priors", "family", name)),
                suggestion(name, parameters) or "leave it out",
            )
    scales: dict[str, ValueScale] = {
        parameter.name: parameter.scale for parameter in FAMILIES[equation.family].parameters
    }
    stated = {name: prior for name, prior in equation.priors.family.items() if name in scales}
    yield from _of_other_values(stated, scales, (*base, "priors", "family"), where)
    if "sigma" in equation.priors.family and equation.standard_error is not None:
        yield Problem(
            "a prior is given for sigma, but standard_error takes its place",
            where((*base, "priors", "family", "sigma")),
            "leave out one of the two",
        )
    if "cutpoints" in equation.priors.model_fields_set and equation.family != "ordinal":
        yield Problem(
            f"cutpoints go with family ordinal, not {equation.family}",
            where((*base, "priors", "cutpoints")),
            "leave it out",
        )
    for name in equation.priors.group_sd:
        if name not in equation.varying:
            yield Problem(
                f"a prior is given for the groups of '{name}', but no effect varies by it",
                where((*base, "priors", "group_sd", name)),
                suggestion(name, equation.varying) or "leave it out",
            )
    scales = {
        name: TERMS[name].scale if name in TERMS else "real" for name in equation.priors.terms
    }
    yield from _of_other_values(equation.priors.terms, scales, (*base, "priors", "terms"), where)


def _of_other_values(
    priors: Mapping[str, Distribution],
    scales: Mapping[str, ValueScale],
    base: tuple[str, ...],
    where: Where,
) -> Iterator[Problem]:
    """Refuse priors of other values than their parameters can have."""
    examples = {"real": "normal", "positive": "half_normal", "share": "beta"}
    values = {"real": "any number", "positive": "numbers above 0", "share": "0 to 1"}
    for name, prior in priors.items():
        scale = scales[name]
        if prior.scale_of_values != scale:
            yield Problem(
                f"the prior of '{name}' is {prior.distribution}, but it can be {values[scale]}",
                where((*base, name)),
                f"take another distribution, such as {examples[scale]}",
            )


def _shared_variance(equation: Equation, path: tuple[str, ...], where: Where) -> Iterator[Problem]:
    """Refuse R2D2M2 for a form that is not linear, with priors of its parts, or without parts."""
    priors = equation.priors
    if priors.r2d2m2 is None:
        return
    form = STRUCTURES[equation.form]
    if not form.is_linear:
        linear = ", ".join(
            name
            for name, other in STRUCTURES.items()
            if other.is_linear and other.capitals == form.capitals
        )
        yield Problem(
            f"r2d2m2 divides the variance among linear terms, and structure {form.name} is not linear",
            where((*path, "r2d2m2")),
            f"leave it out, or take one of: {linear}",
        )
        return
    own: dict[tuple[str, ...], str] = {
        ("terms", name): f"for '{name}'" for name in priors.terms if name != form.level
    }
    if priors.controls is not None:
        own[("controls",)] = "for the controls"
    own |= {("group_sd", name): f"for the groups of '{name}'" for name in priors.group_sd}
    for key, what in own.items():
        yield Problem(
            f"a prior is given {what}, but r2d2m2 takes its place",
            where((*path, *key)),
            "leave out one of the two",
        )
    if len(form.terms) == 1 and not equation.controls and not equation.varying:
        yield Problem(
            "r2d2m2 has nothing to divide: the model has no slope, control or varying effect",
            where((*path, "r2d2m2")),
            "leave it out",
        )


def _unknown_predictors(analysis: Analysis, where: Where) -> Iterator[Problem]:
    for name, equation in analysis.equations.items():
        others = [other for other in analysis.equations if other != name]
        for position, predictor in enumerate(equation.predictors):
            if predictor not in others:
                yield Problem(
                    f"the predictor '{predictor}' is not another equation of this analysis",
                    where(("equations", name, "predictors", position)),
                    suggestion(predictor, others)
                    or "a column of the data that is not explained belongs under controls",
                )


def _twice(analysis: Analysis, where: Where) -> Iterator[Problem]:
    """Refuse an outcome that enters an equation as predictor and as control, or twice."""
    for name, equation in analysis.equations.items():
        columns = {
            control.column if isinstance(control, ColumnControl) else control
            for control in equation.controls
            if isinstance(control, ColumnControl | str)
        }
        for position, predictor in enumerate(equation.predictors):
            other = analysis.equations.get(predictor)
            again = predictor in equation.predictors[:position]
            if again or (other is not None and other.outcome in columns):
                yield Problem(
                    f"'{predictor}' enters '{name}' twice",
                    where(("equations", name, "predictors", position)),
                    "list it once, under predictors",
                )


def _tied(analysis: Analysis, where: Where) -> Iterator[Problem]:
    """Find equations whose residuals cannot correlate."""
    names, place = analysis.residual_correlation, where(("residual_correlation",))
    if not names:
        return
    if len(set(names)) < 2 or len(set(names)) < len(names):
        yield Problem("residual_correlation needs two equations or more, each once", place, "")
    families = {analysis.equations[name].family for name in names}
    known = any(analysis.equations[name].standard_error is not None for name in names)
    if len(families) > 1 or not families <= set(TIED_FAMILIES) or known:
        yield Problem(
            "residuals correlate between equations of family probit, or between gaussian ones "
            f"whose errors are estimated; these are {', '.join(sorted(families))}",
            place,
            "for outcomes of 0 and 1, write `family: probit`",
        )
    for name in names:
        for other in ancestors(analysis.equations, name):
            if other in names:
                yield Problem(
                    f"the residual of '{name}' cannot correlate with that of '{other}', "
                    "which is among its predictors",
                    place,
                    "leave one of the two out: indirect effects rest on their independence",
                )
