"""Results as flat tables of raw numbers, for spreadsheets and other programs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from pydantic import BaseModel

from bayescluster.report.fit_tables import fit_tables
from bayescluster.report.flat import RawTable, Value, flat, table, table_of
from bayescluster.report.folds_raw import folds_tables
from bayescluster.report.tradition_tables import (
    cause_tables,
    ceiling_model_tables,
    ceiling_tables,
    curve_tables,
    sensitivity_tables,
    set_raw_tables,
    weakest_tables,
)
from bayescluster.results.checklist import ChecklistItem
from bayescluster.results.claims import Reading
from bayescluster.results.comparison import (
    FormCorner,
    FormRow,
    FormVerdict,
    LeftOutCluster,
)
from bayescluster.results.corners import CornerRow
from bayescluster.results.facts import (
    CaseRow,
    Coefficient,
    DepartureRow,
    InformedPrior,
    Loading,
    Measured,
    SandwichRow,
    ShareRow,
)
from bayescluster.results.gate import Attempt, Reason
from bayescluster.results.identification import Contraction, CornerWeight
from bayescluster.results.learning import (
    DominanceRow,
    MatrixRow,
    MediatedRow,
    PathRow,
    SensitivityRow,
    TippingRow,
)
from bayescluster.results.model import (
    CheckItem,
    DifferenceRow,
    EffectRow,
    EquationResults,
    PredictiveRow,
    ResidualRow,
    Results,
    Verdict,
    VerdictFigure,
)
from bayescluster.results.sample import GroupRow


def raw_tables(results: Results) -> tuple[RawTable, ...]:
    """Every table of the results, unrounded; those without rows keep their headings."""
    return (
        *_effects(results),
        *_verdicts(results),
        *_model(results),
        *_checks(results),
        table_of("groups", GroupRow, results.sample.groups),
        _readings(results),
        *_several(results),
        *ceiling_tables(results),
        *_of_forms(results),
        *ceiling_model_tables(results),
        *cause_tables(results.causes),
        *(set_raw_tables(results.sets) if results.sets else ()),
        *_measurement(results.measurement.capitals if results.measurement else ()),
        *sensitivity_tables(results.sensitivity),
        *(weakest_tables(results.weakest_node) if results.weakest_node else ()),
        *fit_tables(results),
        *folds_tables(results.folds),
    )


def _effects(results: Results) -> Iterator[RawTable]:
    """Tables of the effects of the capitals, and of the corners of their plane."""
    yield table_of("effects", EffectRow, results.effects)
    yield table_of("differences", DifferenceRow, results.differences)
    corners = (
        {name: getattr(found, name) for name in LEVELS} | flat(row)
        for found in results.corners
        for row in found.rows
    )
    yield table("corners", CornerRow, corners, LEVELS)


def _verdicts(results: Results) -> Iterator[RawTable]:
    """Tables of the claims: verdicts, what they would be at other cut-offs, and their figures."""
    yield table_of("verdicts", Verdict, results.verdicts)
    yield from curve_tables(results.verdict_curves)
    figures = (
        {name: getattr(verdict, name) for name in CLAIM} | flat(figure)
        for verdict in results.verdicts
        for figure in verdict.figures
    )
    yield table("verdict_figures", VerdictFigure, figures, CLAIM)


def _model(results: Results) -> Iterator[RawTable]:
    """Tables of the coefficients, and of the cases behind their priors."""
    coefficients = _by_equation(results, lambda one: one.model.coefficients)
    yield table("coefficients", Coefficient, coefficients, EQUATION)
    cases = results.model.cases
    yield table_of("case_priors", InformedPrior, cases.priors if cases else ())
    yield table_of("cases", CaseRow, cases.cases if cases else ())


def _checks(results: Results) -> Iterator[RawTable]:
    """Tables of what bears on how far the results can be trusted."""
    checklist, variance, weighting = results.checklist, results.variance, results.weighting
    yield table_of("checklist", ChecklistItem, checklist.items if checklist else ())
    yield table_of("variance", ShareRow, variance.rows if variance else ())
    yield table_of("sandwich", SandwichRow, weighting.rows if weighting else ())
    predictive = _by_equation(results, lambda one: one.predictive)
    yield table("predictive", PredictiveRow, predictive, EQUATION)
    yield table_of("checks", CheckItem, results.gate.items)
    yield table_of("reasons", Reason, results.gate.reasons)
    yield table_of("attempts", Attempt, results.attempts)


def _readings(results: Results) -> RawTable:
    """Table of what each tradition says of each claim, with the words of the claim before it."""
    found = (
        flat(reading) | {"words": row.words}
        for row in (results.claims.rows if results.claims else ())
        for reading in row.readings
    )
    return table("readings", Reading, found, ("words",))


def _of_forms(results: Results) -> Iterable[RawTable]:
    """Tables of the comparison of several forms, and of what the data say of one form."""
    found, known = results.comparison, results.model.identification
    if found is not None:
        yield table_of("forms", FormRow, found.forms)
        yield table_of("form_corners", FormCorner, found.corners)
        yield table_of("form_verdicts", FormVerdict, found.verdicts)
        yield table_of("form_clusters", LeftOutCluster, found.clusters)
    if known is not None:
        yield table_of("contractions", Contraction, known.contractions)
        yield table_of("gate_firms", CornerWeight, known.corners)


def _measurement(capitals: Iterable[Measured]) -> Iterator[RawTable]:
    """Loadings, background and departures of latent capitals."""
    parts: dict[str, type[BaseModel]] = {
        "loadings": Loading,
        "background": Coefficient,
        "departures": DepartureRow,
    }
    known = tuple(capitals)
    for name, kind in parts.items():
        found = (
            {"capital": one.capital, **flat(row)} for one in known for row in getattr(one, name)
        )
        yield table(f"measurement_{name}", kind, found, ("capital",))


def _by_equation(
    results: Results, part: Callable[[Results | EquationResults], Iterable[BaseModel]]
) -> Iterator[dict[str, Value]]:
    """Rows of the equation in focus, then of those beside it, each with its equation."""
    parts: tuple[Results | EquationResults, ...] = (results, *results.others)
    for one in parts:
        for row in part(one):
            yield {"equation": one.model.equation, **flat(row)}


def _several(results: Results) -> tuple[RawTable, ...]:
    """Tables of what several equations add; none where there is one."""
    if not results.others:
        return ()
    found = results.learning
    return (
        table(
            "equation_effects",
            EffectRow,
            (
                {"equation": one.model.equation, **flat(row)}
                for one in results.others
                for row in one.effects
            ),
            EQUATION,
        ),
        table_of("residuals", ResidualRow, results.residuals),
        table_of("learning_matrix", MatrixRow, found.matrix if found else ()),
        table_of("learning_dominance", DominanceRow, found.dominance if found else ()),
        table_of("learning_paths", PathRow, found.paths if found else ()),
        table_of("learning_shares", MediatedRow, found.mediated if found else ()),
        table_of("learning_sensitivity", SensitivityRow, found.sensitivity if found else ()),
        table_of("learning_tipping", TippingRow, found.tipping if found else ()),
    )


EQUATION = ("equation",)
"""What tells the equation of a row."""


CLAIM = ("kind", "title", "by", "group", "scope", "region")
"""What tells the verdict of a figure."""


LEVELS = ("scope", "at_least", "declared", "human_low", "human_high", "social_low", "social_high")
"""What tells the levels of a corner."""
