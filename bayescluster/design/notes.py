"""What a reader of the results should know about the sample: details and notes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from bayescluster.dataset.constructs import Scored
from bayescluster.dataset.prepare import Firms
from bayescluster.dataset.read import Table
from bayescluster.dataset.values import label_of
from bayescluster.design.coding import sorted_labels
from bayescluster.design.missing import missing_cells, missing_notes
from bayescluster.design.parts import (
    Details,
    Measure,
)
from bayescluster.names import CLUSTER, INDUSTRY
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.columns import grouping_column

FEW_ROWS = 5
"""Groups with fewer rows than this are named in the notes."""


def memberships(analysis: Analysis, firms: Firms) -> dict[str, pd.Series]:
    """Labels of each grouping by row; industry and cluster are always there."""
    frame = firms.frame
    found = {INDUSTRY: frame["__industry__"], CLUSTER: frame["__cluster__"]}
    for name in analysis.equation.varying:
        if name == "firm":
            found[name] = frame["__firm__"]
        elif name not in found:
            found[name] = frame[grouping_column(analysis, name)].map(label_of)
    return found


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
    for name, values in memberships(analysis, firms).items():
        counts = values.value_counts()
        few = sorted_labels(counts[counts < FEW_ROWS].index.to_numpy())
        if few and name != "firm":
            shown = ", ".join(few[:6]) + (f" and {len(few) - 6} more" if len(few) > 6 else "")
            notes.append(
                f"Fewer than {FEW_ROWS} rows in {name} {shown}: their effects lean on the others."
            )
    return tuple(notes)


def _unanswered(capitals: Mapping[str, Scored]) -> Iterator[str]:
    """Say where a capital rests on fewer answers than were asked for."""
    for name, scored in capitals.items():
        # scores that are missing are told with what is imputed
        if scored.missing_items and np.isfinite(scored.values).all():
            rests = (
                "The latent capital of such a row is known by the answers it gave."
                if scored.method == "latent"
                else "The score of such a row is the mean of the answers it gave."
            )
            yield (
                f"Answers missing among the indicators of {name}: {scored.missing_items}. {rests}"
            )


def details_of(
    analysis: Analysis, table: Table, firms: Firms, capitals: Mapping[str, Scored]
) -> Details:
    """Collect the facts of a sample that reports print."""
    imputed, patterns = missing_cells(analysis, firms, capitals)
    notes = (
        *data_notes(analysis, firms),
        *_unanswered(capitals),
        *missing_notes(imputed, patterns, len(firms.frame)),
    )
    dropped = tuple(
        (str(variable), str(cluster), int(rows))
        for variable, cluster, rows in firms.dropped[["variable", "cluster", "rows"]].to_numpy()
    )
    measures = tuple(
        Measure(
            name,
            item.method,
            item.unit,
            tuple(item.weights.items()),
            item.reliability,
            item.binary,
            item.units,
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
        None,
        imputed,
        patterns,
    )
