"""Capitals from indicators: one score a firm, on a known scale, and the way back to answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayescluster.arrays import Array
from bayescluster.dataset.derive import TRANSFORMS, transformed
from bayescluster.dataset.values import RECODE, InputError, numbers, rows_text
from bayescluster.errors import DataError, Problem
from bayescluster.spec.columns import Where
from bayescluster.spec.data import Construct, Indicator

YES_NO = {"yes": 1.0, "no": 0.0}
FLAT = 1e-12
"""Spread, relative to the largest value, below which a column counts as constant."""
MOST_LEVELS = 12
"""An ordinal answer with more levels than this is as good as continuous."""
MAX_ITERATIONS = 2000
TOLERANCE = 1e-10

INVERSE: Final[dict[str, Callable[[float], float]]] = {
    "none": lambda x: x,
    "log": lambda x: float(np.exp(x)),
    "log1p": lambda x: float(np.expm1(x)),
    # a root is never below 0
    "sqrt": lambda x: max(x, 0.0) ** 2,
}
"""Back from what each transform of an indicator makes."""


class IndicatorUnit(NamedTuple):
    """How an indicator enters the score of its construct.

    ``turned`` says how a negative direction was reversed: the sign, or the ends of a 0/1 column.
    The indicator enters as ``(turned value - center) / scale``, times ``weight``; for ``single``
    that is the turned value itself.
    """

    column: str
    transform: str
    turned: Literal["no", "sign", "ends"]
    center: float
    scale: float
    weight: float

    def standard(self, value: float) -> float:
        """From a value of the column to what enters the score."""
        value = float(TRANSFORMS[self.transform].function(np.array([value]))[0])
        return (self._turned(value) - self.center) / self.scale

    def amount(self, standard: float) -> float:
        """From what enters the score to a value of the column."""
        return INVERSE[self.transform](self._turned(self.center + self.scale * standard))

    def _turned(self, value: float) -> float:
        """Reverse; the same again turns back."""
        return {"no": value, "sign": -value, "ends": 1 - value}[self.turned]


def raw_score(units: Sequence[IndicatorUnit], values: Mapping[str, float]) -> float:
    """Score, before it is standardised, of a firm that gave these answers."""
    return sum(unit.weight * unit.standard(values[unit.column]) for unit in units)


def amounts_at(units: Sequence[IndicatorUnit], raw: float) -> dict[str, float]:
    """Values of the indicators that a score amounts to.

    Many values have the same score. These lie on the line of the weights: for a mean every
    indicator is equally far from its own mean, for a first component as far as it says.
    """
    square = sum(unit.weight**2 for unit in units)
    return {unit.column: unit.amount(raw * unit.weight / square) for unit in units}


class Scored(NamedTuple):
    """A construct with a value for every firm; ``raw = center + scale * values``.

    Standard deviations divide by ``n - 1`` (``ddof=1``). An indicator with direction ``negative``
    is reversed first: its sign changes, or ``1 - x`` where it is 0/1.

    Attributes
    ----------
    values
        ``(firm,)``: mean 0 and standard deviation 1, except that
        a 0/1 indicator is centred only; else the raw score.
    center, scale
        Of the raw score.
    unit
        What the raw score is measured in.
    weights
        Weight in the raw score of each indicator: reversed where negative and, for ``mean``
        and ``pca``, standardised.
    reliability
        McDonald's omega for three indicators and more, Spearman-Brown for two, None for one.
    binary
        True for a single 0/1 indicator.
    missing_items
        Answers that are missing, over all firms and indicators.
    method
        How the score was made: ``single``, ``mean``, ``pca``, or ``latent``, whose score is the
        mean of the standardised answers: levels and support are read off it before the fit.
    """

    values: Array
    center: float
    scale: float
    unit: str
    weights: dict[str, float]
    reliability: float | None
    binary: bool
    missing_items: int
    method: str
    answers: Array | None = None
    """For ``latent``: answers as the model takes them, ``(firm, item)``, NaN where missing."""
    levels: tuple[int, ...] = ()
    """For ``latent``: levels of each indicator, 0 where it is continuous."""
    units: tuple[IndicatorUnit, ...] = ()
    """How each indicator enters the raw score."""


def score(
    frame: pd.DataFrame, name: str, construct: Construct, where: Where, impute: bool = False
) -> Scored:
    """Score a construct; ``frame`` holds prepared firms, its index the rows of the file from 0.

    With ``impute`` the score of a firm that answered too few indicators is left missing (NaN).

    Raises
    ------
    DataError
        If an indicator is not a number, cannot be transformed or is the same in every row; if a
        firm answered too few indicators; if the score is the same for all. All indicators at once.
    """
    base = ("constructs", name)
    items = _items(frame, construct, (*base, "indicators"), where)
    # a latent capital is known by what its firm answered, however little that is
    wanted = construct.minimum_answered or len(construct.items)
    wanted = 0 if construct.method == "latent" else wanted
    short = (~np.isnan(items)).sum(axis=1) < wanted
    if impute and short.all():
        problem = "no row has a score", where(base), "lower `minimum_answered`, or use `latent`"
        raise DataError(Problem(*problem))
    if not impute and short.any():
        raise DataError(_too_few_answers(frame.index[short], construct, wanted, where(base)))
    if construct.method == "single":
        return _single(items[:, 0], construct.items[0])
    return _combined(items, short, construct, name, where(base))


def _too_few_answers(short: pd.Index, construct: Construct, wanted: int, place: str) -> Problem:
    return Problem(
        f"{len(short)} {'row answers' if len(short) == 1 else 'rows answer'} fewer than {wanted} of "
        f"{len(construct.items)} indicators ({rows_text(short)})",
        place,
        "lower `minimum_answered`, or leave it out and set `missing: drop` under `data`"
        if construct.minimum_answered
        else "leave such rows out with `missing: drop` under `data`",
    )


def _single(raw: Array, item: Indicator) -> Scored:
    answered = raw[~np.isnan(raw)]
    binary = bool(np.isin(answered, (0.0, 1.0)).all())
    if binary:
        center, scale = float(answered.mean()), 1.0
        values = raw - center
    else:
        values, center, scale = standardise(raw)
    unit = item.column if item.transform == "none" else f"{item.transform}({item.column})"
    turned = f"{unit}, reverse-coded" if item.direction == "negative" else unit
    units = (
        IndicatorUnit(item.column, item.transform, _reversal(item.direction, raw), 0.0, 1.0, 1.0),
    )
    weights = {item.column: 1.0}
    return Scored(values, center, scale, turned, weights, None, binary, 0, "single", units=units)


def _combined(
    items: Array, short: NDArray[np.bool_], construct: Construct, name: str, place: str
) -> Scored:
    """Several indicators, ``(firm, item)``, as one score; NaN where a firm answered too few."""
    scaled = [standardise(item) for item in items.T]
    standardised = np.column_stack([each.values for each in scaled])
    correlation = correlations(standardised)
    if construct.method == "pca":
        weights, _ = first_component(correlation)
        raw, how = standardised @ weights, "first component"
    else:
        weights = np.full(len(scaled), 1 / len(scaled))
        raw, how = mean_answer(standardised), "mean"
    raw = np.where(short, np.nan, raw)
    if is_constant(np.append(raw, 0.0)) or is_constant(raw):
        raise DataError(
            Problem(
                f"the score of {name} is the same in every row: its indicators cancel out",
                place,
                "check the direction of each indicator",
            )
        )
    values, center, scale = standardise(raw)
    units = tuple(
        IndicatorUnit(
            item.column,
            item.transform,
            _reversal(item.direction, answers),
            each.center,
            each.scale,
            float(weight),
        )
        for item, answers, each, weight in zip(
            construct.items, items.T, scaled, weights, strict=True
        )
    )
    latent = construct.method == "latent"
    answers, levels = as_answers(items, construct) if latent else (None, ())
    return Scored(
        values=values,
        center=center,
        scale=scale,
        unit=f"{'latent; its score: ' * latent}{how} of {len(scaled)} standardised indicators",
        weights={unit.column: unit.weight for unit in units},
        reliability=reliability(correlation, weights),
        binary=False,
        missing_items=int(np.isnan(items).sum()),
        method=construct.method,
        answers=answers,
        levels=levels,
        units=units,
    )


def _items(
    frame: pd.DataFrame, construct: Construct, base: tuple[str | int, ...], where: Where
) -> Array:
    """Indicators as numbers, transformed and turned the same way: ``(firm, item)``."""
    columns, problems = [], []
    for position, item in enumerate(construct.items):
        try:
            columns.append(_item(frame[item.column], item))
        except InputError as error:
            problems.append(error.at(where((*base, position))))
    if problems:
        raise DataError(problems)
    return np.column_stack(columns)


def _item(series: pd.Series[Any], item: Indicator) -> Array:
    words = series.dropna()
    if all(isinstance(value, str) and value.casefold() in YES_NO for value in words):
        series = series.astype(object).map(lambda value: YES_NO[value.casefold()], "ignore")
    raw = numbers(series, f"the indicator '{item.column}'", RECODE)
    values = transformed(item.transform, item.column, raw, series.index)
    answered = values[~np.isnan(values)]
    if item.kind == "ordinal" and np.unique(answered).size > MOST_LEVELS:
        raise InputError(
            f"the ordinal indicator '{item.column}' has {np.unique(answered).size} levels, "
            f"more than {MOST_LEVELS}",
            "leave out `kind: ordinal`: so many levels are as good as continuous",
        )
    if answered.size == 0:
        raise InputError(f"no firm has a value of the indicator '{item.column}'", "leave it out")
    if is_constant(values):
        raise InputError(
            f"the indicator '{item.column}' is the same in every row ({answered[0]:g})",
            "leave it out, or check the filters",
        )
    return {"no": values, "sign": -values, "ends": 1 - values}[_reversal(item.direction, values)]


def _reversal(direction: str, values: Array) -> Literal["no", "sign", "ends"]:
    """How an indicator, ``(firm,)``, is or was reversed."""
    if direction == "positive":
        return "no"
    return "ends" if np.isin(values[~np.isnan(values)], (0.0, 1.0)).all() else "sign"


def as_answers(items: Array, construct: Construct) -> tuple[Array, tuple[int, ...]]:
    """Code answers for a latent capital: continuous ones standardised, binary and ordinal from 0.

    Answers are transformed and turned the same way, ``(firm, item)``, NaN where missing; returned
    with them is the number of levels of each item, 0 where continuous.
    """
    columns, levels = [], []
    for values, item in zip(items.T, construct.items, strict=True):
        distinct = np.unique(values[np.isfinite(values)])
        if np.isin(distinct, (0.0, 1.0)).all() or item.kind == "ordinal":
            codes = np.searchsorted(distinct, values).astype("float64")
            columns.append(np.where(np.isfinite(values), codes, np.nan))
            levels.append(distinct.size)
        else:
            columns.append(standardise(values).values)
            levels.append(0)
    return np.column_stack(columns), tuple(levels)


class Standardised(NamedTuple):
    """``raw = center + scale * values``."""

    values: Array
    center: float
    scale: float


def is_constant(values: Array) -> bool:
    """Tell whether all answered values are the same, rounding apart; True if none is answered."""
    answered = values[~np.isnan(values)]
    return bool(answered.size == 0 or np.ptp(answered) <= FLAT * np.abs(answered).max())


def standardise(values: Array) -> Standardised:
    """Put values on mean 0 and standard deviation 1 (``ddof=1``); missing ones stay missing."""
    center = float(np.nanmean(values))
    scale = float(np.nanstd(values, ddof=1))
    return Standardised((values - center) / scale, center, scale)


def correlations(items: Array) -> Array:
    """Correlations of ``(firm, item)``, each over the firms that answered both items."""
    masked = np.ma.masked_invalid(items)
    return np.asarray(np.ma.corrcoef(masked, rowvar=False).filled(np.nan), dtype=float)


def one_factor_loadings(correlation: Array) -> Array:
    """Loadings on one factor by minimum residuals.

    Iterated principal axes, whose fixed point is the minimum-residual solution (Harman and Jones
    1966); communalities are kept at or below 1, the sum of loadings at or above 0.
    """
    reduced = correlation.copy()
    off = np.abs(correlation - np.diag(np.diag(correlation)))
    communality = off.max(axis=1)
    loadings = np.sqrt(communality)
    for _ in range(MAX_ITERATIONS):
        np.fill_diagonal(reduced, communality)
        values, vectors = np.linalg.eigh(reduced)
        loadings = vectors[:, -1] * np.sqrt(max(float(values[-1]), 0.0))
        updated = np.minimum(loadings**2, 1.0)
        if np.abs(updated - communality).max() < TOLERANCE:
            break
        communality = updated
    return loadings if loadings.sum() >= 0 else -loadings


def reliability(correlation: Array, weights: Array) -> float | None:
    """Reliability of a weighted sum of standardised items with correlations ``(item, item)``.

    McDonald's omega from a one-factor fit for three items and more (McDonald 1999); for two, which
    do not identify a factor, the Spearman-Brown formula ``2 r / (1 + r)``, 0 if they correlate
    negatively. None for one item, and where a pair of items is never answered together.
    """
    count = weights.size
    if count < 2 or not np.isfinite(correlation).all():
        return None
    if count == 2:
        r = max(float(correlation[0, 1]), 0.0)
        return 2 * r / (1 + r)
    loadings = one_factor_loadings(correlation)
    common = float(weights @ loadings) ** 2
    unique = float(weights**2 @ (1 - np.minimum(loadings**2, 1.0)))
    return common / (common + unique)


def first_component(correlation: Array) -> tuple[Array, float]:
    """Weights of the first principal component, of length 1 and sum above 0, and its variance."""
    values, vectors = np.linalg.eigh(correlation)
    first = vectors[:, -1]
    return (first if first.sum() >= 0 else -first), float(values[-1])


def mean_answer(standardised: Array) -> Array:
    """Mean of the answers a firm gave, ``(firm, item) -> (firm,)``; 0 where it gave none."""
    answered = np.isfinite(standardised)
    total = np.where(answered, standardised, 0.0).sum(axis=1)
    return np.asarray(total / np.maximum(answered.sum(axis=1), 1))
