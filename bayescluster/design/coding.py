"""Controls as columns of numbers: transforms, categories, ordered levels, splines, products.

What surrounds a firm: the mean of a capital among the other firms of its cluster (claim X).

A capital enters with its own value and with that of the others, each with a coefficient, so that within a
cluster firms are compared at the same surroundings, and clusters by theirs. The mean leaves the firm itself
out, with all its rows. Of firms observed in several rows, that of the firm is the mean of its rows, itself
included (Mundlak 1978): its coefficient is then between less within firms.

Without it an effect is a blend of both, which depends on how many firms of a cluster are in the data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
import scipy
from numpy.typing import NDArray
from scipy.sparse import csr_array

from bayescluster.arrays import Array, total_by_group
from bayescluster.dataset.constructs import MOST_LEVELS
from bayescluster.dataset.derive import transformed
from bayescluster.dataset.values import (
    InputError,
    as_float,
    holds,
    is_labelled,
    label_of,
    numeric_problem,
    ordered_labels,
    sorted_labels,
    text_for,
)
from bayescluster.design.record import Design
from bayescluster.errors import Problem
from bayescluster.lookup import suggestion
from bayescluster.names import CLUSTER, FIRM, MONOTONIC, MONOTONIC_CODE, ROW, STEP, STEP_CONTROL
from bayescluster.spec.columns import Where
from bayescluster.spec.equation import ColumnControl, Control, ProductControl

FEWEST_LEVELS = 3
"""With two there is one step, and nothing to estimate about it."""
DEGREE = 3
"""Cubic: two continuous derivatives, which is as smooth as an eye can tell."""
TOLERANCE = 1e-8


class Ladder(NamedTuple):
    """Levels from lowest to highest, and the position of each row's level, ``(row,)``."""

    levels: tuple[str, ...]
    codes: NDArray[np.int64]

    @property
    def steps(self) -> tuple[str, ...]:
        """Names of the steps from one level to the next."""
        pairs = zip(self.levels[:-1], self.levels[1:], strict=True)
        return tuple(f"{low} | {high}" for low, high in pairs)


class Coded(NamedTuple):
    """One control as columns: ``values`` is ``(row, column)``; ``original = center + scale * value``.

    Where a column is the product of something with a capital, ``capital`` names it and ``base`` is
    the column without it: when an estimand sets the capital, the column must follow. A monotonic
    control holds the ladder of its levels; its one column goes from 0 to 1 in equal steps.
    """

    names: tuple[str, ...]
    values: Array
    centers: tuple[float, ...]
    scales: tuple[float, ...]
    capital: str = ""
    base: Array | None = None
    ladder: Ladder | None = None

    @property
    def factor(self) -> Array:
        """The columns without the capital in them, ``(row, column)``."""
        return self.values if self.base is None else self.base


class Coding(NamedTuple):
    """All controls, and what is wrong with those that could not be coded."""

    columns: tuple[Coded, ...]
    problems: tuple[Problem, ...]


def code_controls(
    controls: Sequence[Control],
    frame: pd.DataFrame,
    capitals: Mapping[str, Array],
    base: tuple[str | int, ...],
    where: Where,
) -> Coding:
    """Code controls in the order of the analysis, whose path in the file is ``base``.

    ``frame`` holds prepared firms, one row each; ``capitals`` are standardised: products may name
    them.
    """
    problems: list[Problem] = []
    coded: dict[str, Coded] = {}
    factors = {
        name: Coded((name,), values[:, None], (0.0,), (1.0,), name, np.ones((values.size, 1)))
        for name, values in capitals.items()
    }
    for position, control in enumerate(controls):
        try:
            if isinstance(control, ProductControl):
                columns = _product(control, coded | factors)
                key = ":".join(control.product)
            else:
                columns = _from_column(control, frame)
                key = control if isinstance(control, str) else control.column
                if key in coded and columns.names != coded[key].names:
                    # another transform of the same column, such as its square
                    key = columns.names[0]
            if key in coded:
                raise InputError(f"the control '{key}' is listed twice", "leave one out")
            coded[key] = columns
        except InputError as error:
            problems.append(error.at(where((*base, position))))
    return Coding(tuple(coded.values()), tuple(problems))


def enters_as_categories(control: ColumnControl, series: pd.Series) -> bool:
    """Whether a control of numbers is taken for categories: its codes are labelled, and no more is said."""
    plain = control.transform == "none" and control.kind is None and control.spline is None
    return plain and control.standardise and is_labelled(series)


_VERBS = {"transform": "be transformed", "spline": "be a spline", "kind": "be ordinal"}


def _from_column(control: str | ColumnControl, frame: pd.DataFrame) -> Coded:
    declared = ColumnControl(column=control) if isinstance(control, str) else control
    series = frame[declared.column]
    if declared.monotonic:
        _refuse_missing(declared.column, bool(series.isna().any()), "ordered levels")
        ladder = _ladder(declared, series)
        steps = float(len(ladder.steps))
        values = ladder.codes[:, None] / steps
        return Coded((declared.column,), values, (0.0,), (steps,), ladder=ladder)
    if declared.coding is not None or enters_as_categories(declared, series):
        return _categorical(declared, series)
    fault = numeric_problem(series)
    if fault is None:
        return _numeric(declared, series)
    numeric = {
        "transform": declared.transform != "none",
        "spline": declared.spline,
        "kind": declared.kind == "ordinal",
    }
    for key in (key for key, needs_numbers in numeric.items() if needs_numbers):
        raise InputError(
            f"the control '{declared.column}' cannot {_VERBS[key]}: {fault}",
            f"leave out the {key}, or correct the column",
        )
    return _categorical(declared, series)


def _numeric(control: ColumnControl, series: pd.Series) -> Coded:
    column, kind = control.column, control.transform
    name = column if kind == "none" else f"{kind}({column})"
    values = transformed(kind, column, as_float(series), series.index)
    answered = values[~np.isnan(values)]
    if answered.size == 0:
        raise InputError(f"no firm has a value of the control '{column}'", "leave it out")
    if np.ptp(answered) == 0:
        raise InputError(
            f"the control '{name}' is the same in every row ({answered[0]:g})", "leave it out"
        )
    if control.spline is not None:
        _refuse_missing(column, answered.size < values.size, "a spline")
        columns = spline_columns(name, values, control.spline)
        centers = columns.mean(axis=0)
        names = tuple(f"{name}[spline {k + 1}]" for k in range(control.spline))
        return Coded(names, columns - centers, tuple(centers.tolist()), (1.0,) * control.spline)
    if control.kind == "ordinal":
        levels = np.unique(answered)
        if levels.size > MOST_LEVELS or (levels != np.round(levels)).any():
            raise InputError(
                f"the control '{column}' is declared ordinal, but it is not a whole number with at "
                f"most {MOST_LEVELS} levels",
                "leave out `kind: ordinal`: its missing cells are then imputed as continuous",
            )
    if not control.standardise or np.isin(answered, (0.0, 1.0)).all():
        return Coded((name,), values[:, None], (0.0,), (1.0,))
    center, scale = float(answered.mean()), float(answered.std(ddof=1))
    return Coded((name,), ((values - center) / scale)[:, None], (center,), (scale,))


def _refuse_missing(column: str, missing: bool, form: str) -> None:
    if missing:
        raise InputError(
            f"the control '{column}' has missing cells and enters as {form}, "
            "which cannot be imputed",
            "leave such rows out with `missing: drop` under `data`, or enter it as a plain number "
            "(columns of 0 and 1 for categories)",
        )


def _categorical(control: ColumnControl, series: pd.Series) -> Coded:
    _refuse_missing(control.column, bool(series.isna().any()), "categories")
    values = series.map(label_of)
    levels = ordered_labels(series)
    if len(levels) < 2:
        raise InputError(
            f"the control '{control.column}' is the same in every row ({levels[0]})", "leave it out"
        )
    if len(levels) > len(values) // 2:
        raise InputError(
            f"the control '{control.column}' has {len(levels)} levels in {len(values)} rows",
            "if it is a number, check the column for text; if it is a group, put it under varying",
        )
    left_out = _reference(control, series, levels)
    kept = [level for level in levels if level != left_out]
    matrix: Array = np.column_stack(
        [(values == level).to_numpy().astype("float64") for level in kept]
    )
    if control.coding == "sum":
        matrix[(values == left_out).to_numpy()] = -1.0
    names = tuple(f"{control.column}[{level}]" for level in kept)
    return Coded(names, matrix, (0.0,) * len(kept), (1.0,) * len(kept))


def _reference(control: ColumnControl, series: pd.Series, levels: list[str]) -> str:
    if control.coding == "sum":
        return levels[-1]
    if control.reference is None:
        return levels[0]
    found = series[holds(series, control.reference)]
    if found.empty:
        wanted = label_of(control.reference)
        raise InputError(
            f"'{control.column}' has no level '{wanted}' to be the reference",
            suggestion(wanted, levels),
        )
    return label_of(found.iloc[0])


def _product(control: ProductControl, known: Mapping[str, Coded]) -> Coded:
    single = {coded.names[0]: coded for coded in known.values() if len(coded.names) == 1}
    aliases = dict(known) | single
    for name in control.product:
        if name not in aliases:
            raise InputError(
                f"the product names '{name}', which is neither a capital nor a control listed before it",
                suggestion(name, aliases),
            )
        if aliases[name].ladder is not None:
            raise InputError(
                f"the product names '{name}', whose steps are estimated",
                "enter it with `coding: treatment`, or leave the product out",
            )
    first, second = (aliases[name] for name in control.product)
    if first.capital and first.capital == second.capital:
        raise InputError(
            f"the product holds {first.capital} twice",
            "leave it out: a capital enters as it is, and in the interaction",
        )
    if first.capital and second.capital:
        raise InputError(
            "the product holds two capitals", "use structure: interaction, which is their product"
        )
    for name, factor in zip(control.product, (first, second), strict=True):
        _refuse_missing(name, bool(np.isnan(factor.factor).any()), "a product")
    names = tuple(f"{a}:{b}" for a in first.names for b in second.names)
    values, base = (_pairwise(first.values, second.values), _pairwise(first.factor, second.factor))
    capital = first.capital or second.capital
    for name, column in zip(names, values.T, strict=True):
        if np.nanmax(column) == np.nanmin(column):
            raise InputError(f"the product '{name}' is the same in every row", "leave it out")
    zeros, ones = (0.0,) * len(names), (1.0,) * len(names)
    return Coded(names, values, zeros, ones, capital, base if capital else None)


def _pairwise(first: Array, second: Array) -> Array:
    """Product of every column of one with every column of the other."""
    return (first[:, :, None] * second[:, None, :]).reshape(len(first), -1)


def _ladder(control: ColumnControl, series: pd.Series) -> Ladder:
    """Put the levels of a control in order: as declared, else as numbers."""
    column, rows = control.column, len(series)
    texts = series.map(text_for(series, control.levels))
    held = sorted_labels(texts.unique())
    if not control.levels and numeric_problem(series) is not None:
        raise InputError(
            f"the levels of '{column}' are words, whose order is not known: {', '.join(held)}",
            "list them from lowest to highest under `levels`",
        )
    levels = [label_of(level) for level in control.levels] or held
    for level in (level for level in held if level not in levels):
        raise InputError(
            f"'{column}' holds '{level}', which is not among its declared levels",
            f"{suggestion(level, levels)}; list it, or leave such rows out with `keep`",
        )
    for level in (level for level in levels if level not in held):
        raise InputError(
            f"no firm has the level '{level}' of '{column}'", "leave it out, or merge levels"
        )
    if len(levels) < FEWEST_LEVELS:
        raise InputError(
            f"the control '{column}' has {len(levels)} level{'s' * (len(levels) != 1)}: "
            "there are no steps to tell apart",
            "enter it without `monotonic`",
        )
    if len(levels) > rows // 2:
        raise InputError(
            f"the control '{column}' has {len(levels)} levels in {rows} rows",
            "enter it as a number, without `monotonic`, or as a `spline`",
        )
    position = {level: code for code, level in enumerate(levels)}
    codes: NDArray[np.int64] = texts.map(position).to_numpy().astype("int64")
    return Ladder(tuple(levels), codes)


def ladder_variables(ladders: Mapping[str, Ladder]) -> dict[str, Any]:
    """Variables of the design for the controls with a ladder, by name; none, no variables."""
    if not ladders:
        return {}
    owners = [name for name, ladder in ladders.items() for _ in ladder.steps]
    labels = [step for ladder in ladders.values() for step in ladder.steps]
    codes = np.column_stack([ladder.codes for ladder in ladders.values()])
    return {
        MONOTONIC: (MONOTONIC, np.array(list(ladders), dtype=str)),
        STEP: (STEP, np.array(labels, dtype=str)),
        STEP_CONTROL: (STEP, np.array(owners, dtype=str)),
        MONOTONIC_CODE: ((ROW, MONOTONIC), codes),
    }


class Monotonic(NamedTuple):
    """A control whose steps are estimated: column ``position`` of the controls has them equal.

    With ``shares`` of the steps, a simplex ``(step,)``, the column is ``cumsum([0, *shares])[codes]``
    and its coefficient the change from the lowest level to the highest.
    """

    name: str
    position: int
    steps: tuple[str, ...]
    codes: NDArray[np.int64]
    """Position of each row's level, ``(row,)``."""


def monotonic_controls(design: Design) -> tuple[Monotonic, ...]:
    """Controls of a design whose steps are estimated, in the order of the analysis."""
    if MONOTONIC not in design.data.coords:
        return ()
    steps = tuple(zip(design.labels(STEP_CONTROL), design.labels(STEP), strict=True))
    codes = np.asarray(design.data[MONOTONIC_CODE].to_numpy(), dtype="int64")
    return tuple(
        Monotonic(
            name,
            design.control_names.index(name),
            tuple(step for owner, step in steps if owner == name),
            codes[:, column],
        )
        for column, name in enumerate(design.labels(MONOTONIC))
    )


def spline_columns(name: str, values: Array, df: int) -> Array:
    """Columns of a cubic B-spline, without its first.

    The inner knots are at quantiles of the values, so that each stretch holds as many rows; the
    ends at the smallest and largest value. All columns of a B-spline add up to 1, which is the
    intercept: the first is left out, and the curve is 0 at the smallest value.

    ``df`` is the number of columns, ``(row, df)``, each between 0 and 1.

    Raises
    ------
    InputError
        If there are too few different values, or knots fall on each other.
    """
    distinct, counts = np.unique(values, return_counts=True)
    if distinct.size <= df:
        few = distinct.size - 1
        other = f"`spline: {few}`, " if few >= DEGREE else ""
        raise InputError(
            f"the control '{name}' has {distinct.size} different values, "
            f"too few for a spline of {df} columns",
            f"use {other}`coding: treatment`, or enter it without `spline`",
        )
    # ends and knots between them, in order
    breaks = np.asarray(np.quantile(values, np.linspace(0, 1, df - DEGREE + 2)))
    if (np.diff(breaks) <= 0).any():
        most, share = distinct[counts.argmax()], counts.max() / values.size
        raise InputError(
            f"the knots of a spline of {df} columns for '{name}' coincide: "
            f"{100 * share:.0f}% of the rows hold {most:g}",
            "ask for fewer columns, or enter it without `spline`",
        )
    knots = np.concatenate([[breaks[0]] * DEGREE, breaks, [breaks[-1]] * DEGREE])
    full = scipy.interpolate.BSpline.design_matrix(values, knots, DEGREE).toarray()
    return np.asarray(full[:, 1:], dtype="float64")


def dependent_columns(columns: Mapping[str, NDArray[np.float64]]) -> tuple[str, ...]:
    """Name the columns of one exact linear dependence, the constant included; none if independent.

    These are the columns with a part in the dependence that has the smallest singular value. Rows
    that lack a value are left aside; where too few are left, no column is named.
    """
    if not columns:
        return ()
    matrix = np.column_stack(list(columns.values()))
    complete = np.isfinite(matrix).all(axis=1)
    if not complete.all() and complete.sum() <= matrix.shape[1]:
        return ()
    matrix = matrix[complete]
    centred = matrix - matrix.mean(axis=0)
    length = np.linalg.norm(centred, axis=0)
    if (length == 0).any():
        return tuple(name for name, size in zip(columns, length, strict=True) if size == 0)
    _, singular, directions = np.linalg.svd(centred / length, full_matrices=False)
    if len(matrix) > matrix.shape[1] and singular[-1] > TOLERANCE * singular[0]:
        return ()
    part = np.abs(directions[-1])
    return tuple(name for name, size in zip(columns, part, strict=True) if size > 1e-6)


BETWEEN_MIN: Final = 0.10
"""Share of the variance of a capital between clusters from which its context is recommended."""
BETWEEN_MAX: Final = 0.90
"""Share up to which it is: with more, hardly anything varies within them to be told apart."""

Codes = NDArray[np.int64]


class Surroundings(NamedTuple):
    """Whom the mean of each row is taken over: the rows of its group but for its own.

    ``group`` and ``own`` number the group and the part left out, ``(row,)``; ``own`` is None where
    nothing is. ``weight`` is what a row counts, ``rest`` the weight of the others, ``(row,)`` each: a row
    without others has the mean of all, which is 0.
    """

    group: Codes
    own: Codes | None
    weight: Array
    rest: Array

    def mean(self, values: Array) -> Array:
        """Mean of the others, ``(..., row) -> (..., row)``."""
        shape = values.shape
        weighted = np.atleast_2d(values) * self.weight
        total = _sums(weighted, self.group)
        if self.own is not None:
            total = total - _sums(weighted, self.own)
        found = np.where(self.rest > 0, total / np.where(self.rest > 0, self.rest, 1.0), 0.0)
        return np.asarray(found.reshape(shape))

    @property
    def alone(self) -> NDArray[np.bool_]:
        """Rows without others, ``(row,)``."""
        return self.rest <= 0


def _sums(values: Array, codes: Codes) -> Array:
    """Sum over the rows of the same code, at each row: ``(draw, row) -> (draw, row)``."""
    rows = np.arange(codes.size)
    members = csr_array((np.ones(codes.size), (codes, rows)))
    return np.asarray(total_by_group(values, members)[:, codes])


def surroundings(
    level: str, group: Codes, firm: Codes, weight: Array | None = None
) -> Surroundings:
    """Tell whom the mean of each row is taken over.

    Parameters
    ----------
    level
        ``cluster``, whose other firms are averaged, or ``firm``, all of whose rows are.
    group, firm
        Number of each row's group of that level, and of its firm, ``(row,)``.
    weight
        What each row counts, ``(row,)``; 1 without it.
    """
    counted = np.ones(group.size) if weight is None else weight
    if level == FIRM:
        whole = np.bincount(group, weights=counted)[group]
        return Surroundings(group, None, counted, whole)
    _, own = np.unique(np.stack([group, firm]), axis=1, return_inverse=True)
    own = own.reshape(-1)
    others = np.bincount(group, weights=counted)[group] - np.bincount(own, weights=counted)[own]
    some = np.bincount(np.unique(np.stack([group, own]), axis=1)[0])[group] > 1
    return Surroundings(group, own, counted, np.where(some, others, 0.0))


def surroundings_of(design: Any, level: str) -> Surroundings:
    """The same of a design; see `surroundings`."""
    group = design.firms if level == FIRM else design.index(CLUSTER)
    weights = design.weights
    return surroundings(level, group, design.firms, None if weights is None else weights.average)


def between_share(values: Array, group: Codes) -> float | None:
    """Share of variance between groups, less what chance alone puts there (ANOVA; 0 at least)."""
    known = np.isfinite(values)
    values, group = values[known], np.unique(group[known], return_inverse=True)[1]
    sizes = np.bincount(group)
    count, groups = values.size, sizes.size
    if groups < 2 or count <= groups:
        return None
    means = (np.bincount(group, weights=values) / sizes)[group]
    within = float(((values - means) ** 2).sum()) / (count - groups)
    around = float(((means - values.mean()) ** 2).sum()) / (groups - 1)
    size = (count - float((sizes**2).sum()) / count) / (groups - 1)
    share = max((around - within) / size, 0.0)
    return share / (share + within) if share + within > 0 else None
