"""Results as flat tables of raw numbers, for spreadsheets and other programs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from bayescluster.features.ceiling_models.results import DistanceRow, EffectSizeRow
from bayescluster.features.ceilings.results import LeastLevel
from bayescluster.kit.flat import RawTable, flat, table
from bayescluster.kit.table import View
from bayescluster.kit.table import raw_tables as raw_views
from bayescluster.report.sections import SECTIONS
from bayescluster.results.model import (
    Results,
)


def ceiling_model_tables(results: Results) -> Iterator[RawTable]:
    """Effect sizes, least capital and distances to the ceiling, by capital and model."""
    if results.ceiling_models is None:
        return
    parts: dict[str, type[BaseModel]] = {
        "effects": EffectSizeRow,
        "needed": LeastLevel,
        "distances": DistanceRow,
    }
    for name, kind in parts.items():
        found = (
            {"capital": one.capital, "model": fit.model, **flat(row)}
            for one in results.ceiling_models.capitals
            for fit in one.fits
            for row in getattr(fit, name)
        )
        yield table(f"ceiling_{name}", kind, found, ("capital", "model"))


def views_of(results: Results) -> Iterator[View[Any]]:
    """Tables of every section that these results have, in the order of the report."""
    for section in SECTIONS:
        if section.wanted(results):
            yield from section.views(results)


def raw_tables(results: Results) -> tuple[RawTable, ...]:
    """Every table of the results, unrounded; those without rows keep their headings."""
    return (
        *ceiling_model_tables(results),
        *raw_views(views_of(results)),
    )
