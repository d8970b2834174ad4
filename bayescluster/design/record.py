"""The design: an analysis and its firms as named arrays, ready for any model.

One `xarray.Dataset` holds all arrays; everything else follows from it and the analysis, so a design
that is saved and opened again is the same design.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import xarray as xr

from bayescluster.arrays import Array
from bayescluster.dataset.values import label_of
from bayescluster.design.arrays import Arrays
from bayescluster.design.graph import causal_order
from bayescluster.design.parts import Details, Grouping, details_from
from bayescluster.families import FAMILIES, Family, bar_of
from bayescluster.names import CONTROL_CAPITAL, DETAILS, INTERCEPT
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.base import Scalar
from bayescluster.spec.equation import Equation
from bayescluster.structures import STRUCTURES, Structure


@dataclass(frozen=True)
class Design(Arrays):
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
    def link(self) -> str:
        """Scale on which a form mixes expectations; an ordinal outcome has none of its own."""
        return "identity" if self.levels else self.family.link

    @cached_property
    def details(self) -> Details:
        """Facts of the sample."""
        return details_from(self.data.attrs[DETAILS])

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
    def is_complete(self) -> bool:
        """Whether nothing is missing that enters this equation."""
        parts = (self.outcome, *self.capitals, self.controls, self.predictors)
        return not any(np.isnan(part).any() for part in parts)

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
    def has_capitals(self) -> bool:
        """Whether the capitals enter the model."""
        return self.structure.terms != (INTERCEPT,)

    def is_binary(self, capital: str) -> bool:
        """Whether a capital is measured by a 0/1 column."""
        return any(m.binary for m in self.details.measures if m.capital == capital)

    @cached_property
    def groupings(self) -> tuple[Grouping, ...]:
        """Groupings with varying effects, in the order of the analysis."""
        from bayescluster.design.groupings import groupings

        settled = self.template
        # of another question the template says nothing: its form lets other terms vary
        if settled is None or settled.analysis is not self.analysis:
            return groupings(self)
        return settled.groupings
