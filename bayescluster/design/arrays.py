"""Named arrays of one equation, read from the dataset that holds them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayescluster.arrays import Array
from bayescluster.design.parts import ControlPart, Items, Scaling, Weights
from bayescluster.families import Rows
from bayescluster.names import (
    AVERAGING_WEIGHT,
    CAPITAL,
    CENTER,
    CLUSTER_WEIGHT,
    CONTROL,
    CONTROL_BASE,
    CONTROL_CAPITAL,
    CONTROLS,
    FIRM_CODE,
    HUMAN_CAPITAL,
    LEVEL,
    OFFSET,
    OUTCOME,
    PREDICTORS,
    ROW,
    ROW_WEIGHT,
    SCALE,
    SOCIAL_CAPITAL,
    STANDARD_ERROR,
    TRIALS,
    group_dim,
    group_index,
    item_dim,
    item_levels,
    items,
)


class Arrays:
    """What the data alone say, whatever is asked of them.

    Attributes
    ----------
    data
        Arrays of the equation.
    """

    data: xr.Dataset

    @property
    def size(self) -> int:
        """Number of rows."""
        return int(self.data.sizes[ROW])

    @property
    def outcome(self) -> Array:
        """Outcome, ``(row,)``; ordinal levels as codes; NaN where missing."""
        return self._array(OUTCOME)

    @property
    def answered(self) -> NDArray[np.bool_]:
        """Rows whose outcome is known, ``(row,)``."""
        return ~np.isnan(self.outcome)

    @property
    def answers(self) -> Array:
        """The outcomes that are known, ``(answered row,)``."""
        return self.outcome[self.answered]

    @property
    def predictors(self) -> Array:
        """Outcomes of other equations that enter this one, ``(row, predictor)``; NaN if missing."""
        return self._array(PREDICTORS)

    @property
    def capitals(self) -> tuple[Array, Array]:
        """Standardised human and social capital, each ``(row,)``; NaN where missing."""
        return self._array(HUMAN_CAPITAL), self._array(SOCIAL_CAPITAL)

    @property
    def controls(self) -> Array:
        """Coded controls, ``(row, control)``; NaN where missing."""
        return self._array(CONTROLS)

    @property
    def control_bases(self) -> Array:
        """Controls without the capital in them, ``(row, control)``; 0 where missing."""
        return np.nan_to_num(self._array(CONTROL_BASE))

    def control_parts(self, human: Any, social: Any, bases: Any = None) -> Iterator[ControlPart]:
        """Controls in parts that move alike, with the capitals at given levels.

        A control that is the product of something with a capital follows the capital: its column is
        that of its base times the level. Missing cells are 0: what is imputed is added to them.
        ``bases`` stand in for `control_bases`.
        """
        owners = self.data[CONTROL_CAPITAL].to_numpy()
        bases = self.control_bases if bases is None else bases
        for capital, level in (("", 1.0), (HUMAN_CAPITAL, human), (SOCIAL_CAPITAL, social)):
            mine = np.flatnonzero(owners == capital)
            if mine.size:
                yield ControlPart(mine, bases[:, mine], level)

    @property
    def control_names(self) -> tuple[str, ...]:
        """Names of the coded controls."""
        return self.labels(CONTROL)

    def is_latent(self, capital: str) -> bool:
        """Whether a capital is measured in the model."""
        return items(capital) in self.data

    def items(self, capital: str) -> Items:
        """Answers that measure a latent capital."""
        levels = tuple(int(count) for count in self.data[item_levels(capital)].to_numpy())
        return Items(self.labels(item_dim(capital)), self._array(items(capital)), levels)

    @property
    def offset(self) -> Array:
        """Log exposure, ``(row,)``."""
        return self._array(OFFSET)

    @property
    def rows(self) -> Rows:
        """Known quantities of the rows for the likelihood."""
        known = (
            self._array(name) if name in self.data else None for name in (TRIALS, STANDARD_ERROR)
        )
        return Rows(*known)

    @property
    def weights(self) -> Weights | None:
        """Survey weights, where the analysis declares any."""
        if ROW_WEIGHT not in self.data:
            return None
        clusters = self._array(CLUSTER_WEIGHT) if CLUSTER_WEIGHT in self.data else None
        return Weights(self._array(ROW_WEIGHT), self._array(AVERAGING_WEIGHT), clusters)

    @property
    def firms(self) -> NDArray[np.int64]:
        """Number of each row's firm, ``(row,)``: rows that share a firm share a number."""
        return np.asarray(self.data[FIRM_CODE].to_numpy(), dtype="int64")

    @property
    def levels(self) -> tuple[str, ...]:
        """Levels of an ordinal outcome, lowest first; empty for other families."""
        return self.labels(LEVEL) if LEVEL in self.data.coords else ()

    def labels(self, dim: str) -> tuple[str, ...]:
        """Labels along a dimension."""
        return tuple(str(label) for label in self.data[dim].to_numpy())

    def index(self, grouping: str) -> NDArray[np.int64]:
        """Position of each row's group, ``(row,)``."""
        return np.asarray(self.data[group_index(grouping)].to_numpy(), dtype="int64")

    def group_labels(self, grouping: str) -> tuple[str, ...]:
        """Labels of the groups of a grouping."""
        return self.labels(group_dim(grouping))

    def scaling(self, capital: str) -> Scaling:
        """Units of a capital."""
        at = {CAPITAL: capital}
        return Scaling(float(self.data[CENTER].loc[at]), float(self.data[SCALE].loc[at]))

    def _array(self, name: str) -> Array:
        return np.asarray(self.data[name].to_numpy(), dtype="float64")
