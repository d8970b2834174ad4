"""Flat tables of the fit of every equation."""

from __future__ import annotations

from collections.abc import Iterator

from bayescluster.report.fit_words import equations
from bayescluster.report.flat import RawTable, Value, flat, table
from bayescluster.results.fit_checks import CalibrationRow, PitRow
from bayescluster.results.model import Results

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
