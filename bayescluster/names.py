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

steps: Final = "{}_steps".format
"""Name the shares of a monotonic control's steps in its whole change, one a step."""


def group_dim(grouping: str) -> str:
    """Dimension of the groups; firms that repeat keep apart from the rows."""
    return "repeated_firm" if grouping == FIRM else grouping


group_index: Final = "{}_index".format
"""Variable of the design: position of each row's group."""
group_term: Final = "{}_term".format
"""Dimension of the terms that vary by a grouping."""
group_sd: Final = "{}_sd".format
"""Name the standard deviations of the varying effects, one a term."""
group_effect: Final = "{}_effect".format
"""Varying effects: deviations of each group from the population, one a term."""
group_correlation: Final = "{}_correlation".format
"""Correlation matrix of the varying effects."""
context_term: Final = "{}_{}".format
"""Coefficient of the mean of a capital in what surrounds a firm: ``cluster_human_capital``."""
item_dim: Final = "{}_item".format
"""Dimension of the indicators of a latent capital."""
items: Final = "{}_items".format
"""Variable of the design: answers to the indicators of a latent capital."""
item_levels: Final = "{}_item_levels".format
"""Variable of the design: levels of each indicator, 0 where it is continuous."""
item_loadings: Final = "{}_loading".format
"""Loadings of the indicators, per unit of the raw latent capital."""
item_intercepts: Final = "{}_item_intercept".format
"""Intercepts of the continuous indicators."""
item_errors: Final = "{}_item_error".format
"""Error standard deviations of the continuous indicators."""
item_thresholds: Final = "{}_threshold_{}".format
"""Thresholds of a binary or ordinal indicator."""
raw_mean: Final = "{}_raw_mean".format
"""Mean of the raw latent capital over the sample."""
raw_sd: Final = "{}_raw_sd".format
"""Standard deviation of the raw latent capital over the sample."""
capital_cluster_sd: Final = "{}_cluster_sd".format
"""Standard deviation of the cluster means of a latent capital."""
background_dim: Final = "{}_background_control".format
"""Dimension of the controls that bear on a latent capital."""
background: Final = "{}_background".format
"""Coefficients of the controls that bear on a latent capital."""
outcome_data: Final = "{}_outcome_data".format
"""Outcomes of a model that is compiled once for many of them."""
predictor_data: Final = "{}_predictor_data".format
"""Outcomes of other equations that enter a model that is compiled once for many of them."""
answers_data: Final = "{}_answers_data".format
"""Answers that measure a latent capital, of a model that is compiled once for many of them."""
gap_data: Final = "{}_gap_data".format
"""Answers of an input with missing cells, of a model that is compiled once for many of them."""
control_data: Final = "{}_control_data".format
"""Controls of a model that is compiled once for many of them, where some have missing cells."""
weight_data: Final = "{}_weight_data".format
"""Weights of the rows of a model that is compiled once for many of them."""
answered_dim: Final = "{}_answered".format
"""Dimension of the rows whose outcome is known, where some are not."""
imputed: Final = "imputed_{}".format
"""Missing values of an input, one a row that lacks it."""


def imputed_dim(name: str) -> str:
    """Dimension of the rows that lack an input."""
    return f"imputed_{name}_{ROW}"


DRAWN_AFTER: Final = "drawn_after_the_fit"
"""Attribute of variables that no chain has sampled: the convergence gate has nothing to ask of them."""

imputation: Final = "imputation_{}_{}".format
"""Name a part of the regression by which an input is imputed."""
on_other: Final = "{}_on_other".format
"""Coefficient of the other capital on a latent one."""
group_cholesky: Final = "{}_cholesky".format
"""Cholesky factor of the correlation matrix, inside the model."""
