"""Results as flat tables of raw numbers, for spreadsheets and other programs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from pydantic import BaseModel

from bayescluster.features.causes.results import (
    Benchmark,
    CausesResults,
    CauseVerdict,
    ContrastRow,
    DegreeRow,
)
from bayescluster.features.ceiling_models.results import DistanceRow, EffectSizeRow
from bayescluster.features.ceiling_models.results import NeededRow as LeastRow
from bayescluster.features.ceilings.results import FormCeiling, NeededRow
from bayescluster.features.checklist.results import ChecklistItem
from bayescluster.features.folds.view import folds_tables
from bayescluster.features.learning.results import (
    DominanceRow,
    MatrixRow,
    MediatedRow,
    PathRow,
    SensitivityRow,
    TippingRow,
)
from bayescluster.features.likelihoods.results import LikelihoodRow
from bayescluster.features.sensitivity.results import ScaledVerdict, Sensitivity
from bayescluster.features.sensitivity.results import (
    SensitivityRow as TraditionTablesSensitivityRow,
)
from bayescluster.features.sets.view import set_raw_tables
from bayescluster.features.verdict_curves.results import VerdictBand, VerdictCurve
from bayescluster.kit.flat import RawTable, Value, flat, table, table_of
from bayescluster.kit.table import View
from bayescluster.kit.table import raw_tables as raw_views
from bayescluster.kit.words import equations
from bayescluster.report.sections import SECTIONS
from bayescluster.results.claims import CornerRow, Reading
from bayescluster.results.facts import (
    CaseRow,
    Coefficient,
    Contraction,
    CornerWeight,
    DepartureRow,
    GroupRow,
    InformedPrior,
    Loading,
    Measured,
    SandwichRow,
    ShareRow,
)
from bayescluster.results.fit import (
    Attempt,
    CalibrationRow,
    FormCorner,
    FormRow,
    FormVerdict,
    LeftOutCluster,
    PitRow,
    Reason,
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

PIT_CURVE = ("equation", "at", "difference", "low", "high")
CALIBRATION_CURVE = ("equation", "event", "predicted", "happened", "low", "high")


def fit_tables(results: Results) -> Iterator[RawTable]:
    """LOO-PIT and calibration by group, and their curves point by point; none where none was made."""
    known = tuple(equations(results))
    pits = [(name, found.pit) for name, found in known if found.pit is not None]
    curves = [(name, one.calibration) for name, one in known if one.calibration is not None]
    if pits:
        yield table(
            "fit_loo_pit",
            PitRow,
            ({"equation": name, **flat(row)} for name, pit in pits for row in pit.groups),
            ("equation",),
        )
        points: list[tuple[Value, ...]] = [
            (name, *point)
            for name, pit in pits
            for point in zip(
                pit.curve.at, pit.curve.difference, pit.curve.low, pit.curve.high, strict=True
            )
        ]
        yield RawTable("fit_loo_pit_curve", PIT_CURVE, tuple(points))
    if curves:
        yield table(
            "fit_calibration",
            CalibrationRow,
            ({"equation": name, **flat(row)} for name, one in curves for row in one.rows),
            ("equation",),
        )
        points = [
            (name, curve.event, *point)
            for name, one in curves
            for curve in one.curves
            for point in zip(curve.predicted, curve.happened, curve.low, curve.high, strict=True)
        ]
        yield RawTable("fit_calibration_curve", CALIBRATION_CURVE, tuple(points))


def ceiling_model_tables(results: Results) -> Iterator[RawTable]:
    """Effect sizes, least capital and distances to the ceiling, by capital and model."""
    if results.ceiling_models is None:
        return
    parts: dict[str, type[BaseModel]] = {
        "effects": EffectSizeRow,
        "needed": LeastRow,
        "distances": DistanceRow,
    }
    for name, kind in parts.items():
        found = (
            {"capital": one.capital, "model": fit.model, **flat(row)}
            for one in results.ceiling_models.capitals
            for fit in one.fits
            for row in getattr(fit, name)
        )
        yield table(f"ceiling_{name}", kind, found, ("capital", "model"))


def curve_tables(curves: Iterable[VerdictCurve]) -> Iterator[RawTable]:
    """Verdict curves point by point, and the runs of one verdict."""
    known = tuple(curves)
    points = (
        {name: getattr(one, name) for name in CURVE}
        | dict(zip(POINT, (cutoff, posterior, prior), strict=True))
        for one in known
        for cutoff, posterior, prior in zip(one.at, one.posterior, one.prior, strict=True)
    )
    columns = (*CURVE, *POINT)
    yield RawTable(
        "verdict_curves", columns, tuple(tuple(row[name] for name in columns) for row in points)
    )
    yield table(
        "verdict_bands",
        VerdictBand,
        (
            {name: getattr(one, name) for name in CURVE} | flat(band)
            for one in known
            for band in one.bands
        ),
        CURVE,
    )


CURVE = ("kind", "title", "by", "group", "scope", "at_least", "cutoff", "declared")
"""What tells a verdict curve."""


POINT = ("at", "posterior", "prior")
"""A point of a verdict curve."""


def ceiling_tables(results: Results) -> Iterator[RawTable]:
    """Ceilings with their bottlenecks, and the product of the capitals under other likelihoods."""
    found, others = results.ceilings, results.likelihoods
    if found is not None:
        yield table_of("ceilings", FormCeiling, found.rows)
        yield table_of("bottlenecks", NeededRow, found.bottlenecks)
    if others is not None:
        yield table_of("likelihoods", LikelihoodRow, others.rows)


def cause_tables(found: CausesResults | None) -> Iterator[RawTable]:
    """Bounds, verdicts, degrees and benchmarks of the tradition of causes."""
    if found is not None:
        yield table_of("causes_bounds", ContrastRow, found.contrasts)
        yield table_of("causes_verdicts", CauseVerdict, found.verdicts)
        yield table_of("causes_degrees", DegreeRow, found.degrees)
        yield table_of("causes_controls", Benchmark, found.benchmarks)


def views_of(results: Results) -> Iterator[View[Any]]:
    """Tables of every section that these results have, in the order of the report."""
    for section in SECTIONS:
        if section.wanted(results):
            yield from section.views(results)


def sensitivity_tables(found: Sensitivity | None) -> Iterator[RawTable]:
    """Sensitivities by block of priors, and verdicts under other powers of them."""
    if found is not None:
        yield table_of("sensitivity", TraditionTablesSensitivityRow, found.rows)
        yield table_of("scaled_verdicts", ScaledVerdict, found.verdicts)


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
        *fit_tables(results),
        *folds_tables(results.folds),
        *raw_views(views_of(results)),
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
