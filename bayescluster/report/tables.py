"""Results as flat tables of raw numbers, for spreadsheets and other programs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bayescluster.kit.flat import RawTable
from bayescluster.kit.table import View
from bayescluster.kit.table import raw_tables as raw_views
from bayescluster.report.sections import SECTIONS
from bayescluster.results.model import (
    Results,
)


def views_of(results: Results) -> Iterator[View[Any]]:
    """Tables of every section that these results have, in the order of the report."""
    for section in SECTIONS:
        if section.wanted(results):
            yield from section.views(results)


def raw_tables(results: Results) -> tuple[RawTable, ...]:
    """Every table of the results, unrounded; those without rows keep their headings."""
    return (*raw_views(views_of(results)),)
