"""What speaks against the R2D2M2 prior in an analysis, before any data are read."""

from __future__ import annotations

from collections.abc import Iterator

from bayescluster.errors import Problem
from bayescluster.spec.columns import Where
from bayescluster.spec.equation import Equation
from bayescluster.structures import STRUCTURES


def shared_variance_problems(
    equation: Equation, base: tuple[str, str], where: Where
) -> Iterator[Problem]:
    """Refuse R2D2M2 for a form that is not linear, beside priors of its parts, or without parts."""
    priors, path = equation.priors, (*base, "priors")
    if priors.r2d2m2 is None:
        return
    form = STRUCTURES[equation.form]
    if not form.is_linear:
        linear = ", ".join(name for name, other in STRUCTURES.items() if other.is_linear)
        yield Problem(
            f"r2d2m2 shares out variance among linear terms, and structure {form.name} is not linear",
            where((*path, "r2d2m2")),
            f"leave it out, or take one of: {linear}",
        )
        return
    for name in priors.terms:
        if name != form.level:
            yield _twice(f"for '{name}'", where((*path, "terms", name)))
    if priors.controls is not None:
        yield _twice("for the controls", where((*path, "controls")))
    for name in priors.group_sd:
        yield _twice(f"for the groups of '{name}'", where((*path, "group_sd", name)))
    if len(form.terms) == 1 and not equation.controls and not equation.varying:
        yield Problem(
            "r2d2m2 has nothing to share out: the model has no slope, control or varying effect",
            where((*path, "r2d2m2")),
            "leave it out",
        )


def _twice(what: str, place: str) -> Problem:
    return Problem(
        f"a prior is given {what}, but r2d2m2 takes its place",
        place,
        "leave out one of the two",
    )
