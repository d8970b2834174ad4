"""The same rows under another linear form or another likelihood, for checks beside a fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from bayescluster.arrays import Array
from bayescluster.design.record import Design
from bayescluster.families import Family
from bayescluster.names import INTERCEPT, OFFSET, OUTCOME, ROW
from bayescluster.spec.equation import Equation, StructureName, VaryingTerms
from bayescluster.spec.priors import Priors
from bayescluster.structures import STRUCTURES


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
    terms = STRUCTURES[form].terms
    known = {*terms, *equation.predictors, *design.control_names}
    changed = _update(
        equation,
        structure=(form,),
        varying={
            name: VaryingTerms(terms=_varying(varying.terms, design, terms))
            for name, varying in equation.groupings.items()
        },
        priors=_update(
            equation.priors,
            terms={name: p for name, p in equation.priors.terms.items() if name in known},
        ),
    )
    return _with_equation(design, changed)


def _varying(varying: tuple[str, ...], design: Design, terms: tuple[str, ...]) -> tuple[str, ...]:
    slopes = tuple(term for term in terms if term != INTERCEPT)
    predictors = design.equation.predictors
    if not design.structure.is_linear and set(varying) - {INTERCEPT, *predictors}:
        kept = slopes
    else:
        kept = tuple(term for term in varying if term in slopes)
    return (INTERCEPT, *kept, *(term for term in varying if term in predictors))


def with_common_slopes(design: Design) -> Design:
    """Let the intercepts of the groupings vary and nothing else."""
    equation = design.equation
    varying = {name: VaryingTerms(terms=(INTERCEPT,)) for name in equation.groupings}
    return _with_equation(design, _update(equation, varying=varying))


def under(
    design: Design, record: Family, outcome: Callable[[Array], Array] | None, same_scale: bool
) -> Recast:
    """Put a design under another likelihood.

    Parameters
    ----------
    design
        The design.
    record
        The family.
    outcome
        Transforms the outcome first. Exposure then divides it, and its logarithm enters no more.
    same_scale
        Whether coefficients are on the scale they were on. If not, priors that the analysis states
        for them are replaced by the defaults; those of the likelihood's parameters always are.
    """
    stated = design.equation.priors
    priors = _update(stated, family={}, from_=None) if same_scale else Priors()
    changed = _with_equation(design, _update(design.equation, priors=priors))
    data = changed.data
    if outcome is not None:
        values = outcome(design.outcome / np.exp(design.offset))
        data = data.assign({OUTCOME: (ROW, values), OFFSET: (ROW, np.zeros(design.size))})
    return recast(replace(changed, data=data), record)


def _with_equation(design: Design, equation: Equation) -> Design:
    equations = {**design.analysis.equations, design.equation_name: equation}
    return replace(design, analysis=_update(design.analysis, equations=equations))


def _update(value: Any, **changes: Any) -> Any:
    return value.model_copy(update=changes)
