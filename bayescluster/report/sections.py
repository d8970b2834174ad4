"""Sections of the report in their order, and every table of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bayescluster.features.checklist.view import CHECKLIST
from bayescluster.features.explorer.view import EXPLORER
from bayescluster.features.learning.view import LEARNING
from bayescluster.features.likelihoods.view import LIKELIHOODS
from bayescluster.features.measurement.view import MEASUREMENT
from bayescluster.features.sensitivity.view import PRIORS, SENSITIVITY
from bayescluster.features.verdict_curves.view import VERDICT_CURVES
from bayescluster.features.weakest_node.view import BUDGET, WEAKEST_NODE
from bayescluster.kit.page import Section
from bayescluster.kit.table import RawTable, View
from bayescluster.kit.table import raw_tables as raw_views
from bayescluster.report.answer import ANSWER
from bayescluster.report.checks import CHECKS, FIT_CHECKS
from bayescluster.report.effects import CORNERS, EFFECTS, SURFACE_SECTION
from bayescluster.report.forms import FORMS
from bayescluster.report.model import MODEL, READING, REPRODUCTION
from bayescluster.report.readings import READINGS
from bayescluster.report.sample import SAMPLE
from bayescluster.report.verdicts import VERDICTS
from bayescluster.results.model import Results

__all__ = ["SECTIONS", "Section"]

SECTIONS: tuple[Section, ...] = (
    ANSWER,
    EXPLORER,
    VERDICTS,
    # findings
    EFFECTS,
    SURFACE_SECTION,
    CORNERS,
    LEARNING,
    WEAKEST_NODE,
    SENSITIVITY,
    # the appendix: first what a verdict rests on, then the rest
    FORMS,
    VERDICT_CURVES,
    SAMPLE,
    MEASUREMENT,
    MODEL,
    CHECKS,
    FIT_CHECKS,
    LIKELIHOODS,
    PRIORS,
    READINGS,
    BUDGET,
    CHECKLIST,
    READING,
    REPRODUCTION,
)


def views_of(results: Results) -> Iterator[View[Any]]:
    """Tables of every section that these results have, in the order of the report."""
    for section in SECTIONS:
        if section.wanted(results):
            yield from section.views(results)


def raw_tables(results: Results) -> tuple[RawTable, ...]:
    """Every table of the results, unrounded; those without rows keep their headings."""
    return (*raw_views(views_of(results)),)
