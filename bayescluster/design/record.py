"""The design: an analysis and its firms as named arrays, ready for any model.

One `xarray.Dataset` holds all arrays; everything else follows from it and the analysis, so a design
that is saved and opened again is the same design.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from pydantic import TypeAdapter

from bayescluster import names
from bayescluster.arrays import Array
from bayescluster.dataset.cases import CodedCases
from bayescluster.dataset.constructs import IndicatorUnit
from bayescluster.dataset.values import label_of, values_of_levels
from bayescluster.families import FAMILIES, Family, Rows, bar_of
from bayescluster.families.record import Scale
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.base import Scalar
from bayescluster.spec.equation import Equation, VaryingTerms
from bayescluster.structures import STRUCTURES, Structure


def causal_order(equations: Mapping[str, Equation]) -> list[str]:
    """Equations in an order in which every predictor comes before what it explains.

    Raises
    ------
    graphlib.CycleError
        If equations feed each other in a circle.
    """
    before = {
        name: [other for other in equation.predictors if other in equations]
        for name, equation in equations.items()
    }
    return list(TopologicalSorter(before).static_order())


def cycle_of(equations: Mapping[str, Equation]) -> tuple[str, ...]:
    """Equations that feed each other in a circle, the first named again at the end; or none."""
    try:
        causal_order(equations)
    except CycleError as error:
        return tuple(error.args[1])
    return ()


def ancestors(equations: Mapping[str, Equation], name: str) -> tuple[str, ...]:
    """Equations that an equation rests on, directly or not, in causal order."""
    behind: set[str] = set()
    waiting = list(equations[name].predictors)
    while waiting:
        parent = waiting.pop()
        if parent not in behind:
            behind.add(parent)
            waiting += equations[parent].predictors
    return tuple(each for each in causal_order(equations) if each in behind)


class Scaling(NamedTuple):
    """Units of an input: ``original = center + scale * standardised``."""

    center: float
    scale: float


class Grouping(NamedTuple):
    """A grouping whose members have coefficients of their own."""

    name: str
    labels: tuple[str, ...]
    terms: tuple[str, ...]
    centred: tuple[str, ...]
    """Terms sampled centred; the others are non-centred."""
    correlated: bool


class Items(NamedTuple):
    """Answers that measure a latent capital, ``(row, item)``, NaN where missing.

    ``levels`` counts the levels of each item: 2 where binary, 0 where continuous.
    """

    columns: tuple[str, ...]
    values: Array
    levels: tuple[int, ...]

    @property
    def continuous(self) -> tuple[int, ...]:
        """Positions of the continuous items."""
        return tuple(k for k, levels in enumerate(self.levels) if not levels)


class ControlPart(NamedTuple):
    """Controls at some positions: their base columns ``(row, position)``, and what multiplies them."""

    positions: NDArray[np.int64]
    base: Array
    level: Any


class Weights(NamedTuple):
    """Survey weights; see `bayescluster.design.build`.

    ``rows`` multiplies the log density of each row, ``(row,)``; ``clusters`` that of the varying
    effects of each cluster, ``(cluster,)``; ``average`` is what a row counts in an average over
    firms, ``(row,)``, mean 1.
    """

    rows: Array
    average: Array
    clusters: Array | None


class Measure(NamedTuple):
    """How a capital was made: its indicators, their weights, and its reliability."""

    capital: str
    method: str
    unit: str
    weights: tuple[tuple[str, float], ...]
    reliability: float | None
    binary: bool
    units: tuple[IndicatorUnit, ...] = ()


class ImputedCells(NamedTuple):
    """Missing cells of one variable in one cluster, of so many rows."""

    variable: str
    cluster: str
    cells: int
    rows: int


class Pattern(NamedTuple):
    """Variables that are missing in the same rows, none other, and how many rows that is."""

    variables: tuple[str, ...]
    rows: int


class Details(NamedTuple):
    """Facts of the sample that reports print.

    ``dropped`` counts rows left out for a missing value, by variable and cluster; ``cases`` holds the
    coded evidence that the priors are taken from, where they are.
    """

    label: str
    title: str
    synthetic: bool
    digest: str
    rows_read: int
    dropped: tuple[tuple[str, str, int], ...]
    filters: tuple[str, ...]
    notes: tuple[str, ...]
    measures: tuple[Measure, ...]
    cases: CodedCases | None = None
    imputed: tuple[ImputedCells, ...] = ()
    """Cells that are estimated inside the model, by variable and cluster."""
    patterns: tuple[Pattern, ...] = ()
    """Which variables are missing together, and in how many rows."""


def details_text(details: Details) -> str:
    """Write details as text that a netCDF attribute can hold."""
    return json.dumps(_plain(details))


def details_from(text: str) -> Details:
    """Read details from that text."""
    return TypeAdapter(Details).validate_python(json.loads(text))


def _plain(value: Any) -> Any:
    if hasattr(value, "_asdict"):
        return {name: _plain(item) for name, item in value._asdict().items()}
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


class Arrays:
    """What the data of one equation say, whatever the analysis asks of them."""

    data: xr.Dataset

    @property
    def size(self) -> int:
        """Number of rows."""
        return int(self.data.sizes[names.ROW])

    @property
    def firms_fitted(self) -> int:
        """Rows that the likelihood is of: more than are here, where these are a sample of them."""
        return int(str(self.data.attrs.get(names.LIKELIHOOD, f"rows {self.size}")).split()[1])

    @property
    def outcome(self) -> Array:
        """Outcome, ``(row,)``; ordinal levels as codes; NaN where missing."""
        return self._array(names.OUTCOME)

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
        """What enters beside the capitals, ``(row, predictor)``; NaN if missing.

        Outcomes of other equations, then contexts: those of a latent capital by its score.
        """
        return self._array(names.PREDICTORS)

    @property
    def capitals(self) -> tuple[Array, Array]:
        """Standardised human and social capital, each ``(row,)``; NaN where missing."""
        return self._array(names.HUMAN_CAPITAL), self._array(names.SOCIAL_CAPITAL)

    @property
    def controls(self) -> Array:
        """Coded controls, ``(row, control)``; NaN where missing."""
        return self._array(names.CONTROLS)

    @property
    def control_bases(self) -> Array:
        """Controls without the capital in them, ``(row, control)``; 0 where missing."""
        return np.nan_to_num(self._array(names.CONTROL_BASE))

    def control_parts(self, human: Any, social: Any, bases: Any = None) -> Iterator[ControlPart]:
        """Controls in parts that move alike, with the capitals at given levels.

        A control that is the product of something with a capital follows the capital: its column is
        that of its base times the level. Missing cells are 0: what is imputed is added to them.
        ``bases`` stand in for `control_bases`.
        """
        owners = self.data[names.CONTROL_CAPITAL].to_numpy()
        bases = self.control_bases if bases is None else bases
        for capital, level in (
            ("", 1.0),
            (names.HUMAN_CAPITAL, human),
            (names.SOCIAL_CAPITAL, social),
        ):
            mine = np.flatnonzero(owners == capital)
            if mine.size:
                yield ControlPart(mine, bases[:, mine], level)

    @property
    def control_names(self) -> tuple[str, ...]:
        """Names of the coded controls."""
        return self.labels(names.CONTROL)

    def is_latent(self, capital: str) -> bool:
        """Whether a capital is measured in the model."""
        return names.items(capital) in self.data

    def items(self, capital: str) -> Items:
        """Answers that measure a latent capital."""
        levels = tuple(int(count) for count in self.data[names.item_levels(capital)].to_numpy())
        return Items(
            self.labels(names.item_dim(capital)), self._array(names.items(capital)), levels
        )

    @property
    def offset(self) -> Array:
        """Log exposure, ``(row,)``."""
        return self._array(names.OFFSET)

    @property
    def rows(self) -> Rows:
        """Known quantities of the rows for the likelihood."""
        columns = (names.TRIALS, names.STANDARD_ERROR)
        return Rows(*(self._array(name) if name in self.data else None for name in columns))

    @property
    def weights(self) -> Weights | None:
        """Survey weights, where the analysis declares any."""
        if names.ROW_WEIGHT not in self.data:
            return None
        clusters = self._array(names.CLUSTER_WEIGHT) if names.CLUSTER_WEIGHT in self.data else None
        return Weights(self._array(names.ROW_WEIGHT), self._array(names.AVERAGING_WEIGHT), clusters)

    @property
    def firms(self) -> NDArray[np.int64]:
        """Number of each row's firm, ``(row,)``: rows that share a firm share a number."""
        return np.asarray(self.data[names.FIRM_CODE].to_numpy(), dtype="int64")

    @property
    def levels(self) -> tuple[str, ...]:
        """Levels of an ordinal outcome, lowest first; empty for other families."""
        return self.labels(names.LEVEL) if names.LEVEL in self.data.coords else ()

    def labels(self, dim: str) -> tuple[str, ...]:
        """Labels along a dimension."""
        if dim not in self._labels:
            self._labels[dim] = tuple(str(label) for label in self.data[dim].to_numpy())
        return self._labels[dim]

    def index(self, grouping: str) -> NDArray[np.int64]:
        """Position of each row's group, ``(row,)``."""
        return np.asarray(self.data[names.group_index(grouping)].to_numpy(), dtype="int64")

    def group_labels(self, grouping: str) -> tuple[str, ...]:
        """Labels of the groups of a grouping."""
        return self.labels(names.group_dim(grouping))

    def scaling(self, capital: str) -> Scaling:
        """Units of a capital."""
        at = {names.CAPITAL: capital}
        return Scaling(
            float(self.data[names.CENTER].loc[at]), float(self.data[names.SCALE].loc[at])
        )

    def _array(self, name: str) -> Array:
        if name not in self._arrays:
            self._arrays[name] = np.asarray(self.data[name].to_numpy(), dtype="float64")
        return self._arrays[name]

    # xarray takes half a millisecond to look a name up, and averages ask for the same ones in every
    # part of the draws

    @cached_property
    def _arrays(self) -> dict[str, Array]:
        """Arrays that were read, by name."""
        return {}

    @cached_property
    def _labels(self) -> dict[str, tuple[str, ...]]:
        """Labels that were read, by dimension."""
        return {}


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
        """The equation as the analysis states it."""
        return self.analysis.equations[self.equation_name]

    @property
    def equations(self) -> tuple[Design, ...]:
        """All equations of the analysis, in causal order."""
        order = causal_order(self.analysis.equations)
        return tuple(sorted((*self.others, self), key=lambda each: order.index(each.equation_name)))

    def turned_to(self, name: str) -> Design:
        """Design of another equation of the analysis, which then carries the rest."""
        others = {each.equation_name: replace(each, others=()) for each in self.equations}
        template = None if self.template is None else self.template.turned_to(name)
        return replace(others.pop(name), others=tuple(others.values()), template=template)

    def reaching(self, level: Scalar | None) -> Design:
        """The same, which reports the probability that the outcome is at least a level."""
        if level is None or level == self.equation.at_least:
            return self
        return self.with_equation(self.equation.model_copy(update={"at_least": level}))

    def with_equation(self, equation: Equation) -> Design:
        """The same arrays under another equation."""
        equations = {**self.analysis.equations, self.equation_name: equation}
        return replace(self, analysis=self.analysis.model_copy(update={"equations": equations}))

    def variable(self, name: str) -> str:
        """Name of a variable or dimension of the model that belongs to this equation only."""
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
        """Coefficients: those of the form, then one for each predictor and context."""
        return (*self.structure.terms, *self.equation.entering)

    @property
    def link(self) -> str:
        """Scale on which a form mixes expectations; an ordinal outcome has none of its own."""
        return "identity" if self.levels else self.family.link

    def context(self, term: str) -> Array:
        """Mean of a capital in what surrounds each row, ``(row,)``; of a latent one, that of its score."""
        return self.predictors[:, self.equation.entering.index(term)]

    @cached_property
    def details(self) -> Details:
        """Facts of the sample."""
        return details_from(self.data.attrs[names.DETAILS])

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
    def level_values(self) -> Array:
        """What each level of an ordinal outcome is worth, ``(level,)``: its number, or its place."""
        return values_of_levels(self.levels)

    def rates(self, outcomes: Array) -> Array:
        """Outcomes on the scale of their expectation, ``(..., row)``: see `reported`."""
        if not self.levels:
            return np.asarray(outcomes / self.units)
        known = ~np.isnan(outcomes)
        values = self.level_values[np.where(known, outcomes, 0).astype("int64")]
        return np.where(known, values, np.nan)

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

        Successes as a share of trials, counts per unit of exposure, the value of an ordinal level;
        where a level is asked for, whether it is reached.
        """
        bar = self.bar
        if bar is None:
            return self.rates(self.outcome)
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
            if not each.data[names.CONTROL_CAPITAL].to_numpy()[position]
            and not np.isnan(each.controls[:, position]).any()
        }

    @property
    def present(self) -> tuple[str, ...]:
        """The capitals that enter the model: both, one, or none."""
        return self.structure.capitals

    @property
    def has_capitals(self) -> bool:
        """Whether any capital enters the model."""
        return bool(self.present)

    @property
    def has_both(self) -> bool:
        """Whether both capitals enter: corners, and all that compares the two, need that."""
        return self.present == names.CAPITALS

    def is_binary(self, capital: str) -> bool:
        """Whether a capital is measured by a 0/1 column."""
        return any(m.binary for m in self.details.measures if m.capital == capital)

    @cached_property
    def groupings(self) -> tuple[Grouping, ...]:
        """Groupings with varying effects, in the order of the analysis."""
        settled = self.template
        # of another question the template says nothing: its form lets other terms vary
        if settled is None or settled.analysis is not self.analysis:
            return groupings(self)
        return settled.groupings


CORRELATED_FROM = 8
"""Fewest groups whose effects are correlated: below, their correlations are nearly all prior."""

CENTRED_FROM_GROUPS = 8
CENTRED_FROM_INFORMATION = 40.0
"""Information about a group's intercept from which it is sampled centred.

In units of the link: with a group sd near the prior's 0.5 and this much information the data
outweigh the group distribution ten times, and the group's coefficient no longer leans on it.
"""

BETWEEN_AT_MOST = 0.5
"""Largest share of a capital's variance between groups with which their intercepts are centred.

Where a capital hardly varies within groups (a firm's R&D over the years), intercept and slope trade
off in every group at once, and centring the intercepts ties the slope to all of them.
"""

COUNT_CEILING = 10.0
"""Most that one count can say: overdispersion bounds its information, however large it is."""


def groupings(design: Design) -> tuple[Grouping, ...]:
    """Name the groupings of an analysis, with the choices that the data settle."""
    chosen = []
    for name, varying in design.equation.groupings.items():
        labels = design.group_labels(name)
        correlated = varying.correlated
        if correlated is None:
            enough = len(labels) >= CORRELATED_FROM and len(varying.terms) >= 2
            correlated = enough and not varying.partly_centred
        centred = _centred(design, name, varying, correlated)
        chosen.append(Grouping(name, labels, varying.terms, centred, correlated))
    return tuple(chosen)


def _centred(design: Design, name: str, varying: VaryingTerms, correlated: bool) -> tuple[str, ...]:
    """Choose the centred terms: as asked, else the intercept where its groups say much.

    Slopes are left non-centred: their sds are often near 0, where the centred form makes a funnel.
    """
    if isinstance(varying.centred, tuple):
        return varying.centred
    if varying.centred is not None:
        return varying.terms if varying.centred else ()
    index = design.index(name)
    few = int(index.max()) + 1 < CENTRED_FROM_GROUPS
    if few or correlated or names.INTERCEPT not in varying.terms:
        return ()
    if _capitals_between(design, name) > BETWEEN_AT_MOST:
        return ()
    return (names.INTERCEPT,) if information(design, name) >= CENTRED_FROM_INFORMATION else ()


def _capitals_between(design: Design, name: str) -> float:
    """Share of variance between the groups, of the capital where it is largest."""
    index, shares = design.index(name), [0.0]
    for values in design.capitals:
        filled = np.where(np.isnan(values), np.nanmean(values), values)
        means = np.bincount(index, weights=filled) / np.bincount(index)
        if filled.var() > 0:
            shares.append(float((means[index] - filled.mean()).var() / filled.var()))
    return max(shares)


def information(design: Design, name: str) -> float:
    """Information of the median group about its own intercept, on the scale of the link.

    Where intercepts vary within the group as well, the group is known no better than by the number
    of its parts.
    """
    by_row = np.where(design.answered, INFORMATION[design.family.scale](design), 0.0)
    by_group = np.bincount(design.index(name), weights=by_row)
    parts = _parts(design, name)
    return float(np.median(by_group if parts is None else np.minimum(by_group, parts)))


def _of_chance(design: Design) -> Array:
    """Information of a yes or no about its logit; a probit is a logit in other units."""
    trials = np.ones(design.size) if design.rows.trials is None else design.rows.trials
    share = float(design.answers.sum() / trials[design.answered].sum())
    return trials * share * (1 - share)


def _of_share(design: Design) -> Array:
    """One over the variance of the share, brought to the logit scale by its slope there."""
    mean, variance = design.answers.mean(), design.answers.var(ddof=1)
    return np.full(design.size, (mean * (1 - mean)) ** 2 / variance)


def _of_amount(design: Design) -> Array:
    """One over the variance of the amount, which is the unit on the identity link."""
    transform = design.family.on_link_scale
    if design.family.link == "identity" or transform is None:
        return np.ones(design.size)
    return np.full(design.size, 1 / transform(design.answers).var(ddof=1))


INFORMATION: dict[Scale, Callable[[Design], Array]] = {
    "probability": _of_chance,
    "share": _of_share,
    "rate": lambda design: np.minimum(design.outcome, COUNT_CEILING),
    "mean": _of_amount,
    "level": lambda design: np.full(design.size, 0.25),
}
"""Information of each row about its own intercept, ``(row,)``, by the scale of the outcome.

Variances are those of all rows: between groups they hold more than noise, so they err to the side
of too little information.
"""


def _parts(design: Design, name: str) -> NDArray[np.float64] | None:
    """Groups with intercepts of their own inside each group, the fewest of any finer grouping."""
    index, fewest = design.index(name), None
    for other, varying in design.equation.groupings.items():
        inner = design.index(other)
        if other == name or names.INTERCEPT not in varying.terms or inner.max() <= index.max():
            continue
        pairs = np.unique(np.stack([index, inner]), axis=1)
        if pairs.shape[1] > inner.max() + 1:
            continue  # cuts across
        count = np.bincount(pairs[0], minlength=int(index.max()) + 1).astype("float64")
        fewest = count if fewest is None else np.minimum(fewest, count)
    return fewest
