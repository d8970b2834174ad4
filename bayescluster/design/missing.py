"""What is missing: gaps that the model estimates, their counts, and what cannot be imputed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayescluster.arrays import Array
from bayescluster.dataset.constructs import Scored
from bayescluster.dataset.prepare import Firms
from bayescluster.dataset.values import InputError, rows_text
from bayescluster.design.record import Design, ImputedCells, Pattern
from bayescluster.errors import Problem
from bayescluster.families import YES_OR_NO
from bayescluster.lookup import counted, listed
from bayescluster.names import (
    ALL,
    CAPITALS,
    CONTROL_CAPITAL,
    PREDICTOR,
    PREDICTOR_CENTER,
    PREDICTOR_SCALE,
)
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.columns import Where, imputes, needed_columns
from bayescluster.spec.equation import ColumnControl, ProductControl

CONTINUOUS_FAMILIES = ("gaussian", "student_t", "lognormal", "beta")
"""Families of which a missing outcome that enters another equation is a variable of the model."""
MOST_CASES = 64
"""Most combinations of missing discrete values that a row is gone through in."""
SHOWN_PATTERNS = 5
DROP = "leave such rows out with `missing: drop` under `data`"
ASSUMPTION = (
    "Missing values are estimated inside the model, each with its uncertainty. This assumes that they "
    "are missing at random given the other variables of the model: among firms alike in those, firms "
    "that lack a value are like firms that gave it. The data cannot show whether that holds."
)

Place = Literal["capital", "control", "outcome"]


class Gap(NamedTuple):
    """An input with missing cells.

    Attributes
    ----------
    name
        Coded control, capital, or equation.
    place
        What it is.
    values
        As it enters equations, ``(row,)``, NaN where missing.
    levels
        Values it can have, on that scale; none where it is continuous.
    center, scale
        Mean and standard deviation of the answers.
    """

    name: str
    place: Place
    values: Array
    levels: tuple[float, ...]
    center: float
    scale: float

    @property
    def missing(self) -> NDArray[np.bool_]:
        """Which rows lack it, ``(row,)``."""
        return np.isnan(self.values)

    @property
    def rows(self) -> NDArray[np.int64]:
        """Positions of the rows that lack it."""
        return np.flatnonzero(self.missing)

    @property
    def codes(self) -> NDArray[np.int64]:
        """Position of each answer among the levels, ``(row,)``; 0 where missing."""
        apart = np.abs(self.values[:, None] - np.array(self.levels))
        return np.where(self.missing, 0, np.nan_to_num(apart).argmin(axis=1))


class Configurations(NamedTuple):
    """Rows with the discrete gaps filled in every way, ``(case,)`` each.

    ``row`` gives the position of the row, in ascending order; ``codes`` the level of each gap.
    """

    row: NDArray[np.int64]
    codes: dict[str, NDArray[np.int64]]

    def where(self, keep: NDArray[np.bool_]) -> Configurations:
        """Some of the cases."""
        return Configurations(self.row[keep], {k: v[keep] for k, v in self.codes.items()})

    def blocks(self) -> Iterator[NDArray[np.int64]]:
        """Positions of the cases of rows with equally many, ``(row, case of the row)`` each."""
        _, first, count = np.unique(self.row, return_index=True, return_counts=True)
        for number in np.unique(count):
            yield first[count == number][:, None] + np.arange(number)


def gaps(design: Design) -> tuple[Gap, ...]:
    """All gaps of the equations of a design, in the order in which each rests on those before it.

    Capitals and controls that are continuous, then those that are discrete, then outcomes. Of a design
    with other data than its template they have the levels and units of the template.
    """
    inputs = [*_capital_gaps(design), *_control_gaps(design)]
    own = (*sorted(inputs, key=lambda gap: bool(gap.levels)), *_outcome_gaps(design))
    if design.template is None:
        return own
    values = {gap.name: gap.values for gap in own}
    return tuple(gap._replace(values=values[gap.name]) for gap in gaps(design.template))


def _gap(name: str, place: Place, values: Array, levels: tuple[float, ...]) -> Gap:
    answers = values[~np.isnan(values)]
    return Gap(name, place, values, levels, float(answers.mean()), float(answers.std(ddof=1)))


def _capital_gaps(design: Design) -> Iterator[Gap]:
    for capital, values in zip(CAPITALS, design.capitals, strict=True):
        if np.isnan(values).any():
            distinct = tuple(np.unique(values[~np.isnan(values)]).tolist())
            levels = distinct if design.is_binary(capital) else ()
            yield _gap(capital, "capital", values, levels)


def _control_gaps(design: Design) -> Iterator[Gap]:
    seen = set()
    for each in design.equations:
        ordinal = [
            control.column
            for control in each.equation.controls
            if isinstance(control, ColumnControl) and control.kind == "ordinal"
        ]
        owners = each.data[CONTROL_CAPITAL].to_numpy()
        for position, name in enumerate(each.control_names):
            values = each.controls[:, position]
            if owners[position] or name in seen or not np.isnan(values).any():
                continue
            seen.add(name)
            distinct = np.unique(values[~np.isnan(values)])
            discrete = name in ordinal or np.isin(distinct, (0.0, 1.0)).all()
            yield _gap(name, "control", values, tuple(distinct.tolist()) if discrete else ())


def _outcome_gaps(design: Design) -> Iterator[Gap]:
    """Missing outcomes that enter a later equation."""
    for each in design.equations:
        name = each.equation_name
        later = [other for other in design.equations if name in other.equation.predictors]
        if later and not each.answered.all():
            center, scale = (
                float(later[0].data[key].sel({PREDICTOR: name}))
                for key in (PREDICTOR_CENTER, PREDICTOR_SCALE)
            )
            codes = np.arange(2 if each.family.name in YES_OR_NO else len(each.levels))
            levels = tuple(((codes - center) / scale).tolist())
            yield _gap(name, "outcome", (each.outcome - center) / scale, levels)


def discrete_gaps(design: Design) -> tuple[Gap, ...]:
    """Gaps that are summed out."""
    return tuple(gap for gap in gaps(design) if gap.levels)


def enters(gap: Gap, equation: Design) -> bool:
    """Whether an equation rests on a gap, or explains it."""
    if gap.place == "outcome":
        return gap.name in (equation.equation_name, *equation.equation.predictors)
    if gap.place == "control":
        return gap.name in equation.control_names
    return equation.has_capitals or gap.name in equation.data[CONTROL_CAPITAL].to_numpy()


def cases_of(gaps: tuple[Gap, ...], size: int) -> NDArray[np.int64]:
    """How many combinations of missing discrete values each row has, ``(row,)``."""
    counts = np.ones(size, dtype="int64")
    for gap in gaps:
        counts *= np.where(gap.missing, max(len(gap.levels), 1), 1)
    return counts


def configurations(gaps: tuple[Gap, ...], size: int) -> Configurations:
    """Go through all combinations of the missing discrete values of each row."""
    counts = cases_of(gaps, size)
    row = np.repeat(np.arange(size), counts)
    within = np.arange(row.size) - np.repeat(np.cumsum(counts) - counts, counts)
    codes = {}
    for gap in gaps:
        if not gap.levels:
            continue
        missing = gap.missing[row]
        codes[gap.name] = np.where(missing, within % len(gap.levels), gap.codes[row])
        within = np.where(missing, within // len(gap.levels), within)
    return Configurations(row, codes)


def known_inputs(design: Design) -> dict[str, Array]:
    """Complete controls and capitals on mean 0 and sd 1, which imputations rest on, ``(row,)`` each."""
    inputs = dict(design.background)
    for capital, values in zip(CAPITALS, design.capitals, strict=True):
        if design.analysis.constructs and not design.is_latent(capital):
            inputs[capital] = values
    return {
        name: (values - values.mean()) / values.std(ddof=1)
        for name, values in inputs.items()
        if not np.isnan(values).any() and np.ptp(values) > 0
    }


def inputs_of(design: Design, gap: Gap) -> tuple[str, ...]:
    """What the imputation of a gap rests on, by name."""
    before = []
    for other in gaps(design):
        if other.name == gap.name:
            break
        before.append(other.name)
    latent = (capital for capital in CAPITALS if design.is_latent(capital))
    return (*known_inputs(design), *latent, *before)


def missing_cells(
    analysis: Analysis, firms: Firms, capitals: Mapping[str, Scored]
) -> tuple[tuple[ImputedCells, ...], tuple[Pattern, ...]]:
    """Count what is imputed by variable and cluster, and which variables are missing together.

    Variables are columns of outcomes and controls, and capitals whose score is missing.
    """
    if not imputes(analysis):
        return (), ()
    lacks = {name: np.isnan(scored.values) for name, scored in capitals.items()}
    for item in needed_columns(analysis):
        if item.role in ("outcome", "control"):
            lacks[item.column] = firms.frame[item.column].isna().to_numpy()
    lacks = {name: missing for name, missing in lacks.items() if missing.any()}
    clusters = firms.frame["__cluster__"].to_numpy().astype(str)
    labels, rows = np.unique(clusters, return_counts=True)
    cells = tuple(
        ImputedCells(variable, str(label), int(count), int(size))
        for variable, missing in lacks.items()
        for label, size in zip(labels, rows, strict=True)
        if (count := missing[clusters == label].sum())
    )
    rowwise = Counter(
        tuple(name for name, missing in lacks.items() if missing[row])
        for row in range(len(firms.frame))
    )
    patterns = tuple(
        Pattern(names, count)
        for names, count in sorted(rowwise.items(), key=lambda item: (-item[1], item[0]))
        if names
    )
    return cells, patterns


def missing_notes(
    cells: Sequence[ImputedCells], patterns: Sequence[Pattern], size: int
) -> Iterator[str]:
    """Say in words how much is missing, what goes together, and what is assumed of it."""
    for variable in dict.fromkeys(item.variable for item in cells):
        own = [item for item in cells if item.variable == variable]
        total = sum(item.cells for item in own)
        most = max(own, key=lambda item: item.cells / item.rows)
        where = "1 cluster" if len(own) == 1 else f"{len(own)} clusters"
        yield (
            f"Imputed: {variable} is missing in {total} of {counted(size, 'row')} ({total / size:.0%})"
            + (
                "."
                if most.cluster == ALL
                else f", in {where}; most in {most.cluster}: {most.cells} of {counted(most.rows, 'row')}."
            )
        )
    together = [pattern for pattern in patterns if len(pattern.variables) > 1]
    for names, rows in together[:SHOWN_PATTERNS]:
        yield f"Missing together in {counted(rows, 'row')}: {listed(names)}."
    if cells:
        yield ASSUMPTION


def gap_problems(design: Design, firms: Firms, where: Where) -> list[Problem]:
    """Find what is missing in ways that cannot be imputed."""
    if not imputes(design.analysis):
        return []
    in_general = (
        *_same_name(design),
        *_too_many(design, firms.frame),
        *_outcomes(design),
        *_correlated(design),
        *_weighted(design),
    )
    place = where(("data", "missing"))
    return [
        *_several_forms(design.analysis, firms.frame, where),
        *(error.at(place) for error in in_general),
    ]


def _several_forms(analysis: Analysis, frame: pd.DataFrame, where: Where) -> Iterator[Problem]:
    """Refuse a column with missing cells that enters in two forms: each would be imputed by itself."""
    forms: dict[str, list[tuple[ColumnControl, tuple[str | int, ...]]]] = {}
    outcomes = {equation.outcome for equation in analysis.equations.values()}
    for name, equation in analysis.equations.items():
        for position, control in enumerate(equation.controls):
            if isinstance(control, ProductControl):
                continue
            form = ColumnControl(column=control) if isinstance(control, str) else control
            if frame[form.column].isna().any():
                path = ("equations", name, "controls", position)
                forms.setdefault(form.column, []).append((form, path))
    for column, (first, *others) in forms.items():
        other = next((path for form, path in others if form != first[0]), None)
        if other is not None:
            yield Problem(
                f"'{column}' has missing cells and enters in two forms, each of which would be "
                "imputed by itself",
                where(other),
                f"enter it in one form, or {DROP}",
            )
        if column in outcomes:
            yield Problem(
                f"'{column}' has missing cells and is both an outcome and a control",
                where(first[1]),
                f"list its equation under predictors, or {DROP}",
            )


def _same_name(design: Design) -> Iterator[InputError]:
    """Refuse an input with missing cells that has the name of something else in the model."""
    taken = {*design.analysis.equations, *CAPITALS}
    for gap in gaps(design):
        if gap.place == "control" and gap.name in taken:
            what = (
                f"the control '{gap.name}' has missing cells and the name of an equation or capital"
            )
            yield InputError(what, "rename one of the two")


def _too_many(design: Design, frame: pd.DataFrame) -> Iterator[InputError]:
    discrete = discrete_gaps(design)
    counts = cases_of(discrete, design.size)
    if counts.max(initial=1) > MOST_CASES:
        worst = int(counts.argmax())
        names = [gap.name for gap in discrete if gap.missing[worst]]
        yield InputError(
            f"{int((counts > MOST_CASES).sum())} of {design.size} rows lack so many discrete values "
            f"that these combine in more than {MOST_CASES} ways; {rows_text([frame.index[worst]])} "
            f"lacks {', '.join(names)} ({counts[worst]} ways)",
            f"{DROP}, leave out one of these variables, or enter one without `kind: ordinal`",
        )


def _outcomes(design: Design) -> Iterator[InputError]:
    """Refuse missing outcomes that enter another equation and have no distribution to sum or sample."""
    equations = {each.equation_name: each for each in design.equations}
    for gap in gaps(design):
        if gap.place != "outcome" or gap.levels:
            continue
        each = equations[gap.name]
        if each.family.name not in CONTINUOUS_FAMILIES:
            what = f"the outcome of '{gap.name}' is a predictor and has missing cells, which cannot be "
            yield InputError(f"{what}imputed for family {each.family.name}", DROP)
        discrete = tuple(other for other in discrete_gaps(design) if enters(other, each))
        if (gap.missing & (cases_of(discrete, design.size) > 1)).any():
            names = [other.name for other in discrete if (other.missing & gap.missing).any()]
            yield InputError(
                f"some rows lack the outcome of '{gap.name}', which is a predictor, together with "
                f"{', '.join(names)}, on which it rests",
                DROP,
            )


def _correlated(design: Design) -> Iterator[InputError]:
    """Refuse what residual correlation does not allow for."""
    for each in design.equations:
        if each.equation_name not in design.analysis.residual_correlation:
            continue
        names = [gap.name for gap in discrete_gaps(design) if enters(gap, each)]
        if not each.answered.all():
            names.append(each.equation.outcome)
        if names:
            yield InputError(
                f"'{each.equation_name}' has correlated residuals: missing cells of "
                f"{', '.join(dict.fromkeys(names))} cannot be imputed with them",
                f"{DROP}, or leave out `residual_correlation`",
            )


def _weighted(design: Design) -> Iterator[InputError]:
    """Refuse survey weights: the regressions that impute would have to be weighted as well."""
    names = [gap.name for gap in gaps(design)]
    names += [each.equation.outcome for each in design.equations if not each.answered.all()]
    if names and design.weights is not None:
        missing = ", ".join(dict.fromkeys(names))
        what = f"missing cells of {missing} cannot be imputed with survey weights"
        yield InputError(what, f"{DROP}, or leave out the weights")
