"""How to read the report: terms, and what the numbers assume."""

from __future__ import annotations

from markupsafe import Markup

from bayescluster.report.environment import filled
from bayescluster.report.sections.record import Section
from bayescluster.results.model import (
    INTERVAL,
    Results,
)


def body(results: Results) -> Markup:
    """Assumptions, scopes and a short glossary."""
    return filled("reading.html.j2", results=results, interval=INTERVAL)


READING = Section("reading", "How to read this", "How to read", body)
