"""Figures: one file each, the table that lists them, and the functions for use in notebooks."""

from __future__ import annotations

from bayescluster.report.figures.ceiling_models_plot import CEILINGS, ceilings, effect_sizes
from bayescluster.report.figures.ceiling_plot import CEILING_HUMAN, CEILING_SOCIAL, ceiling
from bayescluster.report.figures.claims_plot import CLAIMS_MATRIX, claims_matrix
from bayescluster.report.figures.comparison_plot import COMPARISON, comparison
from bayescluster.report.figures.conditional_effect_plot import (
    CONDITIONAL_EFFECT,
    conditional_effect,
)
from bayescluster.report.figures.confounding_plot import CONFOUNDING, confounding
from bayescluster.report.figures.fit_plot import CALIBRATION, LOO_PIT, calibration, loo_pit
from bayescluster.report.figures.forest_plot import HUMAN_CAPITAL, SOCIAL_CAPITAL, forest
from bayescluster.report.figures.gains_plot import GAINS, gains
from bayescluster.report.figures.learning_plot import LEARNING_MATRIX, learning_matrix
from bayescluster.report.figures.needed_plot import NEEDED_LEVELS, needed_levels
from bayescluster.report.figures.predictive_plot import PREDICTIVE, predictive
from bayescluster.report.figures.record import FigureError, FigureSpec
from bayescluster.report.figures.scaled_verdicts_plot import SCALED_VERDICTS, scaled_verdicts
from bayescluster.report.figures.sensitivity_plot import SENSITIVITY, sensitivity
from bayescluster.report.figures.set_plot import SET_PLOT, set_plot
from bayescluster.report.figures.surface_plot import SURFACE, surface
from bayescluster.report.figures.verdict_curve_plot import verdict_curve, verdict_curve_figures
from bayescluster.results.model import Results

__all__ = [
    "FIGURES",
    "FigureError",
    "FigureSpec",
    "calibration",
    "ceiling",
    "ceilings",
    "claims_matrix",
    "comparison",
    "conditional_effect",
    "confounding",
    "effect_sizes",
    "figures_of",
    "forest",
    "gains",
    "learning_matrix",
    "loo_pit",
    "needed_levels",
    "predictive",
    "scaled_verdicts",
    "sensitivity",
    "set_plot",
    "surface",
    "verdict_curve",
]


def figures_of(results: Results) -> tuple[FigureSpec, ...]:
    """Every figure that may be drawn of some results: those below, and one for each verdict curve."""
    return (*FIGURES, *verdict_curve_figures(results))


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
    LOO_PIT,
    CALIBRATION,
    COMPARISON,
    CONFOUNDING,
    SET_PLOT,
    CLAIMS_MATRIX,
    *(figure for pair in CEILINGS.values() for figure in pair),
    GAINS,
    SENSITIVITY,
    SCALED_VERDICTS,
)
