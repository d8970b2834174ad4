"""Checks of the fit, made up."""

from __future__ import annotations

import numpy as np

from bayescluster.results import fit as mf

MISFIT = "outcomes spread more than predicted (intervals are too narrow)"
RARE = "fewer than 5 rows with it, or without it"


def predictive_count(checked: int, flagged: int) -> mf.PredictiveCount:
    return mf.PredictiveCount(checked=checked, flagged=flagged, by_chance=0.02 * checked)


def pit(industries: tuple[str, ...]) -> mf.LooPit:
    at = np.linspace(0.01, 0.99, 99)
    half = 0.05 * np.sqrt(at * (1 - at)) * 2
    return mf.LooPit(
        rows=1200,
        bad=2,
        khat_threshold=0.7,
        left_out=1,
        randomised=20,
        curve=mf.PitCurve(
            at=tuple(at.tolist()),
            difference=tuple((0.08 * np.sin(2 * np.pi * at)).tolist()),
            low=tuple((-half).tolist()),
            high=tuple(half.tolist()),
            level=0.95,
        ),
        groups=(
            pit_row("all", "all", 0.0004),
            *(pit_row("industry", name, 0.21 + 0.1 * k) for k, name in enumerate(industries[:-1])),
            mf.PitRow(by="industry", group=industries[-1], rows=7, reason="fewer than 10 rows"),
        ),
    )


def pit_row(by: str, group: str, p: float) -> mf.PitRow:
    flagged = p < 0.05
    return mf.PitRow(
        by=by,
        group=group,
        rows=300,
        location=-0.31,
        spread=4.82 if flagged else 0.4,
        skewness=1.1,
        tails=0.7,
        p=p,
        adjusted=min(3 * p, 1.0),
        flagged=flagged,
        shape=MISFIT if flagged else "",
    )


def calibration(industries: tuple[str, ...]) -> mf.Calibration:
    at = np.linspace(0.05, 0.9, 40)
    return mf.Calibration(
        draws=1000,
        rows=(
            calibration_row("all", "all"),
            *(calibration_row("industry", name) for name in industries[:-1]),
            mf.CalibrationRow(
                event="yes",
                by="industry",
                group=industries[-1],
                rows=40,
                happened=3,
                reason=RARE,
            ),
        ),
        curves=(
            mf.CalibrationCurve(
                event="yes",
                predicted=tuple(at.tolist()),
                happened=tuple(np.clip(np.round(at, 1), 0, 1).tolist()),
                low=tuple((0.9 * at - 0.04).tolist()),
                high=tuple((0.95 * at + 0.07).tolist()),
            ),
        ),
    )


def calibration_row(by: str, group: str) -> mf.CalibrationRow:
    return mf.CalibrationRow(
        event="yes",
        by=by,
        group=group,
        rows=300,
        happened=101,
        predicted=0.3381,
        score=0.1912,
        left_out_score=0.1948,
        miscalibration=0.0034,
        expected=0.0041,
        discrimination=0.0355,
        uncertainty=0.2233,
        p=0.412,
        adjusted=0.824,
    )


def checks(industries: tuple[str, ...], checked: int) -> mf.FitChecks:
    return mf.FitChecks(
        predictive=predictive_count(checked, 1),
        alpha=0.05,
        pit=pit(industries),
        calibration=calibration(industries),
    )


def not_made(checked: int) -> mf.FitChecks:
    reason = "the rows were sampled by design & so on"
    return mf.FitChecks(
        predictive=predictive_count(checked, 0),
        alpha=0.05,
        pit_reason=reason,
        calibration_reason=reason,
    )
