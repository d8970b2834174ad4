"""Results as flat tables of raw numbers, for spreadsheets and other programs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from pydantic import BaseModel

from bayescluster.report.flat import RawTable, Value, flat, table
from bayescluster.report.tradition_tables import (
    cause_tables,
    ceiling_model_tables,
    ceiling_tables,
    curve_tables,
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
    CornerRow,
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
    verdicts, cases = results.verdicts, results.model.cases
    return (
        table("effects", EffectRow, map(flat, results.effects)),
        table("differences", DifferenceRow, map(flat, results.differences)),
        table(
            "corners",
            CornerRow,
            (
                {name: getattr(found, name) for name in LEVELS} | flat(row)
                for found in results.corners
                for row in found.rows
            ),
            LEVELS,
        ),
        table("verdicts", Verdict, map(flat, verdicts)),
        *curve_tables(results.verdict_curves),
        table(
            "verdict_figures",
            VerdictFigure,
            (
                {name: getattr(verdict, name) for name in CLAIM} | flat(figure)
                for verdict in verdicts
                for figure in verdict.figures
            ),
            CLAIM,
        ),
        table(
            "coefficients",
            Coefficient,
            _by_equation(results, lambda one: one.model.coefficients),
            EQUATION,
        ),
        table("case_priors", InformedPrior, map(flat, cases.priors if cases else ())),
        table("cases", CaseRow, map(flat, cases.cases if cases else ())),
        table(
            "checklist",
            ChecklistItem,
            map(flat, results.checklist.items if results.checklist else ()),
        ),
        table("variance", ShareRow, map(flat, results.variance.rows if results.variance else ())),
        table(
            "sandwich", SandwichRow, map(flat, results.weighting.rows if results.weighting else ())
        ),
        table(
            "predictive",
            PredictiveRow,
            _by_equation(results, lambda one: one.predictive),
            EQUATION,
        ),
        table("checks", CheckItem, map(flat, results.gate.items)),
        table("groups", GroupRow, map(flat, results.sample.groups)),
        table(
            "readings",
            Reading,
            (
                flat(reading) | {"words": row.words}
                for row in (results.claims.rows if results.claims else ())
                for reading in row.readings
            ),
            ("words",),
        ),
        *_several(results),
        *ceiling_tables(results),
        *_of_forms(results),
        *ceiling_model_tables(results),
        *cause_tables(results.causes),
        *(set_raw_tables(results.sets) if results.sets else ()),
        *_measurement(results.measurement.capitals if results.measurement else ()),
        *(weakest_tables(results.weakest_node) if results.weakest_node else ()),
    )


def _of_forms(results: Results) -> Iterable[RawTable]:
    """Tables of the comparison of several forms, and of what the data say of one form."""
    found, known = results.comparison, results.model.identification
    if found is not None:
        yield table("forms", FormRow, map(flat, found.forms))
        yield table("form_corners", FormCorner, map(flat, found.corners))
        yield table("form_verdicts", FormVerdict, map(flat, found.verdicts))
        yield table("form_clusters", LeftOutCluster, map(flat, found.clusters))
    if known is not None:
        yield table("contractions", Contraction, map(flat, known.contractions))
        yield table("gate_firms", CornerWeight, map(flat, known.corners))


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
        table("residuals", ResidualRow, map(flat, results.residuals)),
        table("learning_matrix", MatrixRow, map(flat, found.matrix if found else ())),
        table("learning_dominance", DominanceRow, map(flat, found.dominance if found else ())),
        table("learning_paths", PathRow, map(flat, found.paths if found else ())),
        table("learning_shares", MediatedRow, map(flat, found.mediated if found else ())),
        table(
            "learning_sensitivity", SensitivityRow, map(flat, found.sensitivity if found else ())
        ),
        table("learning_tipping", TippingRow, map(flat, found.tipping if found else ())),
    )


EQUATION = ("equation",)
"""What tells the equation of a row."""


CLAIM = ("kind", "title", "by", "group", "scope", "region")
"""What tells the verdict of a figure."""


LEVELS = ("scope", "at_least", "declared", "human_low", "human_high", "social_low", "social_high")
"""What tells the levels of a corner."""
