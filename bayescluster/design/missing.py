"""What is missing and imputed: counts by variable and cluster, patterns, and what cannot be imputed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from bayescluster.dataset.constructs import Scored
from bayescluster.dataset.prepare import Firms
from bayescluster.design.gaps import (
    CONTINUOUS_FAMILIES,
    Gap,
    cases_of,
    discrete_gaps,
    enters,
    gaps,
)
from bayescluster.design.parts import (
    ImputedCells,
    Pattern,
)
from bayescluster.design.record import Design
from bayescluster.errors import Problem
from bayescluster.names import ALL, CAPITALS
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.columns import Where, imputes, needed_columns
from bayescluster.spec.equation import ColumnControl, ProductControl

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
