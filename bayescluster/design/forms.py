"""Analyses and designs under one of several structural forms, or under another likelihood."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any, Final

import numpy as np

from bayescluster.arrays import Array
from bayescluster.design.record import Design
from bayescluster.families import Family
from bayescluster.names import INTERACTION, INTERCEPT, OFFSET, OUTCOME, ROW
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.equation import ALL_TERMS, Equation, StructureName, VaryingTerms
from bayescluster.spec.hypotheses import Corners, Difference
from bayescluster.spec.priors import Priors
from bayescluster.structures import STRUCTURES

DEFAULT_FORMS: Final[tuple[StructureName, ...]] = ("interaction", "conjunctive", "ces", "additive")
"""Forms behind claims about corners where the analysis names none: a sum with a product, two in which a
lack of one capital need not be made up for, and the sum itself, in which it always is."""
WITH_GATES: Final[tuple[StructureName, ...]] = ("conjunctive", "ces")
"""Forms in which a lack of one capital need not be made up for by the other."""


def with_default_forms(analysis: Analysis) -> Analysis:
    """Fill in the forms that claims about corners have to be judged by, where the file leaves them open.

    A form with gates is compared with the additive one, in which the capitals make up for each other.
    Priors that only linear forms have (one explained variance, coded cases) keep the form as it is, and
    of several equations each has one form.
    """
    equation = analysis.equation
    about_corners = any(
        isinstance(claim, Corners) or (isinstance(claim, Difference) and claim.of != "effect")
        for claim in analysis.hypotheses
    )
    linear_priors = equation.priors.r2d2m2 is not None or equation.priors.from_ is not None
    if len(analysis.equations) > 1 or not about_corners or linear_priors:
        return analysis
    forms: tuple[StructureName, ...] = equation.structure
    if "structure" not in equation.model_fields_set:
        forms = DEFAULT_FORMS
    elif len(forms) > 1 and set(forms) & set(WITH_GATES) and "additive" not in forms:
        forms = (*forms, "additive")
    if forms == equation.structure:
        return analysis
    name = analysis.equation_name
    return _update(analysis, equations={name: _update(equation, structure=forms)})


def forms_of(analysis: Analysis) -> tuple[Analysis, ...]:
    """One analysis for each structural form that is asked for, in the order of the file.

    Of several equations each has one form: they stay together.
    """
    if len(analysis.equations) > 1:
        return (with_one_form(analysis),)
    return tuple(of_form(analysis, form) for form in analysis.equation.structure)


def of_form(analysis: Analysis, form: StructureName) -> Analysis:
    """Narrow an analysis to one of its forms, ``all`` spelled out.

    Terms and priors that belong to another of the forms asked for are left out; a term that belongs
    to none of them stays, to be refused with its place in the file.
    """
    equation = analysis.equation
    # every form has an intercept that may vary, but not every one a coefficient of the population for it
    own = STRUCTURES[form].population
    narrowed = _update(
        equation,
        structure=(form,),
        varying=_varying(equation, form),
        priors=_update(equation.priors, terms=_kept(equation.priors.terms, equation, form, own)),
    )
    return _update(analysis, equations={analysis.equation_name: narrowed})


def with_one_form(analysis: Analysis) -> Analysis:
    """Narrow every equation to its first form, ``all`` spelled out."""
    equations = {
        name: of_form(analysis.for_equation(name), equation.form).equation
        for name, equation in analysis.equations.items()
    }
    return _update(analysis, equations=equations)


def as_form(analysis: Analysis, form: StructureName) -> Analysis:
    """An analysis under a form that it may not ask for, with as much of it kept as the form has.

    Where a term varies that the form lacks, the terms that the form lets vary as a rule do. Priors of
    terms that it lacks, of one explained variance, and from cases are left out: defaults
    take their place.
    """
    equation = analysis.equation
    if form in equation.structure:
        return of_form(analysis, form)
    own = (*STRUCTURES[form].terms, *equation.entering)
    varying = {
        name: given
        if all(term in own for term in given.terms)
        else VaryingTerms(terms=(ALL_TERMS,), correlated=given.correlated)
        for name, given in equation.groupings.items()
    }
    widened = _update(
        equation,
        structure=(*equation.structure, form),
        varying=varying,
        priors=_update(equation.priors, r2d2m2=None, from_=None),
    )
    return of_form(_update(analysis, equations={analysis.equation_name: widened}), form)


def _varying(equation: Equation, form: StructureName) -> dict[str, VaryingTerms]:
    groupings = {}
    for grouping, varying in equation.groupings.items():
        spelled = [
            name
            for term in varying.terms
            for name in (STRUCTURES[form].varying if term == ALL_TERMS else (term,))
        ]
        terms = _varying_terms(tuple(dict.fromkeys(spelled)), equation, form)
        if not terms:
            continue
        centred = varying.centred
        if isinstance(centred, tuple):
            centred = tuple(term for term in centred if term in terms)
        correlated = varying.correlated
        groupings[grouping] = _update(
            varying,
            terms=terms,
            centred=centred,
            correlated=None if correlated is None else correlated and len(terms) > 1,
        )
    return groupings


def _varying_terms(
    asked: tuple[str, ...], equation: Equation, form: StructureName
) -> tuple[str, ...]:
    """Terms of a grouping that a form has; its usual ones where all slopes asked for are another form's.

    Without them the form would have industries alike while the others let them differ.
    """
    kept = tuple(_kept(dict.fromkeys(asked), equation, form, STRUCTURES[form].terms))
    # an additive form is the one with a product without it: nothing takes its place
    foreign = set(asked) - set(kept) - {INTERACTION}
    through = tuple(term for term in kept if term in equation.entering)
    if foreign and set(kept) - set(through) <= {INTERCEPT}:
        return (*STRUCTURES[form].varying, *through)
    return kept


def _kept[V](
    named: dict[str, V], equation: Equation, form: StructureName, own: tuple[str, ...]
) -> dict[str, V]:
    """Leave out what belongs to another of the forms, and not to this one's ``own`` terms."""
    others = {
        term for other in equation.structure if other != form for term in STRUCTURES[other].terms
    }
    return {name: value for name, value in named.items() if name in own or name not in others}


def _update[M: Any](model: M, **values: Any) -> M:
    copied: M = model.model_copy(update=values)
    return copied


@dataclass(frozen=True)
class Recast(Design):
    """A design whose family is not (quite) that of its analysis."""

    record: Family | None = None
    """The family in its place."""

    @property
    def family(self) -> Family:
        """The likelihood family."""
        return super().family if self.record is None else self.record


def recast(design: Design, record: Family) -> Recast:
    """Give a design another family, its outcome as it is."""
    parts = {part.name: getattr(design, part.name) for part in fields(Design)}
    return Recast(**parts, record=record)


def in_form(design: Design, form: StructureName) -> Design:
    """Put a design under a linear form; what varies keeps those of its terms that the form has.

    Every grouping keeps its intercepts. Where no term of a grouping but those of a form that is no
    sum varied, the slopes vary by it in their place.
    """
    equation = design.equation
    if equation.form == form:
        return design
    terms, predictors = STRUCTURES[form].terms, equation.entering
    slopes = tuple(term for term in terms if term != INTERCEPT)
    varying = {}
    for name, grouping in equation.groupings.items():
        if not design.structure.is_linear and set(grouping.terms) - {INTERCEPT, *predictors}:
            kept = slopes
        else:
            kept = tuple(term for term in grouping.terms if term in slopes)
        through = tuple(term for term in grouping.terms if term in predictors)
        varying[name] = VaryingTerms(terms=(INTERCEPT, *kept, *through))
    priors = {
        name: prior
        for name, prior in equation.priors.terms.items()
        if name in {*terms, *predictors, *design.control_names}
    }
    changed = _update(
        equation, structure=(form,), varying=varying, priors=_update(equation.priors, terms=priors)
    )
    return design.with_equation(changed)


def with_common_slopes(design: Design) -> Design:
    """Let the intercepts of the groupings vary and nothing else."""
    varying = {name: VaryingTerms(terms=(INTERCEPT,)) for name in design.equation.groupings}
    return design.with_equation(_update(design.equation, varying=varying))


def under(
    design: Design, record: Family, outcome: Callable[[Array], Array] | None, same_scale: bool
) -> Recast:
    """Put a design under another likelihood, and its outcome, if need be, under a transform.

    Exposure then divides the outcome, and its logarithm enters no more. Unless coefficients keep the
    ``same_scale``, priors that the analysis states for them are replaced by the defaults; those of
    the likelihood's parameters always are.
    """
    stated = design.equation.priors
    priors = _update(stated, family={}, from_=None) if same_scale else Priors()
    changed = design.with_equation(_update(design.equation, priors=priors))
    data = changed.data
    if outcome is not None:
        values = outcome(design.outcome / np.exp(design.offset))
        data = data.assign({OUTCOME: (ROW, values), OFFSET: (ROW, np.zeros(design.size))})
    return recast(replace(changed, data=data), record)
