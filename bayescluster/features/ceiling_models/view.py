"""Ceilings, one for each cluster: the models compared, and everything that is written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from bayescluster.features.ceiling_models.results import (
    CeilingFit,
    CeilingModelsResults,
    DistanceRow,
    EffectSizeRow,
)
from bayescluster.features.ceilings.results import LeastLevel
from bayescluster.kit import words
from bayescluster.kit.table import Cell, Column, View, number
from bayescluster.results.model import Results


def views(results: Results) -> Iterator[View[Any]]:
    """Effect sizes, least capital and distances to the ceiling of every capital and model."""
    if results.ceiling_models is None:
        return
    for ceiling in results.ceiling_models.capitals:
        for fit in ceiling.fits:
            before = {"capital": ceiling.capital, "model": fit.model}
            yield View("ceiling_effects", EffectSizeRow, rows=fit.effects, before=before)
            yield View("ceiling_needed", LeastLevel, rows=fit.needed, before=before)
            yield View("ceiling_distances", DistanceRow, rows=fit.distances, before=before)
    yield compared(results.ceiling_models)


class _Fitted(NamedTuple):
    capital: str
    fit: CeilingFit


def compared(models: CeilingModelsResults) -> View[_Fitted]:
    """Every model of the ceiling over every capital, with d of all firms under each."""
    fitted = tuple(_Fitted(one.capital, fit) for one in models.capitals for fit in one.fits)
    several = any(len(one.fits) > 1 for one in models.capitals)
    difference: Column[_Fitted] = number("elpd less the best (SE)", lambda row: row.fit, _less)
    return View(
        "ceiling_effects",
        EffectSizeRow,
        "A ceiling for each cluster",
        (
            Column("Capital", "capital", words.label),
            Column("Model", lambda row: row.fit.model),
            *([difference] if several else []),
            number("d, all firms", lambda row: row.fit.effects[0].estimate, words.plain),
            Column("Distances of firms", lambda row: row.fit, _distances),
            Column("Checks", lambda row: row.fit, _gate),
        ),
        fitted,
        f"Lines that never fall, between {words.share(models.floor)} and the whole of the scope, "
        "pooled within industries. d: average over firms of the share of the scope above the line.",
        records=(),
    )


def _less(fit: CeilingFit) -> str:
    return f"{words.fixed(fit.difference, 1)} ({words.fixed(fit.difference_se, 1)})"


def _distances(fit: CeilingFit) -> Cell:
    flagged = [row.statistic for row in fit.distances if row.flagged]
    if flagged:
        return Cell("✕ not reproduced", ", ".join(flagged), "bad")
    return Cell("✓ reproduced", look="good")


def _gate(fit: CeilingFit) -> Cell:
    if fit.gate_passed:
        return Cell("✓ passed", look="good")
    return Cell("✕ failed", "; ".join(fit.failing), "bad")
