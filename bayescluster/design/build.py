"""Analysis and firms to a design, or all the reasons why not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from bayescluster.dataset.constructs import Scored, score
from bayescluster.dataset.prepare import Firms
from bayescluster.dataset.read import Table
from bayescluster.dataset.values import label_of
from bayescluster.design.coding import Coding, code_controls, sorted_labels
from bayescluster.design.collinearity import dependent_columns
from bayescluster.design.forms import of_form
from bayescluster.design.outcome import Outcome, outcome_of
from bayescluster.design.record import Array, Design, Details, Measure, details_text
from bayescluster.design.weights import weight_variables
from bayescluster.errors import BayesClusterError, DesignError, Problem
from bayescluster.lookup import suggestion
from bayescluster.names import (
    CAPITAL,
    CAPITALS,
    CENTER,
    CLUSTER,
    CONTROL,
    CONTROL_BASE,
    CONTROL_CAPITAL,
    CONTROLS,
    DETAILS,
    FIRM_CODE,
    INDUSTRY,
    LEVEL,
    OFFSET,
    OUTCOME,
    ROW,
    SCALE,
    STANDARD_ERROR,
    TRIALS,
    group_dim,
    group_index,
)
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.columns import Where, grouping_column
from bayescluster.spec.hypotheses import Difference
from bayescluster.structures import STRUCTURES

FEW_ROWS = 5
"""Groups with fewer rows than this are named in the notes."""


def build_design(analysis: Analysis, table: Table, firms: Firms, where: Where) -> Design:
    """Turn an analysis and its firms into named arrays.

    Of several structural forms the first is taken; see `bayescluster.design.forms`.

    Raises
    ------
    DesignError
        If a column is not a number, constant, collinear with others, or outside the support of the
        family; if a hypothesis names an industry the data lack. All such faults at once.
    """
    analysis = of_form(analysis, analysis.equation.form)
    problems: list[Problem] = []
    capitals = _capitals(analysis, firms, where, problems)
    outcome = outcome_of(analysis, firms, where, problems)
    values = {name: scored.values for name, scored in capitals.items()}
    base = ("equations", analysis.equation_name, "controls")
    coding = code_controls(analysis.equation.controls, firms.frame, values, base, where)
    problems += coding.problems
    problems += _unknown_terms(analysis, coding, where)
    problems += _unknown_industries(analysis, firms, where)
    weights = weight_variables(analysis, firms, where, problems)
    if not problems:
        problems += _collinear(analysis, values, coding, where)
    if problems or outcome is None:
        raise DesignError(problems)
    data = xr.Dataset(
        _variables(capitals, outcome, coding, firms.frame.shape[0])
        | _groups(analysis, firms)
        | weights,
        coords=_coordinates(analysis, firms, capitals, outcome, coding),
        attrs={
            DETAILS: details_text(
                _details(
                    table, firms, capitals, (*data_notes(analysis, firms), *_unanswered(capitals))
                )
            )
        },
    )
    return Design(analysis, data)


def _capitals(
    analysis: Analysis, firms: Firms, where: Where, problems: list[Problem]
) -> dict[str, Scored]:
    scored = {}
    for name, construct in analysis.constructs.items():
        try:
            scored[str(name)] = score(firms.frame, name, construct, where)
        except BayesClusterError as error:
            problems += error.problems
    return scored


def _unknown_terms(analysis: Analysis, coding: Coding, where: Where) -> Iterator[Problem]:
    equation = analysis.equation
    # the cutpoints of an ordinal outcome take the place of the intercept
    ordinal = equation.family == "ordinal"
    form = STRUCTURES[equation.form]
    known = [
        *(term for term in form.population if not (ordinal and term == form.level)),
        *(name for coded in coding.columns for name in coded.names),
    ]
    for name in equation.priors.terms:
        if name not in known:
            path = ("equations", analysis.equation_name, "priors", "terms", name)
            yield Problem(
                f"a prior is given for the term '{name}', which is not in the model",
                where(path),
                suggestion(name, known),
            )


def _unknown_industries(analysis: Analysis, firms: Firms, where: Where) -> Iterator[Problem]:
    labels = sorted_labels(firms.frame["__industry__"].unique())
    for position, hypothesis in enumerate(analysis.hypotheses):
        if not isinstance(hypothesis, Difference):
            continue
        if len(labels) < 2:
            yield Problem(
                f"a difference needs two industries, and all firms are in '{labels[0]}'",
                where(("hypotheses", position)),
                "leave the hypothesis out",
            )
        for name in hypothesis.between or ():
            if name not in labels:
                yield Problem(
                    f"no firm is in an industry called '{name}'",
                    where(("hypotheses", position, "between")),
                    suggestion(name, labels),
                )


def _collinear(
    analysis: Analysis, capitals: dict[str, Array], coding: Coding, where: Where
) -> Iterator[Problem]:
    columns = dict(capitals)
    if analysis.equation.form == "interaction":
        human, social = (capitals[name] for name in CAPITALS)
        columns["interaction"] = human * social
    for coded in coding.columns:
        columns |= dict(zip(coded.names, coded.values.T, strict=True))
    named = dependent_columns(columns)
    if named:
        yield Problem(
            f"these columns determine each other exactly: {', '.join(named)}",
            where(("equations", analysis.equation_name)),
            "leave one of them out",
        )


def _variables(
    capitals: dict[str, Scored], outcome: Outcome, coding: Coding, size: int
) -> dict[str, Any]:
    empty = np.empty((size, 0))
    controls = np.column_stack([empty, *(coded.values for coded in coding.columns)])
    bases = np.column_stack([empty, *(coded.factor for coded in coding.columns)])
    owners = [coded.capital for coded in coding.columns for _ in coded.names]
    known = {TRIALS: outcome.rows.trials, STANDARD_ERROR: outcome.rows.standard_error}
    scored = list(capitals.values())
    return {
        OUTCOME: (ROW, outcome.values),
        OFFSET: (ROW, outcome.offset),
        CONTROLS: ((ROW, CONTROL), controls),
        CONTROL_BASE: ((ROW, CONTROL), bases),
        CONTROL_CAPITAL: (CONTROL, np.array(owners, dtype=str)),
        CENTER: (CAPITAL, np.array([item.center for item in scored])),
        SCALE: (CAPITAL, np.array([item.scale for item in scored])),
        "control_center": (CONTROL, np.array([c for item in coding.columns for c in item.centers])),
        "control_scale": (CONTROL, np.array([s for item in coding.columns for s in item.scales])),
        **{
            name: (ROW, capitals[name].values if name in capitals else np.zeros(size))
            for name in CAPITALS
        },
        **{name: (ROW, values) for name, values in known.items() if values is not None},
    }


def _groups(analysis: Analysis, firms: Firms) -> dict[str, Any]:
    variables = {FIRM_CODE: (ROW, pd.factorize(firms.frame["__firm__"])[0].astype("int64"))}
    for name, values in _memberships(analysis, firms).items():
        position = {label: code for code, label in enumerate(sorted_labels(values.unique()))}
        variables[group_index(name)] = (ROW, values.map(position).to_numpy(dtype="int64"))
    return variables


def _memberships(analysis: Analysis, firms: Firms) -> dict[str, pd.Series]:
    """Labels of each grouping by row; industry and cluster are always there."""
    frame = firms.frame
    found = {INDUSTRY: frame["__industry__"], CLUSTER: frame["__cluster__"]}
    for name in analysis.equation.varying:
        if name == "firm":
            found[name] = frame["__firm__"]
        elif name not in found:
            found[name] = frame[grouping_column(analysis, name)].map(label_of)
    return found


def _coordinates(
    analysis: Analysis,
    firms: Firms,
    capitals: dict[str, Scored],
    outcome: Outcome,
    coding: Coding,
) -> dict[str, Any]:
    names = [name for coded in coding.columns for name in coded.names]
    coordinates: dict[str, Any] = {
        ROW: _row_labels(firms.frame["__firm__"].astype(str).tolist()),
        CONTROL: np.array(names, dtype=str),
        CAPITAL: np.array(list(capitals), dtype=str),
    }
    if outcome.levels:
        coordinates[LEVEL] = np.array(outcome.levels, dtype=str)
    for name, values in _memberships(analysis, firms).items():
        coordinates[group_dim(name)] = np.array(sorted_labels(values.unique()), dtype=str)
    return coordinates


def _row_labels(firms: Sequence[str]) -> NDArray[np.str_]:
    """One label a row: the firm, with a running number where firms repeat."""
    if len(set(firms)) == len(firms):
        return np.array(firms, dtype=str)
    repeated = pd.Series(firms)
    running = repeated.groupby(repeated).cumcount() + 1
    return np.array([f"{firm} #{k}" for firm, k in zip(firms, running, strict=True)], dtype=str)


def data_notes(analysis: Analysis, firms: Firms) -> tuple[str, ...]:
    """Say what a reader of the results should know about the groups."""
    notes = []
    repeated = int(firms.frame["__firm__"].duplicated().sum())
    if repeated and "firm" not in analysis.equation.varying:
        rows = "1 row repeats" if repeated == 1 else f"{repeated} rows repeat"
        notes.append(
            f"{rows} a firm, and no effect varies by firm: the rows are taken as "
            "independent, and intervals are too narrow. Add `firm: [intercept]` under varying."
        )
    for name, values in _memberships(analysis, firms).items():
        counts = values.value_counts()
        few = sorted_labels(counts[counts < FEW_ROWS].index.to_numpy())
        if few and name != "firm":
            shown = ", ".join(few[:6]) + (f" and {len(few) - 6} more" if len(few) > 6 else "")
            notes.append(
                f"Fewer than {FEW_ROWS} rows in {name} {shown}: their effects lean on the others."
            )
    return tuple(notes)


def _unanswered(capitals: dict[str, Scored]) -> Iterator[str]:
    """Say where a capital rests on fewer answers than were asked for."""
    for name, scored in capitals.items():
        if scored.missing_items:
            yield (
                f"Answers missing among the indicators of {name}: {scored.missing_items}. "
                "The score of such a row is the mean of the answers it gave."
            )


def _details(
    table: Table, firms: Firms, capitals: dict[str, Scored], notes: tuple[str, ...]
) -> Details:
    dropped = tuple(
        (str(variable), str(cluster), int(rows))
        for variable, cluster, rows in firms.dropped[["variable", "cluster", "rows"]].to_numpy()
    )
    measures = tuple(
        Measure(
            name, item.method, item.unit, tuple(item.weights.items()), item.reliability, item.binary
        )
        for name, item in capitals.items()
    )
    return Details(
        table.label,
        table.title,
        table.synthetic,
        table.digest,
        firms.rows_read,
        dropped,
        firms.filters,
        notes,
        measures,
    )
