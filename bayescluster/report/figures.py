"""Figures: one file each, the table that lists them, and the functions for use in notebooks."""

from __future__ import annotations

from bayescluster.features.causes.view import CONFOUNDING, confounding
from bayescluster.features.ceiling_models.view import CEILINGS, ceilings, effect_sizes
from bayescluster.features.ceilings.view import (
    CEILING_HUMAN,
    CEILING_SOCIAL,
    NEEDED_LEVELS,
    ceiling,
    needed_levels,
)
from bayescluster.features.learning.view import LEARNING_MATRIX, learning_matrix
from bayescluster.features.sensitivity.view import SCALED_VERDICTS, scaled_verdicts, sensitivity
from bayescluster.features.sensitivity.view import SENSITIVITY_FIGURE as SENSITIVITY
from bayescluster.features.sets.view import SET_PLOT, set_plot
from bayescluster.features.verdict_curves.view import verdict_curve, verdict_curve_figures
from bayescluster.features.weakest_node.view import GAINS, gains
from bayescluster.kit.figure import FigureError, FigureSpec
from bayescluster.report.answer import CORNERS_FIGURE, corners_figure
from bayescluster.report.effects import EFFECTS_FIGURE, effects_figure, forest
from bayescluster.report.fit_figures import (
    CALIBRATION,
    LOO_PIT,
    PREDICTIVE,
    calibration,
    loo_pit,
    predictive,
)
from bayescluster.report.readings import CLAIMS_MATRIX, claims_matrix
from bayescluster.report.surfaces import CONDITIONAL_EFFECT, SURFACE, conditional_effect, surface
from bayescluster.results.model import Results

__all__ = [
    "FIGURES",
    "FigureError",
    "FigureSpec",
    "calibration",
    "ceiling",
    "ceilings",
    "claims_matrix",
    "conditional_effect",
    "confounding",
    "corners_figure",
    "effect_sizes",
    "effects_figure",
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
    CORNERS_FIGURE,
    EFFECTS_FIGURE,
    SURFACE,
    CONDITIONAL_EFFECT,
    CEILING_HUMAN,
    CEILING_SOCIAL,
    NEEDED_LEVELS,
    LEARNING_MATRIX,
    PREDICTIVE,
    LOO_PIT,
    CALIBRATION,
    CONFOUNDING,
    SET_PLOT,
    CLAIMS_MATRIX,
    *(figure for pair in CEILINGS.values() for figure in pair),
    GAINS,
    SENSITIVITY,
    SCALED_VERDICTS,
)
