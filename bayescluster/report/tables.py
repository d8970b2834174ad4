"""Results as flat tables of raw numbers, for spreadsheets and other programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import BaseModel

from bayescluster.features.ceiling_models.results import DistanceRow, EffectSizeRow
from bayescluster.features.ceilings.results import LeastLevel
from bayescluster.features.folds.view import folds_tables
from bayescluster.features.learning.results import (
    DominanceRow,
    MatrixRow,
    MediatedRow,
    PathRow,
    SensitivityRow,
    TippingRow,
)
from bayescluster.features.sensitivity.results import ScaledVerdict, Sensitivity
from bayescluster.features.sensitivity.results import (
    SensitivityRow as TraditionTablesSensitivityRow,
)
from bayescluster.features.verdict_curves.results import VerdictBand, VerdictCurve
from bayescluster.kit.flat import RawTable, flat, table, table_of
from bayescluster.kit.table import View
from bayescluster.kit.table import raw_tables as raw_views
from bayescluster.report.sections import SECTIONS
from bayescluster.results.facts import (
    Coefficient,
    DepartureRow,
    Loading,
    Measured,
)
from bayescluster.results.model import (
    EffectRow,
    Results,
)


def ceiling_model_tables(results: Results) -> Iterator[RawTable]:
    """Effect sizes, least capital and distances to the ceiling, by capital and model."""
    if results.ceiling_models is None:
        return
    parts: dict[str, type[BaseModel]] = {
        "effects": EffectSizeRow,
        "needed": LeastLevel,
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
        *_several(results),
        *ceiling_model_tables(results),
        *_measurement(results.measurement.capitals if results.measurement else ()),
        *sensitivity_tables(results.sensitivity),
        *folds_tables(results.folds),
        *curve_tables(results.verdict_curves),
        *raw_views(views_of(results)),
    )


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
        table_of("learning_matrix", MatrixRow, found.matrix if found else ()),
        table_of("learning_dominance", DominanceRow, found.dominance if found else ()),
        table_of("learning_paths", PathRow, found.paths if found else ()),
        table_of("learning_shares", MediatedRow, found.mediated if found else ()),
        table_of("learning_sensitivity", SensitivityRow, found.sensitivity if found else ()),
        table_of("learning_tipping", TippingRow, found.tipping if found else ()),
    )


EQUATION = ("equation",)
"""What tells the equation of a row."""
