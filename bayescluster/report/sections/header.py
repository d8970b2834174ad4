"""What was asked, of whom, and whether the answer can be relied on."""

from __future__ import annotations

from markupsafe import Markup

from bayescluster.report import words
from bayescluster.report.environment import filled
from bayescluster.report.sections.record import Section
from bayescluster.results.model import Results


def body(results: Results) -> Markup:
    """Title, description, banners and the sample at a glance."""
    return filled("header.html.j2", results=results, facts=_facts(results))


def _facts(results: Results) -> tuple[tuple[str, str], ...]:
    sample = results.sample
    listed = [
        ("Outcome", results.outcome.column),
        ("Firms", words.count(sample.firms)),
        ("Clusters", words.count(sample.clusters)),
        ("Industries", words.count(sample.industries)),
        ("Diagnostics", "✓ passed" if results.gate.passed else "✕ failed"),
    ]
    if sample.rows != sample.firms:
        listed.insert(2, ("Rows", words.count(sample.rows)))
    return tuple((name, value) for name, value in listed if value != "0")


HEADER = Section("top", "Summary", "Top", body)
