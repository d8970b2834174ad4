"""Whether an equation fits: PSIS-LOO, LOO-PIT, calibration, and the count of predictive flags."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import xarray as xr

from bayescluster.checks.calibration import calibration, events_of, why_no_calibration
from bayescluster.checks.left_out_predictive import steps
from bayescluster.checks.loo import LeftOut, left_out, psis_loo
from bayescluster.checks.loo_pit import loo_pit, members, pit_values, why_no_pit
from bayescluster.checks.predictive import counted
from bayescluster.checks.thresholds import MISFIT_P
from bayescluster.design.record import Design
from bayescluster.model.evaluate import Draws
from bayescluster.results.fit_checks import Calibration, FitChecks, LooPit
from bayescluster.results.model import Loo, PredictiveRow

FIT_STREAM = 35
"""Keeps the random streams of these checks apart from the others."""
PIT, CALIBRATION = 1, 2
"""Keeps them apart from each other."""


class RowChecks(NamedTuple):
    """How well the rows are predicted from the others, and how their outcomes are distributed."""

    loo: Loo
    fit: FitChecks


def row_checks(
    design: Design, draws: Draws, tree: xr.DataTree, predictive: tuple[PredictiveRow, ...]
) -> RowChecks:
    """Leave every row of an equation out, once, for all checks that look at rows left out.

    Parameters
    ----------
    design, draws
        The equation, and all draws of its posterior.
    tree
        The DataTree of the fit.
    predictive
        Its posterior predictive checks.
    """
    found = left_out(design, tree)
    return RowChecks(psis_loo(design, found.scores), fit_checks(design, draws, found, predictive))


def fit_checks(
    design: Design, draws: Draws, found: LeftOut, predictive: tuple[PredictiveRow, ...]
) -> FitChecks:
    """Check the fit of one equation.

    Parameters
    ----------
    design, draws
        The equation, and all draws of its posterior.
    found
        Scores and weights of the rows left out.
    predictive
        Its posterior predictive checks.
    """
    no_pit, no_calibration = why_no_pit(design), why_no_calibration(design)
    return FitChecks(
        predictive=counted(predictive),
        alpha=MISFIT_P,
        pit=None if no_pit else _pit(design, draws, found),
        pit_reason=no_pit,
        calibration=None if no_calibration else _calibration(design, draws, found),
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
