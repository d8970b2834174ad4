"""Figures: one file each, the table that lists them, and the functions for use in notebooks."""

from __future__ import annotations

from bayescluster.report.figures.ceiling_plot import CEILING_HUMAN, CEILING_SOCIAL, ceiling
from bayescluster.report.figures.claims_plot import CLAIMS_MATRIX, claims_matrix
from bayescluster.report.figures.comparison_plot import COMPARISON, comparison
from bayescluster.report.figures.conditional_effect_plot import (
    CONDITIONAL_EFFECT,
    conditional_effect,
)
from bayescluster.report.figures.forest_plot import HUMAN_CAPITAL, SOCIAL_CAPITAL, forest
from bayescluster.report.figures.learning_plot import LEARNING_MATRIX, learning_matrix
from bayescluster.report.figures.needed_plot import NEEDED_LEVELS, needed_levels
from bayescluster.report.figures.predictive_plot import PREDICTIVE, predictive
from bayescluster.report.figures.record import FigureError, FigureSpec
from bayescluster.report.figures.surface_plot import SURFACE, surface

__all__ = [
    "FIGURES",
    "FigureError",
    "FigureSpec",
    "ceiling",
    "claims_matrix",
    "comparison",
    "conditional_effect",
    "forest",
    "learning_matrix",
    "needed_levels",
    "predictive",
    "surface",
]

FIGURES: tuple[FigureSpec, ...] = (
    HUMAN_CAPITAL,
    SOCIAL_CAPITAL,
    SURFACE,
    CONDITIONAL_EFFECT,
    CEILING_HUMAN,
    CEILING_SOCIAL,
    NEEDED_LEVELS,
    LEARNING_MATRIX,
    PREDICTIVE,
    COMPARISON,
    CLAIMS_MATRIX,
)
