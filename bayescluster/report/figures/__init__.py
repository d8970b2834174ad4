"""Figures: one file each, the table that lists them, and the functions for use in notebooks."""

from __future__ import annotations

from bayescluster.report.figures.claims_plot import CLAIMS_MATRIX, claims_matrix
from bayescluster.report.figures.comparison_plot import COMPARISON, comparison
from bayescluster.report.figures.conditional_effect_plot import (
    CONDITIONAL_EFFECT,
    conditional_effect,
)
from bayescluster.report.figures.forest_plot import HUMAN_CAPITAL, SOCIAL_CAPITAL, forest
from bayescluster.report.figures.gains_plot import GAINS, gains
from bayescluster.report.figures.learning_plot import LEARNING_MATRIX, learning_matrix
from bayescluster.report.figures.predictive_plot import PREDICTIVE, predictive
from bayescluster.report.figures.record import FigureError, FigureSpec
from bayescluster.report.figures.surface_plot import SURFACE, surface

__all__ = [
    "FIGURES",
    "FigureError",
    "FigureSpec",
    "claims_matrix",
    "comparison",
    "conditional_effect",
    "forest",
    "gains",
    "learning_matrix",
    "predictive",
    "surface",
]

FIGURES: tuple[FigureSpec, ...] = (
    HUMAN_CAPITAL,
    SOCIAL_CAPITAL,
    SURFACE,
    CONDITIONAL_EFFECT,
    LEARNING_MATRIX,
    PREDICTIVE,
    COMPARISON,
    CLAIMS_MATRIX,
    GAINS,
)
