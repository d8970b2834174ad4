"""Results as flat tables of raw numbers, for spreadsheets and other programs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from pydantic import BaseModel

from bayescluster.results.model import (
    CaseRow,
    CheckItem,
    Coefficient,
    CornerRow,
    DifferenceRow,
    EffectRow,
    Estimate,
    GroupRow,
    InformedPrior,
    PredictiveRow,
    Results,
    SandwichRow,
    ShareRow,
    Verdict,
    VerdictFigure,
)

Value = str | int | float | bool | None
JOINED = "; "
"""Between the items of a list within a cell."""


class RawTable(NamedTuple):
    """A table as it is written: a file name without ending, headings and rows."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]


def raw_tables(results: Results) -> tuple[RawTable, ...]:
    """Every table of the results, unrounded; those without rows keep their headings."""
    verdicts, cases = results.verdicts, results.model.cases
    return (
        _table("effects", EffectRow, map(_flat, results.effects)),
        _table("differences", DifferenceRow, map(_flat, results.differences)),
        _table(
            "corners",
            CornerRow,
            (
                {name: getattr(found, name) for name in LEVELS} | _flat(row)
                for found in results.corners
                for row in found.rows
            ),
            LEVELS,
        ),
        _table("verdicts", Verdict, map(_flat, verdicts)),
        _table(
            "verdict_figures",
            VerdictFigure,
            (
                {name: getattr(verdict, name) for name in CLAIM} | _flat(figure)
                for verdict in verdicts
                for figure in verdict.figures
            ),
            CLAIM,
        ),
        _table("coefficients", Coefficient, map(_flat, results.model.coefficients)),
        _table("case_priors", InformedPrior, map(_flat, cases.priors if cases else ())),
        _table("cases", CaseRow, map(_flat, cases.cases if cases else ())),
        _table("variance", ShareRow, map(_flat, results.variance.rows if results.variance else ())),
        _table(
            "sandwich", SandwichRow, map(_flat, results.weighting.rows if results.weighting else ())
        ),
        _table("predictive", PredictiveRow, map(_flat, results.predictive)),
        _table("checks", CheckItem, map(_flat, results.gate.items)),
        _table("groups", GroupRow, map(_flat, results.sample.groups)),
    )


CLAIM = ("kind", "title", "by", "group", "scope", "region")
"""What tells the verdict of a figure."""

LEVELS = ("scope", "declared", "human_low", "human_high", "social_low", "social_high")
"""What tells the levels of a corner."""


def _table(
    name: str,
    kind: type[BaseModel],
    rows: Iterable[Mapping[str, Value]],
    before: tuple[str, ...] = (),
) -> RawTable:
    columns = (*before, *_columns(kind))
    return RawTable(
        name, columns, tuple(tuple(row.get(column) for column in columns) for row in rows)
    )


def _columns(kind: type[BaseModel]) -> list[str]:
    """Fields of a record, an estimate spread over its own; the figures of a verdict stand apart."""
    found: list[str] = []
    for name, field in kind.model_fields.items():
        if name == "estimate":
            found += Estimate.model_fields
        elif field.annotation in (Estimate, Estimate | None):
            found += [f"{name}_{part}" for part in Estimate.model_fields]
        elif name != "figures":
            found.append(name)
    return found


def _flat(record: BaseModel) -> dict[str, Value]:
    flat: dict[str, Value] = {}
    for name in type(record).model_fields:
        value = getattr(record, name)
        if isinstance(value, Estimate):
            prefix = "" if name == "estimate" else f"{name}_"
            flat |= {f"{prefix}{part}": getattr(value, part) for part in Estimate.model_fields}
        elif isinstance(value, tuple):
            flat[name] = JOINED.join(str(item) for item in value)
        else:
            flat[name] = value
    return flat
