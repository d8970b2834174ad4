"""The design: an analysis and its firms as named arrays, ready for any model.

One `xarray.Dataset` holds all arrays; everything else follows from it and the analysis, so a design
that is saved and opened again is the same design.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from pydantic import TypeAdapter

from bayescluster.dataset.values import label_of
from bayescluster.design.graph import causal_order
from bayescluster.design.parts import ControlPart, Details, Grouping, Items, Scaling, Weights
from bayescluster.families import FAMILIES, Family, Rows, bar_of
from bayescluster.names import (
    AVERAGING_WEIGHT,
    CAPITAL,
    CENTER,
    CLUSTER_WEIGHT,
    CONTROL,
    CONTROL_BASE,
    CONTROL_CAPITAL,
    CONTROLS,
    DETAILS,
    FIRM_CODE,
    HUMAN_CAPITAL,
    INTERCEPT,
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
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.base import Scalar
from bayescluster.spec.equation import Equation
from bayescluster.structures import STRUCTURES, Structure

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Design:
    """Named arrays of one equation: rows, groups, standardised inputs, outcome.

    Attributes
    ----------
    analysis
        The whole analysis.
    data
        Arrays of the equation.
    equation_name
        The equation; the one in focus without it.
    others
        Designs of the other equations of the analysis, in causal order; only the design in focus
        carries them. Their rows are the same.
    template
        The design that this one has other data than. What was settled from its data holds here too:
        how groups are sampled, and the units of what has missing cells.
    """

    analysis: Analysis
    data: xr.Dataset
    equation_name: str = ""
    others: tuple[Design, ...] = ()
    template: Design | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Take the equation in focus where none is named."""
        object.__setattr__(self, "equation_name", self.equation_name or self.analysis.equation_name)

    @property
    def equation(self) -> Equation:
        """The equation as asked for."""
        return self.analysis.equations[self.equation_name]

    @property
    def equations(self) -> tuple[Design, ...]:
        """All equations of the analysis, in causal order."""
        order = causal_order(self.analysis.equations)
        return tuple(sorted((*self.others, self), key=lambda each: order.index(each.equation_name)))

    def turned_to(self, name: str) -> Design:
        """Design of another equation of the analysis, which then carries the rest."""
        found = {each.equation_name: replace(each, others=()) for each in self.equations}
        template = None if self.template is None else self.template.turned_to(name)
        return replace(found.pop(name), others=tuple(found.values()), template=template)

    def reaching(self, level: Scalar | None) -> Design:
        """The same, asked for the probability that the outcome is at least a level."""
        if level is None or level == self.equation.at_least:
            return self
        asked = self.equation.model_copy(update={"at_least": level})
        equations = {**self.analysis.equations, self.equation_name: asked}
        return replace(self, analysis=self.analysis.model_copy(update={"equations": equations}))

    def variable(self, name: str) -> str:
        """Name of a variable or dimension of the model that belongs to this equation alone."""
        return name if len(self.analysis.equations) == 1 else f"{self.equation_name}_{name}"

    @property
    def family(self) -> Family:
        """The likelihood family."""
        return FAMILIES[self.equation.family]

    @property
    def structure(self) -> Structure:
        """The structural form."""
        return STRUCTURES[self.equation.form]

    @property
    def terms(self) -> tuple[str, ...]:
        """Coefficients: those of the form, then one for each predictor."""
        return (*self.structure.terms, *self.equation.predictors)

    @property
    def predictors(self) -> Array:
        """Outcomes of other equations that enter this one, ``(row, predictor)``; NaN if missing."""
        return self._array(PREDICTORS)

    @property
    def link(self) -> str:
        """Scale on which a form mixes expectations; an ordinal outcome has none of its own."""
        return "identity" if self.levels else self.family.link

    @cached_property
    def details(self) -> Details:
        """Facts of the sample."""
        stored = json.loads(self.data.attrs[DETAILS])
        return TypeAdapter(Details).validate_python(stored)

    @property
    def size(self) -> int:
        """Number of rows."""
        return int(self.data.sizes[ROW])

    @property
    def outcome(self) -> Array:
        """Outcome, ``(row,)``; ordinal levels as codes; NaN where missing."""
        return self._array(OUTCOME)

    @property
    def bar(self) -> Array | None:
        """Least outcome that is at least the level asked for, ``(row,)``; None where none is."""
        level = self.equation.at_least
        if level is None:
            return None
        if self.levels:
            return np.full(self.size, float(self.levels.index(label_of(level))))
        return bar_of(self.family, float(level), self.units)

    @property
    def quantity(self) -> str:
        """What a level of the outcome is of, in words."""
        equation = self.equation
        if equation.trials is not None:
            return f"{equation.outcome} as a share of {equation.trials}"
        over = f" per unit of {equation.exposure}" if equation.exposure is not None else ""
        return f"{equation.outcome}{over}"

    @property
    def units(self) -> Array:
        """Trials or exposure of each row, ``(row,)``; 1 where there are neither."""
        trials = self.rows.trials
        return np.exp(self.offset) if trials is None else trials

    @property
    def reported(self) -> Array:
        """Outcome on the scale of its expectation, ``(row,)``; NaN where missing.

        Successes as a share of trials, counts per unit of exposure; where a level is asked for,
        whether it is reached.
        """
        bar = self.bar
        if bar is None:
            return self.outcome / self.units
        return np.where(self.answered, self.outcome >= bar, np.nan)

    @property
    def answered(self) -> NDArray[np.bool_]:
        """Rows whose outcome is known, ``(row,)``."""
        return ~np.isnan(self.outcome)

    @property
    def is_complete(self) -> bool:
        """Whether nothing is missing that enters this equation."""
        parts = (self.outcome, *self.capitals, self.controls, self.predictors)
        return not any(np.isnan(part).any() for part in parts)

    @property
    def answers(self) -> Array:
        """The outcomes that are known, ``(answered row,)``."""
        return self.outcome[self.answered]

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

    def is_latent(self, capital: str) -> bool:
        """Whether a capital is measured in the model."""
        return items(capital) in self.data

    def items(self, capital: str) -> Items:
        """Answers that measure a latent capital."""
        levels = tuple(int(count) for count in self.data[item_levels(capital)].to_numpy())
        return Items(self.labels(item_dim(capital)), self._array(items(capital)), levels)

    @property
    def background(self) -> dict[str, Array]:
        """Controls of all equations that bear on latent capitals, ``(row,)`` each.

        Products with a capital are left out: a capital cannot bear on itself. So are controls with
        missing cells, whose imputation rests on the capitals.
        """
        return {
            name: each.controls[:, position]
            for each in self.equations
            for position, name in enumerate(each.control_names)
            if not each.data[CONTROL_CAPITAL].to_numpy()[position]
            and not np.isnan(each.controls[:, position]).any()
        }

    @property
    def has_scores(self) -> bool:
        """Whether the analysis measures capitals at all."""
        return bool(self.analysis.constructs)

    @property
    def has_capitals(self) -> bool:
        """Whether the capitals enter the model."""
        return self.structure.terms != (INTERCEPT,)

    def is_binary(self, capital: str) -> bool:
        """Whether a capital is measured by a 0/1 column."""
        return any(m.binary for m in self.details.measures if m.capital == capital)

    @property
    def control_names(self) -> tuple[str, ...]:
        """Names of the coded controls."""
        return self.labels(CONTROL)

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

    @cached_property
    def groupings(self) -> tuple[Grouping, ...]:
        """Groupings with varying effects, in the order of the analysis."""
        from bayescluster.design.groupings import groupings

        return groupings(self) if self.template is None else self.template.groupings

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


def details_text(details: Details) -> str:
    """Write details as text that a netCDF attribute can hold."""
    return json.dumps(_plain(details))


def _plain(value: Any) -> Any:
    if hasattr(value, "_asdict"):
        return {name: _plain(item) for name, item in value._asdict().items()}
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def design_tree(design: Design) -> xr.DataTree:
    """Arrays of a design as one tree, a group for each equation."""
    return xr.DataTree.from_dict({each.equation_name: each.data for each in design.equations})


def design_from(analysis: Analysis, tree: xr.DataTree) -> Design:
    """Open a design that was saved as a tree."""
    focus = analysis.equation_name
    others = tuple(
        Design(analysis, child.to_dataset(), name)
        for name, child in tree.children.items()
        if name != focus
    )
    return Design(analysis, tree[focus].to_dataset(), focus, others)
