"""Figures: one file each, the table that lists them, and the functions for use in notebooks."""

from __future__ import annotations

from bayescluster.features.ceilings.view import ceiling
from bayescluster.features.learning.view import LEARNING_MATRIX, learning_matrix
from bayescluster.features.sensitivity.view import SCALED_VERDICTS, scaled_verdicts
from bayescluster.features.verdict_curves.view import verdict_curve
from bayescluster.features.weakest_node.view import GAINS, gains
from bayescluster.kit.figure import FigureError, FigureSpec
from bayescluster.report.answer import CORNERS_FIGURE, corners_figure
from bayescluster.report.effects import EFFECTS_FIGURE, effects_figure, forest
from bayescluster.report.fit_figures import (
    CALIBRATION,
    LOO_PIT,
    calibration,
    loo_pit,
    predictive,
)
from bayescluster.report.surfaces import CONDITIONAL_EFFECT, SURFACE, conditional_effect, surface

__all__ = [
    "FIGURES",
    "FigureError",
    "FigureSpec",
    "calibration",
    "ceiling",
    "conditional_effect",
    "corners_figure",
    "effects_figure",
    "forest",
    "gains",
    "learning_matrix",
    "loo_pit",
    "predictive",
    "scaled_verdicts",
    "surface",
    "verdict_curve",
]


FIGURES: tuple[FigureSpec, ...] = (
    CORNERS_FIGURE,
    EFFECTS_FIGURE,
    SURFACE,
    CONDITIONAL_EFFECT,
    LEARNING_MATRIX,
    LOO_PIT,
    CALIBRATION,
    GAINS,
    SCALED_VERDICTS,
)
