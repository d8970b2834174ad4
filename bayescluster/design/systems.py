"""Faults of several equations as one system: what feeds what, and whose residuals correlate."""

from __future__ import annotations

from collections.abc import Iterator

from bayescluster.design.graph import ancestors, cycle_of
from bayescluster.errors import Problem
from bayescluster.lookup import suggestion
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.columns import Where
from bayescluster.spec.equation import ColumnControl

TIED_FAMILIES = ("probit", "gaussian")
"""Families whose residuals can correlate between equations."""


def system_problems(analysis: Analysis, where: Where) -> Iterator[Problem]:
    """Find what is wrong with equations together that is not wrong with any alone."""
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


def _unknown_predictors(analysis: Analysis, where: Where) -> Iterator[Problem]:
    for name, equation in analysis.equations.items():
        others = [other for other in analysis.equations if other != name]
        for position, predictor in enumerate(equation.predictors):
            if predictor not in others:
                yield Problem(
                    f"the predictor '{predictor}' is no other equation of this analysis",
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
