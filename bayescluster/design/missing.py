"""What is missing: counts, patterns, what cannot be imputed, and the gaps that are estimated in the model."""

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
from bayescluster.design.record import Design, ImputedCells, Pattern
from bayescluster.errors import Problem
from bayescluster.families import YES_OR_NO
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
from bayescluster.spec.equation import ColumnControl, Equation, ProductControl

CONTINUOUS_FAMILIES = ("gaussian", "student_t", "lognormal", "beta")
"""Families of which a missing outcome that enters another equation is a variable of the model."""


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
    found = (*sorted(inputs, key=lambda gap: bool(gap.levels)), *_outcome_gaps(design))
    if design.template is None:
        return found
    values = {gap.name: gap.values for gap in found}
    return tuple(gap._replace(values=values[gap.name]) for gap in gaps(design.template))


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


def cases_of(found: tuple[Gap, ...], size: int) -> NDArray[np.int64]:
    """How many combinations of missing discrete values each row stands for, ``(row,)``."""
    counts = np.ones(size, dtype="int64")
    for gap in found:
        counts *= np.where(gap.missing, max(len(gap.levels), 1), 1)
    return counts


def configurations(found: tuple[Gap, ...], size: int) -> Configurations:
    """Go through all combinations of the missing discrete values of each row."""
    counts = cases_of(found, size)
    row = np.repeat(np.arange(size), counts)
    within = np.arange(row.size) - np.repeat(np.cumsum(counts) - counts, counts)
    codes = {}
    for gap in found:
        if not gap.levels:
            continue
        missing = gap.missing[row]
        codes[gap.name] = np.where(missing, within % len(gap.levels), gap.codes[row])
        within = np.where(missing, within // len(gap.levels), within)
    return Configurations(row, codes)


def known_inputs(design: Design) -> dict[str, Array]:
    """Complete controls and capitals on mean 0 and sd 1, which imputations rest on, ``(row,)`` each."""
    found = dict(design.background)
    for capital, values in zip(CAPITALS, design.capitals, strict=True):
        if design.analysis.constructs and not design.is_latent(capital):
            found[capital] = values
    return {
        name: (values - values.mean()) / values.std(ddof=1)
        for name, values in found.items()
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


def _gap(name: str, place: Place, values: Array, levels: tuple[float, ...]) -> Gap:
    answers = values[~np.isnan(values)]
    return Gap(name, place, values, levels, float(answers.mean()), float(answers.std(ddof=1)))


def _capital_gaps(design: Design) -> Iterator[Gap]:
    for capital, values in zip(CAPITALS, design.capitals, strict=True):
        if np.isnan(values).any():
            known = np.unique(values[~np.isnan(values)])
            levels = tuple(known.tolist()) if design.is_binary(capital) else ()
            yield _gap(capital, "capital", values, levels)


def _control_gaps(design: Design) -> Iterator[Gap]:
    seen = set()
    for each in design.equations:
        owners = each.data[CONTROL_CAPITAL].to_numpy()
        for position, name in enumerate(each.control_names):
            values = each.controls[:, position]
            if owners[position] or name in seen or not np.isnan(values).any():
                continue
            seen.add(name)
            known = np.unique(values[~np.isnan(values)])
            discrete = np.isin(known, (0.0, 1.0)).all() or _is_ordinal(each.equation, name)
            yield _gap(name, "control", values, tuple(known.tolist()) if discrete else ())


def _is_ordinal(equation: Equation, name: str) -> bool:
    return any(
        isinstance(control, ColumnControl) and control.column == name and control.kind == "ordinal"
        for control in equation.controls
    )


def _outcome_gaps(design: Design) -> Iterator[Gap]:
    """Missing outcomes that enter a later equation."""
    for each in design.equations:
        name = each.equation_name
        later = [other for other in design.equations if name in other.equation.predictors]
        if later and not each.answered.all():
            data = later[0].data
            center, scale = (
                float(data[key].sel({PREDICTOR: name}))
                for key in (PREDICTOR_CENTER, PREDICTOR_SCALE)
            )
            codes = np.arange(_levels(each))
            levels = tuple(((codes - center) / scale).tolist())
            yield _gap(name, "outcome", (each.outcome - center) / scale, levels)


def _levels(each: Design) -> int:
    return 2 if each.family.name in YES_OR_NO else len(each.levels)


MOST_CASES = 64
"""Most combinations of missing discrete values that a row is gone through in."""
SHOWN_PATTERNS = 5
DROP = "leave such rows out with `missing: drop` under `data`"
ASSUMPTION = (
    "Missing values are estimated inside the model, each with its uncertainty. This assumes that they "
    "are missing at random given the other variables of the model: among firms alike in those, firms "
    "that lack a value are like firms that gave it. The data cannot show whether that holds."
)


def missing_cells(
    analysis: Analysis, firms: Firms, capitals: Mapping[str, Scored]
) -> tuple[tuple[ImputedCells, ...], tuple[Pattern, ...]]:
    """Count what is imputed by variable and cluster, and which variables are missing together.

    Variables are columns of outcomes and controls, and capitals whose score is missing.
    """
    if not imputes(analysis):
        return (), ()
    lacks = _lacks(analysis, firms, capitals)
    clusters = firms.frame["__cluster__"].to_numpy()
    labels, rows = np.unique(clusters.astype(str), return_counts=True)
    cells = tuple(
        ImputedCells(variable, str(label), int(count), int(size))
        for variable, missing in lacks.items()
        for label, size in zip(labels, rows, strict=True)
        if (count := missing[clusters.astype(str) == label].sum())
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


def _lacks(
    analysis: Analysis, firms: Firms, capitals: Mapping[str, Scored]
) -> dict[str, np.ndarray]:
    """Which rows lack each variable that is imputed."""
    found = {name: np.isnan(scored.values) for name, scored in capitals.items()}
    for item in needed_columns(analysis):
        if item.role in ("outcome", "control"):
            found[item.column] = firms.frame[item.column].isna().to_numpy()
    return {name: missing for name, missing in found.items() if missing.any()}


def missing_notes(
    cells: Sequence[ImputedCells], patterns: Sequence[Pattern], size: int
) -> Iterator[str]:
    """Say in words how much is missing, what goes together, and what is assumed of it."""
    for variable in dict.fromkeys(item.variable for item in cells):
        mine = [item for item in cells if item.variable == variable]
        yield _share(variable, mine, size)
    together = [pattern for pattern in patterns if len(pattern.variables) > 1]
    for names, rows in together[:SHOWN_PATTERNS]:
        yield (f"Missing together in {_rows(rows)}: {', '.join(names[:-1])} and {names[-1]}.")
    if cells:
        yield ASSUMPTION


def _share(variable: str, cells: Sequence[ImputedCells], size: int) -> str:
    total = sum(item.cells for item in cells)
    most = max(cells, key=lambda item: item.cells / item.rows)
    where = "1 cluster" if len(cells) == 1 else f"{len(cells)} clusters"
    return f"Imputed: {variable} is missing in {total} of {_rows(size)} ({total / size:.0%})" + (
        "."
        if most.cluster == ALL
        else f", in {where}; most in {most.cluster}: {most.cells} of {_rows(most.rows)}."
    )


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"


def gap_problems(design: Design, firms: Firms, where: Where) -> list[Problem]:
    """Find what is missing in ways that cannot be imputed."""
    if not imputes(design.analysis):
        return []
    place = where(("data", "missing"))
    return [
        *_same_name(design, place),
        *_several_forms(design.analysis, firms.frame, where),
        *_too_many(design, firms.frame, place),
        *_outcomes(design, place),
        *_tied(design, place),
        *_weighted(design, place),
    ]


def _same_name(design: Design, place: str) -> Iterator[Problem]:
    """Refuse an input with missing cells that has the name of something else in the model."""
    taken = {*design.analysis.equations, *CAPITALS}
    for gap in gaps(design):
        if gap.place == "control" and gap.name in taken:
            yield Problem(
                f"the control '{gap.name}' has missing cells and the name of an equation or capital",
                place,
                "rename one of the two",
            )


def _several_forms(analysis: Analysis, frame: pd.DataFrame, where: Where) -> Iterator[Problem]:
    """Refuse a column with missing cells that enters in two forms: they would be imputed apart."""
    forms: dict[str, list[tuple[ColumnControl, tuple[str | int, ...]]]] = {}
    outcomes = {equation.outcome for equation in analysis.equations.values()}
    for name, equation in analysis.equations.items():
        for position, control in enumerate(equation.controls):
            if isinstance(control, ProductControl):
                continue
            plain = ColumnControl(column=control) if isinstance(control, str) else control
            if frame[plain.column].isna().any():
                path = ("equations", name, "controls", position)
                forms.setdefault(plain.column, []).append((plain, path))
    for column, found in forms.items():
        other = next((path for form, path in found if form != found[0][0]), None)
        if other is not None:
            yield Problem(
                f"'{column}' has missing cells and enters in two forms, which would be imputed apart",
                where(other),
                f"enter it in one form, or {DROP}",
            )
        if column in outcomes:
            yield Problem(
                f"'{column}' has missing cells and is both an outcome and a control",
                where(found[0][1]),
                f"list its equation under predictors, or {DROP}",
            )


def _too_many(design: Design, frame: pd.DataFrame, place: str) -> Iterator[Problem]:
    found = discrete_gaps(design)
    counts = cases_of(found, design.size)
    if counts.max(initial=1) > MOST_CASES:
        worst = int(counts.argmax())
        names = [gap.name for gap in found if gap.missing[worst]]
        yield Problem(
            f"{int((counts > MOST_CASES).sum())} of {design.size} rows lack so many discrete values "
            f"that these combine in more than {MOST_CASES} ways; row "
            f"{int(frame.index.to_numpy()[worst]) + 1} lacks {', '.join(names)} ({counts[worst]} ways)",
            place,
            f"{DROP}, leave out one of these variables, or enter one without `kind: ordinal`",
        )


def _outcomes(design: Design, place: str) -> Iterator[Problem]:
    """Refuse missing outcomes that enter another equation and have no distribution to sum or sample."""
    discrete = discrete_gaps(design)
    beside = {each.equation_name: each for each in design.equations}
    for gap in gaps(design):
        if gap.place != "outcome" or gap.levels:
            continue
        each = beside[gap.name]
        if each.family.name not in CONTINUOUS_FAMILIES:
            yield Problem(
                f"the outcome of '{gap.name}' is a predictor and has missing cells, which cannot be "
                f"imputed for family {each.family.name}",
                place,
                DROP,
            )
        mine = tuple(other for other in discrete if enters(other, each))
        if (gap.missing & (cases_of(mine, design.size) > 1)).any():
            yield _both(gap, mine, place)


def _both(gap: Gap, discrete: tuple[Gap, ...], place: str) -> Problem:
    names = [other.name for other in discrete if (other.missing & gap.missing).any()]
    return Problem(
        f"some rows lack the outcome of '{gap.name}', which is a predictor, together with "
        f"{', '.join(names)}, on which it rests",
        place,
        DROP,
    )


def _tied(design: Design, place: str) -> Iterator[Problem]:
    """Refuse what residual correlation does not allow for."""
    discrete = discrete_gaps(design)
    for each in design.equations:
        if each.equation_name not in design.analysis.residual_correlation:
            continue
        names = [gap.name for gap in discrete if enters(gap, each)]
        if not each.answered.all():
            names.append(each.equation.outcome)
        if names:
            yield Problem(
                f"'{each.equation_name}' has correlated residuals: missing cells of "
                f"{', '.join(dict.fromkeys(names))} cannot be imputed beside them",
                place,
                f"{DROP}, or leave out `residual_correlation`",
            )


def _weighted(design: Design, place: str) -> Iterator[Problem]:
    """Refuse survey weights: the regressions that impute would have to be weighted as well."""
    names = [gap.name for gap in gaps(design)]
    names += [each.equation.outcome for each in design.equations if not each.answered.all()]
    if names and design.weights is not None:
        yield Problem(
            f"missing cells of {', '.join(dict.fromkeys(names))} cannot be imputed "
            "beside survey weights",
            place,
            f"{DROP}, or leave out the weights",
        )
