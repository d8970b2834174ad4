"""Every dimension and variable name of the design, the model and the posterior."""

from __future__ import annotations

from typing import Final

# dimensions
CHAIN: Final = "chain"
DRAW: Final = "draw"
ROW: Final = "firm"
"""Rows of the data; where firms repeat, one label a row."""
TERM: Final = "term"
CONTROL: Final = "control"
CAPITAL: Final = "capital"
CUTPOINT: Final = "cutpoint"
LEVEL: Final = "level"
MONOTONIC: Final = "monotonic"
"""Controls whose steps are estimated."""
STEP: Final = "step"
"""Steps of all monotonic controls, one control after the other."""

# terms
INTERCEPT: Final = "intercept"
HUMAN_CAPITAL: Final = "human_capital"
SOCIAL_CAPITAL: Final = "social_capital"
INTERACTION: Final = "interaction"
NEITHER: Final = "neither"
HUMAN_ONLY: Final = "human_only"
SOCIAL_ONLY: Final = "social_only"
BOTH: Final = "both"
HUMAN_THRESHOLD: Final = "human_threshold"
HUMAN_STEEPNESS: Final = "human_steepness"
SOCIAL_THRESHOLD: Final = "social_threshold"
SOCIAL_STEEPNESS: Final = "social_steepness"
GAIN: Final = "gain"
SHARE: Final = "share"
SUBSTITUTION: Final = "substitution"

CAPITALS: Final = (HUMAN_CAPITAL, SOCIAL_CAPITAL)

# groupings with a meaning of their own
INDUSTRY: Final = "industry"
CLUSTER: Final = "cluster"
FIRM: Final = "firm"
ALL: Final = "all"
"""Label of the one group where no grouping is declared."""
WITHIN: Final = " x "
"""Stands between the columns, and the labels, of a grouping that combines two."""
OVER: Final = " over "
"""Stands between the two groups of a difference."""


def group_name(grouping: str, label: str) -> str:
    """Name a group: industries and clusters by their label, others after their column too.

    ``tier 1``; of a combination ``Furniture, tier 1``.
    """
    columns = grouping.split(WITHIN)
    if len(columns) == 1:
        return label if grouping in (ALL, INDUSTRY, CLUSTER) else f"{grouping} {label}"

    def one(text: str) -> str:
        parts = text.rsplit(WITHIN, len(columns) - 1)
        return ", ".join(map(group_name, columns, parts))

    return OVER.join(map(one, label.split(OVER)))


# design
OUTCOME: Final = "outcome"
CONTROLS: Final = "controls"
OFFSET: Final = "offset"
PREDICTOR: Final = "predictor"
PREDICTORS: Final = "predictors"
PREDICTOR_SCALE: Final = "predictor_scale"
PREDICTOR_CENTER: Final = "predictor_center"
TRIALS: Final = "trials"
STANDARD_ERROR: Final = "standard_error"
CONTROL_BASE: Final = "control_base"
CONTROL_CAPITAL: Final = "control_capital"
CENTER: Final = "capital_center"
SCALE: Final = "capital_scale"
MONOTONIC_CODE: Final = "monotonic_code"
STEP_CONTROL: Final = "step_control"
FIRM_CODE: Final = "firm_code"
ROW_WEIGHT: Final = "row_weight"
CLUSTER_WEIGHT: Final = "cluster_weight"
AVERAGING_WEIGHT: Final = "averaging_weight"
DETAILS: Final = "details"
LIKELIHOOD: Final = "likelihood"
"""Attribute of a sample of firms: how many the likelihood is of, and in what form."""
SET_CONDITION: Final = "set_condition"
SET_CONDITIONS: Final = "set_conditions"
"""Further conditions of truth tables, in the units of their columns."""

# posterior
POPULATION: Final = "population"
CUTPOINTS: Final = "cutpoints"
RESIDUAL_CORRELATION: Final = "residual_correlation"
RESIDUAL_EQUATION: Final = "residual_equation"
R2: Final = "r2"
VARIANCE_SHARE: Final = "variance_share"
COMPONENT: Final = "component"
"""Where the R2D2M2 prior is taken: explained variance, its shares, and their dimension."""


def steps(control: str) -> str:
    """Name the shares of a monotonic control's steps in its whole change, one a step."""
    return f"{control}_steps"


def group_dim(grouping: str) -> str:
    """Dimension of the groups; firms that repeat keep apart from the rows."""
    return "repeated_firm" if grouping == FIRM else grouping


def group_index(grouping: str) -> str:
    """Variable of the design: position of each row's group."""
    return f"{grouping}_index"


def group_term(grouping: str) -> str:
    """Dimension of the terms that vary by a grouping."""
    return f"{grouping}_term"


def group_sd(grouping: str) -> str:
    """Name the standard deviations of the varying effects, one a term."""
    return f"{grouping}_sd"


def group_effect(grouping: str) -> str:
    """Varying effects: deviations of each group from the population, one a term."""
    return f"{grouping}_effect"


def group_correlation(grouping: str) -> str:
    """Correlation matrix of the varying effects."""
    return f"{grouping}_correlation"


def context_term(level: str, capital: str) -> str:
    """Coefficient of the mean of a capital in what surrounds a firm: ``cluster_human_capital``."""
    return f"{level}_{capital}"


def item_dim(capital: str) -> str:
    """Dimension of the indicators of a latent capital."""
    return f"{capital}_item"


def items(capital: str) -> str:
    """Variable of the design: answers to the indicators of a latent capital."""
    return f"{capital}_items"


def item_levels(capital: str) -> str:
    """Variable of the design: levels of each indicator, 0 where it is continuous."""
    return f"{capital}_item_levels"


def item_loadings(capital: str) -> str:
    """Loadings of the indicators, per unit of the raw latent capital."""
    return f"{capital}_loading"


def item_intercepts(capital: str) -> str:
    """Intercepts of the continuous indicators."""
    return f"{capital}_item_intercept"


def item_errors(capital: str) -> str:
    """Error standard deviations of the continuous indicators."""
    return f"{capital}_item_error"


def item_thresholds(capital: str, column: str) -> str:
    """Thresholds of a binary or ordinal indicator."""
    return f"{capital}_threshold_{column}"


def raw_mean(capital: str) -> str:
    """Mean of the raw latent capital over the sample."""
    return f"{capital}_raw_mean"


def raw_sd(capital: str) -> str:
    """Standard deviation of the raw latent capital over the sample."""
    return f"{capital}_raw_sd"


def capital_cluster_sd(capital: str) -> str:
    """Standard deviation of the cluster means of a latent capital."""
    return f"{capital}_cluster_sd"


def background_dim(capital: str) -> str:
    """Dimension of the controls that bear on a latent capital."""
    return f"{capital}_background_control"


def background(capital: str) -> str:
    """Coefficients of the controls that bear on a latent capital."""
    return f"{capital}_background"


def outcome_data(equation: str) -> str:
    """Outcomes of a model that is compiled once for many of them."""
    return f"{equation}_outcome_data"


def predictor_data(equation: str) -> str:
    """Outcomes of other equations that enter a model that is compiled once for many of them."""
    return f"{equation}_predictor_data"


def answers_data(capital: str) -> str:
    """Answers that measure a latent capital, of a model that is compiled once for many of them."""
    return f"{capital}_answers_data"


def gap_data(name: str) -> str:
    """Answers of an input with missing cells, of a model that is compiled once for many of them."""
    return f"{name}_gap_data"


def control_data(equation: str) -> str:
    """Controls of a model that is compiled once for many of them, where some have missing cells."""
    return f"{equation}_control_data"


def weight_data(equation: str) -> str:
    """Weights of the rows of a model that is compiled once for many of them."""
    return f"{equation}_weight_data"


def answered_dim(equation: str) -> str:
    """Dimension of the rows whose outcome is known, where some are not."""
    return f"{equation}_answered"


def imputed(name: str) -> str:
    """Missing values of an input, one a row that lacks it."""
    return f"imputed_{name}"


def imputed_dim(name: str) -> str:
    """Dimension of the rows that lack an input."""
    return f"imputed_{name}_{ROW}"


DRAWN_AFTER: Final = "drawn_after_the_fit"
"""Attribute of variables that no chain has sampled: the convergence gate has nothing to ask of them."""


def imputation(name: str, part: str) -> str:
    """Name a part of the regression by which an input is imputed."""
    return f"imputation_{name}_{part}"


def on_other(capital: str) -> str:
    """Coefficient of the other capital on a latent one."""
    return f"{capital}_on_other"


def group_cholesky(grouping: str) -> str:
    """Cholesky factor of the correlation matrix, inside the model."""
    return f"{grouping}_cholesky"
