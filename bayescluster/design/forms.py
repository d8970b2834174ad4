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
