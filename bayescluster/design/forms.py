"""An analysis of several structural forms as one analysis for each of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bayescluster.spec.analysis import Analysis
from bayescluster.spec.equation import ALL_TERMS, Equation, StructureName, VaryingTerms
from bayescluster.structures import STRUCTURES


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
    narrowed = _update(
        equation,
        structure=(form,),
        varying=_varying(equation, form),
        priors=_update(equation.priors, terms=_kept(equation.priors.terms, equation, form)),
    )
    return _update(analysis, equations={analysis.equation_name: narrowed})


def with_one_form(analysis: Analysis) -> Analysis:
    """Narrow every equation to its first form, ``all`` spelled out."""
    equations = {
        name: of_form(analysis.alone(name), equation.form).equation
        for name, equation in analysis.equations.items()
    }
    return _update(analysis, equations=equations)


def _varying(equation: Equation, form: StructureName) -> dict[str, VaryingTerms]:
    found = {}
    for grouping, varying in equation.groupings.items():
        terms = _expanded(varying.terms, equation, form)
        if not terms:
            continue
        centred = varying.centred
        if isinstance(centred, tuple):
            centred = tuple(term for term in centred if term in terms)
        correlated = varying.correlated and len(terms) > 1
        found[grouping] = _update(
            varying,
            terms=terms,
            centred=centred,
            correlated=None if varying.correlated is None else correlated,
        )
    return found


def _expanded(terms: tuple[str, ...], equation: Equation, form: StructureName) -> tuple[str, ...]:
    spelled = [
        name
        for term in terms
        for name in (STRUCTURES[form].varying if term == ALL_TERMS else (term,))
    ]
    kept = _kept(dict.fromkeys(spelled), equation, form)
    return tuple(kept)


def _kept(named: dict[str, Any], equation: Equation, form: StructureName) -> dict[str, Any]:
    """Leave out what belongs to another of the forms, and not to this one."""
    own = STRUCTURES[form].terms
    others = set(_terms(other for other in equation.structure if other != form))
    return {name: value for name, value in named.items() if name in own or name not in others}


def _terms(forms: Iterable[StructureName]) -> Iterable[str]:
    for form in forms:
        yield from STRUCTURES[form].terms


def _update[M: Any](model: M, **values: Any) -> M:
    copied: M = model.model_copy(update=values)
    return copied


def as_form(analysis: Analysis, form: StructureName) -> Analysis:
    """An analysis under a form that it may not ask for, with as much of it kept as the form has.

    Where a term varies that the form lacks, the terms that the form lets vary as a rule do. Priors of
    terms that it lacks, of one explained variance, and from cases are left out: defaults
    take their place.
    """
    equation = analysis.equation
    if form in equation.structure:
        return of_form(analysis, form)
    own = (*STRUCTURES[form].terms, *equation.predictors)
    varying = {
        name: given
        if all(term in own for term in given.terms)
        else VaryingTerms(terms=(ALL_TERMS,), correlated=given.correlated)
        for name, given in equation.groupings.items()
    }
    asked = (*equation.structure, form)
    widened = _update(
        equation,
        structure=asked,
        varying=varying,
        priors=_update(equation.priors, r2d2m2=None, from_=None),
    )
    return of_form(_update(analysis, equations={analysis.equation_name: widened}), form)
