"""The report as one page that needs nothing else: styles and figures stand inside it."""

from __future__ import annotations

from bayescluster.report.environment import filled
from bayescluster.report.sections import SECTIONS
from bayescluster.results.model import Results


def render_html(results: Results) -> str:
    """Write the report as HTML.

    The page holds its styles and figures, needs no script and no network, follows the reader's
    light or dark mode, and prints on A4. Equal results give equal bytes.

    Parameters
    ----------
    results
        Results of a run.

    Returns
    -------
    str
        The page.
    """
    failing = ", ".join(item.name for item in results.gate.items if item.passed is not True)
    page = filled(
        "page.html.j2",
        results=results,
        failing=failing,
        sections=[
            (section, section.body(results)) for section in SECTIONS if section.wanted(results)
        ],
    )
    return str(page)
