"""Whether an equation fits: LOO-PIT, calibration, and the count of predictive flags."""

from __future__ import annotations

import numpy as np
import xarray as xr

from bayescluster.checks.calibration import calibration, events_of, why_no_calibration
from bayescluster.checks.left_out_predictive import steps
from bayescluster.checks.loo import LeftOut, left_out
from bayescluster.checks.loo_pit import loo_pit, members, pit_values, why_no_pit
from bayescluster.checks.predictive import counted
from bayescluster.checks.thresholds import MISFIT_P
from bayescluster.design.record import Design
from bayescluster.model.evaluate import Draws
from bayescluster.results.fit_checks import Calibration, FitChecks, LooPit
from bayescluster.results.model import PredictiveRow

FIT_STREAM = 35
"""Keeps the random streams of these checks apart from the others."""
PIT, CALIBRATION = 1, 2
"""Keeps them apart from each other."""


def fit_checks(
    design: Design, draws: Draws, tree: xr.DataTree, predictive: tuple[PredictiveRow, ...]
) -> FitChecks:
    """Check the fit of one equation.

    Parameters
    ----------
    design, draws
        The equation, and all draws of its posterior.
    tree
        The DataTree of the fit.
    predictive
        Its posterior predictive checks.
    """
    no_pit, no_calibration = why_no_pit(design), why_no_calibration(design)
    found = None if no_pit and no_calibration else left_out(design, tree)
    return FitChecks(
        predictive=counted(predictive),
        alpha=MISFIT_P,
        pit=_pit(design, draws, found) if found and not no_pit else None,
        pit_reason=no_pit,
        calibration=_calibration(design, draws, found) if found and not no_calibration else None,
        calibration_reason=no_calibration,
    )


def _rng(design: Design, which: int) -> np.random.Generator:
    position = [each.equation_name for each in design.equations].index(design.equation_name)
    return np.random.default_rng((design.analysis.sampling.seed, FIT_STREAM, which, position))


def _pit(design: Design, draws: Draws, found: LeftOut) -> LooPit:
    rng = _rng(design, PIT)
    values = pit_values(steps(design, draws, found.weights), rng)
    return loo_pit(values, found.scores, members(design), rng)


def _calibration(design: Design, draws: Draws, found: LeftOut) -> Calibration:
    rng = _rng(design, CALIBRATION)
    return calibration(events_of(design, draws, found), members(design), rng)
