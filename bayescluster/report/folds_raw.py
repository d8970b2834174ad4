"""What was left out, as flat tables of raw numbers."""

from __future__ import annotations

from typing import Final

from bayescluster.report.flat import RawTable, flat, table, table_of
from bayescluster.results.folds import Folds, FormFolds, FormRows, GroupRow, RowRepair

BY: Final = ("by",)


def folds_tables(found: Folds | None) -> tuple[RawTable, ...]:
    """Tables of what was left out; none where nothing was."""
    if found is None:
        return ()
    tables = []
    if found.groups:
        tables += [
            table(
                "left_out_groups",
                GroupRow,
                ({"by": part.by} | flat(row) for part in found.groups for row in part.rows),
                BY,
            ),
            table(
                "left_out_forms",
                FormFolds,
                ({"by": part.by} | flat(form) for part in found.groups for form in part.forms),
                BY,
            ),
        ]
    if found.row is not None:
        tables += [
            table_of("left_out_rows", RowRepair, found.row.repairs),
            table_of("left_out_rows_forms", FormRows, found.row.forms),
        ]
    return tuple(tables)
